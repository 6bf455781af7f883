//! New reference data for what is already folded: units that it touches are taken out and put back in.
//!
//! Most definitions come before the first fact that needs them and touch nothing. One that touches more than the fold may
//! take at once is deferred, with all that follow it: the site then goes on by the older ones until a fold from the
//! beginning takes its place. Invariant: afterwards everything is as if the definition had been known from the beginning;
//! until then, as if it had not been made.

use pegcount_domain::{
    envelope::{Position, Recorded},
    event::{AgentDefinition, Event, QueueDefinition},
    ids::Key,
    time::Micros,
};

use crate::{
    agent::emit::Output,
    contact::{ContactBody, ContactUnit},
    fact::Slot,
    reference::Reference,
    site::Site,
    ticket::TicketUnit,
};

/// What a definition touches: units with anything from the instant on from which it is in force.
#[derive(Default)]
pub(super) struct Touched {
    from: Micros,
    agents: Vec<Slot>,
    contacts: Vec<Slot>,
    tickets: Vec<Slot>,
    /// How many facts all of them have.
    facts: usize,
    /// Agents' days are judged anew.
    days: bool,
}

impl Touched {
    pub(super) fn is_empty(&self) -> bool {
        self.agents.is_empty() && self.contacts.is_empty() && self.tickets.is_empty() && !self.days
    }
}

/// Looks for units until they have more facts than may be touched.
struct Search {
    facts: usize,
    limit: usize,
}

impl Search {
    fn contacts(
        &mut self,
        site: &Site,
        candidates: Vec<Slot>,
        facts: impl Fn(&ContactUnit) -> usize,
    ) -> Vec<Slot> {
        let mut found = Vec::new();
        for slot in candidates {
            if self.facts > self.limit {
                break;
            }
            let facts = site.contacts.get(slot).map_or(0, |unit| facts(&unit));
            if facts > 0 {
                found.push(slot);
                self.facts += facts;
            }
        }
        found
    }

    fn tickets(&mut self, site: &Site, facts: impl Fn(&TicketUnit) -> usize) -> Vec<Slot> {
        let mut found = Vec::new();
        for (slot, unit) in site.tickets.iter() {
            if self.facts > self.limit {
                break;
            }
            let facts = facts(&unit);
            if facts > 0 {
                found.push(slot);
                self.facts += facts;
            }
        }
        found
    }

    fn units<T>(&mut self, list: &[T], facts: impl Fn(&T) -> usize) -> Vec<Slot> {
        let mut found = Vec::new();
        for (slot, unit) in (0u32..).map(Slot).zip(list) {
            if self.facts > self.limit {
                break;
            }
            let facts = facts(unit);
            if facts > 0 {
                found.push(slot);
                self.facts += facts;
            }
        }
        found
    }
}

impl Site {
    /// The first definition that has been deferred.
    pub(crate) fn deferred_since(&self) -> Option<Position> {
        self.deferred_since
    }

    /// Whether a definition is left to a fold from the beginning.
    pub(super) fn defers(&mut self, recorded: &Recorded) -> bool {
        if self.deferred_since.is_none() {
            let touches_little = self.touch_limit == usize::MAX
                || self.touched_within(&recorded.event, self.touch_limit).facts <= self.touch_limit;
            if touches_little {
                return false;
            }
            self.deferred_since = Some(recorded.position);
        }
        true
    }

    /// The units that a definition touches.
    pub(super) fn touched_by(&self, event: &Event<Key>) -> Touched {
        self.touched_within(event, usize::MAX)
    }

    fn touched_within(&self, event: &Event<Key>, limit: usize) -> Touched {
        let mut search = Search { facts: 0, limit };
        let mut days = false;
        let (from, agents, contacts, tickets) = match event {
            Event::QueueDefined(queue) if queue.valid_from <= self.last_seen => {
                let (agents, contacts) = self.touched_by_queue(queue, &mut search);
                (queue.valid_from, agents, contacts, Vec::new())
            }
            // A clock that runs comes to it though nothing has happened since.
            Event::AgentDefined(agent) => {
                let (agents, tickets) = self.touched_by_agent(agent, &mut search);
                (agent.valid_from, agents, Vec::new(), tickets)
            }
            Event::FormulaDefined(formula) if formula.valid_from <= self.last_seen => {
                let from = formula.valid_from;
                if self.reference.is_forced() || self.reference.law(from) == &(&**formula).into() {
                    return Touched::default();
                }
                let agents = search.units(&self.agents.list, |unit| unit.facts_since(from));
                let contacts = search.contacts(self, self.near.from(from), |unit| settled_since(unit, from));
                (from, agents, contacts, Vec::new())
            }
            Event::AuthorityDefined(authority) if authority.valid_from <= self.last_seen => {
                let from = authority.valid_from;
                let agents = search.units(&self.agents.list, |unit| unit.facts_since(from));
                (from, agents, Vec::new(), Vec::new())
            }
            Event::SiteDefined(site) => {
                days = self.has_months_after(site.valid_from);
                let tickets = self.touched_by_target_rules(event, &mut search);
                // No agent is folded otherwise, but all of them tell their days once more.
                if days {
                    search.units(&self.agents.list, |unit| unit.facts_since(Micros(i64::MIN)));
                }
                (site.valid_from, Vec::new(), Vec::new(), tickets)
            }
            event if Reference::reckons_targets_from(event).is_some() => {
                let from = Reference::reckons_targets_from(event).unwrap_or_default();
                (from, Vec::new(), Vec::new(), self.touched_by_target_rules(event, &mut search))
            }
            event => {
                let Some(from) = self.reference.judges_days_from(event) else { return Touched::default() };
                days = self.has_days_after(from);
                search.facts += self.days_after(from);
                (from, Vec::new(), Vec::new(), Vec::new())
            }
        };
        Touched { from, agents, contacts, tickets, facts: search.facts, days }
    }

