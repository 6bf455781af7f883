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

/// A log in a folder of its own; in the end nothing may lie beside the file that is synced.
struct Sled {
    dir: tempfile::TempDir,
    log: Mutex<Weak<SledLog>>,
}

impl Sled {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), log: Mutex::default() }
    }
}

impl suite::Subject for Sled {
    fn open(&self) -> Arc<dyn EventLog> {
        let log = Arc::new(SledLog::open(SledOptions::new(self.dir.path())).unwrap());
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

impl Drop for Sled {
    fn drop(&mut self) {
        assert!(blobs_empty(self.dir.path()).unwrap());
    }
}

conformance!(Sled::new());
