//! One step: which units are not what they were, and what that adds and takes away.
//!
//! Invariant: a unit that neither an event nor its own time has touched is not looked at.

use std::collections::BTreeSet;

use pegcount_domain::time::{Interval, Micros, Span};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::Follower;
use crate::{
    agent::emit::Output as AgentOutput,
    cells::Contribution,
    contact::{LegOutcome, fold::Output as ContactOutput},
    fact::Slot,
    live::{
        deltas::{Deltas, Sink, put},
        parts::{AgentPart, ContactPart},
    },
    site::{
        Site,
        changes::Changes,
        read::{LineChanges, Reading},
    },
};

/// A unit that changes by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Due {
    Agent(Slot),
    Contact(Slot),
    Line(Slot),
}

/// Units to be looked at anew.
#[derive(Default)]
pub(super) struct Stale {
    agents: BTreeSet<Slot>,
    contacts: BTreeSet<Slot>,
    lines: BTreeSet<Slot>,
}

/// One step of a follower.
pub(super) struct Step<'a> {
    pub(super) follower: &'a mut Follower,
    pub(super) site: &'a Site,
    pub(super) now: Micros,
    pub(super) deltas: Deltas,
    /// Whether customers' lines are looked at; otherwise those that are not what they were are only noted.
    pub(super) with_lines: bool,
}

