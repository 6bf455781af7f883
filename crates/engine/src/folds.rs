//! Folds over history beside the present one: what was known then, and what another formula version makes of it all.
//!
//! Each is made on worker threads, with progress, and the last few stay in memory, as large as the figures themselves:
//! nothing bounds their bytes. Asked about a later point, the nearest of them is folded further. Invariant: what is
//! answered about a position equals what the figures' fold answered when it stood there; by a forced version, what it would
//! have answered had that one always been in force.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
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
    engine::{Engine, blocked},
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

/// Folds that are kept, that asked about last at the end. Whoever folds or reads one of a shelf holds its lock; others wait.
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
        forced: Option<Forced>,
        position: Position,
        ask: impl FnOnce(&Kpi) -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let shelf = if forced.is_some() { &self.folds.forced } else { &self.folds.known };
        let mut shelf = Arc::clone(shelf).lock_owned().await;
        let given_up = Arc::new(AtomicBool::new(false));
        let _waiting = Waiting(Arc::clone(&given_up));
        let purpose = forced.as_ref().map_or(Purpose::KnownAt, |forced| Purpose::Formula {
            site: forced.site.clone(),
            version: forced.formula.number,
        });
        let running = self.folds.progress.begin(purpose, vec![given_up, self.folds.closing()]);
        let (log, seed, runtime) = (Arc::clone(&self.log), self.folds.seed, Handle::current());
        blocked(move || {
            let by = forced.as_ref().map(Forced::mark);
            let mut figures = match take_nearest(&mut shelf, by, position, log.first()) {
                Some(figures) => figures,
                None => runtime.block_on(begin(&log, position, seed, forced.as_ref()))?,
            };
            let reached = fold_to(&log, &mut figures, seed, position, &running, &runtime);
            let answer = reached.and_then(|()| Ok(ask(&figures.kpi)?));
            // Kept even if it was interrupted: who asks again goes on from there.
            shelf.push(Kept { by, figures });
            answer
        })
        .await
    }
}

/// The fold to begin with: of those kept under the same version the nearest before `position` that the log still goes on
/// from. Makes room for it.
fn take_nearest(
    shelf: &mut Vec<Kept>,
    by: Option<(Key, u8)>,
    position: Position,
    first: Position,
) -> Option<Figures> {
    let reached = |kept: &Kept| kept.figures.kpi.position();
    let goes_on = |kept: &Kept| reached(kept) == position || reached(kept).next() >= first;
    let usable = shelf.iter().enumerate();
    let usable = usable.filter(|(_, kept)| kept.by == by && reached(kept) <= position && goes_on(kept));
    let nearest = usable.max_by_key(|(_, kept)| reached(kept)).map(|(index, _)| index);
    if let Some(index) = nearest {
        return Some(shelf.remove(index).figures);
    }
    if shelf.len() >= FOLDS_MAX {
        // The one that was asked about longest ago.
        shelf.remove(0);
    }
    None
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
