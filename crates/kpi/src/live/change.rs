//! What a watcher is told: rows, and what of them grows by itself.
//!
//! Invariant: a row's values at a later instant follow from it alone, until a change speaks of it again.

use pegcount_domain::{
    envelope::Position,
    ids::Name,
    time::{Micros, Span},
};

use crate::query::{Column, Row, Running, Value};

/// What tells a row from others: from, to, and the keys.
pub type RowId = (Micros, Micros, Vec<Option<Name>>);

/// A row, with what of it grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveRow {
    /// As it is at the change's instant. It may be nothing but zeros: then it stands in the table as soon as something in
    /// it has grown.
    pub row: Row,
    /// The columns that grow.
    pub running: Vec<Running>,
}

impl LiveRow {
    /// The row so long after its change's instant.
    pub fn after(&self, passed: Micros) -> Row {
        let mut row = self.row.clone();
        for running in &self.running {
            if let Some(value) = row.values.get_mut(running.column) {
                *value = running.after(*value, passed);
            }
        }
        row
    }

    /// Whether it stands in a table in which rows of zeros do not.
    pub fn is_empty(row: &Row) -> bool {
        row.values.iter().all(|value| matches!(value, Value::Absent | Value::Amount(0)))
    }
}

impl Running {
    /// The value so long after that of the change.
    pub fn after(&self, value: Value, passed: Micros) -> Value {
        let (above, below) = self.parts;
        let (above_rate, below_rate) = self.rates;
        match value {
            Value::Amount(amount) => Value::Amount(amount + above_rate * passed.0),
            Value::Absent | Value::Ratio { .. } => {
                let denominator = below + below_rate * passed.0;
                let numerator = above + above_rate * passed.0;
                if denominator == 0 { Value::Absent } else { Value::Ratio { numerator, denominator } }
            }
        }
    }
}

/// What a watcher is to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// These are all rows.
    pub snapshot: bool,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows that changed, ordered as in a table.
    pub rows: Vec<LiveRow>,
    /// Rows that are no more.
    pub removed: Vec<RowId>,
    /// Spans of time whose rows are all among `rows`: those that were known of them are no more.
    pub replaced: Vec<Span>,
    /// The instant at which the values hold.
    pub as_of: Micros,
    /// Up to where the log is in it.
    pub position: Position,
    /// The formula version in force at the range's start.
    pub formula_version: u8,
    /// Not none: definitions from this position on are still being taken in, and everything stands on the older ones.
    pub older_definitions: Option<Position>,
}
