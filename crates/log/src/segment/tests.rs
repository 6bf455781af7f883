//! A segment gives what went in, and no changed byte of it is ever read as good.

mod union;

use std::{collections::BTreeMap, fs, path::Path};

use pegcount_domain::{
    envelope::{Position, StreamKind, StreamName, Version},
    event::EventType,
    ids::{Epoch, Incarnation, Name},
    time::Micros,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use smallvec::SmallVec;

use super::{
    Kind, Memory, Named, Segment, SegmentWriter, Shelf, Shelved, cache::BlockCache, filter::Sought,
    segment_path, stub_path, write_stub,
};
use crate::{
    api::{LogError, NewEvent},
    content::Fingerprints,
    frame::{Frame, FrameBuilder, Stamp},
    keys::{LogKey, Names},
};

const INCARNATION: Incarnation = Incarnation(77);
const FRAME_EVENTS: u64 = 8;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn stream(number: u64) -> StreamName {
    StreamName { site: name("main"), kind: StreamKind::Contact, id: name(&format!("c{number}")) }
}

/// Frames of which event n goes to stream n / 3, and to stream 0 if n is a multiple of 100; source "phone" counts all.
struct Given {
    key: LogKey,
    stored: Vec<(Frame, Vec<u8>)>,
    versions: BTreeMap<u64, u64>,
}

fn given(first: u64, frames: u64, before: &BTreeMap<u64, u64>, key: &LogKey) -> Given {
    let mut versions = before.clone();
    let mut builder = FrameBuilder::new(None).unwrap();
    let mut stored = Vec::new();
    let source = name("phone");
    for position in first..first + frames * FRAME_EVENTS {
        let number = if position.is_multiple_of(100) { 0 } else { position / 3 };
        let version = versions.entry(number).or_default();
        *version += 1;
        let event = NewEvent {
            stream: stream(number),
            event_type: EventType::READY,
            schema_version: 1,
            occurred_at: Micros(5),
            source_time: Micros(5),
            actor: name("actor"),
            on_behalf_of: None,
            command_id: None,
            correlation: None,
            causation: None,
            names: SmallVec::new(),
            payload: SmallVec::from_slice(&position.to_le_bytes()),
        };
        let recorded_at = Micros(i64::try_from(position).unwrap());
        let (version, seqs) = (Version(*version), Some((Epoch(1), position, position)));
        let position = Position(position);
        builder.push(&event, &Stamp { position, version, recorded_at, source: &source, seqs });
        if position.0.is_multiple_of(FRAME_EVENTS) {
            stored.push(builder.finish(false));
        }
    }
    Given { key: key.clone(), stored, versions }
}

fn write(dir: &Path, number: u64, given: &Given) -> Named {
    let first = given.stored.first().unwrap().0.first();
    let mut said = Fingerprints::new(&given.key);
    let mut writer = SegmentWriter::new(&segment_path(dir, number), number, first, INCARNATION).unwrap();
    for (frame, bytes) in &given.stored {
        writer.push(frame, bytes, &given.key.names(), &mut said).unwrap();
    }
    writer.finish().unwrap()
}

/// Everything that a segment can be asked gives what went in.
fn tells_all(segment: &Segment, given: &Given, names: &Names) -> Result<(), LogError> {
    let cache = BlockCache::new(1_000_000);
    segment.check(|| true)?;
    let filter = segment.filter()?;
    for (number, (frame, _)) in given.stored.iter().enumerate() {
        let read = segment.frames_from(frame.last(), 1, &cache)?;
        assert_eq!(read.first(), Some(frame));
        assert_eq!(&segment.frame(u32::try_from(number).unwrap(), &cache)?, frame);
    }
    for (number, version) in &given.versions {
        let key = names.stream(&stream(*number));
        assert!(segment.may_hold(&Sought::of(key), Some(&filter), &cache)?);
        assert!(segment.may_hold(&Sought::of(key), None, &cache)?);
        assert_eq!(segment.version(key, &cache)?, Some(*version));
        let runs = segment.stream_runs(key, &cache)?;
        let mut held = given.stored.iter().zip(0_u32..).filter(|((frame, _), _)| {
            frame.events().any(|event| event.envelope.stream.id == stream(*number).id.as_str())
        });
        assert!(runs.iter().flat_map(|run| run.frames.clone()).eq(held.by_ref().map(|(_, number)| number)));
    }
    let counter = names.counter("main", "phone", Epoch(1));
    let (first, last) = (segment.first().0, segment.last().0);
    assert_eq!(segment.seqs(counter, &cache)?, Some((first, last)));
    assert_eq!(segment.counter(counter, &cache)?.unwrap().contents.last().unwrap().0, last);
    let nobody = names.stream(&stream(u64::MAX));
    assert_eq!((segment.version(nobody, &cache)?, segment.seqs(nobody, &cache)?), (None, None));
    assert_eq!(segment.last_recorded_at(), Micros(i64::try_from(last).unwrap()));
    Ok(())
}

#[test]
fn a_segment_gives_what_went_in() {
    let dir = tempfile::tempdir().unwrap();
    // More than one block of every section.
    let given = given(1, 5_000, &BTreeMap::new(), &LogKey::random().unwrap());
    let written = write(dir.path(), 1, &given);
    let segment = Segment::open(dir.path(), written, INCARNATION).unwrap();
    let names = given.key.names();
    segment.check(|| true).unwrap();
    let cache = BlockCache::new(1_000_000);
    for number in [0, 1, 7_000, 13_333] {
        let key = names.stream(&stream(number));
        assert_eq!(segment.version(key, &cache).unwrap(), given.versions.get(&number).copied());
    }
    assert_eq!(
        segment.frames_from(Position(25_600), 9, &cache).unwrap().len(),
        1,
        "a block's end ends the read"
    );
    assert_eq!(segment.frames_from(Position(25_601), 9, &cache).unwrap().len(), 9);
    let runs = segment.stream_runs(names.stream(&stream(0)), &cache).unwrap();
    assert_eq!((runs.len(), runs[0].first, runs[0].last, runs[0].frames.len()), (1, 1, 402, 401));
}

/// The files in `tests/golden` are never written again; a new format adds its own.
#[test]
fn segments_of_formats_2_and_3_read_as_they_did_and_the_newest_is_written_so() {
    let dir = tempfile::tempdir().unwrap();
    let key = LogKey::from_hex(&"0123456789abcdef".repeat(4)).unwrap();
    let given = given(1, 20, &BTreeMap::new(), &key);
    let written = write(dir.path(), 1, &given);
    let path = segment_path(dir.path(), 1);
    let golden = |format: u32| {
        let file = format!("tests/golden/segment-{format}.bin");
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
    };
    assert_eq!(fs::read(&path).unwrap(), golden(3), "the format changed: it needs a new number");
    for bytes in [golden(2), golden(3)] {
        fs::write(&path, &bytes).unwrap();
        // The end of the tail: the directory's checksum, four zeros, the tail's own.
        let (_, crc) = bytes.split_last_chunk::<12>().unwrap();
        let directory_crc = u32::from_le_bytes(*crc.first_chunk().unwrap());
        let named = Named { bytes: bytes.len().try_into().unwrap(), directory_crc, ..written };
        tells_all(&Segment::open(dir.path(), named, INCARNATION).unwrap(), &given, &key.names()).unwrap();
    }
}

#[test]
fn a_stream_in_very_many_frames_is_found_whole() {
    let dir = tempfile::tempdir().unwrap();
    let key = LogKey::random().unwrap();
    let (mut said, names) = (Fingerprints::new(&key), key.names());
    let mut writer = SegmentWriter::new(&segment_path(dir.path(), 1), 1, Position(1), INCARNATION).unwrap();
    let mut builder = FrameBuilder::new(None).unwrap();
    let one = given(1, 1, &BTreeMap::new(), &key).stored.remove(0).0;
    let event = one.events().next().unwrap();
    let new = NewEvent {
        stream: stream(0),
        event_type: event.envelope.event_type,
        schema_version: 1,
        occurred_at: Micros(1),
        source_time: Micros(1),
        actor: name("actor"),
        on_behalf_of: None,
        command_id: None,
        correlation: None,
        causation: None,
        names: SmallVec::new(),
        payload: SmallVec::new(),
    };
    let source = name("source");
    for position in 1..=40_000 {
        let stamp = Stamp {
            position: Position(position),
            version: Version(position),
            recorded_at: Micros(1),
            source: &source,
            seqs: None,
        };
        builder.push(&new, &stamp);
        let (frame, bytes) = builder.finish(false);
        writer.push(&frame, &bytes, &names, &mut said).unwrap();
    }
    let segment = Segment::open(dir.path(), writer.finish().unwrap(), INCARNATION).unwrap();
    let cache = BlockCache::new(1_000_000);
    let runs = segment.stream_runs(names.stream(&stream(0)), &cache).unwrap();
    let spans: Vec<_> = runs.iter().map(|run| (run.first, run.last, run.frames.len())).collect();
    assert_eq!(spans, [(1, 16_384, 16_384), (16_385, 32_768, 16_384), (32_769, 40_000, 7_232)]);
    assert_eq!(segment.version(names.stream(&stream(0)), &cache).unwrap(), Some(40_000));
}

#[test]
fn any_changed_or_missing_byte_is_named_and_never_read_as_good() {
    let seed = getrandom::u64().unwrap();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let dir = tempfile::tempdir().unwrap();
    let given = given(1, 20, &BTreeMap::new(), &LogKey::random().unwrap());
    let written = write(dir.path(), 1, &given);
    let names = given.key.names();
    let path = segment_path(dir.path(), 1);
    let whole = fs::read(&path).unwrap();
    tells_all(&Segment::open(dir.path(), written, INCARNATION).unwrap(), &given, &names).unwrap();
    let told = |what: &str| {
        let opened = Segment::open(dir.path(), written, INCARNATION);
        let error = opened.and_then(|segment| tells_all(&segment, &given, &names)).unwrap_err();
        assert!(matches!(&error, LogError::Damaged { path: at, .. } if *at == path), "{what}: {error}");
    };
    for index in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[index] ^= 1 << random.random_range(0..8);
        fs::write(&path, &bytes).unwrap();
        told(&format!("byte {index}"));
    }
    for _ in 0..50 {
        let length = random.random_range(0..whole.len());
        fs::write(&path, &whole[..length]).unwrap();
        told(&format!("{length} bytes"));
    }
    fs::remove_file(&path).unwrap();
    told("no file");
}

