//! Latencies: every one is kept, so percentiles are exact; printed as a histogram whose bounds double.

use std::time::Duration;

use crate::measure::float;

/// The widest bar, characters.
const BAR: f64 = 40.0;

/// Every latency of a run.
#[derive(Clone, Debug, Default)]
pub struct Histogram(Vec<Duration>);

impl Histogram {
    /// Takes one in.
    pub fn add(&mut self, latency: Duration) {
        self.0.push(latency);
    }

    /// Takes all of another in.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The latency in ms that `per_mille` of a thousand do not exceed.
    pub fn millis(&self, per_mille: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let index = (sorted.len() * per_mille / 1_000).min(sorted.len().saturating_sub(1));
        sorted.get(index).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1_000.0)
    }

    /// Prints one bar per doubling.
    pub fn print(&self, title: &str) {
        println!("\n{title}, {} appends\n\n```text", self.count());
        let mut from = Duration::ZERO;
        let mut to = Duration::from_micros(250);
        while from <= self.0.iter().max().copied().unwrap_or_default() {
            let count = self.0.iter().filter(|latency| (from..to).contains(*latency)).count();
            let share = float(count) / float(self.count());
            println!(
                "{:>8.2} to {:>8.2} ms  {:>6.2} %  {}",
                from.as_secs_f64() * 1e3,
                to.as_secs_f64() * 1e3,
                share * 100.0,
                bar(share)
            );
            (from, to) = (to, to * 2);
        }
        println!("```");
    }
}

fn bar(share: f64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share times 40, rounded")]
    let width = (share * BAR).ceil() as usize;
    "#".repeat(width)
}
