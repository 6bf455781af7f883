//! What tickets count, by KPIS.md §3: when, where, for whom.
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
    event::Channel,
    ticketing::{FieldValue, Validity, VisitStep},
};
use pegcount_kpi::{Dimension, ExplainQuery, Query, Row, Table, Value};
use support::{Centre, amount, column, t, value};
use ticket_support::{Opens, repair};

const HOUR: i64 = 3_600_000_000;

/// The rows' keys with one figure of each, those of 0 left out.
fn by(table: &Table, figure: &str) -> Vec<(String, i64)> {
    let word = |key: &Option<pegcount_domain::ids::Name>| {
        key.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)
    };
    let rows = table
        .rows
        .iter()
        .map(|row| (row.keys.iter().map(word).collect::<Vec<_>>().join(" "), amount(row, figure)));
    rows.filter(|(_, amount)| *amount != 0).collect()
}

fn keyed(rows: &[(&str, i64)]) -> Vec<(String, i64)> {
    rows.iter().map(|(key, amount)| ((*key).to_owned(), *amount)).collect()
}

#[test]
fn a_ticket_counts_where_each_fact_happens_for_whoever_did_it() {
    // given
    let mut centre = Centre::new();
    centre.team("ann", "night", t("0"));
    centre.team("bob", "day", t("0"));
    // when
    centre.open("one", "8:05", repair("ann"));
    centre.accept("one", "9:05", "bob");
    centre.category("one", "9:06", "plumbing");
    centre.resolve("one", "10:05", "");
    centre.close("one", "11:05", "ann");
    // then
    let hours = centre.ask("8", "12", &[Dimension::Hour]);
    assert_eq!(column(&hours, "opened"), [1, 0, 0]);
    assert_eq!(column(&hours, "resolved"), [0, 1, 0]);
    assert_eq!(column(&hours, "closed"), [0, 0, 1]);
    let table = centre.ask("8", "12", &[Dimension::Agent, Dimension::Team]);
    assert_eq!(by(&table, "opened"), keyed(&[("ann night", 1)]));
    assert_eq!(by(&table, "resolved"), keyed(&[("bob day", 1)]));
    assert_eq!(by(&table, "closed"), keyed(&[("ann night", 1)]));
}

#[test]
fn what_a_ticket_is_holds_for_all_of_it_whenever_it_was_told() {
    // given a ticket that is classified a day after it was opened
    let mut centre = Centre::new();
    let channel = Channel::Email.word();
    centre.open("one", "8", Opens { group: "desk", tier: "A", channel, ..repair("ann") });
    centre.category("one", "32", "plumbing");
    let east = centre.key("east");
    centre.tell("one", "33", vec![FieldValue::Region(east)]);
    // then its opening is of the trade, and of the region
    let dimensions =
        [Dimension::Kind, Dimension::Category, Dimension::Tier, Dimension::Region, Dimension::Channel];
    let table = centre.ask("8", "9", &dimensions);
    assert_eq!(by(&table, "opened"), keyed(&[("repair plumbing A east email", 1)]));
    // and as of an instant before that it is of none
    let before = Query { as_of: t("31"), ..centre.query("8", "9", &dimensions) };
    let table = centre.kpi.query(&before).unwrap();
    assert_eq!(by(&table, "opened"), keyed(&[("repair - A - email", 1)]));
}

#[test]
fn a_channel_that_is_no_medium_of_contacts_has_a_row_of_its_own() {
    let mut centre = Centre::new();
    centre.open("one", "8", Opens { channel: "letter", ..repair("ann") });
    centre.open("two", "8", Opens { channel: "voice", ..repair("ann") });
    let table = centre.ask("8", "9", &[Dimension::Channel]);
    assert_eq!(by(&table, "opened"), keyed(&[("letter", 1), ("voice", 1)]));
}

#[test]
fn the_group_is_the_one_that_owned_the_ticket_at_the_time() {
    let mut centre = Centre::new();
    centre.open("one", "8", Opens { group: "desk", ..repair("ann") });
    centre.accept("one", "9", "bob");
    centre.dispatch("one", "10", "plumbers");
    centre.resolve("one", "11", "");
    let table = centre.ask("8", "12", &[Dimension::Group]);
    assert_eq!(by(&table, "opened"), keyed(&[("desk", 1)]));
    assert_eq!(by(&table, "resolved"), keyed(&[("plumbers", 1)]));
}

