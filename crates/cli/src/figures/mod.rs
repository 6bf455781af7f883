//! A table of figures in ONE shape, whether it came from a server or from a folder, and its three ways out.
//!
//! Not for computing: every value is already there. Invariant: a row has one value per column and one key per
//! dimension that is not a time.

mod compared;
mod csv_file;
pub(crate) mod exact;
mod from_kpi;
mod from_wire;
pub(crate) mod human;
mod json;
mod judged;
mod pick;
mod screen;

use jiff::tz::TimeZone;
use pegcount_domain::{target::Comparison, time::Micros};

pub(crate) use compared::compared;
pub(crate) use csv_file::{header as csv_header, write as write_csv, write_row as write_csv_row};
pub(crate) use from_wire::{cell_of as wire_cell, columns_of as wire_columns, row_of as wire_row};
pub(crate) use json::{row as json_row, write as write_json};
pub(crate) use judged::{Only, columns as target_columns, judged};
pub(crate) use pick::{Picked, UnknownColumn, pick};
pub(crate) use screen::{one_line, table};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A number of things.
    Count,
    /// Microseconds, or an average of microseconds.
    Duration,
    /// A quotient.
    Ratio,
    /// Whether a target is met.
    Verdict,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// Its name in KPIS.md.
    pub(crate) name: String,
    /// Its unit.
    pub(crate) unit: Unit,
    /// A value at an instant.
    pub(crate) gauge: bool,
}

impl Column {
    /// Its name in files: durations carry the unit, `_s`.
    pub(crate) fn file_name(&self) -> String {
        match self.unit {
            Unit::Duration => format!("{}_s", self.name),
            Unit::Count | Unit::Ratio | Unit::Verdict => self.name.clone(),
        }
    }
}

/// One value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// There is none.
    Absent,
    /// A count or microseconds.
    Amount(i64),
    /// A quotient; its denominator is not 0.
    Ratio {
        /// Above.
        numerator: i64,
        /// Below.
        denominator: i64,
    },
    /// What a target says of the figure before it.
    Verdict(Verdict),
}

/// Whether a target is met, and which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// It is.
    pub(crate) is_met: bool,
    /// How the figure is compared with it.
    pub(crate) comparison: Comparison,
    /// The target, in millionths of the figure's unit.
    pub(crate) value: i64,
    /// That unit.
    pub(crate) of: Unit,
    /// It is a number an hour.
    pub(crate) hourly: bool,
}

impl Verdict {
    /// Met or missed.
    pub(crate) fn word(self) -> &'static str {
        if self.is_met { "met" } else { "missed" }
    }
}

impl Cell {
    /// The value as a file carries it: an exact decimal; none where it is absent.
    pub(crate) fn exact(self, unit: Unit) -> Option<String> {
        match (unit, self) {
            (_, Self::Absent) => None,
            (_, Self::Verdict(verdict)) => Some(verdict.word().to_owned()),
            (Unit::Duration, Self::Amount(micros)) => Some(exact::seconds(micros)),
            (Unit::Duration, Self::Ratio { numerator, denominator }) => {
                Some(exact::average_seconds(numerator, denominator))
            }
            (_, Self::Amount(amount)) => Some(amount.to_string()),
            (_, Self::Ratio { numerator, denominator }) => Some(exact::ratio(numerator, denominator)),
        }
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// From, inclusive.
    pub(crate) from: Micros,
    /// To, exclusive.
    pub(crate) to: Micros,
    /// One per dimension that is not a time; none: unknown.
    pub(crate) keys: Vec<Option<String>>,
    /// One per column.
    pub(crate) cells: Vec<Cell>,
    /// The formula versions by which it was counted; none: the table's own alone.
    pub(crate) versions: Vec<u32>,
}

/// A table of figures.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    /// The names of the dimensions that are not times, in the order asked.
    pub(crate) dimensions: Vec<&'static str>,
    /// The columns.
    pub(crate) columns: Vec<Column>,
    /// The rows.
    pub(crate) rows: Vec<Row>,
    /// The instant to which open work counts.
    pub(crate) as_of: Micros,
    /// The log position up to which events are in it.
    pub(crate) position: u64,
    /// The formula version in force at the range's start, or the one asked for.
    pub(crate) formula_version: u32,
    /// All by which it was counted.
    pub(crate) formula_versions: Vec<u32>,
    /// Not 0: definitions from this log position on are still being taken in.
    pub(crate) older_definitions: u64,
    /// The zone that times are shown in.
    pub(crate) zone: TimeZone,
}

impl Figures {
    /// Whether a row was counted by several formula versions, or by another than the table's.
    pub(crate) fn has_odd_versions(&self) -> bool {
        self.rows.iter().any(|row| !row.versions.is_empty())
    }

    /// The versions of a row.
    pub(crate) fn versions_of(&self, row: &Row) -> Vec<u32> {
        if row.versions.is_empty() { vec![self.formula_version] } else { row.versions.clone() }
    }
}

#[cfg(test)]
pub(crate) mod samples {
    //! A small table for the tests of the three ways out.

    use super::*;

    /// Two queues on one day in Jerusalem.
    pub(crate) fn two_queues() -> Figures {
        let day = Micros::from_secs(917_820_000);
        let column = |name: &str, unit| Column { name: name.into(), unit, gauge: false };
        let row = |queue: Option<&str>, cells: [Cell; 3]| Row {
            from: day,
            to: day.plus(Micros(24 * Micros::HOUR.0)),
            keys: vec![queue.map(Into::into)],
            cells: cells.to_vec(),
            versions: Vec::new(),
        };
        Figures {
            dimensions: vec!["queue"],
            columns: vec![
                column("offered", Unit::Count),
                column("wait_answered", Unit::Duration),
                column("abandon_rate", Unit::Ratio),
            ],
            rows: vec![
                row(
                    Some("PS"),
                    [Cell::Amount(3), Cell::Amount(12_500_000), Cell::Ratio { numerator: 1, denominator: 3 }],
                ),
                row(None, [Cell::Amount(0), Cell::Amount(0), Cell::Absent]),
            ],
            as_of: day.plus(Micros(30 * Micros::HOUR.0)),
            position: 42,
            formula_version: 1,
            formula_versions: vec![1],
            older_definitions: 0,
            zone: TimeZone::get("Asia/Jerusalem").unwrap(),
        }
    }
}
