//! Tickets into the books: each stands there with all its facts, and what it owes matures.
//!
//! A fact that comes after all others of its ticket, and changes nothing of what the ticket is, is one step: what hung on how the ticket
//! stood is taken back, and said anew. Any other change folds the ticket again. Invariant: the books hold of a ticket what a fold of
//! all its facts gives.

use pegcount_domain::time::{Interval, Micros, Span};
use smallvec::SmallVec;

use crate::{
    cells::Contributions,
    fact::{Slot, insert_sorted},
    site::Site,
    ticket::{Ground, TicketFact, TicketUnit, odd},
};

type Intervals = SmallVec<[Interval; 8]>;

impl Site {
    /// What folds of tickets look up.
    pub(crate) fn ground(&self) -> Ground<'_> {
        Ground { reference: &self.reference, classes: &self.classes }
    }

    /// A fact of a ticket.
    pub(super) fn add_ticket_fact(&mut self, ticket: Slot, fact: TicketFact) {
        let Some(unit) = self.tickets.get(ticket) else { return };
        let is_next = unit.facts.last().is_some_and(|last| last.stamp <= fact.stamp);
        let tells = !fact.event.sets().is_empty();
        drop(unit);
        if !is_next || fact.said.is_some() || tells {
            self.change_ticket(ticket, |facts| insert_sorted(facts, fact, |fact| fact.stamp));
            return;
        }
        let lines = fact.is_of_issue().then(|| self.tickets.get(ticket).map(|unit| self.lines_of(&unit)));
        let lines = lines.flatten().unwrap_or_default();
        for line in &lines {
            self.enter_line(*line, -1);
        }
        self.go_on_with(ticket, fact);
        for line in &lines {
            self.enter_line(*line, 1);
        }
    }

    /// One step.
    fn go_on_with(&mut self, ticket: Slot, fact: TicketFact) {
        let mut out = std::mem::take(&mut self.scratch.line);
        let ground = Ground { reference: &self.reference, classes: &self.classes };
        let Some(unit) = self.tickets.get_mut(ticket) else { return };
        out.clear();
        if unit.course.is_none() {
            unit.course = unit.fold(ground, Micros::MAX, &mut out, &mut Vec::new()).map(Box::new);
            out.clear();
        }
        let at = fact.stamp.at;
        let is_expected = match &mut unit.course {
            Some(course) => {
                course.pending(ground, &mut out);
                self.books.enter(&out, -1, self.position);
                out.clear();
                let is_expected = course.step(&fact, ground, &mut out);
                course.pending(ground, &mut out);
                unit.reach = course.reach(at);
                is_expected
            }
            // Before its opening.
            None => false,
        };
        if !is_expected {
            self.books.mark(&[odd(&fact)], 1);
        }
        let is_listed = unit.facts.last().is_some_and(|last| is_near(last.stamp.at, at));
        unit.facts.push(fact);
        let mut owed = owed_in(&out);
        owed.retain(|interval| unit.list(*interval));
        if !is_listed {
            self.near_tickets.put(ticket, Interval::containing(at), true);
        }
        for interval in owed {
            self.near_owed.put(ticket, interval, true);
        }
        self.books.last_effect = self.books.last_effect.max(at);
        self.books.enter(&out, 1, self.position);
        self.scratch.line = out;
    }

    /// Adds all that a ticket gives, or takes it away.
    pub(super) fn enter_ticket(&mut self, ticket: Slot, sign: i64) {
        let Some(unit) = self.tickets.get_mut(ticket) else { return };
        if sign > 0 {
            self.classes.learn(unit.facts.iter());
        }
        let mut out = std::mem::take(&mut self.scratch.line);
        let mut anomalies = Vec::new();
        out.clear();
        let ground = Ground { reference: &self.reference, classes: &self.classes };
        let course = unit.fold(ground, Micros::MAX, &mut out, &mut anomalies);
        let last = unit.last_effect();
        unit.reach = course.as_ref().map_or(last, |course| course.reach(last));
        unit.course = course.filter(|_| sign > 0).map(Box::new);
        let owed = owed_in(&out);
        for interval in &owed {
            unit.list(*interval);
        }
        let facts = facts_in(unit);
        for (near, intervals) in [(&mut self.near_tickets, facts), (&mut self.near_owed, owed)] {
            intervals.into_iter().for_each(|interval| near.put(ticket, interval, sign > 0));
        }
        self.books.last_effect = self.books.last_effect.max(last);
        self.books.enter(&out, sign, self.position);
        self.books.mark(&anomalies, sign);
        self.scratch.line = out;
    }

    /// The tickets of which a fact lies later than an instant.
    pub(crate) fn tickets_after(&self, instant: Micros) -> Vec<Slot> {
        if self.books.last_effect <= instant {
            return Vec::new();
        }
        let mut tickets = self.near_tickets.from(instant);
        tickets.retain(|slot| self.tickets.get(*slot).is_some_and(|unit| unit.last_effect() > instant));
        tickets
    }

    /// The tickets that may count in a range as of an instant.
    pub(super) fn tickets_in(&self, range: Span, as_of: Micros) -> Vec<Slot> {
        let mut tickets = self.near_tickets.within(range);
        tickets.extend(self.near_owed.within(range));
        tickets.extend(self.tickets_after(as_of));
        tickets.sort_unstable();
        tickets.dedup();
        tickets
    }

    /// Finds anew where all tickets count, and how far definitions reach them.
    pub(crate) fn look_near_tickets(&mut self) {
        (self.near_tickets, self.near_owed) = Default::default();
        let (mut out, mut ignored) = (Contributions::default(), Vec::new());
        for slot in self.tickets.slots() {
            let Some(unit) = self.tickets.wake(slot) else { continue };
            self.classes.learn(unit.facts.iter());
            let ground = Ground { reference: &self.reference, classes: &self.classes };
            out.clear();
            let course = unit.fold(ground, Micros::MAX, &mut out, &mut ignored);
            let last = unit.last_effect();
            unit.reach = course.map_or(last, |course| course.reach(last));
            let (facts, owed) = (facts_in(unit), owed_in(&out));
            for (near, intervals) in [(&mut self.near_tickets, facts), (&mut self.near_owed, owed)] {
                intervals.into_iter().for_each(|interval| near.put(slot, interval, true));
            }
            self.tickets.rest_some();
        }
    }
}

fn is_near(one: Micros, other: Micros) -> bool {
    Interval::containing(one) == Interval::containing(other)
}

/// The intervals of a ticket's facts, each once.
fn facts_in(unit: &TicketUnit) -> Intervals {
    let mut intervals: Intervals =
        unit.facts.iter().map(|fact| Interval::containing(fact.stamp.at)).collect();
    intervals.dedup();
    intervals
}

/// The intervals in which anything counts that only becomes so, each once.
fn owed_in(out: &Contributions) -> Intervals {
    let mut intervals: Intervals =
        out.maturing.iter().map(|(_, contribution)| contribution.interval).collect();
    intervals.sort_unstable();
    intervals.dedup();
    intervals
}

impl TicketUnit {
    /// Notes that it is listed in an interval; false if that was known.
    fn list(&mut self, interval: Interval) -> bool {
        self.course.as_mut().is_some_and(|course| course.list(interval))
    }
}
