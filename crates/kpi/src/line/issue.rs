//! First-contact resolution of tickets, and of contacts whose wrap-up code says whether they are resolved.
//!
//! KPIS.md §5: an issue's first contact is the journey that opened it, up to the end of handling of its last leg, our
//! own call-backs left out. Invariant: an issue is eligible once, in the interval of that end.

use pegcount_domain::{
    formula::{Identity, Repeats, Rules, TransferRule},
    time::{Micros, Span},
};
use smallvec::SmallVec;

use crate::{
    cells::{Attribution, Contributions, Detail, Dims, Part},
    fact::{Mark, Slot},
    line::{Around, Item, WrapUp, root},
    measure::Measure,
};

pub(super) fn fold(
    items: &[(Slot, Item)],
    own_tickets: &[Slot],
    around: Around<'_>,
    as_of: Micros,
    out: &mut Contributions,
) {
    let tickets = own_tickets.iter().filter_map(|slot| Some((slot, around.tickets.get(*slot)?)));
    for (slot, ticket) in tickets {
        if let Some(journey) = ticket.opened(as_of).and_then(|opened| Journey::with(items, opened.contact?)) {
            let topic = if ticket.topic() == Mark::NONE { journey.topic } else { ticket.topic() };
            let resolved = ticket.first_resolved(as_of);
            let undone = resolved.and_then(|at| ticket.reopened_after(at, as_of));
            out.source(Part::Ticket(*slot), journey.first.started, journey.until);
            journey.count(items, Outcome { topic, resolved, undone }, around, out);
        }
    }
    let wrapped = items.iter().filter(|(_, item)| item.wrap_up.is_some());
    let mut roots: SmallVec<[Slot; 2]> = wrapped.map(|(slot, item)| root(*slot, item)).collect();
    roots.sort_unstable();
    roots.dedup();
    for root in roots.into_iter().filter(|root| !any_ticket(items, *root, around, as_of)) {
        if let Some(journey) = Journey::from(items, root).filter(|journey| journey.from_customer)
            && let Some(wrap_up) = journey.wrap_up
        {
            // The code speaks of the contact, however late it is given.
            let resolved = wrap_up.resolved.then_some(journey.until);
            out.source(Part::Contact(journey.root), journey.first.started, journey.until);
            journey.count(items, Outcome { topic: journey.topic, resolved, undone: None }, around, out);
        }
    }
}

fn any_ticket(items: &[(Slot, Item)], root: Slot, around: Around<'_>, as_of: Micros) -> bool {
    let mut parts = items.iter().filter(|(slot, item)| is_part(*slot, item, root));
    around.has_ticket(root, as_of) || parts.any(|(slot, _)| around.has_ticket(*slot, as_of))
}

/// Why an issue failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Resolved, but after the first contact.
    Later,
    /// Passed on to another queue.
    Transferred,
    /// Opened again.
    Reopened,
    /// The customer came again about the same.
    Repeated,
}

impl Cause {
    const ALL: [Self; 4] = [Self::Later, Self::Transferred, Self::Reopened, Self::Repeated];

    /// As cells keep it.
    fn detail(self) -> Detail {
        let place = (1u32..).zip(Self::ALL).find(|(_, cause)| *cause == self);
        Detail(place.map_or(0, |(code, _)| code))
    }

    /// The word of a cause as cells keep it.
    pub(crate) fn word(detail: Detail) -> Option<&'static str> {
        let cause = (1u32..).zip(Self::ALL).find(|(code, _)| *code == detail.0)?.1;
        Some(match cause {
            Self::Later => "later",
            Self::Transferred => "transferred",
            Self::Reopened => "reopened",
            Self::Repeated => "repeated",
        })
    }
}

/// What is said of an issue besides its journey.
#[derive(Clone, Copy)]
struct Outcome {
    topic: Mark,
    resolved: Option<Micros>,
    /// When the first resolution was undone.
    undone: Option<Micros>,
}

