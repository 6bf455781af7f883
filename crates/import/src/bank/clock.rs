//! Local times of day to instants.
//!
//! A row has one date and many times of day. A time more than 12 h before the one that it follows is past midnight; a
//! time a little before it is a clock's error and stays so.
//!
//! Invariant: an instant lies within 12 h of the one that it follows, clock changes apart.

use jiff::{
    civil::{Date, Time},
    tz::TimeZone,
};
use pegcount_domain::time::Micros;

/// Half a day, in seconds.
const HALF_DAY_S: i64 = 12 * 3600;

/// Reads one row's times of day, each after the one that it follows.
#[derive(Debug)]
pub(super) struct Clock<'a> {
    zone: &'a TimeZone,
    date: Date,
    time: Time,
    /// A time was read that the zone has twice, or not at all.
    pub(super) ambiguous: bool,
}

/// A date beyond those that can be written down.
#[derive(Debug)]
pub(super) struct OutOfRange;

impl<'a> Clock<'a> {
    /// Begins at `time` on `date`.
    pub(super) fn new(zone: &'a TimeZone, date: Date, time: Time) -> Self {
        Self { zone, date, time, ambiguous: false }
    }

    /// The instant of the time read last.
    pub(super) fn instant(&mut self) -> Result<Micros, OutOfRange> {
        let local = self.zone.to_ambiguous_zoned(self.date.to_datetime(self.time));
        self.ambiguous |= local.is_ambiguous();
        local.compatible().map(|zoned| Micros(zoned.timestamp().as_microsecond())).map_err(|_| OutOfRange)
    }

    /// Goes on to `time`, and gives its instant.
    pub(super) fn after(&mut self, time: Time) -> Result<Micros, OutOfRange> {
        let step = second_of_day(time) - second_of_day(self.time);
        let date = if step < -HALF_DAY_S {
            self.date.tomorrow()
        } else if step > HALF_DAY_S {
            // A little before midnight, after a time a little past it.
            self.date.yesterday()
        } else {
            Ok(self.date)
        };
        self.date = date.map_err(|_| OutOfRange)?;
        self.time = time;
        self.instant()
    }
}

fn second_of_day(time: Time) -> i64 {
    i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second())
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    fn steps(times: &[(i8, i8, i8)]) -> Vec<i64> {
        let zone = TimeZone::get("Asia/Jerusalem").unwrap();
        let mut times = times.iter().map(|(h, m, s)| time(*h, *m, *s, 0));
        let mut clock = Clock::new(&zone, date(1999, 2, 1), times.next().unwrap());
        let start = clock.instant().unwrap();
        times.map(|time| clock.after(time).unwrap().minus(start).0 / 1_000_000).collect()
    }

    #[test]
    fn a_time_more_than_half_a_day_back_is_past_midnight() {
        assert_eq!(steps(&[(23, 59, 50), (0, 0, 10), (0, 1, 0)]), [20, 70]);
    }

    #[test]
    fn a_few_seconds_back_are_a_clocks_error_and_not_a_day() {
        assert_eq!(steps(&[(10, 0, 0), (9, 59, 58)]), [-2]);
        assert_eq!(steps(&[(23, 59, 59), (0, 0, 1), (23, 59, 59)]), [2, 0]);
    }

    #[test]
    fn exactly_half_a_day_back_is_no_new_day() {
        assert_eq!(steps(&[(12, 0, 0), (0, 0, 0)]), [-12 * 3600]);
        assert_eq!(steps(&[(12, 0, 1), (0, 0, 0)]), [12 * 3600 - 1]);
    }

    #[test]
    fn a_local_time_becomes_the_instant_of_its_zone() {
        let zone = TimeZone::get("Asia/Jerusalem").unwrap();
        let mut clock = Clock::new(&zone, date(1999, 2, 1), time(2, 0, 0, 0));
        assert_eq!(clock.instant().unwrap(), Micros::from_secs(917_827_200));
        assert!(!clock.ambiguous);
    }

    #[test]
    fn a_time_that_exists_twice_is_noted() {
        let zone = TimeZone::get("America/Montreal").unwrap();
        let mut clock = Clock::new(&zone, date(2020, 11, 1), time(1, 30, 0, 0));
        clock.instant().unwrap();
        assert!(clock.ambiguous);
    }
}
