//! Which settled contacts, and which tickets, count anything in an interval, so that a short range is looked at without all of history.
//!
//! Invariant: a settled contact stands in every interval in which it counts, begins, ends or is complete, where its
//! customer's line may count for it too, and in that of the last instant at which it changes a figure.

use std::collections::BTreeMap;

use pegcount_domain::time::{Interval, Micros, Span};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{
    cells::RowSum,
    contact::{
        ContactUnit,
        fold::{Outcome, Output, fold},
    },
    fact::Slot,
    reference::Reference,
    site::{Site, contacts::Outcomes},
    weight::tree,
};

/// Settled contacts, or tickets, by interval.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Near(BTreeMap<i32, Vec<Slot>>);

impl Near {
    /// Puts a contact that has just been folded where it counts, or takes it away.
    pub(super) fn enter(&mut self, contact: Slot, out: &Output, outcome: &Outcome, joins: bool) {
        for interval in intervals(out, outcome) {
            self.put(contact, interval, joins);
        }
    }

    /// Puts a unit where it counts, or takes it away.
    pub(super) fn put(&mut self, unit: Slot, interval: Interval, joins: bool) {
        let list = self.0.entry(interval.0).or_default();
        if joins {
            list.push(unit);
        } else if let Some(place) = list.iter().rposition(|other| *other == unit) {
            list.swap_remove(place);
        }
        if list.is_empty() {
            self.0.remove(&interval.0);
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

    /// The contacts that may change a figure at an instant or later, each once.
    pub(super) fn from(&self, instant: Micros) -> Vec<Slot> {
        let first = Interval::containing(instant).0;
        let mut all: Vec<Slot> = self.0.range(first..).flat_map(|(_, list)| list).copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// How many places there are in its lists, and what they take, bytes.
    pub(crate) fn weight(&self) -> (usize, usize) {
        let reserved: usize = self.0.values().map(Vec::capacity).sum();
        let places = self.0.values().map(Vec::len).sum();
        (places, reserved * size_of::<Slot>() + tree::<(i32, Vec<Slot>)>(self.0.len()))
    }

    /// Forgets contacts.
    pub(super) fn forget(&mut self, is_gone: impl Fn(Slot) -> bool) {
        self.0.retain(|_, list| {
            list.retain(|contact| !is_gone(*contact));
            !list.is_empty()
        });
    }
}

fn intervals(out: &Output, outcome: &Outcome) -> SmallVec<[Interval; 4]> {
    let Outcome { item, last_effect, .. } = outcome;
    let instants = [Some(item.started), item.ended_at, item.completed_at, Some(*last_effect)];
    let instants = instants.into_iter().flatten();
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
    /// The settled contacts that change a figure after an instant.
    pub(super) fn settled_after(&self, instant: Micros) -> Vec<Slot> {
        if self.books.last_effect <= instant {
            return Vec::new();
        }
        let is_later = |slot: &Slot| {
            let settled = self.contacts.get(*slot).and_then(|unit| unit.settled);
            settled.is_some_and(|settled| settled.last_effect > instant)
        };
        let mut contacts = self.near.from(instant);
        contacts.retain(is_later);
        contacts
    }

    /// Finds all settled contacts anew.
    pub(crate) fn look_near(&mut self) {
        let mut near = Near::default();
        let mut out = Output::default();
        for (slot, unit) in self.contacts.iter().filter(|(_, unit)| unit.settled.is_some()) {
            if let Some(outcome) = folded(&unit, &self.reference, &mut out) {
                near.enter(slot, &out, &outcome, true);
            }
        }
        self.near = near;
    }
}

fn folded(unit: &ContactUnit, reference: &Reference, out: &mut Output) -> Option<Outcome> {
    let legs: Outcomes = unit.legs.iter().map(|entry| entry.outcome).collect();
    out.clear();
    fold(unit, &legs, reference, Micros::MAX, out)
}