#[test]
fn a_damaged_frame_is_named_with_its_position() {
    let dir = tempfile::tempdir().unwrap();
    let given = given(1, 20, &BTreeMap::new(), &LogKey::random().unwrap());
    let written = write(dir.path(), 1, &given);
    let path = segment_path(dir.path(), 1);
    let mut bytes = fs::read(&path).unwrap();
    let before: usize = given.stored.iter().take(6).map(|(_, bytes)| bytes.len()).sum();
    bytes[64 + before + 50] ^= 4;
    fs::write(&path, &bytes).unwrap();
    let segment = Segment::open(dir.path(), written, INCARNATION).unwrap();
    let cache = BlockCache::new(1_000_000);
    assert_eq!(segment.frames_from(Position(41), 1, &cache).unwrap().len(), 1);
    let error = segment.frames_from(Position(50), 1, &cache).unwrap_err();
    assert!(matches!(error, LogError::Damaged { position: Position(49), .. }), "{error}");
    assert!(error.to_string().contains(&format!("the frame at byte {}", 64 + before)), "{error}");
}

#[test]
fn another_logs_segment_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let written = write(dir.path(), 1, &given(1, 3, &BTreeMap::new(), &LogKey::random().unwrap()));
    assert!(Segment::open(dir.path(), written, Incarnation(78)).is_err());
    let other = write(dir.path(), 1, &given(1, 3, &BTreeMap::new(), &LogKey::random().unwrap()));
    assert_eq!((written.bytes, written.last), (other.bytes, other.last));
    assert!(Segment::open(dir.path(), written, INCARNATION).is_err(), "the same but for its fingerprints");
}

