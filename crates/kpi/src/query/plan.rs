//! What a query's columns are made of, and which measures they need.
//!
//! Not for summing: that is [`gather`](crate::query::gather) and [`live`](crate::live). Invariant: a measure that no column
//! needs has no slot, and is neither read nor kept.

use std::sync::LazyLock;

use smallvec::SmallVec;

use crate::{
    agent::standing::STATES,
    cells::Detail,
    formula::{Formula, GAUGES, Means, describe, describe_means, means},
    measure::{Measure, SHEETS, Sheet},
    query::{Column, Dimension, Query, QueryError, Value, cut::dimensions, rows::ByLength},
    reference::Law,
    site::Site,
};

/// No slot.
const NONE: u8 = u8::MAX;

/// What a column shows.
#[derive(Clone, Copy)]
enum Maker {
    Waiting,
    Longest,
    /// All that are signed in.
    SignedIn,
    /// Those in the state at this place.
    InState(usize),
    /// Tickets that are open.
    Backlog,
    Means(Means),
}

/// The columns of a query, and how a row's are made.
pub(crate) struct Plan {
    pub(crate) columns: Vec<Column>,
    /// For each formula version what the columns are made of where it holds; the first one also where any other does.
    makers: Vec<(u8, Vec<Maker>)>,
    /// Each measure that is needed, by slot.
    pub(crate) measures: Vec<Measure>,
    slots: [u8; Measure::ALL.len()],
    /// For each sheet its needed measures: their place in the sheet, their slot.
    pub(crate) by_sheet: [SmallVec<[(u8, u8); 4]>; SHEETS],
    /// For each sheet, whether its measures can exist in the query's rows.
    has: [bool; SHEETS],
    /// Whether anything is needed by length.
    needs_lengths: bool,
    /// Whether a value at an instant is shown.
    pub(crate) needs_gauges: bool,
    /// The same of agents by state.
    pub(crate) needs_states: bool,
    /// What becomes of open tickets.
    backlog: Backlog,
}

/// What becomes of open tickets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Backlog {
    /// No column shows them.
    LeftOut,
    /// They are shown in the rows that are there for something else.
    InRows,
    /// There is a row wherever tickets are open.
    MakesRows,
}

impl Backlog {
    /// Tickets stay open for days, day and night: who asks for all columns of calls or agents asks for no row each quarter of an
    /// hour because of that.
    fn of(query: &Query) -> Self {
        let asks = query.by.iter().any(|by| by.is_of_tickets())
            || query.columns.iter().any(|column| column == "backlog");
        if asks { Self::MakesRows } else { Self::InRows }
    }
}

/// The sums of a row, for its columns.
pub(crate) trait RowSums {
    /// The amount in a slot.
    fn amount(&self, slot: usize) -> i64;
    /// Visits that wait, and how long the longest has.
    fn waiting(&self) -> (i64, i64);
    /// How many there are of each length, each length once, in order.
    fn lengths(&self) -> ByLength;
    /// Agents by state.
    fn agents(&self) -> [i64; STATES];
    /// Open tickets.
    fn backlog(&self) -> i64;
}

impl Plan {
    /// Of a query of a site, by all its formula versions; all columns if it names none.
    ///
    /// Errors: a column that does not exist.
    pub(crate) fn of(query: &Query, site: Option<&Site>) -> Result<Self, QueryError> {
        let described = if query.variant.mean_of_days { describe_means() } else { describe() };
        let all = || described.iter().copied().zip(MAKERS.iter());
        let (columns, chosen): (Vec<Column>, Vec<&'static Maker>) = if query.columns.is_empty() {
            all().unzip()
        } else {
            let find = |name: &String| {
                let found = all().find(|(column, _)| column.name == name.as_str());
                found.ok_or_else(|| QueryError::UnknownColumn { column: name.clone() })
            };
            query.columns.iter().map(find).collect::<Result<Vec<_>, _>>()?.into_iter().unzip()
        };
        let under = |law: &Law| (law.number, chosen.iter().map(|maker| maker.under(law)).collect());
        let mut plan = Self {
            columns,
            makers: site
                .map_or_else(|| vec![Law::default()], |site| site.reference.all_laws())
                .iter()
                .map(under)
                .collect(),
            measures: Vec::new(),
            slots: [NONE; Measure::ALL.len()],
            by_sheet: std::array::from_fn(|_| SmallVec::new()),
            has: has(query),
            needs_lengths: false,
            needs_gauges: false,
            needs_states: false,
            backlog: Backlog::LeftOut,
        };
        let all: Vec<Maker> = plan.makers.iter().flat_map(|(_, makers)| makers.iter().copied()).collect();
        for maker in all {
            match maker {
                Maker::Waiting | Maker::Longest => plan.needs_gauges = true,
                Maker::SignedIn | Maker::InState(_) => plan.needs_states = true,
                Maker::Backlog => plan.backlog = Backlog::of(query),
                Maker::Means(means) => {
                    plan.needs_lengths |= matches!(means, Means::Percentile(_));
                    means.measures().into_iter().for_each(|measure| plan.need(measure));
                }
            }
        }
        plan.needs_gauges &= plan.has(Sheet::Visit);
        plan.needs_states &= plan.has(Sheet::Clock);
        if !plan.has(Sheet::Backlog) {
            plan.backlog = Backlog::LeftOut;
        }
        Ok(plan)
    }

