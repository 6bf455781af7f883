//! Lengths of waits, and of what tickets took, in buckets with fixed edges, so that percentiles merge like any other sum (KPIS.md §1).
//!
//! Below 128 µs each value has its own bucket, zero included; above, each power of two is cut into 64, so that
//! neighbouring edges are at most 1.6 % apart. Invariant: a length is in the bucket whose edges enclose it,
//! `min <= x < max`; a merged histogram is the sum of its parts.

use pegcount_domain::time::Micros;

use crate::{
    cells::{Detail, Dims},
    measure::{Measure, Sheet},
};

/// The measures that count by length.
pub(crate) const BY_LENGTH: [Measure; 6] = [
    Measure::WaitsAnswered,
    Measure::WaitsAbandoned,
    Measure::FirstResponseTook,
    Measure::FirstResponseTookWorking,
    Measure::ResolutionTook,
    Measure::ResolutionTookWorking,
];

/// Counts by length, of each of [`BY_LENGTH`].
pub(crate) type Lengths<L> = [L; BY_LENGTH.len()];

/// The place of a measure in [`BY_LENGTH`].
pub(crate) fn place(measure: Measure) -> Option<usize> {
    BY_LENGTH.iter().position(|other| *other == measure)
}

/// The same dimensions with a ticket's bucket in them: its group stands where visits have the bucket, and it has no direction or
/// priority.
pub(crate) fn with_length(dims: Dims, length: Micros) -> Dims {
    // There are some 3,700 buckets.
    let [low, high] = u16::try_from(bucket(length).0).unwrap_or(u16::MAX).to_le_bytes();
    Dims { direction: low, priority: high, ..dims }
}

/// The bucket of a row in which a measure of a sheet counts by length.
pub(crate) fn length(sheet: Sheet, dims: &Dims) -> Detail {
    match sheet {
        Sheet::Took => Detail(u16::from_le_bytes([dims.direction, dims.priority]).into()),
        _ => dims.detail,
    }
}

/// Each power of two is cut into so many: 64.
const CUT_BITS: u32 = 6;
/// Up to here every value has its own bucket.
const EXACT_MAX: u64 = 1 << (CUT_BITS + 1);

/// The bucket of a length; negative ones do not occur and count as zero.
pub(crate) fn bucket(length: Micros) -> Detail {
    let value = u64::try_from(length.0).unwrap_or(0);
    let shift = if value < EXACT_MAX { 0 } else { value.ilog2() - CUT_BITS };
    // The first 64 values of the next row follow on the last of this one.
    let bucket = (u64::from(shift) << CUT_BITS) + (value >> shift);
    Detail(u32::try_from(bucket).unwrap_or(u32::MAX))
}

/// The middle of a bucket.
pub(crate) fn middle(bucket: Detail) -> Micros {
    let row = bucket.0 >> CUT_BITS;
    let shift = row.saturating_sub(1);
    let within = u64::from(bucket.0) - (u64::from(shift) << CUT_BITS);
    let (least, width) = (within << shift, 1u64 << shift);
    Micros(i64::try_from(least + width / 2).unwrap_or(i64::MAX))
}

/// The value at a percentile by nearest rank, of buckets with their counts, sorted; none if nothing was counted.
pub(crate) fn percentile(counts: &[(Detail, i64)], percent: i64) -> Option<Micros> {
    let total: i64 = counts.iter().map(|(_, count)| count).sum();
    if total <= 0 {
        return None;
    }
    let rank = (total * percent + 99) / 100;
    let mut seen = 0;
    counts.iter().find_map(|(bucket, count)| {
        seen += count;
        (seen >= rank.max(1)).then(|| middle(*bucket))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_edges_are_at_most_two_percent_apart_and_zero_has_its_own_bucket() {
        assert_eq!(bucket(Micros(0)), Detail(0));
        assert_eq!(bucket(Micros(1)), Detail(1));
        let mut value = 128i64;
        while value < 40 * 24 * Micros::HOUR.0 {
            let own = bucket(Micros(value));
            let mut next = value;
            while bucket(Micros(next)) == own {
                next += (value / 512).max(1);
            }
            assert!(next * 100 <= value * 102, "{value} to {next}");
            assert_eq!(bucket(Micros(next)).0, own.0 + 1, "no bucket is left out");
            value = next;
        }
    }

    #[test]
    fn a_middle_lies_in_its_own_bucket() {
        for value in (0..2_000).chain((1..2_000_000_000).step_by(7_654_321)) {
            let own = bucket(Micros(value));
            assert_eq!(bucket(middle(own)), own, "{value}");
        }
    }

    #[test]
    fn a_ticket_s_bucket_comes_back_out_of_its_dimensions() {
        for value in [0, 1, 127, 128, 86_400_000_000, 400 * 86_400_000_000, i64::MAX] {
            let dims = with_length(Dims { detail: Detail(9), ..Dims::NONE }, Micros(value));
            assert_eq!((length(Sheet::Took, &dims), dims.detail), (bucket(Micros(value)), Detail(9)));
        }
    }

    #[test]
    fn percentiles_take_the_nearest_rank() {
        let counts: Vec<_> = (1..=10).map(|wait| (bucket(Micros(wait)), 1)).collect();
        assert_eq!(percentile(&counts, 50), Some(Micros(5)));
        assert_eq!(percentile(&counts, 90), Some(Micros(9)));
        assert_eq!(percentile(&counts, 91), Some(Micros(10)));
        assert_eq!(percentile(&[], 50), None);
        assert_eq!(percentile(&[(bucket(Micros(0)), 3)], 90), Some(Micros(0)));
    }
}
