//! A stored payload becomes an event again. Total over what any program version wrote; unknown types and missing names
//! are errors that say which.
//!
//! - [`facts`]: of agents, legs, contacts; [`tickets`]: of tickets; [`definitions`] and
//!   [`ticket_rules`]: of what was defined; [`customers`]: of
//!   customers' files
//!
//! Invariant: `decode(encode(event)) == event`, for every schema version that was ever written (golden files).

mod customers;
mod definitions;
mod facts;
mod ticket_rules;
mod tickets;

use pegcount_domain::{
    event::{Event, EventType},
    time::Micros,
};
use prost::Message;

use crate::stored;

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
        400..500 => Ok(Event::Ticket(reader.ticket_event(payload)?)),
        500..600 => reader.definition(payload),
        900..1000 => reader.customer_event(payload).map(Event::Customer),
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
