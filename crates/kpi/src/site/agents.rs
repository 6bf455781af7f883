//! Facts into agents' units, and what their folds give into the books and the contacts.
//!
//! Invariant: before a leg's outcome changes, its contact is taken out of the books, and put back by the new one.

use pegcount_domain::envelope::Position;
use smallvec::SmallVec;

use crate::{
    agent::{emit::Output, revise::Change, unit::AgentUnit},
    contact::{ContactUnit, LegEntry, LegOutcome},
    fact::{AgentFact, LegFact, Mark, Slot},
    site::Site,
};

/// Where the facts of one leg lie: in one unit, unless two agents are named.
type Entries = SmallVec<[LegEntry; 2]>;

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
        let open = &mut self.open;
        let was_settled = contact.settled.is_some();
        let reopened = if let Some(entry) = contact.leg(leg.leg, agent) {
            let is_gone = entry.settled && entry.first_at < self.closed_before;
            if is_gone
                && self
                    .agents
                    .get(agent)
                    .is_some_and(|unit| unit.facts_of(leg.leg, entry.first_at).is_empty())
            {
                return self.mark_closed(fact.stamp.position);
            }
            entry.first_at = entry.first_at.min(at);
            entry.settled.then_some(entry.first_at)
        } else {
            let who = self.agents.list.get(agent.index()).map_or(Mark::NONE, |unit| unit.mark);
            contact.add_leg(LegEntry::new(leg.leg, agent, who, at));
            None
        };
        if was_settled {
            self.withdraw_contact(leg.contact);
        } else {
            contact.list_open(leg.contact, open);
        }
        let Some(unit) = self.agents.get_mut(agent) else { return };
        let next = unit.is_next(fact.stamp);
        let open_since = unit.open_since();
        if next && reopened.is_none() {
            unit.push(fact);
            self.fold_agent(agent);
            self.books.touch_span(open_since.unwrap_or(at), at, self.position);
        } else {
            let from = reopened.unwrap_or(at).min(at);
            self.books.touch_span(from, at, self.position);
            self.revise_agent(agent, Change::Insert(fact, from));
        }
        self.settle_contact(leg.contact);
    }

    /// A fact of a leg that comes after all others of its agent, some of the leg's among those that wait to be folded. The
    /// contact has the leg, unsettled, and an earlier fact of it; so it need not be looked at, which saves most facts of
    /// legs the search for it and three lines of cache.
    pub(super) fn add_further_leg_fact(&mut self, agent: Slot, contact: Slot, fact: AgentFact) {
        self.contacts.touch(contact);
        let Some(unit) = self.agents.get_mut(agent) else { return };
        let open_since = unit.open_since();
        unit.push(fact);
        self.fold_agent(agent);
        self.books.touch_span(open_since.unwrap_or(fact.stamp.at), fact.stamp.at, self.position);
    }

    /// The unit of a contact's legs that nobody is known to have handled.
    pub(super) fn nobody(&mut self, contact: Slot) -> Slot {
        if let Some(nobody) = self.contacts.get(contact).and_then(|unit| unit.nobody) {
            return nobody;
        }
        let slot = self.agents.push(AgentUnit::nobody());
        if let Some(unit) = self.contacts.get_mut(contact) {
            unit.nobody = Some(slot);
        }
        slot
    }

    /// The unit that a leg's facts belong to which say no agent: the agent whom the leg's earliest fact names that
    /// names one, or nobody.
    pub(super) fn home_of_leg(&mut self, contact: Slot, leg: Mark) -> Slot {
        let entries = self.entries_of(contact, leg);
        match entries.as_slice() {
            [] => self.nobody(contact),
            [only] => only.agent,
            several => self.named_first(several).unwrap_or_else(|| self.nobody(contact)),
        }
    }

    /// Whether a leg's facts lie in several units.
    pub(super) fn is_scattered(&self, contact: Slot, leg: Mark) -> bool {
        self.contacts.get(contact).is_some_and(|unit| {
            unit.legs.len() > 1 && unit.legs.iter().filter(|entry| entry.leg == leg).nth(1).is_some()
        })
    }

    /// What is known of a leg's agent has changed: its facts that say no agent move to where they belong now.
    pub(super) fn gather_leg(&mut self, contact: Slot, leg: Mark) {
        let entries = self.entries_of(contact, leg);
        let is_nobodys = |entry: &LegEntry| self.agents.get(entry.agent).is_some_and(|unit| !unit.has_clock);
        let settled = match entries.as_slice() {
            [] => true,
            [only] => is_nobodys(only) || self.named_first(&[*only]).is_some(),
            _ => false,
        };
        if settled {
            return;
        }
        self.withdraw_contact(contact);
        let home = self.named_first(&entries).unwrap_or_else(|| self.nobody(contact));
        for entry in entries.iter().filter(|entry| entry.agent != home) {
            self.move_unnamed(contact, entry, home);
        }
        self.settle_contact(contact);
    }

    fn entries_of(&self, contact: Slot, leg: Mark) -> Entries {
        let own = |unit: &ContactUnit| unit.legs.iter().filter(|entry| entry.leg == leg).copied().collect();
        self.contacts.get(contact).map(|unit| own(&unit)).unwrap_or_default()
    }

    pub(super) fn facts_of(&self, entry: &LegEntry) -> Vec<AgentFact> {
        self.agents.get(entry.agent).map(|unit| unit.facts_of(entry.leg, entry.first_at)).unwrap_or_default()
    }

    fn named_first(&self, entries: &[LegEntry]) -> Option<Slot> {
        let names = |fact: &AgentFact| fact.leg().is_some_and(|leg| leg.names_agent);
        let first = |entry: &LegEntry| {
            let stamps = self.facts_of(entry).into_iter().filter(names).map(|fact| fact.stamp);
            stamps.min().map(|stamp| (stamp, entry.agent))
        };
        entries.iter().filter_map(first).min().map(|(_, agent)| agent)
    }

    fn move_unnamed(&mut self, contact: Slot, entry: &LegEntry, home: Slot) {
        let facts = self.facts_of(entry);
        let (stay, go): (Vec<_>, Vec<_>) =
            facts.into_iter().partition(|fact| fact.leg().is_some_and(|leg| leg.names_agent));
        for fact in &go {
            self.revise_agent(entry.agent, Change::Remove(fact.stamp.position));
        }
        if stay.is_empty() {
            self.forget_leg(contact, entry.leg, entry.agent);
        }
        for fact in go {
            if let Some(leg) = fact.leg() {
                self.add_leg_fact(home, *leg, fact);
            }
        }
    }

    /// A fact of a leg has been removed.
    pub(super) fn drop_leg_if_empty(&mut self, agent: Slot, leg: &LegFact) {
        let entries = self.entries_of(leg.contact, leg.leg);
        let entry = entries.iter().find(|entry| entry.agent == agent);
        if entry.is_some_and(|entry| self.facts_of(entry).is_empty()) {
            self.withdraw_contact(leg.contact);
            self.forget_leg(leg.contact, leg.leg, agent);
            self.settle_contact(leg.contact);
        }
    }

    fn forget_leg(&mut self, contact: Slot, leg: Mark, agent: Slot) {
        if let Some(unit) = self.contacts.get_mut(contact) {
            unit.legs.retain(|entry| entry.leg != leg || entry.agent != agent);
        }
    }

    fn fold_agent(&mut self, agent: Slot) {
        let Some(unit) = self.agents.get_mut(agent) else { return };
        if unit.wants_fold() {
            self.settle_agent(agent);
        }
    }

    /// Folds an agent's facts up to a quiet point, if that is one, into the books.
    pub(super) fn settle_agent(&mut self, agent: Slot) {
        let Some(unit) = self.agents.get_mut(agent) else { return };
        let mut plus = std::mem::take(&mut self.scratch.plus);
        plus.clear();
        if unit.settle(&self.reference, &mut plus) {
            self.enter_agent(agent, &plus, 1);
        }
        self.scratch.plus = plus;
    }

    /// Changes an agent's past. False if there was nothing to remove.
    pub(super) fn revise_agent(&mut self, agent: Slot, change: Change) -> bool {
        let Some(unit) = self.agents.get_mut(agent) else { return false };
        let (mut minus, mut plus) = (Output::default(), Output::default());
        let running = unit.running_since();
        let found = unit.revise(change, &self.reference, &mut minus, &mut plus);
        let running = running.into_iter().chain(unit.running_since()).min();
        if let Some(since) = running {
            self.books.touch_span(since, self.books.matured_to, self.position);
        }
        self.enter_agent(agent, &minus, -1);
        self.enter_agent(agent, &plus, 1);
        found
    }

    /// Takes away or adds what folds of an agent gave.
    pub(super) fn enter_agent(&mut self, agent: Slot, output: &Output, sign: i64) {
        self.enter_pieces(agent, &output.pieces.list, sign);
        self.books.enter_standings(&output.standings, sign);
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
            let Some(contact) = self.contacts.get_mut(told.contact) else { continue };
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
