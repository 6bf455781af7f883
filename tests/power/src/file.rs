//! One file of the disk: what is synced, and what was done since.
//!
//! The model, stricter than file systems are: of each sector any version since the last sync may be on the disk, a
//! version being the page as it was after some write (so an older write to the same sector is in it); the length is
//! that after any of the changes; a sector within the length that never reached the disk reads as zeros. A cut that
//! shortened the file and is not on the disk leaves the old sectors, and nothing written there later.
//!
//! Invariant: what was written before a sync began that has returned is there.

use std::{
    collections::{BTreeMap, HashSet},
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::Path,
};

use bytes::Bytes;

use crate::fate::{Fate, WriteFate};

#[derive(Clone, Debug)]
pub(crate) enum Change {
    Write { at: u64, bytes: Bytes },
    Resize(u64),
}

/// What is known of a file.
#[derive(Clone, Debug, Default)]
pub struct FileState {
    synced: Vec<u8>,
    /// With the number of the step that made it.
    since: Vec<(usize, Change)>,
}

impl FileState {
    pub(crate) fn of_synced(synced: Vec<u8>) -> Self {
        Self { synced, since: Vec::new() }
    }

    pub(crate) fn change(&mut self, step: usize, change: Change) {
        self.since.push((step, change));
    }

    /// A sync that began at `begun` has returned.
    pub(crate) fn sync(&mut self, begun: usize) {
        let count = self.since.partition_point(|(step, _)| *step < begun);
        for (_, change) in self.since.drain(..count) {
            apply(&mut self.synced, &change);
        }
    }

    /// The file as the process sees it.
    pub(crate) fn live(&self) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        self.since.iter().for_each(|(_, change)| apply(&mut bytes, change));
        bytes
    }

    /// Writes the file as it may be found after a power loss.
    pub(crate) fn leave(&self, path: &Path, fate: &mut Fate) -> io::Result<()> {
        let file = File::create(path)?;
        file.write_all_at(&self.synced, 0)?;
        if self.since.is_empty() {
            return Ok(());
        }
        let writes = fate.writes(self.since.len());
        let lengths = fate.lengths_kept(self.since.len());
        let mut pages = Pages { synced: &self.synced, size: fate.sector_bytes(), seen: BTreeMap::new() };
        let mut length = byte_count(&self.synced);
        let mut seen_length = length;
        // Beyond this nothing can be there: a shortening that is not on the disk.
        let mut bound = u64::MAX;
        for (at, ((_, change), write)) in self.since.iter().zip(writes).enumerate() {
            match change {
                Change::Resize(to) => {
                    pages.cut(*to);
                    if at < lengths {
                        file.set_len(*to)?;
                        length = *to;
                    } else if *to < seen_length {
                        bound = bound.min(*to);
                    }
                    seen_length = *to;
                }
                Change::Write { at: offset, bytes } => {
                    let touched = pages.write(*offset, bytes);
                    let kept = kept(fate, write, touched.clone());
                    for sector in touched.filter(|sector| kept.contains(sector)) {
                        let begin = sector * pages.size;
                        if begin < bound {
                            file.write_all_at(&pages.seen[&sector], begin)?;
                        }
                    }
                    let end = offset + byte_count(bytes);
                    seen_length = seen_length.max(end);
                    if at < lengths {
                        length = length.max(end);
                    }
                }
            }
        }
        file.set_len(length)
    }
}

fn kept(fate: &mut Fate, write: WriteFate, touched: std::ops::Range<u64>) -> HashSet<u64> {
    match write {
        WriteFate::Kept => touched.collect(),
        WriteFate::Dropped => HashSet::new(),
        WriteFate::Torn => fate.sectors(touched.start, touched.end),
    }
}

/// The sectors written to since the last sync, as the process sees them.
struct Pages<'a> {
    synced: &'a [u8],
    size: u64,
    seen: BTreeMap<u64, Vec<u8>>,
}

impl Pages<'_> {
    /// Gives the sectors that the write touches.
    fn write(&mut self, at: u64, bytes: &[u8]) -> std::ops::Range<u64> {
        let end = at + byte_count(bytes);
        let touched = at / self.size..end.div_ceil(self.size);
        for sector in touched.clone() {
            let begin = sector * self.size;
            let (from, to) = (at.max(begin), end.min(begin + self.size));
            let part = &bytes[index(from - at)..index(to - at)];
            self.page(sector)[index(from - begin)..index(to - begin)].copy_from_slice(part);
        }
        touched
    }

    fn cut(&mut self, len: u64) {
        let count = byte_count(self.synced);
        for sector in len / self.size..count.div_ceil(self.size).max(len / self.size) {
            let keep = index(len.saturating_sub(sector * self.size));
            self.page(sector).iter_mut().skip(keep).for_each(|byte| *byte = 0);
        }
        for (sector, page) in self.seen.range_mut(len / self.size..) {
            let keep = index(len.saturating_sub(sector * self.size));
            page.iter_mut().skip(keep).for_each(|byte| *byte = 0);
        }
    }

    fn page(&mut self, sector: u64) -> &mut Vec<u8> {
        let (synced, size) = (self.synced, self.size);
        self.seen.entry(sector).or_insert_with(|| {
            let begin = index(sector * size).min(synced.len());
            let end = index((sector + 1) * size).min(synced.len());
            let mut page = synced[begin..end].to_vec();
            page.resize(index(size), 0);
            page
        })
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Resize(len) => bytes.resize(index(*len), 0),
        Change::Write { at, bytes: written } => {
            let (from, to) = (index(*at), index(*at) + written.len());
            bytes.resize(bytes.len().max(to), 0);
            bytes[from..to].copy_from_slice(written);
        }
    }
}

fn index(bytes: u64) -> usize {
    usize::try_from(bytes).expect("fits in memory")
}

fn byte_count(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("fits in a file")
}
