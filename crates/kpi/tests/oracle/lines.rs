//! Customer lines and tickets by brute force: every contact against every other (KPIS.md §3, §5).

use std::collections::BTreeMap;

use pegcount_domain::{
    envelope::{Recorded, StreamKind},
    event::Event,
    ids::Key,
    time::Micros,
};

use super::{About, Oracle, Said, contacts::ContactStory};

const WEEK: i64 = 7 * 24 * 3_600_000_000;
const HALF_HOUR: i64 = 1_800_000_000;

impl Oracle {
    pub fn lines(&mut self, contacts: &[ContactStory]) {
        let as_of = self.as_of;
        for contact in contacts.iter().filter(|contact| contact.from_customer) {
            let others: Vec<&ContactStory> = contacts
                .iter()
                .filter(|other| {
                    other.id != contact.id && other.customer == contact.customer && other.from_customer
                })
                .collect();
            if let (Some(ended), true) = (contact.ended, contact.has_visit) {
                let column = if contact.customer.is_none() { "attempts_unknown" } else { "first_attempts" };
                let earlier = |other: &&&ContactStory| {
                    let before = contact.started.0 - other.started.0;
                    other.about.entry == contact.about.entry && before > 0 && before <= HALF_HOUR
                };
                if contact.customer.is_none() || !others.iter().any(|other| earlier(&other)) {
                    self.three(contact.started, ended, column, contact.about);
                    if contact.customer.is_some() && contact.answered.is_some() {
                        self.three(contact.started, ended, "first_attempts_answered", contact.about);
                    }
                }
            }
            let (Some(answered), Some(completed)) = (contact.answered, contact.completed) else { continue };
            if contact.customer.is_none() {
                self.at(completed, None, "fcr_unidentified", contact.credited, 1);
                continue;
            }
            let again = others.iter().filter_map(|other| other.answered);
            let repeated = again.into_iter().any(|at| at > answered && at.0 <= completed.0 + WEEK);
            self.at(completed, None, "repeat_eligible", contact.credited, 1);
            self.at(completed, None, "repeat_none", contact.credited, i64::from(!repeated));
            let is_final = repeated || as_of.0 > completed.0 + WEEK;
            self.at(completed, None, "repeat_final", contact.credited, i64::from(is_final));
        }
        self.tickets(contacts);
    }

    fn tickets(&mut self, contacts: &[ContactStory]) {
        let mut tickets: BTreeMap<Key, Vec<Recorded>> = BTreeMap::new();
        for fact in self.history.iter().filter(|fact| fact.stream.kind == StreamKind::Ticket) {
            tickets.entry(fact.stream.id).or_default().push(fact.clone());
        }
        // A ticket for somebody else is not this customer's.
        let mut opened_in: Vec<(Key, Said)> = Vec::new();
        for facts in tickets.values() {
            self.ticket(facts);
            let in_contact = self.ticket_issue(facts, contacts);
            opened_in.extend(in_contact);
        }
        for contact in contacts.iter().filter(|contact| contact.from_customer && contact.customer.is_some()) {
            let root = |id: Key| {
                let same = |other: &&ContactStory| other.id == id && other.customer == contact.customer;
                contacts.iter().find(same).and_then(|other| other.journey).unwrap_or(id)
            };
            let own = opened_in.iter().filter(|(_, customer)| *customer == contact.customer);
            let has_ticket = own.into_iter().any(|(id, _)| *id == contact.id || root(*id) == contact.id);
            if let (Some(resolved), false, Some(_)) = (contact.resolved, has_ticket, contact.answered) {
                self.issue(
                    contact.id,
                    contact.customer,
                    contacts,
                    None,
                    &|until| resolved.then_some(until),
                    None,
                );
            }
        }
    }

