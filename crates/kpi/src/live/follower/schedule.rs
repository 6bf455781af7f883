//! When each followed unit changes by itself, with no event.
//!
//! Invariant: a unit stands in it once, with the last instant that was said of it.

use std::collections::BTreeSet;

use pegcount_domain::time::Micros;
use rustc_hash::FxHashMap;

use super::step::Due;

#[derive(Debug, Default)]
pub(super) struct Schedule {
    by_time: BTreeSet<(Micros, Due)>,
    by_unit: FxHashMap<Due, Micros>,
}

impl Schedule {
    /// A unit changes at this instant, and not at the one that was said before; none: not by itself.
    pub(super) fn set(&mut self, unit: Due, at: Option<Micros>) {
        let before = match at {
            Some(at) => self.by_unit.insert(unit, at),
            None => self.by_unit.remove(&unit),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.by_time.remove(&(before, unit));
        }
        self.by_time.extend(at.map(|at| (at, unit)));
    }

    /// Takes the next unit out that changes by an instant.
    pub(super) fn pop(&mut self, now: Micros) -> Option<Due> {
        let (at, unit) = self.by_time.first().copied().filter(|(at, _)| *at <= now)?;
        self.by_time.remove(&(at, unit));
        self.by_unit.remove(&unit);
        Some(unit)
    }

    /// When the next unit changes.
    pub(super) fn next(&self) -> Option<Micros> {
        self.by_time.first().map(|(at, _)| *at)
    }

    pub(super) fn clear(&mut self) {
        self.by_time.clear();
        self.by_unit.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Slot;

    #[test]
    fn a_unit_is_due_once_at_the_last_instant_that_was_said() {
        let (one, other) = (Due::Agent(Slot(1)), Due::Line(Slot(1)));
        let mut schedule = Schedule::default();
        schedule.set(one, Some(Micros(9)));
        schedule.set(other, Some(Micros(5)));
        schedule.set(one, Some(Micros(3)));
        assert_eq!(schedule.next(), Some(Micros(3)));
        schedule.set(other, None);
        assert_eq!(schedule.pop(Micros(2)), None);
        assert_eq!((schedule.pop(Micros(9)), schedule.pop(Micros(9))), (Some(one), None));
    }
}
