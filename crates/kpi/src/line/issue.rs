//! First-contact resolution of tickets, and of contacts whose wrap-up code says whether they are resolved.
//!
//! KPIS.md §5: an issue's first contact is the journey that opened it, up to the end of handling of its last leg, our
//! own call-backs left out. Invariant: an issue is eligible once, in the interval of that end.

use pegcount_domain::time::Micros;

use crate::{
    cells::{Attribution, Contributions},
    fact::{Mark, Slot},
    line::{Item, REPEAT_WINDOW},
    measure::Measure,
    ticket::TicketUnit,
};

pub(super) fn fold(
    items: &[(Slot, Item)],
    own_tickets: &[Slot],
    tickets: &[TicketUnit],
    as_of: Micros,
    out: &mut Contributions,
) {
    if own_tickets.is_empty() && items.iter().all(|(_, item)| item.resolved.is_none()) {
        return;
    }
    let own = || own_tickets.iter().filter_map(|slot| tickets.get(slot.index()));
    for ticket in own() {
        if let Some(journey) = ticket.opened(as_of).and_then(|opened| Journey::of(items, opened.contact?)) {
            let topic = if ticket.topic() == Mark::NONE { journey.topic } else { ticket.topic() };
            let resolved = ticket.first_resolved(as_of);
            let undone = resolved.and_then(|at| ticket.reopened_after(at, as_of));
            journey.count(items, topic, resolved, undone, out);
        }
    }
    for (slot, item) in items.iter().filter(|(_, item)| item.resolved.is_some() && item.from_customer) {
        let mut opened = own().filter_map(|ticket| ticket.opened(as_of)?.contact);
        let has_ticket = opened.any(|contact| contact == *slot || root(items, contact) == *slot);
        if let Some(journey) = Journey::of(items, *slot).filter(|_| !has_ticket && item.answered_at.is_some())
        {
            let resolved = item.resolved.filter(|resolved| *resolved).map(|_| journey.until);
            journey.count(items, journey.topic, resolved, None, out);
        }
    }
}

fn root(items: &[(Slot, Item)], contact: Slot) -> Slot {
    let own = items.iter().find(|(slot, _)| *slot == contact);
    own.and_then(|(_, item)| item.journey).unwrap_or(contact)
}

/// The first contact of an issue.
struct Journey<'a> {
    root: Slot,
    first: &'a Item,
    /// The end of handling of its last leg.
    until: Micros,
    transferred: bool,
    topic: Mark,
}

impl<'a> Journey<'a> {
    /// The journey of `contact`; none while any of its contacts is being handled, or if nobody answered.
    fn of(items: &'a [(Slot, Item)], contact: Slot) -> Option<Self> {
        let root = root(items, contact);
        let parts = || items.iter().filter(move |(slot, item)| is_part(*slot, item, root) && !item.callback);
        let (_, first) = parts().find(|(_, item)| item.answered_at.is_some())?;
        let mut until = first.completed_at?;
        for (_, part) in parts() {
            until = until.max(part.completed_at?);
        }
        let transferred = parts().any(|(_, item)| item.transferred);
        let topic = parts().map(|(_, item)| item.topic).find(|topic| *topic != Mark::NONE);
        Some(Self { root, first, until, transferred, topic: topic.unwrap_or_default() })
    }

    fn count(
        &self,
        items: &[(Slot, Item)],
        topic: Mark,
        resolved: Option<Micros>,
        undone: Option<Micros>,
        out: &mut Contributions,
    ) {
        let mut count = |measure| out.at(self.until, Attribution::Event, self.first.credited, measure, 1);
        count(Measure::FcrEligible);
        let Some(resolved) = resolved else { return };
        let until = resolved.plus(REPEAT_WINDOW);
        let undone = undone.is_some_and(|at| at <= until);
        let at_first_contact = resolved <= self.until && !self.transferred;
        if !at_first_contact || undone || self.is_repeated(items, topic, resolved, until) {
            count(Measure::FcrFinal);
        } else {
            count(Measure::FcrHeld);
            out.mature(until, self.until, self.first, Measure::FcrFinal);
        }
    }

    /// Whether the customer came back about the same; an unknown topic may be the same.
    fn is_repeated(&self, items: &[(Slot, Item)], topic: Mark, resolved: Micros, until: Micros) -> bool {
        let same = |other: Mark| other == topic || other == Mark::NONE || topic == Mark::NONE;
        let mut others =
            items.iter().filter(|(slot, item)| item.from_customer && !is_part(*slot, item, self.root));
        others.any(|(_, item)| {
            same(item.topic) && item.answered_at.is_some_and(|at| resolved < at && at <= until)
        })
    }
}

fn is_part(slot: Slot, item: &Item, root: Slot) -> bool {
    slot == root || item.journey == Some(root)
}
