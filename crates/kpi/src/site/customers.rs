//! Which contacts a customer has had, for whoever tells the customer's story.
//!
//! Not for figures. Invariant: a contact is listed while the folds know it, whether it is settled or open, once, at its first fact.

use pegcount_domain::{envelope::Position, ids::Key, time::Micros};

use crate::{
    contact::{ContactBody, ContactUnit},
    fact::Slot,
    site::Site,
};

impl Site {
    /// When each contact of a customer began, and where its first fact stands in the log; in no order.
    pub(crate) fn customer_contacts(&self, customer: Key) -> Vec<(Micros, Position)> {
        let Some(line) = self.lines.find(customer) else { return Vec::new() };
        let settled: Vec<Slot> = self
            .lines
            .get(line)
            .map(|unit| unit.items.iter().map(|(contact, _)| *contact).collect())
            .unwrap_or_default();
        let mut contacts: Vec<Slot> =
            self.open.iter().copied().filter(|open| self.is_of(*open, line)).collect();
        contacts.extend(settled);
        contacts.sort_unstable();
        contacts.dedup();
        let first = |contact: Slot| {
            let unit = self.contacts.get(contact)?;
            unit.facts.first().map(|fact| (fact.stamp.at, fact.stamp.position))
        };
        contacts.into_iter().filter_map(first).collect()
    }

    fn is_of(&self, contact: Slot, line: Slot) -> bool {
        self.contacts.get(contact).is_some_and(|unit| customer_of(&unit) == Some(line))
    }
}

/// The customer, as it was said last.
fn customer_of(unit: &ContactUnit) -> Option<Slot> {
    unit.facts.iter().rev().find_map(|fact| match fact.body {
        ContactBody::Started { customer, .. } | ContactBody::Identified { customer, .. } => customer,
        _ => None,
    })
}
