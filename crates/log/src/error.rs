//! Why the log did not do it: what, where, the limit, what was found, and what to do.
//!
//! Not for tools' errors or consumers': those stand beside them. Invariant: nothing of a refused append is in the log.

use std::{path::PathBuf, sync::Arc};

use pegcount_domain::{
    envelope::{Position, StreamName, Version},
    ids::Name,
};

use crate::api::Expected;

/// Why an append was refused. Nothing of it is in the log.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// Somebody else was first.
    #[error("stream {stream} is at version {actual}, expected {expected:?}: read it again and decide anew", actual = .actual.0)]
    WrongVersion {
        /// The stream.
        stream: StreamName,
        /// What was expected.
        expected: Expected,
        /// Where it stands.
        actual: Version,
    },
    /// A seq beyond the next one.
    #[error("source {origin} offers seq {offered}, but the next is {next}: send {next} to {last_missing} first, or skip them with a reason", last_missing = .offered - 1)]
    Gap {
        /// The source.
        origin: Name,
        /// The first seq offered.
        offered: u64,
        /// The next one expected.
        next: u64,
    },
    /// A repeat that says something else.
    #[error(
        "source {origin} repeats seq {seq} with other content: a counter that starts again needs a new epoch"
    )]
    ContentDiffers {
        /// The source.
        origin: Name,
        /// The seq.
        seq: u64,
    },
    /// A skip that cannot be recorded: it needs a counter, exactly one event, and an end not before its start.
    #[error(
        "source {origin} skips seqs {first} to {to} with {events} events: a skip is one event of a counted batch, ends at {first} or later and below 2^63"
    )]
    BadSkip {
        /// The source.
        origin: Name,
        /// The first seq; 0 if the append has no counter.
        first: u64,
        /// The last seq.
        to: u64,
        /// How many events the append has.
        events: usize,
    },
    /// A counted batch with events of more than one site: a source counts at its own site only.
    #[error(
        "source {origin} offers events of site {site} and of site {other} in one counted batch: send each site's apart"
    )]
    SeveralSites {
        /// The source.
        origin: Name,
        /// The site of the first event.
        site: Name,
        /// The first other one.
        other: Name,
    },
    /// Nothing to append.
    #[error("an append needs at least one event")]
    Empty,
    /// Too many or too much.
    #[error("an append of {actual} {unit} is over the limit of {limit}: send it in parts")]
    TooLarge {
        /// `events` or `bytes`.
        unit: &'static str,
        /// How many.
        actual: usize,
        /// The limit.
        limit: usize,
    },
    /// An I/O error has poisoned the log.
    #[error(
        "the log no longer takes appends since an I/O error ({cause}); what was acknowledged is safe: mend the disk and open the log again"
    )]
    Poisoned {
        /// The first error.
        cause: Arc<str>,
    },
    /// The log is being closed.
    #[error(
        "the log is being closed; the append was not accepted: offer it again when the log has been opened again"
    )]
    Closed,
    /// The log was opened read-only, which its opener chose: it will never take an append.
    #[error(
        "the log was opened read-only and takes no appends: open it for writing, or restore it from a backup if it is damaged"
    )]
    ReadOnly,
}

/// Why a log could not be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The operating system's word.
    #[error("{action} {path}: {source}", path = .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What came of it.
        source: std::io::Error,
    },
    /// Another process has it.
    #[error("{path} is in use by another process: stop that server, or give it another folder", path = .path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// A newer program wrote it.
    #[error("{path} {newer}: use a newer program", path = .path.display(), newer = newer(*found, *features, *supported))]
    NewerFormat {
        /// The folder.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// Its features that this program does not know, one bit each; 0 if it knows all.
        features: u32,
        /// The newest that this program knows.
        supported: u32,
    },
    /// Bytes that are not what was written.
    #[error("damage in {path} at position {position}: {what}; restore it from a backup, or open it read-only", path = .path.display())]
    Damaged {
        /// The file or folder.
        path: PathBuf,
        /// The first position that cannot be read.
        position: Position,
        /// What is wrong.
        what: String,
    },
    /// A reader asked for what is not there.
    #[error("position {asked} lies beyond the next one, {next}")]
    OutOfRange {
        /// The position asked for.
        asked: Position,
        /// The end plus one.
        next: Position,
    },
    /// A reader asked for a part of history that has been dropped.
    #[error(
        "position {asked} has been dropped from the log, which now begins at {first}: start from the archive, or read from {first} on"
    )]
    Dropped {
        /// The position asked for.
        asked: Position,
        /// The first position that can be read.
        first: Position,
    },
    /// A reader asked for versions of a stream that have been dropped.
    #[error("version {asked} of stream {stream} has been dropped from the log{}", rest(*.first), asked = .asked.0)]
    DroppedVersion {
        /// The stream.
        stream: StreamName,
        /// The version asked for.
        asked: Version,
        /// The first version that can be read; none if the whole stream is gone.
        first: Option<Version>,
    },
    /// An archive that cannot stand for what was to be dropped. Nothing was dropped.
    #[error(
        "an archive at position {position} cannot stand for what is to be dropped: it has to be at {least} (the last position that goes) or later, and not beyond the end, {end}"
    )]
    ArchiveMisplaced {
        /// The archive's position.
        position: Position,
        /// The last position that was to be dropped.
        least: Position,
        /// The log's end.
        end: Position,
    },
}

/// For [`LogError::DroppedVersion`]: what is left.
fn rest(first: Option<Version>) -> String {
    first.map_or_else(
        || "; nothing of it is left but its version".to_owned(),
        |Version(first)| format!(", its first version there is {first}: read from it on"),
    )
}

/// What of a folder is newer than this program.
fn newer(found: u32, features: u32, supported: u32) -> String {
    if found > supported {
        return format!("has log format {found}, and this program reads up to format {supported}");
    }
    let features: Vec<_> =
        (0..u32::BITS).filter(|bit| features >> bit & 1 == 1).map(|bit| (1_u32 << bit).to_string()).collect();
    format!(
        "has log format {found} with feature {}, which this program does not know",
        features.join(" and ")
    )
}
