//! Rows of a help desk's log become what happened to its tickets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use pegcount_domain::{
    ids::Name,
    ticketing::{FieldValue, Severity, TicketEvent, TicketRecord},
};
use pegcount_import::tickets::{TicketMap, TicketReader, TicketsError, TicketsReport};
use proptest::prelude::*;

const SAMPLE: &str = include_str!("../../../docs/tickets-map.toml");

const HEADER: &str = "Case ID,Activity,Resource,Complete Timestamp,Workgroup,Product,Seriousness,Phone,Customer name,Remark,\
                      Service level,In time,Reopened";

/// The rows of two tickets, with those of a third that begins in the middle.
const ROWS: [&str; 8] = [
    "T-1,Insert ticket,anna,2012/10/09 14:50:17,north,pump,Value 2,+39 06 1,Ann Maker,\"It hums, at \"\"night\"\"\",gold,,no",
    "T-2,Take in charge ticket,bob,2012/10/09 14:51:00,south,boiler,Value 4,,,,silver,,no",
    "T-1,Take in charge ticket,anna,2012/10/09 14:51:01,north,pump,Value 2,+39 06 1,,,gold,,no",
    "T-1,Assign seriousness,anna,2012/10/09 14:52:00,north,pump,Value 3,+39 06 1,,,gold,,no",
    "T-2,Resolve ticket,bob,2012/10/09 15:00:00,south,boiler,Value 4,,,,silver,yes,no",
    "T-1,Resolve ticket,anna,2012/10/10 09:00:00,north,pump,Value 3,+39 06 1,,,gold,no,no",
    "T-1,Closed,anna,2012/10/10 09:00:00,north,pump,Value 3,+39 06 1,,,gold,no,no",
    "T-1,Wait,carl,2012/10/12 10:00:00,east,pump,Value 3,+39 06 1,,,gold,no,yes",
];

fn map() -> TicketMap {
    TicketMap::parse(SAMPLE).unwrap()
}

fn read_with(text: &str, map: &TicketMap, memory: usize) -> (Vec<TicketRecord>, TicketsReport) {
    let mut reader = TicketReader::read_with(text.as_bytes(), map, memory).unwrap();
    let records = (&mut reader).collect::<Result<_, _>>().unwrap();
    (records, reader.into_report())
}

fn read(rows: &[&str]) -> (Vec<TicketRecord>, TicketsReport) {
    read_with(&format!("{HEADER}\n{}\n", rows.join("\n")), &map(), usize::MAX)
}

fn types(record: &TicketRecord) -> Vec<&'static str> {
    record.facts.iter().map(|fact| fact.event.event_type().name()).collect()
}

#[test]
fn interleaved_rows_become_one_history_for_each_ticket() {
    let (records, report) = read(&ROWS);
    assert_eq!(records.iter().map(|record| record.ticket.as_str()).collect::<Vec<_>>(), ["T-1", "T-2"]);
    let expected = [
        "ticket.opened",
        "ticket.noted",
        "ticket.accepted",
        "ticket.classified",
        "ticket.edited",
        "ticket.resolved",
        "ticket.closed",
        "ticket.reopened",
        "ticket.edited",
        "ticket.reassigned",
        "ticket.held",
    ];
    assert_eq!(types(&records[0]), expected);
    assert_eq!((report.read, report.kept, report.broken, report.tickets), (8, 8, 0, 2));
    assert_eq!(report.events, 15);
}

#[test]
fn a_first_row_that_is_no_opening_gets_one_before_it() {
    let (records, report) = read(&ROWS);
    assert_eq!(types(&records[1]), ["ticket.opened", "ticket.accepted", "ticket.edited", "ticket.resolved"]);
    assert_eq!(report.opening_added, 1);
    let TicketEvent::Opened(opening) = &records[1].facts[0].event else { panic!("{records:?}") };
    assert_eq!(opening.receiver, None, "nobody is said to have received it");
    assert_eq!(records[1].facts[0].at, records[1].facts[1].at);
    assert!(opening.set.contains(&FieldValue::Severity(Severity::Critical)));
    let level = FieldValue::Attribute { name: Name::fixed("service_level"), value: Name::fixed("silver") };
    assert!(opening.set.contains(&level), "{:?}", opening.set);
}

#[test]
fn what_is_personal_stands_in_no_event() {
    let (records, _) = read(&ROWS);
    let first = &records[0];
    assert_eq!(first.caller.as_deref(), Some("+39 06 1"));
    assert_eq!(first.facts[1].text.as_deref(), Some("It hums, at \"night\""));
    let events: Vec<_> = first.facts.iter().map(|fact| &fact.event).collect();
    let told = format!("{events:?}");
    for plain in ["hums", "Ann Maker", "+39 06"] {
        assert!(!told.contains(plain), "{plain} in {told}");
    }
}

#[test]
fn rows_of_one_instant_come_in_the_order_of_the_map() {
    let (records, _) = read(&[ROWS[6], ROWS[5], ROWS[0]]);
    let types = types(&records[0]);
    let place = |word: &str| types.iter().position(|one| *one == word).unwrap();
    assert!(place("ticket.resolved") < place("ticket.closed"), "{types:?}");
}

