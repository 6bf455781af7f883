//! A site's local day of 23, 24 or 25 hours, and dates and instants as text.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use pegcount_domain::time::{Micros, Span};

use crate::error::ExportError;

/// A local day.
#[derive(Clone, Debug)]
pub struct LocalDay {
    /// The date.
    pub date: Date,
    /// The zone that cuts it.
    pub zone: TimeZone,
    /// From its first instant to the next day's.
    pub span: Span,
}

impl LocalDay {
    /// The day of a date.
    ///
    /// Errors: a date at the calendar's very end.
    pub fn of(date: Date, zone: TimeZone) -> Result<Self, ExportError> {
        let start = |date: Date| {
            let at = date.to_zoned(zone.clone()).ok()?.timestamp();
            Some(Micros(at.as_microsecond()))
        };
        let next = date.tomorrow().ok().and_then(start);
        match (start(date), next) {
            (Some(begin), Some(end)) => {
                let span = Span { start: begin, end };
                Ok(Self { date, zone, span })
            }
            _ => Err(ExportError::Date { date: date.to_string() }),
        }
    }

    /// An instant with the zone's offset then.
    pub fn local(&self, at: Micros) -> String {
        let Ok(at) = Timestamp::from_microsecond(at.0) else { return String::new() };
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }
}

/// Days since 1970-01-01.
pub fn date_number(date: Date) -> i32 {
    let begin = Date::constant(1970, 1, 1);
    begin.until(date).map_or(0, |span| span.get_days())
}

/// The date of such a number.
pub(crate) fn date_text(days: i32) -> String {
    let begin = Date::constant(1970, 1, 1);
    let date = begin.checked_add(jiff::Span::new().days(days));
    date.map(|date| date.to_string()).unwrap_or_default()
}

/// RFC 3339 in UTC, always with microseconds, so that texts sort as instants do.
pub(crate) fn utc(at: i64) -> String {
    let at = Timestamp::from_microsecond(at);
    at.map(|at| at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_on_which_clocks_change_has_23_or_25_hours() {
        let zone = TimeZone::get("America/Montreal").unwrap();
        let hours = |date: &str| {
            let day = LocalDay::of(date.parse().unwrap(), zone.clone()).unwrap();
            day.span.length().0 / Micros::HOUR.0
        };
        assert_eq!([hours("2020-03-08"), hours("2020-03-09"), hours("2020-11-01")], [23, 24, 25]);
    }

    #[test]
    fn a_date_comes_back_from_its_number() {
        for date in ["1970-01-01", "1969-12-31", "2026-03-29"] {
            assert_eq!(date_text(date_number(date.parse().unwrap())), date);
        }
    }
}
