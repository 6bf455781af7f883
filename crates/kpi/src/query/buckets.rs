//! Base intervals into the rows of a query: half hours, local hours, local days, weeks and months.
//!
//! Invariant: each base interval of the range lies in exactly one bucket, and buckets are in order of time, without
//! gaps. A local hour that exists twice makes two buckets; a local day is as long as it is (KPIS.md §1).

use jiff::{Timestamp, tz::TimeZone};
use pegcount_domain::time::{Interval, Micros};

use crate::query::{Dimension, Query};

/// One row's span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) from: Micros,
    pub(crate) to: Micros,
}

/// All of a query's.
#[derive(Debug)]
pub(crate) struct Buckets {
    first: Interval,
    /// For each base interval of the range, its bucket.
    places: Vec<u32>,
    pub(crate) list: Vec<Bucket>,
}

impl Buckets {
    /// The buckets of a checked query.
    pub(crate) fn of(query: &Query) -> Self {
        let range = query.range();
        let first = Interval::containing(range.start);
        let end = Interval(Interval::containing(range.end.minus(Micros(1))).0.saturating_add(1));
        let finest = query.by.iter().copied().filter(|dimension| dimension.is_time()).min();
        let mut buckets = Self { first, places: Vec::new(), list: Vec::new() };
        let mut last = None;
        for interval in (first.0..end.0).map(Interval) {
            let mark = mark(finest, interval, &query.time_zone);
            if last == Some(mark)
                && let Some(bucket) = buckets.list.last_mut()
            {
                bucket.to = interval.end();
            } else {
                buckets.list.push(Bucket { from: interval.start(), to: interval.end() });
            }
            last = Some(mark);
            // At most as many buckets as intervals, of which the range's limit allows 350,000.
            buckets.places.push(u32::try_from(buckets.list.len() - 1).unwrap_or(u32::MAX));
        }
        if let ([window], Some(_)) = (buckets.list.as_mut_slice(), query.last) {
            *window = Bucket { from: range.start, to: range.end };
        }
        buckets
    }

    /// All base intervals: the first, and the one after the last.
    pub(crate) fn whole(&self) -> (Interval, Interval) {
        let length = i32::try_from(self.places.len()).unwrap_or(i32::MAX);
        (self.first, Interval(self.first.0.saturating_add(length)))
    }

    /// Cut into so many parts of about the same length, in order; fewer if there are fewer buckets.
    pub(crate) fn parts(&self, count: usize) -> Vec<Self> {
        let length = self.list.len().div_ceil(count.max(1)).max(1);
        let parts = (0u32..).zip(self.list.chunks(length));
        let part = |(number, list): (u32, &[Bucket])| {
            let length = u32::try_from(length).unwrap_or(u32::MAX);
            let begin = number.saturating_mul(length);
            let own = |place: &&u32| (begin..begin.saturating_add(length)).contains(*place);
            let first = self.places.iter().position(|place| *place >= begin).unwrap_or_default();
            let places = self.places.iter().filter(own).map(|place| place - begin).collect();
            let first = Interval(self.first.0.saturating_add(i32::try_from(first).unwrap_or(i32::MAX)));
            Self { first, places, list: list.to_vec() }
        };
        parts.map(part).collect()
    }

    /// The bucket of an interval, if it lies in the range.
    #[inline]
    pub(crate) fn place(&self, interval: Interval) -> Option<u32> {
        let offset = interval.0.checked_sub(self.first.0)?;
        self.places.get(usize::try_from(offset).ok()?).copied()
    }
}

