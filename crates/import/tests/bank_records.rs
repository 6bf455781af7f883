//! What a bank row becomes: its id, its facts, their times.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod support;

use pegcount_domain::event::EventType;
use pegcount_import::{
    ContactRecord,
    bank::{BankError, BankReader, COLUMNS},
};
use proptest::prelude::*;
use support::{SMALL, read, zone};

fn record(line: u64) -> ContactRecord {
    read(SMALL).0.into_iter().find(|record| record.line == line).unwrap()
}

/// The facts as names and seconds after the first.
fn told(record: &ContactRecord) -> Vec<(&'static str, i64)> {
    let start = record.facts[0].0;
    let second = |at: pegcount_domain::time::Micros| at.minus(start).0 / 1_000_000;
    record.facts.iter().map(|(at, event)| (event.event_type().name(), second(*at))).collect()
}

#[test]
fn an_answered_call_is_a_visit_and_a_leg() {
    let record = record(3);
    assert_eq!(record.contact.as_str(), "990303-BB0101-502");
    assert_eq!(record.caller.as_deref(), Some("700001"));
    assert_eq!(
        told(&record),
        [
            ("contact.started", 0),
            ("contact.queue_entered", 8),
            ("contact.queue_left", 28),
            ("leg.answered", 28),
            ("leg.ended", 148),
            ("contact.ended", 148),
        ]
    );
}

#[test]
fn a_leg_may_begin_before_its_visit_ends() {
    let told = told(&record(5));
    assert_eq!(told[2..4], [("leg.answered", 77), ("contact.queue_left", 247)]);
}

#[test]
fn an_abandoned_call_has_no_leg_even_if_it_has_service_time() {
    let names: Vec<_> = told(&record(13)).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["contact.started", "contact.queue_entered", "contact.queue_left", "contact.ended"]);
}

#[test]
fn a_contact_does_not_begin_after_its_own_queue_visit() {
    let told = told(&record(15));
    assert_eq!(told[..3], [("contact.started", 0), ("contact.queue_entered", 0), ("contact.queue_left", 40)]);
}

#[test]
fn times_past_midnight_are_of_the_next_day() {
    assert_eq!(told(&record(27))[4], ("leg.ended", 80));
    assert_eq!(told(&record(30))[4], ("leg.ended", 310));
    assert_eq!(told(&record(31))[3], ("contact.queue_left", 32));
    assert_eq!(told(&record(31))[2], ("leg.answered", 28));
    assert_eq!(told(&record(32))[1], ("contact.queue_entered", 10));
}

#[test]
fn the_plain_caller_stands_in_no_fact_and_no_id() {
    for record in read(SMALL).0 {
        if let Some(caller) = &record.caller {
            assert!(!format!("{:?} {:?}", record.contact, record.facts).contains(caller.as_str()));
        }
    }
}

#[test]
fn the_facts_of_every_record_begin_with_its_start_and_end_with_its_end() {
    for record in read(SMALL).0 {
        let (first, last) = (record.facts.first().unwrap(), record.facts.last().unwrap());
        assert_eq!(first.1.event_type(), EventType::CONTACT_STARTED, "line {}", record.line);
        assert_eq!(last.1.event_type(), EventType::CONTACT_ENDED, "line {}", record.line);
        assert!(record.facts.is_sorted_by_key(|(at, _)| *at), "line {}", record.line);
    }
}

#[test]
fn a_file_with_other_columns_is_refused_as_a_whole() {
    let error = BankReader::new("vru+line\tdate\n".as_bytes(), zone()).err().unwrap();
    assert!(matches!(&error, BankError::Header { found } if found == "vru+line date"));
    assert!(error.to_string().contains("must name the 17 columns"));
    assert!(BankReader::new(&b""[..], zone()).is_err());
}

#[test]
fn a_row_that_is_not_utf_8_is_broken_and_the_next_goes_in() {
    let good = SMALL.lines().nth(1).unwrap();
    let mut bytes = format!("{}\r\n{}\r\n", COLUMNS.join("\t"), good.replace("LO", "L?")).into_bytes();
    let bad = bytes.iter().position(|byte| *byte == b'?').unwrap();
    bytes[bad] = 0xff;
    bytes.extend_from_slice(format!("{good}\r\n").as_bytes());
    let mut reader = BankReader::new(bytes.as_slice(), zone()).unwrap();
    assert_eq!(reader.by_ref().count(), 1);
    let broken = &reader.report().broken[0];
    assert_eq!((broken.line, broken.column), (2, Some("type")));
}

proptest! {
    #[test]
    fn the_order_of_the_lines_changes_no_record(rows in Just(SMALL.lines().skip(1).collect::<Vec<_>>()).prop_shuffle()) {
        // The two rows of one key with different content: whichever comes first is kept, so one is left out here.
        let rows = rows.into_iter().filter(|row| !row.contains("8:02:29"));
        let text: String = SMALL.lines().take(1).chain(rows).flat_map(|row| [row, "\n"]).collect();
        let sorted = |text: &str| {
            let mut records = read(text).0;
            for record in &mut records {
                record.line = 0;
            }
            records.sort_by(|a, b| a.contact.cmp(&b.contact));
            records
        };
        prop_assert_eq!(sorted(&text), sorted(SMALL));
    }

    #[test]
    fn no_text_breaks_the_reader(text in "([0-9A-Z:\t\r\n]|\\PC){0,400}") {
        let text = format!("{}\n{text}", COLUMNS.join("\t"));
        let (records, report) = read(&text);
        let others = report.phantom + u64::try_from(report.repeated.len() + report.broken.len()).unwrap();
        prop_assert_eq!(report.read, u64::try_from(records.len()).unwrap() + others);
    }
}
