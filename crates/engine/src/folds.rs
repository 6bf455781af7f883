//! Folds over history beside the present one: what was known then, and what another formula version makes of it all.
//!
//! Each is made on worker threads, with progress, and the last few stay in memory, as large as the figures themselves:
//! nothing bounds their bytes. Asked about a later point, the nearest of them is folded further. Invariant: what is
//! answered about a position equals what the figures' fold answered when it stood there; by a forced version, what it would
//! have answered had that one always been in force.

use std::{
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use pegcount_domain::{
    envelope::Position,
    formula::FormulaDefinition,
    ids::{Key, SiteId},
};
use pegcount_kpi::{Kpi, QueryError};
use pegcount_log::{EventLog, LogError};
use tokio::{runtime::Handle, sync::Mutex};

use crate::{
    archive::Opened,
    checkpoints::Checkpoints,
    engine::Engine,
    error::EngineError,
    figures::Figures,
    pipeline::fold_to,
    progress::{Progress, Purpose},
};

/// How many folds of what was known then stay in memory, and how many by other formula versions.
pub const FOLDS_MAX: usize = 2;

/// One site by one formula version, throughout.
#[derive(Clone, Debug)]
pub(crate) struct Forced {
    pub(crate) site: SiteId,
    pub(crate) key: Key,
    pub(crate) formula: FormulaDefinition<Key>,
}

impl Forced {
    /// What a fold is kept under: a version's number means one content.
    fn mark(&self) -> (Key, u8) {
        (self.key, self.formula.number)
    }
}

struct Kept {
    by: Option<(Key, u8)>,
    figures: Figures,
}

type Shelf = Arc<Mutex<Vec<Kept>>>;

/// Folds that are kept, that asked about last at the end. Whoever folds or reads one of a kind holds the lock of all
/// of that kind; others wait.
pub(crate) struct Folds {
    known: Shelf,
    forced: Shelf,
    closing: Arc<AtomicBool>,
    pub(crate) progress: Progress,
    seed: u64,
}

impl Folds {
    pub(crate) fn new(seed: u64) -> Self {
        let (known, forced, closing) = (Shelf::default(), Shelf::default(), Arc::default());
        Self { known, forced, closing, progress: Progress::default(), seed }
    }

    /// No fold goes on after this.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    pub(crate) fn closing(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.closing)
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
    /// Asks a fold of the log up to `position`.
    pub(crate) async fn ask_fold<T: Send + 'static>(
        &self,
        by: Option<Forced>,
        position: Position,
        ask: impl FnOnce(&Kpi) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let kept = if by.is_some() { &self.folds.forced } else { &self.folds.known };
        let mut kept = Arc::clone(kept).lock_owned().await;
        let given_up = Arc::new(AtomicBool::new(false));
        let _waiting = Waiting(Arc::clone(&given_up));
        let purpose = by.as_ref().map_or(Purpose::KnownAt, |forced| Purpose::Formula {
            site: forced.site.clone(),
            version: forced.formula.number,
        });
        let fold = self.folds.progress.begin(purpose, vec![given_up, self.folds.closing()]);
        let (log, seed, runtime) = (Arc::clone(&self.log), self.folds.seed, Handle::current());
        let checkpoints = self.maker.checkpoints().clone();
        self.work(move || {
            let mark = by.as_ref().map(Forced::mark);
            // What was reckoned as a start would can go on from a checkpoint.
            let saved = checkpoints.nearest(position).filter(|_| by.is_none()).unwrap_or_default();
            let nearest = take_nearest(&mut kept, mark, saved..=position, log.first());
            let mut figures = match (nearest, &by) {
                (Some(figures), _) => figures,
                (None, Some(forced)) => {
                    runtime.block_on(begin_forced(&checkpoints, &log, position, seed, forced))?
                }
                (None, None) => runtime.block_on(begin_standing(&checkpoints, &log, position, seed))?,
            };
            let reached = fold_to(&log, &mut figures, seed, position, &fold, &runtime);
            let answer = reached.and_then(|()| Ok(ask(&figures.kpi)?));
            // Kept even if it was interrupted: who asks again goes on from there.
            kept.push(Kept { by: mark, figures });
            answer
        })
        .await
    }
}

/// The fold to begin with: of those kept under the same version the nearest before the end of `within` that the log still
/// goes on from, if it is not before the begin, where something else can be gone on from. Makes room for it.
fn take_nearest(
    kept: &mut Vec<Kept>,
    by: Option<(Key, u8)>,
    within: RangeInclusive<Position>,
    first: Position,
) -> Option<Figures> {
    let reached = |kept: &Kept| kept.figures.kpi.position();
    let goes_on = |kept: &Kept| reached(kept) == *within.end() || reached(kept).next() >= first;
    let usable = kept.iter().enumerate();
    let usable = usable.filter(|(_, kept)| kept.by == by && within.contains(&reached(kept)) && goes_on(kept));
    let nearest = usable.max_by_key(|(_, kept)| reached(kept)).map(|(index, _)| index);
    if let Some(index) = nearest {
        return Some(kept.remove(index).figures);
    }
    if kept.len() >= FOLDS_MAX {
        // The one that was asked about longest ago.
        kept.remove(0);
    }
    None
}

/// The figures that a start would go on from to come to `position`: those of the last good checkpoint, or else as
/// [`begin`].
pub(crate) async fn begin_standing(
    checkpoints: &Checkpoints,
    log: &Arc<dyn EventLog>,
    position: Position,
    seed: u64,
) -> Result<Figures, EngineError> {
    let saved = checkpoints.figures(&**log, position).await.filter(|figures| figures.seed() == seed);
    match saved {
        Some(figures) => Ok(figures),
        None => begin(log, position, seed, None).await,
    }
}

/// Where one site's figures by a version are folded from to come to `position`: the last good checkpoint's, reckoned by that version
/// from its units, or else as [`begin`].
async fn begin_forced(
    checkpoints: &Checkpoints,
    log: &Arc<dyn EventLog>,
    position: Position,
    seed: u64,
    forced: &Forced,
) -> Result<Figures, EngineError> {
    let saved = checkpoints.figures(&**log, position).await.filter(|figures| figures.seed() == seed);
    match saved.and_then(|figures| figures.kpi.reckoned_under(forced.key, &forced.formula)) {
        Some(kpi) => Ok(Figures::restored(kpi, seed)),
        None => begin(log, position, seed, Some(forced)).await,
    }
}

/// Where the log's first part up to `position` is folded from: its beginning, or an archive of what is gone of it.
///
/// Errors: what is gone cannot be reckoned anew by another version.
pub(crate) async fn begin(
    log: &Arc<dyn EventLog>,
    position: Position,
    seed: u64,
    forced: Option<&Forced>,
) -> Result<Figures, EngineError> {
    let first = log.first();
    if first == Position::START.next() || position == Position::START {
        let kpi = forced.map_or_else(Kpi::new, |forced| Kpi::under(forced.key, &forced.formula));
        return Ok(Figures::restored(kpi, seed));
    }
    if let Some(forced) = forced {
        return Err(EngineError::Precondition(format!(
            "the log's events before position {first} have been dropped, and formula version {} counts otherwise than \
             the figures that stand for them: there is nothing to count anew; ask without a version",
            forced.formula.number
        )));
    }
    match log.archive(Some(position)).await? {
        Some(archive) => Ok(Opened::read(&archive)?.figures),
        None => Err(LogError::Dropped { asked: position, first }.into()),
    }
}
