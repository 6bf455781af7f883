//! What an import read, kept, left out and found odd, and what became of it: as text, CSV or JSON.
//!
//! Invariant: the three say the same; the text alone shortens long lists of lines.

use std::{fmt::Write as _, io::Write};

use pegcount_import::bank::{BankReport, Oddity};
use serde_json::{Value, json};

use super::sink::Done;
use crate::figures::human;

/// Lines named in the text before the rest is only counted.
const LINES_SHOWN: usize = 8;

/// All of it.
pub(super) struct Outcome {
    /// The file's name.
    pub(super) file: String,
    /// What was read.
    pub(super) read: BankReport,
    /// What became of it.
    pub(super) done: Done,
}

/// One count, with the lines it stands for where they are known.
struct Count {
    kind: &'static str,
    word: &'static str,
    number: u64,
    lines: Vec<u64>,
}

fn counts(outcome: &Outcome) -> Vec<Count> {
    let (read, done) = (&outcome.read, &outcome.done);
    let plain = |kind, word, number| Count { kind, word, number, lines: Vec::new() };
    let listed = |kind, word, lines: Vec<u64>| Count { kind, word, number: length(&lines), lines };
    let mut all = vec![
        plain("read", "rows read", read.read),
        plain("kept", "kept", read.kept),
        plain("answered", "answered", read.answered),
        plain("abandoned", "abandoned", read.abandoned),
        plain("agents", "agents named", read.agents.len().try_into().unwrap_or(u64::MAX)),
        plain("agent_unknown", "answered by nobody known", read.agent_unknown),
        plain("caller_unknown", "with no customer identified", read.caller_unknown),
        plain("phantom", "PHANTOM, left out", read.phantom),
        listed("repeated", "repeats of an earlier line, left out", lines(&read.repeated, |row| row.line)),
        listed("broken", "broken, left out", lines(&read.broken, |row| row.line)),
    ];
    let odd = Oddity::ALL.into_iter().map(|oddity| {
        listed(kind(oddity), oddity.word(), read.odd.get(&oddity).cloned().unwrap_or_default())
    });
    all.extend(odd);
    all.extend([
        plain("added", "records added", done.added),
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

/// For people.
pub(super) fn text(outcome: &Outcome, verbose: bool) -> String {
    let mut text = format!("{}\n", outcome.file);
    for Count { kind, word, number, lines } in counts(outcome) {
        let head = match kind {
            "phantom" => Some("left out"),
            "odd_hang_with_service" => Some("odd, and kept"),
            "added" => Some("stored"),
            _ => None,
        };
        if let Some(head) = head {
            let _ = writeln!(text, "{head}:");
        }
        let shown = human::number(number);
        let _ = writeln!(text, "  {shown:>9}  {word}{}", list(&lines, verbose));
    }
    let shown = if verbose { usize::MAX } else { LINES_SHOWN };
    for broken in outcome.read.broken.iter().take(shown) {
        let column = broken.column.map_or_else(String::new, |column| format!("{column} "));
        let _ = writeln!(text, "line {}: {column}{}", broken.line, broken.reason);
    }
    for (contact, reason) in outcome.done.refused.iter().take(shown) {
        let _ = writeln!(text, "refused {contact}: {reason}");
    }
    text.truncate(text.trim_end().len());
    text
}

/// `: lines 3, 9 and 14`, shortened unless all are wanted.
fn list(lines: &[u64], verbose: bool) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let shown = if verbose { lines.len() } else { LINES_SHOWN.min(lines.len()) };
    let named: Vec<String> = lines.iter().take(shown).map(u64::to_string).collect();
    let rest = lines.len() - shown;
    let more = if rest == 0 { String::new() } else { format!(" and {rest} more (--verbose lists them)") };
    format!(": line{} {}{more}", if lines.len() == 1 { "" } else { "s" }, named.join(", "))
}

/// `kind,count,lines`; lines are separated by spaces.
pub(super) fn csv(outcome: &Outcome, to: impl Write) -> Result<(), csv::Error> {
    let mut out = csv::Writer::from_writer(to);
    out.write_record(["kind", "count", "lines"])?;
    for Count { kind, word: _, number, lines } in counts(outcome) {
        let lines: Vec<String> = lines.iter().map(u64::to_string).collect();
        out.write_record([kind, &number.to_string(), &lines.join(" ")])?;
    }
    Ok(out.flush()?)
}

/// One object; the lists of lines stand beside the counts.
pub(super) fn json(outcome: &Outcome) -> String {
    let mut object = serde_json::Map::new();
    object.insert("file".into(), json!(outcome.file));
    for Count { kind, word: _, number, lines } in counts(outcome) {
        object.insert(kind.into(), json!(number));
        if !lines.is_empty() {
            object.insert(format!("{kind}_lines"), json!(lines));
        }
    }
    let broken = outcome.read.broken.iter();
    let broken: Vec<Value> =
        broken.map(|row| json!({ "line": row.line, "column": row.column, "reason": row.reason })).collect();
    object.insert("broken_reasons".into(), json!(broken));
    let refused = outcome.done.refused.iter();
    let refused: Vec<Value> =
        refused.map(|(contact, reason)| json!({ "contact": contact, "reason": reason })).collect();
    object.insert("refused_reasons".into(), json!(refused));
    Value::Object(object).to_string()
}

fn lines<T>(rows: &[T], line: impl Fn(&T) -> u64) -> Vec<u64> {
    rows.iter().map(line).collect()
}

fn length<T>(list: &[T]) -> u64 {
    list.len().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use pegcount_import::bank::BrokenLine;

    use super::*;

    fn outcome() -> Outcome {
        let mut read =
            BankReport { read: 12, kept: 10, answered: 7, abandoned: 3, phantom: 1, ..BankReport::default() };
        read.odd.insert(Oddity::HangWithService, (2..12).collect());
        read.broken.push(BrokenLine { line: 12, column: Some("date"), reason: "is \"x\"".into() });
        let done = Done { added: 10, events: 44, ..Done::default() };
        Outcome { file: "calls.tsv".into(), read, done }
    }

    #[test]
    fn the_text_shortens_long_lists_unless_told_otherwise() {
        let short = text(&outcome(), false);
        assert!(
            short.contains("10  HANG with service time: lines 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"),
            "{short}"
        );
        assert!(short.contains("line 12: date is \"x\""), "{short}");
        let long = text(&outcome(), true);
        assert!(long.contains("lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n"), "{long}");
    }

    #[test]
    fn csv_and_json_say_the_same_counts() {
        let mut table = Vec::new();
        csv(&outcome(), &mut table).unwrap();
        let table = String::from_utf8(table).unwrap();
        let object: Value = serde_json::from_str(&json(&outcome())).unwrap();
        for row in table.lines().skip(1) {
            let fields: Vec<_> = row.split(',').collect();
            assert_eq!(object[fields[0]].to_string(), fields[1], "{row}");
        }
        assert_eq!(object["broken_reasons"][0]["line"], 12);
    }
}
