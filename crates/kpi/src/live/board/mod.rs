//! A query's table, kept up to date by differences.
//!
//! Every time it changes it gets a number, and any two numbers give the rows to tell: so a watcher who was slow, or away,
//! is told at once what many changes came to.
//!
//! - [`sink`]: differences into rows; [`sums`]: one row; [`backlog`]: open tickets; [`telling`]: what to tell, since which number
//!
//! Invariant: after a step it holds what the query answers as of the step's instant.

mod backlog;
mod sink;
mod sums;
mod telling;

use std::collections::{BTreeSet, VecDeque};

use pegcount_domain::{
    envelope::Position,
    ids::Name,
    time::{Interval, Micros},
};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use self::{
    backlog::Backlog,
    sums::{Since, Sums},
};
use crate::{
    agent::standing::STATES,
    contact::fold::Crossing,
    kpi::Kpi,
    live::{
        deltas::{Cell, Deltas, Line, Sink},
        follower::Follower,
    },
    measure::Sheet,
    query::{
        Query, QueryError, Variant,
        buckets::Buckets,
        cut::{Cut, Keys, attribution},
        gather,
        plan::Plan,
        table::text,
        versions::{self, row_law},
    },
    reference::Law,
    site::Site,
};

/// So many changed rows are remembered at least, and twice as many as there are.
const REMEMBERED_MIN: usize = 4_096;

/// A row's bucket and keys.
type Place = (u32, Keys);

/// A table that changes.
pub struct Board {
    query: Query,
    plan: Plan,
    buckets: Buckets,
    cut: Cut,
    /// For each bucket the formula version whose forms its rows have.
    laws: Vec<Law>,
    /// The one in force at the range's start.
    formula_version: u8,
    /// Whether formula versions are told apart.
    tells: bool,
    older_definitions: Option<Position>,
    /// How many names and classes of tickets the site had when the filters were looked up.
    names: usize,
    base: Micros,
    as_of: Micros,
    position: Position,
    /// The bucket in which `as_of` lies.
    current: Option<u32>,
    rows: FxHashMap<Place, Sums>,
    /// Visits that wait now.
    waiting: FxHashMap<Keys, Since>,
    /// Agents that are signed in now, by state.
    signed_in: FxHashMap<Keys, [i64; STATES]>,
    /// Tickets that are open, since which bucket.
    backlog: Backlog,
    changed: BTreeSet<Place>,
    texts: Vec<FxHashMap<u32, Option<Name>>>,
    version: u64,
    /// Its first number; 0: it has none yet.
    first: u64,
    /// The places that changed with each number, the oldest first.
    told: VecDeque<(u64, Vec<Place>)>,
    told_places: usize,
}

impl Board {
    /// Whether a query's table can be kept by differences: a window moves on as a whole, and another way to take ratios or
    /// another target has sums of its own.
    pub fn follows(query: &Query) -> bool {
        query.last.is_none() && query.variant == Variant::default()
    }

    /// Whether what becomes of customers' lines is in it.
    pub fn needs_lines(&self) -> bool {
        gather::wanted(&self.plan).lines
    }

