//! Cells and open work into sums per row.
//!
//! Invariant: every contribution of the range that passes the query's filters is in exactly one row.

use pegcount_domain::time::{Interval, Micros, Span};
use rustc_hash::FxHashMap;

use crate::{
    agent::standing::{STATES, State},
    cells::{Attribution, Cells, Contribution, Detail, Dims, TableRange},
    live::Follower,
    measure::{Measure, Sheet},
    query::{
        Query,
        buckets::Buckets,
        cut::{Cut, Keys, attribution},
        plan::{Plan, RowSums, merged},
        versions::{self, Counted},
    },
    site::{
        Site,
        days::{counted_in, day_amounts, month_amounts},
        explain::Wanted,
        read::Overlay,
    },
};

/// Waits of the answered and of the abandoned, by length.
pub(crate) type Waits = [Vec<(Detail, i64)>; 2];

/// One row; its amounts stand beside it. Small: a question by agent and interval has some hundred thousand.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) bucket: u32,
    pub(crate) keys: Keys,
    more: Option<Box<More>>,
}

/// What only some questions ask for.
#[derive(Clone, Debug, Default)]
struct More {
    waiting: i64,
    longest: i64,
    /// Open tickets.
    backlog: i64,
    /// Agents by state, by [`State`].
    agents: [i64; STATES],
    waits: Waits,
    /// By which formula versions it was counted.
    counted: Counted,
}

impl Place {
    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// The formula versions by which it was counted.
    pub(crate) fn versions(&self) -> impl Iterator<Item = u8> {
        self.more.iter().flat_map(|more| more.counted.versions())
    }

    /// So many tickets are open.
    pub(super) fn set_backlog(&mut self, backlog: i64) {
        self.more().backlog = backlog;
    }

