//! Facts of units.

use pegcount_domain::{
    envelope::Position,
    event::{Channel, Direction, EventType, Party, QueueExit, TransferKind},
    ids::{AgentId, QueueId, TicketKind},
    ticketing::{Opening, TicketEvent},
    time::Micros,
};
use pegcount_proto::stored;

use super::{
    ArchiveError, Counts, Places,
    events::{ticket_event, ticket_event_of},
    place,
};
use crate::{
    cells::{Detail, Dims},
    contact::{ContactBody, ContactFact},
    fact::{AgentBody, AgentFact, Intent, LegFact, Mark, Stamp, Step, Track},
    names::Id,
    ticket::{Said, TicketFact},
};

type Read<T> = Result<T, ArchiveError>;

/// A part that must be there.
pub(super) fn part<T>(part: Option<&T>) -> Read<&T> {
    part.ok_or(ArchiveError::Wrong("a part of a message is missing"))
}

fn known<T>(found: Option<T>) -> Read<T> {
    found.ok_or(ArchiveError::Wrong("a code is unknown"))
}

fn narrow<T: TryFrom<u32>>(code: u32) -> Read<T> {
    known(T::try_from(code).ok())
}

/// A code, or 0 for none.
fn optional<T>(code: u32, from: impl Fn(u32) -> Option<T>) -> Read<Option<T>> {
    if code == 0 { Ok(None) } else { known(from(code)).map(Some) }
}

fn stamp(stamp: Stamp) -> stored::FactStamp {
    stored::FactStamp {
        at: stamp.at.0,
        by_switch: stamp.track == Track::Switch,
        epoch: stamp.epoch,
        seq: stamp.seq,
        position: stamp.position.0,
    }
}

fn stamp_of(stamp: Option<&stored::FactStamp>) -> Read<Stamp> {
    let stamp = part(stamp)?;
    Ok(Stamp {
        at: Micros(stamp.at),
        track: if stamp.by_switch { Track::Switch } else { Track::Phone },
        epoch: stamp.epoch,
        seq: stamp.seq,
        position: Position(stamp.position),
    })
}

pub(super) fn dims(dims: &Dims) -> stored::CellDims {
    stored::CellDims {
        agent: dims.agent.0,
        team: dims.team.0,
        queue: dims.queue.0,
        entry: dims.entry.0,
        channel: dims.channel.into(),
        direction: dims.direction.into(),
        priority: dims.priority.into(),
        detail: dims.detail.0,
        formula: dims.version.into(),
    }
}

pub(super) fn dims_of(dims: &stored::CellDims, counts: Counts) -> Read<Dims> {
    Ok(Dims {
        agent: counts.name(dims.agent)?,
        team: counts.name(dims.team)?,
        queue: counts.name(dims.queue)?,
        entry: counts.name_or_class(dims.entry)?,
        channel: narrow(dims.channel)?,
        direction: narrow(dims.direction)?,
        priority: narrow(dims.priority)?,
        detail: Detail(dims.detail),
        version: narrow(dims.formula)?,
    })
}

const STEPS: [(Step, EventType); 15] = [
    (Step::Assigned, EventType::OUTBOUND_ASSIGNED),
    (Step::Offered, EventType::LEG_OFFERED),
    (Step::Ringing, EventType::LEG_RINGING),
    (Step::Dialing, EventType::LEG_DIALING),
    (Step::Answered, EventType::LEG_ANSWERED),
    (Step::Held, EventType::LEG_HELD),
    (Step::Retrieved, EventType::LEG_RETRIEVED),
    (Step::Consulting, EventType::LEG_CONSULTING),
    (Step::Conferenced, EventType::LEG_CONFERENCED),
    (Step::Interrupted, EventType::LEG_INTERRUPTED),
    (Step::Missed, EventType::LEG_MISSED),
    (Step::Rejected, EventType::LEG_REJECTED),
    (Step::CustomerGone, EventType::LEG_CUSTOMER_GONE),
    (Step::Failed, EventType::LEG_FAILED),
    (Step::AfterCallStarted, EventType::LEG_AFTER_CALL_STARTED),
];

const PLAIN: [(AgentBody, EventType); 6] = [
    (AgentBody::SignedIn, EventType::SIGNED_IN),
    (AgentBody::SignedOut, EventType::SIGNED_OUT),
    (AgentBody::Ready, EventType::READY),
    (AgentBody::KeyPressed, EventType::KEY_PRESSED),
    (AgentBody::Lost, EventType::CONNECTION_LOST),
    (AgentBody::Restored, EventType::CONNECTION_RESTORED),
];

