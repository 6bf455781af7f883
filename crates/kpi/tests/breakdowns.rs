//! Figures cut by reason, cause and priority; percentiles; the variants of the ratios.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod support;

use pegcount_domain::{
    event::{Event, LegStep, QueueExit, TransferKind},
    ids::{QueueId, ReasonCode, VisitId, WrapUpCode},
};
use pegcount_kpi::{Dimension, Table, Value};
use support::{Centre, amount, ended, secs, t, value};

/// A column by the first key.
fn by_key(table: &Table, column: &str) -> Vec<(String, i64)> {
    let text = |row: &pegcount_kpi::Row| row.keys[0].as_ref().map_or_else(String::new, ToString::to_string);
    let rows = table.rows.iter().filter(|row| amount(row, column) != 0);
    rows.map(|row| (text(row), amount(row, column))).collect()
}

fn owned(pairs: &[(&str, i64)]) -> Vec<(String, i64)> {
    pairs.iter().map(|(key, amount)| ((*key).to_owned(), *amount)).collect()
}

/// A ratio as numerator and denominator; none if it is absent.
fn ratio(centre: &Centre, column: &str) -> Option<(i64, i64)> {
    match value(&centre.ask("0", "24", &[]).rows[0], column) {
        Value::Ratio { numerator, denominator } => Some((numerator, denominator)),
        _ => None,
    }
}

#[test]
fn time_away_is_cut_by_reason_the_machines_own_reasons_included() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9:00:00");
    centre.ready("ann", "9:01:00");
    centre.away("ann", "9:10:00", "meal");
    centre.away("ann", "9:20:00", "rest");
    centre.ready("ann", "9:25:00");
    centre.phone("ann", "9:30:00", "c", "sales", LegStep::Ringing);
    centre.phone("ann", "9:30:20", "c", "sales", LegStep::Missed);
    centre.sign_out("ann", "9:40:20");
    let table = centre.ask("9", "10", &[Dimension::Reason]);
    let clocks = [("meal", secs(600)), ("rest", secs(300)), ("rona", secs(600)), ("signed_in", secs(60))];
    assert_eq!(by_key(&table, "away_clock"), owned(&clocks));
    assert_eq!(by_key(&table, "away_count"), owned(&[("meal", 1), ("rest", 1)]));
    assert_eq!(value(&table.rows[0], "signed_in_clock"), Value::Absent, "it has no reason");
    assert_eq!(centre.amount("9", "10", "away_clock"), secs(1560));
}

#[test]
fn transfers_are_cut_by_reason_where_the_handle_is() {
    let mut centre = Centre::new();
    for (contact, reason) in [("a", Some("wrong queue")), ("b", None), ("c", Some("wrong queue"))] {
        let reason = reason.map(|reason| ReasonCode(centre.key(reason)));
        centre.switch("ann", "9:00:00", contact, "sales", LegStep::Answered);
        let step = LegStep::Transferred { kind: TransferKind::Cold, reason, to_queue: None, to_agent: None };
        centre.switch("ann", "9:01:00", contact, "sales", step);
        centre.switch("ann", "9:01:00", contact, "sales", ended());
    }
    let table = centre.ask("9", "10", &[Dimension::Reason]);
    assert_eq!(by_key(&table, "transfers_out_cold"), owned(&[("", 1), ("wrong queue", 2)]));
    assert_eq!(ratio(&centre, "transfer_rate_cold"), Some((3, 3)));
    assert_eq!(ratio(&centre, "transfer_rate_warm"), Some((0, 3)));
}

/// A contact of customer `x` that ann handles from 9:0m to 9:0m:30 and wraps up.
fn wrapped_up(centre: &mut Centre, contact: &str, minute: u32, resolved: bool) {
    let at = |seconds: u32| format!("9:{minute:02}:{seconds:02}");
    centre.start(contact, &at(0), "hotline", "x");
    centre.talk("ann", contact, "sales", &at(0), &at(30));
    let code = WrapUpCode(centre.key("done"));
    let wrap_up = Event::WrappedUp { code, topic: None, resolved: Some(resolved) };
    centre.contact(contact, &at(30), wrap_up);
    centre.end(contact, &at(30));
}

#[test]
fn a_failed_first_contact_resolution_has_its_cause() {
    let mut centre = Centre::new();
    wrapped_up(&mut centre, "a", 1, true);
    wrapped_up(&mut centre, "b", 5, true);
    let table = centre.ask("9", "10", &[Dimension::Cause]);
    assert_eq!(by_key(&table, "fcr_failed"), owned(&[("repeated", 1)]));
    assert_eq!((centre.amount("9", "10", "fcr_eligible"), centre.amount("9", "10", "fcr_held")), (2, 1));

    let mut centre = Centre::new();
    centre.switch("ann", "9:01:10", "a", "sales", LegStep::Answered);
    let to_queue = Some(QueueId(centre.key("claims")));
    let step = LegStep::Transferred { kind: TransferKind::Warm, reason: None, to_queue, to_agent: None };
    centre.switch("ann", "9:01:20", "a", "sales", step);
    wrapped_up(&mut centre, "a", 1, true);
    let table = centre.ask("9", "10", &[Dimension::Cause]);
    assert_eq!(by_key(&table, "fcr_failed"), owned(&[("transferred", 1)]));
}

