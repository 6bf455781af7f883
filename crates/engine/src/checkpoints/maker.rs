//! Making checkpoints, without holding back the folds that answer.
//!
//! A second pair of folds begins at the last checkpoint, folds what the log got since, is written and forgotten: nothing
//! waits for it, and it takes the memory of another pair for as long. At a clean stop nobody asks any more, and the folds
//! themselves are written. Invariant: one at a time, and none after the engine has been closed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use parking_lot::Mutex;
use pegcount_domain::envelope::Position;
use tokio::task::JoinHandle;

use super::{Checkpoints, ReadAhead, SharedLog, file::Unwritten, recorded_at};
use crate::{
    archive::Opened, boards::Boards, engine::Engine, error::EngineError, figures::Figures, follow::Fold,
};

/// How often it is looked whether one is due.
const LOOKS_EVERY: Duration = Duration::from_secs(1);
/// What one took to make passes so many times until the next.
const PAUSE_FACTOR: u32 = 5;

/// When checkpoints are made, by those who run processes, and how many stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpointing {
    /// After so many events.
    pub every_events: u64,
    /// After so long, if anything has happened (real time).
    pub every: Duration,
    /// At a clean stop, if so many events have come since the last.
    pub stop_events: u64,
    /// All of them take at most so many bytes; the last two stay whatever they take.
    pub bytes_max: u64,
}

impl Default for Checkpointing {
    /// 250,000 events, ten minutes, 10,000 events, 1 GiB.
    fn default() -> Self {
        Self {
            every_events: 250_000,
            every: Duration::from_mins(10),
            stop_events: 10_000,
            bytes_max: 1 << 30,
        }
    }
}

/// What of an engine makes checkpoints.
pub(crate) struct Maker {
    checkpoints: Checkpoints,
    keep: Checkpointing,
    /// The position of the last one.
    last: AtomicU64,
    /// Set by who wants no more.
    stopped: Arc<AtomicBool>,
    /// Held while one is made.
    making: Arc<tokio::sync::Mutex<()>>,
    /// When the last one was begun or found, and how long it took.
    timing: Mutex<(Instant, Duration)>,
    running: AtomicBool,
}

impl Maker {
    /// `last` is where the folds begin.
    pub(crate) fn new(checkpoints: Checkpoints, keep: Checkpointing, last: Position) -> Self {
        Self {
            checkpoints,
            keep,
            last: AtomicU64::new(last.0),
            stopped: Arc::default(),
            making: Arc::default(),
            timing: Mutex::new((Instant::now(), Duration::ZERO)),
            running: AtomicBool::new(false),
        }
    }

    pub(crate) fn checkpoints(&self) -> &Checkpoints {
        &self.checkpoints
    }

    /// No more of them; the one that is being made is given up.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    fn is_due(&self, at: Position) -> bool {
        let events = at.0.saturating_sub(self.last.load(Ordering::Relaxed));
        let (begun, took) = *self.timing.lock();
        let passed = begun.elapsed();
        let enough = events >= self.keep.every_events.max(1) || (events > 0 && passed >= self.keep.every);
        enough && passed >= took * PAUSE_FACTOR
    }

    fn done(&self, position: Position, bytes: u64, begun: Instant) {
        self.last.store(position.0, Ordering::Relaxed);
        *self.timing.lock() = (begun, begun.elapsed());
        let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(position = position.0, bytes, took_ms, "a checkpoint was made");
    }
}

/// Both folds, apart from those that answer.
struct Pair {
    figures: Figures,
    boards: Boards,
}

impl Pair {
    /// At the last good checkpoint at or before `position`; without one where the engine itself would begin.
    async fn begin(
        checkpoints: &Checkpoints,
        log: &SharedLog,
        position: Position,
        seed: u64,
    ) -> Result<Self, EngineError> {
        if let Some(standing) = checkpoints.standing(&**log, position, ReadAhead::default()).await {
            return Ok(Self { figures: standing.figures, boards: standing.boards });
        }
        match log.archive(Some(position)).await? {
            Some(archive) => {
                let opened = Opened::read(&archive)?;
                Ok(Self { figures: opened.figures, boards: opened.boards })
            }
            None => Ok(Self { figures: Figures::new(seed), boards: Boards::default() }),
        }
    }

    /// Folds on to `position`, the last of a frame. False if it was stopped before.
    async fn fold_to(
        &mut self,
        log: &SharedLog,
        position: Position,
        stopped: &AtomicBool,
    ) -> Result<bool, EngineError> {
        let reached = self.figures.kpi.position().min(self.boards.position());
        if reached >= position {
            return Ok(true);
        }
        let mut frames = log.subscribe(reached.next());
        while let Some(frame) = frames.next().await {
            let frame = frame?;
            self.figures.fold(&frame);
            if frame.last() > self.boards.position() {
                self.boards.apply(&frame);
            }
            if frame.last() >= position {
                return Ok(true);
            }
            if stopped.load(Ordering::Relaxed) {
                break;
            }
        }
        Ok(false)
    }
}

