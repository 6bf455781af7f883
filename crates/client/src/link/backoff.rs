//! How long to wait before connecting again: doubling pauses with jitter, in real time.
//!
//! Invariant: a pause lies between half of [`BACKOFF_MIN`] and [`BACKOFF_MAX`].

use std::time::Duration;

use uuid::Uuid;

use crate::limits::{BACKOFF_MAX, BACKOFF_MIN};

#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: BACKOFF_MIN }
    }
}

impl Backoff {
    /// The next pause: a random one between half and the whole of what has come due, so that a thousand softphones
    /// do not come back at the same instant.
    pub(super) fn next(&mut self) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(BACKOFF_MAX);
        let (random, _) = Uuid::new_v4().as_u64_pair();
        let percent = u32::try_from(random % 51).unwrap_or_default();
        whole * (50 + percent) / 100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_limit_and_stay_there() {
        let mut backoff = Backoff::default();
        let pauses: Vec<_> = (0..20).map(|_| backoff.next()).collect();
        assert!(pauses.iter().all(|pause| (BACKOFF_MIN / 2..=BACKOFF_MAX).contains(pause)));
        assert!(pauses[19] >= BACKOFF_MAX / 2);
    }
}
