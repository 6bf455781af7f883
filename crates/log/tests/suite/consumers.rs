//! Named consumers: what is confirmed does not come again, what is not does; one connection of a name at a time.

use std::sync::Arc;

use futures_util::FutureExt;
use pegcount_domain::envelope::{Position, StreamKind};
use pegcount_log::{
    Archive, Consumer, ConsumerError, ConsumerHello, ConsumerName, EventLog, Filter, Found, LogError,
    limits::CONSUMERS_MAX,
};

use super::{
    Seen, Subject, all, append, event, events, fill_mixed, name, passing, plain, seen_event, some_filters,
    ticket,
};

fn named(text: &str) -> ConsumerName {
    ConsumerName { site: None, name: name(text) }
}

fn hello(text: &str) -> ConsumerHello {
    let (start, filter) = (Some(Position(1)), Filter::default());
    ConsumerHello { name: named(text), owner: name("etl"), start, filter }
}

fn tickets(text: &str) -> ConsumerHello {
    ConsumerHello { filter: Filter { kind: Some(StreamKind::Ticket), ..Filter::default() }, ..hello(text) }
}

async fn connect(log: &dyn EventLog, hello: ConsumerHello) -> Consumer {
    log.consume(hello).await.unwrap()
}

async fn refused(log: &dyn EventLog, hello: ConsumerHello) -> ConsumerError {
    log.consume(hello).await.err().expect("it is refused")
}

/// The next delivery, and where it ends.
async fn next(consumer: &mut Consumer) -> (Vec<Seen>, Position) {
    let delivery = consumer.next().await.expect("no end").unwrap();
    (delivery.events().map(|(frame, event)| seen_event(frame, &event)).collect(), delivery.reached)
}

/// The positions of the next delivery.
async fn positions(consumer: &mut Consumer) -> Vec<u64> {
    next(consumer).await.0.into_iter().map(|seen| seen.position).collect()
}

fn behind(log: &dyn EventLog, text: &str) -> u64 {
    let all = log.consumers().list().unwrap();
    all.into_iter().find(|status| status.name == named(text)).unwrap().behind
}

pub async fn what_is_not_confirmed_comes_again(subject: &dyn Subject) {
    let log = subject.open();
    for id in ["a", "b", "c"] {
        append(&*log, plain(events(id, 0..2))).await;
    }
    let mut first = connect(&*log, hello("warehouse")).await;
    assert_eq!((first.found(), first.begun_after()), (Found::New, Position::START));
    let (got, reached) = next(&mut first).await;
    assert_eq!((got.len(), reached), (2, Position(2)));
    first.confirm(reached).unwrap();
    assert_eq!(positions(&mut first).await, [3, 4]);
    assert_eq!(positions(&mut first).await, [5, 6]);
    drop(first);
    let mut second = connect(&*log, hello("warehouse")).await;
    assert_eq!((second.found(), second.begun_after()), (Found::Kept, Position(2)));
    assert_eq!(positions(&mut second).await, [3, 4]);
    // Confirmed within a delivery: the rest comes again.
    second.confirm(Position(3)).unwrap();
    let mut third = connect(&*log, hello("warehouse")).await;
    assert_eq!(positions(&mut third).await, [4]);
    // An older word changes nothing.
    third.confirm(Position(1)).unwrap();
    assert_eq!(connect(&*log, hello("warehouse")).await.begun_after(), Position(3));
}

pub async fn a_new_consumer_begins_where_it_says(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, plain(events("a", 0..6))).await;
    let mut from = connect(&*log, ConsumerHello { start: Some(Position(5)), ..hello("from five") }).await;
    assert_eq!(positions(&mut from).await, [5, 6]);
    let mut now = connect(&*log, ConsumerHello { start: None, ..hello("from now") }).await;
    append(&*log, plain(events("b", 0..1))).await;
    assert_eq!(positions(&mut now).await, [7]);
    // Only a new one: a known one goes on where it was.
    drop(now);
    let mut known = connect(&*log, ConsumerHello { start: Some(Position(1)), ..hello("from now") }).await;
    assert_eq!(positions(&mut known).await, [7]);
    let error = refused(&*log, ConsumerHello { start: Some(Position(9)), ..hello("from beyond") }).await;
    let beyond = LogError::OutOfRange { asked: Position(9), next: Position(8) };
    assert_eq!(error.to_string(), beyond.to_string());
    assert_eq!(log.consumers().list().unwrap().len(), 2, "who was refused is not known");
}

