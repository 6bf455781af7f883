//! Facts into agents' units, and what their folds give into the books and the contacts.
//!
//! Invariant: before a leg's outcome changes, its contact is taken out of the books, and put back by the new one.

use pegcount_domain::envelope::Position;

use crate::{
    agent::{emit::Output, revise::Change, unit::AgentUnit},
    contact::{LegEntry, LegOutcome},
    fact::{AgentFact, LegFact, Mark, Slot},
    names::Id,
    site::Site,
};

impl Site {
    /// A fact of an agent that is about no leg.
    pub(super) fn add_agent_fact(&mut self, agent: Slot, fact: AgentFact) {
        let Some(unit) = self.agents.get_mut(agent) else { return };
        if !unit.is_next(fact.stamp) {
            self.revise_agent(agent, Change::Insert(fact, fact.stamp.at));
            return;
        }
        unit.push(fact);
        self.fold_agent(agent);
    }

    /// A fact of a leg. A leg that lies before its agent's last quiet point is taken up again.
    pub(super) fn add_leg_fact(&mut self, agent: Slot, leg: LegFact, fact: AgentFact) {
        let at = fact.stamp.at;
        let Some(contact) = self.contacts.get_mut(leg.contact) else { return };
        let was_settled = contact.settled.is_some();
        let reopened = if let Some(entry) = contact.leg(leg.leg, agent) {
            entry.first_at = entry.first_at.min(at);
            entry.settled.then_some(entry.first_at)
        } else {
            let (outcome, settled) = (LegOutcome::default(), false);
            contact.legs.push(LegEntry { leg: leg.leg, agent, first_at: at, settled, outcome });
            None
        };
        if was_settled {
            self.withdraw_contact(leg.contact);
        }
        self.open.insert(leg.contact);
        let Some(unit) = self.agents.get_mut(agent) else { return };
        let next = unit.is_next(fact.stamp);
        let open_since = unit.open_since();
        if next && reopened.is_none() {
            unit.push(fact);
            self.fold_agent(agent);
            self.touch_from(open_since.unwrap_or(at), at);
        } else {
            let from = reopened.unwrap_or(at).min(at);
            self.touch_from(from, at);
            self.revise_agent(agent, Change::Insert(fact, from));
        }
        self.settle_contact(leg.contact);
    }

    /// The unit of a contact's legs that nobody is known to have handled.
    pub(super) fn nobody(&mut self, contact: Slot) -> Slot {
        if let Some(nobody) = self.contacts.get(contact).and_then(|unit| unit.nobody) {
            return nobody;
        }
        let slot = self.agents.push(AgentUnit::new(Id::NONE, false));
        if let Some(unit) = self.contacts.get_mut(contact) {
            unit.nobody = Some(slot);
        }
        slot
    }

    /// Somebody is named for a leg that was nobody's: its facts move over.
    pub(super) fn nobody_becomes(&mut self, contact: Slot, leg: Mark, agent: Slot) {
        let Some(unit) = self.contacts.get_mut(contact) else { return };
        let Some(nobody) = unit.nobody else { return };
        if unit.leg(leg, nobody).is_none() {
            return;
        }
        self.withdraw_contact(contact);
        let facts = self.agents.get(nobody).map(|unit| unit.facts_of(leg)).unwrap_or_default();
        for fact in &facts {
            self.revise_agent(nobody, Change::Remove(fact.stamp.position));
        }
        self.forget_leg(contact, leg, nobody);
        for fact in facts {
            if let Some(leg) = fact.leg() {
                self.add_leg_fact(agent, *leg, fact);
            }
        }
    }

    /// A leg of which no fact is left.
    pub(super) fn forget_leg(&mut self, contact: Slot, leg: Mark, agent: Slot) {
        if let Some(unit) = self.contacts.get_mut(contact) {
            unit.legs.retain(|entry| entry.leg != leg || entry.agent != agent);
        }
    }

    fn fold_agent(&mut self, agent: Slot) {
        let Some(unit) = self.agents.get_mut(agent) else { return };
        if !unit.wants_fold() {
            return;
        }
        let mut plus = std::mem::take(&mut self.scratch.plus);
        plus.clear();
        if unit.settle(&self.reference, &mut plus) {
            self.enter_agent(&plus, 1);
        }
        self.scratch.plus = plus;
    }

    /// Changes an agent's past. False if there was nothing to remove.
    pub(super) fn revise_agent(&mut self, agent: Slot, change: Change) -> bool {
        let Some(unit) = self.agents.get_mut(agent) else { return false };
        let (mut minus, mut plus) = (Output::default(), Output::default());
        let found = unit.revise(change, &self.reference, &mut minus, &mut plus);
        self.enter_agent(&minus, -1);
        self.enter_agent(&plus, 1);
        found
    }

    /// Takes away or adds what folds of an agent gave.
    pub(super) fn enter_agent(&mut self, output: &Output, sign: i64) {
        self.books.enter(&output.contributions, sign, self.position);
        self.books.mark(&output.anomalies, sign);
        for told in &output.outcomes {
            if sign < 0 {
                self.withdraw_contact(told.contact);
            }
            let agents = &self.agents;
            let is_it = |entry: &&mut LegEntry| {
                entry.leg == told.leg
                    && agents.get(entry.agent).is_some_and(|unit| unit.id == told.outcome.agent)
            };
            let Some(contact) = self.contacts.list.get_mut(told.contact.index()) else { continue };
            if let Some(entry) = contact.legs.iter_mut().find(is_it) {
                entry.settled = sign > 0;
                entry.outcome = if sign > 0 { told.outcome } else { LegOutcome::default() };
            }
        }
        for told in output.outcomes.iter().filter(|_| sign > 0) {
            self.settle_contact(told.contact);
        }
    }

    /// The fact at a position of an agent's history.
    pub(super) fn agent_fact(&self, agent: Slot, position: Position) -> Option<AgentFact> {
        self.agents.get(agent)?.fact_at(position)
    }
}
