//! `pegcount log` for operators: is the log sound, what is in it, backups, dumps.
//!
//! Not for reading events: that is `log tail`. Invariant: bars go to standard error, and only to a terminal; what was
//! found goes to standard output.

mod backup;
mod dump;
mod events;
mod load;
mod restore;
mod stat;
mod verify;

use indicatif::{ProgressBar, ProgressStyle};
use pegcount_log::tools::Progress;

pub(crate) use backup::run as backup;
pub(crate) use dump::run as dump;
pub(crate) use load::run as load;
pub(crate) use restore::run as restore;
pub(crate) use stat::run as stat;
pub(crate) use verify::run as verify;

/// A bar over bytes. It draws itself only if standard error is a terminal.
struct Bar(ProgressBar);

impl Bar {
    /// `doing` stands before it.
    fn new(doing: &str) -> Self {
        let bar = ProgressBar::new(0);
        let style = "{msg} {bar:40} {percent:>3} % · {bytes} of {total_bytes} · {elapsed} · {eta} left";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        bar.set_message(doing.to_owned());
        Self(bar)
    }
}

impl Progress for Bar {
    fn total(&self, bytes: u64) {
        self.0.set_length(bytes);
    }

    fn more(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
