//! Why a fact could not be spooled.

use std::{io, path::PathBuf};

use crate::limits::FACT_BYTES_MAX;

/// Why a fact could not be spooled. Nothing of the call has been recorded then.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The file system failed.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// No room.
    #[error(
        "{bytes} bytes of facts wait for the server; the limit is {limit}: is it reachable? (spool_bytes_max)"
    )]
    Full {
        /// How much is there.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// A fact that no server takes.
    #[error("the fact has {bytes} bytes; the limit is {FACT_BYTES_MAX}: a fact holds names, not documents")]
    TooLarge {
        /// How large it is.
        bytes: usize,
    },
    /// An earlier failure left the file in doubt.
    #[error("an earlier write to the spool failed and could not be undone; open the source again")]
    Poisoned,
}

impl SpoolError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
