//! One row's sums: amounts as lines over time, who waits since when, counts by length.
//!
//! Invariant: what is 0 is not kept, so that equal sums are the same.

use std::collections::BTreeMap;

use pegcount_domain::time::Micros;
use smallvec::SmallVec;

use crate::{
    agent::standing::STATES,
    cells::Detail,
    histogram::{self, Lengths},
    measure::Measure,
    query::{plan::RowSums, rows::ByLength, versions::Counted},
};

/// Since when visits wait, each instant with how many.
pub(super) type Since = BTreeMap<Micros, i64>;

/// One row's sums.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub(super) amounts: Box<[i64]>,
    /// By slot; never 0.
    pub(super) rates: SmallVec<[(u8, i64); 2]>,
    /// Visits that waited when the row's span ended.
    pub(super) crossings: Since,
    /// Agents by state when the row's span ended.
    pub(super) agents: [i64; STATES],
    pub(super) lengths: Option<Box<Lengths<BTreeMap<Detail, i64>>>>,
    /// By which formula versions it was counted.
    pub(super) counted: Counted,
    /// Told to watchers.
    pub(super) is_told: bool,
}

/// A row's sums at an instant.
pub(super) struct Shown<'a> {
    pub(super) sums: &'a Sums,
    pub(super) passed: i64,
    pub(super) gauge: (i64, i64),
    pub(super) agents: [i64; STATES],
    pub(super) backlog: i64,
}

impl RowSums for Shown<'_> {
    fn amount(&self, slot: usize) -> i64 {
        let rate = self.sums.rates.iter().find(|(other, _)| usize::from(*other) == slot);
        let at_base = self.sums.amounts.get(slot).copied().unwrap_or(0);
        at_base + rate.map_or(0, |(_, rate)| *rate) * self.passed
    }

    fn waiting(&self) -> (i64, i64) {
        self.gauge
    }

    fn agents(&self) -> [i64; STATES] {
        self.agents
    }

    fn backlog(&self) -> i64 {
        self.backlog
    }

    fn lengths(&self) -> ByLength {
        let list =
            |own: &BTreeMap<Detail, i64>| own.iter().map(|(length, count)| (*length, *count)).collect();
        self.sums.lengths.as_ref().map(|lengths| lengths.each_ref().map(list)).unwrap_or_default()
    }
}

/// So many more wait since then.
pub(super) fn count(since: &mut Since, entered: Micros, sign: i64) {
    let known = since.entry(entered).or_default();
    *known += sign;
    if *known == 0 {
        since.remove(&entered);
    }
}

impl Sums {
    /// Whether it holds the same.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        (&self.amounts, &self.rates, &self.lengths, &self.counted)
            == (&other.amounts, &other.rates, &other.lengths, &other.counted)
            && (&self.crossings, &self.agents) == (&other.crossings, &other.agents)
    }

    /// So many more spans run.
    pub(super) fn grow(&mut self, slot: usize, rate: i64) {
        let at = self.rates.iter().position(|(other, _)| usize::from(*other) == slot);
        match at.and_then(|at| self.rates.get_mut(at).map(|(_, known)| (at, known))) {
            Some((at, known)) => {
                *known += rate;
                if *known == 0 {
                    self.rates.swap_remove(at);
                }
            }
            None => self.rates.extend(u8::try_from(slot).map(|slot| (slot, rate))),
        }
    }

    /// So many more of this length.
    pub(super) fn count_length(&mut self, measure: Measure, length: Detail, count: i64) {
        let lengths = self.lengths.get_or_insert_default();
        let Some(own) = histogram::place(measure).and_then(|place| lengths.get_mut(place)) else { return };
        let known = own.entry(length).or_default();
        *known += count;
        if *known == 0 {
            own.remove(&length);
        }
    }
}
