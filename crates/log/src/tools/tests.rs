//! Damage that no checksum shows: what `verify` computes anew and holds against what is written.

use std::path::Path;

use pegcount_domain::{
    envelope::{Position, StreamKind, StreamName, Version},
    event::EventType,
    ids::{Epoch, Incarnation, Name},
    time::Micros,
};
use smallvec::SmallVec;

use super::{StoredEvent, StoredSeqs, Verified, record::new_builder, verify};
use crate::{
    api::NewEvent,
    content::Fingerprints,
    hot::door,
    keys::LogKey,
    retention::Archive,
    segment::{Named, Segment, SegmentWriter, segment_path, stub_path, write_stub},
};

const INCARNATION: Incarnation = Incarnation(5);

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// Event `position` of a counter that begins with the log, to the stream of its remainder.
fn event(position: u64) -> StoredEvent {
    let id = name(&format!("s{}", position % 7));
    StoredEvent {
        position: Position(position),
        version: Version((position - 1) / 7 + 1),
        recorded_at: Micros(1_000 + i64::try_from(position).unwrap()),
        source: name("phone"),
        seqs: Some(StoredSeqs { epoch: Epoch(1), first: position, last: position }),
        event: NewEvent {
            stream: StreamName { site: name("main"), kind: StreamKind::Agent, id },
            event_type: EventType::READY,
            schema_version: 1,
            occurred_at: Micros(7),
            source_time: Micros(7),
            actor: name("actor"),
            on_behalf_of: None,
            command_id: None,
            correlation: None,
            causation: None,
            names: SmallVec::new(),
            payload: SmallVec::from_slice(&[1]),
        },
    }
}

/// Writes a segment of frames of ten events, with the indexes that `key` gives them.
fn segment(dir: &Path, number: u64, events: &[StoredEvent], key: &LogKey) -> Named {
    let path = segment_path(dir, number);
    let mut writer = SegmentWriter::new(&path, number, events[0].position, INCARNATION).unwrap();
    let (names, mut said) = (key.names(), Fingerprints::new(key));
    let mut builder = new_builder(dir).unwrap();
    for events in events.chunks(10) {
        for event in events {
            builder.push(&event.event, &event.stamp());
        }
        let (frame, bytes) = builder.finish(false);
        writer.push(&frame, &bytes, &names, &mut said).unwrap();
    }
    writer.finish().unwrap()
}

/// What is found in a log of two segments that `spoil` has changed an event of, and whose second one has the indexes
/// of another key if that is wanted.
fn found(spoil: impl Fn(&mut StoredEvent), foreign_index: bool) -> Verified {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    std::fs::create_dir(&log).unwrap();
    let key = LogKey::random().unwrap();
    let second = if foreign_index { LogKey::random().unwrap() } else { key.clone() };
    let mut events: Vec<_> = (1..=100).map(event).collect();
    events.iter_mut().for_each(spoil);
    let (first, rest) = events.split_at(50);
    let segments = vec![segment(&log, 1, first, &key), segment(&log, 2, rest, &second)];
    door::make(&log, INCARNATION, &key, segments).unwrap();
    verify(dir.path(), &()).unwrap()
}

fn whats(verified: &Verified) -> Vec<&str> {
    verified.damages.iter().map(|damage| damage.what.as_str()).collect()
}

#[test]
fn a_sound_log_has_no_damages_and_its_names_are_counted() {
    let verified = found(|_| {}, false);
    assert_eq!(whats(&verified), Vec::<&str>::new());
    assert_eq!((verified.segments, verified.frames, verified.events), (2, 10, 100));
    assert_eq!((verified.streams, verified.counters, verified.end), (Some(7), Some(1), Position(100)));
}

