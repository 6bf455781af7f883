#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

//! A byte flipped, a region overwritten or a file cut, anywhere in a log's folder or in a backup: the log is whole, or says
//! that it is damaged, and so does `log verify`; it never panics through, and never gives wrong or fewer events as if they
//! were all.
//!
//! `POWER_DAMAGES` says how many places (400 by default in logs, a quarter more in a backup), `SEED` which.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use pegcount_log::tools;
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

/// A log that was written to twice, so that there is a snapshot too; what was acknowledged of it.
fn a_log(shape: Shape, seed: u64, work: &Path) -> (PathBuf, Acknowledged) {
    let root = work.join("root");
    fs::create_dir(&root).unwrap();
    let load = Path::new(env!("CARGO_BIN_EXE_power-load"));
    let plan = Plan { load, seed, shape, faults: Faults::default(), rounds: 1, cuts: 0 };
    let mut before = Acknowledged::default();
    for round in 0..2 {
        let record = Record::of_load(&plan, &root, &work.join(format!("trace-{round}")));
        before = acknowledged(&before, &record.notes(), usize::MAX);
    }
    (root.join("log"), before)
}

/// Damages a file of the folder in so many places, each time in a copy, and hands that over with the file's path below the
/// folder and what was done to it.
fn each_damage(
    whole: &Path,
    work: &Path,
    count: usize,
    random: &mut StdRng,
    mut take: impl FnMut(&Path, &Path, &str),
) {
    let mut kinds = BTreeMap::<String, Vec<PathBuf>>::new();
    for file in files(whole).into_iter().filter(|file| fs::metadata(file).unwrap().len() > 0) {
        kinds.entry(kind(file.strip_prefix(whole).unwrap())).or_default().push(file);
    }
    let kinds: Vec<_> = kinds.into_iter().collect();
    let mut hit = BTreeMap::<&str, usize>::new();
    for _ in 0..count {
        // Databases and segments hold nearly all; the small files come up as often.
        let (kind, files) = &kinds[random.random_range(0..kinds.len())];
        *hit.entry(kind).or_default() += 1;
        let file = &files[random.random_range(0..files.len())];
        let below = file.strip_prefix(whole).unwrap();
        let dir = work.join("damaged");
        copy(whole, &dir);
        let mut bytes = fs::read(file).unwrap();
        let how = damage(&mut bytes, random);
        fs::write(dir.join(below), bytes).unwrap();
        take(&dir, below, &how);
        fs::remove_dir_all(dir).unwrap();
    }
    println!("damaged: {hit:?}");
    assert!(hit.len() == kinds.len() || count < kinds.len() * 10, "{hit:?}");
}

/// `FORMAT`, `MANIFEST`, `hot`, `segment` and so on.
fn kind(below: &Path) -> String {
    let name = below.iter().next().unwrap().to_string_lossy();
    name.split('-').next().unwrap().to_owned()
}

/// Whether `log verify` finds something, or refuses to look for a reason that it names.
fn verify_finds(dir: &Path) -> Result<bool, String> {
    match tools::verify(dir, &()) {
        Ok(verified) => Ok(verified.damages_count > 0),
        Err(error) if names_it(&error.to_string()) => Ok(true),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn damage_in_a_database_is_named_and_wrong_or_missing_events_are_never_given() {
    damage_is_named(Shape::Small);
}

#[test]
fn damage_in_sealed_history_is_named_and_wrong_or_missing_events_are_never_given() {
    damage_is_named(Shape::Served);
}

fn damage_is_named(shape: Shape) {
    let seed = seed();
    let mut random = StdRng::seed_from_u64(seed);
    let work = work_place();
    let (log, before) = a_log(shape, seed, work.path());
    assert!(shape != Shape::Served || verify_finds(&log) == Ok(false));
    let (mut named, mut whole, mut beside, mut wrong) = (0, 0, 0, Vec::new());
    let count = number("POWER_DAMAGES", 400) / 2;
    each_damage(&log, work.path(), count, &mut random, |dir, below, how| {
        // Checked in a copy of its own: looking lets sled write. Tools know sled's segments only as a server has them.
        let checked = work.path().join("checked");
        copy(dir, &checked);
        let found = if shape == Shape::Served { verify_finds(&checked).map(Some) } else { Ok(None) };
        fs::remove_dir_all(checked).unwrap();
        match look(dir, shape, seed, before.clone()) {
            // What opening and reading do not need, an index say, may be damaged all the same.
            Ok(_) if found.is_ok() => {
                whole += 1;
                beside += usize::from(found == Ok(Some(true)));
            }
            Err(Failure::Refused(why) | Failure::Unread(why))
                if names_it(&why) && matches!(found, Ok(None | Some(true))) =>
            {
                named += 1;
            }
            looked => wrong.push(format!(
                "{}: {how}: {:?}, verify: {found:?}",
                below.display(),
                looked.map(|content| content.end)
            )),
        }
    });
    println!(
        "{named} named, {whole} whole, of them {beside} with what verify finds, {} neither",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(named > 0);
}

#[test]
fn damage_in_a_backup_is_named_and_what_is_restored_of_one_is_whole() {
    let seed = seed();
    let mut random = StdRng::seed_from_u64(seed);
    let work = work_place();
    let shape = Shape::Served;
    let (log, before) = a_log(shape, seed, work.path());
    let backup = work.path().join("backup");
    tools::Backup::begin(&log, &backup).unwrap().finish(&()).unwrap();
    assert_eq!(verify_finds(&backup), Ok(false));
    let (mut named, mut whole, mut wrong) = (0, 0, Vec::new());
    let count = number("POWER_DAMAGES", 400) / 4;
    each_damage(&backup, work.path(), count, &mut random, |dir, below, how| {
        let found = verify_finds(dir);
        let restored = work.path().join("restored");
        let outcome = tools::restore(dir, &restored, tools::Until::End, &());
        let looked = outcome.as_ref().map(|_| look(&restored.join("log"), shape, seed, before.clone()));
        match (&found, looked) {
            (Ok(true), Err(error)) if names_it(&error.to_string()) => named += 1,
            (Ok(_), Ok(Ok(_))) => whole += 1,
            (found, looked) => wrong.push(format!(
                "{}: {how}: verify: {found:?}, restored: {:?}",
                below.display(),
                looked.map(|looked| looked.map(|content| content.end))
            )),
        }
        // Nothing is there if it was refused.
        fs::remove_dir_all(&restored).ok();
    });
    println!("{named} named, {whole} whole, {} neither", wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(named > 0);
}
