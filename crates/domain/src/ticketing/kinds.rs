//! What a kind of ticket needs, as data.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{Name, TicketKind},
    ticketing::words::{Field, WayKind},
    time::Micros,
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
    /// In force from.
    pub valid_from: Micros,
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
            valid_from: Micros::ZERO,
        }
    }
}

/// Whom a ticket of a kind that nobody has defined can be escalated to, the lowest first.
const STANDARD_LEVELS: [Name; 3] =
    [Name::fixed("team_lead"), Name::fixed("kpi_desk"), Name::fixed("floor_manager")];
/// The kind that escalates by itself when it is reported again, unless it is defined otherwise.
pub const COMPLAINT: Name = Name::fixed("complaint");

impl KindRules {
    /// A kind that nobody has defined: it needs nothing, can be escalated in three steps, and does so by itself if it is a complaint
    /// that is repeated.
    pub fn standard(kind: TicketKind) -> Self {
        let escalates_when_repeated = kind.0 == COMPLAINT;
        Self { levels: STANDARD_LEVELS.to_vec(), escalates_when_repeated, ..Self::free(kind) }
    }
}

/// The most entries of each of a kind's lists. Of levels a ticket's own number tells up to 255.
pub const KIND_ENTRIES_MAX: usize = 100;

impl<N: Eq> KindRules<N> {
    /// Whether they can be meant so; else the field that is wrong, and in words what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let counts = [
            ("attributes", self.attributes.len()),
            ("evidence", self.evidence.len()),
            ("approvers", self.approvers.len()),
            ("levels", self.levels.len()),
        ];
        if let Some((field, count)) = counts.into_iter().find(|(_, count)| *count > KIND_ENTRIES_MAX) {
            return Err((field, format!("holds {count}; the limit is {KIND_ENTRIES_MAX}")));
        }
        if self.fields.contains(&Field::Attribute) {
            let said = "names `attribute`; say which attributes are needed in the list of those";
            return Err(("fields", said.to_owned()));
        }
        let twice = [
            (says_again(&self.fields), "fields", "says a field twice; say each once"),
            (says_again(&self.attributes), "attributes", "says an attribute twice; say each once"),
            (says_again(&self.levels), "levels", "says a level twice; say each once, the lowest first"),
        ];
        if let Some((_, field, reason)) = twice.into_iter().find(|(again, ..)| *again) {
            return Err((field, reason.to_owned()));
        }
        if self.escalates_when_repeated && self.levels.is_empty() {
            let said = "is set, and there are no levels; name them, the lowest first";
            return Err(("escalates_when_repeated", said.to_owned()));
        }
        match self.evidence.iter().find(|needed| needed.count == 0) {
            Some(_) => Err(("evidence", "needs 0 of a kind; leave it out, or need 1 or more".to_owned())),
            None => Ok(()),
        }
    }
}

fn says_again<T: Eq>(list: &[T]) -> bool {
    list.iter().enumerate().any(|(index, one)| list.iter().take(index).any(|other| other == one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_is_said_once() {
        let free = || KindRules::free(TicketKind(Name::fixed("repair")));
        let fields = KindRules { fields: vec![Field::Place, Field::Topic, Field::Place], ..free() };
        assert_eq!(fields.check().unwrap_err(), ("fields", "says a field twice; say each once".to_owned()));
        let attributes = vec![Name::fixed("floor"), Name::fixed("floor")];
        let twice = KindRules { attributes, ..free() }.check().unwrap_err();
        assert_eq!(twice, ("attributes", "says an attribute twice; say each once".to_owned()));
        let once = KindRules { fields: vec![Field::Place, Field::Topic], ..free() };
        assert_eq!(once.check(), Ok(()));
    }
}
