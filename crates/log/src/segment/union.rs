//! One filter over the names of many segments: a name that is in none of them is asked for once, not once a segment.
//!
//! In memory only, made from the segments' indexes by the thread that seals. Not for which segment holds a name: whoever
//! passes is looked for segment by segment.
//!
//! Invariants: a name of a segment that is covered always passes; names are put in while others ask, and a segment counts as
//! covered only once all of its names are in.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use pegcount_domain::envelope::Position;

use super::{
    directory::Section,
    entry::{CounterRun, StreamRun},
    filter::{FILTER_BLOCK_BYTES, Sought, blocks_for},
    read::Segment,
    walk::Entries,
};
use crate::{api::LogError, frame::widen, keys::Key};

const WORDS: usize = FILTER_BLOCK_BYTES / 4;
/// Names are put in so many at a time, between two looks at whether the log closes.
const NAMES_AT_ONCE: u64 = 4_096;

type Block = [AtomicU32; WORDS];

pub(crate) struct Union {
    blocks: Box<[Block]>,
    /// How many names it has room for.
    room: u64,
    names: AtomicU64,
    /// Segments that end here or before are covered.
    through: AtomicU64,
}

impl Union {
    /// For so many names, with room for half as many again; none if that takes more than `bytes_max`.
    pub(crate) fn with_room(names: u64, bytes_max: u64) -> Option<Self> {
        let room = names.saturating_add(names / 2);
        let blocks = blocks_for(usize::try_from(room).ok()?);
        if widen(blocks).saturating_mul(widen(FILTER_BLOCK_BYTES)) > bytes_max
            || u32::try_from(blocks).is_err()
        {
            return None;
        }
        let blocks = std::iter::repeat_with(Block::default).take(blocks).collect();
        Some(Self { blocks, room, names: AtomicU64::new(0), through: AtomicU64::new(0) })
    }

    pub(crate) fn bytes(&self) -> u64 {
        widen(self.blocks.len()).saturating_mul(widen(FILTER_BLOCK_BYTES))
    }

    /// Everything up to here is covered.
    pub(crate) fn through(&self) -> Position {
        Position(self.through.load(Ordering::Acquire))
    }

    /// Whether so many names more still leave it as sharp as it should be.
    pub(crate) fn takes(&self, names: u64) -> bool {
        self.names.load(Ordering::Relaxed).saturating_add(names) <= self.room
    }

    /// Puts a segment's names in; false if `go_on` said no before they all were. Segments come in their order.
    pub(crate) fn cover(&self, segment: &Segment, go_on: &impl Fn() -> bool) -> Result<bool, LogError> {
        let streams = Entries::new(segment, Section::Streams, StreamRun::versions);
        let counters = Entries::new(segment, Section::Counters, CounterRun::seqs);
        for (count, entry) in (0_u64..).zip(streams.chain(counters)) {
            if count % NAMES_AT_ONCE == 0 && !go_on() {
                return Ok(false);
            }
            let (key, _) = entry?;
            self.put(key);
        }
        self.names.fetch_add(names_of(segment), Ordering::Relaxed);
        self.through.store(segment.last().0, Ordering::Release);
        Ok(true)
    }

    /// Whether a covered segment may hold the name.
    #[inline]
    pub(crate) fn may_hold(&self, sought: &Sought) -> bool {
        // What is not there cannot say no.
        self.block(sought).is_none_or(|block| {
            let unset = |(word, bit): (&AtomicU32, &u32)| !word.load(Ordering::Relaxed) & bit;
            block.iter().zip(sought.bits()).map(unset).fold(0, |all, one| all | one) == 0
        })
    }

    fn put(&self, key: Key) {
        let sought = Sought::of(key);
        if let Some(block) = self.block(&sought) {
            for (word, bit) in block.iter().zip(sought.bits()) {
                word.fetch_or(*bit, Ordering::Relaxed);
            }
        }
    }

    fn block(&self, sought: &Sought) -> Option<&Block> {
        let count = u32::try_from(self.blocks.len()).unwrap_or(u32::MAX);
        self.blocks.get(usize::try_from(sought.block(count)).unwrap_or(usize::MAX))
    }
}

/// How many names a segment puts in: those that are in several segments count several times.
pub(crate) fn names_of(segment: &Segment) -> u64 {
    segment.directory().streams.saturating_add(segment.directory().counters)
}
