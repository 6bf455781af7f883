//! Agent-days and agent-months: the rules of docs/KPIS.md §3 and §4, one by one.
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
    allowance::{AllowanceDefinition, LocalHours, MealAllowance, ReasonAllowance, SiteDefinition, ZoneName},
    envelope::StreamKind,
    event::{Event, ReasonDefinition},
    ids::{Key, Name, ReasonCode, SiteId, TeamId},
    target::{ColumnName, Comparison, TargetDefinition, TargetScope},
    time::Micros,
};
use pegcount_kpi::{Dimension, EfficiencyTarget, ExplainQuery, Kpi, Query, QueryError, Value, Variant};
use support::{Centre, DAY, amount, column, query, t, value};

const COLUMNS: [&str; 4] =
    ["agent_days", "agent_days_compliant", "agent_days_measured", "agent_days_over_target"];

fn zone(centre: &mut Centre, zone: &str) {
    define_zone(centre, zone, Micros(0), DAY);
}

fn define_zone(centre: &mut Centre, zone: &str, valid_from: Micros, at: Micros) {
    let time_zone = ZoneName::new(zone);
    let event = Event::SiteDefined(SiteDefinition { time_zone, valid_from });
    centre.record(StreamKind::Definition, "all", at, event);
}

fn none(team: Option<TeamId<Key>>) -> AllowanceDefinition<Key> {
    AllowanceDefinition {
        team,
        total: None,
        reasons: Vec::new(),
        meals: None,
        sign_ins: None,
        valid_from: Micros(0),
    }
}

fn allow(centre: &mut Centre, at: Micros, change: impl FnOnce(&mut AllowanceDefinition<Key>)) {
    let mut allowance = none(None);
    change(&mut allowance);
    centre.record(StreamKind::Definition, "all", at, Event::AllowanceDefined(allowance));
}

#[allow(clippy::unnecessary_wraps, reason = "limits are optional")]
fn minutes(minutes: i64) -> Option<Micros> {
    Some(Micros(minutes * Micros::MINUTE.0))
}

fn reason(centre: &mut Centre, reason: &str) -> ReasonAllowance<Key> {
    ReasonAllowance { reason: ReasonCode(centre.key(reason)), longest: None, total: None, count: None }
}

/// The four measures of a range, in order.
fn days(centre: &Centre, from: &str, to: &str) -> [i64; 4] {
    COLUMNS.map(|column| centre.amount(from, to, column))
}

/// A shift with one time away.
fn shift(centre: &mut Centre, agent: &str, (from, to): (&str, &str), (away, back): (&str, &str), why: &str) {
    centre.sign_in(agent, from);
    centre.ready(agent, from);
    centre.away(agent, away, why);
    centre.ready(agent, back);
    centre.sign_out(agent, to);
}

/// `calls` inbound calls in a row, from a full hour on, each of a minute.
fn calls(centre: &mut Centre, agent: &str, hour: i64, calls: i64) {
    for call in 0..calls {
        let (from, to) = (call * 90, call * 90 + 60);
        let at = |seconds: i64| format!("{hour}:{:02}:{:02}", seconds / 60, seconds % 60);
        let contact = format!("call {agent} {hour} {call}");
        centre.talk(agent, &contact, "sales", &at(from), &at(to));
        centre.end(&contact, &at(to));
    }
}

#[test]
fn an_agent_day_is_counted_when_its_local_day_has_ended_and_not_before() {
    let mut centre = Centre::new();
    zone(&mut centre, "Europe/Berlin");
    shift(&mut centre, "ann", ("9", "12"), ("10", "10:30"), "meal");
    let at = |as_of| centre.amount_as_of("0", "48", as_of, "agent_days");
    // In winter Berlin's day ends at 23:00 UTC.
    assert_eq!((at("22:59:59.999999"), at("23")), (0, 1));
    assert_eq!(days(&centre, "22:45", "23"), [1, 1, 1, 0]);
    assert_eq!(days(&centre, "0", "22:45"), [0; 4]);
    let asked = Query { as_of: t("13"), ..centre.query("0", "24", &[]) };
    let mut now = t("13");
    // Interval borders apart, the day's end is what changes next.
    while now < t("22:45") {
        now = centre.kpi.next_change(&Query { as_of: now, ..asked.clone() }, now).unwrap();
    }
    assert_eq!(centre.kpi.next_change(&asked, now), Some(t("23")));
    let outside = centre.query("200", "201", &[]);
    assert_eq!(centre.kpi.next_change(&outside, t("13")), Some(t("23")));
}

