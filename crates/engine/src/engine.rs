//! The engine itself: a log, a vault, two folds, and what runs beside them.
//!
//! Invariant: whatever is answered about the present comes from the folds, and says up to which position.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use pegcount_clock::Clock;
use pegcount_domain::{
    envelope::Position,
    ids::{Incarnation, SiteId},
    time::{Micros, Span},
};
use pegcount_kpi::{Query, Table};
use pegcount_log::{EventLog, LogError, LogStatus, SledLog, SledOptions};
use pegcount_vault::Vault;
use tokio::{runtime::Handle, task::JoinHandle};
use tokio_util::task::TaskTracker;

use crate::{
    archive::Opened,
    audit::Audit,
    boards::Boards,
    checkpoints::{Checkpoints, Maker, ReadAhead, Standing},
    error::EngineError,
    figures::Figures,
    folds::Folds,
    follow::Following,
    leases::Leases,
    options::{EngineOptions, LogStore},
    retention::Retention,
    source::Sources,
    watch::Hub,
};

/// The engine. Cheap to share; lives as long as an `Arc` of it does.
pub struct Engine {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) dir: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) sources: Sources,
    pub(crate) leases: Leases,
    pub(crate) figures: Following<Figures>,
    pub(crate) boards: Following<Boards>,
    pub(crate) watches: Hub,
    pub(crate) folds: Folds,
    pub(crate) audit: Audit,
    pub(crate) maker: Maker,
    began_at: Position,
    /// Of all fingerprints: the archive's, if there is one.
    pub(crate) seed: u64,
    /// Held while history is dropped.
    pub(crate) retaining: tokio::sync::Mutex<()>,
    /// Turns of those who replay tickets.
    pub(crate) replaying: Arc<tokio::sync::Semaphore>,
    pub(crate) lost_grace: Micros,
    retention: Retention,
    background: parking_lot::Mutex<Vec<JoinHandle<()>>>,
    /// What keeps threads busy on the engine's behalf.
    work: TaskTracker,
}

impl Engine {
    /// Opens the log and the vault, and folds history: from the last good checkpoint on, or from the archive on if its
    /// first events are gone. When this returns, every answer includes what was durable when it was called; leases begin
    /// now.
    ///
    /// Errors: the log's (locked, newer format, damaged, I/O) and the vault's.
    pub async fn open(options: EngineOptions) -> Result<Arc<Self>, EngineError> {
        let LogStore::Folder { dir, durability, cache_bytes, seal_bytes } = options.store;
        let (clock, master_key) = (options.clock.clone(), options.master_key);
        let opened = dir.clone();
        let ahead = ReadAhead::begin(dir.clone());
        let (log, vault) = blocking(&dir, move || {
            let log = SledLog::open(SledOptions {
                durability,
                cache_bytes,
                seal_bytes,
                clock: Arc::new(move || clock.now()),
                ..SledOptions::new(opened.join("log"))
            })?;
            crate::customers::remove_copies(&opened);
            Ok((log, Vault::open_with(&opened.join("vault"), &master_key)?))
        })
        .await?;
        let log: Arc<dyn EventLog> = Arc::new(log);
        let checkpoints = Checkpoints::of(&dir, &*log);
        let begun = Begun::of(&log, &checkpoints, ahead.await.unwrap_or_default(), seed_of(&vault)).await?;
        let seed = begun.seed;
        let (figures_at, boards_at) = (begun.figures.kpi.position(), begun.boards.position());
        let engine = Arc::new(Self {
            figures: Following::start(&log, begun.figures, figures_at),
            boards: Following::start(&log, begun.boards, boards_at),
            log,
            vault: Arc::new(vault),
            dir,
            clock: options.clock,
            sources: Sources::default(),
            leases: Leases::new(options.lease),
            watches: Hub::default(),
            folds: Folds::new(seed),
            audit: Audit::default(),
            maker: Maker::new(checkpoints, options.checkpointing, figures_at.min(boards_at)),
            began_at: figures_at.min(boards_at),
            seed,
            retaining: tokio::sync::Mutex::default(),
            replaying: Arc::new(tokio::sync::Semaphore::new(crate::tickets::REPLAYS_AT_ONCE)),
            lost_grace: options.lost_grace,
            retention: options.retention,
            background: parking_lot::Mutex::default(),
            work: TaskTracker::new(),
        });
        engine.caught_up(engine.log.end()).await?;
        let erased = engine.carry_out_erasures().await?;
        if erased > 0 {
            tracing::warn!(customers = erased, "erased again in the vault who had been erased by the log");
        }
        Ok(engine)
    }

    /// Starts what acts by itself: leases and the graces after them, what comes due for tickets, and the checks of the figures. A replay runs
    /// none of it, nor does a tool that only reads.
    pub fn run_processes(self: &Arc<Self>) {
        let (lease_watch, alerts) = (crate::leases::spawn(self), crate::alerts::spawn(self));
        let (audit, refold) = (crate::audit::spawn(self), crate::refold::spawn(self));
        self.background.lock().extend([lease_watch, alerts, audit, refold, crate::checkpoints::spawn(self)]);
        if self.retention != Retention::default() {
            self.background.lock().push(crate::retention::spawn(self, self.retention));
        }
    }

    /// Up to where nothing had to be folded at the start: the checkpoint's position, or the archive's; 0 without either.
    pub fn began_at(&self) -> Position {
        self.began_at
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
    pub async fn kpi_corrections(
        self: &Arc<Self>,
        site: &SiteId,
        range: Span,
    ) -> Result<(Vec<pegcount_kpi::Correction>, Position), EngineError> {
        let (engine, site) = (Arc::clone(self), site.clone());
        self.work(move || {
            let figures = engine.figures.state().read();
            let mut list = figures.kpi.corrections(&site);
            list.retain(|one| range.start < one.interval.end() && one.interval.start() < range.end);
            Ok((list, figures.kpi.position()))
        })
        .await
    }

    /// Finishes what was handed in and closes the log; what acts by itself stops first, and leaves a checkpoint. Nothing of
    /// the engine's own holds it afterwards.
    pub async fn close(self: &Arc<Self>) -> Result<(), EngineError> {
        self.folds.close();
        self.watches.close().await;
        let background: Vec<_> = self.background.lock().drain(..).collect();
        for task in background {
            task.abort();
            // Whether it ended by itself matters to nobody any more.
            let _ = task.await;
        }
        self.last_checkpoint().await;
        self.work.close();
        self.work.wait().await;
        Ok(self.log.close().await?)
    }

    /// Runs what keeps a thread busy for a while, as [`blocked`]; the engine's closing waits for it.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let token = self.work.token();
        blocked(move || {
            // Outlives all that `work` holds.
            let _token = token;
            work()
        })
        .await
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.folds.close();
        self.watches.abort();
        self.maker.stop();
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
    /// At the last good checkpoint; without one at what the log's archive holds of what is gone, or at its beginning, under
    /// `seed`.
    async fn of(
        log: &Arc<dyn EventLog>,
        checkpoints: &Checkpoints,
        ahead: ReadAhead,
        seed: u64,
    ) -> Result<Self, EngineError> {
        let archive = log.archive(None).await?;
        let (own, checkpoints, runtime) = (Arc::clone(log), checkpoints.clone(), Handle::current());
        let standing = blocked(move || Ok(runtime.block_on(checkpoints.standing(&*own, own.end(), ahead))));
        if let Some(Standing { seed, figures, boards }) = standing.await?
            && archive.as_ref().is_none_or(|archive| archive.position <= figures.kpi.position())
        {
            return Ok(Self { seed, figures, boards });
        }
        let Some(archive) = archive else {
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