    fn need(&mut self, measure: Measure) {
        let sheet = measure.sheet();
        let Some(slot) = self.slots.get_mut(measure.index()) else { return };
        if *slot != NONE || !self.has.get(sheet as usize).copied().unwrap_or(false) {
            return;
        }
        // Fewer than 255 measures exist.
        *slot = u8::try_from(self.measures.len()).unwrap_or(NONE);
        let place = sheet.measures().iter().position(|other| *other == measure).unwrap_or(0);
        if let Some(list) = self.by_sheet.get_mut(sheet as usize) {
            list.push((u8::try_from(place).unwrap_or(NONE), *slot));
        }
        self.measures.push(measure);
    }

    /// Whether the measures of a sheet can exist in the query's rows.
    pub(crate) fn has(&self, sheet: Sheet) -> bool {
        self.has.get(sheet as usize).copied().unwrap_or(false)
    }

    /// Whether a measure of a sheet is read.
    pub(crate) fn needs(&self, sheet: Sheet) -> bool {
        self.by_sheet.get(sheet as usize).is_some_and(|measures| !measures.is_empty())
    }

    /// The slot of a measure, if one of the columns needs it.
    #[inline]
    pub(crate) fn slot(&self, measure: Measure) -> Option<usize> {
        let slot = self.slots.get(measure.index()).copied().unwrap_or(NONE);
        (slot != NONE).then_some(usize::from(slot))
    }

    /// Whether open tickets are shown.
    pub(crate) fn needs_backlog(&self) -> bool {
        self.backlog != Backlog::LeftOut
    }

    /// Whether there is a row wherever tickets are open, though nothing else is in it.
    pub(crate) fn backlog_makes_rows(&self) -> bool {
        self.backlog == Backlog::MakesRows
    }

    fn makers(&self, version: u8) -> &[Maker] {
        let known = self.makers.iter().find(|(number, _)| *number == version).or_else(|| self.makers.first());
        known.map_or(&[], |(_, makers)| makers)
    }

    /// A row's values, with the forms of a formula version.
    pub(crate) fn values(&self, sums: &impl RowSums, version: u8) -> Vec<Value> {
        self.values_with(sums, version, |formula| self.ratio(formula, |slot| sums.amount(slot)))
    }

    /// A ratio of amounts by slot.
    pub(crate) fn ratio(&self, formula: &Formula, amount: impl Fn(usize) -> i64) -> Value {
        formula.value(|measure| self.slot(measure).map(&amount))
    }

    /// The same, with ratios taken otherwise.
    pub(crate) fn values_with(
        &self,
        sums: &impl RowSums,
        version: u8,
        ratio: impl Fn(&Formula) -> Value,
    ) -> Vec<Value> {
        let lengths = if self.needs_lengths { sums.lengths() } else { Default::default() };
        let (waiting, longest) = if self.needs_gauges { sums.waiting() } else { (0, 0) };
        let amount = |measure: Measure| self.slot(measure).map(|slot| sums.amount(slot));
        let agents = if self.needs_states { sums.agents() } else { Default::default() };
        let gauge = |value| if self.needs_gauges { Value::Amount(value) } else { Value::Absent };
        let state = |value| if self.needs_states { Value::Amount(value) } else { Value::Absent };
        let value = |maker: &Maker| match maker {
            Maker::Waiting => gauge(waiting),
            Maker::Longest => gauge(longest),
            Maker::Backlog if self.needs_backlog() => Value::Amount(sums.backlog()),
            Maker::Backlog => Value::Absent,
            Maker::SignedIn => state(agents.iter().sum()),
            Maker::InState(place) => state(agents.get(*place).copied().unwrap_or(0)),
            Maker::Means(Means::Measure(measure)) => amount(*measure).map_or(Value::Absent, Value::Amount),
            Maker::Means(Means::Formula(formula)) => ratio(formula),
            Maker::Means(Means::Percentile(percentile)) => {
                percentile.value(&lengths).map_or(Value::Absent, |length| Value::Amount(length.0))
            }
        };
        self.makers(version).iter().map(value).collect()
    }

