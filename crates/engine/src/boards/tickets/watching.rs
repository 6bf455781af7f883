//! What changes of a list for one who watches it: by events, and by time alone.
//!
//! Invariant: what was told and what is told next is what the list holds.

use pegcount_domain::{
    envelope::{Position, Version},
    ids::{SiteId, TicketId},
    time::Micros,
};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{TicketView, Tickets, filter::TicketFilter, index::Place};

/// What one who watches was told.
#[derive(Debug)]
pub(crate) struct Watched {
    filter: TicketFilter,
    limit: usize,
    told: FxHashMap<Place, Version>,
    /// The number of the first change that was not looked at.
    next: u64,
    looked_at: Micros,
}

/// What is told.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// It is all that there is; what was told before is void.
    pub(crate) whole: bool,
    /// New, or changed.
    pub(crate) tickets: Vec<TicketView>,
    /// Not in the list any more.
    pub(crate) gone: Vec<TicketId>,
}

impl Watched {
    pub(crate) fn new(filter: TicketFilter, limit: usize) -> Self {
        Self { filter, limit, told: FxHashMap::default(), next: u64::MAX, looked_at: Micros(i64::MIN) }
    }

    /// What changed since the last look; the first is the whole list. None: more tickets than are told.
    pub(crate) fn look(
        &mut self,
        tickets: &Tickets,
        now: Micros,
        (site, position): (&SiteId, Position),
    ) -> Option<Told> {
        let since = tickets.changed.since(self.next).map(Iterator::collect::<FxHashSet<_>>);
        let Some(mut doubtful) = since else {
            return self.whole(tickets, now, (site, position));
        };
        doubtful.extend(tickets.moved(&self.filter, self.looked_at, now));
        let mut told = Told::default();
        for place in doubtful {
            let Some(row) = tickets.row(place) else { continue };
            if !tickets.matches(place, &self.filter, now) {
                if self.told.remove(&place).is_some() {
                    told.gone.push(row.id.clone());
                }
                continue;
            }
            if let Some(view) = tickets.view_at(place, site, position)
                && self.told.insert(place, view.version) != Some(view.version)
            {
                told.tickets.push(view);
            }
        }
        self.next = tickets.changed.next();
        self.looked_at = now;
        if self.told.len() > self.limit {
            return None;
        }
        told.tickets.sort_by_key(|view| view.opened);
        Some(told)
    }

    fn whole(&mut self, tickets: &Tickets, now: Micros, at: (&SiteId, Position)) -> Option<Told> {
        let (places, more) = tickets.find(&self.filter, super::TicketOrder::Oldest, None, self.limit, now);
        if more {
            return None;
        }
        let views: Vec<_> = places.iter().filter_map(|place| tickets.view_at(*place, at.0, at.1)).collect();
        self.told = places.into_iter().zip(views.iter().map(|view| view.version)).collect();
        self.next = tickets.changed.next();
        self.looked_at = now;
        Some(Told { whole: true, tickets: views, gone: Vec::new() })
    }

    /// When something may come or go by time alone; none: by no time that is known.
    pub(crate) fn next_look(&self, tickets: &Tickets) -> Option<Micros> {
        if !self.filter.moves() {
            return None;
        }
        let within = self.filter.due_within.and_then(|within| {
            tickets.index.next_due(self.looked_at.plus(within)).map(|due| due.minus(within))
        });
        let breached = self.filter.breached.and_then(|_| tickets.index.next_due(self.looked_at));
        // A target is overdue after its instant, not at it.
        let breached = breached.map(|due| due.plus(Micros(1)));
        within.into_iter().chain(breached).min()
    }
}

impl Tickets {
    /// Those whose due times say something else after a time has passed.
    fn moved(&self, filter: &TicketFilter, from: Micros, to: Micros) -> Vec<Place> {
        let mut places = Vec::new();
        let mut between = |from: Micros, to: Micros| {
            let due = self.index.due_between((from, 0), to.plus(Micros(1)));
            places.extend(due.map(|(_, place)| place));
        };
        if let Some(within) = filter.due_within {
            between(from.plus(within), to.plus(within));
        }
        if filter.breached.is_some() {
            between(from, to);
        }
        places
    }
}
