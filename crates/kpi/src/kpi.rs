//! The door: all sites, all units, all cells.

use pegcount_domain::{
    envelope::{Position, Recorded},
    formula::{FORMULA_BUILT_IN, FormulaDefinition},
    ids::{Key, Name, SiteId},
    time::{Interval, Micros, Span},
};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::{
    anomaly::Anomaly,
    cells::OPEN_ROWS_DEFAULT,
    correction::Correction,
    live::Follower,
    query::{ExplainQuery, Explanation, Query, QueryError, Table, explain::explain, table},
    reference::Law,
    site::{
        Site,
        daily::{DayRow, DayTable, DayUnit},
        read::Scope,
        resting::AWAKE_DEFAULT,
    },
};

/// For readers who want no amounts.
const NOWHERE: Span = Span { start: Micros::ZERO, end: Micros::ZERO };

/// Figures of all sites, as far as the log has been applied.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Kpi {
    pub(crate) slots: FxHashMap<Key, usize>,
    #[serde(skip)]
    pub(crate) sites: Vec<Site>,
    /// The site of the last event.
    last: Option<(Key, usize)>,
    /// New sites whose names nobody has told.
    missing: Vec<Key>,
    pub(crate) position: Position,
    /// The latest instant at which anything was recorded.
    recorded_to: Micros,
    /// Of all fingerprints.
    seed: u64,
    /// The one site that counts, and the formula version that it is reckoned by throughout.
    only: Option<(Key, Law)>,
    #[serde(skip)]
    touch_limit: Option<usize>,
    #[serde(skip)]
    in_use: Option<InUse>,
}

/// How much of each site is held ready for what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InUse {
    /// Contacts, and customers, at most; those that are open are always ready.
    pub units: usize,
    /// Rows of cells in each of the 16 tables, at most; those of the last two intervals are always ready, unless it is 0.
    pub rows: usize,
}

impl Default for InUse {
    /// 4,096 and 65,536: some hours, and a day, of a site with 200 agents.
    fn default() -> Self {
        Self { units: AWAKE_DEFAULT, rows: OPEN_ROWS_DEFAULT }
    }
}

impl InUse {
    /// Whatever may rest rests.
    pub const NOTHING: Self = Self { units: 0, rows: 0 };
    /// Nothing rests but agents' closed chapters.
    pub const EVERYTHING: Self = Self { units: usize::MAX, rows: usize::MAX };
}

/// Whether a formula version can be answered from what has been folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnderFormula {
    /// It can: only the ratios differ.
    Here,
    /// It takes a fold of its own ([`Kpi::under`]).
    Fold {
        /// The site's key.
        site: Key,
        /// The version.
        formula: FormulaDefinition<Key>,
    },
}

impl Kpi {
    /// Nothing happened yet. Words that have a meaning of their own (a kind of ticket called `complaint`, a calendar called `standard`) are known
    /// only once [`Self::set_seed`] has said how fingerprints are made.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says by which seed fingerprints are made, before the first event.
    pub fn set_seed(&mut self, seed: u64) {
        if self.seed == seed {
            return;
        }
        self.seed = seed;
        for site in &mut self.sites {
            site.know_words(seed);
        }
    }

    /// The seed of all fingerprints; 0 if nobody has said it.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Nothing happened yet, and of one site alone all will be reckoned by this formula version, whatever is in force.
    pub fn under(site: Key, formula: &FormulaDefinition<Key>) -> Self {
        Self { only: Some((site, formula.into())), ..Self::default() }
    }