#[test]
fn a_shift_over_midnight_is_two_agent_days_and_a_span_over_it_is_cut() {
    let mut centre = Centre::new();
    allow(&mut centre, DAY, |allowance| allowance.total = minutes(20));
    shift(&mut centre, "ann", ("20", "28"), ("23:45", "24:30"), "meal");
    assert_eq!(days(&centre, "0", "24"), [1, 1, 1, 0], "15 minutes before midnight");
    assert_eq!(days(&centre, "24", "48"), [1, 0, 1, 0], "30 minutes after it");
}

#[test]
fn an_agent_who_stays_signed_in_has_a_day_for_each_day_with_no_event_at_all() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9");
    centre.ready("ann", "9");
    for (as_of, expected) in [("24", 1), ("47:59", 1), ("48", 2), ("240", 10)] {
        assert_eq!(centre.amount_as_of("0", "240", as_of, "agent_days"), expected, "{as_of}");
        assert_eq!(centre.amount_as_of("0", "240", as_of, "agent_days_measured"), expected, "{as_of}");
    }
    centre.sign_out("ann", "200");
    assert_eq!(days(&centre, "0", "240"), [9, 9, 9, 0]);
}

#[test]
fn days_of_23_and_25_hours_and_of_24_and_a_half_are_days() {
    for (zone_name, noon, expected) in [
        ("Europe/Berlin", 1_774_699_200, 25 - 2), // 2026-03-28 12:00 UTC, the day before the change
        ("America/Montreal", 1_793_448_000, 25),  // 2026-10-31
    ] {
        let mut centre = Centre::new();
        zone(&mut centre, zone_name);
        let start = Micros(noon * 1_000_000);
        centre.record(StreamKind::Agent, "ann", start, Event::SignedIn);
        centre.record(StreamKind::Agent, "ann", start, Event::Ready);
        let end = start.plus(Micros(72 * Micros::HOUR.0));
        let by = [Dimension::Day];
        let time_zone = jiff::tz::TimeZone::get(zone_name).unwrap();
        let asked = Query { time_zone, ..query("north", start, end, &by, end) };
        let table = centre.kpi.query(&asked).unwrap();
        assert_eq!(column(&table, "agent_days"), [1, 1, 1, 0], "{zone_name}");
        let hours = amount(&table.rows[1], "signed_in_clock") / Micros::HOUR.0;
        assert_eq!(hours, expected, "{zone_name}");
    }
    let mut centre = Centre::new();
    zone(&mut centre, "Australia/Lord_Howe");
    // 2026-04-05, when the clocks go back by half an hour: from 13:00 UTC on the day before to 13:30.
    let start = Micros(1_775_307_600_000_000);
    allow(&mut centre, DAY, |allowance| allowance.total = minutes(24 * 60 + 29));
    centre.record(StreamKind::Agent, "ann", start, Event::SignedIn);
    let end = start.plus(Micros(24 * Micros::HOUR.0 + 30 * Micros::MINUTE.0));
    let table = centre.kpi.query(&query("north", start, end, &[], end)).unwrap();
    assert_eq!(COLUMNS.map(|column| amount(&table.rows[0], column)), [1, 0, 0, 0]);
}

#[test]
fn a_day_with_less_than_an_hour_available_is_not_measured() {
    let mut centre = Centre::new();
    shift(&mut centre, "ann", ("9", "10:30"), ("9:30", "10"), "meal");
    shift(&mut centre, "bob", ("9", "10:30"), ("9:30", "10:00:00.000001"), "meal");
    let by_agent = centre.ask("0", "24", &[Dimension::Agent]);
    assert_eq!(column(&by_agent, "agent_days_measured"), [1, 0]);
    assert_eq!(column(&by_agent, "agent_days"), [1, 1]);
}

