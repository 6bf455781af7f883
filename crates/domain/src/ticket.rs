//! Tickets, thin: opened, resolved, reopened, closed. The ticket's deadlines, approvals and owners come later.
//!
//! Decided, not observed: a step that the state does not allow is refused before it is stored. What a replay finds in
//! the log all the same is applied as it stands.
//!
//! Invariant: `reopened` counts the times that a resolution was undone; a ticket never resolved has no `resolved_at`.

use serde::{Deserialize, Serialize};

use crate::{
    event::Event,
    ids::{AgentId, CategoryId, ContactId, CustomerId, Name, QueueId, ReasonCode, TicketKind, TopicId},
    time::Micros,
};

/// Where a ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TicketStatus {
    /// Somebody has to act.
    Open,
    /// The matter is settled.
    Resolved,
    /// Settled and put away.
    Closed,
}

impl TicketStatus {
    /// In lower case.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }
}

/// One ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketState<N = Name> {
    /// Where it stands.
    pub status: TicketStatus,
    /// The contact that opened it.
    pub contact: Option<ContactId<N>>,
    /// The customer's surrogate.
    pub customer: Option<CustomerId<N>>,
    /// Its kind.
    pub kind: TicketKind<N>,
    /// Its category.
    pub category: Option<CategoryId<N>>,
    /// Its topic.
    pub topic: Option<TopicId<N>>,
    /// Who took it.
    pub agent: Option<AgentId<N>>,
    /// The queue of its contact.
    pub queue: Option<QueueId<N>>,
    /// Who resolved it last.
    pub resolved_by: Option<AgentId<N>>,
    /// Opened.
    pub opened_at: Micros,
    /// Last resolved.
    pub resolved_at: Option<Micros>,
    /// Closed, while it is.
    pub closed_at: Option<Micros>,
    /// How often it was opened again.
    pub reopened: u32,
}

/// Why a step was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketRefusal {
    /// Only an open ticket can be resolved.
    #[error("the ticket is {0}; only an open one can be resolved: reopen it first")]
    NotOpen(&'static str),
    /// Only a settled ticket can be reopened.
    #[error("the ticket is open already; there is nothing to reopen")]
    OpenAlready,
    /// A ticket is reopened for a reason.
    #[error("reopening needs a reason; give its code")]
    ReasonMissing,
    /// Only a resolved ticket can be closed.
    #[error("the ticket is {0}; only a resolved one can be closed: resolve it first")]
    NotResolved(&'static str),
}

/// A step that somebody asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketStep {
    /// Mark it resolved.
    Resolve,
    /// Open it again.
    Reopen,
    /// Put it away.
    Close,
}

impl<N: Clone + Eq> TicketState<N> {
    /// The ticket that `event` opens at `at`; none for any other event.
    pub fn opened(event: &Event<N>, at: Micros) -> Option<Self> {
        let Event::TicketOpened { contact, customer, kind, category, topic, agent, queue } = event else {
            return None;
        };
        Some(Self {
            status: TicketStatus::Open,
            contact: contact.clone(),
            customer: customer.clone(),
            kind: kind.clone(),
            category: category.clone(),
            topic: topic.clone(),
            agent: agent.clone(),
            queue: queue.clone(),
            resolved_by: None,
            opened_at: at,
            resolved_at: None,
            closed_at: None,
            reopened: 0,
        })
    }

    /// Takes a later event in; others change nothing.
    pub fn apply(&mut self, event: &Event<N>, at: Micros) {
        match event {
            Event::TicketResolved { agent, .. } => {
                self.status = TicketStatus::Resolved;
                self.resolved_by.clone_from(agent);
                self.resolved_at = Some(at);
            }
            Event::TicketReopened { .. } => {
                self.reopened += u32::from(self.status != TicketStatus::Open);
                self.status = TicketStatus::Open;
                self.closed_at = None;
            }
            Event::TicketClosed { .. } => {
                self.status = TicketStatus::Closed;
                self.closed_at = Some(at);
            }
            _ => {}
        }
    }

    /// Decides a step; gives the event to append.
    pub fn decide(
        &self,
        step: TicketStep,
        agent: Option<AgentId<N>>,
        reason: Option<ReasonCode<N>>,
    ) -> Result<Event<N>, TicketRefusal> {
        let status = self.status;
        match step {
            TicketStep::Resolve if status == TicketStatus::Open => {
                Ok(Event::TicketResolved { agent, reason })
            }
            TicketStep::Resolve => Err(TicketRefusal::NotOpen(status.word())),
            TicketStep::Reopen if status == TicketStatus::Open => Err(TicketRefusal::OpenAlready),
            TicketStep::Reopen if reason.is_none() => Err(TicketRefusal::ReasonMissing),
            TicketStep::Reopen => Ok(Event::TicketReopened { agent, reason }),
            TicketStep::Close if status == TicketStatus::Resolved => {
                Ok(Event::TicketClosed { agent, reason })
            }
            TicketStep::Close => Err(TicketRefusal::NotResolved(status.word())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened() -> TicketState<&'static str> {
        let event = Event::TicketOpened {
            contact: None,
            customer: None,
            kind: TicketKind("repair"),
            category: None,
            topic: None,
            agent: Some(AgentId("7")),
            queue: None,
        };
        TicketState::opened(&event, Micros(1)).unwrap()
    }

    fn after(steps: &[TicketStep]) -> TicketState<&'static str> {
        let mut ticket = opened();
        for (step, at) in steps.iter().zip(2..) {
            let event = ticket.decide(*step, Some(AgentId("8")), Some(ReasonCode("again"))).unwrap();
            ticket.apply(&event, Micros(at));
        }
        ticket
    }

    #[test]
    fn a_ticket_is_resolved_then_closed_and_may_come_back() {
        use TicketStep::{Close, Reopen, Resolve};
        assert_eq!(after(&[Resolve]).resolved_by, Some(AgentId("8")));
        assert_eq!(after(&[Resolve, Close]).closed_at, Some(Micros(3)));
        let back = after(&[Resolve, Close, Reopen]);
        assert_eq!((back.status, back.reopened, back.closed_at), (TicketStatus::Open, 1, None));
        assert_eq!(back.resolved_at, Some(Micros(2)), "that it was resolved once is not forgotten");
    }

    #[test]
    fn a_step_that_the_state_does_not_allow_is_refused_with_the_way_out() {
        use TicketStep::{Close, Reopen, Resolve};
        let refused = |ticket: TicketState<_>, step, reason| ticket.decide(step, None, reason).unwrap_err();
        assert_eq!(refused(opened(), Close, None), TicketRefusal::NotResolved("open"));
        assert_eq!(refused(opened(), Reopen, Some(ReasonCode("x"))), TicketRefusal::OpenAlready);
        assert_eq!(refused(after(&[Resolve]), Resolve, None), TicketRefusal::NotOpen("resolved"));
        assert_eq!(refused(after(&[Resolve]), Reopen, None), TicketRefusal::ReasonMissing);
    }
}
