//! A site's figures once more, by another formula version, from its units: no event is read again.
//!
//! A version changes what is counted, never what was: chapters, legs' outcomes, days, and which contacts are over stay as they
//! are, and all that is put into the books is put into new ones. One thread folds, in the order of time, so that rows rest as
//! they always do; another one enters. Not for what was known then: in which order facts came, units do not say. Invariant:
//! the new books hold what a fold of all events by that version would have put there.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    mem,
    sync::mpsc::{Receiver, SyncSender, channel, sync_channel},
    thread,
};

use pegcount_domain::time::Micros;

use crate::{
    agent::{emit::Output as AgentOutput, unit::AgentUnit},
    cells::Contributions,
    contact::{
        ContactUnit, Settled,
        fold::{Outcome, Output as ContactOutput, fold as fold_contact},
    },
    correction::Corrections,
    fact::Slot,
    line::{Around, Line, fold as fold_line, unidentified},
    reference::{Law, Reference},
    site::{Site, contacts::Outcomes, due::DaysDue, resting::Resting},
};

/// So many folds go from one thread to the other at once.
const BATCH: usize = 128;
/// So many batches wait at most.
const WAITING: usize = 16;

/// One contact by the new version.
#[derive(Default)]
struct Reckoned {
    contact: Option<Slot>,
    out: ContactOutput,
    outcome: Option<Outcome>,
}

impl Site {
    /// Puts all that a formula version counts into new books. For a site that has closed no history, and defers nothing.
    pub(crate) fn reckon_by(&mut self, law: Law) {
        self.reference.force(law);
        self.corrections = Corrections::default();
        let old = mem::take(&mut self.books);
        self.books.cells.set_open_rows_max(old.cells.open_rows_max());
        (self.near, self.near_tickets, self.near_owed) = Default::default();
        self.reckon_agents();
        self.reckon_contacts();
        self.reckon_lines();
        self.reckon_tickets();
        self.reckon_days();
        self.books.keep_marks(old);
        self.books.mature(self.now, self.position);
        self.books.touch_span(Micros(i64::MIN), Micros::MAX, self.position);
        self.rewritten_at = self.position;
        self.all_changed = true;
    }

    fn reckon_agents(&mut self) {
        let Self { agents, reference, books, position, .. } = self;
        let enter = |out: &mut AgentOutput| {
            books.enter_standings(&out.standings, 1);
            books.enter(&out.contributions, 1, *position);
            books.cells.rest_some();
            out.clear();
        };
        beside(|give| each_in_time(&agents.list, reference, give), enter);
    }

    fn reckon_contacts(&mut self) {
        let Self { contacts, lines, reference, books, near, scratch, position, .. } = self;
        let mut settled = Vec::new();
        let enter = |one: &mut Reckoned| {
            let (Some(contact), Some(outcome)) = (one.contact, one.outcome.take()) else { return };
            books.enter(&one.out.contributions, 1, *position);
            books.enter_crossings(&one.out.crossings, 1);
            books.last_effect = books.last_effect.max(outcome.last_effect);
            near.enter(contact, &one.out, &outcome, true);
            settled.push((contact, outcome.line, outcome.last_effect));
            if let Some(line) = outcome.line {
                put_in_line(lines, line, contact, &outcome);
            } else {
                scratch.line.clear();
                unidentified(&outcome.item, &mut scratch.line);
                books.enter(&scratch.line, 1, *position);
            }
            books.cells.rest_some();
        };
        beside(|give| each_settled(contacts, reference, give), enter);
        for (contact, line, last_effect) in settled {
            let known = contacts.get(contact).and_then(|unit| unit.settled);
            if known.is_some_and(|known| known.last_effect != last_effect)
                && let Some(unit) = contacts.wake(contact)
            {
                unit.settled = Some(Settled { line, last_effect });
                contacts.rest_some();
            }
        }
    }