    pub(super) fn define(&mut self, event: &Event<Key>) {
        // Open units are folded by it from now on, whether it touches anything settled or not.
        self.all_changed = true;
        if let Event::SiteDefined(_) = event {
            let touched = self.touched_by(event);
            self.enter_tickets(&touched, -1);
            self.change_days(|site| {
                site.reference.apply(event, &mut site.names);
            });
            return self.enter_tickets(&touched, 1);
        }
        if let Some(from) = self.reference.judges_days_from(event) {
            if self.reference.apply(event, &mut self.names) {
                self.expire_days(from, None);
            }
            return;
        }
        let touched = self.touched_by(event);
        for agent in &touched.agents {
            let mut minus = Output::default();
            if let Some(unit) = self.agents.get(*agent) {
                unit.withdraw(&self.reference, touched.from, &mut minus);
            }
            self.enter_agent(*agent, &minus, -1);
        }
        for contact in &touched.contacts {
            self.withdraw_contact(*contact);
        }
        self.enter_tickets(&touched, -1);
        self.reference.apply(event, &mut self.names);
        if let Event::AgentDefined(agent) = event {
            // Of two teams with the same time the later one counts, even if nothing was done in it.
            let own = self.names.find(agent.agent.0);
            self.expire_days(agent.valid_from, own);
        }
        self.enter_tickets(&touched, 1);
        for agent in &touched.agents {
            let mut plus = Output::default();
            if let Some(unit) = self.agents.get_mut(*agent) {
                unit.restore(&self.reference, touched.from, &mut plus);
            }
            self.enter_agent(*agent, &plus, 1);
        }
        for contact in &touched.contacts {
            self.settle_contact(*contact);
        }
    }

    /// The tickets whose targets may be reckoned otherwise: those that owe anything, or owed it late enough.
    fn touched_by_target_rules(&self, event: &Event<Key>, search: &mut Search) -> Vec<Slot> {
        let Some(from) = Reference::reckons_targets_from(event) else { return Vec::new() };
        search.tickets(self, |unit| if unit.reach >= from { unit.facts.len() } else { 0 })
    }

    fn enter_tickets(&mut self, touched: &Touched, sign: i64) {
        for ticket in &touched.tickets {
            self.enter_ticket(*ticket, sign);
            self.tickets.rest_some();
        }
    }

    /// Thresholds are asked by visits, after-call rules by agents; what stays as it was touches nobody.
    fn touched_by_queue(
        &self,
        defined: &QueueDefinition<Key>,
        search: &mut Search,
    ) -> (Vec<Slot>, Vec<Slot>) {
        let from = defined.valid_from;
        let Some(queue) = self.names.find(defined.queue.0) else { return Default::default() };
        let before = self.reference.queue(queue, from);
        let nothing = QueueDefinition::default_for(defined.queue);
        let before = before.unwrap_or(&nothing);
        let work = |queue: &QueueDefinition<Key>| {
            (queue.after_call_end, queue.after_call_timer, queue.after_call_on_contact)
        };
        let limits = |queue: &QueueDefinition<Key>| (queue.threshold, queue.short, queue.rings);
        let mut found = (Vec::new(), Vec::new());
        if work(before) != work(defined) {
            found.0 = search.units(&self.agents.list, |unit| unit.meets_queue_since(queue, from));
        }
        if limits(before) != limits(defined) {
            let enters = |fact: &crate::contact::ContactFact| match fact.body {
                ContactBody::Entered { queue: other, .. } => other == queue,
                _ => false,
            };
            found.1 = search.contacts(self, self.near.from(from), |unit| {
                let facts = settled_since(unit, from);
                let meets = || {
                    unit.facts.iter().any(enters) || unit.legs.iter().any(|leg| leg.outcome.queue == queue)
                };
                if facts > 0 && meets() { facts } else { 0 }
            });
        }
        found
    }

    /// Figures ask an agent's team and slots.
    fn touched_by_agent(
        &self,
        defined: &AgentDefinition<Key>,
        search: &mut Search,
    ) -> (Vec<Slot>, Vec<Slot>) {
        let from = defined.valid_from;
        let Some(agent) = self.names.find(defined.agent.0) else { return Default::default() };
        let known = self.reference.definitions();
        let slots = known.chat_slots_at(&defined.agent, from);
        if known.team_at(&defined.agent, from) == defined.team && slots == defined.chat_slots.max(1) {
            return Default::default();
        }
        let by = |unit: &TicketUnit| {
            let is_own = unit.reach >= from && unit.facts.iter().any(|fact| fact.names(agent));
            if is_own { unit.facts.len() } else { 0 }
        };
        let is_own = |unit: &crate::agent::unit::AgentUnit| {
            let running = usize::from(unit.running_since().is_some());
            if unit.id == agent && unit.has_clock { unit.facts_since(from).max(running) } else { 0 }
        };
        (search.units(&self.agents.list, is_own), search.tickets(self, by))
    }
}

/// How many facts a contact has, if it stands in the books and anything of it counts from an instant on.
fn settled_since(unit: &ContactUnit, from: Micros) -> usize {
    let since = unit.settled.is_some_and(|settled| settled.last_effect >= from);
    if since { unit.facts.len().max(1) } else { 0 }
}
