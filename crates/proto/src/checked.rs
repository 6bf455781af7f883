//! A fact of the public contract becomes an event of the domain, checked once, here, at the edge.
//!
//! Checks form only: required fields are there, enum values are known, names fit. What the state machines think of
//! it is no concern here. Personal values (a caller's number) come out beside the event, never in it.

use pegcount_domain::{
    envelope::StreamKind,
    event::{Channel, Direction, Event, LegRef, LegStep, Party, QueueExit, Supervision, TransferKind},
    ids::{
        AgentId, ContactId, EntryId, LegId, Name, PhoneKey, QueueId, ReasonCode, SurveyId, TopicId, VisitId,
        WrapUpCode,
    },
};

use crate::v1;

/// The highest priority of a contact.
pub const PRIORITY_MAX: u32 = 1_000;
/// The longest plain number or address, in bytes.
pub const CALLER_BYTES_MAX: usize = 256;

/// A well-formed fact: its stream, what happened, and the customer's plain number if it names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedFact {
    /// Agent or contact.
    pub kind: StreamKind,
    /// The stream's id.
    pub id: Name,
    /// What happened; a customer is still missing where `caller` is set.
    pub event: Event,
    /// The customer's number or address, plain.
    pub caller: Option<String>,
}

/// A malformed fact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {reason}")]
pub struct FactError {
    /// The field's path (`agent.not_ready.reason`).
    pub field: String,
    /// What is wrong, what the limit is, what was found.
    pub reason: String,
}

impl FactError {
    /// Puts `prefix.` before the field.
    pub(crate) fn within(mut self, prefix: &str) -> Self {
        self.field =
            if self.field.is_empty() { prefix.to_owned() } else { format!("{prefix}.{}", self.field) };
        self
    }
}

pub(crate) fn wrong(field: &str, reason: impl Into<String>) -> FactError {
    FactError { field: field.to_owned(), reason: reason.into() }
}

pub(crate) fn missing(field: &str) -> FactError {
    wrong(field, "is missing; it is required")
}

pub(crate) fn required<T>(text: &str, field: &str, wrap: impl FnOnce(Name) -> T) -> Result<T, FactError> {
    Name::new(text).map(wrap).map_err(|error| wrong(field, error.to_string()))
}

pub(crate) fn optional<T>(
    text: &str,
    field: &str,
    wrap: impl FnOnce(Name) -> T,
) -> Result<Option<T>, FactError> {
    if text.is_empty() { Ok(None) } else { required(text, field, wrap).map(Some) }
}

/// An enum's value: unknown numbers are refused, 0 is "not said".
pub(crate) fn coded<T>(
    value: i32,
    field: &str,
    from_code: impl FnOnce(u32) -> Option<T>,
) -> Result<Option<T>, FactError> {
    match u32::try_from(value) {
        Ok(0) => Ok(None),
        Ok(code) => from_code(code).map(Some).ok_or_else(|| {
            wrong(field, format!("has the unknown value {value}; use a value of the contract"))
        }),
        Err(_) => Err(wrong(field, format!("has the unknown value {value}; use a value of the contract"))),
    }
}

pub(crate) fn said<T>(
    value: i32,
    field: &str,
    from_code: impl FnOnce(u32) -> Option<T>,
) -> Result<T, FactError> {
    coded(value, field, from_code)?.ok_or_else(|| missing(field))
}

pub(crate) fn plain(caller: &str, field: &str) -> Result<Option<String>, FactError> {
    // Blanks identify nobody.
    let caller = caller.trim();
    match caller.len() {
        0 => Ok(None),
        1..=CALLER_BYTES_MAX => Ok(Some(caller.to_owned())),
        bytes => Err(wrong(field, format!("has {bytes} bytes; the limit is {CALLER_BYTES_MAX}"))),
    }
}

