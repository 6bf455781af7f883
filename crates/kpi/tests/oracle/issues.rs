//! First-contact resolution: an issue is a journey with a ticket, or one that has none (KPIS.md §5).
//!
//! Invariant: our own call-backs are no part of a journey's handling and never count as coming again.

use std::collections::{BTreeMap, BTreeSet};

use pegcount_domain::{
    formula::{Identity, Repeats, TransferRule},
    ids::Key,
    time::Micros,
};

use super::{About, Oracle, Said, Why, contacts::ContactStory, half};

/// One customer's contacts with one root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Journey {
    pub customer: Key,
    pub root: Key,
}

impl Journey {
    fn has(self, contact: &ContactStory) -> bool {
        contact.customer == Some(self.customer) && contact.root == self.root
    }

    /// Its contacts without our call-backs, in the order in which they started.
    fn parts(self, contacts: &[ContactStory]) -> Vec<&ContactStory> {
        let mut parts: Vec<_> =
            contacts.iter().filter(|contact| self.has(contact) && !contact.callback).collect();
        parts.sort_by_key(|contact| (contact.started, half(contact.id)));
        parts
    }
}

/// What is to be resolved.
pub struct Issue<'a> {
    pub journey: Journey,
    pub topic: Said,
    /// When it was resolved, given the end of the journey's handling.
    pub resolved: &'a dyn Fn(Micros) -> Option<Micros>,
    pub undone: Option<Micros>,
}

impl Oracle {
    /// Journeys in which nobody opened a ticket.
    pub fn ticketless(&mut self, contacts: &[ContactStory], with_ticket: &BTreeSet<Key>) {
        let mut journeys: BTreeMap<Journey, bool> = BTreeMap::new();
        for contact in contacts {
            if let Some(customer) = contact.customer {
                let ticket = journeys.entry(Journey { customer, root: contact.root }).or_default();
                *ticket |= with_ticket.contains(&contact.id) || with_ticket.contains(&contact.root);
            }
        }
        for (journey, ticket) in journeys {
            let parts = journey.parts(contacts);
            let last = parts.iter().flat_map(|part| &part.resolved).max();
            let begun = parts.first().is_some_and(|first| first.from_customer);
            if let (Some((_, resolved)), false, true) = (last, ticket, begun) {
                let at = |until| resolved.then_some(until);
                self.issue(&Issue { journey, topic: None, resolved: &at, undone: None }, contacts);
            }
        }
    }

    pub fn issue(&mut self, issue: &Issue, contacts: &[ContactStory]) {
        let journey = issue.journey;
        let parts = journey.parts(contacts);
        let Some(first) = parts.iter().find(|part| part.answered.is_some()) else { return };
        if parts.iter().any(|part| part.completed.is_none()) {
            return;
        }
        let until = parts.iter().filter_map(|part| part.completed).max().unwrap();
        let credited = first.credited;
        let rules = self.formula(first.started).rules;
        let week = rules.fcr_window.0;
        let topic = issue.topic.or_else(|| parts.iter().find_map(|part| part.topic));
        self.at(until, None, "fcr_eligible", credited, 1);
        let Some(resolved) = (issue.resolved)(until) else { return };
        let same = |other: Said| {
            rules.fcr_identity == Identity::Customer || other.is_none() || topic.is_none() || other == topic
        };
        let repeated = contacts.iter().any(|other| {
            let came = if rules.fcr_repeats == Repeats::Any { Some(other.started) } else { other.answered };
            let again = came.is_some_and(|at| at > resolved && at.0 <= resolved.0 + week);
            let own = other.customer == Some(journey.customer) && other.from_customer;
            own && !journey.has(other) && same(other.topic) && again
        });
        let undone = issue.undone.is_some_and(|at| at.0 <= resolved.0 + week);
        let fails = rules.fcr_transfer == TransferRule::Fails;
        let transferred = fails && parts.iter().any(|part| part.transferred);
        let causes = [
            (resolved > until, "later"),
            (transferred, "transferred"),
            (undone, "reopened"),
            (repeated, "repeated"),
        ];
        let cause = causes.into_iter().find(|(is_so, _)| *is_so).map(|(_, cause)| cause);
        if let Some(cause) = cause {
            self.at(until, None, "fcr_failed", About { why: Why::Word(cause), ..credited }, 1);
        }
        let held = cause.is_none();
        self.at(until, None, "fcr_held", credited, i64::from(held));
        let is_final = !held || self.as_of.0 > resolved.0 + week;
        self.at(until, None, "fcr_final", credited, i64::from(is_final));
    }
}
