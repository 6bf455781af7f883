//! The blocks of segments, and of their pages, that were read last, in as much memory as is allowed.
//!
//! Invariant: what is in here has been checked against its checksum.

use std::sync::Arc;

use quick_cache::{Weighter, sync::Cache};

use super::Kind;
use crate::frame::widen;

/// Where a block lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// Of a file of pages its checksum, since it may be made again; none for a segment.
    pages: Option<u32>,
    kind: Kind,
    number: u64,
    offset: u64,
}

impl Place {
    /// In segment or stub `number`.
    pub(crate) const fn of_segment(kind: Kind, number: u64, offset: u64) -> Self {
        Self { pages: None, kind, number, offset }
    }

    /// In the pages of segment `number`, in the file with this checksum of its directory.
    pub(crate) const fn of_pages(number: u64, crc: u32, offset: u64) -> Self {
        Self { pages: Some(crc), kind: Kind::Segment, number, offset }
    }
}

/// What an entry takes beside its bytes.
const ENTRY_OVERHEAD_BYTES: u64 = 100;
/// For the cache's tables; most blocks are of about this length.
const BLOCK_BYTES_USUAL: u64 = 64 * 1024;

#[derive(Clone)]
struct Bytes;

impl Weighter<Place, Arc<[u8]>> for Bytes {
    fn weight(&self, _: &Place, block: &Arc<[u8]>) -> u64 {
        widen(block.len()) + ENTRY_OVERHEAD_BYTES
    }
}

/// A cache of blocks.
pub(crate) struct BlockCache(Cache<Place, Arc<[u8]>, Bytes>);

impl BlockCache {
    /// Of at most `bytes`.
    pub(crate) fn new(bytes: u64) -> Self {
        let count = usize::try_from(bytes / BLOCK_BYTES_USUAL).unwrap_or(usize::MAX).clamp(16, 1 << 20);
        Self(Cache::with_weighter(count, bytes, Bytes))
    }

    /// The block at `place`; if it is not here, what `read` gives, which is kept.
    pub(crate) fn get<E>(
        &self,
        place: Place,
        read: impl FnOnce() -> Result<Arc<[u8]>, E>,
    ) -> Result<Arc<[u8]>, E> {
        if let Some(block) = self.0.get(&place) {
            return Ok(block);
        }
        // Two that miss at once both read: that costs less than waiting for each other.
        let block = read()?;
        self.0.insert(place, Arc::clone(&block));
        Ok(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_no_more_than_it_may() {
        let cache = BlockCache::new(1_000_000);
        for offset in 0..1_000 {
            let block = cache
                .get(Place::of_segment(Kind::Segment, 1, offset), || Ok::<_, ()>(vec![7; 50_000].into()))
                .unwrap();
            assert_eq!(block.len(), 50_000);
        }
        assert!(cache.0.weight() <= 1_000_000);
        assert!(cache.get(Place::of_segment(Kind::Segment, 1, 5_000), || Err(7)).is_err());
    }
}
