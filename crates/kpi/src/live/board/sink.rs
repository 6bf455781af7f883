//! Differences into a board's rows.
//!
//! Invariant: what the query's filters and columns leave out changes nothing.

use pegcount_domain::time::Micros;

use super::{Board, sums::count};
use crate::{
    cells::Dims,
    contact::fold::Crossing,
    live::deltas::{Cell, Line, Sink},
    measure::Sheet,
    query::cut::attribution,
};

impl Sink for Board {
    fn cell(&mut self, cell: Cell, line: Line) {
        let sheet = cell.measure.sheet();
        if attribution(sheet, self.query.attribution) != cell.attribution {
            return;
        }
        let (Some(slot), Some(bucket)) = (self.plan.slot(cell.measure), self.buckets.place(cell.interval))
        else {
            return;
        };
        let Some(keys) = self.cut.keys(&cell.dims) else { return };
        let needs_waits = self.plan.needs_waits && sheet == Sheet::Wait;
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
        if needs_waits {
            sums.wait(cell.measure, cell.dims.detail, line.at_base);
        }
        self.changed.insert(place);
    }

    fn crossing(&mut self, crossing: &Crossing, sign: i64) {
        if !self.plan.needs_gauges {
            return;
        }
        let Some(bucket) = self.buckets.place(crossing.interval) else { return };
        let is_last = usize::try_from(bucket)
            .ok()
            .and_then(|at| self.buckets.list.get(at))
            .is_some_and(|bucket| bucket.to == crossing.interval.end());
        let Some(keys) = self.cut.keys(&crossing.dims).filter(|_| is_last) else { return };
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
}
