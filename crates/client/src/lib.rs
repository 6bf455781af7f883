//! The SDK that a softphone or an exchange gateway embeds.
//!
//! A [`Source`] takes facts ([`Source::record`]), writes them to a spool on disk, and streams them to the server in
//! the background: every recorded fact reaches the log once, whatever happens to the network, to the server or to
//! this process. [`Softphone`] and [`Exchange`] put the field's words on top. [`Api`] is for everything else:
//! the unary services with the token in place; [`WatchedTable`] lays a watch's updates over each other.
//!
//! Not for rules: whether a fact was to be expected is for the server's folds to say.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use pegcount_client::{Softphone, SourceConfig, Token};
//! use pegcount_domain::ids::{AgentId, ReasonCode, SiteId};
//!
//! let agent = AgentId::new("anna")?;
//! let config = SourceConfig::new("http://127.0.0.1:7070", Token::new("…"), SiteId::new("main")?, "phone-anna", "spool")?;
//! let phone = Softphone::open(config, agent)?;
//! phone.sign_in()?;
//! phone.ready()?;
//! phone.not_ready(&ReasonCode::new("meal")?)?;
//! let position = phone.source().flush().await?;
//! # Ok(()) }
//! ```

mod api;
mod boot;
mod config;
mod exchange;
mod leg;
mod limits;
mod link;
mod offset;
mod softphone;
mod source;
mod spool;
mod status;
mod watched;

pub use api::{Api, AuthorizedChannel, BearerAuth, CaCertificate, ConnectError, Token, channel, connect};
pub use config::{SourceConfig, SpoolDurability};
pub use exchange::{ContactFacts, Exchange, Start};
pub use leg::leg_message;
pub use limits::{
    BATCH_BYTES_MAX, FACT_BYTES_MAX, IN_FLIGHT_BATCHES_MAX, KEEP_ACKNOWLEDGED, REFUSALS_KEPT_MAX,
};
pub use offset::OffsetEstimator;
pub use pegcount_proto::v1::fact::Fact;
pub use softphone::{AgentFacts, LegHandle, Softphone};
pub use source::{FlushError, OpenError, Source};
pub use spool::SpoolError;
pub use status::{Connection, Refused, Status, Stopped};
pub use watched::WatchedTable;
