//! How the pager is told to end, and asked to say when it has caught up.
//!
//! Nobody tells it that the log has grown: it looks now and then. Invariant: asking never waits for a page.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

/// How often the pager looks whether the log has grown.
const LOOK_EVERY: Duration = Duration::from_millis(100);

#[derive(Default)]
struct State {
    asked: Vec<oneshot::Sender<()>>,
    closing: bool,
}

#[derive(Default)]
pub(in crate::hot) struct PagerBell {
    state: Mutex<State>,
    rung: Condvar,
}

impl PagerBell {
    /// Answers once everything that is durable now has been paged; never once the log closes.
    pub(in crate::hot) fn ask(&self, answer: oneshot::Sender<()>) {
        let mut state = self.state.lock();
        if !state.closing {
            state.asked.push(answer);
            self.rung.notify_one();
        }
    }

    pub(in crate::hot) fn close(&self) {
        let mut state = self.state.lock();
        state.closing = true;
        state.asked.clear();
        self.rung.notify_one();
    }

    /// For the pager: who asked since.
    pub(super) fn take_asked(&self) -> Vec<oneshot::Sender<()>> {
        std::mem::take(&mut self.state.lock().asked)
    }

    /// For the pager: waits a moment if there is nothing to do; false once the log closes.
    pub(super) fn goes_on(&self, busy: bool) -> bool {
        let mut state = self.state.lock();
        if !busy && !state.closing && state.asked.is_empty() {
            self.rung.wait_for(&mut state, LOOK_EVERY);
        }
        !state.closing
    }
}
