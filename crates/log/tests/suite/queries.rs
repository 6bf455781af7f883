//! Reading the log page by page: all of it, a kind, a site, some types; forward and backward, from anywhere.

use std::sync::Arc;

use pegcount_domain::{
    envelope::{Position, StreamKind},
    event::EventType,
};
use pegcount_log::{
    Archive,
    Direction::{self, Backward, Forward},
    EventLog, Filter, LogError, ReadQuery,
    limits::READ_PAGE_FRAMES,
};
use smallvec::SmallVec;

use super::{Seen, Subject, all, append, events, fill_mixed, name, passing, plain, seen_event, some_filters};

/// Everything that a query gives, page after page of at most `limit` events.
async fn whole(log: &dyn EventLog, filter: &Filter, direction: Direction, limit: usize) -> Vec<Seen> {
    let (mut got, mut from) = (Vec::new(), if direction == Forward { Position(1) } else { log.end() });
    let end = if direction == Forward { log.end().next() } else { Position::START };
    while from != end {
        let query = ReadQuery { from, direction, filter: filter.clone(), limit };
        let page = log.read_page(&query).await.unwrap();
        let events: Vec<_> = page.events().map(|(frame, event)| seen_event(frame, &event)).collect();
        assert!(events.len() <= limit && page.next != from, "{direction:?} from {from} by {limit}");
        got.extend(events);
        from = page.next;
    }
    got
}

pub async fn what_passes_is_read_forward_and_backward_page_by_page(subject: &dyn Subject) {
    let log = subject.open();
    fill_mixed(&*log, 0..60).await;
    let everything = all(&*log).await;
    for filter in some_filters() {
        let expected = passing(&everything, &filter);
        for limit in [1, 7, 1_000] {
            assert_eq!(whole(&*log, &filter, Forward, limit).await, expected, "{filter:?} by {limit}");
            let mut backward = whole(&*log, &filter, Backward, limit).await;
            backward.reverse();
            assert_eq!(backward, expected, "{filter:?} back by {limit}");
        }
    }
}

pub async fn a_page_begins_at_any_position(subject: &dyn Subject) {
    let log = subject.open();
    fill_mixed(&*log, 0..12).await;
    let tickets = Filter { kind: Some(StreamKind::Ticket), ..Filter::default() };
    let everything = passing(&all(&*log).await, &tickets);
    let positions =
        |events: &mut dyn Iterator<Item = &Seen>| events.map(|seen| seen.position).collect::<Vec<_>>();
    for from in 1..=log.end().0 {
        let after = positions(&mut everything.iter().filter(|seen| seen.position >= from).take(3));
        let page = log.read_page(&ReadQuery::forward(Position(from), 3).of(tickets.clone())).await.unwrap();
        let got: Vec<_> = page.events().map(|(_, event)| event.envelope.position.0).collect();
        assert_eq!(got, after, "from {from}");
        let before = positions(&mut everything.iter().rev().filter(|seen| seen.position <= from).take(3));
        let page = log.read_page(&ReadQuery::backward(Position(from), 3).of(tickets.clone())).await.unwrap();
        let got: Vec<_> = page.events().map(|(_, event)| event.envelope.position.0).collect();
        assert_eq!(got, before, "back from {from}");
    }
}

pub async fn a_page_at_the_end_is_empty_and_beyond_it_is_refused(subject: &dyn Subject) {
    let log = subject.open();
    for direction in [ReadQuery::forward, ReadQuery::backward] {
        let page = log.read_page(&direction(Position::START, 5)).await.unwrap();
        assert!(page.parts.is_empty());
    }
    append(&*log, plain(events("a", 0..3))).await;
    let page = log.read_page(&ReadQuery::forward(Position(4), 5)).await.unwrap();
    assert_eq!((page.events().count(), page.next), (0, Position(4)));
    let error = log.read_page(&ReadQuery::forward(Position(5), 5)).await.unwrap_err();
    assert!(matches!(error, LogError::OutOfRange { asked: Position(5), next: Position(4) }), "{error}");
    let page = log.read_page(&ReadQuery::backward(Position(u64::MAX), 5)).await.unwrap();
    let got: Vec<_> = page.events().map(|(_, event)| event.envelope.position.0).collect();
    assert_eq!((got, page.next), (vec![3, 2, 1], Position::START));
}

pub async fn a_page_looks_at_so_many_frames_and_says_where_to_go_on(subject: &dyn Subject) {
    let log = subject.open();
    let frames = u64::try_from(READ_PAGE_FRAMES).unwrap();
    // Waited for one by one, so each is a frame.
    for content in 0..frames + 9 {
        append(&*log, plain(events("a", [u8::try_from(content % 250).unwrap()]))).await;
    }
    let tickets = Filter { kind: Some(StreamKind::Ticket), ..Filter::default() };
    let page = log.read_page(&ReadQuery::forward(Position(1), 5).of(tickets.clone())).await.unwrap();
    assert_eq!((page.parts.len(), page.next), (0, Position(frames + 1)));
    let page = log.read_page(&ReadQuery::forward(page.next, 5).of(tickets.clone())).await.unwrap();
    assert_eq!((page.parts.len(), page.next), (0, log.end().next()));
    let page = log.read_page(&ReadQuery::backward(log.end(), 5).of(tickets)).await.unwrap();
    assert_eq!((page.parts.len(), page.next), (0, Position(9)));
}

pub async fn a_kind_read_on_while_it_grows_has_no_gap(subject: &dyn Subject) {
    let log = subject.open();
    let writer = {
        let log = Arc::clone(&log);
        tokio::spawn(async move { fill_mixed(&*log, 0..150).await })
    };
    let types = SmallVec::from_iter([EventType::READY, EventType::TICKET_OPENED]);
    let filter = Filter { site: Some(name("site")), types, ..Filter::default() };
    let (mut got, mut from) = (Vec::new(), Position(1));
    while !writer.is_finished() || from <= log.end() {
        let page = log.read_page(&ReadQuery::forward(from, 9).of(filter.clone())).await.unwrap();
        got.extend(page.events().map(|(frame, event)| seen_event(frame, &event)));
        from = page.next;
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
    assert_eq!(got, passing(&all(&*log).await, &filter));
}

pub async fn a_page_ends_where_history_was_dropped(subject: &dyn Subject) {
    let log = subject.open();
    fill_mixed(&*log, 0..10).await;
    subject.seal().await;
    fill_mixed(&*log, 10..14).await;
    let end = log.end();
    log.drop_history(Position(50), Archive { position: end, bytes: Vec::new() }).await.unwrap();
    assert_eq!(log.first(), Position(51));
    let error = log.read_page(&ReadQuery::forward(Position(1), 9)).await.unwrap_err();
    assert!(matches!(error, LogError::Dropped { asked: Position(1), first: Position(51) }), "{error}");
    let page = log.read_page(&ReadQuery::backward(end, 1_000)).await.unwrap();
    let got: Vec<_> = page.events().map(|(_, event)| event.envelope.position.0).collect();
    assert_eq!((got, page.next), ((51..=end.0).rev().collect(), Position::START));
    let page = log.read_page(&ReadQuery::backward(Position(40), 5)).await.unwrap();
    assert_eq!((page.events().count(), page.next), (0, Position::START));
    let page = log.read_page(&ReadQuery::forward(Position(51), 1_000)).await.unwrap();
    assert_eq!((page.events().count(), page.next), (20, end.next()));
}
