//! Readings of a wall clock as instants.
//!
//! The zones are those of the time zone database, found by name when a calendar is made; nothing else is asked of the world.

use jiff::{
    Timestamp,
    tz::{Offset, TimeZone},
};

use crate::{allowance::ZoneName, calendar::Date, time::Micros, working::error::WorkingError};

const SECONDS_A_DAY: i64 = 86_400;

/// A day of the calendar, numbered from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Day(pub(super) i32);

impl Day {
    /// The day of `date`; `field` is where it stands.
    pub(super) fn of(date: Date, field: impl FnOnce() -> String) -> Result<Self, WorkingError> {
        let part = |part: u32| i8::try_from(part).unwrap_or(0);
        let year = i16::try_from(date.0 / 10_000).unwrap_or(0);
        jiff::civil::Date::new(year, part(date.0 / 100 % 100), part(date.0 % 100))
            .ok()
            .filter(|_| year > 0)
            .and_then(|date| Offset::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).ok())
            .and_then(|midnight| i32::try_from(midnight.as_second().div_euclid(SECONDS_A_DAY)).ok())
            .map(Self)
            .ok_or_else(|| WorkingError::NoDate { field: field(), date })
    }

    /// Monday is 0.
    pub(super) fn weekday(self) -> usize {
        // 1970-01-01 was a Thursday.
        usize::try_from((i64::from(self.0) + 3).rem_euclid(7)).unwrap_or(0)
    }

    pub(super) fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Its midnight if its clock were UTC's.
    pub(super) fn utc(self) -> Micros {
        Micros::from_secs(i64::from(self.0) * SECONDS_A_DAY)
    }
}

/// A zone of the database.
#[derive(Clone, Debug)]
pub(super) struct Zone(TimeZone);

impl Zone {
    /// The zone of this name; `field` is where the name stands.
    pub(super) fn get(name: &ZoneName, field: impl FnOnce() -> String) -> Result<Self, WorkingError> {
        let zone = TimeZone::get(name.as_str());
        zone.map(Self)
            .map_err(|_| WorkingError::UnknownZone { field: field(), zone: name.as_str().to_owned() })
    }

    /// The first instant at which the clock has come to `minute` minutes after the midnight with which `day` begins on the
    /// wall; saturates where the database ends (the years -9999 and 9999).
    pub(super) fn first(&self, day: Day, minute: u16) -> Micros {
        let reading = i64::from(day.0) * SECONDS_A_DAY + i64::from(minute) * 60;
        let Ok(as_utc) = Timestamp::from_second(reading) else { return Micros::from_secs(reading) };
        let ambiguous = self.0.to_ambiguous_timestamp(Offset::UTC.to_datetime(as_utc));
        let second = match ambiguous.offset() {
            jiff::tz::AmbiguousOffset::Unambiguous { offset } => reading - i64::from(offset.seconds()),
            jiff::tz::AmbiguousOffset::Fold { before, .. } => reading - i64::from(before.seconds()),
            jiff::tz::AmbiguousOffset::Gap { before, after } => {
                let (from, to) =
                    (reading - i64::from(after.seconds()), reading - i64::from(before.seconds()));
                self.jump(reading, from, to)
            }
        };
        Micros::from_secs(second)
    }

    /// The first second after `before` and not after `by` at which the clock has come to `reading`.
    fn jump(&self, reading: i64, mut before: i64, mut by: i64) -> i64 {
        while by - before > 1 {
            let middle = before + (by - before) / 2;
            if self.shows(middle) >= reading {
                by = middle;
            } else {
                before = middle;
            }
        }
        by
    }

    /// What the clock shows at a second, in seconds from the beginning of 1970 on the wall.
    fn shows(&self, second: i64) -> i64 {
        let at = Timestamp::from_second(second);
        second + at.map_or(0, |at| i64::from(self.0.to_offset(at).seconds()))
    }

    /// The day that the clock shows at `at`.
    pub(super) fn day(&self, at: Micros) -> Day {
        let day = self.shows(at.0.div_euclid(Micros::SECOND.0)).div_euclid(SECONDS_A_DAY);
        Day(i32::try_from(day).unwrap_or(if day < 0 { i32::MIN } else { i32::MAX }))
    }
}
