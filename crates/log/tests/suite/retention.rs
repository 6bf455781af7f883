//! Dropping history: what goes is gone and said to be; whatever is decided by it is decided as before.

use std::sync::Arc;

use futures_util::StreamExt;
use pegcount_domain::envelope::{Position, Version};
use pegcount_log::{
    AppendError, Archive,
    Direction::{Backward, Forward},
    EventLog, Expected, LogError,
    limits::{ARCHIVES_MAX, SOURCE_WINDOW_SEQS},
};

use super::{
    Subject, append, assert_dense, counted, event, events, expecting, kept, mark, plain, refused, seen_event,
    stream, take, version, whole_stream,
};

fn archive(position: u64) -> Archive {
    Archive { position: Position(position), bytes: format!("what is known at {position}").into_bytes() }
}

/// Appends `seqs` of the phone, each to the stream of all and to one of seven, and seals them.
async fn fill(subject: &dyn Subject, log: &dyn EventLog, seqs: std::ops::RangeInclusive<u8>) {
    for seq in seqs {
        let both = vec![event("all", seq), event(&format!("s{}", seq % 7), seq)];
        append(log, counted("phone", 1, 2 * u64::from(seq) - 1, both)).await;
    }
    subject.seal().await;
}

/// A log whose positions up to 40, and then up to 80, are in segments of their own, and 90 events at all.
async fn filled(subject: &dyn Subject) -> Arc<dyn EventLog> {
    let log = subject.open();
    fill(subject, &*log, 1..=20).await;
    fill(subject, &*log, 21..=40).await;
    for seq in 41..=45 {
        let both = vec![event("all", seq), event(&format!("s{}", seq % 7), seq)];
        append(&*log, counted("phone", 1, 2 * u64::from(seq) - 1, both)).await;
    }
    log
}

pub async fn nothing_goes_unless_a_whole_segment_ends_by_then(subject: &dyn Subject) {
    let log = subject.open();
    assert_eq!((log.first(), log.status().first), (Position(1), Position(1)));
    assert!(log.archive(None).await.unwrap().is_none());
    for up_to in [0, 1, 100] {
        let dropped = log.drop_history(Position(up_to), archive(7)).await.unwrap();
        assert_eq!((dropped.first, dropped.events, dropped.bytes, dropped.segments), (Position(1), 0, 0, 0));
    }
    append(&*log, plain(events("a", 0..5))).await;
    subject.seal().await;
    let dropped = log.drop_history(Position(4), archive(5)).await.unwrap();
    assert_eq!((dropped.first, dropped.events, dropped.segments), (Position(1), 0, 0));
    assert!(log.archive(None).await.unwrap().is_none());
    assert!(log.status().archives.is_empty());
    assert_eq!(kept(&*log).await.len(), 5);
}

pub async fn what_is_dropped_is_gone_and_the_rest_is_as_it_was(subject: &dyn Subject) {
    let log = filled(subject).await;
    let whole = kept(&*log).await;
    let dropped = log.drop_history(Position(41), archive(80)).await.unwrap();
    assert_eq!((dropped.first, dropped.events), (Position(41), 40));
    assert!(dropped.segments >= 1 && dropped.bytes > 0);
    assert_eq!((log.first(), log.end()), (Position(41), Position(90)));
    let status = log.status();
    assert_eq!((status.first, status.end, status.archives), (Position(41), Position(90), vec![Position(80)]));
    assert_eq!(kept(&*log).await, whole[40..]);
    for asked in [0, 1, 2, 39, 40] {
        let expected = Position(asked.max(1));
        let error = log.read(Position(asked)).await.unwrap_err();
        assert!(
            matches!(error, LogError::Dropped { asked, first: Position(41) } if asked == expected),
            "{error}"
        );
        let mut gone = log.subscribe(Position(asked));
        let error = gone.next().await.unwrap().unwrap_err();
        assert!(
            matches!(error, LogError::Dropped { asked, first: Position(41) } if asked == expected),
            "{error}"
        );
        assert!(gone.next().await.is_none());
    }
    assert_eq!(log.read(Position(41)).await.unwrap().unwrap().first(), Position(41));
    assert_dense(&take(&mut log.subscribe(Position(60)), 31).await, 60);
}

