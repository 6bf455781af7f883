//! What the figures take of memory, structure by structure: for whoever runs them, and for finding what to make smaller.
//!
//! Bytes are what lists and tables have reserved, the allocator's own left out. Not exact to the byte: a tree's nodes are
//! taken to be three quarters full. Invariant: every structure that grows with history is in the list.

use std::mem::size_of;

use pegcount_domain::ids::Key;

use crate::{
    Kpi,
    agent::{chapter::Chapter, unit::AgentUnit},
    contact::{ContactFact, ContactUnit, LegEntry},
    fact::{AgentFact, Slot},
    line::Line,
    site::{Site, Units},
    ticket::TicketUnit,
};

/// One structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    /// What it is.
    pub what: &'static str,
    /// How many of its elements there are.
    pub count: usize,
    /// What they take, bytes.
    pub bytes: usize,
}

impl Kpi {
    /// What the figures of all sites take of memory. Goes through all units: some milliseconds for each million.
    pub fn weights(&self) -> Vec<Weight> {
        let mut sum: Vec<Weight> = Vec::new();
        for one in self.sites.iter().flat_map(Site::weights) {
            match sum.iter_mut().find(|known| known.what == one.what) {
                Some(known) => {
                    (known.count, known.bytes) = (known.count + one.count, known.bytes + one.bytes);
                }
                None => sum.push(one),
            }
        }
        sum
    }
}

/// What a tree of so many elements takes.
pub(crate) fn tree<T>(count: usize) -> usize {
    count * size_of::<T>() * 4 / 3
}

/// What a hash table with room for so many elements takes: a byte beside each, and an eighth empty.
pub(crate) fn table<T>(capacity: usize) -> usize {
    (capacity * 8 / 7).next_power_of_two() * (size_of::<T>() + 1)
}

impl Site {
    fn weights(&self) -> Vec<Weight> {
        let mut all = self.weights_of_agents();
        all.extend(self.weights_of_contacts());
        let one = |what, count, bytes| Weight { what, count, bytes };
        let items = |line: &Line| {
            let spilled = if line.items.spilled() { line.items.capacity() } else { 0 };
            spilled * size_of::<(Slot, crate::line::Item)>()
        };
        let [awake, resting] = self.lines.weight(items);
        all.push(one("customer lines in use", awake.0, awake.1));
        all.push(one("customer lines at rest", resting.0, resting.1));
        all.push(one("keys of lines", awake.0 + resting.0, self.lines.bytes_of_keys()));
        let heap = |unit: &TicketUnit| {
            let course = unit.course.as_ref().map_or(0, |course| size_of_val(&**course));
            unit.facts.capacity() * size_of::<crate::ticket::TicketFact>() + course
        };
        let [awake, resting] = self.tickets.weight(heap);
        all.push(one("tickets in use", awake.0, awake.1));
        all.push(one("tickets at rest", resting.0, resting.1));
        all.push(one("keys of tickets", awake.0 + resting.0, self.tickets.bytes_of_keys()));
        let classes = self.classes.len();
        all.push(one("what tickets are", classes, 2 * table::<crate::ticket::class::Class>(classes)));
        let (near, owed) = (self.near_tickets.weight(), self.near_owed.weight());
        all.push(one("tickets by interval", near.0 + owed.0, near.1 + owed.1));
        let (near, bytes) = self.near.weight();
        all.push(one("contacts by interval", near, bytes));
        all.extend(self.books.weights());
        all.push(one(
            "corrections",
            self.corrections.iter().count(),
            tree::<crate::correction::Correction>(self.corrections.iter().count()),
        ));
        all
    }

    fn weights_of_agents(&self) -> Vec<Weight> {
        let one = |what, count, bytes| Weight { what, count, bytes };
        let units = &self.agents.list;
        let present: usize = units.iter().map(|unit| unit.facts.len()).sum();
        let reserved: usize = units.iter().map(|unit| unit.facts.capacity() * size_of::<AgentFact>()).sum();
        let chapters: usize = units.iter().map(|unit| unit.chapters.len()).sum();
        let closed: usize = units.iter().flat_map(|unit| &unit.chapters).map(Chapter::bytes).sum();
        let heads: usize = units.iter().map(|unit| unit.chapters.capacity() * size_of::<Chapter>()).sum();
        let days: usize = units.iter().map(|unit| unit.ledger.days.len()).sum();
        let ledger: usize = units.iter().map(|unit| unit.ledger.bytes()).sum();
        vec![
            one("agents", units.len(), units.capacity() * size_of::<AgentUnit>() + keys(&self.agents)),
            one("facts of present chapters", present, reserved),
            one("closed chapters", chapters, heads + closed),
            one("days", days, ledger),
        ]
    }

    fn weights_of_contacts(&self) -> Vec<Weight> {
        let one = |what, count, bytes| Weight { what, count, bytes };
        let heap = |unit: &ContactUnit| {
            unit.facts.capacity() * size_of::<ContactFact>() + unit.legs.capacity() * size_of::<LegEntry>()
        };
        let [awake, resting] = self.contacts.weight(heap);
        vec![
            one("contacts in use", awake.0, awake.1),
            one("contacts at rest", resting.0, resting.1),
            one("keys of contacts", awake.0 + resting.0, self.contacts.bytes_of_keys()),
            one("open contacts' list", self.open.len(), table::<Slot>(self.open.capacity())),
        ]
    }
}

fn keys<T>(units: &Units<T>) -> usize {
    table::<(Key, Slot)>(units.by_key().capacity())
}
