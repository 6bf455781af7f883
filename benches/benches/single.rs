//! Single durable appends through gRPC, 64 clients that wait for each answer, against the same calls on a service that
//! throws them away, and beside the same appends in process. The sides take turns in short rounds.
//!
//! `cargo bench -p pegcount-benches --bench single`
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::{sync::Arc, time::Duration};

use pegcount_benches::{
    Outcome,
    appending::InProcess,
    measure::{Others, Rounds, median, median_ratio, spread},
    serve::{EmptyService, Pegcount},
    single::SingleCalls,
    table::{self, Line},
    writer::drive,
};
use pegcount_log::{EventLog, SledLog, SledOptions};

const CLIENTS: usize = 64;
/// How long each side writes in a round.
const TURN: Duration = Duration::from_secs(2);

fn main() -> Outcome<()> {
    let others = Others::begin();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let Rates { empty, in_process, durable } = runtime.block_on(compared())?;
    let others = others.share();
    let value = |rates: &[f64]| format!("{} ({})", table::per_second(median(rates)), spread(rates, 0));
    table::print(
        &format!("Single calls, {CLIENTS} clients (medians of {} rounds; {others})", empty.len()),
        &[
            Line::plain("a service that throws each call away", value(&empty)),
            Line::plain("durable appends in process, 64 sources that wait", value(&in_process)),
            Line::plain("durable (fdatasync before each answer), folds running", value(&durable)),
            Line::with_goal("ratio", median_ratio(&durable, &empty), 2, 0.8),
        ],
    );
    Ok(())
}

/// What each side reached in each round.
#[derive(Default)]
struct Rates {
    empty: Vec<f64>,
    in_process: Vec<f64>,
    durable: Vec<f64>,
}

async fn compared() -> Outcome<Rates> {
    let dir = tempfile::tempdir()?;
    let empty = EmptyService::start().await?;
    let pegcount = Pegcount::start(&dir.path().join("served")).await?;
    let log = Arc::new(SledLog::open(SledOptions::new(dir.path().join("alone")))?);
    let mut to_empty = SingleCalls::connect(&empty.endpoint, "", CLIENTS).await?;
    let mut to_pegcount = SingleCalls::connect(&pegcount.endpoint, &pegcount.token, CLIENTS).await?;
    let mut to_log = InProcess::sources(&log, CLIENTS)?;
    let mut rates = Rates::default();
    let mut rounds = Rounds::begin();
    while rounds.another() {
        let (clients, rate) = drive(to_empty, 1, TURN).await?;
        to_empty = clients;
        rates.empty.push(rate.per_second());
        let (clients, rate) = drive(to_pegcount, 1, TURN).await?;
        to_pegcount = clients;
        rates.durable.push(rate.per_second());
        pegcount.caught_up().await?;
        let (sources, rate) = drive(to_log, 1, TURN).await?;
        to_log = sources;
        rates.in_process.push(rate.per_second());
    }
    log.close().await?;
    pegcount.stop().await?;
    Ok(rates)
}
