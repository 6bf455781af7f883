//! How long a durable append takes when the log is half busy: batches of 256 in process, and single calls through gRPC.
//! First the most that it can take is measured, then half of that comes by the clock; a latency counts from the instant
//! at which the append was due.
//!
//! `cargo bench -p pegcount-benches --bench latency`
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::{path::Path, sync::Arc, time::Duration};

use pegcount_benches::{
    Outcome,
    appending::{self, APPEND_EVENTS},
    centre::Gateway,
    histogram::Histogram,
    measure::{Others, float, number},
    serve::Pegcount,
    single::SingleCalls,
    table::{self, Line},
    writer::{drive, paced},
};
use pegcount_log::{Append, EventLog, SledLog, SledOptions, SourceBatch};
use std::time::Instant;

const CLIENTS: usize = 64;
const SUBMITTERS: usize = 4;
/// How long the most is measured.
const FULL: Duration = Duration::from_secs(4);
/// Appends by which the most is measured in process.
const FULL_APPENDS: usize = 3_000;
/// Appends that are made beforehand and handed in again and again, so that making them takes no time from the log.
const POOL_APPENDS: usize = 400;
const P99_MS_MAX: f64 = 10.0;
/// How long half of it is kept up, unless `PEGCOUNT_BENCH_SECONDS` gives less for both.
const HALF_SECONDS: u64 = 25;

fn main() -> Outcome<()> {
    let others = Others::begin();
    let half =
        Duration::from_secs((number("PEGCOUNT_BENCH_SECONDS", 4 * HALF_SECONDS) / 3).clamp(3, HALF_SECONDS));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let dir = tempfile::tempdir()?;
    let (batches_rate, batches) = in_process(&runtime, &dir.path().join("log"), half)?;
    let (single_rate, single) = runtime.block_on(single_calls(&dir.path().join("served"), half))?;

    let mut lines = Vec::new();
    for (way, rate, latencies) in [
        ("batches of 256 in process", batches_rate * float(APPEND_EVENTS), &batches),
        ("single calls through gRPC, 64 clients", single_rate, &single),
    ] {
        lines.push(Line::plain(format!("{way}: half load, events"), table::per_second(rate)));
        for (name, per_mille) in [("p50", 500), ("p90", 900)] {
            lines.push(Line::plain(
                format!("{way}: {name}, ms"),
                format!("{:.2}", latencies.millis(per_mille)),
            ));
        }
        lines.push(Line::with_limit(format!("{way}: p99, ms"), latencies.millis(990), 2, P99_MS_MAX));
        let beyond = format!("{:.2}, {:.2}", latencies.millis(999), latencies.millis(1_000));
        lines.push(Line::plain(format!("{way}: p99.9 and the longest, ms"), beyond));
    }
    let others = others.share();
    table::print(&format!("Latency of durable appends at half load, {half:?} each ({others})"), &lines);
    batches.print("Batches of 256 in process");
    single.print("Single calls through gRPC");
    Ok(())
}

fn in_process(runtime: &tokio::runtime::Runtime, dir: &Path, half: Duration) -> Outcome<(f64, Histogram)> {
    let log = Arc::new(SledLog::open(SledOptions::new(dir))?);
    let work = (0..SUBMITTERS)
        .map(|number| {
            let mut gateway = Gateway::new(number)?;
            (0..FULL_APPENDS / SUBMITTERS).map(|_| gateway.append()).collect()
        })
        .collect::<Outcome<Vec<Vec<Append>>>>()?;
    let full = runtime.block_on(appending::run(&log, work))?.per_second() / float(APPEND_EVENTS);
    let rate = full / 2.0;
    let latencies = by_the_clock(runtime, &log, rate, half)?;
    runtime.block_on(log.close())?;
    Ok((rate, latencies))
}

/// A thread of its own hands in, because a timer of the runtime is only good for milliseconds.
fn by_the_clock(
    runtime: &tokio::runtime::Runtime,
    log: &SledLog,
    rate: f64,
    length: Duration,
) -> Outcome<Histogram> {
    let step = Duration::from_secs_f64(1.0 / rate);
    let mut gateway = Gateway::new(SUBMITTERS)?;
    let pool = (0..POOL_APPENDS).map(|_| gateway.append()).collect::<Outcome<Vec<_>>>()?;
    let mut answers = Vec::new();
    let started = Instant::now();
    let mut due = started;
    for (pooled, first_seq) in pool.iter().cycle().zip((1..).step_by(APPEND_EVENTS)) {
        if due >= started + length {
            break;
        }
        let mut append = pooled.clone();
        append.batch = append.batch.map(|batch| SourceBatch { first_seq, ..batch });
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let pending = runtime.block_on(log.submit(append))?;
        answers.push(runtime.spawn(async move { pending.await.map(|_| due.elapsed()) }));
        due += step;
    }
    let mut latencies = Histogram::default();
    for answer in answers {
        latencies.add(runtime.block_on(answer)??);
    }
    Ok(latencies)
}

async fn single_calls(dir: &Path, half: Duration) -> Outcome<(f64, Histogram)> {
    let pegcount = Pegcount::start(dir).await?;
    let clients = SingleCalls::connect(&pegcount.endpoint, &pegcount.token, CLIENTS).await?;
    let (clients, full) = drive(clients, 1, FULL).await?;
    let rate = full.per_second() / 2.0;
    let latencies = paced(clients, rate, half).await?;
    pegcount.stop().await?;
    Ok((rate, latencies))
}
