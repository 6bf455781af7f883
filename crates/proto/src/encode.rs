//! An event becomes what the log keeps: its type, its names, and a protobuf payload that holds ordinals instead of
//! texts.
//!
//! Invariant: equal events encode to equal bytes, so the log can tell a repeat from a contradiction.

use pegcount_domain::{
    allowance::AllowanceDefinition,
    authority::{AuthorityDefinition, Reporter},
    customer::CustomerEvent,
    event::{Event, EventType, Intent, LegRef, LegStep},
    ids::Name,
    time::Micros,
};
use prost::Message;
use smallvec::SmallVec;

use crate::{
    names::{NameList, Names},
    rules::{calendar_message, formula_message, target_message},
    stored,
    ticket_rules::{change_message, kind_message, policies_message},
    tickets::write_ticket,
};

/// The schema version that this program writes, of every type.
pub const SCHEMA_VERSION: u16 = 1;

/// What the log keeps of an event, beside its envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Its type.
    pub event_type: EventType,
    /// The version of its payload.
    pub schema_version: u16,
    /// The names that the ordinals mean.
    pub names: Names,
    /// The payload.
    pub payload: SmallVec<[u8; 32]>,
}

/// Encodes `event`.
pub fn encode(event: &Event) -> Encoded {
    let mut names = NameList::default();
    let mut payload = SmallVec::new();
    write(event, &mut names, &mut payload);
    Encoded { event_type: event.event_type(), schema_version: SCHEMA_VERSION, names: names.0, payload }
}

pub(crate) type Payload = SmallVec<[u8; 32]>;

pub(crate) fn put(payload: &mut Payload, message: &impl Message) {
    payload.resize(message.encoded_len(), 0);
    let mut buffer: &mut [u8] = payload;
    // The buffer has exactly the length that the message asked for, so this cannot run out of room.
    let _ = message.encode(&mut buffer);
}

fn write(event: &Event, names: &mut NameList, payload: &mut Payload) {
    match event {
        Event::SignedIn | Event::SignedOut | Event::Ready | Event::ConnectionRestored => {}
        Event::NotReady { .. }
        | Event::KeyPressed { .. }
        | Event::OutboundAssigned { .. }
        | Event::Supervised { .. }
        | Event::ConnectionLost { .. }
        | Event::StateSet { .. }
        | Event::NextSet { .. } => write_agent(event, names, payload),
        Event::Leg { leg, step } => put(payload, &leg_message(leg, step, names)),
        Event::ContactStarted { .. }
        | Event::ContactIdentified { .. }
        | Event::QueueEntered { .. }
        | Event::QueueLeft { .. }
        | Event::WrappedUp { .. }
        | Event::ContactEnded { .. }
        | Event::SurveyAnswered { .. } => write_contact(event, names, payload),
        Event::Ticket(event) => write_ticket(event, names, payload),
        Event::Customer(event) => write_customer(event, names, payload),
        Event::QueueDefined(_)
        | Event::ReasonDefined(_)
        | Event::AgentDefined(_)
        | Event::TeamDefined(_)
        | Event::SiteDefined(_)
        | Event::AllowanceDefined(_)
        | Event::AuthorityDefined(_) => write_definition(event, names, payload),
        Event::FormulaDefined(formula) => put(payload, &formula_message(formula, names)),
        Event::TargetDefined(target) => put(payload, &target_message(target, names)),
        Event::CalendarDefined(calendar) => put(payload, &calendar_message(calendar, names)),
        Event::TicketKindDefined(kind) => put(payload, &kind_message(kind, names)),
        Event::TicketPoliciesDefined(set) => put(payload, &policies_message(set, names)),
        Event::CalendarChanged(change) => put(payload, &change_message(change, names)),
        Event::Refused { .. } | Event::Skipped { .. } | Event::Annulled { .. } | Event::Amended { .. } => {
            write_record(event, names, payload);
        }
        Event::HistoryClosed { before } => put(payload, &stored::HistoryClosed { before_us: before.0 }),
        Event::HistoryDropped { up_to, events, bytes } => {
            put(payload, &stored::HistoryDropped { up_to: *up_to, events: *events, bytes: *bytes });
        }
    }
}

