//! Tools for a log that nobody runs: is all of it sound, what is there, a copy that can be kept, and back.
//!
//! - [`verify`]: every byte against every other
//! - [`stat`]: what is there
//! - [`Backup`], [`restore`]: into a folder of its own, and back into a log
//! - [`Events`], [`Load`]: out of a log event by event, and into a new one
//! - `place`, `catalogue`: what a folder holds; `read`, `record`: its frames and events in order; `merge`: its indexes
//!   side by side; `maker`: a folder becomes a log
//!
//! Blocking. Not for a running log: that is [`crate::SledLog`]. Invariant: a tool that only looks changes nothing; what is made is made
//! aside, and counts once it is complete and durable.

mod backup;
mod catalogue;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod load;
mod maker;
mod merge;
mod place;
mod read;
mod record;
mod restore;
mod stat;
#[cfg(test)]
mod tests;
mod verify;

use std::path::PathBuf;

use pegcount_domain::{envelope::Position, ids::Incarnation};

use crate::api::LogError;

pub use backup::{BackedUp, Backup};
pub use load::{Events, Load, Loaded};
pub use record::{FrameEncoder, StoredEvent, StoredEventError, StoredSeqs};
pub use restore::{Restored, Until, restore};
pub use stat::{ArchiveStat, HotStat, SegmentStat, Stat, StreamStat, StubStat, stat};
pub use verify::{Damage, Verified, verify};

/// Why a tool could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The log's word: in use, of a newer program, damaged, an error of the disk.
    #[error(transparent)]
    Log(#[from] LogError),
    /// There is nothing to look at.
    #[error("there is no log at {}: name a server's folder, the log's folder in it, or a backup", .path.display())]
    NoLog {
        /// The folder.
        path: PathBuf,
    },
    /// It is a log, but no backup.
    #[error("{} holds no complete backup: make one with `pegcount log backup`", .path.display())]
    NoBackup {
        /// The folder.
        path: PathBuf,
    },
    /// Something would be overwritten.
    #[error("{} holds something already: name a folder that is new or empty", .path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// It would mix two logs.
    #[error(
        "{} is the backup of another log (incarnation {:032x}, this log has {:032x}): name another folder",
        .path.display(), .incarnation.0, .of.0
    )]
    OtherLog {
        /// The folder.
        path: PathBuf,
        /// The incarnation of the log that was backed up into it.
        incarnation: Incarnation,
        /// That of the log.
        of: Incarnation,
    },
    /// The backup does not go so far.
    #[error("{} ends at position {end}, before {asked}", .path.display())]
    Beyond {
        /// The backup.
        path: PathBuf,
        /// What was asked for.
        asked: Position,
        /// Its end.
        end: Position,
    },
    /// The backup begins later.
    #[error("{} has nothing that was recorded by then", .path.display())]
    NothingByThen {
        /// The backup.
        path: PathBuf,
    },
    /// What was asked for had been dropped before it was backed up.
    #[error(
        "{} begins at position {first}: what was before had been dropped from the log, and of that only an archive is left; name position {first} or a later one",
        .path.display()
    )]
    Dropped {
        /// The backup.
        path: PathBuf,
        /// The first position in it.
        first: Position,
    },
    /// Of a log whose first part was dropped, what is left can only be rebuilt from an archive.
    #[error(
        "{} has no archive at position {asked} or before, which the log would be rebuilt from; its oldest one stands at {oldest}: name that position or a later one",
        .path.display()
    )]
    NoArchive {
        /// The backup.
        path: PathBuf,
        /// What was asked for.
        asked: Position,
        /// Where its oldest archive stands.
        oldest: Position,
    },
    /// The server dropped history while it was read.
    #[error(
        "the server of {} has dropped what comes before position {first} while it was being backed up: run the backup again",
        .path.display()
    )]
    DroppedMeanwhile {
        /// The log's folder.
        path: PathBuf,
        /// The first position that is there now.
        first: Position,
    },
    /// An event does not go on from those before it.
    #[error("{what}")]
    Misfit {
        /// What is wrong.
        what: String,
    },
    /// An event cannot be copied.
    #[error(transparent)]
    Event(#[from] StoredEventError),
    /// It has not been carried over yet.
    #[error("{} is of an older format, without a manifest: start a server on it once, which carries it over", .path.display())]
    OlderFormat {
        /// The folder.
        path: PathBuf,
    },
}

/// Is told how far a tool has come.
pub trait Progress {
    /// There are about so many bytes to do.
    fn total(&self, bytes: u64);
    /// So many more are done.
    fn more(&self, bytes: u64);
}

/// Nobody wants to know.
impl Progress for () {
    fn total(&self, _: u64) {}
    fn more(&self, _: u64) {}
}
