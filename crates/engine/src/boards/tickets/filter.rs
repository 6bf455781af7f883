//! Which tickets are asked for, and in what order they are told.
//!
//! Invariant: what is told after a cursor lies behind it in the order asked for, whatever happened meanwhile; a ticket that stays
//! as it is is told once and not left out.

use pegcount_domain::{
    envelope::Position,
    ids::{AgentId, CategoryId, CustomerId, Name, TeamId, TicketId, TicketKind},
    ticketing::{Severity, Status, Urgency},
    time::Micros,
};
use roaring::RoaringBitmap;

use super::{
    Tickets,
    entry::{Facet, NEVER},
    index::Place,
};

/// Tickets for which each list that is not empty holds one of its values, and the rest is so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct TicketFilter {
    pub statuses: Vec<Status>,
    pub kinds: Vec<TicketKind>,
    pub categories: Vec<CategoryId>,
    pub severities: Vec<Severity>,
    pub urgencies: Vec<Urgency>,
    pub owners: Vec<AgentId>,
    pub groups: Vec<TeamId>,
    pub tiers: Vec<Name>,
    pub regions: Vec<Name>,
    pub channels: Vec<Name>,
    pub customer: Option<CustomerId>,
    /// Nobody owns it.
    pub unowned: bool,
    /// Received, owned or resolved by this agent, now or earlier; or owned by nobody yet.
    pub visible_to: Option<AgentId>,
    /// A target is due before this instant.
    pub due_before: Option<Micros>,
    /// A target is due within this time from now on, or overdue.
    pub due_within: Option<Micros>,
    /// Whether a target was missed, or is overdue.
    pub breached: Option<bool>,
}

/// In what order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TicketOrder {
    /// As they were opened.
    #[default]
    Oldest,
    /// The last one opened first.
    Newest,
    /// Those with a target that runs, the earliest due first.
    Due,
}

/// Where a page ended: after the ticket opened at this position, which was due then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketCursor {
    /// When it was due.
    pub due: Micros,
    /// Where it was opened.
    pub opened: Position,
}

/// Of fewer than so many that are to be told by their due times, all are sorted; of more, those in the order of their due times are
/// asked one by one.
const SORTED_MAX: u64 = 20_000;

/// Up to so many overdue tickets are put into a set; of more a page is found as soon by asking each.
const FEW_MAX: usize = 20_000;

impl TicketFilter {
    /// What must all hold: of each list one.
    fn conditions(&self) -> Vec<Vec<Facet>> {
        fn each<T: Clone>(list: &[T], facet: impl Fn(T) -> Facet) -> Vec<Facet> {
            list.iter().cloned().map(facet).collect()
        }
        let mut all = vec![
            each(&self.statuses, Facet::Status),
            each(&self.kinds, |kind| Facet::Kind(kind.0)),
            each(&self.categories, |category| Facet::Category(category.0)),
            each(&self.severities, Facet::Severity),
            each(&self.urgencies, Facet::Urgency),
            each(&self.owners, Facet::Owner),
            each(&self.groups, |group| Facet::Group(group.0)),
            each(&self.tiers, Facet::Tier),
            each(&self.regions, Facet::Region),
            each(&self.channels, Facet::Channel),
        ];
        if self.unowned {
            all.push(vec![Facet::Unowned]);
        }
        if let Some(agent) = &self.visible_to {
            all.push(vec![Facet::Involved(agent.clone()), Facet::Unowned]);
        }
        all.retain(|facets| !facets.is_empty());
        all
    }

    /// A target must be due before this instant, as of `now`.
    pub(super) fn due_limit(&self, now: Micros) -> Option<Micros> {
        let within = self.due_within.map(|within| now.plus(within).plus(Micros(1)));
        match (self.due_before, within) {
            (Some(before), Some(within)) => Some(before.min(within)),
            (before, within) => before.or(within),
        }
    }

    /// Whether a ticket may come or go by time alone.
    pub(super) fn moves(&self) -> bool {
        self.due_within.is_some() || self.breached.is_some()
    }
}