/// What neighbouring intervals of one bucket have in common.
fn mark(finest: Option<Dimension>, interval: Interval, zone: &TimeZone) -> (i64, i64) {
    let length = match finest {
        Some(Dimension::Interval15) => return (i64::from(interval.0), 0),
        Some(Dimension::Interval30) => Micros(30 * Micros::MINUTE.0),
        Some(Dimension::Hour) => Micros::HOUR,
        Some(Dimension::Day | Dimension::Week | Dimension::Month) => Micros(24 * Micros::HOUR.0),
        _ => return (0, 0),
    };
    let start = interval.start();
    let offset = Timestamp::from_microsecond(start.0).map_or(0, |at| zone.to_offset(at).seconds());
    let offset = Micros::from_secs(i64::from(offset));
    let local = start.plus(offset).0.div_euclid(length.0);
    // A day is one whatever happens to the offset in it; an hour that the clocks repeat is two.
    match finest {
        Some(Dimension::Day) => (local, 0),
        // Day 0 was a Thursday.
        Some(Dimension::Week) => ((local + 3).div_euclid(7), 0),
        Some(Dimension::Month) => (month_of(local), 0),
        _ => (local, offset.0),
    }
}

/// The number of the month that a day since 1970 lies in.
fn month_of(day: i64) -> i64 {
    let days = jiff::Span::new().try_days(day);
    let date = days.and_then(|days| jiff::civil::date(1970, 1, 1).checked_add(days));
    date.map_or(0, |date| i64::from(date.year()) * 12 + i64::from(date.month()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use pegcount_domain::ids::{Name, SiteId};

    use super::*;

    fn buckets(by: Dimension, zone: &str, from: &str, to: &str) -> Vec<(String, i64)> {
        let zone = TimeZone::get(zone).unwrap();
        let at = |text: &str| {
            let local: jiff::civil::DateTime = text.parse().unwrap();
            Micros(local.to_zoned(zone.clone()).unwrap().timestamp().as_microsecond())
        };
        let site = SiteId(Name::fixed("north"));
        let query =
            Query { by: vec![by], time_zone: zone.clone(), ..Query::new(site, at(from), at(to), at(to)) };
        let local = |at: Micros| Timestamp::from_microsecond(at.0).unwrap().to_zoned(zone.clone()).date();
        let all = Buckets::of(&query).list;
        let hours = |bucket: &Bucket| bucket.to.minus(bucket.from).0 / Micros::HOUR.0;
        all.iter().map(|bucket| (local(bucket.from).to_string(), hours(bucket))).collect()
    }

    #[test]
    fn a_week_begins_on_monday_and_is_as_long_as_its_days() {
        // The clocks go forward on 29 March 2026.
        let weeks = buckets(Dimension::Week, "Europe/Berlin", "2026-03-23T00:00", "2026-04-08T00:00");
        let expected = [("2026-03-23", 7 * 24 - 1), ("2026-03-30", 7 * 24), ("2026-04-06", 2 * 24)];
        assert_eq!(weeks, expected.map(|(from, hours)| (from.to_owned(), hours)));
    }

    #[test]
    fn a_week_over_new_year_is_one() {
        let weeks = buckets(Dimension::Week, "Asia/Kathmandu", "2026-12-28T00:00", "2027-01-05T00:00");
        let expected = [("2026-12-28", 7 * 24), ("2027-01-04", 24)];
        assert_eq!(weeks, expected.map(|(from, hours)| (from.to_owned(), hours)));
    }

    #[test]
    fn a_month_has_its_own_days_and_the_hours_of_the_clock() {
        let months = buckets(Dimension::Month, "America/New_York", "2026-02-01T00:00", "2026-05-01T00:00");
        let expected = [("2026-02-01", 28 * 24), ("2026-03-01", 31 * 24 - 1), ("2026-04-01", 30 * 24)];
        assert_eq!(months, expected.map(|(from, hours)| (from.to_owned(), hours)));
    }

    #[test]
    fn months_before_1970_are_months_too() {
        let months = buckets(Dimension::Month, "UTC", "1969-11-30T00:00", "1970-01-02T00:00");
        let expected = [("1969-11-30", 24), ("1969-12-01", 31 * 24), ("1970-01-01", 24)];
        assert_eq!(months, expected.map(|(from, hours)| (from.to_owned(), hours)));
    }
}
