//! Asking: days and zones, conservation, balance, refusals, names, watching, corrections.
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

use jiff::{Timestamp, tz::TimeZone};
use oracle::story::{Arrival, tell, words};
use pegcount_domain::{
    envelope::Position,
    event::{Event, LegStep, QueueExit},
    ids::{Key, Name},
    time::{Interval, Micros},
};
use pegcount_kpi::{Attribution, Dimension, Kpi, Query, QueryError, Table, Value, query::RANGE_MAX};
use support::{Centre, amount, column, ended, key, query, secs, t};

fn folded(seed: u64, arrival: Arrival) -> (Kpi, Micros, Micros) {
    let names: HashMap<Key, String> = words().into_iter().map(|word| (key(&word), word)).collect();
    let mut kpi = Kpi::new();
    let history = tell(seed, 10, arrival);
    for recorded in &history {
        kpi.apply(recorded);
    }
    for key in kpi.missing_names() {
        if let Some(name) = names.get(&key) {
            kpi.name(key, name);
        }
    }
    let first = history.iter().map(|recorded| recorded.occurred_at).min().unwrap();
    let day = Micros(24 * Micros::HOUR.0);
    let from = Interval::containing(first.minus(day)).start();
    (kpi, from, from.plus(Micros(4 * day.0)))
}

/// Every measure that is not a gauge, summed over the rows.
fn totals(table: &Table) -> Vec<i64> {
    let measures = table.columns.iter().enumerate().filter(|(_, c)| !c.gauge && c.formula.is_none());
    measures
        .map(|(index, _)| {
            let amounts = table.rows.iter().map(|row| match row.values[index] {
                Value::Amount(amount) => amount,
                _ => 0,
            });
            amounts.sum()
        })
        .collect()
}

#[test]
fn slices_sum_to_the_whole_over_any_cut_of_time_in_any_zone() {
    for seed in 0..12 {
        let (kpi, from, to) = folded(seed, Arrival::ALittleLate);
        for zone in ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"] {
            for attribution in Attribution::ALL {
                let time_zone = TimeZone::get(zone).unwrap();
                let whole = Query { attribution, time_zone, ..query("north", from, to, &[], to) };
                let expected = totals(&kpi.query(&whole).unwrap());
                for by in [Dimension::Interval15, Dimension::Interval30, Dimension::Hour, Dimension::Day] {
                    let cut = kpi.query(&Query { by: vec![by], ..whole.clone() }).unwrap();
                    assert_eq!(totals(&cut), expected, "seed {seed} {zone} {by}");
                }
            }
        }
    }
}

#[test]
fn the_clock_states_sum_to_signed_in_time_to_the_microsecond_whatever_comes() {
    for seed in 0..40 {
        let (kpi, from, to) = folded(seed, Arrival::Anyhow);
        let asked = query("north", from, to, &[Dimension::Interval15, Dimension::Agent], to);
        for row in &kpi.query(&asked).unwrap().rows {
            let states = [
                "occupied_clock",
                "lost_clock",
                "ringing_clock",
                "dialing_clock",
                "away_clock",
                "ready_clock",
            ];
            let sum: i64 = states.iter().map(|state| amount(row, state)).sum();
            assert_eq!(sum, amount(row, "signed_in_clock"), "seed {seed}");
        }
    }
}

#[test]
fn offered_equals_ended_and_waiting_for_every_queue_at_every_interval() {
    for seed in 0..40 {
        let (kpi, from, to) = folded(seed, Arrival::ALittleLate);
        let as_of = from.plus(Micros(24 * Micros::HOUR.0 + 90 * Micros::MINUTE.0));
        for as_of in [as_of, to] {
            let asked = query("north", from, to, &[Dimension::Interval15, Dimension::Queue], as_of);
            let mut balance: HashMap<Option<Name>, i64> = HashMap::new();
            for row in &kpi.query(&asked).unwrap().rows {
                let waiting = balance.entry(row.keys[0].clone()).or_default();
                *waiting += amount(row, "offered") - amount(row, "ended");
                assert_eq!(*waiting, amount(row, "waiting"), "seed {seed} {row:?}");
            }
        }
    }
}

