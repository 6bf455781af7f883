//! Sources with a counter: each fact counts once.

use pegcount_domain::{envelope::Position, event::EventType, ids::Epoch, time::Micros};
use pegcount_log::{AppendError, Expected, NewEvent, limits::SOURCE_WINDOW_SEQS};

use super::{
    Subject, all, append, counted, elsewhere, event, events, mark, mark_at, plain, refused, stream, version,
};

pub async fn the_first_seq_is_one_and_the_next_follows(subject: &dyn Subject) {
    let log = subject.open();
    assert_eq!(mark(&*log, "phone", 1), None);
    let first = append(&*log, counted("phone", 1, 1, events("a", 0..3))).await;
    assert_eq!((first.last_seq, first.written, first.repeats), (Some(3), 3, 0));
    let next = append(&*log, counted("phone", 1, 4, events("a", 3..5))).await;
    assert_eq!((next.last_seq, next.last), (Some(5), Position(5)));
    assert_eq!(mark(&*log, "phone", 1), Some(5));
    for (event, seq) in all(&*log).await.iter().zip(1..) {
        let at = event.source_seq.unwrap();
        assert_eq!((at.epoch, at.seq, event.seq_to), (Epoch(1), seq, Some(seq)));
    }
}

pub async fn a_repeat_is_dropped_and_answered(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, counted("phone", 1, 1, events("a", 0..3))).await;
    append(&*log, plain(events("b", 0..1))).await;
    let again = append(&*log, counted("phone", 1, 1, events("a", 0..3))).await;
    assert_eq!((again.written, again.repeats, again.last_seq, again.last), (0, 3, Some(3), Position(4)));
    let one = append(&*log, counted("phone", 1, 2, events("a", 1..2))).await;
    assert_eq!((one.written, one.repeats, one.last_seq), (0, 1, Some(3)));
    assert_eq!(all(&*log).await.len(), 4);
}

pub async fn a_batch_that_begins_with_repeats_appends_the_rest(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, counted("phone", 1, 1, events("a", 0..3))).await;
    let mixed = append(&*log, counted("phone", 1, 2, events("a", 1..6))).await;
    assert_eq!((mixed.written, mixed.repeats, mixed.last_seq, mixed.last), (3, 2, Some(6), Position(6)));
    let payloads: Vec<_> = all(&*log).await.iter().map(|event| event.payload[0]).collect();
    assert_eq!(payloads, [0, 1, 2, 3, 4, 5]);
}

pub async fn a_repeat_in_the_same_group_counts_once(subject: &dyn Subject) {
    let log = subject.open();
    let first = log.submit(counted("phone", 1, 1, events("a", 0..2))).await.unwrap();
    let second = log.submit(counted("phone", 1, 1, events("a", 0..4))).await.unwrap();
    let third = log.submit(counted("phone", 1, 1, events("a", 0..4))).await.unwrap();
    assert_eq!(first.await.unwrap().written, 2);
    assert_eq!(second.await.unwrap().written, 2);
    let third = third.await.unwrap();
    assert_eq!((third.written, third.repeats, third.last), (0, 4, Position(4)));
    assert_eq!(log.end(), Position(4));
}

pub async fn a_repeat_with_other_content_is_refused(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, counted("phone", 1, 1, events("a", 0..3))).await;
    let changes: [fn(&mut NewEvent); 5] = [
        |event| event.payload.push(1),
        |event| event.source_time = Micros(5),
        |event| event.event_type = pegcount_domain::event::EventType::SIGNED_IN,
        |event| event.stream = stream("other"),
        |event| event.names.swap(0, 1),
    ];
    for change in changes {
        let mut repeat = counted("phone", 1, 1, events("a", 0..4));
        change(&mut repeat.events[1]);
        let error = refused(&*log, repeat).await;
        assert!(matches!(error, AppendError::ContentDiffers { seq: 2, .. }), "{error}");
    }
    let error = refused(&*log, counted("phone", 1, 0, events("a", 0..1))).await;
    assert!(matches!(error, AppendError::ContentDiffers { seq: 0, .. }), "{error}");
    assert_eq!((log.end(), mark(&*log, "phone", 1)), (Position(3), Some(3)));
}

