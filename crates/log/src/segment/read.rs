//! One segment: what its directory says, and its frames and blocks as they are asked for.
//!
//! Blocking: it reads the file, which it opens each time, so that a thousand segments are not a thousand open files.
//!
//! Invariant: every byte that is used has been checked; what does not check is [`LogError::Damaged`] with file, position
//! and part.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use pegcount_domain::{envelope::Position, ids::Incarnation, time::Micros};

use super::{
    Kind, Named,
    block::Block,
    cache::{BlockCache, Place},
    collect::FrameAt,
    directory::{BlockAt, Directory, HEADER_BYTES, Section, TAIL_BYTES, Tail, header},
    entry::{CounterRun, StreamRun},
    filter::{FILTER_PAGE_BLOCKS, Sought, bytes_of},
    write::{FRAME_LINE_BYTES, FRAMES_PER_BLOCK},
};
use crate::{
    api::LogError,
    frame::{Frame, widen},
    keys::Key,
};

/// An opened segment. Immutable: it takes the memory of its directory.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(super) path: PathBuf,
    pub(super) named: Named,
    pub(super) directory: Directory,
    /// Why nothing of it can be read.
    broken: Option<String>,
    /// Once it does not belong to the log any more: then its file goes with the last who reads it.
    gone: OnceLock<Removal>,
}

/// Removes files when it is dropped.
#[derive(Debug)]
struct Removal(Vec<PathBuf>);

impl Drop for Removal {
    fn drop(&mut self) {
        for path in &self.0 {
            match fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    tracing::warn!(path = %path.display(), %error, "a dropped part of the log stays; the next start removes it");
                }
                _ => {}
            }
        }
    }
}

impl Segment {
    /// Opens the segment that the manifest of the log in `dir` names, and checks header, tail and directory.
    pub(crate) fn open(dir: &Path, named: Named, incarnation: Incarnation) -> Result<Self, LogError> {
        Self::open_at(named.path(dir), named, incarnation)
    }

    /// The same for a file under another name.
    pub(crate) fn open_at(path: PathBuf, named: Named, incarnation: Incarnation) -> Result<Self, LogError> {
        let (directory, gone) = (Directory::default(), OnceLock::new());
        let mut segment = Self { path, named, directory, broken: None, gone };
        let file = match File::open(&segment.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(segment.damaged("it is missing")),
            file => file.map_err(segment.failed("open"))?,
        };
        let bytes = file.metadata().map_err(segment.failed("look at"))?.len();
        if bytes != named.bytes || bytes < widen(HEADER_BYTES + TAIL_BYTES) {
            return Err(segment.damaged(&format!("it has {bytes} bytes instead of {}", named.bytes)));
        }
        let head = segment.read(&file, 0, HEADER_BYTES)?;
        if head != header(named.kind, named.number, named.first, incarnation) {
            return Err(segment.damaged("the header is not that of this segment of this log"));
        }
        let tail = segment.read(&file, bytes - widen(TAIL_BYTES), TAIL_BYTES)?;
        let tail = tail.first_chunk().ok_or_else(|| segment.damaged("the tail is cut short"))?;
        let tail = Tail::read(tail, bytes).map_err(|what| segment.damaged(what))?;
        let directory =
            segment.read(&file, tail.offset, usize::try_from(tail.bytes).unwrap_or(usize::MAX))?;
        if crc32c::crc32c(&directory) != tail.crc {
            return Err(segment.damaged("the directory's checksum does not match"));
        }
        if tail.crc != named.directory_crc {
            return Err(segment.damaged("it is not the one that the manifest names"));
        }
        let directory = Directory::read(&directory, tail.offset);
        segment.directory = directory.ok_or_else(|| segment.damaged("the directory does not make sense"))?;
        if (segment.directory.first, segment.directory.last) != (named.first, named.last) {
            return Err(segment.damaged("it holds other positions than the manifest says"));
        }
        if segment.directory.kind() != named.kind {
            return Err(segment.damaged("it has frames and is called a stub, or has none and is not"));
        }
        Ok(segment)
    }

