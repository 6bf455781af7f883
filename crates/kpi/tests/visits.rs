//! Queue visits: one visit per stay, several at once, service level, gauges, balance.
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
    event::{Event, LegStep, Party, QueueExit},
    time::Micros,
};
use pegcount_kpi::{AnomalyKind, Attribution, Dimension, Query, Value};
use support::{Centre, amount, column, secs, t, value};

#[test]
fn a_re_offer_after_a_ring_with_no_answer_is_the_same_visit() {
    let mut centre = Centre::new();
    centre.enter("c", "9:00:00", "v", "sales");
    centre.phone("ann", "9:00:05", "c", "sales", LegStep::Ringing);
    centre.phone("ann", "9:00:25", "c", "sales", LegStep::Missed);
    centre.phone("bob", "9:00:26", "c", "sales", LegStep::Ringing);
    centre.phone("bob", "9:00:30", "c", "sales", LegStep::Answered);
    centre.leave("c", "9:00:30", "v", QueueExit::Answered);
    centre.phone("bob", "9:02:30", "c", "sales", support::ended());
    centre.end("c", "9:02:30");
    for (name, expected) in [
        ("offered", 1),
        ("answered", 1),
        ("wait_answered", secs(30)),
        ("answered_within", 0),
        ("reached_unanswered", 1),
        ("answered_within_rings", 1),
        ("offers", 2),
        ("offers_missed", 1),
        ("ring_time", secs(24)),
        ("handled", 1),
    ] {
        assert_eq!(centre.amount("9", "10", name), expected, "{name}");
    }
}

#[test]
fn an_answer_ends_the_visits_elsewhere_and_these_stay_outside_every_ratio() {
    let mut centre = Centre::new();
    centre.enter("c", "9:00:00", "v1", "sales");
    centre.enter("c", "9:00:10", "v2", "service");
    centre.leave("c", "9:01:00", "v1", QueueExit::Answered);
    centre.end("c", "9:05:00");
    let table = centre.ask("9", "10", &[Dimension::Queue]);
    assert_eq!(column(&table, "flow_out_answered_elsewhere"), [0, 1]);
    assert_eq!(column(&table, "ended"), [1, 1]);
    assert_eq!(column(&table, "reached_unanswered"), [1, 0]);
    assert_eq!(value(&table.rows[1], "connect_rate"), Value::Absent);
    assert_eq!(value(&table.rows[0], "connect_rate"), Value::Ratio { numerator: 1, denominator: 1 });
}

#[test]
fn an_answer_ends_the_visits_elsewhere_whatever_is_said_of_them_later() {
    let mut centre = Centre::new();
    centre.enter("c", "9:00:00", "v1", "sales");
    centre.enter("c", "9:00:05", "v2", "service");
    centre.leave("c", "9:00:10", "v1", QueueExit::Answered);
    centre.leave("c", "9:05:00", "v2", QueueExit::Abandoned);
    centre.end("c", "9:05:00");
    let table = centre.ask("9", "10", &[Dimension::Queue]);
    assert_eq!(column(&table, "flow_out_answered_elsewhere"), [0, 1]);
    assert_eq!(column(&table, "abandoned"), [0, 0]);
    assert_eq!(column(&table, "reached_unanswered"), [0, 0]);
}

#[test]
fn a_hang_up_counts_in_the_longest_wait_even_if_the_contact_ends_at_the_same_instant_by_nobody() {
    let mut centre = Centre::new();
    centre.enter("c", "9:00:00", "v1", "sales");
    centre.enter("c", "9:00:05", "v2", "service");
    centre.leave("c", "9:01:00", "v2", QueueExit::Abandoned);
    centre.contact("c", "9:01:00", Event::ContactEnded { by: None, self_served: false });
    let table = centre.ask("9", "10", &[Dimension::Queue]);
    assert_eq!(column(&table, "abandoned"), [1, 0]);
    assert_eq!(column(&table, "flow_out_abandoned_elsewhere"), [0, 1]);
}

