//! The log that everything else is about, and the process that folds it and is killed.
//!
//! Invariant: it is killed while it does nothing but answer, a tail of events after its last checkpoint.

use std::{io::BufReader, path::Path, sync::Arc};

use pegcount_benches::{Outcome, appending, centre::Gateway, measure::float, role};
use pegcount_engine::{Engine, EngineOptions};
use pegcount_log::{Append, EventLog, SledLog, SledOptions};
use tokio::runtime::Runtime;

const GATEWAYS: usize = 4;
/// Appends of each gateway that are made, then handed in.
const APPENDS: usize = 100;
/// Events after the checkpoint, as many as come at most between two.
const TAIL: u64 = 250_000;
/// Fills the log in `dir` up to so many events, but for the tail; the rounds of appends that took.
pub(crate) fn fill(dir: &Path, events: u64) -> Outcome<usize> {
    append(dir, gateways()?, events.saturating_sub(TAIL))
}

fn gateways() -> Outcome<Vec<Gateway>> {
    (0..GATEWAYS).map(Gateway::new).collect()
}

/// The gateways as they are after so many rounds of [`append`]: another process goes on with what they would say next.
fn gateways_after(rounds: usize) -> Outcome<Vec<Gateway>> {
    let mut gateways = gateways()?;
    for gateway in &mut gateways {
        for _ in 0..rounds * APPENDS {
            gateway.append()?;
        }
    }
    Ok(gateways)
}

fn append(dir: &Path, mut gateways: Vec<Gateway>, up_to: u64) -> Outcome<usize> {
    let runtime = Runtime::new()?;
    let log = Arc::new(SledLog::open(SledOptions::new(dir.join("log")))?);
    let mut rounds = 0;
    while log.end().0 < up_to {
        let made = |gateway: &mut Gateway| (0..APPENDS).map(|_| gateway.append()).collect();
        let made: Vec<Vec<Append>> = gateways.iter_mut().map(made).collect::<Outcome<_>>()?;
        runtime.block_on(appending::run(&log, made))?;
        rounds += 1;
    }
    runtime.block_on(log.close())?;
    Ok(rounds)
}

/// What the process that was killed had done.
pub(crate) struct Killed {
    /// How long its own start took: it had no checkpoint.
    pub(crate) first_start_seconds: f64,
    pub(crate) checkpoint_seconds: f64,
    pub(crate) checkpoint_mb: f64,
    /// Of memory, with both folds and while a checkpoint is made.
    pub(crate) folded_mb: f64,
    pub(crate) peak_mb: f64,
}

/// Has another process fold the log, make a checkpoint and wait; kills it, and adds the tail.
pub(crate) fn folded_and_killed(dir: &Path, rounds: usize) -> Outcome<Killed> {
    let mut child = role::another("go-on", TAIL, rounds, dir)?.spawn()?;
    let mut said = BufReader::new(child.stdout.take().ok_or("no pipe")?);
    let told = role::numbers("go-on", &mut said);
    child.kill()?;
    child.wait()?;
    let [first_start_seconds, checkpoint_seconds, checkpoint_mb, folded_mb, peak_mb] = told?;
    Ok(Killed { first_start_seconds, checkpoint_seconds, checkpoint_mb, folded_mb, peak_mb })
}

/// Folds, makes a checkpoint, takes the tail in and waits for the end.
pub(crate) fn go_on(dir: &Path, tail: u64, rounds: usize) -> Outcome<()> {
    use pegcount_benches::measure::memory_mb;
    let runtime = Runtime::new()?;
    let begun = std::time::Instant::now();
    let engine = runtime.block_on(Engine::open(EngineOptions::folder(dir)))?;
    let first_start = begun.elapsed().as_secs_f64();
    let folded_mb = memory_mb("VmRSS:")?;
    let begun = std::time::Instant::now();
    let made = runtime.block_on(engine.checkpoint())?.ok_or("no checkpoint was made")?;
    let seconds = begun.elapsed().as_secs_f64();
    let peak_mb = memory_mb("VmHWM:")?;
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir.join("checkpoints"))? {
        bytes += entry?.metadata()?.len();
    }
    runtime.block_on(engine.close())?;
    drop(engine);
    append(dir, gateways_after(rounds)?, made.0 + tail)?;
    let engine = runtime.block_on(Engine::open(EngineOptions::folder(dir)))?;
    role::tell("go-on", &[first_start, seconds, float(bytes) / 1e6, folded_mb, peak_mb])?;
    // Until it is killed, or whoever would kill it is gone.
    let _ = std::io::stdin().read_line(&mut String::new());
    drop(engine);
    Ok(())
}
