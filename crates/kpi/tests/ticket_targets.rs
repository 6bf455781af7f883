//! Targets and promises of tickets, by KPIS.md §3: whether they count, when and for whom.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod support;
mod ticket_support;

use pegcount_domain::{
    calendar::{CalendarDefinition, Weekday, Window},
    deadlines::{Amount, ClockKind, Conditions, Policy, PolicySet, TargetRule},
    envelope::StreamKind,
    event::Event,
    ids::{Key, Name, SiteId},
    ticketing::{FieldValue, Severity, TargetKind, Validity},
    time::Micros,
};
use pegcount_kpi::{Dimension, Query, Value};
use support::{Centre, t, value};
use ticket_support::{Opens, repair};

/// A centre in which a ticket is to be resolved within so many hours.
fn resolved_within(hours: i64) -> Centre {
    let mut centre = Centre::new();
    centre.policy(t("0"), &[(TargetKind::Resolve, hours)]);
    centre
}

/// Met and breached in `8:00` to `48:00` as of an instant.
fn met_and_breached(centre: &Centre, as_of: &str) -> (i64, i64) {
    let figure = |column| centre.amount_as_of("0", "240", as_of, column);
    (figure("target_met"), figure("target_breached"))
}

#[test]
fn a_target_that_is_met_counts_where_it_was_due_and_not_before() {
    let mut centre = resolved_within(4);
    centre.open("one", "8:00", repair("ann"));
    centre.resolve("one", "9:00", "bob");
    assert_eq!(met_and_breached(&centre, "11:59:59.999999"), (0, 0));
    assert_eq!(met_and_breached(&centre, "12:00:00"), (0, 0));
    assert_eq!(met_and_breached(&centre, "12:00:00.000001"), (1, 0));
    assert_eq!(centre.amount("12", "12:15", "target_met_resolve"), 1);
    assert_eq!(centre.amount("8", "12", "target_met_resolve"), 0);
}

#[test]
fn a_target_that_is_still_open_after_it_was_due_is_breached() {
    let mut centre = resolved_within(4);
    centre.open("one", "8:00", repair("ann"));
    assert_eq!(met_and_breached(&centre, "12:00:00"), (0, 0));
    assert_eq!(met_and_breached(&centre, "12:00:00.000001"), (0, 1));
    assert_eq!(centre.amount("12", "12:15", "target_breached_resolve"), 1);
    // and stays so, whatever comes later
    centre.resolve("one", "13:00", "bob");
    assert_eq!(met_and_breached(&centre, "20"), (0, 1));
    let row = &centre.ask("12", "13", &[]).rows[0];
    assert_eq!(value(row, "timeliness"), Value::Ratio { numerator: 0, denominator: 1 });
    assert_eq!(value(row, "timeliness_arrive"), Value::Absent);
}

#[test]
fn fulfilled_exactly_when_it_is_due_is_met() {
    let mut centre = resolved_within(4);
    centre.open("one", "8", repair("ann"));
    centre.resolve("one", "12", "ann");
    assert_eq!(met_and_breached(&centre, "240"), (1, 0));
}

#[test]
fn a_breach_is_whose_ticket_it_was_when_it_fell_due() {
    let mut centre = resolved_within(4);
    centre.open("one", "8", Opens { group: "desk", ..repair("ann") });
    centre.accept("one", "11", "bob");
    centre.reassign("one", "13", "eve", "plumbers");
    centre.resolve("one", "14", "");
    let table = centre.ask("12", "13", &[Dimension::Agent, Dimension::Group]);
    let told = &table.rows[0].keys;
    assert_eq!(table.rows.len(), 1);
    assert_eq!(told.iter().flatten().map(Name::as_str).collect::<Vec<_>>(), ["bob", "desk"]);
}

#[test]
fn a_pause_moves_the_due_time_and_what_has_not_counted_yet() {
    let mut centre = resolved_within(4);
    centre.open("one", "8", repair("ann"));
    centre.hold("one", "9");
    assert_eq!(met_and_breached(&centre, "30"), (0, 0));
    centre.resume("one", "20");
    assert_eq!(met_and_breached(&centre, "23"), (0, 0));
    assert_eq!(met_and_breached(&centre, "24"), (0, 1));
    assert_eq!(centre.amount("23", "23:15", "target_breached"), 1);
    // as of an instant at which it was not paused yet it was due at 12
    assert_eq!(centre.amount_as_of("12", "13", "8:59", "target_breached"), 0);
}

