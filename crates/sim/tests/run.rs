//! The whole simulation against a small server of the tests' own: everything that the core did arrives.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod common;

use std::collections::BTreeSet;

use common::{Log, Server};
use jiff::tz::TimeZone;
use pegcount_client::Token;
use pegcount_clock::Clock;
use pegcount_domain::{ids::SiteId, time::Micros};
use pegcount_proto::v1::{contact_fact, definition, fact};
use pegcount_sim::{SimConfig, SimError, SimReport, run};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Monday 2023-11-13, 09:00 UTC.
const MORNING: Micros = Micros(1_699_866_000_000_000);

fn config(server: &Server, spool: &TempDir, agents: usize, speed: f64) -> SimConfig {
    SimConfig {
        seed: 42,
        agents,
        calls_per_hour: 400,
        site: SiteId::new("main").unwrap(),
        time_zone: TimeZone::UTC,
        endpoint: server.endpoint(),
        tls_ca: None,
        token: Token::new("token"),
        clock: Clock::scaled(MORNING, speed),
        spool_dir: spool.path().to_owned(),
        start: Some(MORNING),
        duration: Some(Micros(40 * Micros::MINUTE.0)),
    }
}

/// What the server was told, compared with what the core counted.
fn compare(log: &Log, report: &SimReport) {
    assert_eq!(log.facts.len() as u64, report.facts);
    let contacts = |wanted: fn(&contact_fact::Action) -> bool| {
        let actions = log.facts.iter().filter_map(|(_, fact)| match &fact.fact {
            Some(fact::Fact::Contact(fact)) => fact.action.as_ref(),
            _ => None,
        });
        actions.filter(|action| wanted(action)).count() as u64
    };
    assert_eq!(contacts(|action| matches!(action, contact_fact::Action::Started(_))), report.contacts);
    assert_eq!(contacts(|action| matches!(action, contact_fact::Action::Ended(_))), report.contacts);
    let total = report.total();
    assert_eq!(contacts(|action| matches!(action, contact_fact::Action::QueueEntered(_))), total.offered);
    assert_eq!(contacts(|action| matches!(action, contact_fact::Action::QueueLeft(_))), total.ended());
    assert_eq!(contacts(|action| matches!(action, contact_fact::Action::SurveyAnswered(_))), report.surveys);
    let steps = |wanted: &str| log.tickets.iter().filter(|(step, _)| *step == wanted).count() as u64;
    assert_eq!(steps("open"), report.tickets_opened);
    assert_eq!(steps("resolve"), report.tickets_resolved);
    assert_eq!(report.tickets_refused, 0);
    assert!(total.answered > 0 && report.tickets_opened > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_happened_arrives_once_from_the_source_that_saw_it() {
    let (server, spool) = (Server::start().await, TempDir::new().unwrap());
    let report = run(config(&server, &spool, 150, 3600.0), CancellationToken::new()).await.unwrap();
    let log = server.log.lock().unwrap();
    compare(&log, &report);
    for (source, fact) in &log.facts {
        let expected = match fact.fact.as_ref().unwrap() {
            fact::Fact::Agent(fact) => format!("softphone-{}", fact.agent),
            fact::Fact::Contact(_) => "exchange".to_owned(),
        };
        assert_eq!(*source, expected);
    }
    let defined = |wanted: fn(&definition::Definition) -> bool| {
        log.definitions.iter().filter(|known| wanted(known.definition.as_ref().unwrap())).count()
    };
    assert_eq!(defined(|known| matches!(known, definition::Definition::Queue(_))), 4);
    assert_eq!(defined(|known| matches!(known, definition::Definition::Agent(_))), 150);
    let commands: BTreeSet<_> = log.tickets.iter().map(|(_, command)| command).collect();
    assert_eq!(commands.len(), log.tickets.len(), "every ticket step has its own command id");
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_carry_the_instants_of_the_core_however_fast_the_clock_runs() {
    let mut runs = Vec::new();
    for speed in [2000.0, 20_000.0] {
        let (server, spool) = (Server::start().await, TempDir::new().unwrap());
        run(config(&server, &spool, 20, speed), CancellationToken::new()).await.unwrap();
        let mut facts = std::mem::take(&mut server.log.lock().unwrap().facts);
        facts.sort_by_key(|(source, fact)| (source.clone(), fact.seq));
        runs.push(facts);
    }
    assert!(runs[0] == runs[1], "the same seed gives the same facts at the same times");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_stopped_leaves_nothing_open() {
    let (server, spool) = (Server::start().await, TempDir::new().unwrap());
    let stop = CancellationToken::new();
    let running =
        tokio::spawn(run(SimConfig { duration: None, ..config(&server, &spool, 30, 1200.0) }, stop.clone()));
    server.until(|log| log.facts.len() > 2000).await;
    stop.cancel();
    let report = running.await.unwrap().unwrap();
    let log = server.log.lock().unwrap();
    assert_eq!(log.facts.len() as u64, report.facts);
    assert_eq!(report.total().offered, report.total().ended());
    assert!(report.position > 0);
}

#[tokio::test]
async fn a_token_that_may_not_define_ends_the_run_with_the_reason() {
    let (server, spool) = (Server::start().await, TempDir::new().unwrap());
    let config = SimConfig { token: Token::new("other"), ..config(&server, &spool, 2, 60.0) };
    let error = run(config, CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, SimError::Define(_)), "{error}");
}