impl Tickets {
    /// Whether a ticket is asked for.
    pub(super) fn matches(&self, place: Place, filter: &TicketFilter, now: Micros) -> bool {
        let has = |facets: Vec<Facet>| facets.iter().any(|facet| self.index.has(facet, place));
        let of_customer = |customer| self.index.of_customer(customer).contains(&place);
        filter.conditions().into_iter().all(has)
            && filter.customer.as_ref().is_none_or(of_customer)
            && self.is_in_time(place, filter, now)
    }

    /// Whether an agent is involved in a ticket, or nobody owns it.
    pub(crate) fn is_visible(&self, ticket: &TicketId, agent: &AgentId) -> bool {
        let involved = Facet::Involved(agent.clone());
        let place = self.places.get(ticket);
        place
            .is_some_and(|place| [involved, Facet::Unowned].iter().any(|facet| self.index.has(facet, *place)))
    }

    fn is_in_time(&self, place: Place, filter: &TicketFilter, now: Micros) -> bool {
        let due = self.index.due(place);
        let breached = || due < now || self.index.has(&Facet::Missed, place);
        filter.due_limit(now).is_none_or(|limit| due < limit)
            && filter.breached.is_none_or(|asked| asked == breached())
    }

    /// Those that are asked for but for their times.
    fn candidates(&self, filter: &TicketFilter, now: Micros) -> RoaringBitmap {
        let mut conditions = filter.conditions();
        // The smallest first: the others only make it smaller.
        conditions.sort_by_key(|facets| self.index.count(facets));
        let mut rest = conditions.iter();
        let mut found = match &filter.customer {
            Some(customer) => self.index.of_customer(customer).iter().copied().collect(),
            None => rest.next().map_or_else(|| self.index.all(), |first| self.index.any_of(first)),
        };
        for facets in rest {
            self.index.keep(&mut found, facets);
        }
        // Where few were missed, most tickets need not be asked.
        if filter.breached == Some(true)
            && let Some(overdue) = self.index.overdue(now, FEW_MAX)
        {
            found &= overdue | self.index.any_of(&[Facet::Missed]);
        }
        found
    }

    /// At most `limit` of the tickets asked for, behind `after`, and whether there are more.
    pub(super) fn find(
        &self,
        filter: &TicketFilter,
        order: TicketOrder,
        after: Option<TicketCursor>,
        limit: usize,
        now: Micros,
    ) -> (Vec<Place>, bool) {
        let mut candidates = self.candidates(filter, now);
        let wanted = |place: &Place| self.is_in_time(*place, filter, now);
        let mut found: Vec<Place> = match order {
            TicketOrder::Oldest => {
                if let Some(after) = after {
                    candidates.remove_range(..self.first_after(after.opened));
                }
                candidates.iter().filter(wanted).take(limit + 1).collect()
            }
            TicketOrder::Newest => {
                if let Some(after) = after {
                    candidates.remove_range(self.first_after(Position(after.opened.0.saturating_sub(1)))..);
                }
                candidates.iter().rev().filter(wanted).take(limit + 1).collect()
            }
            TicketOrder::Due => {
                let from =
                    after.map_or((Micros(i64::MIN), 0), |after| (after.due, self.first_after(after.opened)));
                let to = filter.due_limit(now).unwrap_or(NEVER);
                if candidates.len() < SORTED_MAX {
                    let with_due = candidates.iter().map(|place| (self.index.due(place), place));
                    let mut sorted: Vec<_> =
                        with_due.filter(|at| *at >= from && at.0 < to && wanted(&at.1)).collect();
                    sorted.sort_unstable();
                    sorted.into_iter().map(|(_, place)| place).take(limit + 1).collect()
                } else {
                    let due = self.index.due_between(from, to).map(|(_, place)| place);
                    due.filter(|place| candidates.contains(*place) && wanted(place)).take(limit + 1).collect()
                }
            }
        };
        let more = found.len() > limit;
        found.truncate(limit);
        (found, more)
    }
}
