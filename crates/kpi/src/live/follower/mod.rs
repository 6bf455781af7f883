//! One site followed, [`step`] by step: what is open of it, unit by unit, brought up to date by what has changed.
//!
//! Invariant: books plus parts are what a fold of the whole history counts at the instant, as long as nothing in it lies
//! later than that.

mod present;
mod schedule;
mod step;

use std::collections::BTreeSet;

use pegcount_domain::{
    envelope::Position,
    ids::SiteId,
    time::{Interval, Micros},
};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use self::{schedule::Schedule, step::Step};
use crate::{
    cells::Contribution,
    fact::Slot,
    kpi::Kpi,
    live::{
        deltas::{Deltas, Sink, put},
        parts::{AgentPart, ContactPart},
    },
    query::{Query, gather, plan::Plan},
    site::{Site, changes::Changes},
};

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
    /// Lines that are not what they were: nobody who asked since needed them.
    lines_left: BTreeSet<Slot>,
    /// The open contacts of each line, and those that go on with a contact.
    in_line: FxHashMap<Slot, SmallVec<[Slot; 2]>>,
    going_on_with: FxHashMap<Slot, SmallVec<[Slot; 1]>>,
    /// What has matured and does not stand in the cells yet.
    matured: Vec<Contribution>,
    due: Schedule,
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
            lines_left: BTreeSet::new(),
            in_line: FxHashMap::default(),
            going_on_with: FxHashMap::default(),
            matured: Vec::new(),
            due: Schedule::default(),
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
        changes.books.standings.extend(new.books.standings);
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
        self.step_as(kpi, now, true, Deltas::default())
    }

    /// The same for boards none of which needs customers' lines ([`Board::needs_lines`](super::Board::needs_lines)): what has changed
    /// of those is left for later, and the differences lack it.
    pub fn step_without_lines(&mut self, kpi: &Kpi, now: Micros) -> Deltas {
        self.step_as(kpi, now, false, Deltas::default())
    }

    /// The same for questions alone, which ask for no differences: what none of them needs is left for later. Boards that
    /// are kept must not miss it.
    pub fn step_for(&mut self, kpi: &Kpi, now: Micros, queries: &[Query]) {
        self.step_as(kpi, now, self.needs_lines(kpi, queries), Deltas::unknown());
    }

    /// Whether an answer to any of these has customers' lines in it.
    pub fn needs_lines(&self, kpi: &Kpi, queries: &[Query]) -> bool {
        let site = kpi.site(&self.site);
        let needs = |query: &Query| Plan::of(query, site).is_ok_and(|plan| gather::wanted(&plan).lines);
        queries.iter().any(needs)
    }

    fn step_as(&mut self, kpi: &Kpi, now: Micros, with_lines: bool, deltas: Deltas) -> Deltas {
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
            return Deltas::unknown();
        }
        let is_anew = changes.everything || !was_present;
        let deltas = if is_anew { Deltas::unknown() } else { deltas };
        let mut step = Step { follower: self, site, now, deltas, with_lines };
        if is_anew {
            step.begin();
            return step.deltas;
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
        let due = self.due.next();
        let border = Interval::containing(self.as_of).end();
        [due, self.next_maturing, Some(border)].into_iter().flatten().min()
    }
}
