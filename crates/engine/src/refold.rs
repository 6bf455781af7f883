//! Definitions that reach far back are taken in by a second fold, in the background, which then takes the place of the
//! present one.
//!
//! The present fold defers such a definition, with all that come after it, and goes on by the older ones; its answers say
//! so ([`pegcount_kpi::Table::older_definitions`]). The second fold goes over history as a start does. Invariant: what
//! takes the present fold's place has come at least as far, so no answer goes back in time.

use std::sync::{Arc, Weak};

use pegcount_domain::envelope::Position;
use tokio::{runtime::Handle, task::JoinHandle};

use crate::{
    engine::Engine,
    error::EngineError,
    folds::begin_standing,
    options::TOUCHED_FACTS_MAX,
    pipeline::fold_to,
    progress::{Purpose, Recomputation},
};

/// Lets definitions that reach far back be taken in in the background from now on.
pub(crate) fn spawn(engine: &Arc<Engine>) -> JoinHandle<()> {
    engine.figures.state().write().kpi.set_touch_limit(Some(TOUCHED_FACTS_MAX));
    let mut steps = engine.figures.steps();
    let engine: Weak<Engine> = Arc::downgrade(engine);
    tokio::spawn(async move {
        while steps.changed().await.is_ok() {
            let Some(engine) = engine.upgrade() else { return };
            if engine.definitions_deferred_since().is_none() {
                continue;
            }
            if let Err(error) = engine.refold().await {
                tracing::warn!(%error, "definitions could not be taken in; trying again with the next event");
            }
        }
    })
}

impl Engine {
    /// Takes definitions in at once that touch units with at most so many facts; others in the background, once what acts
    /// by itself has been started.
    pub fn touch_at_once(&self, facts: usize) {
        self.figures.state().write().kpi.set_touch_limit(Some(facts));
    }

    /// The first definition that the figures do not stand on yet.
    pub fn definitions_deferred_since(&self) -> Option<Position> {
        self.figures.state().read().kpi.deferred_since()
    }

    /// What of the figures is being computed anew. A fold for definitions that has not begun yet is among them.
    pub fn recomputations(&self) -> Vec<Recomputation> {
        let mut list = self.folds.progress.list();
        let is_listed = list.iter().any(|one| one.purpose == Purpose::Definitions);
        if self.definitions_deferred_since().is_none() {
            list.retain(|one| one.purpose != Purpose::Definitions);
        } else if !is_listed {
            let (folded_to, end) = (Position::START, self.log.end());
            list.push(Recomputation { purpose: Purpose::Definitions, folded_to, end });
        }
        list
    }

    /// Folds history anew, with all definitions, and puts that in the present fold's place.
    async fn refold(self: &Arc<Self>) -> Result<(), EngineError> {
        let engine = Arc::clone(self);
        let runtime = Handle::current();
        self.work(move || {
            let running = engine.folds.progress.begin(Purpose::Definitions, vec![engine.folds.closing()]);
            let (log, seed) = (&engine.log, engine.seed);
            let checkpoints = engine.maker.checkpoints();
            let mut second = runtime.block_on(begin_standing(checkpoints, log, log.end(), seed))?;
            loop {
                fold_to(log, &mut second, seed, log.end(), &running, &runtime)?;
                let mut present = engine.figures.state().write();
                if second.kpi.position() < present.kpi.position() {
                    continue;
                }
                second.kpi.touch_everything();
                second.kpi.set_touch_limit(Some(TOUCHED_FACTS_MAX));
                std::mem::swap(&mut *present, &mut second);
                // What was there before is dropped when nobody waits for the lock any more.
                drop(present);
                return Ok(());
            }
        })
        .await
    }
}