    fn reckon_lines(&mut self) {
        let Self { contacts, lines, tickets, reference, books, position, .. } = self;
        let around = Around { contacts, tickets, reference };
        let enter = |out: &mut Contributions| {
            books.enter(out, 1, *position);
            books.cells.rest_some();
            out.clear();
        };
        let each = |give: Give<'_, Contributions>| {
            for (_, line) in lines.iter() {
                if !line.items.is_empty() || !line.tickets.is_empty() {
                    give(&mut |out| fold_line(&line.items, &line.tickets, around, Micros::MAX, out));
                }
            }
        };
        beside(each, enter);
    }

    fn reckon_tickets(&mut self) {
        for ticket in self.tickets.slots() {
            self.enter_ticket(ticket, 1);
            self.tickets.rest_some();
            self.books.cells.rest_some();
        }
    }

    /// The sums of days are the same; what they came to is judged, and put into the books, once more.
    fn reckon_days(&mut self) {
        self.days_due = DaysDue::default();
        for unit in &mut self.agents.list {
            unit.ledger.leave_books();
        }
        self.expire_days(Micros(i64::MIN), None);
        self.settle_days(self.now);
    }
}

/// What is said of a contact in its customer's line.
fn put_in_line(lines: &mut Resting<Line>, line: Slot, contact: Slot, outcome: &Outcome) {
    let Some(unit) = lines.wake(line) else { return };
    if let Some((_, item)) = unit.items.iter_mut().find(|(slot, _)| *slot == contact) {
        *item = outcome.item;
    }
    lines.rest_some();
}

type Give<'a, T> = &'a mut dyn FnMut(&mut dyn FnMut(&mut T));

/// All that stands in the books of agents, chapter by chapter, those that ended first first.
fn each_in_time(agents: &[AgentUnit], reference: &Reference, give: Give<'_, AgentOutput>) {
    let ends = |(slot, unit): (usize, &AgentUnit)| Some(Reverse((unit.end_of(0)?, slot, 0)));
    let mut next: BinaryHeap<_> = agents.iter().enumerate().filter_map(ends).collect();
    while let Some(Reverse((_, slot, chapter))) = next.pop() {
        let Some(unit) = agents.get(slot) else { continue };
        give(&mut |out| unit.reckon(chapter, reference, out));
        next.extend(unit.end_of(chapter + 1).map(|end| Reverse((end, slot, chapter + 1))));
    }
}

fn each_settled(contacts: &Resting<ContactUnit>, reference: &Reference, give: Give<'_, Reckoned>) {
    for (contact, unit) in contacts.iter() {
        if unit.settled.is_none() {
            continue;
        }
        let legs: Outcomes = unit.legs.iter().map(|entry| entry.outcome).collect();
        give(&mut |one| {
            one.contact = Some(contact);
            one.out.clear();
            one.outcome = fold_contact(&unit, &legs, reference, Micros::MAX, &mut one.out);
        });
    }
}

/// Runs `make` on a thread of its own, and takes what it makes here, in the same order; memory goes round.
fn beside<T: Default + Send>(make: impl FnOnce(Give<'_, T>) + Send, mut take: impl FnMut(&mut T)) {
    let (sender, receiver): (SyncSender<(Vec<T>, usize)>, Receiver<_>) = sync_channel(WAITING);
    let (spent, empty) = channel::<Vec<T>>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let (mut batch, mut filled): (Vec<T>, usize) = (Vec::new(), 0);
            make(&mut |fill| {
                if filled == batch.len() {
                    batch.push(T::default());
                }
                if let Some(one) = batch.get_mut(filled) {
                    fill(one);
                }
                filled += 1;
                if filled == BATCH {
                    let next = empty.try_recv().unwrap_or_default();
                    // Nobody takes any more only if taking has failed, and then all of it has.
                    let _ = sender.send((mem::replace(&mut batch, next), mem::take(&mut filled)));
                }
            });
            let _ = sender.send((batch, filled));
        });
        for (mut batch, filled) in receiver {
            batch.iter_mut().take(filled).for_each(&mut take);
            let _ = spent.send(batch);
        }
    });
}
