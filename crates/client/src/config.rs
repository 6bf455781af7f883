//! What a source needs to know before it opens.

use std::path::{Path, PathBuf};

use pegcount_clock::Clock;
use pegcount_domain::ids::{AgentId, Name, NameError, SiteId, SourceId};
use tonic::transport::Channel;

use crate::api::{CaCertificate, Token};

/// What the spool promises when `record` has returned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SpoolDurability {
    /// The fact survives a power cut: `record` waits for the disk (milliseconds). Does not promise anything
    /// against a disk that lies about its cache.
    #[default]
    PowerLoss,
    /// The fact survives the end of this process, however it ends, but a power cut may take the last seconds; the
    /// source then notices that the server knows more than the spool, and starts a new epoch.
    ProcessCrash,
}

/// What a source needs to know. [`SourceConfig::new`] fills in the rest.
#[derive(Clone, Debug)]
pub struct SourceConfig {
    /// Where the server is, `http://host:port` or `https://host:port`.
    pub endpoint: String,
    /// For `https`: who signs the server's certificate.
    pub tls_ca: Option<CaCertificate>,
    /// Says who we are.
    pub token: Token,
    /// The site that the facts belong to.
    pub site: SiteId,
    /// The source's name, unique within its site.
    pub source: SourceId,
    /// The agent whose softphone this is: it holds the lease. None for exchanges and gateways.
    pub agent: Option<AgentId>,
    /// Under this folder each source has one of its own.
    pub spool_dir: PathBuf,
    /// Stamps the facts and paces the heartbeats.
    pub clock: Clock,
    /// What the spool promises.
    pub durability: SpoolDurability,
    /// A connection to share with other sources; none: its own. One HTTP/2 connection carries as many sources as
    /// the server allows streams (often 100 to 200): open several for more.
    pub channel: Option<Channel>,
    /// The most that may wait for acknowledgement, bytes on disk; then `record` fails.
    pub spool_bytes_max: u64,
    /// The most acknowledged facts that are kept for a server that comes back from a backup, bytes on disk.
    pub keep_acknowledged_bytes_max: u64,
    /// A file of the spool is full at this size, bytes.
    pub segment_bytes: u64,
}

impl SourceConfig {
    /// The usual: the system's clock, power-loss durability, 256 MiB of spool of which 8 MiB after acknowledgement.
    pub fn new(
        endpoint: impl Into<String>,
        token: Token,
        site: SiteId,
        source: &str,
        spool_dir: impl AsRef<Path>,
    ) -> Result<Self, NameError> {
        Ok(Self {
            endpoint: endpoint.into(),
            tls_ca: None,
            token,
            site,
            source: SourceId(Name::new(source)?),
            agent: None,
            spool_dir: spool_dir.as_ref().to_owned(),
            clock: Clock::system(),
            durability: SpoolDurability::default(),
            channel: None,
            spool_bytes_max: 256 << 20,
            keep_acknowledged_bytes_max: 8 << 20,
            segment_bytes: 1 << 20,
        })
    }
}
