//! Differences into a board's rows.
//!
//! Invariant: what the query's filters and columns leave out changes nothing.

use pegcount_domain::time::{Interval, Micros};

use super::{Board, sums::count};
use crate::{
    agent::standing::{Standing, State},
    cells::Dims,
    contact::fold::Crossing,
    histogram,
    live::deltas::{Cell, Line, Sink},
    measure::Sheet,
    query::cut::attribution,
};

impl Sink for Board {
    fn cell(&mut self, cell: Cell, line: Line) {
        let sheet = cell.measure.sheet();
        if sheet == Sheet::Backlog {
            return self.add_to_backlog(cell.interval, &cell.dims, line.at_base);
        }
        if attribution(sheet, self.query.attribution) != cell.attribution {
            return;
        }
        let (Some(slot), Some(bucket)) = (self.plan.slot(cell.measure), self.buckets.place(cell.interval))
        else {
            return;
        };
        let Some(keys) = self.cut.keys(&cell.dims) else { return };
        let tells = self.tells && sheet.is_versioned();
        let place = (bucket, keys);
        let sums = self.row(place.clone());
        if let Some(amount) = sums.amounts.get_mut(slot) {
            *amount += line.at_base;
        }
        if tells {
            // What grows is the same by all versions.
            sums.counted.note(cell.dims.version, cell.measure, line.at_base);
        }
        if line.rate != 0 {
            sums.grow(slot, line.rate);
        }
        if sheet.is_by_length() {
            sums.count_length(cell.measure, histogram::length(sheet, &cell.dims), line.at_base);
        }
        self.changed.insert(place);
    }

    fn crossing(&mut self, crossing: &Crossing, sign: i64) {
        if !self.plan.needs_gauges {
            return;
        }
        let Some(bucket) = self.ended_by(crossing.interval) else { return };
        let Some(keys) = self.cut.keys(&crossing.dims) else { return };
        let place = (bucket, keys);
        count(&mut self.row(place.clone()).crossings, crossing.entered, sign);
        self.changed.insert(place);
    }

    fn waiting(&mut self, dims: &Dims, entered: Micros, sign: i64) {
        if !self.plan.needs_gauges {
            return;
        }
        let Some(keys) = self.cut.keys(dims) else { return };
        let since = self.waiting.entry(keys.clone()).or_default();
        count(since, entered, sign);
        if since.is_empty() {
            self.waiting.remove(&keys);
        }
        if let Some(bucket) = self.current {
            self.touch((bucket, keys));
        }
    }

    fn standing(&mut self, standing: &Standing, sign: i64) {
        if !self.plan.needs_states {
            return;
        }
        let Some(bucket) = self.ended_by(standing.interval) else { return };
        let dims = Dims { agent: standing.agent, team: standing.team, ..Dims::default() };
        let Some(keys) = self.cut.keys(&dims) else { return };
        let place = (bucket, keys);
        if let Some(agents) = self.row(place.clone()).agents.get_mut(standing.state as usize) {
            *agents += sign;
        }
        self.changed.insert(place);
    }

    fn signed_in(&mut self, dims: &Dims, state: State, sign: i64) {
        if !self.plan.needs_states {
            return;
        }
        let Some(keys) = self.cut.keys(dims) else { return };
        let agents = self.signed_in.entry(keys.clone()).or_default();
        if let Some(agents) = agents.get_mut(state as usize) {
            *agents += sign;
        }
        if agents.iter().all(|count| *count == 0) {
            self.signed_in.remove(&keys);
        }
        if let Some(bucket) = self.current {
            self.touch((bucket, keys));
        }
    }
}

impl Board {
    /// The bucket whose last interval this is.
    fn ended_by(&self, interval: Interval) -> Option<u32> {
        let bucket = self.buckets.place(interval)?;
        let own = self.buckets.list.get(usize::try_from(bucket).ok()?)?;
        (own.to == interval.end()).then_some(bucket)
    }
}
