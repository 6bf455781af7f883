//! Follows the log for one fold: frame by frame, in order, and says how far it has come.
//!
//! Invariant: the position that is announced has been folded, with all before it.

use std::sync::Arc;

use futures_util::StreamExt;
use parking_lot::RwLock;
use pegcount_domain::envelope::Position;
use pegcount_log::{EventLog, Frame};
use tokio::{sync::watch, task::JoinHandle};

/// Something that is made of the log, frame by frame.
pub(crate) trait Fold: Send + Sync + 'static {
    /// Its name, for messages.
    const NAME: &'static str;

    /// Takes one frame in.
    fn apply(&mut self, frame: &Frame);
}

/// A fold that is being kept up to date.
pub(crate) struct Following<F> {
    state: Arc<RwLock<F>>,
    position: watch::Receiver<Position>,
    task: JoinHandle<()>,
}

impl<F: Fold> Following<F> {
    /// Begins after `after`, where the fold stands, and goes on with what comes.
    pub(crate) fn start(log: &Arc<dyn EventLog>, fold: F, after: Position) -> Self {
        let state = Arc::new(RwLock::new(fold));
        let (announce, position) = watch::channel(after);
        let mut frames = log.subscribe(after.next());
        let folded = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Some(frame) = frames.next().await {
                match frame {
                    Ok(frame) => {
                        folded.write().apply(&frame);
                        announce.send_replace(frame.last());
                        tokio::task::yield_now().await;
                    }
                    Err(error) => {
                        tracing::error!(fold = F::NAME, %error, "the fold stops: the log cannot be read");
                        return;
                    }
                }
            }
        });
        Self { state, position, task }
    }

    /// The state as far as it has been folded.
    pub(crate) fn state(&self) -> &RwLock<F> {
        &self.state
    }

    /// How far it has come.
    pub(crate) fn position(&self) -> Position {
        *self.position.borrow()
    }

    /// Tells of every step.
    pub(crate) fn steps(&self) -> watch::Receiver<Position> {
        self.position.clone()
    }

    /// Waits until `position` has been folded; false if the fold has stopped before.
    pub(crate) async fn reached(&self, position: Position) -> bool {
        // Mostly one of two folds has come as far already.
        if *self.position.borrow() >= position {
            return true;
        }
        self.position.clone().wait_for(|at| *at >= position).await.is_ok()
    }
}

impl<F> Drop for Following<F> {
    fn drop(&mut self) {
        self.task.abort();
    }
}
