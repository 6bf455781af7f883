//! A segment from end to end, for who checks or copies it rather than looks something up.
//!
//! Invariant: as for [`Segment`], every byte that is used has been checked; of the file no more than [`AHEAD_BYTES`], or
//! one block, lies in memory.

use std::{fs::File, sync::Arc};

use super::{
    block::Block,
    cache::BlockCache,
    collect::FrameAt,
    directory::{Directory, Section},
    read::{Segment, frame_lines},
};
use crate::{api::LogError, keys::Key};

/// Frames are read so many bytes at once.
const AHEAD_BYTES: u64 = 1024 * 1024;

impl Segment {
    pub(crate) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// One block of a section.
    pub(crate) fn block_bytes(&self, section: Section, index: usize) -> Result<Arc<[u8]>, LogError> {
        let at = self.directory.blocks(section).get(index);
        let at = *at.ok_or_else(|| self.no_entry(section, index))?;
        self.block(section, index, at, &BlockCache::new(0))
    }

    /// Where the frames of a block of the frame table lie.
    pub(crate) fn lines(&self, index: usize) -> Result<Vec<FrameAt>, LogError> {
        Ok(frame_lines(&self.block_bytes(Section::Frames, index)?).collect())
    }
}

/// Reads a segment's frames in the order in which they lie, from one open file.
pub(crate) struct Ahead<'a> {
    segment: &'a Segment,
    file: File,
    /// Where `bytes` begin in the file.
    begin: u64,
    bytes: Vec<u8>,
}

impl<'a> Ahead<'a> {
    pub(crate) fn new(segment: &'a Segment) -> Result<Self, LogError> {
        let file = File::open(&segment.path).map_err(segment.failed("open"))?;
        Ok(Self { segment, file, begin: 0, bytes: Vec::new() })
    }

    /// The bytes from `offset` on, as they are: what is asked for is checked by who reads it.
    pub(crate) fn bytes(&mut self, offset: u64, length: usize) -> Result<&[u8], LogError> {
        if self.held(offset, length).is_none() {
            let rest = self.segment.directory.frames_end().saturating_sub(offset).min(AHEAD_BYTES);
            let wanted = length.max(usize::try_from(rest).unwrap_or(length));
            self.bytes = self.segment.read(&self.file, offset, wanted)?;
            self.begin = offset;
        }
        Ok(self.held(offset, length).unwrap_or_default())
    }

    fn held(&self, offset: u64, length: usize) -> Option<&[u8]> {
        let at = usize::try_from(offset.checked_sub(self.begin)?).ok()?;
        self.bytes.get(at..at.checked_add(length)?)
    }
}

/// The entries of one of the two indexes, from the first to the last.
pub(crate) struct Entries<'a, T> {
    segment: &'a Segment,
    section: Section,
    read: fn(&[u8]) -> Option<T>,
    next_block: usize,
    block: Arc<[u8]>,
    next_entry: usize,
    last: Key,
    failed: bool,
}

impl<'a, T> Entries<'a, T> {
    /// Those of `section`; `read` makes an entry of its bytes.
    pub(crate) fn new(segment: &'a Segment, section: Section, read: fn(&[u8]) -> Option<T>) -> Self {
        let block = Arc::new([]);
        Self { segment, section, read, next_block: 0, block, next_entry: 0, last: 0, failed: false }
    }

    fn advance(&mut self) -> Result<Option<(Key, T)>, LogError> {
        loop {
            let wrong = || self.segment.no_entry(self.section, self.next_block.saturating_sub(1));
            if let Some(block) = Block::new(&self.block)
                && self.next_entry < block.len()
            {
                let key = block.key(self.next_entry).filter(|key| *key >= self.last).ok_or_else(wrong)?;
                let entry = block.data(self.next_entry).and_then(self.read).ok_or_else(wrong)?;
                (self.last, self.next_entry) = (key, self.next_entry + 1);
                return Ok(Some((key, entry)));
            }
            let Some(at) = self.segment.directory.blocks(self.section).get(self.next_block) else {
                return Ok(None);
            };
            let first = at.first;
            self.block = self.segment.block_bytes(self.section, self.next_block)?;
            (self.next_block, self.next_entry) = (self.next_block + 1, 0);
            let begins = Block::new(&self.block).and_then(|block| block.key(0));
            if begins != Some(first) {
                return Err(self.segment.no_entry(self.section, self.next_block - 1));
            }
        }
    }
}

impl<T> Iterator for Entries<'_, T> {
    type Item = Result<(Key, T), LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let item = self.advance().transpose();
        self.failed = matches!(item, Some(Err(_)));
        item
    }
}