    fn ticket(&mut self, facts: &[Recorded]) {
        let by_now: Vec<_> = facts.iter().filter(|fact| fact.occurred_at <= self.as_of).cloned().collect();
        let queue = by_now.iter().find_map(|fact| match &fact.event {
            Event::TicketOpened { queue, .. } => Some(queue.map(|queue| queue.0)),
            _ => None,
        });
        let (mut opened, mut closed) = (false, false);
        let mut resolved: Option<(Micros, About)> = None;
        for fact in by_now {
            let at = fact.occurred_at;
            let about = |agent: Said, oracle: &Self| About {
                agent,
                team: oracle.team(agent, at),
                queue: queue.flatten(),
                ..About::default()
            };
            match &fact.event {
                Event::TicketOpened { agent, .. } if !opened => {
                    opened = true;
                    let about = about(agent.map(|agent| agent.0), self);
                    self.at(at, None, "opened", about, 1);
                }
                Event::TicketResolved { agent, .. } if resolved.is_none() => {
                    let about = about(agent.map(|agent| agent.0), self);
                    resolved = Some((at, about));
                    self.at(at, None, "resolved", about, 1);
                }
                Event::TicketReopened { .. } => {
                    if let Some((at, about)) = resolved.take() {
                        closed = false;
                        self.at(at, None, "reopened", about, 1);
                    }
                }
                Event::TicketClosed { agent, .. } if !closed => {
                    closed = true;
                    let about = about(agent.map(|agent| agent.0), self);
                    self.at(at, None, "closed", about, 1);
                }
                _ => {}
            }
        }
    }

    /// The contact that a ticket of a known customer was opened in.
    fn ticket_issue(&mut self, facts: &[Recorded], contacts: &[ContactStory]) -> Option<(Key, Said)> {
        let (opened_at, contact, customer, topic) = facts.iter().find_map(|fact| match &fact.event {
            Event::TicketOpened { contact, customer, topic, .. } => Some((
                fact.occurred_at,
                contact.map(|contact| contact.0),
                *customer,
                topic.map(|topic| topic.0),
            )),
            _ => None,
        })?;
        let contact = contact.filter(|_| opened_at <= self.as_of)?;
        let of_contact = contacts.iter().find(|other| other.id == contact).and_then(|other| other.customer);
        let customer = customer.map(|customer| customer.0).or(of_contact)?;
        let step = |wanted: &dyn Fn(&Event<Key>) -> bool, from: Micros| {
            let later =
                facts.iter().filter(|fact| fact.occurred_at >= from && fact.occurred_at <= self.as_of);
            later.clone().find(|fact| wanted(&fact.event)).map(|fact| fact.occurred_at)
        };
        let resolved = step(&|event| matches!(event, Event::TicketResolved { .. }), Micros(i64::MIN));
        let undone = resolved.and_then(|at| step(&|event| matches!(event, Event::TicketReopened { .. }), at));
        self.issue(contact, Some(customer), contacts, topic, &|_| resolved, undone);
        Some((contact, Some(customer)))
    }

    fn issue(
        &mut self,
        contact: Key,
        customer: Said,
        contacts: &[ContactStory],
        topic: Said,
        resolved: &dyn Fn(Micros) -> Option<Micros>,
        undone: Option<Micros>,
    ) {
        let mut own: Vec<&ContactStory> =
            contacts.iter().filter(|other| other.customer == customer).collect();
        own.sort_by_key(|other| other.started);
        let root =
            own.iter().find(|other| other.id == contact).and_then(|other| other.journey).unwrap_or(contact);
        let in_journey = |other: &ContactStory| other.id == root || other.journey == Some(root);
        let journey: Vec<_> = own.iter().filter(|other| in_journey(other) && !other.callback).collect();
        let Some(first) = journey.iter().find(|other| other.answered.is_some()) else { return };
        if journey.iter().any(|other| other.completed.is_none()) {
            return;
        }
        let until = journey.iter().filter_map(|other| other.completed).max().unwrap();
        let credited = first.credited;
        let topic = topic.or_else(|| journey.iter().find_map(|other| other.topic));
        self.at(until, None, "fcr_eligible", credited, 1);
        let Some(resolved) = resolved(until) else { return };
        let same = |other: Said| other.is_none() || topic.is_none() || other == topic;
        let repeated = own.iter().any(|other| {
            let again = other.answered.is_some_and(|at| at > resolved && at.0 <= resolved.0 + WEEK);
            other.from_customer && !in_journey(other) && same(other.topic) && again
        });
        let undone = undone.is_some_and(|at| at.0 <= resolved.0 + WEEK);
        let transferred = journey.iter().any(|other| other.transferred);
        let held = resolved <= until && !transferred && !repeated && !undone;
        self.at(until, None, "fcr_held", credited, i64::from(held));
        let is_final = !held || self.as_of.0 > resolved.0 + WEEK;
        self.at(until, None, "fcr_final", credited, i64::from(is_final));
    }
}
