//! A filter of names: says of a name that it is not there, or that it may be.
//!
//! A split-block Bloom filter in the layout of Apache Parquet: one cache line for each question, whatever its size, and
//! it can be cut into pages. (A binary fuse filter is smaller, but asks three lines, has to be built as a whole, and
//! its layout is a library's own.)
//!
//! Invariant: a name that was put in always passes.

use crate::{frame::widen, keys::Key};

/// Bytes of a block.
pub(crate) const FILTER_BLOCK_BYTES: usize = 32;
/// Blocks of a page, the part that is read and checked at once: 64 KiB.
pub(crate) const FILTER_PAGE_BLOCKS: u32 = 2_048;
const BITS_PER_NAME: usize = 16;
const SALTS: [u32; 8] =
    [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];

/// A name as filters are asked for it: where its bits are, in a filter of any size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sought {
    high: u64,
    bits: [u32; 8],
}

impl Sought {
    pub(crate) fn of(key: Key) -> Self {
        let low = u32::try_from(key & u128::from(u32::MAX)).unwrap_or_default();
        let high = u64::try_from((key >> 32) & u128::from(u32::MAX)).unwrap_or_default();
        Self { high, bits: SALTS.map(|salt| 1 << (low.wrapping_mul(salt) >> 27)) }
    }

    /// The number of its block in a filter of `blocks` blocks.
    pub(crate) fn block(&self, blocks: u32) -> u32 {
        u32::try_from((self.high * u64::from(blocks)) >> 32).unwrap_or(u32::MAX)
    }

    /// Its bit in each word of its block.
    pub(super) fn bits(&self) -> &[u32; 8] {
        &self.bits
    }

    /// Whether the name may be in the filter of `blocks` blocks of which `bytes` begin with block number `first`.
    #[inline]
    pub(crate) fn may_be_in(&self, blocks: u32, bytes: &[u8], first: u32) -> bool {
        let index = usize::try_from(self.block(blocks).saturating_sub(first)).unwrap_or(usize::MAX);
        let at = index.saturating_mul(FILTER_BLOCK_BYTES);
        let block = bytes.get(at..).and_then(|rest| rest.first_chunk());
        // What is not there cannot say no.
        block.is_none_or(|block| self.is_set(block))
    }

    /// Whether `block` has all its bits. Without a branch: of those who are asked nearly all say no, each at another bit.
    #[inline]
    fn is_set(&self, block: &[u8; FILTER_BLOCK_BYTES]) -> bool {
        let (words, _) = block.as_chunks::<4>();
        let unset = |(word, bit): (&[u8; 4], &u32)| !u32::from_le_bytes(*word) & bit;
        words.iter().zip(&self.bits).map(unset).fold(0, |all, one| all | one) == 0
    }
}

/// A filter of these names; at least one block.
pub(crate) fn build(keys: impl ExactSizeIterator<Item = Key>) -> (u32, Vec<u8>) {
    let mut builder = FilterBuilder::new(keys.len());
    keys.for_each(|key| builder.put(key));
    builder.finish()
}

/// Makes a filter name by name.
pub(crate) struct FilterBuilder {
    count: u32,
    bytes: Vec<u8>,
}

impl FilterBuilder {
    /// For about `names` names.
    pub(crate) fn new(names: usize) -> Self {
        let blocks = blocks_for(names);
        let count = u32::try_from(blocks).unwrap_or(u32::MAX);
        Self { count, bytes: vec![0; blocks * FILTER_BLOCK_BYTES] }
    }

    pub(crate) fn put(&mut self, key: Key) {
        let sought = Sought::of(key);
        let block = usize::try_from(sought.block(self.count)).unwrap_or(usize::MAX);
        let at = block.saturating_mul(FILTER_BLOCK_BYTES);
        let bits = sought.bits.into_iter().flat_map(u32::to_le_bytes);
        let block = self.bytes.get_mut(at..).unwrap_or_default();
        block.iter_mut().zip(bits).for_each(|(byte, bit)| *byte |= bit);
    }

    /// How many blocks it has, and their bytes.
    pub(crate) fn finish(self) -> (u32, Vec<u8>) {
        (self.count, self.bytes)
    }
}

/// How many blocks a filter of so many names has.
pub(crate) fn blocks_for(names: usize) -> usize {
    names.saturating_mul(BITS_PER_NAME).div_ceil(8 * FILTER_BLOCK_BYTES).max(1)
}

/// Bytes of a filter of `blocks` blocks.
pub(crate) fn bytes_of(blocks: u32) -> u64 {
    u64::from(blocks) * widen(FILTER_BLOCK_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> Key {
        xxhash_rust::xxh3::xxh3_128(&number.to_le_bytes())
    }

    #[test]
    fn every_name_that_was_put_in_passes_and_few_others_do() {
        let (blocks, bytes) = build((0..50_000_u32).map(|number| key(number.into())));
        let passes = |number| Sought::of(key(number)).may_be_in(blocks, &bytes, 0);
        assert!((0..50_000).all(passes));
        let wrong = (50_000..150_000).filter(|number| passes(*number)).count();
        assert!(wrong < 400, "{wrong} of 100,000 pass");
    }

    #[test]
    fn a_page_answers_as_the_whole_filter_does() {
        let (blocks, bytes) = build((0..100_000_u32).map(|number| key(number.into())));
        for number in 0..200_000 {
            let sought = Sought::of(key(number));
            let page = sought.block(blocks) / FILTER_PAGE_BLOCKS;
            let begin = usize::try_from(page * FILTER_PAGE_BLOCKS).unwrap() * FILTER_BLOCK_BYTES;
            let part = &bytes[begin..];
            let by_page = sought.may_be_in(blocks, part, page * FILTER_PAGE_BLOCKS);
            assert_eq!(by_page, sought.may_be_in(blocks, &bytes, 0));
        }
    }

    #[test]
    fn the_layout_stays_as_it_is_on_disk() {
        let (blocks, bytes) = build((0..40_u32).map(|number| key(number.into())));
        assert_eq!((blocks, crc32c::crc32c(&bytes)), (3, 540_216_235));
    }
}
