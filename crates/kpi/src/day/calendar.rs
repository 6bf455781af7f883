//! A site's local days and months: spans of base intervals, found from the IANA zone in force (KPIS.md §1).
//!
//! A day is as long as the clocks make it: 23, 24, 25 hours, or 24 and a half. Where another zone comes into force a day ends
//! and another one begins. Invariant: every instant lies in exactly one day, and every day in exactly one month; both begin and
//! end on the 15-minute grid.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use pegcount_domain::{
    allowance::ZoneName,
    time::{Interval, Micros, Span},
};
use serde::{Deserialize, Serialize};

/// The zones of a site.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<(Micros, ZoneName)>", into = "Vec<(Micros, ZoneName)>")]
pub(crate) struct Calendar {
    /// As they were defined, by their first instants.
    defined: Vec<(Micros, ZoneName)>,
    /// The same where one differs from the one before; before the first: UTC.
    zones: Vec<(Micros, TimeZone)>,
}

/// By what was defined: the zones themselves are the database's.
impl From<Vec<(Micros, ZoneName)>> for Calendar {
    fn from(defined: Vec<(Micros, ZoneName)>) -> Self {
        let mut calendar = Self::default();
        for (from, name) in &defined {
            calendar.define(*from, name);
        }
        calendar
    }
}

impl From<Calendar> for Vec<(Micros, ZoneName)> {
    fn from(calendar: Calendar) -> Self {
        calendar.defined
    }
}

/// Whether the time zone database knows a zone.
pub fn is_known_zone(name: &ZoneName) -> bool {
    TimeZone::get(name.as_str()).is_ok()
}

/// The first instant of the grid that is not before `at`.
fn on_grid(at: Micros) -> Micros {
    let interval = Interval::containing(at);
    if interval.start() == at { at } else { interval.end() }
}

impl Calendar {
    /// A zone comes into force; one that is in force from the same instant on is replaced. False if nothing changes.
    ///
    /// A zone that the database does not know (it is refused on the way in, but another machine's may know fewer) is UTC.
    pub(crate) fn define(&mut self, from: Micros, name: &ZoneName) -> bool {
        let from = on_grid(from);
        let place = self.defined.partition_point(|(known, _)| *known < from);
        match self.defined.get_mut(place) {
            Some((known, known_name)) if *known == from && known_name == name => return false,
            Some(known) if known.0 == from => known.1 = name.clone(),
            _ => self.defined.insert(place, (from, name.clone())),
        }
        let mut last = ZoneName::new("UTC");
        self.zones.clear();
        for (from, name) in &self.defined {
            if *name != last {
                let zone = TimeZone::get(name.as_str()).unwrap_or(TimeZone::UTC);
                self.zones.push((*from, zone));
                last = name.clone();
            }
        }
        true
    }

    /// The zones as they came into force.
    pub(crate) fn zones(&self) -> impl Iterator<Item = &(Micros, ZoneName)> {
        self.defined.iter()
    }

    /// The zone in force at an instant, and from when to when it is.
    fn zone(&self, at: Micros) -> (&TimeZone, Span) {
        static UTC: TimeZone = TimeZone::UTC;
        let after = self.zones.partition_point(|(from, _)| *from <= at);
        let end = self.zones.get(after).map_or(Micros::MAX, |(from, _)| *from);
        match after.checked_sub(1).and_then(|index| self.zones.get(index)) {
            Some((from, zone)) => (zone, Span::new(*from, end)),
            None => (&UTC, Span::new(Micros(i64::MIN), end)),
        }
    }

    /// The local day in which an instant lies.
    pub(crate) fn day(&self, at: Micros) -> Span {
        self.part(at, |date| date, |date| date.tomorrow().ok())
    }

    /// The local month in which an instant lies.
    pub(crate) fn month(&self, at: Micros) -> Span {
        self.part(at, Date::first_of_month, |date| date.last_of_month().tomorrow().ok())
    }

    fn part(&self, at: Micros, first: impl Fn(Date) -> Date, next: impl Fn(Date) -> Option<Date>) -> Span {
        let at = Interval::containing(at).start();
        let (zone, force) = self.zone(at);
        let Ok(instant) = Timestamp::from_microsecond(at.0) else { return force };
        let date = zone.to_datetime(instant).date();
        let begin = |date: Date| {
            let begin = date.to_zoned(zone.clone()).and_then(|begin| begin.start_of_day()).ok()?;
            Some(on_grid(Micros(begin.timestamp().as_microsecond())))
        };
        let start = begin(first(date)).unwrap_or(force.start);
        let end = next(date).and_then(begin).unwrap_or(force.end);
        // Clocks that go back over midnight show the evening twice: what lies behind the instant's own date counts to it.
        Span::new(start.min(at).max(force.start), end.max(at.plus(Interval::LENGTH)).min(force.end))
    }

