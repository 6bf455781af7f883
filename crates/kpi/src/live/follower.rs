//! One site followed: what is open of it, unit by unit, brought up to date by what has changed.
//!
//! Invariant: books plus parts are what a fold of the whole history counts at the instant, as long as nothing in it lies
//! later than that.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap},
};

use pegcount_domain::{
    envelope::Position,
    ids::SiteId,
    time::{Interval, Micros, Span},
};
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::{
    agent::emit::Output as AgentOutput,
    cells::Contribution,
    contact::{LegOutcome, fold::Output as ContactOutput},
    fact::Slot,
    kpi::Kpi,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Agent(Slot),
    Contact(Slot),
    Line(Slot),
}

/// Units to be looked at anew.
#[derive(Default)]
struct Stale {
    agents: BTreeSet<Slot>,
    contacts: BTreeSet<Slot>,
    lines: BTreeSet<Slot>,
}

/// A site that is followed.
#[derive(Debug)]
pub struct Follower {
    site: SiteId,
    base: Micros,
    as_of: Micros,
    position: Position,
    /// Whether nothing in the history lies later than `as_of`.
    is_present: bool,
    changes: Changes,
    agents: Vec<AgentPart>,
    contacts: FxHashMap<Slot, ContactPart>,
    lines: FxHashMap<Slot, Box<[Contribution]>>,
    /// The open contacts of each line, and those that go on with a contact.
    in_line: FxHashMap<Slot, SmallVec<[Slot; 2]>>,
    going_on_with: FxHashMap<Slot, SmallVec<[Slot; 1]>>,
    /// What has matured and does not stand in the cells yet.
    matured: Vec<Contribution>,
    due: BinaryHeap<Reverse<(Micros, Due)>>,
    next_maturing: Option<Micros>,
    older_definitions: Option<Position>,
}

impl Follower {
    /// Follows a site, from `now` on.
    pub fn new(site: SiteId, now: Micros) -> Self {
        Self {
            site,
            base: now,
            as_of: Micros(i64::MIN),
            position: Position::START,
            is_present: false,
            changes: Changes { everything: true, ..Changes::default() },
            agents: Vec::new(),
            contacts: FxHashMap::default(),
            lines: FxHashMap::default(),
            in_line: FxHashMap::default(),
            going_on_with: FxHashMap::default(),
            matured: Vec::new(),
            due: BinaryHeap::new(),
            next_maturing: None,
            older_definitions: None,
        }
    }

    /// The site.
    pub fn site(&self) -> &SiteId {
        &self.site
    }

    /// The instant of the last step.
    pub fn as_of(&self) -> Micros {
        self.as_of
    }

    /// Up to where the log is in it.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The first of the definitions that are still being taken in.
    pub(crate) fn older_definitions(&self) -> Option<Position> {
        self.older_definitions
    }

    pub(crate) fn base(&self) -> Micros {
        self.base
    }

    /// Whether boards can follow by differences: nothing in the history lies later than the instant. (Facts of a clock
    /// that ran ahead do; then boards are asked for anew.)
    pub fn is_present(&self) -> bool {
        self.is_present
    }

    /// Takes over what has been noted, quickly: nobody else can read meanwhile. The first call begins the noting.
    pub fn take(&mut self, kpi: &mut Kpi) {
        let Some(site) = kpi.site_mut(&self.site) else { return };
        if site.books.feed.is_none() {
            site.follow();
            self.changes.everything = true;
            return;
        }
        let new = site.take_changes();
        let changes = &mut self.changes;
        changes.everything |= new.everything;
        changes.books.cells.extend(new.books.cells);
        changes.books.crossings.extend(new.books.crossings);
        changes.agents.extend(new.agents);
        changes.contacts.extend(new.contacts);
        changes.lines.extend(new.lines);
    }

    /// Ends the noting: nobody watches the site any more.
    pub fn end(&mut self, kpi: &mut Kpi) {
        if let Some(site) = kpi.site_mut(&self.site) {
            site.unfollow();
        }
        self.changes = Changes { everything: true, ..Changes::default() };
    }

    /// Brings everything to `now`, or to the last instant at which something was recorded, if that is later: what has
    /// changed since the step before. Between [`Self::take`] and this nothing may be applied.
    pub fn step(&mut self, kpi: &Kpi, now: Micros) -> Deltas {
        let changes = std::mem::take(&mut self.changes);
        self.position = kpi.position();
        let Some(site) = kpi.site(&self.site) else {
            self.changes.everything = true;
            self.as_of = self.as_of.max(now);
            self.is_present = true;
            return Deltas { everything: changes.everything, ..Deltas::default() };
        };
        let now = now.max(kpi.recorded_to()).max(self.as_of);
        let (before, was_present) = (self.as_of, self.is_present);
        self.as_of = now;
        self.is_present = site.latest <= now;
        self.older_definitions = site.deferred_since();
        if !self.is_present {
            return Deltas { everything: true, ..Deltas::default() };
        }
        let mut step = Step { follower: self, site, now, deltas: Deltas::default() };
        if changes.everything || !was_present {
            step.begin();
            return Deltas { everything: true, ..Deltas::default() };
        }
        let stale = step.stale(&changes, before);
        step.renew(stale);
        step.books(&changes);
        step.maturity();
        step.deltas.settled()
    }

