//! Copies events out of frames into pages, for one database or one segment, and ends as the file beside the segment.
//!
//! A page is written when it is full, when its day ends (UTC, by the time of writing), or when the open ones take more
//! memory than they may: then those go that have rested longest. Nothing is synced: what a crash spoils is made again.
//!
//! Invariant: a stream's events come in the order of their versions and without a hole, as frames have them; a page
//! holds versions without a hole, of one day.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use pegcount_domain::{
    envelope::{Position, StreamName},
    ids::Incarnation,
};
use rustc_hash::FxHashMap;

use super::{
    PAGED_EVENTS, PAGES_WRITTEN, PAGES_WRITTEN_BYTES,
    entry::{PageAt, StreamPages},
    file::{Index, Tail},
    rule::PageRule,
};
use crate::{
    frame::{Frame, PageBuilder, widen},
    keys::{Key, Names},
    segment::Named,
};

const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// Of fast levels the one with the shortest pages: they are written once and read often.
const ZSTD_LEVEL: i32 = 1;
/// Pages that are ended at once when many are.
const PAGES_AT_ONCE: usize = 8;

/// What is known of a stream.
struct Sheet {
    pages: StreamPages,
    open: Option<Open>,
}

/// A page that is not full.
struct Open {
    page: PageBuilder,
    first: u64,
    day: i64,
    /// How many frames its events come from.
    frames: u32,
    last_frame: Position,
}

/// Makes the pages of one part of the log.
pub(crate) struct Binder {
    path: PathBuf,
    file: File,
    at: u64,
    names: Names,
    rule: PageRule,
    memory_max: usize,
    open_bytes: usize,
    sheets: FxHashMap<Key, Sheet>,
    /// Open pages that are to be ended, the next one last.
    ending: Vec<Key>,
    compressor: zstd::bulk::Compressor<'static>,
    /// Of the frame that is being taken in: its streams' fingerprints.
    keys: Vec<Option<Key>>,
}

/// A stream's pages as they are now: those that are written, and the open one.
pub(super) struct Now {
    pub(super) written: StreamPages,
    /// First version and bytes.
    pub(super) open: Option<(u64, Vec<u8>)>,
}

