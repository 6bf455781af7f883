//! Finds a row by its dimensions.
//!
//! A hash table of row numbers: the dimensions themselves stand in the list of rows. A map would hold them once more, half as
//! much memory again as most rows have amounts. Invariant: every row is in it once.

use std::hash::{BuildHasher, BuildHasherDefault};

use hashbrown::HashTable;
use rustc_hash::FxHasher;

use super::Dims;

/// The numbers of rows by the hash of their dimensions.
#[derive(Debug, Default)]
pub(super) struct Index {
    rows: HashTable<u32>,
}

impl Index {
    /// The row with these dimensions.
    #[inline]
    pub(super) fn find(&self, dims: &Dims, keys: &[Dims]) -> Option<u32> {
        let is_it = |row: &u32| keys.get(*row as usize) == Some(dims);
        self.rows.find(hash(dims), is_it).copied()
    }

    /// What it takes of memory, bytes.
    pub(super) fn bytes(&self) -> usize {
        self.rows.allocation_size()
    }

    /// Learns of the last of the rows, which is new.
    pub(super) fn push(&mut self, keys: &[Dims]) {
        let Some((dims, before)) = keys.split_last() else { return };
        let row = u32::try_from(before.len()).unwrap_or(u32::MAX);
        self.rows.insert_unique(hash(dims), row, |row| keys.get(*row as usize).map_or(0, hash));
    }
}

#[inline]
fn hash(dims: &Dims) -> u64 {
    BuildHasherDefault::<FxHasher>::default().hash_one(dims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Id;

    #[test]
    fn every_row_is_found_and_no_other() {
        let (mut index, mut keys) = (Index::default(), Vec::new());
        let dims = |agent| Dims { agent: Id(agent), ..Dims::default() };
        assert_eq!(index.find(&dims(0), &keys), None);
        for agent in 0..1_000 {
            assert_eq!(index.find(&dims(agent), &keys), None);
            keys.push(dims(agent));
            index.push(&keys);
        }
        for agent in 0..1_000 {
            assert_eq!(index.find(&dims(agent), &keys), Some(agent));
        }
    }
}