#[test]
fn a_local_day_has_23_24_or_25_hours() {
    for (day, hours) in [("2026-03-29", 23), ("2026-03-30", 24), ("2026-10-25", 25)] {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let start: Timestamp =
            format!("{day}T00:00:00[Europe/Berlin]").parse::<jiff::Zoned>().unwrap().timestamp();
        let from = Micros(start.as_microsecond()).minus(Micros::HOUR);
        let mut centre = Centre::new();
        centre.recorded_at = Some(from);
        let contact = centre.key("c");
        assert_ne!(contact, Key::default());
        let kind = pegcount_domain::envelope::StreamKind::Agent;
        centre.record(kind, "ann", from, Event::SignedIn);
        let to = from.plus(Micros(27 * Micros::HOUR.0));
        let asked = Query { time_zone: zone, ..query("north", from, to, &[Dimension::Day], to) };
        let table = centre.kpi.query(&asked).unwrap();
        assert_eq!(column(&table, "signed_in_clock")[1], hours * Micros::HOUR.0, "{day}");
    }
}

#[test]
fn a_query_off_the_grid_or_empty_or_too_long_is_refused_with_what_would_do() {
    let centre = Centre::new();
    let good = centre.query("9", "10", &[]);
    let ask = |query: Query| centre.kpi.query(&query).unwrap_err();
    let off = ask(Query { from: t("9:01"), ..good.clone() });
    assert_eq!(off, QueryError::Unaligned { field: "from", at: t("9:01"), nearest: t("9:00") });
    let empty = ask(Query { to: t("9"), ..good.clone() });
    assert_eq!(empty, QueryError::Empty { from: t("9"), to: t("9") });
    let long = ask(Query { to: t("9").plus(Micros(2 * RANGE_MAX.0)), ..good.clone() });
    assert!(matches!(long, QueryError::TooLong { .. }));
    let twice = ask(Query { by: vec![Dimension::Queue, Dimension::Queue], ..good });
    assert_eq!(twice.to_string(), "`queue` is asked for twice");
}

#[test]
fn words_of_dimensions_and_attributions_are_read_back() {
    for dimension in Dimension::ALL {
        assert_eq!(dimension.to_string().parse::<Dimension>().unwrap(), dimension);
    }
    for attribution in Attribution::ALL {
        assert_eq!(attribution.to_string().parse::<Attribution>().unwrap(), attribution);
    }
    let error = "year".parse::<Dimension>().unwrap_err().to_string();
    assert!(error.starts_with("`year` is not one of interval15, interval30, hour"), "{error}");
}

#[test]
fn only_names_that_rows_need_are_asked_for_and_each_once() {
    let mut centre = Centre::new();
    centre.enter("c", "9:00", "v", "sales");
    let mut kpi = Kpi::new();
    let recorded = tell(3, 4, Arrival::InOrder);
    let mut asked = Vec::new();
    for recorded in &recorded {
        kpi.apply(recorded);
        asked.extend(kpi.missing_names());
    }
    let count = asked.len();
    asked.sort_unstable();
    asked.dedup();
    assert!(count < 40, "contacts, legs, visits and customers are not among them");
    assert!(!asked.contains(&key("c 1")) && !asked.contains(&key("customer 0")));
    assert!(asked.contains(&key("agent 0")) && asked.contains(&key("north")));
}

#[test]
fn filters_keep_these_queues_and_agents_and_make_other_measures_absent() {
    let mut centre = Centre::new();
    centre.talk("ann", "a", "sales", "9:00", "9:10");
    centre.talk("bob", "b", "service", "9:00", "9:20");
    let queue = pegcount_domain::ids::QueueId::new("service").unwrap();
    let only = Query { queues: vec![queue], ..centre.query("9", "10", &[]) };
    let row = &centre.kpi.query(&only).unwrap().rows[0];
    assert_eq!(amount(row, "handle_talk"), secs(1200));
    assert_eq!(support::value(row, "unsigned_clock"), Value::Absent);
}

