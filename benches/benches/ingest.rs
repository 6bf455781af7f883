//! Durable ingest through gRPC with the folds running, against a service that throws the stream away and against the
//! same facts appended in process; then replay of the same log from disk into KPI cells on one core. One process, one
//! run; the sides take turns in short rounds.
//!
//! `cargo bench -p pegcount-benches --bench ingest`; `BATCHES` sets the batches per client and round (default 1,000).
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::{path::Path, sync::Arc, time::Instant};

use pegcount_benches::{
    Outcome,
    appending::{self, append},
    measure::{Others, Rounds, float, median, median_ratio, number, spread},
    serve::{EmptyService, Pegcount},
    streaming::{self, BATCH_FACTS},
    table::{self, Line},
    workload::Calls,
};
use pegcount_domain::{
    envelope::Position,
    ids::{Epoch, Name},
};
use pegcount_engine::Figures;
use pegcount_log::{EventLog, SledLog, SledOptions};

const CLIENTS: usize = 4;
/// Agents of each client: a centre of 200 in all.
const AGENTS: usize = 50;
/// What streaming should reach of the empty service, and of appends in process: the smaller of both.
const OF_EMPTY: f64 = 0.4;
const OF_IN_PROCESS: f64 = 0.6;
/// Appends in process of each submitter and round: they are made before the clock starts, so they stay in memory.
const APPENDS_MAX: usize = 400;

fn main() -> Outcome<()> {
    let others = Others::begin();
    let batches = usize::try_from(number("BATCHES", 1_000))?;
    let dir = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let rates = runtime.block_on(compared(dir.path(), batches))?;
    drop(runtime);
    let replayed = replay(dir.path())?;

    let Rates { empty, durable, in_process } = rates;
    let bars: Vec<_> = empty
        .iter()
        .zip(&in_process)
        .map(|(empty, in_process)| (OF_EMPTY * empty).min(OF_IN_PROCESS * in_process))
        .collect();
    let value = |rates: &[f64]| format!("{} ({})", table::per_second(median(rates)), spread(rates, 0));
    let ratio = |of: &[f64]| format!("{:.3}", median_ratio(&durable, of));
    let others = others.share();
    table::print(
        &format!(
            "Ingest and replay ({CLIENTS} streaming clients, {} agents, batches of {BATCH_FACTS}, {batches} batches per \
             client and round, medians of {} rounds; {others})",
            CLIENTS * AGENTS,
            empty.len()
        ),
        &[
            Line::plain("a service that throws the stream away", value(&empty)),
            Line::plain("durable appends in process, 4 submitters, the same facts", value(&in_process)),
            Line::plain("durable ingest through gRPC, folds running", value(&durable)),
            Line::plain("ratio to the empty service", ratio(&empty)),
            Line::plain("ratio to appends in process", ratio(&in_process)),
            Line::with_goal(
                format!("ratio to the smaller of {OF_EMPTY} x empty and {OF_IN_PROCESS} x in process"),
                median_ratio(&durable, &bars),
                2,
                1.0,
            ),
            Line::with_goal("replay from disk into KPI cells, one core, events/s", replayed, 0, 1_000_000.0),
        ],
    );
    Ok(())
}

/// What each side reached in each round.
#[derive(Default)]
struct Rates {
    empty: Vec<f64>,
    durable: Vec<f64>,
    in_process: Vec<f64>,
}

async fn compared(dir: &Path, batches: usize) -> Outcome<Rates> {
    let empty = EmptyService::start().await?;
    let pegcount = Pegcount::start(dir).await?;
    // A first short run warms code and connections.
    streaming::run(&empty.endpoint, "", CLIENTS, AGENTS, batches / 10).await?;
    streaming::run(&pegcount.endpoint, &pegcount.token, CLIENTS, AGENTS, batches / 10).await?;
    let mut rates = Rates::default();
    let mut rounds = Rounds::begin();
    while rounds.another() {
        pegcount.caught_up().await?;
        let rate = streaming::run(&empty.endpoint, "", CLIENTS, AGENTS, batches).await?;
        rates.empty.push(rate.per_second());
        let rate = streaming::run(&pegcount.endpoint, &pegcount.token, CLIENTS, AGENTS, batches).await?;
        rates.durable.push(rate.per_second());
        pegcount.caught_up().await?;
        rates.in_process.push(in_process(batches.min(APPENDS_MAX)).await?);
    }
    pegcount.stop().await?;
    Ok(rates)
}

/// The same facts, made before the clock starts, into a log of their own.
async fn in_process(batches: usize) -> Outcome<f64> {
    let dir = tempfile::tempdir()?;
    let log = Arc::new(SledLog::open(SledOptions::new(dir.path()))?);
    let mut work = Vec::new();
    for client in 0..CLIENTS {
        let mut calls = Calls::new(client, AGENTS);
        let source = Name::new(&format!("gateway-{client}"))?;
        let appends = (0..batches).map(|_| append(&source, Epoch(1), &calls.batch(BATCH_FACTS)));
        work.push(appends.collect::<Outcome<_>>()?);
    }
    let rate = appending::run(&log, work).await?;
    log.close().await?;
    Ok(rate.per_second())
}

/// Reads every frame from disk and folds it, on this thread alone. The log's opening scan is not part of it.
fn replay(dir: &Path) -> Outcome<f64> {
    let log = SledLog::open(SledOptions::new(dir.join("log")))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut figures = Figures::new(7);
        let started = Instant::now();
        let mut next = Position::START.next();
        while let Some(frame) = log.read(next).await? {
            next = frame.last().next();
            figures.fold(&frame);
        }
        Ok(float(log.end().0) / started.elapsed().as_secs_f64())
    })
}
