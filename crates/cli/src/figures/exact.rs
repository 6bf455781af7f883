//! Whole numbers as decimal text, without floating point in between.
//!
//! For files that other programs read. Not for the eye: [`super::human`] rounds for that. Invariant: microseconds
//! become decimal seconds exactly; a quotient is rounded once, to [`DECIMALS_MAX`] places, half away from zero.

use serde_json::Value;

/// The most digits after the point: microseconds in seconds need six.
pub(crate) const DECIMALS_MAX: u32 = 6;

const MICROS_PER_SECOND: i128 = 1_000_000;

/// A duration (microseconds) as decimal seconds: `1500000` is `1.5`.
pub(crate) fn seconds(micros: i64) -> String {
    quotient(i128::from(micros), MICROS_PER_SECOND)
}

/// An average duration, `numerator` microseconds over `denominator` things, as decimal seconds. The denominator is
/// not 0.
pub(crate) fn average_seconds(numerator: i64, denominator: i64) -> String {
    quotient(i128::from(numerator), i128::from(denominator) * MICROS_PER_SECOND)
}

/// A ratio. The denominator is not 0.
pub(crate) fn ratio(numerator: i64, denominator: i64) -> String {
    quotient(i128::from(numerator), i128::from(denominator))
}

/// A decimal as a JSON number, digit by digit. What cannot be one, which does not happen, stays a text.
pub(crate) fn json(decimal: String) -> Value {
    serde_json::from_str(&decimal).map_or(Value::String(decimal), Value::Number)
}

fn quotient(numerator: i128, denominator: i128) -> String {
    let unit = 10i128.pow(DECIMALS_MAX);
    let negative = (numerator < 0) != (denominator < 0);
    let denominator = denominator.abs().max(1);
    // Twice the value plus one half, so that the division rounds half away from zero.
    let scaled = (numerator.abs() * unit * 2 + denominator) / (denominator * 2);
    let sign = if negative && scaled > 0 { "-" } else { "" };
    let (whole, fraction) = (scaled / unit, scaled % unit);
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    let fraction = format!("{fraction:06}");
    format!("{sign}{whole}.{}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_become_decimal_seconds_to_the_last_digit() {
        assert_eq!(seconds(0), "0");
        assert_eq!(seconds(47_080_000_000), "47080");
        assert_eq!(seconds(1), "0.000001");
        assert_eq!(seconds(-1_500_000), "-1.5");
        // Past the 53 bits of a double.
        assert_eq!(seconds(i64::MAX), "9223372036854.775807");
    }

    #[test]
    fn a_decimal_is_a_number_in_json() {
        assert_eq!(json("12.5".to_owned()), serde_json::json!(12.5));
    }

    #[test]
    fn a_quotient_is_rounded_once_half_away_from_zero() {
        assert_eq!(ratio(1, 3), "0.333333");
        assert_eq!(ratio(2, 3), "0.666667");
        assert_eq!(ratio(1, 2_000_000), "0.000001");
        assert_eq!(ratio(-1, 2_000_000), "-0.000001");
        assert_eq!(ratio(-1, 1_000_000_000), "0");
        assert_eq!(average_seconds(85_703_000_000, 620), "138.230645");
    }
}