#[test]
fn a_version_that_does_not_go_on_is_named_within_a_frame_a_segment_and_between_segments() {
    // Positions 8, 15, … have the versions 2, 3, … of one stream.
    for (position, frame) in [(15, "frame 1 at byte"), (50, "frame 4 at byte"), (57, "goes on with version")]
    {
        let verified = found(
            |event| {
                if event.position.0 >= position && (event.position.0 - position).is_multiple_of(7) {
                    event.version.0 += 1;
                }
            },
            false,
        );
        let named =
            whats(&verified).iter().any(|what| what.contains(frame) && what.contains("goes on with version"));
        assert!(named, "position {position}: {:#?}", verified.damages);
        assert_eq!(verified.damages_count, 1, "{:#?}", verified.damages);
    }
}

#[test]
fn a_seq_that_does_not_go_on_is_named() {
    for position in [5, 33, 51] {
        let verified = found(
            |event| {
                if let Some(seqs) = &mut event.seqs
                    && event.position.0 >= position
                {
                    (seqs.first, seqs.last) = (seqs.first + 3, seqs.last + 3);
                }
            },
            false,
        );
        let named = whats(&verified).iter().any(|what| what.contains("goes on with seq"));
        assert!(named && verified.damages_count == 1, "position {position}: {:#?}", verified.damages);
    }
}

#[test]
fn a_time_that_goes_back_is_named_with_its_position() {
    let verified = found(
        |event| {
            if event.position.0 == 44 {
                event.recorded_at = Micros(3);
            }
        },
        false,
    );
    assert_eq!(verified.damages[0].position, Position(44));
    assert!(
        verified.damages[0].what.contains("it was recorded at 3 µs, before 1043"),
        "{:?}",
        verified.damages
    );
}

#[test]
fn an_index_is_held_against_the_frames_in_both_directions_and_the_filter_with_it() {
    let verified = found(|_| {}, true);
    let whats = whats(&verified);
    for words in ["but it is not in the index", "but no frame has it", "the filter says no to"] {
        assert!(whats.iter().any(|what| what.contains(words)), "{words}: {whats:#?}");
    }
    assert!(verified.damages.iter().all(|damage| damage.path.ends_with("segment-000002")));
}

/// What is found in a log whose first segment was dropped after `spoil` had changed events of it.
fn found_after_drop(spoil: impl Fn(&mut StoredEvent)) -> Verified {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    std::fs::create_dir(&log).unwrap();
    let key = LogKey::random().unwrap();
    let mut events: Vec<_> = (1..=100).map(event).collect();
    let second = segment(&log, 2, &events[50..], &key);
    events.iter_mut().for_each(spoil);
    let first = Segment::open(&log, segment(&log, 1, &events[..50], &key), INCARNATION).unwrap();
    let stub = write_stub(&stub_path(&log, 1), 1, &[&first], INCARNATION, &|| true).unwrap();
    let archive = Archive { position: Position(70), bytes: vec![1, 2, 3] };
    let archives = vec![door::write_archive(&log, 1, &archive).unwrap()];
    door::make(&log, INCARNATION, &key, door::History { stub, archives, segments: vec![second] }).unwrap();
    verify(dir.path(), &()).unwrap()
}

#[test]
fn what_does_not_go_on_from_what_was_dropped_is_named() {
    assert_eq!(whats(&found_after_drop(|_| {})), Vec::<&str>::new());
    let verified = found_after_drop(|event| {
        // The last ones of their streams before the drop; together they are as many events as they should be.
        match event.position.0 {
            48 => event.version.0 -= 1,
            49 => event.version.0 += 1,
            _ => {}
        }
    });
    assert!(
        whats(&verified).iter().any(|what| what.contains("goes on with version 8 after 8")),
        "{verified:#?}"
    );
    let verified = found_after_drop(|event| {
        if let Some(seqs) = event.seqs.as_mut().filter(|seqs| seqs.last == 50) {
            seqs.last = 52;
        }
    });
    assert!(
        whats(&verified).iter().any(|what| what.contains("goes on with seq 51 after 52")),
        "{verified:#?}"
    );
}

#[test]
fn a_stub_that_counts_other_events_than_there_were_is_named() {
    let verified = found_after_drop(|event| {
        if event.position.0 == 49 {
            event.version.0 += 1;
        }
    });
    assert!(
        whats(&verified).iter().any(|what| what.contains("the directory counts 50 events; there are 51"))
    );
}
