//! Rounds, medians, and the time that a benchmark may take.
//!
//! Disks have moods: sides take turns in short rounds, a ratio is taken within each round, and the median of the
//! rounds counts. Invariant: a median is never of fewer than [`ROUNDS_MIN`] rounds, however short the time is.

use std::time::{Duration, Instant};

/// A median of fewer says nothing.
pub const ROUNDS_MIN: usize = 3;
/// More change nothing.
pub const ROUNDS_MAX: usize = 9;
/// What one benchmark takes unless `PEGCOUNT_BENCH_SECONDS` says otherwise: all of them stay under 15 minutes.
const SECONDS_DEFAULT: u64 = 100;

/// Says whether there is time for another round.
#[derive(Debug)]
pub struct Rounds {
    started: Instant,
    limit: Duration,
    done: usize,
}

impl Rounds {
    /// Begins now and goes on for `PEGCOUNT_BENCH_SECONDS`.
    pub fn begin() -> Self {
        let limit = Duration::from_secs(number("PEGCOUNT_BENCH_SECONDS", SECONDS_DEFAULT));
        Self { started: Instant::now(), limit, done: 0 }
    }

    /// Whether another round of the mean length so far fits in.
    pub fn another(&mut self) -> bool {
        let elapsed = self.started.elapsed();
        let mean = elapsed / u32::try_from(self.done.max(1)).unwrap_or(u32::MAX);
        let fits = self.done < ROUNDS_MAX && elapsed + mean < self.limit;
        let go_on = self.done < ROUNDS_MIN || fits;
        self.done += usize::from(go_on);
        go_on
    }

    /// How many rounds there were.
    pub fn done(&self) -> usize {
        self.done
    }
}

/// A whole number from the environment, or `default`.
pub fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The middle one; NaN if there is none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The median over rounds of `values / of`.
pub fn median_ratio(values: &[f64], of: &[f64]) -> f64 {
    median(&values.iter().zip(of).map(|(value, of)| value / of).collect::<Vec<_>>())
}

/// The lowest and the highest, for people.
pub fn spread(values: &[f64], decimals: usize) -> String {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{low:.decimals$} to {high:.decimals$}")
}

/// A count as a float.
pub fn float(count: impl TryInto<u64>) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "a benchmark's counts are far below 2^52")]
    let float = count.try_into().unwrap_or(u64::MAX) as f64;
    float
}

/// What else the machine was doing, as Linux tells it: the mean number of programs that wanted to run over the last
/// minute. To be asked before the measurement begins.
pub fn other_programs() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = text.split(' ').next().unwrap_or_default().to_owned();
    format!("other programs running before the start (load average): {load}")
}
