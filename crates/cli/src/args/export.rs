//! Nightly exports: a site's days as files.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use pegcount_export::Format;

use super::target::DATA_DIR_DEFAULT;

/// What to do with exports.
#[derive(Debug, Subcommand)]
pub(crate) enum ExportCommand {
    /// Publish days of a site as files that equal the live figures
    ///
    /// Each day becomes a folder site=…/date=…/rev=N with a file for each table, a data dictionary and a manifest. What is written is
    /// read back, summed and compared with the live figures first; a day that has not changed since is not published again, and one
    /// that has gets a new revision that says what differs.
    Run(ExportRunArgs),
    /// List what is published in a folder
    List(ExportListArgs),
    /// Check that published days still are what was published
    Verify(ExportVerifyArgs),
    /// Print the data dictionary: every table and column, with unit and meaning
    Columns(ExportColumnsArgs),
}

/// Which days, and where to.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    pegcount export run --site bank --date 1999-02-01 --dest ./exports --data-dir ./data\n  \
    pegcount export run --site bank --from 1999-02-01 --to 1999-02-08 --dest ./exports --format parquet,csv")]
pub(crate) struct ExportRunArgs {
    /// The site
    #[arg(long, value_name = "SITE")]
    pub(crate) site: String,
    /// One local day
    #[arg(long, value_name = "DATE", conflicts_with_all = ["from", "to"], required_unless_present = "from")]
    pub(crate) date: Option<jiff::civil::Date>,
    /// The first of several local days
    #[arg(long, value_name = "DATE", requires = "to")]
    pub(crate) from: Option<jiff::civil::Date>,
    /// The day after the last of them
    #[arg(long, value_name = "DATE", requires = "from")]
    pub(crate) to: Option<jiff::civil::Date>,
    /// The folder in which days are published; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    pub(crate) dest: PathBuf,
    /// In which formats, separated by commas: parquet, csv, ndjson
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "parquet")]
    pub(crate) format: Vec<Format>,
    /// Begin CSV with a byte order mark, for spreadsheets
    #[arg(long)]
    pub(crate) bom: bool,
    /// The zone that cuts days [default: the site's own]
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
    /// Count the log up to this position only, to make an earlier export again
    #[arg(long, value_name = "POSITION")]
    pub(crate) position: Option<u64>,
    /// Write JSON, a line for each day
    #[arg(long)]
    pub(crate) json: bool,
    /// Work straight on this folder; only when no server runs on it
    #[arg(long, value_name = "DIR", default_value = DATA_DIR_DEFAULT)]
    pub(crate) data_dir: PathBuf,
}

/// Where to look.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  pegcount export list ./exports\n  pegcount export list ./exports --json"
)]
pub(crate) struct ExportListArgs {
    /// The folder in which days are published
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Write JSON, a line for each revision
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to check.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    pegcount export verify ./exports\n  \
    pegcount export verify ./exports/site=bank/date=1999-02-01/rev=1")]
pub(crate) struct ExportVerifyArgs {
    /// The folder in which days are published, or one revision's
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

/// How to print it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  pegcount export columns\n  pegcount export columns --json")]
pub(crate) struct ExportColumnsArgs {
    /// Write JSON, as it is shipped with each export
    #[arg(long)]
    pub(crate) json: bool,
}