#[test]
fn the_newest_segment_answers_first_and_a_counters_window_spans_segments() {
    let dir = tempfile::tempdir().unwrap();
    let key = LogKey::random().unwrap();
    let names = key.names();
    let shelf = Shelf::new(Memory { filters: 2_000, blocks: 0 });
    let (mut first, mut versions) = (1, BTreeMap::new());
    for number in 1..=4 {
        let given = given(first, 250, &versions, &key);
        let segment = Segment::open(dir.path(), write(dir.path(), number, &given), INCARNATION).unwrap();
        shelf.add(Shelved::new(segment).unwrap());
        (first, versions) = (first + 250 * FRAME_EVENTS, given.versions);
    }
    assert_eq!((shelf.end(), shelf.count()), (Position(8_000), 4));
    for (number, version) in &versions {
        assert_eq!(shelf.version(names.stream(&stream(*number))).unwrap(), *version);
    }
    let counter = names.counter("main", "phone", Epoch(1));
    assert_eq!(shelf.last_seq(counter).unwrap(), Some(8_000));
    let contents = shelf.contents(counter, 3_905, 7_990).unwrap();
    assert!(contents.iter().map(|(last, _)| *last).eq(3_905..7_990));
    let all = shelf.all();
    let runs = all.iter().flat_map(|segment| shelf.stream_runs(segment, names.stream(&stream(0))).unwrap());
    let spans: Vec<_> = runs.map(|run| (run.first, run.last)).collect();
    assert_eq!(spans.len(), 4);
    assert!(spans.windows(2).all(|pair| pair[0].1 + 1 == pair[1].0), "{spans:?}");
    assert!(shelf.frames_from(Position(8_001), 1).unwrap().is_none());
    assert_eq!(shelf.frames_from(Position(2_001), 3).unwrap().unwrap().len(), 3);
}

