//! What an import read and what became of it, count by count: as text, CSV or JSON.
//!
//! Invariant: the three say the same; the text alone shortens long lists of lines.

use std::{fmt::Write as _, io::Write};

use serde_json::{Value, json};

use crate::{args::Format, error::CliError, figures::human, output};

/// Lines named in the text before the rest is only counted.
const LINES_SHOWN: usize = 8;

/// One count, with the lines it stands for where they are known.
pub(super) struct Count {
    /// Its name for programs.
    kind: &'static str,
    word: &'static str,
    number: u64,
    lines: Vec<u64>,
    /// What this and the following counts are, in the text.
    head: Option<&'static str>,
}

impl Count {
    pub(super) fn plain(kind: &'static str, word: &'static str, number: u64) -> Self {
        Self { kind, word, number, lines: Vec::new(), head: None }
    }

    /// As many as there are lines.
    pub(super) fn listed(kind: &'static str, word: &'static str, lines: Vec<u64>) -> Self {
        Self { number: length(&lines), lines, ..Self::plain(kind, word, 0) }
    }

    pub(super) fn headed(self, head: &'static str) -> Self {
        Self { head: Some(head), ..self }
    }
}

/// A row that could not be read.
pub(super) struct BrokenLine {
    pub(super) line: u64,
    pub(super) column: Option<String>,
    pub(super) reason: String,
}

/// All of it.
pub(super) struct Counted {
    /// The file's name.
    pub(super) file: String,
    pub(super) counts: Vec<Count>,
    pub(super) broken: Vec<BrokenLine>,
    /// What records are of, and those that were refused, with reasons.
    pub(super) refused: (&'static str, Vec<(String, String)>),
}

impl Counted {
    /// Prints it.
    pub(super) fn write(&self, format: Format, verbose: bool) -> Result<(), CliError> {
        match format {
            Format::Table => output::line(self.text(verbose)),
            Format::Csv => Ok(self.csv(output::out())?),
            Format::Json => output::line(self.json()),
        }
    }

    /// For people.
    pub(super) fn text(&self, verbose: bool) -> String {
        let mut text = format!("{}\n", self.file);
        for Count { kind: _, word, number, lines, head } in &self.counts {
            if let Some(head) = head {
                let _ = writeln!(text, "{head}:");
            }
            let shown = human::number(*number);
            let _ = writeln!(text, "  {shown:>9}  {word}{}", list(lines, verbose));
        }
        let shown = if verbose { usize::MAX } else { LINES_SHOWN };
        for broken in self.broken.iter().take(shown) {
            let column = broken.column.as_ref().map_or_else(String::new, |column| format!("{column} "));
            let _ = writeln!(text, "line {}: {column}{}", broken.line, broken.reason);
        }
        for (id, reason) in self.refused.1.iter().take(shown) {
            let _ = writeln!(text, "refused {id}: {reason}");
        }
        text.truncate(text.trim_end().len());
        text
    }

    /// `kind,count,lines`; lines are separated by spaces.
    pub(super) fn csv(&self, to: impl Write) -> Result<(), csv::Error> {
        let mut out = csv::Writer::from_writer(to);
        out.write_record(["kind", "count", "lines"])?;
        for Count { kind, number, lines, .. } in &self.counts {
            let lines: Vec<String> = lines.iter().map(u64::to_string).collect();
            out.write_record([*kind, &number.to_string(), &lines.join(" ")])?;
        }
        Ok(out.flush()?)
    }

    /// One object; the lists of lines stand beside the counts.
    pub(super) fn json(&self) -> String {
        let mut object = serde_json::Map::new();
        object.insert("file".into(), json!(self.file));
        for Count { kind, number, lines, .. } in &self.counts {
            object.insert((*kind).into(), json!(number));
            if !lines.is_empty() {
                object.insert(format!("{kind}_lines"), json!(lines));
            }
        }
        let broken = self.broken.iter();
        let broken: Vec<Value> = broken
            .map(|row| json!({ "line": row.line, "column": row.column, "reason": row.reason }))
            .collect();
        object.insert("broken_reasons".into(), json!(broken));
        let (what, refused) = &self.refused;
        let refused: Vec<Value> =
            refused.iter().map(|(id, reason)| json!({ *what: id, "reason": reason })).collect();
        object.insert("refused_reasons".into(), json!(refused));
        Value::Object(object).to_string()
    }
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

pub(super) fn length<T>(list: &[T]) -> u64 {
    list.len().try_into().unwrap_or(u64::MAX)
}
