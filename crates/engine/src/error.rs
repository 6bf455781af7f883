//! Everything that can go wrong in the engine, by what the caller can do about it.

use pegcount_domain::{envelope::Position, ids::Name, ticketing::TicketRefusal};
use pegcount_log::{AppendError, ConsumerError, LogError};

/// Why the engine did not do it.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// What rebuilding starts from cannot be used.
    #[error("the log's archive at position {position} cannot be used: {what}; restore the log from a backup")]
    Archive {
        /// Where it stands.
        position: Position,
        /// What is wrong.
        what: String,
    },
    /// What the next start would begin with was not written; nothing else is lost.
    #[error("the checkpoint could not be written: {0}")]
    Checkpoint(String),
    /// A request is not well formed.
    #[error("{field} {reason}")]
    Invalid {
        /// The field's path.
        field: String,
        /// What is wrong, what the limit is, what was found.
        reason: String,
    },
    /// It is not there.
    #[error("there is no {what} {id}")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// Which.
        id: String,
    },
    /// It is there already.
    #[error("{what} {id} exists already")]
    Exists {
        /// What kind of thing.
        what: &'static str,
        /// Which.
        id: String,
    },
    /// The present state does not allow it.
    #[error("{0}")]
    Precondition(String),
    /// The ticket's rules refuse it.
    #[error("ticket {ticket}: {refusal}")]
    Ticket {
        /// Which ticket.
        ticket: String,
        /// Why.
        refusal: Box<TicketRefusal>,
    },
    /// The principal may not speak for this source.
    #[error("source {origin} of site {site} belongs to {owner}: use a source of your own")]
    SourceTaken {
        /// The source.
        origin: Name,
        /// Its site.
        site: Name,
        /// Whose it is.
        owner: Name,
    },
    /// A newer connection of the same source.
    #[error("source {origin} has a newer connection; this one is fenced off: close it")]
    Fenced {
        /// The source.
        origin: Name,
    },
    /// An append was refused.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A named consumer may not go on.
    #[error(transparent)]
    Consumer(#[from] ConsumerError),
    /// The vault could not be used.
    #[error(transparent)]
    Vault(#[from] pegcount_vault::VaultError),
    /// A stored event could not be decoded.
    #[error("the event at position {position}: {source}")]
    Decode {
        /// Where.
        position: u64,
        /// Why.
        source: pegcount_proto::DecodeError,
    },
    /// A KPI query is not well formed.
    #[error(transparent)]
    Query(#[from] pegcount_kpi::QueryError),
}

impl EngineError {
    /// A field that is wrong.
    pub fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid { field: field.into(), reason: reason.into() }
    }
}
