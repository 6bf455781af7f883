//! What a late event corrects: what is open before and after it, beside what it changes in the books.
//!
//! Not the whole site is read for it: only the units that the event may change, and those that these need. Invariant:
//! every unit whose part of a figure the event changes is among them, before and after.

use pegcount_domain::{
    envelope::{Recorded, StreamKind},
    event::{Event, LegRef},
    ids::{AgentId, ContactId, CustomerId, Key},
    ticketing::TicketEvent,
    time::{Micros, Span},
};
use smallvec::SmallVec;

use crate::{
    cells::Contribution,
    contact::{ContactBody, ContactUnit},
    fact::Slot,
    site::{
        Site,
        read::{Chosen, Scope},
    },
};

/// What an event says of other units than its stream's.
#[derive(Default)]
struct Named {
    contacts: SmallVec<[ContactId<Key>; 2]>,
    agents: SmallVec<[AgentId<Key>; 2]>,
    customers: SmallVec<[CustomerId<Key>; 2]>,
}

impl Site {
    /// Takes a late event in and lists what it corrects.
    pub(super) fn take_and_compare(&mut self, recorded: &Recorded) {
        let as_of = recorded.recorded_at;
        let is_definition = recorded.stream.kind == StreamKind::Definition;
        if is_definition && self.touched_by(&recorded.event).is_empty() {
            return self.take(recorded);
        }
        let mut chosen = Chosen::default();
        let scope = |site: &Self, chosen: Chosen| {
            if is_definition { Scope::Everything } else { Scope::Only(site.chosen_by(recorded, chosen)) }
        };
        let first = scope(self, chosen);
        let before = self.open_part(as_of, &first);
        self.books.journal = Some(Vec::new());
        self.take(recorded);
        chosen = if let Scope::Only(chosen) = first { chosen } else { Chosen::default() };
        let after = self.open_part(as_of, &scope(self, chosen));
        let journal = self.books.journal.take().unwrap_or_default();
        self.corrections.derive(recorded, &journal, &before, &after);
    }

    fn open_part(&self, as_of: Micros, scope: &Scope) -> Vec<Contribution> {
        self.overlay(as_of, Span::new(Micros(i64::MIN), as_of), scope).contributions
    }

    /// The units that an event may change, those in `known` among them, and those that are read for their sake.
    fn chosen_by(&self, recorded: &Recorded, known: Chosen) -> Chosen {
        let Chosen { mut agents, mut contacts, mut lines, mut tickets, .. } = known;
        let (key, named) = (recorded.stream.id, named_by(&recorded.event));
        let mut own: Vec<Slot> = Vec::new();
        match recorded.stream.kind {
            StreamKind::Agent => agents.extend(self.agents.find(key)),
            StreamKind::Contact => own.extend(self.contacts.find(key)),
            StreamKind::Ticket => tickets.extend(self.tickets.find(key)),
            StreamKind::Definition | StreamKind::Quarantine | StreamKind::Customer => {}
        }
        own.extend(named.contacts.iter().filter_map(|contact| self.contacts.find(contact.0)));
        agents.extend(named.agents.iter().filter_map(|agent| self.agents.find(agent.0)));
        let unsettled = self.unsettled_at(recorded.recorded_at);
        if recorded.stream.kind == StreamKind::Ticket {
            lines.extend(self.lines_around(&tickets, &own, &unsettled));
        } else {
            agents.extend(self.agents_of(&own));
            contacts.append(&mut own);
        }
        sort(&mut agents);
        let is_theirs = |slot: &Slot| self.agents_of(&[*slot]).iter().any(|agent| has(&agents, *agent));
        contacts.extend(unsettled.iter().copied().filter(is_theirs));
        sort(&mut contacts);
        lines.extend(named.customers.iter().filter_map(|customer| self.lines.find(customer.0)));
        lines.extend(contacts.iter().flat_map(|slot| self.lines_named_by(*slot)));
        sort(&mut lines);
        let is_in_line = |slot: &Slot| {
            !has(&contacts, *slot) && self.lines_named_by(*slot).iter().any(|line| has(&lines, *line))
        };
        let other_contacts: Vec<Slot> = unsettled.into_iter().filter(is_in_line).collect();
        let mut other_agents = self.agents_of(&contacts);
        other_agents.extend(self.agents_of(&other_contacts));
        sort(&mut other_agents);
        other_agents.retain(|agent| !has(&agents, *agent));
        Chosen { agents, contacts, lines, tickets, other_agents, other_contacts }
    }

