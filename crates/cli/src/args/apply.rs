//! `pegcount apply` and `pegcount definitions`.

use std::path::PathBuf;

use clap::Args;

use super::TargetArgs;

/// Which file, and where it goes.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    pegcount apply site.toml --dry-run --data-dir ./data\n  \
    pegcount apply site.toml --server http://127.0.0.1:7474 --token-file data/local-token\n  \
    pegcount definitions --site main --data-dir ./data > site.toml")]
pub(crate) struct ApplyArgs {
    /// The file (TOML)
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The site [default: the one that the file names]
    #[arg(long, value_name = "SITE")]
    pub(crate) site: Option<String>,
    /// Write without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Only show what would be written
    #[arg(long, conflicts_with = "yes")]
    pub(crate) dry_run: bool,
    /// Do not wait until a server's figures stand on what was written
    #[arg(long)]
    pub(crate) no_wait: bool,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// Whose definitions.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  pegcount definitions --site main --time-zone Asia/Shanghai --data-dir ./data > site.toml"
)]
pub(crate) struct DefinitionsArgs {
    /// The site
    #[arg(long, value_name = "SITE")]
    pub(crate) site: String,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}
