//! Closing history: what is over by an instant is forgotten, but for what it put into the books.
//!
//! Nothing that a later fact could still change goes: an agent's chapters go one by one, a contact with the last of its
//! legs, its tickets and its journey, a customer line from its beginning on. Invariant: closing changes no figure, and no
//! figure that facts from after the instant lead to.

use pegcount_domain::{envelope::Position, ticketing::TicketEvent, time::Micros};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::{
    anomaly::{Anomaly, AnomalyKind},
    contact::ContactUnit,
    fact::{Mark, Slot},
    line::Item,
    site::{Site, compare::lines_named},
    ticket::TicketUnit,
};

/// Units that may go.
#[derive(Default)]
struct Over {
    contacts: FxHashSet<Slot>,
    tickets: FxHashSet<Slot>,
}

/// What contacts say of each other and of tickets: each contact is opened once for it, not once for each rule.
#[derive(Default)]
struct Links {
    /// Contacts that go on with another one, and that.
    journeys: Vec<(Slot, Slot)>,
    tickets: FxHashMap<Slot, SmallVec<[Slot; 1]>>,
}

impl Site {
    /// Closes history before an instant.
    pub(super) fn close(&mut self, before: Micros) {
        if before <= self.closed_before {
            return;
        }
        self.come_to(before);
        self.closed_before = before;
        self.all_changed = true;
        self.reference.fix_days(before);
        self.forget_chapters(before);
        let over = self.over(before);
        self.forget(&over);
        self.books.forget_maturing(before);
    }

    /// Marks a fact that comes after its time.
    pub(super) fn mark_closed(&mut self, position: Position) {
        self.books.mark(&[Anomaly { position, kind: AnomalyKind::HistoryClosed }], 1);
    }

    fn forget_chapters(&mut self, before: Micros) {
        for slot in (0u32..).map(Slot).take(self.agents.list.len()) {
            if self.agents.get(slot).is_some_and(|unit| unit.rests_before(before)) {
                self.settle_agent(slot);
            }
            if let Some(unit) = self.agents.get_mut(slot) {
                unit.forget(before);
            }
        }
        self.come_to(before);
        for unit in &mut self.agents.list {
            let needed_from = unit.reaches_back_to().map_or(before, |back| back.min(before));
            unit.ledger.forget(needed_from);
        }
    }

    /// The contacts and tickets that nothing can change any more, and nothing that stays needs.
    fn over(&self, before: Micros) -> Over {
        let (mut over, mut links) = (Over::default(), Links::default());
        let there = self.legs_that_are_there();
        for (slot, unit) in self.contacts.iter() {
            if is_contact_over(&unit, before, &there) {
                over.contacts.insert(slot);
            }
            links.journeys.extend(unit.journey().map(|root| (slot, root)));
            if !unit.tickets.is_empty() {
                links.tickets.insert(slot, unit.tickets.clone());
            }
        }
        let window = self.reference.longest_window();
        let tickets = self.tickets.iter().filter(|(_, unit)| is_ticket_over(unit, before, window));
        over.tickets.extend(tickets.map(|(slot, _)| slot));
        let open_lines = self.open_lines();
        loop {
            let size = (over.contacts.len(), over.tickets.len());
            self.keep_with_tickets(&mut over, &links);
            keep_journeys(&mut over, &links);
            self.keep_lines(&mut over, before, &open_lines);
            if size == (over.contacts.len(), over.tickets.len()) {
                return over;
            }
        }
    }

    /// The legs of which any fact is there, with the units that have them.
    fn legs_that_are_there(&self) -> FxHashSet<(Slot, Mark)> {
        let agents = self.agents.iter();
        agents.flat_map(|(slot, unit)| unit.legs().into_iter().map(move |leg| (slot, leg))).collect()
    }

    /// For each line that a contact may still join: when the first of those began.
    fn open_lines(&self) -> FxHashMap<Slot, Micros> {
        let mut lines: FxHashMap<Slot, Micros> = FxHashMap::default();
        for unit in self.open.iter().filter_map(|slot| self.contacts.get(*slot)) {
            let Some(first) = unit.first_at() else { continue };
            for line in lines_named(&unit) {
                lines.entry(line).and_modify(|known| *known = first.min(*known)).or_insert(first);
            }
        }
        lines
    }

    /// A contact and its tickets go together.
    fn keep_with_tickets(&self, over: &mut Over, links: &Links) {
        let Over { contacts, tickets } = over;
        contacts.retain(|slot| {
            links.tickets.get(slot).is_none_or(|own| own.iter().all(|ticket| tickets.contains(ticket)))
        });
        tickets.retain(|slot| {
            let opened = self.tickets.get(*slot).and_then(|unit| unit.opened(Micros::MAX));
            opened.and_then(|opened| opened.contact).is_none_or(|contact| contacts.contains(&contact))
        });
    }

