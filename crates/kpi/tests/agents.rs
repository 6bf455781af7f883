//! The agent clock, leg times and handles.
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
    envelope::StreamKind,
    event::{AfterCallEnd, AfterCallOnContact, Event, Intent, LegStep},
    ids::ReasonCode,
    time::Micros,
};
use pegcount_kpi::{Attribution, Dimension, Query, Value};
use support::{Centre, amount, column, ended, ended_into_work, key, secs, t, value};

#[test]
fn states_take_precedence_in_the_order_occupied_lost_ringing_dialing_away_ready() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9:00:00");
    centre.ready("ann", "9:01:00");
    centre.phone("ann", "9:02:00", "c", "sales", LegStep::Ringing);
    centre.phone("ann", "9:02:10", "c", "sales", LegStep::Answered);
    centre.away("ann", "9:03:00", "meal");
    centre.phone("ann", "9:05:00", "c", "sales", ended());
    centre.ready("ann", "9:08:00");
    centre.sign_out("ann", "9:10:00");
    let row = &centre.ask("9", "10", &[Dimension::Agent]).rows[0];
    let clock = |column| amount(row, column) / 1_000_000;
    assert_eq!(clock("signed_in_clock"), 600);
    assert_eq!(clock("occupied_clock"), 170, "away during the contact stays hidden");
    assert_eq!(clock("ringing_clock"), 10);
    assert_eq!(clock("away_clock"), 60 + 180);
    assert_eq!(clock("ready_clock"), 60 + 120);
}

#[test]
fn a_leg_reported_by_softphone_and_exchange_counts_once_each_field_by_its_authority() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9:00:00");
    for (phone, switch, step) in [
        ("9:02:00.2", "9:02:00", LegStep::Ringing),
        ("9:02:10.3", "9:02:10", LegStep::Answered),
        ("9:05:00.4", "9:05:00", ended_into_work()),
    ] {
        centre.switch("ann", switch, "c", "sales", step);
        centre.phone("ann", phone, "c", "sales", step);
    }
    centre.phone("ann", "9:06:00", "c", "sales", LegStep::AfterCallEnded);
    let row = &centre.ask("9", "10", &[]).rows[0];
    assert_eq!((amount(row, "handled"), amount(row, "offers")), (1, 1));
    assert_eq!(amount(row, "handle_talk"), secs(170), "by the exchange");
    assert_eq!(amount(row, "handle_acw"), secs(60), "ended by the softphone");
}

#[test]
fn a_switch_report_that_comes_after_everything_else_changes_the_source_of_its_field_only() {
    let mut centre = Centre::new();
    centre.phone("ann", "9:02:10", "c", "sales", LegStep::Answered);
    centre.phone("ann", "9:05:00", "c", "sales", ended());
    centre.end("c", "9:05:00");
    assert_eq!(centre.amount("9", "10", "handle_talk"), secs(170));
    centre.switch("ann", "9:05:01", "c", "sales", ended());
    assert_eq!(centre.amount("9", "10", "handled"), 1);
    assert_eq!(centre.amount("9", "10", "handle_talk"), secs(171));
}

#[test]
fn nobody_signed_in_has_unsigned_clock_once_and_leg_time_for_each_leg() {
    let mut centre = Centre::new();
    centre.talk("ann", "a", "sales", "9:00", "9:10");
    centre.talk("ann", "b", "sales", "9:05", "9:20");
    let row = &centre.ask("9", "10", &[Dimension::Agent]).rows[0];
    assert_eq!(amount(row, "unsigned_clock"), secs(20 * 60));
    assert_eq!(amount(row, "talk_time"), secs(25 * 60));
    assert_eq!(amount(row, "signed_in_clock"), 0);
}

