//! Everything of one site that is closed: cells, visits across interval ends, what matures, marks.
//!
//! Invariant: the books are the sum of what settled units have put there; taking out what a unit put in leaves no
//! trace.

use std::collections::BTreeMap;

use pegcount_domain::{
    envelope::Position,
    time::{Interval, Micros},
};
use rustc_hash::FxHashMap;

use crate::{
    anomaly::{Anomaly, Marks},
    cells::{Cells, Contribution, Contributions},
    contact::fold::Crossing,
};

/// The books of one site.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) cells: Cells,
    crossings: BTreeMap<i32, Vec<Crossing>>,
    maturing: BTreeMap<Micros, Vec<Contribution>>,
    marks: Marks,
    /// The last position that changed anything in an interval.
    changed: FxHashMap<i32, Position>,
    changed_last: Option<(i32, Position)>,
    /// While a late fact is taken in: all changes of cells.
    pub(crate) journal: Option<Vec<Contribution>>,
}

impl Books {
    /// Adds or takes away what a fold gave.
    pub(crate) fn enter(&mut self, contributions: &Contributions, sign: i64, cause: Position) {
        for contribution in &contributions.list {
            self.enter_one(contribution, sign, cause);
        }
        for (due, contribution) in &contributions.maturing {
            self.enter_one(contribution, sign, cause);
            let list = self.maturing.entry(*due).or_default();
            if sign > 0 {
                list.push(*contribution);
            } else if let Some(index) = list.iter().position(|known| known == contribution) {
                list.swap_remove(index);
            }
            if list.is_empty() {
                self.maturing.remove(due);
            }
        }
    }

    #[inline]
    fn enter_one(&mut self, contribution: &Contribution, sign: i64, cause: Position) {
        self.cells.add(contribution, sign);
        self.touch(contribution.interval, cause);
        if let Some(journal) = &mut self.journal {
            journal.push(Contribution { amount: contribution.amount * sign, ..*contribution });
        }
    }

    /// Notes that something in `interval` changed.
    #[inline]
    pub(crate) fn touch(&mut self, interval: Interval, cause: Position) {
        if self.changed_last != Some((interval.0, cause)) {
            self.changed_last = Some((interval.0, cause));
            self.changed.insert(interval.0, cause);
        }
    }

    /// The last position that changed anything in an interval.
    pub(crate) fn changed_at(&self, interval: Interval) -> Position {
        self.changed.get(&interval.0).copied().unwrap_or(Position::START)
    }

    pub(crate) fn enter_crossings(&mut self, crossings: &[Crossing], sign: i64) {
        for crossing in crossings {
            let list = self.crossings.entry(crossing.interval.0).or_default();
            if sign > 0 {
                list.push(*crossing);
            } else if let Some(index) = list.iter().position(|known| known == crossing) {
                list.swap_remove(index);
            }
            if list.is_empty() {
                self.crossings.remove(&crossing.interval.0);
            }
        }
    }

    /// The visits that waited when `interval` ended.
    pub(crate) fn crossings(&self, interval: Interval) -> &[Crossing] {
        self.crossings.get(&interval.0).map_or(&[], Vec::as_slice)
    }

    /// What stands in the cells and is not so yet at `as_of`.
    pub(crate) fn not_yet(&self, as_of: Micros) -> impl Iterator<Item = &Contribution> {
        self.maturing.range(as_of.plus(Micros(1))..).flat_map(|(_, list)| list)
    }

    /// When the next of them becomes so.
    pub(crate) fn next_maturing(&self, after: Micros) -> Option<Micros> {
        self.maturing.range(after.plus(Micros(1))..).next().map(|(due, _)| *due)
    }

    pub(crate) fn mark(&mut self, marks: &[Anomaly], sign: i64) {
        self.marks.add(marks, sign);
    }

    pub(crate) fn marks(&self) -> &Marks {
        &self.marks
    }
}
