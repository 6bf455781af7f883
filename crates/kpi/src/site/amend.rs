//! Annulled and amended facts: the fact leaves its unit; an amended one comes back as it really happened.
//!
//! Invariant: the amended fact keeps its identity (position, source, seq), so it can be amended again.

use pegcount_domain::{
    envelope::{Position, Recorded, StreamKind},
    event::Event,
    ids::Key,
    time::Micros,
};

use crate::{
    agent::revise::Change,
    anomaly::{Anomaly, AnomalyKind},
    fact::{AgentFact, Slot, Stamp},
    site::{Site, route::in_force},
};

impl Site {
    pub(super) fn annul(&mut self, recorded: &Recorded, target: u64) {
        if self.remove(recorded, Position(target)).is_none() {
            self.mark_unknown(recorded);
        }
    }

    pub(super) fn amend(&mut self, recorded: &Recorded, target: u64, at: Micros, event: &Event<Key>) {
        self.latest = self.latest.max(at);
        match self.remove(recorded, Position(target)) {
            Some(stamp) => self.route(recorded.stream, stamp.moved_to(in_force(event, at)), event),
            None => self.mark_unknown(recorded),
        }
    }

    fn mark_unknown(&mut self, recorded: &Recorded) {
        let mark = Anomaly { position: recorded.position, kind: AnomalyKind::TargetUnknown };
        self.books.mark(&[mark], 1);
    }

    /// Takes a fact of the stream out of its unit.
    fn remove(&mut self, recorded: &Recorded, target: Position) -> Option<Stamp> {
        let key = recorded.stream.id;
        match recorded.stream.kind {
            StreamKind::Agent => {
                let agent = self.agents.find(key)?;
                self.remove_from_agent(agent, target)
            }
            StreamKind::Contact => {
                let contact = self.contacts.find(key)?;
                self.remove_from_contact(contact, target)
            }
            StreamKind::Ticket => {
                let ticket = self.tickets.find(key)?;
                let unit = self.tickets.get(ticket)?;
                let stamp = unit.facts.iter().find(|fact| fact.stamp.position == target)?.stamp;
                drop(unit);
                self.change_ticket(ticket, |facts| facts.retain(|fact| fact.stamp.position != target));
                Some(stamp)
            }
            StreamKind::Definition | StreamKind::Quarantine | StreamKind::Customer => None,
        }
    }

    fn remove_from_contact(&mut self, contact: Slot, target: Position) -> Option<Stamp> {
        let unit = self.contacts.get(contact)?;
        if let Some(fact) = unit.facts.iter().find(|fact| fact.stamp.position == target).copied() {
            self.change_contact(contact, |facts| facts.retain(|fact| fact.stamp.position != target));
            return Some(fact.stamp);
        }
        let mut agents: Vec<Slot> = unit.legs.iter().map(|entry| entry.agent).collect();
        agents.dedup();
        agents.into_iter().find_map(|agent| self.remove_from_agent(agent, target))
    }

    fn remove_from_agent(&mut self, agent: Slot, target: Position) -> Option<Stamp> {
        let fact: AgentFact = self.agent_fact(agent, target)?;
        self.revise_agent(agent, Change::Remove(target));
        if let Some(leg) = fact.leg() {
            self.drop_leg_if_empty(agent, leg);
            if leg.names_agent {
                self.gather_leg(leg.contact, leg.leg);
            }
        }
        Some(fact.stamp)
    }
}
