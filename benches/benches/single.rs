//! Single durable appends through gRPC, 64 clients that wait for each answer, against the same calls on a service that
//! throws them away. The sides take turns in short rounds.
//!
//! `cargo bench -p pegcount-benches --bench single`
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::time::Duration;

use pegcount_benches::{
    Outcome,
    measure::{Others, Rounds, median, median_ratio, spread},
    serve::{EmptyService, Pegcount},
    single::SingleCalls,
    table::{self, Line},
    writer::drive,
};

const CLIENTS: usize = 64;
/// How long each side writes in a round.
const TURN: Duration = Duration::from_secs(3);

fn main() -> Outcome<()> {
    let others = Others::begin();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (empty, durable) = runtime.block_on(compared())?;
    let others = others.share();
    let value = |rates: &[f64]| format!("{} ({})", table::per_second(median(rates)), spread(rates, 0));
    table::print(
        &format!("Single calls, {CLIENTS} clients (medians of {} rounds; {others})", empty.len()),
        &[
            Line::plain("a service that throws each call away", value(&empty)),
            Line::plain("durable (fdatasync before each answer), folds running", value(&durable)),
            Line::with_goal("ratio", median_ratio(&durable, &empty), 2, 0.8),
        ],
    );
    Ok(())
}

async fn compared() -> Outcome<(Vec<f64>, Vec<f64>)> {
    let dir = tempfile::tempdir()?;
    let empty = EmptyService::start().await?;
    let pegcount = Pegcount::start(dir.path()).await?;
    let mut to_empty = SingleCalls::connect(&empty.endpoint, "", CLIENTS).await?;
    let mut to_pegcount = SingleCalls::connect(&pegcount.endpoint, &pegcount.token, CLIENTS).await?;
    let (mut thrown, mut durable) = (Vec::new(), Vec::new());
    let mut rounds = Rounds::begin();
    while rounds.another() {
        let (clients, rate) = drive(to_empty, 1, TURN).await?;
        to_empty = clients;
        thrown.push(rate.per_second());
        let (clients, rate) = drive(to_pegcount, 1, TURN).await?;
        to_pegcount = clients;
        durable.push(rate.per_second());
    }
    pegcount.stop().await?;
    Ok((thrown, durable))
}
