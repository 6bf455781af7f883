//! What a query is answered with: columns, rows, exact values.
//!
//! Small in memory on purpose: an answer may have some hundred thousand rows.

use std::{fmt, ops::Deref, sync::Arc};

use pegcount_domain::{envelope::Position, ids::Name, time::Micros};
use smallvec::SmallVec;

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

/// The values of a row's dimensions apart from times, in the order asked; none: unknown or nobody.
pub type RowKeys = SmallVec<[Option<Name>; 2]>;

/// The values of one row, as a slice; the rows of one answer share what holds them.
#[derive(Clone)]
pub struct Values {
    of_all: Arc<Vec<Value>>,
    from: u32,
    count: u32,
}

impl Values {
    /// Cuts the values of rows that follow each other, so many to each, into those of each row.
    pub(crate) fn each(all: Vec<Value>, count: usize) -> impl Iterator<Item = Self> {
        let rows = all.len().checked_div(count).unwrap_or_default();
        let of_all = Arc::new(all);
        // An answer's values are some millions at most: its range, its names and its columns are bounded.
        let place = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        (0..rows).map(move |row| Self {
            of_all: Arc::clone(&of_all),
            from: place(row * count),
            count: place(count),
        })
    }

    /// Puts another value in a column.
    pub(crate) fn set(&mut self, column: usize, value: Value) {
        let mut own = self.to_vec();
        if let Some(known) = own.get_mut(column) {
            *known = value;
            *self = own.into();
        }
    }
}

impl Deref for Values {
    type Target = [Value];

    #[inline]
    fn deref(&self) -> &[Value] {
        let place = |place: u32| usize::try_from(place).unwrap_or(usize::MAX);
        let from = place(self.from);
        self.of_all.get(from..from.saturating_add(place(self.count))).unwrap_or_default()
    }
}

impl From<Vec<Value>> for Values {
    fn from(values: Vec<Value>) -> Self {
        let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
        Self { of_all: Arc::new(values), from: 0, count }
    }
}

impl FromIterator<Value> for Values {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        values.into_iter().collect::<Vec<_>>().into()
    }
}

impl<'a> IntoIterator for &'a Values {
    type Item = &'a Value;
    type IntoIter = std::slice::Iter<'a, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Values {}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// From.
    pub from: Micros,
    /// To.
    pub to: Micros,
    /// What it is about.
    pub keys: RowKeys,
    /// One for each column.
    pub values: Values,
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