/// Makes checkpoints from now on.
pub(crate) fn spawn(engine: &Arc<Engine>) -> JoinHandle<()> {
    engine.maker.running.store(true, Ordering::Relaxed);
    let engine = Arc::downgrade(engine);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(LOOKS_EVERY).await;
            let Some(engine) = engine.upgrade() else { return };
            if !engine.maker.is_due(engine.folded()) {
                continue;
            }
            if let Err(error) = engine.checkpoint().await {
                tracing::error!(%error, "no checkpoint was made; trying again later");
                let mut timing = engine.maker.timing.lock();
                *timing = (Instant::now(), timing.1);
            }
        }
    })
}

impl Engine {
    /// Up to where both folds have come.
    fn folded(&self) -> Position {
        self.figures.position().min(self.boards.position())
    }

    /// Makes a checkpoint of what both folds have come to, apart from them. Gives its position; none if it was stopped by
    /// [`Engine::close`], or if there is one there already.
    ///
    /// Errors: the log's, and those of writing a file.
    pub async fn checkpoint(self: &Arc<Self>) -> Result<Option<Position>, EngineError> {
        let maker = &self.maker;
        let alone = Arc::clone(&maker.making).lock_owned().await;
        let (begun, target) = (Instant::now(), self.folded());
        if maker.is_stopped() || target == Position(maker.last.load(Ordering::Relaxed)) {
            return Ok(None);
        }
        let (log, seed, stopped) = (Arc::clone(&self.log), self.seed, Arc::clone(&maker.stopped));
        let (checkpoints, keep) = (maker.checkpoints.clone(), maker.keep);
        let runtime = tokio::runtime::Handle::current();
        let made = self.work(move || {
            // Goes on being held if nobody waits for this any more.
            let _alone = alone;
            let mut pair = runtime.block_on(Pair::begin(&checkpoints, &log, target, seed))?;
            if !runtime.block_on(pair.fold_to(&log, target, &stopped))? {
                return Ok(None);
            }
            let recorded_at = runtime.block_on(recorded_at(&*log, pair.figures.kpi.position()))?;
            let stopped = || stopped.load(Ordering::Relaxed);
            let folds = (&pair.figures, &pair.boards);
            let written = checkpoints.write(folds, recorded_at, log.first(), &keep, stopped);
            match written {
                Ok(bytes) => Ok(Some((pair.figures.kpi.position(), bytes))),
                Err(Unwritten::Stopped) => Ok(None),
                Err(error) => Err(EngineError::Checkpoint(error.to_string())),
            }
        });
        let Some((position, bytes)) = made.await? else { return Ok(None) };
        maker.done(position, bytes, begun);
        Ok(Some(position))
    }

    /// At a clean stop: gives up what is being made, and writes the folds themselves if it is worth it.
    pub(crate) async fn last_checkpoint(self: &Arc<Self>) {
        let maker = &self.maker;
        maker.stop();
        let alone = Arc::clone(&maker.making).lock_owned().await;
        let since = self.folded().0.saturating_sub(maker.last.load(Ordering::Relaxed));
        if !maker.running.swap(false, Ordering::Relaxed) || since < maker.keep.stop_events {
            return;
        }
        let (engine, runtime) = (Arc::clone(self), tokio::runtime::Handle::current());
        let begun = Instant::now();
        let written = self.work(move || {
            let _alone = alone;
            let (figures, boards) = (engine.figures.state().read(), engine.boards.state().read());
            let position = figures.kpi.position();
            if position != boards.position() {
                return Err(EngineError::Checkpoint("the folds stand at different positions".to_owned()));
            }
            if let Some(since) = figures.kpi.deferred_since() {
                let what = format!("the definitions from position {since} on are still being taken in");
                return Err(EngineError::Checkpoint(what));
            }
            let recorded_at = runtime.block_on(recorded_at(&*engine.log, position))?;
            let maker = &engine.maker;
            let (folds, first) = ((&*figures, &*boards), engine.log.first());
            let bytes = maker.checkpoints.write(folds, recorded_at, first, &maker.keep, || false);
            Ok((position, bytes.map_err(|error| EngineError::Checkpoint(error.to_string()))?))
        });
        match written.await {
            Ok((position, bytes)) => maker.done(position, bytes, begun),
            Err(error) => {
                tracing::warn!(%error, "no checkpoint was made at the end: the next start takes longer");
            }
        }
    }
}
