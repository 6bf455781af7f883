#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

//! In what order the log does things, by the record of what the operating system was asked.

use std::{collections::HashMap, path::Path};

use pegcount_log::Frame;
use pegcount_power_tests::{
    load::Shape, record::Record, round::Plan, seed, shim::Faults, trace::Op, work_place,
};

const HEADER_BYTES: usize = 32;

/// The frames that lie in what was written, with the last position of each.
fn frames_in(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let begins = |at: &usize| bytes[*at..].starts_with(b"PEGF");
    (0..bytes.len().saturating_sub(HEADER_BYTES)).filter(begins).filter_map(|at| {
        let stored = u32::from_le_bytes(bytes[at + 20..at + 24].try_into().unwrap());
        let end = at + HEADER_BYTES + usize::try_from(stored).unwrap();
        Some(Frame::decode(bytes.get(at..end)?).ok()?.last().0)
    })
}

#[test]
fn sleds_file_is_written_then_synced_then_the_append_is_acknowledged_and_blobs_are_never_written() {
    let work = work_place();
    let root = work.path().join("root");
    std::fs::create_dir(&root).unwrap();
    let load = Path::new(env!("CARGO_BIN_EXE_power-load"));
    let plan =
        Plan { load, seed: seed(), shape: Shape::Small, faults: Faults::default(), rounds: 1, cuts: 0 };
    let record = Record::of_load(&plan, &root, &work.path().join("trace"));
    assert_eq!(record.blobs(), 0);

    // When the frame that holds a position was first written, by the position of its end.
    let mut written: Vec<(u64, usize)> = Vec::new();
    for (step, _, _, bytes) in record.writes().filter(|(_, path, ..)| path.ends_with("hot-000001/db")) {
        for last in frames_in(bytes) {
            if written.last().is_none_or(|(before, _)| *before < last) {
                written.push((last, step));
            }
        }
    }
    let db = std::fs::metadata(root.join("log/hot-000001/db")).unwrap();
    let db = std::os::unix::fs::MetadataExt::ino(&db);
    let mut begun = HashMap::new();
    let mut synced = Vec::new();
    for (step, op) in record.ops.iter().enumerate() {
        match op {
            Op::SyncBegin { inode, number } if *inode == db => drop(begun.insert(*number, step)),
            Op::SyncEnd { inode, number } if *inode == db => synced.push((begun[number], step)),
            _ => {}
        }
    }
    let acks = record.notes().into_iter().filter(|(_, note)| note.starts_with("ack"));
    let mut count = 0;
    for (acknowledged, note) in acks {
        let last: u64 = note.rsplit(' ').next().unwrap().parse().unwrap();
        let (_, written) = written[written.partition_point(|(end, _)| *end < last)];
        let between = |(begun, done): &(usize, usize)| written < *begun && *done < acknowledged;
        assert!(
            synced.iter().any(between),
            "{note}: written in step {written}, not synced before {acknowledged}"
        );
        count += 1;
    }
    assert_eq!(count, Shape::Small.tasks() * Shape::Small.appends());
}
