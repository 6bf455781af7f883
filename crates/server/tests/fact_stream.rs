//! A lasting connection: grouped acks, heartbeats, fencing, and an end that loses nothing acknowledged.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests"
)]

mod support;

use pegcount_domain::{envelope::Position, time::Micros};
use pegcount_proto::v1::{self, stream_facts_request::Message, stream_facts_response::Message as Answer};
use pegcount_server::Role;
use support::{MORNING, Wire, batch, desk, hello, ready, signed_in};
use tonic::Code;
use tonic_types::StatusExt;

#[tokio::test]
async fn the_welcome_says_where_the_source_stands_and_how_to_go_on() {
    let desk = desk().await;
    let mut client = desk.ingest(Role::Connector).await;
    let (mut wire, welcome) = Wire::connect(&mut client, hello("pbx")).await;
    assert_eq!(welcome.last_committed_seq, 0);
    assert_eq!(welcome.server_time_us, MORNING.0);
    assert_eq!(welcome.batch_facts_max, 1_000);
    assert_eq!(welcome.lease_us, 10_000_000);
    assert!(!welcome.incarnation_changed);
    wire.say(Message::Batch(batch(vec![signed_in(1, MORNING, "7"), ready(2, MORNING, "7")]))).await;
    assert_eq!(wire.acked(2).await.unwrap().1, 2);

    let known = v1::Hello { incarnation: welcome.incarnation, ..hello("pbx") };
    let (_wire, again) = Wire::connect(&mut client, known).await;
    assert_eq!((again.last_committed_seq, again.incarnation_changed), (2, false));
    let other = v1::Hello { incarnation: support::uuid(9), ..hello("pbx") };
    let (_wire, other) = Wire::connect(&mut client, other).await;
    assert!(other.incarnation_changed, "said, and no error");
}

#[tokio::test]
async fn every_batch_is_acknowledged_in_order_refusals_included() {
    let desk = desk().await;
    let mut client = desk.ingest(Role::Connector).await;
    let (mut wire, _) = Wire::connect(&mut client, hello("pbx")).await;
    let said = tokio::spawn(async move {
        for seq in 1..=200_u64 {
            // Every tenth names nobody.
            let agent = if seq % 10 == 0 { "" } else { "7" };
            wire.say(Message::Batch(batch(vec![ready(seq, MORNING, agent)]))).await;
        }
        wire.finish();
        let mut last = 0;
        let mut refused = Vec::new();
        while let Ok(Some(answer)) = wire.next().await {
            if let Answer::Ack(ack) = answer {
                assert!(ack.last_committed_seq > last, "acks go up");
                last = ack.last_committed_seq;
                refused.extend(ack.refusals.into_iter().map(|refusal| refusal.seq));
            }
        }
        (last, refused)
    });
    let (last, refused) = said.await.unwrap();
    assert_eq!(last, 200);
    assert_eq!(refused, (1..=20).map(|tenth| tenth * 10).collect::<Vec<_>>());
    assert_eq!(desk.engine.end(), Position(200));
}

#[tokio::test]
async fn a_heartbeat_is_echoed_with_the_servers_clock() {
    let desk = desk().await;
    let mut client = desk.ingest(Role::Connector).await;
    let (mut wire, _) = Wire::connect(&mut client, hello("pbx")).await;
    desk.clock.set(MORNING.plus(Micros::SECOND));
    wire.say(Message::Heartbeat(v1::Heartbeat { client_time_us: 77 })).await;
    let Answer::Heartbeat(echo) = wire.hear().await.unwrap() else { panic!("no echo") };
    assert_eq!((echo.client_time_us, echo.server_time_us), (77, MORNING.plus(Micros::SECOND).0));
}

#[tokio::test]
async fn a_newer_connection_of_the_same_source_ends_the_older_one_at_once() {
    let desk = desk().await;
    let mut client = desk.ingest(Role::Connector).await;
    let (mut older, _) = Wire::connect(&mut client, hello("pbx")).await;
    older.say(Message::Batch(batch(vec![signed_in(1, MORNING, "7")]))).await;
    older.acked(1).await.unwrap();
    let (mut newer, welcome) = Wire::connect(&mut client, hello("pbx")).await;
    assert_eq!(welcome.last_committed_seq, 1);
    // Without a word from the older one.
    let fenced = older.end().await.unwrap();
    assert_eq!(fenced.code(), Code::Aborted);
    assert_eq!(fenced.get_error_details().error_info().unwrap().reason, "FENCED");
    newer.say(Message::Batch(batch(vec![ready(2, MORNING, "7")]))).await;
    newer.acked(2).await.unwrap();
}

#[tokio::test]
async fn what_was_durable_before_an_error_is_acknowledged_before_it() {
    let desk = desk().await;
    let mut client = desk.ingest(Role::Connector).await;
    let (mut wire, _) = Wire::connect(&mut client, hello("pbx")).await;
    wire.say(Message::Batch(batch(vec![signed_in(1, MORNING, "7")]))).await;
    wire.say(Message::Batch(batch(vec![ready(2, MORNING, "7")]))).await;
    wire.say(Message::Batch(batch(vec![ready(9, MORNING, "7")]))).await;
    wire.acked(2).await.unwrap();
    assert_eq!(wire.end().await.unwrap().code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn shutdown_acknowledges_what_was_handed_in_and_says_why_the_stream_ends() {
    let mut desk = desk().await;
    let mut client = desk.ingest(Role::Connector).await;
    let (mut wire, _) = Wire::connect(&mut client, hello("pbx")).await;
    wire.say(Message::Batch(batch(vec![signed_in(1, MORNING, "7")]))).await;
    wire.acked(1).await.unwrap();
    let down = tokio::spawn(async move {
        let ended = desk.shut_down().await;
        (ended, desk)
    });
    let end = wire.end().await.unwrap();
    assert_eq!(end.code(), Code::Unavailable);
    assert!(end.message().contains("the server is shutting down"), "{end}");
    drop((wire, client));
    let (ended, desk) = down.await.unwrap();
    ended.unwrap();
    assert_eq!(desk.engine.end(), Position(1));
    desk.engine.close().await.unwrap();
}
