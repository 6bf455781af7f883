//! What is settled between a source and the server besides the facts: clocks, leases, refusals, fencing, epochs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod common;

use common::{Fake, Fault, config, fact, local, names};
use pegcount_client::{Connection, FlushError, OpenError, Source, SourceConfig, Stopped, Token};
use pegcount_clock::Clock;
use pegcount_domain::{ids::AgentId, time::Micros};
use tempfile::TempDir;
use tonic::Code;

const NOON: Micros = Micros(1_700_000_000_000_000);

#[tokio::test]
async fn a_clock_an_hour_ahead_is_corrected_by_an_hour() {
    let (fake, spool) = (Fake::new(Clock::manual(NOON)), TempDir::new().unwrap());
    let server = fake.serve(local()).await;
    let clock = Clock::manual(NOON.plus(Micros::HOUR));
    let source =
        Source::open(SourceConfig { clock, ..config(&server.endpoint(), spool.path(), "phone") }).unwrap();
    source.record(fact(0)).unwrap();
    source.flush().await.unwrap();
    let kept = fake.with(|log| log.kept[0].clone());
    assert_eq!(kept.offset_us, Some(-Micros::HOUR.0));
    assert_eq!(kept.fact.source_time_us, NOON.plus(Micros::HOUR).0, "the raw time is kept");
    assert_eq!(source.status().borrow().clock_offset, Some(Micros(-Micros::HOUR.0)));
}

#[tokio::test]
async fn two_programs_on_one_fast_clock_need_no_correction() {
    let clock = Clock::scaled(NOON, 1000.0);
    let (fake, spool) = (Fake::new(clock.clone()), TempDir::new().unwrap());
    let server = fake.serve(local()).await;
    let source =
        Source::open(SourceConfig { clock, ..config(&server.endpoint(), spool.path(), "phone") }).unwrap();
    for n in 0..100 {
        source.record(fact(n)).unwrap();
        source.flush().await.unwrap();
    }
    assert!(fake.with(|log| log.kept.iter().all(|kept| kept.offset_us == Some(0))));
}

#[tokio::test]
async fn facts_of_an_earlier_boot_keep_the_offset_of_that_boot() {
    let (fake, spool) = (Fake::new(Clock::manual(NOON)), TempDir::new().unwrap());
    let server = fake.serve(local()).await;
    let open = |clock| {
        Source::open(SourceConfig { clock, ..config(&server.endpoint(), spool.path(), "phone") }).unwrap()
    };
    let first = open(Clock::manual(NOON.plus(Micros::HOUR)));
    first.record(fact(0)).unwrap();
    first.flush().await.unwrap();
    let address = server.address;
    server.stop();
    first.record(fact(1)).unwrap();
    first.close().await;
    let second = Source::open(SourceConfig {
        clock: Clock::manual(NOON.minus(Micros::HOUR)),
        ..config(&format!("http://{address}"), spool.path(), "phone")
    });
    let second = second.unwrap();
    second.record(fact(2)).unwrap();
    let _server = fake.serve(address).await;
    second.flush().await.unwrap();
    let offsets: Vec<_> = fake.with(|log| log.kept.iter().map(|kept| kept.offset_us.unwrap()).collect());
    assert_eq!(offsets, [-Micros::HOUR.0, -Micros::HOUR.0, Micros::HOUR.0]);
    let boots: Vec<_> = fake.with(|log| log.hellos.iter().map(|hello| hello.boot.clone()).collect());
    assert_ne!(boots.first(), boots.last());
}

#[tokio::test]
async fn a_softphone_shows_life_every_third_of_its_lease_by_its_own_clock() {
    let clock = Clock::manual(NOON);
    let (fake, spool) = (Fake::new(clock.clone()), TempDir::new().unwrap());
    fake.with(|log| log.lease = Micros::from_secs(9));
    let server = fake.serve(local()).await;
    let mut config = config(&server.endpoint(), spool.path(), "phone");
    (config.clock, config.agent) = (clock.clone(), Some(AgentId::new("anna").unwrap()));
    let _source = Source::open(config).unwrap();
    fake.until(|log| log.heartbeats == 1).await;
    assert_eq!(fake.with(|log| log.hellos[0].agent.clone()), "anna");
    for heartbeat in 2..5 {
        clock.set(clock.now().plus(Micros::from_secs(3)));
        fake.until(|log| log.heartbeats == heartbeat).await;
    }
}

#[tokio::test]
async fn a_source_that_another_connection_fenced_stops_and_keeps_its_facts() {
    let (fake, spool) = (Fake::new(Clock::system()), TempDir::new().unwrap());
    fake.with(|log| log.faults.push_back(Fault::Fail(0, Code::Aborted)));
    let server = fake.serve(local()).await;
    let source = Source::open(config(&server.endpoint(), spool.path(), "phone")).unwrap();
    source.record(fact(0)).unwrap();
    let stopped = source.flush().await.unwrap_err();
    assert!(matches!(stopped, FlushError::Stopped(Stopped::Fenced(_))), "{stopped}");
    source.record(fact(1)).unwrap();
    source.close().await;
    let again = Source::open(config(&server.endpoint(), spool.path(), "phone")).unwrap();
    again.flush().await.unwrap();
    assert_eq!(fake.with(|log| log.agents("phone")), names(2));
}

