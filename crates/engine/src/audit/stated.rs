//! The figures in the auditor's shape: what everybody gets who asks.
//!
//! Invariant: both tables are of one position.

use std::sync::Arc;

use jiff::tz::TimeZone;
use pegcount_audit::Counts;
use pegcount_domain::{
    envelope::Position,
    ids::{Name, SiteId},
    time::{Interval, Micros, Span},
};
use pegcount_kpi::{Attribution, Dimension, Query, Table, Value};

use crate::{engine::Engine, error::EngineError};

/// The numbers of a range by interval and queue, and by interval and agent; and where the figures stand. None while they
/// stand on older definitions than the log's, which the auditor takes in at once.
pub(super) async fn stated(
    engine: &Arc<Engine>,
    site: &SiteId,
    range: Span,
    as_of: Micros,
) -> Result<Option<(Counts<Name>, Position)>, EngineError> {
    let queries = [Dimension::Queue, Dimension::Agent].map(|cut| query(site, range, cut, as_of));
    let answer = engine.ask(None, None, move |kpi| {
        let [queues, agents] = &queries;
        Ok(([kpi.query(queues)?, kpi.query(agents)?], kpi.deferred_since().is_some()))
    });
    let ([queues, agents], deferred) = answer.await?;
    if deferred {
        return Ok(None);
    }
    let position = queues.position;
    let mut counts = Counts::default();
    each(queues, |interval, queue, column, amount| counts.add_queue(interval, queue, column, amount));
    each(agents, |interval, agent, column, amount| counts.add_agent(interval, agent, column, amount));
    Ok(Some((counts, position)))
}

/// What is asked of the figures: a range by interval and one other cut.
pub(super) fn query(site: &SiteId, range: Span, cut: Dimension, as_of: Micros) -> Query {
    Query {
        site: site.clone(),
        from: range.start,
        to: range.end,
        by: vec![Dimension::Interval15, cut],
        attribution: Attribution::Event,
        time_zone: TimeZone::UTC,
        as_of,
        queues: Vec::new(),
        agents: Vec::new(),
        columns: Vec::new(),
        last: None,
        formula_version: None,
        variant: pegcount_kpi::Variant::default(),
    }
}

fn each(table: Table, mut take: impl FnMut(Interval, Option<Name>, &str, i64)) {
    for row in table.rows {
        let interval = Interval::containing(row.from);
        let who = row.keys.into_iter().next().flatten();
        for (column, value) in table.columns.iter().zip(row.values) {
            if let Value::Amount(amount) = value
                && amount != 0
            {
                take(interval, who.clone(), column.name, amount);
            }
        }
    }
}
