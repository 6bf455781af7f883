//! The KPIs of KPIS.md §4: sums of measures over sums of measures, as data.
//!
//! Of a KPI with variants each has a column; the plain column stands for the one that the formula version says
//! ([`Formula::under`]). Invariant: a ratio is taken at the very end, of pooled sums, and one without a denominator is
//! absent.
//!
//! - [`table`], [`tickets`]: all of them; [`forms`]: the variants that formula versions say

mod forms;
mod table;
mod tickets;

use std::sync::LazyLock;

use pegcount_domain::{
    formula::{Forms, ResolutionForm},
    time::Micros,
};

use self::{
    forms::{abandon_rate, handle_time, service_level},
    table::FORMULAS,
    tickets::TICKETS,
};
use crate::{
    cells::Detail,
    histogram::{self, Lengths},
    measure::{Measure as M, Measure, Unit},
    query::{Column, Role, Term, Value},
};

/// The version by which a site counts that has defined none.
pub use pegcount_domain::formula::FORMULA_BUILT_IN;

/// All KPIs, in the order of their columns.
fn formulas() -> impl Iterator<Item = &'static Formula> {
    FORMULAS.iter().chain(TICKETS)
}

/// The gauges, which stand after the measures of queue visits: of visits, of agents by state, of tickets.
pub(crate) const GAUGES: [Column; 10] = [
    gauge("waiting", Unit::Count, "Visits that wait at the instant."),
    gauge("longest_waiting", Unit::Duration, "How long the longest of them has waited by then."),
    gauge("agents_signed_in", Unit::Count, "Agents that are signed in at the instant."),
    gauge("agents_occupied", Unit::Count, "Of these, those in a contact or after-call work."),
    gauge("agents_lost", Unit::Count, "Of these, those whose connection is lost."),
    gauge("agents_ringing", Unit::Count, "Of these, those whose device rings."),
    gauge("agents_dialing", Unit::Count, "Of these, those who dial."),
    gauge("agents_away", Unit::Count, "Of these, those who are away."),
    gauge("agents_ready", Unit::Count, "Of these, those who are ready."),
    gauge("backlog", Unit::Count, "Tickets that are open at the instant."),
];

const fn gauge(name: &'static str, unit: Unit, meaning: &'static str) -> Column {
    Column { name, unit, gauge: true, formula: None, meaning: Some(meaning) }
}

/// One KPI.
pub(crate) struct Formula {
    name: &'static str,
    unit: Unit,
    words: &'static str,
    /// The numerator is multiplied by this.
    scale: i64,
    plus: &'static [Measure],
    minus: &'static [Measure],
    over: &'static [Measure],
    over_minus: &'static [Measure],
}

impl Formula {
    pub(crate) const fn unit(&self) -> Unit {
        self.unit
    }

