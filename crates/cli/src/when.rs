//! Instants as people write them, and back: local dates, local times, RFC 3339.
//!
//! Invariant: a local day begins at its zone's first instant of that date, never 24 h after the one before; a local
//! time that stands twice, or not at all, on a clock-change day is refused rather than guessed.

use jiff::{Timestamp, civil, tz::TimeZone};
use pegcount_domain::time::Micros;

/// Why a text is no instant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WhenError {
    /// Not one of the three ways.
    #[error(
        "`{text}` is neither a date (2026-03-01), nor a local time (2026-03-01T09:30), nor RFC 3339 \
         (2026-03-01T09:30:00+02:00)"
    )]
    Form {
        /// What was given.
        text: String,
    },
    /// A clock-change day.
    #[error(
        "`{text}` stands twice or not at all in {zone}, because clocks change then: give it with its offset"
    )]
    Ambiguous {
        /// What was given.
        text: String,
        /// The zone.
        zone: String,
    },
    /// The zone database does not know it.
    #[error("there is no time zone `{name}`; give an IANA name such as Asia/Jerusalem, or UTC")]
    Zone {
        /// What was given.
        name: String,
    },
    /// Before or after what a calendar can hold.
    #[error("`{text}` lies outside what a calendar can hold")]
    Range {
        /// What was given.
        text: String,
    },
}

/// The zone with this IANA name.
pub(crate) fn zone(name: &str) -> Result<TimeZone, WhenError> {
    TimeZone::get(name).map_err(|_| WhenError::Zone { name: name.to_owned() })
}

/// The instant that `text` means in `zone`: a date is that day's first instant.
pub(crate) fn instant(text: &str, zone: &TimeZone) -> Result<Micros, WhenError> {
    if let Ok(exact) = text.parse::<Timestamp>() {
        return Ok(Micros(exact.as_microsecond()));
    }
    if let Some(date) = plain_date(text) {
        return day_start(date, zone).ok_or_else(|| WhenError::Range { text: text.to_owned() });
    }
    let local: civil::DateTime = text.parse().map_err(|_| WhenError::Form { text: text.to_owned() })?;
    let zoned = zone.to_ambiguous_zoned(local).unambiguous();
    let zoned = zoned.map_err(|_| WhenError::Ambiguous { text: text.to_owned(), zone: zone_name(zone) })?;
    Ok(Micros(zoned.timestamp().as_microsecond()))
}

/// The first instant of the local day in which `instant` lies, and of the next one.
pub(crate) fn day_of(instant: Micros, zone: &TimeZone) -> Option<(Micros, Micros)> {
    let date = Timestamp::from_microsecond(instant.0).ok()?.to_zoned(zone.clone()).date();
    Some((day_start(date, zone)?, day_start(date.tomorrow().ok()?, zone)?))
}

/// RFC 3339 with the zone's offset at that instant; microseconds only where there are some.
pub(crate) fn rfc3339(instant: Micros, zone: &TimeZone) -> String {
    let whole = instant.0 % Micros::SECOND.0 == 0;
    shaped(instant, zone, if whole { "%Y-%m-%dT%H:%M:%S%:z" } else { "%Y-%m-%dT%H:%M:%S%.6f%:z" })
}

/// For the eye: `2026-03-01` at midnight, else `2026-03-01 09:30`, with seconds only where there are some.
pub(crate) fn short(instant: Micros, zone: &TimeZone) -> String {
    let Ok(timestamp) = Timestamp::from_microsecond(instant.0) else { return format!("{}us", instant.0) };
    let zoned = timestamp.to_zoned(zone.clone());
    let time = zoned.time();
    let form = match (time.hour(), time.minute(), time.second()) {
        (0, 0, 0) => "%Y-%m-%d",
        (_, _, 0) => "%Y-%m-%d %H:%M",
        _ => "%Y-%m-%d %H:%M:%S",
    };
    zoned.strftime(form).to_string()
}

/// So that [`instant`] reads it back: a date at midnight, else RFC 3339.
pub(crate) fn exact(instant: Micros, zone: &TimeZone) -> String {
    match day_of(instant, zone) {
        Some((start, _)) if start == instant => date(instant, zone),
        _ => rfc3339(instant, zone),
    }
}

