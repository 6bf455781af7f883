//! New reference data for what is already folded: units that it touches are taken out and put back in.
//!
//! Most definitions come before the first fact that needs them and touch nothing. Invariant: afterwards everything is
//! as if the definition had been known from the beginning.

use pegcount_domain::{
    allowance::AllowanceDefinition,
    event::{Event, ReasonDefinition},
    ids::Key,
    time::Micros,
};

use crate::{
    agent::emit::Output,
    contact::ContactBody,
    fact::Slot,
    names::Id,
    site::Site,
    ticket::{TicketBody, TicketUnit},
};

/// What a definition touches.
#[derive(Default)]
pub(super) struct Touched {
    agents: Vec<Slot>,
    contacts: Vec<Slot>,
    tickets: Vec<Slot>,
    /// Days of agents.
    days: bool,
}

fn slots<T>(list: &[T], is_touched: impl Fn(&T) -> bool) -> Vec<Slot> {
    let numbered = (0u32..).map(Slot).zip(list);
    numbered.filter(|(_, unit)| is_touched(unit)).map(|(slot, _)| slot).collect()
}

impl Touched {
    pub(super) fn is_empty(&self) -> bool {
        self.agents.is_empty() && self.contacts.is_empty() && self.tickets.is_empty() && !self.days
    }
}

impl Site {
    /// The units that a definition touches.
    pub(super) fn touched_by(&self, event: &Event<Key>) -> Touched {
        let touched = match event {
            Event::QueueDefined(queue) => self.names.find(queue.queue.0).map(|id| self.touched_by_queue(id)),
            Event::AgentDefined(agent) => self.names.find(agent.agent.0).map(|id| self.touched_by_agent(id)),
            Event::AuthorityDefined(_) => {
                Some(Touched { agents: slots(&self.agents.list, |_| true), ..Touched::default() })
            }
            Event::SiteDefined(site) => Some(self.touched_days(site.valid_from)),
            Event::AllowanceDefined(allowance) => Some(self.touched_days(allowance.valid_from)),
            Event::ReasonDefined(reason) => Some(self.touched_days(reason.valid_from)),
            _ => None,
        };
        touched.unwrap_or_default()
    }

    fn touched_days(&self, from: Micros) -> Touched {
        Touched { days: self.has_days_after(from), ..Touched::default() }
    }

    pub(super) fn define(&mut self, event: &Event<Key>) {
        match event {
            Event::SiteDefined(_) => {
                return self.change_days(|site| {
                    site.reference.apply(event, &mut site.names);
                });
            }
            Event::AllowanceDefined(AllowanceDefinition { valid_from, .. })
            | Event::ReasonDefined(ReasonDefinition { valid_from, .. }) => {
                if self.reference.apply(event, &mut self.names) {
                    self.expire_days(*valid_from);
                }
                return;
            }
            _ => {}
        }
        let touched = self.touched_by(event);
        for agent in &touched.agents {
            let mut minus = Output::default();
            if let Some(unit) = self.agents.get(*agent) {
                unit.withdraw(&self.reference, &mut minus);
            }
            self.enter_agent(*agent, &minus, -1);
        }
        for contact in &touched.contacts {
            self.withdraw_contact(*contact);
        }
        for ticket in &touched.tickets {
            self.enter_ticket(*ticket, -1);
        }
        self.reference.apply(event, &mut self.names);
        for ticket in &touched.tickets {
            self.enter_ticket(*ticket, 1);
        }
        for agent in &touched.agents {
            let mut plus = Output::default();
            if let Some(unit) = self.agents.get_mut(*agent) {
                unit.restore(&self.reference, &mut plus);
            }
            self.enter_agent(*agent, &plus, 1);
        }
        for contact in &touched.contacts {
            self.settle_contact(*contact);
        }
    }

    fn touched_by_queue(&self, queue: Id) -> Touched {
        let enters = |fact: &crate::contact::ContactFact| match fact.body {
            ContactBody::Entered { queue: other, .. } => other == queue,
            _ => false,
        };
        Touched {
            agents: slots(&self.agents.list, |unit| unit.meets_queue(queue)),
            contacts: slots(&self.contacts.list, |unit| {
                unit.facts.iter().any(enters) || unit.legs.iter().any(|leg| leg.outcome.queue == queue)
            }),
            tickets: Vec::new(),
            days: false,
        }
    }

    fn touched_by_agent(&self, agent: Id) -> Touched {
        let by = |unit: &TicketUnit| {
            unit.facts.iter().any(|fact| match fact.body {
                TicketBody::Opened(opened) => opened.by.agent == agent,
                TicketBody::Resolved { by } | TicketBody::Closed { by } => by.agent == agent,
                TicketBody::Reopened => false,
            })
        };
        Touched {
            agents: slots(&self.agents.list, |unit| unit.id == agent && unit.has_clock),
            contacts: Vec::new(),
            tickets: slots(&self.tickets.list, by),
            days: false,
        }
    }
}
