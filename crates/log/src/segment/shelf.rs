//! All segments of a log in order, and what is looked up in them: the frame at a position, a stream's head, where a
//! counter stands.
//!
//! What was dropped from the front has left a stub there: it is asked like a segment, but has no frames.
//!
//! Blocking. Invariant: the segments follow on each other without a hole; memory is that of their directories, of as
//! many filters as are allowed (the one over all of them, then the newest), and of the cache.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::RwLock;
use pegcount_domain::envelope::Position;

use super::{
    Kind, Named,
    cache::BlockCache,
    entry::StreamRun,
    filter::Sought,
    read::Segment,
    union::{Union, names_of},
};
use crate::{
    api::{LogError, Sealed},
    frame::Frame,
    keys::Key,
    pages::{Leaves, PageFile},
};

/// How much memory segments may take, bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// For filters.
    pub(crate) filters: u64,
    /// For blocks that were read last.
    pub(crate) blocks: u64,
}

/// A segment, its filter if that is in memory, and its pages if it has any.
#[derive(Clone)]
pub(crate) struct Shelved {
    segment: Arc<Segment>,
    filter: Option<Arc<[u8]>>,
    pages: Arc<RwLock<Option<Arc<PageFile>>>>,
}

impl Shelved {
    /// With its filter, which is checked.
    pub(crate) fn new(segment: Segment) -> Result<Self, LogError> {
        let filter = Some(segment.filter()?);
        Ok(Self { segment: Arc::new(segment), filter, pages: Arc::default() })
    }

    pub(crate) fn named(&self) -> Named {
        self.segment.named()
    }

    /// The pages beside it, if there are any that can be used.
    pub(crate) fn pages(&self) -> Option<Arc<PageFile>> {
        self.pages.read().clone().filter(|pages| !pages.is_spoilt())
    }

    /// From now on its streams are read from these pages.
    pub(crate) fn set_pages(&self, pages: PageFile) {
        *self.pages.write() = Some(Arc::new(pages));
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.segment.path().to_owned()
    }

    pub(crate) fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    fn is_stub(&self) -> bool {
        self.segment.named().kind == Kind::Stub
    }

    /// A segment of which nothing can be read: whoever asks for something in it is told why.
    pub(crate) fn unreadable(segment: Segment) -> Self {
        Self { segment: Arc::new(segment), filter: None, pages: Arc::default() }
    }
}

/// Of all that is on a shelf, what has frames: all but the stub.
pub(crate) fn with_frames(all: &[Shelved]) -> &[Shelved] {
    match all.split_first() {
        Some((first, rest)) if first.is_stub() => rest,
        _ => all,
    }
}

/// The segments.
pub(crate) struct Shelf {
    /// The stub first, if there is one.
    segments: RwLock<Arc<[Shelved]>>,
    end: AtomicU64,
    /// Once there are several segments, and it has room in memory.
    union: RwLock<Option<Arc<Union>>>,
    cache: BlockCache,
    memory: Memory,
}

/// With fewer segments each is asked by itself.
const UNION_SEGMENTS_MIN: usize = 4;

impl Shelf {
    pub(crate) fn new(memory: Memory) -> Self {
        let cache = BlockCache::new(memory.blocks);
        let (segments, end) = (RwLock::new(Arc::from([])), AtomicU64::new(0));
        Self { segments, end, union: RwLock::default(), cache, memory }
    }

    /// Puts the next segment, or before all of them the stub, at the end. Filters that no longer have room leave the
    /// memory, the oldest first.
    pub(crate) fn add(&self, segment: Shelved) {
        let mut all = self.segments.read().to_vec();
        all.push(segment);
        self.set(all);
    }

    /// Puts `stub` into the place of all that it stands for; their files go once nobody reads them.
    pub(crate) fn replace_front(&self, stub: Shelved) {
        let last = stub.segment.last();
        let (dropped, kept): (Vec<_>, Vec<_>) =
            self.all().iter().cloned().partition(|shelved| shelved.segment.last() <= last);
        self.set(std::iter::once(stub).chain(kept).collect());
        for shelved in &dropped {
            shelved.segment.retire();
        }
    }

    fn set(&self, mut all: Vec<Shelved>) {
        let end = all.last().map_or(Position::START, |shelved| shelved.segment.last());
        let union_bytes = self.union.read().as_ref().map_or(0, |union| union.bytes());
        let mut left = self.memory.filters.saturating_sub(union_bytes);
        for shelved in all.iter_mut().rev() {
            let rest = left.checked_sub(shelved.segment.filter_bytes());
            if rest.is_none() {
                shelved.filter = None;
            }
            left = rest.unwrap_or(0);
        }
        *self.segments.write() = all.into();
        self.end.store(end.0, Ordering::Release);
    }