    /// The columns that run, with above and below the line by how much each microsecond; `rate` tells that of a slot,
    /// `longest` that of the longest wait.
    pub(crate) fn rates(
        &self,
        rate: impl Fn(usize) -> i64,
        amount: impl Fn(usize) -> i64,
        longest: i64,
        version: u8,
    ) -> Vec<Running> {
        let of = |measure: Measure| self.slot(measure).map(&rate);
        let now = |measure: Measure| self.slot(measure).map(&amount);
        let running = |(column, maker): (usize, &Maker)| {
            let (parts, rates) = match maker {
                Maker::Longest => ((0, 0), (longest, 0)),
                Maker::Waiting
                | Maker::SignedIn
                | Maker::InState(_)
                | Maker::Backlog
                | Maker::Means(Means::Percentile(_)) => return None,
                Maker::Means(Means::Measure(measure)) => ((0, 0), (of(*measure)?, 0)),
                Maker::Means(Means::Formula(formula)) => (formula.parts(now)?, formula.parts(of)?),
            };
            (rates != (0, 0)).then_some(Running { column, parts, rates })
        };
        self.makers(version).iter().enumerate().filter_map(running).collect()
    }
}

/// A column that grows by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    /// Its place among the columns.
    pub column: usize,
    /// Of a quotient: what stands above and below the line at the instant, though nothing may stand below yet.
    pub parts: (i64, i64),
    /// By how much the amount, or what stands above and below the line, grows with each microsecond.
    pub rates: (i64, i64),
}

/// What each column of [`describe`] is made of.
static MAKERS: LazyLock<Vec<Maker>> =
    LazyLock::new(|| describe().iter().map(|column| maker(column.name)).collect());

impl Maker {
    /// What it stands for where a formula version holds.
    fn under(self, law: &Law) -> Self {
        match self {
            Self::Means(Means::Formula(formula)) => Self::Means(Means::Formula(formula.under(law.forms))),
            other => other,
        }
    }
}

fn maker(name: &str) -> Maker {
    match means(name, Law::default().forms) {
        Some((_, means)) => Maker::Means(means),
        None => gauge(name),
    }
}

fn gauge(name: &str) -> Maker {
    let place = GAUGES.iter().position(|column| column.name == name).unwrap_or(0);
    match place {
        0 => Maker::Waiting,
        1 => Maker::Longest,
        2 => Maker::SignedIn,
        9 => Maker::Backlog,
        state => Maker::InState(state - 3),
    }
}

fn has(query: &Query) -> [bool; SHEETS] {
    Sheet::ALL.map(|sheet| {
        let known = dimensions(sheet);
        let needs = |filter: bool, dimension| !filter || known.contains(&dimension);
        query.by.iter().filter(|by| !by.is_time()).all(|cut| known.contains(cut))
            && needs(!query.queues.is_empty(), Dimension::Queue)
            && needs(!query.agents.is_empty(), Dimension::Agent)
    })
}

/// A histogram with each length once, in order.
pub(crate) fn merged(lengths: &[(Detail, i64)]) -> Vec<(Detail, i64)> {
    // As long as the longest one: lengths are told as some thousand buckets.
    let mut counts: Vec<i64> = Vec::new();
    for (length, count) in lengths {
        let place = usize::try_from(length.0).unwrap_or(usize::MAX);
        if place >= counts.len() {
            counts.resize(place.saturating_add(1), 0);
        }
        if let Some(sum) = counts.get_mut(place) {
            *sum += count;
        }
    }
    (0u32..).map(Detail).zip(counts).filter(|(_, count)| *count != 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_made_of_something_that_bears_its_name() {
        for column in describe() {
            match maker(column.name) {
                Maker::Means(_) => assert!(!column.gauge, "{}", column.name),
                _ => assert!(column.gauge, "{}", column.name),
            }
        }
    }
}
