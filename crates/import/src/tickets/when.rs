//! A row's time of day, as its map says that it is written.
//!
//! Invariant: a local time that stands twice, or not at all, because clocks were changed, is the earlier one, or the one as far after the
//! change; so the same text is always the same instant.

use jiff::{Timestamp, Zoned, fmt::strtime, tz::TimeZone};
use pegcount_domain::time::Micros;

/// How times are written.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// RFC 3339, with an offset.
    Rfc3339,
    /// A number of so many parts of a second since 1970 UTC.
    Unix {
        /// How many microseconds a unit has.
        unit_us: i64,
    },
    /// By a format of strptime; without an offset in the zone.
    Local {
        /// The format.
        format: String,
        /// The zone.
        zone: TimeZone,
    },
}

/// The words of the forms that are no format.
const FORMS: [(&str, Form); 4] = [
    ("rfc3339", Form::Rfc3339),
    ("unix_s", Form::Unix { unit_us: 1_000_000 }),
    ("unix_ms", Form::Unix { unit_us: 1_000 }),
    ("unix_us", Form::Unix { unit_us: 1 }),
];

impl Form {
    /// The form that a map names; else what is wrong with `format` or `zone`.
    pub(super) fn new(format: &str, zone: Option<&str>) -> Result<Self, (&'static str, String)> {
        if let Some((_, form)) = FORMS.iter().find(|(word, _)| *word == format) {
            return Ok(form.clone());
        }
        let words: Vec<&str> = FORMS.iter().map(|(word, _)| *word).collect();
        if !format.contains('%') {
            let reason =
                format!("is {format:?}; give {}, or a format such as %Y-%m-%d %H:%M:%S", words.join(", "));
            return Err(("time.format", reason));
        }
        let has_offset = ["%z", "%:z", "%Q"].iter().any(|offset| format.contains(offset));
        let zone = match zone {
            Some(name) => TimeZone::get(name).map_err(|_| {
                (
                    "time.zone",
                    format!("is {name:?}, which is no time zone; give an IANA name such as Europe/Rome"),
                )
            })?,
            None if has_offset => TimeZone::UTC,
            None => {
                let reason =
                    "is missing; say which zone's clock the times are of (an IANA name such as Europe/Rome)";
                return Err(("time.zone", reason.to_owned()));
            }
        };
        let form = Self::Local { format: format.to_owned(), zone: zone.clone() };
        // What can be written and read again names a day at least, and is spelt right.
        let sample = Zoned::new(Timestamp::UNIX_EPOCH, zone);
        let written = strtime::format(format, &sample)
            .map_err(|error| ("time.format", format!("is {format:?}, which is no format: {error}")))?;
        form.read(&written).map_err(|reason| {
            ("time.format", format!("is {format:?}, by which no instant can be read: {reason}"))
        })?;
        Ok(form)
    }

    /// The instant of a text; else what is wrong with it.
    pub(super) fn read(&self, text: &str) -> Result<Micros, String> {
        match self {
            Self::Rfc3339 => {
                let at = text.parse::<Timestamp>();
                at.map(|at| Micros(at.as_microsecond())).map_err(|_| {
                    format!("is {text:?}; it must be RFC 3339 with an offset, as 2026-03-01T09:30:00+01:00")
                })
            }
            Self::Unix { unit_us } => {
                let at = text.parse::<i64>().ok().and_then(|number| number.checked_mul(*unit_us));
                at.map(Micros).ok_or_else(|| format!("is {text:?}; it must be a whole number since 1970"))
            }
            Self::Local { format, zone } => {
                let wrong = |error: jiff::Error| format!("is {text:?}; it must be as {format}: {error}");
                let parts = strtime::parse(format, text).map_err(wrong)?;
                if parts.offset().is_some() {
                    return parts.to_timestamp().map(|at| Micros(at.as_microsecond())).map_err(wrong);
                }
                let local = parts.to_datetime().or_else(|error| {
                    // A format may name the day alone.
                    parts.to_date().map(|date| date.at(0, 0, 0, 0)).map_err(|_| error)
                });
                let zoned =
                    local.and_then(|local| zone.to_ambiguous_zoned(local).compatible()).map_err(wrong)?;
                Ok(Micros(zoned.timestamp().as_microsecond()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_the_map_says_that_it_is_written() {
        let read = |format: &str, zone, text: &str| {
            Form::new(format, zone).unwrap().read(text).unwrap().0 / 1_000_000
        };
        assert_eq!(read("%Y/%m/%d %H:%M:%S", Some("Europe/Rome"), "2012/10/09 14:50:17"), 1_349_787_017);
        assert_eq!(read("%Y/%m/%d %H:%M:%S.%f", Some("UTC"), "2012/10/09 14:50:17.000"), 1_349_794_217);
        assert_eq!(read("%d-%m-%Y", Some("UTC"), "09-10-2012"), 1_349_740_800);
        assert_eq!(read("%Y-%m-%d %H:%M %z", None, "2012-10-09 14:50 +0200"), 1_349_787_000);
        assert_eq!(read("rfc3339", None, "2012-10-09T14:50:17+02:00"), 1_349_787_017);
        assert_eq!(read("unix_ms", None, "1349787017000"), 1_349_787_017);
    }

    #[test]
    fn what_is_wrong_with_a_format_or_a_zone_is_said() {
        let wrong = |format, zone| Form::new(format, zone).unwrap_err();
        assert_eq!(wrong("%Y-%m-%d", None).0, "time.zone");
        assert!(wrong("%Y-%m-%d", Some("Rome")).1.contains("is \"Rome\", which is no time zone"));
        assert!(wrong("iso", None).1.contains("give rfc3339, unix_s, unix_ms, unix_us, or a format"));
        assert_eq!(wrong("%Y-%K", Some("UTC")).0, "time.format");
        assert!(wrong("%H:%M", Some("UTC")).1.contains("no instant can be read"));
    }
}
