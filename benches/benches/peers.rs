//! Pegcount's durable ingest against PostgreSQL, JetStream and UmaDB on the same machine and disk, each with its durable
//! settings, in short rounds in which the sides take turns. A peer that is not installed is named as missing.
//!
//! `benches/peers/install.sh; cargo bench -p pegcount-benches --features peers --bench peers`
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::time::Duration;

use pegcount_benches::{
    Outcome,
    measure::{Others, Rounds, median, median_ratio, spread},
    peers::{NOT_INSTALLED, jetstream, postgres, process::Process, umadb},
    serve::Pegcount,
    single::SingleCalls,
    streaming::{self, Streams},
    table::{self, Line},
    writer::{Writer, drive},
};

/// Clients of single calls, and of batches where more of them make it faster.
const CLIENTS: usize = 64;
/// Connections that insert many rows at once: several for each core.
const ROWS_CLIENTS: usize = 8;
const ROWS: usize = 256;
const BATCH: usize = 100;
const IN_FLIGHT: usize = 512;
/// How long each side writes in a round.
const TURN: Duration = Duration::from_secs(2);
/// Our streams: 4 connections, 200 agents, so many batches of 256 each.
const STREAMS: usize = 4;
const STREAM_AGENTS: usize = 50;
const STREAM_BATCHES: usize = 1_000;

fn main() -> Outcome<()> {
    let others = Others::begin();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (lines, rounds) = runtime.block_on(compared())?;
    let others = others.share();
    table::print(&format!("Pegcount and its peers (medians of {rounds} rounds; {others})"), &lines);
    Ok(())
}

/// One way of writing, with what it reached in each round.
struct Side<W> {
    writers: Vec<W>,
    events: usize,
    rates: Vec<f64>,
}

impl<W: Writer> Side<W> {
    fn new(writers: Vec<W>, events: usize) -> Self {
        Self { writers, events, rates: Vec::new() }
    }

    async fn turn(&mut self) -> Outcome<()> {
        if self.writers.is_empty() {
            return Ok(());
        }
        let writers = std::mem::take(&mut self.writers);
        let (writers, rate) = drive(writers, self.events, TURN).await?;
        self.writers = writers;
        self.rates.push(rate.per_second());
        Ok(())
    }
}

/// Every side. The processes end when this goes.
struct Sides {
    streaming: Vec<f64>,
    single: Side<SingleCalls>,
    batches: Side<SingleCalls>,
    streamed: Side<Streams>,
    rows_single: Side<postgres::Inserts>,
    rows_many: Side<postgres::Inserts>,
    published: Side<jetstream::Publishes>,
    uma_single: Side<umadb::Appends>,
    uma_batches: Side<umadb::Appends>,
    _processes: [Option<Process>; 3],
}

impl Sides {
    async fn start(pegcount: &Pegcount) -> Outcome<Self> {
        let (postgres, jetstream, umadb) = (postgres::start()?, jetstream::start()?, umadb::start()?);
        let (mut one, mut many) = (Vec::new(), Vec::new());
        if let Some(process) = &postgres {
            one = postgres::Inserts::connect(process.port, 0, CLIENTS).await?;
            many = postgres::Inserts::connect(process.port, CLIENTS, ROWS_CLIENTS).await?;
        }
        let mut published = Vec::new();
        if let Some(process) = &jetstream {
            published = jetstream::Publishes::connect(process.port, IN_FLIGHT).await?;
        }
        let (mut uma_single, mut uma_batches) = (Vec::new(), Vec::new());
        if let Some(process) = &umadb {
            uma_single = umadb::Appends::connect(process.port, CLIENTS).await?;
            uma_batches = umadb::Appends::connect(process.port, CLIENTS).await?;
        }
        let mut ours = SingleCalls::connect(&pegcount.endpoint, &pegcount.token, 2 * CLIENTS).await?;
        let ours_batches = ours.split_off(CLIENTS);
        let ours_streamed = Streams::connect(&pegcount.endpoint, &pegcount.token, CLIENTS).await?;
        Ok(Self {
            streaming: Vec::new(),
            single: Side::new(ours, 1),
            batches: Side::new(ours_batches, BATCH),
            streamed: Side::new(ours_streamed, BATCH),
            rows_single: Side::new(one, 1),
            rows_many: Side::new(many, ROWS),
            published: Side::new(published, 1),
            uma_single: Side::new(uma_single, 1),
            uma_batches: Side::new(uma_batches, BATCH),
            _processes: [postgres, jetstream, umadb],
        })
    }

