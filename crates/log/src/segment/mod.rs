//! Sealed history: immutable flat files of frames, each with indexes that lead to the frames of one stream.
//!
//! - [`write`], [`collect`]: making one
//! - [`stub`], [`merge`]: what is left of those that were dropped
//! - [`directory`], [`block`], [`entry`], [`filter`]: its parts, drawn in FORMAT.md
//! - [`read`]: one segment
//! - [`shelf`]: all of them, and the memory that they may take; [`union`]: one filter over all of them
//! - [`walk`]: one from end to end, for tools
//!
//! Not for when to seal, or for what belongs to the log: that is [`crate::hot`]'s.

mod block;
mod cache;
mod collect;
mod directory;
mod entry;
mod filter;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod merge;
mod read;
mod shelf;
mod stub;
#[cfg(test)]
mod tests;
mod union;
mod walk;
mod write;

use std::path::{Path, PathBuf};

use pegcount_domain::envelope::Position;

pub(crate) use cache::BlockCache;
pub(crate) use collect::{Contents, FrameAt};
pub(crate) use directory::{HEADER_BYTES, Section, header};
pub(crate) use entry::{CounterRun, StreamRun};
pub(crate) use filter::Sought;
pub(crate) use merge::{Merge, Part as MergePart};
pub(crate) use read::Segment;
pub(crate) use shelf::{Memory, Shelf, Shelved, with_frames};
pub(crate) use stub::write_stub;
pub(crate) use walk::{Ahead, Entries};
pub(crate) use write::SegmentWriter;

/// For other files that lead to streams by blocks.
pub(crate) mod blocks {
    pub(crate) use super::{
        block::{Block, BlockBuilder, INDEX_BLOCK_BYTES},
        cache::Place,
        directory::{BlockAt, Numbers},
    };
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// Frames and what leads to them.
    Segment,
    /// Heads and marks of segments that were dropped: the same indexes, and no frames.
    Stub,
}

/// What the manifest says of a segment, or of the stub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) kind: Kind,
    /// A segment's is that of the database that it was made of.
    pub(crate) number: u64,
    pub(crate) first: Position,
    pub(crate) last: Position,
    /// The file's length.
    pub(crate) bytes: u64,
    /// The checksum of its directory: it stands for all of its contents.
    pub(crate) directory_crc: u32,
}

/// The file of segment `number` in the log's folder.
pub(crate) fn segment_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("segment-{number:06}"))
}

/// The file of stub `number` in the log's folder.
pub(crate) fn stub_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("stub-{number:06}"))
}

impl Named {
    /// Its file in the log's folder.
    pub(crate) fn path(&self, dir: &Path) -> PathBuf {
        match self.kind {
            Kind::Segment => segment_path(dir, self.number),
            Kind::Stub => stub_path(dir, self.number),
        }
    }
}
