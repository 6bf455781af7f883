//! Open tickets of a board's rows, kept by what comes in and goes out.
//!
//! Invariant: a row's number is the sum of all that came up to the row's end; rows that have not begun have none.

use std::collections::BTreeMap;

use pegcount_domain::time::{Interval, Micros};
use rustc_hash::FxHashMap;

use super::{Board, Place};
use crate::{
    cells::{Attribution, Dims},
    measure::Sheet,
    query::cut::Keys,
    site::Site,
};

/// For each row's keys what came in each bucket; before the first bucket counts as in it.
pub(super) type Backlog = FxHashMap<Keys, BTreeMap<u32, i64>>;

impl Board {
    /// Takes it over from a site's books.
    pub(super) fn fill_backlog(&mut self, site: &Site, now: Micros) {
        if !self.plan.needs_backlog() {
            return;
        }
        let (first, _) = self.buckets.whole();
        let mut came: Vec<(Interval, Dims, i64)> =
            site.books.backlog.iter().map(|(dims, amount)| (first, *dims, *amount)).collect();
        let later = (first, Interval(i32::MAX));
        site.books.cells.rows(Sheet::Backlog, Attribution::Event, later, |interval, dims, amounts| {
            let amount: i64 = amounts.iter().sum();
            came.extend([(first, *dims, -amount), (interval, *dims, amount)]);
        });
        for (interval, dims, amount) in came {
            self.add_to_backlog(interval, &dims, amount);
        }
        self.begin_rows(Micros(i64::MIN), now);
    }

    /// So many more tickets are open since an interval.
    pub(super) fn add_to_backlog(&mut self, interval: Interval, dims: &Dims, amount: i64) {
        let (first, end) = self.buckets.whole();
        if !self.plan.needs_backlog() || interval >= end {
            return;
        }
        let Some(keys) = self.cut.keys(dims) else { return };
        let bucket = self.buckets.place(interval.max(first)).unwrap_or(0);
        let came = self.backlog.entry(keys.clone()).or_default();
        let known = came.entry(bucket).or_default();
        *known += amount;
        if *known == 0 {
            came.remove(&bucket);
        }
        if came.is_empty() {
            self.backlog.remove(&keys);
        }
        let begun = self.begun_by(self.as_of);
        for bucket in bucket..begun {
            self.touch_backlog((bucket, keys.clone()));
        }
    }

    /// Rows have begun since an instant in which tickets are open.
    pub(super) fn begin_rows(&mut self, since: Micros, now: Micros) {
        if self.backlog.is_empty() {
            return;
        }
        let places: Vec<Place> = (self.begun_by(since)..self.begun_by(now))
            .flat_map(|bucket| {
                let open = self.backlog.iter().filter(move |(_, came)| open_in(came, bucket) != 0);
                open.map(move |(keys, _)| (bucket, keys.clone()))
            })
            .collect();
        for place in places {
            self.touch_backlog(place);
        }
    }

    /// A row has another number of open tickets; whether it is there for that alone is the plan's to say.
    fn touch_backlog(&mut self, place: Place) {
        if self.plan.backlog_makes_rows() {
            self.touch(place);
        } else if self.rows.contains_key(&place) {
            self.changed.insert(place);
        }
    }

    /// How many tickets are open in a row.
    pub(super) fn backlog_of(&self, place: &Place) -> i64 {
        if place.0 >= self.begun_by(self.as_of) {
            return 0;
        }
        self.backlog.get(&place.1).map_or(0, |came| open_in(came, place.0))
    }

    /// How many buckets have begun by an instant.
    fn begun_by(&self, at: Micros) -> u32 {
        let begun = self.buckets.list.partition_point(|bucket| bucket.from <= at);
        u32::try_from(begun).unwrap_or(u32::MAX)
    }
}

fn open_in(came: &BTreeMap<u32, i64>, bucket: u32) -> i64 {
    came.range(..=bucket).map(|(_, amount)| amount).sum()
}
