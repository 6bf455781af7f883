//! Writes a segment: frames as they come, then what leads to them.
//!
//! Not for naming it: it is written aside, and counts once the manifest names it. Invariant: when [`write`] returns, the
//! file is synced, and whatever the frames hold can be found through its indexes.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use pegcount_domain::{envelope::Position, ids::Incarnation};

use super::{
    Kind, Named,
    block::{BlockBuilder, INDEX_BLOCK_BYTES},
    collect::{Contents, FrameAt},
    directory::{BlockAt, Directory, Section, Tail, header},
    filter::{self, FILTER_BLOCK_BYTES, FILTER_PAGE_BLOCKS},
};
use crate::{
    content::Fingerprints,
    frame::{Frame, widen},
    keys::{Key, Names},
};

/// Frames to a block of the frame table.
pub(crate) const FRAMES_PER_BLOCK: usize = 3_200;
/// Bytes of a frame's line in it.
pub(crate) const FRAME_LINE_BYTES: usize = 20;
const BUFFER_BYTES: usize = 1024 * 1024;
/// So much is handed to the disk at once: one sync of a whole segment would hold up the commits beside it.
const SYNC_BYTES: u64 = 8 * 1024 * 1024;

/// Writes one segment.
pub(crate) struct SegmentWriter {
    out: Out,
    contents: Contents,
}

impl SegmentWriter {
    /// Begins a segment at `path`.
    pub(crate) fn new(
        path: &Path,
        number: u64,
        first: Position,
        incarnation: Incarnation,
    ) -> io::Result<Self> {
        let out = Out::create(path, Kind::Segment, number, first, incarnation)?;
        Ok(Self { out, contents: Contents::default() })
    }

    /// Adds the next frame, which `bytes` decode to.
    pub(crate) fn push(
        &mut self,
        frame: &Frame,
        bytes: &[u8],
        names: &Names,
        said: &mut Fingerprints,
    ) -> io::Result<()> {
        let at = FrameAt { first: frame.first(), offset: self.out.at, bytes: low_u32(bytes.len()) };
        self.contents.take(frame, at, names, said);
        self.out.put(bytes)
    }

    /// Writes what leads to the frames, and syncs; gives what the manifest says of the segment. Needs a frame.
    pub(crate) fn finish(mut self) -> io::Result<Named> {
        let out = &mut self.out;
        out.directory.last = self.contents.last;
        out.directory.last_recorded_at = self.contents.last_recorded_at;
        out.directory.events = self.contents.events;
        out.directory.frames = low_u32(self.contents.frames.len());
        out.frame_table(&self.contents.frames)?;
        let (streams, counters) = self.contents.sorted();
        let mut keys: Vec<Key> = streams.iter().map(|(key, _)| *key).collect();
        keys.dedup();
        out.directory.streams = widen(keys.len());
        out.directory.counters = widen(counters.len());
        keys.extend(counters.iter().map(|(key, _)| *key));
        out.index(
            Section::Streams,
            streams.iter().map(|(key, run)| (*key, |data: &mut Vec<u8>| run.put(data))),
        )?;
        out.index(
            Section::Counters,
            counters.iter().map(|(key, run)| (*key, |data: &mut Vec<u8>| run.put(data))),
        )?;
        out.filter(filter::build(keys.into_iter()))?;
        self.out.finish()
    }
}

/// A file of history that is being written, section after section.
pub(super) struct Out {
    file: BufWriter<File>,
    at: u64,
    synced: u64,
    kind: Kind,
    number: u64,
    pub(super) directory: Directory,
}

impl Out {
    /// Begins a file at `path`, with its header.
    pub(super) fn create(
        path: &Path,
        kind: Kind,
        number: u64,
        first: Position,
        incarnation: Incarnation,
    ) -> io::Result<Self> {
        let file = BufWriter::with_capacity(BUFFER_BYTES, File::create(path)?);
        let directory = Directory { first, ..Directory::default() };
        let mut out = Self { file, at: 0, synced: 0, kind, number, directory };
        out.put(&header(kind, number, first, incarnation))?;
        Ok(out)
    }

