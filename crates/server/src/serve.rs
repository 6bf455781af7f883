//! Starts and stops a server: one port for gRPC, gRPC-web and HTTP.
//!
//! Invariant: shutdown first ends the lasting streams (each acknowledges what is durable), then waits for calls that
//! are going on, then cuts off what is left after the grace. It never closes the engine: that is its owner's.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use pegcount_engine::Engine;
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::{
    Status,
    service::Routes,
    transport::{Certificate, Identity, Server, ServerTlsConfig, server::TcpIncoming},
};
use tonic_web::GrpcWebLayer;

use crate::{
    access::Access,
    error::ServeError,
    guard::{Guard, GuardLayer},
    http::{self, Pulse, Recorder, Web},
    options::{
        KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, STREAMS_PER_CONNECTION_MAX, ServerOptions, TCP_KEEPALIVE,
        TlsFiles,
    },
    services::{self, Floors, Room},
    tokens::TokenKeys,
};

/// A server that listens.
pub struct Running {
    /// Where.
    pub addr: SocketAddr,
    /// On loopback: a token that may do everything, at all sites; also kept in the data folder.
    pub local_token: Option<String>,
    closing: CancellationToken,
    grace: Duration,
    serving: JoinHandle<Result<(), ServeError>>,
    background: Vec<JoinHandle<()>>,
    over: watch::Receiver<bool>,
}

/// Serves `engine` as `options` say. Returns when it listens.
///
/// Errors: the address (taken, not to be had, reachable from outside without TLS), the certificate, the key file.
pub async fn start(engine: Arc<Engine>, options: ServerOptions) -> Result<Running, ServeError> {
    let loopback = options.listen.ip().is_loopback();
    if !loopback && options.tls.is_none() {
        return Err(ServeError::TlsNeeded { address: options.listen });
    }
    let tls = options.tls.as_ref().map(tls_config).transpose()?;
    let keys = TokenKeys::open(&options.data_dir)?;
    let local_token = loopback.then(|| keys.local(&options.data_dir)).transpose()?;
    let incoming = listen(options.listen)?;
    let addr =
        incoming.local_addr().map_err(|source| ServeError::Bind { address: options.listen, source })?;

    let closing = CancellationToken::new();
    let room = Room {
        engine: Arc::clone(&engine),
        access: Access::new(keys),
        closing: closing.clone(),
        floors: Floors::default(),
    };
    let (grpc, reporter) = services::routes(&room)?;
    let recorder = Recorder::install();
    Recorder::opened(&engine.log_status().0);
    let (pulse, beating) = Pulse::start(engine, reporter);
    let background = vec![tokio::spawn(beating), tokio::spawn(recorder.clone().keep_up())];
    let routes = routes(grpc, Web { room, pulse, recorder }, Guard::new(options.limits, closing.clone()));

    let mut server = transport();
    if let Some(tls) = tls {
        let files = options.tls.as_ref();
        server = server.tls_config(tls).map_err(|error| wrong_tls(files, &error))?;
    }
    let stop = closing.clone();
    let (tell_over, over) = watch::channel(false);
    let serving = tokio::spawn(async move {
        let ended = server
            .add_routes(Routes::from(routes).prepare())
            .serve_with_incoming_shutdown(incoming, stop.cancelled_owned())
            .await;
        tell_over.send_replace(true);
        ended.map_err(|error| ServeError::Transport { reason: chain(&error) })
    });
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    tracing::info!(address = %addr, "listening: {scheme}://{addr}");
    if local_token.is_some() {
        let file = options.data_dir.join(crate::tokens::LOCAL_TOKEN_FILE);
        tracing::info!(file = %file.display(), "a token that may do everything from this machine lies ready");
    }
    Ok(Running { addr, local_token, closing, grace: options.shutdown_grace, serving, background, over })
}

impl Running {
    /// Ends the lasting streams, waits for what is going on, and stops listening. What was acknowledged is durable
    /// already. Errors: some connections had to be cut off; the transport failed.
    pub async fn shutdown(mut self) -> Result<(), ServeError> {
        tracing::info!("shutting down");
        self.closing.cancel();
        let ended = tokio::time::timeout(self.grace, &mut self.serving).await;
        for task in self.background.drain(..) {
            task.abort();
            // Until it has ended it holds the engine.
            let _ = task.await;
        }
        match ended {
            Ok(Ok(served)) => served,
            Ok(Err(panic)) => Err(ServeError::Transport { reason: panic.to_string() }),
            Err(_) => {
                self.serving.abort();
                Err(ServeError::GraceOver { grace: self.grace })
            }
        }
    }

    /// Waits until the server has stopped by itself, which it does only when its transport fails.
    pub async fn stopped(&mut self) {
        // An error means that the task is gone: it has stopped then too.
        let _ = self.over.wait_for(|over| *over).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.closing.cancel();
        for task in &self.background {
            task.abort();
        }
    }
}

/// What tonic leaves off: keepalive both ways, windows that grow, a limit of streams.
fn transport() -> Server {
    Server::builder()
        .accept_http1(true)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .http2_adaptive_window(Some(true))
        .max_concurrent_streams(Some(STREAMS_PER_CONNECTION_MAX))
}

fn listen(address: SocketAddr) -> Result<TcpIncoming, ServeError> {
    match TcpIncoming::bind(address) {
        Ok(incoming) => Ok(incoming.with_nodelay(Some(true)).with_keepalive(Some(TCP_KEEPALIVE))),
        Err(source) if source.kind() == std::io::ErrorKind::AddrInUse => {
            Err(ServeError::PortTaken { address })
        }
        Err(source) => Err(ServeError::Bind { address, source }),
    }
}

/// gRPC-web is translated before the guard sees it, so that every refusal reaches the caller in its own protocol.
fn routes(grpc: Router, web: Web, guard: Guard) -> Router {
    let guarded = GuardLayer::new(guard);
    // Together, since each layer of a router boxes every call.
    let grpc = grpc.layer((GrpcWebLayer::new(), guarded.clone()));
    let http = http::routes(web).layer(guarded);
    grpc.merge(http).fallback(nowhere)
}

async fn nowhere(request: Request) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("application/grpc")) {
        let message =
            format!("there is no method {}; the reflection service lists them", request.uri().path());
        return Status::unimplemented(message).into_http::<Body>().map(|_| Body::empty());
    }
    (StatusCode::NOT_FOUND, "there is nothing here; the wallboard is at /\n").into_response()
}

fn tls_config(files: &TlsFiles) -> Result<ServerTlsConfig, ServeError> {
    let identity = Identity::from_pem(pem(&files.cert)?, pem(&files.key)?);
    let config = ServerTlsConfig::new().identity(identity);
    match &files.client_ca {
        Some(path) => Ok(config.client_ca_root(Certificate::from_pem(pem(path)?))),
        None => Ok(config),
    }
}

fn pem(path: &Path) -> Result<Vec<u8>, ServeError> {
    std::fs::read(path).map_err(|source| ServeError::File { action: "read", path: path.to_owned(), source })
}

fn wrong_tls(files: Option<&TlsFiles>, error: &tonic::transport::Error) -> ServeError {
    let (cert, key) = files.map(|files| (files.cert.clone(), files.key.clone())).unwrap_or_default();
    ServeError::Tls { cert, key, reason: chain(error) }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words.push_str(": ");
        words.push_str(&inner.to_string());
        cause = inner.source();
    }
    words
}
