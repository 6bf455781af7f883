//! Draws: the few distributions that a contact centre is made of.
//!
//! Invariant: everything random comes from here, out of one seeded generator.

use pegcount_domain::time::Micros;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, Exp, LogNormal};

#[derive(Debug)]
pub(crate) struct Dice(StdRng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.0.random::<f64>() < probability
    }

    /// Evenly between two lengths, in seconds.
    pub(crate) fn between(&mut self, from_s: f64, to_s: f64) -> Micros {
        let at = self.0.random::<f64>();
        micros(from_s + (to_s - from_s) * at)
    }

    /// Exponential with this mean, in seconds: how long until something that has no memory happens.
    pub(crate) fn exponential(&mut self, mean_s: f64) -> Micros {
        Exp::new(1.0 / mean_s).map_or(Micros::ZERO, |drawn| micros(drawn.sample(&mut self.0)))
    }

    /// Lognormal with this median, in seconds: how long people talk and write.
    pub(crate) fn lognormal(&mut self, median_s: f64, sigma: f64) -> Micros {
        LogNormal::new(median_s.ln(), sigma).map_or(Micros::ZERO, |drawn| micros(drawn.sample(&mut self.0)))
    }

    /// One of the first `count` numbers, evenly.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        self.0.random_range(0..count.max(1))
    }

    /// A place in a list of weights.
    pub(crate) fn weighted(&mut self, weights: impl Iterator<Item = f64> + Clone) -> usize {
        let mut at = self.0.random::<f64>() * weights.clone().sum::<f64>();
        for (index, weight) in weights.enumerate() {
            at -= weight;
            if at < 0.0 {
                return index;
            }
        }
        0
    }

    /// One of these.
    pub(crate) fn one_of<T: Copy + Default>(&mut self, from: &[T]) -> T {
        from.get(self.below(from.len())).copied().unwrap_or_default()
    }

    /// 128 random bits.
    pub(crate) fn id(&mut self) -> u128 {
        self.0.random()
    }
}

/// Whole microseconds of so many seconds; saturates.
#[allow(clippy::cast_possible_truncation, reason = "a float saturates; lengths here are hours at most")]
pub(crate) fn micros(seconds: f64) -> Micros {
    Micros((seconds * 1e6) as i64)
}
