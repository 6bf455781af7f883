//! Everything that can go wrong with a named consumer.

use std::{path::PathBuf, sync::Arc};

use pegcount_domain::{envelope::Position, ids::Name};

use super::ConsumerName;
use crate::{api::LogError, limits::CONSUMERS_MAX};

/// Why a consumer cannot connect, go on or confirm.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// A newer connection of the same name.
    #[error(
        "consumer {name} has a newer connection; this one is fenced off: what it has not confirmed goes there"
    )]
    Fenced {
        /// Which.
        name: ConsumerName,
    },
    /// Somebody has deleted it.
    #[error("consumer {name} was deleted: connect again to begin anew")]
    Deleted {
        /// Which.
        name: ConsumerName,
    },
    /// There is none of this name.
    #[error("there is no consumer {name}")]
    Unknown {
        /// Which.
        name: ConsumerName,
    },
    /// It is somebody else's.
    #[error("consumer {name} belongs to {owner}: use a name of your own")]
    Taken {
        /// Which.
        name: ConsumerName,
        /// Whose.
        owner: Name,
    },
    /// Too many names.
    #[error(
        "there are {CONSUMERS_MAX} consumers, which is the limit, so {name} cannot be added: delete one that is no longer used"
    )]
    TooMany {
        /// The one that was to be added.
        name: ConsumerName,
    },
    /// It confirms what it has not been given.
    #[error(
        "consumer {name} confirms position {position}, but this connection was given events up to {given} only"
    )]
    NotGiven {
        /// Which.
        name: ConsumerName,
        /// What it confirms.
        position: Position,
        /// What it was given.
        given: Position,
    },
    /// The file of names and positions does not read as it was written.
    #[error("{path} is damaged ({what}): the log goes on without named consumers until the file is replaced by a sound one, or removed, and the server started again; what was confirmed is in it alone", path = .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: Arc<str>,
    },
    /// The log is being closed.
    #[error("the log is being closed: connect again when it has been opened again")]
    Closed,
    /// The log was opened read-only, so nothing can be kept of a consumer.
    #[error("the log was opened read-only and takes no consumers: open it for writing")]
    ReadOnly,
    /// The log could not be read, or a new name not be written.
    #[error(transparent)]
    Log(#[from] LogError),
}