pub(super) fn agent_fact(fact: &AgentFact, at: &Places) -> stored::AgentFact {
    let mut out = stored::AgentFact { stamp: Some(stamp(fact.stamp)), ..stored::AgentFact::default() };
    let event_type = match &fact.body {
        AgentBody::NotReady(reason) => {
            out.reason = reason.0;
            EventType::NOT_READY
        }
        AgentBody::Set(intent) => {
            (out.intent, out.reason) = intent_code(*intent);
            EventType::STATE_SET
        }
        AgentBody::Next(intent) => {
            (out.intent, out.reason) = intent_code(*intent);
            EventType::NEXT_SET
        }
        AgentBody::Leg(leg) => {
            let (event_type, message) = leg_fact(leg, at);
            out.leg = Some(message);
            event_type
        }
        plain => {
            let kind = std::mem::discriminant(plain);
            let found = PLAIN.iter().find(|(body, _)| std::mem::discriminant(body) == kind);
            found.map_or(EventType(0), |(_, event_type)| *event_type)
        }
    };
    out.r#type = event_type.0.into();
    out
}

fn intent_code(intent: Intent) -> (u32, u32) {
    match intent {
        Intent::Ready => (1, 0),
        Intent::Away(reason) => (2, reason.0),
        Intent::SignedOut => (3, 0),
        Intent::RingNoAnswer => (4, 0),
    }
}

fn leg_fact(leg: &LegFact, at: &Places) -> (EventType, stored::LegFact) {
    let mut out = stored::LegFact {
        leg: leg.leg.0,
        visit: leg.visit.0,
        contact: place(&at.contacts, leg.contact),
        queue: leg.queue.0,
        channel: leg.channel.map_or(0, |channel| channel.code().into()),
        direction: leg.direction.map_or(0, |direction| direction.code().into()),
        names_agent: leg.names_agent,
        ..stored::LegFact::default()
    };
    let event_type = match leg.step {
        Step::Transferred { kind, to_queue, reason } => {
            (out.transfer, out.to_queue, out.reason) = (kind.code().into(), to_queue.0, reason.0);
            EventType::LEG_TRANSFERRED
        }
        Step::Ended { by, after_call } => {
            (out.by, out.after_call) = (by.map_or(0, |by| by.code().into()), after_call);
            EventType::LEG_ENDED
        }
        Step::AfterCallEnded => EventType::LEG_AFTER_CALL_ENDED,
        plain => {
            let found = STEPS.iter().find(|(step, _)| *step == plain);
            found.map_or(EventType(0), |(_, event_type)| *event_type)
        }
    };
    (event_type, out)
}

