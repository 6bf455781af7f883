//! What agents, legs and contacts did.

use pegcount_domain::{
    event::{
        Channel, Direction, Event, EventType, Intent, LegRef, LegStep, Party, QueueExit, Supervision,
        TransferKind,
    },
    ids::{
        AgentId, ContactId, CustomerId, EntryId, LegId, PhoneKey, QueueId, ReasonCode, SurveyId, TopicId,
        VisitId, WrapUpCode,
    },
    time::Micros,
};

use super::{DecodeError, Reader};
use crate::stored;

impl<N, F: FnMut(u32) -> Option<N>> Reader<F> {
    pub(super) fn leg(&mut self, m: &stored::Leg) -> Result<LegRef<N>, DecodeError> {
        Ok(LegRef {
            contact: self.required(m.name_contact, "contact", ContactId)?,
            leg: self.required(m.name_leg, "leg", LegId)?,
            agent: self.optional(m.name_agent, AgentId),
            visit: self.optional(m.name_visit, VisitId),
            queue: self.optional(m.name_queue, QueueId),
            channel: Channel::from_code(m.channel),
            direction: Direction::from_code(m.direction),
        })
    }

    pub(super) fn leg_step(&mut self, m: &stored::Leg) -> Result<LegStep<N>, DecodeError> {
        Ok(match self.event_type {
            EventType::LEG_OFFERED => LegStep::Offered,
            EventType::LEG_RINGING => LegStep::Ringing,
            EventType::LEG_DIALING => LegStep::Dialing,
            EventType::LEG_ANSWERED => LegStep::Answered,
            EventType::LEG_HELD => LegStep::Held,
            EventType::LEG_RETRIEVED => LegStep::Retrieved,
            EventType::LEG_CONSULTING => LegStep::Consulting,
            EventType::LEG_CONFERENCED => LegStep::Conferenced,
            EventType::LEG_INTERRUPTED => LegStep::Interrupted,
            EventType::LEG_TRANSFERRED => LegStep::Transferred {
                kind: TransferKind::from_code(m.transfer).ok_or_else(|| self.missing("transfer"))?,
                reason: self.optional(m.name_reason, ReasonCode),
                to_queue: self.optional(m.name_to_queue, QueueId),
                to_agent: self.optional(m.name_to_agent, AgentId),
            },
            EventType::LEG_MISSED => LegStep::Missed,
            EventType::LEG_REJECTED => LegStep::Rejected,
            EventType::LEG_CUSTOMER_GONE => LegStep::CustomerGone,
            EventType::LEG_FAILED => LegStep::Failed,
            EventType::LEG_ENDED => {
                LegStep::Ended { by: Party::from_code(m.by), after_call_expected: m.after_call_expected }
            }
            EventType::LEG_AFTER_CALL_STARTED => LegStep::AfterCallStarted,
            EventType::LEG_AFTER_CALL_ENDED => LegStep::AfterCallEnded,
            other => return Err(DecodeError::UnknownType(other.0)),
        })
    }

    fn intent(&mut self, m: stored::IntentSet) -> Result<Intent<N>, DecodeError> {
        Ok(match m.intent {
            1 => Intent::Ready,
            2 => Intent::NotReady(self.required(m.name_reason, "reason", ReasonCode)?),
            3 => Intent::SignedOut,
            _ => return Err(self.missing("intent")),
        })
    }

