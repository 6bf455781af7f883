//! Windows up to an instant, exact to the microsecond: what the oracle counts in them, whatever the instant.
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

use oracle::{
    compare::{differs_on, range, seeds},
    story::{Arrival, Dice, tell},
};
use pegcount_domain::{
    event::{LegStep, QueueExit},
    time::Micros,
};
use pegcount_kpi::{Attribution, Dimension, ExplainQuery, Query, QueryError};
use support::{Centre, amount, ended, secs, t};

/// The last `length` as of an instant.
fn last(centre: &Centre, length: i64, as_of: &str) -> Query {
    Query { last: Some(Micros(length)), as_of: t(as_of), ..centre.query("0", "1", &[]) }
}

/// Lengths that lie on the grid, within one interval, and anywhere.
fn lengths(dice: &mut Dice) -> Micros {
    let any = 1 + dice.below(6 * 3_600_000_000);
    Micros(dice.pick(&[30 * 60_000_000, 1, 5_000_000, 900_000_000, any, any]))
}

fn check(seed: u64, arrival: Arrival) {
    let history = tell(seed, 8, arrival);
    let (from, to) = range(&history);
    let mut dice = Dice(seed ^ 0x3C);
    for _ in 0..6 {
        // Often at the very instant of a fact, or a microsecond beside it.
        let fact = dice.pick(&history).occurred_at;
        let any = Micros(from.0 + dice.below(to.0 - from.0));
        let as_of = dice.pick(&[fact, fact.plus(Micros(1)), fact.minus(Micros(1)), any]);
        let length = lengths(&mut dice);
        // Or it begins at one.
        let begins = dice.chance(30);
        let as_of = if begins { as_of.plus(length) } else { as_of };
        let differs = differs_on(&history, as_of, seed, |site| {
            let cuts: [&[Dimension]; 5] = [
                &[],
                &[Dimension::Queue],
                &[Dimension::Agent, Dimension::Team],
                &[Dimension::Queue, Dimension::Agent],
                &[Dimension::Reason],
            ];
            let cut = |by: &&[Dimension]| {
                Attribution::ALL.map(|attribution| Query {
                    attribution,
                    last: Some(length),
                    ..support::query(site, from, to, by, as_of)
                })
            };
            cuts.iter().flat_map(cut).collect()
        });
        assert_eq!(differs, None, "seed {seed} {arrival:?}: the last {length} as of {as_of}");
    }
}

#[test]
fn a_window_up_to_any_instant_is_what_the_oracle_counts_in_it() {
    seeds(60_000, 12).for_each(|seed| check(seed, Arrival::InOrder));
    seeds(61_000, 12).for_each(|seed| check(seed, Arrival::ALittleLate));
    seeds(62_000, 12).for_each(|seed| check(seed, Arrival::Anyhow));
}

#[test]
fn a_window_contains_its_begin_and_not_its_end() {
    let mut centre = Centre::new();
    centre.enter("a", "9:07", "v", "sales");
    let offered = |centre: &Centre, length, as_of| {
        amount(&centre.kpi.query(&last(centre, length, as_of)).unwrap().rows[0], "offered")
    };
    assert_eq!(offered(&centre, secs(60), "9:08"), 1, "it begins then");
    assert_eq!(offered(&centre, secs(60) - 1, "9:08"), 0);
    assert_eq!(offered(&centre, secs(60), "9:07"), 0, "it ends then");
    assert_eq!(offered(&centre, secs(60), "9:07:00.000001"), 1);
}

#[test]
fn spans_are_cut_at_both_ends_of_a_window() {
    let mut centre = Centre::new();
    centre.talk("ann", "a", "sales", "9:00", "9:40");
    let talk = |centre: &Centre, length, as_of| {
        amount(&centre.kpi.query(&last(centre, length, as_of)).unwrap().rows[0], "talk_time")
    };
    assert_eq!(talk(&centre, secs(1800), "9:50:00.25"), secs(1200) - 250_000);
    assert_eq!(talk(&centre, secs(10), "9:30:00.000001"), secs(10));
    assert_eq!(talk(&centre, secs(1800), "9:12:34"), secs(754));
}

#[test]
fn the_service_level_and_the_median_of_the_last_half_hour_forget_what_is_older() {
    let mut centre = Centre::new();
    for (contact, entered, left) in
        [("a", "9:00:00", "9:01:00"), ("b", "9:10:00", "9:10:05"), ("c", "9:20:00", "9:20:09")]
    {
        centre.enter(contact, entered, "v", "sales");
        centre.leave(contact, left, "v", QueueExit::Answered);
        centre.end(contact, "9:40");
    }
    let columns = |as_of| {
        let row = centre.kpi.query(&last(&centre, secs(1800), as_of)).unwrap().rows.remove(0);
        (support::value(&row, "service_level"), amount(&row, "answered"), row)
    };
    let (level, answered, _) = columns("9:29");
    assert_eq!((level, answered), (pegcount_kpi::Value::Ratio { numerator: 2, denominator: 3 }, 3));
    let (level, answered, row) = columns("9:31:00.000001");
    assert_eq!((level, answered), (pegcount_kpi::Value::Ratio { numerator: 2, denominator: 2 }, 2));
    let median = amount(&row, "asa_p50");
    assert!((median - secs(5)).abs() * 50 <= secs(5), "{median}");
}

#[test]
fn a_figure_of_a_window_is_explained_by_what_lies_in_it() {
    let mut centre = Centre::new();
    centre.phone("ann", "9:05", "c", "sales", LegStep::Answered);
    centre.phone("ann", "9:25", "c", "sales", ended());
    let query = last(&centre, secs(600), "9:20");
    let asked =
        ExplainQuery { query, cell: Vec::new(), column: "talk_time".to_owned(), skip: 0, limit: usize::MAX };
    let explained = centre.kpi.explain(&asked).unwrap();
    assert_eq!(explained.terms[0].amount, secs(600));
    assert_eq!(explained.items[0].amount, secs(600));
}

#[test]
fn a_window_is_not_cut_by_times_and_has_a_length() {
    let centre = Centre::new();
    let cut = Query { by: vec![Dimension::Hour], ..last(&centre, secs(60), "9") };
    assert_eq!(centre.kpi.query(&cut).unwrap_err(), QueryError::CutWindow { dimension: Dimension::Hour });
    for length in [0, -1, 32 * 24 * secs(3600)] {
        let wrong = centre.kpi.query(&last(&centre, length, "9")).unwrap_err();
        assert!(wrong.to_string().contains("say a length above 0"), "{wrong}");
    }
}