    /// What [`Self::under`] would have come to with the same events, reckoned from what is known of them: none of them is
    /// needed. It has no corrections: units do not say what was known when. None if they do not tell all: part of the site's
    /// history has been closed, or definitions have been left to a fold from the beginning.
    pub fn reckoned_under(mut self, key: Key, formula: &FormulaDefinition<Key>) -> Option<Self> {
        let law = formula.into();
        let empty = Self {
            position: self.position,
            recorded_to: self.recorded_to,
            in_use: self.in_use,
            ..Self::under(key, formula)
        };
        let Some(slot) = self.slots.get(&key).copied() else { return Some(empty) };
        let mut site = (slot < self.sites.len()).then(|| self.sites.swap_remove(slot))?;
        if site.closed_before > Micros(i64::MIN) || site.deferred_since().is_some() {
            return None;
        }
        site.touch_limit = usize::MAX;
        site.reckon_by(law);
        Some(Self { slots: [(key, 0)].into_iter().collect(), sites: vec![site], seed: self.seed, ..empty })
    }

    /// The one site that counts, if it is only one.
    pub fn only_site(&self) -> Option<Key> {
        self.only.map(|(site, _)| site)
    }

    /// Leaves definitions that touch units with more than so many facts to a fold from the beginning; none: takes all in
    /// at once. Such a fold is to take this one's place once it has come as far.
    pub fn set_touch_limit(&mut self, limit: Option<usize>) {
        self.touch_limit = limit;
        for site in &mut self.sites {
            site.touch_limit = limit.unwrap_or(usize::MAX);
        }
    }

    /// Says how much is held ready for what comes next; all else rests as bytes. No figure depends on it.
    pub fn set_in_use(&mut self, in_use: InUse) {
        self.in_use = Some(in_use);
        for site in &mut self.sites {
            site.set_in_use(in_use);
        }
    }

    /// The first of the definitions that have been left to a fold from the beginning.
    pub fn deferred_since(&self) -> Option<Position> {
        self.sites.iter().filter_map(Site::deferred_since).min()
    }

    /// Says of everything that it has changed just now, for those who ask [`Self::changed_since`]: this fold has taken
    /// another's place.
    pub fn touch_everything(&mut self) {
        for site in &mut self.sites {
            let position = site.position();
            site.books.touch_span(Micros(i64::MIN), Micros::MAX, position);
        }
    }

