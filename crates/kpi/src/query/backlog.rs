//! How many tickets are open at the ends of rows.
//!
//! What is open in the end is known; a row's number is that, less what came after the row. So a row of these days asks for little, and one
//! of long ago for all that came since. Invariant: in a row stand the tickets that had come to be open before its end, and had not
//! ceased to be.

use pegcount_domain::time::Interval;
use rustc_hash::FxHashMap;

use crate::{
    cells::{Attribution, Contribution, Dims},
    measure::{Measure, Sheet},
    query::{cut::Keys, gather::Gather},
    site::Site,
};

type Counts = FxHashMap<Keys, i64>;

impl Gather<'_> {
    /// Fills in the backlog; `lacking` is what the books lack at the instant asked about, or have too much.
    pub(super) fn backlog(&mut self, site: &Site, lacking: &[Contribution]) {
        let mut open = Counts::default();
        let add = |counts: &mut Counts, dims: &Dims, amount: i64| {
            if let Some(keys) = self.cut.keys(dims) {
                *counts.entry(keys).or_default() += amount;
            }
        };
        for (dims, amount) in &site.books.backlog {
            add(&mut open, dims, *amount);
        }
        let (first, end) = self.buckets.whole();
        // What came in each bucket; the last: after all of them.
        let mut later: Vec<Counts> = vec![Counts::default(); self.buckets.list.len() + 1];
        let last = self.buckets.list.len();
        let place = |interval: Interval| {
            if interval >= end {
                return Some(last);
            }
            self.buckets.place(interval).and_then(|place| usize::try_from(place).ok())
        };
        site.books.cells.rows(
            Sheet::Backlog,
            Attribution::Event,
            (first, Interval(i32::MAX)),
            |interval, dims, amounts| {
                let amount = amounts.iter().sum();
                if let Some(counts) = place(interval).and_then(|place| later.get_mut(place)) {
                    add(counts, dims, amount);
                }
            },
        );
        for lacking in lacking.iter().filter(|lacking| lacking.measure == Measure::BacklogChange) {
            add(&mut open, &lacking.dims, lacking.amount);
            if let Some(counts) = place(lacking.interval).and_then(|place| later.get_mut(place)) {
                add(counts, &lacking.dims, lacking.amount);
            }
        }
        if self.query.by.is_empty() {
            // The single row of a whole range is always there.
            self.rows.touch(0, Keys::new());
        }
        let as_of = self.query.as_of;
        let begun: Vec<bool> = self.buckets.list.iter().map(|bucket| bucket.from <= as_of).collect();
        for (bucket, begun) in begun.into_iter().enumerate().rev() {
            for (keys, amount) in later.get(bucket + 1).into_iter().flatten() {
                *open.entry(keys.clone()).or_default() -= amount;
            }
            open.retain(|_, amount| *amount != 0);
            if !begun {
                continue;
            }
            let Ok(bucket) = u32::try_from(bucket) else { continue };
            for (keys, amount) in &open {
                if self.plan.backlog_makes_rows() {
                    self.rows.touch(bucket, keys.clone());
                }
                if let Some(row) = self.rows.known(bucket, keys) {
                    row.set_backlog(*amount);
                }
            }
        }
    }
}
