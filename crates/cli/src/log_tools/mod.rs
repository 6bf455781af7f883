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

use pegcount_log::tools::Progress;

use crate::progress::Bar;

pub(crate) use backup::run as backup;
pub(crate) use dump::run as dump;
pub(crate) use load::run as load;
pub(crate) use restore::run as restore;
pub(crate) use stat::run as stat;
pub(crate) use verify::run as verify;

/// A bar over bytes; `doing` stands before it.
fn bar(doing: &'static str) -> Bar {
    let bar = Bar::new("{msg} {bar:40} {percent:>3} % · {bytes} of {total_bytes} · {elapsed} · {eta} left");
    bar.0.set_message(doing);
    bar
}

impl Progress for Bar {
    fn total(&self, bytes: u64) {
        self.0.set_length(bytes);
    }

    fn more(&self, bytes: u64) {
        self.0.inc(bytes);
    }
}
