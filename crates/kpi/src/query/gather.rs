//! Cells and open work into sums per row.
//!
//! Invariant: every contribution of the range that passes the query's filters is in exactly one row.

use pegcount_domain::time::{Interval, Micros, Span};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::{
    agent::standing::{STATES, State},
    cells::{Attribution, Detail, Dims},
    formula::FORMULA_BUILT_IN,
    measure::{Measure, SHEETS, Sheet},
    names::Id,
    query::{Dimension, Query, buckets::Buckets},
    site::{
        Site,
        days::{counted_in, day_amounts, month_amounts},
        read::{Overlay, Scope},
    },
};

/// The dimensions of a row apart from time, in the order asked.
pub(crate) type Keys = SmallVec<[u32; 4]>;

/// The sums of one row.
#[derive(Clone, Debug)]
pub(crate) struct Sums {
    pub(crate) bucket: u32,
    pub(crate) keys: Keys,
    pub(crate) amounts: Box<[i64]>,
    pub(crate) waiting: i64,
    pub(crate) longest: i64,
    /// Agents by state, by [`State`].
    pub(crate) agents: [i64; STATES],
    /// Waits of the answered and of the abandoned, by length.
    pub(crate) waits: [Vec<(Detail, i64)>; 2],
    /// For each formula version by which anything was counted, a sum that is 0 if all of that was taken away again.
    pub(crate) versions: SmallVec<[(u8, i64); 1]>,
}

impl Sums {
    /// Nothing counted yet.
    pub(crate) fn new(bucket: u32, keys: Keys) -> Self {
        let amounts = vec![0; Measure::ALL.len()].into_boxed_slice();
        Self {
            bucket,
            keys,
            amounts,
            waiting: 0,
            longest: 0,
            agents: [0; STATES],
            waits: Default::default(),
            versions: SmallVec::new(),
        }
    }

    /// Notes that something in it was counted by a version; 0 stands for the built-in one.
    fn note(&mut self, version: u8, measure: Measure, amount: i64) {
        // Amounts of several measures must not make up for each other.
        const SPREAD: usize = 0x1E37_79B9_7F4A_7C15;
        let version = version.max(FORMULA_BUILT_IN);
        let weight = i64::try_from((measure.index() + 1).wrapping_mul(SPREAD) >> 1).unwrap_or(1) | 1;
        let term = amount.wrapping_mul(weight);
        match self.versions.iter_mut().find(|(known, _)| *known == version) {
            Some((_, sum)) => *sum = sum.wrapping_add(term),
            None => self.versions.push((version, term)),
        }
    }

    /// The formula versions by which what is in it was counted.
    pub(crate) fn counted_by(&self) -> impl Iterator<Item = u8> {
        self.versions.iter().filter(|(_, sum)| *sum != 0).map(|(version, _)| *version)
    }

    fn add(&mut self, measure: Measure, detail: Detail, amount: i64) {
        if let Some(sum) = self.amounts.get_mut(measure.index()) {
            *sum += amount;
        }
        let [answered, abandoned] = &mut self.waits;
        match measure {
            Measure::WaitsAnswered => answered.push((detail, amount)),
            Measure::WaitsAbandoned => abandoned.push((detail, amount)),
            _ => {}
        }
    }
}

/// What a query asks of one site.
pub(crate) struct Gather<'a> {
    query: &'a Query,
    buckets: &'a Buckets,
    cuts: SmallVec<[Dimension; 4]>,
    queues: Option<Vec<Id>>,
    agents: Option<Vec<Id>>,
    /// For each sheet, whether its measures can exist in the query's rows.
    has: [bool; SHEETS],
    rows: FxHashMap<(u32, Keys), usize>,
    pub(crate) sums: Vec<Sums>,
    last: Option<(u32, Keys, usize)>,
}

