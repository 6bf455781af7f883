//! The connection of a source, as a task: connects, sends what the spool holds, connects again.
//!
//! Not for one connection (`handshake`, `session`). Invariant: whatever breaks, the task goes on until the source is
//! closed or the server says that trying again is of no use.

mod backoff;
mod handshake;
mod session;
mod verdict;

use std::sync::Arc;

use crate::{limits::BATCH_BYTES_MAX, offset::OffsetEstimator, source::Shared, status::Connection};
use backoff::Backoff;
use verdict::Verdict;

/// What outlives one connection.
pub(crate) struct Link {
    shared: Arc<Shared>,
    offsets: OffsetEstimator,
    /// The highest seq of this epoch that any connection of this process has sent.
    sent_ever: u64,
    /// A batch stops growing here; shrinks when the server finds a batch too large.
    batch_bytes: usize,
    /// The size of the last batch, as it is in the spool.
    last_batch_bytes: usize,
    /// Whether the next hello names the incarnation that we know.
    offer_incarnation: bool,
}

impl Link {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            offsets: OffsetEstimator::default(),
            sent_ever: 0,
            batch_bytes: BATCH_BYTES_MAX,
            last_batch_bytes: 0,
            offer_incarnation: true,
        }
    }

    /// Until the source is closed.
    pub(crate) async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            let acknowledged = self.shared.spool.lock().acknowledged();
            let verdict = self.session().await;
            let mut delay = backoff.next();
            match verdict {
                Verdict::Closed => break,
                Verdict::Stopped(why) => {
                    tracing::error!(source = %self.shared.source.0, %why, "stopped");
                    self.show(Connection::Stopped(why));
                    self.shared.closing.cancelled().await;
                    break;
                }
                Verdict::Again { cause, after, smaller } => {
                    tracing::debug!(source = %self.shared.source.0, %cause, "connects again");
                    self.show(Connection::Waiting { cause });
                    if smaller {
                        self.batch_bytes = (self.batch_bytes.min(self.last_batch_bytes) / 2).max(1);
                    }
                    if smaller || self.shared.spool.lock().acknowledged() > acknowledged {
                        backoff = Backoff::default();
                        delay = backoff.next();
                    }
                    delay = delay.max(after.unwrap_or_default());
                }
            }
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = self.shared.closing.cancelled() => break,
            }
        }
        if let Err(error) = self.shared.spool.lock().save() {
            tracing::warn!(source = %self.shared.source.0, %error, "cannot note how far the server has confirmed");
        }
        self.show(Connection::Closed);
    }

    fn show(&self, connection: Connection) {
        let pending = self.shared.spool.lock().pending();
        self.shared.status.send_modify(|status| {
            // A source that has stopped says why until its end.
            if !matches!((&status.connection, &connection), (Connection::Stopped(_), Connection::Closed)) {
                status.connection = connection;
            }
            status.pending = pending;
        });
    }
}
