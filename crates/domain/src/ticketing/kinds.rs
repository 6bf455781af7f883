//! What a kind of ticket needs, as data.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{Name, TicketKind},
    ticketing::words::{Field, WayKind},
};

/// Evidence that a kind needs before it can be resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence<N = Name> {
    /// What it is: photo, recording, form…
    pub kind: N,
    /// How many at least.
    pub count: u32,
}

/// The rules of one kind of ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindRules<N = Name> {
    /// The kind.
    pub kind: TicketKind<N>,
    /// Fields without which there is no resolve.
    pub fields: Vec<Field>,
    /// Attributes, likewise.
    pub attributes: Vec<N>,
    /// Evidence, likewise.
    pub evidence: Vec<Evidence<N>>,
    /// The ways in which it may be settled; empty: all.
    pub ways: Vec<WayKind>,
    /// Who may approve; empty: whoever is asked.
    pub approvers: Vec<N>,
    /// The levels that it may be escalated to, the lowest first.
    pub levels: Vec<N>,
    /// A repeated report brings it before the next level by itself.
    pub escalates_when_repeated: bool,
    /// It is not closed before the requester has accepted what was done.
    pub requester_accepts: bool,
    /// It is not closed before a site visit's slip is filed.
    pub slip_filed: bool,
}

impl<N> KindRules<N> {
    /// A kind that needs nothing.
    pub const fn free(kind: TicketKind<N>) -> Self {
        Self {
            kind,
            fields: Vec::new(),
            attributes: Vec::new(),
            evidence: Vec::new(),
            ways: Vec::new(),
            approvers: Vec::new(),
            levels: Vec::new(),
            escalates_when_repeated: false,
            requester_accepts: false,
            slip_filed: false,
        }
    }
}
