//! Blocks of the two indexes: entries sorted by fingerprint, each with some bytes of its own.
//!
//! Not for what the bytes mean: that is [`super::entry`]. Invariant: within a block, and from block to block, fingerprints
//! never go down; whatever the bytes, reading gives an entry or none, and never panics.

use std::ops::Range;

use crate::{frame::widen, keys::Key};

/// A block ends once it has so many bytes.
pub(crate) const INDEX_BLOCK_BYTES: usize = 64 * 1024;
const COUNT_BYTES: usize = 4;
const KEY_BYTES: usize = 16;
const ENTRY_BYTES: usize = KEY_BYTES + 4;

/// Collects entries into a block.
#[derive(Default)]
pub(crate) struct BlockBuilder {
    entries: Vec<(Key, usize)>,
    data: Vec<u8>,
}

impl BlockBuilder {
    /// Adds an entry, whose bytes `put` appends.
    pub(crate) fn push(&mut self, key: Key, put: impl FnOnce(&mut Vec<u8>)) {
        self.entries.push((key, self.data.len()));
        put(&mut self.data);
    }

    pub(crate) fn bytes(&self) -> usize {
        COUNT_BYTES + self.entries.len() * ENTRY_BYTES + self.data.len()
    }

    /// Ends the block: its first fingerprint and its bytes; none if it is empty.
    pub(crate) fn finish(&mut self) -> Option<(Key, Vec<u8>)> {
        let (first, _) = *self.entries.first()?;
        let mut bytes = Vec::with_capacity(self.bytes());
        let data_at = COUNT_BYTES + self.entries.len() * ENTRY_BYTES;
        bytes.extend_from_slice(&low_u32(self.entries.len()));
        for (key, at) in self.entries.drain(..) {
            bytes.extend_from_slice(&key.to_le_bytes());
            bytes.extend_from_slice(&low_u32(data_at + at));
        }
        bytes.append(&mut self.data);
        Some((first, bytes))
    }
}

/// Blocks are far shorter than 4 GiB.
fn low_u32(number: usize) -> [u8; 4] {
    let [a, b, c, d, ..] = widen(number).to_le_bytes();
    [a, b, c, d]
}

/// A block that was read.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    bytes: &'a [u8],
    count: usize,
}

impl<'a> Block<'a> {
    /// None if these are not a block's bytes.
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        let count = usize::try_from(u32::from_le_bytes(*bytes.first_chunk()?)).ok()?;
        let table_end = count.checked_mul(ENTRY_BYTES)?.checked_add(COUNT_BYTES)?;
        (table_end <= bytes.len()).then_some(Self { bytes, count })
    }

    /// How many entries it has.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// The fingerprint of an entry.
    pub(crate) fn key(&self, index: usize) -> Option<Key> {
        let at = COUNT_BYTES + index * ENTRY_BYTES;
        Some(Key::from_le_bytes(*self.bytes.get(at..)?.first_chunk()?))
    }

    /// The bytes of an entry.
    pub(crate) fn data(&self, index: usize) -> Option<&'a [u8]> {
        let at = COUNT_BYTES + index * ENTRY_BYTES + KEY_BYTES;
        let place = u32::from_le_bytes(*self.bytes.get(at..)?.first_chunk()?);
        self.bytes.get(usize::try_from(place).ok()?..)
    }

    /// The entries of `key`.
    pub(crate) fn entries_of(&self, key: Key) -> Range<usize> {
        self.partition(|other| other < key)..self.partition(|other| other <= key)
    }

    fn partition(&self, before: impl Fn(Key) -> bool) -> usize {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low.midpoint(high);
            if self.key(middle).is_some_and(&before) { low = middle + 1 } else { high = middle }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_their_fingerprint() {
        let mut builder = BlockBuilder::default();
        assert!(builder.finish().is_none());
        for key in [3, 5, 5, 5, 9] {
            builder.push(key, |data| data.push(u8::try_from(key).unwrap()));
        }
        let bytes = builder.bytes();
        let (first, block) = builder.finish().unwrap();
        assert_eq!((first, block.len()), (3, bytes));
        let block = Block::new(&block).unwrap();
        assert_eq!(block.entries_of(5), 1..4);
        assert_eq!(block.entries_of(9), 4..5);
        assert!(block.entries_of(4).is_empty() && block.entries_of(10).is_empty());
        assert_eq!(block.data(4).unwrap(), [9]);
    }

    #[test]
    fn bytes_that_are_no_block_are_refused() {
        assert!(Block::new(&[]).is_none());
        assert!(Block::new(&[9, 0, 0, 0, 1]).is_none());
        assert!(Block::new(&[255; 40]).is_none());
    }
}
