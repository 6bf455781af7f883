//! What comes out of the core: facts of softphones and of the exchange, steps of tickets.
//!
//! Invariant: an emission carries the instant at which it happened; both reporters of a leg say the same instant.

use pegcount_client::{AgentFacts, ContactFacts, Fact};
use pegcount_domain::{
    event::LegStep,
    ids::{AgentId, ContactId},
    time::Micros,
};
use pegcount_proto::v1::{NewTicket, ticket_command_request::Command};

use super::{Centre, world::Leg};

/// Something that happened, for somebody to report.
#[derive(Clone, Debug, PartialEq)]
pub struct Emission {
    /// When.
    pub at: Micros,
    /// What.
    pub what: Emitted,
}

/// What is to be reported, and by whom.
#[derive(Clone, Debug, PartialEq)]
pub enum Emitted {
    /// By an agent's softphone.
    Softphone {
        /// The agent's place, from 0.
        agent: usize,
        /// What it saw.
        fact: Fact,
    },
    /// By the exchange.
    Exchange(Fact),
    /// By the ticket desk.
    Ticket(TicketStep),
}

/// A step of a ticket.
#[derive(Clone, Debug, PartialEq)]
pub struct TicketStep {
    /// The ticket.
    pub ticket: String,
    /// What it is about: tickets are merged with others of the same topic, so its steps are one sequence.
    pub topic: &'static str,
    /// Who does it.
    pub agent: AgentId,
    /// The command's id.
    pub command: u128,
    /// What is done.
    pub action: TicketAction,
}

/// What is done about a ticket.
#[derive(Clone, Debug, PartialEq)]
pub enum TicketAction {
    /// Opened.
    Open(Box<NewTicket>),
    /// One of the commands on one ticket.
    Do(Box<Command>),
    /// Goes on in another one.
    Merge {
        /// That one.
        into: String,
    },
}

impl Centre {
    pub(super) fn phone_says(&mut self, agent: usize, fact: impl FnOnce(&AgentFacts) -> Fact) {
        let Some(known) = self.agents.get(agent) else { return };
        let fact = fact(&AgentFacts(known.id.clone()));
        self.report.facts += 1;
        self.out.push(Emission { at: self.now, what: Emitted::Softphone { agent, fact } });
    }

    pub(super) fn exchange_says(&mut self, contact: u64, fact: impl FnOnce(&ContactFacts) -> Fact) {
        let id = self.contact_id(contact);
        let fact = fact(&ContactFacts(id));
        self.report.facts += 1;
        self.out.push(Emission { at: self.now, what: Emitted::Exchange(fact) });
    }

    pub(super) fn ticket_desk_says(
        &mut self,
        ticket: u64,
        agent: usize,
        topic: &'static str,
        action: TicketAction,
    ) {
        let Some(agent) = self.agents.get(agent).map(|agent| agent.id.clone()) else { return };
        let (ticket, command) = (self.ticket_id(ticket), self.dice.id());
        let step = TicketStep { ticket, topic, agent, command, action };
        self.out.push(Emission { at: self.now, what: Emitted::Ticket(step) });
    }

    /// Both the softphone and the exchange report a step of a leg.
    pub(super) fn both_say(&mut self, contact: u64, leg: usize, step: &LegStep) {
        let Some((agent, reference)) = self.leg(contact, leg).map(|leg| (leg.agent, leg.reference.clone()))
        else {
            return;
        };
        self.exchange_says(contact, |facts| facts.leg(&reference, step));
        self.phone_says(agent, |facts| facts.leg(&reference, step));
    }

    /// Only the softphone reports it.
    pub(super) fn phone_says_of_leg(&mut self, contact: u64, leg: usize, step: &LegStep) {
        let Some((agent, reference)) = self.leg(contact, leg).map(|leg| (leg.agent, leg.reference.clone()))
        else {
            return;
        };
        self.phone_says(agent, |facts| facts.leg(&reference, step));
    }

    pub(super) fn leg(&self, contact: u64, leg: usize) -> Option<&Leg> {
        self.contacts.get(&contact)?.legs.get(leg)
    }

    pub(super) fn leg_mut(&mut self, contact: u64, leg: usize) -> Option<&mut Leg> {
        self.contacts.get_mut(&contact)?.legs.get_mut(leg)
    }

    /// The id of the contact of this number: unique over runs that begin at different seconds.
    pub(super) fn contact_id(&self, contact: u64) -> ContactId {
        use pegcount_domain::ids::Name;

        let text = format!("c{:x}-{contact}", self.scenario.start.0 / Micros::SECOND.0);
        // A short text of letters and digits.
        ContactId(Name::new(&text).unwrap_or(Name::fixed("c")))
    }
}
