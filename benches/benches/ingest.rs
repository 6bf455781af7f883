//! Durable ingest through gRPC with the folds running, against a service that throws the stream away; then replay of
//! the same log from disk into KPI cells on one core. One process, one run.
//!
//! `cargo bench -p pegcount-benches --bench ingest`; `BATCHES` sets the batches per client (default 1,500).
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::{error::Error, net::SocketAddr, time::Instant};

use pegcount_benches::{
    empty::Empty,
    streaming::{self, BATCH_FACTS},
    table::{self, Line},
};
use pegcount_domain::envelope::Position;
use pegcount_engine::{Engine, EngineOptions, Figures};
use pegcount_log::{EventLog, SledLog, SledOptions};
use pegcount_proto::v1::ingest_service_server::IngestServiceServer;
use pegcount_server::ServerOptions;
use tokio_stream::wrappers::TcpListenerStream;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const CLIENTS: usize = 4;
/// Agents of each client: a centre of 200 in all.
const AGENTS: usize = 50;

fn main() -> Outcome<()> {
    let batches = std::env::var("BATCHES").ok().and_then(|text| text.parse().ok()).unwrap_or(1_500);
    let dir = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (empty, durable) = runtime.block_on(async {
        let empty = empty_service(batches).await?;
        let durable = pegcount(dir.path(), batches).await?;
        Outcome::Ok((empty, durable))
    })?;
    drop(runtime);
    let replayed = replay(dir.path())?;

    let ratio = durable.per_second() / empty.per_second();
    table::print(
        &format!(
            "Ingest and replay ({CLIENTS} streaming clients, {} agents, batches of {BATCH_FACTS}, {} facts)",
            CLIENTS * AGENTS,
            durable.facts
        ),
        &[
            Line::plain("a service that throws the stream away", table::per_second(empty.per_second())),
            Line::plain("durable ingest, folds running", table::per_second(durable.per_second())),
            Line::with_goal("ratio", ratio, 3, 0.25),
            Line::with_goal("replay from disk into KPI cells, one core, events/s", replayed, 0, 1_000_000.0),
        ],
    );
    Ok(())
}

async fn empty_service(batches: usize) -> Outcome<streaming::Rate> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let server = tokio::spawn(
        tonic::transport::Server::builder()
            .initial_stream_window_size(4 << 20)
            .initial_connection_window_size(4 << 20)
            .add_service(IngestServiceServer::new(Empty))
            .serve_with_incoming(TcpListenerStream::new(listener)),
    );
    // A first short run warms code and connections.
    streaming::run(&endpoint, "", CLIENTS, AGENTS, batches / 10).await?;
    let rate = streaming::run(&endpoint, "", CLIENTS, AGENTS, batches).await?;
    server.abort();
    Ok(rate)
}

async fn pegcount(dir: &std::path::Path, batches: usize) -> Outcome<streaming::Rate> {
    let engine = Engine::open(EngineOptions::folder(dir)).await?;
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let running = pegcount_server::start(engine.clone(), ServerOptions::new(listen, dir)).await?;
    let endpoint = format!("http://{}", running.addr);
    let token = running.local_token.clone().unwrap_or_default();
    streaming::run(&endpoint, &token, CLIENTS, AGENTS, batches / 10).await?;
    let rate = streaming::run(&endpoint, &token, CLIENTS, AGENTS, batches).await?;
    engine.caught_up(engine.end()).await?;
    running.shutdown().await?;
    Ok(rate)
}

/// Reads every frame from disk and folds it, on this thread alone. The log's opening scan is not part of it.
fn replay(dir: &std::path::Path) -> Outcome<f64> {
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
        let seconds = started.elapsed().as_secs_f64();
        #[allow(clippy::cast_precision_loss, reason = "a benchmark's count is far below 2^52")]
        let events = log.end().0 as f64;
        Ok(events / seconds)
    })
}
