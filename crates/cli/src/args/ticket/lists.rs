//! Which tickets are wanted, in what order, and how they are shown.

use clap::{Args, ValueEnum};

use super::{AtArgs, SeverityWord, StatusWord, UrgencyWord};
use crate::args::{Format, Length, TargetArgs};

/// Which tickets.
#[derive(Debug, Args)]
pub(crate) struct FilterArgs {
    /// Those that stand so; this and what follows may be given several times
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Vec<StatusWord>,
    /// Those on which somebody has to act
    #[arg(long)]
    pub(crate) open: bool,
    /// Of this kind
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Vec<String>,
    /// Of this category
    #[arg(long, value_name = "CATEGORY")]
    pub(crate) category: Vec<String>,
    /// As bad as this
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) severity: Vec<SeverityWord>,
    /// As urgent as this
    #[arg(long, value_name = "URGENCY")]
    pub(crate) urgency: Vec<UrgencyWord>,
    /// This agent answers for it
    #[arg(long, value_name = "AGENT")]
    pub(crate) owner: Vec<String>,
    /// Nobody does
    #[arg(long)]
    pub(crate) unowned: bool,
    /// Of this group
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Vec<String>,
    /// Of customers of this tier
    #[arg(long, value_name = "TIER")]
    pub(crate) tier: Vec<String>,
    /// In this region
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Vec<String>,
    /// That came in so
    #[arg(long, value_name = "CHANNEL")]
    pub(crate) channel: Vec<String>,
    /// Of this customer: a surrogate
    #[arg(long, value_name = "SURROGATE")]
    pub(crate) customer: Option<String>,
    /// With a target that is due within this time, or overdue: 30m, 2h
    #[arg(long, value_name = "LENGTH")]
    pub(crate) due_within: Option<Length>,
    /// With a target that is due before this instant, or overdue: 2026-03-01, 2026-03-01T18:00, RFC 3339
    #[arg(long, value_name = "INSTANT")]
    pub(crate) due_before: Option<String>,
    /// With a target that was missed or is overdue (true), or none such (false)
    #[arg(long, value_name = "BOOL")]
    pub(crate) breached: Option<bool>,
}

/// In what order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OrderWord {
    /// As they were opened
    #[default]
    Oldest,
    /// The last one opened first
    Newest,
    /// Those with a target that runs, the earliest due first
    Due,
}

/// See `list`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    pegcount ticket list --open --owner anna --due-within 30m --order due --site main --server http://127.0.0.1:7474 \
    --token-file pegcount-data/local-token")]
pub(crate) struct TicketListArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// In what order
    #[arg(long, value_enum, default_value_t)]
    pub(crate) order: OrderWord,
    /// The most that are listed
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    /// The time zone to read and show times in
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
    /// The site
    #[arg(long, value_name = "SITE")]
    pub(crate) site: String,
    /// How to write them
    #[arg(long, value_enum, default_value_t, conflicts_with = "json")]
    pub(crate) format: Format,
    /// Write JSON, a line for each
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// See `watch`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    pegcount ticket watch --open --owner anna --due-within 30m --site main --server http://127.0.0.1:7474 \
    --token-file pegcount-data/local-token")]
pub(crate) struct TicketWatchArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// The time zone to read and show times in
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}