#[test]
fn the_efficiency_target_is_to_be_exceeded() {
    let mut centre = Centre::new();
    // 20 calls in exactly 1 h available, and 21.
    for (agent, number) in [("ann", 20), ("bob", 21)] {
        centre.sign_in(agent, "9");
        centre.ready(agent, "9");
        calls(&mut centre, agent, 9, number);
        centre.sign_out(agent, "10");
    }
    let by_agent = centre.ask("0", "24", &[Dimension::Agent]);
    assert_eq!(column(&by_agent, "agent_days_over_target"), [0, 1]);
    let all = centre.ask("0", "24", &[]);
    assert_eq!(value(&all.rows[0], "efficiency_share"), Value::Ratio { numerator: 1, denominator: 2 });
    let forced = |milli: i64, comparison| {
        let efficiency_target = Some(EfficiencyTarget { millionths: milli * 1_000, comparison });
        let variant = Variant { efficiency_target, ..Variant::default() };
        let table = centre.kpi.query(&Query { variant, ..centre.query("0", "24", &[Dimension::Agent]) });
        column(&table.unwrap(), "agent_days_over_target")
    };
    assert_eq!(forced(20_000, Comparison::AtLeast), [1, 1]);
    assert_eq!(forced(21_000, Comparison::Above), [0, 0]);
    assert_eq!(forced(19_999, Comparison::Above), [1, 1]);
    assert_eq!(forced(20_000, Comparison::Above), [0, 1], "the site's own");
}

/// Sets a target, in contacts an hour.
fn aim(centre: &mut Centre, name: &str, scope: TargetScope<Key>, per_hour: Option<i64>, valid_from: Micros) {
    let target = TargetDefinition {
        target: centre.key(name),
        column: ColumnName::new("contacts_per_hour_inbound"),
        scope,
        comparison: Comparison::AtLeast,
        value: per_hour.map(|per_hour| per_hour * 1_000_000),
        valid_from,
    };
    centre.record(StreamKind::Definition, "all", t("23"), Event::TargetDefined(Box::new(target)));
}

#[test]
fn the_target_for_an_agent_outranks_the_teams_that_outranks_the_one_for_each() {
    let mut centre = Centre::new();
    for (agent, number) in [("ann", 20), ("bob", 21)] {
        centre.team(agent, "red", Micros(0));
        centre.sign_in(agent, "9");
        centre.ready(agent, "9");
        calls(&mut centre, agent, 9, number);
        centre.sign_out(agent, "10");
    }
    let over =
        |centre: &Centre| column(&centre.ask("0", "24", &[Dimension::Agent]), "agent_days_over_target");
    assert_eq!(over(&centre), [0, 1], "more than 20");
    aim(&mut centre, "site", TargetScope::Site, Some(1), Micros(0));
    assert_eq!(over(&centre), [0, 1], "the site's speaks of the site as a whole");
    aim(&mut centre, "each", TargetScope::Agent(None), Some(20), Micros(0));
    assert_eq!(over(&centre), [1, 1]);
    let red = centre.key("red");
    aim(&mut centre, "red", TargetScope::Team(Some(red)), Some(22), Micros(0));
    assert_eq!(over(&centre), [0, 0]);
    let bob = centre.key("bob");
    aim(&mut centre, "bob", TargetScope::Agent(Some(bob)), Some(21), Micros(0));
    assert_eq!(over(&centre), [0, 1]);
    aim(&mut centre, "red", TargetScope::Team(Some(red)), None, DAY);
    assert_eq!(over(&centre), [1, 1], "ended before the day began");
    aim(&mut centre, "bob", TargetScope::Agent(Some(bob)), Some(50), t("1"));
    assert_eq!(over(&centre), [1, 1], "what comes into force later holds from the next day on");
}

