#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

//! A byte flipped, a region overwritten or a file cut, anywhere in a log's folder: the log is whole, or says that it is
//! damaged; it never panics through, and never gives wrong or fewer events as if they were all.
//!
//! `POWER_DAMAGES` says how many places (400 by default), `SEED` which.

use std::{
    fs,
    path::{Path, PathBuf},
};

use pegcount_power_tests::{
    check::{Acknowledged, Failure, look},
    load::Shape,
    number,
    record::{Record, acknowledged},
    round::{Plan, copy},
    seed,
    shim::Faults,
    work_place,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// No file but databases and segments is so large.
const LARGE_BYTES: u64 = 20_000;

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn names_it(why: &str) -> bool {
    why.starts_with("damage in") || why.contains("has log format")
}

/// Changes a file; says how.
fn damage(bytes: &mut Vec<u8>, random: &mut StdRng) -> String {
    let at = random.random_range(0..bytes.len());
    match random.random_range(0..4) {
        0 => {
            bytes[at] ^= 1 << random.random_range(0..8);
            format!("a bit flipped at {at}")
        }
        1 => {
            bytes.truncate(at);
            format!("cut at {at}")
        }
        kind => {
            let end = (at + random.random_range(1..5_000)).min(bytes.len());
            match kind {
                2 => bytes[at..end].fill(0),
                _ => random.fill(&mut bytes[at..end]),
            }
            format!("{at}..{end} overwritten with {}", ["zeros", "noise"][kind - 2])
        }
    }
}

#[test]
fn damage_in_a_database_is_named_and_wrong_or_missing_events_are_never_given() {
    damage_is_named(Shape::Small);
}

#[test]
fn damage_in_sealed_history_is_named_and_wrong_or_missing_events_are_never_given() {
    damage_is_named(Shape::Sealed);
}

fn damage_is_named(shape: Shape) {
    let seed = seed();
    let mut random = StdRng::seed_from_u64(seed);
    let work = work_place();
    let root = work.path().join("root");
    fs::create_dir(&root).unwrap();
    let load = Path::new(env!("CARGO_BIN_EXE_power-load"));
    let plan = Plan { load, seed, shape, faults: Faults::default(), rounds: 1, cuts: 0 };
    // Opened a second time, so that there is a snapshot too.
    let mut before = Acknowledged::default();
    for round in 0..2 {
        let record = Record::of_load(&plan, &root, &work.path().join(format!("trace-{round}")));
        before = acknowledged(&before, &record.notes(), usize::MAX);
    }
    let length = |file: &&PathBuf| fs::metadata(file).unwrap().len();
    let all = files(&root.join("log"));
    let files: Vec<_> = all.iter().filter(|file| length(file) > 0).collect();
    let large: Vec<_> = all.iter().filter(|file| length(file) >= LARGE_BYTES).collect();
    assert!(files.len() >= 5, "{files:?}");
    let (mut named, mut whole, mut wrong) = (0, 0, Vec::new());
    for _ in 0..number("POWER_DAMAGES", 400) / 2 {
        // Databases and segments hold nearly all; the small files come up as often as their parts.
        let among = if random.random() { &large } else { &files };
        let file = &among[random.random_range(0..among.len())];
        let below = file.strip_prefix(root.join("log")).unwrap();
        let dir = work.path().join("damaged");
        copy(&root.join("log"), &dir);
        let mut bytes = fs::read(file).unwrap();
        let how = damage(&mut bytes, &mut random);
        fs::write(dir.join(below), bytes).unwrap();
        match look(&dir, shape, seed, before.clone()) {
            Ok(_) => whole += 1,
            Err(Failure::Refused(why) | Failure::Unread(why)) if names_it(&why) => named += 1,
            Err(failure) => wrong.push(format!("{}: {how}: {failure:?}", below.display())),
        }
        fs::remove_dir_all(dir).unwrap();
    }
    println!("{named} named, {whole} whole, {} neither", wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(named > 0);
}
