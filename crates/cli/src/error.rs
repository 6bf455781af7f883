//! Everything that can end a command, in the words that a person at a terminal needs.
//!
//! Invariant: a message says what was tried, on what, and what to do; causes that it does not name follow after it.

use std::{error::Error, io, path::PathBuf};

use pegcount_domain::ids::NameError;

/// Why a command ended without having done it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The engine's word: folder locked, newer format, damage, a query that is not well formed.
    #[error(transparent)]
    Engine(#[from] pegcount_engine::EngineError),
    /// An export's word.
    #[error(transparent)]
    Export(#[from] pegcount_export::ExportError),
    /// `export verify` has found something.
    #[error(
        "{count} {} not as published in {}: restore it from a backup, or remove that revision's folder and export the day again",
        if *.count == 1 { "thing is" } else { "things are" }, .dir.display()
    )]
    ExportDamaged {
        /// The folder.
        dir: PathBuf,
        /// How many.
        count: u64,
    },
    /// The server's word: port taken, TLS needed, certificate of no use.
    #[error(transparent)]
    Serve(#[from] pegcount_server::ServeError),
    /// There can be no such principal.
    #[error(transparent)]
    Principal(#[from] pegcount_server::PrincipalError),
    /// No connection.
    #[error(transparent)]
    Connect(#[from] pegcount_client::ConnectError),
    /// The simulator's word.
    #[error(transparent)]
    Sim(#[from] pegcount_sim::SimError),
    /// The server said no.
    #[error("the server refused: {message} ({code:?})")]
    Refused {
        /// The gRPC code.
        code: tonic::Code,
        /// What it said.
        message: String,
    },
    /// The importer could not read the file to its end.
    #[error("{}: {source}", .path.display())]
    Bank {
        /// The file.
        path: PathBuf,
        /// Why.
        source: pegcount_import::bank::BankError,
    },
    /// Likewise, of tickets.
    #[error("{}: {source}", .path.display())]
    Tickets {
        /// The file.
        path: PathBuf,
        /// Why.
        source: pegcount_import::tickets::TicketsError,
    },
    /// A map of tickets is not well formed.
    #[error("{}: {source}", .path.display())]
    TicketMap {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<pegcount_import::tickets::MapError>,
    },
    /// A site's file is not well formed.
    #[error(transparent)]
    SiteFile(#[from] crate::site_file::read::SiteFileError),
    /// A running server has the folder.
    #[error(
        "a server at {address} uses {}: ask it instead, with --server {address} --token-file {}", .dir.display(), .token_file.display()
    )]
    FolderServed {
        /// The folder.
        dir: PathBuf,
        /// Where the server listens.
        address: String,
        /// Where its local token lies.
        token_file: PathBuf,
    },
    /// Nothing to read.
    #[error(
        "there is no Pegcount folder at {}: name one with --data-dir, or ask a running server with --server", .dir.display()
    )]
    NoFolder {
        /// The folder.
        dir: PathBuf,
    },
    /// Only a server can do it.
    #[error("{what} needs a running server: name it with --server (and its token with --token-file){hint}")]
    NeedsServer {
        /// What was asked for.
        what: &'static str,
        /// A server that runs on the default folder, if there is one.
        hint: String,
    },
    /// No token.
    #[error(
        "--server needs a token: give --token-file (on this machine: <data-dir>/local-token), --token, or set PEGCOUNT_TOKEN"
    )]
    NoToken,
    /// A date or a zone.
    #[error(transparent)]
    When(#[from] crate::when::WhenError),
    /// A column that does not exist.
    #[error(transparent)]
    Column(#[from] crate::figures::UnknownColumn),
    /// A name that cannot be one.
    #[error("{argument} {source}")]
    Name {
        /// The argument.
        argument: &'static str,
        /// What is wrong with it.
        source: NameError,
    },
    /// An argument that makes no sense.
    #[error("{0}")]
    Argument(String),
    /// A file.
    #[error("{action} {}: {source}", .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The operating system's word.
        source: io::Error,
    },
    /// A tool's word about a log.
    #[error(transparent)]
    Tool(#[from] pegcount_log::tools::ToolError),
    /// A line, or an item, of a dump.
    #[error("{}, {unit} {number}: {what}", .path.display())]
    Dump {
        /// The dump.
        path: PathBuf,
        /// `line` or `item`.
        unit: &'static str,
        /// Which, from 1.
        number: u64,
        /// What is wrong with it.
        what: String,
    },
    /// `log verify` has found damage.
    #[error(
        "{count} {} in {}: restore the log from a backup",
        if *.count == 1 { "damage" } else { "damages" }, .dir.display()
    )]
    LogDamaged {
        /// The log's folder.
        dir: PathBuf,
        /// How many.
        count: u64,
    },
    /// `log verify` could not look.
    #[error("nothing was checked: {0}")]
    CannotLook(pegcount_log::tools::ToolError),
    /// `log verify` has met a lock.
    #[error(
        "nothing was checked: a server uses {}: stop it, or take a backup (`pegcount log backup`) and check that", .dir.display()
    )]
    CannotVerifyServed {
        /// The folder.
        dir: PathBuf,
    },
    /// `reconcile` has found something.
    #[error(
        "{count} {} what the log's facts say: restart the server that has this folder, so that it counts again from the log, \
         and look again; what still differs then is a fault of the program", if *.count == 1 { "number is not" } else { "numbers are not" }
    )]
    FiguresDiffer {
        /// How many.
        count: u64,
    },
    /// `reconcile` could not look.
    #[error("nothing was checked: {0}")]
    CannotReconcile(Box<CliError>),
    /// The answer could not be written out.
    #[error("writing the answer: {0}")]
    Output(#[from] io::Error),
}

impl From<tonic::Status> for CliError {
    fn from(status: tonic::Status) -> Self {
        Self::Refused { code: status.code(), message: status.message().to_owned() }
    }
}

impl From<csv::Error> for CliError {
    fn from(error: csv::Error) -> Self {
        Self::Output(error.into())
    }
}

impl CliError {
    /// The reader of our output has gone (`| head`): no failure of ours.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The process's exit code.
    pub(crate) fn code(&self) -> u8 {
        if matches!(self, Self::CannotLook(_) | Self::CannotVerifyServed { .. } | Self::CannotReconcile(_)) {
            2
        } else {
            1
        }
    }

    /// The message, and those of its causes that it does not contain already.
    pub(crate) fn in_full(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let words = error.to_string();
            if !text.contains(&words) {
                text.push_str("\n  because: ");
                text.push_str(&words);
            }
            cause = error.source();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let named = CliError::File {
            action: "open",
            path: "calls.tsv".into(),
            source: io::Error::new(io::ErrorKind::NotFound, "no such file"),
        };
        assert_eq!(named.in_full(), "open calls.tsv: no such file");
    }
}