#[test]
fn a_wrap_up_that_is_given_later_counts_from_then_on() {
    let mut centre = Centre::new();
    centre.start("a", "9:00", "hotline", "x");
    centre.talk("ann", "a", "sales", "9:00", "9:05");
    centre.end("a", "9:05");
    let code = WrapUpCode(centre.key("done"));
    centre.contact("a", "9:20", Event::WrappedUp { code, topic: None, resolved: Some(true) });
    assert_eq!(centre.amount_as_of("9", "10", "9:10", "fcr_eligible"), 0);
    assert_eq!(centre.amount_as_of("9", "10", "9:20", "fcr_held"), 1);
}

#[test]
fn visits_are_cut_by_priority() {
    let mut centre = Centre::new();
    for (contact, priority) in [("a", 0), ("b", 2), ("c", 2), ("d", 1_000)] {
        let (visit, queue) = (VisitId(centre.key("v")), QueueId(centre.key("sales")));
        centre.contact(contact, "9:00:00", Event::QueueEntered { visit, queue, priority });
        centre.leave(contact, "9:00:10", "v", QueueExit::Answered);
    }
    let table = centre.ask("9", "10", &[Dimension::Priority]);
    assert_eq!(by_key(&table, "answered"), owned(&[("0", 1), ("2", 2), ("255", 1)]));
}

#[test]
fn percentiles_of_waits_take_the_nearest_rank_and_are_within_two_percent() {
    let mut centre = Centre::new();
    for wait in 1..=20 {
        let contact = format!("c{wait}");
        centre.enter(&contact, "9:00:00", "v", "sales");
        let exit = if wait <= 10 { QueueExit::Answered } else { QueueExit::Abandoned };
        centre.leave(&contact, &format!("9:00:{wait:02}"), "v", exit);
    }
    let row = &centre.ask("9", "10", &[]).rows[0];
    for (column, seconds) in
        [("asa_p50", 5), ("asa_p90", 9), ("abandon_wait_p50", 15), ("abandon_wait_p90", 19)]
    {
        let (told, exact) = (amount(row, column), secs(seconds));
        assert!((told - exact).abs() * 50 <= exact, "{column}: {told} for {exact}");
    }
    let early = &centre.ask("8", "9", &[]).rows[0];
    assert_eq!(value(early, "asa_p50"), Value::Absent, "nobody was answered");
}

#[test]
fn percentiles_follow_the_attribution_and_the_instant_asked_about() {
    let mut centre = Centre::new();
    centre.enter("a", "9:14:50", "v", "sales");
    centre.leave("a", "9:15:10", "v", QueueExit::Answered);
    assert!(matches!(value(&centre.ask("9:15", "9:30", &[]).rows[0], "asa_p50"), Value::Amount(_)));
    let query = centre.query("9:00", "9:15", &[]);
    let start = pegcount_kpi::Query { attribution: pegcount_kpi::Attribution::Start, ..query };
    assert!(matches!(value(&centre.kpi.query(&start).unwrap().rows[0], "asa_p50"), Value::Amount(_)));
    let earlier = pegcount_kpi::Query { as_of: t("9:15:09"), ..start };
    assert_eq!(value(&centre.kpi.query(&earlier).unwrap().rows[0], "asa_p50"), Value::Absent);
}

#[test]
fn a_journey_s_handle_time_is_that_of_all_its_legs() {
    let mut centre = Centre::new();
    centre.start("c", "9:00", "hotline", "x");
    centre.talk("ann", "c", "sales", "9:00", "9:10");
    centre.talk("bob", "c", "claims", "9:10", "9:14");
    centre.end("c", "9:14");
    assert_eq!(ratio(&centre, "aht"), Some((secs(14 * 60), 2)));
    assert_eq!(ratio(&centre, "aht_journey"), Some((secs(14 * 60), 1)));
    assert_eq!(centre.amount_as_of("9", "10", "9:12", "contacts_handled"), 0, "bob still talks");
}

#[test]
fn every_variant_of_the_service_level_has_its_formula() {
    let mut centre = Centre::new();
    // Threshold 20 s, short 5 s: three answered in time, one late; abandoned short, in time and late; one flows out.
    let exits = [
        ("9:00:05", QueueExit::Answered),
        ("9:00:10", QueueExit::Answered),
        ("9:00:20", QueueExit::Answered),
        ("9:00:21", QueueExit::Answered),
        ("9:00:03", QueueExit::Abandoned),
        ("9:00:15", QueueExit::Abandoned),
        ("9:00:50", QueueExit::Abandoned),
        ("9:00:30", QueueExit::Overflow),
    ];
    for (index, (left, exit)) in exits.into_iter().enumerate() {
        let contact = format!("c{index}");
        centre.enter(&contact, "9:00:00", "v", "sales");
        centre.leave(&contact, left, "v", exit);
    }
    // A = 3, N = 4, b = 2 of B = 3, S = 1, F = 1, E = 8; three reached the threshold unanswered.
    assert_eq!(ratio(&centre, "service_level"), Some((3, 3 + 2 - 1 + 3)));
    assert_eq!(ratio(&centre, "service_level_ignore_abandons"), Some((3, 8 - 2)));
    assert_eq!(ratio(&centre, "service_level_abandons_positive"), Some((5, 8)));
    assert_eq!(ratio(&centre, "service_level_abandons_negative"), Some((3, 8)));
    assert_eq!(ratio(&centre, "service_level_answered_only"), Some((3, 4)));
    assert_eq!(ratio(&centre, "service_level_answered_and_abandoned"), Some((3, 7)));
    assert_eq!(ratio(&centre, "service_level_without_short"), Some((3, 6)));
    assert_eq!(ratio(&centre, "service_level_with_flow_out"), Some((3, 8)));
    assert_eq!(ratio(&centre, "service_level_with_flow_out_without_short"), Some((3, 7)));
}
