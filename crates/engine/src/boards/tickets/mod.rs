//! Tickets as they are now, with their targets, and what they are found by.
//!
//! - `entry`: a ticket and its targets, kept or packed; `index`: by what they are found; `filter`: which are asked for, and in what
//!   order; `changed`: which changed lately; `watching`: what changes for one who watches
//!
//! Invariant: the tickets' places are in the order in which they were opened.

mod changed;
mod entry;
mod filter;
mod index;
mod watching;

use std::{collections::VecDeque, mem};

use pegcount_domain::{
    deadlines::{Deadlines, World, due, next_due},
    envelope::{Envelope, Position, Version},
    ids::{AgentId, CustomerId, Name, SiteId, TicketId},
    ticketing::{Status, Ticket, TicketEvent},
    time::Micros,
};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::source::ENGINE_SOURCE;

pub(crate) use entry::Entry;
use entry::{Facet, Facets, Held, NEVER};
pub use filter::{TicketCursor, TicketFilter, TicketOrder};
use index::{Index, Place};
pub(crate) use watching::Watched;

/// One ticket as it is now.
#[derive(Clone, Debug)]
pub struct TicketView {
    /// Its site.
    pub site: SiteId,
    /// Its id.
    pub ticket: TicketId,
    /// What is known of it.
    pub state: Ticket,
    /// Its targets.
    pub deadlines: Deadlines,
    /// The stream's version.
    pub version: Version,
    /// Where it was opened.
    pub opened: Position,
    /// The log position up to which this has been folded.
    pub position: Position,
}

/// An event to append because something came due, and the ticket that it is for.
#[derive(Clone, Debug)]
pub(crate) struct TicketDuty {
    pub(crate) ticket: TicketId,
    pub(crate) version: Version,
    pub(crate) events: Vec<TicketEvent>,
}

/// The tickets of one site.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tickets {
    places: FxHashMap<TicketId, Place>,
    rows: Vec<Row>,
    index: Index,
    #[serde(skip)]
    changed: changed::Changed,
    /// Where something happened lately, the oldest first; a place may stand here more than once.
    #[serde(skip)]
    awake: VecDeque<Place>,
}

/// After so many others have changed a ticket is packed, open or not: few of a backlog are worked on at any time.
const AWAKE_MAX: usize = 16_384;

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    id: TicketId,
    opened: Position,
    status: Status,
    /// How many of its events other systems told.
    imported: u32,
    held: Held,
}

impl Tickets {
    pub(crate) fn insert(
        &mut self,
        id: TicketId,
        envelope: &Envelope<'_>,
        event: &TicketEvent,
        world: &World,
    ) {
        let (at, version) = (envelope.occurred_at, envelope.version);
        let Ok(by) = Name::new(envelope.actor) else { return };
        let imported = u32::from(envelope.source != ENGINE_SOURCE);
        if let Some(place) = self.places.get(&id).copied() {
            if let Some(row) = usize::try_from(place).ok().and_then(|index| self.rows.get_mut(index)) {
                row.imported = row.imported.saturating_add(imported);
            }
            return self.change(place, world, |entry| entry.apply(event, version, at, &by, world));
        }
        let Some(mut entry) = Entry::opened(event, at, &by, world) else { return };
        entry.ticket.version = version;
        let Ok(place) = Place::try_from(self.rows.len()) else { return };
        self.places.insert(id.clone(), place);
        self.index.add();
        self.refile(place, &Facets::new(), None, &entry, world);
        let (opened, status) = (envelope.position, entry.ticket.status);
        self.rows.push(Row { id, opened, status, imported, held: entry.held() });
        self.rest_others(place);
    }

    /// Reckons the targets of all open tickets anew, by other definitions.
    pub(crate) fn refresh(&mut self, at: Micros, world: &World) {
        for place in 0..self.rows.len() {
            let (Ok(place), Some(row)) = (Place::try_from(place), self.rows.get(place)) else { continue };
            if row.status.is_open() {
                self.change(place, world, |entry| {
                    entry.deadlines.refresh(&entry.ticket, at, world, &mut |_, _| {});
                });
            }
        }
    }

