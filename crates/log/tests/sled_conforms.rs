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

/// A log in a folder of its own; in the end nothing may lie beside the file that is synced.
struct Sled {
    dir: tempfile::TempDir,
}

impl Sled {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }
}

impl suite::Subject for Sled {
    fn open(&self) -> Arc<dyn EventLog> {
        Arc::new(SledLog::open(SledOptions::new(self.dir.path())).unwrap())
    }

    fn keeps(&self) -> bool {
        true
    }
}

impl Drop for Sled {
    fn drop(&mut self) {
        assert!(blobs_empty(self.dir.path()).unwrap());
    }
}

conformance!(Sled::new());
