//! What readers see: stream versions and source marks that are durable, the newest frames, the end.
//!
//! Not for what is still being decided. Invariant: [`Durable::publish`] alone changes it, after a group's sync and in
//! the groups' order; the end moves last, so who sees an end sees all that belongs to it.

use std::{
    collections::VecDeque,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::RwLock;
use pegcount_domain::{
    envelope::{Position, StreamKind, StreamName},
    ids::Epoch,
};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use tokio::sync::watch;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use crate::{frame::Frame, limits::TAIL_BYTES_MAX};

/// A stream's or source's name as a number: 128 bits of a hash that is seeded anew in every process.
pub(super) type Key = u128;
/// A source's counter: the hash is of site and source.
pub(super) type SourceKey = (Key, Epoch);
pub(super) type Versions = FxHashMap<Key, u64>;
pub(super) type Marks = FxHashMap<SourceKey, u64>;

pub(super) struct Durable {
    seed: u64,
    versions: RwLock<Versions>,
    marks: RwLock<Marks>,
    tail: RwLock<Tail>,
    end: watch::Sender<Position>,
    groups: AtomicU64,
    poisoned: OnceLock<Arc<str>>,
}

/// The newest frames, decoded.
#[derive(Default)]
struct Tail {
    frames: VecDeque<Arc<Frame>>,
    bytes: usize,
}

impl Durable {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            versions: RwLock::default(),
            marks: RwLock::default(),
            tail: RwLock::default(),
            end: watch::Sender::new(Position::START),
            groups: AtomicU64::new(0),
            poisoned: OnceLock::new(),
        }
    }

    pub(super) fn stream_key<N: AsRef<str>>(&self, stream: &StreamName<N>) -> Key {
        let mut text = SmallVec::<[u8; 256]>::new();
        text.push(kind_byte(stream.kind));
        text.extend_from_slice(stream.site.as_ref().as_bytes());
        // No name holds it, so no two streams give the same bytes.
        text.push(0);
        text.extend_from_slice(stream.id.as_ref().as_bytes());
        xxh3_128_with_seed(&text, self.seed)
    }

    /// Sources of two sites that have the same name and epoch are two sources.
    pub(super) fn source_key(&self, site: &str, source: &str, epoch: Epoch) -> SourceKey {
        let mut text = SmallVec::<[u8; 256]>::new();
        text.extend_from_slice(site.as_bytes());
        text.push(0);
        text.extend_from_slice(source.as_bytes());
        (xxh3_128_with_seed(&text, self.seed), epoch)
    }

    pub(super) fn version(&self, stream: Key) -> u64 {
        self.versions.read().get(&stream).copied().unwrap_or(0)
    }

    pub(super) fn mark(&self, source: &SourceKey) -> Option<u64> {
        self.marks.read().get(source).copied()
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
        self.load(versions, marks);
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

    /// Takes over versions and marks: of a group, or of what opening found.
    pub(super) fn load(&self, versions: &Versions, marks: &Marks) {
        self.versions.write().extend(versions.iter().map(|(key, version)| (*key, *version)));
        self.marks.write().extend(marks.iter().map(|(key, seq)| (*key, *seq)));
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

/// Tells kinds apart within this process; not stored.
const fn kind_byte(kind: StreamKind) -> u8 {
    kind as u8
}