pub async fn the_newest_connection_of_a_name_fences_the_older_off(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, plain(events("a", 0..2))).await;
    let mut old = connect(&*log, hello("warehouse")).await;
    let (_, reached) = next(&mut old).await;
    let waiting = tokio::spawn(async move {
        let error = old.next().await.unwrap().err().unwrap();
        (old, error)
    });
    let mut new = connect(&*log, hello("warehouse")).await;
    let (mut old, error) = waiting.await.unwrap();
    assert!(matches!(error, ConsumerError::Fenced { .. }), "{error}");
    assert!(error.to_string().starts_with("consumer */warehouse has a newer connection"), "{error}");
    assert!(old.next().await.is_none());
    let error = old.confirm(reached).unwrap_err();
    assert!(matches!(error, ConsumerError::Fenced { .. }), "{error}");
    assert_eq!(positions(&mut new).await, [1, 2], "what the older one did not confirm");
    // The older one's end does not end the newer one's.
    drop(old);
    assert!(log.consumers().list().unwrap()[0].connected);
    new.confirm(Position(2)).unwrap();
    drop(new);
    assert!(!log.consumers().list().unwrap()[0].connected);
    // Other names, and the same name at a site, are not touched.
    let site = ConsumerName { site: Some(name("site")), name: name("warehouse") };
    let mut one = connect(&*log, hello("warehouse")).await;
    let mut other = connect(&*log, ConsumerHello { name: site, ..hello("warehouse") }).await;
    assert_eq!(positions(&mut other).await, [1, 2]);
    assert!(one.next().now_or_never().is_none(), "it waits for more");
}

pub async fn a_consumer_is_told_only_of_what_passes_and_its_lag_falls_all_the_same(subject: &dyn Subject) {
    let log = subject.open();
    let mut consumer = connect(&*log, tickets("tickets")).await;
    append(&*log, plain(vec![event("a", 1), ticket("t", 1), event("a", 2)])).await;
    assert_eq!(next(&mut consumer).await.1, Position(3));
    append(&*log, plain(events("a", 3..9))).await;
    assert!(consumer.next().now_or_never().is_none());
    assert_eq!(behind(&*log, "tickets"), 9, "the ticket waits for a word");
    // The ticket's own position: what comes after it was not wanted.
    consumer.confirm(Position(2)).unwrap();
    assert_eq!(behind(&*log, "tickets"), 0);
    append(&*log, plain(events("a", 9..12))).await;
    assert!(consumer.next().now_or_never().is_none());
    assert_eq!(behind(&*log, "tickets"), 0, "nothing waits for a word");
    append(&*log, plain(vec![ticket("t", 2)])).await;
    assert_eq!(positions(&mut consumer).await, [13]);
    drop(consumer);
    assert_eq!(connect(&*log, tickets("tickets")).await.begun_after(), Position(12));
}

pub async fn what_was_not_given_cannot_be_confirmed(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, plain(events("a", 0..2))).await;
    append(&*log, plain(events("b", 0..2))).await;
    let mut consumer = connect(&*log, hello("warehouse")).await;
    assert_eq!(positions(&mut consumer).await, [1, 2]);
    let error = consumer.confirm(Position(3)).unwrap_err();
    assert!(
        matches!(error, ConsumerError::NotGiven { position: Position(3), given: Position(2), .. }),
        "{error}"
    );
    assert_eq!(behind(&*log, "warehouse"), 4);
}

