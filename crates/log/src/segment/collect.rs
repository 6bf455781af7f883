//! What a segment's indexes will say, gathered frame by frame.
//!
//! Invariant: everything here follows from the frames and the log's key, so a sealing that is cut short is repeated
//! with the same result.

use pegcount_domain::{
    envelope::{Position, StreamName},
    time::Micros,
};
use rustc_hash::FxHashMap;

use super::entry::{CounterRun, RUN_FRAMES_MAX, StreamRun};
use crate::{
    content::Fingerprints,
    frame::{Frame, widen},
    keys::{Key, Names},
};

/// Where a frame lies in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameAt {
    pub(crate) first: Position,
    pub(crate) offset: u64,
    pub(crate) bytes: u32,
}

/// Runs by fingerprint.
pub(crate) type Sorted<R> = Vec<(Key, R)>;

/// What the frames so far say.
#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) frames: Vec<FrameAt>,
    pub(crate) last: Position,
    pub(crate) last_recorded_at: Micros,
    pub(crate) events: u64,
    streams: FxHashMap<Key, StreamRun>,
    /// Runs that are as long as they may be.
    full: Vec<(Key, StreamRun)>,
    counters: FxHashMap<Key, CounterRun>,
}

impl Contents {
    /// Takes in a frame that lies at `at`.
    pub(crate) fn take(&mut self, frame: &Frame, at: FrameAt, names: &Names, said: &mut Fingerprints) {
        let number = u32::try_from(self.frames.len()).unwrap_or(u32::MAX);
        self.frames.push(at);
        for entry in frame.streams() {
            let name =
                StreamName { site: frame.text(entry.site), kind: entry.kind, id: frame.text(entry.id) };
            self.stream(names.stream(&name), (entry.first, entry.last), number);
        }
        if frame.sources().iter().any(|source| source.epoch.is_some()) {
            for event in frame.events() {
                let (Some(at), Some(to)) = (event.envelope.source_seq, event.seq_to) else { continue };
                let key = names.counter(event.envelope.stream.site, event.envelope.source, at.epoch);
                let content = said.of_stored(frame, &event, (at.seq, to));
                self.counters.entry(key).or_default().push((at.seq, to), content);
            }
        }
        self.last = frame.last();
        self.last_recorded_at = frame.last_recorded_at();
        self.events += widen(frame.len());
    }

    /// The last version so far of a stream that occurs in the frames.
    pub(crate) fn version(&self, key: Key) -> Option<u64> {
        self.streams.get(&key).map(|run| run.last)
    }

    /// The last seq so far of a counter that occurs in the frames.
    pub(crate) fn last_seq(&self, key: Key) -> Option<u64> {
        self.counters.get(&key).map(|run| run.last)
    }

    fn stream(&mut self, key: Key, versions: (u64, u64), frame: u32) {
        let run = self.streams.entry(key).or_default();
        if run.frames.len() >= RUN_FRAMES_MAX && run.frames.last() != Some(&frame) {
            self.full.push((key, std::mem::take(run)));
        }
        if run.frames.is_empty() {
            run.first = versions.0;
        }
        run.last = versions.1;
        if run.frames.last() != Some(&frame) {
            run.frames.push(frame);
        }
    }

    /// The streams and counters by fingerprint, a stream's runs in the order of its versions.
    pub(crate) fn sorted(&mut self) -> (Sorted<StreamRun>, Sorted<CounterRun>) {
        let mut streams = std::mem::take(&mut self.full);
        streams.extend(self.streams.drain());
        streams.sort_unstable_by_key(|(key, run)| (*key, run.first));
        let mut counters: Vec<_> = self.counters.drain().collect();
        counters.sort_unstable_by_key(|(key, _)| *key);
        for (_, run) in &mut counters {
            run.trim();
        }
        (streams, counters)
    }
}