#[test]
fn a_missed_target_stays_missed_whatever_becomes_of_the_ticket() {
    let mut centre = resolved_within(4);
    for (ticket, end) in [("cancelled", 0), ("merged", 1), ("closed", 2)] {
        centre.open(ticket, "8", repair("ann"));
        match end {
            0 => centre.cancel(ticket, "13"),
            1 => centre.merge(ticket, "13", "cancelled"),
            _ => centre.close(ticket, "13", "ann"),
        };
    }
    assert_eq!(met_and_breached(&centre, "240"), (0, 3));
}

#[test]
fn what_is_withdrawn_in_time_counts_neither_as_met_nor_as_breached() {
    let mut centre = resolved_within(4);
    centre.open("cancelled", "8", repair("ann"));
    centre.cancel("cancelled", "9");
    centre.open("merged", "8", repair("ann"));
    centre.merge("merged", "9", "cancelled");
    assert_eq!(met_and_breached(&centre, "240"), (0, 0));
}

#[test]
fn a_reopened_ticket_owes_its_resolution_once_more() {
    let mut centre = resolved_within(4);
    centre.open("one", "8", repair("ann"));
    centre.resolve("one", "9", "ann");
    centre.reopen("one", "10", false);
    assert_eq!(met_and_breached(&centre, "240"), (1, 1));
    let hours = ["12", "13", "14", "15", "16"];
    let met = |hour: &[&str]| centre.amount(hour[0], hour[1], "target_met");
    assert_eq!(hours.windows(2).map(met).collect::<Vec<_>>(), [1, 0, 0, 0]);
    assert_eq!(centre.amount("14", "14:15", "target_breached"), 1);
}

#[test]
fn each_answer_to_the_customer_is_owed_the_next_one() {
    let mut centre = Centre::new();
    centre.policy(t("0"), &[(TargetKind::FirstResponse, 1), (TargetKind::NextUpdate, 2)]);
    centre.open("one", "8", repair("ann"));
    centre.inform("one", "8:30");
    centre.inform("one", "9:30");
    centre.inform("one", "12:30");
    centre.resolve("one", "13", "ann");
    assert_eq!(centre.amount("9", "9:15", "target_met_first_response"), 1);
    assert_eq!(centre.amount("10:30", "10:45", "target_met_next_update"), 1);
    assert_eq!(centre.amount("11:30", "11:45", "target_breached_next_update"), 1);
    // The last one is not owed any more.
    assert_eq!(met_and_breached(&centre, "240"), (2, 1));
    let rate = value(&centre.ask("8", "14", &[]).rows[0], "target_compliance");
    assert_eq!(rate, Value::Ratio { numerator: 2, denominator: 3 });
}

#[test]
fn fulfilled_while_it_is_paused_counts_there() {
    let mut centre = Centre::new();
    centre.policy(t("0"), &[(TargetKind::FirstResponse, 4)]);
    centre.open("one", "8", repair("ann"));
    centre.hold("one", "9");
    centre.inform("one", "30");
    assert_eq!(centre.amount_as_of("30", "30:15", "30", "target_met"), 1);
    assert_eq!(met_and_breached(&centre, "240"), (1, 0));
}

#[test]
fn a_kept_promise_counts_when_it_falls_due_and_outranks_the_policy() {
    let mut centre = resolved_within(4);
    centre.open("one", "8", repair("ann"));
    centre.promise("one", "9", TargetKind::Resolve, "20");
    centre.resolve("one", "19", "ann");
    assert_eq!(centre.amount("20", "20:15", "promise_met"), 1);
    assert_eq!(centre.amount("20", "20:15", "target_met"), 1);
    assert_eq!(centre.amount("0", "240", "promise_broken"), 0);
    assert_eq!(met_and_breached(&centre, "20"), (0, 0));
}

