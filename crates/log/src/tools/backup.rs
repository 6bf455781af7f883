//! Copies a log into a folder of its own, while it is written to: a segment once and for all, the hot end each time anew.
//!
//! A segment never changes, so a running server is asked for nothing but the frames that are in none. Invariant: BACKUP is
//! replaced last, when everything that it names is durable and has been read again; until then the backup before it
//! stands.

use std::{
    fs,
    path::{Path, PathBuf},
};

use pegcount_domain::{envelope::Position, ids::Incarnation};

use super::{
    Progress, ToolError,
    catalogue::{Catalogue, tail_path},
    maker::{PartWriter, copied},
    place::{self, Kind, Place},
    read,
};
use crate::{
    api::LogError,
    clock::system_clock,
    content::Fingerprints,
    frame::Frame,
    hot::door::{self, Lock, failed},
    keys::Names,
    segment::Segment,
};

const TAIL_ASIDE: &str = "tail.new";
/// How the names of its parts begin.
const PARTS: [&str; 4] = ["tail", "segment-", "stub-", "archive-"];

/// What a backup came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// The backup's folder.
    pub dir: PathBuf,
    /// The log's incarnation.
    pub incarnation: Incarnation,
    /// The position of the last event in it.
    pub end: Position,
    /// The first position in it; what was before had been dropped.
    pub first: Position,
    /// Segments, stubs and archives that were copied this time.
    pub copied: u64,
    /// Those that were there already.
    pub kept: u64,
    /// Bytes that were written this time.
    pub written_bytes: u64,
}

/// A backup under way.
pub struct Backup {
    place: Place,
    to: PathBuf,
    /// None while a server uses the log.
    source_lock: Option<Lock>,
    _lock: Lock,
    names: Names,
    said: Fingerprints,
    next: Position,
    tail: Option<PartWriter>,
}

