//! What opening finds: it reads every frame of the databases, checks that they follow on the segments and on each other,
//! and rebuilds what the committer must know.
//!
//! Invariant: either everything that was acknowledged is there, or opening says what is missing.

use std::{collections::VecDeque, io, path::Path};

use pegcount_domain::{
    envelope::{Position, StreamName},
    time::Micros,
};

use super::{
    database::{Database, is_damage},
    decide::{Sources, found},
    durable::Heard,
    folder::{FORMAT, failed},
};
use crate::{
    api::LogError,
    content::Fingerprints,
    frame::{Frame, FrameError, widen},
    keys::{Key, Names},
};

/// What the frames say.
pub(super) struct Found {
    pub(super) end: Position,
    pub(super) last_recorded_at: Micros,
    /// Whether there is history that is not in the databases.
    segments: bool,
    /// What the database that is being sealed says.
    pub(super) sealing: Heard,
    /// What the database that is read says.
    pub(super) hot: Heard,
    pub(super) sources: Sources,
}

impl Found {
    /// What is known before any database is read: the segments' end.
    pub(super) fn after(end: Position, last_recorded_at: Micros) -> Self {
        Self {
            end,
            last_recorded_at,
            segments: end > Position::START,
            sealing: Heard::default(),
            hot: Heard::default(),
            sources: Sources::default(),
        }
    }

    /// Another database is read now: the one before is the one that is being sealed.
    pub(super) fn next_database(&mut self) {
        self.sealing = std::mem::take(&mut self.hot);
    }

    fn version(&self, key: Key) -> Option<u64> {
        self.hot.versions.get(&key).or_else(|| self.sealing.versions.get(&key)).copied()
    }
}

/// Reads databases, one after the other.
pub(super) struct Scan<'a> {
    pub(super) names: &'a Names,
    pub(super) said: &'a mut Fingerprints,
    pub(super) found: &'a mut Found,
}

impl Scan<'_> {
    /// Reads all frames of `database`. Gives the frames at its end whose group is not complete.
    pub(super) fn read(&mut self, database: &Database) -> Result<VecDeque<Frame>, LogError> {
        let dir = database.dir();
        // Frames of a group count once its last one is there.
        let mut group = VecDeque::new();
        let mut next = self.found.end.next();
        let mut frame_bytes = 0;
        for entry in database.frames() {
            let (first, bytes) = entry.map_err(|error| unread(dir, next, error))?;
            let frame = Frame::decode(&bytes).map_err(|error| unreadable(dir, next, error))?;
            if frame.first() != next || first != next {
                let what = format!("a frame begins at {} under the key of {first}", frame.first());
                return Err(damaged(dir, next, what));
            }
            next = frame.last().next();
            frame_bytes += widen(bytes.len());
            group.push_back(frame);
            if !Frame::more_follows(&bytes) {
                let begin = self.found.end.next();
                let mut keys = Vec::new();
                for frame in group.drain(..) {
                    self.take_over(&frame, dir, &mut keys)?;
                }
                keys.sort_unstable();
                keys.dedup();
                self.found.hot.groups.push((begin, self.found.end), keys.into_iter());
            }
        }
        database.found(frame_bytes);
        Ok(group)
    }

    fn take_over(&mut self, frame: &Frame, dir: &Path, keys: &mut Vec<Key>) -> Result<(), LogError> {
        for entry in frame.streams() {
            let name =
                StreamName { site: frame.text(entry.site), kind: entry.kind, id: frame.text(entry.id) };
            let key = self.names.stream(&name);
            let before = self.found.version(key);
            // A stream that the databases do not know may have begun in a segment.
            let goes_on =
                before.map_or(self.found.segments || entry.first == 1, |before| entry.first == before + 1);
            if !goes_on {
                let before = before.unwrap_or(0);
                let what = format!("stream {name} goes on with version {} after {before}", entry.first);
                return Err(damaged(dir, frame.first(), what));
            }
            self.found.hot.versions.insert(key, entry.last);
            keys.push(key);
        }
        if frame.sources().iter().any(|source| source.epoch.is_some()) {
            self.take_over_seqs(frame, dir)?;
        }
        self.found.end = frame.last();
        self.found.last_recorded_at = frame.last_recorded_at().max(self.found.last_recorded_at);
        Ok(())
    }

    fn take_over_seqs(&mut self, frame: &Frame, dir: &Path) -> Result<(), LogError> {
        for event in frame.events() {
            let (Some(at), Some(to)) = (event.envelope.source_seq, event.seq_to) else { continue };
            let (seqs, position) = ((at.seq, to), event.envelope.position);
            let key = self.names.counter(event.envelope.stream.site, event.envelope.source, at.epoch);
            let fingerprint = self.said.of_stored(frame, &event, seqs);
            let segments = self.found.segments;
            if let Err(next) = found(&mut self.found.sources, key, seqs, fingerprint, position, segments) {
                let what =
                    format!("source {} has seq {} where {next} is next", event.envelope.source, at.seq);
                return Err(damaged(dir, position, what));
            }
            self.found.hot.marks.insert(key, to);
        }
        Ok(())
    }
}

/// A group that was cut short was never acknowledged: it goes, so that the next one takes its positions.
pub(super) fn remove_torn(database: &Database, group: &VecDeque<Frame>) -> Result<(), LogError> {
    let Some(first) = group.front() else { return Ok(()) };
    tracing::warn!(from = first.first().0, frames = group.len(), "removing a group that was cut short");
    for first in removal_order(group) {
        database.remove(first).map_err(failed("remove a cut group", database.dir()))?;
    }
    let synced = database.flush().and_then(|()| database.sync_data());
    synced.map_err(failed("sync after removing a cut group", database.dir()))
}

/// Back to front: a removal that is itself cut short leaves a shorter cut group, never a hole before frames.
pub(super) fn removal_order(group: &VecDeque<Frame>) -> impl Iterator<Item = Position> {
    group.iter().rev().map(Frame::first)
}

pub(super) fn damaged(path: &Path, position: Position, what: String) -> LogError {
    LogError::Damaged { path: path.to_owned(), position, what }
}

/// The frame that holds `position` is not there.
pub(super) fn missing(dir: &Path, position: Position) -> LogError {
    damaged(dir, position, "the frame that holds it is missing".to_owned())
}

/// Says of frames that cannot be read whether the bytes or the disk are at fault.
pub(super) fn unread(dir: &Path, position: Position, error: io::Error) -> LogError {
    if is_damage(&error) {
        damaged(dir, position, error.to_string())
    } else {
        failed("read frames", dir)(error)
    }
}

/// Says of a frame that cannot be decoded what it means for the log.
pub(super) fn unreadable(dir: &Path, position: Position, error: FrameError) -> LogError {
    if let FrameError::Newer { found, .. } = error {
        let path = dir.to_owned();
        return LogError::NewerFormat { path, found: found.into(), features: 0, supported: FORMAT };
    }
    damaged(dir, position, error.to_string())
}
