//! Appends: order, expectations, all or nothing.

use std::sync::Arc;

use futures_util::future::join_all;
use pegcount_domain::{
    envelope::{Position, StreamKind, StreamName, Version},
    event::EventType,
    ids::CommandId,
    time::Micros,
};
use pegcount_log::{
    AppendError, Expected,
    limits::{APPEND_BYTES_MAX, APPEND_EVENTS_MAX, EVENT_BYTES_MAX},
};
use smallvec::SmallVec;

use super::{
    Subject, all, append, assert_dense, event, events, expecting, name, plain, refused, stream, version,
};

pub async fn positions_are_dense_over_the_whole_log(subject: &dyn Subject) {
    let log = subject.open();
    assert_eq!(log.end(), Position::START);
    for (id, expected_last) in [("a", 3), ("b", 6), ("a", 9)] {
        let appended = append(&*log, plain(events(id, 0..3))).await;
        assert_eq!((appended.last, appended.written), (Position(expected_last), 3));
        assert_eq!(log.end(), Position(expected_last));
    }
    assert_dense(&all(&*log).await, 1);
}

pub async fn versions_are_dense_within_each_stream(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, plain(vec![event("a", 1), event("b", 1), event("a", 2)])).await;
    append(&*log, plain(vec![event("b", 2), event("a", 3)])).await;
    let got: Vec<_> = all(&*log).await.into_iter().map(|event| (event.stream, event.version)).collect();
    let [a, b] = ["site/agent/a".to_owned(), "site/agent/b".to_owned()];
    assert_eq!(got, [(a.clone(), 1), (b.clone(), 1), (a.clone(), 2), (b, 2), (a, 3)]);
    assert_eq!((version(&*log, "a"), version(&*log, "b"), version(&*log, "c")), (3, 2, 0));
}

pub async fn everything_of_an_event_comes_back(subject: &dyn Subject) {
    let log = subject.open();
    let mut full = event("a", 9);
    full.stream =
        StreamName { site: name("Köln"), kind: StreamKind::Quarantine, id: name("x/y — \u{1F4DE}") };
    full.event_type = EventType(65_000);
    full.schema_version = 300;
    full.occurred_at = Micros(i64::MIN);
    full.source_time = Micros(i64::MAX);
    full.on_behalf_of = Some(name("someone else"));
    full.command_id = Some(CommandId(u128::MAX));
    full.correlation = Some(0);
    full.causation = Some(Position(77));
    full.names = (0..20).map(|n| name(&format!("name {n}"))).collect();
    full.payload = SmallVec::from_vec(vec![0xA5; 20_000]);
    append(&*log, plain(vec![event("a", 1), full.clone(), event("a", 2)])).await;
    let got = &all(&*log).await[1];
    assert_eq!(got.stream, full.stream.to_string());
    assert_eq!((got.event_type, got.schema_version), (full.event_type, full.schema_version));
    assert_eq!((got.occurred_at, got.source_time), (full.occurred_at, full.source_time));
    assert_eq!((got.actor.as_str(), got.on_behalf_of.as_deref()), ("actor", Some("someone else")));
    assert_eq!((got.source.as_str(), got.source_seq, got.seq_to), ("plain", None, None));
    assert_eq!((got.command_id, got.correlation), (full.command_id, full.correlation));
    assert_eq!((got.causation, got.payload.as_slice()), (full.causation, full.payload.as_slice()));
    assert_eq!(got.names, full.names.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>());
}

pub async fn no_stream_holds_only_once(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, expecting("a", Expected::NoStream, events("a", 0..2))).await;
    let error = refused(&*log, expecting("a", Expected::NoStream, events("a", 2..3))).await;
    assert!(matches!(error, AppendError::WrongVersion { actual: Version(2), .. }), "{error}");
    assert_eq!((version(&*log, "a"), log.end()), (2, Position(2)));
}

pub async fn an_exact_version_holds_only_while_it_is_the_last(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, plain(events("a", 0..3))).await;
    for wrong in [0, 2, 4] {
        let error =
            refused(&*log, expecting("a", Expected::Version(Version(wrong)), events("a", 9..10))).await;
        assert!(matches!(error, AppendError::WrongVersion { actual: Version(3), .. }), "{error}");
    }
    append(&*log, expecting("a", Expected::Version(Version(3)), events("a", 9..10))).await;
    append(&*log, expecting("b", Expected::Version(Version(0)), events("b", 9..10))).await;
    append(&*log, expecting("a", Expected::Any, events("a", 10..11))).await;
    assert_eq!((version(&*log, "a"), version(&*log, "b")), (5, 1));
}

