//! A bounded run of what `fuzz/` does without end: random bytes and changed samples through every decoder.
//!
//! SEED repeats a run, ROUNDS makes it longer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::{
    alloc::System,
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Mutex, MutexGuard},
    time::{SystemTime, UNIX_EPOCH},
};

use pegcount_decoder_tests::decoders;
use pegcount_log::fuzzing::Decoder;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// All that one input may make a decoder (and what checks it) allocate, bytes, freed or not: a length that is believed
/// asks for gigabytes.
const ALLOCATED_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The longest random input, bytes.
const RANDOM_BYTES_MAX: usize = 300;

/// What is allocated is counted for the whole process, so one test runs at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

fn seed() -> u64 {
    let by_time = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let seed = number("SEED").unwrap_or_else(by_time);
    println!("SEED={seed}");
    seed
}

/// What the bytes mean; whatever goes wrong is told with the bytes that it went wrong with.
fn read(decoder: &Decoder, bytes: &[u8]) -> Option<String> {
    let before = Region::new(ALLOCATOR);
    let outcome = catch_unwind(AssertUnwindSafe(|| (decoder.read)(bytes)));
    let allocated = before.change().bytes_allocated;
    let told = || format!("{} of {} bytes: {bytes:02x?}", decoder.name, bytes.len());
    assert!(allocated <= ALLOCATED_BYTES_MAX, "{allocated} bytes allocated for {}", told());
    let outcome = outcome.unwrap_or_else(|_| panic!("a panic at {}", told()));
    outcome.unwrap_or_else(|broken| panic!("{broken}: {}", told()))
}

/// One change of the kinds that disks, networks and hands make.
fn change(bytes: &mut Vec<u8>, random: &mut StdRng, others: &[Vec<u8>]) {
    if bytes.is_empty() {
        bytes.push(random.random());
        return;
    }
    let at = random.random_range(0..bytes.len());
    let end = random.random_range(at..=bytes.len());
    match random.random_range(0..9) {
        0 => bytes[at] ^= 1 << random.random_range(0..8),
        1 => bytes[at] = random.random(),
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at..end)),
        4 => bytes[at..end].fill(0),
        5 => {
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again);
        }
        6 => {
            // Lengths and counts that lie.
            let wide = [u64::MAX, 1 << 32, u64::from(u32::MAX), 1 << 31, 0, 1][random.random_range(0..6)];
            let lie = wide.to_le_bytes();
            let width = [1, 2, 4, 8][random.random_range(0..4)].min(bytes.len() - at);
            bytes[at..at + width].copy_from_slice(&lie[..width]);
        }
        7 => {
            // The same as varints.
            let lies: [&[u8]; 4] = [
                &[0xFF, 0xFF, 0xFF, 0xFF, 0x0F],
                &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
                &[0x80, 0x80, 0x80, 0x80, 0x08],
                &[0],
            ];
            bytes.splice(at..=at, lies[random.random_range(0..4)].iter().copied());
        }
        _ => {
            let other = &others[random.random_range(0..others.len())];
            let from = random.random_range(0..=other.len());
            bytes.splice(at..end, other[from..].iter().copied());
        }
    }
    // Growth upon growth would only make the run slow.
    bytes.truncate(20_000);
}

#[test]
fn every_sample_is_read_and_every_decoder_has_a_target_for_the_long_run() {
    let _alone = alone();
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let mut names = HashSet::new();
    for decoder in decoders() {
        let name = decoder.name;
        assert!(names.insert(name), "{name} stands in the list twice");
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "{name} is no target of fuzz/Cargo.toml");
        let target = std::fs::read_to_string(fuzz.join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("run(\"{name}\", bytes)")), "{target}");
        let samples = (decoder.samples)();
        assert!(!samples.is_empty(), "{name} has no samples");
        for sample in samples {
            assert!(read(&decoder, &sample).is_some(), "{name} refuses a sample of its own: {sample:?}");
        }
    }
}

#[test]
fn random_bytes_never_do_harm() {
    let _alone = alone();
    let mut random = StdRng::seed_from_u64(seed());
    for decoder in decoders() {
        for _ in 0..number("ROUNDS").unwrap_or(1_500) {
            let length = random.random_range(0..RANDOM_BYTES_MAX);
            let bytes: Vec<u8> = (0..length).map(|_| random.random()).collect();
            let meaning = read(&decoder, &bytes);
            assert!(
                meaning.is_none() || !decoder.checksummed,
                "{} reads {meaning:?} of random bytes",
                decoder.name
            );
        }
    }
}

#[test]
fn changed_samples_never_do_harm_and_are_never_read_as_something_else_under_a_checksum() {
    let _alone = alone();
    let mut random = StdRng::seed_from_u64(seed());
    for decoder in decoders() {
        let samples = (decoder.samples)();
        let meanings: HashSet<_> = samples.iter().map(|sample| read(&decoder, sample)).collect();
        for round in 0..number("ROUNDS").unwrap_or(1_500) {
            let mut bytes = samples[usize::try_from(round).unwrap() % samples.len()].clone();
            for _ in 0..random.random_range(1..4) {
                change(&mut bytes, &mut random, &samples);
            }
            let meaning = read(&decoder, &bytes);
            if decoder.checksummed && meaning.is_some() {
                assert!(
                    meanings.contains(&meaning),
                    "{} reads {meaning:?} of changed bytes {bytes:02x?}",
                    decoder.name
                );
            }
        }
    }
}