pub(super) fn agent_fact_of(fact: &stored::AgentFact, counts: Counts) -> Read<AgentFact> {
    let event_type = EventType(narrow(fact.r#type)?);
    let intent = || {
        Ok::<_, ArchiveError>(match fact.intent {
            1 => Intent::Ready,
            2 => Intent::Away(counts.name(fact.reason)?),
            3 => Intent::SignedOut,
            4 => Intent::RingNoAnswer,
            _ => return Err(ArchiveError::Wrong("a code is unknown")),
        })
    };
    let body = match event_type {
        EventType::NOT_READY => AgentBody::NotReady(counts.name(fact.reason)?),
        EventType::STATE_SET => AgentBody::Set(intent()?),
        EventType::NEXT_SET => AgentBody::Next(intent()?),
        other => match (&fact.leg, PLAIN.iter().find(|(_, known)| *known == other)) {
            (Some(leg), _) => AgentBody::Leg(leg_of(event_type, leg, counts)?),
            (None, found) => known(found)?.0,
        },
    };
    Ok(AgentFact { stamp: stamp_of(fact.stamp.as_ref())?, body })
}

fn leg_of(event_type: EventType, leg: &stored::LegFact, counts: Counts) -> Read<LegFact> {
    let step = match event_type {
        EventType::LEG_TRANSFERRED => Step::Transferred {
            kind: known(TransferKind::from_code(leg.transfer))?,
            to_queue: counts.name(leg.to_queue)?,
            reason: counts.name(leg.reason)?,
        },
        EventType::LEG_ENDED => {
            Step::Ended { by: optional(leg.by, Party::from_code)?, after_call: leg.after_call }
        }
        EventType::LEG_AFTER_CALL_ENDED => Step::AfterCallEnded,
        other => known(STEPS.iter().find(|(_, known)| *known == other))?.0,
    };
    Ok(LegFact {
        leg: Mark(leg.leg),
        visit: Mark(leg.visit),
        contact: counts.contact(leg.contact)?,
        queue: counts.name(leg.queue)?,
        channel: optional(leg.channel, Channel::from_code)?,
        direction: optional(leg.direction, Direction::from_code)?,
        names_agent: leg.names_agent,
        step,
    })
}

pub(super) fn contact_fact(fact: &ContactFact, at: &Places) -> stored::ContactFact {
    let mut out = stored::ContactFact { stamp: Some(stamp(fact.stamp)), ..stored::ContactFact::default() };
    let line = |slot: Option<crate::fact::Slot>| slot.map(|slot| place(&at.lines, slot));
    let event_type = match fact.body {
        ContactBody::Started { channel, direction, entry, customer, journey, callback } => {
            (out.channel, out.direction) = (channel.code().into(), direction.code().into());
            (out.entry, out.callback) = (entry.0, callback);
            out.customer = line(customer);
            out.journey = journey.map(|slot| place(&at.contacts, slot));
            EventType::CONTACT_STARTED
        }
        ContactBody::Identified { customer, topic } => {
            (out.customer, out.topic) = (line(customer), topic.0);
            EventType::CONTACT_IDENTIFIED
        }
        ContactBody::Entered { visit, queue, priority } => {
            (out.visit, out.queue, out.priority) = (visit.0, queue.0, priority.into());
            EventType::QUEUE_ENTERED
        }
        ContactBody::Left { visit, exit, ringing } => {
            (out.visit, out.exit, out.ringing) = (visit.0, exit.code().into(), ringing);
            EventType::QUEUE_LEFT
        }
        ContactBody::WrappedUp { topic, resolved } => {
            out.topic = topic.0;
            out.resolved = resolved.map_or(0, |resolved| 1 + u32::from(resolved));
            EventType::WRAPPED_UP
        }
        ContactBody::Ended { by, self_served } => {
            (out.by, out.self_served) = (by.map_or(0, |by| by.code().into()), self_served);
            EventType::CONTACT_ENDED
        }
    };
    out.r#type = event_type.0.into();
    out
}

pub(super) fn contact_fact_of(fact: &stored::ContactFact, counts: Counts) -> Read<ContactFact> {
    let customer = || fact.customer.map(|place| counts.line(place)).transpose();
    let body = match EventType(narrow(fact.r#type)?) {
        EventType::CONTACT_STARTED => ContactBody::Started {
            channel: known(Channel::from_code(fact.channel))?,
            direction: known(Direction::from_code(fact.direction))?,
            entry: counts.name(fact.entry)?,
            customer: customer()?,
            journey: fact.journey.map(|place| counts.contact(place)).transpose()?,
            callback: fact.callback,
        },
        EventType::CONTACT_IDENTIFIED => {
            ContactBody::Identified { customer: customer()?, topic: Mark(fact.topic) }
        }
        EventType::QUEUE_ENTERED => ContactBody::Entered {
            visit: Mark(fact.visit),
            queue: counts.name(fact.queue)?,
            priority: narrow(fact.priority)?,
        },
        EventType::QUEUE_LEFT => ContactBody::Left {
            visit: Mark(fact.visit),
            exit: known(QueueExit::from_code(fact.exit))?,
            ringing: fact.ringing,
        },
        EventType::WRAPPED_UP => {
            let resolved = fact.resolved.checked_sub(1).map(|resolved| resolved == 1);
            ContactBody::WrappedUp { topic: Mark(fact.topic), resolved }
        }
        EventType::CONTACT_ENDED => {
            ContactBody::Ended { by: optional(fact.by, Party::from_code)?, self_served: fact.self_served }
        }
        _ => return Err(ArchiveError::Wrong("a code is unknown")),
    };
    Ok(ContactFact { stamp: stamp_of(fact.stamp.as_ref())?, body })
}

pub(super) fn ticket_fact(fact: &TicketFact, at: &Places) -> stored::TicketFact {
    let said = fact.said.as_deref();
    stored::TicketFact {
        stamp: Some(stamp(fact.stamp)),
        contact: said.and_then(|said| said.contact).map(|slot| place(&at.contacts, slot)),
        customer: said.and_then(|said| said.customer).map(|slot| place(&at.lines, slot)),
        topic: said.map_or(0, |said| said.topic.0),
        event: Some(ticket_event(&fact.event)),
        ..stored::TicketFact::default()
    }
}

pub(super) fn ticket_fact_of(fact: &stored::TicketFact, counts: Counts) -> Read<TicketFact> {
    let event = match &fact.event {
        Some(event) => ticket_event_of(event, counts)?,
        None => older_event(fact, counts)?,
    };
    let said = match event {
        TicketEvent::Opened(_) => Some(Box::new(Said {
            contact: fact.contact.map(|place| counts.contact(place)).transpose()?,
            customer: fact.customer.map(|place| counts.line(place)).transpose()?,
            topic: Mark(fact.topic),
        })),
        _ => None,
    };
    Ok(TicketFact { stamp: stamp_of(fact.stamp.as_ref())?, event, said })
}

/// What a program kept that knew four kinds of events of tickets.
fn older_event(fact: &stored::TicketFact, counts: Counts) -> Read<TicketEvent<Id>> {
    let by = || part(fact.by.as_ref()).and_then(|by| dims_of(by, counts));
    let some = |id: Id| Some(id).filter(|id| *id != Id::NONE);
    let agent = || by().map(|by| some(by.agent).map(AgentId));
    Ok(match EventType(narrow(fact.r#type)?) {
        EventType::TICKET_OPENED => TicketEvent::Opened(Box::new(Opening {
            receiver: agent()?,
            queue: some(by()?.queue).map(QueueId),
            ..Opening::of(TicketKind(Id::NONE))
        })),
        EventType::TICKET_RESOLVED => TicketEvent::Resolved { way: None, agent: agent()?, reason: None },
        EventType::TICKET_REOPENED => TicketEvent::Reopened { reason: None, rework: None, agent: None },
        EventType::TICKET_CLOSED => TicketEvent::Closed { agent: agent()?, reason: None },
        _ => return Err(ArchiveError::Wrong("a code is unknown")),
    })
}