#[test]
fn a_hang_up_is_abandoned_in_the_longest_waiting_visit_only() {
    let mut centre = Centre::new();
    centre.enter("c", "9:00:10", "v2", "service");
    centre.enter("c", "9:00:00", "v1", "sales");
    centre.leave("c", "9:01:00", "v2", QueueExit::Abandoned);
    centre.leave("c", "9:01:00", "v1", QueueExit::Abandoned);
    centre.end("c", "9:01:00");
    let table = centre.ask("9", "10", &[Dimension::Queue]);
    assert_eq!(column(&table, "abandoned"), [1, 0]);
    assert_eq!(column(&table, "flow_out_abandoned_elsewhere"), [0, 1]);
    let marks: Vec<_> = centre.kpi.anomalies(&centre.query("9", "10", &[]).site);
    assert_eq!(marks.iter().map(|mark| mark.kind).collect::<Vec<_>>(), [AnomalyKind::VisitEndedElsewhere]);
}

#[test]
fn a_contact_that_is_over_waits_nowhere() {
    let mut centre = Centre::new();
    centre.enter("c", "9:00:00", "v", "sales");
    assert_eq!(centre.amount_as_of("9", "10", "9:30", "waiting"), 1);
    centre.end("c", "9:00:40");
    assert_eq!(centre.amount_as_of("9", "10", "9:30", "waiting"), 0);
    assert_eq!(centre.amount("9", "10", "abandoned"), 1);
}

#[test]
fn an_entry_is_synthesised_only_as_long_as_the_history_has_none() {
    let mut centre = Centre::new();
    centre.leave("c", "9:00:40", "v", QueueExit::Abandoned);
    let site = centre.query("9", "10", &[]).site;
    assert_eq!(centre.amount("9", "10", "offered"), 1);
    assert_eq!(centre.amount("9", "10", "wait_abandoned"), 0);
    assert_eq!(centre.kpi.anomalies(&site)[0].kind, AnomalyKind::EntrySynthesised);
    centre.enter("c", "9:00:00", "v", "sales");
    assert_eq!(centre.amount("9", "10", "offered"), 1);
    assert_eq!(centre.amount("9", "10", "wait_abandoned"), secs(40));
    assert_eq!(centre.kpi.anomalies(&site), []);
}

#[test]
fn the_same_visit_answered_twice_is_an_anomaly_and_not_two_answers() {
    let mut centre = Centre::new();
    centre.enter("c", "9:00:00", "v", "sales");
    centre.leave("c", "9:00:10", "v", QueueExit::Answered);
    let second = centre.leave("c", "9:00:20", "v", QueueExit::Answered);
    centre.end("c", "9:01:00");
    assert_eq!(centre.amount("9", "10", "answered"), 1);
    let site = centre.query("9", "10", &[]).site;
    let marks = centre.kpi.anomalies(&site);
    assert_eq!((marks[0].position.0, marks[0].kind), (second, AnomalyKind::VisitLeftTwice));
}

#[test]
fn a_threshold_is_inclusive_and_reached_only_by_waiting_on() {
    let mut centre = Centre::new();
    for (contact, left) in [("a", "9:00:20"), ("b", "9:00:20.000001")] {
        centre.enter(contact, "9:00:00", "v", "sales");
        centre.leave(contact, left, "v", QueueExit::Answered);
        centre.end(contact, "9:05");
    }
    assert_eq!(centre.amount("9", "10", "answered_within"), 1);
    assert_eq!(centre.amount("9", "10", "reached_unanswered"), 1);
    let row = &centre.ask("9", "10", &[]).rows[0];
    assert_eq!(value(row, "service_level"), Value::Ratio { numerator: 1, denominator: 2 });
}

#[test]
fn service_level_counts_each_visit_once_at_its_own_event_or_by_cohort() {
    let mut centre = Centre::new();
    // Entered in one interval, reached t in the next, answered in the one after.
    centre.enter("c", "9:14:50", "v", "sales");
    centre.leave("c", "9:31:00", "v", QueueExit::Answered);
    centre.end("c", "9:40");
    let reached = |attribution| {
        let query = Query { attribution, ..centre.query("9", "10", &[Dimension::Interval15]) };
        column(&centre.kpi.query(&query).unwrap(), "reached_unanswered")
    };
    assert_eq!(reached(Attribution::Event), [0, 1, 0]);
    assert_eq!(reached(Attribution::Start), [1, 0, 0]);
    assert_eq!(reached(Attribution::End), [0, 0, 1]);
}