impl Binder {
    /// Begins in the file `path`, with at most `memory_max` bytes of open pages.
    pub(crate) fn new(path: PathBuf, names: Names, rule: PageRule, memory_max: usize) -> io::Result<Self> {
        Ok(Self {
            file: File::create(&path)?,
            path,
            at: 0,
            names,
            rule,
            memory_max,
            open_bytes: 0,
            sheets: FxHashMap::default(),
            ending: Vec::new(),
            compressor: zstd::bulk::Compressor::new(ZSTD_LEVEL)?,
            keys: Vec::new(),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the file so far.
    pub(crate) fn disk_bytes(&self) -> u64 {
        self.at
    }

    /// Takes in the next frame.
    pub(crate) fn push(&mut self, frame: &Frame) -> io::Result<()> {
        let mut keys = std::mem::take(&mut self.keys);
        keys.clear();
        keys.extend(frame.streams().iter().map(|entry| {
            let name =
                || StreamName { site: frame.text(entry.site), kind: entry.kind, id: frame.text(entry.id) };
            self.rule.takes(entry.kind, entry.last).then(|| self.names.stream(&name()))
        }));
        let mut paged = 0;
        for (record, stream, version, recorded_at) in frame.versions() {
            let kind = frame.streams().get(stream).map(|entry| entry.kind);
            let Some(key) = keys.get(stream).copied().flatten() else { continue };
            if kind.is_some_and(|kind| self.rule.takes(kind, version)) {
                self.copy(key, frame, record, version, recorded_at.0.div_euclid(DAY_US))?;
                paged += 1;
            }
        }
        self.keys = keys;
        metrics::counter!(PAGED_EVENTS).increment(paged);
        self.spill()
    }

    fn copy(&mut self, key: Key, frame: &Frame, record: u32, version: u64, day: i64) -> io::Result<()> {
        let sheet = self.sheets.entry(key).or_insert_with(|| {
            let pages = StreamPages { first: version, last: version, pages: Vec::new() };
            Sheet { pages, open: None }
        });
        sheet.pages.last = version;
        let ends = sheet
            .open
            .as_ref()
            .is_some_and(|open| open.day != day || !open.page.fits(frame, record, self.rule.bytes_max));
        if ends {
            self.end_page(key)?;
        }
        let Some(sheet) = self.sheets.get_mut(&key) else { return Ok(()) };
        if let Some(open) = &mut sheet.open {
            let before = open.page.memory_bytes();
            // The record is one of the frame's.
            let _pushed = open.page.push(frame, record);
            if open.last_frame != frame.first() {
                (open.last_frame, open.frames) = (frame.first(), open.frames + 1);
            }
            self.open_bytes += open.page.memory_bytes() - before;
        } else if let Some(page) = PageBuilder::new(frame, record) {
            self.open_bytes += page.memory_bytes();
            sheet.open = Some(Open { page, first: version, day, frames: 1, last_frame: frame.first() });
        }
        Ok(())
    }

    /// Ends the open page of a stream; it is written if it is worth it.
    fn end_page(&mut self, key: Key) -> io::Result<()> {
        let Some(sheet) = self.sheets.get_mut(&key) else { return Ok(()) };
        let Some(Open { page, first, frames, .. }) = sheet.open.take() else { return Ok(()) };
        self.open_bytes -= page.memory_bytes().min(self.open_bytes);
        if !self.rule.keeps(page.len(), frames) {
            return Ok(());
        }
        let bytes = page.finish(&mut self.compressor);
        self.file.write_all(&bytes)?;
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let last = first + widen(page.len()) - 1;
        sheet.pages.pages.push(PageAt { first, last, offset: self.at, bytes: length });
        self.at += widen(bytes.len());
        metrics::counter!(PAGES_WRITTEN).increment(1);
        metrics::counter!(PAGES_WRITTEN_BYTES).increment(length.into());
        Ok(())
    }

    /// When open pages take too much memory, half of it is freed: those pages end whose streams have rested longest, a few
    /// with each frame, so that no reader waits long.
    fn spill(&mut self) -> io::Result<()> {
        if self.ending.is_empty() && self.open_bytes > self.memory_max {
            let open = self.sheets.iter();
            let open = open.filter_map(|(key, sheet)| Some((sheet.open.as_ref()?.last_frame, *key)));
            let mut open: Vec<_> = open.collect();
            open.sort_unstable_by(|a, b| b.cmp(a));
            self.ending = open.into_iter().map(|(_, key)| key).collect();
        }
        if self.open_bytes <= self.memory_max / 2 {
            self.ending.clear();
        }
        self.end_some()
    }

    fn end_some(&mut self) -> io::Result<()> {
        let few = self.ending.len().saturating_sub(PAGES_AT_ONCE);
        self.ending.split_off(few).into_iter().rev().try_for_each(|key| self.end_page(key))
    }

    /// What there is of a stream now; none if nothing of it could be paged yet.
    pub(super) fn now(&self, key: Key) -> Option<Now> {
        let sheet = self.sheets.get(&key)?;
        let open = sheet.open.as_ref().map(|open| (open.first, open.page.raw()));
        Some(Now { written: sheet.pages.clone(), open })
    }

    /// Ends some of the open pages, since no frame follows; false once there are none.
    pub(crate) fn end(&mut self) -> io::Result<bool> {
        if self.ending.is_empty() {
            let open = self.sheets.iter().filter(|(_, sheet)| sheet.open.is_some());
            self.ending = open.map(|(key, _)| *key).collect();
            // So that who begins again makes the same file.
            self.ending.sort_unstable();
        }
        let some = !self.ending.is_empty();
        self.end_some()?;
        Ok(some)
    }

    /// Writes the index, and at the end what says whose pages these are: those of the segment that `named` describes. All
    /// pages have ended.
    pub(crate) fn finish(&mut self, named: &Named, incarnation: Incarnation) -> io::Result<()> {
        let mut streams: Vec<_> =
            self.sheets.iter().filter(|(_, sheet)| !sheet.pages.pages.is_empty()).collect();
        streams.sort_unstable_by_key(|(key, _)| **key);
        let mut index = Index::new(self.at);
        for (key, sheet) in streams {
            index.push(*key, &sheet.pages);
        }
        let (blocks, directory) = index.finish();
        let tail = Tail::new(named, incarnation, self.at + widen(blocks.len()), &directory).to_bytes();
        for bytes in [&blocks, &directory, &tail] {
            self.file.write_all(bytes)?;
            self.at += widen(bytes.len());
        }
        Ok(())
    }
}
