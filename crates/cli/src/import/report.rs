//! What an import of call records read, kept, left out and found odd, and what became of it.
//!
//! Invariant: every count of the reader's report is told.

use pegcount_import::bank::{BankReport, Oddity};

use super::{
    counts::{BrokenLine, Count, Counted, length},
    sink::Done,
};
use crate::{args::Format, error::CliError};

/// All of it.
pub(super) struct Outcome {
    /// The file's name.
    pub(super) file: String,
    /// What was read.
    pub(super) read: BankReport,
    /// What became of it.
    pub(super) done: Done,
}

impl Outcome {
    /// Prints it.
    pub(super) fn write(&self, format: Format, verbose: bool) -> Result<(), CliError> {
        self.counted().write(format, verbose)
    }

    fn counted(&self) -> Counted {
        let broken = self.read.broken.iter().map(|row| BrokenLine {
            line: row.line,
            column: row.column.map(str::to_owned),
            reason: row.reason.clone(),
        });
        Counted {
            file: self.file.clone(),
            counts: counts(self),
            broken: broken.collect(),
            refused: ("contact", self.done.refused.clone()),
        }
    }
}

fn counts(outcome: &Outcome) -> Vec<Count> {
    let (read, done) = (&outcome.read, &outcome.done);
    let (plain, listed) = (Count::plain, Count::listed);
    let mut all = vec![
        plain("read", "rows read", read.read),
        plain("kept", "kept", read.kept),
        plain("answered", "answered", read.answered),
        plain("abandoned", "abandoned", read.abandoned),
        plain("agents", "agents named", read.agents.len().try_into().unwrap_or(u64::MAX)),
        plain("agent_unknown", "answered by nobody known", read.agent_unknown),
        plain("caller_unknown", "with no customer identified", read.caller_unknown),
        plain("phantom", "PHANTOM, left out", read.phantom).headed("left out"),
        listed("repeated", "repeats of an earlier line, left out", lines(&read.repeated, |row| row.line)),
        listed("broken", "broken, left out", lines(&read.broken, |row| row.line)),
    ];
    all.extend(Oddity::ALL.into_iter().map(|oddity| {
        let count = listed(kind(oddity), oddity.word(), read.odd.get(&oddity).cloned().unwrap_or_default());
        if oddity == Oddity::HangWithService { count.headed("odd, and kept") } else { count }
    }));
    all.extend([
        plain("added", "records added", done.added).headed("stored"),
        plain("present", "records there already", done.present),
        plain("grown", "records that had grown", done.grown),
        plain("refused", "records refused", length(&done.refused)),
        plain("events", "events appended", done.events),
    ]);
    all
}

/// The oddity's name for programs.
fn kind(oddity: Oddity) -> &'static str {
    match oddity {
        Oddity::HangWithService => "odd_hang_with_service",
        Oddity::NegativeMenuTime => "odd_negative_vru_time",
        Oddity::AnsweredWithoutService => "odd_agent_without_service",
        Oddity::DurationDiffers => "odd_duration_differs",
        Oddity::AmbiguousTime => "odd_ambiguous_time",
    }
}

fn lines<T>(rows: &[T], line: impl Fn(&T) -> u64) -> Vec<u64> {
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use pegcount_import::bank::BrokenLine;
    use serde_json::Value;

    use super::{BankReport, Done, Oddity};

    fn outcome() -> super::Counted {
        let mut read =
            BankReport { read: 12, kept: 10, answered: 7, abandoned: 3, phantom: 1, ..BankReport::default() };
        read.odd.insert(Oddity::HangWithService, (2..12).collect());
        read.broken.push(BrokenLine { line: 12, column: Some("date"), reason: "is \"x\"".into() });
        let done = Done { added: 10, events: 44, ..Done::default() };
        super::Outcome { file: "calls.tsv".into(), read, done }.counted()
    }

    #[test]
    fn the_text_shortens_long_lists_unless_told_otherwise() {
        let short = outcome().text(false);
        assert!(
            short.contains("10  HANG with service time: lines 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"),
            "{short}"
        );
        assert!(short.contains("line 12: date is \"x\""), "{short}");
        let long = outcome().text(true);
        assert!(long.contains("lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n"), "{long}");
    }

    #[test]
    fn csv_and_json_say_the_same_counts() {
        let mut table = Vec::new();
        outcome().csv(&mut table).unwrap();
        let table = String::from_utf8(table).unwrap();
        let object: Value = serde_json::from_str(&outcome().json()).unwrap();
        for row in table.lines().skip(1) {
            let fields: Vec<_> = row.split(',').collect();
            assert_eq!(object[fields[0]].to_string(), fields[1], "{row}");
        }
        assert_eq!(object["broken_reasons"][0]["line"], 12);
    }
}
