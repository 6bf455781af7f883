//! A stored payload becomes an event again. Total over what any program version wrote; unknown types and missing names
//! are errors that say which.
//!
//! Invariant: `decode(encode(event)) == event`, for every schema version that was ever written (golden files).

use pegcount_domain::{
    allowance::{AllowanceDefinition, LocalHours, MealAllowance, ReasonAllowance, SiteDefinition, ZoneName},
    authority::{AuthorityDefinition, LegField, Reporter},
    calendar::{CalendarDefinition, Date, Holiday},
    event::{
        AfterCallEnd, AfterCallOnContact, AgentDefinition, Channel, Direction, Event, EventType, Intent,
        LegRef, LegStep, Party, QueueDefinition, QueueExit, ReasonDefinition, Supervision, TeamDefinition,
        TransferKind,
    },
    formula::FormulaDefinition,
    ids::{
        AgentId, CategoryId, ContactId, CustomerId, EntryId, LegId, PhoneKey, QueueId, ReasonCode, SurveyId,
        TeamId, TicketKind, TopicId, VisitId, WrapUpCode,
    },
    target::{ColumnName, Comparison, TargetDefinition, TargetScope},
    time::Micros,
};
use prost::Message;

use crate::{
    rules::{formula_of, make_up_day_of, window_of},
    stored,
};

/// Why a payload could not be decoded.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// A newer program wrote it.
    #[error("event type {0} is unknown to this program: use a newer one")]
    UnknownType(u16),
    /// A newer program wrote it.
    #[error("{event_type} has schema version {found}; this program knows up to {known}: use a newer one")]
    NewerSchema {
        /// The type's name.
        event_type: &'static str,
        /// What was found.
        found: u16,
        /// What is known.
        known: u16,
    },
    /// Not what protobuf looks like.
    #[error("{event_type} has a payload that is not protobuf: {source}")]
    Payload {
        /// The type's name.
        event_type: &'static str,
        /// What prost says.
        source: prost::DecodeError,
    },
    /// An ordinal with no name.
    #[error("{event_type} lacks {field}")]
    Missing {
        /// The type's name.
        event_type: &'static str,
        /// The field.
        field: &'static str,
    },
}

/// Turns ordinals into what stands for names.
struct Reader<F> {
    name_of: F,
    event_type: EventType,
}

impl<N, F: FnMut(u32) -> Option<N>> Reader<F> {
    fn optional<T>(&mut self, ordinal: u32, wrap: impl FnOnce(N) -> T) -> Option<T> {
        if ordinal == 0 { None } else { (self.name_of)(ordinal - 1).map(wrap) }
    }

    fn required<T>(
        &mut self,
        ordinal: u32,
        field: &'static str,
        wrap: impl FnOnce(N) -> T,
    ) -> Result<T, DecodeError> {
        self.optional(ordinal, wrap).ok_or_else(|| self.missing(field))
    }

    fn missing(&self, field: &'static str) -> DecodeError {
        DecodeError::Missing { event_type: self.event_type.name(), field }
    }

    fn message<M: Message + Default>(&self, payload: &[u8]) -> Result<M, DecodeError> {
        M::decode(payload)
            .map_err(|source| DecodeError::Payload { event_type: self.event_type.name(), source })
    }

