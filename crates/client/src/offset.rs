//! How far the server's clock lies from ours, out of handshakes and heartbeats.
//!
//! Invariant: pure; times come in as arguments.

use std::collections::VecDeque;

use pegcount_domain::time::Micros;

use crate::limits::OFFSET_SAMPLES_MAX;

/// Measures the offset: server clock minus the midpoint of our clock before and after. Of the last few
/// measurements the one with the smallest round trip wins, since the midpoint is wrong by at most half of that.
#[derive(Clone, Debug, Default)]
pub struct OffsetEstimator {
    samples: VecDeque<Sample>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    offset: Micros,
    round_trip: Micros,
}

impl OffsetEstimator {
    /// Takes a measurement: our clock when asking, the server's when answering, ours when the answer came. An
    /// answer from before the question is left out.
    pub fn measured(&mut self, asked: Micros, server: Micros, answered: Micros) {
        let round_trip = answered.minus(asked);
        if round_trip < Micros::ZERO {
            return;
        }
        if self.samples.len() == OFFSET_SAMPLES_MAX {
            self.samples.pop_front();
        }
        let midpoint = asked.plus(Micros(round_trip.0 / 2));
        self.samples.push_back(Sample { offset: server.minus(midpoint), round_trip });
    }

    /// Server clock minus ours. An offset that the measurement cannot tell from 0 (within half the round trip) is
    /// 0: correcting by it would only add noise, and two programs on one clock stay exactly on it.
    pub fn offset(&self) -> Option<Micros> {
        let best = self.best()?;
        let uncertain = best.offset.0.unsigned_abs() <= best.round_trip.0.unsigned_abs().div_ceil(2);
        Some(if uncertain { Micros::ZERO } else { best.offset })
    }

    /// The smallest round trip among the last few.
    pub fn round_trip(&self) -> Option<Micros> {
        self.best().map(|sample| sample.round_trip)
    }

    fn best(&self) -> Option<&Sample> {
        self.samples.iter().min_by_key(|sample| sample.round_trip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Micros = Micros::HOUR;

    #[test]
    fn the_offset_is_the_servers_time_minus_the_midpoint_of_ours() {
        let mut clock = OffsetEstimator::default();
        clock.measured(Micros(1_000), HOUR.plus(Micros(1_100)), Micros(1_200));
        assert_eq!(clock.offset(), Some(HOUR));
    }

    #[test]
    fn the_smallest_round_trip_of_the_last_few_wins() {
        let mut clock = OffsetEstimator::default();
        clock.measured(Micros(0), Micros(500_000), Micros(100));
        clock.measured(Micros(0), Micros(700_000), Micros(90_000));
        assert_eq!(clock.offset(), Some(Micros(499_950)));
        for _ in 0..OFFSET_SAMPLES_MAX {
            clock.measured(Micros(0), Micros(700_000), Micros(90_000));
        }
        assert_eq!(clock.offset(), Some(Micros(655_000)), "an old measurement is forgotten");
    }

    #[test]
    fn an_offset_within_the_measurements_own_doubt_is_none() {
        let mut clock = OffsetEstimator::default();
        clock.measured(Micros(0), Micros(99_999), Micros(100_000));
        assert_eq!(clock.offset(), Some(Micros::ZERO));
    }

    #[test]
    fn nothing_measured_nothing_said() {
        let mut clock = OffsetEstimator::default();
        clock.measured(Micros(10), Micros(10), Micros(9));
        assert_eq!(clock.offset(), None);
    }
}
