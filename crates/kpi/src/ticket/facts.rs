//! What a ticket's unit keeps of an event: the event itself by small numbers, without what no figure asks.
//!
//! Invariant: a fact that is left out, or a field that is blanked, changes neither how the ticket stands nor what its targets come to.

use pegcount_domain::{
    ids::{AgentId, CategoryId, Key, QueueId, ReasonCode, TeamId, TicketId, TicketKind},
    ticketing::{EscalationCause, FieldValue, Opening, TicketEvent},
};
use serde::{Deserialize, Serialize};

use crate::{
    fact::{Mark, Slot, Stamp},
    names::{Id, Names},
};

/// What the opening said of its contact and customer; they are no dimensions, so they have no small numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Said {
    pub(crate) contact: Option<Slot>,
    /// The customer's line.
    pub(crate) customer: Option<Slot>,
    pub(crate) topic: Mark,
}

/// One fact of a ticket's unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TicketFact {
    pub(crate) stamp: Stamp,
    pub(crate) event: TicketEvent<Id>,
    /// With an opening.
    pub(crate) said: Option<Box<Said>>,
}

impl TicketFact {
    /// Whether it says that an agent received the ticket, answers for it or settled it.
    pub(crate) fn names(&self, agent: Id) -> bool {
        let named = match &self.event {
            TicketEvent::Opened(opening) => opening.receiver,
            TicketEvent::Accepted { owner } => Some(*owner),
            TicketEvent::Reassigned { owner, .. } => *owner,
            TicketEvent::Resolved { agent, .. } | TicketEvent::Closed { agent, .. } => *agent,
            _ => None,
        };
        named == Some(AgentId(agent))
    }

    /// Whether first-contact resolution asks for it.
    pub(crate) fn is_of_issue(&self) -> bool {
        let Self { event, .. } = self;
        matches!(event, TicketEvent::Opened(_) | TicketEvent::Resolved { .. } | TicketEvent::Reopened { .. })
    }
}

/// The event as figures keep it; none if no figure asks for it.
pub(crate) fn kept(event: &TicketEvent<Key>, names: &mut Names) -> Option<TicketEvent<Id>> {
    mapped(event, &mut |key: &Key| names.id(*key), &Id::NONE)
}