impl<'a> Gather<'a> {
    pub(crate) fn new(query: &'a Query, buckets: &'a Buckets, site: Option<&Site>) -> Self {
        let find = |text: &str| site.and_then(|site| site.names.find_text(text));
        let queues = query.queues.iter().filter_map(|queue| find(queue.as_str())).collect();
        let agents = query.agents.iter().filter_map(|agent| find(agent.as_str())).collect();
        let cuts: SmallVec<[Dimension; 4]> =
            query.by.iter().copied().filter(|dimension| !dimension.is_time()).collect();
        let has = Sheet::ALL.map(|sheet| {
            let known = dimensions(sheet);
            let needs = |filter: bool, dimension| !filter || known.contains(&dimension);
            cuts.iter().all(|cut| known.contains(cut))
                && needs(!query.queues.is_empty(), Dimension::Queue)
                && needs(!query.agents.is_empty(), Dimension::Agent)
        });
        Self {
            query,
            buckets,
            cuts,
            has,
            queues: (!query.queues.is_empty()).then_some(queues),
            agents: (!query.agents.is_empty()).then_some(agents),
            rows: FxHashMap::default(),
            sums: Vec::new(),
            last: None,
        }
    }

    /// Whether the measures of a sheet can exist in the query's rows.
    #[inline]
    pub(crate) fn has(&self, sheet: Sheet) -> bool {
        self.has.get(sheet as usize).copied().unwrap_or(false)
    }

    /// An amount of a row, if its measure can exist there.
    pub(crate) fn amount(&self, sums: &Sums, measure: Measure) -> Option<i64> {
        self.has(measure.sheet()).then(|| sums.amounts.get(measure.index()).copied()).flatten()
    }

    /// The attribution under which the query reads a sheet.
    fn attribution(&self, sheet: Sheet) -> Attribution {
        attribution(sheet, self.query.attribution)
    }