#[test]
fn outbound_contacts_and_contacts_of_the_next_day_do_not_count_for_efficiency() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "23");
    centre.ready("ann", "23");
    calls(&mut centre, "ann", 23, 20);
    // The 21st begins before midnight and its handle completes after it.
    centre.talk("ann", "late", "sales", "23:59", "24:01");
    centre.sign_out("ann", "25:00");
    assert_eq!(days(&centre, "0", "24"), [1, 1, 1, 0]);
}

#[test]
fn a_month_is_measured_as_a_whole() {
    let mut centre = Centre::new();
    for day in 0..3 {
        let at = |hour: i64| format!("{}", day * 24 + hour);
        centre.sign_in("ann", &at(9));
        centre.ready("ann", &at(9));
        calls(&mut centre, "ann", day * 24 + 9, if day == 0 { 30 } else { 20 });
        centre.sign_out("ann", &at(10));
    }
    // 2026-03-31 24:00 UTC is 30 days after the first instant of 2026-03-02.
    let month = |as_of: &str, column: &str| {
        let asked = query("north", t("0"), t("1000"), &[], t(as_of));
        amount(&centre.kpi.query(&asked).unwrap().rows[0], column)
    };
    assert_eq!(month("1000", "agent_days_over_target"), 1);
    assert_eq!((month("719:59", "agent_months_measured"), month("720", "agent_months_measured")), (0, 1));
    assert_eq!(month("1000", "agent_months_over_target"), 1, "70 in 3 h");
}

#[test]
fn a_day_is_counted_for_the_team_with_most_of_its_signed_in_time_and_of_two_for_the_later_one() {
    let mut centre = Centre::new();
    centre.team("ann", "red", Micros(0));
    centre.team("ann", "blue", t("11"));
    centre.team("bob", "red", Micros(0));
    centre.team("bob", "blue", t("12"));
    centre.team("cid", "blue", Micros(0));
    centre.team("cid", "red", t("10:30"));
    for agent in ["ann", "bob", "cid"] {
        centre.sign_in(agent, "9");
        centre.sign_out(agent, if agent == "cid" { "12" } else { "14" });
    }
    let table = centre.ask("0", "24", &[Dimension::Agent, Dimension::Team]);
    let counted: Vec<_> = table.rows.iter().filter(|row| amount(row, "agent_days") == 1).collect();
    let teams: Vec<_> = counted.iter().map(|row| row.keys[1].as_ref().unwrap().to_string()).collect();
    assert_eq!(teams, ["blue", "red", "red"]);
}

#[test]
fn each_allowance_is_inclusive_and_breaks_a_day_by_itself() {
    type Change = fn(&mut Centre, &mut AllowanceDefinition<Key>, i64);
    // What a day of 30 minutes of meal, twice 5 minutes of rest and two sign-ins is held against, and the limit that it keeps.
    let rules: [(&str, i64, Change); 8] = [
        ("away", 40, |_, rule, limit| rule.total = minutes(limit)),
        ("longest", 5, |centre, rule, limit| {
            let rest = ReasonAllowance { longest: minutes(limit), ..reason(centre, "rest") };
            rule.reasons.push(rest);
        }),
        ("total", 10, |centre, rule, limit| {
            let rest = ReasonAllowance { total: minutes(limit), ..reason(centre, "rest") };
            rule.reasons.push(rest);
        }),
        ("count", 2, |centre, rule, limit| {
            let count = u32::try_from(limit).ok();
            rule.reasons.push(ReasonAllowance { count, ..reason(centre, "rest") });
        }),
        ("meals", 1, |centre, rule, limit| {
            let reasons = vec![ReasonCode(centre.key("meal"))];
            let count = u32::try_from(limit).ok();
            rule.meals = Some(MealAllowance { reasons, count, longest: None, hours: None });
        }),
        ("meal's length", 30, |centre, rule, limit| {
            let reasons = vec![ReasonCode(centre.key("meal"))];
            rule.meals = Some(MealAllowance { reasons, count: None, longest: minutes(limit), hours: None });
        }),
        ("meal's hours", 12 * 60 + 30, |centre, rule, limit| {
            let reasons = vec![ReasonCode(centre.key("meal"))];
            let hours = LocalHours { from_minute: 12 * 60, to_minute: u16::try_from(limit).unwrap() };
            rule.meals = Some(MealAllowance { reasons, count: None, longest: None, hours: Some(hours) });
        }),
        ("sign-ins", 2, |_, rule, limit| rule.sign_ins = u32::try_from(limit).ok()),
    ];
    for (name, limit, change) in rules {
        for (limit, compliant) in [(limit, 1), (limit - 1, 0)] {
            let mut centre = Centre::new();
            let mut allowance = none(None);
            change(&mut centre, &mut allowance, limit);
            centre.record(StreamKind::Definition, "all", DAY, Event::AllowanceDefined(allowance));
            shift(&mut centre, "ann", ("9", "11"), ("10", "10:05"), "rest");
            centre.sign_in("ann", "11:30");
            centre.ready("ann", "11:30");
            centre.away("ann", "12", "meal");
            centre.away("ann", "12:30", "rest");
            centre.ready("ann", "12:35");
            centre.sign_out("ann", "17");
            assert_eq!(days(&centre, "0", "24"), [1, compliant, 1, 0], "{name} {limit}");
        }
    }
}