    /// The first position that has not been dropped.
    pub(crate) fn first(&self) -> Position {
        let segments = self.segments.read();
        let stub = segments.first().filter(|shelved| shelved.is_stub());
        stub.map_or(Position(1), |stub| stub.segment.last().next())
    }

    /// An error if `at` has been dropped.
    pub(crate) fn check_kept(&self, at: Position) -> Result<(), LogError> {
        let first = self.first();
        if at < first { Err(LogError::Dropped { asked: at, first }) } else { Ok(()) }
    }

    /// The last version of a stream that has been dropped; 0 if none has.
    pub(crate) fn gone(&self, key: Key) -> Result<u64, LogError> {
        let all = self.all();
        let Some(stub) = all.first().filter(|shelved| shelved.is_stub()) else { return Ok(0) };
        let version = if self.holds(stub, key)? { stub.segment.version(key, &self.cache)? } else { None };
        Ok(version.unwrap_or(0))
    }

    /// The last position that is in a segment, or was.
    pub(crate) fn end(&self) -> Position {
        Position(self.end.load(Ordering::Acquire))
    }

    pub(crate) fn count(&self) -> usize {
        with_frames(&self.segments.read()).len()
    }

    /// The segments that have frames, the oldest first.
    pub(crate) fn sealed(&self) -> Vec<Sealed> {
        with_frames(&self.all())
            .iter()
            .map(|shelved| shelved.segment.named())
            .map(|named| Sealed { first: named.first, last: named.last, bytes: named.bytes })
            .collect()
    }

    /// Bytes on disk.
    pub(crate) fn disk_bytes(&self) -> u64 {
        let pages = |shelved: &Shelved| shelved.pages.read().as_ref().map_or(0, |pages| pages.disk_bytes());
        self.segments.read().iter().map(|shelved| shelved.segment.named().bytes + pages(shelved)).sum()
    }

    /// The segment that holds `at`; none if none does. An error if that has been dropped.
    fn holder(&self, at: Position) -> Result<Option<Shelved>, LogError> {
        let segments = self.all();
        let holder = segments.get(segments.partition_point(|shelved| shelved.segment.last() < at));
        if let Some(stub) = holder.filter(|holder| holder.is_stub()) {
            return Err(LogError::Dropped { asked: at, first: stub.segment.last().next() });
        }
        Ok(holder.cloned())
    }

    /// The number of the segment that holds `at`.
    pub(crate) fn number_of(&self, at: Position) -> Result<Option<u64>, LogError> {
        Ok(self.holder(at)?.map(|holder| holder.named().number))
    }

    /// Up to `count` frames from the one that holds `at` on; none if no segment holds it.
    pub(crate) fn frames_from(&self, at: Position, count: usize) -> Result<Option<Vec<Frame>>, LogError> {
        let holder = self.holder(at)?;
        holder.map(|shelved| shelved.segment.frames_from(at, count, &self.cache)).transpose()
    }

    /// The last version of a stream; 0 if no segment has it.
    pub(crate) fn version(&self, key: Key) -> Result<u64, LogError> {
        let found = self.newest(key, |segment, cache| segment.version(key, cache))?;
        Ok(found.unwrap_or(0))
    }

    /// The last versions of several streams, in their order; 0 where no segment has one.
    ///
    /// Segment by segment, not stream by stream: a filter's lines are then fetched side by side, and most of an append's
    /// streams are new, so that every filter is asked for each.
    pub(crate) fn versions(&self, keys: &[Key]) -> Result<Vec<u64>, LogError> {
        let mut found = vec![0; keys.len()];
        let mut sought: Vec<(usize, Key, Sought)> =
            keys.iter().enumerate().map(|(index, key)| (index, *key, Sought::of(*key))).collect();
        let (all, union) = (self.all(), self.union());
        let (covered, newer) = covered(&all, union.as_deref());
        self.find_versions(newer, &sought, &mut found)?;
        if let Some(union) = union {
            sought.retain(|(_, _, sought)| union.may_hold(sought));
        }
        self.find_versions(covered, &sought, &mut found)?;
        Ok(found)
    }

    /// Looks in `segments`, from the newest on, for those of `sought` that have not been `found`.
    fn find_versions(
        &self,
        segments: &[Shelved],
        sought: &[(usize, Key, Sought)],
        found: &mut [u64],
    ) -> Result<(), LogError> {
        let mut may_hold = vec![false; sought.len()];
        for shelved in segments.iter().rev() {
            for (may_hold, (_, _, sought)) in may_hold.iter_mut().zip(sought) {
                *may_hold = self.may_hold(shelved, sought)?;
            }
            for ((index, key, _), _) in sought.iter().zip(&may_hold).filter(|(_, may_hold)| **may_hold) {
                if let Some(version) = found.get_mut(*index).filter(|version| **version == 0) {
                    *version = shelved.segment.version(*key, &self.cache)?.unwrap_or(0);
                }
            }
        }
        Ok(())
    }

