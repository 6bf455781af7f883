//! Columns and values, as every format has them.
//!
//! Invariant: a row has one value for each column of its table, of that column's kind or none.

/// What a column's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name or a word.
    Text,
    /// A whole number.
    Int,
    /// The nearest 64-bit floating-point number to an exact quotient.
    Real,
    /// An instant: microseconds since 1970 UTC.
    Instant,
    /// A local calendar day.
    Date,
}

impl Kind {
    /// Its word in dictionaries.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Int => "int64",
            Self::Real => "float64",
            Self::Instant => "timestamp_us_utc",
            Self::Date => "date",
        }
    }
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its values.
    pub kind: Kind,
    /// The unit: `count`, `microseconds`, `seconds`, `ratio`; empty for names and times.
    pub unit: &'static str,
    /// What it says.
    pub meaning: String,
    /// Where the rule stands.
    pub source: &'static str,
    /// Whether [`crate::check`] sums it.
    pub measure: Option<pegcount_kpi::Measure>,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Not known, nobody, or a ratio without a denominator.
    None,
    /// Of [`Kind::Text`].
    Text(String),
    /// Of [`Kind::Int`].
    Int(i64),
    /// Of [`Kind::Real`].
    Real(f64),
    /// Of [`Kind::Instant`].
    Instant(i64),
    /// Of [`Kind::Date`]: days since 1970-01-01.
    Date(i32),
}

/// One row.
pub type Row = Vec<Cell>;

impl Cell {
    /// A name, or none.
    pub fn name(name: Option<impl ToString>) -> Self {
        name.map_or(Self::None, |name| Self::Text(name.to_string()))
    }

    /// As CSV and the eye have it; empty for none.
    pub fn shown(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Text(text) => text.clone(),
            Self::Int(number) => number.to_string(),
            Self::Real(number) => number.to_string(),
            Self::Instant(at) => crate::day::utc(*at),
            Self::Date(days) => crate::day::date_text(*days),
        }
    }

    /// Back from CSV.
    pub(crate) fn parse(kind: Kind, text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self::None);
        }
        Some(match kind {
            Kind::Text => Self::Text(text.to_owned()),
            Kind::Int => Self::Int(text.parse().ok()?),
            Kind::Real => Self::Real(text.parse().ok()?),
            Kind::Instant => Self::Instant(text.parse::<jiff::Timestamp>().ok()?.as_microsecond()),
            Kind::Date => Self::Date(crate::day::date_number(text.parse().ok()?)),
        })
    }
}
