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

use std::{pin::Pin, sync::Arc};

use pegcount_log::{EventLog, MemoryLog};

struct Memory;

impl suite::Subject for Memory {
    fn open(&self) -> Arc<dyn EventLog> {
        Arc::new(MemoryLog::new())
    }

    fn keeps(&self) -> bool {
        false
    }

    /// Every frame can be dropped by itself.
    fn seal(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::ready(()))
    }
}

conformance!(Memory);