fn write_customer(event: &CustomerEvent, names: &mut NameList, payload: &mut Payload) {
    match event {
        CustomerEvent::Kept { values } => {
            let name_values = values.iter().map(|(reference, _)| names.ordinal(reference)).collect();
            let kinds = values.iter().map(|(_, kind)| kind.code().into()).collect();
            put(payload, &stored::CustomerKept { name_values, kinds });
        }
        CustomerEvent::Read { values, purpose } => {
            let name_values = values.iter().map(|reference| names.ordinal(reference)).collect();
            put(payload, &stored::CustomerRead { name_values, name_purpose: names.ordinal(&purpose.0) });
        }
        CustomerEvent::Tiered { tier } => {
            put(payload, &stored::CustomerTiered { name_tier: names.ordinal(tier) });
        }
        CustomerEvent::AccessGranted { to, purpose, until } => {
            let (name_to, name_purpose) = (names.ordinal(to), names.ordinal(&purpose.0));
            put(payload, &stored::CustomerAccessGranted { name_to, name_purpose, until_us: until.0 });
        }
        CustomerEvent::AccessRevoked { to } => {
            put(payload, &stored::CustomerAccessRevoked { name_to: names.ordinal(to) });
        }
        CustomerEvent::Erased { reason } => {
            put(payload, &stored::CustomerErased { name_reason: names.ordinal(&reason.0) });
        }
    }
}

fn write_agent(event: &Event, names: &mut NameList, payload: &mut Payload) {
    match event {
        Event::NotReady { reason } => {
            put(payload, &stored::NotReady { name_reason: names.ordinal(&reason.0) });
        }
        Event::KeyPressed { key } => put(payload, &stored::KeyPressed { name_key: names.ordinal(&key.0) }),
        Event::OutboundAssigned { contact, leg } => {
            let (name_contact, name_leg) = (names.ordinal(&contact.0), names.ordinal(&leg.0));
            put(payload, &stored::OutboundAssigned { name_contact, name_leg });
        }
        Event::Supervised { contact, leg, supervisor, how } => {
            let message = stored::Supervised {
                name_contact: names.ordinal(&contact.0),
                name_leg: names.ordinal(&leg.0),
                name_supervisor: names.ordinal(&supervisor.0),
                how: how.code().into(),
            };
            put(payload, &message);
        }
        Event::ConnectionLost { last_heard } => {
            put(payload, &stored::ConnectionLost { last_heard_us: last_heard.0 });
        }
        Event::StateSet { intent, comment } | Event::NextSet { intent, comment } => {
            let (intent, reason) = match intent {
                Intent::Ready => (1, None),
                Intent::NotReady(reason) => (2, Some(&reason.0)),
                Intent::SignedOut => (3, None),
            };
            let (name_reason, name_comment) = (names.optional(reason), names.optional(comment.as_ref()));
            put(payload, &stored::IntentSet { intent, name_reason, name_comment });
        }
        _ => {}
    }
}

fn leg_message(leg: &LegRef, step: &LegStep, names: &mut NameList) -> stored::Leg {
    let mut message = stored::Leg {
        name_contact: names.ordinal(&leg.contact.0),
        name_leg: names.ordinal(&leg.leg.0),
        name_agent: names.optional(leg.agent.as_ref().map(|id| &id.0)),
        name_visit: names.optional(leg.visit.as_ref().map(|id| &id.0)),
        name_queue: names.optional(leg.queue.as_ref().map(|id| &id.0)),
        channel: leg.channel.map_or(0, |channel| channel.code().into()),
        direction: leg.direction.map_or(0, |direction| direction.code().into()),
        ..stored::Leg::default()
    };
    match step {
        LegStep::Ended { by, after_call_expected } => {
            message.by = by.map_or(0, |by| by.code().into());
            message.after_call_expected = *after_call_expected;
        }
        LegStep::Transferred { kind, reason, to_queue, to_agent } => {
            message.transfer = kind.code().into();
            message.name_reason = names.optional(reason.as_ref().map(|id| &id.0));
            message.name_to_queue = names.optional(to_queue.as_ref().map(|id| &id.0));
            message.name_to_agent = names.optional(to_agent.as_ref().map(|id| &id.0));
        }
        _ => {}
    }
    message
}