#[test]
fn a_closing_without_a_resolution_is_one() {
    let mut centre = Centre::new();
    centre.open("one", "8", repair("ann"));
    centre.close("one", "9", "bob");
    let table = centre.ask("8", "10", &[Dimension::Agent]);
    assert_eq!(by(&table, "resolved"), keyed(&[("bob", 1)]));
    assert_eq!(by(&table, "closed"), keyed(&[("bob", 1)]));
}

#[test]
fn a_reopening_counts_at_the_resolution_that_it_undoes_from_the_reopening_on() {
    let mut centre = Centre::new();
    centre.open("one", "8:00", repair("ann"));
    centre.accept("one", "8:01", "ann");
    centre.resolve("one", "9:00", "bob");
    centre.close("one", "9:30", "ann");
    centre.reopen("one", "30:00", true);
    centre.resolve("one", "31:00", "eve");
    let table = centre.ask("8", "10", &[Dimension::Agent]);
    assert_eq!(by(&table, "reopened"), keyed(&[("bob", 1)]));
    assert_eq!(by(&table, "reworked"), keyed(&[("bob", 1)]));
    assert_eq!(by(&table, "resolved"), keyed(&[("bob", 1)]));
    assert_eq!(centre.amount_as_of("8", "10", "29:59", "reopened"), 0);
    assert_eq!(centre.amount("30", "32", "reopened"), 0);
    assert_eq!(centre.amount("30", "32", "resolved"), 1);
    let rate = value(&centre.ask("8", "32", &[]).rows[0], "reopen_rate");
    assert_eq!(rate, Value::Ratio { numerator: 1, denominator: 2 });
}

#[test]
fn a_reopening_for_another_reason_is_no_rework() {
    let mut centre = Centre::new();
    centre.open("one", "8", repair("ann"));
    centre.resolve("one", "9", "bob");
    centre.reopen("one", "10", false);
    assert_eq!(centre.amount("8", "12", "reopened"), 1);
    assert_eq!(centre.amount("8", "12", "reworked"), 0);
}

#[test]
fn what_was_opened_is_complete_as_long_as_it_stands_settled() {
    // given three tickets of one day: settled, reopened, open; one is invalid, one is a duplicate
    let mut centre = Centre::new();
    for ticket in ["settled", "reopened", "open", "invalid", "duplicate"] {
        centre.open(ticket, "8", repair("ann"));
    }
    centre.resolve("settled", "9", "ann");
    centre.resolve("reopened", "9", "ann");
    centre.reopen("reopened", "50", false);
    centre.cancel("invalid", "34");
    centre.merge("duplicate", "10", "settled");
    // then
    let completion = |as_of: &str| {
        let figure = |column| centre.amount_as_of("8", "9", as_of, column);
        (figure("opened"), figure("opened_valid"), figure("opened_valid_resolved"))
    };
    assert_eq!(completion("8:30"), (5, 5, 0));
    assert_eq!(completion("9:30"), (5, 5, 2));
    assert_eq!(completion("10"), (5, 4, 2));
    assert_eq!(completion("34"), (5, 3, 2));
    assert_eq!(completion("50"), (5, 3, 1));
    let rate = value(&centre.ask("8", "9", &[]).rows[0], "completion_rate");
    assert_eq!(rate, Value::Ratio { numerator: 1, denominator: 3 });
    assert_eq!(centre.amount("34", "35", "cancelled"), 1);
    assert_eq!(centre.amount("10", "11", "merged"), 1);
}

#[test]
fn the_last_word_on_validity_decides() {
    let mut centre = Centre::new();
    centre.open("one", "8", repair("ann"));
    centre.validity("one", "9", Validity::Invalid);
    centre.validity("one", "10", Validity::Valid);
    assert_eq!(centre.amount_as_of("8", "9", "9:30", "opened_valid"), 0);
    assert_eq!(centre.amount("8", "9", "opened_valid"), 1);
}

