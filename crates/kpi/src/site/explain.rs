//! Where the contributions of a range come from: every unit folded once more, each contribution with its source.
//!
//! Slow and thorough, for the figure that somebody asks about. Invariant: for every measure, what is found sums to what
//! books and open work together answer.

use pegcount_domain::{
    envelope::Position,
    time::{Micros, Span},
};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::{
    agent::{clock::machine_reason, emit::Output as AgentOutput},
    cells::{Contribution, Contributions, Detail, Part, Source},
    contact::{
        ContactBody, ContactFact,
        fold::{Output as ContactOutput, fold},
    },
    day::{judge::Judge, words},
    fact::{AgentFact, Mark, Slot},
    line::{self, Item, Items},
    measure::{Measure, Sheet},
    names::Id,
    reference::EfficiencyTarget,
    site::{
        Site,
        days::{Judged, contributions, day_amounts, month_amounts},
        read::{Reading, Scope},
    },
};

/// A unit of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Unit {
    Agent(Slot),
    Contact(Slot),
    Line(Slot),
    Ticket(Slot),
}

/// Which units to look at; the others cannot hold what is asked for.
#[allow(clippy::struct_excessive_bools, reason = "one for each kind of unit")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) agents: bool,
    pub(crate) contacts: bool,
    pub(crate) lines: bool,
    pub(crate) tickets: bool,
    pub(crate) days: bool,
    /// The efficiency target that the question forces.
    pub(crate) target: Option<EfficiencyTarget>,
}

impl Wanted {
    /// All units.
    pub(crate) const EVERYTHING: Self =
        Self { agents: true, contacts: true, lines: true, tickets: true, days: true, target: None };

    /// The units that can hold any of these measures.
    pub(crate) fn of(measures: &[Measure], target: Option<EfficiencyTarget>) -> Self {
        let any = |sheets: &[Sheet]| measures.iter().any(|measure| sheets.contains(&measure.sheet()));
        Self {
            agents: any(&[Sheet::Clock, Sheet::Away, Sheet::Leg, Sheet::Handle, Sheet::Transfer]),
            contacts: any(&[Sheet::Visit, Sheet::Wait, Sheet::Line]),
            lines: any(&[Sheet::Line, Sheet::Failure]) || measures.iter().any(|one| is_attempt(*one)),
            tickets: any(&[Sheet::Ticket, Sheet::Target, Sheet::Backlog, Sheet::Took]),
            days: any(&[Sheet::Day]),
            target,
        }
    }
}

/// Whether a measure of visits is a customer line's to count.
pub(crate) fn is_attempt(measure: Measure) -> bool {
    matches!(measure, Measure::FirstAttempts | Measure::FirstAttemptsAnswered | Measure::AttemptsUnknown)
}

/// A contact that is not at the instant as its line keeps it.
struct Changed {
    contact: Slot,
    /// The line that it is in, as far as it is known today.
    line: Option<Slot>,
    /// As it is at the instant; none: not begun.
    item: Option<Item>,
    tickets: SmallVec<[Slot; 1]>,
}

impl Site {
    /// Gives every contribution in `range` as of an instant to `take`, with its source.
    pub(crate) fn explain(
        &self,
        as_of: Micros,
        range: Span,
        wanted: Wanted,
        take: &mut impl FnMut(Unit, Source, &Contribution),
    ) {
        if wanted.agents {
            for (slot, unit) in (0u32..).map(Slot).zip(&self.agents.list) {
                let mut out = AgentOutput::traced(range);
                unit.trace(&self.reference, range, as_of, &mut out);
                give(Unit::Agent(slot), &out.contributions, as_of, take);
            }
        }
        if wanted.days {
            self.explain_days(as_of, range, wanted.target, take);
        }
        if wanted.contacts || wanted.lines {
            let changed = self.explain_contacts(as_of, range, take);
            if wanted.lines {
                self.explain_lines(as_of, range, &changed, take);
            }
        }
        if wanted.tickets {
            let mut ignored = Vec::new();
            for slot in self.tickets_in(range, as_of) {
                let Some(unit) = self.tickets.get(slot) else { continue };
                let mut out = Contributions::traced(range);
                unit.fold(self.ground(), as_of, &mut out, &mut ignored);
                give(Unit::Ticket(slot), &out, as_of, take);
            }
        }
    }

