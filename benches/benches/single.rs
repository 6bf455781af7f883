//! Single durable appends through gRPC, 64 clients that wait for each answer, against the same calls on a service that
//! throws them away, and beside the same appends in process. The sides take turns in short rounds.
//!
//! `cargo bench -p pegcount-benches --bench single`
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::{sync::Arc, time::Duration};

use pegcount_benches::{
    Outcome,
    appending::InProcess,
    measure::{Others, Rounds, float, median, median_ratio, processor_seconds, spread},
    serve::{EmptyService, Pegcount},
    single::SingleCalls,
    table::{self, Line},
    writer::{Writer, drive},
};
use pegcount_log::{EventLog, SledLog, SledOptions};

const CLIENTS: usize = 64;
/// How long each side writes in a round.
const TURN: Duration = Duration::from_secs(2);

fn main() -> Outcome<()> {
    let others = Others::begin();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let Sides { empty, plain, in_process, durable } = runtime.block_on(compared())?;
    let others = others.share();
    let value = |side: &Side| {
        let rate = table::per_second(median(&side.rates));
        format!("{rate} ({}), {:.0} us of processors each", spread(&side.rates, 0), median(&side.micros))
    };
    table::print(
        &format!("Single calls, {CLIENTS} clients (medians of {} rounds; {others})", empty.rates.len()),
        &[
            Line::plain("a service that throws each call away", value(&empty)),
            Line::plain(
                "a service that writes each call to a plain file, one fdatasync a group",
                value(&plain),
            ),
            Line::plain("durable appends in process, 64 sources that wait", value(&in_process)),
            Line::plain("durable (fdatasync before each answer), folds running", value(&durable)),
            Line::with_goal("ratio", median_ratio(&durable.rates, &empty.rates), 2, 0.8),
            Line::plain(
                "that of the plain file, which no log can pass",
                format!("{:.2}", median_ratio(&plain.rates, &empty.rates)),
            ),
            Line::plain(
                "durable calls to the plain file's",
                format!("{:.2}", median_ratio(&durable.rates, &plain.rates)),
            ),
        ],
    );
    Ok(())
}

/// What the sides reached.
#[derive(Default)]
struct Sides {
    empty: Side,
    plain: Side,
    in_process: Side,
    durable: Side,
}

/// What one side reached in each round, and what a call took: of the processors, clients and folds included.
#[derive(Default)]
struct Side {
    rates: Vec<f64>,
    micros: Vec<f64>,
}

impl Side {
    /// Lets the writers write for a turn, and whatever that sets off come to its end.
    async fn turn<W: Writer>(
        &mut self,
        writers: &mut Vec<W>,
        settled: impl Future<Output = Outcome<()>>,
    ) -> Outcome<()> {
        let before = processor_seconds();
        let (given_back, rate) = drive(std::mem::take(writers), 1, TURN).await?;
        *writers = given_back;
        settled.await?;
        self.rates.push(rate.per_second());
        self.micros.push((processor_seconds() - before) * 1e6 / float(rate.facts));
        Ok(())
    }
}

async fn compared() -> Outcome<Sides> {
    let dir = tempfile::tempdir()?;
    let empty = EmptyService::start().await?;
    let plain = EmptyService::on_file(&dir.path().join("plain")).await?;
    let pegcount = Pegcount::start(&dir.path().join("served")).await?;
    let log = Arc::new(SledLog::open(SledOptions::new(dir.path().join("alone")))?);
    let mut to_empty = SingleCalls::connect(&empty.endpoint, "", CLIENTS).await?;
    let mut to_plain = SingleCalls::connect(&plain.endpoint, "", CLIENTS).await?;
    let mut to_pegcount = SingleCalls::connect(&pegcount.endpoint, &pegcount.token, CLIENTS).await?;
    let mut to_log = InProcess::sources(&log, CLIENTS)?;
    let mut sides = Sides::default();
    let mut rounds = Rounds::begin();
    while rounds.another() {
        sides.empty.turn(&mut to_empty, async { Ok(()) }).await?;
        sides.plain.turn(&mut to_plain, async { Ok(()) }).await?;
        sides.durable.turn(&mut to_pegcount, pegcount.caught_up()).await?;
        sides.in_process.turn(&mut to_log, async { Ok(()) }).await?;
    }
    log.close().await?;
    pegcount.stop().await?;
    Ok(sides)
}