pub async fn an_archive_that_cannot_stand_for_what_goes_is_refused_and_nothing_goes(subject: &dyn Subject) {
    let log = filled(subject).await;
    let whole = kept(&*log).await;
    for position in [39, 91] {
        let error = log.drop_history(Position(40), archive(position)).await.unwrap_err();
        let told = matches!(error, LogError::ArchiveMisplaced { position: at, least: Position(40), end: Position(90) } if at.0 == position);
        assert!(told, "{error}");
    }
    assert_eq!((log.first(), kept(&*log).await), (Position(1), whole));
    assert!(log.archive(None).await.unwrap().is_none());
    log.drop_history(Position(40), archive(40)).await.unwrap();
    assert_eq!(log.archive(None).await.unwrap(), Some(archive(40)));
}

pub async fn versions_and_expectations_hold_over_what_was_dropped(subject: &dyn Subject) {
    let log = filled(subject).await;
    append(&*log, plain(events("late", 0..2))).await;
    subject.seal().await;
    log.drop_history(Position(92), archive(92)).await.unwrap();
    assert_eq!(log.first(), Position(93));
    assert_eq!((version(&*log, "all"), version(&*log, "s3"), version(&*log, "nobody")), (45, 7, 0));
    for expected in [Expected::NoStream, Expected::Version(Version(44))] {
        let error = refused(&*log, expecting("all", expected, events("all", 0..1))).await;
        assert!(matches!(error, AppendError::WrongVersion { actual: Version(45), .. }), "{error}");
    }
    append(&*log, expecting("all", Expected::Version(Version(45)), events("all", 0..1))).await;
    append(&*log, expecting("nobody", Expected::NoStream, events("nobody", 0..1))).await;
    assert_eq!((version(&*log, "all"), version(&*log, "nobody"), log.end()), (46, 1, Position(94)));
    assert_eq!(kept(&*log).await.iter().map(|event| event.version).collect::<Vec<_>>(), [46, 1]);
}

pub async fn a_repeat_of_what_was_dropped_is_still_a_repeat(subject: &dyn Subject) {
    let log = filled(subject).await;
    log.drop_history(Position(80), archive(90)).await.unwrap();
    assert_eq!(mark(&*log, "phone", 1), Some(90));
    let both = |seq: u8| vec![event("all", seq), event(&format!("s{}", seq % 7), seq)];
    for seq in [1, 20, 21, 40, 41] {
        let repeated = append(&*log, counted("phone", 1, 2 * u64::from(seq) - 1, both(seq))).await;
        assert_eq!((repeated.repeats, repeated.written, repeated.last_seq), (2, 0, Some(90)));
        let error = refused(&*log, counted("phone", 1, 2 * u64::from(seq) - 1, both(seq + 50))).await;
        assert!(matches!(error, AppendError::ContentDiffers { .. }), "{error}");
    }
    let error = refused(&*log, counted("phone", 1, 92, both(60))).await;
    assert!(matches!(error, AppendError::Gap { next: 91, .. }), "{error}");
    assert_eq!(append(&*log, counted("phone", 1, 91, both(46))).await.last_seq, Some(92));
}

