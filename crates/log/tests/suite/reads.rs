//! Reads and subscriptions: a prefix, without gap or repeat, from any position.

use std::sync::Arc;

use futures_util::{StreamExt, future::join_all};
use pegcount_domain::{envelope::Position, event::EventType};
use pegcount_log::{Filter, LogError};
use smallvec::SmallVec;

use super::{Subject, all, append, assert_dense, counted, event, events, name, plain, seen, take};

pub async fn an_empty_log_reads_as_empty(subject: &dyn Subject) {
    let log = subject.open();
    assert!(log.read(Position::START).await.unwrap().is_none());
    assert!(log.read(Position(1)).await.unwrap().is_none());
    assert_eq!(log.status().end, Position::START);
}

pub async fn a_read_gives_the_frame_that_holds_the_position(subject: &dyn Subject) {
    let log = subject.open();
    for content in 0..10 {
        append(&*log, plain(events("a", content..content + 3))).await;
    }
    for position in 1..=30 {
        let frame = log.read(Position(position)).await.unwrap().unwrap();
        assert!(frame.first() <= Position(position) && Position(position) <= frame.last());
        assert_dense(&seen(&frame), frame.first().0);
    }
    assert!(log.read(Position(31)).await.unwrap().is_none());
    assert_eq!(log.read(Position::START).await.unwrap().unwrap().first(), Position(1));
}

pub async fn a_read_beyond_the_end_is_refused(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, plain(events("a", 0..3))).await;
    let error = log.read(Position(5)).await.unwrap_err();
    assert!(matches!(error, LogError::OutOfRange { asked: Position(5), next: Position(4) }), "{error}");
    let mut beyond = log.subscribe(Position(5));
    let error = beyond.next().await.unwrap().unwrap_err();
    assert!(matches!(error, LogError::OutOfRange { asked: Position(5), next: Position(4) }), "{error}");
    assert!(beyond.next().await.is_none());
}

pub async fn a_subscription_starts_at_any_position(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, plain(events("a", 0..4))).await;
    append(&*log, plain(events("b", 0..4))).await;
    for from in 0..=8 {
        let first = from.max(1);
        let got = take(&mut log.subscribe(Position(from)), usize::try_from(9 - first).unwrap()).await;
        assert_eq!(got.len() as u64, 9 - first);
        assert_dense(&got, first);
    }
    let mut next = log.subscribe(Position(9));
    append(&*log, plain(events("c", 0..2))).await;
    assert_dense(&take(&mut next, 2).await, 9);
}

pub async fn a_subscription_goes_from_history_to_live_without_gap_or_repeat(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, plain(events("a", 0..100))).await;
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                for batch in 0..50 {
                    let events = vec![event("a", batch), event(&format!("w{writer}"), batch)];
                    append(&*log, counted(&format!("w{writer}"), 1, 1 + 2 * u64::from(batch), events)).await;
                }
            })
        })
        .collect();
    let readers = [1, 50, 101].map(|from| {
        let mut subscription = log.subscribe(Position(from));
        tokio::spawn(async move {
            let got = take(&mut subscription, usize::try_from(501 - from).unwrap()).await;
            assert_dense(&got, from);
            got
        })
    });
    for writer in writers {
        writer.await.unwrap();
    }
    let whole = all(&*log).await;
    assert_eq!(whole.len(), 500);
    for got in join_all(readers).await {
        let got = got.unwrap();
        assert_eq!(got, whole[500 - got.len()..]);
    }
}

pub async fn many_subscribers_see_the_same(subject: &dyn Subject) {
    let log = subject.open();
    let readers: Vec<_> = (0..20)
        .map(|_| {
            let mut subscription = log.subscribe(Position::START);
            tokio::spawn(async move { take(&mut subscription, 60).await })
        })
        .collect();
    for content in 0..20 {
        append(&*log, plain(events("a", content..content + 3))).await;
    }
    let whole = all(&*log).await;
    for got in join_all(readers).await {
        assert_eq!(got.unwrap(), whole);
    }
}

pub async fn a_slow_reader_holds_nobody_up(subject: &dyn Subject) {
    let log = subject.open();
    let mut slow = log.subscribe(Position::START);
    append(&*log, plain(events("a", 0..1))).await;
    let first = take(&mut slow, 1).await;
    // More than any tail in memory keeps, while the reader does not read.
    let mut bulky = event("a", 1);
    bulky.payload = SmallVec::from_vec(vec![1; 30_000]);
    for _ in 0..60 {
        append(&*log, plain(vec![bulky.clone(); 30])).await;
    }
    let rest = take(&mut slow, 1_800).await;
    assert_eq!(first.len() + rest.len(), 1_801);
    assert_dense(&rest, 2);
}

pub async fn a_filter_passes_what_it_names(subject: &dyn Subject) {
    let log = subject.open();
    let mut other = event("b", 1);
    other.event_type = EventType::SIGNED_IN;
    append(&*log, plain(vec![event("a", 1), other, event("a", 2)])).await;
    let frame = log.read(Position(1)).await.unwrap().unwrap();
    let positions = |filter: &Filter| {
        let passed = frame.events().filter(|event| filter.passes(&event.envelope));
        passed.map(|event| event.envelope.position.0).collect::<Vec<_>>()
    };
    let by_id = Filter { id: Some(name("a")), ..Filter::default() };
    let by_type = Filter { types: SmallVec::from_iter([EventType::SIGNED_IN]), ..Filter::default() };
    let elsewhere = Filter { site: Some(name("elsewhere")), ..Filter::default() };
    assert_eq!(positions(&Filter::default()), [1, 2, 3]);
    assert_eq!(positions(&by_id), [1, 3]);
    assert_eq!(positions(&by_type), [2]);
    assert!(positions(&elsewhere).is_empty());
}
