//! One site: its units, its reference data and its books.
//!
//! - [`route`]: from an event to the units that it concerns
//! - [`agents`], [`contacts`], [`lines`]: putting facts into units, and settled units into the books
//! - [`define`]: new reference data for what is already folded; [`amend`]: annulled and amended facts
//! - [`read`]: what is open at an instant, on top of the books
//!
//! Invariant: books plus what is open equal a fold of the whole history in time order.

mod agents;
mod amend;
mod contacts;
mod define;
mod lines;
pub(crate) mod read;
mod route;

use pegcount_domain::{
    envelope::{Position, Recorded, StreamKind},
    event::Event,
    ids::{Key, Name},
    time::{Interval, Micros, Span},
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    agent::{emit::Output as AgentOutput, unit::AgentUnit},
    books::Books,
    cells::{Contribution, Contributions},
    contact::{ContactUnit, fold::Output as ContactOutput},
    correction::Corrections,
    fact::Slot,
    line::Line,
    names::Names,
    reference::Reference,
    site::read::Scope,
    ticket::TicketUnit,
};

/// A list of units, found by key.
#[derive(Debug)]
pub(crate) struct Units<T> {
    slots: FxHashMap<Key, Slot>,
    pub(crate) list: Vec<T>,
}

impl<T> Default for Units<T> {
    fn default() -> Self {
        Self { slots: FxHashMap::default(), list: Vec::new() }
    }
}

impl<T> Units<T> {
    fn find(&self, key: Key) -> Option<Slot> {
        self.slots.get(&key).copied()
    }

    fn slot(&mut self, key: Key, new: impl FnOnce() -> T) -> Slot {
        let list = &mut self.list;
        *self.slots.entry(key).or_insert_with(|| {
            let slot = Slot::next(list);
            list.push(new());
            slot
        })
    }

    fn push(&mut self, unit: T) -> Slot {
        let slot = Slot::next(&self.list);
        self.list.push(unit);
        slot
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<&T> {
        self.list.get(slot.index())
    }

    fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        self.list.get_mut(slot.index())
    }
}

/// Memory that folds use again and again.
#[derive(Debug, Default)]
struct Scratch {
    plus: AgentOutput,
    contact: ContactOutput,
    line: Contributions,
}

/// One site.
#[derive(Debug, Default)]
pub(crate) struct Site {
    pub(crate) key: Key,
    pub(crate) name: Option<Name>,
    pub(crate) names: Names,
    pub(crate) reference: Reference,
    pub(crate) agents: Units<AgentUnit>,
    pub(crate) contacts: Units<ContactUnit>,
    pub(crate) lines: Units<Line>,
    pub(crate) tickets: Units<TicketUnit>,
    /// Contacts that do not stand in the books.
    pub(crate) open: FxHashSet<Slot>,
    pub(crate) books: Books,
    pub(crate) corrections: Corrections,
    /// The event being taken in.
    position: Position,
    scratch: Scratch,
}

impl Site {
    pub(crate) fn new(key: Key) -> Self {
        Self { key, ..Self::default() }
    }

    /// Takes an event in.
    pub(crate) fn apply(&mut self, recorded: &Recorded) {
        self.position = recorded.position;
        self.position = recorded.position;
        let late = Corrections::concerns(recorded);
        if late {
            let before = self.open_part(recorded);
            self.books.journal = Some(Vec::new());
            self.take(recorded);
            let after = self.open_part(recorded);
            let journal = self.books.journal.take().unwrap_or_default();
            self.corrections.derive(recorded, &journal, &before, &after);
        } else {
            self.take(recorded);
        }
        self.books.touch(Interval::containing(recorded.occurred_at), recorded.position);
        self.books.mature(recorded.occurred_at.min(recorded.recorded_at), recorded.position);
    }

    /// What is open, when a late event is recorded, of the units that it may concern.
    fn open_part(&self, recorded: &Recorded) -> Vec<Contribution> {
        let key = recorded.stream.id;
        let mut contacts: Vec<Slot> = Vec::new();
        let mut agents: Vec<Slot> = Vec::new();
        match recorded.stream.kind {
            StreamKind::Agent => agents.extend(self.agents.find(key)),
            StreamKind::Contact => contacts.extend(self.contacts.find(key)),
            StreamKind::Ticket | StreamKind::Definition | StreamKind::Quarantine => {}
        }
        if let Event::Leg { leg, .. } = &recorded.event {
            contacts.extend(self.contacts.find(leg.contact.0));
            agents.extend(leg.agent.and_then(|agent| self.agents.find(agent.0)));
        }
        contacts.sort_unstable();
        contacts.dedup();
        let legs = contacts.iter().filter_map(|slot| self.contacts.get(*slot)).flat_map(|unit| &unit.legs);
        agents.extend(legs.map(|entry| entry.agent));
        agents.sort_unstable();
        agents.dedup();
        let as_of = recorded.recorded_at;
        let range = Span::new(Micros(i64::MIN), as_of);
        self.overlay(as_of, range, &Scope::Only(agents, contacts)).contributions
    }

    /// The position of the last event that concerned the site.
    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// Everything between the instants has changed (open work reaches back so far).
    fn touch_from(&mut self, from: Micros, to: Micros) {
        let last = Interval::containing(to);
        let mut interval = Interval::containing(from);
        while interval < last {
            self.books.touch(interval, self.position);
            interval = Interval(interval.0 + 1);
        }
    }
}
