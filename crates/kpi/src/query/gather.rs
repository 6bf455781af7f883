//! Cells and open work into sums per row.
//!
//! Invariant: every contribution of the range that passes the query's filters is in exactly one row.

use pegcount_domain::time::{Interval, Micros, Span};
use rustc_hash::FxHashMap;

use crate::{
    agent::standing::{STATES, State},
    cells::{Attribution, Cells, Contribution, Detail, Dims, TableRange},
    measure::{Measure, Sheet},
    query::{
        Query,
        buckets::Buckets,
        cut::{Cut, Keys, attribution},
        explain::wanted,
        plan::{Plan, RowSums, merged},
        versions::{self, Counted},
    },
    site::{
        Site,
        days::{counted_in, day_amounts, month_amounts},
        read::{Overlay, Scope},
    },
};

/// Waits of the answered and of the abandoned, by length.
pub(crate) type Waits = [Vec<(Detail, i64)>; 2];

/// One row; its amounts stand beside it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) bucket: u32,
    pub(crate) keys: Keys,
    waiting: i64,
    longest: i64,
    /// Open tickets.
    pub(super) backlog: i64,
    /// Agents by state, by [`State`].
    agents: [i64; STATES],
    waits: Option<Box<Waits>>,
    /// By which formula versions it was counted.
    pub(crate) counted: Counted,
}

/// The sums of one row.
pub(crate) struct Sums<'g> {
    pub(crate) row: &'g Place,
    amounts: &'g [i64],
}

impl RowSums for Sums<'_> {
    fn amount(&self, slot: usize) -> i64 {
        self.amounts.get(slot).copied().unwrap_or(0)
    }

    fn waiting(&self) -> (i64, i64) {
        (self.row.waiting, self.row.longest)
    }

    fn waits(&self) -> Waits {
        self.row.waits.as_ref().map(|waits| waits.each_ref().map(|waits| merged(waits))).unwrap_or_default()
    }

    fn agents(&self) -> [i64; STATES] {
        self.row.agents
    }

    fn backlog(&self) -> i64 {
        self.row.backlog
    }
}

/// A measure to be read from a table's rows.
struct Needed {
    /// Where it stands in a row.
    place: usize,
    measure: Measure,
    /// Where it goes; none: to the waits by their length.
    slot: Option<usize>,
}

/// What a query asks of one site.
pub(crate) struct Gather<'a> {
    pub(super) query: &'a Query,
    pub(super) plan: &'a Plan,
    pub(super) buckets: &'a Buckets,
    pub(super) cut: Cut,
    /// For each bucket its rows: what lies in one is read together, and few rows are found fast.
    index: Vec<FxHashMap<Keys, usize>>,
    pub(crate) rows: Vec<Place>,
    /// For each row an amount in each slot.
    amounts: Vec<i64>,
    /// Whether formula versions are told apart.
    tells: bool,
    /// Whether days are held against a target that the query says.
    is_forced: bool,
    last: Option<(u32, Keys, usize)>,
}

impl<'a> Gather<'a> {
    pub(crate) fn new(query: &'a Query, plan: &'a Plan, buckets: &'a Buckets, site: Option<&Site>) -> Self {
        Self {
            query,
            plan,
            buckets,
            cut: Cut::of(query, site),
            index: std::iter::repeat_with(FxHashMap::default).take(buckets.list.len()).collect(),
            rows: Vec::new(),
            amounts: Vec::new(),
            tells: site.is_some_and(|site| versions::tells(query, site)),
            is_forced: query.variant.efficiency_target.is_some(),
            last: None,
        }
    }

    /// The attribution under which the query reads a sheet.
    fn attribution(&self, sheet: Sheet) -> Attribution {
        attribution(sheet, self.query.attribution)
    }

    /// Adds up a site.
    pub(crate) fn site(&mut self, site: &Site) {
        if self.query.last.is_some() {
            return self.window(site);
        }
        let overlay = site.overlay(self.query.as_of, self.query.range(), &Scope::Everything);
        let span = self.buckets.whole();
        self.cells(site, span);
        for contribution in &overlay.contributions {
            self.contribution(contribution);
        }
        if self.is_forced {
            self.targeted(site, self.query.range());
        }
        if self.plan.needs_gauges {
            self.gauges(site, &overlay);
        }
        if self.plan.needs_states {
            self.agents_by_state(site, &overlay);
        }
        if self.plan.needs_backlog() {
            self.backlog(site, &overlay.contributions);
        }
    }