#[test]
fn a_broken_row_is_listed_with_its_line_and_keeps_no_other_out() {
    let rows = [
        ROWS[0],
        "T-3,Explode,anna,2012/10/09 14:50:17,,,,,,,,,",
        "T-3,Closed,anna,9 October,,,,,,,,,",
        "T-3,Closed",
        ",Closed,anna,2012/10/09 14:50:17,,,,,,,,,",
        "T-3,Take in charge ticket,,2012/10/09 14:50:17,,,,,,,,,",
        "T-3,Closed,anna,2012/10/09 14:50:17,,,huge,,,,,,",
        "T-3,Closed,anna,2012/10/09 14:50:17,,,,,,,,perhaps,",
        ROWS[6],
    ];
    let (records, report) = read(&rows);
    assert_eq!(records.len(), 1);
    assert_eq!((report.read, report.kept, report.broken), (9, 2, 7));
    let told: Vec<String> = report
        .broken_rows
        .iter()
        .map(|row| format!("{}: {} {}", row.line, row.column.as_deref().unwrap_or("-"), row.reason))
        .collect();
    assert_eq!(told[0], "3: Activity is \"Explode\", which the map does not list; list it as an activity");
    assert!(
        told[1].starts_with("4: Complete Timestamp is \"9 October\"; it must be as %Y/%m/%d"),
        "{}",
        told[1]
    );
    assert_eq!(told[2], "5: - has 2 fields, and the first row has 13");
    assert!(told[3].starts_with("6: Case ID is empty"), "{}", told[3]);
    assert!(
        told[4].contains("7: Activity") && told[4].contains("give defaults.agent in the map"),
        "{}",
        told[4]
    );
    assert!(told[5].contains("8: Seriousness") && told[5].contains("[values.severity]"), "{}", told[5]);
    assert!(told[6].contains("9: In time is \"perhaps\""), "{}", told[6]);
}

#[test]
fn a_row_that_is_there_twice_counts_once() {
    let (records, report) = read(&[ROWS[0], ROWS[2], ROWS[2]]);
    assert_eq!((report.read, report.kept, report.repeated), (3, 2, 1));
    assert_eq!(types(&records[0]), ["ticket.opened", "ticket.noted", "ticket.accepted"]);
}

#[test]
fn a_state_that_is_told_again_is_no_second_event() {
    let map = SAMPLE.replace("activity = \"Activity\"", "state = \"Activity\"");
    let map = TicketMap::parse(&map).unwrap();
    let again = ROWS[5].replace("09:00:00", "09:30:00");
    let text = format!("{HEADER}\n{}\n{}\n{again}\n", ROWS[0], ROWS[5]);
    let (records, _) = read_with(&text, &map, usize::MAX);
    assert_eq!(types(&records[0]).iter().filter(|one| **one == "ticket.resolved").count(), 1);
}

#[test]
fn a_column_that_is_not_there_is_named_with_the_key_that_wants_it() {
    let text = format!("{}\n", HEADER.replace("Phone", "Telephone"));
    let map = map();
    let Err(error) = TicketReader::read(text.as_bytes(), &map) else { panic!("it has no such column") };
    let error = error.to_string();
    assert!(
        error.contains("no column \"Phone\", which columns.customer of the map names; it has Case ID"),
        "{error}"
    );
}

#[test]
fn columns_become_attributes_only_if_the_map_says_so() {
    let attributes = |map: &str| {
        let map = TicketMap::parse(map).unwrap();
        let text = format!("{HEADER},Floor\n{},3\n", ROWS[0]);
        let (records, _) = read_with(&text, &map, usize::MAX);
        format!("{:?}", records[0].facts[0].event)
    };
    assert!(!attributes(SAMPLE).contains("Floor"));
    let others = attributes(&SAMPLE.replace("others = \"drop\"", "others = \"attribute\""));
    assert!(others.contains("Floor") && !others.contains("Ann Maker"), "{others}");
}

#[test]
fn a_quotation_mark_that_nobody_closes_ends_the_reading_before_memory_does() {
    let text = format!("{HEADER}\n{}\n\"{}", ROWS[0], "x".repeat(17 << 20));
    let map = map();
    let Err(error) = TicketReader::read(text.as_bytes(), &map) else { panic!("it does not end") };
    assert!(matches!(error, TicketsError::Endless { line: 3 }), "{error}");
}

proptest! {
    #[test]
    fn the_order_of_lines_plays_no_part_nor_does_memory(
        order in Just((0..ROWS.len()).collect::<Vec<_>>()).prop_shuffle(),
        memory in 1..2_000_usize,
    ) {
        let rows: Vec<&str> = order.iter().map(|index| ROWS[*index]).collect();
        let text = format!("{HEADER}\n{}\n", rows.join("\n"));
        let (records, mut report) = read_with(&text, &map(), memory);
        let (expected, in_memory) = read(&ROWS);
        prop_assert_eq!(records, expected);
        report.put_aside = false;
        prop_assert_eq!(report, in_memory);
    }

    #[test]
    fn no_bytes_make_it_fail_in_any_other_way_than_by_saying_so(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let map = map();
        let text: Vec<u8> = HEADER.bytes().chain([b'\n']).chain(bytes).collect();
        if let Ok(mut reader) = TicketReader::read(text.as_slice(), &map) {
            let records = (&mut reader).filter_map(Result::ok).count();
            let report = reader.into_report();
            prop_assert_eq!(report.read, report.kept + report.repeated + report.left_out + report.broken);
            prop_assert_eq!(u64::try_from(records).unwrap(), report.tickets);
        }
    }
}
