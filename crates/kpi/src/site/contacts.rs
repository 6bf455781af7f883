//! Facts into contacts' units, and settled contacts into the books and their customer's line.
//!
//! Invariant: a contact is either settled and in the books, or on the list of open ones.

use pegcount_domain::time::Micros;
use smallvec::SmallVec;

use crate::{
    contact::{ContactFact, LegOutcome, Settled, fold::fold},
    fact::{Slot, insert_sorted},
    line::{Item, insert, unidentified},
    site::Site,
};

/// What the legs of a contact came to.
pub(super) type Outcomes = SmallVec<[LegOutcome; 2]>;

impl Site {
    pub(super) fn add_contact_fact(&mut self, contact: Slot, fact: ContactFact) {
        self.change_contact(contact, |facts| {
            // Most contacts have few, and there are many contacts.
            if facts.len() == facts.capacity() {
                facts.reserve_exact(2);
            }
            insert_sorted(facts, fact, |fact| fact.stamp);
        });
    }

    /// Changes a contact's facts.
    pub(super) fn change_contact(&mut self, contact: Slot, change: impl FnOnce(&mut Vec<ContactFact>)) {
        self.withdraw_contact(contact);
        if let Some(unit) = self.contacts.get_mut(contact) {
            unit.list_open(contact, &mut self.open);
            change(&mut unit.facts);
            if let (Some(first), Some(last)) = (unit.first_at(), unit.facts.last().map(|fact| fact.stamp.at))
            {
                self.books.touch_span(first, last, self.position);
            }
        }
        self.settle_contact(contact);
    }

    /// Puts a contact into the books if it is complete.
    pub(super) fn settle_contact(&mut self, contact: Slot) {
        let Some(unit) = self.contacts.wake(contact) else { return };
        if unit.settled.is_some() || !unit.is_complete() {
            return;
        }
        let legs: Outcomes = unit.legs.iter().map(|entry| entry.outcome).collect();
        let mut out = std::mem::take(&mut self.scratch.contact);
        out.clear();
        if let Some(outcome) = fold(unit, &legs, &self.reference, Micros::MAX, &mut out) {
            self.books.enter(&out.contributions, 1, self.position);
            self.books.enter_crossings(&out.crossings, 1);
            self.books.mark(&out.anomalies, 1);
            self.near.enter(contact, &out, &outcome, true);
            self.join_line(contact, outcome.line, &outcome.item);
            self.books.last_effect = self.books.last_effect.max(outcome.last_effect);
            if let Some(unit) = self.contacts.get_mut(contact) {
                unit.settled = Some(Settled { line: outcome.line, last_effect: outcome.last_effect });
                unit.is_listed = false;
            }
            self.open.remove(&contact);
            self.lead_tickets(contact, outcome.line);
        }
        self.scratch.contact = out;
    }

    /// Takes a settled contact out of the books again.
    pub(super) fn withdraw_contact(&mut self, contact: Slot) {
        let Some(unit) = self.contacts.get_mut(contact) else { return };
        let Some(settled) = unit.settled.take() else { return };
        unit.list_open(contact, &mut self.open);
        let legs: Outcomes = unit.legs.iter().map(|entry| entry.outcome).collect();
        let mut out = std::mem::take(&mut self.scratch.contact);
        out.clear();
        let outcome = fold(unit, &legs, &self.reference, Micros::MAX, &mut out);
        self.books.enter(&out.contributions, -1, self.position);
        self.books.enter_crossings(&out.crossings, -1);
        self.books.mark(&out.anomalies, -1);
        if let Some(outcome) = outcome {
            self.near.enter(contact, &out, &outcome, false);
            self.leave_line(contact, settled.line, &outcome.item);
        }
        self.scratch.contact = out;
        self.lead_tickets(contact, None);
    }

    fn join_line(&mut self, contact: Slot, line: Option<Slot>, item: &Item) {
        let Some(line) = line else { return self.enter_unidentified(item, 1) };
        self.enter_line(line, -1);
        if let Some(unit) = self.lines.get_mut(line) {
            insert(&mut unit.items, contact, *item);
        }
        self.enter_line(line, 1);
        if let Some(root) = item.journey.and_then(|root| self.contacts.get_mut(root)) {
            root.followed_in.push(line);
        }
    }

    fn leave_line(&mut self, contact: Slot, line: Option<Slot>, item: &Item) {
        let Some(line) = line else { return self.enter_unidentified(item, -1) };
        self.enter_line(line, -1);
        if let Some(unit) = self.lines.get_mut(line) {
            unit.items.retain(|(other, _)| *other != contact);
        }
        self.enter_line(line, 1);
        if let Some(root) = item.journey.and_then(|root| self.contacts.get_mut(root))
            && let Some(place) = root.followed_in.iter().position(|other| *other == line)
        {
            root.followed_in.swap_remove(place);
        }
    }

    fn enter_unidentified(&mut self, item: &Item, sign: i64) {
        let mut out = std::mem::take(&mut self.scratch.line);
        out.clear();
        unidentified(item, &mut out);
        self.books.enter(&out, sign, self.position);
        self.scratch.line = out;
    }
}
