//! Every recorded fact reaches the log once and in order, whatever the network and the server do.

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
use pegcount_client::{Connection, Source};
use pegcount_clock::Clock;
use proptest::prelude::*;
use tempfile::TempDir;
use tonic::Code;

#[tokio::test]
async fn facts_recorded_while_the_server_is_away_arrive_when_it_comes() {
    let (fake, spool) = (Fake::new(Clock::system()), TempDir::new().unwrap());
    let address = {
        // A port that is free now.
        let listener = std::net::TcpListener::bind(local()).unwrap();
        listener.local_addr().unwrap()
    };
    let source = Source::open(config(&format!("http://{address}"), spool.path(), "phone")).unwrap();
    for n in 0..50 {
        source.record(fact(n)).unwrap();
    }
    source.status().wait_for(|status| matches!(status.connection, Connection::Waiting { .. })).await.unwrap();
    let _server = fake.serve(address).await;
    let position = source.flush().await.unwrap();
    assert_eq!(fake.with(|log| log.agents("phone")), names(50));
    assert_eq!(position.0, 50);
}

#[tokio::test]
async fn a_server_that_restarts_loses_and_doubles_nothing() {
    let (fake, spool) = (Fake::new(Clock::system()), TempDir::new().unwrap());
    let mut server = fake.serve(local()).await;
    let source = Source::open(config(&server.endpoint(), spool.path(), "phone")).unwrap();
    for round in 0..4 {
        for n in 0..100 {
            source.record(fact(round * 100 + n)).unwrap();
        }
        fake.until(|log| log.kept.len() > round * 100).await;
        let address = server.address;
        server.stop();
        server = fake.serve(address).await;
    }
    source.flush().await.unwrap();
    assert_eq!(fake.with(|log| log.agents("phone")), names(400));
}

#[tokio::test]
async fn a_source_that_is_closed_and_opened_again_goes_on_where_it_was() {
    let (fake, spool) = (Fake::new(Clock::system()), TempDir::new().unwrap());
    let server = fake.serve(local()).await;
    for round in 0..5 {
        let source = Source::open(config(&server.endpoint(), spool.path(), "phone")).unwrap();
        for n in 0..60 {
            source.record(fact(round * 60 + n)).unwrap();
        }
        source.close().await;
    }
    let source = Source::open(config(&server.endpoint(), spool.path(), "phone")).unwrap();
    source.flush().await.unwrap();
    assert_eq!(fake.with(|log| log.agents("phone")), names(300));
    assert_eq!(fake.with(|log| log.committed.len()), 1, "one epoch throughout");
}

#[tokio::test]
async fn many_sources_share_one_connection() {
    let (fake, spool) = (Fake::new(Clock::system()), TempDir::new().unwrap());
    let server = fake.serve(local()).await;
    let channel = pegcount_client::channel(&server.endpoint(), None).unwrap();
    let sources: Vec<_> = (0..50)
        .map(|n| {
            let mut config = config(&server.endpoint(), spool.path(), &format!("phone {n}"));
            config.channel = Some(channel.clone());
            Source::open(config).unwrap()
        })
        .collect();
    for n in 0..20 {
        for source in &sources {
            source.record(fact(n)).unwrap();
        }
    }
    for source in &sources {
        source.flush().await.unwrap();
    }
    for n in 0..50 {
        assert_eq!(fake.with(|log| log.agents(&format!("phone {n}"))), names(20));
    }
}

#[tokio::test]
async fn a_backlog_goes_out_in_batches_no_larger_than_the_server_allows() {
    let (fake, spool) = (Fake::new(Clock::system()), TempDir::new().unwrap());
    fake.with(|log| log.batch_facts_max = 64);
    let server = fake.serve(local()).await;
    let source = Source::open(config(&server.endpoint(), spool.path(), "phone")).unwrap();
    let now = source.clock().now();
    source.record_all((0..1000).map(|n| (fact(n), now)).collect()).unwrap();
    source.flush().await.unwrap();
    assert_eq!(fake.with(|log| log.agents("phone")), names(1000));
    assert_eq!(fake.with(|log| log.batches.iter().max().copied()), Some(64));
}

#[tokio::test]
async fn a_batch_that_the_server_finds_too_large_is_sent_in_smaller_ones() {
    let (fake, spool) = (Fake::new(Clock::system()), TempDir::new().unwrap());
    let too_large = |_| Fault::Fail(0, Code::ResourceExhausted);
    fake.with(|log| log.faults.extend((0..2).map(too_large)));
    fake.with(|log| log.batch_facts_max = 4096);
    let server = fake.serve(local()).await;
    let source = Source::open(config(&server.endpoint(), spool.path(), "phone")).unwrap();
    let now = source.clock().now();
    source.record_all((0..100).map(|n| (fact(n), now)).collect()).unwrap();
    source.flush().await.unwrap();
    assert_eq!(fake.with(|log| log.agents("phone")), names(100));
    assert!(fake.with(|log| log.batches.iter().max().copied()) < Some(100));
}

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let fault = prop_oneof![
        (0u32..8).prop_map(Fault::Drop),
        (0u32..8).prop_map(Fault::LoseAck),
        (0u32..8).prop_map(Fault::End),
        (0u32..8, prop_oneof![Just(Code::Internal), Just(Code::FailedPrecondition), Just(Code::Unknown)])
            .prop_map(|(after, code)| Fault::Fail(after, code)),
        prop_oneof![Just(Code::Unavailable), Just(Code::FailedPrecondition), Just(Code::DeadlineExceeded)]
            .prop_map(Fault::Refuse),
    ];
    prop::collection::vec(fault, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Random faults on consecutive connections, the source now and then closed and opened again.
    #[test]
    fn nothing_is_lost_or_doubled_by_random_faults(
        faults in faults(),
        portions in prop::collection::vec((1usize..80, any::<bool>()), 1..5),
        segment_bytes in 200u64..4000,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (fake, spool) = (Fake::new(Clock::system()), TempDir::new().unwrap());
            fake.with(|log| log.faults = faults.into());
            let server = fake.serve(local()).await;
            let open = || {
                let mut config = config(&server.endpoint(), spool.path(), "phone");
                config.segment_bytes = segment_bytes;
                config.keep_acknowledged_bytes_max = 0;
                Source::open(config).unwrap()
            };
            let (mut source, mut recorded) = (open(), 0);
            for (portion, reopen) in portions {
                for _ in 0..portion {
                    source.record(fact(recorded)).unwrap();
                    recorded += 1;
                    tokio::task::yield_now().await;
                }
                if reopen {
                    source.close().await;
                    source = open();
                }
            }
            source.flush().await.unwrap();
            assert_eq!(fake.with(|log| log.agents("phone")), names(recorded));
            assert_eq!(fake.with(|log| log.skips.len()), 0);
        });
    }
}
