//! `serve`, `import`, `log`, `agent`, `token`, `config`.

use std::{net::SocketAddr, path::PathBuf};

use clap::{
    Args, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use pegcount_server::Role;

use super::{
    BackupArgs, DumpArgs, Format, Length, LoadArgs, RestoreArgs, StatArgs, TargetArgs, VerifyArgs,
    target::{DATA_DIR_DEFAULT, LISTEN_DEFAULT},
    values::Size,
};

/// Tests seal at this, again and again; below it a log would be more files than history.
const SEAL_SIZE_MIN: Size = Size(4 << 10);
/// Beyond this a start after a crash would take minutes.
const SEAL_SIZE_MAX: Size = Size(4 << 30);

/// What a server is told.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  pegcount serve --data-dir ./data\n  \
    pegcount serve --data-dir /var/lib/pegcount --listen 0.0.0.0:7474 --tls-cert cert.pem --tls-key key.pem")]
pub(crate) struct ServeArgs {
    /// The folder with the log and everything beside it; made if it is not there
    #[arg(long, value_name = "DIR", default_value = DATA_DIR_DEFAULT, env = "PEGCOUNT_DATA_DIR")]
    pub(crate) data_dir: PathBuf,
    /// Where to listen; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = LISTEN_DEFAULT, env = "PEGCOUNT_LISTEN")]
    pub(crate) listen: SocketAddr,
    /// The server's certificate chain (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Let in only clients with a certificate signed by this one (PEM); they need a token all the same
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_client_ca: Option<PathBuf>,
    /// The file with the vault's master key, made if the vault is new [default: `vault/key` in the folder, which whoever copies
    /// the folder has]. `PEGCOUNT_VAULT_KEY` (64 hexadecimal digits) outranks it
    #[arg(long, value_name = "FILE", env = crate::vault::KEY_FILE_VARIABLE)]
    pub(crate) vault_key: Option<PathBuf>,
    /// How long connections may take to end when the server is told to stop
    #[arg(long, value_name = "LENGTH", default_value = "10s")]
    pub(crate) shutdown_grace: Length,
    /// The memory that the log may use as cache, MiB
    #[arg(long, value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u64).range(8..=65_536))]
    pub(crate) cache_mib: u64,
    /// How much history the store may hold before it is sealed into a segment file: 4KiB to 4GiB. A larger one makes
    /// the next start after a crash slower, a smaller one makes more files
    #[arg(long, value_name = "SIZE", default_value = "128MiB", value_parser = seal_size)]
    pub(crate) seal_size: Size,
    /// Drop history that is older than so many days, at least 40; its figures stay. Without this and --keep-size, all of it
    /// is kept
    #[arg(long, value_name = "DAYS")]
    pub(crate) keep_days: Option<u32>,
    /// Drop the oldest history beyond so many bytes of segment files, as long as it is older than 40 days
    #[arg(long, value_name = "SIZE")]
    pub(crate) keep_size: Option<Size>,
    /// Write what happens as JSON lines instead of text
    #[arg(long)]
    pub(crate) json_logs: bool,
}

/// A size that a log can be sealed at.
fn seal_size(text: &str) -> Result<Size, String> {
    let size: Size = text.parse()?;
    if (SEAL_SIZE_MIN..=SEAL_SIZE_MAX).contains(&size) {
        Ok(size)
    } else {
        Err("a log is sealed at 4KiB to 4GiB".to_owned())
    }
}

/// Where records come from.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Call records in the format of the Technion's "Anonymous Bank"
    ///
    /// Tab-separated, one call a row, times local. A second import of the same records, in whatever order, adds
    /// nothing; a broken line is reported with its number, and the rest goes in.
    Bank(BankArgs),
    /// Histories of a help desk's tickets: CSV, one thing that happened in a row, in any order
    ///
    /// A map says what the columns hold and what the values mean. A second import adds nothing; a ticket that has grown gets what it
    /// lacks. A broken row is reported with its line, and the rest goes in. What the rules of tickets would refuse is kept as it is.
    Tickets(TicketsArgs),
}

/// What to import, and where.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    pegcount import bank calls.tsv --site bank --time-zone Asia/Jerusalem\n  \
    pegcount import bank calls.tsv --site bank --time-zone Asia/Jerusalem \\\n      \
    --server http://127.0.0.1:7474 --token-file pegcount-data/local-token")]
