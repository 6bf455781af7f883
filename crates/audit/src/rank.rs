//! The order in which facts happened, and small marks for long names.
//!
//! Invariant: the order of two facts depends on the facts alone: by time, the softphone before the exchange, then by the
//! source's own counter. Between two counters at one microsecond nothing decides but their numbers.

use pegcount_domain::{
    envelope::{Position, Recorded, StreamKind},
    ids::Key,
    time::Micros,
};

/// A fact's place in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    pub(crate) at: Micros,
    /// Said by an exchange, not by a softphone.
    pub(crate) by_exchange: bool,
    epoch: u64,
    seq: u64,
    pub(crate) position: Position,
}

impl Rank {
    /// Of a recorded fact that happened at `at`.
    pub(crate) fn of(recorded: &Recorded, at: Micros) -> Self {
        let by_exchange = recorded.stream.kind != StreamKind::Agent;
        let (epoch, seq) = match recorded.source_seq {
            Some(place) => (halves(place.epoch.0), place.seq),
            None => (0, recorded.position.0),
        };
        Self { at, by_exchange, epoch, seq, position: recorded.position }
    }

    /// The same fact at another instant.
    pub(crate) fn moved_to(self, at: Micros) -> Self {
        Self { at, ..self }
    }
}

/// The two halves of a wide number in one.
fn halves(wide: u128) -> u64 {
    let low = u64::try_from(wide & u128::from(u64::MAX)).unwrap_or_default();
    let high = u64::try_from(wide >> 64).unwrap_or_default();
    low ^ high
}

/// A name in 64 bits, never 0. They meet only within one contact or one agent's last days.
pub(crate) fn mark(key: Key) -> u64 {
    halves(key.0).max(1)
}

/// A leg of a contact in 64 bits, never 0. Ties between two legs of one contact are decided by it.
pub(crate) fn leg_mark(contact: Key, leg: Key) -> u64 {
    (halves(contact.0).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29) ^ halves(leg.0)).max(1)
}

/// Puts a thing at its place in a sorted list.
pub(crate) fn insert<T>(list: &mut Vec<T>, one: T, rank: impl Fn(&T) -> Rank) {
    let place = list.partition_point(|other| rank(other) < rank(&one));
    list.insert(place, one);
}
