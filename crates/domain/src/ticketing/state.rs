//! What is known of one ticket.
//!
//! Invariant: `version` counts the events taken in, `changes` are the last of them; a reason for waiting stands there exactly
//! while the ticket is on hold.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    envelope::Version,
    ids::{
        AgentId, CategoryId, ContactId, CustomerId, Name, ReasonCode, TeamId, TicketId, TicketKind, TopicId,
    },
    ticketing::{
        event::{FieldValue, Way},
        words::{Action, Field, LinkKind, Severity, Status, Urgency, Validity, VisitStep},
    },
    time::Micros,
};

/// How many changes a ticket remembers, so that who decided on an older version is told what came since.
pub const CHANGES_KEPT: usize = 8;
/// The most attributes of a ticket.
pub const ATTRIBUTES_MAX: usize = 50;
/// The most links of a ticket to others, and the most contacts of one.
pub const LINKS_MAX: usize = 500;

/// Some fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldSet(u16);

impl FieldSet {
    /// The fields of some values.
    pub fn of<N>(values: &[FieldValue<N>]) -> Self {
        Self(values.iter().fold(0, |set, value| set | Self::bit(value.field())))
    }

    /// Whether `field` is among them.
    pub const fn has(self, field: Field) -> bool {
        self.0 & Self::bit(field) != 0
    }

    const fn bit(field: Field) -> u16 {
        1 << field.code()
    }
}

impl fmt::Display for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = Field::ALL.iter().filter(|field| self.has(**field));
        if let Some(first) = fields.next() {
            f.write_str(first.word())?;
        }
        fields.try_for_each(|field| write!(f, ", {}", field.word()))
    }
}

/// What somebody did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change<N = Name> {
    /// The version that it made.
    pub version: Version,
    /// When.
    pub at: Micros,
    /// The principal who did it.
    pub by: N,
    /// What.
    pub what: Action,
    /// What it set.
    pub fields: FieldSet,
}

/// The fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "FieldValue documents each")]
pub struct Facts<N = Name> {
    pub category: Option<CategoryId<N>>,
    pub topic: Option<TopicId<N>>,
    pub severity: Option<Severity>,
    pub urgency: Option<Urgency>,
    pub validity: Option<Validity>,
    pub customer: Option<CustomerId<N>>,
    pub tier: Option<N>,
    pub place: Option<N>,
    pub region: Option<N>,
    pub channel: Option<N>,
    /// By name, each once.
    pub attributes: Vec<(N, N)>,
}

/// An approval that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval<N = Name> {
    /// Whose.
    pub approver: N,
    /// When it was asked for.
    pub asked_at: Micros,
    /// Given, refused, or none: not answered yet.
    pub given: Option<bool>,
}

/// A site visit: the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Which visit of the ticket, from 1.
    pub number: u32,
    /// How far it is.
    pub step: VisitStep,
    /// The agreed time.
    pub appointment: Option<Micros>,
}

/// One ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket<N = Name> {
    /// How many events it has had.
    pub version: Version,
    /// Where it stands.
    pub status: Status,
    /// Where it stood before it was put on hold; an open status.
    pub before_hold: Status,
    /// For what it waits, while it is on hold.
    pub hold_reason: Option<ReasonCode<N>>,
    /// Its kind.
    pub kind: TicketKind<N>,
    /// What is known of it.
    pub facts: Facts<N>,
    /// Who received it first; never changes.
    pub receiver: Option<AgentId<N>>,
    /// Who answers for it now.
    pub owner: Option<AgentId<N>>,
    /// The group that it belongs to.
    pub group: Option<TeamId<N>>,
    /// Who was sent last.
    pub sent: Option<AgentId<N>>,
    /// How it was settled last.
    pub way: Option<Way<N>>,
    /// Who settled it last.
    pub resolved_by: Option<AgentId<N>>,
    /// When it was opened.
    pub opened_at: Micros,
    /// Last resolved.
    pub resolved_at: Option<Micros>,
    /// Closed, while it is.
    pub closed_at: Option<Micros>,
    /// How often a resolution was undone.
    pub reopened: u32,
    /// How often because the work has to be done again.
    pub reworked: u32,
    /// How often the same matter was reported again.
    pub repeated: u32,
    /// Whether the requester has accepted what was done, since it was resolved last.
    pub confirmed: bool,
    /// The approval asked for last, since it was opened or reopened last.
    pub approval: Option<Approval<N>>,
    /// The latest site visit.
    pub visit: Option<Visit>,
    /// The level that it was escalated to, from 1; 0: to none.
    pub level: u8,
    /// Levels that were skipped and have not been told yet.
    pub untold: Vec<N>,
    /// The ticket in which it goes on.
    pub merged_into: Option<TicketId<N>>,
    /// Other tickets, and what they are to it.
    pub links: Vec<(TicketId<N>, LinkKind)>,
    /// Tickets that go on in it.
    pub absorbed: u32,
    /// Evidence: of each kind how many.
    pub evidence: Vec<(N, u32)>,
    /// Contacts that belong to it.
    pub contacts: Vec<ContactId<N>>,
    /// How many notes.
    pub notes: u32,
    /// How many times articles were cited.
    pub articles: u32,
    /// The last changes, at most [`CHANGES_KEPT`], the latest last.
    pub changes: Vec<Change<N>>,
}

