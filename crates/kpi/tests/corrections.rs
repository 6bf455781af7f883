//! What a late, amended or annulled fact changed in closed intervals is what is listed as corrected (KPIS.md §6).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod oracle;
mod support;

use std::collections::BTreeMap;

use oracle::{
    compare::{SITES, apply, in_words, names, range, seeds, shrink, some},
    story::{Arrival, tell, told},
};
use pegcount_domain::{
    envelope::{Recorded, StreamKind},
    event::Event,
    time::{Interval, Micros},
};
use pegcount_kpi::{Dimension, Kpi, Value, correction::CORRECTION_GRACE};
use support::{key, query};

/// Seeds unless the environment says otherwise.
const SEEDS: u64 = 16;

/// Of the stories in which everything is late only those that last no longer: the others take long.
const DAYS_MAX: Micros = Micros(4 * 24 * Micros::HOUR.0);

/// Interval, measure: amount.
type Totals = BTreeMap<(Interval, &'static str), i64>;

fn is_closed(interval: Interval, now: Micros) -> bool {
    interval.end().plus(CORRECTION_GRACE) < now
}

/// Whether it comes after its interval has closed, or is one that may reach back.
fn is_late(recorded: &Recorded) -> bool {
    let reaches_back = matches!(recorded.event, Event::Annulled { .. } | Event::Amended { .. });
    reaches_back
        || recorded.stream.kind == StreamKind::Definition
        || is_closed(Interval::containing(recorded.occurred_at), recorded.recorded_at)
}

/// The site's totals of the closed intervals, as of an instant.
fn totals(kpi: &Kpi, site: &str, (from, to): (Micros, Micros), now: Micros) -> Totals {
    let table = kpi.query(&query(site, from, to, &[Dimension::Interval15], now)).unwrap();
    let mut totals = Totals::new();
    for row in &table.rows {
        let interval = Interval::containing(row.from);
        for (column, value) in table.columns.iter().zip(&row.values) {
            let is_measure = !column.gauge && column.formula.is_none();
            if let (Value::Amount(amount), true, true) = (value, is_measure, is_closed(interval, now)) {
                totals.insert((interval, column.name), *amount);
            }
        }
    }
    totals
}

fn changes(before: &Totals, after: &Totals) -> Totals {
    let mut changes = after.clone();
    for (at, amount) in before {
        *changes.entry(*at).or_default() -= amount;
    }
    changes.retain(|_, amount| *amount != 0);
    changes
}

fn listed(kpi: &Kpi, recorded: &Recorded, range: (Micros, Micros), site: &str) -> Totals {
    let asked = query(site, range.0, range.1, &[], recorded.recorded_at);
    let mut listed = Totals::new();
    for correction in kpi.corrections(&asked.site) {
        let in_range = range.0 <= correction.interval.start() && correction.interval.end() <= range.1;
        if correction.position == recorded.position && in_range {
            let at = (correction.interval, correction.measure.name());
            *listed.entry(at).or_default() += correction.difference;
        }
    }
    listed
}

/// The first event whose listed corrections are not what it changed, by its place, and in what.
fn difference(history: &[Recorded]) -> Option<(usize, String)> {
    let (range, names) = (range(history), names());
    let mut kpi = some(history.len().try_into().unwrap());
    for (place, recorded) in history.iter().enumerate() {
        let site = SITES.into_iter().find(|site| key(site) == recorded.stream.site).unwrap();
        let now = recorded.recorded_at;
        let before = is_late(recorded).then(|| totals(&kpi, site, range, now));
        apply(&mut kpi, recorded, &names);
        let Some(before) = before else { continue };
        let changed = changes(&before, &totals(&kpi, site, range, now));
        let listed = listed(&kpi, recorded, range, site);
        if listed != changed {
            let odd = changes(&changed, &listed);
            let words = told(recorded);
            let odd = format!("recorded at {now}: {words}\nlisted beyond what it changed: {odd:?}");
            return Some((place, odd));
        }
    }
    None
}

fn check(seed: u64, size: i64, arrival: Arrival) {
    let history = tell(seed, size, arrival);
    if let Some((place, _)) = difference(&history) {
        let short = shrink(history[..=place].to_vec(), |history| difference(history).is_some());
        let ((_, odd), story) = (difference(&short).unwrap(), in_words(&short));
        panic!("seed {seed} size {size} {arrival:?}: {odd}\n{story}");
    }
}

#[test]
fn what_a_late_fact_changed_in_closed_intervals_is_what_is_listed() {
    for seed in seeds(0, SEEDS) {
        check(seed, 3, Arrival::ALittleLate);
    }
}

#[test]
fn what_a_fact_changed_that_came_at_any_time_is_what_is_listed() {
    let short = |seed: &u64| {
        let (from, to) = range(&tell(*seed, 2, Arrival::Anyhow));
        to.minus(from) < DAYS_MAX
    };
    let all = seeds(10_000, SEEDS);
    let several = all.clone().count() > 1;
    for seed in all.filter(|seed| !several || short(seed)) {
        check(seed, 2, Arrival::Anyhow);
    }
}
