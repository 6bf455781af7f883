//! What an engine is told when it is opened, and the limits that it keeps. One place, shown by `pegcount config`.

use std::path::PathBuf;

use pegcount_clock::Clock;
use pegcount_domain::time::Micros;
use pegcount_log::{Durability, limits::SEAL_BYTES_DEFAULT};
use pegcount_vault::MasterKey;

use crate::{checkpoints::Checkpointing, retention::Retention};

/// The most facts in one batch.
pub const BATCH_FACTS_MAX: usize = 1_000;
/// The most records in one message of an import.
pub const IMPORT_RECORDS_MAX: usize = 1_000;
/// The most facts in one imported record.
pub const RECORD_FACTS_MAX: usize = 1_000;
/// The most definitions in one request: they are one append, all or nothing.
pub const DEFINITIONS_MAX: usize = 4_000;
/// A definition that touches units with more facts than this is taken in by a fold in the background: more would keep the
/// present one's readers waiting for over 100 ms.
pub const TOUCHED_FACTS_MAX: usize = 50_000;
/// The most tickets in one page of a list.
pub const TICKET_PAGE_MAX: usize = 1_000;
/// The most events in one page of the log.
pub const LOG_PAGE_EVENTS_MAX: usize = 10_000;
/// The most events that are read behind one item of an explanation: of more, the first half and the last half.
pub const ITEM_EVENTS_MAX: usize = 20;
/// How long a command's answer is remembered (duration, by `recorded_at`).
pub const COMMAND_MEMORY: Micros = Micros(48 * Micros::HOUR.0);
/// How often a command is decided anew when somebody else was first.
pub const DECISIONS_MAX: usize = 16;
/// About so many facts the auditor keeps to check the figures with: 64 to 112 bytes each, so some 50 MB at most. A centre of
/// 200 agents says so many in five days.
pub const AUDIT_FACTS_MAX: usize = 400_000;
/// About so many facts are kept while a range is recounted; longer logs may leave out what very late facts concern.
pub const RECONCILE_FACTS_MAX: usize = 4_000_000;
/// So many differences are told of a recounted range; more are counted only.
pub const RECONCILE_DIFFERENCES_MAX: usize = 10_000;
/// How often the figures are checked, at most (duration).
pub const AUDIT_EVERY: Micros = Micros::from_secs(10);
/// Facts before this are refused: 1980-01-01, before which no exchange kept records that a machine could read. A
/// clock that stands at zero would otherwise make a span of half a century.
pub const EARLIEST: Micros = Micros(315_532_800_000_000);

/// Facts of a live source that are older than this (duration) are refused: no spool is that old, but a device whose
/// clock has been reset is. Old history is imported instead, which has no such limit.
pub const LIVE_AGE_MAX: Micros = Micros(5 * 366 * 24 * Micros::HOUR.0);

/// Where the log lives.
#[derive(Clone, Debug)]
pub enum LogStore {
    /// In a folder.
    Folder {
        /// Which.
        dir: PathBuf,
        /// What an acknowledgement promises.
        durability: Durability,
        /// The memory that sled may use as cache, bytes.
        cache_bytes: u64,
        /// The store's frames are sealed into a segment once they have so many bytes.
        seal_bytes: u64,
    },
}

/// What an engine is told when it is opened.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Where the log lives; the vault lives in `vault` beside it, and checkpoints in `checkpoints`.
    pub store: LogStore,
    /// Where the vault's master key comes from.
    pub master_key: MasterKey,
    /// The time of day, and who waits for it.
    pub clock: Clock,
    /// After so long without a sign of life a softphone's connection counts as lost (duration).
    pub lease: Micros,
    /// A lost connection that comes back within this is as if it had never gone; after it the agent is signed out
    /// (duration).
    pub lost_grace: Micros,
    /// How much history is kept, by those who run processes.
    pub retention: Retention,
    /// When checkpoints are made, by those who run processes, and how many stay.
    pub checkpointing: Checkpointing,
}

impl EngineOptions {
    /// A folder, power-loss safe, on the machine's clock; a lease of 10 s and a grace of 15 min.
    pub fn folder(dir: impl Into<PathBuf>) -> Self {
        Self {
            store: LogStore::Folder {
                dir: dir.into(),
                durability: Durability::default(),
                cache_bytes: 64 * 1024 * 1024,
                seal_bytes: SEAL_BYTES_DEFAULT,
            },
            master_key: MasterKey::Beside,
            clock: Clock::system(),
            lease: Micros::from_secs(10),
            lost_grace: Micros(15 * Micros::MINUTE.0),
            retention: Retention::default(),
            checkpointing: Checkpointing::default(),
        }
    }
}