pub async fn of_many_who_expect_the_same_version_one_wins(subject: &dyn Subject) {
    let log = subject.open();
    for round in 0..20 {
        let tasks = (0..16).map(|content| {
            let log = Arc::clone(&log);
            let wanted = expecting("a", Expected::Version(Version(round)), events("a", content..=content));
            tokio::spawn(async move { log.append(wanted).await })
        });
        let results: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
        assert_eq!(version(&*log, "a"), round + 1);
    }
}

pub async fn expectations_see_the_appends_before_them_in_the_same_group(subject: &dyn Subject) {
    let log = subject.open();
    // Handed in without waiting: an implementation that groups decides them in one group.
    let first = log.submit(expecting("a", Expected::NoStream, events("a", 0..2))).await.unwrap();
    let second = log.submit(expecting("a", Expected::Version(Version(2)), events("a", 2..3))).await.unwrap();
    let third = log.submit(expecting("a", Expected::Version(Version(2)), events("a", 3..4))).await.unwrap();
    let fourth = log.submit(expecting("a", Expected::Version(Version(3)), events("a", 4..5))).await.unwrap();
    assert_eq!(first.await.unwrap().last, Position(2));
    assert_eq!(second.await.unwrap().last, Position(3));
    assert!(matches!(third.await, Err(AppendError::WrongVersion { actual: Version(3), .. })));
    assert_eq!(fourth.await.unwrap().last, Position(4));
}

pub async fn an_append_to_several_streams_is_all_or_nothing(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, plain(events("b", 0..1))).await;
    let mut both = plain(vec![event("a", 1), event("b", 1), event("c", 1)]);
    both.expected.push((stream("a"), Expected::NoStream));
    both.expected.push((stream("b"), Expected::NoStream));
    refused(&*log, both.clone()).await;
    assert_eq!((version(&*log, "a"), version(&*log, "b"), version(&*log, "c")), (0, 1, 0));
    assert_eq!(log.end(), Position(1));
    both.expected[1].1 = Expected::Version(Version(1));
    append(&*log, both).await;
    assert_eq!((version(&*log, "a"), version(&*log, "b"), version(&*log, "c")), (1, 2, 1));
}

pub async fn an_empty_append_is_refused(subject: &dyn Subject) {
    let log = subject.open();
    assert!(matches!(refused(&*log, plain(Vec::new())).await, AppendError::Empty));
}

pub async fn too_much_is_refused_with_the_limit(subject: &dyn Subject) {
    let log = subject.open();
    let many = plain(vec![event("a", 1); APPEND_EVENTS_MAX + 1]);
    let error = refused(&*log, many).await;
    assert!(
        matches!(error, AppendError::TooLarge { unit: "events", limit: APPEND_EVENTS_MAX, .. }),
        "{error}"
    );
    let mut bulky = event("a", 1);
    bulky.payload = SmallVec::from_vec(vec![0; EVENT_BYTES_MAX]);
    let error = refused(&*log, plain(vec![bulky.clone()])).await;
    assert!(matches!(error, AppendError::TooLarge { unit: "bytes", limit: EVENT_BYTES_MAX, .. }), "{error}");
    bulky.payload.truncate(EVENT_BYTES_MAX - 1_000);
    let error = refused(&*log, plain(vec![bulky.clone(); 40])).await;
    assert!(matches!(error, AppendError::TooLarge { unit: "bytes", limit: APPEND_BYTES_MAX, .. }), "{error}");
    let taken = append(&*log, plain(vec![bulky; 30])).await;
    assert_eq!(taken.last, Position(30));
    append(&*log, plain(vec![event("b", 1); APPEND_EVENTS_MAX])).await;
    assert_eq!(version(&*log, "b"), APPEND_EVENTS_MAX as u64);
}

pub async fn recorded_at_never_goes_back(subject: &dyn Subject) {
    let log = subject.open();
    for content in 0..30 {
        append(&*log, plain(events("a", content..content + 2))).await;
    }
    let all = all(&*log).await;
    assert!(all.is_sorted_by_key(|event| event.recorded_at));
}

pub async fn a_closed_log_refuses_and_still_reads(subject: &dyn Subject) {
    let log = subject.open();
    let pending = log.submit(plain(events("a", 0..3))).await.unwrap();
    log.close().await.unwrap();
    assert_eq!(pending.await.unwrap().last, Position(3));
    assert!(matches!(refused(&*log, plain(events("a", 3..4))).await, AppendError::Closed));
    assert_eq!(all(&*log).await.len(), 3);
    log.close().await.unwrap();
}
