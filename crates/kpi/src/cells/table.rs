//! The cells of one table, interval by interval; those in which nothing was added for longest rest.
//!
//! Invariant: intervals stand in the order of time, each once.

use std::{collections::VecDeque, mem};

use super::{Dims, rows::Rows};
use crate::packed::bytes::Writer;

/// So many rows of a table are open, the last two intervals left out: over a day of a site with 200 agents.
pub(crate) const OPEN_ROWS_DEFAULT: usize = 65_536;
/// Intervals that stay open however many rows they have: what is settled together lies on both sides of an interval's end.
const OPEN_INTERVALS_MIN: usize = 2;

/// One or two sheets with the same dimensions, under one attribution.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) width: usize,
    /// In the order of time.
    pub(super) intervals: Vec<Rows>,
    /// The place of the interval that was added to last.
    last: usize,
    /// Those that are open, in the order in which they were looked at.
    open: VecDeque<i32>,
    /// Whether one of them has been opened since it was looked how many there are.
    pub(super) has_opened: bool,
}

impl Table {
    pub(super) fn new(width: usize) -> Self {
        Self { width, intervals: Vec::new(), last: 0, open: VecDeque::new(), has_opened: false }
    }

    fn find(&self, interval: i32) -> Result<usize, usize> {
        self.intervals.binary_search_by_key(&interval, |rows| rows.interval)
    }

    /// The place of an interval, which may be new.
    pub(super) fn place(&mut self, interval: i32) -> usize {
        self.find(interval).unwrap_or_else(|place| {
            self.intervals.insert(place, Rows::new(interval));
            self.open.push_back(interval);
            self.has_opened = true;
            place
        })
    }

    /// The amounts of a row, which may be new.
    #[inline]
    pub(super) fn row(&mut self, interval: i32, dims: &Dims) -> Option<&mut [i64]> {
        // What is settled together lies on both sides of an interval's end, at most.
        let near = [self.last, self.last + 1, self.last.saturating_sub(1)];
        let is_it = |place: &usize| self.intervals.get(*place).is_some_and(|rows| rows.interval == interval);
        let place = near.into_iter().find(is_it).unwrap_or_else(|| self.place(interval));
        self.last = place;
        let rows = self.intervals.get_mut(place)?;
        if !rows.is_open {
            rows.is_open = true;
            self.open.push_back(interval);
            self.has_opened = true;
        }
        rows.row(dims, self.width)
    }

    /// Lets the intervals rest that were added to longest ago, if too many rows are open; 0: all of them.
    #[cold]
    pub(super) fn rest_some(&mut self, rows_max: usize, out: &mut Writer) {
        self.has_opened = false;
        let spared = if rows_max == 0 { 0 } else { OPEN_INTERVALS_MIN };
        let may_rest = self.intervals.len().saturating_sub(spared);
        let mut rows: usize = self.intervals.iter().take(may_rest).map(Rows::in_use).sum();
        // Each is looked at twice: once it may have been added to.
        for _ in 0..self.open.len() * 2 {
            if rows <= rows_max && rows_max > 0 {
                return;
            }
            let Some(interval) = self.open.pop_front() else { return };
            let Ok(place) = self.find(interval) else { continue };
            let Some(own) = self.intervals.get_mut(place) else { continue };
            if (mem::replace(&mut own.is_used, false) && rows_max > 0) || place >= may_rest {
                self.open.push_back(interval);
            } else {
                rows -= own.in_use();
                own.rest(self.width, out);
            }
        }
    }

    /// The intervals in `[from, to)`.
    pub(super) fn range(&self, from: i32, to: i32) -> &[Rows] {
        let begin = self.intervals.partition_point(|rows| rows.interval < from);
        let end = self.intervals.partition_point(|rows| rows.interval < to).max(begin);
        self.intervals.get(begin..end).unwrap_or_default()
    }
}
