//! What was known at a point of the log: figures folded over the log's first part only (KPIS.md §6, `known_at`).
//!
//! A prefix is folded on a worker thread, one at a time, from the nearest checkpoint before it on; the last two stay in
//! memory, as large as the figures themselves were then: nothing bounds their bytes. Asked about a later point, one of them
//! is folded further, if no checkpoint is nearer.
//!
//! Invariant: what is answered about a position equals what the figures' fold answered when it stood there.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::StreamExt;
use pegcount_domain::{envelope::Position, time::Micros};
use pegcount_kpi::{Kpi, Query, QueryError, Table};
use pegcount_log::{EventLog, Frame, LogError};
use tokio::{runtime::Handle, sync::Mutex};

use crate::{
    archive::Opened,
    corrections::event_at,
    engine::{Engine, blocked},
    error::EngineError,
    figures::Figures,
};

/// How many folded prefixes stay in memory.
pub const PREFIXES_MAX: usize = 2;

/// A point of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownAt {
    /// All that had been recorded by then.
    Instant(Micros),
    /// All up to this position; [`Position::START`] is nothing.
    Position(Position),
}

/// What a question about figures means by its instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The instant to which open work counts.
    pub as_of: Micros,
    /// The last position that counts; none: all of the log.
    pub known: Option<Position>,
}

/// Prefixes that have been folded, that asked about last at the end. Whoever folds or reads one holds the lock; others
/// wait.
pub(crate) struct Prefixes {
    folded: Arc<Mutex<Vec<Figures>>>,
    closing: Arc<AtomicBool>,
    seed: u64,
}

impl Prefixes {
    pub(crate) fn new(seed: u64) -> Self {
        Self { folded: Arc::default(), closing: Arc::default(), seed }
    }

    /// No fold goes on after this.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }
}

/// Tells the worker that nobody waits for it any more.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Engine {
    /// What a question means: by default the present, or with `known_at` the instant of that point, never after now.
    ///
    /// Errors: a position beyond the end.
    pub async fn moment(
        &self,
        as_of: Option<Micros>,
        known_at: Option<KnownAt>,
    ) -> Result<Moment, EngineError> {
        let (now, end) = (self.clock.now(), self.log.end());
        let Some(known_at) = known_at else { return Ok(Moment { as_of: as_of.unwrap_or(now), known: None }) };
        let (position, at) = match known_at {
            KnownAt::Instant(at) => (self.recorded_by(at, end).await?, Some(at)),
            KnownAt::Position(asked) if asked > end => {
                return Err(LogError::OutOfRange { asked, next: end.next() }.into());
            }
            KnownAt::Position(Position::START) => (Position::START, None),
            KnownAt::Position(position) => (position, self.recorded_at(position).await?),
        };
        let as_of = as_of.unwrap_or_else(|| at.unwrap_or(now).min(now));
        Ok(Moment { as_of, known: Some(position) })
    }

    pub(crate) async fn recorded_at(&self, position: Position) -> Result<Option<Micros>, EngineError> {
        let frame = self.log.read(position).await?;
        let event = frame.as_deref().and_then(|frame| event_at(frame, position));
        Ok(event.map(|event| event.envelope.recorded_at))
    }

    /// The last position up to `end` that had been recorded by `at`, found by halving: `recorded_at` never falls.
    async fn recorded_by(&self, at: Micros, end: Position) -> Result<Position, EngineError> {
        // All up to `low` had been recorded; nothing after `high` had.
        let (mut low, mut high) = (Position(self.log.first().0 - 1), end);
        while low < high {
            let middle = Position(low.0 + (high.0 - low.0).div_ceil(2));
            let Some(frame) = self.log.read(middle).await? else { break };
            let later = frame.events().find(|event| event.envelope.recorded_at > at);
            match later.map(|event| event.envelope.position) {
                None => low = low.max(frame.last()),
                Some(later) if later == frame.first() => high = high.min(Position(later.0.saturating_sub(1))),
                Some(later) => return Ok(Position(later.0.saturating_sub(1))),
            }
        }
        Ok(low.min(end))
    }

    /// The figures of a range as far as the fold has come, or as the log up to `known` alone gives them, a durable
    /// position.
    pub async fn query_at(
        self: &Arc<Self>,
        query: Query,
        known: Option<Position>,
    ) -> Result<Table, EngineError> {
        self.ask(known, move |kpi| kpi.query(&query)).await
    }

    /// Asks the figures of the present, or those of the log up to `known`. Not on the runtime's workers: a long range
    /// keeps a thread busy for a while.
    pub(crate) async fn ask<T: Send + 'static, A>(
        self: &Arc<Self>,
        known: Option<Position>,
        ask: A,
    ) -> Result<T, EngineError>
    where
        A: FnOnce(&Kpi) -> Result<T, QueryError> + Send + 'static,
    {
        let engine = Arc::clone(self);
        let now = blocked(move || {
            let present = engine.figures.state().read();
            match known {
                Some(position) if position != present.kpi.position() => Ok(Err((position, ask))),
                _ => Ok(Ok(ask(&present.kpi)?)),
            }
        });
        match now.await? {
            Ok(answer) => Ok(answer),
            Err((position, ask)) => self.ask_prefix(position, ask).await,
        }
    }

    async fn ask_prefix<T: Send + 'static>(
        &self,
        position: Position,
        ask: impl FnOnce(&Kpi) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let mut folded = Arc::clone(&self.prefixes.folded).lock_owned().await;
        let given_up = Arc::new(AtomicBool::new(false));
        let _waiting = Waiting(Arc::clone(&given_up));
        let stops = [given_up, Arc::clone(&self.prefixes.closing)];
        let (log, seed, runtime) = (Arc::clone(&self.log), self.prefixes.seed, Handle::current());
        let checkpoints = self.maker.checkpoints().clone();
        blocked(move || {
            let first = log.first();
            let saved = checkpoints.nearest(position).unwrap_or_default();
            let mut figures = match take_nearest(&mut folded, saved, position, first) {
                Some(figures) => figures,
                None => match runtime.block_on(checkpoints.figures(&*log, position)) {
                    Some(figures) => figures,
                    None => runtime.block_on(begin(&log, position, seed))?,
                },
            };
            let reached = runtime.block_on(fold_to(&log, &mut figures, position, &stops));
            let answer = reached.and_then(|()| Ok(ask(&figures.kpi)?));
            // Kept even if it was interrupted: who asks again goes on from there.
            folded.push(figures);
            answer
        })
        .await
    }
}

