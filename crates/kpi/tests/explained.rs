//! Explaining a figure: its items sum to it, and name the events that say so.
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

use std::collections::HashMap;

use oracle::{
    compare::some,
    story::{Arrival, Dice, tell, words},
};
use pegcount_domain::{
    envelope::Recorded,
    event::{LegStep, QueueExit},
    ids::Key,
    time::{Interval, Micros},
};
use pegcount_kpi::{Attribution, Dimension, ExplainQuery, Kpi, Query, QueryError, Role, Value, describe};
use support::{Centre, ended_into_work, key, query, secs, t};

fn fold(history: &[Recorded]) -> Kpi {
    let names: HashMap<Key, String> = words().into_iter().map(|word| (key(&word), word)).collect();
    let mut kpi = some(history.len().try_into().unwrap());
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

fn ask(query: Query, column: &str) -> ExplainQuery {
    ExplainQuery { query, cell: Vec::new(), column: column.to_owned(), skip: 0, limit: usize::MAX }
}

/// Explains every column of some rows, and compares.
fn check(seed: u64, arrival: Arrival) {
    let history = tell(seed, 6, arrival);
    let kpi = fold(&history);
    let mut dice = Dice(seed ^ 0x5A5A);
    let first = history.iter().map(|recorded| recorded.occurred_at).min().unwrap();
    let from = Interval::containing(first).start();
    let to = from.plus(Micros(12 * Micros::HOUR.0));
    let dimensions: Vec<Dimension> =
        Dimension::ALL.into_iter().filter(|dimension| !dimension.is_time()).collect();
    for _ in 0..6 {
        let by = [Dimension::Hour, dice.pick(&dimensions)];
        let as_of = Micros(from.0 + dice.below(10 * 24 * 3600) * 1_000_000);
        let attribution = dice.pick(&Attribution::ALL);
        let asked = Query { attribution, ..query("north", from, to, &by, as_of) };
        let rows = kpi.query(&asked).unwrap().rows;
        if rows.is_empty() {
            continue;
        }
        let row = dice.pick(&rows);
        for (column, value) in describe().iter().zip(&row.values) {
            if column.gauge || *value == Value::Absent {
                continue;
            }
            let cell = vec![(by[1], row.keys[0].clone())];
            let query = Query { from: row.from, to: row.to, by: Vec::new(), ..asked.clone() };
            let explained = kpi.explain(&ExplainQuery { cell, ..ask(query, column.name) }).unwrap();
            let what = format!("seed {seed} {arrival:?} {} of {:?} {:?}", column.name, row.from, row.keys);
            assert_eq!(explained.value, *value, "{what}");
            for term in &explained.terms {
                let own = explained.items.iter().filter(|item| item.measure == term.measure);
                assert_eq!(own.map(|item| item.amount).sum::<i64>(), term.amount, "{what}");
            }
            assert!(explained.items.iter().all(|item| !item.events.is_empty()), "{what}: {explained:?}");
        }
    }
}

#[test]
fn the_items_of_any_figure_sum_to_it_and_name_their_events() {
    for seed in 0..12 {
        check(seed, Arrival::InOrder);
        check(seed, Arrival::Anyhow);
    }
}

fn centre() -> Centre {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9:00:00");
    centre.ready("ann", "9:00:00");
    centre.start("c", "9:10:00", "hotline", "x");
    centre.enter("c", "9:10:00", "v", "sales");
    centre.leave("c", "9:10:20", "v", QueueExit::Answered);
    centre.switch("ann", "9:10:20", "c", "sales", LegStep::Answered);
    centre.switch("ann", "9:14:50", "c", "sales", ended_into_work());
    centre.switch("ann", "9:15:30", "c", "sales", LegStep::AfterCallEnded);
    centre.end("c", "9:14:50");
    centre
}

#[test]
fn a_handle_time_shows_its_formula_its_parts_and_the_events_of_the_leg() {
    let centre = centre();
    let explained = centre.kpi.explain(&ask(centre.query("9:15", "9:30", &[]), "aht")).unwrap();
    assert_eq!(explained.value, Value::Ratio { numerator: secs(310), denominator: 1 });
    let terms: Vec<_> = explained.terms.iter().map(|t| (t.measure.name(), t.role, t.amount)).collect();
    let expected = [
        ("handle_talk", Role::Plus, secs(270)),
        ("handle_hold", Role::Plus, 0),
        ("handle_acw", Role::Plus, secs(40)),
        ("handled", Role::Over, 1),
    ];
    assert_eq!(terms, expected);
    let talk = explained.items.iter().find(|item| item.measure.name() == "handle_talk").unwrap();
    assert_eq!((talk.from, talk.to), (t("9:10:20"), t("9:15:30")));
    assert_eq!(talk.agent.as_ref().unwrap().as_str(), "ann");
    assert_eq!(talk.events.iter().map(|at| at.0).collect::<Vec<_>>(), [6, 7, 8]);
}

#[test]
fn a_part_of_a_span_says_how_much_of_it_lies_in_the_cell() {
    let centre = centre();
    let explained = centre.kpi.explain(&ask(centre.query("9:15", "9:30", &[]), "acw_time")).unwrap();
    let [work] = explained.items.as_slice() else { panic!("{explained:?}") };
    assert_eq!((work.amount, work.from, work.to), (secs(30), t("9:14:50"), t("9:15:30")));
}

#[test]
fn items_come_in_pages_and_all_are_counted() {
    let mut centre = Centre::new();
    for wait in 1..=9 {
        let contact = format!("c{wait}");
        centre.enter(&contact, &format!("9:0{wait}"), "v", "sales");
        centre.leave(&contact, &format!("9:0{wait}:30"), "v", QueueExit::Answered);
    }
    let whole = ask(centre.query("9", "10", &[]), "answered");
    let page = centre.kpi.explain(&ExplainQuery { skip: 6, limit: 2, ..whole.clone() }).unwrap();
    let all = centre.kpi.explain(&whole).unwrap();
    assert_eq!((page.count, all.count, page.value), (9, 9, all.value));
    assert_eq!(page.items, all.items[6..8]);
}

#[test]
fn an_unknown_column_and_an_impossible_cut_are_named() {
    let centre = centre();
    let unknown = centre.kpi.explain(&ask(centre.query("9", "10", &[]), "occupation")).unwrap_err();
    assert_eq!(unknown, QueryError::UnknownColumn { column: "occupation".to_owned() });
    let cell = vec![(Dimension::Queue, None)];
    let asked = ExplainQuery { cell, ..ask(centre.query("9", "10", &[]), "occupancy") };
    let refused = centre.kpi.explain(&asked).unwrap_err();
    assert_eq!(refused, QueryError::NotCutBy { column: "occupancy", dimension: Dimension::Queue });
}
