//! How the sealer is told that there is something to do.
//!
//! Invariant: telling never waits for a sealing or a drop.

use parking_lot::{Condvar, Mutex};
use pegcount_domain::envelope::Position;
use tokio::sync::oneshot;

use crate::{
    api::{LogError, Sealed},
    retention::{Archive, Dropped},
};

/// To whoever asked for a sealing: what was sealed, none if there was nothing to seal.
pub(super) type SealAnswer = oneshot::Sender<Result<Option<Sealed>, LogError>>;

/// To whoever asked for history to be dropped.
pub(super) type DropAnswer = oneshot::Sender<Result<Dropped, LogError>>;

/// History that is to be dropped.
pub(super) struct DropAsked {
    pub(super) up_to: Position,
    pub(super) archive: Archive,
    pub(super) answer: DropAnswer,
}

/// What the sealer is to do next.
pub(super) enum Call {
    /// The hot database is full.
    Full,
    /// Somebody wants whatever is there sealed.
    Asked(SealAnswer),
    /// Somebody wants history dropped.
    Drop(DropAsked),
    /// The log closes.
    Close,
}

#[derive(Default)]
struct State {
    full: bool,
    asked: Vec<SealAnswer>,
    drops: Vec<DropAsked>,
    closing: bool,
}

#[derive(Default)]
pub(super) struct Bell {
    state: Mutex<State>,
    rung: Condvar,
}

impl Bell {
    /// The hot database is full.
    pub(super) fn full(&self) {
        let mut state = self.state.lock();
        if !state.full {
            state.full = true;
            self.rung.notify_one();
        }
    }

    /// Seals what is there; refused (the answer is dropped) once the log closes.
    pub(super) fn ask(&self, answer: SealAnswer) {
        let mut state = self.state.lock();
        if !state.closing {
            state.asked.push(answer);
            self.rung.notify_one();
        }
    }

    /// Drops history; refused as a sealing is.
    pub(super) fn ask_drop(&self, asked: DropAsked) {
        let mut state = self.state.lock();
        if !state.closing {
            state.drops.push(asked);
            self.rung.notify_one();
        }
    }

    /// Nothing more is sealed or dropped; a sealing under way is left for the next start.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.closing = true;
        state.asked.clear();
        state.drops.clear();
        self.rung.notify_one();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.state.lock().closing
    }

    /// For the sealer: waits for something to do.
    pub(super) fn wait(&self) -> Call {
        let mut state = self.state.lock();
        loop {
            if state.closing {
                return Call::Close;
            }
            if let Some(answer) = state.asked.pop() {
                return Call::Asked(answer);
            }
            if let Some(asked) = state.drops.pop() {
                return Call::Drop(asked);
            }
            if std::mem::take(&mut state.full) {
                return Call::Full;
            }
            self.rung.wait(&mut state);
        }
    }
}
