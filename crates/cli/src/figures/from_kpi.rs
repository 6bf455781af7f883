//! An engine's answer in the common shape.

use jiff::tz::TimeZone;
use pegcount_kpi::{Column as KpiColumn, Row as KpiRow, Table, Unit as KpiUnit, Value};

use super::{Cell, Column, Figures, Row, Unit};

impl Figures {
    /// Of an engine's table; `dimensions` are those that are not times, in the order asked.
    pub(crate) fn from_kpi(table: &Table, dimensions: Vec<&'static str>, zone: TimeZone) -> Self {
        Self {
            dimensions,
            columns: table.columns.iter().map(column).collect(),
            rows: table.rows.iter().map(row).collect(),
            as_of: table.as_of,
            position: table.position.0,
            formula_version: table.formula_version,
            zone,
        }
    }
}

fn column(column: &KpiColumn) -> Column {
    let unit = match column.unit {
        KpiUnit::Count => Unit::Count,
        KpiUnit::Duration => Unit::Duration,
        KpiUnit::Ratio => Unit::Ratio,
    };
    Column { name: column.name.to_owned(), unit, gauge: column.gauge }
}

fn row(row: &KpiRow) -> Row {
    let cell = |value: &Value| match *value {
        Value::Absent => Cell::Absent,
        Value::Amount(amount) => Cell::Amount(amount),
        Value::Ratio { numerator, denominator } => Cell::Ratio { numerator, denominator },
    };
    Row {
        from: row.from,
        to: row.to,
        keys: row.keys.iter().map(|key| key.as_ref().map(ToString::to_string)).collect(),
        cells: row.values.iter().map(cell).collect(),
    }
}
