//! Checks a log from end to end: every frame, every index, every number, each against the others.
//!
//! - [`frames`]: frames follow on each other; what they say
//! - [`segment`], [`index`]: one segment, its indexes against its frames in both directions
//! - [`hot`]: the databases
//! - [`dropped`]: what is left of segments that were dropped
//! - [`chain`]: versions and seqs go on from each part of the log to the next
//!
//! Memory: what one segment's frames say, one index block of every segment, and the databases' names; never those of the
//! whole log. Invariant: damage never ends it: what can be checked behind it is checked.

mod chain;
mod dropped;
mod frames;
mod hot;
mod index;
mod segment;

use std::path::{Path, PathBuf};

use pegcount_domain::{envelope::Position, ids::Incarnation};

use self::{chain::Chained, frames::Walk};
use super::{
    Progress, ToolError,
    place::{self, Place},
};
use crate::{api::LogError, content::Fingerprints, frame::widen, hot::door, keys::Names};

/// The most damages that are listed one by one; the others are counted.
const DAMAGES_LISTED_MAX: usize = 1_000;

/// Bytes, or a number, that are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file, or the database's folder.
    pub path: PathBuf,
    /// The first position that it is about.
    pub position: Position,
    /// What is wrong, with the frame or the part where.
    pub what: String,
}

/// What was looked at, and what is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// The log's folder.
    pub dir: PathBuf,
    /// None if not even FORMAT could be read.
    pub incarnation: Option<Incarnation>,
    /// The first position that can be read.
    pub first: Position,
    /// Archives of what was dropped before, the unreadable ones too.
    pub archives: u64,
    /// Segments, the unreadable ones too.
    pub segments: u64,
    /// Databases.
    pub databases: u64,
    /// Frames that are good.
    pub frames: u64,
    /// Events in them.
    pub events: u64,
    /// Streams, those that were dropped included; none if damage keeps them from being counted.
    pub streams: Option<u64>,
    /// Counters of sources; none if damage keeps them from being counted.
    pub counters: Option<u64>,
    /// Bytes that were looked at.
    pub bytes: u64,
    /// The position of the last event that was found.
    pub end: Position,
    /// The first damages, in the order in which they were found.
    pub damages: Vec<Damage>,
    /// How many there are.
    pub damages_count: u64,
    /// What is no damage, but good to know.
    pub remarks: Vec<String>,
}

/// Checks the log in `dir` (a server's folder or the log's own). Damage is in what it gives.
///
/// Errors: what kept it from looking: no log, one in use, of a newer program, an error of the disk.
pub fn verify(dir: &Path, progress: &dyn Progress) -> Result<Verified, ToolError> {
    let dir = place::find(dir)?;
    let _lock = door::lock(&dir)?;
    let mut report = Report::new(&dir);
    let Some(place) = report.place(dir)? else { return Ok(report.verified) };
    progress.total(place.bytes());
    let mut check = Check {
        names: place.key.names(),
        said: Fingerprints::new(&place.key),
        next: Position(1),
        last_recorded_at: i64::MIN,
        report,
        progress,
    };
    check.report.verified.incarnation = Some(place.incarnation);
    check.report.verified.first = place.first();
    check.archives(&place)?;
    let mut chained = Vec::from_iter(check.stub(&place)?);
    for part in &place.segments {
        chained.push(check.segment(part, place.incarnation)?);
    }
    chained.extend(check.databases(&place)?);
    check.chain(&chained)?;
    Ok(check.report.verified)
}

/// Collects damages.
struct Report {
    verified: Verified,
}

impl Report {
    fn new(dir: &Path) -> Self {
        Self { verified: Verified { dir: dir.to_owned(), first: Position(1), ..Verified::default() } }
    }

    /// What is damage is noted and gives none; other errors end all.
    fn note<T>(&mut self, result: Result<T, LogError>) -> Result<Option<T>, ToolError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(LogError::Damaged { path, position, what }) => {
                self.damage(&path, position, what);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn damage(&mut self, path: &Path, position: Position, what: String) {
        self.verified.damages_count += 1;
        if self.verified.damages.len() < DAMAGES_LISTED_MAX {
            self.verified.damages.push(Damage { path: path.to_owned(), position, what });
        }
    }

    fn place(&mut self, dir: PathBuf) -> Result<Option<Place>, ToolError> {
        match Place::read(dir) {
            Ok(place) => Ok(Some(place)),
            Err(ToolError::Log(error)) => {
                self.verified.remarks.push("nothing else could be checked".to_owned());
                self.note(Err(error))
            }
            Err(error) => Err(error),
        }
    }
}

/// A check under way.
struct Check<'a> {
    names: Names,
    said: Fingerprints,
    /// The position that comes next.
    next: Position,
    last_recorded_at: i64,
    report: Report,
    progress: &'a dyn Progress,
}

impl Check<'_> {
    /// Begins with the frames of `path`.
    fn walk(&self, path: &Path) -> Walk {
        Walk::new(path, self.next, self.last_recorded_at)
    }

    /// Takes over what the frames of a part have said.
    fn walked(&mut self, walk: &Walk) {
        let verified = &mut self.report.verified;
        verified.frames += walk.good_frames;
        verified.events += walk.contents.events;
        self.next = walk.next;
        self.last_recorded_at = walk.last_recorded_at;
        verified.end = Position(self.next.0.saturating_sub(1));
    }

    fn looked_at(&mut self, bytes: u64) {
        self.report.verified.bytes += bytes;
        self.progress.more(bytes);
    }

    fn looked_at_frame(&mut self, bytes: &[u8]) {
        self.looked_at(widen(bytes.len()));
    }

    fn chain(&mut self, parts: &[Chained]) -> Result<(), ToolError> {
        let whole = parts.iter().all(Chained::is_whole);
        let streams = chain::follow(parts, chain::STREAMS, &mut self.report)?;
        let counters = chain::follow(parts, chain::COUNTERS, &mut self.report)?;
        let verified = &mut self.report.verified;
        (verified.streams, verified.counters) = (whole.then_some(streams), whole.then_some(counters));
        Ok(())
    }
}
