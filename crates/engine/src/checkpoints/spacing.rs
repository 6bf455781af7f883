//! Which checkpoints stay: the last two, and of the older ones fewer the older they are.
//!
//! Counted in events before the newest, one stays in each of the stretches up to 1, 2, 4, 8 … times the usual distance, so
//! that what was known at any time is a short fold away for its age. Invariant: the last two always stay.

use super::{Checkpointing, Found};

/// Those that need not stay; `found` is sorted, the oldest first.
pub(super) fn superfluous<'a>(found: &'a [Found], keep: &Checkpointing) -> Vec<&'a Found> {
    let Some(newest) = found.last() else { return Vec::new() };
    let stretch = |one: &Found| {
        let before = (newest.position.0 - one.position.0) / keep.every_events.max(1);
        u64::BITS - before.leading_zeros()
    };
    let mut gone = Vec::new();
    let mut taken = None;
    let mut stay: Vec<&Found> = Vec::new();
    let older = found.get(..found.len().saturating_sub(2)).unwrap_or_default();
    for one in older {
        // The oldest of a stretch is the next to come into the one behind it.
        if taken == Some(stretch(one)) {
            gone.push(one);
        } else {
            taken = Some(stretch(one));
            stay.push(one);
        }
    }
    let last: u64 = found.iter().rev().take(2).map(|one| one.bytes).sum();
    let mut bytes = last;
    for one in stay.into_iter().rev() {
        bytes = bytes.saturating_add(one.bytes);
        if bytes > keep.bytes_max {
            gone.push(one);
        }
    }
    gone
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use pegcount_domain::envelope::Position;

    use super::*;

    fn keep(bytes_max: u64) -> Checkpointing {
        Checkpointing { every_events: 100, bytes_max, ..Checkpointing::default() }
    }

    /// After each of so many checkpoints, 100 events apart and of 10 bytes each, removes what need not stay.
    fn positions(count: u64, keep: &Checkpointing) -> Vec<u64> {
        let mut found: Vec<Found> = Vec::new();
        for number in 1..=count {
            found.push(Found { path: "x".into(), position: Position(number * 100), bytes: 10 });
            let gone: Vec<Found> = superfluous(&found, keep).into_iter().cloned().collect();
            found.retain(|one| !gone.contains(one));
        }
        found.into_iter().map(|one| one.position.0).collect()
    }

    #[test]
    fn the_older_they_are_the_fewer_stay_and_the_oldest_reach_far_back() {
        let stay = positions(1_000, &keep(u64::MAX));
        assert_eq!(&stay[stay.len() - 2..], [99_900, 100_000]);
        assert!((6..=12).contains(&stay.len()), "{stay:?}");
        assert!(stay[0] <= 50_000, "{stay:?}");
        // Nowhere is the gap longer than what lies behind it.
        for pair in stay.windows(2) {
            assert!(pair[1] - pair[0] <= 2 * (100_000 - pair[1]) + 200, "{stay:?}");
        }
    }

    #[test]
    fn they_take_so_many_bytes_at_most_but_the_last_two_stay() {
        assert!(positions(1_000, &keep(45)).len() <= 4);
        assert_eq!(positions(1_000, &keep(1)), [99_900, 100_000]);
    }
}