    fn explain_days(
        &self,
        as_of: Micros,
        range: Span,
        target: Option<EfficiencyTarget>,
        take: &mut impl FnMut(Unit, Source, &Contribution),
    ) {
        let agents = (0u32..).map(Slot).zip(&self.agents.list);
        for (slot, unit) in agents.filter(|(_, unit)| unit.has_clock) {
            let (days, months) = self.days_of(unit, as_of, range, target);
            let of_days = days.iter().map(|day| (day.span, day.verdict.team, day_amounts(day.verdict)));
            let of_months =
                months.iter().map(|month| (month.span, month.verdict.team, month_amounts(month.verdict)));
            for (span, team, amounts) in of_days.chain(of_months) {
                let source = Source { from: span.start, to: span.end, part: Part::Day };
                for contribution in contributions(unit.id, team, span.end, &amounts, 1) {
                    take(Unit::Agent(slot), source, &contribution);
                }
            }
        }
    }

    /// What a day or a month came to, in words; nothing for other sources.
    pub(crate) fn words_of(
        &self,
        unit: Unit,
        source: Source,
        as_of: Micros,
        target: Option<EfficiencyTarget>,
    ) -> Vec<String> {
        let (Unit::Agent(slot), Part::Day) = (unit, source.part) else { return Vec::new() };
        let Some(agent) = self.agents.get(slot) else { return Vec::new() };
        let range = Span::new(source.to.minus(Micros(1)), source.to);
        let (days, months) = self.days_of(agent, as_of, range, target);
        let judge = Judge { reference: &self.reference, agent: agent.id, target };
        let reason = |detail: Detail| {
            let known = machine_reason(detail).or_else(|| self.names.text(Id(detail.0)));
            known.map_or_else(|| "no reason".to_owned(), |name| format!("`{name}`"))
        };
        let span = Span::new(source.from, source.to);
        if let Some(Judged { days, verdict, .. }) = days.iter().find(|day| day.span == span) {
            let day = days.first();
            return day.map_or_else(Vec::new, |day| words::of_day(&judge, day, *verdict, reason));
        }
        let month = months.iter().find(|month| month.span == span);
        month.map_or_else(Vec::new, |month| words::of_month(&judge, &month.days, month.verdict))
    }

    fn explain_contacts(
        &self,
        as_of: Micros,
        range: Span,
        take: &mut impl FnMut(Unit, Source, &Contribution),
    ) -> Vec<Changed> {
        let mut reading = Reading::of(self, as_of, range);
        reading.agents(&Scope::Everything);
        let mut changed = Vec::new();
        for contact in self.contacts_in(range, as_of) {
            let Some(unit) = self.contacts.get(contact) else { continue };
            let is_changed = unit.settled.is_none_or(|settled| settled.last_effect > as_of);
            let mut out = ContactOutput::traced(range);
            let outcome = fold(&unit, &reading.legs(contact, &unit), &self.reference, as_of, &mut out);
            if let Some(outcome) = outcome.filter(|outcome| outcome.line.is_none()) {
                line::unidentified(&outcome.item, &mut out.contributions);
            }
            give(Unit::Contact(contact), &out.contributions, as_of, take);
            if is_changed {
                let line =
                    unit.settled.map_or_else(|| outcome.and_then(|now| now.line), |settled| settled.line);
                let (item, tickets) = (outcome.map(|now| now.item), reading.led_tickets(contact));
                changed.push(Changed { contact, line, item, tickets });
            }
        }
        changed
    }

    /// The contacts that may count in a range, or are not as they are settled at the instant.
    pub(crate) fn contacts_in(&self, range: Span, as_of: Micros) -> Vec<Slot> {
        let mut contacts = self.near.within(range);
        contacts.extend(&self.open);
        contacts.extend(self.settled_after(as_of));
        contacts.sort_unstable();
        contacts.dedup();
        contacts
    }

    /// The lines of those, and of the contacts that have changed.
    fn lines_in(&self, range: Span, changed: &FxHashMap<Slot, SmallVec<[&Changed; 2]>>) -> Vec<Slot> {
        let near = self.near.within(range);
        let own = near.iter().filter_map(|slot| self.contacts.get(*slot)?.settled?.line);
        let mut lines: Vec<Slot> = own.chain(changed.keys().copied()).collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    }

    fn explain_lines(
        &self,
        as_of: Micros,
        range: Span,
        changed: &[Changed],
        take: &mut impl FnMut(Unit, Source, &Contribution),
    ) {
        let mut by_line: FxHashMap<Slot, SmallVec<[&Changed; 2]>> = FxHashMap::default();
        for change in changed {
            if let Some(line) = change.line {
                by_line.entry(line).or_default().push(change);
            }
        }
        for line in self.lines_in(range, &by_line) {
            let Some(unit) = self.lines.get(line) else { continue };
            let own = by_line.get(&line).map_or(&[][..], |own| own);
            let is_changed = |slot: Slot| own.iter().any(|change| change.contact == slot);
            let mut items: Items =
                unit.items.iter().filter(|(slot, _)| !is_changed(*slot)).copied().collect();
            let mut tickets = unit.tickets.clone();
            for change in own {
                tickets.extend_from_slice(&change.tickets);
                if let Some(item) = change.item {
                    line::insert(&mut items, change.contact, item);
                }
            }
            if items.iter().any(|(_, item)| touches(item, range)) {
                let mut out = Contributions::traced(range);
                line::fold(&items, &tickets, self.around(), as_of, &mut out);
                give(Unit::Line(line), &out, as_of, take);
            }
        }
    }