#[test]
fn a_teams_own_allowance_stands_instead_of_the_one_for_all() {
    let mut centre = Centre::new();
    let night = TeamId(centre.key("night"));
    allow(&mut centre, DAY, |allowance| allowance.total = minutes(10));
    allow(&mut centre, DAY, |allowance| allowance.team = Some(night));
    centre.team("ann", "night", Micros(0));
    centre.team("bob", "day", Micros(0));
    for agent in ["ann", "bob"] {
        shift(&mut centre, agent, ("9", "12"), ("10", "10:30"), "meal");
    }
    let table = centre.ask("0", "24", &[Dimension::Agent]);
    assert_eq!(column(&table, "agent_days_compliant"), [1, 0]);
    let all = centre.ask("0", "24", &[]);
    assert_eq!(value(&all.rows[0], "away_compliance"), Value::Ratio { numerator: 1, denominator: 2 });
}

#[test]
fn productive_time_away_is_not_held_against_the_total_and_a_reasons_own_longest_holds() {
    let mut centre = Centre::new();
    allow(&mut centre, DAY, |allowance| allowance.total = minutes(10));
    let training = ReasonDefinition {
        reason: ReasonCode(centre.key("training")),
        label: None,
        productive: true,
        paid: true,
        longest: minutes(60),
        valid_from: Micros(0),
    };
    centre.record(StreamKind::Definition, "all", DAY, Event::ReasonDefined(training));
    shift(&mut centre, "ann", ("9", "12"), ("10", "11"), "training");
    shift(&mut centre, "bob", ("9", "12"), ("10", "11:00:01"), "training");
    let table = centre.ask("0", "24", &[Dimension::Agent]);
    assert_eq!(column(&table, "agent_days_compliant"), [1, 0]);
}

