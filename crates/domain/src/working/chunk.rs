//! Some 400 days of a calendar: its stretches of working time in order, with the sum of what lies before each.
//!
//! Invariant: stretches are not empty, lie inside the chunk, are in order, and neither overlap nor touch; `worked` is the sum of
//! those before.

use crate::{
    time::{Micros, Span},
    working::{plan::Plans, zone::Day},
};

/// The days of a chunk.
const DAYS: i32 = 400;
/// How long a chunk is.
pub(super) const LENGTH: Micros = Micros(DAYS as i64 * 24 * Micros::HOUR.0);
/// Dates whose stretches may reach into a chunk, before its first and after its last.
const MARGIN: i32 = 4;

/// A part of a calendar.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    stretches: Box<[Stretch]>,
    /// All of it (duration).
    pub(super) total: Micros,
    /// The dates with working time, in order, each from the begin of the first of it to the end of the last.
    days: Box<[(Day, Span)]>,
}

#[derive(Clone, Copy, Debug)]
struct Stretch {
    start: Micros,
    end: Micros,
    /// Working time of the chunk before it (duration).
    worked: Micros,
}

/// Which chunk an instant lies in, counted from 1970.
pub(super) fn number(at: Micros) -> i64 {
    at.0.div_euclid(LENGTH.0)
}

/// Which chunk a date belongs to, counted from 1970.
pub(super) fn number_of(day: Day) -> i64 {
    i64::from(day.0.div_euclid(DAYS))
}

/// The first instant of a chunk.
pub(super) fn start(number: i64) -> Micros {
    Micros(number.saturating_mul(LENGTH.0))
}

impl Chunk {
    /// The chunk of this number.
    pub(super) fn new(plans: &Plans, number: i64) -> Self {
        let inside = Span::new(start(number), start(number + 1));
        let first = i32::try_from(number.saturating_mul(DAYS.into())).unwrap_or(i32::MAX - DAYS - MARGIN);
        let (mut spans, mut days) = (Vec::new(), Vec::new());
        for date in first - MARGIN..first + DAYS + MARGIN {
            let day = Day(date);
            let found = plans.stretches(day);
            if (first..first + DAYS).contains(&date)
                && let Some(start) = found.iter().map(|span| span.start).min()
                && let Some(end) = found.iter().map(|span| span.end).max()
            {
                days.push((day, Span { start, end }));
            }
            for span in found {
                let (start, end) = (span.start.max(inside.start), span.end.min(inside.end));
                if start < end {
                    spans.push(Span { start, end });
                }
            }
        }
        spans.sort_unstable();
        let mut stretches: Vec<Stretch> = Vec::with_capacity(spans.len());
        let mut total = Micros::ZERO;
        for span in spans {
            match stretches.last_mut() {
                Some(last) if span.start <= last.end => {
                    total = total.plus(span.end.max(last.end).minus(last.end));
                    last.end = last.end.max(span.end);
                }
                _ => {
                    stretches.push(Stretch { start: span.start, end: span.end, worked: total });
                    total = total.plus(span.length());
                }
            }
        }
        Self { stretches: stretches.into(), total, days: days.into() }
    }

    /// The stretch that began last by `at`.
    fn begun(&self, at: Micros) -> Option<&Stretch> {
        let begun = self.stretches.partition_point(|stretch| stretch.start <= at);
        self.stretches.get(begun.checked_sub(1)?)
    }

    /// Whether `at` is working time.
    pub(super) fn works(&self, at: Micros) -> bool {
        self.begun(at).is_some_and(|stretch| at < stretch.end)
    }

    /// Working time from the chunk's start to `at` (duration).
    pub(super) fn until(&self, at: Micros) -> Micros {
        let until = |stretch: &Stretch| stretch.worked.plus(at.min(stretch.end).minus(stretch.start));
        self.begun(at).map_or(Micros::ZERO, until)
    }

    /// The first instant until which `amount` was worked, counted from the chunk's start; `amount` is more than 0 and at most
    /// the total, else none.
    pub(super) fn first_with(&self, amount: Micros) -> Option<Micros> {
        let before = self.stretches.partition_point(|stretch| stretch.worked < amount);
        let stretch = self.stretches.get(before.checked_sub(1)?)?;
        Some(stretch.start.plus(amount.minus(stretch.worked))).filter(|_| amount <= self.total)
    }

    /// The last instant until which no more than `amount` was worked, counted from the chunk's start; `amount` is less than
    /// the total, else none.
    pub(super) fn last_with(&self, amount: Micros) -> Option<Micros> {
        let before = self.stretches.partition_point(|stretch| stretch.worked <= amount);
        let stretch = self.stretches.get(before.checked_sub(1)?)?;
        Some(stretch.start.plus(amount.minus(stretch.worked))).filter(|_| amount < self.total)
    }

    /// The first working instant at or after `at`.
    pub(super) fn opens(&self, at: Micros) -> Option<Micros> {
        let over = self.stretches.partition_point(|stretch| stretch.end <= at);
        self.stretches.get(over).map(|stretch| stretch.start.max(at))
    }

    /// The dates from `day` on that are worked, each from the begin of its first stretch to the end of its last.
    pub(super) fn days_from(&self, day: Day) -> impl Iterator<Item = (Day, Span)> {
        let before = self.days.partition_point(|(date, _)| *date < day);
        self.days.iter().skip(before).copied()
    }
}
