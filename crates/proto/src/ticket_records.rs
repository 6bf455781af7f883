//! A ticket of another system as a message, and back, checked once, here, at the edge.
//!
//! Form only: what the rules of tickets would say is no concern of a history. Personal values come out beside the events, never in them.
//!
//! Invariant: what [`ticket_record`] writes, [`check_ticket_record`] reads as the same record.

use pegcount_domain::{
    ids::{AgentId, ContactId, Name, QueueId, ReasonCode, TeamId, TicketId, TicketKind},
    ticketing::{
        EscalationCause, Opening, TicketEvent, TicketFact, TicketRecord, Visibility, Way, WayKind,
        told::{NOT_TOLD, UNSEALED},
    },
    time::Micros,
};

use crate::{
    checked::{FactError, missing, optional, plain, required, said, wrong},
    ticket_facts::{check_ticket_facts, ticket_facts},
    v1::{self, ticket_command_request as asked, timed_ticket_fact as told},
};

/// The longest text that is sealed, bytes of UTF-8: as long as the vault takes.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Checks one record. The error's field says which fact.
pub fn check_ticket_record(record: v1::TicketRecord) -> Result<TicketRecord, FactError> {
    let ticket = required(&record.ticket, "ticket", TicketId)?;
    let mut caller = None;
    let mut facts = Vec::with_capacity(record.facts.len());
    for (index, timed) in record.facts.into_iter().enumerate() {
        let within = |error: FactError| error.within(&format!("facts[{index}]"));
        let agent = optional(&timed.agent, "agent", AgentId).map_err(within)?;
        let fact = timed.fact.ok_or_else(|| within(missing("fact")))?;
        let is_opening = matches!(fact, told::Fact::Opened(_));
        if is_opening != (index == 0) {
            let reason = if is_opening {
                "comes later than first; a ticket is opened once, first"
            } else {
                "is missing; a ticket's first fact is its opening"
            };
            return Err(within(wrong("opened", reason)));
        }
        let (event, text) = match fact {
            told::Fact::Opened(new) => {
                caller = plain(&new.caller, "opened.caller").map_err(within)?;
                (opened(&ticket, &new).map_err(|error| within(error.within("opened")))?, None)
            }
            fact => event(fact).map_err(within)?,
        };
        facts.push(TicketFact { at: Micros(timed.occurred_at_us), agent, event, text });
    }
    Ok(TicketRecord { ticket, caller, facts })
}

fn opened(ticket: &TicketId, new: &v1::NewTicket) -> Result<TicketEvent, FactError> {
    if !new.description.is_empty() {
        return Err(wrong("description", "is not for imports; tell it as a note"));
    }
    if !new.ticket.is_empty() && new.ticket != ticket.as_str() {
        let reason = format!("is {:?} in the record of {ticket}; leave it out", new.ticket);
        return Err(wrong("ticket", reason));
    }
    Ok(TicketEvent::Opened(Box::new(Opening {
        kind: required(&new.kind, "kind", TicketKind)?,
        receiver: optional(&new.receiver, "receiver", AgentId)?,
        group: optional(&new.group, "group", TeamId)?,
        contact: optional(&new.contact, "contact", ContactId)?,
        queue: optional(&new.queue, "queue", QueueId)?,
        split_from: None,
        set: set(new.facts.as_ref(), "facts")?,
    })))
}

fn set(
    facts: Option<&v1::TicketFacts>,
    field: &str,
) -> Result<Vec<pegcount_domain::ticketing::FieldValue>, FactError> {
    facts.map_or_else(
        || Ok(Vec::new()),
        |facts| check_ticket_facts(facts).map_err(|error| error.within(field)),
    )
}

type Told = (TicketEvent, Option<String>);

/// An event with a text, or what stands for none.
fn with_text(text: String, field: &str, event: impl FnOnce(Name) -> TicketEvent) -> Result<Told, FactError> {
    match text.trim().len() {
        0 => Ok((event(NOT_TOLD), None)),
        _ if text.len() > TEXT_BYTES_MAX => {
            Err(wrong(field, format!("has {} bytes; the limit is {TEXT_BYTES_MAX}", text.len())))
        }
        _ => Ok((event(UNSEALED), Some(text))),
    }
}

