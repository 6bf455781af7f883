//! What a server is told when it starts, and the limits that it keeps. One place, shown by `pegcount config`.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// The longest message that a client may send, bytes.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// HTTP/2 streams of one connection at once.
pub const STREAMS_PER_CONNECTION_MAX: u32 = 1_024;
/// Batches of one fact stream that may be on their way to the disk.
pub const BATCHES_IN_FLIGHT_MAX: usize = 64;
/// Answers of one stream that may wait for a slow client.
pub const ANSWERS_QUEUED_MAX: usize = 64;
/// Batches of one named consumer that may wait for a slow client; each is a frame's worth.
pub const CONSUMER_BATCHES_QUEUED_MAX: usize = 4;
/// A fact stream, or a named consumer, that has not said hello after this is closed.
pub const HELLO_WAIT: Duration = Duration::from_secs(10);
/// Ping a silent HTTP/2 connection after this.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);
/// A ping that is not answered within this ends the connection.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// TCP probes begin after this much silence.
pub const TCP_KEEPALIVE: Duration = Duration::from_secs(30);
/// When a client that was shed may try again.
pub const SHED_RETRY: Duration = Duration::from_secs(1);
/// When a client may try again after the server has gone down.
pub const SHUTDOWN_RETRY: Duration = Duration::from_secs(2);

/// The most rows of one answer.
pub const ROWS_MAX: usize = 100_000;
/// The most pieces that a range is cut into by time, looked at before anything is counted: 208 days of quarter hours.
pub const PIECES_MAX: i64 = 20_000;
/// The most updates of a watch per second.
pub const UPDATES_PER_SECOND_MAX: u32 = 50;
/// The tables of one view.
pub const VIEW_TABLES_MAX: usize = 8;

/// Items in a page of an explanation, if the caller does not say.
pub const EXPLAIN_ITEMS_DEFAULT: usize = 100;
/// The most items in a page of an explanation.
pub const EXPLAIN_ITEMS_MAX: usize = 500;

/// The most types in a filter of the log.
pub const FILTER_TYPES_MAX: usize = 64;

/// Corrections in a page, if the caller does not say.
pub const CORRECTIONS_DEFAULT: usize = 1_000;
/// The most corrections in a page.
pub const CORRECTIONS_MAX: usize = 10_000;

/// Odd facts in a page, if the caller does not say.
pub const ANOMALIES_DEFAULT: usize = 1_000;
/// The most odd facts in a page.
pub const ANOMALIES_MAX: usize = 10_000;

/// Limits over all connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Unary calls and HTTP requests at once; more are shed.
    pub calls_max: usize,
    /// Lasting streams at once; more are shed.
    pub streams_max: usize,
    /// The longest that a unary call or an HTTP request may take.
    pub call_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { calls_max: 4_096, streams_max: 20_000, call_timeout: Duration::from_secs(30) }
    }
}

/// Certificate files, PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The server's certificate, with its chain.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// If set, clients must show a certificate signed by this one. They need a token all the same.
    pub client_ca: Option<PathBuf>,
}

/// What a server is told when it starts.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where it listens; port 0 takes a free one. An address other than loopback needs TLS.
    pub listen: SocketAddr,
    /// TLS, or plain text for loopback.
    pub tls: Option<TlsFiles>,
    /// Where the key of the tokens and the local token live.
    pub data_dir: PathBuf,
    /// Limits over all connections.
    pub limits: Limits,
    /// After this, what has not ended at shutdown is cut off.
    pub shutdown_grace: Duration,
}

impl ServerOptions {
    /// Plain text on `listen`, with the default limits and a grace of 10 s.
    pub fn new(listen: SocketAddr, data_dir: impl Into<PathBuf>) -> Self {
        Self {
            listen,
            tls: None,
            data_dir: data_dir.into(),
            limits: Limits::default(),
            shutdown_grace: Duration::from_secs(10),
        }
    }
}