#[test]
fn late_facts_amendments_and_definitions_that_reach_back_change_days_and_are_corrections() {
    let mut centre = Centre::new();
    allow(&mut centre, DAY, |allowance| allowance.total = minutes(30));
    shift(&mut centre, "ann", ("9", "12"), ("10", "10:30"), "meal");
    centre.sign_in("bob", "30");
    assert_eq!(days(&centre, "0", "24"), [1, 1, 1, 0]);
    // On the next day it becomes known that she had come back later.
    centre.recorded_at = Some(t("31"));
    let annulled = Event::Annulled { target: 5, reason: support::key("wrong") };
    let cause = centre.record(StreamKind::Agent, "ann", t("31"), annulled);
    assert_eq!(days(&centre, "0", "24"), [1, 0, 1, 0], "away from 10 to the end");
    let site = SiteId(Name::new("north").unwrap());
    let own = |kpi: &Kpi, cause: u64| -> Vec<_> {
        let all = kpi.corrections(&site).into_iter().filter(|one| one.position.0 == cause);
        let days = all.filter(|one| one.measure.name().starts_with("agent_days"));
        days.map(|one| (one.measure.name(), one.interval.end(), one.difference)).collect()
    };
    assert_eq!(own(&centre.kpi, cause), [("agent_days_compliant", t("24"), -1)]);
    // A wider allowance that holds from the day before on.
    centre.recorded_at = Some(t("32"));
    allow(&mut centre, t("32"), |allowance| allowance.total = minutes(200));
    assert_eq!(centre.amount("0", "24", "agent_days_compliant"), 1);
    let cause = centre.position;
    assert_eq!(own(&centre.kpi, cause), [("agent_days_compliant", t("24"), 1)]);
    // And another zone: the day ends 5 h later.
    centre.recorded_at = Some(t("33"));
    define_zone(&mut centre, "America/Montreal", Micros(0), t("33"));
    assert_eq!(days(&centre, "0", "24"), [0, 0, 0, 0]);
    assert_eq!(centre.amount("24", "29", "agent_days"), 1);
    let cause = centre.position;
    let moved: Vec<_> = own(&centre.kpi, cause).into_iter().filter(|one| one.0 == "agent_days").collect();
    assert_eq!(moved, [("agent_days", t("24"), -1), ("agent_days", t("29"), 1)]);
}

#[test]
fn another_zone_ends_the_day_and_what_was_closed_keeps_its_days() {
    let mut centre = Centre::new();
    shift(&mut centre, "ann", ("9", "12"), ("10", "10:30"), "meal");
    centre.record(StreamKind::Definition, "history", t("40"), Event::HistoryClosed { before: t("30") });
    let before = centre.ask("0", "24", &[]);
    // It reaches back to ever, but the days up to 48:00 are fixed.
    define_zone(&mut centre, "America/Montreal", Micros(0), t("41"));
    assert_eq!(centre.ask("0", "24", &[]).rows, before.rows);
    shift(&mut centre, "ann", ("42", "60"), ("43", "44"), "meal");
    // The second day ends at 48:00; the third one at Montreal's midnight, 53:00.
    let table = centre.ask("0", "96", &[Dimension::Interval15]);
    let ends: Vec<_> =
        table.rows.iter().filter(|row| amount(row, "agent_days") == 1).map(|row| row.to).collect();
    assert_eq!(ends, [t("24"), t("48"), t("53"), t("77")]);
    let restored = Kpi::restored(&centre.kpi.archived()).unwrap();
    let asked = centre.query("0", "96", &[Dimension::Interval15]);
    let again = restored.query(&asked).unwrap();
    let froms = |table: &pegcount_kpi::Table| table.rows.iter().map(|row| row.from).collect::<Vec<_>>();
    assert_eq!(froms(&again), froms(&table));
    for (row, known) in again.rows.iter().zip(&table.rows) {
        for (index, column) in again.columns.iter().enumerate() {
            assert_eq!(row.values[index], known.values[index], "{} at {}", column.name, row.from);
        }
    }
    let variant = Variant { efficiency_target: Some(EfficiencyTarget::default()), ..Variant::default() };
    let told = centre.kpi.query(&Query { variant, ..centre.query("0", "96", &[]) }).unwrap_err();
    assert_eq!(told, QueryError::DaysGone { from: t("0"), closed_before: t("30") });
}