#[test]
fn completion_is_credited_to_who_answers_for_the_ticket_now() {
    let mut centre = Centre::new();
    centre.team("bob", "day", t("20"));
    centre.open("one", "8", Opens { group: "desk", ..repair("ann") });
    centre.accept("one", "9", "bob");
    centre.reassign("one", "30", "eve", "plumbers");
    let table = |as_of: &str| {
        let by = [Dimension::Agent, Dimension::Team, Dimension::Group];
        let query = Query { as_of: t(as_of), ..centre.query("8", "9", &by) };
        centre.kpi.query(&query).unwrap()
    };
    assert_eq!(by(&table("8:30"), "opened_valid"), keyed(&[("ann - desk", 1)]));
    // The team of the opening, when bob had none.
    assert_eq!(by(&table("29"), "opened_valid"), keyed(&[("bob - desk", 1)]));
    assert_eq!(by(&table("31"), "opened_valid"), keyed(&[("eve - plumbers", 1)]));
    assert_eq!(by(&table("31"), "opened"), keyed(&[("ann - desk", 1)]));
}

#[test]
fn the_time_to_a_resolution_is_real_or_working_with_or_without_pauses() {
    // given a Monday: work is from 9:00 to 18:00
    let mut centre = Centre::new();
    centre.open("one", "8:00", repair("ann"));
    centre.accept("one", "8:01", "ann");
    centre.inform("one", "10:00");
    centre.hold("one", "11:00");
    centre.resume("one", "13:00");
    centre.resolve("one", "33:00", "ann");
    // when it is reopened and resolved once more
    centre.reopen("one", "35:00", false);
    centre.resolve("one", "36:00", "ann");
    // then
    let hours = |from: &str, to: &str, column: &str| centre.amount(from, to, column) / HOUR;
    assert_eq!(hours("8", "34", "first_response"), 2);
    assert_eq!(hours("8", "34", "first_response_working"), 1);
    assert_eq!(centre.amount("8", "40", "first_responses"), 1);
    assert_eq!(hours("8", "34", "resolution"), 25);
    assert_eq!(hours("8", "34", "resolution_unpaused"), 23);
    assert_eq!(hours("8", "34", "resolution_working"), 9);
    assert_eq!(hours("8", "34", "resolution_working_unpaused"), 7);
    // from the opening on, what stood settled left out
    assert_eq!(hours("35", "37", "resolution"), 28);
    assert_eq!(hours("35", "37", "resolution_unpaused"), 24);
    assert_eq!(hours("35", "37", "resolution_working"), 12);
    assert_eq!(hours("35", "37", "resolution_working_unpaused"), 8);
}

/// Whether a percentile is so many hours, within 2 %.
fn is_hours(row: &Row, column: &str, hours: i64) -> bool {
    let exact = hours * HOUR;
    (amount(row, column) - exact).abs() * 50 <= exact
}