fn write_contact(event: &Event, names: &mut NameList, payload: &mut Payload) {
    match event {
        Event::ContactStarted { channel, direction, entry, customer, journey, callback, priority } => {
            let message = stored::ContactStarted {
                channel: channel.code().into(),
                direction: direction.code().into(),
                name_entry: names.optional(entry.as_ref().map(|id| &id.0)),
                name_customer: names.optional(customer.as_ref().map(|id| &id.0)),
                name_journey: names.optional(journey.as_ref().map(|id| &id.0)),
                callback: *callback,
                priority: *priority,
            };
            put(payload, &message);
        }
        Event::ContactIdentified { customer, topic } => {
            let name_customer = names.optional(customer.as_ref().map(|id| &id.0));
            let name_topic = names.optional(topic.as_ref().map(|id| &id.0));
            put(payload, &stored::ContactIdentified { name_customer, name_topic });
        }
        Event::QueueEntered { visit, queue, priority } => {
            let (name_visit, name_queue) = (names.ordinal(&visit.0), names.ordinal(&queue.0));
            put(payload, &stored::QueueEntered { name_visit, name_queue, priority: *priority });
        }
        Event::QueueLeft { visit, exit, ringing } => {
            let name_visit = names.ordinal(&visit.0);
            put(payload, &stored::QueueLeft { name_visit, exit: exit.code().into(), ringing: *ringing });
        }
        Event::WrappedUp { code, topic, resolved } => {
            let message = stored::WrappedUp {
                name_code: names.ordinal(&code.0),
                name_topic: names.optional(topic.as_ref().map(|id| &id.0)),
                resolved: resolved.map_or(0, |resolved| 1 + u32::from(resolved)),
            };
            put(payload, &message);
        }
        Event::ContactEnded { by, self_served } => {
            let by = by.map_or(0, |by| by.code().into());
            put(payload, &stored::ContactEnded { by, self_served: *self_served });
        }
        Event::SurveyAnswered { survey, score } => {
            let name_survey = names.ordinal(&survey.0);
            put(payload, &stored::SurveyAnswered { name_survey, score: u32::from(*score) });
        }
        _ => {}
    }
}

fn write_definition(event: &Event, names: &mut NameList, payload: &mut Payload) {
    match event {
        Event::QueueDefined(queue) => {
            let message = stored::QueueDefined {
                name_queue: names.ordinal(&queue.queue.0),
                name_label: names.optional(queue.label.as_ref()),
                threshold_us: own(queue.threshold),
                short_us: own(queue.short),
                rings_us: own(queue.rings),
                after_call_end: queue.after_call_end.code().into(),
                after_call_timer_us: queue.after_call_timer.0,
                after_call_on_contact: queue.after_call_on_contact.code().into(),
                valid_from_us: queue.valid_from.0,
            };
            put(payload, &message);
        }
        Event::ReasonDefined(reason) => {
            let message = stored::ReasonDefined {
                name_reason: names.ordinal(&reason.reason.0),
                name_label: names.optional(reason.label.as_ref()),
                productive: reason.productive,
                paid: reason.paid,
                longest_us: reason.longest.map_or(0, |Micros(longest)| longest),
                valid_from_us: reason.valid_from.0,
            };
            put(payload, &message);
        }
        Event::AgentDefined(agent) => {
            let message = stored::AgentDefined {
                name_agent: names.ordinal(&agent.agent.0),
                name_team: names.optional(agent.team.as_ref().map(|id| &id.0)),
                chat_slots: agent.chat_slots,
                valid_from_us: agent.valid_from.0,
            };
            put(payload, &message);
        }
        Event::TeamDefined(team) => {
            let message = stored::TeamDefined {
                name_team: names.ordinal(&team.team.0),
                name_label: names.optional(team.label.as_ref()),
                valid_from_us: team.valid_from.0,
            };
            put(payload, &message);
        }
        Event::SiteDefined(site) => {
            let (time_zone, valid_from_us) = (site.time_zone.as_str().to_owned(), site.valid_from.0);
            put(payload, &stored::SiteDefined { time_zone, valid_from_us });
        }
        Event::AuthorityDefined(authority) => put(payload, &authority_message(authority)),
        Event::AllowanceDefined(allowance) => put(payload, &allowance_message(allowance, names)),
        _ => {}
    }
}