    /// The last seq of a counter.
    pub(crate) fn last_seq(&self, key: Key) -> Result<Option<u64>, LogError> {
        let found = self.newest(key, |segment, cache| segment.seqs(key, cache))?;
        Ok(found.map(|(_, last)| last))
    }

    /// Of a counter's events that use up seqs from `from` on and below `below`: the last seq of each and what it said,
    /// the oldest first.
    pub(crate) fn contents(&self, key: Key, from: u64, below: u64) -> Result<Vec<(u64, u32)>, LogError> {
        let mut parts = Vec::new();
        for shelved in self.all().iter().rev() {
            let Some(run) = self
                .holds(shelved, key)?
                .then(|| shelved.segment.counter(key, &self.cache))
                .transpose()?
                .flatten()
            else {
                continue;
            };
            let first = run.first;
            parts.push(run.contents);
            if first <= from {
                break;
            }
        }
        let all = parts.into_iter().rev().flatten();
        Ok(all.filter(|(last, _)| *last >= from && *last < below).collect())
    }

    /// What a segment has of a stream, in the order of its versions.
    pub(crate) fn stream_runs(&self, shelved: &Shelved, key: Key) -> Result<Vec<StreamRun>, LogError> {
        if self.holds(shelved, key)? { shelved.segment.stream_runs(key, &self.cache) } else { Ok(Vec::new()) }
    }

    /// The pages that a segment's file has of a stream; none if there are none, or none can be read.
    pub(crate) fn leaves(&self, shelved: &Shelved, key: Key) -> Option<Leaves> {
        let pages = shelved.pages()?;
        let holds = self.holds(shelved, key).is_ok_and(|holds| holds);
        if holds { Leaves::of_file(&pages, key, &self.cache) } else { None }
    }

    /// A frame by its number in its segment.
    pub(crate) fn frame(&self, shelved: &Shelved, number: u32) -> Result<Frame, LogError> {
        shelved.segment.frame(number, &self.cache)
    }

    /// The stub, if there is one, and the segments as they are, from the oldest on.
    pub(crate) fn all(&self) -> Arc<[Shelved]> {
        Arc::clone(&self.segments.read())
    }

    fn holds(&self, shelved: &Shelved, key: Key) -> Result<bool, LogError> {
        self.may_hold(shelved, &Sought::of(key))
    }

    fn may_hold(&self, shelved: &Shelved, sought: &Sought) -> Result<bool, LogError> {
        shelved.segment.may_hold(sought, shelved.filter.as_deref(), &self.cache)
    }

    fn newest<T>(
        &self,
        key: Key,
        find: impl Fn(&Segment, &BlockCache) -> Result<Option<T>, LogError>,
    ) -> Result<Option<T>, LogError> {
        let (all, union, sought) = (self.all(), self.union(), Sought::of(key));
        let (covered, newer) = covered(&all, union.as_deref());
        let in_covered = union.is_none_or(|union| union.may_hold(&sought));
        let covered = if in_covered { covered } else { &[] };
        for shelved in newer.iter().rev().chain(covered.iter().rev()) {
            if self.may_hold(shelved, &sought)?
                && let Some(found) = find(&shelved.segment, &self.cache)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn union(&self) -> Option<Arc<Union>> {
        self.union.read().clone()
    }

    /// Puts the names of all segments into the filter over all of them, which is made anew when it has no room left. Reads
    /// their indexes; for the thread that seals. Given up, and made from what there is next time, once `go_on` says no.
    pub(crate) fn unite(&self, go_on: impl Fn() -> bool) -> Result<(), LogError> {
        let all = self.all();
        let names = |segments: &[Shelved]| segments.iter().map(|shelved| names_of(&shelved.segment)).sum();
        let present = self.union();
        let (_, newer) = covered(&all, present.as_deref());
        let fitting = present.filter(|union| union.takes(names(newer)));
        let union = match fitting {
            Some(union) => union,
            None if all.len() < UNION_SEGMENTS_MIN => return Ok(()),
            None => match Union::with_room(names(&all), self.memory.filters) {
                Some(union) => Arc::new(union),
                // From now on segments beyond the one before are asked one by one.
                None => return Ok(()),
            },
        };
        let (_, newer) = covered(&all, Some(&union));
        for shelved in newer {
            if !union.cover(&shelved.segment, &go_on)? {
                return Ok(());
            }
        }
        *self.union.write() = Some(union);
        self.set(self.all().to_vec());
        Ok(())
    }
}

/// Those that the union covers, and those that it does not.
fn covered<'a>(all: &'a [Shelved], union: Option<&Union>) -> (&'a [Shelved], &'a [Shelved]) {
    let through = union.map_or(Position::START, Union::through);
    all.split_at(all.partition_point(|shelved| shelved.segment.last() <= through))
}
