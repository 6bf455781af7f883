//! One ticket with its targets, and how it is kept.
//!
//! A ticket to which something happened lately is kept as it is; one that is over, put away, or at rest for a while is packed into little
//! memory, and unpacked when it is read or something happens to it.
//!
//! Invariant: what is packed and unpacked is the same.

use bincode::serde::{decode_from_slice, encode_to_vec};
use pegcount_domain::{
    deadlines::{Deadlines, World},
    envelope::Version,
    ids::{AgentId, CustomerId, Name},
    ticketing::{Severity, Status, Ticket, TicketEvent, Urgency},
    time::Micros,
};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// Never: after every instant that can come.
pub(super) const NEVER: Micros = Micros::MAX;

/// A ticket and its targets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) ticket: Ticket,
    pub(crate) deadlines: Deadlines,
}

/// An entry, packed or not.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Held {
    Open(Box<Entry>),
    Packed(Box<[u8]>),
}

/// What tickets are listed by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) enum Facet {
    Status(Status),
    Kind(Name),
    Category(Name),
    Severity(Severity),
    Urgency(Urgency),
    Owner(AgentId),
    /// Nobody owns it.
    Unowned,
    Group(Name),
    Tier(Name),
    Region(Name),
    Channel(Name),
    /// The agent received, owned, or resolved it, now or earlier.
    Involved(AgentId),
    /// A target of it was missed.
    Missed,
}

pub(super) type Facets = SmallVec<[Facet; 14]>;

impl Entry {
    /// The ticket that an event opens.
    pub(super) fn opened(event: &TicketEvent, at: Micros, by: &Name, world: &World) -> Option<Self> {
        let ticket = Ticket::opened(event, at, by)?;
        let mut entry = Self { ticket, deadlines: Deadlines::default() };
        entry.deadlines.apply(&entry.ticket, event, at, world, &mut |_, _| {});
        Some(entry)
    }

    /// Takes the event in that makes `version`.
    pub(super) fn apply(
        &mut self,
        event: &TicketEvent,
        version: Version,
        at: Micros,
        by: &Name,
        world: &World,
    ) {
        self.ticket.version = Version(version.0.saturating_sub(1));
        self.ticket.apply(event, at, by);
        self.deadlines.apply(&self.ticket, event, at, world, &mut |_, _| {});
    }

    /// When the next of its targets is due; in the past if one is overdue.
    pub(super) fn due(&self) -> Micros {
        let active = self.deadlines.clocks().iter().filter(|clock| clock.is_active() && clock.is_set());
        active.filter_map(|clock| clock.due).min().unwrap_or(NEVER)
    }

    pub(crate) fn customer(&self) -> Option<&CustomerId> {
        self.ticket.facts.customer.as_ref()
    }

    pub(super) fn facets(&self) -> Facets {
        let (ticket, known) = (&self.ticket, &self.ticket.facts);
        let mut facets: Facets = SmallVec::new();
        facets.push(Facet::Status(ticket.status));
        facets.push(Facet::Kind(ticket.kind.0.clone()));
        facets.push(ticket.owner.clone().map_or(Facet::Unowned, Facet::Owner));
        facets.extend(known.category.as_ref().map(|category| Facet::Category(category.0.clone())));
        facets.extend(known.severity.map(Facet::Severity));
        facets.extend(known.urgency.map(Facet::Urgency));
        facets.extend(ticket.group.as_ref().map(|group| Facet::Group(group.0.clone())));
        facets.extend(known.tier.clone().map(Facet::Tier));
        facets.extend(known.region.clone().map(Facet::Region));
        facets.extend(known.channel.clone().map(Facet::Channel));
        if self.deadlines.clocks().iter().any(|clock| clock.missed) {
            facets.push(Facet::Missed);
        }
        for agent in [&ticket.receiver, &ticket.owner, &ticket.resolved_by].into_iter().flatten() {
            let involved = Facet::Involved(agent.clone());
            if !facets.contains(&involved) {
                facets.push(involved);
            }
        }
        facets
    }

    /// Kept as suits it.
    pub(super) fn held(self) -> Held {
        let status = self.ticket.status;
        let held = Held::Open(Box::new(self));
        if status == Status::Closed || status.is_over() { held.packed() } else { held }
    }
}

impl Held {
    /// As it is; none only if the memory it lies in is damaged.
    pub(super) fn entry(&self) -> Option<Entry> {
        match self {
            Self::Open(entry) => Some((**entry).clone()),
            Self::Packed(bytes) => {
                let read = decode_from_slice(bytes, bincode::config::standard());
                read.ok().map(|(entry, _)| entry)
            }
        }
    }

    /// When the ticket was opened; none as for [`Self::entry`].
    pub(super) fn opened_at(&self) -> Option<Micros> {
        match self {
            Self::Open(entry) => Some(entry.ticket.opened_at),
            Self::Packed(_) => Some(self.entry()?.ticket.opened_at),
        }
    }

    /// In little memory; what does not let itself be packed is kept as it is.
    pub(super) fn packed(self) -> Self {
        let Self::Open(entry) = self else { return self };
        match encode_to_vec(&entry, bincode::config::standard()) {
            Ok(bytes) => Self::Packed(bytes.into_boxed_slice()),
            Err(_) => Self::Open(entry),
        }
    }

    pub(super) fn take(self) -> Option<Entry> {
        match self {
            Self::Open(entry) => Some(*entry),
            packed @ Self::Packed(_) => packed.entry(),
        }
    }
}

#[cfg(test)]
mod tests {
    use pegcount_domain::{
        ids::TicketKind,
        ticketing::{FieldValue, Opening},
    };

    use super::*;

    #[test]
    fn what_is_put_away_is_packed_small_and_comes_back_the_same() {
        let (by, world) = (Name::fixed("desk-1"), World::default());
        let set = vec![FieldValue::Channel(Name::fixed("phone")), FieldValue::Severity(Severity::Major)];
        let opening = Opening { set, ..Opening::of(TicketKind(Name::fixed("repair"))) };
        let opened = TicketEvent::Opened(Box::new(opening));
        let mut entry = Entry::opened(&opened, Micros(1), &by, &world).unwrap();
        let cancelled = TicketEvent::Cancelled {
            reason: pegcount_domain::ids::ReasonCode(Name::fixed("prank")),
            explanation: Name::fixed("s_1"),
        };
        entry.apply(&cancelled, Version(2), Micros(9), &by, &world);
        let held = entry.clone().held();
        let Held::Packed(bytes) = &held else { panic!("a cancelled ticket is packed") };
        assert!(bytes.len() < 200, "{} bytes", bytes.len());
        assert_eq!(held.entry(), Some(entry));
    }
}
