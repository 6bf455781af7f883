#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod suite;

use std::sync::Arc;

use pegcount_log::{EventLog, SledLog, SledOptions, blobs_empty};

/// A log in a folder of its own that seals its database as soon as anything is in it, so that every rule crosses
/// sealings; no filter is in memory, and hardly a block.
struct Sealing {
    dir: tempfile::TempDir,
}

impl Sealing {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }
}

impl suite::Subject for Sealing {
    fn open(&self) -> Arc<dyn EventLog> {
        let options = SledOptions::new(self.dir.path());
        let options = SledOptions { seal_bytes: 1, filter_bytes: 0, index_cache_bytes: 100_000, ..options };
        Arc::new(SledLog::open(options).unwrap())
    }

    fn keeps(&self) -> bool {
        true
    }
}

impl Drop for Sealing {
    fn drop(&mut self) {
        assert!(blobs_empty(self.dir.path()).unwrap());
    }
}

conformance!(Sealing::new());
