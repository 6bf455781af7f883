//! Days of tickets against the real server: every step of every course is one that the server carries out, and it counts what
//! the core counts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod real;

use pegcount_domain::time::Micros;
use pegcount_proto::v1::{ListTicketsRequest, Ticket, TicketStatus};
use pegcount_sim::run;
use real::Real;
use tokio_util::sync::CancellationToken;

/// Monday 2023-11-13, 08:00 UTC.
const MORNING: Micros = Micros(1_699_862_400_000_000);
const DAYS: i64 = 3;
const SPEED: f64 = 20_000.0;
const SEED: u64 = 11;

#[tokio::test(flavor = "multi_thread")]
async fn days_of_tickets_are_carried_out_and_counted() {
    let real = Real::begin(MORNING, SPEED).await;
    println!("seed {SEED}");
    let config = real.config(SEED, 12, 40, Micros(DAYS * 24 * Micros::HOUR.0));
    let report = run(config, CancellationToken::new()).await.unwrap();
    assert_eq!(report.tickets_refused, 0);
    let settled = [report.tickets_resolved, report.tickets_closed, report.tickets_reopened];
    assert!(
        settled.iter().chain([&report.tickets_merged, &report.tickets_cancelled]).all(|count| *count > 0),
        "{report:?}"
    );

    let api = real.api();
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
    let visited = |ticket: &&Ticket| ticket.visit.is_some();
    assert!(
        tickets.iter().any(|ticket| visited(&ticket))
            && tickets.iter().any(|ticket| ticket.contacts.is_empty())
    );
    real.end().await;
}
