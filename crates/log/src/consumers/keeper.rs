//! When CONSUMERS is written: at once for names, every so often for confirms.
//!
//! Confirms change memory, and a thread writes what has changed, at most once in [`CONFIRMS_WRITTEN_EVERY`]: so a
//! thousand confirms cost one sync. A failure is said once, and tried again.
//!
//! Invariant: of two writes the later one holds what the earlier one held, or newer.

use std::{path::PathBuf, sync::Arc};

use parking_lot::{Condvar, Mutex};

use super::record::{self, CONSUMERS_FILE};
use super::register::State;
use crate::{api::LogError, hot::door::write_aside, limits::CONFIRMS_WRITTEN_EVERY};

/// Writes the state of all consumers.
pub(super) struct Keeper {
    /// The log's folder; none: nothing is kept.
    dir: Option<PathBuf>,
    /// One write at a time.
    writing: Mutex<()>,
    /// Told when the state has changed, and when the log closes.
    changed: Condvar,
}

impl Keeper {
    pub(super) fn new(dir: Option<PathBuf>) -> Self {
        Self { dir, writing: Mutex::default(), changed: Condvar::new() }
    }

    /// The state has changed, or the log closes.
    pub(super) fn wake(&self) {
        self.changed.notify_all();
    }

    /// Writes what is not written yet, durably. Blocks.
    pub(super) fn write(&self, state: &Mutex<State>) -> Result<(), LogError> {
        let Some(dir) = &self.dir else { return Ok(()) };
        let _one_at_a_time = self.writing.lock();
        let (text, change) = {
            let state = state.lock();
            if state.written == state.changes {
                return Ok(());
            }
            (record::text(state.records()), state.changes)
        };
        write_aside(dir, CONSUMERS_FILE, &text)?;
        state.lock().written = change;
        Ok(())
    }

    /// Writes whenever there is something to write, until the log closes; then once more.
    pub(super) fn run(&self, state: &Mutex<State>) {
        let mut failing: Option<Arc<str>> = None;
        loop {
            {
                let mut state = state.lock();
                while state.written == state.changes && !state.closed {
                    self.changed.wait(&mut state);
                }
            }
            match self.write(state) {
                Ok(()) => failing = None,
                Err(error) => {
                    let error: Arc<str> = error.to_string().into();
                    if failing.as_ref() != Some(&error) {
                        tracing::warn!(%error, "what consumers have confirmed cannot be written; after a restart it comes to them again");
                    }
                    failing = Some(error);
                }
            }
            let mut state = state.lock();
            // Woken by every further confirm: so it looks at the clock, not at who woke it.
            let until = std::time::Instant::now() + CONFIRMS_WRITTEN_EVERY;
            while !state.closed && !self.changed.wait_until(&mut state, until).timed_out() {}
            if state.closed && (state.written == state.changes || failing.is_some()) {
                return;
            }
        }
    }
}
