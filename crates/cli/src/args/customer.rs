//! `customer` and `vault`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use pegcount_domain::customer::ValueKind;

use super::{AtArgs, Length, TargetArgs};

/// What to do with a customer.
#[derive(Debug, Subcommand)]
pub(crate) enum CustomerCommand {
    /// Find a customer by a number or an address
    Find(FindArgs),
    /// Show a customer's file: what is sealed, who may read it, whether it was erased
    Show(ShowArgs),
    /// Seal a name, a number, an address or a note, and print the references that tickets name
    ///
    /// Values stand in a file or come from standard input, a line each, `kind: text`; kinds are name, contact, place, text. They
    /// go into the server's vault; the log gets references.
    Keep(KeepArgs),
    /// Read sealed values. Who read what, and what for, stands in the log
    ///
    /// A data steward may always; others need `pegcount customer grant`.
    Read(ReadArgs),
    /// All contacts and tickets of a customer, over all channels, in the order in which they began
    ///
    /// For those who may read sealed values, and on record as that is.
    Timeline(TimelineArgs),
    /// Set the tier: A, B, C, VIP…
    Tier(TierArgs),
    /// Let somebody read the file for a while
    Grant(GrantArgs),
    /// End that before its time
    Revoke(RevokeArgs),
    /// Make everything personal of a customer unreadable, for good. Figures do not change
    Erase(EraseArgs),
}

/// By what to find.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    echo '+49 30 123456' | pegcount customer find - --site north --server http://127.0.0.1:7474 --token-file steward.token")]
pub(crate) struct FindArgs {
    /// The number or address; `-`: the first line of standard input, which no list of processes shows
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) known_by: String,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}

/// Which customer.
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The surrogate, as `find` prints it
    #[arg(value_name = "CUSTOMER")]
    pub(crate) customer: String,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}

/// What to seal.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    printf 'known by: +49 30 123456\\nname: Ann Maker\\n' | pegcount customer keep - --site north --server … --token-file …")]
pub(crate) struct KeepArgs {
    /// The file with the values, `kind: text` a line; `-`: standard input. A line `known by: NUMBER` adds a number or an address
    /// by which the customer is found
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The surrogate [default: the customer known by the first `known by`, who becomes one if nobody is]
    #[arg(long, value_name = "CUSTOMER")]
    pub(crate) customer: Option<String>,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}

/// What to read.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    pegcount customer read c_… --purpose call_back --site north --server http://127.0.0.1:7474 --token-file steward.token")]
pub(crate) struct ReadArgs {
    /// The surrogate
    #[arg(value_name = "CUSTOMER")]
    pub(crate) customer: String,
    /// The references of what to read [default: all of the file]
    #[arg(value_name = "REFERENCE")]
    pub(crate) references: Vec<String>,
    /// Only values of this kind: name, contact, place or text
    #[arg(long, value_name = "KIND", value_parser = ValueKind::from_word, conflicts_with = "references")]
    pub(crate) kind: Option<ValueKind>,
    /// What for: a code, such as `call_back`
    #[arg(long, value_name = "CODE")]
    pub(crate) purpose: String,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}

/// Whose timeline.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    pegcount customer timeline c_… --purpose complaint --newest-first --site north --server http://127.0.0.1:7474 \
    --token-file steward.token")]
pub(crate) struct TimelineArgs {
    /// The surrogate
    #[arg(value_name = "CUSTOMER")]
    pub(crate) customer: String,
    /// What for: a code, such as `complaint`
    #[arg(long, value_name = "CODE")]
    pub(crate) purpose: String,
    /// The last first
    #[arg(long)]
    pub(crate) newest_first: bool,
    /// The most entries
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    /// The time zone to show times in
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}

/// Which tier.
#[derive(Debug, Args)]
pub(crate) struct TierArgs {
    /// The surrogate
    #[arg(value_name = "CUSTOMER")]
    pub(crate) customer: String,
    /// The tier
    #[arg(value_name = "TIER")]
    pub(crate) tier: String,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}

/// Who may read.
#[derive(Debug, Args)]
pub(crate) struct GrantArgs {
    /// The surrogate
    #[arg(value_name = "CUSTOMER")]
    pub(crate) customer: String,
    /// Whose token: its name
    #[arg(long, value_name = "PRINCIPAL")]
    pub(crate) to: String,
    /// What for: a code, which the reading has to name
    #[arg(long, value_name = "CODE")]
    pub(crate) purpose: String,
    /// How long: 90m, 8h, 72h; at most 2160h, which is 90 days
    #[arg(long = "for", value_name = "LENGTH")]
    pub(crate) length: Length,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}

/// Who may not.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    /// The surrogate
    #[arg(value_name = "CUSTOMER")]
    pub(crate) customer: String,
    /// Whose token: its name
    #[arg(long, value_name = "PRINCIPAL")]
    pub(crate) from: String,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}

/// Whom to erase.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    pegcount customer erase c_… --reason asked_for --site north --server http://127.0.0.1:7474 --token-file steward.token")]
pub(crate) struct EraseArgs {
    /// The surrogate
    #[arg(value_name = "CUSTOMER")]
    pub(crate) customer: String,
    /// Why: a code
    #[arg(long, value_name = "CODE")]
    pub(crate) reason: String,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}

/// What to do with a vault.
#[derive(Debug, Subcommand)]
pub(crate) enum VaultCommand {
    /// Copy the vault of a running server, without its master key
    ///
    /// What comes is unreadable without the master key: keep that apart. Take one whenever you back up the log.
    Backup(VaultBackupArgs),
    /// Put a vault's backup into the folder of a server to be
    ///
    /// With --erasures, the newest `erasures` file that there is, whoever was erased since the backup is erased again when the server
    /// starts. What the log knows of erasures is carried out anyway.
    Restore(VaultRestoreArgs),
}

/// Where a copy of the vault goes.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    pegcount vault backup /mnt/backup/vault-monday --server http://127.0.0.1:7474 --token-file pegcount-data/local-token")]
pub(crate) struct VaultBackupArgs {
    /// A new or empty folder
    #[arg(value_name = "TO")]
    pub(crate) to: PathBuf,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// What to restore.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    pegcount vault restore /mnt/backup/vault-monday ./data --erasures /mnt/backup/vault-tuesday/erasures")]
pub(crate) struct VaultRestoreArgs {
    /// The backup's folder
    #[arg(value_name = "BACKUP")]
    pub(crate) backup: PathBuf,
    /// The server's folder; it has no vault yet
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// The newest ledger of erasures, if it is newer than the backup
    #[arg(long, value_name = "FILE")]
    pub(crate) erasures: Option<PathBuf>,
}