pub async fn corrected_times_do_not_make_other_content(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, counted("phone", 1, 1, events("a", 0..2))).await;
    let mut repeat = counted("phone", 1, 1, events("a", 0..2));
    repeat.events[0].occurred_at = Micros(99);
    repeat.events[1].actor = super::name("another token");
    assert_eq!(append(&*log, repeat).await.repeats, 2);
}

pub async fn a_gap_is_refused(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, counted("phone", 1, 1, events("a", 0..2))).await;
    let error = refused(&*log, counted("phone", 1, 4, events("a", 3..5))).await;
    assert!(matches!(error, AppendError::Gap { offered: 4, next: 3, .. }), "{error}");
    assert!(error.to_string().contains("send 3 to 3 first"), "{error}");
    let error = refused(&*log, counted("fresh", 1, 2, events("a", 3..5))).await;
    assert!(matches!(error, AppendError::Gap { offered: 2, next: 1, .. }), "{error}");
    assert_eq!((log.end(), mark(&*log, "phone", 1), mark(&*log, "fresh", 1)), (Position(2), Some(2), None));
}

pub async fn a_skip_uses_up_its_seqs(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, counted("phone", 1, 1, events("a", 0..2))).await;
    let mut skip = counted("phone", 1, 3, events("lost", 0..1));
    skip.skip_to = Some(9);
    let appended = append(&*log, skip.clone()).await;
    assert_eq!((appended.written, appended.last_seq), (1, Some(9)));
    assert_eq!(mark(&*log, "phone", 1), Some(9));
    let again = append(&*log, skip.clone()).await;
    assert_eq!((again.written, again.repeats), (0, 1));
    // Facts that turn up after all were given up.
    let error = refused(&*log, counted("phone", 1, 5, events("a", 5..6))).await;
    assert!(matches!(error, AppendError::ContentDiffers { seq: 5, .. }), "{error}");
    // A skip over what is already there in part.
    skip.skip_to = Some(12);
    let error = refused(&*log, skip).await;
    assert!(matches!(error, AppendError::ContentDiffers { seq: 3, .. }), "{error}");
    append(&*log, counted("phone", 1, 10, events("a", 10..11))).await;
    let all = all(&*log).await;
    let seqs: Vec<_> =
        all.iter().map(|event| (event.source_seq.unwrap().seq, event.seq_to.unwrap())).collect();
    assert_eq!(seqs, [(1, 1), (2, 2), (3, 9), (10, 10)]);
    // A gap of any length costs nothing.
    let mut far = counted("phone", 1, 11, events("lost", 1..2));
    far.skip_to = Some(u64::MAX / 2);
    assert_eq!(append(&*log, far).await.last_seq, Some(u64::MAX / 2));
}

pub async fn a_skip_repeated_later_is_a_repeat(subject: &dyn Subject) {
    let mut log = subject.open();
    let skip_at = |now| {
        let skipped = EventType::SKIPPED;
        let event = NewEvent { event_type: skipped, source_time: Micros(now), ..event("lost", 0) };
        let mut skip = counted("phone", 1, 1, vec![event]);
        skip.skip_to = Some(9);
        skip
    };
    append(&*log, skip_at(1_000)).await;
    let again = append(&*log, skip_at(2_000)).await;
    assert_eq!((again.written, again.repeats, again.last_seq), (0, 1, Some(9)));
    if subject.keeps() {
        log.close().await.unwrap();
        drop(log);
        log = subject.open();
        assert_eq!(append(&*log, skip_at(3_000)).await.repeats, 1);
    }
    let mut other = skip_at(1_000);
    other.events[0].payload.push(1);
    let error = refused(&*log, other).await;
    assert!(matches!(error, AppendError::ContentDiffers { seq: 1, .. }), "{error}");
}