    /// The events behind what a source gave.
    pub(crate) fn events_of(&self, unit: Unit, source: Source) -> Vec<Position> {
        let mut events = match (unit, source.part) {
            (Unit::Agent(slot), part) => self.agents.get(slot).map_or_else(Vec::new, |agent| match part {
                Part::Leg(mark) => positions(&agent.facts_of(mark, source.from)),
                Part::Day => agent.facts_within(source.from, source.to),
                _ => {
                    let ends = agent.facts_between(source.from, source.to);
                    // Both ends may be a timer's; then what came before them says why.
                    if ends.is_empty() { agent.facts_within(source.from, source.to) } else { ends }
                }
            }),
            (Unit::Contact(slot), Part::Visit(mark)) => self.events_of_visit(slot, mark),
            (Unit::Contact(slot), _) => self.events_of_contact(slot),
            (_, Part::Contact(slot)) => self.events_of_journey(slot),
            (Unit::Ticket(slot), _) => self.events_of_ticket(slot, source),
            (_, Part::Ticket(slot)) => self.events_of_issue(slot),
            (Unit::Line(_), _) => Vec::new(),
        };
        events.sort_unstable();
        events.dedup();
        events
    }

    fn events_of_visit(&self, contact: Slot, visit: Mark) -> Vec<Position> {
        let Some(unit) = self.contacts.get(contact) else { return Vec::new() };
        let is_own = |fact: &&ContactFact| match fact.body {
            ContactBody::Entered { visit: own, .. } | ContactBody::Left { visit: own, .. } => own == visit,
            ContactBody::Started { .. } | ContactBody::Ended { .. } => true,
            _ => false,
        };
        let own = unit.facts.iter().filter(is_own).map(|fact| fact.stamp.position);
        let legs = unit.legs.iter().flat_map(|leg| self.facts_of(leg));
        let named = legs.filter(|fact| fact.leg().is_some_and(|leg| leg.visit == visit));
        own.chain(named.map(|fact| fact.stamp.position)).collect()
    }

    /// A contact; one that others only say that they go on with has no events of its own, and these tell of it.
    fn events_of_journey(&self, root: Slot) -> Vec<Position> {
        let own = self.events_of_contact(root);
        if !own.is_empty() {
            return own;
        }
        let parts = self.contacts.iter().filter(|(_, unit)| unit.journey() == Some(root));
        parts.flat_map(|(slot, _)| self.events_of_contact(slot)).collect()
    }

    fn events_of_contact(&self, contact: Slot) -> Vec<Position> {
        let Some(unit) = self.contacts.get(contact) else { return Vec::new() };
        let own = unit.facts.iter().map(|fact| fact.stamp.position);
        let legs = unit.legs.iter().flat_map(|leg| self.facts_of(leg));
        own.chain(legs.map(|fact| fact.stamp.position)).collect()
    }

    fn events_of_ticket(&self, ticket: Slot, source: Source) -> Vec<Position> {
        let Some(unit) = self.tickets.get(ticket) else { return Vec::new() };
        let ends = [source.from, source.to];
        let own = unit.facts.iter().filter(|fact| ends.contains(&fact.stamp.at));
        own.map(|fact| fact.stamp.position).collect()
    }

    /// A ticket with the contact that it was opened in.
    fn events_of_issue(&self, ticket: Slot) -> Vec<Position> {
        let Some(unit) = self.tickets.get(ticket) else { return Vec::new() };
        let contact = unit.opened(Micros::MAX).and_then(|opened| opened.contact);
        let of_contact = contact.map(|contact| self.events_of_contact(contact)).unwrap_or_default();
        unit.facts.iter().map(|fact| fact.stamp.position).chain(of_contact).collect()
    }
}

fn positions(facts: &[AgentFact]) -> Vec<Position> {
    facts.iter().map(|fact| fact.stamp.position).collect()
}

/// Whether a contact can give its line something in `range`.
fn touches(item: &Item, range: Span) -> bool {
    let inside = |at: Micros| range.start <= at && at < range.end;
    [Some(item.started), item.ended_at, item.completed_at].into_iter().flatten().any(inside)
}

fn give(
    unit: Unit,
    contributions: &Contributions,
    as_of: Micros,
    take: &mut impl FnMut(Unit, Source, &Contribution),
) {
    for (contribution, source) in contributions.explained(as_of) {
        take(unit, source, contribution);
    }
}
