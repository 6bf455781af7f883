//! A row's time of day, as its map says that it is written.
//!
//! Invariant: a local time that stands twice, or not at all, because clocks were changed, is the earlier one, or the one as far after the
//! change; so the same text is always the same instant.

use std::cell::Cell;

use jiff::{SignedDuration, Timestamp, Zoned, civil, fmt::strtime, tz::TimeZone};
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
        /// The same format, where it is a plain one.
        plain: Option<Plain>,
    },
}

/// A format of a date and a time of day, each part of which has all its digits. Nearly every file has one, and a file has millions of times:
/// what does not fit it exactly is left to the slow way, which knows more.
#[derive(Clone, Debug)]
pub(super) struct Plain(Vec<Piece>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    /// Year, month, day, hour, minute, second: its place among these.
    Part(usize),
    /// This sign.
    Sign(u8),
}

impl Plain {
    /// None if a format has anything else in it, or does not name the six parts once each.
    fn of(format: &str) -> Option<Self> {
        let (mut pieces, mut seen) = (Vec::new(), [false; 6]);
        let mut bytes = format.bytes();
        while let Some(byte) = bytes.next() {
            if byte != b'%' {
                (byte.is_ascii_punctuation() || matches!(byte, b' ' | b'T')).then_some(())?;
                pieces.push(Piece::Sign(byte));
                continue;
            }
            let letter = bytes.next()?;
            let part = b"YmdHMS".iter().position(|part| *part == letter)?;
            let known = seen.get_mut(part).filter(|known| !**known)?;
            *known = true;
            pieces.push(Piece::Part(part));
        }
        seen.into_iter().all(|seen| seen).then_some(Self(pieces))
    }

    fn read(&self, text: &str) -> Option<civil::DateTime> {
        let (mut rest, mut parts) = (text.as_bytes(), [0i16; 6]);
        for piece in &self.0 {
            match piece {
                Piece::Sign(sign) => rest = rest.strip_prefix(&[*sign])?,
                Piece::Part(part) => {
                    let (digits, after) = rest.split_at_checked(if *part == 0 { 4 } else { 2 })?;
                    let number = digits.iter().try_fold(0i16, |number, digit| {
                        digit.is_ascii_digit().then(|| number * 10 + i16::from(digit - b'0'))
                    });
                    *parts.get_mut(*part)? = number?;
                    rest = after;
                }
            }
        }
        let small = |part: i16| i8::try_from(part).ok();
        let [year, month, day, hour, minute, second] = parts;
        // A leap second, too, is for the slow way.
        let is_plain = rest.is_empty() && second < 60;
        let time = is_plain.then(|| {
            let date = civil::Date::new(year, small(month)?, small(day)?).ok()?;
            Some(date.to_datetime(civil::Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?))
        });
        time?
    }
}

/// The last local day of a zone on which no clock was changed, and by how much its clock was ahead.
#[derive(Debug, Default)]
pub(super) struct Days(Cell<Option<(civil::Date, SignedDuration)>>);

impl Days {
    /// The instant of a local time, if no clock was changed on its day or the days beside it.
    fn instant(&self, local: civil::DateTime, zone: &TimeZone) -> Option<Micros> {
        let (date, ahead) = self.0.get().filter(|(date, _)| *date == local.date()).or_else(|| {
            let day = (local.date(), constant(local.date(), zone)?);
            self.0.set(Some(day));
            Some(day)
        })?;
        debug_assert_eq!(date, local.date());
        let at = TimeZone::UTC.to_timestamp(local).ok()?.checked_sub(ahead).ok()?;
        Some(Micros(at.as_microsecond()))
    }
}

