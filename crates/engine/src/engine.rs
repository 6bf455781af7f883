//! The engine itself: a log, a vault, two folds, and what runs beside them.
//!
//! Invariant: whatever is answered about the present comes from the folds, and says up to which position.

use std::{path::Path, sync::Arc};

use pegcount_clock::Clock;
use pegcount_domain::{
    envelope::Position,
    ids::{Incarnation, SiteId},
    time::{Micros, Span},
};
use pegcount_kpi::{Query, Table};
use pegcount_log::{EventLog, LogError, LogStatus, SledLog, SledOptions};
use pegcount_vault::Vault;
use tokio::task::JoinHandle;

use crate::{
    archive::Opened,
    audit::Audit,
    boards::Boards,
    error::EngineError,
    figures::Figures,
    folds::Folds,
    follow::Following,
    leases::Leases,
    options::{EngineOptions, LogStore},
    retention::Retention,
    source::Sources,
    watch::WatchMemory,
};

/// The engine. Cheap to share; lives as long as an `Arc` of it does.
pub struct Engine {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) clock: Clock,
    pub(crate) sources: Sources,
    pub(crate) leases: Leases,
    pub(crate) figures: Following<Figures>,
    pub(crate) boards: Following<Boards>,
    pub(crate) watches: WatchMemory,
    pub(crate) folds: Folds,
    pub(crate) audit: Audit,
    /// Of all fingerprints: the archive's, if there is one.
    pub(crate) seed: u64,
    /// Held while history is dropped.
    pub(crate) retaining: tokio::sync::Mutex<()>,
    pub(crate) lost_grace: Micros,
    retention: Retention,
    background: parking_lot::Mutex<Vec<JoinHandle<()>>>,
}

impl Engine {
    /// Opens the log and the vault, and folds all of history, from its archive on if its first events are gone. When this returns, every answer includes what was
    /// durable when it was called; leases begin now.
    ///
    /// Errors: the log's (locked, newer format, damaged, I/O) and the vault's.
    pub async fn open(options: EngineOptions) -> Result<Arc<Self>, EngineError> {
        let LogStore::Folder { dir, durability, cache_bytes, seal_bytes } = options.store;
        let clock = options.clock.clone();
        let opened = dir.clone();
        let (log, vault) = blocking(&dir, move || {
            let log = SledLog::open(SledOptions {
                durability,
                cache_bytes,
                seal_bytes,
                clock: Arc::new(move || clock.now()),
                ..SledOptions::new(opened.join("log"))
            })?;
            Ok((log, Vault::open(&opened.join("vault"))?))
        })
        .await?;
        let log: Arc<dyn EventLog> = Arc::new(log);
        let begun = Begun::of(&log, seed_of(&vault)).await?;
        let seed = begun.seed;
        let (figures_at, boards_at) = (begun.figures.kpi.position(), begun.boards.position());
        let engine = Arc::new(Self {
            figures: Following::start(&log, begun.figures, figures_at),
            boards: Following::start(&log, begun.boards, boards_at),
            log,
            vault: Arc::new(vault),
            clock: options.clock,
            sources: Sources::default(),
            leases: Leases::new(options.lease),
            watches: WatchMemory::default(),
            folds: Folds::new(seed),
            audit: Audit::default(),
            seed,
            retaining: tokio::sync::Mutex::default(),
            lost_grace: options.lost_grace,
            retention: options.retention,
            background: parking_lot::Mutex::default(),
        });
        engine.caught_up(engine.log.end()).await?;
        Ok(engine)
    }

    /// Starts what acts by itself: leases and the graces after them, and the checks of the figures. A replay runs none of it, nor does a tool that
    /// only reads.
    pub fn run_processes(self: &Arc<Self>) {
        let lease_watch = crate::leases::spawn(self);
        let (refold, audit) = (crate::refold::spawn(self), crate::audit::spawn(self));
        self.background.lock().extend([lease_watch, refold, audit]);
        if self.retention != Retention::default() {
            self.background.lock().push(crate::retention::spawn(self, self.retention));
        }
    }

    /// Waits until both folds have come to `position`.
    pub async fn caught_up(&self, position: Position) -> Result<(), EngineError> {
        if self.figures.reached(position).await && self.boards.reached(position).await {
            Ok(())
        } else {
            Err(EngineError::Precondition("the folds have stopped: see the log of this program".to_owned()))
        }
    }

    /// The time of day.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The log's incarnation.
    pub fn incarnation(&self) -> Incarnation {
        self.log.incarnation()
    }

    /// How long a softphone may be silent (duration).
    pub fn lease(&self) -> Micros {
        self.leases.length()
    }

    /// Figures about the log, and how far the folds have come.
    pub fn log_status(&self) -> (LogStatus, Position) {
        (self.log.status(), self.figures.position().min(self.boards.position()))
    }

    /// The figures of a range, as far as the fold has come.
    pub fn query(&self, query: &Query) -> Result<Table, EngineError> {
        Ok(self.figures.state().read().kpi.query(query)?)
    }

    /// What changed figures of closed intervals of a site that lie at least partly in `range`, in the order of their
    /// causes; and how far the fold has come.
    pub fn kpi_corrections(&self, site: &SiteId, range: Span) -> (Vec<pegcount_kpi::Correction>, Position) {
        let figures = self.figures.state().read();
        let mut list = figures.kpi.corrections(site);
        list.retain(|one| range.start < one.interval.end() && one.interval.start() < range.end);
        (list, figures.kpi.position())
    }

    /// Finishes what was handed in and closes the log; what acts by itself stops first.
    pub async fn close(&self) -> Result<(), EngineError> {
        self.folds.close();
        for task in self.background.lock().drain(..) {
            task.abort();
        }
        Ok(self.log.close().await?)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.folds.close();
        for task in self.background.get_mut().drain(..) {
            task.abort();
        }
    }
}

/// Where the folds begin.
struct Begun {
    seed: u64,
    figures: Figures,
    boards: Boards,
}

impl Begun {
    /// At the log's beginning, or at what its archive holds of what is gone.
    async fn of(log: &Arc<dyn EventLog>, seed: u64) -> Result<Self, EngineError> {
        let Some(archive) = log.archive(None).await? else {
            return Ok(Self { seed, figures: Figures::new(seed), boards: Boards::default() });
        };
        let opened = blocked(move || Opened::read(&archive)).await?;
        Ok(Self { seed: opened.seed, figures: opened.figures, boards: opened.boards })
    }
}

/// Runs what blocks off the runtime's workers; a panic in it is damage in `dir`, not the end of the program.
async fn blocking<T: Send + 'static>(
    dir: &Path,
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(panic) => Err(EngineError::Log(LogError::Damaged {
            path: dir.to_owned(),
            position: Position::START,
            what: format!("opening it failed: {panic}"),
        })),
    }
}

/// Runs what keeps a thread busy for a while off the runtime's workers. A panic in it goes on in the caller.
pub(crate) async fn blocked<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only a runtime that is being shut down cancels what has not begun.
            Err(_) => Err(EngineError::Precondition("the program is shutting down".to_owned())),
        },
    }
}

/// The seed of all fingerprints. It decides ties (which of two visits that began in the same microsecond was left by a
/// hang-up), so it must be the same after a restart; and nobody outside may know it, so it comes from the vault's key.
fn seed_of(vault: &Vault) -> u64 {
    let digest = vault.digest(b"the seed of the figures' fingerprints");
    digest.first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}