    async fn round(&mut self, pegcount: &Pegcount) -> Outcome<()> {
        let (endpoint, token) = (&pegcount.endpoint, &pegcount.token);
        let rate = streaming::run(endpoint, token, STREAMS, STREAM_AGENTS, STREAM_BATCHES).await?;
        self.streaming.push(rate.per_second());
        pegcount.caught_up().await?;
        self.rows_many.turn().await?;
        self.rows_single.turn().await?;
        self.published.turn().await?;
        self.single.turn().await?;
        self.uma_single.turn().await?;
        self.batches.turn().await?;
        pegcount.caught_up().await?;
        self.streamed.turn().await?;
        pegcount.caught_up().await?;
        self.uma_batches.turn().await
    }

    /// The first round warms code, connections and files.
    fn forget(&mut self) {
        let rates = [
            &mut self.streaming,
            &mut self.single.rates,
            &mut self.batches.rates,
            &mut self.streamed.rates,
            &mut self.rows_single.rates,
            &mut self.rows_many.rates,
            &mut self.published.rates,
            &mut self.uma_single.rates,
            &mut self.uma_batches.rates,
        ];
        rates.into_iter().for_each(Vec::clear);
    }

    fn lines(&self) -> Vec<Line> {
        let mut lines = vec![
            side("Pegcount (fdatasync before each answer), 4 streams of batches of 256", &self.streaming),
            side("Pegcount, single calls, 64 clients", &self.single.rates),
            side("Pegcount, calls of 100, 64 clients", &self.batches.rates),
            side("Pegcount, batches of 100 on 64 streams, each waits for its answer", &self.streamed.rates),
        ];
        let streams = ("streams", &self.streaming);
        let (single, batches) = (("single calls", &self.single.rates), ("calls of 100", &self.batches.rates));
        let against = [
            (postgres::SETTINGS, "64 clients of single rows", &self.rows_single.rates, streams, 10.0),
            (postgres::SETTINGS, "256-row inserts, 8 clients", &self.rows_many.rates, streams, 1.5),
            (jetstream::SETTINGS, "512 in flight", &self.published.rates, streams, 30.0),
            (umadb::SETTINGS, "single appends, 64 clients", &self.uma_single.rates, single, 1.1),
            (umadb::SETTINGS, "batches of 100, 64 clients", &self.uma_batches.rates, batches, 4.0),
        ];
        for (peer, way, theirs, (ours_way, ours), goal) in against {
            if theirs.is_empty() {
                lines.push(Line::missing(
                    format!("{peer}, {way}"),
                    NOT_INSTALLED,
                    format!("at least {goal}"),
                ));
                continue;
            }
            lines.push(side(&format!("{peer}, {way}"), theirs));
            lines.push(Line::with_goal(
                format!("Pegcount's {ours_way} to that, ratio"),
                median_ratio(ours, theirs),
                2,
                goal,
            ));
        }
        if !self.uma_batches.rates.is_empty() {
            for (way, ours) in
                [("batches of 100 on streams", &self.streamed.rates), ("streams", &self.streaming)]
            {
                let ratio = median_ratio(ours, &self.uma_batches.rates);
                lines.push(Line::plain(format!("Pegcount's {way} to that, ratio"), format!("{ratio:.2}")));
            }
        }
        lines
    }
}

fn side(figure: &str, rates: &[f64]) -> Line {
    let value = format!("{} ({})", table::per_second(median(rates)), spread(rates, 0));
    Line::plain(figure, value)
}

async fn compared() -> Outcome<(Vec<Line>, usize)> {
    let dir = tempfile::tempdir()?;
    let pegcount = Pegcount::start(dir.path()).await?;
    let mut sides = Sides::start(&pegcount).await?;
    sides.round(&pegcount).await?;
    sides.forget();
    let mut rounds = Rounds::begin();
    while rounds.another() {
        sides.round(&pegcount).await?;
    }
    let lines = sides.lines();
    drop(sides);
    pegcount.stop().await?;
    Ok((lines, rounds.done()))
}
