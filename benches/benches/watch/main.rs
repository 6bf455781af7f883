//! How long it takes from an event's acknowledgement to its arrival at those who watch figures: 1,000 watchers of mixed
//! queries, 10,000 signed-in agents, 2,000 events a second, through a server process of its own, real streams and default
//! rates (10 updates a second).
//!
//! A latency is that from the acknowledgement of a batch to the first update that covers its position, at every watcher
//! whose figures the batch changes.
//!
//! `cargo bench -p pegcount-benches --bench watch`; `PEGCOUNT_BENCH_WATCHERS`, `PEGCOUNT_BENCH_AGENTS`,
//! `PEGCOUNT_BENCH_RATE` and `PEGCOUNT_BENCH_SECONDS` set other sizes.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

mod floor;
mod server;
mod watchers;

use std::time::Duration;

use pegcount_benches::{
    Outcome,
    histogram::Histogram,
    measure::{Others, float, number},
    table::{self, Line},
};

use floor::Floor;
use watchers::{KINDS, Watchers};

const WATCHERS: u64 = 1_000;
const AGENTS: u64 = 10_000;
const EVENTS_PER_SECOND: u64 = 2_000;
const SECONDS: u64 = 60;
const P50_MS_MAX: f64 = 60.0;
const P99_MS_MAX: f64 = 250.0;

fn main() -> Outcome<()> {
    if server::is_asked_for() {
        return server::run();
    }
    let others = Others::begin();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let measured = runtime.block_on(measure())?;
    measured.print(&others.share());
    Ok(())
}

struct Measured {
    watchers: usize,
    agents: usize,
    rate: f64,
    /// For each kind of watch, how many, and its latencies.
    kinds: Vec<(&'static str, usize, Histogram)>,
    updates_per_second: f64,
    /// Processors that the server kept busy, on the mean.
    server: f64,
    client: f64,
}

async fn measure() -> Outcome<Measured> {
    let watchers = usize::try_from(number("PEGCOUNT_BENCH_WATCHERS", WATCHERS))?;
    let agents = usize::try_from(number("PEGCOUNT_BENCH_AGENTS", AGENTS))?;
    let rate = number("PEGCOUNT_BENCH_RATE", EVENTS_PER_SECOND);
    let length = Duration::from_secs(number("PEGCOUNT_BENCH_SECONDS", SECONDS).min(SECONDS));
    let dir = tempfile::tempdir()?;
    let server = server::Process::start(dir.path())?;
    let mut floor = Floor::open(&server, agents).await?;
    floor.fill().await?;
    let watching = Watchers::start(&server, watchers, agents).await?;
    // Until everybody has a snapshot, and calls are going on.
    let lead = Duration::from_secs(10);
    floor.run(rate, lead).await?;
    watching.all_begun().await?;
    watching.forget();
    let (busy, own) = (server.processor_seconds(), pegcount_benches::measure::processor_seconds());
    let started = std::time::Instant::now();
    let acknowledged = floor.run(rate, length).await?;
    let seconds = started.elapsed().as_secs_f64();
    let server_share = (server.processor_seconds() - busy) / seconds;
    let client = (pegcount_benches::measure::processor_seconds() - own) / seconds;
    // What was acknowledged last must arrive too.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (kinds, updates) = watching.latencies(&acknowledged);
    Ok(Measured {
        watchers,
        agents,
        rate: float(acknowledged.iter().map(|batch| batch.facts).sum::<usize>()) / seconds,
        kinds,
        updates_per_second: float(updates) / seconds,
        server: server_share,
        client,
    })
}

impl Measured {
    fn print(&self, others: &str) {
        let mut all = Histogram::default();
        self.kinds.iter().for_each(|(_, _, own)| all.merge(own.clone()));
        let mut lines = vec![
            Line::plain("events a second", table::per_second(self.rate)),
            Line::with_limit("all watchers: p50, ms", all.millis(500), 1, P50_MS_MAX),
            Line::with_limit("all watchers: p99, ms", all.millis(990), 1, P99_MS_MAX),
            Line::plain(
                "all watchers: p99.9 and the longest, ms",
                format!("{:.0}, {:.0}", all.millis(999), all.millis(1_000)),
            ),
            Line::plain("latencies measured", all.count().to_string()),
        ];
        for ((kind, count, own), words) in self.kinds.iter().zip(KINDS.map(|kind| kind.words)) {
            let figures = format!("{:.0}, {:.0}", own.millis(500), own.millis(990));
            lines.push(Line::plain(format!("{count} watch {words} ({kind}): p50, p99, ms"), figures));
        }
        lines.push(Line::plain("updates a second, all together", table::per_second(self.updates_per_second)));
        lines.push(Line::plain(
            "processors that the server, and this client, keep busy",
            format!("{:.2}, {:.2}", self.server, self.client),
        ));
        let title = format!("{} watchers, {} agents signed in ({others})", self.watchers, self.agents);
        table::print(&title, &lines);
    }
}
