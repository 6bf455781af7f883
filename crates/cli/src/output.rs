//! Standard output, and tables for the eye.
//!
//! Not `println!`, which panics when the reader has gone. Invariant: what goes to standard output is the answer and
//! nothing else; progress and remarks go to standard error.

use std::{
    fmt::{Display, Write as _},
    io::{self, IsTerminal, StdoutLock, Write},
};

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use serde::Serialize;

use crate::{args::Format, error::CliError};

/// Standard output, for many lines.
pub(crate) fn out() -> StdoutLock<'static> {
    io::stdout().lock()
}

/// Writes one line.
pub(crate) fn line(text: impl Display) -> Result<(), CliError> {
    let mut out = out();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// Writes a list: a table for the eye, or a head and a record for each, or JSON, a line for each of `objects`.
pub(crate) fn list<R: IntoIterator<Item: AsRef<[u8]>>>(
    format: Format,
    table: impl FnOnce() -> String,
    head: &[&str],
    records: impl Iterator<Item = R>,
    mut objects: impl Iterator<Item: Serialize>,
) -> Result<(), CliError> {
    let mut out = out();
    match format {
        Format::Table => writeln!(out, "{}", table())?,
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(&mut out);
            csv.write_record(head)?;
            for record in records {
                csv.write_record(record)?;
            }
            csv.flush()?;
        }
        Format::Json => objects.try_for_each(|object| {
            let text = serde_json::to_string(&object).map_err(io::Error::from)?;
            writeln!(out, "{text}")
        })?,
    }
    Ok(out.flush()?)
}

/// Bytes as hexadecimal digits; none stay none.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether a person looks at standard output.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// An empty table with a line under its head and no other decoration.
pub(crate) fn plain_table() -> Table {
    const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));
    let mut table = Table::new();
    table.load_style(STYLE).set_content_arrangement(ContentArrangement::Disabled);
    table
}

/// The table as text: two spaces between columns, none at the ends of lines.
pub(crate) fn shown(mut table: Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}