pub(crate) struct BankArgs {
    /// The file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The site that the calls belong to
    #[arg(long, value_name = "SITE")]
    pub(crate) site: String,
    /// The IANA time zone that the file's times are meant in
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: String,
    /// The name of the system that the records come from
    #[arg(long, value_name = "NAME", default_value = "import-bank")]
    pub(crate) source: String,
    /// List every line that was skipped or odd, not only the first few
    #[arg(long)]
    pub(crate) verbose: bool,
    /// How to write the report
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// Which tickets to import, by which map, and where.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    pegcount import tickets desk.csv --site main --map docs/tickets-map.toml --dry-run\n  \
    pegcount import tickets desk.csv --site main --map map.toml \\\n      \
    --server http://127.0.0.1:7474 --token-file pegcount-data/local-token")]
pub(crate) struct TicketsArgs {
    /// The file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The site that the tickets belong to
    #[arg(long, value_name = "SITE")]
    pub(crate) site: String,
    /// What the columns and the values mean; docs/tickets-map.toml is a sample
    #[arg(long, value_name = "MAP.toml")]
    pub(crate) map: PathBuf,
    /// The name of the system that the tickets come from
    #[arg(long, value_name = "NAME", default_value = "import-tickets")]
    pub(crate) source: String,
    /// Read and report, and store nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// List every broken row, not only the first few
    #[arg(long)]
    pub(crate) verbose: bool,
    /// How to write the report
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// What to do with the log.
#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Print the last events, or those from a position on, one a line
    Tail(TailArgs),
    /// List the named consumers of the log, with how far behind each is; or forget one
    ///
    /// A consumer is a program that follows the log under a name (the method Consume): the server keeps how far it has
    /// confirmed. `behind` counts all positions between there and the end, whether the consumer wants them or not.
    Consumers(ConsumersArgs),
    /// Seal what is not sealed yet into a segment file, say before a backup. A running server does so by itself
    Seal(SealArgs),
    /// Drop the oldest history; its figures stay
    ///
    /// What is dropped is closed first: a fact from before then changes no figure any more. What it came to goes into an
    /// archive beside the log: figures, what still goes on, where every stream and source stands. Then whole segments go, and an
    /// event says so. What needs their events (explain, what was known then, the history of a contact) says that they are gone. A
    /// server does this by itself if it is told what to keep: serve --keep-days, --keep-size.
    Retain(RetainArgs),
    /// Check every byte of a log that no server uses
    ///
    /// Reads every frame and holds it against everything that is said of it: checksums, positions, times, the versions of
    /// every stream, the seqs of every source, the indexes in both directions, the filters, the counts, and what had been
    /// acknowledged. It changes nothing. While a server uses the folder, take a backup and check that.
    Verify(VerifyArgs),
    /// Say what is in a log: positions, times, segments, bytes per event, the largest streams
    ///
    /// Quick: it reads what segments say of themselves, their indexes, and the events that are not in a segment yet.
    Stat(StatArgs),
    /// Copy a log into a backup folder, while its server runs
    ///
    /// The backup holds everything that was acknowledged before it began. A part of history that is sealed is copied once
    /// and never again, so the next backup into the same folder is quick. Customers' numbers are not in the log: copy
    /// the folder `vault` beside it as well.
    Backup(BackupArgs),
    /// Make a log of a backup, whole or as it was at a position or a time
    ///
    /// The new log has an incarnation of its own, so clients notice, and offer again what they still have. Put the folder
    /// `vault` and the file `token.key` beside it before a server starts there.
    Restore(RestoreArgs),
    /// Write all events out, for another program or another version
    ///
    /// As a line of JSON for each event, with its payload in words and as it is, or as protobuf. Nothing is left out:
    /// `pegcount log load` makes the same log of it.
    Dump(DumpArgs),
    /// Make a log of a dump
    ///
    /// Positions, versions and times stay as they are; the incarnation is a new one. A line that does not fit is named by
    /// its number, and nothing is made.
    Load(LoadArgs),
}

/// Whose log.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  pegcount log seal --data-dir ./data")]
pub(crate) struct SealArgs {
    /// The server's folder; no server may be running on it
    #[arg(long, value_name = "DIR", default_value = DATA_DIR_DEFAULT, env = "PEGCOUNT_DATA_DIR")]
    pub(crate) data_dir: PathBuf,
}

/// What is to be kept.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  pegcount log retain --keep-days 400 --only-tell --data-dir ./data\n  \
    pegcount log retain --keep-size 100GiB --server http://127.0.0.1:7474 --token-file pegcount-data/local-token")]
pub(crate) struct RetainArgs {
    /// Keep so many days of history, at least 40
    #[arg(long, value_name = "DAYS", required_unless_present = "keep_size")]
    pub(crate) keep_days: Option<u32>,
    /// Keep at most so many bytes of segment files, and whatever is younger than 40 days
    #[arg(long, value_name = "SIZE")]
    pub(crate) keep_size: Option<Size>,
    /// Say what would go, and leave it
    #[arg(long)]
    pub(crate) only_tell: bool,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// Which events.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  pegcount log tail --data-dir ./data\n  \
    pegcount log tail --from 1 --kind contact --format json --data-dir ./data\n  \
    pegcount log tail --backward --type ticket.opened --last 5 --data-dir ./data\n  \
    pegcount log tail --follow --server http://127.0.0.1:7474 --token-file pegcount-data/local-token")]
pub(crate) struct TailArgs {
    /// Begin at this position (positions begin at 1) instead of near the end; with --backward, instead of at the end
    #[arg(long, value_name = "POSITION")]
    pub(crate) from: Option<u64>,
    /// Without --from: how many positions before the end to begin. With --backward: how many events at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) last: u64,
    /// Only events of this site
    #[arg(long, value_name = "SITE")]
    pub(crate) site: Option<String>,
    /// Only streams of this kind: agent, contact, ticket, definition, quarantine
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<String>,
    /// Only events of this type, for example ticket.opened; give it again for several
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) types: Vec<String>,
    /// The newest first: from --from (or the end) back, as many events as --last says
    #[arg(long, conflicts_with = "follow")]
    pub(crate) backward: bool,
    /// Go on with what comes; needs --server
    #[arg(long, requires = "server")]
    pub(crate) follow: bool,
    /// How to write them; JSON is one object a line
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// Whose consumers.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    pegcount log consumers --server http://127.0.0.1:7474 --token-file pegcount-data/local-token\n  \
    pegcount log consumers --delete warehouse --site main --data-dir ./data")]
pub(crate) struct ConsumersArgs {
    /// Forget this one; the next time it connects, it begins anew
    #[arg(long, value_name = "NAME")]
    pub(crate) delete: Option<String>,
    /// With --delete: the site that the name goes with; without it, a consumer of all sites
    #[arg(long, value_name = "SITE", requires = "delete")]
    pub(crate) site: Option<String>,
    /// How to write them
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// What to do with agents.
#[derive(Debug, Subcommand)]
pub(crate) enum AgentCommand {
    /// List the agents that were ever named at a site, as they are now
    List(AgentListArgs),
}

/// Which agents.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    pegcount agent list --site main --present --server http://127.0.0.1:7474 --token-file pegcount-data/local-token")]
pub(crate) struct AgentListArgs {
    /// The site
    #[arg(long, value_name = "SITE")]
    pub(crate) site: String,
    /// Only those signed in, or with a lost connection
    #[arg(long)]
    pub(crate) present: bool,
    /// The time zone to show times in
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
    /// How to write them
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// For whom a token is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    pegcount token --data-dir ./data --role connector --site main --subject pbx-1 --days 365\n  \
    pegcount token --data-dir ./data --role agent --site main --subject anna --agent anna --days 30")]
pub(crate) struct TokenArgs {
    /// The server's folder
    #[arg(long, value_name = "DIR", default_value = DATA_DIR_DEFAULT, env = "PEGCOUNT_DATA_DIR")]
    pub(crate) data_dir: PathBuf,
    /// What its holder may do
    #[arg(long, value_name = "ROLE", value_parser = role())]
    pub(crate) role: Role,
    /// The one site that it is good for, or `*` for all
    #[arg(long, value_name = "SITE")]
    pub(crate) site: String,
    /// Who holds it; stands as the actor on every event that it brings
    #[arg(long, value_name = "NAME")]
    pub(crate) subject: String,
    /// For the role agent: which agent
    #[arg(long, value_name = "AGENT", required_if_eq("role", "agent"))]
    pub(crate) agent: Option<String>,
    /// How many days it is good for
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub(crate) days: u32,
}

/// How limits are shown.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// How to write them
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// The roles by the words that stand in tokens.
fn role() -> impl TypedValueParser<Value = Role> {
    let words = Role::ALL.iter().map(|role| role.word());
    PossibleValuesParser::new(words)
        .try_map(|word| Role::from_word(&word).ok_or_else(|| format!("there is no role `{word}`")))
}