    /// A line goes from its beginning on, as far as nothing that stays or still comes looks back.
    fn keep_lines(&self, over: &mut Over, before: Micros, open_lines: &FxHashMap<Slot, Micros>) {
        let (window, attempt) = (self.reference.longest_window(), self.reference.longest_attempt());
        for (slot, line) in self.lines.iter() {
            let limit = open_lines.get(&slot).map_or(before, |first| before.min(*first));
            let goes =
                |(slot, item): &(Slot, Item)| over.contacts.contains(slot) && reach(item, window) < limit;
            let Some(stays) = line.items.iter().position(|entry| !goes(entry)) else { continue };
            let looks_back = line.items.get(stays).map_or(Micros::MAX, |(_, item)| item.started);
            let looks_back = looks_back.minus(attempt);
            for (index, (contact, item)) in line.items.iter().enumerate() {
                if index >= stays || item.started >= looks_back {
                    over.contacts.remove(contact);
                }
            }
        }
    }

    fn forget(&mut self, over: &Over) {
        let units = over.contacts.iter().filter_map(|slot| self.contacts.get(*slot));
        let nobodys: FxHashSet<Slot> = units.filter_map(|unit| unit.nobody).collect();
        for slot in self.lines.slots() {
            let has_gone = self.lines.get(slot).is_some_and(|line| {
                let goes = |(contact, _): &(Slot, Item)| over.contacts.contains(contact);
                line.items.iter().any(goes) || line.tickets.iter().any(|slot| over.tickets.contains(slot))
            });
            if let Some(line) = self.lines.wake(slot).filter(|_| has_gone) {
                line.items.retain(|(contact, _)| !over.contacts.contains(contact));
                line.tickets.retain(|ticket| !over.tickets.contains(ticket));
            }
            self.lines.rest_some();
        }
        self.near.forget(|contact| over.contacts.contains(&contact));
        self.near_tickets.forget(|ticket| over.tickets.contains(&ticket));
        self.near_owed.forget(|ticket| over.tickets.contains(&ticket));
        self.agents.forget(&nobodys);
        self.contacts.forget(&over.contacts);
        self.tickets.forget(&over.tickets);
        let named: FxHashSet<Slot> = self.all_lines_named().collect();
        let empty = self
            .lines
            .iter()
            .filter(|(slot, line)| line.items.is_empty() && line.tickets.is_empty() && !named.contains(slot));
        let empty: FxHashSet<Slot> = empty.map(|(slot, _)| slot).collect();
        self.lines.forget(&empty);
    }

    /// The lines that contacts and tickets speak of.
    fn all_lines_named(&self) -> impl Iterator<Item = Slot> {
        let of_tickets = self.tickets.iter().flat_map(|(_, unit)| {
            let customers = unit.facts.iter().map(|fact| fact.said.as_deref()?.customer);
            customers.chain([unit.line]).flatten().collect::<SmallVec<[Slot; 2]>>()
        });
        let of_contacts = self.contacts.iter().flat_map(|(_, unit)| {
            let settled = unit.settled.and_then(|settled| settled.line);
            let named = lines_named(&unit).chain(settled).chain(unit.followed_in.iter().copied());
            named.collect::<SmallVec<[Slot; 4]>>()
        });
        of_contacts.chain(of_tickets)
    }
}

fn is_contact_over(unit: &ContactUnit, before: Micros, there: &FxHashSet<(Slot, Mark)>) -> bool {
    unit.settled.is_some_and(|settled| settled.last_effect < before)
        && unit.legs.iter().all(|leg| !there.contains(&(leg.agent, leg.leg)))
}

/// A journey goes as a whole.
fn keep_journeys(over: &mut Over, links: &Links) {
    for (slot, root) in &links.journeys {
        if !over.contacts.contains(slot) || !over.contacts.contains(root) {
            over.contacts.remove(slot);
            over.contacts.remove(root);
        }
    }
}

/// Put away, nothing about it can be repeated any more, and nothing that it owed is still to count.
fn is_ticket_over(unit: &TicketUnit, before: Micros, window: Micros) -> bool {
    let last = unit.facts.last();
    let is_closing = |event: &TicketEvent<_>| {
        matches!(
            event,
            TicketEvent::Closed { .. } | TicketEvent::Cancelled { .. } | TicketEvent::Merged { .. }
        )
    };
    unit.reach < before
        && last.is_some_and(|fact| is_closing(&fact.event) && fact.stamp.at.plus(window) < before)
}

/// The last instant at which another contact can change what a contact counts as.
fn reach(item: &Item, window: Micros) -> Micros {
    let wrapped_at = item.wrap_up.map(|wrap_up| wrap_up.at);
    let instants = [item.ended_at, item.answered_at, item.completed_at, wrapped_at];
    instants.into_iter().flatten().fold(item.started, Micros::max).plus(window)
}
