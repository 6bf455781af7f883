//! The two services that streams and calls go to: Pegcount as it is, and one that throws everything away. Both in this
//! process, on loopback.

use std::{net::SocketAddr, path::Path, sync::Arc};

use pegcount_engine::{Engine, EngineOptions};
use pegcount_proto::v1::ingest_service_server::IngestServiceServer;
use pegcount_server::{Running, ServerOptions};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;

use crate::{Outcome, empty::Empty, plain::PlainFile};

/// The service that throws everything away, until it is dropped.
#[derive(Debug)]
pub struct EmptyService {
    /// Where it listens.
    pub endpoint: String,
    task: JoinHandle<Result<(), tonic::transport::Error>>,
}

impl EmptyService {
    /// Starts it.
    pub async fn start() -> Outcome<Self> {
        Self::with(Empty::default()).await
    }

    /// One that writes single calls to a plain file at `path` before it answers.
    pub async fn on_file(path: &Path) -> Outcome<Self> {
        Self::with(Empty { file: Some(PlainFile::start(path)?) }).await
    }

    async fn with(empty: Empty) -> Outcome<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let server = tonic::transport::Server::builder()
            .initial_stream_window_size(4 << 20)
            .initial_connection_window_size(4 << 20)
            .add_service(IngestServiceServer::new(empty))
            .serve_with_incoming(TcpListenerStream::new(listener));
        Ok(Self { endpoint, task: tokio::spawn(server) })
    }
}

impl Drop for EmptyService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Pegcount, power-loss safe, folds running.
pub struct Pegcount {
    /// Where it listens.
    pub endpoint: String,
    /// Lets a client in.
    pub token: String,
    engine: Arc<Engine>,
    running: Running,
}

impl Pegcount {
    /// Starts it with its data in `dir`.
    pub async fn start(dir: &Path) -> Outcome<Self> {
        let engine = Engine::open(EngineOptions::folder(dir)).await?;
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let running = pegcount_server::start(engine.clone(), ServerOptions::new(listen, dir)).await?;
        let endpoint = format!("http://{}", running.addr);
        let token = running.local_token.clone().unwrap_or_default();
        Ok(Self { endpoint, token, engine, running })
    }

    /// Waits until the folds have everything: a round must not pay for the one before.
    pub async fn caught_up(&self) -> Outcome<()> {
        Ok(self.engine.caught_up(self.engine.end()).await?)
    }

    /// Ends it.
    pub async fn stop(self) -> Outcome<()> {
        self.caught_up().await?;
        Ok(self.running.shutdown().await?)
    }
}
