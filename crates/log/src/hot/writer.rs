//! The two threads that write the log: each forms a group and commits it, in turns.
//!
//! Not for what a group is nor for how it becomes durable: that is the former's and the committer's.
//!
//! Invariant: whatever panics, everyone who waits is answered.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use parking_lot::Mutex;

use super::{
    committer::Committer,
    desk::Desk,
    durable::Durable,
    former::{Former, refusal},
    panic_text,
};

/// How many there are: one can form while the other one commits.
pub(super) const WRITERS: usize = 2;

/// One of them.
#[derive(Clone)]
pub(super) struct Writer {
    pub(super) desk: Arc<Desk>,
    pub(super) durable: Arc<Durable>,
    /// Locked by whoever has the turn.
    pub(super) committer: Arc<Mutex<Committer>>,
}

impl Writer {
    /// Runs until the desk is closed and its queue is empty.
    pub(super) fn run(&self) {
        let mut has_turn = false;
        while let Some(mut former) = self.desk.next_former(has_turn) {
            let formed = catch_unwind(AssertUnwindSafe(|| former.form(&self.desk)));
            match formed {
                Ok(Some(group)) => {
                    self.desk.give_back(former);
                    self.committer.lock().finish(group);
                    has_turn = true;
                }
                Ok(None) => return self.end(),
                Err(panic) => {
                    self.durable.poison(&format!("forming a group panicked: {}", panic_text(&*panic)));
                    self.refuse(*former);
                    return self.end();
                }
            }
        }
    }

    fn refuse(&self, former: Former) {
        for (answer, _) in former.group.answers {
            let _ = answer.send(Err(refusal(&self.durable)));
        }
    }

    fn end(&self) {
        for waiting in self.desk.end() {
            let _ = waiting.answer.send(Err(refusal(&self.durable)));
        }
        // Whoever still commits has it.
        self.committer.lock().end();
    }
}