impl Backup {
    /// Begins a backup of the log in `dir` into `to`, which is new, empty or an earlier backup of the same log.
    ///
    /// Errors: no log; a backup of another log; a folder that holds something else; another backup under way.
    pub fn begin(dir: &Path, to: &Path) -> Result<Self, ToolError> {
        let dir = place::find(dir)?;
        let source_lock = match door::lock(&dir) {
            Ok(lock) => Some(lock),
            Err(LogError::Locked { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let place = Place::read(dir)?;
        if place.kind == Kind::Backup {
            return Err(ToolError::NoLog { path: place.dir });
        }
        ready(&place, to)?;
        let lock = door::lock(to)?;
        let said = Fingerprints::new(&place.key);
        let (names, next) = (place.key.names(), place.sealed_end().next());
        Ok(Self { place, to: to.to_owned(), source_lock, _lock: lock, names, said, next, tail: None })
    }

    /// Whether a server uses the log: then that has to be asked for the frames from [`Self::next`] on.
    pub fn is_running(&self) -> bool {
        self.source_lock.is_none()
    }

    /// The log's incarnation.
    pub fn incarnation(&self) -> Incarnation {
        self.place.incarnation
    }

    /// The first position that is neither in a segment nor has been pushed.
    pub fn next(&self) -> Position {
        self.next
    }

    /// Adds a frame of the hot end, as a running log gives it.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), ToolError> {
        let damaged = |what: String| LogError::Damaged {
            path: self.place.dir.clone(),
            position: self.next,
            what: format!("the server gives a frame that cannot be: {what}"),
        };
        let frame = Frame::decode(bytes).map_err(|error| damaged(error.to_string()))?;
        if frame.first() != self.next {
            return Err(damaged(format!("it begins at position {}", frame.first())).into());
        }
        self.add(&frame, bytes)
    }

    fn add(&mut self, frame: &Frame, bytes: &[u8]) -> Result<(), ToolError> {
        let tail = if let Some(tail) = &mut self.tail {
            tail
        } else {
            let number = self.place.segments.last().map_or(1, |part| part.named.number + 1);
            let path = self.to.join(TAIL_ASIDE);
            let tail = PartWriter::new(path, number, frame.first(), self.place.incarnation)?;
            self.tail.insert(tail)
        };
        tail.push(frame, bytes, &self.names, &mut self.said)?;
        self.next = frame.last().next();
        Ok(())
    }

    /// Reads the hot end of a log that nobody uses.
    fn read_databases(&mut self, progress: &dyn Progress) -> Result<(), ToolError> {
        let (dir, databases, next) = (self.place.dir.clone(), self.place.databases.clone(), self.next);
        read::of_databases(&dir, &databases, next, progress, &mut |frame, bytes| {
            self.add(frame, bytes)?;
            Ok(true)
        })
    }

    /// Copies what is not there yet, and ends the backup.
    pub fn finish(mut self, progress: &dyn Progress) -> Result<BackedUp, ToolError> {
        progress.total(self.place.bytes());
        if !self.is_running() && self.tail.is_none() {
            self.read_databases(progress)?;
        }
        let mut done = BackedUp {
            dir: self.to.clone(),
            incarnation: self.place.incarnation,
            end: Position(self.next.0.saturating_sub(1)),
            first: self.place.first(),
            copied: 0,
            kept: 0,
            written_bytes: 0,
        };
        copy_format(&self.place, &self.to)?;
        let copied = self.segments(&mut done, progress).and_then(|()| self.archives(&mut done, progress));
        copied.map_err(|error| self.dropped_meanwhile(error))?;
        let tail = self.tail.take().map(PartWriter::finish).transpose()?;
        if let Some(tail) = &tail {
            let aside = self.to.join(TAIL_ASIDE);
            fs::rename(&aside, tail_path(&self.to, tail)).map_err(failed("rename", &aside))?;
            done.written_bytes += tail.bytes;
        }
        door::sync_dir(&self.to)?;
        let history = self.place.history();
        let taken_at = system_clock()();
        let catalogue = Catalogue { incarnation: done.incarnation, taken_at, end: done.end, history, tail };
        catalogue.write(&self.to)?;
        remove_unnamed(&self.to, &catalogue)?;
        Ok(done)
    }

    fn segments(&self, done: &mut BackedUp, progress: &dyn Progress) -> Result<(), ToolError> {
        for part in self.place.stub.iter().chain(&self.place.segments) {
            let path = part.named.path(&self.to);
            // What has its name was checked when it came: header, length and directory tell that it is the one.
            if Segment::open_at(path.clone(), part.named, self.place.incarnation).is_ok() {
                done.kept += 1;
                progress.more(part.named.bytes);
                continue;
            }
            let aside = path.with_extension("new");
            copied(part, &aside, self.place.incarnation, progress)?;
            fs::rename(&aside, &path).map_err(failed("rename", &aside))?;
            done.copied += 1;
            done.written_bytes += part.named.bytes;
        }
        Ok(())
    }

    fn archives(&self, done: &mut BackedUp, progress: &dyn Progress) -> Result<(), ToolError> {
        for archive in &self.place.archives {
            if archive.load(&self.to).is_ok() {
                done.kept += 1;
            } else {
                archive.copy(&self.place.dir, &self.to)?;
                done.copied += 1;
                done.written_bytes += archive.bytes;
            }
            progress.more(archive.bytes);
        }
        Ok(())
    }

    /// What a running server has dropped since is not damaged.
    fn dropped_meanwhile(&self, error: ToolError) -> ToolError {
        let first = door::listed(&self.place.dir).map(|(history, _)| history.first());
        match first {
            Ok(first) if first > self.place.first() => {
                ToolError::DroppedMeanwhile { path: self.place.dir.clone(), first }
            }
            _ => error,
        }
    }
}

/// Whether `to` can take a backup of the log in `place`.
fn ready(place: &Place, to: &Path) -> Result<(), ToolError> {
    if to.join("FORMAT").exists() && !to.join("MANIFEST").exists() {
        let (incarnation, key) = door::identity(to)?;
        let same = key.is_some_and(|key| key.hex() == place.key.hex());
        if incarnation == place.incarnation && same {
            return Catalogue::read(to).map(drop).map_err(Into::into);
        }
        return Err(ToolError::OtherLog { path: to.to_owned(), incarnation, of: place.incarnation });
    }
    let mut entries = fs::read_dir(to).into_iter().flatten().flatten();
    // A backup that was cut short at its very beginning leaves its lock.
    if entries.all(|entry| entry.file_name() == "LOCK") {
        Ok(())
    } else {
        Err(ToolError::NotEmpty { path: to.to_owned() })
    }
}

/// FORMAT says which log it is, and has the key of its fingerprints.
fn copy_format(place: &Place, to: &Path) -> Result<(), ToolError> {
    let path = place.dir.join("FORMAT");
    let text = fs::read_to_string(&path).map_err(failed("read", &path))?;
    Ok(door::write_aside(to, "FORMAT", &text)?)
}

/// Removes tails, segments, stubs and archives that do not belong to the backup any more: what was dropped from the log
/// goes from its backup with the next one.
fn remove_unnamed(dir: &Path, catalogue: &Catalogue) -> Result<(), ToolError> {
    let Catalogue { history, tail, .. } = catalogue;
    let mut named: Vec<_> = tail.iter().map(|tail| tail_path(dir, tail)).collect();
    named.extend(history.paths(dir));
    for entry in fs::read_dir(dir).map_err(failed("list", dir))? {
        let path = entry.map_err(failed("list", dir))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let is_ours = PARTS.iter().any(|part| name.starts_with(part));
        if is_ours && !named.contains(&path) {
            fs::remove_file(&path).map_err(failed("remove", &path))?;
        }
    }
    Ok(())
}
