//! What happened to tickets.
//!
//! Invariant: payloads from before `set`, ways and rework were there mean what they meant: fields that were given are set, and
//! what nobody said stays unsaid.

use pegcount_domain::{
    event::EventType,
    ids::{
        AgentId, CategoryId, ContactId, CustomerId, QueueId, ReasonCode, TeamId, TicketId, TicketKind,
        TopicId,
    },
    ticketing::{
        EscalationCause, Field, FieldValue, LinkKind, Opening, Promiser, Severity, TargetKind, TicketEvent,
        Urgency, Validity, Visibility, VisitStep, Way, WayKind,
    },
    time::Micros,
};

use super::{DecodeError, Reader};
use crate::{
    stored,
    tickets::{ASKED, EMERGENCY, REPEATED},
};

impl<N, F: FnMut(u32) -> Option<N>> Reader<F> {
    pub(super) fn ticket_event(&mut self, payload: &[u8]) -> Result<TicketEvent<N>, DecodeError> {
        Ok(match self.event_type {
            EventType::TICKET_OPENED => TicketEvent::Opened(Box::new(self.opening(&self.message(payload)?)?)),
            EventType::TICKET_CLASSIFIED => TicketEvent::Classified { set: self.fields(payload)? },
            EventType::TICKET_EDITED => TicketEvent::Edited { set: self.fields(payload)? },
            EventType::TICKET_ARRIVED => TicketEvent::Arrived,
            EventType::TICKET_WORK_STARTED => TicketEvent::WorkStarted,
            EventType::TICKET_RESUMED => TicketEvent::Resumed,
            EventType::TICKET_INVESTIGATED => TicketEvent::Investigated,
            EventType::TICKET_RESOLVED
            | EventType::TICKET_REOPENED
            | EventType::TICKET_CLOSED
            | EventType::TICKET_HELD => self.ticket_step(&self.message(payload)?)?,
            EventType::TICKET_ACCEPTED | EventType::TICKET_DISPATCHED | EventType::TICKET_REASSIGNED => {
                self.given(&self.message(payload)?)?
            }
            EventType::TICKET_CONFIRMED | EventType::TICKET_CANCELLED | EventType::TICKET_NOTED => {
                self.ticket_said(&self.message(payload)?)?
            }
            EventType::TICKET_MERGED
            | EventType::TICKET_ABSORBED
            | EventType::TICKET_LINKED
            | EventType::TICKET_UNLINKED => self.tied(self.message(payload)?)?,
            EventType::TICKET_ESCALATED => self.escalated(&self.message(payload)?)?,
            EventType::TICKET_SKIPPED_TOLD => {
                let m: stored::TicketEscalated = self.message(payload)?;
                TicketEvent::SkippedTold { level: self.required(m.name_to, "to", |name| name)? }
            }
            EventType::TICKET_APPROVAL_ASKED
            | EventType::TICKET_APPROVAL_GIVEN
            | EventType::TICKET_APPROVAL_REFUSED => self.approval(self.message(payload)?)?,
            _ => return self.other_ticket_event(payload),
        })
    }

    fn other_ticket_event(&mut self, payload: &[u8]) -> Result<TicketEvent<N>, DecodeError> {
        Ok(match self.event_type {
            EventType::TICKET_ATTACHED => {
                let m: stored::TicketAttached = self.message(payload)?;
                TicketEvent::Attached {
                    kind: self.required(m.name_kind, "kind", |name| name)?,
                    reference: self.required(m.name_reference, "reference", |name| name)?,
                }
            }
            EventType::TICKET_ARTICLE_CITED => {
                let m: stored::TicketCited = self.message(payload)?;
                let article = self.required(m.name_article, "article", |name| name)?;
                TicketEvent::ArticleCited { article, helped: said(m.helped) }
            }
            EventType::TICKET_CONTACT_ADDED => {
                let m: stored::TicketContact = self.message(payload)?;
                TicketEvent::ContactAdded { contact: self.required(m.name_contact, "contact", ContactId)? }
            }
            EventType::TICKET_INFORMED => {
                let m: stored::TicketContact = self.message(payload)?;
                TicketEvent::Informed { contact: self.optional(m.name_contact, ContactId) }
            }
            EventType::TICKET_REPEATED => {
                let m: stored::TicketContact = self.message(payload)?;
                TicketEvent::Repeated { contact: self.optional(m.name_contact, ContactId) }
            }
            EventType::TICKET_VISIT_STEPPED => {
                let m: stored::TicketVisit = self.message(payload)?;
                TicketEvent::VisitStepped {
                    step: self.code(VisitStep::from_code(m.step), "step")?,
                    appointment: m.appointment_us.map(Micros),
                    slip: self.optional(m.name_slip, |name| name),
                }
            }
            EventType::TICKET_PROMISED => {
                let m: stored::TicketPromised = self.message(payload)?;
                TicketEvent::Promised {
                    target: self.code(TargetKind::from_code(m.target), "target")?,
                    due: Micros(m.due_us),
                    by: self.code(Promiser::from_code(m.by), "by")?,
                }
            }
            EventType::TICKET_ALERTED => {
                let m: stored::TicketAlerted = self.message(payload)?;
                TicketEvent::Alerted {
                    target: self.code(TargetKind::from_code(m.target), "target")?,
                    round: m.round,
                    permille: m.permille,
                    escalation: m.escalation,
                }
            }
            other => return Err(DecodeError::UnknownType(other.0)),
        })
    }

