//! Subscriptions with a filter: what passes, once, first history, then what comes; the rest is only told.

use std::sync::Arc;

use futures_util::{FutureExt, StreamExt, future::join_all};
use pegcount_domain::envelope::{Position, StreamKind};
use pegcount_log::{Deliveries, Filter, LogError};
use smallvec::SmallVec;

use super::{
    Seen, Subject, all, append, event, events, fill_mixed, passing, plain, seen_event, some_filters, ticket,
};

/// What passes until the subscription has reached `end`.
async fn until(deliveries: &mut Deliveries, end: Position) -> Vec<Seen> {
    let (mut got, mut reached) = (Vec::new(), Position::START);
    while reached < end {
        let delivery = deliveries.next().await.expect("no end").unwrap();
        assert!(delivery.reached > reached, "it never goes back");
        reached = delivery.reached;
        got.extend(delivery.events().map(|(frame, event)| seen_event(frame, &event)));
        assert!(got.last().is_none_or(|last| last.position <= reached.0));
    }
    got
}

fn tickets() -> Filter {
    Filter { kind: Some(StreamKind::Ticket), ..Filter::default() }
}

pub async fn what_passes_comes_once_from_history_to_live(subject: &dyn Subject) {
    let log = subject.open();
    fill_mixed(&*log, 0..40).await;
    let half = log.end();
    let writer = {
        let log = Arc::clone(&log);
        tokio::spawn(async move { fill_mixed(&*log, 40..120).await })
    };
    let readers: Vec<_> = some_filters()
        .into_iter()
        .flat_map(|filter| {
            [(Position(1), filter.clone()), (Position(77), filter.clone()), (half.next(), filter)]
        })
        .map(|(from, filter)| {
            let mut deliveries = log.subscribe_to(from, filter.clone());
            let end = Position(half.0 * 3);
            tokio::spawn(async move { (from, filter, until(&mut deliveries, end).await) })
        })
        .collect();
    writer.await.unwrap();
    assert_eq!(log.end(), Position(half.0 * 3));
    let everything = all(&*log).await;
    for reader in join_all(readers).await {
        let (from, filter, got) = reader.unwrap();
        let expected: Vec<_> = everything.iter().filter(|seen| seen.position >= from.0).cloned().collect();
        assert_eq!(got, passing(&expected, &filter), "{filter:?} from {from}");
    }
}

pub async fn what_does_not_pass_is_told_and_not_handed_out(subject: &dyn Subject) {
    let log = subject.open();
    let mut deliveries = log.subscribe_to(Position(1), tickets());
    for content in 0..5 {
        append(&*log, plain(events("a", content..content + 2))).await;
    }
    let mut reached = Position::START;
    while reached < Position(10) {
        let delivery = deliveries.next().await.unwrap().unwrap();
        assert!(delivery.is_empty() && delivery.events().next().is_none());
        reached = delivery.reached;
    }
    assert!(deliveries.next().now_or_never().is_none(), "nothing more is told until something comes");
    append(&*log, plain(vec![event("a", 1), ticket("t", 1), event("a", 2)])).await;
    let delivery = deliveries.next().await.unwrap().unwrap();
    assert_eq!(delivery.reached, Position(13));
    assert_eq!(delivery.events().map(|(_, event)| event.envelope.position.0).collect::<Vec<_>>(), [12]);
}

pub async fn a_reader_that_comes_back_goes_on_where_it_was(subject: &dyn Subject) {
    let log = subject.open();
    let writer = {
        let log = Arc::clone(&log);
        tokio::spawn(async move { fill_mixed(&*log, 0..120).await })
    };
    let filters = some_filters();
    let end = Position(120 * u64::try_from(super::MIXED_EVENTS).unwrap());
    let readers = filters.iter().map(|filter| {
        let (log, filter) = (Arc::clone(&log), filter.clone());
        tokio::spawn(async move {
            let (mut got, mut reached) = (Vec::new(), Position::START);
            while reached < end {
                // A new subscription for every delivery.
                let delivery =
                    log.subscribe_to(reached.next(), filter.clone()).next().await.unwrap().unwrap();
                got.extend(delivery.events().map(|(frame, event)| seen_event(frame, &event)));
                reached = delivery.reached;
            }
            got
        })
    });
    let readers = join_all(readers).await;
    writer.await.unwrap();
    let everything = all(&*log).await;
    for (filter, got) in filters.iter().zip(readers) {
        assert_eq!(got.unwrap(), passing(&everything, filter), "{filter:?}");
    }
}

pub async fn a_slow_filtered_reader_holds_nobody_up(subject: &dyn Subject) {
    let log = subject.open();
    let mut slow = log.subscribe_to(Position(1), tickets());
    append(&*log, plain(vec![ticket("t", 0)])).await;
    assert_eq!(slow.next().await.unwrap().unwrap().events().count(), 1);
    // More than any tail in memory keeps, while the reader does not read.
    let mut bulky = event("a", 1);
    bulky.payload = SmallVec::from_vec(vec![1; 30_000]);
    for content in 0..60 {
        let mut appended = vec![bulky.clone(); 29];
        appended.push(ticket("t", content));
        append(&*log, plain(appended)).await;
    }
    let got = until(&mut slow, Position(1_801)).await;
    assert_eq!(got.iter().map(|seen| seen.version).collect::<Vec<_>>(), (2..=61).collect::<Vec<_>>());
}

pub async fn a_filtered_subscription_from_beyond_the_end_is_refused(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, plain(events("a", 0..3))).await;
    let mut beyond = log.subscribe_to(Position(5), tickets());
    let error = beyond.next().await.unwrap().unwrap_err();
    assert!(matches!(error, LogError::OutOfRange { asked: Position(5), next: Position(4) }), "{error}");
    assert!(beyond.next().await.is_none());
}
