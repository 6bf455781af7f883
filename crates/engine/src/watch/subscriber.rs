//! One watcher, at its own pace.
//!
//! It keeps nothing but the number of the table that it was told last: one that is slow is told later what many changes
//! came to, and holds nobody back. Invariant: between the making of two of its updates at least the pause that was asked for passes.

use std::{sync::Arc, time::Duration};

use pegcount_domain::envelope::Position;
use pegcount_kpi::Query;
use tokio::{sync::watch, time::Instant};

use super::group::{Group, Since, WatchUpdate};
use crate::{engine::Engine, error::EngineError};

/// Updates per second if the subscriber does not say.
const UPDATES_PER_SECOND_DEFAULT: u32 = 10;

/// One subscriber's watch.
pub struct KpiWatch {
    engine: Arc<Engine>,
    group: Arc<Group>,
    versions: watch::Receiver<Option<u64>>,
    since: Since,
    /// Whether it has been told anything.
    started: bool,
    pause: Duration,
    next_at: Instant,
}

impl Engine {
    /// Watches `query`; its `as_of` is ignored. With the token of an interrupted watch of the same query it goes on where
    /// that one ended: with the changes since, if they can be told, else with a snapshot.
    pub fn watch(self: &Arc<Self>, query: &Query, max_per_second: u32, resume_token: &[u8]) -> KpiWatch {
        let rate = if max_per_second == 0 { UPDATES_PER_SECOND_DEFAULT } else { max_per_second };
        let pause = Duration::from_secs(1) / rate;
        let group = self.watches.join(self, query, pause);
        KpiWatch {
            engine: Arc::clone(self),
            versions: group.versions(),
            since: group.since(resume_token),
            group,
            started: false,
            pause,
            next_at: Instant::now(),
        }
    }
}

impl KpiWatch {
    /// The next update; the first one comes at once. Cancel-safe.
    ///
    /// Errors: as of the query; watches have stopped, with the fold or by a fault.
    pub async fn next(&mut self) -> Result<Arc<WatchUpdate>, EngineError> {
        tokio::time::sleep_until(self.next_at).await;
        loop {
            let told = *self.versions.borrow_and_update();
            match told {
                Some(version) if version != 0 && (!self.started || self.since != Since::Version(version)) => {
                    break;
                }
                Some(_) if self.versions.changed().await.is_ok() => {}
                _ => {
                    let stopped = "watches have stopped: see the log of this program";
                    return Err(EngineError::Precondition(stopped.to_owned()));
                }
            }
        }
        let update = match self.since {
            Since::Moment(position, as_of) => {
                let (engine, group) = (Arc::clone(&self.engine), Arc::clone(&self.group));
                let (since, moment) = (self.since, (Position(position), as_of));
                self.engine
                    .work(move || Ok(engine.watches.update_since(&engine, &group, since, moment)?))
                    .await?
            }
            _ => self.group.update(self.since, None)?,
        };
        self.since = Since::Version(update.version());
        self.started = true;
        // After its making, not after its sending: else small delays would add up.
        self.next_at = update.made_at() + self.pause;
        Ok(update)
    }
}

impl Drop for KpiWatch {
    fn drop(&mut self) {
        self.group.count(self.pause, false);
    }
}