#[test]
fn call_backs_and_flow_outs_within_the_threshold_stay_outside_the_service_level() {
    let mut centre = Centre::new();
    for (contact, exit) in
        [("a", QueueExit::CallbackTaken), ("b", QueueExit::Overflow), ("d", QueueExit::Answered)]
    {
        centre.enter(contact, "9:00:00", "v", "sales");
        centre.leave(contact, "9:00:10", "v", exit);
        centre.end(contact, "9:01");
    }
    let row = &centre.ask("9", "10", &[]).rows[0];
    assert_eq!((amount(row, "callback_within"), amount(row, "flow_out_within")), (1, 1));
    assert_eq!(value(row, "service_level"), Value::Ratio { numerator: 1, denominator: 1 });
    assert_eq!(value(row, "connect_rate"), Value::Ratio { numerator: 1, denominator: 3 });
}

#[test]
fn a_visit_that_ended_at_10_40_still_waits_at_10_20() {
    let mut centre = Centre::new();
    centre.enter("c", "10:10:00", "v", "sales");
    centre.leave("c", "10:40:00", "v", QueueExit::Abandoned);
    centre.end("c", "10:40:00");
    let at = |column| centre.amount_as_of("10", "11", "10:20", column);
    assert_eq!((at("waiting"), at("longest_waiting"), at("ended")), (1, secs(600), 0));
    let quarters = centre.ask("10", "11", &[Dimension::Interval15]);
    assert_eq!(column(&quarters, "waiting"), [1, 1, 0], "gauges stand for the interval's end");
    assert_eq!(column(&quarters, "longest_waiting"), [secs(300), secs(1200), 0]);
}

#[test]
fn a_queue_visit_uses_the_definition_in_force_when_it_entered_even_if_told_later() {
    let mut centre = Centre::new();
    for (contact, enter, left) in [("a", "9:00:00", "9:00:30"), ("b", "9:30:00", "9:30:30")] {
        centre.enter(contact, enter, "v", "sales");
        centre.leave(contact, left, "v", QueueExit::Answered);
        centre.end(contact, left);
    }
    assert_eq!(centre.amount("9", "10", "answered_within"), 0);
    centre.queue("sales", |queue| {
        queue.threshold = Some(Micros::from_secs(60));
        queue.valid_from = t("9:15");
    });
    assert_eq!(column(&centre.ask("9", "10", &[Dimension::Interval30]), "answered_within"), [0, 1]);
}

#[test]
fn contacts_that_never_ask_for_a_queue_are_self_served_by_entry() {
    let mut centre = Centre::new();
    centre.start("c", "9:00:00", "hotline", "");
    let ended = Event::ContactEnded { by: Some(Party::Customer), self_served: true };
    centre.contact("c", "9:01:00", ended);
    let table = centre.ask("9", "10", &[Dimension::Entry]);
    assert_eq!(table.rows[0].keys[0].as_ref().unwrap().as_str(), "hotline");
    assert_eq!(column(&table, "self_served"), [1]);
    assert_eq!(centre.amount("9", "10", "offered"), 0);
}

#[test]
fn first_attempts_count_a_customer_once_in_half_an_hour_per_entry() {
    let mut centre = Centre::new();
    let calls = [("a", "9:00", "x"), ("b", "9:20", "x"), ("d", "9:51", "x"), ("e", "9:05", "")];
    for (contact, at, customer) in calls {
        centre.start(contact, at, "hotline", customer);
        centre.enter(contact, at, "v", "sales");
        let exit = if contact == "a" { QueueExit::Abandoned } else { QueueExit::Answered };
        centre.leave(contact, at, "v", exit);
        centre.end(contact, at);
    }
    assert_eq!(
        centre.amount("9", "10", "first_attempts"),
        2,
        "9:20 follows 9:00; 9:51 is 31 minutes after 9:20"
    );
    assert_eq!(centre.amount("9", "10", "first_attempts_answered"), 1);
    assert_eq!(centre.amount("9", "10", "attempts_unknown"), 1);
}