    /// An empty table of a query over a range, with its first number after `version`; [`Self::fill`] it.
    ///
    /// Errors: as of a query.
    pub fn new(query: Query, version: u64) -> Result<Self, QueryError> {
        query.check()?;
        let cuts = query.by.iter().filter(|cut| !cut.is_time()).count();
        Ok(Self {
            plan: Plan::of(&query, None)?,
            laws: Vec::new(),
            formula_version: 0,
            tells: false,
            older_definitions: None,
            buckets: Buckets::of(&query),
            cut: Cut::of(&query, None),
            names: 0,
            base: Micros::ZERO,
            as_of: Micros(i64::MIN),
            position: Position::START,
            current: None,
            rows: FxHashMap::default(),
            waiting: FxHashMap::default(),
            signed_in: FxHashMap::default(),
            backlog: Backlog::default(),
            changed: BTreeSet::new(),
            texts: vec![FxHashMap::default(); cuts],
            version,
            first: 0,
            told: VecDeque::new(),
            told_places: 0,
            query,
        })
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Its present number.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Fills it anew from a site that has just been stepped; what differs from before counts as changed.
    pub fn fill(&mut self, kpi: &Kpi, follower: &Follower) {
        let before = std::mem::take(&mut self.rows);
        // What has changed before and has no number yet must still get one.
        let pending = std::mem::take(&mut self.changed);
        let (base, current) = (self.base, self.current);
        let waiting = std::mem::take(&mut self.waiting);
        let signed_in = std::mem::take(&mut self.signed_in);
        let backlog = std::mem::take(&mut self.backlog);
        let site = kpi.site(&self.query.site);
        self.base = follower.base();
        self.look_up(site);
        let same_laws = self.learn_laws(site);
        if let Some(site) = site {
            self.fill_from(site, follower);
            self.fill_backlog(site, follower.as_of());
        }
        if self.query.by.is_empty() {
            self.row((0, Keys::new()));
        }
        self.advance(follower);
        let same_base = base == self.base && current == self.current && same_laws;
        self.changed = self.rows.keys().cloned().collect();
        for (place, old) in before.into_iter().filter(|(_, old)| old.is_told) {
            let Some(new) = self.rows.get_mut(&place) else {
                self.changed.insert(place.clone());
                self.row(place).is_told = true;
                continue;
            };
            new.is_told = true;
            let same = same_base && new.is_as(&old);
            let same_gauges = waiting.get(&place.1) == self.waiting.get(&place.1)
                && signed_in.get(&place.1) == self.signed_in.get(&place.1);
            let same = same && backlog.get(&place.1) == self.backlog.get(&place.1);
            if same && (Some(place.0) != current || same_gauges) {
                self.changed.remove(&place);
            }
        }
        for place in pending {
            self.touch(place);
        }
        self.name(site);
    }

    /// Learns which formula version holds when; true if they are as they were.
    fn learn_laws(&mut self, site: Option<&Site>) -> bool {
        let law = |bucket: &crate::query::buckets::Bucket| row_law(&self.query, site, bucket.from);
        let laws: Vec<Law> = self.buckets.list.iter().map(law).collect();
        self.tells = site.is_some_and(|site| versions::tells(&self.query, site));
        self.formula_version = row_law(&self.query, site, self.query.range().start).number;
        // Its columns have been checked.
        if let Ok(plan) = Plan::of(&self.query, site) {
            self.plan = plan;
        }
        let same = laws == self.laws;
        self.laws = laws;
        same
    }

    fn fill_from(&mut self, site: &Site, follower: &Follower) {
        let (from, to) = self.buckets.whole();
        for sheet in Sheet::ALL {
            if self.plan.by_sheet.get(sheet as usize).is_none_or(SmallVec::is_empty) {
                continue;
            }
            let attribution = attribution(sheet, self.query.attribution);
            site.books.cells.rows(sheet, attribution, (from, to), |interval, dims, amounts| {
                for (measure, amount) in
                    sheet.measures().iter().zip(amounts).filter(|(_, amount)| **amount != 0)
                {
                    let cell = Cell { measure: *measure, attribution, interval, dims: *dims };
                    self.cell(cell, Line { at_base: *amount, rate: 0 });
                }
            });
        }
        let lasts: Vec<Interval> =
            self.buckets.list.iter().map(|bucket| Interval::containing(bucket.to.minus(Micros(1)))).collect();
        for last in lasts {
            site.books.crossings(last).iter().for_each(|crossing| self.crossing(crossing, 1));
            site.books.standings(last).iter().for_each(|standing| self.standing(standing, 1));
        }
        follower.give(self);
    }

    /// Takes in what has changed since the step before; the follower has just been stepped.
    pub fn apply(&mut self, deltas: &Deltas, kpi: &Kpi, follower: &Follower) {
        if deltas.everything {
            self.fill(kpi, follower);
            return;
        }
        self.look_up(kpi.site(&self.query.site));
        for (cell, line) in &deltas.cells {
            self.cell(*cell, *line);
        }
        for ((interval, dims, entered), sign) in &deltas.crossings {
            self.crossing(&Crossing { interval: *interval, dims: *dims, entered: *entered }, *sign);
        }
        for ((dims, entered), sign) in &deltas.waiting {
            self.waiting(dims, *entered, *sign);
        }
        for (standing, sign) in &deltas.standings {
            self.standing(standing, *sign);
        }
        for ((dims, state), sign) in &deltas.signed_in {
            self.signed_in(dims, *state, *sign);
        }
        self.advance(follower);
        self.name(kpi.site(&self.query.site));
    }

    /// Looks up what the filters name, if there are new names.
    fn look_up(&mut self, site: Option<&Site>) {
        let names = site.map_or(0, |site| site.names.entries().len() + site.classes.len());
        if names != self.names {
            self.names = names;
            self.cut = Cut::of(&self.query, site);
        }
    }

    /// Learns the texts of new rows' keys.
    fn name(&mut self, site: Option<&Site>) {
        let cuts = self.query.by.iter().copied().filter(|cut| !cut.is_time());
        for (index, cut) in cuts.enumerate() {
            let Some(texts) = self.texts.get_mut(index) else { continue };
            for key in self.changed.iter().filter_map(|(_, keys)| keys.get(index)) {
                texts.entry(*key).or_insert_with(|| text(cut, *key, site));
            }
        }
    }

    /// Time has come to the follower's instant: gauges stand for the bucket in which it lies.
    fn advance(&mut self, follower: &Follower) {
        self.begin_rows(self.as_of, follower.as_of());
        self.as_of = follower.as_of();
        self.position = follower.position();
        self.older_definitions = follower.older_definitions();
        let is_in = |bucket: &crate::query::buckets::Bucket| {
            bucket.from <= follower.as_of() && follower.as_of() < bucket.to
        };
        let current = (0u32..).zip(&self.buckets.list).find(|(_, bucket)| is_in(bucket)).map(|(at, _)| at);
        if current == self.current {
            return;
        }
        let gauged: Vec<Keys> = self.waiting.keys().chain(self.signed_in.keys()).cloned().collect();
        for bucket in self.current.into_iter().chain(current) {
            let places = gauged.iter().map(|keys| (bucket, keys.clone())).collect::<Vec<_>>();
            for place in places {
                self.touch(place);
            }
        }
        self.current = current;
    }

    fn row(&mut self, place: Place) -> &mut Sums {
        let width = self.plan.measures.len();
        let new = || Sums { amounts: vec![0; width].into_boxed_slice(), ..Sums::default() };
        self.rows.entry(place).or_insert_with(new)
    }

    fn touch(&mut self, place: Place) {
        self.row(place.clone());
        self.changed.insert(place);
    }

    /// The instant of its values.
    pub fn as_of(&self) -> Micros {
        self.as_of
    }

    /// Up to where the log is in it.
    pub fn position(&self) -> Position {
        self.position
    }
}
