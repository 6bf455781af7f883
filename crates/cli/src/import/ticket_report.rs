//! What an import of tickets read, kept and left out, and what became of it.
//!
//! Invariant: every count of the reader's report is told.

use pegcount_import::tickets::TicketsReport;

use super::{
    counts::{BrokenLine, Count, Counted, length},
    sink::Done,
};

/// All of it; without what became of it nothing was stored.
pub(super) fn counted(file: String, read: TicketsReport, done: Option<Done>) -> Counted {
    let plain = Count::plain;
    let mut broken_lines =
        Count::listed("broken", "broken, left out", read.broken_rows.iter().map(|row| row.line).collect());
    if read.broken > length(&read.broken_rows) {
        broken_lines = plain("broken", "broken, left out (too many to list)", read.broken);
    }
    let mut counts = vec![
        plain("read", "rows read", read.read),
        plain("kept", "kept", read.kept),
        plain("tickets", "tickets", read.tickets),
        plain("told", "events told of them", read.events),
        plain("left_out", "the map leaves out", read.left_out).headed("left out"),
        plain("repeated", "repeats of another row, left out", read.repeated),
        broken_lines,
        plain("opening_added", "tickets that do not begin with their opening", read.opening_added)
            .headed("odd, and kept"),
        plain("opened_again", "rows that open a ticket anew", read.opened_again),
    ];
    let done = match done {
        Some(done) => {
            counts.extend([
                plain("added", "tickets added", done.added).headed("stored"),
                plain("present", "tickets there already", done.present),
                plain("grown", "tickets that had grown", done.grown),
                plain("refused", "tickets refused", length(&done.refused)),
                plain("events", "events appended", done.events),
                plain("sealed", "texts sealed", done.sealed),
            ]);
            done
        }
        None => Done::default(),
    };
    let broken = read.broken_rows.into_iter();
    Counted {
        file,
        counts,
        broken: broken
            .map(|row| BrokenLine { line: row.line, column: row.column, reason: row.reason })
            .collect(),
        refused: ("ticket", done.refused),
    }
}

#[cfg(test)]
mod tests {
    use pegcount_import::tickets::BrokenRow;
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_is_broken_is_told_with_its_line_and_nothing_is_said_to_be_stored_in_a_dry_run() {
        let broken = BrokenRow { line: 7, column: Some("When".into()), reason: "is \"x\"".into() };
        let read = || TicketsReport {
            read: 2,
            kept: 1,
            broken: 1,
            broken_rows: vec![broken.clone()],
            ..Default::default()
        };
        let dry = counted("desk.csv".into(), read(), None).text(false);
        assert!(dry.contains("line 7: When is \"x\"") && !dry.contains("stored"), "{dry}");
        let done = Done { added: 1, refused: vec![("T-1".into(), "no".into())], ..Done::default() };
        let object: Value =
            serde_json::from_str(&counted("desk.csv".into(), read(), Some(done)).json()).unwrap();
        assert_eq!(object["broken_lines"][0], 7);
        assert_eq!(object["refused_reasons"][0]["ticket"], "T-1");
    }
}
