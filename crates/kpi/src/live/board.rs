//! A query's table, kept up to date by differences.
//!
//! Every time it changes it gets a number, and any two numbers give the rows to tell: so a watcher who was slow, or away,
//! is told at once what many changes came to. Invariant: rows told since a number, laid over the table of that number, are
//! the table.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pegcount_domain::{
    envelope::Position,
    ids::Name,
    time::{Interval, Micros, Span},
};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::{
    cells::{Attribution, Detail, Dims},
    contact::fold::Crossing,
    kpi::Kpi,
    live::{
        change::{Change, LiveRow, RowId},
        deltas::{Cell, Deltas, Line, Sink},
        follower::Follower,
    },
    measure::{Measure, Sheet},
    query::{
        Query, QueryError, Row,
        buckets::Buckets,
        gather::{Cut, Keys, Waits, attribution},
        plan::{Plan, RowSums},
        table::text,
        versions::{self, Counted, row_law, row_versions},
    },
    reference::Law,
    site::Site,
};

/// So many changed rows are remembered at least, and twice as many as there are.
const REMEMBERED_MIN: usize = 4_096;

type Place = (u32, Keys);
/// Since when visits wait, each instant with how many.
type Since = BTreeMap<Micros, i64>;

/// One row's sums.
#[derive(Debug, Default)]
struct Sums {
    amounts: Box<[i64]>,
    /// By slot; never 0.
    rates: SmallVec<[(u8, i64); 2]>,
    /// Visits that waited when the row's span ended.
    crossings: Since,
    waits: Option<Box<[BTreeMap<Detail, i64>; 2]>>,
    /// By which formula versions it was counted.
    counted: Counted,
    /// Told to watchers.
    is_told: bool,
}

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
    /// How many names the site had when the filters were looked up.
    names: usize,
    base: Micros,
    as_of: Micros,
    position: Position,
    /// The bucket in which `as_of` lies.
    current: Option<u32>,
    rows: FxHashMap<Place, Sums>,
    /// Visits that wait now.
    waiting: FxHashMap<Keys, Since>,
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
        let (base, current) = (self.base, self.current);
        let waiting = std::mem::take(&mut self.waiting);
        let site = kpi.site(&self.query.site);
        self.base = follower.base();
        self.look_up(site);
        let same_laws = self.learn_laws(site);
        if let Some(site) = site {
            self.fill_from(site, follower);
        }
        if self.query.by.is_empty() {
            self.row((0, Keys::new()));
        }
        self.advance(follower);
        let same_base = base == self.base && current == self.current && same_laws;
        self.changed = self.rows.keys().cloned().collect();
        for (place, old) in before.into_iter().filter(|(_, old)| old.is_told) {
            match self.rows.get_mut(&place) {
                Some(new) => {
                    new.is_told = true;
                    let same = same_base
                        && (&new.amounts, &new.rates, &new.crossings, &new.waits, &new.counted)
                            == (&old.amounts, &old.rates, &old.crossings, &old.waits, &old.counted);
                    let waits = waiting.get(&place.1) == self.waiting.get(&place.1);
                    if same && (Some(place.0) != current || waits) {
                        self.changed.remove(&place);
                    }
                }
                None => {
                    self.changed.insert(place.clone());
                    self.row(place).is_told = true;
                }
            }
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
            for (interval, dims, amounts) in site.books.cells.rows(sheet, attribution, from, to) {
                for (measure, amount) in
                    sheet.measures().iter().zip(amounts).filter(|(_, amount)| **amount != 0)
                {
                    let cell = Cell { measure: *measure, attribution, interval, dims };
                    self.cell(cell, Line { at_base: *amount, rate: 0 });
                }
            }
        }
        let lasts: Vec<Interval> =
            self.buckets.list.iter().map(|bucket| Interval::containing(bucket.to.minus(Micros(1)))).collect();
        for crossing in lasts.into_iter().flat_map(|last| site.books.crossings(last)) {
            self.crossing(crossing, 1);
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
        self.advance(follower);
        self.name(kpi.site(&self.query.site));
    }

    /// Looks up what the filters name, if there are new names.
    fn look_up(&mut self, site: Option<&Site>) {
        let names = site.map_or(0, |site| site.names.entries().len());
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
        let waiting: Vec<Keys> = self.waiting.keys().cloned().collect();
        for bucket in self.current.into_iter().chain(current) {
            let places = waiting.iter().map(|keys| (bucket, keys.clone())).collect::<Vec<_>>();
            places.into_iter().for_each(|place| self.touch(place));
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

    /// Gives what has changed a new number; false if nothing has. The first time it always gets one.
    pub fn number(&mut self) -> bool {
        let changed = std::mem::take(&mut self.changed);
        let mut told = Vec::new();
        for place in changed {
            let stays = self.query.by.is_empty() || self.holds(&place);
            let Some(sums) = self.rows.get_mut(&place) else { continue };
            if stays || sums.is_told {
                sums.is_told = stays;
                told.push(place.clone());
            }
            if !stays {
                self.rows.remove(&place);
            }
        }
        if told.is_empty() && self.first != 0 {
            return false;
        }
        self.version += 1;
        if self.first == 0 {
            self.first = self.version;
        }
        self.told_places += told.len();
        self.told.push_back((self.version, told));
        while self.told_places > REMEMBERED_MIN.max(2 * self.rows.len())
            && let Some((_, oldest)) = self.told.pop_front()
        {
            self.told_places -= oldest.len();
        }
        true
    }

    /// Whether anything is or grows in a row.
    fn holds(&self, place: &Place) -> bool {
        let Some(sums) = self.rows.get(place) else { return false };
        let has = |sums: &Sums| sums.amounts.iter().any(|amount| *amount != 0) || !sums.rates.is_empty();
        has(sums) || self.gauge(place, sums).0 != 0
    }

    /// How many wait in a row, since when the longest, and whether they still do.
    fn gauge(&self, place: &Place, sums: &Sums) -> (i64, Micros, bool) {
        if !self.plan.needs_gauges {
            return (0, Micros::ZERO, false);
        }
        let of = |since: &Since| {
            let first = since.keys().next().copied().unwrap_or_default();
            (since.values().sum::<i64>(), first)
        };
        if self.current == Some(place.0) {
            let (count, first) = self.waiting.get(&place.1).map(of).unwrap_or_default();
            return (count, first, true);
        }
        let (count, first) = of(&sums.crossings);
        (count, first, false)
    }

    /// All of it.
    pub fn snapshot(&self) -> Change {
        self.change(true, self.rows.keys().collect())
    }

    /// What has changed since it had a number; none if that is too long ago, or no number of it.
    pub fn since(&self, version: u64) -> Option<Change> {
        let oldest = self.told.front().map_or(self.version + 1, |(oldest, _)| *oldest);
        if version < self.first.max(1) || version > self.version || version + 1 < oldest {
            return None;
        }
        let later = self.told.iter().rev().take_while(|(told, _)| *told > version);
        Some(self.change(false, later.flat_map(|(_, places)| places).collect()))
    }

    /// What has changed since it was so at a position as of an instant, told by whole spans of rows; none if that is not
    /// known. The site has been stepped, and no earlier than this board.
    pub fn since_moment(
        &self,
        kpi: &Kpi,
        follower: &Follower,
        position: Position,
        as_of: Micros,
    ) -> Option<Change> {
        let site = kpi.site(&self.query.site)?;
        // Under `start` a timer that ends after-call work changes an interval long over, with no event.
        let is_known = self.query.attribution == Attribution::Event
            && position <= self.position
            && as_of <= self.as_of
            && site.rewritten_at() <= position;
        if !is_known || self.buckets.list.len() <= 1 {
            return None;
        }
        let open: BTreeSet<Interval> = follower.touched(site, as_of).collect();
        let is_changed = |interval: Interval| {
            interval.end() > as_of || open.contains(&interval) || site.books.changed_at(interval) > position
        };
        let (from, to) = self.buckets.whole();
        let changed: BTreeSet<u32> = (from.0..to.0)
            .map(Interval)
            .filter(|interval| is_changed(*interval))
            .filter_map(|interval| self.buckets.place(interval))
            .collect();
        let places = self.rows.keys().filter(|(bucket, _)| changed.contains(bucket)).collect();
        let spans = changed.iter().filter_map(|at| self.buckets.list.get(usize::try_from(*at).ok()?));
        let replaced = spans.map(|bucket| Span::new(bucket.from, bucket.to)).collect();
        Some(Change { replaced, removed: Vec::new(), ..self.change(false, places) })
    }

    fn change(&self, snapshot: bool, places: BTreeSet<&Place>) -> Change {
        let (mut rows, mut removed) = (Vec::new(), Vec::new());
        for place in places {
            let Some(id) = self.id(place) else { continue };
            match self.rows.get(place).filter(|sums| sums.is_told) {
                Some(sums) => rows.push(self.live_row(id, place, sums)),
                None => removed.push(id),
            }
        }
        rows.sort_unstable_by(|a, b| (a.row.from, &a.row.keys).cmp(&(b.row.from, &b.row.keys)));
        if snapshot {
            removed.clear();
        }
        let columns = self.plan.columns.clone();
        Change {
            snapshot,
            columns,
            rows,
            removed,
            replaced: Vec::new(),
            as_of: self.as_of,
            position: self.position,
            formula_version: self.formula_version,
            older_definitions: self.older_definitions,
        }
    }

    fn id(&self, (bucket, keys): &Place) -> Option<RowId> {
        let bucket = self.buckets.list.get(usize::try_from(*bucket).ok()?)?;
        let word = |(key, texts): (&u32, &FxHashMap<u32, Option<Name>>)| texts.get(key).cloned().flatten();
        Some((bucket.from, bucket.to, keys.iter().zip(&self.texts).map(word).collect()))
    }

    fn live_row(&self, (from, to, keys): RowId, place: &Place, sums: &Sums) -> LiveRow {
        let (waiting, since, is_now) = self.gauge(place, sums);
        let until = if is_now { self.as_of } else { to };
        let longest = if waiting == 0 { 0 } else { until.minus(since).0 };
        let passed = self.as_of.minus(self.base).0;
        let rate = |slot: usize| {
            let own = sums.rates.iter().find(|(other, _)| usize::from(*other) == slot);
            own.map_or(0, |(_, rate)| *rate)
        };
        let shown = Shown { sums, passed, gauge: (waiting, longest) };
        let bucket = usize::try_from(place.0).ok();
        let law = bucket.and_then(|at| self.laws.get(at)).copied().unwrap_or_default();
        let values = self.plan.values(&shown, law.number);
        let versions = row_versions(&self.query, sums.counted.versions(), &law);
        let grows = i64::from(is_now && waiting != 0 && self.plan.needs_gauges);
        let running = if sums.rates.is_empty() && grows == 0 {
            Vec::new()
        } else {
            self.plan.rates(rate, |slot| shown.amount(slot), grows, law.number)
        };
        LiveRow { row: Row { from, to, keys, values, versions }, running }
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

/// A row's sums at an instant.
struct Shown<'a> {
    sums: &'a Sums,
    passed: i64,
    gauge: (i64, i64),
}

impl RowSums for Shown<'_> {
    fn amount(&self, slot: usize) -> i64 {
        let rate = self.sums.rates.iter().find(|(other, _)| usize::from(*other) == slot);
        let at_base = self.sums.amounts.get(slot).copied().unwrap_or(0);
        at_base + rate.map_or(0, |(_, rate)| *rate) * self.passed
    }

    fn waiting(&self) -> (i64, i64) {
        self.gauge
    }

    fn waits(&self) -> Waits {
        let list =
            |waits: &BTreeMap<Detail, i64>| waits.iter().map(|(length, count)| (*length, *count)).collect();
        self.sums.waits.as_ref().map(|waits| waits.each_ref().map(list)).unwrap_or_default()
    }
}

impl Sink for Board {
    fn cell(&mut self, cell: Cell, line: Line) {
        let sheet = cell.measure.sheet();
        if attribution(sheet, self.query.attribution) != cell.attribution {
            return;
        }
        let (Some(slot), Some(bucket)) = (self.plan.slot(cell.measure), self.buckets.place(cell.interval))
        else {
            return;
        };
        let Some(keys) = self.cut.keys(&cell.dims) else { return };
        let needs_waits = self.plan.needs_waits && sheet == Sheet::Wait;
        let tells = self.tells && sheet.is_versioned();
        let place = (bucket, keys);
        let sums = self.row(place.clone());
        if let Some(amount) = sums.amounts.get_mut(slot) {
            *amount += line.at_base;
        }
        if tells {
            // What grows is the same by all versions.
            sums.counted.note(cell.dims.version, cell.measure, line.at_base);
        }
        if line.rate != 0 {
            sums.grow(slot, line.rate);
        }
        if needs_waits {
            sums.wait(cell.measure, cell.dims.detail, line.at_base);
        }
        self.changed.insert(place);
    }

    fn crossing(&mut self, crossing: &Crossing, sign: i64) {
        if !self.plan.needs_gauges {
            return;
        }
        let Some(bucket) = self.buckets.place(crossing.interval) else { return };
        let is_last = usize::try_from(bucket)
            .ok()
            .and_then(|at| self.buckets.list.get(at))
            .is_some_and(|bucket| bucket.to == crossing.interval.end());
        let Some(keys) = self.cut.keys(&crossing.dims).filter(|_| is_last) else { return };
        let place = (bucket, keys);
        count(&mut self.row(place.clone()).crossings, crossing.entered, sign);
        self.changed.insert(place);
    }

    fn waiting(&mut self, dims: &Dims, entered: Micros, sign: i64) {
        if !self.plan.needs_gauges {
            return;
        }
        let Some(keys) = self.cut.keys(dims) else { return };
        let since = self.waiting.entry(keys.clone()).or_default();
        count(since, entered, sign);
        if since.is_empty() {
            self.waiting.remove(&keys);
        }
        if let Some(bucket) = self.current {
            self.touch((bucket, keys));
        }
    }
}

fn count(since: &mut Since, entered: Micros, sign: i64) {
    let known = since.entry(entered).or_default();
    *known += sign;
    if *known == 0 {
        since.remove(&entered);
    }
}

impl Sums {
    fn grow(&mut self, slot: usize, rate: i64) {
        let at = self.rates.iter().position(|(other, _)| usize::from(*other) == slot);
        match at.and_then(|at| self.rates.get_mut(at).map(|(_, known)| (at, known))) {
            Some((at, known)) => {
                *known += rate;
                if *known == 0 {
                    self.rates.swap_remove(at);
                }
            }
            None => self.rates.extend(u8::try_from(slot).map(|slot| (slot, rate))),
        }
    }

    fn wait(&mut self, measure: Measure, length: Detail, count: i64) {
        let [answered, abandoned] = &mut **self.waits.get_or_insert_default();
        let waits = if measure == Measure::WaitsAnswered { answered } else { abandoned };
        let known = waits.entry(length).or_default();
        *known += count;
        if *known == 0 {
            waits.remove(&length);
        }
    }
}
