//! `log verify`, `log stat`, `log backup`, `log restore`, `log dump`, `log load`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Which log to check.
#[derive(Debug, Args)]
#[command(
    after_help = "Ends with code 0 if all is sound, 1 if something is damaged, 2 if it could not look.\n\n\
    Example:\n  pegcount log verify ./data"
)]
pub(crate) struct VerifyArgs {
    /// A server's folder, the log's folder in it, or a backup
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

/// Which log to look at.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  pegcount log stat ./data\n  pegcount log stat ./data --kinds --json")]
pub(crate) struct StatArgs {
    /// A server's folder, the log's folder in it, or a backup
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Also count events by kind of stream, which reads every frame
    #[arg(long)]
    pub(crate) kinds: bool,
    /// Write one line of JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to back up, and where to.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  pegcount log backup ./data /mnt/backup/pegcount\n  \
    pegcount log backup /var/lib/pegcount /mnt/backup/pegcount --server https://pegcount.example:7474 \\\n      \
    --token-file admin.token --tls-ca cert.pem")]
pub(crate) struct BackupArgs {
    /// A server's folder on this machine; the server may run
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// The backup's folder: new, empty, or an earlier backup of the same log
    #[arg(value_name = "TO")]
    pub(crate) to: PathBuf,
    /// The server that runs on DIR [default: the one that says so in DIR]
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// The file with an administrator's token for all sites [default: DIR/local-token]
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Trust this certificate (PEM) for a server with https://
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_ca: Option<PathBuf>,
}

/// What to restore, how far, and where to.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  pegcount log restore /mnt/backup/pegcount ./data\n  \
    pegcount log restore /mnt/backup/pegcount ./data --to-time 2026-03-01T09:30:00+02:00\n  \
    pegcount log restore /mnt/backup/pegcount ./data --to-position 6700000")]
pub(crate) struct RestoreArgs {
    /// The backup's folder
    #[arg(value_name = "BACKUP")]
    pub(crate) backup: PathBuf,
    /// The folder of a server to be: new or empty. The log comes into `log` in it
    #[arg(value_name = "TO")]
    pub(crate) to: PathBuf,
    /// Leave out what comes after this position; it may lie within events that were appended together
    #[arg(long, value_name = "POSITION", conflicts_with = "to_time", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) to_position: Option<u64>,
    /// Leave out what was recorded after this time: a date, a local time or RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) to_time: Option<String>,
    /// The time zone that --to-time is meant in, if it has no offset
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
}

/// How a dump is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum DumpFormat {
    /// A line of JSON for each event
    #[default]
    Json,
    /// Messages of proto/pegcount/store/v1/dump.proto, each after its length
    Protobuf,
}

/// What to dump.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  pegcount log dump ./data -o events.ndjson\n  \
    pegcount log dump /mnt/backup/pegcount --format protobuf -o events.pb\n  \
    pegcount log dump ./data --from 1000 --to 1999 | jq .body")]
pub(crate) struct DumpArgs {
    /// A server's folder, the log's folder in it, or a backup
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: DumpFormat,
    /// The first position [default: the log's first; only a dump from 1 on can be loaded]
    #[arg(long, value_name = "POSITION", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) from: Option<u64>,
    /// The last position [default: the end]
    #[arg(long, value_name = "POSITION", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) to: Option<u64>,
    /// The file to write; it must not be there yet [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// What to load, and where to.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  pegcount log load events.ndjson ./data\n  pegcount log load events.pb ./data"
)]
pub(crate) struct LoadArgs {
    /// A dump from position 1 on, in either format; not of a log whose history was dropped
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The folder of a server to be: new or empty. The log comes into `log` in it
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
}
