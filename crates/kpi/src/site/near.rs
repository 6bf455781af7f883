//! Which settled contacts count anything in an interval, so that a short range is looked at without all of history.
//!
//! Invariant: a settled contact stands in every interval in which it counts, begins, ends or is complete; there its
//! customer's line may count for it too.

use std::collections::BTreeMap;

use pegcount_domain::time::{Interval, Micros, Span};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{
    cells::RowSum,
    contact::{
        ContactUnit,
        fold::{Output, fold},
    },
    fact::Slot,
    line::Item,
    reference::Reference,
    site::{Site, contacts::Outcomes},
};

/// Settled contacts by interval.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Near(BTreeMap<i32, Vec<Slot>>);

impl Near {
    /// Puts a contact that has just been folded where it counts, or takes it away.
    pub(super) fn enter(&mut self, contact: Slot, out: &Output, item: &Item, joins: bool) {
        for interval in intervals(out, item) {
            let list = self.0.entry(interval.0).or_default();
            if joins {
                list.push(contact);
            } else if let Some(place) = list.iter().rposition(|other| *other == contact) {
                list.swap_remove(place);
            }
            if list.is_empty() {
                self.0.remove(&interval.0);
            }
        }
    }

    /// The contacts in a range, each once.
    pub(super) fn within(&self, range: Span) -> Vec<Slot> {
        let (from, to) =
            (Interval::containing(range.start), Interval::containing(range.end.minus(Micros(1))));
        let mut all: Vec<Slot> = if from <= to {
            self.0.range(from.0..=to.0).flat_map(|(_, list)| list).copied().collect()
        } else {
            Vec::new()
        };
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Forgets contacts.
    pub(super) fn forget(&mut self, is_gone: impl Fn(Slot) -> bool) {
        self.0.retain(|_, list| {
            list.retain(|contact| !is_gone(*contact));
            !list.is_empty()
        });
    }
}

fn intervals(out: &Output, item: &Item) -> SmallVec<[Interval; 4]> {
    let instants = [Some(item.started), item.ended_at, item.completed_at].into_iter().flatten();
    let counted = out.contributions.sums().iter().map(RowSum::interval);
    let mut all: SmallVec<[Interval; 4]> = SmallVec::new();
    for interval in instants.map(Interval::containing).chain(counted) {
        if !all.contains(&interval) {
            all.push(interval);
        }
    }
    all
}

impl Site {
    /// Finds all settled contacts anew.
    pub(crate) fn look_near(&mut self) {
        let mut near = Near::default();
        let mut out = Output::default();
        for (slot, unit) in self.contacts.iter().filter(|(_, unit)| unit.settled.is_some()) {
            if let Some(item) = folded(unit, &self.reference, &mut out) {
                near.enter(slot, &out, &item, true);
            }
        }
        self.near = near;
    }
}

fn folded(unit: &ContactUnit, reference: &Reference, out: &mut Output) -> Option<Item> {
    let legs: Outcomes = unit.legs.iter().map(|entry| entry.outcome).collect();
    out.clear();
    Some(fold(unit, &legs, reference, Micros::MAX, out)?.item)
}
