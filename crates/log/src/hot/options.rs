//! How a log on disk is opened.

use std::{fmt, path::PathBuf};

use crate::{
    api::Durability,
    clock::{Clock, system_clock},
    limits::{CACHE_BYTES_DEFAULT, SEGMENT_BYTES},
};

/// How to open a [`crate::SledLog`]. Start from [`SledOptions::new`] and change what should differ.
#[derive(Clone)]
pub struct SledOptions {
    /// The log's folder; made if it is not there.
    pub dir: PathBuf,
    /// What an acknowledgement promises.
    pub durability: Durability,
    /// sled's page cache, bytes. sled takes more than it is told.
    pub cache_bytes: u64,
    /// The zstd level of frames; none: frames stay raw.
    pub zstd_level: Option<i32>,
    /// The clock that gives `recorded_at`.
    pub clock: Clock,
    /// sled's segment size, bytes. For tests: with another one the relations in [`crate::limits`] do not hold.
    #[doc(hidden)]
    pub segment_bytes: usize,
}

impl SledOptions {
    /// Safe against power loss, zstd level 1, the system's clock.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            durability: Durability::default(),
            cache_bytes: CACHE_BYTES_DEFAULT,
            zstd_level: Some(1),
            clock: system_clock(),
            segment_bytes: SEGMENT_BYTES,
        }
    }

    /// For tests: sled with another segment size, so that a little volume reuses segments, or frames outgrow them.
    #[doc(hidden)]
    pub fn with_segments(dir: impl Into<PathBuf>, segment_bytes: usize) -> Self {
        Self { segment_bytes, ..Self::new(dir) }
    }
}

impl fmt::Debug for SledOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SledOptions")
            .field("dir", &self.dir)
            .field("durability", &self.durability)
            .field("cache_bytes", &self.cache_bytes)
            .field("zstd_level", &self.zstd_level)
            .finish_non_exhaustive()
    }
}