    /// Gives everything that is open.
    pub(crate) fn give(&self, sink: &mut impl Sink) {
        self.agents.iter().for_each(|part| part.give(self.base, 1, sink));
        self.contacts.values().for_each(|part| part.give(1, sink));
        let lines = self.lines.values().flat_map(|part| part.iter());
        lines.chain(&self.matured).for_each(|contribution| put(sink, contribution, 1));
    }

    /// The intervals in which open contacts and customers' lines count, and those in which something has matured since
    /// an instant: what the books alone do not tell.
    pub(crate) fn touched(&self, site: &Site, since: Micros) -> impl Iterator<Item = Interval> {
        let lines = self.lines.values().flat_map(|part| part.iter());
        let own = lines.chain(&self.matured).map(|contribution| contribution.interval);
        let contacts = self.contacts.values().flat_map(ContactPart::intervals);
        let matured = site.books.all_maturing().filter(move |(due, _)| *due > since);
        own.chain(contacts).chain(matured.map(|(_, contribution)| contribution.interval))
    }

    /// The next instant at which something changes with no event.
    pub fn next_change(&self) -> Option<Micros> {
        let due = self.due.peek().map(|Reverse((at, _))| *at);
        let border = Interval::containing(self.as_of).end();
        [due, self.next_maturing, Some(border)].into_iter().flatten().min()
    }
}

/// One step of a follower.
struct Step<'a> {
    follower: &'a mut Follower,
    site: &'a Site,
    now: Micros,
    deltas: Deltas,
}

impl Step<'_> {
    /// Looks at everything.
    fn begin(&mut self) {
        let own = &mut *self.follower;
        own.agents.clear();
        own.contacts.clear();
        own.lines.clear();
        own.in_line.clear();
        own.going_on_with.clear();
        own.matured.clear();
        own.due.clear();
        let agents = (0u32..).map(Slot).take(self.site.agents.list.len()).collect();
        let contacts = self.site.open.iter().copied().collect();
        self.renew(Stale { agents, contacts, lines: BTreeSet::new() });
        self.maturity();
        self.deltas = Deltas::default();
    }

    /// What facts have changed, and what time has.
    fn stale(&mut self, changes: &Changes, before: Micros) -> Stale {
        let mut stale = Stale {
            agents: changes.agents.iter().copied().collect(),
            contacts: changes.contacts.iter().copied().collect(),
            lines: changes.lines.iter().copied().collect(),
        };
        let own = &mut *self.follower;
        while let Some(Reverse((at, due))) = own.due.peek().copied()
            && at <= self.now
        {
            own.due.pop();
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

    fn renew(&mut self, mut stale: Stale) {
        let touched: FxHashSet<Slot> = stale.contacts.iter().copied().collect();
        let mut outputs = [AgentOutput::default(), AgentOutput::live()];
        for slot in &stale.agents {
            self.agent(*slot, &mut outputs, &mut stale.contacts);
        }
        let mut output = ContactOutput::default();
        for slot in &stale.contacts {
            self.contact(*slot, touched.contains(slot), &mut output, &mut stale.lines);
        }
        for slot in &stale.lines {
            self.line(*slot);
        }
    }

    fn agent(&mut self, slot: Slot, outputs: &mut [AgentOutput; 2], contacts: &mut BTreeSet<Slot>) {
        let Some(unit) = self.site.agents.get(slot) else { return };
        let own = &mut *self.follower;
        if own.agents.len() <= slot.index() {
            own.agents.resize_with(slot.index() + 1, AgentPart::default);
        }
        let Some(known) = own.agents.get_mut(slot.index()) else { return };
        let (part, until) = AgentPart::of(unit, &self.site.reference, self.now, outputs);
        let same = |one: &crate::agent::emit::Told, list: &[crate::agent::emit::Told]| {
            list.iter().any(|o| (o.contact, o.leg, o.outcome) == (one.contact, one.leg, one.outcome))
        };
        let gone = known.told.iter().filter(|one| !same(one, &part.told));
        let new = part.told.iter().filter(|one| !same(one, &known.told));
        contacts.extend(gone.chain(new).map(|told| told.contact));
        known.give(own.base, -1, &mut self.deltas);
        part.give(own.base, 1, &mut self.deltas);
        *known = part;
        own.due.extend(until.map(|at| Reverse((at, Due::Agent(slot)))));
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
        let part = unit.map(|unit| {
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
        own.due.extend(until.map(|at| Reverse((at, Due::Contact(slot)))));
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
        own.due.extend(until.map(|at| Reverse((at, Due::Line(slot)))));
        part.iter().for_each(|contribution| put(&mut self.deltas, contribution, 1));
        let before = if part.is_empty() { own.lines.remove(&slot) } else { own.lines.insert(slot, part) };
        before.iter().flatten().for_each(|contribution| put(&mut self.deltas, contribution, -1));
    }

    fn books(&mut self, changes: &Changes) {
        changes.books.cells.iter().for_each(|contribution| put(&mut self.deltas, contribution, 1));
        for (crossing, sign) in &changes.books.crossings {
            self.deltas.crossing(crossing, *sign);
        }
    }

    fn maturity(&mut self) {
        let matured: Vec<Contribution> = self.site.books.maturity(self.now).collect();
        let own = &mut *self.follower;
        own.next_maturing = self.site.books.next_maturing(self.now);
        own.matured.iter().for_each(|contribution| put(&mut self.deltas, contribution, -1));
        matured.iter().for_each(|contribution| put(&mut self.deltas, contribution, 1));
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
