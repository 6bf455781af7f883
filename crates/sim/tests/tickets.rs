//! Days of tickets against the real server: every step of every course is one that the server carries out, and it counts what
//! the core counts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::net::SocketAddr;

use jiff::tz::TimeZone;
use pegcount_client::{Api, Token, channel};
use pegcount_clock::Clock;
use pegcount_domain::{ids::SiteId, time::Micros};
use pegcount_engine::{Engine, EngineOptions};
use pegcount_proto::v1::{ListTicketsRequest, TicketStatus};
use pegcount_server::{ServerOptions, start};
use pegcount_sim::{SimConfig, run};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Monday 2023-11-13, 08:00 UTC.
const MORNING: Micros = Micros(1_699_862_400_000_000);
const DAYS: i64 = 3;
const SPEED: f64 = 20_000.0;

#[tokio::test(flavor = "multi_thread")]
async fn days_of_tickets_are_carried_out_and_counted() {
    let folder = TempDir::new().unwrap();
    let clock = Clock::scaled(MORNING, SPEED);
    let engine = Engine::open(EngineOptions {
        clock: clock.clone(),
        // A quarter of a real minute: the machine's own pauses lose no softphone.
        lease: Micros(300_000 * Micros::SECOND.0),
        ..EngineOptions::folder(folder.path().join("log"))
    });
    let engine = engine.await.unwrap();
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = start(engine.clone(), ServerOptions::new(listen, folder.path().join("log"))).await.unwrap();
    let (endpoint, token) =
        (format!("http://{}", server.addr), Token::new(server.local_token.clone().unwrap()));
    let seed = 11;
    println!("seed {seed}");
    let config = SimConfig {
        seed,
        agents: 12,
        calls_per_hour: 40,
        site: SiteId::new("main").unwrap(),
        time_zone: TimeZone::UTC,
        endpoint: endpoint.clone(),
        tls_ca: None,
        token: token.clone(),
        clock,
        spool_dir: folder.path().join("spool"),
        start: Some(MORNING),
        duration: Some(Micros(DAYS * 24 * Micros::HOUR.0)),
    };
    let report = run(config, CancellationToken::new()).await.unwrap();
    assert_eq!(report.tickets_refused, 0);
    let settled = [report.tickets_resolved, report.tickets_closed, report.tickets_reopened];
    assert!(
        settled.iter().chain([&report.tickets_merged, &report.tickets_cancelled]).all(|count| *count > 0),
        "{report:?}"
    );

    let api = Api::over(channel(&endpoint, None).unwrap(), &token).unwrap();
    let (mut page_token, mut tickets) = (Vec::new().into(), Vec::new());
    loop {
        let request = ListTicketsRequest { site: "main".into(), page_token, ..ListTicketsRequest::default() };
        let page = api.tickets().list_tickets(request).await.unwrap().into_inner();
        tickets.extend(page.tickets);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let standing =
        |status: TicketStatus| tickets.iter().filter(|ticket| ticket.status() == status).count() as u64;
    assert_eq!(tickets.len() as u64, report.tickets_opened);
    assert_eq!(standing(TicketStatus::Closed), report.tickets_closed);
    assert_eq!(standing(TicketStatus::Cancelled), report.tickets_cancelled);
    assert_eq!(standing(TicketStatus::Merged), report.tickets_merged);
    let reopened: u64 = tickets.iter().map(|ticket| u64::from(ticket.reopened)).sum();
    assert_eq!(reopened, report.tickets_reopened);
    let visited = |ticket: &&pegcount_proto::v1::Ticket| ticket.visit.is_some();
    assert!(
        tickets.iter().any(|ticket| visited(&ticket))
            && tickets.iter().any(|ticket| ticket.contacts.is_empty())
    );
    server.shutdown().await.unwrap();
    engine.close().await.unwrap();
}