#[test]
fn a_promise_postponed_in_time_is_neither_kept_nor_broken_and_one_postponed_late_is_broken() {
    let mut centre = resolved_within(4);
    centre.open("in time", "8", repair("ann"));
    centre.promise("in time", "8:10", TargetKind::Resolve, "10");
    centre.promise("in time", "10", TargetKind::Resolve, "12");
    centre.resolve("in time", "11", "ann");
    assert_eq!((centre.amount("0", "48", "promise_met"), centre.amount("0", "48", "promise_broken")), (1, 0));
    centre.open("late", "8", repair("bob"));
    centre.promise("late", "8:10", TargetKind::Resolve, "10");
    centre.promise("late", "10:00:00.000001", TargetKind::Resolve, "12");
    centre.resolve("late", "11", "bob");
    assert_eq!((centre.amount("0", "48", "promise_met"), centre.amount("0", "48", "promise_broken")), (2, 1));
    assert_eq!(centre.amount("10", "10:15", "promise_broken"), 1);
    // the target was missed with it
    assert_eq!(met_and_breached(&centre, "240"), (1, 1));
}

#[test]
fn a_promise_of_a_past_instant_is_broken_when_it_is_made() {
    let mut centre = resolved_within(4);
    centre.open("one", "8", repair("ann"));
    centre.promise("one", "9", TargetKind::Resolve, "7");
    assert_eq!(centre.amount("9", "9:15", "promise_broken"), 1);
    assert_eq!(centre.amount("9", "9:15", "target_breached"), 1);
    assert_eq!(centre.amount("7", "7:15", "promise_broken"), 0);
    assert_eq!(centre.amount_as_of("9", "9:15", "9", "target_breached"), 0);
}

#[test]
fn a_rule_that_leaves_no_time_is_missed_when_it_is_learned() {
    // given severe matters are due within 1 h, all others within 8 h
    let mut centre = Centre::new();
    let mut set = one_rule(&mut centre, 1, ClockKind::Calendar);
    set.policies[0].when.severities = vec![Severity::Critical];
    let other = one_rule(&mut centre, 8, ClockKind::Calendar);
    set.policies.extend(other.policies);
    centre.record(StreamKind::Definition, "all", t("0"), Event::TicketPoliciesDefined(Box::new(set)));
    // when it is found out after 3 h how severe it is
    centre.open("one", "8", repair("ann"));
    centre.tell("one", "11", vec![FieldValue::Severity(Severity::Critical)]);
    // then
    assert_eq!(centre.amount("11", "11:15", "target_breached"), 1);
    assert_eq!(centre.amount("9", "9:15", "target_breached"), 0);
}

fn one_rule(centre: &mut Centre, hours: i64, clock: ClockKind<Key>) -> PolicySet<Key> {
    let name = centre.key("all");
    PolicySet {
        policies: vec![Policy {
            name,
            when: Conditions::default(),
            targets: vec![TargetRule {
                target: TargetKind::Resolve,
                amount: Amount::Time(Micros(hours * Micros::HOUR.0)),
                clock,
                pauses: Vec::new(),
                warnings: Vec::new(),
                escalations: Vec::new(),
            }],
        }],
        valid_from: t("0"),
    }
}

#[test]
fn invalid_matters_are_to_be_explained() {
    let mut centre = Centre::new();
    centre.policy(t("0"), &[(TargetKind::Explain, 2)]);
    centre.open("explained", "8", repair("ann"));
    centre.validity("explained", "9", Validity::Invalid);
    centre.cancel("explained", "10");
    centre.open("valid after all", "8", repair("ann"));
    centre.validity("valid after all", "9", Validity::Invalid);
    centre.validity("valid after all", "10", Validity::Valid);
    centre.open("forgotten", "8", repair("ann"));
    centre.validity("forgotten", "9", Validity::Invalid);
    assert_eq!(centre.amount("11", "11:15", "target_met_explain"), 1);
    assert_eq!(centre.amount("11", "11:15", "target_breached_explain"), 1);
    assert_eq!(met_and_breached(&centre, "240"), (1, 1));
}

#[test]
fn a_target_keeps_to_the_policies_in_force_at_its_activation() {
    let mut centre = resolved_within(4);
    centre.policy(t("10"), &[(TargetKind::Resolve, 1)]);
    centre.open("before", "9:59", repair("ann"));
    centre.open("after", "10", repair("ann"));
    let hours = ["11", "12", "13", "14", "15"];
    let breached = |hour: &[&str]| centre.amount(hour[0], hour[1], "target_breached");
    assert_eq!(hours.windows(2).map(breached).collect::<Vec<_>>(), [1, 0, 1, 0]);
}