    fn change(&mut self, place: Place, world: &World, change: impl FnOnce(&mut Entry)) {
        let Some(row) = usize::try_from(place).ok().and_then(|index| self.rows.get_mut(index)) else {
            return;
        };
        let held = mem::replace(&mut row.held, Held::Packed(Box::default()));
        let Some(mut entry) = held.take() else { return };
        let (before, customer) = (entry.facets(), entry.customer().cloned());
        change(&mut entry);
        row.status = entry.ticket.status;
        self.refile(place, &before, customer.as_ref(), &entry, world);
        if let Some(row) = usize::try_from(place).ok().and_then(|index| self.rows.get_mut(index)) {
            row.held = entry.held();
        }
        self.rest_others(place);
    }

    /// Packs those to which nothing has happened for long, now that something has to this one.
    fn rest_others(&mut self, place: Place) {
        self.awake.push_back(place);
        while self.awake.len() > AWAKE_MAX
            && let Some(oldest) = self.awake.pop_front()
        {
            if let Some(row) = usize::try_from(oldest).ok().and_then(|index| self.rows.get_mut(index)) {
                row.held = mem::replace(&mut row.held, Held::Packed(Box::default())).packed();
            }
        }
    }

    /// Files a ticket by what it has become.
    fn refile(
        &mut self,
        place: Place,
        before: &Facets,
        customer: Option<&pegcount_domain::ids::CustomerId>,
        entry: &Entry,
        world: &World,
    ) {
        self.index.set_facets(place, before, &entry.facets());
        self.index.set_customer(place, customer, entry.customer());
        self.index.set_due(place, entry.due());
        self.index.set_alert(place, next_due(&entry.ticket, &entry.deadlines, world).unwrap_or(NEVER));
        self.changed.note(place);
    }

    fn row(&self, place: Place) -> Option<&Row> {
        self.rows.get(usize::try_from(place).ok()?)
    }

    /// The first place of a ticket that was opened after `position`.
    fn first_after(&self, position: Position) -> Place {
        Place::try_from(self.rows.partition_point(|row| row.opened <= position)).unwrap_or(Place::MAX)
    }

    /// Where a ticket stands.
    pub(crate) fn status(&self, ticket: &TicketId) -> Option<Status> {
        Some(self.row(*self.places.get(ticket)?)?.status)
    }

    /// How many events of a ticket other systems told; none: there is no such ticket here.
    pub(crate) fn imported(&self, ticket: &TicketId) -> Option<u32> {
        Some(self.row(*self.places.get(ticket)?)?.imported)
    }

    /// When each ticket of a customer was opened, and where that stands in the log, in the order of their places.
    pub(crate) fn of_customer(&self, customer: &CustomerId) -> Vec<(Micros, Position, TicketId)> {
        let places = self.index.of_customer(customer).iter();
        let opened = |place: &Place| {
            let row = self.row(*place)?;
            Some((row.held.entry()?.ticket.opened_at, row.opened, row.id.clone()))
        };
        places.filter_map(opened).collect()
    }