/// Checks one fact of either kind.
pub fn check_fact(fact: Option<&v1::fact::Fact>) -> Result<CheckedFact, FactError> {
    match fact {
        Some(v1::fact::Fact::Agent(fact)) => check_agent_fact(fact).map_err(|e| e.within("agent")),
        Some(v1::fact::Fact::Contact(fact)) => check_contact_fact(fact).map_err(|e| e.within("contact")),
        None => Err(missing("fact")),
    }
}

/// Checks an agent's fact.
pub fn check_agent_fact(fact: &v1::AgentFact) -> Result<CheckedFact, FactError> {
    use v1::agent_fact::Action;
    let agent = required(&fact.agent, "agent", AgentId)?;
    let event = match fact.action.as_ref().ok_or_else(|| missing("action"))? {
        Action::SignedIn(_) => Event::SignedIn,
        Action::SignedOut(_) => Event::SignedOut,
        Action::Ready(_) => Event::Ready,
        Action::NotReady(m) => {
            Event::NotReady { reason: required(&m.reason, "not_ready.reason", ReasonCode)? }
        }
        Action::Leg(leg) => {
            if !leg.agent.is_empty() && leg.agent != fact.agent {
                let reason = format!("is {:?} in a fact of agent {agent}; leave it out", leg.agent);
                return Err(wrong("leg.agent", reason));
            }
            let contact = required(&leg.contact, "leg.contact", ContactId)?;
            check_leg(leg, contact, Some(agent.clone())).map_err(|e| e.within("leg"))?
        }
        Action::KeyPressed(m) => Event::KeyPressed { key: required(&m.key, "key_pressed.key", PhoneKey)? },
        Action::OutboundAssigned(m) => Event::OutboundAssigned {
            contact: required(&m.contact, "outbound_assigned.contact", ContactId)?,
            leg: required(&m.leg, "outbound_assigned.leg", LegId)?,
        },
        Action::Supervised(m) => Event::Supervised {
            contact: required(&m.contact, "supervised.contact", ContactId)?,
            leg: required(&m.leg, "supervised.leg", LegId)?,
            supervisor: required(&m.supervisor, "supervised.supervisor", AgentId)?,
            how: said(m.how, "supervised.how", Supervision::from_code)?,
        },
    };
    Ok(CheckedFact { kind: StreamKind::Agent, id: agent.0, event, caller: None })
}

/// Checks a contact's fact.
pub fn check_contact_fact(fact: &v1::ContactFact) -> Result<CheckedFact, FactError> {
    use v1::contact_fact::Action;
    let contact = required(&fact.contact, "contact", ContactId)?;
    let mut caller = None;
    let event = match fact.action.as_ref().ok_or_else(|| missing("action"))? {
        Action::Started(m) => {
            caller = plain(&m.caller, "started.caller")?;
            Event::ContactStarted {
                channel: said(m.channel, "started.channel", Channel::from_code)?,
                direction: said(m.direction, "started.direction", Direction::from_code)?,
                entry: optional(&m.entry, "started.entry", EntryId)?,
                customer: None,
                journey: optional(&m.journey, "started.journey", ContactId)?,
                callback: m.callback,
                priority: priority(m.priority, "started.priority")?,
            }
        }
        Action::Identified(m) => {
            caller = plain(&m.caller, "identified.caller")?;
            let topic = optional(&m.topic, "identified.topic", TopicId)?;
            if caller.is_none() && topic.is_none() {
                return Err(wrong("identified", "says neither caller nor topic; say one"));
            }
            Event::ContactIdentified { customer: None, topic }
        }
        Action::QueueEntered(m) => Event::QueueEntered {
            visit: required(&m.visit, "queue_entered.visit", VisitId)?,
            queue: required(&m.queue, "queue_entered.queue", QueueId)?,
            priority: priority(m.priority, "queue_entered.priority")?,
        },
        Action::QueueLeft(m) => Event::QueueLeft {
            visit: required(&m.visit, "queue_left.visit", VisitId)?,
            exit: said(m.exit, "queue_left.exit", QueueExit::from_code)?,
            ringing: m.ringing,
        },
        Action::Leg(leg) => {
            if !leg.contact.is_empty() && leg.contact != fact.contact {
                let reason = format!("is {:?} in a fact of contact {contact}; leave it out", leg.contact);
                return Err(wrong("leg.contact", reason));
            }
            let agent = optional(&leg.agent, "leg.agent", AgentId)?;
            check_leg(leg, contact.clone(), agent).map_err(|e| e.within("leg"))?
        }
        Action::WrappedUp(m) => Event::WrappedUp {
            code: required(&m.code, "wrapped_up.code", WrapUpCode)?,
            topic: optional(&m.topic, "wrapped_up.topic", TopicId)?,
            resolved: m.resolved,
        },
        Action::Ended(m) => {
            Event::ContactEnded { by: coded(m.by, "ended.by", Party::from_code)?, self_served: m.self_served }
        }
        Action::SurveyAnswered(m) => Event::SurveyAnswered {
            survey: required(&m.survey, "survey_answered.survey", SurveyId)?,
            score: u8::try_from(m.score)
                .ok()
                .filter(|score| (1..=5).contains(score))
                .ok_or_else(|| wrong("survey_answered.score", format!("is {}; give 1 to 5", m.score)))?,
        },
    };
    Ok(CheckedFact { kind: StreamKind::Contact, id: contact.0, event, caller })
}

