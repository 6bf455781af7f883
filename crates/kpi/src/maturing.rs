//! What becomes so at an instant with no event to say it, by that instant.
//!
//! Every open promise of a ticket stands here, and every issue until it counts as held, so each takes little memory. Invariant: what is
//! put in is there until it is taken out, as often as it was put in.

use std::{collections::BTreeMap, ops::RangeBounds};

use pegcount_domain::time::{Interval, Micros};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{
    cells::{Attribution, Contribution, Dims},
    measure::Measure,
};

/// Contributions by the instant at which each becomes so.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Maturing(BTreeMap<Micros, Due>);

/// Those of one instant: one or one pair, mostly, and a list of its own for each would be half of their memory.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Due(#[serde(with = "pegcount_domain::small")] SmallVec<[Alike; 1]>);

/// A contribution, or two that differ in nothing but what they measure: a promise that is missed is also one that was given.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Alike {
    measure: Measure,
    other: Option<Measure>,
    attribution: Attribution,
    interval: Interval,
    dims: Dims,
    amount: i64,
}

impl Alike {
    fn of(one: &Contribution) -> Self {
        let Contribution { measure, attribution, interval, dims, amount } = *one;
        Self { measure, other: None, attribution, interval, dims, amount }
    }

    /// Whether a contribution differs from these in nothing but what it measures.
    fn is_like(&self, one: &Contribution) -> bool {
        (self.attribution, self.interval, self.amount) == (one.attribution, one.interval, one.amount)
            && self.dims == one.dims
    }

    fn each(&self) -> impl Iterator<Item = Contribution> {
        let Self { attribution, interval, dims, amount, .. } = *self;
        let measures = [Some(self.measure), self.other].into_iter().flatten();
        measures.map(move |measure| Contribution { measure, attribution, interval, dims, amount })
    }
}

impl Due {
    fn put(&mut self, one: &Contribution) {
        match self.0.last_mut() {
            Some(last) if last.other.is_none() && last.is_like(one) => last.other = Some(one.measure),
            _ => self.0.push(Alike::of(one)),
        }
    }

    fn take(&mut self, one: &Contribution) {
        let holds = |known: &Alike| {
            known.is_like(one) && (known.measure == one.measure || known.other == Some(one.measure))
        };
        let Some(index) = self.0.iter().position(holds) else { return };
        let Some(known) = self.0.get_mut(index) else { return };
        match known.other.take() {
            None => drop(self.0.swap_remove(index)),
            Some(other) if known.measure == one.measure => known.measure = other,
            Some(_) => {}
        }
    }

    fn each(&self) -> impl Iterator<Item = Contribution> {
        self.0.iter().flat_map(Alike::each)
    }
}

impl Maturing {
    /// Puts in what becomes so.
    pub(crate) fn put(&mut self, due: Micros, one: &Contribution) {
        self.0.entry(due).or_default().put(one);
    }

    /// Takes out what does not become so after all; what is not there is no matter.
    pub(crate) fn take(&mut self, due: Micros, one: &Contribution) {
        let Some(known) = self.0.get_mut(&due) else { return };
        known.take(one);
        if known.0.is_empty() {
            self.0.remove(&due);
        }
    }

    /// All of them, in the order of time.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Micros, Contribution)> {
        self.0.iter().flat_map(|(due, known)| known.each().map(move |one| (*due, one)))
    }

    /// Those of a span of time.
    pub(crate) fn within(&self, span: impl RangeBounds<Micros>) -> impl Iterator<Item = Contribution> {
        self.0.range(span).flat_map(|(_, due)| due.each())
    }

    /// The first instant after another at which anything becomes so.
    pub(crate) fn next(&self, after: Micros) -> Option<Micros> {
        self.0.range(after.plus(Micros(1))..).next().map(|(due, _)| *due)
    }

    /// Those before an instant are forgotten.
    pub(crate) fn forget(&mut self, before: Micros) {
        self.0 = self.0.split_off(&before);
    }

    /// How many instants there are, and how many become so.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.0.len(), self.0.values().flat_map(Due::each).count())
    }

    /// What one instant takes in the tree, bytes.
    pub(crate) const fn bytes_of_one() -> usize {
        size_of::<(Micros, Due)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Id;

    fn one(measure: Measure, queue: u32) -> Contribution {
        let dims = Dims { queue: Id(queue), ..Dims::NONE };
        Contribution { measure, attribution: Attribution::Event, interval: Interval(3), dims, amount: 1 }
    }

    /// Whatever is put in and taken out, what is there is what a plain list holds.
    #[test]
    fn pairs_are_kept_as_one_and_taken_apart_again() {
        const MEASURES: [Measure; 3] = [Measure::Offered, Measure::Answered, Measure::Abandoned];
        let (mut maturing, mut plain) = (Maturing::default(), Vec::new());
        let mut dice = 0x2545_f491_4f6c_dd1d_u64;
        let mut below = |n: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % n
        };
        let number = |value: u64| usize::try_from(value).unwrap_or_default();
        for round in 0..4_000 {
            let due = Micros(i64::try_from(below(5)).unwrap_or_default());
            let what = MEASURES.get(number(below(3))).copied().unwrap_or(Measure::Offered);
            let what = one(what, u32::try_from(below(2)).unwrap_or_default());
            if below(2) == 0 {
                maturing.put(due, &what);
                plain.push((due, what));
            } else {
                maturing.take(due, &what);
                if let Some(index) = plain.iter().position(|known| *known == (due, what)) {
                    plain.swap_remove(index);
                }
            }
            let mut held: Vec<_> = maturing.iter().collect();
            let order = |(due, one): &(Micros, Contribution)| (*due, one.dims, one.measure);
            held.sort_by_key(order);
            plain.sort_by_key(order);
            assert_eq!(held, plain, "round {round}");
            assert_eq!(maturing.counts().1, plain.len(), "round {round}");
            assert_eq!(maturing.next(Micros(2)), plain.iter().map(|(due, _)| *due).find(|due| due.0 > 2));
        }
    }

    #[test]
    fn a_pair_takes_no_more_than_one() {
        let mut due = Due::default();
        due.put(&one(Measure::Offered, 1));
        due.put(&one(Measure::Answered, 1));
        assert!(!due.0.spilled());
        assert_eq!(due.each().count(), 2);
    }
}
