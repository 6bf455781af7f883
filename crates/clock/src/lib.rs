//! The clock as a port.
//!
//! Whoever needs the time of day, or to wait, gets a [`Clock`]: the demo, the tests and the simulator run server,
//! leases and clients on one scaled clock. Not for measuring how long code takes: that is `std::time::Instant`'s.
//!
//! Invariant: a clock never goes back between two calls in one process.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use parking_lot::Mutex;
use pegcount_domain::time::Micros;
use tokio::sync::watch;

/// A clock, cheap to clone; clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Kind>);

#[derive(Debug)]
enum Kind {
    /// Runs `speed` times as fast as the machine's, from `origin` on.
    Scaled { started: Instant, origin: Micros, speed: f64 },
    /// Stands still until it is set.
    Manual { now: watch::Sender<Micros>, newest: Mutex<Micros> },
}

impl Clock {
    /// The machine's clock: read once, then carried on by its monotonic clock, so that it never jumps.
    pub fn system() -> Self {
        Self::scaled(system_now(), 1.0)
    }

    /// Begins at `origin` now and runs `speed` times as fast as real time; a speed that is not above 0 counts as 1.
    pub fn scaled(origin: Micros, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self(Arc::new(Kind::Scaled { started: Instant::now(), origin, speed }))
    }

    /// Stands at `origin` until [`Clock::set`] moves it on.
    pub fn manual(origin: Micros) -> Self {
        Self(Arc::new(Kind::Manual { now: watch::Sender::new(origin), newest: Mutex::new(origin) }))
    }

    /// The instant it shows.
    pub fn now(&self) -> Micros {
        match &*self.0 {
            Kind::Scaled { started, origin, speed } => {
                #[allow(clippy::cast_possible_truncation, reason = "a float saturates, after 292,000 years")]
                let elapsed = (started.elapsed().as_secs_f64() * speed * 1e6) as i64;
                origin.plus(Micros(elapsed))
            }
            Kind::Manual { newest, .. } => *newest.lock(),
        }
    }

    /// How many of its seconds pass in a real one; 0 for one set by hand.
    pub fn speed(&self) -> f64 {
        match &*self.0 {
            Kind::Scaled { speed, .. } => *speed,
            Kind::Manual { .. } => 0.0,
        }
    }

    /// Moves a clock set by hand on to `instant`; never back. Other clocks stay as they are.
    pub fn set(&self, instant: Micros) {
        if let Kind::Manual { now, newest } = &*self.0 {
            let mut newest = newest.lock();
            *newest = instant.max(*newest);
            now.send_replace(*newest);
        }
    }

    /// Waits until it shows `instant` or later.
    pub async fn sleep_until(&self, instant: Micros) {
        match &*self.0 {
            Kind::Scaled { speed, .. } => loop {
                let left = instant.minus(self.now());
                if left <= Micros::ZERO {
                    return;
                }
                #[allow(clippy::cast_precision_loss, reason = "a wait needs no microsecond beyond 285 years")]
                let real = left.0 as f64 / speed / 1e6;
                // An hour at a time: a Duration cannot hold every quotient, and the loop looks again anyway.
                tokio::time::sleep(Duration::from_secs_f64(real.min(3600.0))).await;
            },
            Kind::Manual { now, .. } => {
                let mut now = now.subscribe();
                // An error means that the clock is gone; nobody waits for it then.
                let _ = now.wait_for(|now| *now >= instant).await;
            }
        }
    }

    /// Waits for `length` of its own time.
    pub async fn sleep(&self, length: Micros) {
        self.sleep_until(self.now().plus(length)).await;
    }
}

/// The machine's wall clock.
pub fn system_now() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_clock_set_by_hand_wakes_who_waits_and_never_goes_back() {
        let clock = Clock::manual(Micros(100));
        let waiter = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep_until(Micros(200)).await;
                clock.now()
            }
        });
        clock.set(Micros(250));
        clock.set(Micros(120));
        assert_eq!(waiter.await.unwrap(), Micros(250));
    }

    #[tokio::test]
    async fn a_scaled_clock_runs_as_many_times_faster_as_told() {
        let clock = Clock::scaled(Micros::ZERO, 10_000.0);
        let real = Instant::now();
        clock.sleep_until(Micros::from_secs(100)).await;
        assert!(clock.now() >= Micros::from_secs(100));
        assert!(real.elapsed() < Duration::from_secs(100), "100 of its seconds took 100 real ones");
    }
}