    /// Whether an agent answers for an open ticket of a customer.
    pub(crate) fn answers_for(&self, agent: &AgentId, customer: &CustomerId) -> bool {
        let owned = Facet::Owner(agent.clone());
        let is_his = |place: &&Place| {
            self.index.has(&owned, **place) && self.row(**place).is_some_and(|row| row.status.is_open())
        };
        self.index.of_customer(customer).iter().any(|place| is_his(&place))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The ticket at a place in the order of opening, and when it was opened.
    pub(crate) fn opened_at(&self, place: usize) -> Option<(&TicketId, Micros)> {
        let row = self.rows.get(place)?;
        Some((&row.id, row.held.opened_at()?))
    }

    /// A ticket and its targets.
    pub(crate) fn entry(&self, ticket: &TicketId) -> Option<Entry> {
        self.row(*self.places.get(ticket)?)?.held.entry()
    }

    pub(crate) fn view(&self, site: &SiteId, ticket: &TicketId, position: Position) -> Option<TicketView> {
        self.view_at(*self.places.get(ticket)?, site, position)
    }

    fn view_at(&self, place: Place, site: &SiteId, position: Position) -> Option<TicketView> {
        let row = self.row(place)?;
        let Entry { ticket, deadlines } = row.held.entry()?;
        Some(TicketView {
            site: site.clone(),
            ticket: row.id.clone(),
            version: ticket.version,
            state: ticket,
            deadlines,
            opened: row.opened,
            position,
        })
    }

    /// At most `limit` of the tickets asked for, and where to go on; none at the end.
    pub(crate) fn list(
        &self,
        asked: (&TicketFilter, TicketOrder, Option<TicketCursor>),
        limit: usize,
        now: Micros,
        (site, position): (&SiteId, Position),
    ) -> (Vec<TicketView>, Option<TicketCursor>) {
        let (filter, order, after) = asked;
        let (places, more) = self.find(filter, order, after, limit, now);
        let last = places.last().filter(|_| more).copied();
        let next = last.and_then(|place| {
            Some(TicketCursor { due: self.index.due(place), opened: self.row(place)?.opened })
        });
        (places.into_iter().filter_map(|place| self.view_at(place, site, position)).collect(), next)
    }

    /// What has come due by `now`, of at most `limit` tickets.
    pub(crate) fn duties(&self, now: Micros, world: &World, limit: usize) -> Vec<TicketDuty> {
        let duty = |place: Place| {
            let row = self.row(place)?;
            let entry = row.held.entry()?;
            let due = due(&entry.ticket, &entry.deadlines, world, now);
            let events = due.iter().map(pegcount_domain::deadlines::Due::event).collect();
            Some(TicketDuty { ticket: row.id.clone(), version: entry.ticket.version, events })
        };
        self.index.alerts(now).take(limit).filter_map(duty).collect()
    }

    /// When something comes due next; in the past if something is.
    pub(crate) fn next_duty(&self) -> Option<Micros> {
        self.index.next_alert()
    }
}

#[cfg(test)]
mod tests {
    use pegcount_domain::{
        envelope::{StreamKind, StreamName},
        event::EventType,
        ids::TicketKind,
        ticketing::Opening,
    };

    use super::*;

    fn open(tickets: &mut Tickets, number: usize) {
        let id = format!("T-{number}");
        let event = TicketEvent::Opened(Box::new(Opening::of(TicketKind(Name::fixed("repair")))));
        let at = Micros(1_772_438_400_000_000);
        let envelope = Envelope {
            position: Position(u64::try_from(number).unwrap()),
            stream: StreamName { site: "north", kind: StreamKind::Ticket, id: &id },
            version: Version(1),
            event_type: EventType::TICKET_OPENED,
            schema_version: 1,
            occurred_at: at,
            clamped: false,
            source_time: at,
            recorded_at: at,
            actor: "desk-1",
            on_behalf_of: None,
            source: "desk",
            source_seq: None,
            command_id: None,
            correlation: None,
            causation: None,
            payload: &[],
        };
        tickets.insert(TicketId::new(&id).unwrap(), &envelope, &event, &World::default());
    }

    #[test]
    fn of_many_open_tickets_those_that_changed_last_are_kept_as_they_are_and_all_read_the_same() {
        let mut tickets = Tickets::default();
        open(&mut tickets, 0);
        let first = tickets.entry(&TicketId::new("T-0").unwrap()).unwrap();
        (1..AWAKE_MAX + 10).for_each(|number| open(&mut tickets, number));
        let packed = tickets.rows.iter().filter(|row| matches!(row.held, Held::Packed(_))).count();
        assert_eq!(packed, 10);
        assert_eq!(tickets.entry(&TicketId::new("T-0").unwrap()), Some(first));
        // Something happens to one at rest: it is awake, and another one rests.
        open(&mut tickets, 0);
        assert!(matches!(tickets.rows[0].held, Held::Open(_)));
        assert!(matches!(tickets.rows[10].held, Held::Packed(_)));
    }
}