/// Segments that follow on each other, and what they say of streams.
fn segments(dir: &Path, key: &LogKey, frames: &[u64]) -> (Vec<Segment>, BTreeMap<u64, u64>) {
    let (mut first, mut versions, mut segments) = (1, BTreeMap::new(), Vec::new());
    for (number, frames) in (1..).zip(frames) {
        let given = given(first, *frames, &versions, key);
        segments.push(Segment::open(dir, write(dir, number, &given), INCARNATION).unwrap());
        (first, versions) = (first + frames * FRAME_EVENTS, given.versions);
    }
    (segments, versions)
}

fn stub(dir: &Path, number: u64, parts: &[&Segment]) -> Named {
    let path = stub_path(dir, number);
    write_stub(&path, number, parts, INCARNATION, &|| true).unwrap().unwrap()
}

/// Whatever is asked of heads and marks has the same answer from `shelf` as from `other`.
fn answer_alike(shelf: &Shelf, other: &Shelf, names: &Names, versions: &BTreeMap<u64, u64>) {
    for number in versions.keys().chain(&[u64::MAX]) {
        let key = names.stream(&stream(*number));
        assert_eq!(shelf.version(key).unwrap(), other.version(key).unwrap(), "stream {number}");
    }
    for epoch in [1, 2] {
        let counter = names.counter("main", "phone", Epoch(epoch));
        assert_eq!(shelf.last_seq(counter).unwrap(), other.last_seq(counter).unwrap());
        let contents =
            |shelf: &Shelf| shelf.contents(counter, shelf.end().0.saturating_sub(4_095), u64::MAX).unwrap();
        assert_eq!(contents(shelf), contents(other));
    }
    assert_eq!(shelf.end(), other.end());
}

#[test]
fn a_stub_answers_as_the_segments_did_that_it_stands_for() {
    let dir = tempfile::tempdir().unwrap();
    let key = LogKey::random().unwrap();
    // More than one block, of both indexes more than one part; contents within and beyond the window.
    let (parts, versions) = segments(dir.path(), &key, &[2_000, 300, 40, 1_000]);
    let before = Shelf::new(Memory { filters: u64::MAX, blocks: 1_000_000 });
    let after = Shelf::new(Memory { filters: 0, blocks: 1_000_000 });
    let [one, two, three, last] = <[Segment; 4]>::try_from(parts).unwrap();
    // In two steps: what was dropped first is part of what is dropped next.
    let early = Segment::open(dir.path(), stub(dir.path(), 1, &[&one, &two]), INCARNATION).unwrap();
    let named = stub(dir.path(), 2, &[&early, &three]);
    assert_eq!((named.kind, named.first, named.last), (Kind::Stub, Position(1), three.last()));
    let late = Segment::open(dir.path(), named, INCARNATION).unwrap();
    late.check(|| true).unwrap();
    // 0 for every hundredth event, and one for three others.
    let dropped =
        (1..=named.last.0).map(|position| if position.is_multiple_of(100) { 0 } else { position / 3 });
    assert_eq!(late.directory().streams, dropped.collect::<std::collections::BTreeSet<_>>().len() as u64);
    assert_eq!((late.directory().counters, late.directory().events), (1, 2_340 * FRAME_EVENTS));
    assert_eq!(late.last_recorded_at(), three.last_recorded_at());
    let last_named = last.named();
    for segment in [one, two, three, last] {
        before.add(Shelved::new(segment).unwrap());
    }
    after.add(Shelved::new(late).unwrap());
    after.add(Shelved::new(Segment::open(dir.path(), last_named, INCARNATION).unwrap()).unwrap());
    answer_alike(&after, &before, &key.names(), &versions);
    assert_eq!((after.first(), after.count()), (named.last.next(), 1));
    let error = after.frames_from(named.last, 1).unwrap_err();
    assert!(
        matches!(error, LogError::Dropped { asked, first } if asked == named.last && first == named.last.next())
    );
    assert_eq!(after.frames_from(named.last.next(), 1).unwrap().unwrap().len(), 1);
    let gone = |number| after.gone(key.names().stream(&stream(number))).unwrap();
    assert_eq!((gone(1), gone(versions.keys().next_back().copied().unwrap()), gone(u64::MAX)), (3, 0, 0));
    assert_eq!(gone(0) + 80, versions[&0]);
}