#[test]
fn percentiles_of_first_answers_and_resolutions_take_the_nearest_rank_and_follow_late_facts() {
    // given ten tickets of Monday at 9:00, of which each is answered one hour later than the one before, and settled two
    let mut centre = Centre::new();
    let ids: Vec<String> = (1..=10).map(|number| format!("t{number}")).collect();
    for id in &ids {
        let (group, channel) = ("desk", Channel::Email.word());
        centre.open(id, "9:00", Opens { group, channel, ..repair("ann") });
    }
    for (hour, id) in (1..).zip(&ids) {
        centre.inform(id, &format!("{}:00", 9 + hour));
        centre.resolve(id, &format!("{}:00", 9 + 2 * hour), "ann");
    }
    let cut = [Dimension::Group, Dimension::Channel, Dimension::Kind];
    let row = |centre: &Centre| centre.ask("0", "48", &cut).rows[0].clone();
    let [p50, p90] = ["first_response_p50", "first_response_p90"];
    // then the fifth and the ninth of them
    assert!(is_hours(&row(&centre), p50, 5) && is_hours(&row(&centre), p90, 9));
    let settled = row(&centre);
    assert!(is_hours(&settled, "resolution_p50", 10) && is_hours(&settled, "resolution_p90", 18));
    // Work ends at 18:00, nine hours after: the tenth answer, and all resolutions from the fifth on.
    assert!(is_hours(&settled, "first_response_p90_working", 9));
    assert!(
        is_hours(&settled, "resolution_p50_working", 9) && is_hours(&settled, "resolution_p90_working", 9)
    );
    assert_eq!(settled.keys[0].as_ref().map(ToString::to_string).as_deref(), Some("desk"));
    assert_eq!(centre.ask("0", "48", &[Dimension::Direction]).rows.len(), 0, "tickets have no direction");
    // As of an earlier instant there are fewer, and where nobody was answered there is none.
    let early = Query { as_of: t("12:00"), ..centre.query("0", "48", &cut) };
    assert!(is_hours(&centre.kpi.query(&early).unwrap().rows[0], p50, 2));
    assert_eq!(value(&centre.ask("9:00", "9:15", &[]).rows[0], p50), Value::Absent);
    // when a late fact says that the ninth had been answered after half an hour
    centre.inform("t9", "9:30");
    // then the ranks shift: half an hour, one, two, three, four…
    assert!(is_hours(&row(&centre), p50, 4) && is_hours(&row(&centre), p90, 8));
    // And archived and restored they are the same.
    let restored = pegcount_kpi::Kpi::restored(&centre.kpi.archived()).unwrap();
    let asked = centre.query("0", "48", &cut);
    assert_eq!(restored.query(&asked).unwrap().rows, centre.kpi.query(&asked).unwrap().rows);
}

#[test]
fn a_percentile_of_tickets_is_explained_by_the_tickets_behind_it() {
    let mut centre = Centre::new();
    for (id, hour) in [("one", "10:00"), ("two", "12:00"), ("three", "14:00")] {
        centre.open(id, "9:00", repair("ann"));
        centre.inform(id, hour);
    }
    let asked = ExplainQuery {
        query: centre.query("0", "24", &[]),
        cell: Vec::new(),
        column: "first_response_p50".to_owned(),
        skip: 0,
        limit: 100,
    };
    let explained = centre.kpi.explain(&asked).unwrap();
    assert_eq!(explained.items.len(), 3);
    assert!(explained.items.iter().all(|item| item.events.len() == 2), "from the opening to the answer");
    assert_eq!(explained.value, value(&centre.ask("0", "24", &[]).rows[0], "first_response_p50"));
}

#[test]
fn complaints_count_where_they_are_closed_and_as_long_as_they_are() {
    let mut centre = Centre::new();
    let complaint = Opens { kind: "complaint", ..repair("ann") };
    centre.open("one", "8", complaint);
    centre.open("two", "8", complaint);
    centre.open("repair", "8", repair("ann"));
    for ticket in ["one", "two", "repair"] {
        centre.resolve(ticket, "9", "ann");
        centre.close(ticket, "10", "bob");
    }
    centre.repeat("one", "30");
    centre.repeat("repair", "30");
    assert_eq!(centre.amount("10", "11", "complaints_closed"), 2);
    assert_eq!(centre.amount("10", "11", "complaints_repeated"), 1);
    assert_eq!(centre.amount_as_of("10", "11", "29", "complaints_repeated"), 0);
    let table = centre.ask("30", "31", &[Dimension::Agent]);
    assert_eq!(by(&table, "second_reports"), keyed(&[("ann", 2)]));
    centre.reopen("one", "40", false);
    assert_eq!(centre.amount("10", "11", "complaints_closed"), 1);
    assert_eq!(centre.amount("10", "11", "complaints_repeated"), 0);
}

#[test]
fn a_slip_is_owed_for_each_visit_and_counts_at_the_arrival() {
    let mut centre = Centre::new();
    centre.open("one", "8", repair("ann"));
    centre.visit("one", "9", VisitStep::Requested);
    centre.visit("one", "10", VisitStep::Arrived);
    centre.visit("one", "11", VisitStep::Requested);
    centre.visit("one", "12", VisitStep::Arrived);
    centre.visit("one", "13", VisitStep::SlipSigned);
    centre.visit("one", "30", VisitStep::SlipFiled);
    centre.visit("one", "31", VisitStep::SlipFiled);
    assert_eq!(column(&centre.ask("10", "13", &[Dimension::Hour]), "slip_due"), [1, 1]);
    assert_eq!(centre.amount("12", "13", "slip_filed"), 1);
    assert_eq!(centre.amount("10", "11", "slip_filed"), 0);
}