fn priority(value: u32, field: &str) -> Result<u32, FactError> {
    if value <= PRIORITY_MAX {
        Ok(value)
    } else {
        Err(wrong(field, format!("is {value}; the limit is {PRIORITY_MAX}")))
    }
}

fn check_leg(leg: &v1::Leg, contact: ContactId, agent: Option<AgentId>) -> Result<Event, FactError> {
    use v1::leg::Step;
    let reference = LegRef {
        contact,
        leg: required(&leg.leg, "leg", LegId)?,
        agent,
        visit: optional(&leg.visit, "visit", VisitId)?,
        queue: optional(&leg.queue, "queue", QueueId)?,
        channel: coded(leg.channel, "channel", Channel::from_code)?,
        direction: coded(leg.direction, "direction", Direction::from_code)?,
    };
    let step = match leg.step.as_ref().ok_or_else(|| missing("step"))? {
        Step::Offered(_) => LegStep::Offered,
        Step::Ringing(_) => LegStep::Ringing,
        Step::Dialing(_) => LegStep::Dialing,
        Step::Answered(_) => LegStep::Answered,
        Step::Held(_) => LegStep::Held,
        Step::Retrieved(_) => LegStep::Retrieved,
        Step::Consulting(_) => LegStep::Consulting,
        Step::Conferenced(_) => LegStep::Conferenced,
        Step::Interrupted(_) => LegStep::Interrupted,
        Step::Transferred(m) => LegStep::Transferred {
            kind: said(m.kind, "transferred.kind", TransferKind::from_code)?,
            reason: optional(&m.reason, "transferred.reason", ReasonCode)?,
            to_queue: optional(&m.to_queue, "transferred.to_queue", QueueId)?,
            to_agent: optional(&m.to_agent, "transferred.to_agent", AgentId)?,
        },
        Step::Missed(_) => LegStep::Missed,
        Step::Rejected(_) => LegStep::Rejected,
        Step::CustomerGone(_) => LegStep::CustomerGone,
        Step::Failed(_) => LegStep::Failed,
        Step::Ended(m) => LegStep::Ended {
            by: coded(m.by, "ended.by", Party::from_code)?,
            after_call_expected: m.after_call_expected,
        },
        Step::AfterCallStarted(_) => LegStep::AfterCallStarted,
        Step::AfterCallEnded(_) => LegStep::AfterCallEnded,
    };
    Ok(Event::Leg { leg: reference, step })
}

#[cfg(test)]
mod tests {
    use pegcount_domain::ticketing;

    use super::*;

    fn agent_fact(agent: &str, action: v1::agent_fact::Action) -> v1::AgentFact {
        v1::AgentFact { agent: agent.to_owned(), action: Some(action) }
    }

