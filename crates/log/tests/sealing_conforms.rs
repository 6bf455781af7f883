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

use std::{
    pin::Pin,
    sync::{Arc, Mutex, Weak},
};

use pegcount_log::{EventLog, SledLog, SledOptions, blobs_empty};

/// A log in a folder of its own that seals its database as soon as anything is in it, so that every rule crosses
/// sealings; no filter is in memory, and hardly a block.
struct Sealing {
    dir: tempfile::TempDir,
    log: Mutex<Weak<SledLog>>,
}

impl Sealing {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), log: Mutex::default() }
    }
}

impl suite::Subject for Sealing {
    fn open(&self) -> Arc<dyn EventLog> {
        let options = SledOptions::new(self.dir.path());
        let options = SledOptions { seal_bytes: 1, filter_bytes: 0, index_cache_bytes: 100_000, ..options };
        let log = Arc::new(SledLog::open(options).unwrap());
        *self.log.lock().unwrap() = Arc::downgrade(&log);
        log
    }

    fn keeps(&self) -> bool {
        true
    }

    fn seal(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let log = self.log.lock().unwrap().upgrade().expect("a log is open");
        Box::pin(async move {
            log.seal().await.unwrap();
        })
    }
}

impl Drop for Sealing {
    fn drop(&mut self) {
        assert!(blobs_empty(self.dir.path()).unwrap());
    }
}

conformance!(Sealing::new());
