//! What a late event corrects: what is open before and after it, beside what it changes in the books.
//!
//! Not the whole site is read for it: only the units that the event may concern, and the agents whose legs they need.
//! Invariant: a unit that the event leaves alone counts alike before and after.

use pegcount_domain::{
    envelope::{Recorded, StreamKind},
    event::{Event, LegRef},
    ids::Key,
    time::{Micros, Span},
};

use crate::{
    cells::Contribution,
    fact::Slot,
    site::{Site, read::Scope},
};

/// Units that an event may concern, sorted.
struct Concerned {
    agents: Vec<Slot>,
    contacts: Vec<Slot>,
}

impl Site {
    /// Takes a late event in and lists what it corrects.
    pub(super) fn take_and_compare(&mut self, recorded: &Recorded) {
        let as_of = recorded.recorded_at;
        let is_definition = recorded.stream.kind == StreamKind::Definition;
        if is_definition && self.touched_by(&recorded.event).is_empty() {
            return self.take(recorded);
        }
        let first = if is_definition { None } else { Some(self.concerned_by(recorded)) };
        let mut before = self.open_part(as_of, first.as_ref());
        if first.is_some() {
            before.extend(self.books.maturity(as_of));
        }
        let known = self.agents.list.len();
        self.books.journal = Some(Vec::new());
        self.take(recorded);
        let then = first.as_ref().map(|first| self.concerned_by(recorded).joined(first));
        let mut after = self.open_part(as_of, then.as_ref());
        if let (Some(first), Some(then)) = (first, then) {
            // Agents that are read only for the legs of a contact that has been opened again.
            let joined = |slot: &&Slot| slot.index() < known && first.agents.binary_search(slot).is_err();
            let agents = then.agents.iter().filter(joined).copied().collect();
            let concerned = Concerned { agents, contacts: Vec::new() };
            before.extend(self.open_part(as_of, Some(&concerned)));
            after.extend(self.books.maturity(as_of));
        }
        let journal = self.books.journal.take().unwrap_or_default();
        self.corrections.derive(recorded, &journal, &before, &after);
    }

    fn open_part(&self, as_of: Micros, concerned: Option<&Concerned>) -> Vec<Contribution> {
        let range = Span::new(Micros(i64::MIN), as_of);
        let scope = concerned.map_or(Scope::Everything, |Concerned { agents, contacts }| {
            Scope::Only(agents.clone(), contacts.clone())
        });
        self.overlay(as_of, range, &scope).contributions
    }

    /// The units that an event names, the open contacts of those agents, and the agents of all these contacts.
    fn concerned_by(&self, recorded: &Recorded) -> Concerned {
        let key = recorded.stream.id;
        let (mut agents, mut contacts): (Vec<Slot>, Vec<Slot>) = (Vec::new(), Vec::new());
        match recorded.stream.kind {
            StreamKind::Agent => agents.extend(self.agents.find(key)),
            StreamKind::Contact => contacts.extend(self.contacts.find(key)),
            StreamKind::Ticket | StreamKind::Definition | StreamKind::Quarantine => {}
        }
        if let Some(leg) = leg_of(&recorded.event) {
            contacts.extend(self.contacts.find(leg.contact.0));
            agents.extend(leg.agent.and_then(|agent| self.agents.find(agent.0)));
        }
        let legs = |contact: &Slot| {
            let unit = self.contacts.get(*contact).into_iter();
            unit.flat_map(|unit| unit.legs.iter().map(|entry| entry.agent))
        };
        agents.extend(contacts.iter().flat_map(legs).collect::<Vec<_>>());
        sort(&mut agents);
        let open = self.open.iter().copied();
        contacts
            .extend(open.filter(|contact| legs(contact).any(|agent| agents.binary_search(&agent).is_ok())));
        agents.extend(contacts.iter().flat_map(legs).collect::<Vec<_>>());
        Concerned { agents, contacts }.sorted()
    }
}

impl Concerned {
    fn sorted(mut self) -> Self {
        sort(&mut self.agents);
        sort(&mut self.contacts);
        self
    }

    fn joined(mut self, other: &Self) -> Self {
        self.agents.extend_from_slice(&other.agents);
        self.contacts.extend_from_slice(&other.contacts);
        self.sorted()
    }
}

fn sort(slots: &mut Vec<Slot>) {
    slots.sort_unstable();
    slots.dedup();
}

/// The leg that an event speaks of, an amended one included.
fn leg_of(event: &Event<Key>) -> Option<&LegRef<Key>> {
    match event {
        Event::Leg { leg, .. } => Some(leg),
        Event::Amended { event, .. } => leg_of(event),
        _ => None,
    }
}