impl Step<'_> {
    /// Looks at everything.
    pub(super) fn begin(&mut self) {
        let own = &mut *self.follower;
        own.agents.clear();
        own.contacts.clear();
        own.lines.clear();
        own.lines_left.clear();
        own.in_line.clear();
        own.going_on_with.clear();
        own.matured.clear();
        own.due.clear();
        let agents = (0u32..).map(Slot).take(self.site.agents.list.len()).collect();
        let contacts = self.site.open.iter().copied().collect();
        self.renew(Stale { agents, contacts, lines: BTreeSet::new() });
        self.maturity();
    }

    /// What facts have changed, and what time has.
    pub(super) fn stale(&mut self, changes: &Changes, before: Micros) -> Stale {
        let mut stale = Stale {
            agents: changes.agents.iter().copied().collect(),
            contacts: changes.contacts.iter().copied().collect(),
            lines: changes.lines.iter().copied().collect(),
        };
        let own = &mut *self.follower;
        while let Some(due) = own.due.pop(self.now) {
            match due {
                Due::Agent(slot) => stale.agents.insert(slot),
                Due::Contact(slot) => stale.contacts.insert(slot),
                Due::Line(slot) => stale.lines.insert(slot),
            };
        }
        if Interval::containing(before) != Interval::containing(self.now) {
            let agents = (0u32..).map(Slot).zip(&own.agents);
            stale.agents.extend(agents.filter(|(_, part)| part.grows()).map(|(slot, _)| slot));
            let waiting = own.contacts.iter().filter(|(_, part)| part.waits());
            stale.contacts.extend(waiting.map(|(slot, _)| *slot));
        }
        let touched = stale.contacts.iter().filter_map(|slot| self.site.contacts.get(*slot).map(|_| slot));
        for contact in touched {
            let line = own.contacts.get(contact).and_then(|part| part.item).map(|(line, _)| line);
            stale.lines.extend(line);
            let following = own.going_on_with.get(contact).into_iter().flatten();
            let items = following.filter_map(|other| own.contacts.get(other)?.item);
            stale.lines.extend(items.map(|(line, _)| line));
        }
        stale
    }

    pub(super) fn renew(&mut self, mut stale: Stale) {
        let touched: FxHashSet<Slot> = stale.contacts.iter().copied().collect();
        let mut outputs = [AgentOutput::default(), AgentOutput::live()];
        for slot in &stale.agents {
            self.agent(*slot, &mut outputs, &mut stale.contacts);
        }
        let mut output = ContactOutput::default();
        for slot in &stale.contacts {
            self.contact(*slot, touched.contains(slot), &mut output, &mut stale.lines);
        }
        self.follower.lines_left.append(&mut stale.lines);
        if self.with_lines {
            for slot in std::mem::take(&mut self.follower.lines_left) {
                self.line(slot);
            }
        }
    }

    fn agent(&mut self, slot: Slot, outputs: &mut [AgentOutput; 2], contacts: &mut BTreeSet<Slot>) {
        let Some(unit) = self.site.agents.get(slot) else { return };
        let own = &mut *self.follower;
        if own.agents.len() <= slot.index() {
            own.agents.resize_with(slot.index() + 1, AgentPart::default);
        }
        let Some(known) = own.agents.get_mut(slot.index()) else { return };
        let (part, until) = AgentPart::of(unit, self.site, self.now, outputs);
        let same = |one: &crate::agent::emit::Told, list: &[crate::agent::emit::Told]| {
            list.iter().any(|o| (o.contact, o.leg, o.outcome) == (one.contact, one.leg, one.outcome))
        };
        let gone = known.told.iter().filter(|one| !same(one, &part.told));
        let new = part.told.iter().filter(|one| !same(one, &known.told));
        contacts.extend(gone.chain(new).map(|told| told.contact));
        known.give(own.base, -1, &mut self.deltas);
        part.give(own.base, 1, &mut self.deltas);
        *known = part;
        own.due.set(Due::Agent(slot), until);
    }

    fn contact(
        &mut self,
        slot: Slot,
        is_touched: bool,
        output: &mut ContactOutput,
        lines: &mut BTreeSet<Slot>,
    ) {
        let mut until = None;
        let unit = self.site.contacts.get(slot).filter(|_| self.site.open.contains(&slot));
        let part = unit.as_deref().map(|unit| {
            let legs = self.legs(slot, unit);
            let (part, change) = ContactPart::of(unit, &legs, &self.site.reference, self.now, output);
            until = change;
            part
        });
        let own = &mut *self.follower;
        let before = own.contacts.remove(&slot).unwrap_or_default();
        let part = part.unwrap_or_default();
        before.give(-1, &mut self.deltas);
        part.give(1, &mut self.deltas);
        own.due.set(Due::Contact(slot), until);
        if is_touched || before.item != part.item {
            lines.extend(before.item.iter().chain(&part.item).map(|(line, _)| *line));
        }
        for (item, joins) in [(&before.item, false), (&part.item, true)] {
            let Some((line, item)) = item else { continue };
            link(&mut own.in_line, *line, slot, joins);
            if let Some(root) = item.journey {
                link(&mut own.going_on_with, root, slot, joins);
            }
        }
        if unit.is_some() {
            own.contacts.insert(slot, part);
        }
    }

    fn legs(&self, contact: Slot, unit: &crate::contact::ContactUnit) -> SmallVec<[LegOutcome; 2]> {
        let outcome = |entry: &crate::contact::LegEntry| {
            let agent = self.site.agents.get(entry.agent)?;
            self.follower.agents.get(entry.agent.index())?.outcome(contact, entry, agent)
        };
        unit.legs.iter().map(|entry| outcome(entry).unwrap_or(entry.outcome)).collect()
    }

    fn line(&mut self, slot: Slot) {
        let own = &mut *self.follower;
        let mut reading = Reading::of(self.site, self.now, Span::new(Micros(i64::MIN), Micros::MAX));
        if let Some(contacts) = own.in_line.get(&slot) {
            let mut changes = LineChanges::default();
            for contact in contacts {
                let item = own.contacts.get(contact).and_then(|part| part.item);
                changes.items.push((*contact, item.map(|(_, item)| item)));
                changes.tickets.extend(reading.led_tickets(*contact));
            }
            reading.line(slot, &changes, &mut Default::default());
        }
        let until = reading.overlay.next_change;
        let part: Box<[Contribution]> = reading.overlay.contributions.into();
        own.due.set(Due::Line(slot), until);
        part.iter().for_each(|contribution| put(&mut self.deltas, contribution, 1));
        let before = if part.is_empty() { own.lines.remove(&slot) } else { own.lines.insert(slot, part) };
        before.iter().flatten().for_each(|contribution| put(&mut self.deltas, contribution, -1));
    }

    pub(super) fn books(&mut self, changes: &Changes) {
        changes.books.cells.iter().for_each(|contribution| put(&mut self.deltas, contribution, 1));
        for (crossing, sign) in &changes.books.crossings {
            self.deltas.crossing(crossing, *sign);
        }
        for (standing, sign) in &changes.books.standings {
            self.deltas.standing(standing, *sign);
        }
    }

    pub(super) fn maturity(&mut self) {
        let matured: Vec<Contribution> = self.site.books.maturity(self.now).collect();
        let own = &mut *self.follower;
        own.next_maturing = self.site.books.next_maturing(self.now);
        for (list, sign) in [(&own.matured, -1), (&matured, 1)] {
            for contribution in list {
                put(&mut self.deltas, contribution, sign);
            }
        }
        own.matured = matured;
    }
}

fn link<const N: usize>(
    links: &mut FxHashMap<Slot, SmallVec<[Slot; N]>>,
    to: Slot,
    contact: Slot,
    joins: bool,
) where
    [Slot; N]: smallvec::Array<Item = Slot>,
{
    let list = links.entry(to).or_default();
    list.retain(|other| *other != contact);
    if joins {
        list.push(contact);
    }
    if list.is_empty() {
        links.remove(&to);
    }
}