    pub(super) fn agent_event(&mut self, payload: &[u8]) -> Result<Event<N>, DecodeError> {
        Ok(match self.event_type {
            EventType::SIGNED_IN => Event::SignedIn,
            EventType::SIGNED_OUT => Event::SignedOut,
            EventType::READY => Event::Ready,
            EventType::NOT_READY => {
                let m: stored::NotReady = self.message(payload)?;
                Event::NotReady { reason: self.required(m.name_reason, "reason", ReasonCode)? }
            }
            EventType::KEY_PRESSED => {
                let m: stored::KeyPressed = self.message(payload)?;
                Event::KeyPressed { key: self.required(m.name_key, "key", PhoneKey)? }
            }
            EventType::OUTBOUND_ASSIGNED => {
                let m: stored::OutboundAssigned = self.message(payload)?;
                Event::OutboundAssigned {
                    contact: self.required(m.name_contact, "contact", ContactId)?,
                    leg: self.required(m.name_leg, "leg", LegId)?,
                }
            }
            EventType::SUPERVISED => {
                let m: stored::Supervised = self.message(payload)?;
                Event::Supervised {
                    contact: self.required(m.name_contact, "contact", ContactId)?,
                    leg: self.required(m.name_leg, "leg", LegId)?,
                    supervisor: self.required(m.name_supervisor, "supervisor", AgentId)?,
                    how: Supervision::from_code(m.how).ok_or_else(|| self.missing("how"))?,
                }
            }
            EventType::CONNECTION_LOST => {
                let m: stored::ConnectionLost = self.message(payload)?;
                Event::ConnectionLost { last_heard: Micros(m.last_heard_us) }
            }
            EventType::CONNECTION_RESTORED => Event::ConnectionRestored,
            EventType::STATE_SET => {
                let m: stored::IntentSet = self.message(payload)?;
                let comment = self.optional(m.name_comment, |name| name);
                Event::StateSet { intent: self.intent(m)?, comment }
            }
            EventType::NEXT_SET => {
                let m: stored::IntentSet = self.message(payload)?;
                let comment = self.optional(m.name_comment, |name| name);
                Event::NextSet { intent: self.intent(m)?, comment }
            }
            other => return Err(DecodeError::UnknownType(other.0)),
        })
    }

    pub(super) fn contact_event(&mut self, payload: &[u8]) -> Result<Event<N>, DecodeError> {
        Ok(match self.event_type {
            EventType::CONTACT_STARTED => {
                let m: stored::ContactStarted = self.message(payload)?;
                Event::ContactStarted {
                    channel: Channel::from_code(m.channel).ok_or_else(|| self.missing("channel"))?,
                    direction: Direction::from_code(m.direction).ok_or_else(|| self.missing("direction"))?,
                    entry: self.optional(m.name_entry, EntryId),
                    customer: self.optional(m.name_customer, CustomerId),
                    journey: self.optional(m.name_journey, ContactId),
                    callback: m.callback,
                    priority: m.priority,
                }
            }
            EventType::CONTACT_IDENTIFIED => {
                let m: stored::ContactIdentified = self.message(payload)?;
                Event::ContactIdentified {
                    customer: self.optional(m.name_customer, CustomerId),
                    topic: self.optional(m.name_topic, TopicId),
                }
            }
            EventType::QUEUE_ENTERED => {
                let m: stored::QueueEntered = self.message(payload)?;
                Event::QueueEntered {
                    visit: self.required(m.name_visit, "visit", VisitId)?,
                    queue: self.required(m.name_queue, "queue", QueueId)?,
                    priority: m.priority,
                }
            }
            EventType::QUEUE_LEFT => {
                let m: stored::QueueLeft = self.message(payload)?;
                Event::QueueLeft {
                    visit: self.required(m.name_visit, "visit", VisitId)?,
                    exit: QueueExit::from_code(m.exit).ok_or_else(|| self.missing("exit"))?,
                    ringing: m.ringing,
                }
            }
            EventType::WRAPPED_UP => {
                let m: stored::WrappedUp = self.message(payload)?;
                Event::WrappedUp {
                    code: self.required(m.name_code, "code", WrapUpCode)?,
                    topic: self.optional(m.name_topic, TopicId),
                    resolved: match m.resolved {
                        1 => Some(false),
                        2 => Some(true),
                        _ => None,
                    },
                }
            }
            EventType::CONTACT_ENDED => {
                let m: stored::ContactEnded = self.message(payload)?;
                Event::ContactEnded { by: Party::from_code(m.by), self_served: m.self_served }
            }
            EventType::SURVEY_ANSWERED => {
                let m: stored::SurveyAnswered = self.message(payload)?;
                Event::SurveyAnswered {
                    survey: self.required(m.name_survey, "survey", SurveyId)?,
                    score: u8::try_from(m.score).map_err(|_| self.missing("score"))?,
                }
            }
            other => return Err(DecodeError::UnknownType(other.0)),
        })
    }
}