fn event(fact: told::Fact) -> Result<Told, FactError> {
    use told::Fact;
    let event = match fact {
        Fact::Accepted(m) => TicketEvent::Accepted { owner: required(&m.owner, "accepted.owner", AgentId)? },
        Fact::Classified(m) => TicketEvent::Classified { set: set(Some(&m), "classified")? },
        Fact::Edited(m) => TicketEvent::Edited { set: set(Some(&m), "edited")? },
        Fact::Dispatched(m) => TicketEvent::Dispatched {
            group: optional(&m.group, "dispatched.group", TeamId)?,
            to: optional(&m.to, "dispatched.to", AgentId)?,
        },
        Fact::Arrived(_) => TicketEvent::Arrived,
        Fact::WorkStarted(_) => TicketEvent::WorkStarted,
        Fact::Held(m) => TicketEvent::Held { reason: required(&m.reason, "held.reason", ReasonCode)? },
        Fact::Resumed(_) => TicketEvent::Resumed,
        Fact::Resolved(m) => return resolved(m),
        Fact::Confirmed(m) if m.proof.trim().is_empty() => TicketEvent::Confirmed { proof: None },
        Fact::Confirmed(m) => {
            return with_text(m.proof, "confirmed.proof", |proof| TicketEvent::Confirmed {
                proof: Some(proof),
            });
        }
        Fact::Reopened(m) => TicketEvent::Reopened {
            reason: optional(&m.reason, "reopened.reason", ReasonCode)?,
            rework: m.rework.then_some(true),
            agent: optional(&m.agent, "reopened.agent", AgentId)?,
        },
        Fact::Closed(m) => TicketEvent::Closed {
            agent: optional(&m.agent, "closed.agent", AgentId)?,
            reason: optional(&m.reason, "closed.reason", ReasonCode)?,
        },
        Fact::Cancelled(m) => {
            let reason = required(&m.reason, "cancelled.reason", ReasonCode)?;
            let cancelled = |explanation| TicketEvent::Cancelled { reason, explanation };
            return with_text(m.explanation, "cancelled.explanation", cancelled);
        }
        Fact::Noted(m) => {
            if m.text.trim().is_empty() {
                return Err(missing("noted.text"));
            }
            let visibility = if m.public { Visibility::Public } else { Visibility::Internal };
            return with_text(m.text, "noted.text", |text| TicketEvent::Noted { visibility, text });
        }
        other => further_event(other)?,
    };
    Ok((event, None))
}

fn further_event(fact: told::Fact) -> Result<TicketEvent, FactError> {
    use told::Fact;
    Ok(match fact {
        Fact::Merged(m) => TicketEvent::Merged { into: required(&m.ticket, "merged.ticket", TicketId)? },
        Fact::Escalated(m) => {
            let level = u8::try_from(m.level).ok().filter(|level| *level > 0);
            let reason = || wrong("escalated.level", format!("is {}; give 1 to 255", m.level));
            TicketEvent::Escalated {
                level: level.ok_or_else(reason)?,
                to: required(&m.to, "escalated.to", |name| name)?,
                skipped: Vec::new(),
                cause: EscalationCause::Asked(required(&m.reason, "escalated.reason", ReasonCode)?),
            }
        }
        Fact::Reassigned(m) => TicketEvent::Reassigned {
            owner: optional(&m.owner, "reassigned.owner", AgentId)?,
            group: optional(&m.group, "reassigned.group", TeamId)?,
            reason: required(&m.reason, "reassigned.reason", ReasonCode)?,
        },
        Fact::Informed(m) => {
            TicketEvent::Informed { contact: optional(&m.contact, "informed.contact", ContactId)? }
        }
        Fact::Investigated(_) => TicketEvent::Investigated,
        Fact::Repeated(m) => {
            TicketEvent::Repeated { contact: optional(&m.contact, "repeated.contact", ContactId)? }
        }
        _ => return Err(wrong("fact", "is not known to this program; use a newer one")),
    })
}

fn resolved(m: asked::Resolve) -> Result<Told, FactError> {
    let agent = optional(&m.agent, "resolved.agent", AgentId)?;
    let code = optional(&m.reason, "resolved.reason", ReasonCode)?;
    let event = |way| TicketEvent::Resolved { way, agent, reason: code };
    let Some(way) = m.way else { return Ok((event(None), None)) };
    let way = match said(way.kind, "resolved.way.kind", WayKind::from_code)? {
        WayKind::Alone => Way::Alone,
        WayKind::WithApproval => Way::WithApproval,
        WayKind::WithOthers => {
            let groups = way.groups.iter().map(|group| required(group, "resolved.way.groups", TeamId));
            Way::WithOthers { groups: groups.collect::<Result<_, _>>()? }
        }
        WayKind::Declined => {
            let reason = required(&way.reason, "resolved.way.reason", ReasonCode)?;
            let declined = |alternative| event(Some(Way::Declined { reason, alternative }));
            return with_text(way.alternative, "resolved.way.alternative", declined);
        }
    };
    Ok((event(Some(way)), None))
}

