//! Watching figures: a snapshot, then only the rows that changed, at most so many times a second.
//!
//! Invariant: the snapshot and all changes after it, laid over each other, equal the query's answer at the last
//! update's instant and position.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use pegcount_domain::{envelope::Position, ids::Name, time::Micros};
use pegcount_kpi::{Query, Row, Table, Value, Versions};
use rustc_hash::FxHashMap;
use tokio::{sync::watch, time::Instant};

use crate::{engine::Engine, error::EngineError};

/// Updates per second if the subscriber does not say.
const UPDATES_PER_SECOND_DEFAULT: u32 = 10;
/// Open work grows without any event; so often it is looked at anew, in real time.
const TICK: Duration = Duration::from_secs(1);
/// How many interrupted watches are remembered for those who come back.
const REMEMBERED_MAX: usize = 64;

type RowKey = (Micros, Micros, Vec<Option<Name>>);
type Rows = FxHashMap<RowKey, Vec<Value>>;

/// A snapshot or a change.
#[derive(Clone, Debug)]
pub struct WatchUpdate {
    /// These are all rows.
    pub snapshot: bool,
    /// The rows, or those that changed; with the columns.
    pub table: Table,
    /// Rows that are no more; their values are empty.
    pub removed: Vec<Row>,
    /// Give it back to go on from here.
    pub resume_token: Vec<u8>,
}

/// Interrupted watches, for those who come back.
#[derive(Default)]
pub(crate) struct WatchMemory(Mutex<Vec<Remembered>>);

struct Remembered {
    token: Vec<u8>,
    query: String,
    rows: Rows,
}

/// One subscriber's watch.
pub struct KpiWatch {
    engine: Arc<Engine>,
    query: Query,
    shown: Rows,
    resumed: bool,
    started: bool,
    id: uuid::Uuid,
    updates: u64,
    pause: Duration,
    next_at: Instant,
    steps: watch::Receiver<Position>,
}

impl Engine {
    /// Watches `query`; its `as_of` is ignored. With the token of an interrupted watch of the same query it goes on
    /// where that one ended, if it is still remembered.
    pub fn watch(self: &Arc<Self>, query: Query, max_per_second: u32, resume_token: &[u8]) -> KpiWatch {
        let rate = if max_per_second == 0 { UPDATES_PER_SECOND_DEFAULT } else { max_per_second };
        let remembered = self.watches.take(resume_token, &fingerprint(&query));
        KpiWatch {
            steps: self.figures.steps(),
            engine: Arc::clone(self),
            query,
            resumed: remembered.is_some(),
            shown: remembered.unwrap_or_default(),
            started: false,
            id: uuid::Uuid::new_v4(),
            updates: 0,
            pause: Duration::from_secs(1) / rate,
            next_at: Instant::now(),
        }
    }
}

impl KpiWatch {
    /// The next update; the first one comes at once. Cancel-safe.
    pub async fn next(&mut self) -> Result<WatchUpdate, EngineError> {
        loop {
            if self.started {
                self.change().await?;
            }
            tokio::time::sleep_until(self.next_at).await;
            self.steps.borrow_and_update();
            self.query.as_of = self.engine.clock.now();
            let table = self.engine.query(&self.query)?;
            self.next_at = Instant::now() + self.pause;
            let snapshot = !self.started && !self.resumed;
            let update = self.difference(table, snapshot);
            if snapshot || !self.started || !update.table.rows.is_empty() || !update.removed.is_empty() {
                self.started = true;
                return Ok(update);
            }
        }
    }

    /// Waits until the fold has moved, or open work has grown for a while, or a time has come that changes figures
    /// without any event.
    async fn change(&mut self) -> Result<(), EngineError> {
        let now = self.engine.clock.now();
        let due = self.engine.figures.state().read().kpi.next_change(&self.query, now);
        let clock = self.engine.clock.clone();
        let due = async move {
            match due {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            step = self.steps.changed() => {
                if step.is_err() {
                    let stopped = "the figures' fold has stopped: see the log of this program";
                    return Err(EngineError::Precondition(stopped.to_owned()));
                }
            }
            () = tokio::time::sleep(TICK) => {}
            () = due => {}
        }
        Ok(())
    }

    /// What of `table` has not been shown; afterwards it has.
    fn difference(&mut self, mut table: Table, snapshot: bool) -> WatchUpdate {
        let mut rows = Rows::default();
        let mut changed = Vec::new();
        for row in std::mem::take(&mut table.rows) {
            let key = (row.from, row.to, row.keys.clone());
            if snapshot || self.shown.get(&key) != Some(&row.values) {
                changed.push(row.clone());
            }
            rows.insert(key, row.values);
        }
        let removed = self
            .shown
            .keys()
            .filter(|key| !rows.contains_key(*key))
            .map(|(from, to, keys)| Row {
                from: *from,
                to: *to,
                keys: keys.clone(),
                values: Vec::new(),
                versions: Versions::new(),
            })
            .collect();
        self.shown = rows;
        self.updates += 1;
        table.rows = changed;
        WatchUpdate { snapshot, table, removed, resume_token: self.token() }
    }

    fn token(&self) -> Vec<u8> {
        let mut token = self.id.as_bytes().to_vec();
        token.extend_from_slice(&self.updates.to_be_bytes());
        token
    }
}

impl Drop for KpiWatch {
    fn drop(&mut self) {
        let token = self.token();
        let rows = std::mem::take(&mut self.shown);
        self.engine.watches.keep(Remembered { token, query: fingerprint(&self.query), rows });
    }
}

impl WatchMemory {
    fn keep(&self, remembered: Remembered) {
        let mut all = self.0.lock();
        if all.len() == REMEMBERED_MAX {
            all.remove(0);
        }
        all.push(remembered);
    }

    fn take(&self, token: &[u8], query: &str) -> Option<Rows> {
        let mut all = self.0.lock();
        let index = all.iter().position(|known| known.token == token && known.query == query)?;
        Some(all.remove(index).rows)
    }
}

/// Equal for equal questions, whatever instant they were asked at.
fn fingerprint(query: &Query) -> String {
    let Query {
        site,
        from,
        to,
        by,
        attribution,
        time_zone,
        as_of: _,
        queues,
        agents,
        formula_version,
        variant,
    } = query;
    format!(
        "{site:?} {from:?} {to:?} {by:?} {attribution:?} {time_zone:?} {queues:?} {agents:?} {formula_version:?} {variant:?}"
    )
}
