//! Lengths of time, days and times of day as people write them in a site's file, and back.
//!
//! Invariant: what is written reads back to the same.

use pegcount_domain::{calendar::Date, time::Micros};

const DAY: i64 = 24 * Micros::HOUR.0;
/// The units of lengths, the longest first.
const UNITS: [(&str, i64); 5] =
    [("d", DAY), ("h", Micros::HOUR.0), ("min", Micros::MINUTE.0), ("s", Micros::SECOND.0), ("ms", 1_000)];

/// `20s`, `1h30min`, `7d`, `250ms`; none if it is no length.
pub(crate) fn length(text: &str) -> Option<Micros> {
    let mut rest = text.trim();
    let mut total: Option<i64> = None;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let unit = match rest.get(..end)? {
            "m" => "min",
            unit => unit,
        };
        let (_, micros) = UNITS.into_iter().find(|(known, _)| *known == unit)?;
        total = Some(total.unwrap_or(0).checked_add(number.checked_mul(micros)?)?);
        rest = rest.get(end..)?.trim_start();
    }
    total.map(Micros)
}

/// `1h30min`; what is finer than a millisecond does not occur in definitions.
pub(crate) fn written(length: Micros) -> String {
    let mut rest = length.0.max(0);
    let mut text = String::new();
    for (unit, micros) in UNITS {
        let (count, left) = (rest / micros, rest % micros);
        // A week reads better than seven times 24 hours, a threshold of 90 s better than 1min30s.
        if count > 0 && (unit != "min" || left == 0 || count >= 10) {
            text.push_str(&format!("{count}{unit}"));
            rest = left;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// `2026-10-01`; none if there is no such day.
pub(crate) fn date(text: &str) -> Option<Date> {
    let date: jiff::civil::Date = text.parse().ok()?;
    let part = |part: i8| u32::try_from(part).ok();
    let year = u32::try_from(date.year()).ok()?;
    Some(Date(year * 10_000 + part(date.month())? * 100 + part(date.day())?))
}

/// `08:30`, up to `24:00`, in minutes of the day; none if there is no such time.
pub(crate) fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let total = hour.checked_mul(60)?.checked_add(minute)?;
    (minute < 60 && total <= 24 * 60).then_some(total)
}

/// The same, written.
pub(crate) fn written_minute(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_people_write_them_and_written_back() {
        for (text, seconds) in
            [("20s", 20), ("90s", 90), ("1h30min", 5_400), ("7d", 604_800), ("30 min", 1_800)]
        {
            let read = length(text).unwrap();
            assert_eq!(read, Micros::from_secs(seconds), "{text}");
            assert_eq!(length(&written(read)), Some(read), "{text}");
        }
        assert_eq!(written(Micros::from_secs(90)), "90s");
        assert_eq!(written(Micros(7 * DAY)), "7d");
        for text in ["", "20", "s", "20x", "-5s", "1.5h", "99999999999999d"] {
            assert_eq!(length(text), None, "{text}");
        }
    }

    #[test]
    fn days_and_times_of_day_are_real_ones() {
        assert_eq!(date("2026-10-01"), Some(Date(20_261_001)));
        assert_eq!(date("2026-02-30"), None);
        assert_eq!((minute("08:30"), minute("24:00")), (Some(510), Some(1_440)));
        assert_eq!([minute("24:01"), minute("8:60"), minute("noon")], [None; 3]);
        assert_eq!(written_minute(510), "08:30");
    }
}