/// The same event with what `id` makes of its names, and `none` for what no figure asks.
pub(crate) fn mapped<A, B: Clone>(
    event: &TicketEvent<A>,
    id: &mut impl FnMut(&A) -> B,
    none: &B,
) -> Option<TicketEvent<B>> {
    let no_reason = || ReasonCode(none.clone());
    let named = |agent: &Option<AgentId<A>>, id: &mut dyn FnMut(&A) -> B| {
        agent.as_ref().map(|agent| AgentId(id(&agent.0)))
    };
    Some(match event {
        TicketEvent::Opened(opening) => TicketEvent::Opened(Box::new(opened(opening, id, none))),
        TicketEvent::Classified { set } => TicketEvent::Classified { set: fields(set, id, none) },
        TicketEvent::Edited { set } => TicketEvent::Edited { set: fields(set, id, none) },
        TicketEvent::Accepted { owner } => TicketEvent::Accepted { owner: AgentId(id(&owner.0)) },
        TicketEvent::Dispatched { group, .. } => {
            TicketEvent::Dispatched { group: group.as_ref().map(|group| TeamId(id(&group.0))), to: None }
        }
        TicketEvent::Arrived => TicketEvent::Arrived,
        TicketEvent::WorkStarted => TicketEvent::WorkStarted,
        TicketEvent::Held { .. } => TicketEvent::Held { reason: no_reason() },
        TicketEvent::Resumed => TicketEvent::Resumed,
        TicketEvent::Resolved { agent, .. } => {
            TicketEvent::Resolved { way: None, agent: named(agent, id), reason: None }
        }
        TicketEvent::Reopened { rework, .. } => {
            TicketEvent::Reopened { reason: None, rework: *rework, agent: None }
        }
        TicketEvent::Closed { agent, .. } => TicketEvent::Closed { agent: named(agent, id), reason: None },
        TicketEvent::Cancelled { .. } => {
            TicketEvent::Cancelled { reason: no_reason(), explanation: none.clone() }
        }
        TicketEvent::Merged { .. } => TicketEvent::Merged { into: TicketId(none.clone()) },
        TicketEvent::Escalated { level, cause, .. } => TicketEvent::Escalated {
            level: *level,
            to: none.clone(),
            skipped: Vec::new(),
            cause: match cause {
                EscalationCause::Asked(_) => EscalationCause::Asked(no_reason()),
                EscalationCause::Emergency(_) => EscalationCause::Emergency(no_reason()),
                EscalationCause::Repeated => EscalationCause::Repeated,
            },
        },
        TicketEvent::Reassigned { owner, group, .. } => TicketEvent::Reassigned {
            owner: named(owner, id),
            group: group.as_ref().map(|group| TeamId(id(&group.0))),
            reason: no_reason(),
        },
        TicketEvent::VisitStepped { step, .. } => {
            TicketEvent::VisitStepped { step: *step, appointment: None, slip: None }
        }
        TicketEvent::ApprovalAsked { .. } => TicketEvent::ApprovalAsked { approver: none.clone() },
        TicketEvent::ApprovalGiven { .. } => TicketEvent::ApprovalGiven { approver: none.clone() },
        TicketEvent::ApprovalRefused { .. } => {
            TicketEvent::ApprovalRefused { approver: none.clone(), reason: no_reason() }
        }
        TicketEvent::Informed { .. } => TicketEvent::Informed { contact: None },
        TicketEvent::Investigated => TicketEvent::Investigated,
        TicketEvent::Repeated { .. } => TicketEvent::Repeated { contact: None },
        TicketEvent::Promised { target, due, by } => {
            TicketEvent::Promised { target: *target, due: *due, by: *by }
        }
        TicketEvent::Confirmed { .. }
        | TicketEvent::Absorbed { .. }
        | TicketEvent::SkippedTold { .. }
        | TicketEvent::Linked { .. }
        | TicketEvent::Unlinked { .. }
        | TicketEvent::Noted { .. }
        | TicketEvent::Attached { .. }
        | TicketEvent::ArticleCited { .. }
        | TicketEvent::ContactAdded { .. }
        | TicketEvent::Alerted { .. } => return None,
    })
}

fn opened<A, B: Clone>(opening: &Opening<A>, id: &mut impl FnMut(&A) -> B, none: &B) -> Opening<B> {
    Opening {
        kind: TicketKind(id(&opening.kind.0)),
        receiver: opening.receiver.as_ref().map(|agent| AgentId(id(&agent.0))),
        group: opening.group.as_ref().map(|group| TeamId(id(&group.0))),
        contact: None,
        queue: opening.queue.as_ref().map(|queue| QueueId(id(&queue.0))),
        split_from: None,
        set: fields(&opening.set, id, none),
    }
}

/// What policies and dimensions ask for. That any field was told has a meaning too, so one stays where all others are blanked.
fn fields<A, B: Clone>(set: &[FieldValue<A>], id: &mut impl FnMut(&A) -> B, none: &B) -> Vec<FieldValue<B>> {
    let asked = set.iter().filter_map(|value| {
        Some(match value {
            FieldValue::Category(category) => FieldValue::Category(CategoryId(id(&category.0))),
            FieldValue::Severity(severity) => FieldValue::Severity(*severity),
            FieldValue::Urgency(urgency) => FieldValue::Urgency(*urgency),
            FieldValue::Validity(validity) => FieldValue::Validity(*validity),
            FieldValue::Tier(tier) => FieldValue::Tier(id(tier)),
            FieldValue::Region(region) => FieldValue::Region(id(region)),
            FieldValue::Channel(channel) => FieldValue::Channel(id(channel)),
            FieldValue::Topic(_)
            | FieldValue::Customer(_)
            | FieldValue::Place(_)
            | FieldValue::Attribute { .. } => return None,
        })
    });
    let mut asked: Vec<FieldValue<B>> = asked.collect();
    if asked.is_empty() && !set.is_empty() {
        asked.push(FieldValue::Place(none.clone()));
    }
    asked.shrink_to_fit();
    asked
}
