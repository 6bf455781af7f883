//! The facts of KPIS.md §7, each by its name. Times are of one UTC day unless a zone is named.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod support;

use jiff::{Timestamp, tz::TimeZone};
use pegcount_domain::{
    event::{LegStep, QueueExit},
    time::Micros,
};
use pegcount_kpi::{Attribution, Dimension, Query, Value};
use support::{Centre, amount, column, ended, ended_into_work, query, secs, t, value};

fn away_story(with_last_return: bool) -> Centre {
    let mut centre = Centre::new();
    centre.sign_in("ann", "8:41:00");
    centre.ready("ann", "8:41:00");
    centre.away("ann", "8:41:30", "meal");
    centre.ready("ann", "8:46:38");
    for again in ["8:47:16", "8:47:17", "8:47:18", "8:48:45"] {
        centre.away("ann", again, "meal");
    }
    for again in ["8:50:46", "8:50:59", "8:54:09"] {
        centre.ready("ann", again);
    }
    centre.away("ann", "9:41:10", "meal");
    if with_last_return {
        centre.ready("ann", "10:46:00");
    }
    centre
}

#[test]
fn away_repeated_with_the_same_reason_counts_from_the_first_and_a_repeated_return_does_nothing() {
    let centre = away_story(true);
    let away = column(&centre.ask("8", "11", &[Dimension::Hour]), "away_clock");
    assert_eq!(away, [secs(8 * 60 + 38), secs(18 * 60 + 50), secs(46 * 60)]);
    assert_eq!(centre.amount("8", "11", "away_count"), 3);
}

#[test]
fn without_the_last_return_the_hours_are_full() {
    let centre = away_story(false);
    let away = column(&centre.ask("10", "12", &[Dimension::Hour]), "away_clock");
    assert_eq!(away, [secs(3600), secs(3600)]);
}

#[test]
fn sign_ins_are_cut_at_the_hour_to_the_microsecond() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "8:50:00.999999");
    centre.sign_out("ann", "9:01:06");
    centre.sign_in("ann", "9:02:00");
    centre.sign_out("ann", "9:02:30");
    let table = centre.ask("8", "10", &[Dimension::Hour]);
    assert_eq!(column(&table, "signed_in_clock"), [secs(9 * 60 + 59) + 1, secs(96)]);
    assert_eq!(column(&table, "sign_ins"), [1, 1]);
}

#[test]
fn after_call_work_counts_each_leg_in_leg_time_and_once_in_the_clock() {
    let mut centre = Centre::new();
    centre.queue("sales", |queue| {
        queue.after_call_on_contact = pegcount_domain::event::AfterCallOnContact::Suspends;
    });
    let work =
        [("5:59:50", "6:00:20"), ("6:00:10", "6:00:25"), ("6:59:50", "7:00:05"), ("7:00:10", "7:00:40")];
    for (index, (from, to)) in work.into_iter().enumerate() {
        let contact = format!("c{index}");
        centre.phone("ann", from, &contact, "sales", LegStep::AfterCallStarted);
        centre.phone("ann", to, &contact, "sales", LegStep::AfterCallEnded);
    }
    let table = centre.ask("6", "8", &[Dimension::Hour]);
    assert_eq!(column(&table, "acw_time"), [secs(45), secs(35)]);
    assert_eq!(column(&table, "unsigned_clock"), [secs(35), secs(35)], "nobody signed in");
}

