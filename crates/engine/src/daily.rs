//! A day of a site, unit by unit, at one position of the log: for whoever writes it out.
//!
//! Each call holds the figures for one portion only. Where the log has gone on meanwhile, a fold beside the present one
//! stands at the position and answers. Invariant: all portions of one position are of the same history.

use std::sync::Arc;

use pegcount_domain::{
    envelope::Position,
    ids::SiteId,
    time::{Micros, Span},
};
use pegcount_kpi::{DayRow, DayTable, DayUnit};

use crate::{engine::Engine, error::EngineError};

/// A site's range as it stood at one position.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The site.
    pub site: SiteId,
    /// The range.
    pub range: Span,
    /// The instant to which open work counts.
    pub as_of: Micros,
    /// The last event that counts.
    pub position: Position,
}

impl Engine {
    /// The units that may tell something, in the order of their rows.
    pub async fn day_units(
        self: &Arc<Self>,
        of: &Standing,
        told: DayTable,
    ) -> Result<Vec<DayUnit>, EngineError> {
        let (own, position) = (of.clone(), of.position);
        let ask = move |kpi: &pegcount_kpi::Kpi| kpi.day_units(&own.site, told, own.range, own.as_of);
        self.ask(Some(position), None, ask).await
    }

    /// The rows of some of these units.
    pub async fn day_rows(
        self: &Arc<Self>,
        of: &Standing,
        told: DayTable,
        units: Vec<DayUnit>,
    ) -> Result<Vec<DayRow>, EngineError> {
        let (own, position) = (of.clone(), of.position);
        let ask =
            move |kpi: &pegcount_kpi::Kpi| Ok(kpi.day_rows(&own.site, told, own.range, own.as_of, &units));
        self.ask(Some(position), None, ask).await
    }

    /// What changed figures of closed intervals in the range up to the position, in the order of their causes.
    pub async fn day_corrections(
        self: &Arc<Self>,
        of: &Standing,
    ) -> Result<Vec<pegcount_kpi::Correction>, EngineError> {
        let (site, range, position) = (of.site.clone(), of.range, of.position);
        let mut list = self.ask(Some(position), None, move |kpi| Ok(kpi.corrections(&site))).await?;
        list.retain(|one| range.start < one.interval.end() && one.interval.start() < range.end);
        Ok(list)
    }
}