    /// The time of the local clock at an instant within a day (duration since the day's midnight by the clock on the wall).
    pub(crate) fn clock_time(&self, at: Micros) -> Micros {
        let (zone, _) = self.zone(at);
        let Ok(instant) = Timestamp::from_microsecond(at.0) else { return Micros::ZERO };
        let time = zone.to_datetime(instant).time();
        let seconds =
            (i64::from(time.hour()) * 60 + i64::from(time.minute())) * 60 + i64::from(time.second());
        Micros(seconds * Micros::SECOND.0 + i64::from(time.subsec_nanosecond()) / 1_000)
    }

    /// An instant as the local clock shows it, for people.
    pub(crate) fn shown(&self, at: Micros) -> String {
        let (zone, _) = self.zone(at);
        Timestamp::from_microsecond(at.0).map_or_else(
            |_| at.to_string(),
            |instant| zone.to_datetime(instant).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(zone: &str) -> Calendar {
        let mut calendar = Calendar::default();
        calendar.define(Micros(0), &ZoneName::new(zone));
        calendar
    }

    fn at(text: &str) -> Micros {
        Micros(text.parse::<Timestamp>().unwrap().as_microsecond())
    }

    fn hours(span: Span) -> f64 {
        let minutes = i32::try_from(span.length().0 / Micros::MINUTE.0).unwrap();
        f64::from(minutes) / 60.0
    }

    #[test]
    fn a_day_is_as_long_as_the_clocks_make_it() {
        let berlin = calendar("Europe/Berlin");
        let spring = berlin.day(at("2026-03-29T12:00:00Z"));
        assert_eq!((spring.start, spring.end), (at("2026-03-28T23:00:00Z"), at("2026-03-29T22:00:00Z")));
        assert!((hours(berlin.day(at("2026-10-25T12:00:00Z"))) - 25.0).abs() < 1e-9);
        let lord_howe = calendar("Australia/Lord_Howe");
        assert!((hours(lord_howe.day(at("2026-04-05T00:00:00Z"))) - 24.5).abs() < 1e-9);
        assert!((hours(lord_howe.day(at("2026-10-04T00:00:00Z"))) - 23.5).abs() < 1e-9);
        // Where midnight itself is left out, the day begins at one.
        let beirut = calendar("Asia/Beirut");
        assert_eq!(beirut.day(at("2026-03-29T12:00:00Z")).start, at("2026-03-28T22:00:00Z"));
        assert!((hours(beirut.day(at("2026-03-29T12:00:00Z"))) - 23.0).abs() < 1e-9);
    }

    #[test]
    fn days_follow_on_each_other_without_gaps_and_months_are_whole_days() {
        for zone in [
            "UTC",
            "Europe/Berlin",
            "America/Montreal",
            "Australia/Lord_Howe",
            "America/Havana",
            "Pacific/Apia",
            "Africa/Monrovia",
            "Asia/Kathmandu",
            "America/Sao_Paulo",
        ] {
            let mut calendar = calendar(zone);
            calendar.define(at("2011-06-15T07:20:00Z"), &ZoneName::new("Asia/Tokyo"));
            calendar.define(at("2011-09-15T07:20:00Z"), &ZoneName::new(zone));
            let mut start = calendar.day(at("1970-05-01T00:00:00Z")).start;
            let end = at("2027-01-01T00:00:00Z");
            while start < end {
                let day = calendar.day(start);
                assert_eq!(day.start, start, "{zone}");
                assert_eq!(Interval::containing(day.end).start(), day.end, "{zone}");
                assert_eq!(calendar.day(day.end.minus(Micros(1))), day, "{zone}");
                let month = calendar.month(start);
                assert!(month.start <= day.start && day.end <= month.end, "{zone} {start}");
                assert_eq!(calendar.month(day.end.minus(Micros(1))), month, "{zone}");
                start = day.end;
            }
        }
    }

    #[test]
    fn another_zone_ends_the_day() {
        let mut calendar = calendar("UTC");
        calendar.define(at("2026-03-10T10:07:00Z"), &ZoneName::new("America/Montreal"));
        let before = calendar.day(at("2026-03-10T05:00:00Z"));
        assert_eq!((before.start, before.end), (at("2026-03-10T00:00:00Z"), at("2026-03-10T10:15:00Z")));
        let after = calendar.day(at("2026-03-10T11:00:00Z"));
        assert_eq!((after.start, after.end), (at("2026-03-10T10:15:00Z"), at("2026-03-11T04:00:00Z")));
    }
}
