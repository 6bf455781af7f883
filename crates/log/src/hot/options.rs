//! How a log on disk is opened.

use std::{fmt, path::PathBuf};

use crate::{
    api::Durability,
    clock::{Clock, system_clock},
    limits::{
        CACHE_BYTES_DEFAULT, FILTER_BYTES_DEFAULT, INDEX_CACHE_BYTES_DEFAULT, PAGE_MEMORY_BYTES_DEFAULT,
        SEAL_BYTES_DEFAULT, SEGMENT_BYTES,
    },
    pages::PageRule,
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
    /// The hot database is sealed into a segment once it has so many bytes of frames.
    pub seal_bytes: u64,
    /// Memory for filters, bytes: up to 3 for each stream of each segment for the one over all segments, 2 for each stream of
    /// a segment for its own. What has no room (the first as a whole, of the others the oldest) is done without, or read
    /// when it is needed.
    pub filter_bytes: u64,
    /// Memory for the index blocks of segments that were read last, bytes.
    pub index_cache_bytes: u64,
    /// Memory for pages of streams that are not full, bytes: with less, pages are shorter and a stream lies in more of
    /// them. 0: no pages are made or read, and a stream that is spread thin takes long to read.
    pub page_memory_bytes: u64,
    /// Opens a log that is damaged, too, and gives what can be read; nothing can be appended, nothing of the log is
    /// changed (though sled may write its snapshot).
    pub read_only: bool,
    /// The zstd level of frames; none: frames stay raw.
    pub zstd_level: Option<i32>,
    /// The clock that gives `recorded_at`.
    pub clock: Clock,
    /// sled's segment size, bytes. For tests: with another one the relations in [`crate::limits`] do not hold.
    #[doc(hidden)]
    pub segment_bytes: usize,
    /// A group takes no more appends once it has so many events. For benchmarks of small groups.
    #[doc(hidden)]
    pub group_events_max: usize,
    /// What is worth a page. For tests, that want pages of everything.
    #[doc(hidden)]
    pub page_rule: PageRule,
}

impl SledOptions {
    /// Safe against power loss, sealed every 128 MiB, zstd level 1, the system's clock.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            durability: Durability::default(),
            cache_bytes: CACHE_BYTES_DEFAULT,
            seal_bytes: SEAL_BYTES_DEFAULT,
            filter_bytes: FILTER_BYTES_DEFAULT,
            index_cache_bytes: INDEX_CACHE_BYTES_DEFAULT,
            page_memory_bytes: PAGE_MEMORY_BYTES_DEFAULT,
            read_only: false,
            zstd_level: Some(1),
            clock: system_clock(),
            segment_bytes: SEGMENT_BYTES,
            group_events_max: usize::MAX,
            page_rule: PageRule::default(),
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
            .field("seal_bytes", &self.seal_bytes)
            .field("page_memory_bytes", &self.page_memory_bytes)
            .field("read_only", &self.read_only)
            .field("zstd_level", &self.zstd_level)
            .finish_non_exhaustive()
    }
}