#[test]
fn a_late_fact_lists_what_it_corrected_in_intervals_that_had_closed() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9:00");
    centre.ready("ann", "9:00");
    centre.sign_out("ann", "9:40");
    // Told at noon: she was away from 9:10 to 9:20.
    centre.recorded_at = Some(t("12"));
    let cause = centre.away("ann", "9:10", "meal");
    centre.ready("ann", "9:20");
    assert_eq!(centre.amount("9", "10", "away_clock"), secs(600));
    let site = centre.query("9", "10", &[]).site;
    let corrections = centre.kpi.corrections(&site);
    let of = |measure: &str| -> i64 {
        let own = corrections.iter().filter(|c| c.measure.name() == measure);
        own.map(|correction| correction.difference).sum()
    };
    assert_eq!(of("away_clock"), secs(600));
    assert_eq!(of("ready_clock"), -secs(600));
    assert_eq!(of("signed_in_clock"), 0);
    assert_eq!(corrections[0].position, Position(cause));
    assert_eq!(corrections[0].interval, Interval::containing(t("9:00")));
}

#[test]
fn facts_in_time_and_maturing_list_no_corrections() {
    let mut centre = Centre::new();
    centre.start("c", "9:00", "hotline", "x");
    centre.enter("c", "9:00", "v", "sales");
    centre.leave("c", "9:50", "v", QueueExit::Answered);
    centre.talk("ann", "c", "sales", "9:50", "11:30");
    centre.end("c", "11:30");
    centre.sign_in("bob", "230:00");
    let site = centre.query("9", "10", &[]).site;
    assert_eq!(centre.kpi.corrections(&site), []);
}

#[test]
fn a_late_fact_about_an_open_contact_is_a_correction_too() {
    let mut centre = Centre::new();
    centre.enter("c", "9:00", "v", "sales");
    centre.recorded_at = Some(t("11"));
    centre.leave("c", "9:10", "v", QueueExit::Abandoned);
    let site = centre.query("9", "10", &[]).site;
    let corrections = centre.kpi.corrections(&site);
    let abandoned = corrections.iter().find(|c| c.measure.name() == "abandoned").unwrap();
    assert_eq!((abandoned.interval, abandoned.difference), (Interval::containing(t("9")), 1));
}

#[test]
fn a_watcher_is_woken_when_a_waiting_visit_passes_its_threshold() {
    let mut centre = Centre::new();
    centre.enter("c", "9:00:00", "v", "sales");
    let query = centre.query("9", "10", &[]);
    let wake = centre.kpi.next_change(&query, t("9:00:05"));
    assert_eq!(wake, Some(t("9:00:20.000001")));
    assert_eq!(centre.kpi.next_change(&query, t("9:00:21")), Some(t("9:15")), "the next interval begins");
}

#[test]
fn a_watcher_learns_which_range_an_event_changed() {
    let mut centre = Centre::new();
    centre.phone("ann", "9:05", "c", "sales", LegStep::Answered);
    let site = centre.query("9", "10", &[]).site;
    let since = centre.kpi.position();
    assert!(!centre.kpi.changed_since(&site, t("9"), t("12"), since));
    centre.phone("ann", "10:20", "c", "sales", ended());
    assert!(centre.kpi.changed_since(&site, t("9"), t("9:15"), since), "by the start of the leg");
    assert!(centre.kpi.changed_since(&site, t("10:15"), t("10:30"), since));
    assert!(!centre.kpi.changed_since(&site, t("10:30"), t("12"), since));
}

#[test]
fn an_event_at_or_before_the_position_changes_nothing() {
    let history = tell(5, 6, Arrival::InOrder);
    let (kpi, from, to) = folded(5, Arrival::InOrder);
    let mut again = Kpi::new();
    for recorded in history.iter().chain(&history) {
        again.apply(recorded);
    }
    assert_eq!(again.position(), history.last().unwrap().position);
    let asked = query("north", from, to, &[Dimension::Hour], to);
    assert!(kpi.query(&asked).unwrap().rows.len() > 1);
}

#[test]
fn an_unknown_site_has_one_empty_row() {
    let centre = Centre::new();
    let table = centre.ask("9", "10", &[]);
    assert_eq!(table.rows.len(), 1);
    assert_eq!(amount(&table.rows[0], "offered"), 0);
}