#[test]
fn the_backlog_is_what_is_open_at_the_end_of_a_row() {
    let mut centre = Centre::new();
    centre.open("one", "8:10", Opens { group: "desk", ..repair("ann") });
    centre.open("two", "8:20", repair("ann"));
    centre.accept("one", "9:10", "bob");
    centre.resolve("two", "10:10", "ann");
    centre.reopen("two", "12:10", false);
    centre.merge("one", "12:20", "two");
    let named = Query { columns: vec!["backlog".into()], ..centre.query("8", "14", &[Dimension::Hour]) };
    let hours = centre.kpi.query(&named).unwrap();
    let open: Vec<Value> = hours.rows.iter().map(|row| row.values[0]).collect();
    assert_eq!(open, [2, 2, 1, 1, 1, 1].map(Value::Amount));
    // among all columns of these hours it makes no row by itself
    assert_eq!(column(&centre.ask("8", "14", &[Dimension::Hour]), "backlog"), [2, 1, 1]);
    let table = centre.ask("9", "10", &[Dimension::Agent, Dimension::Group]);
    assert_eq!(by(&table, "backlog"), keyed(&[("ann -", 1), ("bob desk", 1)]));
    // a row that goes on stands for the instant asked about
    assert_eq!(centre.amount_as_of("8", "14", "10:05", "backlog"), 2);
    assert_eq!(centre.amount_as_of("8", "14", "10:10", "backlog"), 1);
}

#[test]
fn facts_that_the_table_refuses_are_marked_and_applied_as_they_stand() {
    let mut centre = Centre::new();
    let early = centre.resolve("one", "7", "ann");
    centre.open("one", "8", repair("ann"));
    let again = centre.open("one", "8:30", repair("bob"));
    let unaccepted = centre.resolve("one", "9", "ann");
    let twice = centre.resolve("one", "10", "bob");
    centre.merge("one", "11", "two");
    let over = centre.reopen("one", "12", true);
    assert_eq!(centre.amount("7", "13", "opened"), 1);
    assert_eq!(by(&centre.ask("7", "13", &[Dimension::Agent]), "resolved"), keyed(&[("ann", 1)]));
    assert_eq!(centre.amount("7", "13", "reopened"), 0);
    let site = pegcount_domain::ids::SiteId(pegcount_domain::ids::Name::fixed("north"));
    let odd: Vec<u64> = centre.kpi.anomalies(&site).iter().map(|mark| mark.position.0).collect();
    assert_eq!(odd, [early, again, unaccepted, twice, over]);
}

#[test]
fn repairs_by_trade_are_pooled() {
    // given (KPIS.md §7): of so many repairs of each trade so many were settled in time
    let mut centre = Centre::new();
    centre.policy(t("0"), &[(pegcount_domain::ticketing::TargetKind::Resolve, 2)]);
    let trades = [("lifts", 921, 932), ("water", 531, 557), ("power", 125, 132), ("doors", 46, 46)];
    for (trade, in_time, all) in trades {
        for number in 0..all {
            let ticket = format!("{trade} {number}");
            centre.open(&ticket, "8", Opens { category: trade, ..repair("ann") });
            centre.resolve(&ticket, if number < in_time { "9" } else { "11" }, "ann");
        }
    }
    // then
    let table = centre.ask("8", "12", &[Dimension::Category]);
    let rows = table.rows.iter().map(|row| match value(row, "timeliness") {
        Value::Ratio { numerator, denominator } => (numerator, denominator, numerator * 10_000 / denominator),
        other => panic!("{other:?}"),
    });
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [(46, 46, 10_000), (921, 932, 9_881), (125, 132, 9_469), (531, 557, 9_533)]
    );
    let pooled = value(&centre.ask("8", "12", &[]).rows[0], "timeliness");
    assert_eq!(pooled, Value::Ratio { numerator: 1_623, denominator: 1_667 });
}
