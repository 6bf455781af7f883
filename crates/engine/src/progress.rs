//! How far folds over history have come: for metrics, and for whoever waits.
//!
//! Invariant: a fold is on the list exactly as long as it goes on.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use parking_lot::Mutex;
use pegcount_domain::{envelope::Position, ids::SiteId};

/// What a fold over history is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Definitions of some site that reach far back.
    Definitions,
    /// Questions about another formula version of a site.
    Formula {
        /// The site.
        site: SiteId,
        /// The version.
        version: u8,
    },
    /// Questions about what was known then.
    KnownAt,
}

impl Purpose {
    fn word(&self) -> &'static str {
        match self {
            Self::Definitions => "definitions",
            Self::Formula { .. } => "formula",
            Self::KnownAt => "known_at",
        }
    }
}

/// A fold over history, and how far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recomputation {
    /// What for.
    pub purpose: Purpose,
    /// Events up to here have been folded.
    pub folded_to: Position,
    /// Where it goes to, as far as is known now.
    pub end: Position,
}

/// The folds that are going on.
#[derive(Clone, Default)]
pub(crate) struct Progress(Arc<Mutex<Vec<Arc<Run>>>>);

struct Run {
    purpose: Purpose,
    folded_to: AtomicU64,
    end: AtomicU64,
}

impl Progress {
    /// A fold begins; it is over when what this gives is dropped. It stops when one of `stops` says so.
    pub(crate) fn begin(&self, purpose: Purpose, stops: Vec<Arc<AtomicBool>>) -> Running {
        let (folded_to, end) = (AtomicU64::new(0), AtomicU64::new(0));
        let run = Arc::new(Run { purpose, folded_to, end });
        self.0.lock().push(Arc::clone(&run));
        Running { run, all: self.clone(), stops }
    }

    /// All that are going on.
    pub(crate) fn list(&self) -> Vec<Recomputation> {
        let all = self.0.lock();
        let one = |run: &Arc<Run>| Recomputation {
            purpose: run.purpose.clone(),
            folded_to: Position(run.folded_to.load(Ordering::Relaxed)),
            end: Position(run.end.load(Ordering::Relaxed)),
        };
        all.iter().map(one).collect()
    }
}

/// A fold that is going on.
pub(crate) struct Running {
    run: Arc<Run>,
    all: Progress,
    stops: Vec<Arc<AtomicBool>>,
}

impl Running {
    /// From where to where it goes.
    pub(crate) fn goes(&self, from: Position, to: Position) {
        self.run.folded_to.store(from.0, Ordering::Relaxed);
        self.run.end.store(to.0, Ordering::Relaxed);
        self.tell(from);
    }

    /// How far it has come.
    pub(crate) fn has_come_to(&self, position: Position) {
        let before = self.run.folded_to.swap(position.0, Ordering::Relaxed);
        // A metric for every hundredth part or so is enough.
        let step = (self.run.end.load(Ordering::Relaxed) / 128).max(1);
        if before / step != position.0 / step {
            self.tell(position);
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "a share for the eye")]
    fn tell(&self, position: Position) {
        let end = self.run.end.load(Ordering::Relaxed).max(1);
        let share = position.0 as f64 / end as f64;
        metrics::gauge!("pegcount_recomputation_progress", "purpose" => self.run.purpose.word()).set(share);
    }

    /// Whether nobody waits for it any more.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stops.iter().any(|stop| stop.load(Ordering::Relaxed))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.all.0.lock().retain(|run| !Arc::ptr_eq(run, &self.run));
        metrics::counter!("pegcount_recomputations_total", "purpose" => self.run.purpose.word()).increment(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fold_is_listed_with_how_far_it_is_until_it_is_over() {
        let progress = Progress::default();
        let stop = Arc::new(AtomicBool::new(false));
        let running = progress.begin(Purpose::KnownAt, vec![Arc::clone(&stop)]);
        running.goes(Position(10), Position(1_000));
        running.has_come_to(Position(500));
        let [one] = <[_; 1]>::try_from(progress.list()).unwrap();
        assert_eq!((one.folded_to, one.end), (Position(500), Position(1_000)));
        assert!(!running.is_stopped());
        stop.store(true, Ordering::Relaxed);
        assert!(running.is_stopped());
        drop(running);
        assert!(progress.list().is_empty());
    }
}