#[test]
fn a_leg_that_nobody_is_known_to_have_handled_counts_without_an_agent_until_one_is_named() {
    let mut centre = Centre::new();
    centre.talk("", "c", "sales", "9:00", "9:10");
    let table = centre.ask("9", "10", &[Dimension::Agent]);
    assert_eq!(table.rows[0].keys, [None]);
    assert_eq!(column(&table, "handle_talk"), [secs(600)]);
    assert_eq!(column(&table, "unsigned_clock"), [0], "no clock of nobody");
    let mut leg = centre.leg("", "c", "sales");
    leg.agent = Some(pegcount_domain::ids::AgentId(centre.key("ann")));
    centre.record(StreamKind::Contact, "c", t("9:04"), Event::Leg { leg, step: LegStep::Held });
    let table = centre.ask("9", "10", &[Dimension::Agent]);
    assert_eq!(table.rows.len(), 1);
    assert_eq!(table.rows[0].keys[0].as_ref().unwrap().as_str(), "ann");
    assert_eq!(column(&table, "handle_hold"), [secs(360)]);
}

#[test]
fn spans_are_cut_where_the_team_changes() {
    let mut centre = Centre::new();
    centre.team("ann", "red", Micros::ZERO);
    centre.sign_in("ann", "9:00");
    centre.sign_out("ann", "9:10");
    centre.team("ann", "blue", t("9:04"));
    let table = centre.ask("9", "10", &[Dimension::Team]);
    let teams: Vec<_> = table.rows.iter().map(|row| row.keys[0].clone().unwrap().to_string()).collect();
    assert_eq!(teams, ["blue", "red"]);
    assert_eq!(column(&table, "signed_in_clock"), [secs(360), secs(240)]);
}

#[test]
fn after_call_work_ends_by_its_timer_with_no_event() {
    let mut centre = Centre::new();
    centre.queue("sales", |queue| {
        queue.after_call_end = AfterCallEnd::ByTimer;
        queue.after_call_timer = Micros::from_secs(30);
    });
    centre.sign_in("ann", "9:00");
    centre.ready("ann", "9:00");
    centre.phone("ann", "9:01", "c", "sales", LegStep::Answered);
    centre.phone("ann", "9:02", "c", "sales", ended_into_work());
    assert_eq!(centre.amount_as_of("9", "10", "9:02:10", "acw_time"), secs(10));
    assert_eq!(centre.amount_as_of("9", "10", "9:02:10", "handled"), 0);
    assert_eq!(centre.amount_as_of("9", "10", "9:30", "acw_time"), secs(30));
    assert_eq!(centre.amount_as_of("9", "10", "9:30", "handled"), 1);
    assert_eq!(centre.amount_as_of("9", "10", "9:30", "ready_clock"), secs(60 + 27 * 60 + 30));
}

#[test]
fn a_new_contact_ends_or_suspends_after_call_work_by_the_queue_s_policy() {
    for (policy, work) in [(AfterCallOnContact::Ends, 30), (AfterCallOnContact::Suspends, 30 + 40)] {
        let mut centre = Centre::new();
        centre.queue("sales", |queue| queue.after_call_on_contact = policy);
        centre.sign_in("ann", "9:00");
        centre.phone("ann", "9:01:00", "a", "sales", LegStep::Answered);
        centre.phone("ann", "9:02:00", "a", "sales", ended_into_work());
        centre.phone("ann", "9:02:30", "b", "sales", LegStep::Answered);
        centre.phone("ann", "9:03:30", "b", "sales", ended());
        centre.phone("ann", "9:04:10", "a", "sales", LegStep::AfterCallEnded);
        assert_eq!(centre.amount("9", "10", "handle_acw"), secs(work), "{policy:?}");
        assert_eq!(centre.amount("9", "10", "handled"), 2);
    }
}

#[test]
fn a_ring_with_no_answer_makes_the_agent_not_ready() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9:00");
    centre.ready("ann", "9:00");
    centre.phone("ann", "9:01:00", "c", "sales", LegStep::Ringing);
    centre.phone("ann", "9:01:20", "c", "sales", LegStep::Missed);
    centre.sign_out("ann", "9:02:20");
    assert_eq!(centre.amount("9", "10", "ready_clock"), secs(60));
    assert_eq!(centre.amount("9", "10", "away_clock"), secs(60));
    let row = &centre.ask("9", "10", &[]).rows[0];
    assert_eq!(value(row, "rona_rate"), Value::Ratio { numerator: 1, denominator: 1 });
}