pub async fn of_what_was_dropped_the_newest_seqs_are_compared(subject: &dyn Subject) {
    let log = subject.open();
    let window = u64::try_from(SOURCE_WINDOW_SEQS).unwrap();
    let content = |seq: u64| u8::try_from(seq % 251).unwrap();
    let mut next = 1;
    for end in [3_000, 3_001, window + 10] {
        while next <= end {
            let last = end.min(next + 999);
            let events = (next..=last).map(|seq| event("a", content(seq))).collect();
            append(&*log, counted("phone", 1, next, events)).await;
            next = last + 1;
        }
        subject.seal().await;
        log.drop_history(Position(end), archive(end)).await.unwrap();
        assert_eq!(log.first(), Position(end + 1));
    }
    let other = |seq| counted("phone", 1, seq, events("a", [content(seq) + 1]));
    for seq in [11, 12, 2_999, 3_000, 3_001, 3_002, window + 10] {
        let error = refused(&*log, other(seq)).await;
        assert!(matches!(error, AppendError::ContentDiffers { seq: at, .. } if at == seq), "{seq}: {error}");
        let same = counted("phone", 1, seq, events("a", [content(seq)]));
        assert_eq!(append(&*log, same).await.repeats, 1, "{seq}");
    }
    for seq in [1, 10] {
        assert_eq!(append(&*log, other(seq)).await.repeats, 1, "{seq} lies beyond the window");
    }
}

pub async fn a_stream_that_is_partly_gone_begins_at_its_first_version_left(subject: &dyn Subject) {
    let log = filled(subject).await;
    let whole = whole_stream(&*log, "all", Forward, 7).await;
    log.drop_history(Position(40), archive(50)).await.unwrap();
    let all = stream("all");
    for from in [0, 1, 20] {
        let error = log.read_stream(&all, Version(from), Forward, 5).await.unwrap_err();
        let told = matches!(&error, LogError::DroppedVersion { stream, asked, first: Some(Version(21)) }
            if *stream == all && asked.0 == from.max(1));
        assert!(told, "{error}");
    }
    let (mut got, mut next) = (Vec::new(), Some(Version(21)));
    while let Some(from) = next {
        let page = log.read_stream(&all, from, Forward, 6).await.unwrap();
        assert_eq!(page.gone, Version(20));
        got.extend(page.events().map(|(frame, event)| seen_event(frame, &event)));
        next = page.next;
    }
    assert_eq!(got, whole[20..]);
    let mut backward = whole_stream(&*log, "all", Backward, 6).await;
    backward.reverse();
    assert_eq!(backward, whole[20..]);
    let page = log.read_stream(&all, Version(20), Backward, 6).await.unwrap();
    assert_eq!((page.parts.len(), page.next, page.gone), (0, None, Version(20)));
}

pub async fn a_stream_that_is_wholly_gone_keeps_its_version(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, plain([events("old", 0..3), events("new", 0..1)].concat())).await;
    subject.seal().await;
    append(&*log, plain(events("new", 1..3))).await;
    log.drop_history(Position(4), archive(4)).await.unwrap();
    let old = stream("old");
    let error = log.read_stream(&old, Version(2), Forward, 5).await.unwrap_err();
    assert!(matches!(error, LogError::DroppedVersion { asked: Version(2), first: None, .. }), "{error}");
    for (from, direction) in [(4, Forward), (u64::MAX, Backward)] {
        let page = log.read_stream(&old, Version(from), direction, 5).await.unwrap();
        assert_eq!((page.parts.len(), page.next, page.gone), (0, None, Version(3)));
    }
    append(&*log, expecting("old", Expected::Version(Version(3)), events("old", 3..4))).await;
    let page = log.read_stream(&old, Version(4), Forward, 5).await.unwrap();
    assert_eq!((page.events().count(), page.gone), (1, Version(3)));
    let error = log.read_stream(&old, Version(1), Forward, 5).await.unwrap_err();
    assert!(matches!(error, LogError::DroppedVersion { first: Some(Version(4)), .. }), "{error}");
    let unknown = log.read_stream(&stream("unknown"), Version(1), Forward, 5).await.unwrap();
    assert_eq!((unknown.parts.len(), unknown.gone), (0, Version(0)));
}

