//! What happened to tickets, as it is stored. Read again by `decode/tickets.rs`.
//!
//! Invariant: what is known of a ticket stands in `set` alone; the fields from before it was there are only read.

use pegcount_domain::{
    ids::Name,
    ticketing::{EscalationCause, FieldValue, Opening, TicketEvent, Way},
};

use crate::{
    encode::{Payload, put},
    names::NameList,
    stored,
};

/// The stored codes of an escalation's cause.
pub(crate) const ASKED: u32 = 1;
pub(crate) const EMERGENCY: u32 = 2;
pub(crate) const REPEATED: u32 = 3;

pub(crate) fn write_ticket(event: &TicketEvent, names: &mut NameList, payload: &mut Payload) {
    match event {
        TicketEvent::Opened(opening) => put(payload, &opening_message(opening, names)),
        TicketEvent::Classified { set } | TicketEvent::Edited { set } => {
            put(payload, &stored::TicketFields { set: set_message(set, names) });
        }
        TicketEvent::Arrived
        | TicketEvent::WorkStarted
        | TicketEvent::Resumed
        | TicketEvent::Investigated => {}
        TicketEvent::Held { .. }
        | TicketEvent::Resolved { .. }
        | TicketEvent::Reopened { .. }
        | TicketEvent::Closed { .. } => put(payload, &step_message(event, names)),
        TicketEvent::Accepted { .. } | TicketEvent::Dispatched { .. } | TicketEvent::Reassigned { .. } => {
            put(payload, &given_message(event, names));
        }
        TicketEvent::Confirmed { .. } | TicketEvent::Cancelled { .. } | TicketEvent::Noted { .. } => {
            put(payload, &said_message(event, names));
        }
        TicketEvent::Merged { into: other }
        | TicketEvent::Absorbed { other }
        | TicketEvent::Unlinked { other } => {
            put(payload, &stored::TicketTied { name_ticket: names.ordinal(&other.0), how: 0 });
        }
        TicketEvent::Linked { other, how } => {
            let name_ticket = names.ordinal(&other.0);
            put(payload, &stored::TicketTied { name_ticket, how: how.code().into() });
        }
        TicketEvent::Escalated { .. } | TicketEvent::SkippedTold { .. } => {
            put(payload, &escalated_message(event, names));
        }
        TicketEvent::ContactAdded { contact } => {
            put(payload, &stored::TicketContact { name_contact: names.ordinal(&contact.0) });
        }
        TicketEvent::Informed { contact } | TicketEvent::Repeated { contact } => {
            let name_contact = names.optional(contact.as_ref().map(|id| &id.0));
            put(payload, &stored::TicketContact { name_contact });
        }
        TicketEvent::ApprovalAsked { .. }
        | TicketEvent::ApprovalGiven { .. }
        | TicketEvent::ApprovalRefused { .. } => put(payload, &approval_message(event, names)),
        _ => write_other(event, names, payload),
    }
}

fn write_other(event: &TicketEvent, names: &mut NameList, payload: &mut Payload) {
    match event {
        TicketEvent::Attached { kind, reference } => {
            let (name_kind, name_reference) = (names.ordinal(kind), names.ordinal(reference));
            put(payload, &stored::TicketAttached { name_kind, name_reference });
        }
        TicketEvent::ArticleCited { article, helped } => {
            let name_article = names.ordinal(article);
            put(payload, &stored::TicketCited { name_article, helped: said(*helped) });
        }
        TicketEvent::VisitStepped { step, appointment, slip } => {
            let message = stored::TicketVisit {
                step: step.code().into(),
                appointment_us: appointment.map(|at| at.0),
                name_slip: names.optional(slip.as_ref()),
            };
            put(payload, &message);
        }
        TicketEvent::Promised { target, due, by } => {
            let (target, by) = (target.code().into(), by.code().into());
            put(payload, &stored::TicketPromised { target, due_us: due.0, by });
        }
        TicketEvent::Alerted { target, round, permille, escalation } => {
            let (target, round, permille) = (target.code().into(), *round, *permille);
            put(payload, &stored::TicketAlerted { target, round, permille, escalation: *escalation });
        }
        _ => {}
    }
}

/// 0 nobody said, 1 no, 2 yes.
fn said(answer: Option<bool>) -> u32 {
    answer.map_or(0, |answer| 1 + u32::from(answer))
}

fn opening_message(opening: &Opening, names: &mut NameList) -> stored::TicketOpened {
    stored::TicketOpened {
        name_contact: names.optional(opening.contact.as_ref().map(|id| &id.0)),
        name_kind: names.ordinal(&opening.kind.0),
        name_agent: names.optional(opening.receiver.as_ref().map(|id| &id.0)),
        name_queue: names.optional(opening.queue.as_ref().map(|id| &id.0)),
        name_group: names.optional(opening.group.as_ref().map(|id| &id.0)),
        name_split_from: names.optional(opening.split_from.as_ref().map(|id| &id.0)),
        set: set_message(&opening.set, names),
        ..stored::TicketOpened::default()
    }
}