/// The record as a message; caller and texts go plain. None: an event that a history of another system does not hold.
pub fn ticket_record(record: &TicketRecord) -> Option<v1::TicketRecord> {
    let mut caller = record.caller.clone();
    let timed = record.facts.iter().map(|fact| {
        let text = fact.text.clone().unwrap_or_default();
        Some(v1::TimedTicketFact {
            occurred_at_us: fact.at.0,
            agent: text_of(fact.agent.as_ref()),
            fact: Some(fact_message(&fact.event, text, &mut caller)?),
        })
    });
    Some(v1::TicketRecord { ticket: record.ticket.to_string(), facts: timed.collect::<Option<_>>()? })
}

fn text_of(id: Option<&impl ToString>) -> String {
    id.map(ToString::to_string).unwrap_or_default()
}

fn fact_message(event: &TicketEvent, text: String, caller: &mut Option<String>) -> Option<told::Fact> {
    use told::Fact;
    let nothing = v1::Nothing {};
    Some(match event {
        TicketEvent::Opened(opening) => Fact::Opened(v1::NewTicket {
            ticket: String::new(),
            kind: opening.kind.to_string(),
            contact: text_of(opening.contact.as_ref()),
            queue: text_of(opening.queue.as_ref()),
            caller: caller.take().unwrap_or_default(),
            receiver: text_of(opening.receiver.as_ref()),
            group: text_of(opening.group.as_ref()),
            facts: Some(ticket_facts(&opening.set)),
            description: String::new(),
        }),
        TicketEvent::Accepted { owner } => Fact::Accepted(asked::Accept { owner: owner.to_string() }),
        TicketEvent::Classified { set } => Fact::Classified(ticket_facts(set)),
        TicketEvent::Edited { set } => Fact::Edited(ticket_facts(set)),
        TicketEvent::Dispatched { group, to } => {
            Fact::Dispatched(asked::Dispatch { group: text_of(group.as_ref()), to: text_of(to.as_ref()) })
        }
        TicketEvent::Arrived => Fact::Arrived(nothing),
        TicketEvent::WorkStarted => Fact::WorkStarted(nothing),
        TicketEvent::Held { reason } => Fact::Held(asked::Hold { reason: reason.to_string() }),
        TicketEvent::Resumed => Fact::Resumed(nothing),
        TicketEvent::Resolved { way, agent, reason } => Fact::Resolved(asked::Resolve {
            way: way.as_ref().map(|way| way_message(way, text)),
            agent: text_of(agent.as_ref()),
            reason: text_of(reason.as_ref()),
        }),
        TicketEvent::Confirmed { .. } => Fact::Confirmed(asked::Confirm { proof: text }),
        TicketEvent::Reopened { reason, rework, agent } => Fact::Reopened(asked::Reopen {
            reason: text_of(reason.as_ref()),
            rework: rework.unwrap_or(false),
            agent: text_of(agent.as_ref()),
        }),
        TicketEvent::Closed { agent, reason } => {
            Fact::Closed(asked::Close { agent: text_of(agent.as_ref()), reason: text_of(reason.as_ref()) })
        }
        TicketEvent::Cancelled { reason, .. } => {
            Fact::Cancelled(asked::Cancel { reason: reason.to_string(), explanation: text })
        }
        TicketEvent::Noted { visibility, .. } => {
            Fact::Noted(asked::Note { public: *visibility == Visibility::Public, text })
        }
        other => return further_message(other),
    })
}

fn further_message(event: &TicketEvent) -> Option<told::Fact> {
    use told::Fact;
    let in_contact = |contact: &Option<ContactId>| asked::InContact { contact: text_of(contact.as_ref()) };
    Some(match event {
        TicketEvent::Merged { into } => Fact::Merged(told::MergedInto { ticket: into.to_string() }),
        TicketEvent::Escalated { level, to, cause: EscalationCause::Asked(reason), .. } => {
            let (level, to, reason) = (u32::from(*level), to.to_string(), reason.to_string());
            Fact::Escalated(told::EscalatedTo { level, to, reason })
        }
        TicketEvent::Reassigned { owner, group, reason } => Fact::Reassigned(asked::Reassign {
            owner: text_of(owner.as_ref()),
            group: text_of(group.as_ref()),
            reason: reason.to_string(),
        }),
        TicketEvent::Informed { contact } => Fact::Informed(in_contact(contact)),
        TicketEvent::Investigated => Fact::Investigated(v1::Nothing {}),
        TicketEvent::Repeated { contact } => Fact::Repeated(in_contact(contact)),
        _ => return None,
    })
}