    /// Ends the file with directory and tail, and syncs it.
    pub(super) fn finish(mut self) -> io::Result<Named> {
        let directory = self.directory.to_bytes();
        let tail = Tail { offset: self.at, bytes: low_u32(directory.len()), crc: crc32c::crc32c(&directory) };
        self.put(&directory)?;
        self.put(&tail.to_bytes())?;
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        let Self { kind, number, at: bytes, .. } = self;
        let (first, last) = (self.directory.first, self.directory.last);
        Ok(Named { kind, number, first, last, bytes, directory_crc: tail.crc })
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.at += widen(bytes.len());
        if self.at - self.synced >= SYNC_BYTES {
            self.file.flush()?;
            self.file.get_ref().sync_data()?;
            self.synced = self.at;
        }
        Ok(())
    }

    fn block(&mut self, section: Section, first: Key, bytes: &[u8]) -> io::Result<()> {
        let crc = crc32c::crc32c(bytes);
        let block = BlockAt { offset: self.at, bytes: low_u32(bytes.len()), crc, first };
        let [frames, streams, counters, filter] = &mut self.directory.sections;
        match section {
            Section::Frames => frames.push(block),
            Section::Streams => streams.push(block),
            Section::Counters => counters.push(block),
            Section::Filter => filter.push(block),
        }
        self.put(bytes)
    }

    fn frame_table(&mut self, frames: &[FrameAt]) -> io::Result<()> {
        for frames in frames.chunks(FRAMES_PER_BLOCK) {
            let mut bytes = Vec::with_capacity(frames.len() * FRAME_LINE_BYTES);
            for frame in frames {
                bytes.extend_from_slice(&frame.first.0.to_le_bytes());
                bytes.extend_from_slice(&frame.offset.to_le_bytes());
                bytes.extend_from_slice(&frame.bytes.to_le_bytes());
            }
            let first = frames.first().map_or(0, |frame| frame.first.0);
            self.block(Section::Frames, first.into(), &bytes)?;
        }
        Ok(())
    }

    fn index<P: FnOnce(&mut Vec<u8>)>(
        &mut self,
        section: Section,
        entries: impl Iterator<Item = (Key, P)>,
    ) -> io::Result<()> {
        let mut index = IndexWriter::new(section);
        for (key, put) in entries {
            index.push(self, key, put)?;
        }
        index.finish(self)
    }

    /// Writes the pages of a filter of `blocks` blocks.
    pub(super) fn filter(&mut self, (blocks, bytes): (u32, Vec<u8>)) -> io::Result<()> {
        self.directory.filter_blocks = blocks;
        let page_bytes = usize::try_from(FILTER_PAGE_BLOCKS).unwrap_or(usize::MAX) * FILTER_BLOCK_BYTES;
        bytes.chunks(page_bytes).try_for_each(|page| self.block(Section::Filter, 0, page))
    }
}

/// Writes an index entry by entry, block by block.
pub(super) struct IndexWriter {
    section: Section,
    block: BlockBuilder,
}

impl IndexWriter {
    pub(super) fn new(section: Section) -> Self {
        Self { section, block: BlockBuilder::default() }
    }

    /// Adds the next entry, whose bytes `put` appends.
    pub(super) fn push(&mut self, out: &mut Out, key: Key, put: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        self.block.push(key, put);
        if self.block.bytes() >= INDEX_BLOCK_BYTES { self.end_block(out) } else { Ok(()) }
    }

    fn end_block(&mut self, out: &mut Out) -> io::Result<()> {
        self.block.finish().map_or(Ok(()), |(first, bytes)| out.block(self.section, first, &bytes))
    }

    /// Ends the index.
    pub(super) fn finish(mut self, out: &mut Out) -> io::Result<()> {
        self.end_block(out)
    }
}

/// Frames, blocks and their counts are far below 2^32.
fn low_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