    /// What its column stands for where these forms hold: itself, or the variant that they say.
    pub(crate) fn under(&'static self, forms: Forms) -> &'static Self {
        let variant = match self.name {
            "aht" => handle_time(forms.aht),
            "abandon_rate" => abandon_rate(forms.abandon_rate),
            "service_level" => service_level(forms.service_level),
            "fcr_rate" if forms.fcr == ResolutionForm::Repeat => "fcr_repeat_form",
            "fcr_final_share" if forms.fcr == ResolutionForm::Repeat => "repeat_final_share",
            _ => return self,
        };
        formulas().find(|formula| formula.name == variant).unwrap_or(self)
    }

    /// What stands above and below the line; none if one of its measures cannot exist.
    pub(crate) fn parts(&self, amount: impl Fn(Measure) -> Option<i64>) -> Option<(i64, i64)> {
        let sum = |plus: &[Measure], minus: &[Measure]| {
            let mut total = 0i64;
            for measure in plus {
                total = total.saturating_add(amount(*measure)?);
            }
            for measure in minus {
                total = total.saturating_sub(amount(*measure)?);
            }
            Some(total)
        };
        let above = sum(self.plus, self.minus)?.saturating_mul(self.scale);
        Some((above, sum(self.over, self.over_minus)?))
    }

    /// Its value over measures that `amount` tells; absent if one of them cannot exist or nothing stands below.
    pub(crate) fn value(&self, amount: impl Fn(Measure) -> Option<i64>) -> Value {
        match self.parts(amount) {
            Some((numerator, denominator)) if denominator != 0 => Value::Ratio { numerator, denominator },
            _ => Value::Absent,
        }
    }
}

/// A percentile of waits, or of what tickets took.
pub(crate) struct Percentile {
    name: &'static str,
    words: &'static str,
    /// What counts by length.
    of: Measure,
    percent: i64,
}

const fn percentile(name: &'static str, words: &'static str, of: Measure, percent: i64) -> Percentile {
    Percentile { name, words, of, percent }
}

/// All of them, in the order of the columns.
pub(crate) static PERCENTILES: &[Percentile] = &[
    percentile("asa_p50", "median wait of the answered, by nearest rank, within 2 %", M::WaitsAnswered, 50),
    percentile(
        "asa_p90",
        "90th percentile of the waits of the answered, by nearest rank, within 2 %",
        M::WaitsAnswered,
        90,
    ),
    percentile(
        "abandon_wait_p50",
        "median wait of the abandoned, by nearest rank, within 2 %",
        M::WaitsAbandoned,
        50,
    ),
    percentile(
        "abandon_wait_p90",
        "90th percentile of the waits of the abandoned, by nearest rank, within 2 %",
        M::WaitsAbandoned,
        90,
    ),
    percentile(
        "first_response_p50",
        "median first_response, by nearest rank, within 2 %",
        M::FirstResponseTook,
        50,
    ),
    percentile(
        "first_response_p90",
        "90th percentile of first_response, by nearest rank, within 2 %",
        M::FirstResponseTook,
        90,
    ),
    percentile(
        "first_response_p50_working",
        "median first_response_working, by nearest rank, within 2 %",
        M::FirstResponseTookWorking,
        50,
    ),
    percentile(
        "first_response_p90_working",
        "90th percentile of first_response_working, by nearest rank, within 2 %",
        M::FirstResponseTookWorking,
        90,
    ),
    percentile("resolution_p50", "median resolution, by nearest rank, within 2 %", M::ResolutionTook, 50),
    percentile(
        "resolution_p90",
        "90th percentile of resolution, by nearest rank, within 2 %",
        M::ResolutionTook,
        90,
    ),
    percentile(
        "resolution_p50_working",
        "median resolution_working, by nearest rank, within 2 %",
        M::ResolutionTookWorking,
        50,
    ),
    percentile(
        "resolution_p90_working",
        "90th percentile of resolution_working, by nearest rank, within 2 %",
        M::ResolutionTookWorking,
        90,
    ),
];

impl Percentile {
    /// Its value of histograms whose buckets are in order; none if nothing was counted.
    pub(crate) fn value(&self, lengths: &Lengths<Vec<(Detail, i64)>>) -> Option<Micros> {
        histogram::percentile(lengths.get(histogram::place(self.of)?)?, self.percent)
    }
}

/// What a column is made of.
#[derive(Clone, Copy)]
pub(crate) enum Means {
    Measure(Measure),
    Formula(&'static Formula),
    Percentile(&'static Percentile),
}

/// The column of this name and what it is made of where these forms hold; none for a gauge or no column at all.
pub(crate) fn means(name: &str, forms: Forms) -> Option<(Column, Means)> {
    let mut column = *describe().iter().find(|column| column.name == name)?;
    let measure = Measure::ALL.iter().find(|measure| measure.name() == name).copied().map(Means::Measure);
    let formula = formulas().find(|formula| formula.name == name).map(|formula| formula.under(forms));
    column.formula = formula.map_or(column.formula, |formula| Some(formula.words));
    let formula = formula.map(Means::Formula);
    let percentile = PERCENTILES.iter().find(|percentile| percentile.name == name).map(Means::Percentile);
    Some((column, measure.or(formula).or(percentile)?))
}

impl Means {
    /// Its measures, with what `amount` tells of each.
    pub(crate) fn terms(&self, amount: impl Fn(Measure) -> i64) -> Vec<Term> {
        let term = |role: Role, measure: &Measure| Term {
            measure: *measure,
            role,
            amount: amount(*measure),
            items: 0,
        };
        match self {
            Self::Measure(measure) => vec![term(Role::Itself, measure)],
            Self::Percentile(percentile) => vec![term(Role::Itself, &percentile.of)],
            Self::Formula(formula) => {
                let parts = [
                    (Role::Plus, formula.plus),
                    (Role::Minus, formula.minus),
                    (Role::Over, formula.over),
                    (Role::OverMinus, formula.over_minus),
                ];
                let terms = parts.iter().flat_map(|(role, measures)| measures.iter().map(|m| term(*role, m)));
                terms.collect()
            }
        }
    }

    /// Its value, by the measures' amounts, or by counts by length.
    pub(crate) fn value(
        &self,
        amount: impl Fn(Measure) -> i64,
        waits: impl FnOnce() -> Vec<(Detail, i64)>,
    ) -> Value {
        match self {
            Self::Measure(measure) => Value::Amount(amount(*measure)),
            Self::Formula(formula) => formula.value(|measure| Some(amount(measure))),
            Self::Percentile(percentile) => {
                let wait = histogram::percentile(&waits(), percentile.percent);
                wait.map_or(Value::Absent, |wait| Value::Amount(wait.0))
            }
        }
    }
}

/// The same columns where ratios are the mean of days: those of ratios say so.
pub fn describe_means() -> &'static [Column] {
    static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(|| {
        let is_ratio = |column: &Column| formulas().any(|formula| formula.name == column.name);
        let mean = |column: &Column| {
            let words = column.formula.filter(|_| is_ratio(column));
            // Once for the life of the program.
            let words = words.map(|words| &*format!("mean of the local days' values of: {words}").leak());
            Column { formula: words.or(column.formula), ..*column }
        };
        describe().iter().map(mean).collect()
    });
    &COLUMNS
}

/// Every column of every table, in order: the measures (gauges after those of queue visits), then the KPIs.
pub fn describe() -> &'static [Column] {
    static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(|| {
        let measure = |m: &Measure| Column {
            name: m.name(),
            unit: m.unit(),
            gauge: false,
            formula: None,
            meaning: Some(m.meaning()),
        };
        let visits = crate::measure::Sheet::Visit.measures();
        let others = Measure::ALL.iter().skip(visits.len()).filter(|measure| measure.sheet().is_shown());
        let kpis = formulas().map(|formula| Column {
            name: formula.name,
            unit: formula.unit,
            gauge: false,
            formula: Some(formula.words),
            meaning: None,
        });
        let percentiles = PERCENTILES.iter().map(|percentile| Column {
            name: percentile.name,
            unit: Unit::Duration,
            gauge: false,
            formula: Some(percentile.words),
            meaning: None,
        });
        let measures = visits.iter().map(measure).chain(GAUGES).chain(others.map(measure));
        measures.chain(kpis).chain(percentiles).collect()
    });
    &COLUMNS
}