/// By how much a zone's clock is ahead of UTC all through a day and the two beside it; none if that changes.
fn constant(date: civil::Date, zone: &TimeZone) -> Option<SignedDuration> {
    let begin = TimeZone::UTC.to_timestamp(date.yesterday().ok()?.at(0, 0, 0, 0)).ok()?;
    let end = TimeZone::UTC.to_timestamp(date.tomorrow().ok()?.tomorrow().ok()?.at(0, 0, 0, 0)).ok()?;
    let changes = zone.following(begin).next().is_some_and(|change| change.timestamp() <= end);
    let ahead = zone.to_offset(begin);
    (!changes && zone.to_offset(end) == ahead).then(|| SignedDuration::from_secs(ahead.seconds().into()))
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
        let (format_text, plain) = (format.to_owned(), Plain::of(format));
        let form = Self::Local { format: format_text, zone: zone.clone(), plain };
        // What can be written and read again names a day at least, and is spelt right.
        let sample = Zoned::new(Timestamp::UNIX_EPOCH, zone);
        let written = strtime::format(format, &sample)
            .map_err(|error| ("time.format", format!("is {format:?}, which is no format: {error}")))?;
        form.read(&written, &Days::default()).map_err(|reason| {
            ("time.format", format!("is {format:?}, by which no instant can be read: {reason}"))
        })?;
        Ok(form)
    }

    /// The instant of a text; else what is wrong with it.
    pub(super) fn read(&self, text: &str, days: &Days) -> Result<Micros, String> {
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
            Self::Local { format, zone, plain } => {
                let local = plain.as_ref().and_then(|plain| plain.read(text));
                if let Some(at) = local.and_then(|local| days.instant(local, zone)) {
                    return Ok(at);
                }
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
            Form::new(format, zone).unwrap().read(text, &Days::default()).unwrap().0 / 1_000_000
        };
        assert_eq!(read("%Y/%m/%d %H:%M:%S", Some("Europe/Rome"), "2012/10/09 14:50:17"), 1_349_787_017);
        assert_eq!(read("%Y/%m/%d %H:%M:%S.%f", Some("UTC"), "2012/10/09 14:50:17.000"), 1_349_794_217);
        assert_eq!(read("%d-%m-%Y", Some("UTC"), "09-10-2012"), 1_349_740_800);
        assert_eq!(read("%Y-%m-%d %H:%M %z", None, "2012-10-09 14:50 +0200"), 1_349_787_000);
        assert_eq!(read("rfc3339", None, "2012-10-09T14:50:17+02:00"), 1_349_787_017);
        assert_eq!(read("unix_ms", None, "1349787017000"), 1_349_787_017);
    }

    /// By the slow way alone.
    fn slowly(form: &Form, text: &str) -> Result<Micros, String> {
        let Form::Local { format, zone, .. } = form.clone() else { panic!("{form:?}") };
        Form::Local { format, zone, plain: None }.read(text, &Days::default())
    }

    #[test]
    fn the_fast_way_reads_as_the_slow_one_on_every_quarter_of_an_hour_of_two_years() {
        let zones = ["Europe/Rome", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia", "UTC"];
        for zone in zones {
            let form = Form::new("%Y/%m/%d %H:%M:%S", Some(zone)).unwrap();
            assert!(matches!(form, Form::Local { plain: Some(_), .. }));
            let days = Days::default();
            let mut local = civil::date(2011, 6, 1).at(0, 0, 7, 0);
            while local < civil::date(2013, 6, 1).at(0, 0, 0, 0) {
                let text = local.strftime("%Y/%m/%d %H:%M:%S").to_string();
                assert_eq!(form.read(&text, &days), slowly(&form, &text), "{zone} {text}");
                local = local.checked_add(jiff::Span::new().minutes(15)).unwrap();
            }
        }
    }

    #[test]
    fn what_the_fast_way_does_not_know_is_left_to_the_slow_one() {
        let form = Form::new("%d.%m.%Y %H:%M:%S", Some("Europe/Rome")).unwrap();
        for text in [
            "9.10.2012 14:50:17",
            "09.10.2012  14:50:17",
            "09.10.201214:50:17",
            "31.02.2012 14:50:17",
            "09.10.2012 24:00:00",
            "30.06.2012 23:59:60",
            "09.10.2012 14:50:17 ",
            "09.10.-012 14:50:17",
            "09.10.2012 14:50",
            "",
        ] {
            assert_eq!(form.read(text, &Days::default()), slowly(&form, text), "{text}");
        }
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