fn set_message(set: &[FieldValue], names: &mut NameList) -> Vec<stored::TicketField> {
    let mut by_name = |name: &Name| (names.ordinal(name), 0, 0);
    let mut messages = Vec::with_capacity(set.len());
    for value in set {
        let (name_value, code, name_attribute) = match value {
            FieldValue::Category(value) => by_name(&value.0),
            FieldValue::Topic(value) => by_name(&value.0),
            FieldValue::Customer(value) => by_name(&value.0),
            FieldValue::Tier(value)
            | FieldValue::Place(value)
            | FieldValue::Region(value)
            | FieldValue::Channel(value) => by_name(value),
            FieldValue::Severity(value) => (0, value.code().into(), 0),
            FieldValue::Urgency(value) => (0, value.code().into(), 0),
            FieldValue::Validity(value) => (0, value.code().into(), 0),
            FieldValue::Attribute { name, value } => (by_name(value).0, 0, by_name(name).0),
        };
        let field = value.field().code().into();
        messages.push(stored::TicketField { field, name_value, code, name_attribute });
    }
    messages
}

fn way_message(way: &Way, names: &mut NameList) -> stored::TicketWay {
    let mut message = stored::TicketWay { kind: way.kind().code().into(), ..stored::TicketWay::default() };
    match way {
        Way::Alone | Way::WithApproval => {}
        Way::WithOthers { groups } => {
            message.name_groups = groups.iter().map(|group| names.ordinal(&group.0)).collect();
        }
        Way::Declined { reason, alternative } => {
            message.name_reason = names.ordinal(&reason.0);
            message.name_alternative = names.ordinal(alternative);
        }
    }
    message
}

fn step_message(event: &TicketEvent, names: &mut NameList) -> stored::TicketStep {
    let mut message = stored::TicketStep::default();
    match event {
        TicketEvent::Resolved { agent, reason, .. }
        | TicketEvent::Reopened { agent, reason, .. }
        | TicketEvent::Closed { agent, reason } => {
            message.name_agent = names.optional(agent.as_ref().map(|id| &id.0));
            message.name_reason = names.optional(reason.as_ref().map(|id| &id.0));
        }
        TicketEvent::Held { reason } => message.name_reason = names.ordinal(&reason.0),
        _ => {}
    }
    match event {
        TicketEvent::Resolved { way, .. } => {
            message.way = way.as_ref().map(|way| way_message(way, names));
        }
        TicketEvent::Reopened { rework, .. } => message.rework = said(*rework),
        _ => {}
    }
    message
}

fn given_message(event: &TicketEvent, names: &mut NameList) -> stored::TicketGiven {
    let (agent, group, reason) = match event {
        TicketEvent::Accepted { owner } => (Some(owner), None, None),
        TicketEvent::Dispatched { group, to } => (to.as_ref(), group.as_ref(), None),
        TicketEvent::Reassigned { owner, group, reason } => (owner.as_ref(), group.as_ref(), Some(reason)),
        _ => (None, None, None),
    };
    stored::TicketGiven {
        name_agent: names.optional(agent.map(|id| &id.0)),
        name_group: names.optional(group.map(|id| &id.0)),
        name_reason: names.optional(reason.map(|id| &id.0)),
    }
}

fn said_message(event: &TicketEvent, names: &mut NameList) -> stored::TicketSaid {
    let mut message = stored::TicketSaid::default();
    match event {
        TicketEvent::Confirmed { proof } => message.name_text = names.optional(proof.as_ref()),
        TicketEvent::Cancelled { reason, explanation } => {
            message.name_text = names.ordinal(explanation);
            message.name_reason = names.ordinal(&reason.0);
        }
        TicketEvent::Noted { visibility, text } => {
            message.name_text = names.ordinal(text);
            message.visibility = visibility.code().into();
        }
        _ => {}
    }
    message
}

fn escalated_message(event: &TicketEvent, names: &mut NameList) -> stored::TicketEscalated {
    let mut message = stored::TicketEscalated::default();
    match event {
        TicketEvent::Escalated { level, to, skipped, cause } => {
            message.level = (*level).into();
            message.name_to = names.ordinal(to);
            message.name_skipped = skipped.iter().map(|level| names.ordinal(level)).collect();
            let (code, reason) = match cause {
                EscalationCause::Asked(reason) => (ASKED, Some(reason)),
                EscalationCause::Emergency(reason) => (EMERGENCY, Some(reason)),
                EscalationCause::Repeated => (REPEATED, None),
            };
            message.cause = code;
            message.name_reason = names.optional(reason.map(|id| &id.0));
        }
        TicketEvent::SkippedTold { level } => message.name_to = names.ordinal(level),
        _ => {}
    }
    message
}

fn approval_message(event: &TicketEvent, names: &mut NameList) -> stored::TicketApproval {
    match event {
        TicketEvent::ApprovalAsked { approver } | TicketEvent::ApprovalGiven { approver } => {
            stored::TicketApproval { name_approver: names.ordinal(approver), name_reason: 0 }
        }
        TicketEvent::ApprovalRefused { approver, reason } => {
            let (name_approver, name_reason) = (names.ordinal(approver), names.ordinal(&reason.0));
            stored::TicketApproval { name_approver, name_reason }
        }
        _ => stored::TicketApproval::default(),
    }
}
