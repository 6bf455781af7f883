//! Finds a row by its dimensions.
//!
//! A hash table of row numbers: the dimensions themselves stand in the list of rows. A general map would hold them once more,
//! half as much memory again as most rows have amounts. Invariant: every row is in it once, and half of it or more is free.

use std::hash::{BuildHasher, BuildHasherDefault};

use rustc_hash::FxHasher;

use super::Dims;

/// No row.
const FREE: u32 = u32::MAX;
/// Places of the first table; a power of two, as all later ones.
const PLACES_MIN: usize = 8;

/// The numbers of rows by the hash of their dimensions.
#[derive(Debug, Default)]
pub(super) struct Index {
    rows: Box<[u32]>,
}

impl Index {
    /// The row with these dimensions.
    #[inline]
    pub(super) fn find(&self, dims: &Dims, keys: &[Dims]) -> Option<u32> {
        self.probe(dims).find_map(|(_, row)| match keys.get(row as usize) {
            Some(key) if key == dims => Some(Some(row)),
            // A free place ends the search.
            None => Some(None),
            Some(_) => None,
        })?
    }

    /// Learns of the last of the rows, which is new.
    pub(super) fn push(&mut self, keys: &[Dims]) {
        if keys.len() * 2 > self.rows.len() {
            self.rows = vec![FREE; (self.rows.len() * 2).max(PLACES_MIN)].into_boxed_slice();
            (0u32..).zip(keys).for_each(|(row, dims)| self.put(row, dims));
        } else if let Some((dims, before)) = keys.split_last() {
            self.put(u32::try_from(before.len()).unwrap_or(FREE), dims);
        }
    }

    fn put(&mut self, row: u32, dims: &Dims) {
        let free = self.probe(dims).find(|(_, known)| *known == FREE).map(|(place, _)| place);
        if let Some(free) = free.and_then(|place| self.rows.get_mut(place)) {
            *free = row;
        }
    }

    /// The places at which a row may be, in the order of the search, with what is there.
    #[inline]
    fn probe(&self, dims: &Dims) -> impl Iterator<Item = (usize, u32)> {
        let mask = self.rows.len().wrapping_sub(1);
        let hash = BuildHasherDefault::<FxHasher>::default().hash_one(dims);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::as_conversions,
            reason = "half of a hash is one too"
        )]
        let first = hash as usize;
        let places = (0..self.rows.len()).map(move |step| first.wrapping_add(step) & mask);
        places.filter_map(|place| Some((place, *self.rows.get(place)?)))
    }
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