    /// The lines that tickets concern: their own, and those of the contacts that have them and of what goes on with these.
    fn lines_around(&self, tickets: &[Slot], contacts: &[Slot], unsettled: &[Slot]) -> Vec<Slot> {
        let units = || tickets.iter().filter_map(|slot| self.tickets.get(*slot));
        let mut contacts = contacts.to_vec();
        contacts.extend(units().filter_map(|unit| unit.opened(Micros::MAX)?.contact));
        let goes_on = |slot: &Slot| {
            let root = self.contacts.get(*slot).and_then(|unit| unit.journey());
            root.is_some_and(|root| contacts.contains(&root))
        };
        let following: Vec<Slot> = unsettled.iter().copied().filter(goes_on).collect();
        let around = contacts.iter().chain(&following).flat_map(|slot| self.lines_named_by(*slot));
        units().flat_map(|unit| self.lines_of(&unit)).chain(around).collect()
    }

    /// The units of all legs of these contacts.
    fn agents_of(&self, contacts: &[Slot]) -> Vec<Slot> {
        let units = contacts.iter().filter_map(|slot| self.contacts.get(*slot));
        let agents =
            |unit: &ContactUnit| unit.legs.iter().map(|entry| entry.agent).collect::<SmallVec<[Slot; 2]>>();
        units.flat_map(|unit| agents(&unit)).collect()
    }

    /// The lines that a contact may stand in.
    fn lines_named_by(&self, contact: Slot) -> SmallVec<[Slot; 2]> {
        self.contacts.get(contact).map(|unit| lines_named(&unit).collect()).unwrap_or_default()
    }

    /// The contacts that the books do not show as they are at the instant.
    fn unsettled_at(&self, as_of: Micros) -> Vec<Slot> {
        let mut contacts: Vec<Slot> = self.open.iter().copied().collect();
        contacts.extend(self.settled_after(as_of));
        contacts
    }
}

/// The customers' lines that a contact may stand in, before and after any of its facts changes.
pub(super) fn lines_named(unit: &ContactUnit) -> impl Iterator<Item = Slot> + '_ {
    unit.facts.iter().filter_map(|fact| match fact.body {
        ContactBody::Started { customer, .. } | ContactBody::Identified { customer, .. } => customer,
        _ => None,
    })
}

fn sort(slots: &mut Vec<Slot>) {
    slots.sort_unstable();
    slots.dedup();
}

fn has(sorted: &[Slot], slot: Slot) -> bool {
    sorted.binary_search(&slot).is_ok()
}

fn named_by(event: &Event<Key>) -> Named {
    let mut named = Named::default();
    match event {
        Event::Leg { leg: LegRef { contact, agent, .. }, .. } => {
            named.contacts.push(*contact);
            named.agents.extend(*agent);
        }
        Event::OutboundAssigned { contact, .. } => named.contacts.push(*contact),
        Event::ContactStarted { customer, .. } | Event::ContactIdentified { customer, .. } => {
            named.customers.extend(*customer);
        }
        Event::Ticket(TicketEvent::Opened(opening)) => {
            named.contacts.extend(opening.contact);
            named.customers.extend(opening.customer().copied());
        }
        Event::Amended { event, .. } => return named_by(event),
        _ => {}
    }
    named
}