    /// Adds up a site.
    pub(crate) fn site(&mut self, site: &Site) {
        let range = Span::new(self.query.from, self.query.to);
        let overlay = site.overlay(self.query.as_of, range, &Scope::Everything);
        let (from, to) = (Interval::containing(self.query.from), Interval::containing(self.query.to));
        // Where one version holds throughout there is nothing to tell apart.
        let tells = self.query.formula_version.is_none() && site.reference.has_changes();
        let forced = self.query.variant.efficiency_target.is_some();
        for sheet in Sheet::ALL.into_iter().filter(|sheet| self.has(*sheet)).collect::<SmallVec<[Sheet; 8]>>()
        {
            for (interval, dims, amounts) in site.books.cells.rows(sheet, self.attribution(sheet), from, to) {
                let Some(sums) = self.sums_at(interval, &dims) else { continue };
                for (measure, amount) in sheet
                    .measures()
                    .iter()
                    .zip(amounts)
                    .filter(|(measure, _)| !(forced && is_targeted(**measure)))
                {
                    if tells && sheet.is_versioned() {
                        sums.note(dims.version, *measure, *amount);
                    }
                    sums.add(*measure, dims.detail, *amount);
                }
            }
        }
        for contribution in &overlay.contributions {
            let sheet = contribution.measure.sheet();
            if self.attribution(sheet) == contribution.attribution
                && self.has(sheet)
                && !(forced && is_targeted(contribution.measure))
                && let Some(sums) = self.sums_at(contribution.interval, &contribution.dims)
            {
                if tells && sheet.is_versioned() {
                    sums.note(contribution.dims.version, contribution.measure, contribution.amount);
                }
                sums.add(contribution.measure, contribution.dims.detail, contribution.amount);
            }
        }
        if forced && self.has(Sheet::Day) {
            self.targeted(site, range);
        }
        if self.has(Sheet::Visit) {
            self.gauges(site, &overlay);
        }
        if self.has(Sheet::Clock) {
            self.agents_by_state(site, &overlay);
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
        if let Some(sums) = self.sums(place, dims)
            && let Some(agents) = sums.agents.get_mut(state as usize)
        {
            *agents += sign;
        }
    }

    /// Agent-days and agent-months against the target that the query forces.
    fn targeted(&mut self, site: &Site, range: Span) {
        for unit in site.agents.list.iter().filter(|unit| unit.has_clock) {
            let (days, months) =
                site.days_of(unit, self.query.as_of, range, self.query.variant.efficiency_target);
            let days = days.iter().map(|day| (day.span.end, day.verdict.team, day_amounts(&day.verdict)));
            let months = months
                .iter()
                .map(|month| (month.span.end, month.verdict.team, month_amounts(&month.verdict)));
            for (end, team, amounts) in days.chain(months) {
                let dims = Dims { agent: unit.id, team, ..Dims::default() };
                let Some(sums) = self.sums_at(counted_in(end), &dims) else { continue };
                for (measure, amount) in amounts.iter().filter(|(measure, _)| is_targeted(*measure)) {
                    sums.add(*measure, dims.detail, *amount);
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
        if let Some(sums) = self.sums(place, dims) {
            sums.waiting += 1;
            sums.longest = sums.longest.max(waited.0);
        }
    }

    #[inline]
    fn sums_at(&mut self, interval: Interval, dims: &Dims) -> Option<&mut Sums> {
        let place = self.buckets.place(interval)?;
        self.sums(place, dims)
    }

    fn sums(&mut self, place: u32, dims: &Dims) -> Option<&mut Sums> {
        let among = |filter: &Option<Vec<Id>>, id| filter.as_ref().is_none_or(|ids| ids.contains(&id));
        if !among(&self.queues, dims.queue) || !among(&self.agents, dims.agent) {
            return None;
        }
        let keys: Keys = self.cuts.iter().map(|cut| key(*cut, dims)).collect();
        if let Some((last_place, last_keys, index)) = &self.last
            && *last_place == place
            && *last_keys == keys
        {
            return self.sums.get_mut(*index);
        }
        let next = self.sums.len();
        let index = *self.rows.entry((place, keys.clone())).or_insert(next);
        if index == next {
            self.sums.push(Sums::new(place, keys.clone()));
        }
        self.last = Some((place, keys, index));
        self.sums.get_mut(index)
    }
}

/// Whether a measure hangs on the efficiency target.
fn is_targeted(measure: Measure) -> bool {
    matches!(measure, Measure::AgentDaysOverTarget | Measure::AgentMonthsOverTarget)
}

/// The attribution under which a query for `asked` reads a sheet.
pub(crate) fn attribution(sheet: Sheet, asked: Attribution) -> Attribution {
    match (sheet, asked) {
        (Sheet::Visit, any) => any,
        // A wait's own event is its end, as a handle's is.
        (Sheet::Wait | Sheet::Handle | Sheet::Transfer, Attribution::Start) => Attribution::Start,
        _ => Attribution::Event,
    }
}

pub(crate) fn key(cut: Dimension, dims: &Dims) -> u32 {
    match cut {
        Dimension::Queue => dims.queue.0,
        Dimension::Agent => dims.agent.0,
        Dimension::Team => dims.team.0,
        Dimension::Entry => dims.entry.0,
        Dimension::Channel => u32::from(dims.channel),
        Dimension::Direction => u32::from(dims.direction),
        Dimension::Priority => u32::from(dims.priority),
        Dimension::Reason | Dimension::Cause => dims.detail.0,
        Dimension::Interval15 | Dimension::Interval30 | Dimension::Hour | Dimension::Day => 0,
    }
}

/// What a sheet can be cut by.
pub(crate) const fn dimensions(sheet: Sheet) -> &'static [Dimension] {
    use Dimension::{Agent, Cause, Channel, Direction, Entry, Priority, Queue, Reason, Team};
    match sheet {
        Sheet::Visit | Sheet::Wait => &[Queue, Entry, Channel, Direction, Priority],
        Sheet::Clock | Sheet::Day => &[Agent, Team],
        Sheet::Away => &[Agent, Team, Reason],
        Sheet::Transfer => &[Agent, Team, Queue, Channel, Direction, Reason],
        Sheet::Failure => &[Agent, Team, Queue, Channel, Cause],
        Sheet::Leg | Sheet::Handle => &[Agent, Team, Queue, Channel, Direction],
        Sheet::Ticket => &[Agent, Team, Queue],
        Sheet::Line => &[Agent, Team, Queue, Channel],
    }
}