    fn not_ready(reason: &str) -> v1::agent_fact::Action {
        v1::agent_fact::Action::NotReady(v1::NotReady { reason: reason.to_owned() })
    }

    #[test]
    fn an_empty_id_is_refused_with_its_path() {
        let error = check_fact(Some(&v1::fact::Fact::Agent(agent_fact("", not_ready("meal"))))).unwrap_err();
        assert_eq!(error.to_string(), "agent.agent is empty; give 1 to 128 bytes of text");
        let error = check_fact(Some(&v1::fact::Fact::Agent(agent_fact("7", not_ready(""))))).unwrap_err();
        assert_eq!(error.field, "agent.not_ready.reason");
    }

    #[test]
    fn an_unknown_enum_value_is_refused_with_the_value() {
        let left = v1::QueueLeft { visit: "1".into(), exit: 99, ringing: false };
        let fact =
            v1::ContactFact { contact: "c1".into(), action: Some(v1::contact_fact::Action::QueueLeft(left)) };
        let error = check_contact_fact(&fact).unwrap_err();
        assert_eq!(
            error.to_string(),
            "queue_left.exit has the unknown value 99; use a value of the contract"
        );
    }

    #[test]
    fn a_callers_number_comes_out_beside_the_event_and_never_in_it() {
        let started = v1::ContactStarted {
            channel: 1,
            direction: 1,
            caller: "+86 10 1234".into(),
            ..Default::default()
        };
        let fact = v1::ContactFact {
            contact: "c1".into(),
            action: Some(v1::contact_fact::Action::Started(started)),
        };
        let checked = check_contact_fact(&fact).unwrap();
        assert_eq!(checked.caller.as_deref(), Some("+86 10 1234"));
        assert!(!format!("{:?}", checked.event).contains("1234"));
    }

    #[test]
    fn every_enum_of_the_contract_has_its_twin_in_the_domain() {
        fn twins<T>(
            codes: std::ops::RangeInclusive<i32>,
            known: impl Fn(i32) -> bool,
            twin: impl Fn(u32) -> Option<T>,
        ) {
            for code in codes {
                let stored = u32::try_from(code).unwrap();
                assert_eq!(known(code), twin(stored).is_some() || code == 0, "code {code}");
            }
        }
        twins(0..=20, |c| v1::Channel::try_from(c).is_ok(), Channel::from_code);
        twins(0..=20, |c| v1::Direction::try_from(c).is_ok(), Direction::from_code);
        twins(0..=20, |c| v1::Party::try_from(c).is_ok(), Party::from_code);
        twins(0..=20, |c| v1::QueueExit::try_from(c).is_ok(), QueueExit::from_code);
        twins(0..=20, |c| v1::TransferKind::try_from(c).is_ok(), TransferKind::from_code);
        twins(0..=20, |c| v1::Supervision::try_from(c).is_ok(), Supervision::from_code);
        twins(0..=20, |c| v1::TicketStatus::try_from(c).is_ok(), ticketing::Status::from_code);
        twins(0..=20, |c| v1::TicketSeverity::try_from(c).is_ok(), ticketing::Severity::from_code);
        twins(0..=20, |c| v1::TicketUrgency::try_from(c).is_ok(), ticketing::Urgency::from_code);
        twins(0..=20, |c| v1::TicketValidity::try_from(c).is_ok(), ticketing::Validity::from_code);
        twins(0..=20, |c| v1::TicketWayKind::try_from(c).is_ok(), ticketing::WayKind::from_code);
        twins(0..=20, |c| v1::TicketVisitStep::try_from(c).is_ok(), ticketing::VisitStep::from_code);
        twins(0..=20, |c| v1::TicketTarget::try_from(c).is_ok(), ticketing::TargetKind::from_code);
        twins(0..=20, |c| v1::TicketLinkKind::try_from(c).is_ok(), ticketing::LinkKind::from_code);
        twins(0..=20, |c| v1::TicketField::try_from(c).is_ok(), ticketing::Field::from_code);
    }
}