    /// A segment that could not be opened, as `error` says, in a log that is opened all the same.
    pub(crate) fn unreadable(dir: &Path, named: Named, error: &LogError) -> Self {
        let what = if let LogError::Damaged { what, .. } = error { what.clone() } else { error.to_string() };
        let (path, gone) = (named.path(dir), OnceLock::new());
        Self { path, named, directory: Directory::default(), broken: Some(what), gone }
    }

    /// It does not belong to the log any more: its file, and those beside it, go as soon as nobody reads it.
    pub(crate) fn retire(&self) {
        let beside = match self.named.kind {
            Kind::Segment => self.path.parent().map(|dir| crate::pages::pages_path(dir, self.named.number)),
            Kind::Stub => None,
        };
        self.gone.get_or_init(|| Removal(beside.into_iter().chain([self.path.clone()]).collect()));
    }

    fn readable(&self) -> Result<(), LogError> {
        self.broken.as_ref().map_or(Ok(()), |what| Err(self.damaged(what)))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn named(&self) -> Named {
        self.named
    }

    pub(crate) fn first(&self) -> Position {
        self.named.first
    }

    pub(crate) fn last(&self) -> Position {
        self.named.last
    }

    pub(crate) fn last_recorded_at(&self) -> Micros {
        self.directory.last_recorded_at
    }

    /// Up to `count` frames from the one that holds `at` on, with their bytes checked; at least one.
    pub(crate) fn frames_from(
        &self,
        at: Position,
        count: usize,
        cache: &BlockCache,
    ) -> Result<Vec<Frame>, LogError> {
        self.readable()?;
        let (block, index) = self.block_with(Section::Frames, at.0.into()).ok_or_else(|| self.lost(at))?;
        let table = self.block(Section::Frames, index, block, cache)?;
        let mut lines: Vec<FrameAt> = frame_lines(&table).collect();
        let begin = lines.partition_point(|line| line.first <= at).saturating_sub(1);
        lines.drain(..begin);
        lines.truncate(count.max(1));
        self.frames_at(&lines)
    }

    /// The frame of this number.
    pub(crate) fn frame(&self, number: u32, cache: &BlockCache) -> Result<Frame, LogError> {
        self.readable()?;
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        let index = number / FRAMES_PER_BLOCK;
        let lost = || self.damaged(&format!("there is no frame of number {number}"));
        let block = *self.directory.blocks(Section::Frames).get(index).ok_or_else(lost)?;
        let table = self.block(Section::Frames, index, block, cache)?;
        let line = frame_lines(&table).nth(number % FRAMES_PER_BLOCK).ok_or_else(lost)?;
        self.frames_at(&[line])?.pop().ok_or_else(lost)
    }

    /// Frames that lie one after the other, by one read.
    fn frames_at(&self, lines: &[FrameAt]) -> Result<Vec<Frame>, LogError> {
        let (Some(begin), Some(end)) = (lines.first(), lines.last()) else { return Ok(Vec::new()) };
        let length = (end.offset + u64::from(end.bytes)).saturating_sub(begin.offset);
        if end.offset.saturating_add(end.bytes.into()) > self.directory.frames_end() {
            return Err(self.lost(begin.first));
        }
        let file = File::open(&self.path).map_err(self.failed("open"))?;
        let bytes = self.read(&file, begin.offset, usize::try_from(length).unwrap_or(usize::MAX))?;
        let mut frames = Vec::with_capacity(lines.len());
        let mut rest = bytes.as_slice();
        for line in lines {
            let (bytes, after) = rest
                .split_at_checked(usize::try_from(line.bytes).unwrap_or(usize::MAX))
                .ok_or_else(|| self.lost(line.first))?;
            rest = after;
            frames.push(self.decoded(line, bytes)?);
        }
        Ok(frames)
    }

    fn decoded(&self, line: &FrameAt, bytes: &[u8]) -> Result<Frame, LogError> {
        let damaged = |what: String| LogError::Damaged {
            path: self.path.clone(),
            position: line.first,
            what: format!("the frame at byte {}: {what}", line.offset),
        };
        let frame = Frame::decode(bytes).map_err(|error| damaged(error.to_string()))?;
        if frame.first() == line.first {
            Ok(frame)
        } else {
            Err(damaged(format!("it begins at position {}", frame.first())))
        }
    }

    /// Reads the whole file and checks everything; the frames one after the other.
    pub(crate) fn check(&self, go_on: impl Fn() -> bool) -> Result<(), LogError> {
        let nothing = BlockCache::new(0);
        let mut next = self.first();
        for section in Section::ALL {
            for (index, block) in self.directory.blocks(section).iter().enumerate() {
                let bytes = self.block(section, index, *block, &nothing)?;
                if section != Section::Frames {
                    continue;
                }
                let lines: Vec<FrameAt> = frame_lines(&bytes).collect();
                for lines in lines.chunks(CHECKED_FRAMES) {
                    if !go_on() {
                        return Ok(());
                    }
                    for frame in self.frames_at(lines)? {
                        if frame.first() != next {
                            return Err(self.lost(next));
                        }
                        next = frame.last().next();
                    }
                }
            }
        }
        let whole = self.named.kind == Kind::Stub || next == self.last().next();
        if whole { Ok(()) } else { Err(self.lost(next)) }
    }

    /// Whether the filter lets a name pass; `filter` is its bytes, if they are in memory.
    pub(crate) fn may_hold(
        &self,
        sought: &Sought,
        filter: Option<&[u8]>,
        cache: &BlockCache,
    ) -> Result<bool, LogError> {
        self.readable()?;
        let blocks = self.directory.filter_blocks;
        if let Some(filter) = filter {
            return Ok(sought.may_be_in(blocks, filter, 0));
        }
        let page = sought.block(blocks) / FILTER_PAGE_BLOCKS;
        let index = usize::try_from(page).unwrap_or(usize::MAX);
        let block = self.directory.blocks(Section::Filter).get(index);
        let block = *block.ok_or_else(|| self.damaged("the filter is too short"))?;
        let bytes = self.block(Section::Filter, index, block, cache)?;
        Ok(sought.may_be_in(blocks, &bytes, page * FILTER_PAGE_BLOCKS))
    }

    pub(crate) fn filter_bytes(&self) -> u64 {
        bytes_of(self.directory.filter_blocks)
    }

    /// The whole filter.
    pub(crate) fn filter(&self) -> Result<Arc<[u8]>, LogError> {
        let nothing = BlockCache::new(0);
        let mut bytes = Vec::new();
        for (index, block) in self.directory.blocks(Section::Filter).iter().enumerate() {
            bytes.extend_from_slice(&self.block(Section::Filter, index, *block, &nothing)?);
        }
        Ok(bytes.into())
    }

    /// The last version that this segment has of a stream.
    pub(crate) fn version(&self, key: Key, cache: &BlockCache) -> Result<Option<u64>, LogError> {
        self.last_entry(Section::Streams, key, cache, |data| StreamRun::versions(data).map(|(_, last)| last))
    }

    /// First and last seq that this segment has of a counter.
    pub(crate) fn seqs(&self, key: Key, cache: &BlockCache) -> Result<Option<(u64, u64)>, LogError> {
        self.last_entry(Section::Counters, key, cache, CounterRun::seqs)
    }

    /// What this segment has of a counter.
    pub(crate) fn counter(&self, key: Key, cache: &BlockCache) -> Result<Option<CounterRun>, LogError> {
        self.last_entry(Section::Counters, key, cache, CounterRun::read)
    }

    /// What this segment has of a stream, in the order of its versions.
    pub(crate) fn stream_runs(&self, key: Key, cache: &BlockCache) -> Result<Vec<StreamRun>, LogError> {
        let mut runs = Vec::new();
        let Some((_, last)) = self.block_with(Section::Streams, key) else { return Ok(runs) };
        for (index, at) in self.directory.blocks(Section::Streams).iter().enumerate().take(last + 1).rev() {
            let bytes = self.block(Section::Streams, index, *at, cache)?;
            let block = Block::new(&bytes).ok_or_else(|| self.no_entry(Section::Streams, index))?;
            for entry in block.entries_of(key).rev() {
                let run = block.data(entry).and_then(StreamRun::read);
                runs.push(run.ok_or_else(|| self.no_entry(Section::Streams, index))?);
            }
            if at.first != key {
                break;
            }
        }
        runs.reverse();
        Ok(runs)
    }

    fn last_entry<T>(
        &self,
        section: Section,
        key: Key,
        cache: &BlockCache,
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, LogError> {
        let Some((at, index)) = self.block_with(section, key) else { return Ok(None) };
        let bytes = self.block(section, index, at, cache)?;
        let block = Block::new(&bytes).ok_or_else(|| self.no_entry(section, index))?;
        let Some(entry) = block.entries_of(key).next_back() else { return Ok(None) };
        let read = block.data(entry).and_then(read).ok_or_else(|| self.no_entry(section, index))?;
        Ok(Some(read))
    }

    /// The last block that begins at `key` or before.
    fn block_with(&self, section: Section, key: Key) -> Option<(BlockAt, usize)> {
        let blocks = self.directory.blocks(section);
        let index = blocks.partition_point(|block| block.first <= key).checked_sub(1)?;
        Some((*blocks.get(index)?, index))
    }

    pub(super) fn block(
        &self,
        section: Section,
        index: usize,
        at: BlockAt,
        cache: &BlockCache,
    ) -> Result<Arc<[u8]>, LogError> {
        cache.get(Place::of_segment(self.named.kind, self.named.number, at.offset), || {
            let file = File::open(&self.path).map_err(self.failed("open"))?;
            let bytes = self.read(&file, at.offset, usize::try_from(at.bytes).unwrap_or(usize::MAX))?;
            if crc32c::crc32c(&bytes) == at.crc {
                Ok(bytes.into())
            } else {
                let what =
                    format!("{} {index} at byte {}: its checksum does not match", section.word(), at.offset);
                Err(self.damaged(&what))
            }
        })
    }

    pub(super) fn read(&self, mut file: &File, offset: u64, length: usize) -> Result<Vec<u8>, LogError> {
        let mut bytes = Vec::new();
        let mut read = || {
            file.seek(SeekFrom::Start(offset))?;
            file.take(widen(length)).read_to_end(&mut bytes)
        };
        read().map_err(self.failed("read"))?;
        if bytes.len() == length {
            Ok(bytes)
        } else {
            Err(self.damaged(&format!("it ends before byte {offset} + {length}")))
        }
    }

    pub(super) fn no_entry(&self, section: Section, index: usize) -> LogError {
        self.damaged(&format!("{} {index} does not make sense", section.word()))
    }

    fn lost(&self, position: Position) -> LogError {
        let what = "the frame that holds it is missing".to_owned();
        LogError::Damaged { path: self.path.clone(), position, what }
    }

    fn damaged(&self, what: &str) -> LogError {
        LogError::Damaged { path: self.path.clone(), position: self.named.first, what: what.to_owned() }
    }

    pub(super) fn failed(&self, action: &'static str) -> impl FnOnce(io::Error) -> LogError {
        let path = self.path.clone();
        move |source| LogError::Io { action, path, source }
    }
}

/// Frames that are checked by one read.
const CHECKED_FRAMES: usize = 64;

pub(super) fn frame_lines(table: &[u8]) -> impl Iterator<Item = FrameAt> {
    table.chunks_exact(FRAME_LINE_BYTES).filter_map(|line| {
        let (first, rest) = line.split_first_chunk()?;
        let (offset, rest) = rest.split_first_chunk()?;
        let bytes = u32::from_le_bytes(*rest.first_chunk()?);
        Some(FrameAt {
            first: Position(u64::from_le_bytes(*first)),
            offset: u64::from_le_bytes(*offset),
            bytes,
        })
    })
}
