//! Figures as JSON: one object with a list of rows, each row an object of named values.
//!
//! Numbers are written digit by digit, so that they are as exact as in CSV. Invariant: what is absent is `null`.

use std::io::{self, Write};

use super::{Cell, Figures, Row};
use crate::when;

/// The whole table.
pub(crate) fn write(figures: &Figures, mut to: impl Write) -> io::Result<()> {
    writeln!(to, "{{")?;
    writeln!(to, "  \"as_of\": {},", text(&when::rfc3339(figures.as_of, &figures.zone)))?;
    writeln!(to, "  \"position\": {},", figures.position)?;
    writeln!(to, "  \"formula_version\": {},", figures.formula_version)?;
    writeln!(to, "  \"formula_versions\": {},", numbers(&figures.formula_versions))?;
    if figures.older_definitions != 0 {
        writeln!(to, "  \"older_definitions\": {},", figures.older_definitions)?;
    }
    write!(to, "  \"rows\": [")?;
    for (index, one) in figures.rows.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(to, "{comma}\n    {}", row(figures, one))?;
    }
    writeln!(to, "\n  ]\n}}")
}

/// One row on one line.
pub(crate) fn row(figures: &Figures, row: &Row) -> String {
    let times = [("from", row.from), ("to", row.to)]
        .map(|(name, at)| format!("{}: {}", text(name), text(&when::rfc3339(at, &figures.zone))));
    let keys = figures.dimensions.iter().zip(&row.keys).map(|(name, key)| {
        let key = key.as_deref().map_or_else(|| "null".to_owned(), text);
        format!("{}: {key}", text(name))
    });
    let cells = figures.columns.iter().zip(&row.cells).map(|(column, cell)| {
        let value = cell.exact(column.unit).map(|value| match cell {
            Cell::Verdict(_) => text(&value),
            _ => value,
        });
        format!("{}: {}", text(&column.file_name()), value.unwrap_or_else(|| "null".to_owned()))
    });
    let versions = (!row.versions.is_empty())
        .then(|| format!("{}: {}", text("formula_versions"), numbers(&row.versions)));
    let fields: Vec<String> = times.into_iter().chain(keys).chain(cells).chain(versions).collect();
    format!("{{{}}}", fields.join(", "))
}

fn numbers(numbers: &[u32]) -> String {
    serde_json::Value::from(numbers.to_vec()).to_string()
}

fn text(plain: &str) -> String {
    serde_json::Value::from(plain).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::samples::two_queues;

    #[test]
    fn the_json_reads_back_with_exact_numbers_and_null_for_what_is_absent() {
        let mut out = Vec::new();
        write(&two_queues(), &mut out).unwrap();
        let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(read["position"], 42);
        assert_eq!(read["rows"][0]["queue"], "PS");
        assert_eq!(read["rows"][0]["wait_answered_s"], 12.5);
        assert_eq!(read["rows"][1]["queue"], serde_json::Value::Null);
        assert_eq!(read["rows"][1]["abandon_rate"], serde_json::Value::Null);
    }
}
