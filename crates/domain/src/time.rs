//! Instants, spans and the 15-minute grid. UTC microseconds throughout (KPIS.md §1); zones live in the calendars.
//!
//! Invariant: a [`Span`] is half-open, `[start, end)`, and its end is never before its start.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An instant (microseconds since 1970-01-01 UTC) or a duration (microseconds); the field's name says which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Micros(pub i64);

impl Micros {
    /// The instant 1970-01-01 UTC, and the empty duration.
    pub const ZERO: Self = Self(0);
    /// The last instant that can be written down; stands for "never" as an end.
    pub const MAX: Self = Self(i64::MAX);
    /// One second.
    pub const SECOND: Self = Self(1_000_000);
    /// One minute.
    pub const MINUTE: Self = Self(60 * Self::SECOND.0);
    /// One hour.
    pub const HOUR: Self = Self(60 * Self::MINUTE.0);

    /// A duration of whole seconds; saturates.
    #[inline]
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds.saturating_mul(Self::SECOND.0))
    }

    /// `self + other`; saturates at the ends of time rather than wrap.
    #[inline]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// `self - other`; saturates at the ends of time rather than wrap.
    #[inline]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}us", self.0)
    }
}

/// An instant as people read it, in UTC; beyond the years -9999 to 9999 its microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Shown(pub Micros);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0.0) {
            Ok(at) => at.fmt(f),
            Err(_) => self.0.fmt(f),
        }
    }
}

/// Half-open: `start` belongs to it, `end` does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// First instant.
    pub start: Micros,
    /// First instant after it.
    pub end: Micros,
}

impl Span {
    /// From `start` to `end`; empty at `start` if `end` lies before it (two clocks may disagree).
    #[inline]
    pub fn new(start: Micros, end: Micros) -> Self {
        Self { start, end: end.max(start) }
    }

    /// How long it is.
    #[inline]
    pub fn length(self) -> Micros {
        self.end.minus(self.start)
    }

    /// The base intervals that it crosses, each with the length of the part inside; parts sum to the whole.
    pub fn by_interval(self) -> impl Iterator<Item = (Interval, Micros)> {
        let mut start = self.start;
        std::iter::from_fn(move || {
            if start >= self.end {
                return None;
            }
            let interval = Interval::containing(start);
            let end = interval.end().min(self.end);
            let part = end.minus(start);
            start = end;
            Some((interval, part))
        })
    }
}

/// One base interval: 15 minutes aligned to UTC, numbered from 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Interval(pub i32);

impl Interval {
    /// The length of every base interval.
    pub const LENGTH: Micros = Micros(15 * Micros::MINUTE.0);

    /// The interval in which `instant` lies; saturates at 61,000 years from 1970.
    #[inline]
    pub fn containing(instant: Micros) -> Self {
        let number = instant.0.div_euclid(Self::LENGTH.0);
        Self(i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX }))
    }

    /// Its first instant.
    #[inline]
    pub fn start(self) -> Micros {
        Micros(i64::from(self.0) * Self::LENGTH.0)
    }

    /// The first instant after it.
    #[inline]
    pub fn end(self) -> Micros {
        Micros((i64::from(self.0) + 1) * Self::LENGTH.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_split_exactly_over_the_intervals_that_it_crosses() {
        let span = Span::new(Micros::from_secs(899), Micros::from_secs(1801));
        let parts: Vec<_> = span.by_interval().map(|(i, l)| (i.0, l.0 / 1_000_000)).collect();
        assert_eq!(parts, [(0, 1), (1, 900), (2, 1)]);
    }

    #[test]
    fn an_instant_before_1970_lies_in_the_interval_that_contains_it() {
        let interval = Interval::containing(Micros(-1));
        assert_eq!(interval.0, -1);
        assert!(interval.start() <= Micros(-1) && Micros(-1) < interval.end());
    }

    #[test]
    fn an_end_before_the_start_makes_an_empty_span() {
        assert_eq!(Span::new(Micros(5), Micros(3)).length(), Micros::ZERO);
    }
}
