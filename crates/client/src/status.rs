//! What a source knows about its connection, for whoever shows a lamp on the softphone.

use pegcount_domain::{
    envelope::{Position, SourceSeq},
    time::Micros,
};

/// How the connection stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Connection {
    /// On the way.
    #[default]
    Connecting,
    /// Welcomed by the server.
    Connected,
    /// Broken or refused; tries again by itself.
    Waiting {
        /// What went wrong.
        cause: String,
    },
    /// Will not try again. Facts are still taken into the spool.
    Stopped(Stopped),
    /// Closed by its owner.
    Closed,
}

/// Why a source has stopped trying.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// Another connection of the same source is newer.
    #[error("a newer connection of this source took over ({0}); close one of the two")]
    Fenced(String),
    /// The token does not allow it.
    #[error("the server does not let this source in ({0}); check its token, role and site")]
    Denied(String),
    /// The server has other facts under the same numbers.
    #[error("the server holds other facts under this source's numbers ({0}); was its spool copied?")]
    Conflict(String),
    /// The server does not understand us.
    #[error("the server refuses how this source speaks ({0}); is it a Pegcount server of this version?")]
    Rejected(String),
}

/// A fact that the server refused as malformed. It used up its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which.
    pub seq: SourceSeq,
    /// The field's path.
    pub field: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What a source knows about its connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// How it stands.
    pub connection: Connection,
    /// How often the server has welcomed this source since it was opened.
    pub connections: u64,
    /// All up to this one is durable at the server, as far as we know.
    pub acknowledged: Option<SourceSeq>,
    /// The server's position of the last acknowledgement.
    pub position: Position,
    /// Facts recorded since the source was opened, and those that it found waiting then.
    pub recorded: u64,
    /// Facts in the spool that are not acknowledged.
    pub pending: u64,
    /// Facts that the server refused since the source was opened.
    pub refused: u64,
    /// The latest refusals, at most [`crate::REFUSALS_KEPT_MAX`], the newest last.
    pub refusals: Vec<Refused>,
    /// Facts that the spool had lost, reported to the server as gaps.
    pub skipped: u64,
    /// Server clock minus ours; none until measured.
    pub clock_offset: Option<Micros>,
    /// The round trip of that measurement.
    pub round_trip: Option<Micros>,
}
