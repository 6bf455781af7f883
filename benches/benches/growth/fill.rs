//! The process that fills a log and is killed while it goes on appending.
//!
//! Invariant: it never ends by itself, so what it leaves is what a killed server leaves; at the kill the hot end is nearly
//! as full as it gets, which is what opening has most to do with.

use std::{io::BufReader, path::Path, sync::Arc};

use pegcount_benches::{Outcome, appending, centre::Gateway, measure::float, role};
use pegcount_log::{Append, EventLog, SledLog, SledOptions};
use tokio::runtime::Runtime;

/// Who appends at once.
pub(crate) const SUBMITTERS: usize = 4;
/// Appends of each submitter that are made, then handed in.
pub(crate) const APPENDS: usize = 100;

/// What the process had done when it was killed.
pub(crate) struct Filled {
    /// Events that it had made by then.
    pub(crate) events: f64,
    /// Their length as they are sent.
    pub(crate) fact_bytes: f64,
}

/// Has another process fill the log in `dir` up to `events`, and kills it. Each stage has gateways of its own.
pub(crate) fn filled_and_killed(dir: &Path, events: u64, stage: usize) -> Outcome<Filled> {
    let mut child = role::another("fill", events, stage, dir)?.spawn()?;
    let mut said = BufReader::new(child.stdout.take().ok_or("no pipe")?);
    let told = role::numbers("fill", &mut said);
    child.kill()?;
    child.wait()?;
    let [events, fact_bytes] = told?;
    Ok(Filled { events, fact_bytes })
}

/// Fills, tells so, and goes on.
pub(crate) fn until_killed(dir: &Path, events: u64, stage: usize) -> Outcome<()> {
    // It must not go on when the process that would kill it is gone: then its input ends.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_line(&mut String::new());
        std::process::exit(1);
    });
    let runtime = Runtime::new()?;
    let log = Arc::new(SledLog::open(SledOptions::new(dir))?);
    let numbers = stage * SUBMITTERS..(stage + 1) * SUBMITTERS;
    let mut gateways = numbers.map(Gateway::new).collect::<Outcome<Vec<_>>>()?;
    let (mut made_events, mut told) = (0, false);
    loop {
        made_events += runtime.block_on(appending::run(&log, made(&mut gateways, APPENDS)?))?.facts;
        if !told && log.end().0 >= events && hot_is_nearly_full(&log) {
            let fact_bytes: u64 = gateways.iter().map(Gateway::fact_bytes).sum();
            role::tell("fill", &[float(made_events), float(fact_bytes)])?;
            told = true;
        }
    }
}

fn hot_is_nearly_full(log: &SledLog) -> bool {
    let status = log.status();
    let usual = status.sealed_end.0 / u64::try_from(status.segments.max(1)).unwrap_or(u64::MAX);
    status.end.0 - status.sealed_end.0 >= usual / 10 * 9
}

/// The next appends of each gateway.
pub(crate) fn made(gateways: &mut [Gateway], appends: usize) -> Outcome<Vec<Vec<Append>>> {
    gateways.iter_mut().map(|gateway| (0..appends).map(|_| gateway.append()).collect()).collect()
}