    /// Adds up a window whose ends lie within intervals: whole intervals from their cells, the part of an interval at its
    /// begin from the units that count there, and at its end what counts before the instant.
    fn window(&mut self, site: &Site) {
        let window = self.query.range();
        let on_grid = window.start == Interval::containing(window.start).start();
        let border =
            if on_grid { window.start } else { Interval::containing(window.start).end().min(window.end) };
        if window.start < border {
            let edge = Span::new(window.start, border);
            let wanted = wanted(&self.plan.measures, None);
            site.explain(window.end, edge, wanted, &mut |_, _, contribution| self.contribution(contribution));
        }
        // The books hold whole intervals, and what of the last one lies later is taken away from all of it.
        let (_, end) = self.buckets.whole();
        let overlay = site.overlay_before(window.end, Span::new(border, end.start()));
        if border < window.end {
            self.cells(site, (Interval::containing(border), end));
            for contribution in overlay.contributions.iter().filter(|one| one.interval.start() >= border) {
                self.contribution(contribution);
            }
        }
        if self.plan.needs_gauges {
            for (dims, entered) in &overlay.waiting {
                self.wait(0, dims, window.end.minus(*entered));
            }
        }
        if self.plan.needs_states {
            for (dims, state) in &overlay.signed_in {
                self.stand(0, dims, *state, 1);
            }
        }
        if self.is_forced {
            self.targeted(site, window);
        }
        if self.plan.needs_backlog() {
            self.backlog(site, &overlay.contributions);
        }
    }

