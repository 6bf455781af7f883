//! A record in the words of the contract.
//!
//! Invariant: what a server makes of the message is the record again.

use pegcount_client::{ContactFacts, Fact, Start};
use pegcount_domain::event::Event;
use pegcount_import::ContactRecord;
use pegcount_proto::v1::{self, contact_fact::Action};

use crate::error::CliError;

/// The record as a message; the caller goes plain, and the server exchanges it before anything is stored.
pub(super) fn record(record: ContactRecord) -> Result<v1::ContactRecord, CliError> {
    let facts = ContactFacts(record.contact.clone());
    let mut caller = record.caller;
    let timed = record.facts.iter().map(|(at, event)| {
        let fact = fact(&facts, event, &mut caller).ok_or_else(|| {
            CliError::Argument(format!("line {}: {event:?} is no contact's fact", record.line))
        })?;
        Ok(v1::TimedContactFact { occurred_at_us: at.0, fact: Some(fact) })
    });
    Ok(v1::ContactRecord {
        contact: record.contact.to_string(),
        facts: timed.collect::<Result<_, CliError>>()?,
    })
}

fn fact(facts: &ContactFacts, event: &Event, caller: &mut Option<String>) -> Option<v1::ContactFact> {
    let fact = match event {
        Event::ContactStarted { channel, direction, entry, customer: _, journey, callback, priority } => {
            facts.started(&Start {
                channel: *channel,
                direction: *direction,
                entry: entry.clone(),
                caller: caller.take(),
                journey: journey.clone(),
                callback: *callback,
                priority: *priority,
            })
        }
        Event::ContactIdentified { customer: _, topic } => {
            facts.identified(caller.take().as_deref(), topic.as_ref())
        }
        Event::QueueEntered { visit, queue, priority } => facts.queue_entered(visit, queue, *priority),
        Event::QueueLeft { visit, exit, ringing } => facts.queue_left(visit, *exit, *ringing),
        Event::Leg { leg, step } => facts.leg(leg, step),
        Event::WrappedUp { code, topic, resolved } => facts.wrapped_up(code, topic.as_ref(), *resolved),
        Event::ContactEnded { by, self_served } => {
            // The SDK always knows who ended a contact; another system's record may not.
            let by = by.map_or(v1::Party::Unspecified.into(), |party| party.code().into());
            let ended = v1::ContactEnded { by, self_served: *self_served };
            return Some(v1::ContactFact {
                contact: facts.0.to_string(),
                action: Some(Action::Ended(ended)),
            });
        }
        Event::SurveyAnswered { survey, score } => facts.survey_answered(survey, *score),
        _ => return None,
    };
    match fact {
        Fact::Contact(fact) => Some(fact),
        Fact::Agent(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use pegcount_domain::{
        event::{Channel, Direction, LegRef, LegStep, Party, QueueExit},
        ids::{AgentId, ContactId, LegId, Name, QueueId, VisitId},
        time::Micros,
    };
    use pegcount_proto::check_contact_fact;

    use super::*;

    #[test]
    fn what_goes_over_the_wire_comes_out_as_the_same_events() {
        let contact = ContactId(Name::fixed("c"));
        let (visit, queue) = (VisitId(Name::fixed("1")), QueueId(Name::fixed("PS")));
        let leg = LegRef {
            contact: contact.clone(),
            leg: LegId(Name::fixed("1")),
            agent: Some(AgentId(Name::fixed("anna"))),
            visit: Some(visit.clone()),
            queue: Some(queue.clone()),
            channel: Some(Channel::Voice),
            direction: Some(Direction::Inbound),
        };
        let ended = LegStep::Ended { by: Some(Party::Customer), after_call_expected: false };
        let events = [
            Event::ContactStarted {
                channel: Channel::Voice,
                direction: Direction::Inbound,
                entry: None,
                customer: None,
                journey: None,
                callback: false,
                priority: 2,
            },
            Event::QueueEntered { visit: visit.clone(), queue, priority: 2 },
            Event::QueueLeft { visit, exit: QueueExit::Answered, ringing: false },
            Event::Leg { leg: leg.clone(), step: LegStep::Answered },
            Event::Leg { leg, step: ended },
            Event::ContactEnded { by: None, self_served: false },
        ];
        let facts = events.iter().zip(1..).map(|(event, at)| (Micros(at), event.clone())).collect();
        let sent = record(ContactRecord { contact, line: 2, caller: Some("0800".into()), facts }).unwrap();
        for (fact, event) in sent.facts.iter().zip(&events) {
            let checked = check_contact_fact(fact.fact.as_ref().unwrap()).unwrap();
            assert_eq!(&checked.event, event);
        }
        let Some(Action::Started(started)) = &sent.facts[0].fact.as_ref().unwrap().action else { panic!() };
        assert_eq!(started.caller, "0800");
    }
}