    /// Whether a site's figures under a formula version can be answered from here.
    ///
    /// Errors: nobody has defined it.
    pub fn under_formula(&self, site: &SiteId, number: u8) -> Result<UnderFormula, QueryError> {
        let built_in = FORMULA_BUILT_IN;
        let unknown = |known: Vec<u8>| QueryError::UnknownFormula {
            site: site.clone(),
            asked: number,
            known: known.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        let Some(known) = self.site(site) else {
            let is_known = number == built_in || self.only.is_some_and(|(_, law)| law.number == number);
            return if is_known { Ok(UnderFormula::Here) } else { Err(unknown(vec![built_in])) };
        };
        let reference = &known.reference;
        let law = reference.law_named(number).ok_or_else(|| unknown(reference.law_numbers()))?;
        if reference.counts_as(&law, known.last_seen) {
            return Ok(UnderFormula::Here);
        }
        let formula = reference.definitions().formula(number);
        let formula = formula.ok_or_else(|| unknown(reference.law_numbers()))?;
        Ok(UnderFormula::Fold { site: known.key, formula })
    }

    /// A site's key and what a formula version's number means there; none: nobody has reported of the site, or defined it.
    pub fn formula(&self, site: &SiteId, number: u8) -> Option<(Key, FormulaDefinition<Key>)> {
        let known = self.site(site)?;
        Some((known.key, known.reference.definitions().formula(number)?))
    }

    /// Takes the next event of the log in. Never fails: what the rules do not allow is kept and marked. An event
    /// whose position is not after the last one changes nothing, so that a reader may start a little early.
    pub fn apply(&mut self, recorded: &Recorded) {
        if recorded.position <= self.position {
            return;
        }
        self.position = recorded.position;
        self.recorded_to = self.recorded_to.max(recorded.recorded_at);
        let key = recorded.stream.site;
        if self.only.is_some_and(|(only, _)| only != key) {
            return;
        }
        let (only, touch_limit, in_use, seed) = (self.only, self.touch_limit, self.in_use, self.seed);
        let sites = &mut self.sites;
        let missing = &mut self.missing;
        let slot = match self.last {
            Some((last, slot)) if last == key => slot,
            _ => *self.slots.entry(key).or_insert_with(|| {
                let mut site = Site::new(key);
                site.know_words(seed);
                site.touch_limit = touch_limit.unwrap_or(usize::MAX);
                if let Some(in_use) = in_use {
                    site.set_in_use(in_use);
                }
                if let Some((_, law)) = only {
                    site.reference.force(law);
                }
                sites.push(site);
                missing.push(key);
                sites.len() - 1
            }),
        };
        self.last = Some((key, slot));
        if let Some(site) = self.sites.get_mut(slot) {
            site.apply(recorded);
        }
    }

    /// The names that rows will need and nobody has told: ask after every frame, and tell them by [`Self::name`].
    /// Each is given once.
    pub fn missing_names(&mut self) -> Vec<Key> {
        let mut missing = std::mem::take(&mut self.missing);
        missing.extend(self.sites.iter_mut().flat_map(|site| site.names.take_missing()));
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    /// Tells the text behind a key. Keys that name no site, agent, team, queue or entry are ignored.
    pub fn name(&mut self, key: Key, text: &str) {
        for site in &mut self.sites {
            if site.key == key && site.name.is_none() {
                site.name = Name::new(text).ok();
            }
            site.names.tell(key, text);
        }
    }

    /// Goes on from a position: the events up to it have been given, or concern no site that counts.
    pub fn stand_at(&mut self, position: Position) {
        self.position = self.position.max(position);
    }

    /// Answers a query.
    pub fn query(&self, query: &Query) -> Result<Table, QueryError> {
        self.answer(query, None)
    }

    /// Answers a query with what a follower keeps of open work, if it has just been brought to the query's instant: the same
    /// answer, without folding every open unit for it.
    pub fn query_present(&self, query: &Query, follower: &Follower) -> Result<Table, QueryError> {
        self.answer(query, follower.stands_for(self, query).then_some(follower))
    }

    fn answer(&self, query: &Query, open: Option<&Follower>) -> Result<Table, QueryError> {
        self.check_open(query)?;
        self.check_formula(query)?;
        // A window's first part is told from the spans and events themselves.
        let (from, closed_before) = (query.range().start, self.closed_before(&query.site));
        if query.last.is_some() && from < closed_before {
            return Err(QueryError::EventsGone { from, closed_before });
        }
        let answer = table::answer(query, self.site(&query.site), open)?;
        Ok(Table { position: self.position, ..answer })
    }

    /// Says why a figure is what it is.
    pub fn explain(&self, asked: &ExplainQuery) -> Result<Explanation, QueryError> {
        self.check_open(&asked.query)?;
        self.check_formula(&asked.query)?;
        let closed_before = self.closed_before(&asked.query.site);
        let from = asked.query.range().start;
        if from < closed_before {
            return Err(QueryError::EventsGone { from, closed_before });
        }
        let explanation = explain(asked, self.site(&asked.query.site))?;
        Ok(Explanation { position: self.position, ..explanation })
    }

    /// The units that may tell something of a range of a site, in the order of their rows.
    ///
    /// Errors: history from the range on has been closed.
    pub fn day_units(
        &self,
        site: &SiteId,
        told: DayTable,
        range: Span,
        as_of: Micros,
    ) -> Result<Vec<DayUnit>, QueryError> {
        let closed_before = self.closed_before(site);
        if range.start < closed_before {
            return Err(QueryError::EventsGone { from: range.start, closed_before });
        }
        Ok(self.site(site).map(|site| site.day_units(told, range, as_of)).unwrap_or_default())
    }

    /// The rows that some of these units tell of the range.
    pub fn day_rows(
        &self,
        site: &SiteId,
        told: DayTable,
        range: Span,
        as_of: Micros,
        units: &[DayUnit],
    ) -> Vec<DayRow> {
        let mut rows = Vec::new();
        if let Some(site) = self.site(site) {
            site.day_rows(told, range, as_of, units, &mut |row| rows.push(row));
        }
        rows
    }

    /// The last event that has been applied.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The facts of a site that the rules do not allow, by position.
    pub fn anomalies(&self, site: &SiteId) -> Vec<Anomaly> {
        let Some(site) = self.site(site) else { return Vec::new() };
        let open = site.overlay(Micros(i64::MAX - 1), NOWHERE, &Scope::Everything).anomalies;
        let mut all: Vec<Anomaly> = site.books.marks().iter().chain(open).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// When each contact of a customer began, and where its first fact stands in the log; in no order.
    pub fn customer_contacts(&self, site: &SiteId, customer: Key) -> Vec<(Micros, Position)> {
        self.site(site).map(|site| site.customer_contacts(customer)).unwrap_or_default()
    }

    /// The figures of a site that changed after their interval had closed, in the order of their causes.
    pub fn corrections(&self, site: &SiteId) -> Vec<Correction> {
        self.site(site).map(|site| site.corrections.iter().collect()).unwrap_or_default()
    }

    /// Whether an event after `since` changed anything of a site in `[from, to)`. Clocks that merely run on do not
    /// count: whoever watches counts seconds by itself. A watch of gauges looks at the present interval too.
    pub fn changed_since(&self, site: &SiteId, from: Micros, to: Micros, since: Position) -> bool {
        let Some(site) = self.site(site) else { return false };
        let end = Interval::containing(to.minus(Micros(1)));
        let intervals = (Interval::containing(from).0..=end.0).map(Interval);
        site.position() > since
            && intervals.into_iter().any(|interval| site.books.changed_at(interval) > since)
    }

    /// The next instant after `now` at which a query's figures change in more than running clocks with no event: a
    /// visit reaches its threshold, a waiting time of first-contact resolution is over, an interval begins.
    pub fn next_change(&self, query: &Query, now: Micros) -> Option<Micros> {
        let site = self.site(&query.site)?;
        let border = Interval::containing(now).end();
        let border = (query.from <= now && now < query.to).then_some(border);
        let next = site.overlay(now, NOWHERE, &Scope::Everything).next_change;
        [border, next].into_iter().flatten().filter(|at| *at > now).min()
    }

    /// Up to when a site's history is closed: facts from before it change no figure any more.
    pub fn closed_before(&self, site: &SiteId) -> Micros {
        self.site(site).map_or(Micros(i64::MIN), |site| site.closed_before)
    }

    fn check_formula(&self, query: &Query) -> Result<(), QueryError> {
        let Some(version) = query.formula_version else { return Ok(()) };
        match self.under_formula(&query.site, version)? {
            UnderFormula::Here => Ok(()),
            UnderFormula::Fold { .. } => Err(QueryError::NeedsFold { version }),
        }
    }

    fn check_open(&self, query: &Query) -> Result<(), QueryError> {
        let (as_of, closed_before) = (query.as_of, self.closed_before(&query.site));
        if as_of < closed_before {
            return Err(QueryError::Closed { as_of, closed_before });
        }
        let from = query.range().start;
        if query.variant.efficiency_target.is_some() && from < closed_before {
            return Err(QueryError::DaysGone { from, closed_before });
        }
        Ok(())
    }

    /// The latest instant at which anything was recorded.
    pub(crate) fn recorded_to(&self) -> Micros {
        self.recorded_to
    }

    pub(crate) fn site(&self, id: &SiteId) -> Option<&Site> {
        self.sites.iter().find(|site| site.name.as_ref().is_some_and(|name| *name == id.0))
    }

    pub(crate) fn site_mut(&mut self, id: &SiteId) -> Option<&mut Site> {
        self.sites.iter_mut().find(|site| site.name.as_ref().is_some_and(|name| *name == id.0))
    }
}
