//! What was known at a point of the log: figures folded over the log's first part only (KPIS.md §6, `known_at`).
//!
//! A prefix is one of the folds over history that are kept for a while ([`crate::folds`]); it begins at the nearest
//! checkpoint before it.
//!
//! Invariant: what is answered about a position equals what the figures' fold answered when it stood there.

use std::sync::Arc;

use pegcount_domain::{envelope::Position, ids::SiteId, time::Micros};
use pegcount_kpi::{Kpi, Query, QueryError, Table, UnderFormula};
use pegcount_log::LogError;

use crate::{corrections::event_at, engine::Engine, error::EngineError, folds::Forced};

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
        let formula = query.formula_version.map(|version| (query.site.clone(), version));
        self.ask(known, formula, move |kpi| kpi.query(&query)).await
    }

    /// Asks the figures of the present, or those of the log up to `known`, by the formula version that is asked for. Not on
    /// the runtime's workers: a long range keeps a thread busy for a while.
    pub(crate) async fn ask<T: Send + 'static, A>(
        self: &Arc<Self>,
        known: Option<Position>,
        formula: Option<(SiteId, u8)>,
        ask: A,
    ) -> Result<T, EngineError>
    where
        A: FnOnce(&Kpi) -> Result<T, QueryError> + Send + 'static,
    {
        let engine = Arc::clone(self);
        let now = self.work(move || {
            let present = engine.figures.state().read();
            let kpi = &present.kpi;
            let position = known.unwrap_or(kpi.position());
            let law = match formula {
                None => None,
                Some((site, version)) => engine.law(kpi, site, version, position)?,
            };
            match law {
                None if position == kpi.position() => Ok(Err(ask(kpi)?)),
                law => Ok(Ok((law, position, ask))),
            }
        });
        match now.await? {
            Err(answer) => Ok(answer),
            Ok((law, position, ask)) => self.ask_fold(law, position, ask).await,
        }
    }

    /// The version that a fold of its own must be reckoned by; none: what is folded anyway will do.
    fn law(
        &self,
        present: &Kpi,
        site: SiteId,
        version: u8,
        position: Position,
    ) -> Result<Option<Forced>, EngineError> {
        match present.under_formula(&site, version) {
            Ok(UnderFormula::Here) if position == present.position() => Ok(None),
            // What was known then may not have known of the version: so it is given.
            Ok(_) => Ok(present.formula(&site, version).map(|(key, formula)| Forced { site, key, formula })),
            Err(error) if present.deferred_since().is_some() && self.is_defined(&site, version) => {
                tracing::debug!(%error, "still being taken in");
                Err(EngineError::Precondition(format!(
                    "formula version {version} is still being taken in at {site}: ask again when that is done"
                )))
            }
            Err(error) => Err(error.into()),
        }
    }
}
