//! Pages: copies of one stream's events that lie together, for streams whose events are spread thin over frames. They
//! make reading an agent's day some reads instead of a thousand.
//!
//! - [`rule`]: what is worth a page
//! - [`binder`]: copies events out of frames into pages, for one database or segment
//! - [`entry`]: where a stream's pages lie
//! - [`file`]: the finished file beside a segment
//! - [`draft`]: the unfinished one, of a database that still grows
//! - [`leaves`]: all of a stream's pages that a part of the log has, to read from
//!
//! Not for when pages are made, nor for reading streams: that is [`crate::hot`]'s.
//!
//! Invariant: a page is never the truth. Everything in it stands in a frame too; what is missing, damaged or of another
//! log is read from the frames, and made again.

mod binder;
mod draft;
mod entry;
mod file;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod leaves;
mod rule;

use std::path::{Path, PathBuf};

pub(crate) use binder::Binder;
pub(crate) use draft::{Draft, Drafts};
pub(crate) use file::PageFile;
pub(crate) use leaves::Leaves;
pub use rule::PageRule;

/// Events that were copied into pages.
pub(crate) const PAGED_EVENTS: &str = "pegcount_log_paged_events";
/// Pages that were written.
pub(crate) const PAGES_WRITTEN: &str = "pegcount_log_pages_written";
/// Bytes of them.
pub(crate) const PAGES_WRITTEN_BYTES: &str = "pegcount_log_pages_written_bytes";
/// Pages that a stream was read from.
pub(crate) const PAGES_READ: &str = "pegcount_log_pages_read";
/// Files of pages made again for segments that had none to be used.
pub(crate) const PAGES_REBUILT: &str = "pegcount_log_pages_rebuilt";
/// Pages, or files of them, that were not used because something about them was wrong.
pub(crate) const PAGES_IGNORED: &str = "pegcount_log_pages_ignored";

/// The pages of segment `number` in the log's folder.
pub(crate) fn pages_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("pages-{number:06}"))
}

/// Where they are while they are made.
pub(crate) fn draft_path(dir: &Path, number: u64) -> PathBuf {
    pages_path(dir, number).with_extension("new")
}

/// Says what the metrics mean.
pub(crate) fn describe() {
    metrics::describe_counter!(PAGED_EVENTS, "events copied into pages of streams");
    metrics::describe_counter!(PAGES_WRITTEN, "pages of streams written");
    metrics::describe_counter!(
        PAGES_WRITTEN_BYTES,
        metrics::Unit::Bytes,
        "bytes of pages of streams written"
    );
    metrics::describe_counter!(PAGES_READ, "pages that a stream was read from");
    metrics::describe_counter!(PAGES_REBUILT, "files of pages made again for a segment");
    metrics::describe_counter!(PAGES_IGNORED, "pages, or files of pages, that could not be used");
}

/// Something about a page is wrong: it is told, and the frames are read instead.
pub(crate) fn ignored(path: &Path, what: &str) {
    metrics::counter!(PAGES_IGNORED).increment(1);
    tracing::warn!(path = %path.display(), what, "ignoring a page; the frames are read, and it is made again");
}