/// The first contact of an issue.
struct Journey<'a> {
    root: Slot,
    first: &'a Item,
    /// The end of handling of its last leg.
    until: Micros,
    /// Whether its first contact was begun by the customer.
    from_customer: bool,
    transferred: bool,
    topic: Mark,
    /// The last one of its contacts.
    wrap_up: Option<WrapUp>,
}

impl<'a> Journey<'a> {
    /// The journey of `contact`; none while any of its contacts is being handled, or if nobody answered.
    fn with(items: &'a [(Slot, Item)], contact: Slot) -> Option<Self> {
        let own = items.iter().find(|(slot, _)| *slot == contact);
        Self::from(items, own.map_or(contact, |(slot, item)| root(*slot, item)))
    }

    /// The journey that begins with `root`.
    fn from(items: &'a [(Slot, Item)], root: Slot) -> Option<Self> {
        let parts = || items.iter().filter(move |(slot, item)| is_part(*slot, item, root) && !item.callback);
        let (_, first) = parts().find(|(_, item)| item.answered_at.is_some())?;
        let mut until = first.completed_at?;
        for (_, part) in parts() {
            until = until.max(part.completed_at?);
        }
        let transferred = parts().any(|(_, item)| item.transferred);
        let topic = parts().map(|(_, item)| item.topic).find(|topic| *topic != Mark::NONE);
        let wrap_up = parts().filter_map(|(_, item)| item.wrap_up).max_by_key(|wrap_up| wrap_up.at);
        let from_customer = parts().next().is_some_and(|(_, item)| item.from_customer);
        let topic = topic.unwrap_or_default();
        Some(Self { root, first, until, from_customer, transferred, topic, wrap_up })
    }

    fn count(&self, items: &[(Slot, Item)], outcome: Outcome, around: Around<'_>, out: &mut Contributions) {
        let rules = &around.reference.law(self.first.started).rules;
        let credited = self.first.credited;
        let mut count = |dims, measure| out.at(self.until, Attribution::Event, dims, measure, 1);
        count(credited, Measure::FcrEligible);
        let Some(resolved) = outcome.resolved else { return };
        let until = resolved.plus(rules.fcr_window);
        if let Some(cause) = self.failed(items, outcome, resolved, rules) {
            count(credited, Measure::FcrFinal);
            count(Dims { detail: cause.detail(), ..credited }, Measure::FcrFailed);
        } else {
            count(credited, Measure::FcrHeld);
            out.mature(until, self.until, self.first, Measure::FcrFinal);
        }
    }

    /// Why it is no resolution at first contact; of several causes the first in their order.
    fn failed(
        &self,
        items: &[(Slot, Item)],
        outcome: Outcome,
        resolved: Micros,
        rules: &Rules,
    ) -> Option<Cause> {
        let until = resolved.plus(rules.fcr_window);
        if resolved > self.until {
            Some(Cause::Later)
        } else if self.transferred && rules.fcr_transfer == TransferRule::Fails {
            Some(Cause::Transferred)
        } else if outcome.undone.is_some_and(|at| at <= until) {
            Some(Cause::Reopened)
        } else {
            self.is_repeated(items, outcome.topic, Span::new(resolved, until), rules)
                .then_some(Cause::Repeated)
        }
    }

    /// Whether the customer came back about the same, after `window` began and no later than it ends; an unknown topic
    /// may be the same.
    fn is_repeated(&self, items: &[(Slot, Item)], topic: Mark, window: Span, rules: &Rules) -> bool {
        let same = |other: Mark| {
            rules.fcr_identity == Identity::Customer
                || other == topic
                || other == Mark::NONE
                || topic == Mark::NONE
        };
        let came = |item: &Item| match rules.fcr_repeats {
            Repeats::Answered => item.answered_at,
            Repeats::Any => Some(item.started),
        };
        let mut others =
            items.iter().filter(|(slot, item)| item.from_customer && !is_part(*slot, item, self.root));
        others.any(|(_, item)| {
            same(item.topic) && came(item).is_some_and(|at| window.start < at && at <= window.end)
        })
    }
}

fn is_part(slot: Slot, item: &Item, root: Slot) -> bool {
    super::root(slot, item) == root
}
