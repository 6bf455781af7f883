//! The pages of one segment: what the end of their file says, and pages as they are asked for.
//!
//! Blocking. Immutable: made aside, renamed when it is whole, but never synced. Invariant: every byte that is used has
//! been checked, and the file is that segment's of this log; anything else is a reason to do without it.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use pegcount_domain::ids::Incarnation;

use super::{
    entry::{PageAt, StreamPages},
    ignored, pages_path,
};
use crate::{
    frame::{Frame, widen},
    keys::Key,
    segment::{
        BlockCache, Named,
        blocks::{Block, BlockAt, BlockBuilder, INDEX_BLOCK_BYTES, Numbers, Place},
    },
};

const TAIL_MAGIC: [u8; 8] = *b"PEGPAGE1";
const TAIL_BYTES: usize = 64;

/// Why a page, or a file of them, cannot be used.
pub(crate) type Wrong = String;

/// The last bytes of a file: whose pages these are, and where its directory lies.
pub(super) struct Tail([u8; TAIL_BYTES]);

impl Tail {
    pub(super) fn new(named: &Named, incarnation: Incarnation, at: u64, directory: &[u8]) -> Self {
        let mut out = Self::beginning(named, incarnation);
        out.extend_from_slice(&at.to_le_bytes());
        out.extend_from_slice(&u32::try_from(directory.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(&crc32c::crc32c(directory).to_le_bytes());
        out.resize(TAIL_BYTES - 4, 0);
        out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
        let mut tail = [0; TAIL_BYTES];
        tail.iter_mut().zip(out).for_each(|(place, byte)| *place = byte);
        Self(tail)
    }

    /// What is the same in every tail of this segment's pages.
    fn beginning(named: &Named, incarnation: Incarnation) -> Vec<u8> {
        let mut out = Vec::with_capacity(TAIL_BYTES);
        out.extend_from_slice(&TAIL_MAGIC);
        out.extend_from_slice(&incarnation.0.to_le_bytes());
        out.extend_from_slice(&named.number.to_le_bytes());
        // The segment's checksum stands for all that its frames say.
        out.extend_from_slice(&named.directory_crc.to_le_bytes());
        out
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.0.to_vec()
    }

    /// Offset, bytes and checksum of the directory.
    fn read(bytes: &[u8], named: &Named, incarnation: Incarnation) -> Result<(u64, u32, u32), Wrong> {
        let (checked, crc) = bytes.split_last_chunk::<4>().ok_or("its end is cut short")?;
        if crc32c::crc32c(checked) != u32::from_le_bytes(*crc) {
            return Err("its end does not match its checksum".to_owned());
        }
        let rest = checked.strip_prefix(Self::beginning(named, incarnation).as_slice());
        let mut numbers = Numbers(rest.ok_or("it is of another segment, or another log")?);
        let mut read = || Some((numbers.u64()?, numbers.u32()?, numbers.u32()?));
        read().ok_or_else(|| "its end is cut short".to_owned())
    }
}

/// Collects the index of a file whose pages end at an offset.
pub(super) struct Index {
    at: u64,
    block: BlockBuilder,
    blocks: Vec<u8>,
    directory: Vec<BlockAt>,
}

impl Index {
    pub(super) fn new(at: u64) -> Self {
        Self { at, block: BlockBuilder::default(), blocks: Vec::new(), directory: Vec::new() }
    }

    /// Adds a stream; fingerprints ascend.
    pub(super) fn push(&mut self, key: Key, pages: &StreamPages) {
        self.block.push(key, |data| pages.put(data));
        if self.block.bytes() >= INDEX_BLOCK_BYTES {
            self.end_block();
        }
    }

    fn end_block(&mut self) {
        let Some((first, bytes)) = self.block.finish() else { return };
        let offset = self.at + widen(self.blocks.len());
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.directory.push(BlockAt { offset, bytes: length, crc: crc32c::crc32c(&bytes), first });
        self.blocks.extend_from_slice(&bytes);
    }

    /// The blocks and the directory.
    pub(super) fn finish(mut self) -> (Vec<u8>, Vec<u8>) {
        self.end_block();
        let mut directory = Vec::new();
        for block in &self.directory {
            block.put(&mut directory);
        }
        (self.blocks, directory)
    }
}

/// The pages of a segment.
#[derive(Debug)]
pub(crate) struct PageFile {
    path: PathBuf,
    number: u64,
    bytes: u64,
    directory: Vec<BlockAt>,
    directory_crc: u32,
    /// Something was wrong with it: it is to be made again.
    spoilt: AtomicBool,
}

impl PageFile {
    /// Opens the pages of the segment in `dir` that `named` describes; none if there are none that can be used.
    pub(crate) fn open(dir: &Path, named: &Named, incarnation: Incarnation) -> Option<Self> {
        let path = pages_path(dir, named.number);
        let file = File::open(&path).ok()?;
        let opened = Self::read(&path, &file, named, incarnation);
        opened.inspect_err(|what| ignored(&path, what)).ok()
    }

    fn read(path: &Path, file: &File, named: &Named, incarnation: Incarnation) -> Result<Self, Wrong> {
        let bytes = file.metadata().map_err(|error| error.to_string())?.len();
        let tail_at = bytes.checked_sub(widen(TAIL_BYTES)).ok_or("it is cut short")?;
        let tail = read_at(file, tail_at, TAIL_BYTES)?;
        let (offset, length, crc) = Tail::read(&tail, named, incarnation)?;
        if offset.checked_add(length.into()) != Some(tail_at) {
            return Err("its end speaks of another length".to_owned());
        }
        let directory = read_at(file, offset, usize::try_from(length).unwrap_or(usize::MAX))?;
        if crc32c::crc32c(&directory) != crc {
            return Err("its directory does not match its checksum".to_owned());
        }
        let mut numbers = Numbers(&directory);
        let mut blocks = Vec::new();
        while let Some(block) = BlockAt::read(&mut numbers) {
            blocks.push(block);
        }
        let (path, number, spoilt) = (path.to_owned(), named.number, AtomicBool::new(false));
        Ok(Self { path, number, bytes, directory: blocks, directory_crc: crc, spoilt })
    }

    pub(crate) fn disk_bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether something turned out to be wrong with it.
    pub(crate) fn is_spoilt(&self) -> bool {
        self.spoilt.load(Ordering::Relaxed)
    }

    /// Something is wrong with it; that is told once.
    pub(super) fn spoil(&self, what: &str) {
        if !self.spoilt.swap(true, Ordering::Relaxed) {
            ignored(&self.path, what);
        }
    }

    /// What there is of a stream; none if there is nothing, or it cannot be read.
    pub(crate) fn stream(&self, key: Key, cache: &BlockCache) -> Option<StreamPages> {
        if self.is_spoilt() {
            return None;
        }
        self.find(key, cache).unwrap_or_else(|what| {
            self.spoil(&what);
            None
        })
    }

    fn find(&self, key: Key, cache: &BlockCache) -> Result<Option<StreamPages>, Wrong> {
        let index = self.directory.partition_point(|block| block.first <= key).checked_sub(1);
        let Some(at) = index.and_then(|index| self.directory.get(index)) else { return Ok(None) };
        let bytes =
            cache.get(Place::of_pages(self.number, self.directory_crc, at.offset), || self.block(at))?;
        let wrong = || format!("the block of its index at byte {} does not make sense", at.offset);
        let block = Block::new(&bytes).ok_or_else(wrong)?;
        let Some(entry) = block.entries_of(key).next() else { return Ok(None) };
        block.data(entry).and_then(StreamPages::read).map(Some).ok_or_else(wrong)
    }

    fn block(&self, at: &BlockAt) -> Result<Arc<[u8]>, Wrong> {
        let bytes = read_at(&self.file()?, at.offset, usize::try_from(at.bytes).unwrap_or(usize::MAX))?;
        if crc32c::crc32c(&bytes) == at.crc {
            Ok(bytes.into())
        } else {
            Err(format!("the block of its index at byte {} does not match its checksum", at.offset))
        }
    }

    pub(super) fn file(&self) -> Result<File, Wrong> {
        File::open(&self.path).map_err(|error| error.to_string())
    }
}

/// A page out of a file.
pub(super) fn read_page(file: &File, at: PageAt) -> Result<Frame, Wrong> {
    let bytes = read_at(file, at.offset, usize::try_from(at.bytes).unwrap_or(usize::MAX))?;
    Frame::decode_page(&bytes).map_err(|error| format!("the page at byte {}: {error}", at.offset))
}

fn read_at(mut file: &File, offset: u64, length: usize) -> Result<Vec<u8>, Wrong> {
    let mut bytes = Vec::new();
    let mut read = || {
        file.seek(SeekFrom::Start(offset))?;
        file.take(widen(length)).read_to_end(&mut bytes)
    };
    read().map_err(|error| error.to_string())?;
    if bytes.len() == length { Ok(bytes) } else { Err(format!("it ends before byte {offset} + {length}")) }
}
