//! What a query is answered with: columns, rows, exact values.

use pegcount_domain::{envelope::Position, ids::Name, time::Micros};

use super::Versions;
use crate::measure::Unit;

/// One column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name as in KPIS.md.
    pub name: &'static str,
    /// Its unit. A KPI with the unit `Duration` is an average: numerator microseconds over denominator.
    pub unit: Unit,
    /// True for a value at an instant: the row's end, or `as_of` if that is earlier.
    pub gauge: bool,
    /// For a KPI: the formula in words.
    pub formula: Option<&'static str>,
    /// For a measure or a gauge: what it counts, in words.
    pub meaning: Option<&'static str>,
}

/// One value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// The ratio has no denominator, or the rows' dimensions cannot have this column.
    Absent,
    /// A count, or microseconds.
    Amount(i64),
    /// A quotient; the denominator is never 0.
    Ratio {
        /// Above.
        numerator: i64,
        /// Below.
        denominator: i64,
    },
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// From.
    pub from: Micros,
    /// To.
    pub to: Micros,
    /// The values of the dimensions asked for, apart from times, in the order asked; none: unknown or nobody.
    pub keys: Vec<Option<Name>>,
    /// One for each column.
    pub values: Vec<Value>,
    /// The formula versions by which what is in it was counted, and the one whose forms its ratios have: the one in
    /// force at its start. Several: what is in it straddles a change.
    pub versions: Versions,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The columns asked for.
    pub columns: Vec<Column>,
    /// Ordered by time, then by keys. Rows in which nothing happened are left out, unless the whole range is asked
    /// for as one row.
    pub rows: Vec<Row>,
    /// Up to where the log is in it.
    pub position: Position,
    /// The instant to which open work counts.
    pub as_of: Micros,
    /// The formula version in force at the range's start, or the one asked for.
    pub formula_version: u8,
    /// All that the rows were counted by; and that one.
    pub formula_versions: Versions,
    /// Not none: definitions from this position on are still being taken in, and everything stands on the older ones.
    pub older_definitions: Option<Position>,
}