#[test]
fn a_call_transferred_into_another_queue_is_offered_and_abandoned_there_in_that_hour() {
    let mut centre = Centre::new();
    centre.start("c", "11:59:50", "hotline", "");
    centre.enter("c", "11:59:52", "v2", "queue 2");
    centre.leave("c", "12:00:05", "v2", QueueExit::Answered);
    centre.talk("ann", "c", "queue 2", "12:00:05", "12:00:10");
    centre.enter("c", "12:00:10", "v1", "queue 1");
    centre.leave("c", "12:00:29", "v1", QueueExit::Abandoned);
    centre.end("c", "12:00:29");
    let table = centre.ask("11", "13", &[Dimension::Hour, Dimension::Queue]);
    let rows: Vec<_> = table
        .rows
        .iter()
        .map(|row| {
            let queue = row.keys[0].clone().unwrap().to_string();
            (
                row.from == t("11"),
                queue,
                amount(row, "offered"),
                amount(row, "abandoned"),
                amount(row, "answered"),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            (true, "queue 2".to_owned(), 1, 0, 0),
            (false, "queue 1".to_owned(), 1, 1, 0),
            (false, "queue 2".to_owned(), 0, 0, 1),
        ]
    );
}

#[test]
fn a_short_abandon_across_the_hour_leaves_the_abandon_rate_absent_and_not_negative() {
    let mut centre = Centre::new();
    centre.enter("c", "10:59:58", "v", "sales");
    centre.leave("c", "11:00:01", "v", QueueExit::Abandoned);
    centre.end("c", "11:00:01");
    let table = centre.ask("10", "12", &[Dimension::Hour]);
    assert_eq!(column(&table, "offered"), [1, 0]);
    for counted in ["ended", "abandoned", "abandoned_short"] {
        assert_eq!(column(&table, counted), [0, 1], "{counted}");
    }
    assert_eq!(value(&table.rows[1], "abandon_rate"), Value::Absent);
}

#[test]
fn the_hour_that_clocks_repeat_is_two_hours() {
    let mut centre = Centre::new();
    let first: Timestamp = "2020-11-01T05:30:00Z".parse().unwrap();
    let second: Timestamp = "2020-11-01T06:30:00Z".parse().unwrap();
    for (contact, at) in [("a", first), ("b", second)] {
        centre.recorded_at = Some(Micros(at.as_microsecond()));
        let from = Micros(at.as_microsecond());
        let leg = centre.leg("ann", contact, "sales");
        let kind = pegcount_domain::envelope::StreamKind::Contact;
        centre.record(
            kind,
            contact,
            from,
            pegcount_domain::event::Event::Leg { leg, step: LegStep::Answered },
        );
        let to = from.plus(Micros::MINUTE);
        centre.record(kind, contact, to, pegcount_domain::event::Event::Leg { leg, step: ended() });
    }
    let montreal = TimeZone::get("America/Montreal").unwrap();
    let day: Timestamp = "2020-11-01T04:00:00Z".parse().unwrap();
    let from = Micros(day.as_microsecond());
    let to = from.plus(Micros(25 * Micros::HOUR.0));
    let asked = Query { time_zone: montreal, ..query("north", from, to, &[Dimension::Hour], to) };
    let hours = centre.kpi.query(&asked).unwrap();
    assert_eq!(column(&hours, "handled"), [1, 1], "05:30Z is 01:30 by UTC-4, 06:30Z is 01:30 by UTC-5");
    assert_eq!(hours.rows[1].from, hours.rows[0].to);
    let days = centre.kpi.query(&Query { by: vec![Dimension::Day], ..asked }).unwrap();
    assert_eq!(days.rows.len(), 1);
    assert_eq!(days.rows[0].to.minus(days.rows[0].from), Micros(25 * Micros::HOUR.0));
}

#[test]
fn talk_time_is_split_over_the_half_hours_and_the_handle_falls_into_the_one_in_which_it_completes() {
    let mut centre = Centre::new();
    centre.talk("ann", "c", "sales", "5:23", "6:15");
    centre.end("c", "6:15");
    let table = centre.ask("5", "7", &[Dimension::Interval30]);
    assert_eq!(column(&table, "talk_time"), [secs(7 * 60), secs(30 * 60), secs(15 * 60)]);
    assert_eq!(column(&table, "handle_talk"), [0, 0, secs(52 * 60)]);
    assert_eq!(column(&table, "handled"), [0, 0, 1]);
    let by_start =
        Query { attribution: Attribution::Start, ..centre.query("5", "7", &[Dimension::Interval30]) };
    let by_start = centre.kpi.query(&by_start).unwrap();
    assert_eq!(column(&by_start, "handle_talk"), [secs(52 * 60), 0, 0]);
}

#[test]
fn a_handle_completes_with_its_after_call_work_where_the_end_announced_it() {
    let mut centre = Centre::new();
    centre.phone("ann", "9:10", "c", "sales", LegStep::Answered);
    centre.phone("ann", "9:14", "c", "sales", ended_into_work());
    centre.phone("ann", "9:16", "c", "sales", LegStep::AfterCallEnded);
    let table = centre.ask("9", "10", &[Dimension::Interval15]);
    assert_eq!(column(&table, "handled"), [0, 1]);
    assert_eq!(column(&table, "handle_acw"), [0, secs(120)]);
    assert_eq!(column(&table, "acw_time"), [secs(60), secs(60)]);
}

#[test]
fn pooled_completion_is_the_sum_of_numerators_over_the_sum_of_denominators() {
    // Repairs by trade stand for queues here: "answered of ended" pools as 1,623 of 1,667 does.
    let mut centre = Centre::new();
    let trades = [("power", 921, 932), ("water", 531, 557), ("doors", 125, 132), ("lifts", 46, 46)];
    for (trade, done, all) in trades {
        for index in 0..all {
            let contact = format!("{trade} {index}");
            centre.enter(&contact, "9:00:00", "v", trade);
            let exit = if index < done { QueueExit::Answered } else { QueueExit::Abandoned };
            centre.leave(&contact, "9:00:30", "v", exit);
        }
    }
    let by_trade = centre.ask("9", "10", &[Dimension::Queue]);
    assert_eq!(by_trade.rows.len(), 4);
    let pooled = centre.ask("9", "10", &[]);
    let expected = Value::Ratio { numerator: 1623, denominator: 1667 };
    assert_eq!(value(&pooled.rows[0], "connect_rate"), expected);
}