impl<N: Clone + Eq> Facts<N> {
    pub(super) const fn none() -> Self {
        Self {
            category: None,
            topic: None,
            severity: None,
            urgency: None,
            validity: None,
            customer: None,
            tier: None,
            place: None,
            region: None,
            channel: None,
            attributes: Vec::new(),
        }
    }

    /// Whether `field` is known; of attributes: any.
    pub fn knows(&self, field: Field) -> bool {
        match field {
            Field::Category => self.category.is_some(),
            Field::Topic => self.topic.is_some(),
            Field::Severity => self.severity.is_some(),
            Field::Urgency => self.urgency.is_some(),
            Field::Validity => self.validity.is_some(),
            Field::Customer => self.customer.is_some(),
            Field::Tier => self.tier.is_some(),
            Field::Place => self.place.is_some(),
            Field::Region => self.region.is_some(),
            Field::Channel => self.channel.is_some(),
            Field::Attribute => !self.attributes.is_empty(),
        }
    }

    /// The value of an attribute.
    pub fn attribute(&self, name: &N) -> Option<&N> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Takes a value in; true if it is another one than before.
    pub fn set(&mut self, value: &FieldValue<N>) -> bool {
        match value {
            FieldValue::Category(value) => put(&mut self.category, value),
            FieldValue::Topic(value) => put(&mut self.topic, value),
            FieldValue::Severity(value) => put(&mut self.severity, value),
            FieldValue::Urgency(value) => put(&mut self.urgency, value),
            FieldValue::Validity(value) => put(&mut self.validity, value),
            FieldValue::Customer(value) => put(&mut self.customer, value),
            FieldValue::Tier(value) => put(&mut self.tier, value),
            FieldValue::Place(value) => put(&mut self.place, value),
            FieldValue::Region(value) => put(&mut self.region, value),
            FieldValue::Channel(value) => put(&mut self.channel, value),
            FieldValue::Attribute { name, value } => {
                match self.attributes.iter_mut().find(|(known, _)| known == name) {
                    Some((_, known)) if known == value => false,
                    Some((_, known)) => {
                        *known = value.clone();
                        true
                    }
                    None => {
                        self.attributes.push((name.clone(), value.clone()));
                        true
                    }
                }
            }
        }
    }
}

fn put<T: Clone + PartialEq>(place: &mut Option<T>, value: &T) -> bool {
    if place.as_ref() == Some(value) {
        return false;
    }
    *place = Some(value.clone());
    true
}

impl<N: Clone + Eq> Ticket<N> {
    /// How much evidence of a kind there is.
    pub fn evidence_of(&self, kind: &N) -> u32 {
        self.evidence.iter().find(|(known, _)| known == kind).map_or(0, |(_, count)| *count)
    }

    /// What another ticket is to it.
    pub fn link_to(&self, other: &TicketId<N>) -> Option<LinkKind> {
        self.links.iter().find(|(known, _)| known == other).map(|(_, how)| *how)
    }

    /// The ticket that it is a part of.
    pub fn parent(&self) -> Option<&TicketId<N>> {
        self.links.iter().find(|(_, how)| *how == LinkKind::Parent).map(|(parent, _)| parent)
    }

    /// Whether an approval was asked for and is not answered yet.
    pub fn awaits_approval(&self) -> bool {
        self.approval.as_ref().is_some_and(|approval| approval.given.is_none())
    }
}
