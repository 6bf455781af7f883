//! What readers see: stream versions and source marks that are durable, the newest frames, the end.
//!
//! Only the names of the databases' events are kept here; older ones are looked up in the segments, so memory does not
//! grow with the number of streams.
//!
//! Not for what is still being decided. Invariant: [`Durable::publish`] alone adds to it, after a group's sync and in
//! the groups' order; the end moves last, so who sees an end sees all that belongs to it. A name leaves the memory only
//! after a segment has it.

use std::{
    collections::VecDeque,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::RwLock;
use pegcount_domain::envelope::Position;
use rustc_hash::FxHashMap;
use tokio::sync::watch;

use super::groups::{Groups, Snapshot};
use crate::{
    api::LogError,
    frame::Frame,
    keys::{Key, Names},
    limits::TAIL_BYTES_MAX,
    segment::Shelf,
};

pub(super) type Versions = FxHashMap<Key, u64>;
pub(super) type Marks = FxHashMap<Key, u64>;

pub(super) struct Durable {
    pub(super) names: Names,
    pub(super) shelf: Arc<Shelf>,
    heads: RwLock<Heads>,
    tail: RwLock<Tail>,
    end: watch::Sender<Position>,
    groups: AtomicU64,
    poisoned: OnceLock<Arc<str>>,
    sealing_failed: RwLock<Option<Arc<str>>>,
}

/// Of the hot database, and of the one that is being sealed.
#[derive(Default)]
struct Heads {
    hot: Heard,
    sealing: Heard,
}

/// What one database says of streams and counters.
#[derive(Default)]
pub(super) struct Heard {
    pub(super) versions: Versions,
    pub(super) marks: Marks,
    pub(super) groups: Groups,
}

impl Heard {
    /// Takes over what is newer.
    pub(super) fn extend(&mut self, versions: &Versions, marks: &Marks) {
        self.versions.extend(versions.iter().map(|(key, version)| (*key, *version)));
        self.marks.extend(marks.iter().map(|(key, seq)| (*key, *seq)));
    }
}

/// The newest frames, decoded.
#[derive(Default)]
struct Tail {
    frames: VecDeque<Arc<Frame>>,
    bytes: usize,
}

impl Durable {
    pub(super) fn new(names: Names, shelf: Arc<Shelf>) -> Self {
        Self {
            names,
            shelf,
            heads: RwLock::default(),
            tail: RwLock::default(),
            end: watch::Sender::new(Position::START),
            groups: AtomicU64::new(0),
            poisoned: OnceLock::new(),
            sealing_failed: RwLock::default(),
        }
    }

    /// The last version of a stream; 0 if there is none. May read a block of a segment.
    pub(super) fn version(&self, stream: Key) -> Result<u64, LogError> {
        // First the memory: a name comes into a segment before it leaves the memory.
        self.known_version(stream).map_or_else(|| self.shelf.version(stream), Ok)
    }

    /// The last version of a stream that a database has.
    pub(super) fn known_version(&self, stream: Key) -> Option<u64> {
        let heads = self.heads.read();
        heads.hot.versions.get(&stream).or_else(|| heads.sealing.versions.get(&stream)).copied()
    }

    /// Which groups of the databases hold which streams, as it is now: of the one that is being sealed, and of the hot one.
    pub(super) fn groups_now(&self) -> [Snapshot; 2] {
        let heads = self.heads.read();
        [heads.sealing.groups.snapshot(), heads.hot.groups.snapshot()]
    }

    /// The last seq of a counter. May read a block of a segment.
    pub(super) fn mark(&self, counter: Key) -> Result<Option<u64>, LogError> {
        let known = {
            let heads = self.heads.read();
            heads.hot.marks.get(&counter).or_else(|| heads.sealing.marks.get(&counter)).copied()
        };
        known.map_or_else(|| self.shelf.last_seq(counter), |seq| Ok(Some(seq)))
    }

    /// The hot database is being sealed, and another one is hot.
    pub(super) fn switch(&self) {
        let mut heads = self.heads.write();
        heads.sealing = std::mem::take(&mut heads.hot);
    }

    /// What was being sealed is in a segment.
    pub(super) fn drop_sealing(&self) {
        let dropped = std::mem::take(&mut self.heads.write().sealing);
        // Outside of the lock: freeing some hundred thousand names takes a moment.
        drop(dropped);
        *self.sealing_failed.write() = None;
    }

    pub(super) fn sealing_failed(&self, cause: &str) {
        *self.sealing_failed.write() = Some(cause.into());
    }

    /// Why the last sealing failed, if it did.
    pub(super) fn sealing_failure(&self) -> Option<Arc<str>> {
        self.sealing_failed.read().clone()
    }

    pub(super) fn end(&self) -> Position {
        *self.end.borrow()
    }

    pub(super) fn watch_end(&self) -> watch::Receiver<Position> {
        self.end.subscribe()
    }

    /// How many groups are durable since the log was opened.
    pub(super) fn groups(&self) -> u64 {
        self.groups.load(Ordering::Acquire)
    }

    /// The frame that holds `at`, if it is among the newest.
    pub(super) fn recent(&self, at: Position) -> Option<Arc<Frame>> {
        let tail = self.tail.read();
        if tail.frames.front().is_none_or(|frame| at < frame.first()) {
            return None;
        }
        tail.frames.get(tail.frames.partition_point(|frame| frame.last() < at)).cloned()
    }

    /// Shows a durable group to readers.
    pub(super) fn publish(&self, frames: Vec<Arc<Frame>>, versions: &Versions, marks: &Marks, end: Position) {
        {
            let mut heads = self.heads.write();
            heads.hot.extend(versions, marks);
            if let Some(first) = frames.first() {
                heads.hot.groups.push((first.first(), end), versions.keys().copied());
            }
        }
        let mut tail = self.tail.write();
        for frame in frames {
            tail.bytes += frame.memory_bytes();
            tail.frames.push_back(frame);
        }
        while tail.bytes > TAIL_BYTES_MAX && tail.frames.len() > 1 {
            tail.bytes -= tail.frames.pop_front().map_or(0, |frame| frame.memory_bytes());
        }
        drop(tail);
        self.groups.fetch_add(1, Ordering::Release);
        self.show_end(end);
    }

    /// Takes over what opening found in the database that is being sealed and in the hot one.
    pub(super) fn load(&self, sealing: Heard, hot: Heard) {
        *self.heads.write() = Heads { hot, sealing };
    }

    pub(super) fn show_end(&self, end: Position) {
        self.end.send_if_modified(|shown| {
            let moved = *shown != end;
            *shown = end;
            moved
        });
    }

    pub(super) fn poison(&self, cause: &str) {
        if self.poisoned.set(cause.into()).is_ok() {
            tracing::error!(cause, "the log is poisoned: appends are refused until it is opened again");
        }
    }

    pub(super) fn poisoned(&self) -> Option<Arc<str>> {
        self.poisoned.get().cloned()
    }
}
