//! Commands on two tickets.

use clap::Args;

use super::{AskArgs, LinkWord, NewArgs};

/// Two tickets.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    pegcount ticket merge T-18 --into T-17 --site main --server http://127.0.0.1:7474 --token-file pegcount-data/local-token")]
pub(crate) struct PairArgs {
    /// The ticket that goes on in another one
    pub(crate) ticket: String,
    /// The one that it goes on in
    #[arg(long, value_name = "TICKET")]
    pub(crate) into: String,
    #[command(flatten)]
    pub(crate) ask: AskArgs,
}

/// See `split`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    pegcount ticket split T-17 --part T-17b --kind fault --site main --server http://127.0.0.1:7474 --token-file pegcount-data/local-token")]
pub(crate) struct SplitArgs {
    /// The ticket
    pub(crate) ticket: String,
    /// The id of what becomes a ticket of its own
    #[arg(long, value_name = "TICKET")]
    pub(crate) part: String,
    #[command(flatten)]
    pub(crate) new: NewArgs,
    #[command(flatten)]
    pub(crate) ask: AskArgs,
}

/// See `link`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    pegcount ticket link T-17 --to T-3 --how parent --site main --server http://127.0.0.1:7474 --token-file pegcount-data/local-token")]
pub(crate) struct LinkArgs {
    /// The ticket
    pub(crate) ticket: String,
    /// The other one
    #[arg(long, value_name = "TICKET")]
    pub(crate) to: String,
    /// What the other one is to it
    #[arg(long, value_name = "HOW")]
    pub(crate) how: LinkWord,
    #[command(flatten)]
    pub(crate) ask: AskArgs,
}
