#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

//! A full disk: it is said, what was acknowledged stays and can be read, and with room again the log goes on.
//!
//! The disk is full when the files have grown by so many bytes; writes then fail or are cut short, as on a real one.

use std::{fs, path::Path};

use pegcount_power_tests::{
    check::{Acknowledged, check},
    load::Shape,
    record::{Record, acknowledged},
    round::{Plan, copy, run},
    seed,
    shim::Faults,
    work_place,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Less than what a load without faults grows to.
const ALL_BYTES: u64 = 512 * 1024;

fn plan(shape: Shape, seed: u64, room_bytes: u64) -> Plan<'static> {
    let faults = Faults { room_bytes: Some(room_bytes), ..Faults::default() };
    let load = Path::new(env!("CARGO_BIN_EXE_power-load"));
    Plan { load, seed, shape, faults, rounds: 1, cuts: 20 }
}

fn note_beginning<'a>(notes: &'a [(usize, String)], begin: &str) -> &'a str {
    let found = notes.iter().find(|(_, note)| note.starts_with(begin));
    found.map_or_else(|| panic!("no note begins with {begin}: {:?}", notes.last()), |(_, note)| note)
}

#[test]
fn a_full_disk_poisons_the_log_which_reads_on_and_with_room_goes_on() {
    poisons_reads_on_and_goes_on(Shape::Small);
}

#[test]
fn a_disk_that_fills_up_while_history_is_sealed_is_no_different() {
    poisons_reads_on_and_goes_on(Shape::Sealed);
}

fn poisons_reads_on_and_goes_on(shape: Shape) {
    let seed = seed();
    let mut random = StdRng::seed_from_u64(seed);
    for _ in 0..4 {
        let work = work_place();
        let root = work.path().join("root");
        fs::create_dir(&root).unwrap();
        let room_bytes = random.random_range(ALL_BYTES / 8..ALL_BYTES);
        let record = Record::of_load(&plan(shape, seed, room_bytes), &root, &work.path().join("trace"));
        let notes = record.notes();
        assert!(record.ended.success(), "with room for {room_bytes}: {}, {:?}", record.ended, notes.last());
        let refused = note_beginning(&notes, "refused");
        assert!(refused.contains("No space left on device"), "{refused}");
        let acknowledged = acknowledged(&Acknowledged::default(), &notes, usize::MAX);
        assert!(!acknowledged.appends.is_empty());
        let read = note_beginning(&notes, "read");
        assert_eq!(read, format!("read Ok({})", acknowledged.end));
        assert!(note_beginning(&notes, "not closed").contains("No space left on device"));
        // When there is room again.
        check(&root.join("log"), shape, seed, acknowledged).unwrap();
    }
}

#[test]
fn power_loss_on_a_full_disk_loses_nothing_that_was_acknowledged() {
    let report = run(&plan(Shape::Small, seed(), ALL_BYTES / 2));
    println!("{report}");
    assert!(report.fallen.is_empty(), "{report}");
}

#[test]
fn a_log_that_cannot_open_for_want_of_room_says_so_and_opens_when_there_is_room() {
    let seed = seed();
    let mut random = StdRng::seed_from_u64(seed);
    let work = work_place();
    let root = work.path().join("root");
    fs::create_dir(&root).unwrap();
    let record = Record::of_load(&plan(Shape::Small, seed, ALL_BYTES / 2), &root, &work.path().join("trace"));
    let mut before = acknowledged(&Acknowledged::default(), &record.notes(), usize::MAX);
    let mut refusals = 0;
    for number in 0..8 {
        // Opening first fills the segment to its end, then writes a snapshot: it is cut short in the one and the other.
        let to_segment_end = || {
            let length = fs::metadata(root.join("log/hot-000001/db")).unwrap().len();
            length.next_multiple_of(Shape::Small.segment_bytes().try_into().unwrap()) - length
        };
        let room_bytes = match number {
            0 => 0,
            1 => random.random_range(0..=to_segment_end()),
            _ => to_segment_end() + random.random_range(0..400),
        };
        let record = Record::of_load(
            &plan(Shape::Small, seed, room_bytes),
            &root,
            &work.path().join(format!("trace-{number}")),
        );
        let notes = record.notes();
        before = acknowledged(&before, &notes, usize::MAX);
        if !record.ended.success() {
            assert!(note_beginning(&notes, "not opened").contains("No space left on device"), "{notes:?}");
            refusals += 1;
        }
        // When there is room again, each time on a copy, since it appends.
        let copied = work.path().join("copy");
        copy(&root.join("log"), &copied);
        check(&copied, Shape::Small, seed, before.clone()).unwrap();
        fs::remove_dir_all(copied).unwrap();
    }
    assert!(refusals > 0);
}