    fn code<T>(&self, found: Option<T>, field: &'static str) -> Result<T, DecodeError> {
        found.ok_or_else(|| self.missing(field))
    }

    fn opening(&mut self, m: &stored::TicketOpened) -> Result<Opening<N>, DecodeError> {
        let before = [
            self.optional(m.name_customer, CustomerId).map(FieldValue::Customer),
            self.optional(m.name_category, CategoryId).map(FieldValue::Category),
            self.optional(m.name_topic, TopicId).map(FieldValue::Topic),
        ];
        let mut set: Vec<_> = before.into_iter().flatten().collect();
        for field in &m.set {
            set.push(self.field_value(field)?);
        }
        Ok(Opening {
            kind: self.required(m.name_kind, "kind", TicketKind)?,
            receiver: self.optional(m.name_agent, AgentId),
            group: self.optional(m.name_group, TeamId),
            contact: self.optional(m.name_contact, ContactId),
            queue: self.optional(m.name_queue, QueueId),
            split_from: self.optional(m.name_split_from, TicketId),
            set,
        })
    }

    fn fields(&mut self, payload: &[u8]) -> Result<Vec<FieldValue<N>>, DecodeError> {
        let m: stored::TicketFields = self.message(payload)?;
        m.set.iter().map(|field| self.field_value(field)).collect()
    }

    fn field_value(&mut self, m: &stored::TicketField) -> Result<FieldValue<N>, DecodeError> {
        let value = m.name_value;
        Ok(match self.code(Field::from_code(m.field), "field")? {
            Field::Category => FieldValue::Category(self.required(value, "category", CategoryId)?),
            Field::Topic => FieldValue::Topic(self.required(value, "topic", TopicId)?),
            Field::Customer => FieldValue::Customer(self.required(value, "customer", CustomerId)?),
            Field::Tier => FieldValue::Tier(self.required(value, "tier", |name| name)?),
            Field::Place => FieldValue::Place(self.required(value, "place", |name| name)?),
            Field::Region => FieldValue::Region(self.required(value, "region", |name| name)?),
            Field::Channel => FieldValue::Channel(self.required(value, "channel", |name| name)?),
            Field::Severity => FieldValue::Severity(self.code(Severity::from_code(m.code), "severity")?),
            Field::Urgency => FieldValue::Urgency(self.code(Urgency::from_code(m.code), "urgency")?),
            Field::Validity => FieldValue::Validity(self.code(Validity::from_code(m.code), "validity")?),
            Field::Attribute => FieldValue::Attribute {
                name: self.required(m.name_attribute, "attribute", |name| name)?,
                value: self.required(value, "value", |name| name)?,
            },
        })
    }

    fn way(&mut self, m: &stored::TicketWay) -> Result<Way<N>, DecodeError> {
        Ok(match self.code(WayKind::from_code(m.kind), "way")? {
            WayKind::Alone => Way::Alone,
            WayKind::WithApproval => Way::WithApproval,
            WayKind::WithOthers => {
                let groups = m.name_groups.iter().map(|group| self.required(*group, "group", TeamId));
                Way::WithOthers { groups: groups.collect::<Result<_, _>>()? }
            }
            WayKind::Declined => Way::Declined {
                reason: self.required(m.name_reason, "reason", ReasonCode)?,
                alternative: self.required(m.name_alternative, "alternative", |name| name)?,
            },
        })
    }

