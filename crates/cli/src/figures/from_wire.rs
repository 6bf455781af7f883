//! A server's answer in the common shape.
//!
//! Invariant: a quotient whose denominator is 0 is absent, whatever the flag says.

use jiff::tz::TimeZone;
use pegcount_domain::time::Micros;
use pegcount_proto::v1;

use super::{Cell, Column, Figures, Row, Unit};

impl Figures {
    /// Of a table off the wire; `dimensions` are those that are not times, in the order asked.
    pub(crate) fn from_wire(table: v1::KpiTable, dimensions: Vec<&'static str>, zone: TimeZone) -> Self {
        let columns = columns_of(&table.columns);
        let rows = table.rows.into_iter().map(|row| row_of(row, &columns)).collect();
        Self {
            dimensions,
            columns,
            rows,
            as_of: Micros(table.as_of_us),
            position: table.position,
            formula_version: table.formula_version,
            formula_versions: table.formula_versions,
            older_definitions: table.older_definitions,
            zone,
        }
    }
}

/// Columns off the wire.
pub(crate) fn columns_of(columns: &[v1::KpiColumn]) -> Vec<Column> {
    let column = |column: &v1::KpiColumn| Column {
        name: column.name.clone(),
        unit: match column.unit() {
            v1::Unit::Microseconds => Unit::Duration,
            v1::Unit::Ratio => Unit::Ratio,
            v1::Unit::Count | v1::Unit::Unspecified => Unit::Count,
        },
        gauge: column.gauge,
    };
    columns.iter().map(column).collect()
}

/// A row off the wire.
pub(crate) fn row_of(row: v1::KpiRow, columns: &[Column]) -> Row {
    Row {
        versions: row.formula_versions,
        from: Micros(row.from_us),
        to: Micros(row.to_us),
        keys: row.keys.into_iter().map(|key| (!key.is_empty()).then_some(key)).collect(),
        cells: columns.iter().zip(row.values).map(|(column, value)| cell_of(column, value)).collect(),
    }
}

/// A value off the wire. A column without a formula is an amount; one with a denominator is a quotient.
pub(crate) fn cell_of(column: &Column, value: v1::KpiValue) -> Cell {
    match (value.absent, value.denominator) {
        (true, _) => Cell::Absent,
        (false, 0) if column.unit == Unit::Ratio => Cell::Absent,
        (false, 0) => Cell::Amount(value.amount),
        (false, denominator) => Cell::Ratio { numerator: value.amount, denominator },
    }
}