#[test]
fn an_unfit_day_says_which_allowance_was_broken_and_a_fit_one_that_none_was() {
    let mut centre = Centre::new();
    allow(&mut centre, DAY, |allowance| allowance.total = minutes(20));
    shift(&mut centre, "ann", ("9", "12"), ("10", "10:30"), "meal");
    shift(&mut centre, "bob", ("9", "12"), ("10", "10:20"), "meal");
    let asked = ExplainQuery {
        query: centre.query("0", "24", &[]),
        cell: Vec::new(),
        column: "away_compliance".to_owned(),
        skip: 0,
        limit: 10,
    };
    let explained = centre.kpi.explain(&asked).unwrap();
    assert_eq!(explained.value, Value::Ratio { numerator: 1, denominator: 2 });
    let days: Vec<_> = explained.items.iter().filter(|item| item.measure.name() == "agent_days").collect();
    let ann = days.iter().find(|item| item.agent.as_ref().is_some_and(|agent| agent.as_str() == "ann"));
    let ann = ann.unwrap();
    assert_eq!((ann.from, ann.to, ann.amount), (t("0"), t("24"), 1));
    assert_eq!(
        ann.notes,
        [
            "signed in 3:00:00, available 2:30:00, away 0:30:00; inbound contacts: 0; sign-ins: 1",
            "not allowed: away 0:30:00 altogether; the limit is 0:20:00",
            "efficiency: not more than 20 inbound contacts per hour available",
        ]
    );
    assert_eq!(ann.events.iter().map(|at| at.0).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
    let bob = days.iter().find(|item| item.agent.as_ref().is_some_and(|agent| agent.as_str() == "bob"));
    assert_eq!(bob.unwrap().notes[1], "within every allowance");
}

#[test]
fn two_sites_have_their_own_days() {
    let mut centre = Centre::new();
    zone(&mut centre, "Europe/Berlin");
    shift(&mut centre, "ann", ("20", "26"), ("21", "21:10"), "meal");
    centre.site = "south".into();
    zone(&mut centre, "Australia/Lord_Howe");
    shift(&mut centre, "ann", ("20", "26"), ("21", "21:10"), "meal");
    // Lord Howe's midnight is at 13:00 UTC; Berlin's at 23:00.
    assert_eq!(centre.amount("24", "37", "agent_days"), 1);
    assert_eq!(centre.amount("0", "24", "agent_days"), 0);
    centre.site = "north".into();
    assert_eq!((centre.amount("0", "23", "agent_days"), centre.amount("23", "47", "agent_days")), (1, 1));
}

#[test]
fn a_mean_of_days_takes_each_days_ratio_and_says_so() {
    let mut centre = Centre::new();
    // 1 of 2 answered on one day, 3 of 3 on the next: pooled 4 / 5, the mean of days 3 / 4.
    for (day, answered, abandoned) in [(0, 1, 1), (1, 3, 0), (2, 0, 0)] {
        for call in 0..answered + abandoned {
            let (contact, at) = (format!("c {day} {call}"), format!("{}:0{call}", day * 24 + 10));
            centre.enter(&contact, &at, "v", "sales");
            let exit = if call < answered {
                pegcount_domain::event::QueueExit::Answered
            } else {
                pegcount_domain::event::QueueExit::Abandoned
            };
            centre.leave(&contact, &format!("{at}:30"), "v", exit);
            centre.end(&contact, &format!("{at}:40"));
        }
    }
    let pooled = centre.ask("0", "72", &[]);
    assert_eq!(value(&pooled.rows[0], "connect_rate"), Value::Ratio { numerator: 4, denominator: 5 });
    let variant = Variant { mean_of_days: true, ..Variant::default() };
    let mean = centre.kpi.query(&Query { variant, ..centre.query("0", "72", &[]) }).unwrap();
    let Value::Ratio { numerator, denominator } = value(&mean.rows[0], "connect_rate") else { panic!() };
    assert_eq!(numerator * 4, denominator * 3);
    assert_eq!(amount(&mean.rows[0], "answered"), 4, "measures stay sums");
    let rate = mean.columns.iter().find(|column| column.name == "connect_rate").unwrap();
    let said = "mean of the local days' values of: answered / ended, flow-outs elsewhere left out";
    assert_eq!(rate.formula, Some(said));
    let hourly = Query { variant, ..centre.query("0", "72", &[Dimension::Hour]) };
    let told = centre.kpi.query(&hourly).unwrap_err();
    assert_eq!(told, QueryError::NoMeanOfDays { dimension: Dimension::Hour });
}