pub async fn a_skip_that_makes_no_sense_is_refused(subject: &dyn Subject) {
    let log = subject.open();
    let mut two_events = counted("phone", 1, 1, events("a", 0..2));
    two_events.skip_to = Some(5);
    let mut backwards = counted("phone", 1, 1, events("a", 0..1));
    backwards.skip_to = Some(0);
    let mut no_counter = plain(events("a", 0..1));
    no_counter.skip_to = Some(1);
    for append in [two_events, backwards, no_counter] {
        let error = refused(&*log, append).await;
        assert!(matches!(error, AppendError::BadSkip { .. }), "{error}");
    }
}

pub async fn epochs_and_sources_count_apart(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, counted("phone", 1, 1, events("a", 0..3))).await;
    append(&*log, counted("phone", 2, 1, events("a", 5..6))).await;
    append(&*log, counted("pbx", 1, 1, events("b", 0..2))).await;
    append(&*log, counted("phone", 1, 4, events("a", 3..4))).await;
    let marks =
        [mark(&*log, "phone", 1), mark(&*log, "phone", 2), mark(&*log, "pbx", 1), mark(&*log, "pbx", 2)];
    assert_eq!(marks, [Some(4), Some(1), Some(2), None]);
}

pub async fn sources_of_two_sites_count_apart(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, counted("phone", 1, 1, events("a", 0..3))).await;
    let there = append(&*log, counted("phone", 1, 1, elsewhere(events("a", 7..8)))).await;
    assert_eq!((there.written, there.last_seq), (1, Some(1)));
    assert_eq!((mark(&*log, "phone", 1), mark_at(&*log, "elsewhere", "phone", 1)), (Some(3), Some(1)));
    let error = refused(&*log, counted("phone", 1, 4, elsewhere(events("a", 8..9)))).await;
    assert!(matches!(error, AppendError::Gap { offered: 4, next: 2, .. }), "{error}");
}

pub async fn a_counted_batch_of_two_sites_is_refused(subject: &dyn Subject) {
    let log = subject.open();
    let both = [events("a", 0..1), elsewhere(events("b", 1..2))].concat();
    let error = refused(&*log, counted("phone", 1, 1, both.clone())).await;
    assert!(matches!(error, AppendError::SeveralSites { .. }), "{error}");
    assert_eq!(mark(&*log, "phone", 1), None);
    assert_eq!(append(&*log, plain(both)).await.written, 2, "what has no counter may be of several sites");
}

pub async fn an_old_repeat_is_dropped_unseen(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, counted("phone", 1, 1, events("a", 0..1))).await;
    append(&*log, counted("phone", 1, 2, vec![event("a", 2); SOURCE_WINDOW_SEQS])).await;
    let old = append(&*log, counted("phone", 1, 1, events("a", 77..78))).await;
    assert_eq!((old.written, old.repeats), (0, 1));
    let error = refused(&*log, counted("phone", 1, 2, events("a", 77..78))).await;
    assert!(matches!(error, AppendError::ContentDiffers { seq: 2, .. }), "{error}");
}

pub async fn a_refused_append_uses_up_no_seq(subject: &dyn Subject) {
    let log = subject.open();
    let mut refusal = counted("phone", 1, 1, events("a", 0..2));
    refusal.expected.push((stream("a"), Expected::Version(pegcount_domain::envelope::Version(7))));
    refused(&*log, refusal).await;
    assert_eq!(mark(&*log, "phone", 1), None);
    append(&*log, counted("phone", 1, 1, events("a", 5..6))).await;
    assert_eq!((mark(&*log, "phone", 1), version(&*log, "a")), (Some(1), 1));
}

pub async fn an_append_of_repeats_alone_expects_nothing(subject: &dyn Subject) {
    let log = subject.open();
    let mut first = counted("phone", 1, 1, events("a", 0..2));
    first.expected.push((stream("a"), Expected::NoStream));
    append(&*log, first.clone()).await;
    assert_eq!(append(&*log, first).await.repeats, 2);
}
