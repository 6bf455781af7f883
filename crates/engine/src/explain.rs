//! Why a figure is what it is: the fold's items, and the events behind them read from the log.
//!
//! Not for reckoning: amounts and items are the fold's. Invariant: each frame of the log is read at most once for one
//! explanation.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use pegcount_domain::{envelope::Position, ids::SiteId};
use pegcount_kpi::{Anomaly, ExplainQuery, Explanation, Item};

use crate::{
    engine::Engine,
    error::EngineError,
    options::ITEM_EVENTS_MAX,
    reading::{ReadEvent, read_event},
};

/// An explanation with the events behind its items.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The figure, its formula in numbers, and its items.
    pub explanation: Explanation,
    /// The events that [`told_events`] names, by position.
    pub events: BTreeMap<Position, ReadEvent>,
}

/// The positions of an item's events that are read: all, or of more than [`ITEM_EVENTS_MAX`] the first and the last.
pub fn told_events(item: &Item) -> impl Iterator<Item = Position> {
    let (all, half) = (item.events.len(), ITEM_EVENTS_MAX / 2);
    let is_told = move |index: usize| all <= ITEM_EVENTS_MAX || index < half || index >= all - half;
    item.events.iter().enumerate().filter(move |(index, _)| is_told(*index)).map(|(_, position)| *position)
}

impl Engine {
    /// Explains a figure as far as the fold has come, or as the log up to `known` alone gives it, a durable position.
    pub async fn explain(
        self: &Arc<Self>,
        asked: ExplainQuery,
        known: Option<Position>,
    ) -> Result<Explained, EngineError> {
        let formula = asked.query.formula_version.map(|version| (asked.query.site.clone(), version));
        let explanation = self.ask(known, formula, move |kpi| kpi.explain(&asked)).await?;
        self.with_events(explanation).await
    }

    /// Reads the events behind an explanation.
    async fn with_events(&self, explanation: Explanation) -> Result<Explained, EngineError> {
        // What goes on still counts though its first events have been dropped; those cannot be told.
        let events = self.events_of(explanation.items.iter().flat_map(told_events)).await?;
        Ok(Explained { explanation, events })
    }

    /// The odd facts of a site, by position, and how far the fold has come.
    pub async fn anomalies(self: &Arc<Self>, site: &SiteId) -> Result<(Vec<Anomaly>, Position), EngineError> {
        let (engine, site) = (Arc::clone(self), site.clone());
        self.work(move || {
            let figures = engine.figures.state().read();
            Ok((figures.kpi.anomalies(&site), figures.kpi.position()))
        })
        .await
    }

    /// The events at these positions, without those that have been dropped.
    pub async fn events_of(
        &self,
        positions: impl IntoIterator<Item = Position>,
    ) -> Result<BTreeMap<Position, ReadEvent>, EngineError> {
        let first = self.log.first();
        self.events_at(positions.into_iter().filter(|position| *position >= first).collect()).await
    }

    /// The events at these positions.
    async fn events_at(
        &self,
        mut positions: BTreeSet<Position>,
    ) -> Result<BTreeMap<Position, ReadEvent>, EngineError> {
        let mut events = BTreeMap::new();
        while let Some(next) = positions.first().copied() {
            let Some(frame) = self.log.read(next).await? else { break };
            let later = positions.split_off(&frame.last().next());
            for event in frame.events().filter(|event| positions.contains(&event.envelope.position)) {
                events.insert(event.envelope.position, read_event(&frame, &event)?);
            }
            positions = later;
        }
        Ok(events)
    }
}