    /// Whether a visit waits in it, or an agent stands in a state.
    fn has_gauges(&self) -> bool {
        self.more
            .as_ref()
            .is_some_and(|more| more.waiting != 0 || more.agents.iter().any(|count| *count != 0))
    }
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
        self.row.more.as_ref().map_or((0, 0), |more| (more.waiting, more.longest))
    }

    fn waits(&self) -> Waits {
        self.row
            .more
            .as_ref()
            .map(|more| more.waits.each_ref().map(|waits| merged(waits)))
            .unwrap_or_default()
    }

    fn agents(&self) -> [i64; STATES] {
        self.row.more.as_ref().map_or([0; STATES], |more| more.agents)
    }

    fn backlog(&self) -> i64 {
        self.row.more.as_ref().map_or(0, |more| more.backlog)
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

/// The rows of one bucket by their keys.
#[derive(Default)]
struct Rows {
    /// Of a question by one dimension: by its number, as far as numbers are dense; [`NO_ROW`]: none.
    by_number: Vec<u32>,
    others: FxHashMap<Keys, usize>,
}

const NO_ROW: u32 = u32::MAX;
/// Rows are found by number if all buckets together have no more places than this.
const PLACES_MAX: usize = 1 << 22;

impl Rows {
    /// The row with these keys, or `next` as a new one; numbers below `dense` have places of their own.
    fn row(&mut self, keys: &Keys, dense: usize, next: usize) -> usize {
        let (Some(number), Ok(new)) = (number(keys, dense), u32::try_from(next)) else {
            return *self.others.entry(keys.clone()).or_insert(next);
        };
        if self.by_number.is_empty() {
            self.by_number.resize(dense, NO_ROW);
        }
        let Some(row) = self.by_number.get_mut(number) else { return next };
        if *row == NO_ROW {
            *row = new;
        }
        usize::try_from(*row).unwrap_or(next)
    }

    /// The row with these keys, if it is there.
    fn find(&self, keys: &Keys, dense: usize) -> Option<usize> {
        match number(keys, dense) {
            Some(number) => {
                let row = self.by_number.get(number).filter(|row| **row != NO_ROW)?;
                usize::try_from(*row).ok()
            }
            None => self.others.get(keys).copied(),
        }
    }
}

/// The number by which these keys are found, if they are one number that has a place.
#[inline]
fn number(keys: &Keys, dense: usize) -> Option<usize> {
    match keys.as_slice() {
        [only] => usize::try_from(*only).ok().filter(|number| *number < dense),
        _ => None,
    }
}

/// The units that a plan needs.
fn wanted(plan: &Plan) -> Wanted {
    let wanted = Wanted::of(&plan.measures, None);
    Wanted {
        contacts: wanted.contacts || plan.needs_gauges,
        tickets: wanted.tickets || plan.needs_backlog(),
        ..wanted
    }
}

/// What is open at a query's instant: as it is kept up to date, if it is, or folded for it.
pub(crate) fn overlay(query: &Query, plan: &Plan, site: &Site, open: Option<&Follower>) -> Overlay {
    match open {
        Some(open) => open.overlay(wanted(plan), plan, query.attribution),
        None => site.overlay_of(query.as_of, query.range(), wanted(plan)),
    }
}

/// What a query asks of one site.
pub(crate) struct Gather<'a> {
    pub(crate) query: &'a Query,
    pub(crate) plan: &'a Plan,
    pub(crate) site: Option<&'a Site>,
    pub(super) buckets: &'a Buckets,
    pub(super) cut: Cut,
    /// For each bucket its rows: what lies in one is read together, and few rows are found fast.
    index: Vec<Rows>,
    /// Keys below it are found by their number.
    dense: usize,
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
    pub(crate) fn new(
        query: &'a Query,
        plan: &'a Plan,
        buckets: &'a Buckets,
        site: Option<&'a Site>,
    ) -> Self {
        Self {
            query,
            plan,
            site,
            buckets,
            cut: Cut::of(query, site),
            index: std::iter::repeat_with(Rows::default).take(buckets.list.len()).collect(),
            dense: site
                .map(|site| site.names.entries().len() + 1)
                .filter(|names| names * buckets.list.len() <= PLACES_MAX)
                .unwrap_or(0),
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

    fn wanted(&self) -> Wanted {
        wanted(self.plan)
    }

    /// Adds up a site.
    pub(crate) fn site(&mut self, site: &Site) {
        match self.query.last {
            Some(_) => self.window(site),
            None => self.fill(site, &overlay(self.query, self.plan, site, None)),
        }
    }

    /// Adds up what lies in the buckets: cells, and what is open.
    pub(crate) fn fill(&mut self, site: &Site, overlay: &Overlay) {
        self.cells(site, self.buckets.whole());
        for contribution in &overlay.contributions {
            self.contribution(contribution);
        }
        if self.is_forced {
            self.targeted(site, self.query.range());
        }
        if self.plan.needs_gauges {
            self.gauges(site, overlay);
        }
        if self.plan.needs_states {
            self.agents_by_state(site, overlay);
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
            site.explain(window.end, edge, self.wanted(), &mut |_, _, contribution| {
                self.contribution(contribution);
            });
        }
        // The books hold whole intervals, and what of the last one lies later is taken away from all of it.
        let (_, end) = self.buckets.whole();
        let overlay = site.overlay_before(window.end, Span::new(border, end.start()), self.wanted());
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
                rows.each(interval, |dims, amounts| {
                    if let Some(row) = bucket.and_then(|bucket| self.row(bucket, dims)) {
                        self.row_of_cells(row, dims, amounts, needed);
                    }
                });
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
            row.more().counted.note(dims.version, measure, amount);
        }
    }

    fn wait_of(&mut self, row: usize, measure: Measure, length: Detail, amount: i64) {
        let Some(row) = self.rows.get_mut(row).filter(|_| amount != 0) else { return };
        let [answered, abandoned] = &mut row.more().waits;
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
        let row = self.rows.get_mut(row).map(Place::more);
        if let Some(agents) = row.and_then(|row| row.agents.get_mut(state as usize)) {
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
        if let Some(row) = self.rows.get_mut(row).map(Place::more) {
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
        let row = rows?.find(keys, self.dense)?;
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
        let row = bucket.map_or(next, |rows| rows.row(&keys, self.dense, next));
        if row == next {
            self.rows.push(Place { bucket: place, keys: keys.clone(), more: None });
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
                let is_behind = self.plan.backlog_makes_rows() && sums.backlog() != 0;
                sums.amounts.iter().any(|amount| *amount != 0) || is_behind || sums.row.has_gauges()
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