pub async fn everything_comes_at_least_once_however_often_a_consumer_comes_back(subject: &dyn Subject) {
    let log = subject.open();
    let writer = {
        let log = Arc::clone(&log);
        tokio::spawn(async move { fill_mixed(&*log, 0..100).await })
    };
    for (index, filter) in some_filters().into_iter().enumerate().skip(4).take(4) {
        let hello = ConsumerHello { filter: filter.clone(), ..hello(&format!("c{index}")) };
        let (mut got, mut confirmed, mut round) = (Vec::new(), 0, 0_u64);
        let expected = loop {
            let mut consumer = connect(&*log, hello.clone()).await;
            got.truncate(confirmed);
            for _ in 0..3 {
                // Nothing more is coming once the writer is done and nothing is behind.
                let delivery = tokio::select! {
                    delivery = consumer.next() => delivery.unwrap().unwrap(),
                    () = all_given(&*log, &writer, &hello.name) => break,
                };
                got.extend(delivery.events().map(|(frame, event)| seen_event(frame, &event)));
                round += 1;
                if round % 3 != 0 {
                    consumer.confirm(delivery.reached).unwrap();
                    confirmed = got.len();
                }
            }
            drop(consumer);
            if writer.is_finished() && behind(&*log, hello.name.name.as_str()) == 0 {
                break passing(&all(&*log).await, &filter);
            }
        };
        got.truncate(confirmed);
        assert_eq!(got, expected, "{filter:?}");
    }
    writer.await.unwrap();
}

/// Waits until the writer is done and the consumer has confirmed everything.
async fn all_given(log: &dyn EventLog, writer: &tokio::task::JoinHandle<()>, name: &ConsumerName) {
    while !writer.is_finished() || behind(log, name.name.as_str()) > 0 {
        tokio::task::yield_now().await;
    }
}

pub async fn a_slow_consumer_holds_nobody_up(subject: &dyn Subject) {
    let log = subject.open();
    let mut slow = connect(&*log, tickets("slow")).await;
    append(&*log, plain(vec![ticket("t", 0)])).await;
    assert_eq!(positions(&mut slow).await, [1]);
    let mut bulky = event("a", 1);
    bulky.payload = smallvec::SmallVec::from_vec(vec![1; 30_000]);
    for content in 0..40 {
        append(&*log, plain([vec![bulky.clone(); 29], vec![ticket("t", content)]].concat())).await;
    }
    let mut got = Vec::new();
    while got.len() < 40 {
        got.extend(positions(&mut slow).await);
    }
    assert_eq!(got, (1..=40).map(|one| 1 + 30 * one).collect::<Vec<_>>());
}

pub async fn a_consumer_belongs_to_who_used_its_name_first(subject: &dyn Subject) {
    let log = subject.open();
    connect(&*log, hello("warehouse")).await;
    let error = refused(&*log, ConsumerHello { owner: name("somebody"), ..hello("warehouse") }).await;
    assert!(matches!(error, ConsumerError::Taken { .. }), "{error}");
    let (consumers, warehouse) = (log.consumers(), named("warehouse"));
    let error = consumers.delete(&warehouse, Some(&name("somebody"))).unwrap_err();
    assert!(matches!(error, ConsumerError::Taken { .. }), "{error}");
    consumers.delete(&warehouse, Some(&name("etl"))).unwrap();
    assert!(matches!(consumers.delete(&warehouse, None).unwrap_err(), ConsumerError::Unknown { .. }));
}

pub async fn a_deleted_consumer_is_told_and_begins_anew(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, plain(events("a", 0..2))).await;
    let mut consumer = connect(&*log, hello("warehouse")).await;
    let (_, reached) = next(&mut consumer).await;
    consumer.confirm(reached).unwrap();
    log.consumers().delete(&named("warehouse"), None).unwrap();
    let error = consumer.next().await.unwrap().err().unwrap();
    assert!(matches!(error, ConsumerError::Deleted { .. }), "{error}");
    let mut anew = connect(&*log, hello("warehouse")).await;
    assert_eq!(anew.found(), Found::New);
    let error = consumer.confirm(reached).unwrap_err();
    assert!(matches!(error, ConsumerError::Fenced { .. }), "the name is another one's now: {error}");
    assert_eq!(positions(&mut anew).await, [1, 2]);
}

