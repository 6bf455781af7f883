//! How long a durable append takes when the log is half busy: batches of 256 in process, and single calls through gRPC.
//! First the most that it can take is measured, then half of that comes by the clock; a latency counts from the instant
//! at which the append was due. Beside it, as many bytes as the log writes go into a plain file by the same clock.
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
    plain::PlainFile,
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
/// What the log writes of an event, bytes: compressed.
const EVENT_BYTES: usize = 20;
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
    let plain = plain_file(&runtime, &dir.path().join("plain"), batches_rate, half)?;
    let (single_rate, single) = runtime.block_on(single_calls(&dir.path().join("served"), half))?;

    let mut lines = Vec::new();
    let batches_rate = batches_rate * float(APPEND_EVENTS);
    for (way, rate, latencies, limit) in [
        ("batches of 256 in process", batches_rate, &batches, Some(P99_MS_MAX)),
        ("the same into a plain file, one fdatasync for all that wait", batches_rate, &plain, None),
        ("single calls through gRPC, 64 clients", single_rate, &single, Some(P99_MS_MAX)),
    ] {
        lines.push(Line::plain(format!("{way}: half load, events"), table::per_second(rate)));
        for (name, per_mille) in [("p50", 500), ("p90", 900)] {
            lines.push(Line::plain(
                format!("{way}: {name}, ms"),
                format!("{:.2}", latencies.millis(per_mille)),
            ));
        }
        let (p99, millis) = (format!("{way}: p99, ms"), latencies.millis(990));
        lines.push(match limit {
            Some(limit) => Line::with_limit(p99, millis, 2, limit),
            None => Line::plain(p99, format!("{millis:.2}")),
        });
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
    let mut gateway = Gateway::new(SUBMITTERS)?;
    let pool = (0..POOL_APPENDS).map(|_| gateway.append()).collect::<Outcome<Vec<_>>>()?;
    let mut appends = pool.iter().cycle().zip((1..).step_by(APPEND_EVENTS));
    let latencies = by_the_clock(runtime, rate, half, || {
        let (pooled, first_seq) = appends.next().ok_or("there is no append")?;
        let mut append = pooled.clone();
        append.batch = append.batch.map(|batch| SourceBatch { first_seq, ..batch });
        let pending = runtime.block_on(log.submit(append))?;
        Ok(async move { Ok(pending.await.map(drop)?) })
    })?;
    runtime.block_on(log.close())?;
    Ok((rate, latencies))
}

/// What the disk itself makes of it.
fn plain_file(
    runtime: &tokio::runtime::Runtime,
    path: &Path,
    rate: f64,
    length: Duration,
) -> Outcome<Histogram> {
    let file = PlainFile::start(path)?;
    by_the_clock(runtime, rate, length, || {
        let file = file.clone();
        let synced = async move { file.write(vec![7; APPEND_EVENTS * EVENT_BYTES]).await };
        Ok(async move { if synced.await { Ok(()) } else { Err("the plain file has failed".into()) } })
    })
}

/// A thread of its own hands in, because a timer of the runtime is only good for milliseconds.
fn by_the_clock<A: Future<Output = Outcome<()>> + Send + 'static>(
    runtime: &tokio::runtime::Runtime,
    rate: f64,
    length: Duration,
    mut hand_in: impl FnMut() -> Outcome<A>,
) -> Outcome<Histogram> {
    let step = Duration::from_secs_f64(1.0 / rate);
    let mut answers = Vec::new();
    let started = Instant::now();
    let mut due = started;
    while due < started + length {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let answer = hand_in()?;
        answers.push(runtime.spawn(async move { answer.await.map(|()| due.elapsed()) }));
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
