//! Zeros ahead of what sled has written, so that a sync has no length and no blocks of the file to make durable beside
//! the bytes: a fifth of its time and a third of what it takes of the processors (benches/RESULTS.md), on a file system
//! without a journal; with one, it need not wait for that either.
//!
//! They are nothing new to sled: opening a database fills the rest of its last segment with zeros in the same way, and
//! reading ends at them as it does at the end of the file.
//!
//! Invariant: no byte of sled's is overwritten. Zeros go beyond the end of the file, at a distance, between two groups,
//! when sled has nothing left to write; and not beyond the segment that it is in.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::frame::widen;

/// How many times it goes into a segment what is filled at once, and what is left free before it (a reader can make sled
/// write a few hundred bytes at any time).
const FILLS_PER_SEGMENT: u64 = 8;
const DISTANCES_PER_SEGMENT: u64 = 128;
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// How far the zeros go.
#[derive(Debug, Default)]
pub(super) struct Ahead(AtomicU64);

impl Ahead {
    /// Fills a piece of `file` if sled has come to the end of the one before. Only for who is about to add a group.
    pub(super) fn keep(&self, file: &File, segment_bytes: usize) -> io::Result<()> {
        let length = file.metadata()?.len();
        if length == self.0.load(Ordering::Relaxed) {
            return Ok(());
        }
        let segment = widen(segment_bytes);
        let begin = length + segment / DISTANCES_PER_SEGMENT;
        let end = (begin + segment / FILLS_PER_SEGMENT).min(length.next_multiple_of(segment));
        if begin < end {
            fill(file, begin, end)?;
            self.0.store(end, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn fill(file: &File, mut begin: u64, end: u64) -> io::Result<()> {
    while begin < end {
        let piece = ZEROS.get(..usize::try_from(end - begin).unwrap_or(usize::MAX)).unwrap_or(&ZEROS);
        file.write_all_at(piece, begin)?;
        begin += widen(piece.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENT: usize = 256 * 1024;

    #[test]
    fn zeros_begin_beyond_the_end_and_stay_within_the_segment() {
        let file = tempfile::tempfile().unwrap();
        let ahead = Ahead::default();
        let length = || file.metadata().unwrap().len();
        file.write_all_at(&[7; 1_000], 0).unwrap();
        ahead.keep(&file, SEGMENT).unwrap();
        assert_eq!(length(), 1_000 + 2_048 + 32_768);
        let mut bytes = vec![1; 1_000];
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(bytes, [7; 1_000]);

        ahead.keep(&file, SEGMENT).unwrap();
        assert_eq!(length(), 1_000 + 2_048 + 32_768, "sled is not there yet");
        file.write_all_at(&[7; 1_000], 255_000).unwrap();
        ahead.keep(&file, SEGMENT).unwrap();
        assert_eq!(length(), 258_048 + 4_096, "only up to the segment's end");
        file.write_all_at(&[7; 1], 262_143).unwrap();
        ahead.keep(&file, SEGMENT).unwrap();
        assert_eq!(length(), 262_144);
    }
}