pub async fn there_are_only_so_many_consumers(subject: &dyn Subject) {
    let log = subject.open();
    for index in 0..CONSUMERS_MAX {
        connect(&*log, hello(&format!("c{index}"))).await;
    }
    let error = refused(&*log, hello("one more")).await;
    assert!(matches!(error, ConsumerError::TooMany { .. }), "{error}");
    assert!(error.to_string().contains("256 consumers, which is the limit"), "{error}");
    connect(&*log, hello("c7")).await;
    log.consumers().delete(&named("c9"), None).unwrap();
    connect(&*log, hello("one more")).await;
    assert_eq!(log.consumers().list().unwrap().len(), CONSUMERS_MAX);
}

pub async fn what_was_confirmed_is_known_after_reopening(subject: &dyn Subject) {
    if !subject.keeps() {
        return;
    }
    let log = subject.open();
    append(&*log, plain(vec![event("a", 1), ticket("t", 1), event("a", 2), ticket("t", 2)])).await;
    let mut consumer = connect(&*log, tickets("tickets")).await;
    assert_eq!(positions(&mut consumer).await, [2, 4]);
    consumer.confirm(Position(2)).unwrap();
    let silent = connect(&*log, hello("silent")).await;
    let before = log.consumers().list().unwrap();
    log.close().await.unwrap();
    assert!(matches!(consumer.confirm(Position(4)).unwrap_err(), ConsumerError::Closed));
    assert!(matches!(refused(&*log, hello("late")).await, ConsumerError::Closed));
    drop((consumer, silent, log));
    let log = subject.open();
    let after = log.consumers().list().unwrap();
    let kept = |list: &[pegcount_log::ConsumerStatus]| {
        list.iter()
            .map(|one| (one.name.clone(), one.owner.clone(), one.confirmed, one.confirmed_at))
            .collect::<Vec<_>>()
    };
    assert_eq!(kept(&after), kept(&before));
    assert!(after.iter().all(|one| !one.connected));
    let mut consumer = connect(&*log, tickets("tickets")).await;
    assert_eq!((consumer.found(), consumer.begun_after()), (Found::Kept, Position(2)));
    assert_eq!(positions(&mut consumer).await, [4]);
}

pub async fn a_closed_log_takes_no_consumer(subject: &dyn Subject) {
    let log = subject.open();
    log.close().await.unwrap();
    assert!(matches!(refused(&*log, hello("late")).await, ConsumerError::Closed));
}

pub async fn a_consumer_whose_next_event_was_dropped_is_told(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, plain(events("a", 0..6))).await;
    let mut behind = connect(&*log, hello("behind")).await;
    assert_eq!(positions(&mut behind).await.len(), 6);
    behind.confirm(Position(3)).unwrap();
    let mut ahead = connect(&*log, hello("ahead")).await;
    assert_eq!(positions(&mut ahead).await.len(), 6);
    ahead.confirm(Position(6)).unwrap();
    subject.seal().await;
    append(&*log, plain(events("b", 0..2))).await;
    log.drop_history(Position(6), Archive { position: Position(6), bytes: Vec::new() }).await.unwrap();
    drop((behind, ahead));
    for (asked, refusal) in
        [(4, refused(&*log, hello("behind")).await), (1, refused(&*log, hello("new")).await)]
    {
        let dropped = LogError::Dropped { asked: Position(asked), first: Position(7) };
        assert_eq!(refusal.to_string(), dropped.to_string());
    }
    assert_eq!(log.consumers().list().unwrap().len(), 2, "who was refused is not known");
    assert_eq!(positions(&mut connect(&*log, hello("ahead")).await).await, [7, 8]);
    log.consumers().delete(&named("behind"), None).unwrap();
    let anew = ConsumerHello { start: Some(Position(7)), ..hello("behind") };
    assert_eq!(positions(&mut connect(&*log, anew).await).await, [7, 8]);
}
