//! Figures as CSV: `from,to`, the dimensions, the measures, the KPIs.
//!
//! Where rows were counted by several formula versions, a last field says by which. Invariant: times are RFC 3339 with offset, durations decimal seconds under a name that ends in `_s`, and what is
//! absent is empty.

use std::io::Write;

use super::{Column, Figures, Row};
use crate::when;

/// The whole table.
pub(crate) fn write(figures: &Figures, to: impl Write) -> Result<(), csv::Error> {
    let mut out = csv::Writer::from_writer(to);
    let mut names = header(&figures.dimensions, &figures.columns);
    names.extend(figures.has_odd_versions().then(|| "formula_versions".to_owned()));
    out.write_record(names)?;
    for row in &figures.rows {
        write_row(figures, row, &mut out)?;
    }
    Ok(out.flush()?)
}

/// The names of the fields.
pub(crate) fn header(dimensions: &[&str], columns: &[Column]) -> Vec<String> {
    let fixed = ["from", "to"].into_iter().chain(dimensions.iter().copied()).map(str::to_owned);
    fixed.chain(columns.iter().map(Column::file_name)).collect()
}

/// One row of a table.
pub(crate) fn write_row(
    figures: &Figures,
    row: &Row,
    out: &mut csv::Writer<impl Write>,
) -> Result<(), csv::Error> {
    out.write_field(when::rfc3339(row.from, &figures.zone))?;
    out.write_field(when::rfc3339(row.to, &figures.zone))?;
    for key in &row.keys {
        out.write_field(key.as_deref().unwrap_or_default())?;
    }
    for (column, cell) in figures.columns.iter().zip(&row.cells) {
        out.write_field(cell.exact(column.unit).unwrap_or_default())?;
    }
    if figures.has_odd_versions() {
        let versions: Vec<_> = figures.versions_of(row).iter().map(ToString::to_string).collect();
        out.write_field(versions.join(" "))?;
    }
    out.write_record(None::<&[u8]>)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::samples::two_queues;

    #[test]
    fn a_row_is_times_with_offset_then_dimensions_then_exact_values_and_absent_is_empty() {
        let mut out = Vec::new();
        write(&two_queues(), &mut out).unwrap();
        let expected = "from,to,queue,offered,wait_answered_s,abandon_rate\n\
            1999-02-01T00:00:00+02:00,1999-02-02T00:00:00+02:00,PS,3,12.5,0.333333\n\
            1999-02-01T00:00:00+02:00,1999-02-02T00:00:00+02:00,,0,0,\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
