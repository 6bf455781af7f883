//! A source of facts: what the embedding program holds.
//!
//! Not for the connection, which is a task of its own (`link`). Invariant: when `record` has returned, the fact is
//! in the spool, and reaches the log once even if this process ends now.

use std::{path::PathBuf, sync::Arc};

use parking_lot::Mutex;
use pegcount_clock::Clock;
use pegcount_domain::{
    envelope::{Position, SourceSeq},
    ids::{AgentId, SiteId, SourceId},
    time::Micros,
};
use pegcount_proto::v1;
use tokio::{
    runtime::Handle,
    sync::{Notify, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{AuthorizedChannel, BearerAuth, ConnectError, channel},
    config::SourceConfig,
    link::Link,
    spool::{Opened, Settings, Spool, SpoolError},
    status::{Connection, Status, Stopped},
};

/// Why a source cannot be opened. An absent server is no reason.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The spool cannot be used.
    #[error("the spool cannot be opened")]
    Spool(#[from] SpoolError),
    /// Somebody else has it.
    #[error("`{}` is in use by another program; one source has one owner", folder.display())]
    Locked {
        /// The source's folder.
        folder: PathBuf,
    },
    /// The address or the token is no good.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Opened outside of tokio.
    #[error("a source needs a running tokio runtime for its connection")]
    NoRuntime,
}

/// Why not everything can be acknowledged. What was recorded stays in the spool.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlushError {
    /// The source has stopped trying.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The source was closed meanwhile.
    #[error("the source was closed before everything was acknowledged")]
    Closed,
}

/// What the source and its connection share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) site: SiteId,
    pub(crate) source: SourceId,
    pub(crate) agent: Option<AgentId>,
    pub(crate) clock: Clock,
    pub(crate) client: v1::ingest_service_client::IngestServiceClient<AuthorizedChannel>,
    pub(crate) spool: Mutex<Spool>,
    /// Something was recorded.
    pub(crate) recorded: Notify,
    pub(crate) status: watch::Sender<Status>,
    pub(crate) closing: CancellationToken,
}

/// A source of facts. Dropping it ends its connection; what is not acknowledged waits in the spool.
#[derive(Debug)]
pub struct Source {
    shared: Arc<Shared>,
    link: Option<JoinHandle<()>>,
}

impl Source {
    /// Opens the spool and starts connecting in the background; works while the server is away. Must be called
    /// within a tokio runtime.
    pub fn open(config: SourceConfig) -> Result<Self, OpenError> {
        let runtime = Handle::try_current().map_err(|_| OpenError::NoRuntime)?;
        let auth = BearerAuth::new(&config.token)?;
        let channel = match config.channel {
            Some(channel) => channel,
            None => channel(&config.endpoint, config.tls_ca.as_ref())?,
        };
        let settings = Settings {
            durability: config.durability,
            spool_bytes_max: config.spool_bytes_max,
            keep_acknowledged_bytes_max: config.keep_acknowledged_bytes_max,
            segment_bytes: config.segment_bytes,
        };
        let spool = match Spool::open(&config.spool_dir, &config.site, &config.source, settings)? {
            Opened::Spool(spool) => *spool,
            Opened::Locked(folder) => return Err(OpenError::Locked { folder }),
        };
        let status = Status { recorded: spool.recorded(), pending: spool.pending(), ..Status::default() };
        let shared = Arc::new(Shared {
            site: config.site,
            source: config.source,
            agent: config.agent,
            clock: config.clock,
            client: v1::ingest_service_client::IngestServiceClient::with_interceptor(channel, auth),
            spool: Mutex::new(spool),
            recorded: Notify::new(),
            status: watch::Sender::new(status),
            closing: CancellationToken::new(),
        });
        let link = runtime.spawn(Link::new(Arc::clone(&shared)).run());
        Ok(Self { shared, link: Some(link) })
    }

    /// Records a fact as of now. Writes to the disk (see [`crate::SpoolDurability`]); does not wait for the server.
    pub fn record(&self, fact: v1::fact::Fact) -> Result<SourceSeq, SpoolError> {
        let mut spool = self.shared.spool.lock();
        // Stamped under the lock, so that later numbers have later times.
        let now = self.shared.clock.now();
        self.recorded(&mut spool, vec![(fact, now)])
    }

    /// Records a fact as of `at`, an instant of the source's clock. Give instants that never go back.
    pub fn record_at(&self, fact: v1::fact::Fact, at: Micros) -> Result<SourceSeq, SpoolError> {
        self.record_all(vec![(fact, at)])
    }

    /// Records several facts with one write, all or none. Returns the number of the last.
    pub fn record_all(&self, facts: Vec<(v1::fact::Fact, Micros)>) -> Result<SourceSeq, SpoolError> {
        self.recorded(&mut self.shared.spool.lock(), facts)
    }

    fn recorded(
        &self,
        spool: &mut Spool,
        facts: Vec<(v1::fact::Fact, Micros)>,
    ) -> Result<SourceSeq, SpoolError> {
        let seq = spool.append(facts)?;
        self.shared.status.send_if_modified(|status| {
            (status.recorded, status.pending) = (spool.recorded(), spool.pending());
            false
        });
        self.shared.recorded.notify_one();
        Ok(seq)
    }

    /// Waits until everything recorded so far is durable at the server. Returns the server's position of the
    /// latest acknowledgement. Waits as long as the server is away.
    pub async fn flush(&self) -> Result<Position, FlushError> {
        let mut status = self.shared.status.subscribe();
        let wanted = status.borrow().recorded;
        let reached = status
            .wait_for(|status| {
                status.recorded >= wanted + status.pending
                    || matches!(status.connection, Connection::Stopped(_) | Connection::Closed)
            })
            .await
            .map_err(|_| FlushError::Closed)?;
        match &reached.connection {
            _ if reached.recorded >= wanted + reached.pending => Ok(reached.position),
            Connection::Stopped(why) => Err(why.clone().into()),
            _ => Err(FlushError::Closed),
        }
    }

    /// How the connection stands, now and from now on.
    pub fn status(&self) -> watch::Receiver<Status> {
        self.shared.status.subscribe()
    }

    /// The clock that stamps the facts.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Ends the connection in good order and lets go of the spool. Flush before, if the server should have all.
    pub async fn close(mut self) {
        self.shared.closing.cancel();
        if let Some(link) = self.link.take() {
            // The task ends by itself; that it panicked would have been reported by the runtime.
            let _ = link.await;
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.shared.closing.cancel();
    }
}
