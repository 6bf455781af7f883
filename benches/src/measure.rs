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

/// The processor time of all threads of this process, and of the ended ones that it started, in ticks.
fn own_ticks() -> Option<u64> {
    ticks_of("self")
}

fn ticks_of(process: &str) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The program's name, in brackets, may hold spaces; utime, stime, cutime and cstime are the 12th to 15th after it.
    let after = stat.rsplit_once(')')?.1;
    after.split_whitespace().skip(11).take(4).map(|ticks| ticks.parse::<u64>().ok()).sum()
}

/// What Linux shows to programs, whatever its own clock.
const TICKS_PER_SECOND: f64 = 100.0;

/// The processor time of this process and of the ended ones that it started, seconds.
pub fn processor_seconds() -> f64 {
    own_ticks().map_or(f64::NAN, float) / TICKS_PER_SECOND
}

/// The same of another process.
pub fn processor_seconds_of(process: u32) -> f64 {
    ticks_of(&process.to_string()).map_or(f64::NAN, float) / TICKS_PER_SECOND
}

/// What else the machine was doing while a benchmark ran, as Linux tells it.
#[derive(Debug)]
pub struct Others {
    all: Vec<u64>,
    own: u64,
}

impl Others {
    /// From now on.
    pub fn begin() -> Self {
        Self { all: machine_ticks(), own: own_ticks().unwrap_or_default() }
    }

    /// The share of both cores that neither this benchmark nor idleness had, for the table's title. To be asked when
    /// the processes that it started have ended.
    pub fn share(&self) -> String {
        let spent: Vec<_> = machine_ticks().iter().zip(&self.all).map(|(now, then)| now - then).collect();
        let total: u64 = spent.iter().take(8).sum();
        let column = |index: usize| spent.get(index).copied().unwrap_or_default();
        let (idle, stolen) = (column(3) + column(4), column(7));
        let own = own_ticks().unwrap_or_default() - self.own;
        let others = total.saturating_sub(idle + stolen + own);
        let percent = |ticks: u64| 100.0 * float(ticks) / float(total.max(1));
        format!(
            "other programs running: {:.0} % of the processors, the host {:.0} %",
            percent(others),
            percent(stolen)
        )
    }
}

/// user, nice, system, idle, waiting for disks, interrupts (2), stolen by the host; in ticks.
fn machine_ticks() -> Vec<u64> {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().unwrap_or_default();
    line.split_whitespace().skip(1).filter_map(|ticks| ticks.parse().ok()).collect()
}

/// Of this process's memory what Linux tells under `label`, MB.
pub fn memory_mb(label: &str) -> crate::Outcome<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|line| line.strip_prefix(label)).ok_or("Linux tells no such memory")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kib * 1_024.0 / 1e6)
}