#[test]
fn policies_that_reach_back_hold_as_if_they_had_always_been_known() {
    // given tickets of yesterday, settled and open
    let mut centre = resolved_within(4);
    centre.open("settled", "8", repair("ann"));
    centre.resolve("settled", "10", "ann");
    centre.open("open", "8", repair("ann"));
    assert_eq!(met_and_breached(&centre, "48"), (1, 1));
    // when it is said that they had had 1 h
    centre.recorded_at = Some(t("30"));
    centre.policy(t("0"), &[(TargetKind::Resolve, 1)]);
    // then
    assert_eq!(met_and_breached(&centre, "48"), (0, 2));
    assert_eq!(centre.amount("9", "9:15", "target_breached"), 2);
    assert_eq!(centre.amount("12", "12:15", "target_breached"), 0);
    let corrections = centre.kpi.corrections(&SiteId(Name::fixed("north")));
    let met: i64 =
        corrections.iter().filter(|one| one.measure.name() == "target_met").map(|one| one.difference).sum();
    let breached: i64 = corrections
        .iter()
        .filter(|one| one.measure.name() == "target_breached")
        .map(|one| one.difference)
        .sum();
    assert_eq!((met, breached), (-1, 1));
}

#[test]
fn working_calendars_count_in_their_own_zone_and_reach_back_too() {
    // given work from 9:00 to 17:00 on weekdays in Shanghai (1:00 to 9:00 UTC), and 4 h of it to resolve
    let mut centre = Centre::new();
    let (calendar, time_zone) = (centre.key("shop"), centre.key("Asia/Shanghai"));
    let define = |centre: &mut Centre, from: u16| {
        let day = |day| Window { day, from, to: 17 * 60 };
        let windows = [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday].map(day).to_vec();
        let (holidays, make_up_days, valid_from) = (Vec::new(), Vec::new(), t("0"));
        let definition =
            CalendarDefinition { calendar, time_zone, windows, holidays, make_up_days, valid_from };
        centre.record(StreamKind::Definition, "all", t("0"), Event::CalendarDefined(Box::new(definition)));
    };
    define(&mut centre, 9 * 60);
    centre.policies(t("0"), vec![(TargetKind::Resolve, 4, ClockKind::Working(calendar))]);
    centre.open("one", "8", repair("ann"));
    // 1 h is left of Monday, 3 h are of Tuesday
    assert_eq!(centre.amount("28", "28:15", "target_breached"), 1);
    // when it is said that work begins at 10:00 on these days
    define(&mut centre, 10 * 60);
    assert_eq!(centre.amount("28", "28:15", "target_breached"), 0);
    assert_eq!(centre.amount("29", "29:15", "target_breached"), 1);
}

#[test]
fn the_watch_wakes_when_a_target_falls_due() {
    let mut centre = resolved_within(4);
    centre.open("one", "8:00:01", repair("ann"));
    let query = Query { as_of: t("9"), ..centre.query("0", "8", &[]) };
    assert_eq!(centre.kpi.next_change(&query, t("9")), Some(t("12:00:01.000001")));
    assert_eq!(centre.kpi.next_change(&query, t("13")), None);
}

#[test]
fn until_a_site_has_policies_the_standard_set_holds() {
    // given a complaint by phone on a Monday: to be answered within 1 working day, looked into the same day
    let mut centre = Centre::new();
    centre.open("one", "10", Opens { kind: "complaint", channel: "phone", ..repair("ann") });
    assert_eq!(centre.amount("18", "18:15", "target_breached_investigate"), 1);
    assert_eq!(centre.amount("42", "42:15", "target_breached_first_response"), 1);
    // and one by letter within 3, another matter within 2
    centre.open("two", "10", Opens { kind: "complaint", channel: "letter", ..repair("ann") });
    centre.open("three", "10", repair("ann"));
    assert_eq!(centre.amount("90", "90:15", "target_breached_first_response"), 1);
    assert_eq!(centre.amount("66", "66:15", "target_breached_first_response"), 1);
}
