//! Figures for the eye: `1:02:03`, `97.4 %`, `12,345`.
//!
//! For terminals only; files get [`super::exact`]. Invariant: an absent figure shows as a dash, never as a zero.

use super::{Cell, Column, Unit, Verdict};
use crate::site_file::write::decimal;

/// What stands for an absent figure.
pub(crate) const ABSENT: &str = "–";

/// A cell of `column`, for the eye.
pub(crate) fn cell(column: &Column, cell: Cell) -> String {
    match (column.unit, cell) {
        (_, Cell::Absent) => ABSENT.to_owned(),
        (_, Cell::Verdict(verdict)) => {
            format!("{} ({} {})", verdict.word(), verdict.comparison.word(), target(verdict))
        }
        (Unit::Duration, Cell::Amount(micros)) => duration(micros),
        (Unit::Duration, Cell::Ratio { numerator, denominator }) => duration(rounded(numerator, denominator)),
        (_, Cell::Amount(amount)) => grouped(amount),
        (_, Cell::Ratio { numerator, denominator }) if is_rate(column) => {
            format!("{:.1}", quotient(numerator, denominator))
        }
        (_, Cell::Ratio { numerator, denominator }) => {
            format!("{:.1} %", quotient(numerator, denominator) * 100.0)
        }
    }
}

/// A target's value.
fn target(verdict: Verdict) -> String {
    match verdict.of {
        Unit::Duration => spoken(verdict.value),
        Unit::Ratio if !verdict.hourly => format!("{} %", decimal(verdict.value.saturating_mul(100))),
        Unit::Ratio | Unit::Count | Unit::Verdict => decimal(verdict.value),
    }
}

/// How many there are, thousands apart.
pub(crate) fn number(count: impl TryInto<i64>) -> String {
    grouped(count.try_into().unwrap_or(i64::MAX))
}

/// A duration (microseconds) as `m:ss`, from an hour on `h:mm:ss`; whole seconds.
pub(crate) fn duration(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let seconds = micros.unsigned_abs().saturating_add(500_000) / 1_000_000;
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{sign}{}:{minutes:02}:{rest:02}", grouped_magnitude(hours))
    } else {
        format!("{sign}{minutes}:{rest:02}")
    }
}

/// A duration (microseconds) in words and to the last digit: `4m30s`, `1h02m03.5s`.
pub(crate) fn spoken(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let total = micros.unsigned_abs();
    let (seconds, fraction) = (total / 1_000_000, total % 1_000_000);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}") };
    let fraction = fraction.trim_end_matches('0');
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{sign}{rest}{fraction}s"),
        (0, _) => format!("{sign}{minutes}m{rest:02}{fraction}s"),
        _ => format!("{sign}{}h{minutes:02}m{rest:02}{fraction}s", grouped_magnitude(hours)),
    }
}

/// An average duration (microseconds), and whether that is all of it: else it is rounded to milliseconds.
pub(crate) fn average(numerator: i64, denominator: i64) -> (i64, bool) {
    if numerator.checked_rem(denominator) == Some(0) {
        return (rounded(numerator, denominator), true);
    }
    (to_millis(rounded(numerator, denominator)), false)
}

/// A duration (microseconds) rounded to milliseconds.
pub(crate) fn to_millis(micros: i64) -> i64 {
    rounded(micros, 1_000).saturating_mul(1_000)
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(amount: i64) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    format!("{sign}{}", grouped_magnitude(amount.unsigned_abs()))
}

fn grouped_magnitude(amount: u64) -> String {
    let digits = amount.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count per hour is no share, though both are ratios without a unit.
pub(crate) fn is_rate(column: &Column) -> bool {
    column.name.contains("_per_hour")
}

#[allow(clippy::cast_precision_loss, reason = "one decimal place for the eye")]
fn quotient(numerator: i64, denominator: i64) -> f64 {
    numerator as f64 / denominator as f64
}

fn rounded(numerator: i64, denominator: i64) -> i64 {
    let half = denominator / 2;
    numerator.saturating_add(half).checked_div(denominator).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, unit: Unit) -> Column {
        Column { name: name.into(), unit, gauge: false }
    }

    #[test]
    fn durations_counts_shares_and_rates_read_as_people_write_them() {
        assert_eq!(duration(59_600_000), "1:00");
        assert_eq!(duration(3_723_000_000), "1:02:03");
        assert_eq!(grouped(1_234_567), "1,234,567");
        let third = Cell::Ratio { numerator: 1, denominator: 3 };
        assert_eq!(cell(&column("abandon_rate", Unit::Ratio), third), "33.3 %");
        assert_eq!([0, 40_000_000, 270_000_000].map(spoken), ["0s", "40s", "4m30s"]);
        assert_eq!([3_723_500_000, -1_000_001].map(spoken), ["1h02m03.5s", "-1.000001s"]);
        assert_eq!((average(9_000_000, 2), average(10_000_000, 3)), ((4_500_000, true), (3_333_000, false)));
        let rate = Cell::Ratio { numerator: 37, denominator: 2 };
        assert_eq!(cell(&column("contacts_per_hour", Unit::Ratio), rate), "18.5");
        assert_eq!(cell(&column("offered", Unit::Count), Cell::Absent), "–");
    }
}
