//! The event log against power loss.
//!
//! ```text
//! power-load ── LD_PRELOAD shim.c ──▶ trace ──▶ disk as it may look after a cut ──▶ SledLog::open, and all of it checked
//! the real log, several tasks         trace.rs   disk.rs, file.rs, fate.rs            check.rs
//! ```
//!
//! - [`shim`], [`trace`]: every write, sync and name below the log's folder, and every acknowledgement, in one order
//! - [`disk`], [`file`](FileState), [`fate`]: what survives of it
//! - [`load`], [`check`]: what was appended, and whether it is there
//! - [`record`], [`round`]: one run of the load, cut in many places; the next begins on a disk left by a cut
//!
//! Not for a killed process: then the page cache survives, which other tests show. Invariant: the disk rebuilt from a
//! whole trace is, byte for byte, the folder that the load left; so nothing that it wrote went unseen.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    reason = "helpers of tests: a panic is how a test fails"
)]

pub mod check;
pub mod disk;
pub mod fate;
mod file;
pub mod load;
pub mod record;
pub mod round;
pub mod shim;
pub mod trace;

pub use file::FileState;

use std::path::{Path, PathBuf};

/// Where folders are rebuilt: in memory if the machine has such a place, since each of them is synced many times.
pub fn work_place() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let parent: PathBuf = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let parent = parent.canonicalize().expect("the folder for temporary files");
    tempfile::Builder::new().prefix("pegcount-power-").tempdir_in(parent).expect("a folder to work in")
}

/// The seed in `SEED`, else one by the clock; printed, so that a failure can be had again.
pub fn seed() -> u64 {
    let given = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| getrandom::u64().expect("random bytes"));
    println!("SEED={seed}");
    seed
}

/// A number from the environment, else `default`.
pub fn number(name: &str, default: usize) -> usize {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")),
        Err(_) => default,
    }
}