#[tokio::test]
async fn a_token_that_the_server_does_not_know_stops_the_source_and_says_why() {
    let (fake, spool) = (Fake::new(Clock::system()), TempDir::new().unwrap());
    let server = fake.serve(local()).await;
    let mut config = config(&server.endpoint(), spool.path(), "phone");
    config.token = Token::new("stolen");
    let source = Source::open(config).unwrap();
    source.record(fact(0)).unwrap();
    let stopped = source.flush().await.unwrap_err();
    assert!(matches!(stopped, FlushError::Stopped(Stopped::Denied(_))), "{stopped}");
    assert!(matches!(source.status().borrow().connection, Connection::Stopped(_)));
}

#[tokio::test]
async fn a_refused_fact_uses_up_its_number_and_is_reported() {
    let (fake, spool) = (Fake::new(Clock::system()), TempDir::new().unwrap());
    fake.with(|log| log.refuse_agent = Some("1".into()));
    let server = fake.serve(local()).await;
    let source = Source::open(config(&server.endpoint(), spool.path(), "phone")).unwrap();
    let seqs: Vec<_> = (0..3).map(|n| source.record(fact(n)).unwrap()).collect();
    source.flush().await.unwrap();
    let status = source.status().borrow().clone();
    assert_eq!((status.refused, status.pending), (1, 0));
    assert_eq!((status.refusals[0].seq, status.refusals[0].field.as_str()), (seqs[1], "agent.agent"));
    assert_eq!(fake.with(|log| log.agents("phone")), ["0", "2"]);
}

#[tokio::test]
async fn a_server_back_from_an_older_backup_is_offered_again_what_it_has_lost() {
    let (fake, spool) = (Fake::new(Clock::system()), TempDir::new().unwrap());
    let server = fake.serve(local()).await;
    let source = Source::open(config(&server.endpoint(), spool.path(), "phone")).unwrap();
    for n in 0..100 {
        source.record(fact(n)).unwrap();
    }
    source.flush().await.unwrap();
    let address = server.address;
    server.stop();
    fake.with(|log| {
        log.incarnation = vec![2; 16];
        log.kept.truncate(30);
        log.committed.values_mut().for_each(|committed| *committed = 30);
    });
    let _server = fake.serve(address).await;
    fake.until(|log| log.kept.len() == 100).await;
    source.flush().await.unwrap();
    assert_eq!(fake.with(|log| log.agents("phone")), names(100));
    assert_eq!(fake.with(|log| log.hellos.last().unwrap().incarnation.to_vec()), vec![1; 16]);
}

#[tokio::test]
async fn what_the_spool_no_longer_has_is_told_as_a_gap() {
    let (fake, spool) = (Fake::new(Clock::system()), TempDir::new().unwrap());
    let server = fake.serve(local()).await;
    let mut config = config(&server.endpoint(), spool.path(), "phone");
    (config.segment_bytes, config.keep_acknowledged_bytes_max) = (500, 0);
    let source = Source::open(config).unwrap();
    for n in 0..100 {
        source.record(fact(n)).unwrap();
    }
    source.flush().await.unwrap();
    let address = server.address;
    server.stop();
    fake.with(|log| {
        log.incarnation = vec![2; 16];
        log.kept.clear();
        log.committed.clear();
    });
    let _server = fake.serve(address).await;
    source.record(fact(100)).unwrap();
    fake.until(|log| log.kept.iter().any(|kept| kept.fact.seq == 101)).await;
    let (skip, kept) = fake.with(|log| (log.skips[0].clone(), log.kept.len()));
    assert_eq!(skip.from_seq, 1);
    assert_eq!(usize::try_from(skip.to_seq).unwrap() + kept, 101);
    assert_eq!(source.status().borrow().skipped, skip.to_seq);
}

#[tokio::test]
async fn a_spool_that_lost_its_end_goes_on_under_a_new_epoch() {
    let (fake, spool) = (Fake::new(Clock::system()), TempDir::new().unwrap());
    let server = fake.serve(local()).await;
    let source = Source::open(config(&server.endpoint(), spool.path(), "phone")).unwrap();
    for n in 0..10 {
        source.record(fact(n)).unwrap();
    }
    source.flush().await.unwrap();
    source.close().await;
    let segment = find(spool.path(), "seg");
    let bytes = std::fs::read(&segment).unwrap();
    std::fs::write(&segment, &bytes[..bytes.len() / 2]).unwrap();

    let source = Source::open(config(&server.endpoint(), spool.path(), "phone")).unwrap();
    for n in 10..13 {
        source.record(fact(n)).unwrap();
    }
    source.flush().await.unwrap();
    assert_eq!(fake.with(|log| log.agents("phone")), names(13));
    assert_eq!(fake.with(|log| log.committed.len()), 2, "two epochs");
}

fn find(folder: &std::path::Path, extension: &str) -> std::path::PathBuf {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|found| found == extension) {
                return entry;
            }
        }
    }
    panic!("no such file");
}

#[tokio::test]
async fn one_spool_has_one_owner() {
    let spool = TempDir::new().unwrap();
    let first = Source::open(config("http://127.0.0.1:9", spool.path(), "phone")).unwrap();
    let second = Source::open(config("http://127.0.0.1:9", spool.path(), "phone"));
    assert!(matches!(second, Err(OpenError::Locked { .. })));
    first.close().await;
    Source::open(config("http://127.0.0.1:9", spool.path(), "phone")).unwrap();
}