/// The prefix to begin with: of those kept the nearest before `position` that the log still goes on from, if it is so far
/// as what is `saved`. Makes room for it.
fn take_nearest(
    folded: &mut Vec<Figures>,
    saved: Position,
    position: Position,
    first: Position,
) -> Option<Figures> {
    let reached = |figures: &Figures| figures.kpi.position();
    let goes_on = |figures: &Figures| reached(figures) == position || reached(figures).next() >= first;
    let usable = folded.iter().enumerate();
    let usable =
        usable.filter(|(_, figures)| (saved..=position).contains(&reached(figures)) && goes_on(figures));
    let nearest = usable.max_by_key(|(_, figures)| reached(figures)).map(|(index, _)| index);
    if let Some(index) = nearest {
        return Some(folded.remove(index));
    }
    if folded.len() >= PREFIXES_MAX {
        // The one that was asked about longest ago.
        folded.remove(0);
    }
    None
}

/// Where the log's first part up to `position` is folded from: its beginning, or an archive of what is gone of it.
async fn begin(log: &Arc<dyn EventLog>, position: Position, seed: u64) -> Result<Figures, EngineError> {
    let first = log.first();
    if first == Position::START.next() || position == Position::START {
        return Ok(Figures::new(seed));
    }
    match log.archive(Some(position)).await? {
        Some(archive) => Ok(Opened::read(&archive)?.figures),
        None => Err(LogError::Dropped { asked: position, first }.into()),
    }
}

/// Folds on to `position`, frame by frame.
async fn fold_to(
    log: &Arc<dyn EventLog>,
    figures: &mut Figures,
    position: Position,
    stops: &[Arc<AtomicBool>],
) -> Result<(), EngineError> {
    let next = figures.kpi.position().next();
    if next > position {
        return Ok(());
    }
    let mut frames = log.subscribe(next);
    while let Some(frame) = frames.next().await {
        let frame: Arc<Frame> = frame?;
        figures.fold_until(&frame, position);
        if frame.last() >= position {
            return Ok(());
        }
        if stops.iter().any(|stop| stop.load(Ordering::Relaxed)) {
            break;
        }
    }
    Err(EngineError::Precondition("the fold of what was known then was interrupted: ask again".to_owned()))
}
