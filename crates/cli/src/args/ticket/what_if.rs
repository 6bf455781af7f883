//! What is tried on the past, and on which part of it.

use std::path::PathBuf;

use clap::Args;

use super::AtArgs;

/// See `what-if`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    pegcount ticket what-if stricter.toml --from 2026-03-01 --to 2026-04-01 --site main --server http://127.0.0.1:7474 \
    --token-file pegcount-data/local-token\n  \
    pegcount ticket what-if --set 2026-01-01 --policy complaints --from 2026-03-01 --to 2026-04-01 --site main --server …")]
pub(crate) struct WhatIfArgs {
    /// A site's file, as `apply` reads it: its ticket policies are tried, by its calendars where it has some [default: a set that is
    /// defined already]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Try the set of ticket policies that came into force then, or `standard`, the one that every site begins with [default: the
    /// only one]
    #[arg(long, value_name = "WHEN")]
    pub(crate) set: Option<String>,
    /// Of the set only the policy of this name; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) policy: Vec<String>,
    /// Try it on tickets that were opened from then on: a local date (its first instant), a local time, or RFC 3339
    #[arg(long, value_name = "WHEN")]
    pub(crate) from: String,
    /// Up to, and not including, then
    #[arg(long, value_name = "WHEN")]
    pub(crate) to: String,
    /// The most tickets that are shown [default: 100 in a table, all in JSON]
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u32>,
    /// The time zone to read and show times in [default: the file's, or UTC]
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}