pub async fn dropping_again_goes_on_from_what_is_left(subject: &dyn Subject) {
    let log = filled(subject).await;
    let whole = kept(&*log).await;
    assert_eq!(log.drop_history(Position(40), archive(45)).await.unwrap().events, 40);
    let nothing = log.drop_history(Position(40), archive(90)).await.unwrap();
    assert_eq!((nothing.first, nothing.events, nothing.segments), (Position(41), 0, 0));
    let again = log.drop_history(Position(80), archive(85)).await.unwrap();
    assert_eq!((again.first, again.events), (Position(81), 40));
    assert_eq!(kept(&*log).await, whole[80..]);
    fill(subject, &*log, 46..=50).await;
    assert_eq!(log.drop_history(Position(100), archive(100)).await.unwrap().events, 20);
    fill(subject, &*log, 51..=52).await;
    assert_eq!((version(&*log, "all"), version(&*log, "s3"), mark(&*log, "phone", 1)), (52, 8, Some(104)));
    assert_eq!(kept(&*log).await.len(), 4);
}

pub async fn everything_can_be_dropped(subject: &dyn Subject) {
    let log = subject.open();
    fill(subject, &*log, 1..=10).await;
    log.drop_history(log.end(), archive(20)).await.unwrap();
    assert_eq!((log.first(), log.end()), (Position(21), Position(20)));
    assert!(log.read(Position(21)).await.unwrap().is_none());
    let error = log.read(Position(22)).await.unwrap_err();
    assert!(matches!(error, LogError::OutOfRange { next: Position(21), .. }), "{error}");
    let error = log.read(Position(20)).await.unwrap_err();
    assert!(matches!(error, LogError::Dropped { first: Position(21), .. }), "{error}");
    let mut live = log.subscribe(Position(21));
    fill(subject, &*log, 11..=11).await;
    assert_dense(&take(&mut live, 2).await, 21);
    assert_eq!(kept(&*log).await.len(), 2);
}

pub async fn an_archive_comes_back_and_earlier_ones_while_they_serve(subject: &dyn Subject) {
    let log = filled(subject).await;
    let at = async |at_most: u64| {
        let archive = log.archive(Some(Position(at_most))).await.unwrap();
        archive.map(|archive| archive.position.0)
    };
    log.drop_history(Position(40), archive(40)).await.unwrap();
    assert_eq!((at(39).await, at(40).await, at(90).await), (None, Some(40), Some(40)));
    fill(subject, &*log, 46..=50).await;
    log.drop_history(Position(80), archive(80)).await.unwrap();
    assert_eq!((at(79).await, at(80).await), (None, Some(80)), "of the first one, what follows is gone");
    log.drop_history(Position(100), archive(100)).await.unwrap();
    fill(subject, &*log, 51..=55).await;
    fill(subject, &*log, 56..=60).await;
    log.drop_history(Position(110), archive(120)).await.unwrap();
    fill(subject, &*log, 61..=65).await;
    log.drop_history(Position(120), archive(130)).await.unwrap();
    assert_eq!(log.status().archives, [Position(120), Position(130)]);
    assert_eq!(
        (at(119).await, at(120).await, at(129).await, at(999).await),
        (None, Some(120), Some(120), Some(130))
    );
    assert_eq!(log.archive(None).await.unwrap(), Some(archive(130)));
}

pub async fn no_more_archives_are_kept_than_may_be(subject: &dyn Subject) {
    let log = subject.open();
    let count = u64::try_from(ARCHIVES_MAX).unwrap();
    for _ in 0..40 {
        append(&*log, plain(events("a", 0..1))).await;
        subject.seal().await;
    }
    for round in 1..=count + 4 {
        log.drop_history(Position(round), archive(round + 20)).await.unwrap();
    }
    let positions = log.status().archives;
    assert_eq!(positions, (25..=count + 24).map(Position).collect::<Vec<_>>());
    for position in positions {
        assert_eq!(log.archive(Some(position)).await.unwrap(), Some(archive(position.0)));
    }
}