fn way_message(way: &Way, text: String) -> v1::TicketWay {
    let mut message = v1::TicketWay { kind: way.kind().code().into(), ..v1::TicketWay::default() };
    match way {
        Way::Alone | Way::WithApproval => {}
        Way::WithOthers { groups } => message.groups = groups.iter().map(ToString::to_string).collect(),
        Way::Declined { reason, .. } => (message.reason, message.alternative) = (reason.to_string(), text),
    }
    message
}

#[cfg(test)]
mod tests {
    use pegcount_domain::{
        ids::{CategoryId, CustomerId},
        ticketing::{FieldValue, Severity},
    };

    use super::*;

    fn fact(at: i64, event: TicketEvent, text: Option<&str>) -> TicketFact {
        TicketFact {
            at: Micros(at),
            agent: Some(AgentId(Name::fixed("anna"))),
            event,
            text: text.map(Into::into),
        }
    }

    fn opening() -> TicketEvent {
        let set = vec![
            FieldValue::Category(CategoryId(Name::fixed("pipes"))),
            FieldValue::Severity(Severity::Major),
            FieldValue::Customer(CustomerId(Name::fixed("c_1"))),
            FieldValue::Attribute { name: Name::fixed("floor"), value: Name::fixed("3") },
        ];
        let kind = TicketKind(Name::fixed("repair"));
        TicketEvent::Opened(Box::new(Opening {
            receiver: Some(AgentId(Name::fixed("anna"))),
            group: Some(TeamId(Name::fixed("north"))),
            set,
            ..Opening::of(kind)
        }))
    }

    #[test]
    fn what_goes_over_the_wire_comes_out_as_the_same_record() {
        let code = || ReasonCode(Name::fixed("parts"));
        let anna = || Some(AgentId(Name::fixed("anna")));
        let declined = Way::Declined { reason: code(), alternative: UNSEALED };
        let noted = TicketEvent::Noted { visibility: Visibility::Internal, text: UNSEALED };
        let level = TicketEvent::Escalated {
            level: 2,
            to: Name::fixed("kpi_desk"),
            skipped: Vec::new(),
            cause: EscalationCause::Asked(code()),
        };
        let cancelled = TicketEvent::Cancelled { reason: code(), explanation: NOT_TOLD };
        let record = TicketRecord {
            ticket: TicketId(Name::fixed("T-1")),
            caller: Some("+49 30 1".into()),
            facts: vec![
                fact(1, opening(), None),
                fact(2, TicketEvent::Accepted { owner: AgentId(Name::fixed("bob")) }, None),
                fact(3, noted, Some("she called twice")),
                fact(4, TicketEvent::Held { reason: code() }, None),
                fact(5, TicketEvent::Resumed, None),
                fact(6, level, None),
                fact(
                    7,
                    TicketEvent::Resolved { way: Some(declined), agent: anna(), reason: None },
                    Some("a voucher"),
                ),
                fact(8, TicketEvent::Reopened { reason: None, rework: Some(true), agent: anna() }, None),
                fact(9, cancelled, None),
                fact(9, TicketEvent::Confirmed { proof: None }, None),
                fact(9, TicketEvent::Merged { into: TicketId(Name::fixed("T-2")) }, None),
            ],
        };
        let sent = ticket_record(&record).unwrap();
        assert_eq!(check_ticket_record(sent).unwrap(), record);
    }

    #[test]
    fn a_record_begins_with_its_opening_and_has_no_other() {
        let record = |facts| TicketRecord { ticket: TicketId(Name::fixed("T-1")), caller: None, facts };
        let late = ticket_record(&record(vec![fact(1, opening(), None), fact(2, opening(), None)])).unwrap();
        let error = check_ticket_record(late).unwrap_err().to_string();
        assert_eq!(error, "facts[1].opened comes later than first; a ticket is opened once, first");
        let none = ticket_record(&record(vec![fact(1, TicketEvent::Arrived, None)])).unwrap();
        let error = check_ticket_record(none).unwrap_err().to_string();
        assert_eq!(error, "facts[0].opened is missing; a ticket's first fact is its opening");
    }

    #[test]
    fn a_text_is_told_beside_its_event_and_never_in_it() {
        let noted = TicketEvent::Noted { visibility: Visibility::Public, text: UNSEALED };
        let facts = vec![fact(1, opening(), None), fact(2, noted, Some("she lives at the lake"))];
        let record = TicketRecord { ticket: TicketId(Name::fixed("T-1")), caller: None, facts };
        let read = check_ticket_record(ticket_record(&record).unwrap()).unwrap();
        assert!(!format!("{:?}", read.facts[1].event).contains("lake"));
        assert_eq!(read.facts[1].text.as_deref(), Some("she lives at the lake"));
    }
}