#[test]
fn a_lost_connection_counts_from_the_last_sign_of_life_and_signs_out_after_the_grace() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9:00");
    centre.ready("ann", "9:00");
    let lost = centre.agent("ann", "9:10:10", Event::ConnectionLost { last_heard: t("9:10:00") });
    assert_eq!(centre.amount("9", "10", "lost_clock"), secs(15 * 60));
    assert_eq!(centre.amount("9", "10", "signed_in_clock"), secs(25 * 60));
    let reason = key("back");
    centre.agent("ann", "9:14:00", Event::Annulled { target: lost, reason });
    assert_eq!(centre.amount("9", "10", "lost_clock"), 0);
    assert_eq!(centre.amount("9", "10", "ready_clock"), secs(3600));
}

#[test]
fn a_next_state_waits_for_the_contact_to_be_over() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9:00");
    centre.ready("ann", "9:00");
    centre.phone("ann", "9:01", "c", "sales", LegStep::Answered);
    let meal = ReasonCode(centre.key("meal"));
    centre.agent("ann", "9:02", Event::NextSet { intent: Intent::NotReady(meal), comment: None });
    centre.phone("ann", "9:05", "c", "sales", ended());
    centre.sign_out("ann", "9:10");
    assert_eq!(centre.amount("9", "10", "away_clock"), secs(300));
    assert_eq!(centre.amount("9", "10", "away_count"), 1);
}

#[test]
fn what_is_open_counts_up_to_the_instant_asked_about() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9:00");
    centre.phone("ann", "9:10", "c", "sales", LegStep::Answered);
    for (as_of, talk, signed_in) in [("9:12", 120, 720), ("9:20", 600, 1200), ("9:05", 0, 300)] {
        assert_eq!(centre.amount_as_of("9", "10", as_of, "talk_time"), secs(talk), "{as_of}");
        assert_eq!(centre.amount_as_of("9", "10", as_of, "signed_in_clock"), secs(signed_in), "{as_of}");
    }
    assert_eq!(centre.amount_as_of("9", "10", "9:20", "handle_talk"), 0, "not complete");
}

#[test]
fn columns_that_the_rows_cannot_have_are_absent() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9:00");
    centre.talk("ann", "c", "sales", "9:00", "9:10");
    let by_queue = &centre.ask("9", "10", &[Dimension::Queue]).rows[0];
    assert_eq!(value(by_queue, "signed_in_clock"), Value::Absent);
    assert_eq!(value(by_queue, "contacts_per_hour"), Value::Absent);
    assert_eq!(value(by_queue, "handled"), Value::Amount(1));
    let by_agent = &centre.ask("9", "10", &[Dimension::Agent]).rows[0];
    assert_eq!(value(by_agent, "offered"), Value::Absent);
    assert_eq!(value(by_agent, "waiting"), Value::Absent);
}

#[test]
fn contacts_per_hour_is_handled_over_hours_neither_away_nor_lost() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9:00");
    centre.ready("ann", "9:30");
    centre.talk("ann", "c", "sales", "9:40", "9:50");
    let row = &centre.ask("9", "10", &[Dimension::Agent]).rows[0];
    let expected = Value::Ratio { numerator: 3_600_000_000, denominator: secs(1800) };
    assert_eq!(value(row, "contacts_per_hour"), expected, "1 in half an hour");
}

#[test]
fn handles_under_start_fall_where_the_leg_was_answered_and_the_rest_stays() {
    let mut centre = Centre::new();
    centre.talk("ann", "c", "sales", "9:10", "9:20");
    let query = |attribution| Query { attribution, ..centre.query("9", "10", &[Dimension::Interval15]) };
    let start = centre.kpi.query(&query(Attribution::Start)).unwrap();
    assert_eq!(column(&start, "handled"), [1, 0]);
    assert_eq!(column(&start, "talk_time"), [secs(300), secs(300)]);
    let end = centre.kpi.query(&query(Attribution::End)).unwrap();
    assert_eq!(column(&end, "handled"), [0, 1]);
}
