//! An engine's answer in the common shape.

use jiff::tz::TimeZone;
use pegcount_kpi::{Column as KpiColumn, Row as KpiRow, Table, Unit as KpiUnit, Value};

use super::{Cell, Column, Figures, Row, Unit};

impl Figures {
    /// Of an engine's table; `dimensions` are those that are not times, in the order asked.
    pub(crate) fn from_kpi(table: &Table, dimensions: Vec<&'static str>, zone: TimeZone) -> Self {
        Self {
            dimensions,
            columns: table.columns.iter().map(Into::into).collect(),
            rows: table.rows.iter().map(|one| row(one, table.formula_version)).collect(),
            as_of: table.as_of,
            position: table.position.0,
            formula_version: table.formula_version.into(),
            formula_versions: table.formula_versions.iter().copied().map(u32::from).collect(),
            older_definitions: table.older_definitions.map_or(0, |position| position.0),
            zone,
        }
    }
}

impl From<&KpiColumn> for Column {
    fn from(column: &KpiColumn) -> Self {
        let unit = match column.unit {
            KpiUnit::Count => Unit::Count,
            KpiUnit::Duration => Unit::Duration,
            KpiUnit::Ratio => Unit::Ratio,
        };
        Self { name: column.name.to_owned(), unit, gauge: column.gauge }
    }
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        match value {
            Value::Absent => Self::Absent,
            Value::Amount(amount) => Self::Amount(amount),
            Value::Ratio { numerator, denominator } => Self::Ratio { numerator, denominator },
        }
    }
}

fn row(row: &KpiRow, plain: u8) -> Row {
    let is_plain = row.versions.as_slice() == [plain];
    Row {
        versions: row.versions.iter().filter(|_| !is_plain).copied().map(u32::from).collect(),
        from: row.from,
        to: row.to,
        keys: row.keys.iter().map(|key| key.as_ref().map(ToString::to_string)).collect(),
        cells: row.values.iter().map(|value| (*value).into()).collect(),
    }
}