#[test]
fn any_changed_or_missing_byte_of_a_stub_is_named_and_never_read_as_good() {
    let seed = getrandom::u64().unwrap();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let dir = tempfile::tempdir().unwrap();
    let key = LogKey::random().unwrap();
    let (parts, versions) = segments(dir.path(), &key, &[5, 3]);
    let named = stub(dir.path(), 1, &parts.iter().collect::<Vec<_>>());
    let path = stub_path(dir.path(), 1);
    let whole = fs::read(&path).unwrap();
    let tell_all = || -> Result<(), LogError> {
        let stub = Segment::open(dir.path(), named, INCARNATION)?;
        stub.check(|| true)?;
        let shelf = Shelf::new(Memory { filters: 0, blocks: 0 });
        shelf.add(Shelved::new(stub)?);
        for (number, version) in &versions {
            assert_eq!(shelf.version(key.names().stream(&stream(*number)))?, *version);
        }
        Ok(())
    };
    tell_all().unwrap();
    let told = |what: &str| {
        let error = tell_all().unwrap_err();
        assert!(matches!(&error, LogError::Damaged { path: at, .. } if *at == path), "{what}: {error}");
    };
    for index in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[index] ^= 1 << random.random_range(0..8);
        fs::write(&path, &bytes).unwrap();
        told(&format!("byte {index}"));
        fs::write(&path, &whole[..index]).unwrap();
        told(&format!("{index} bytes"));
    }
    // A segment under the stub's name.
    fs::copy(segment_path(dir.path(), 1), &path).unwrap();
    told("a segment");
}

#[test]
fn no_stub_is_made_of_segments_whose_numbers_do_not_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let key = LogKey::random().unwrap();
    let (parts, _) = segments(dir.path(), &key, &[5, 3, 4]);
    let [one, _, three] = &parts[..] else { panic!("there are three") };
    let path = stub_path(dir.path(), 1);
    let error = write_stub(&path, 1, &[one, three], INCARNATION, &|| true).unwrap_err();
    assert!(matches!(&error, LogError::Damaged { path, .. } if path == three.path()), "{error}");
    assert!(error.to_string().contains("does not go on from those before"), "{error}");
}

/// The file in `tests/golden` is never written again; a new format adds its own.
#[test]
fn a_stub_of_format_1_is_written_and_reads_as_it_did() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/stub-1.bin");
    let dir = tempfile::tempdir().unwrap();
    let key = LogKey::from_hex(&"0123456789abcdef".repeat(4)).unwrap();
    let (parts, _) = segments(dir.path(), &key, &[5, 3]);
    let named = stub(dir.path(), 7, &parts.iter().collect::<Vec<_>>());
    let written = fs::read(stub_path(dir.path(), 7)).unwrap();
    assert_eq!(written, fs::read(&golden).unwrap(), "the format changed: it needs a new number");
    fs::copy(&golden, stub_path(dir.path(), 7)).unwrap();
    let read = Segment::open(dir.path(), named, INCARNATION).unwrap();
    read.check(|| true).unwrap();
    let counter = read.counter(key.names().counter("main", "phone", Epoch(1)), &BlockCache::new(0));
    assert_eq!(counter.unwrap().unwrap().contents.len(), 64);
}