/// The local date.
pub(crate) fn date(instant: Micros, zone: &TimeZone) -> String {
    shaped(instant, zone, "%Y-%m-%d")
}

/// The local time of day to the minute.
pub(crate) fn minute(instant: Micros, zone: &TimeZone) -> String {
    shaped(instant, zone, "%H:%M")
}

/// The local time of day.
pub(crate) fn clock_time(instant: Micros, zone: &TimeZone) -> String {
    shaped(instant, zone, "%H:%M:%S")
}

fn shaped(instant: Micros, zone: &TimeZone, form: &str) -> String {
    match Timestamp::from_microsecond(instant.0) {
        Ok(timestamp) => timestamp.to_zoned(zone.clone()).strftime(form).to_string(),
        Err(_) => format!("{}us", instant.0),
    }
}

/// A plain date and nothing else; jiff alone would also take the date out of a longer text.
fn plain_date(text: &str) -> Option<civil::Date> {
    if text.contains(['T', 't', ' ', ':']) { None } else { text.parse().ok() }
}

fn day_start(date: civil::Date, zone: &TimeZone) -> Option<Micros> {
    let first = date.to_zoned(zone.clone()).ok()?.start_of_day().ok()?;
    Some(Micros(first.timestamp().as_microsecond()))
}

fn zone_name(zone: &TimeZone) -> String {
    zone.iana_name().unwrap_or("this zone").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, zone_name: &str) -> Result<i64, WhenError> {
        instant(text, &zone(zone_name).unwrap()).map(|at| at.0 / 1_000_000)
    }

    #[test]
    fn a_date_is_local_midnight_and_a_time_with_an_offset_is_itself() {
        assert_eq!(at("1999-02-01", "Asia/Jerusalem").unwrap(), 917_820_000);
        assert_eq!(at("1999-02-01T00:00", "Asia/Jerusalem").unwrap(), 917_820_000);
        assert_eq!(at("1999-02-01T00:00:00+02:00", "UTC").unwrap(), 917_820_000);
        assert_eq!(at("1999-01-31T22:00:00Z", "Asia/Jerusalem").unwrap(), 917_820_000);
    }

    #[test]
    fn a_day_has_as_many_hours_as_its_zone_gives_it() {
        let montreal = zone("America/Montreal").unwrap();
        let noon = instant("2020-11-01T12:00", &montreal).unwrap();
        let (start, end) = day_of(noon, &montreal).unwrap();
        assert_eq!(end.minus(start).0, 25 * Micros::HOUR.0);
    }

    #[test]
    fn a_local_time_that_stands_twice_or_never_is_refused() {
        let twice = at("2020-11-01T01:30", "America/Montreal").unwrap_err();
        assert!(matches!(twice, WhenError::Ambiguous { .. }), "{twice}");
        let never = at("2020-03-08T02:30", "America/Montreal").unwrap_err();
        assert!(matches!(never, WhenError::Ambiguous { .. }), "{never}");
    }

    #[test]
    fn the_two_hours_of_one_name_are_told_apart_by_their_offset() {
        let montreal = zone("America/Montreal").unwrap();
        let first = Micros::from_secs(at("2020-11-01T01:00:00-04:00", "UTC").unwrap());
        assert_eq!(rfc3339(first, &montreal), "2020-11-01T01:00:00-04:00");
        assert_eq!(rfc3339(first.plus(Micros::HOUR), &montreal), "2020-11-01T01:00:00-05:00");
        assert_eq!(rfc3339(Micros(1), &TimeZone::UTC), "1970-01-01T00:00:00.000001+00:00");
    }

    #[test]
    fn nonsense_is_refused_with_examples() {
        let refused = at("yesterday", "UTC").unwrap_err().to_string();
        assert!(refused.starts_with("`yesterday` is neither a date (2026-03-01)"), "{refused}");
        assert!(matches!(zone("Mars/Olympus"), Err(WhenError::Zone { .. })));
    }
}
