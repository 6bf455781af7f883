//! Where a command works: on a running server, or straight on a folder.

use std::path::PathBuf;

use clap::Args;

/// The folder when none is named.
pub(crate) const DATA_DIR_DEFAULT: &str = "./pegcount-data";
/// Where a server listens when it is not told.
pub(crate) const LISTEN_DEFAULT: &str = "127.0.0.1:7474";

/// A server or a folder.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Where")]
pub(crate) struct TargetArgs {
    /// Ask the server at this address
    #[arg(long, value_name = "URL", conflicts_with = "data_dir")]
    pub(crate) server: Option<String>,
    /// The token for --server (see `pegcount token`)
    #[arg(long, value_name = "TOKEN", env = "PEGCOUNT_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Read the token from this file; outranks --token
    #[arg(long, value_name = "FILE", requires = "server")]
    pub(crate) token_file: Option<PathBuf>,
    /// Trust this certificate (PEM) for a server with https://
    #[arg(long, value_name = "FILE", requires = "server")]
    pub(crate) tls_ca: Option<PathBuf>,
    /// Work straight on this folder; only when no server runs on it [default: ./pegcount-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// Which site, and where.
#[derive(Debug, Args)]
pub(crate) struct AtArgs {
    /// The site
    #[arg(long, value_name = "SITE")]
    pub(crate) site: String,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}
