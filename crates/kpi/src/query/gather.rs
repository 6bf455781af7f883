//! Cells and open work into sums per row.
//!
//! Invariant: every contribution of the range that passes the query's filters is in exactly one row.

use pegcount_domain::time::{Interval, Micros, Span};

use crate::{
    agent::standing::State,
    cells::{Attribution, Cells, Contribution, Dims, TableRange},
    histogram,
    live::Follower,
    measure::{Measure, Sheet},
    query::{
        Query,
        buckets::Buckets,
        cut::{Cut, attribution},
        plan::Plan,
        rows::Rows,
        versions,
    },
    site::{
        Site,
        days::{counted_in, day_amounts, month_amounts},
        explain::Wanted,
        read::Overlay,
    },
};

/// A measure to be read from a table's rows.
struct Needed {
    /// Where it stands in a row.
    place: usize,
    measure: Measure,
    /// Where it goes.
    slot: usize,
}

/// The units that a plan needs.
pub(crate) fn wanted(plan: &Plan) -> Wanted {
    let wanted = Wanted::of(&plan.measures, None);
    Wanted {
        contacts: wanted.contacts || plan.needs_gauges,
        tickets: wanted.tickets || plan.needs_backlog(),
        ..wanted
    }
}

/// What is open at a query's instant: as it is kept up to date, if it is, or folded for it.
pub(crate) fn overlay(query: &Query, plan: &Plan, site: &Site, open: Option<&Follower>) -> Overlay {
    let wanted = wanted(plan);
    match open.filter(|open| open.keeps(wanted)) {
        Some(open) => open.overlay(wanted, plan, query.attribution),
        None => site.overlay_of(query.as_of, query.range(), wanted),
    }
}

/// What a query asks of one site.
pub(crate) struct Gather<'a> {
    pub(crate) query: &'a Query,
    pub(crate) plan: &'a Plan,
    pub(crate) site: Option<&'a Site>,
    pub(super) buckets: &'a Buckets,
    pub(super) cut: Cut,
    /// With an amount in each slot.
    pub(crate) rows: Rows,
    /// Whether formula versions are told apart.
    tells: bool,
    /// Whether days are held against a target that the query says.
    is_forced: bool,
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
            rows: Rows::new(
                buckets.list.len(),
                site.map_or(0, |site| site.names.entries().len() + 1),
                plan.measures.len(),
            ),
            tells: site.is_some_and(|site| versions::tells(query, site)),
            is_forced: query.variant.efficiency_target.is_some(),
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
        of_plan.filter_map(move |(place, slot)| {
            let (place, slot) = (usize::from(*place), usize::from(*slot));
            let measure = *sheet.measures().get(place)?;
            (!self.leaves_out(measure)).then_some(Needed { place: begin + place, measure, slot })
        })
    }

    #[inline]
    fn row_of_cells(&mut self, row: usize, dims: &Dims, amounts: &[i64], needed: &[Needed]) {
        for Needed { place, measure, slot } in needed {
            let amount = amounts.get(*place).copied().unwrap_or(0);
            self.rows.add(row, *slot, amount);
            if measure.sheet().is_by_length() {
                self.length_of(row, *measure, dims, amount);
            }
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
            self.rows.add(row, slot, *amount);
            if self.tells {
                self.note(row, dims, *measure, *amount);
            }
            if sheet.is_by_length() {
                self.length_of(row, *measure, dims, *amount);
            }
        }
    }

    /// Whether a measure is reckoned anew instead of read.
    #[inline]
    fn leaves_out(&self, measure: Measure) -> bool {
        self.is_forced && is_targeted(measure)
    }

    /// Notes by which formula version something was counted.
    fn note(&mut self, row: usize, dims: &Dims, measure: Measure, amount: i64) {
        if let Some(row) = self.rows.get_mut(row).filter(|_| measure.sheet().is_versioned()) {
            row.note(dims.version, measure, amount);
        }
    }

    fn length_of(&mut self, row: usize, measure: Measure, dims: &Dims, amount: i64) {
        if let Some(row) = self.rows.get_mut(row).filter(|_| amount != 0) {
            row.add_length(measure, histogram::length(measure.sheet(), dims), amount);
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
        let row = self.row(place, dims);
        if let Some(row) = row.and_then(|row| self.rows.get_mut(row)) {
            row.stand(state, sign);
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
                        self.rows.add(row, slot, *amount);
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
        let row = self.row(place, dims);
        if let Some(row) = row.and_then(|row| self.rows.get_mut(row)) {
            row.wait(waited);
        }
    }

    fn row(&mut self, place: u32, dims: &Dims) -> Option<usize> {
        let keys = self.cut.keys(dims)?;
        Some(self.rows.touch(place, keys))
    }
}

/// Whether a measure hangs on the efficiency target.
fn is_targeted(measure: Measure) -> bool {
    matches!(measure, Measure::AgentDaysOverTarget | Measure::AgentMonthsOverTarget)
}
