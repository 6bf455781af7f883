//! Tells the program by which code it folds: a checkpoint that other code made is not to be gone on from.
//!
//! A number that somebody must remember to raise would be forgotten once, and figures would be wrong for good; so it is a
//! hash of every source file that has a part in folding.

use std::{
    env, fs,
    hash::{DefaultHasher, Hasher},
    io,
    path::{Path, PathBuf},
};

/// From this crate's folder: what decides what a fold makes of the log, and how it is written down.
const FOLDING: [&str; 6] =
    ["src", "../kpi/src", "../domain/src", "../proto/src", "../../proto/pegcount/store", "../../Cargo.lock"];

fn main() -> io::Result<()> {
    let crate_dir = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut hasher = DefaultHasher::new();
    for part in FOLDING {
        println!("cargo::rerun-if-changed={part}");
        hash(&crate_dir.join(part), &mut hasher)?;
    }
    println!("cargo::rustc-env=PEGCOUNT_FOLDING={}", hasher.finish());
    Ok(())
}

fn hash(path: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    if !path.is_dir() {
        hasher.write(&fs::read(path)?);
        return Ok(());
    }
    let mut entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    entries.iter().try_for_each(|entry| {
        hasher.write(entry.file_name().unwrap_or_default().as_encoded_bytes());
        hash(entry, hasher)
    })
}
