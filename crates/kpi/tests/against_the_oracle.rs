//! Random histories: what the folds answer is what the oracle counts, whatever the order of arrival.
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

use std::{collections::HashMap, fmt::Write as _};

use oracle::{
    Oracle, keys, rows_of,
    story::{Arrival, Dice, tell, words},
};
use pegcount_domain::{
    envelope::Recorded,
    ids::Key,
    time::{Interval, Micros},
};
use pegcount_kpi::{Attribution, Dimension, Kpi, Query};
use support::{amount, key, query};

const CUTS: [&[Dimension]; 4] = [
    &[Dimension::Interval15, Dimension::Queue, Dimension::Channel, Dimension::Direction],
    &[Dimension::Interval15, Dimension::Agent, Dimension::Team],
    &[Dimension::Interval15, Dimension::Queue, Dimension::Agent, Dimension::Team, Dimension::Channel],
    &[Dimension::Interval15, Dimension::Entry, Dimension::Queue],
];

fn names() -> HashMap<Key, String> {
    words().into_iter().map(|word| (key(&word), word)).collect()
}

fn fold(history: &[Recorded]) -> Kpi {
    let (mut kpi, names) = (Kpi::new(), names());
    for recorded in history {
        kpi.apply(recorded);
        for key in kpi.missing_names() {
            if let Some(name) = names.get(&key) {
                kpi.name(key, name);
            }
        }
    }
    kpi
}

fn range(history: &[Recorded]) -> (Micros, Micros) {
    let first = history.iter().map(|recorded| recorded.occurred_at).min().unwrap_or_default();
    let last = history.iter().map(|recorded| recorded.occurred_at).max().unwrap_or_default();
    let start = Interval::containing(first.minus(Micros(24 * Micros::HOUR.0))).start();
    (start, Interval::containing(last.plus(Micros(24 * Micros::HOUR.0))).end())
}

/// The first difference between the folds and the oracle, in words.
fn difference(history: &[Recorded], as_of: Micros) -> Option<String> {
    let (kpi, names) = (fold(history), names());
    let word = |key: Key| names.get(&key).cloned().unwrap_or_else(|| format!("{:032x}", key.0));
    let (from, to) = range(history);
    for site in ["north", "south"] {
        let truth = Oracle::count(history, key(site), as_of);
        for attribution in Attribution::ALL {
            for by in CUTS {
                let asked = Query { attribution, ..query(site, from, to, by, as_of) };
                let told = rows_of(&kpi.query(&asked).unwrap());
                let expected = truth.rows((from, to), by, attribution, &word);
                for (row, columns) in &expected {
                    for (column, amount) in columns {
                        let found = told.get(row).and_then(|row| row.get(column)).copied().unwrap_or(0);
                        if found != *amount {
                            return Some(format!(
                                "{site} {attribution} {row:?} {column}: expected {amount}, found {found}"
                            ));
                        }
                    }
                }
                for (row, columns) in &told {
                    for (column, found) in columns {
                        if expected.get(row).and_then(|row| row.get(column)).is_none() {
                            return Some(format!(
                                "{site} {attribution} {row:?} {column}: expected 0, found {found}"
                            ));
                        }
                    }
                }
            }
        }
        if let Some(odd) = gauges_differ(&kpi, &truth, site, (from, to), &word) {
            return Some(odd);
        }
    }
    None
}

fn gauges_differ(
    kpi: &Kpi,
    truth: &Oracle,
    site: &str,
    (from, to): (Micros, Micros),
    word: &dyn Fn(Key) -> String,
) -> Option<String> {
    let by = [Dimension::Interval15, Dimension::Queue];
    let table = kpi.query(&query(site, from, to, &by, truth.as_of)).unwrap();
    let waits_at = |row: &pegcount_kpi::Row| {
        let mine = truth.waits.iter().filter(|waits| {
            let named = keys(&by, &waits.about, word);
            named == row.keys.iter().map(|k| k.as_ref().map(ToString::to_string)).collect::<Vec<_>>()
        });
        let (at, still): (Micros, Vec<_>) = if row.to <= truth.as_of {
            (row.to, mine.filter(|waits| waits.entered < row.to && waits.left >= row.to).collect())
        } else if row.from <= truth.as_of {
            (truth.as_of, mine.filter(|waits| waits.left == Micros::MAX).collect())
        } else {
            (row.from, Vec::new())
        };
        let longest = still.iter().map(|waits| at.0 - waits.entered.0).max().unwrap_or(0);
        (i64::try_from(still.len()).unwrap(), longest)
    };
    table.rows.iter().find_map(|row| {
        let told = (amount(row, "waiting"), amount(row, "longest_waiting"));
        let expected = waits_at(row);
        (told != expected).then(|| format!("{site} {:?}: waiting {told:?}, expected {expected:?}", row.keys))
    })
}

/// Leaves out whatever is not needed for a difference.
fn shrink(mut history: Vec<Recorded>, as_of: Micros) -> Vec<Recorded> {
    let mut step = history.len() / 2;
    while step > 0 {
        let mut index = 0;
        while index < history.len() {
            let mut fewer = history.clone();
            fewer.drain(index..(index + step).min(history.len()));
            if difference(&fewer, as_of).is_some() {
                history = fewer;
            } else {
                index += step;
            }
        }
        step /= 2;
    }
    history
}

fn check(seed: u64, size: i64, arrival: Arrival) {
    let history = tell(seed, size, arrival);
    let (from, to) = range(&history);
    let mut dice = Dice(seed ^ 0xA5A5);
    let whole = to.plus(Micros(20 * 24 * Micros::HOUR.0));
    let middle = Micros(from.0 + 24 * Micros::HOUR.0 + dice.below(6 * 3600) * 1_000_000 + dice.below(2) * 17);
    let week = Micros(from.0 + dice.below((to.0 - from.0) / 1_000_000) * 1_000_000);
    for as_of in [whole, middle, week] {
        if difference(&history, as_of).is_some() {
            let short = shrink(history, as_of);
            let mut story = String::new();
            for recorded in &short {
                writeln!(
                    story,
                    "#{} {} {:?} {:x} {:?}",
                    recorded.position,
                    recorded.occurred_at.0,
                    recorded.stream.kind,
                    recorded.stream.id.0 >> 112,
                    recorded.event
                )
                .unwrap();
            }
            panic!("seed {seed} {arrival:?} as of {as_of}: {}\n{story}", difference(&short, as_of).unwrap());
        }
    }
}

fn seeds() -> std::ops::Range<u64> {
    let first = std::env::var("KPI_SEED").ok().and_then(|seed| seed.parse().ok());
    match first {
        Some(seed) => seed..seed + 1,
        None => 0..std::env::var("KPI_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(16),
    }
}

#[test]
fn folding_in_order_is_what_the_oracle_counts() {
    for seed in seeds() {
        check(seed, 6, Arrival::InOrder);
    }
}

#[test]
fn folding_what_comes_a_little_late_is_what_the_oracle_counts() {
    for seed in seeds() {
        check(seed, 8, Arrival::ALittleLate);
    }
}

#[test]
fn folding_in_any_order_of_arrival_is_what_the_oracle_counts() {
    for seed in seeds() {
        check(seed, 8, Arrival::Anyhow);
    }
}
