//! What opening finds: it reads every frame, checks that they follow on each other, and rebuilds what the
//! committer must know.
//!
//! Invariant: either everything that was acknowledged is there, or opening says what is missing.

use std::{collections::VecDeque, path::Path, sync::Arc};

use pegcount_domain::{envelope::Position, time::Micros};

use super::{
    content::Fingerprints,
    decide::{Sources, found},
    durable::{Durable, Marks, Versions},
    folder::{FORMAT, failed},
    store::{SledStore, Store},
};
use crate::{
    api::LogError,
    frame::{Frame, FrameError},
};

/// What the frames say.
pub(super) struct Found {
    pub(super) end: Position,
    pub(super) last_recorded_at: Micros,
    pub(super) versions: Versions,
    pub(super) sources: Sources,
}

impl Found {
    pub(super) fn marks(&self) -> Marks {
        self.sources.iter().map(|(key, source)| (*key, source.last_seq())).collect()
    }
}

/// Reads all frames of `store`, of which those up to `marked` have been acknowledged.
pub(super) fn scan(
    store: &SledStore,
    durable: &Arc<Durable>,
    fingerprints: &mut Fingerprints,
    marked: Position,
) -> Result<Found, LogError> {
    let mut found = Found {
        end: Position::START,
        last_recorded_at: Micros(i64::MIN),
        versions: Versions::default(),
        sources: Sources::default(),
    };
    // Frames of a group count once its last one is there.
    let mut group = VecDeque::new();
    let mut next = Position(1);
    for entry in store.frames() {
        let (first, bytes) = entry.map_err(failed("read frames", store.dir()))?;
        let frame = Frame::decode(&bytes).map_err(|error| unreadable(store.dir(), next, error))?;
        if frame.first() != next || first != next {
            let what = format!("a frame begins at {} under the key of {first}", frame.first());
            return Err(damaged(store.dir(), next, what));
        }
        next = frame.last().next();
        group.push_back(frame);
        if !Frame::more_follows(&bytes) {
            for frame in group.drain(..) {
                take_over(&frame, &mut found, durable, fingerprints, store.dir())?;
            }
        }
    }
    if found.end < marked {
        let what = format!("positions up to {marked} were acknowledged, but the log ends at {}", found.end);
        return Err(damaged(store.mark_path(), found.end.next(), what));
    }
    remove_torn(store, &group)?;
    Ok(found)
}

fn take_over(
    frame: &Frame,
    found: &mut Found,
    durable: &Durable,
    fingerprints: &mut Fingerprints,
    dir: &Path,
) -> Result<(), LogError> {
    for entry in frame.streams() {
        let (site, id) = (frame.text(entry.site), frame.text(entry.id));
        let name = pegcount_domain::envelope::StreamName { site, kind: entry.kind, id };
        let version = found.versions.entry(durable.stream_key(&name)).or_default();
        if entry.first != *version + 1 {
            let what = format!("stream {name} goes on with version {} after {version}", entry.first);
            return Err(damaged(dir, frame.first(), what));
        }
        *version = entry.last;
    }
    if frame.sources().iter().any(|source| source.epoch.is_some()) {
        for event in frame.events() {
            let (Some(at), Some(to)) = (event.envelope.source_seq, event.seq_to) else { continue };
            let seqs = (at.seq, to);
            let key = durable.source_key(event.envelope.stream.site, event.envelope.source, at.epoch);
            let fingerprint = fingerprints.of_stored(frame, &event, seqs);
            if let Err(next) = self::found(&mut found.sources, key, seqs, fingerprint) {
                let what =
                    format!("source {} has seq {} where {next} is next", event.envelope.source, at.seq);
                return Err(damaged(dir, event.envelope.position, what));
            }
        }
    }
    found.end = frame.last();
    found.last_recorded_at = frame.last_recorded_at().max(found.last_recorded_at);
    Ok(())
}

/// A group that was cut short was never acknowledged: it goes, so that the next one takes its positions.
fn remove_torn(store: &SledStore, group: &VecDeque<Frame>) -> Result<(), LogError> {
    let Some(first) = group.front() else { return Ok(()) };
    tracing::warn!(from = first.first().0, frames = group.len(), "removing a group that was cut short");
    for first in removal_order(group) {
        store.remove(first).map_err(failed("remove a cut group", store.dir()))?;
    }
    let synced = store.flush().and_then(|()| store.sync_data());
    synced.map_err(failed("sync after removing a cut group", store.dir()))
}

/// Back to front: a removal that is itself cut short leaves a shorter cut group, never a hole before frames.
pub(super) fn removal_order(group: &VecDeque<Frame>) -> impl Iterator<Item = Position> {
    group.iter().rev().map(Frame::first)
}

fn damaged(path: &Path, position: Position, what: String) -> LogError {
    LogError::Damaged { path: path.to_owned(), position, what }
}

/// The frame that holds `position` is not there.
pub(super) fn missing(dir: &Path, position: Position) -> LogError {
    damaged(dir, position, "the frame that holds it is missing".to_owned())
}

/// Says of a frame that cannot be decoded what it means for the log.
pub(super) fn unreadable(dir: &Path, position: Position, error: FrameError) -> LogError {
    if let FrameError::Newer { found, .. } = error {
        let path = dir.to_owned();
        return LogError::NewerFormat { path, found: found.into(), features: 0, supported: FORMAT };
    }
    damaged(dir, position, error.to_string())
}
