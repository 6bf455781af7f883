//! Everything that can end an export; nothing of it leaves anything published.

use std::{io, path::PathBuf};

/// Why a day was not published, or is not what it was.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The engine's word.
    #[error(transparent)]
    Engine(#[from] pegcount_engine::EngineError),
    /// No such site.
    #[error("nothing has been recorded or defined at the site `{site}`; {known}")]
    UnknownSite {
        /// As given.
        site: String,
        /// Which sites there are, in words.
        known: String,
    },
    /// Nobody has said where its days begin.
    #[error(
        "no time zone is defined for the site `{site}`: name one, or define the site's (`pegcount apply`)"
    )]
    NoZone {
        /// The site.
        site: String,
    },
    /// A position that the log has not come to.
    #[error("position {asked} lies beyond the log's end, which is {end}")]
    Beyond {
        /// As given.
        asked: u64,
        /// The last position of the log.
        end: u64,
    },
    /// It goes on.
    #[error("{date} has not ended in {zone}: it ends at {end}, and it is {now}; export it after that")]
    NotOver {
        /// The day.
        date: String,
        /// The zone.
        zone: String,
        /// Its end.
        end: String,
        /// The time of day.
        now: String,
    },
    /// At the calendar's end.
    #[error("{date} lies outside what a calendar can hold")]
    Date {
        /// The day.
        date: String,
    },
    /// A site's name that no folder can bear.
    #[error(
        "the site `{site}` cannot be part of a folder's name; it must not hold `/` or `=`, nor begin with a point"
    )]
    SiteName {
        /// The site.
        site: String,
    },
    /// A file or folder.
    #[error("could not {action} {}: {source}", .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another run writes there.
    #[error("another export writes to {}: wait for it, or give another folder", .path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// A file cannot be read as what it is.
    #[error("{} is not what an export wrote: {what}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A file does not say what the live query says.
    #[error(
        "the export does not equal the live figures: {table}, column {column}, {key}: the file sums to {written}, the query says {live}; nothing was published"
    )]
    Differs {
        /// The table and its format.
        table: String,
        /// The column.
        column: String,
        /// Whose.
        key: String,
        /// The sum of what was written.
        written: String,
        /// What the live query says.
        live: String,
    },
    /// The writer's word.
    #[error("could not write {table}: {what}")]
    Write {
        /// The table.
        table: String,
        /// Why.
        what: String,
    },
    /// Whoever asked went away.
    #[error("the export was cancelled; nothing was published")]
    Cancelled,
}

impl ExportError {
    pub(crate) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}
