//! The project's own small bank file gives exactly the figures that follow from its rows.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod support;

use pegcount_domain::ids::AgentId;
use pegcount_import::bank::{Oddity, RepeatedLine};
use support::{Figures, SMALL, agent, by, queue, read};

#[test]
fn every_row_is_kept_left_out_repeated_or_broken() {
    let (records, report) = read(SMALL);
    let broken = u64::try_from(report.broken.len()).unwrap();
    assert_eq!((report.read, report.kept, report.phantom, broken), (45, 30, 3, 11));
    assert_eq!(report.repeated, [RepeatedLine { line: 34, first: 2 }]);
    assert_eq!(records.len(), 30);
    assert_eq!((report.answered, report.abandoned, report.agent_unknown), (22, 8, 3));
    assert_eq!(report.caller_unknown, 20);
    let agents: Vec<_> = report.agents.iter().map(AgentId::as_str).collect();
    assert_eq!(agents, ["CLERK01", "CLERK02", "CLERK03", "CLERK04", "CLERK05", "CLERK06"]);
}

#[test]
fn odd_rows_are_counted_by_kind_with_their_lines_and_a_phantom_is_never_odd() {
    let (_, report) = read(SMALL);
    let odd: Vec<_> = report.odd.iter().map(|(kind, lines)| (*kind, lines.as_slice())).collect();
    assert_eq!(
        odd,
        [
            (Oddity::HangWithService, &[13, 14][..]),
            (Oddity::NegativeMenuTime, &[15]),
            (Oddity::AnsweredWithoutService, &[16, 17]),
            (Oddity::DurationDiffers, &[33]),
        ]
    );
    assert_eq!(report.odd_count(Oddity::AmbiguousTime), 0);
}

#[test]
fn a_broken_row_is_named_with_its_line_its_column_and_what_it_should_be() {
    let (_, report) = read(SMALL);
    let told: Vec<_> = report
        .broken
        .iter()
        .map(|broken| format!("{} {} {}", broken.line, broken.column.unwrap_or("-"), broken.reason))
        .collect();
    assert_eq!(
        told,
        [
            "35 call_id with this date and vru+line was on line 3 already, with other content",
            "36 - has 6 fields, and 17 are needed, with tabs between",
            "37 vru_entry is \"7:61:02\"; it must be a time of day as h:mm:ss",
            "38 outcome is \"LOST\"; it must be AGENT, HANG or PHANTOM",
            "39 date is \"990231\"; it must be a date as yymmdd",
            "40 call_id is \"six\"; it must be a number",
            "41 type is empty; give 1 to 128 bytes of text",
            "42 vru+line is \"BB1\"; it must be 4 letters or digits for the menu and 2 for its line",
            "43 priority is 1001; the limit is 1000",
            "44 q_time is \"-2\"; it must be seconds, 0 to 86400",
            "45 server has 129 bytes; the limit is 128: shorten it",
        ]
    );
}

#[test]
fn waits_and_handles_are_each_taken_from_their_own_pair() {
    let (records, _) = read(SMALL);
    assert_eq!(
        Figures::of(&records),
        Figures {
            offered: 30,
            answered: 22,
            abandoned: 8,
            abandoned_at_once: 1,
            abandoned_within_5: 3,
            abandoned_within_20: 5,
            answered_within_20: 18,
            wait_answered: 424,
            wait_abandoned: 144,
            legs: 22,
            handle: 2_476,
        }
    );
}

#[test]
fn the_parts_by_queue_and_by_agent_sum_to_the_whole() {
    let (records, _) = read(SMALL);
    let queues = by(&records, queue);
    let of = |id: &str| {
        let figures = &queues[id];
        (figures.offered, figures.answered, figures.abandoned, figures.handle)
    };
    assert_eq!((of("LO"), of("CA")), ((21, 15, 6, 1_960), (9, 7, 2, 516)));
    let agents: Vec<_> = by(&records, agent)
        .into_iter()
        .filter(|(_, figures)| figures.legs > 0)
        .map(|(agent, figures)| (agent.unwrap_or_default(), figures.legs, figures.handle))
        .collect();
    let expected = [
        ("", 3, 66),
        ("CLERK01", 4, 1_230),
        ("CLERK02", 3, 240),
        ("CLERK03", 3, 300),
        ("CLERK04", 4, 160),
        ("CLERK05", 3, 390),
        ("CLERK06", 2, 90),
    ];
    assert_eq!(agents, expected.map(|(agent, legs, handle)| (agent.to_owned(), legs, handle)));
}