    fn ticket_step(&mut self, m: &stored::TicketStep) -> Result<TicketEvent<N>, DecodeError> {
        let agent = self.optional(m.name_agent, AgentId);
        let reason = self.optional(m.name_reason, ReasonCode);
        Ok(match self.event_type {
            EventType::TICKET_RESOLVED => {
                let way = m.way.as_ref().map(|way| self.way(way)).transpose()?;
                TicketEvent::Resolved { way, agent, reason }
            }
            EventType::TICKET_REOPENED => TicketEvent::Reopened { reason, rework: said(m.rework), agent },
            EventType::TICKET_CLOSED => TicketEvent::Closed { agent, reason },
            _ => TicketEvent::Held { reason: self.code(reason, "reason")? },
        })
    }

    fn given(&mut self, m: &stored::TicketGiven) -> Result<TicketEvent<N>, DecodeError> {
        let agent = self.optional(m.name_agent, AgentId);
        let group = self.optional(m.name_group, TeamId);
        Ok(match self.event_type {
            EventType::TICKET_ACCEPTED => TicketEvent::Accepted { owner: self.code(agent, "agent")? },
            EventType::TICKET_DISPATCHED => TicketEvent::Dispatched { group, to: agent },
            _ => TicketEvent::Reassigned {
                owner: agent,
                group,
                reason: self.required(m.name_reason, "reason", ReasonCode)?,
            },
        })
    }

    fn ticket_said(&mut self, m: &stored::TicketSaid) -> Result<TicketEvent<N>, DecodeError> {
        let text = self.optional(m.name_text, |name| name);
        Ok(match self.event_type {
            EventType::TICKET_CONFIRMED => TicketEvent::Confirmed { proof: text },
            EventType::TICKET_CANCELLED => TicketEvent::Cancelled {
                reason: self.required(m.name_reason, "reason", ReasonCode)?,
                explanation: self.code(text, "explanation")?,
            },
            _ => TicketEvent::Noted {
                visibility: self.code(Visibility::from_code(m.visibility), "visibility")?,
                text: self.code(text, "text")?,
            },
        })
    }

    fn tied(&mut self, m: stored::TicketTied) -> Result<TicketEvent<N>, DecodeError> {
        let other = self.required(m.name_ticket, "ticket", TicketId)?;
        Ok(match self.event_type {
            EventType::TICKET_MERGED => TicketEvent::Merged { into: other },
            EventType::TICKET_ABSORBED => TicketEvent::Absorbed { other },
            EventType::TICKET_UNLINKED => TicketEvent::Unlinked { other },
            _ => TicketEvent::Linked { other, how: self.code(LinkKind::from_code(m.how), "how")? },
        })
    }

    fn escalated(&mut self, m: &stored::TicketEscalated) -> Result<TicketEvent<N>, DecodeError> {
        let cause = match m.cause {
            ASKED => EscalationCause::Asked(self.required(m.name_reason, "reason", ReasonCode)?),
            EMERGENCY => EscalationCause::Emergency(self.required(m.name_reason, "reason", ReasonCode)?),
            REPEATED => EscalationCause::Repeated,
            _ => return Err(self.missing("cause")),
        };
        let skipped = m.name_skipped.iter().map(|level| self.required(*level, "skipped", |name| name));
        Ok(TicketEvent::Escalated {
            skipped: skipped.collect::<Result<_, _>>()?,
            level: self.code(u8::try_from(m.level).ok(), "level")?,
            to: self.required(m.name_to, "to", |name| name)?,
            cause,
        })
    }

    fn approval(&mut self, m: stored::TicketApproval) -> Result<TicketEvent<N>, DecodeError> {
        let approver = self.required(m.name_approver, "approver", |name| name)?;
        Ok(match self.event_type {
            EventType::TICKET_APPROVAL_ASKED => TicketEvent::ApprovalAsked { approver },
            EventType::TICKET_APPROVAL_GIVEN => TicketEvent::ApprovalGiven { approver },
            _ => TicketEvent::ApprovalRefused {
                approver,
                reason: self.required(m.name_reason, "reason", ReasonCode)?,
            },
        })
    }
}

/// Nobody said, no, yes.
const fn said(code: u32) -> Option<bool> {
    match code {
        1 => Some(false),
        2 => Some(true),
        _ => None,
    }
}