    /// Adds up what stands in the cells of some intervals, one after the other.
    fn cells(&mut self, site: &Site, (from, to): (Interval, Interval)) {
        let needed = Sheet::ALL.into_iter().zip(&self.plan.by_sheet).filter(|(_, needed)| !needed.is_empty());
        let needed = needed.map(|(sheet, _)| (sheet, self.attribution(sheet)));
        let mut tables: Vec<(TableRange<'_>, Vec<Needed>)> = Cells::shared(needed)
            .into_iter()
            .map(|(table, sheets)| {
                let needed = sheets.iter().flat_map(|(sheet, begin)| self.needed(*sheet, *begin));
                (site.books.cells.of_table(table, from, to), needed.collect())
            })
            .collect();
        while let Some(interval) = tables.iter().filter_map(|(rows, _)| rows.next_interval()).min() {
            let bucket = self.buckets.place(interval);
            for (rows, needed) in &mut tables {
                for (dims, amounts) in rows.take(interval).iter() {
                    if let Some(row) = bucket.and_then(|bucket| self.row(bucket, dims)) {
                        self.row_of_cells(row, dims, amounts, needed);
                    }
                }
            }
        }
    }

    /// What is needed of a sheet that begins there in its table's rows.
    fn needed(&self, sheet: Sheet, begin: usize) -> impl Iterator<Item = Needed> {
        let of_plan = self.plan.by_sheet.get(sheet as usize).into_iter().flatten();
        let own = of_plan.filter_map(move |(place, slot)| {
            let (place, slot) = (usize::from(*place), usize::from(*slot));
            let measure = *sheet.measures().get(place)?;
            (!self.leaves_out(measure)).then_some(Needed { place: begin + place, measure, slot: Some(slot) })
        });
        let by_length = (sheet == Sheet::Wait && self.plan.needs_waits).then(|| sheet.measures().iter());
        let by_length = by_length.into_iter().flatten().enumerate();
        own.chain(by_length.map(move |(place, measure)| Needed {
            place: begin + place,
            measure: *measure,
            slot: None,
        }))
    }

    #[inline]
    fn row_of_cells(&mut self, row: usize, dims: &Dims, amounts: &[i64], needed: &[Needed]) {
        for Needed { place, measure, slot } in needed {
            let amount = amounts.get(*place).copied().unwrap_or(0);
            let Some(slot) = slot else {
                self.wait_of(row, *measure, dims.detail, amount);
                continue;
            };
            self.add(row, *slot, amount);
            if self.tells {
                self.note(row, dims, *measure, amount);
            }
        }
    }

    fn contribution(&mut self, contribution: &Contribution) {
        let Contribution { measure, attribution, interval, dims, amount } = contribution;
        let sheet = measure.sheet();
        if self.attribution(sheet) == *attribution
            && !self.leaves_out(*measure)
            && let Some(slot) = self.plan.slot(*measure)
            && let Some(place) = self.buckets.place(*interval)
            && let Some(row) = self.row(place, dims)
        {
            self.add(row, slot, *amount);
            if self.tells {
                self.note(row, dims, *measure, *amount);
            }
            if sheet == Sheet::Wait && self.plan.needs_waits {
                self.wait_of(row, *measure, dims.detail, *amount);
            }
        }
    }

    /// Whether a measure is reckoned anew instead of read.
    #[inline]
    fn leaves_out(&self, measure: Measure) -> bool {
        self.is_forced && is_targeted(measure)
    }

    #[inline]
    fn add(&mut self, row: usize, slot: usize, amount: i64) {
        if let Some(sum) = self.amounts.get_mut(row * self.plan.measures.len() + slot) {
            *sum += amount;
        }
    }

    /// Notes by which formula version something was counted.
    fn note(&mut self, row: usize, dims: &Dims, measure: Measure, amount: i64) {
        if let Some(row) = self.rows.get_mut(row).filter(|_| measure.sheet().is_versioned()) {
            row.counted.note(dims.version, measure, amount);
        }
    }

    fn wait_of(&mut self, row: usize, measure: Measure, length: Detail, amount: i64) {
        let Some(row) = self.rows.get_mut(row).filter(|_| amount != 0) else { return };
        let [answered, abandoned] = &mut **row.waits.get_or_insert_default();
        if measure == Measure::WaitsAnswered {
            answered.push((length, amount));
        } else {
            abandoned.push((length, amount));
        }
    }

    /// Gauges of agents: they stand for the same instants.
    fn agents_by_state(&mut self, site: &Site, overlay: &Overlay) {
        let as_of = self.query.as_of;
        for (place, bucket) in (0u32..).zip(&self.buckets.list) {
            if bucket.to <= as_of {
                let last = Interval::containing(bucket.to.minus(Micros(1)));
                let open = overlay.standings.iter().filter(|(standing, _)| standing.interval == last);
                let settled = site.books.standings(last).iter().map(|standing| (standing, 1));
                for (standing, sign) in settled.chain(open.map(|(standing, sign)| (standing, *sign))) {
                    let dims = Dims { agent: standing.agent, team: standing.team, ..Dims::default() };
                    self.stand(place, &dims, standing.state, sign);
                }
            } else if bucket.from <= as_of {
                for (dims, state) in &overlay.signed_in {
                    self.stand(place, dims, *state, 1);
                }
            }
        }
    }

    fn stand(&mut self, place: u32, dims: &Dims, state: State, sign: i64) {
        let Some(row) = self.row(place, dims) else { return };
        if let Some(agents) = self.rows.get_mut(row).and_then(|row| row.agents.get_mut(state as usize)) {
            *agents += sign;
        }
    }

    /// Agent-days and agent-months against the target that the query forces.
    fn targeted(&mut self, site: &Site, range: Span) {
        for unit in site.agents.list.iter().filter(|unit| unit.has_clock) {
            let (days, months) =
                site.days_of(unit, self.query.as_of, range, self.query.variant.efficiency_target);
            let days = days.iter().map(|day| (day.span.end, day.verdict.team, day_amounts(day.verdict)));
            let months =
                months.iter().map(|month| (month.span.end, month.verdict.team, month_amounts(month.verdict)));
            for (end, team, amounts) in days.chain(months) {
                let dims = Dims { agent: unit.id, team, ..Dims::default() };
                let place = self.buckets.place(counted_in(end));
                let Some(row) = place.and_then(|place| self.row(place, &dims)) else { continue };
                for (measure, amount) in amounts.iter().filter(|(measure, _)| is_targeted(*measure)) {
                    if let Some(slot) = self.plan.slot(*measure) {
                        self.add(row, slot, *amount);
                    }
                }
            }
        }
    }

    /// Gauges stand for the row's end, or for `as_of` if that comes earlier.
    fn gauges(&mut self, site: &Site, overlay: &Overlay) {
        let as_of = self.query.as_of;
        for (place, bucket) in (0u32..).zip(&self.buckets.list) {
            if bucket.to <= as_of {
                let last = Interval::containing(bucket.to.minus(Micros(1)));
                let open = overlay.crossings.iter().filter(|crossing| crossing.interval == last);
                for crossing in site.books.crossings(last).iter().chain(open) {
                    self.wait(place, &crossing.dims, bucket.to.minus(crossing.entered));
                }
            } else if bucket.from <= as_of {
                for (dims, entered) in &overlay.waiting {
                    self.wait(place, dims, as_of.minus(*entered));
                }
            }
        }
    }

    fn wait(&mut self, place: u32, dims: &Dims, waited: Micros) {
        let Some(row) = self.row(place, dims) else { return };
        if let Some(row) = self.rows.get_mut(row) {
            row.waiting += 1;
            row.longest = row.longest.max(waited.0);
        }
    }

    fn row(&mut self, place: u32, dims: &Dims) -> Option<usize> {
        let keys = self.cut.keys(dims)?;
        Some(self.touch(place, keys))
    }

    /// The row of a bucket with these keys, if it is there.
    pub(super) fn known(&mut self, place: u32, keys: &Keys) -> Option<&mut Place> {
        let rows = usize::try_from(place).ok().and_then(|place| self.index.get(place));
        let row = *rows?.get(keys)?;
        self.rows.get_mut(row)
    }

    /// The row of a bucket with these keys, made if it is not there yet.
    pub(crate) fn touch(&mut self, place: u32, keys: Keys) -> usize {
        if let Some((last_place, last_keys, row)) = &self.last
            && *last_place == place
            && *last_keys == keys
        {
            return *row;
        }
        let next = self.rows.len();
        let bucket = usize::try_from(place).ok().and_then(|place| self.index.get_mut(place));
        let row = bucket.map_or(next, |rows| *rows.entry(keys.clone()).or_insert(next));
        if row == next {
            self.rows.push(Place {
                bucket: place,
                keys: keys.clone(),
                waiting: 0,
                longest: 0,
                backlog: 0,
                agents: [0; STATES],
                waits: None,
                counted: Counted::default(),
            });
            self.amounts.resize(self.amounts.len() + self.plan.measures.len(), 0);
        }
        self.last = Some((place, keys, row));
        row
    }

    /// The sums of a row.
    pub(crate) fn sums(&self, row: usize) -> Option<Sums<'_>> {
        let width = self.plan.measures.len();
        let amounts = self.amounts.get(row * width..(row + 1) * width)?;
        Some(Sums { row: self.rows.get(row)?, amounts })
    }

    /// Forgets the rows in which nothing happened.
    pub(crate) fn leave_out_empty(&mut self) {
        let width = self.plan.measures.len();
        let mut kept = 0;
        for row in 0..self.rows.len() {
            let stays = self.sums(row).is_some_and(|sums| {
                let mut all = sums.row.agents.iter().chain(sums.amounts);
                let is_behind = self.plan.backlog_makes_rows() && sums.row.backlog != 0;
                sums.row.waiting != 0 || is_behind || all.any(|amount| *amount != 0)
            });
            if stays {
                self.rows.swap(row, kept);
                if row != kept {
                    self.amounts.copy_within(row * width..(row + 1) * width, kept * width);
                }
                kept += 1;
            }
        }
        self.rows.truncate(kept);
    }
}

/// Whether a measure hangs on the efficiency target.
fn is_targeted(measure: Measure) -> bool {
    matches!(measure, Measure::AgentDaysOverTarget | Measure::AgentMonthsOverTarget)
}
