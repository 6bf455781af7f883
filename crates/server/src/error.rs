//! Why a server could not start or stop.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// Why a server could not start or stop.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Somebody else listens there.
    #[error("{address} is taken by another program: stop it, or listen elsewhere (port 0 takes a free one)")]
    PortTaken {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// The operating system's word.
        source: std::io::Error,
    },
    /// Tokens would cross the network in the clear.
    #[error(
        "{address} can be reached from other machines, where tokens must not travel in the clear: give a certificate and its key for TLS, or listen on 127.0.0.1"
    )]
    TlsNeeded {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The certificate or its key is of no use.
    #[error("the certificate {cert} with the key {key} cannot be used for TLS ({reason}): give PEM files that belong together", cert = .cert.display(), key = .key.display())]
    Tls {
        /// The certificate.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("{action} {path}: {source}", path = .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What came of it.
        source: std::io::Error,
    },
    /// The key file holds something else.
    #[error("{path} holds {bytes} bytes; the key of the tokens has {expected}: restore it, or remove it (all tokens end then)", path = .path.display())]
    KeyLength {
        /// The file.
        path: PathBuf,
        /// What it holds.
        bytes: usize,
        /// What it should.
        expected: usize,
    },
    /// A token could not be made.
    #[error("a token could not be made: {reason}")]
    Token {
        /// What is wrong.
        reason: String,
    },
    /// No randomness for a key.
    #[error("the operating system gives no random numbers ({reason}); without them no key can be made")]
    NoRandomness {
        /// Its word.
        reason: String,
    },
    /// The reflection service could not be made of the contract.
    #[error("the contract's descriptors cannot be served: {reason}")]
    Reflection {
        /// What is wrong.
        reason: String,
    },
    /// The transport failed.
    #[error("the server has stopped: {reason}")]
    Transport {
        /// What is wrong.
        reason: String,
    },
    /// Connections had to be cut off.
    #[error(
        "{grace:?} after shutdown began some connections were still open; they are cut off (nothing acknowledged is lost)"
    )]
    GraceOver {
        /// How long they had.
        grace: Duration,
    },
}