    fn leg(&mut self, m: &stored::Leg) -> Result<LegRef<N>, DecodeError> {
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

    fn leg_step(&mut self, m: &stored::Leg) -> Result<LegStep<N>, DecodeError> {
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

    fn agent_event(&mut self, payload: &[u8]) -> Result<Event<N>, DecodeError> {
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

    fn contact_event(&mut self, payload: &[u8]) -> Result<Event<N>, DecodeError> {
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

    fn ticket_event(&mut self, payload: &[u8]) -> Result<Event<N>, DecodeError> {
        if self.event_type == EventType::TICKET_OPENED {
            let m: stored::TicketOpened = self.message(payload)?;
            return Ok(Event::TicketOpened {
                contact: self.optional(m.name_contact, ContactId),
                customer: self.optional(m.name_customer, CustomerId),
                kind: self.required(m.name_kind, "kind", TicketKind)?,
                category: self.optional(m.name_category, CategoryId),
                topic: self.optional(m.name_topic, TopicId),
                agent: self.optional(m.name_agent, AgentId),
                queue: self.optional(m.name_queue, QueueId),
            });
        }
        let m: stored::TicketStep = self.message(payload)?;
        let agent = self.optional(m.name_agent, AgentId);
        let reason = self.optional(m.name_reason, ReasonCode);
        Ok(match self.event_type {
            EventType::TICKET_RESOLVED => Event::TicketResolved { agent, reason },
            EventType::TICKET_REOPENED => Event::TicketReopened { agent, reason },
            EventType::TICKET_CLOSED => Event::TicketClosed { agent, reason },
            other => return Err(DecodeError::UnknownType(other.0)),
        })
    }

    /// In the order of the fields: what is written in another order is the same definition.
    fn authority(&self, m: &stored::AuthorityDefined) -> Result<AuthorityDefinition, DecodeError> {
        let mut believed = Vec::with_capacity(m.softphone.len() + m.exchange.len());
        for (codes, reporter) in [(&m.softphone, Reporter::Softphone), (&m.exchange, Reporter::Exchange)] {
            for code in codes {
                let field = LegField::from_code(*code).ok_or_else(|| self.missing("field"))?;
                if believed.iter().all(|(known, _)| *known != field) {
                    believed.push((field, reporter));
                }
            }
        }
        believed.sort_unstable();
        Ok(AuthorityDefinition { believed, valid_from: Micros(m.valid_from_us) })
    }

    fn allowance(&mut self, m: &stored::AllowanceDefined) -> Result<AllowanceDefinition<N>, DecodeError> {
        let mut reasons = Vec::with_capacity(m.reasons.len());
        for reason in &m.reasons {
            reasons.push(ReasonAllowance {
                reason: self.required(reason.name_reason, "reason", ReasonCode)?,
                longest: reason.longest_us.map(Micros),
                total: reason.total_us.map(Micros),
                count: reason.count,
            });
        }
        let meals = m.meals.as_ref().map(|meals| self.meals(meals)).transpose()?;
        Ok(AllowanceDefinition {
            team: self.optional(m.name_team, TeamId),
            total: m.total_us.map(Micros),
            reasons,
            meals,
            sign_ins: m.sign_ins,
            valid_from: Micros(m.valid_from_us),
        })
    }

    fn meals(&mut self, m: &stored::MealsAllowed) -> Result<MealAllowance<N>, DecodeError> {
        let mut reasons = Vec::with_capacity(m.name_reasons.len());
        for reason in &m.name_reasons {
            reasons.push(self.required(*reason, "meals.reason", ReasonCode)?);
        }
        let minute = |minute: u32| u16::try_from(minute).map_err(|_| self.missing("meals.hours"));
        let hours = LocalHours { from_minute: minute(m.from_minute)?, to_minute: minute(m.to_minute)? };
        Ok(MealAllowance {
            reasons,
            count: m.count,
            longest: m.longest_us.map(Micros),
            hours: m.has_hours.then_some(hours),
        })
    }

    fn definition(&mut self, payload: &[u8]) -> Result<Event<N>, DecodeError> {
        Ok(match self.event_type {
            EventType::QUEUE_DEFINED => {
                let m: stored::QueueDefined = self.message(payload)?;
                Event::QueueDefined(QueueDefinition {
                    queue: self.required(m.name_queue, "queue", QueueId)?,
                    label: self.optional(m.name_label, |name| name),
                    threshold: own(m.threshold_us),
                    short: own(m.short_us),
                    rings: own(m.rings_us),
                    after_call_end: AfterCallEnd::from_code(m.after_call_end)
                        .ok_or_else(|| self.missing("after_call_end"))?,
                    after_call_timer: Micros(m.after_call_timer_us),
                    after_call_on_contact: AfterCallOnContact::from_code(m.after_call_on_contact)
                        .ok_or_else(|| self.missing("after_call_on_contact"))?,
                    valid_from: Micros(m.valid_from_us),
                })
            }
            EventType::REASON_DEFINED => {
                let m: stored::ReasonDefined = self.message(payload)?;
                Event::ReasonDefined(ReasonDefinition {
                    reason: self.required(m.name_reason, "reason", ReasonCode)?,
                    label: self.optional(m.name_label, |name| name),
                    productive: m.productive,
                    paid: m.paid,
                    longest: (m.longest_us != 0).then_some(Micros(m.longest_us)),
                    valid_from: Micros(m.valid_from_us),
                })
            }
            EventType::AGENT_DEFINED => {
                let m: stored::AgentDefined = self.message(payload)?;
                Event::AgentDefined(AgentDefinition {
                    agent: self.required(m.name_agent, "agent", AgentId)?,
                    team: self.optional(m.name_team, TeamId),
                    chat_slots: m.chat_slots,
                    valid_from: Micros(m.valid_from_us),
                })
            }
            EventType::TEAM_DEFINED => {
                let m: stored::TeamDefined = self.message(payload)?;
                Event::TeamDefined(TeamDefinition {
                    team: self.required(m.name_team, "team", TeamId)?,
                    label: self.optional(m.name_label, |name| name),
                    valid_from: Micros(m.valid_from_us),
                })
            }
            EventType::FORMULA_DEFINED => {
                let m: stored::FormulaDefined = self.message(payload)?;
                let (name, notes) = (m.name_name, m.name_notes);
                let formula = formula_of(&m).ok_or_else(|| self.missing("a code"))?;
                Event::FormulaDefined(Box::new(FormulaDefinition {
                    name: self.optional(name, |name| name),
                    notes: self.optional(notes, |name| name),
                    ..formula
                }))
            }
            EventType::TARGET_DEFINED => self.target(&self.message(payload)?)?,
            EventType::CALENDAR_DEFINED => self.calendar(&self.message(payload)?)?,
            EventType::SITE_DEFINED => {
                let m: stored::SiteDefined = self.message(payload)?;
                if m.time_zone.is_empty() {
                    return Err(self.missing("time_zone"));
                }
                let time_zone = ZoneName::new(&m.time_zone);
                Event::SiteDefined(SiteDefinition { time_zone, valid_from: Micros(m.valid_from_us) })
            }
            EventType::AUTHORITY_DEFINED => {
                let m: stored::AuthorityDefined = self.message(payload)?;
                Event::AuthorityDefined(self.authority(&m)?)
            }
            EventType::ALLOWANCE_DEFINED => {
                let m: stored::AllowanceDefined = self.message(payload)?;
                Event::AllowanceDefined(self.allowance(&m)?)
            }
            other => return Err(DecodeError::UnknownType(other.0)),
        })
    }

    fn target(&mut self, m: &stored::TargetDefined) -> Result<Event<N>, DecodeError> {
        let name = self.optional(m.name_scope, |name| name);
        Ok(Event::TargetDefined(Box::new(TargetDefinition {
            target: self.required(m.name_target, "target", |name| name)?,
            column: if m.column.is_empty() {
                return Err(self.missing("column"));
            } else {
                ColumnName::new(&m.column)
            },
            scope: TargetScope::from_parts(m.scope, name).ok_or_else(|| self.missing("scope"))?,
            comparison: Comparison::from_code(m.comparison).ok_or_else(|| self.missing("comparison"))?,
            value: m.value,
            valid_from: Micros(m.valid_from_us),
        })))
    }

    fn calendar(&mut self, m: &stored::CalendarDefined) -> Result<Event<N>, DecodeError> {
        let windows: Option<Vec<_>> = m.windows.iter().map(window_of).collect();
        let make_up_days: Option<Vec<_>> = m.make_up_days.iter().copied().map(make_up_day_of).collect();
        let holidays = m
            .holidays
            .iter()
            .map(|day| Holiday { date: Date(day.date), name: self.optional(day.name_name, |name| name) });
        let holidays = holidays.collect();
        Ok(Event::CalendarDefined(Box::new(CalendarDefinition {
            calendar: self.required(m.name_calendar, "calendar", |name| name)?,
            time_zone: self.required(m.name_time_zone, "time_zone", |name| name)?,
            windows: windows.ok_or_else(|| self.missing("windows"))?,
            holidays,
            make_up_days: make_up_days.ok_or_else(|| self.missing("make_up_days"))?,
            valid_from: Micros(m.valid_from_us),
        })))
    }
}

/// A queue's own threshold; 0 is none.
fn own(micros: i64) -> Option<Micros> {
    (micros != 0).then_some(Micros(micros))
}

/// Decodes a payload. `name_of(index)` gives what stands for the event's `index`-th name, counted from 0.
pub fn decode<N>(
    event_type: EventType,
    schema_version: u16,
    payload: &[u8],
    name_of: impl FnMut(u32) -> Option<N>,
) -> Result<Event<N>, DecodeError> {
    decode_dyn(event_type, schema_version, payload, &mut { name_of })
}

/// An amendment holds another event, whose decoding must not make the compiler nest closures without end.
fn decode_dyn<N>(
    event_type: EventType,
    schema_version: u16,
    payload: &[u8],
    name_of: &mut dyn FnMut(u32) -> Option<N>,
) -> Result<Event<N>, DecodeError> {
    if schema_version > crate::SCHEMA_VERSION {
        return Err(DecodeError::NewerSchema {
            event_type: event_type.name(),
            found: schema_version,
            known: crate::SCHEMA_VERSION,
        });
    }
    let mut reader = Reader { name_of: &mut *name_of, event_type };
    match event_type.0 {
        100..200 => reader.agent_event(payload),
        200..300 => {
            let m: stored::Leg = reader.message(payload)?;
            Ok(Event::Leg { leg: reader.leg(&m)?, step: reader.leg_step(&m)? })
        }
        300..400 => reader.contact_event(payload),
        400..500 => reader.ticket_event(payload),
        500..600 => reader.definition(payload),
        _ => decode_record(event_type, schema_version, payload, name_of),
    }
}

/// Quarantine, corrections, history.
fn decode_record<N>(
    event_type: EventType,
    schema_version: u16,
    payload: &[u8],
    name_of: &mut dyn FnMut(u32) -> Option<N>,
) -> Result<Event<N>, DecodeError> {
    let mut reader = Reader { name_of: &mut *name_of, event_type };
    Ok(match event_type {
        EventType::REFUSED => {
            let m: stored::Refused = reader.message(payload)?;
            Event::Refused {
                field: reader.required(m.name_field, "field", |name| name)?,
                reason: reader.required(m.name_reason, "reason", |name| name)?,
                digest: m.digest.as_ref().try_into().map_err(|_| reader.missing("digest"))?,
            }
        }
        EventType::SKIPPED => {
            let m: stored::Skipped = reader.message(payload)?;
            let reason = reader.required(m.name_reason, "reason", |name| name)?;
            Event::Skipped { from_seq: m.from_seq, to_seq: m.to_seq, reason }
        }
        EventType::ANNULLED => {
            let m: stored::Annulled = reader.message(payload)?;
            let reason = reader.required(m.name_reason, "reason", |name| name)?;
            Event::Annulled { target: m.target, reason }
        }
        EventType::AMENDED => {
            let m: stored::Amended = reader.message(payload)?;
            let reason = reader.required(m.name_reason, "reason", |name| name)?;
            let inner = u16::try_from(m.event_type).map_or(EventType::AMENDED, EventType);
            // An amendment of an amendment is refused on the way in; here it would nest without end.
            if inner.0 >= 500 {
                return Err(DecodeError::Missing { event_type: event_type.name(), field: "event_type" });
            }
            let event = decode_dyn(inner, schema_version, &m.payload, name_of)?;
            Event::Amended {
                target: m.target,
                reason,
                occurred_at: Micros(m.occurred_at_us),
                event: Box::new(event),
            }
        }
        EventType::HISTORY_CLOSED => {
            let m: stored::HistoryClosed = reader.message(payload)?;
            Event::HistoryClosed { before: Micros(m.before_us) }
        }
        EventType::HISTORY_DROPPED => {
            let m: stored::HistoryDropped = reader.message(payload)?;
            Event::HistoryDropped { up_to: m.up_to, events: m.events, bytes: m.bytes }
        }
        other => return Err(DecodeError::UnknownType(other.0)),
    })
}
