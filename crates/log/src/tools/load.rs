//! Events in and out, one by one, each exactly as it is: what dumps are made of, and what is made of dumps.
//!
//! Invariant: a log that was made here holds what was given, under the same positions, versions and seqs; what would leave a
//! hole in any of them is refused. Of every stream and counter a number is kept in memory while a log is made.

use std::path::{Path, PathBuf};

use pegcount_domain::{envelope::Position, ids::Incarnation, time::Micros};
use rustc_hash::FxHashMap;

use super::{
    Progress, ToolError,
    maker::{Maker, Site},
    place::{self, Place},
    read,
    record::StoredEvent,
};
use crate::{
    check::SEQ_MAX,
    frame::event_bytes,
    hot::door::{self, Lock, failed},
    keys::{Key, LogKey, Names},
    limits::EVENT_BYTES_MAX,
};

/// A log, or a backup, whose events are read.
pub struct Events {
    place: Place,
    _lock: Lock,
}

impl Events {
    /// Opens the log or the backup in `dir`. Errors: no log, one in use.
    pub fn open(dir: &Path) -> Result<Self, ToolError> {
        let dir = place::find(dir)?;
        let lock = door::lock(&dir)?;
        Ok(Self { place: Place::read(dir)?, _lock: lock })
    }

    /// The log's incarnation.
    pub fn incarnation(&self) -> Incarnation {
        self.place.incarnation
    }

    /// The first position that it has; what was before has been dropped.
    pub fn first(&self) -> Position {
        self.place.first()
    }

    /// Gives the events from `from` to `to` in order to `take`, until that says no. The first damage ends it.
    pub fn each(
        &self,
        from: Position,
        to: Position,
        progress: &dyn Progress,
        mut take: impl FnMut(&StoredEvent) -> bool,
    ) -> Result<(), ToolError> {
        progress.total(self.place.bytes());
        read::each_frame(&self.place, from, progress, &mut |frame, _| {
            for event in StoredEvent::all_of(frame)? {
                if event.position >= from && (event.position > to || !take(&event)) {
                    return Ok(false);
                }
            }
            Ok(frame.last() < to)
        })
    }
}

/// A log that is made of events.
pub struct Load {
    maker: Maker,
    names: Names,
    next: Position,
    last_recorded_at: Micros,
    versions: FxHashMap<Key, u64>,
    seqs: FxHashMap<Key, u64>,
    // The last field: what is not finished is removed after it has been closed.
    site: Site,
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The new log's folder.
    pub dir: PathBuf,
    /// Its incarnation.
    pub incarnation: Incarnation,
    /// The position of its last event.
    pub end: Position,
}

impl Load {
    /// Begins a log in the server's folder `to`, which is new or empty.
    pub fn begin(to: &Path) -> Result<Self, ToolError> {
        let site = Site::new(to)?;
        let key = LogKey::random().map_err(failed("get random bytes for", to))?;
        let names = key.names();
        let maker = Maker::new(&site.aside(), key)?;
        Ok(Self {
            maker,
            names,
            next: Position(1),
            last_recorded_at: Micros(i64::MIN),
            versions: FxHashMap::default(),
            seqs: FxHashMap::default(),
            site,
        })
    }

    /// Adds the next event. Errors: [`ToolError::Misfit`] if it does not go on from those before.
    pub fn push(&mut self, event: &StoredEvent) -> Result<(), ToolError> {
        self.fits(event).map_err(|what| ToolError::Misfit { what })?;
        self.maker.push_event(event)?;
        self.next = event.position.next();
        self.last_recorded_at = event.recorded_at;
        Ok(())
    }

    fn fits(&mut self, event: &StoredEvent) -> Result<(), String> {
        if event.position != self.next {
            return Err(format!("it has position {}, but {} is next", event.position, self.next));
        }
        if event.recorded_at < self.last_recorded_at {
            let (at, before) = (event.recorded_at.0, self.last_recorded_at.0);
            return Err(format!("it was recorded at {at} µs, before {before}, when the event before it was"));
        }
        let bytes = event_bytes(&event.event, &event.source);
        if bytes > EVENT_BYTES_MAX {
            return Err(format!("it takes {bytes} bytes; the limit is {EVENT_BYTES_MAX}"));
        }
        let stream = &event.event.stream;
        let version = self.versions.entry(self.names.stream(stream)).or_default();
        if event.version.0 != *version + 1 {
            return Err(format!("stream {stream} goes on with version {} after {version}", event.version.0));
        }
        *version += 1;
        let Some(seqs) = event.seqs else { return Ok(()) };
        let key = self.names.counter(stream.site.as_str(), event.source.as_str(), seqs.epoch);
        let last = self.seqs.entry(key).or_default();
        if seqs.first != *last + 1 || seqs.last < seqs.first || seqs.last > SEQ_MAX {
            let (source, first, to) = (&event.source, seqs.first, seqs.last);
            return Err(format!("source {source} goes on with seqs {first} to {to} after {last}"));
        }
        *last = seqs.last;
        Ok(())
    }

    /// Ends the log; from now on it is there.
    pub fn finish(self) -> Result<Loaded, ToolError> {
        let incarnation = self.maker.incarnation();
        let end = self.maker.finish()?;
        Ok(Loaded { dir: self.site.finished()?, incarnation, end })
    }
}
