//! What another system tells of a ticket: its history, as facts.
//!
//! Not decided by any rule: what happened elsewhere happened. Free text comes beside its event, plain, and is sealed before the event is
//! stored; until then [`UNSEALED`] stands in its place.
//!
//! Invariant: a fact has a text only if its event has a place for a reference ([`TicketEvent::reference_mut`]).

use crate::{
    ids::{AgentId, Name, TicketId},
    ticketing::event::{TicketEvent, Way},
    time::Micros,
};

/// Where the reference to a text comes once it is sealed.
pub const UNSEALED: Name = Name::fixed("unsealed");
/// In place of a reference, where an event needs one and the other system has no text.
pub const NOT_TOLD: Name = Name::fixed("not_told");

/// One thing that happened to a ticket of another system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketFact {
    /// When.
    pub at: Micros,
    /// Who did it, for whom the importer speaks; none: not known.
    pub agent: Option<AgentId>,
    /// What.
    pub event: TicketEvent,
    /// What was written, PLAIN; its event holds [`UNSEALED`] meanwhile.
    pub text: Option<String>,
}

/// One ticket of another system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketRecord {
    /// The ticket; the record's own key.
    pub ticket: TicketId,
    /// The customer's number or address, PLAIN; to be exchanged for a surrogate, which then goes into the opening.
    pub caller: Option<String>,
    /// What happened, in order; the first is the opening.
    pub facts: Vec<TicketFact>,
}

impl<N> TicketEvent<N> {
    /// Where the event holds the reference to a sealed text; none if it holds none.
    pub fn reference_mut(&mut self) -> Option<&mut N> {
        match self {
            Self::Noted { text, .. } => Some(text),
            Self::Cancelled { explanation, .. } => Some(explanation),
            Self::Confirmed { proof } => proof.as_mut(),
            Self::Resolved { way: Some(Way::Declined { alternative, .. }), .. } => Some(alternative),
            _ => None,
        }
    }
}
