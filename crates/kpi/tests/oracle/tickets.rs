//! Tickets: which of them are issues. Their own counts are [`super::desk`]'s.
//!
//! Invariant: the first word on a ticket's opening holds.

use std::collections::{BTreeMap, BTreeSet};

use pegcount_domain::{
    envelope::{Recorded, StreamKind},
    event::Event,
    ids::Key,
    ticketing::{FieldValue, TicketEvent},
};

use super::{
    Oracle, Said,
    contacts::ContactStory,
    issues::{Issue, Journey},
};

impl Oracle {
    pub fn tickets(&mut self, contacts: &[ContactStory]) {
        let mut tickets: BTreeMap<Key, Vec<Recorded>> = BTreeMap::new();
        for fact in self.history.iter().filter(|fact| fact.stream.kind == StreamKind::Ticket) {
            tickets.entry(fact.stream.id).or_default().push(fact.clone());
        }
        let mut with_ticket: BTreeSet<Key> = BTreeSet::new();
        for facts in tickets.values() {
            self.ticket(facts);
            if let Some(contact) = self.ticket_issue(facts, contacts) {
                with_ticket.insert(contact);
            }
        }
        self.ticketless(contacts, &with_ticket);
    }

    /// Counts the issue that a ticket of a known customer is; gives the contact that it was opened in.
    fn ticket_issue(&mut self, facts: &[Recorded], contacts: &[ContactStory]) -> Option<Key> {
        let (opened_at, contact, customer, topic) = facts.iter().find_map(|fact| match &fact.event {
            Event::Ticket(TicketEvent::Opened(opening)) => Some((
                fact.occurred_at,
                opening.contact.map(|contact| contact.0),
                said(&opening.set, |value| match value {
                    FieldValue::Customer(customer) => Some(customer.0),
                    _ => None,
                }),
                said(&opening.set, |value| match value {
                    FieldValue::Topic(topic) => Some(topic.0),
                    _ => None,
                }),
            )),
            _ => None,
        })?;
        let id = contact.filter(|_| opened_at <= self.as_of)?;
        let contact = contacts.iter().find(|other| other.id == id);
        let customer = customer.or_else(|| contact.and_then(|contact| contact.customer));
        let Some(customer) = customer else { return Some(id) };
        let own = contact.filter(|contact| contact.customer == Some(customer));
        let journey = Journey { customer, root: own.map_or(id, |contact| contact.root) };
        let by_now = || facts.iter().filter(|fact| fact.occurred_at <= self.as_of);
        let first =
            by_now().position(|fact| matches!(fact.event, Event::Ticket(TicketEvent::Resolved { .. })));
        let resolved = first.and_then(|place| by_now().nth(place)).map(|fact| fact.occurred_at);
        let after = by_now().skip(first.unwrap_or(facts.len()));
        let mut reopened =
            after.filter(|fact| matches!(fact.event, Event::Ticket(TicketEvent::Reopened { .. })));
        let undone = reopened.next().map(|fact| fact.occurred_at);
        self.issue(&Issue { journey, topic, resolved: &|_| resolved, undone }, contacts);
        Some(id)
    }
}

/// What the opening says last of a field.
fn said(set: &[FieldValue<Key>], of: impl Fn(&FieldValue<Key>) -> Said) -> Said {
    let mut last = None;
    for value in set {
        last = of(value).or(last);
    }
    last
}