/// A queue's own threshold; 0 where it has none.
fn own(threshold: Option<Micros>) -> i64 {
    threshold.map_or(0, |Micros(own)| own)
}

fn authority_message(authority: &AuthorityDefinition) -> stored::AuthorityDefined {
    let of = |reporter: Reporter| {
        let own = authority.believed.iter().filter(move |(_, believed)| *believed == reporter);
        own.map(|(field, _)| field.code().into()).collect()
    };
    stored::AuthorityDefined {
        softphone: of(Reporter::Softphone),
        exchange: of(Reporter::Exchange),
        valid_from_us: authority.valid_from.0,
    }
}

fn allowance_message(allowance: &AllowanceDefinition, names: &mut NameList) -> stored::AllowanceDefined {
    let micros = |limit: Option<Micros>| limit.map(|limit| limit.0);
    let name_team = names.optional(allowance.team.as_ref().map(|id| &id.0));
    let mut reasons = Vec::with_capacity(allowance.reasons.len());
    for reason in &allowance.reasons {
        reasons.push(stored::ReasonAllowed {
            name_reason: names.ordinal(&reason.reason.0),
            longest_us: micros(reason.longest),
            total_us: micros(reason.total),
            count: reason.count,
        });
    }
    let meals = allowance.meals.as_ref().map(|meals| stored::MealsAllowed {
        name_reasons: meals.reasons.iter().map(|reason| names.ordinal(&reason.0)).collect(),
        count: meals.count,
        longest_us: micros(meals.longest),
        has_hours: meals.hours.is_some(),
        from_minute: meals.hours.map_or(0, |hours| hours.from_minute.into()),
        to_minute: meals.hours.map_or(0, |hours| hours.to_minute.into()),
    });
    stored::AllowanceDefined {
        name_team,
        total_us: micros(allowance.total),
        reasons,
        meals,
        sign_ins: allowance.sign_ins,
        valid_from_us: allowance.valid_from.0,
    }
}

fn write_record(event: &Event, names: &mut NameList, payload: &mut Payload) {
    let text = |names: &mut NameList, name: &Name| names.ordinal(name);
    match event {
        Event::Refused { field, reason, digest } => {
            let (name_field, name_reason) = (text(names, field), text(names, reason));
            let digest = bytes::Bytes::copy_from_slice(digest);
            put(payload, &stored::Refused { name_field, name_reason, digest });
        }
        Event::Skipped { from_seq, to_seq, reason } => {
            let name_reason = text(names, reason);
            put(payload, &stored::Skipped { from_seq: *from_seq, to_seq: *to_seq, name_reason });
        }
        Event::Annulled { target, reason } => {
            put(payload, &stored::Annulled { target: *target, name_reason: text(names, reason) });
        }
        Event::Amended { target, reason, occurred_at, event } => {
            let name_reason = text(names, reason);
            let mut inner = Payload::new();
            write(event, names, &mut inner);
            let message = stored::Amended {
                target: *target,
                name_reason,
                occurred_at_us: occurred_at.0,
                event_type: event.event_type().0.into(),
                payload: bytes::Bytes::copy_from_slice(&inner),
            };
            put(payload, &message);
        }
        _ => {}
    }
}
