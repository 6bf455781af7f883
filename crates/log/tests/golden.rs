#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

//! Frames that were once written must decode forever. The files in `tests/golden` are never written again; a new
//! frame version adds its own.

mod suite;

use std::{fmt::Write, fs, path::Path};

use pegcount_domain::{
    envelope::{Position, StreamKind, Version},
    event::EventType,
    ids::{CommandId, Epoch, Name},
    time::Micros,
};
use pegcount_log::{Frame, FrameBuilder, NewEvent, Stamp};
use suite::{event, name, seen};

/// An event with its seqs and the time of its writing.
type Given = (NewEvent, Option<(Epoch, u64, u64)>, i64);

/// Something of everything that a frame can hold.
fn events() -> Vec<Given> {
    let plain = event("anna", 1);
    let mut full = event("x/y — \u{1F4DE}", 2);
    full.stream.kind = StreamKind::Quarantine;
    full.event_type = EventType::SKIPPED;
    full.schema_version = 300;
    full.occurred_at = Micros(-5);
    full.source_time = Micros(1_700_000_000_000_000);
    full.on_behalf_of = Some(name("someone else"));
    full.command_id = Some(CommandId(0x0123_4567_89ab_cdef));
    full.correlation = Some(u128::MAX);
    full.causation = Some(Position(3));
    let epoch = Epoch(0xfeed);
    vec![
        (plain.clone(), None, 2_000),
        (full, Some((epoch, 1, 9)), 2_000),
        (plain.clone(), Some((epoch, 10, 10)), 2_500),
        (event("bert", 3), Some((epoch, 11, 11)), 2_500),
        (plain, None, 2_500),
    ]
}

fn build(level: Option<i32>, copies: usize) -> Vec<u8> {
    let mut builder = FrameBuilder::new(level).unwrap();
    let source: Name = name("phone 7");
    let mut position = Position(1_000);
    for (index, (event, seqs, recorded_at)) in events().into_iter().cycle().take(5 * copies).enumerate() {
        // Later copies have no counter: its seqs would not go on.
        let seqs = if index < 5 { seqs } else { None };
        let version = Version(u64::try_from(index).unwrap() + 1);
        let recorded_at = Micros(recorded_at);
        builder.push(&event, &Stamp { position, version, recorded_at, source: &source, seqs });
        position = position.next();
    }
    builder.finish(false).1
}

fn told(frame: &Frame) -> String {
    seen(frame).iter().fold(String::new(), |mut text, event| {
        writeln!(text, "{event:?}").unwrap();
        text
    })
}

fn golden(file: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file)).unwrap()
}

#[test]
fn frames_of_every_version_decode_as_they_did() {
    for version in 1..=2 {
        for kind in ["raw", "zstd"] {
            let frame = Frame::decode(&golden(&format!("frame-{version}-{kind}.bin"))).unwrap();
            let text = String::from_utf8(golden(&format!("frame-1-{kind}.txt"))).unwrap();
            assert_eq!(told(&frame), text, "version {version}, {kind}");
        }
    }
}

#[test]
fn a_raw_frame_is_written_as_it_was() {
    assert_eq!(build(None, 1), golden("frame-2-raw.bin"), "the format changed: it needs a new version");
}

#[test]
fn a_compressed_frame_says_the_same_as_a_raw_one() {
    let (squeezed, raw) = (build(Some(1), 20), build(None, 20));
    assert!(squeezed.len() < raw.len());
    assert_eq!(Frame::decode(&squeezed).unwrap(), Frame::decode(&raw).unwrap());
}
