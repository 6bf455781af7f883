//! Random histories: what the folds answer is what the oracle counts, whatever the order of arrival.
//!
//! `KPI_SEEDS` says how many seeds each test looks at, `KPI_SEED` which one only.
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

use std::ops::Range;

use oracle::{
    compare::{difference, in_words, range, seeds, shrink},
    story::{Arrival, Dice, tell},
};
use pegcount_domain::{envelope::Recorded, time::Micros};

/// Seeds of each test unless the environment says otherwise.
const SEEDS: u64 = 20;
/// Seeds of the long stories.
const LONG_SEEDS: u64 = 3;

/// The instants that a story is looked at as of: when all is over, in the middle of the day, at some time.
fn instants(history: &[Recorded], dice: &mut Dice) -> [Micros; 3] {
    let (from, to) = range(history);
    let whole = to.plus(Micros(20 * 24 * Micros::HOUR.0));
    let middle = Micros(from.0 + 24 * Micros::HOUR.0 + dice.below(6 * 3600) * 1_000_000 + dice.below(2) * 17);
    let week = Micros(from.0 + dice.below((to.0 - from.0) / 1_000_000) * 1_000_000);
    [whole, middle, week]
}

/// Looks at all seeds; makes the first story that differs short.
fn check(seeds: Range<u64>, size: i64, arrival: Arrival) {
    let mut odd: Vec<(u64, Vec<Recorded>, Micros, u64)> = Vec::new();
    for seed in seeds {
        let history = tell(seed, size, arrival);
        let mut dice = Dice(seed ^ 0xA5A5);
        for as_of in instants(&history, &mut dice) {
            let chance = dice.roll();
            if difference(&history, as_of, chance).is_some() {
                odd.push((seed, history.clone(), as_of, chance));
                break;
            }
        }
    }
    let seeds: Vec<u64> = odd.iter().map(|(seed, ..)| *seed).collect();
    if let Some((seed, history, as_of, chance)) = odd.into_iter().next() {
        let short = shrink(history, |history| difference(history, as_of, chance).is_some());
        let words = difference(&short, as_of, chance).unwrap();
        let story = in_words(&short);
        panic!(
            "{size} contacts, {arrival:?}: seeds {seeds:?} differ; seed {seed} as of {as_of}: {words}\n{story}"
        );
    }
}

#[test]
fn folding_in_order_is_what_the_oracle_counts() {
    check(seeds(0, SEEDS), 6, Arrival::InOrder);
}

#[test]
fn folding_what_comes_a_little_late_is_what_the_oracle_counts() {
    check(seeds(10_000, SEEDS), 8, Arrival::ALittleLate);
}

#[test]
fn folding_in_any_order_of_arrival_is_what_the_oracle_counts() {
    check(seeds(20_000, SEEDS), 8, Arrival::Anyhow);
}

#[test]
fn folding_a_busy_day_is_what_the_oracle_counts() {
    check(seeds(30_000, LONG_SEEDS), 30, Arrival::ALittleLate);
    check(seeds(40_000, LONG_SEEDS), 30, Arrival::Anyhow);
}
