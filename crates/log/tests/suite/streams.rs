//! Reading one stream: its events, all of them and no others, forward and backward, page by page.

use std::sync::Arc;

use pegcount_domain::envelope::{StreamKind, StreamName, Version};
use pegcount_log::Direction::{Backward, Forward};

use super::{Subject, all, append, elsewhere, event, events, name, plain, stream, version, whole_stream};

/// Twelve streams, "a" in every append, the others in one of eleven.
async fn fill(log: &dyn pegcount_log::EventLog, appends: u8) {
    for content in 0..appends {
        append(log, plain(vec![event("a", content), event(&format!("s{}", content % 11), content)])).await;
    }
}

pub async fn a_stream_comes_in_pages_forward_and_backward(subject: &dyn Subject) {
    let log = subject.open();
    fill(&*log, 120).await;
    for id in ["a", "s3"] {
        let whole: Vec<_> =
            all(&*log).await.into_iter().filter(|event| event.stream == stream(id).to_string()).collect();
        for limit in [1, 7, 1_000] {
            assert_eq!(whole_stream(&*log, id, Forward, limit).await, whole, "{id} by {limit}");
            let mut backward = whole_stream(&*log, id, Backward, limit).await;
            backward.reverse();
            assert_eq!(backward, whole, "{id} back by {limit}");
        }
    }
}

pub async fn a_stream_is_read_from_any_version(subject: &dyn Subject) {
    let log = subject.open();
    fill(&*log, 60).await;
    for from in [1, 2, 17, 59, 60] {
        let page = log.read_stream(&stream("a"), Version(from), Forward, 3).await.unwrap();
        let versions: Vec<_> = page.events().map(|(_, event)| event.envelope.version.0).collect();
        assert_eq!(versions, (from..=60).take(3).collect::<Vec<_>>());
        assert_eq!(page.next, (from + 3 <= 60).then_some(Version(from + 3)));
        let page = log.read_stream(&stream("a"), Version(from), Backward, 3).await.unwrap();
        let versions: Vec<_> = page.events().map(|(_, event)| event.envelope.version.0).collect();
        assert_eq!(versions, (1..=from).rev().take(3).collect::<Vec<_>>());
        assert_eq!(page.next, (from > 3).then(|| Version(from - 3)));
    }
    let beyond = log.read_stream(&stream("a"), Version(61), Forward, 3).await.unwrap();
    assert!(beyond.parts.is_empty() && beyond.next.is_none());
    let last = log.read_stream(&stream("a"), Version(u64::MAX), Backward, 1).await.unwrap();
    assert_eq!(last.events().next().unwrap().1.envelope.version, Version(60));
}

pub async fn an_unknown_stream_is_empty(subject: &dyn Subject) {
    let log = subject.open();
    fill(&*log, 20).await;
    for direction in [Forward, Backward] {
        let page = log.read_stream(&stream("nobody"), Version(u64::MAX), direction, 10).await.unwrap();
        assert!(page.parts.is_empty() && page.next.is_none());
    }
}

pub async fn only_that_streams_events_come(subject: &dyn Subject) {
    let log = subject.open();
    let mut ticket = events("a", 0..2);
    for event in &mut ticket {
        event.stream.kind = StreamKind::Ticket;
    }
    append(&*log, plain([events("a", 0..3), elsewhere(events("a", 0..1)), ticket].concat())).await;
    for (site, kind, count) in
        [("site", StreamKind::Agent, 3), ("elsewhere", StreamKind::Agent, 1), ("site", StreamKind::Ticket, 2)]
    {
        let stream = StreamName { site: name(site), kind, id: name("a") };
        let page = log.read_stream(&stream, Version(1), Forward, 10).await.unwrap();
        assert_eq!(page.events().count(), count);
        assert!(page.events().all(|(_, event)| event.envelope.stream.to_string() == stream.to_string()));
    }
}

pub async fn a_stream_read_on_while_it_grows_has_no_gap(subject: &dyn Subject) {
    let log = subject.open();
    let writer = {
        let log = Arc::clone(&log);
        tokio::spawn(async move {
            for content in 0..200 {
                append(&*log, plain(vec![event("a", content), event("b", content), event("a", content)]))
                    .await;
            }
        })
    };
    let mut next = 1;
    while next <= 400 {
        let page = log.read_stream(&stream("a"), Version(next), Forward, 9).await.unwrap();
        for (_, event) in page.events() {
            assert_eq!(event.envelope.version, Version(next));
            next += 1;
        }
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
    assert_eq!(version(&*log, "a"), 400);
}

pub async fn a_stream_is_whole_after_reopening(subject: &dyn Subject) {
    if !subject.keeps() {
        return;
    }
    let log = subject.open();
    fill(&*log, 40).await;
    let whole = whole_stream(&*log, "s3", Forward, 5).await;
    log.close().await.unwrap();
    drop(log);
    let log = subject.open();
    assert_eq!(whole_stream(&*log, "s3", Forward, 5).await, whole);
    assert_eq!(whole_stream(&*log, "a", Backward, 5).await.len(), 40);
}