pub async fn what_was_dropped_stays_dropped_after_reopening(subject: &dyn Subject) {
    if !subject.keeps() {
        return;
    }
    let mut log = filled(subject).await;
    let whole = kept(&*log).await;
    for (up_to, at) in [(40, 60), (80, 90)] {
        log.drop_history(Position(up_to), archive(at)).await.unwrap();
        log.close().await.unwrap();
        drop(log);
        log = subject.open();
        assert_eq!((log.first(), log.end()), (Position(up_to + 1), Position(90)));
        assert_eq!(kept(&*log).await, whole[usize::try_from(up_to).unwrap()..]);
        assert_eq!(log.archive(None).await.unwrap(), Some(archive(at)));
        let error = log.read(Position(up_to)).await.unwrap_err();
        assert!(matches!(error, LogError::Dropped { .. }), "{error}");
        assert_eq!((version(&*log, "all"), version(&*log, "s3"), mark(&*log, "phone", 1)), (45, 7, Some(90)));
        let both = vec![event("all", 1), event("s1", 1)];
        assert_eq!(append(&*log, counted("phone", 1, 1, both)).await.repeats, 2);
        let error = refused(&*log, counted("phone", 1, 1, vec![event("all", 9)])).await;
        assert!(matches!(error, AppendError::ContentDiffers { seq: 1, .. }), "{error}");
        refused(&*log, expecting("s1", Expected::NoStream, events("s1", 0..1))).await;
    }
    fill(subject, &*log, 46..=50).await;
    drop(log);
    let log = subject.open();
    assert_eq!(kept(&*log).await.len(), 20);
    assert!(kept(&*log).await.is_sorted_by_key(|event| event.recorded_at));
    assert_eq!((version(&*log, "all"), mark(&*log, "phone", 1)), (50, Some(100)));
}

pub async fn a_reader_who_has_fallen_behind_is_told(subject: &dyn Subject) {
    let log = filled(subject).await;
    let mut slow = log.subscribe(Position(1));
    let read = take(&mut slow, 4).await.len() as u64;
    log.drop_history(Position(40), archive(40)).await.unwrap();
    let error = slow.next().await.unwrap().unwrap_err();
    let told = matches!(error, LogError::Dropped { asked, first: Position(41) } if asked.0 == read + 1);
    assert!(told, "{error}");
    assert!(slow.next().await.is_none());
}

pub async fn appends_and_reads_go_on_while_history_is_dropped(subject: &dyn Subject) {
    let log = filled(subject).await;
    let writer = tokio::spawn({
        let log = Arc::clone(&log);
        async move {
            for seq in 46..=250 {
                let both = vec![event("all", seq), event(&format!("s{}", seq % 7), seq)];
                append(&*log, counted("phone", 1, 2 * u64::from(seq) - 1, both)).await;
            }
        }
    });
    let mut live = log.subscribe(Position(81));
    let reader = tokio::spawn(async move { assert_dense(&take(&mut live, 420).await, 81) });
    // No more than the reader has begun with: it may still be behind.
    for _ in 0..12 {
        log.drop_history(Position(80), archive(log.end().0)).await.unwrap();
        for (id, least) in [("all", 45), ("s3", 7)] {
            assert!(version(&*log, id) >= least);
            let page = log.read_stream(&stream(id), Version(u64::MAX), Backward, 3).await.unwrap();
            let first = page.events().next().map(|(_, event)| event.envelope.version);
            assert!(first.is_none_or(|first| first > page.gone));
        }
        subject.seal().await;
    }
    writer.await.unwrap();
    reader.await.unwrap();
    subject.seal().await;
    log.drop_history(log.end(), archive(500)).await.unwrap();
    assert_eq!(
        (log.first(), version(&*log, "all"), mark(&*log, "phone", 1)),
        (Position(501), 250, Some(500))
    );
}
