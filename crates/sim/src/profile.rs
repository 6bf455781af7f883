//! How busy the customers make it, by local time of day; and who works when.
//!
//! Invariant: arrivals are a Poisson process whose rate never exceeds the busiest half hour's, so that thinning one
//! of constant rate gives them exactly.

use jiff::{Timestamp, tz::TimeZone};
use pegcount_domain::time::Micros;

/// The rate of each local half hour as a share of the busiest one's.
const HALF_HOURS: [f64; 48] = [
    0.06, 0.05, 0.04, 0.04, 0.03, 0.03, 0.03, 0.03, 0.04, 0.05, 0.07, 0.10, // 00:00
    0.14, 0.20, 0.30, 0.42, 0.58, 0.74, 0.88, 0.97, 1.00, 1.00, 0.96, 0.90, // 06:00
    0.78, 0.72, 0.74, 0.80, 0.88, 0.92, 0.94, 0.92, 0.88, 0.82, 0.76, 0.70, // 12:00
    0.62, 0.54, 0.48, 0.42, 0.36, 0.32, 0.28, 0.24, 0.18, 0.14, 0.10, 0.08, // 18:00
];

/// Microseconds since local midnight.
pub(crate) fn time_of_day(at: Micros, zone: &TimeZone) -> Micros {
    let instant = Timestamp::from_microsecond(at.0).unwrap_or_default();
    let local = zone.to_datetime(instant).time();
    let seconds = i64::from(local.hour()) * 3600 + i64::from(local.minute()) * 60 + i64::from(local.second());
    Micros(seconds * 1_000_000 + i64::from(local.subsec_nanosecond()) / 1_000)
}

/// How busy it is at `at`, as a share of the busiest half hour.
pub(crate) fn busyness(at: Micros, zone: &TimeZone) -> f64 {
    let half_hour = time_of_day(at, zone).0 / (30 * Micros::MINUTE.0);
    usize::try_from(half_hour).ok().and_then(|index| HALF_HOURS.get(index).copied()).unwrap_or(0.0)
}

/// When a shift begins, local time of day, and how long it is. Out of ten agents three begin early, four in the day,
/// two late, one works the night.
pub(crate) fn shift(agent: usize) -> (Micros, Micros) {
    let begins_min = match agent % 10 {
        0 | 4 | 7 => 6 * 60,
        1 | 3 | 6 | 8 => 8 * 60 + 30,
        2 | 5 => 13 * 60,
        _ => 21 * 60 + 30,
    };
    // Agents of one shift come a few minutes apart.
    let stagger_min = i64::try_from(agent / 10 % 7).unwrap_or_default() * 5;
    (Micros((begins_min + stagger_min) * Micros::MINUTE.0), Micros(510 * Micros::MINUTE.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_busiest_at_ten_local_time() {
        let zone = TimeZone::get("Asia/Jerusalem").unwrap();
        let ten = Micros(1_700_035_200_000_000); // 2023-11-15T08:00Z
        assert_eq!(time_of_day(ten, &zone), Micros(10 * Micros::HOUR.0));
        assert!(busyness(ten, &zone) >= 1.0);
        assert!(HALF_HOURS.iter().all(|share| (0.0..=1.0).contains(share)));
    }

    #[test]
    fn somebody_works_at_any_hour() {
        for hour in 0..24 {
            let at = hour * Micros::HOUR.0;
            let works = |agent| {
                let (begins, length) = shift(agent);
                (at - begins.0).rem_euclid(24 * Micros::HOUR.0) < length.0
            };
            assert!((0..10).any(works), "nobody at {hour}");
        }
    }
}
