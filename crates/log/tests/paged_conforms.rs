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
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use pegcount_domain::{
    envelope::{Position, StreamName, Version},
    ids::{Epoch, Incarnation, Name},
};
use pegcount_log::{
    Append, AppendError, Archive, Consumers, Direction, Dropped, EventLog, Frame, LogError, LogStatus,
    PageRule, PendingAppend, Sealed, SledLog, SledOptions, SourceMark, StreamPage, Subscription,
};

/// Everything is worth a page, and a page holds few events.
const RULE: PageRule =
    PageRule { skipped_events: 0, frames_min: 1, events_per_frame_max: u32::MAX, bytes_max: 700 };

/// A log that reads a stream only when its pages have caught up, so that every rule reads pages.
struct Paged {
    log: SledLog,
    read: Arc<AtomicUsize>,
}

#[async_trait]
impl EventLog for Paged {
    fn incarnation(&self) -> Incarnation {
        self.log.incarnation()
    }

    fn end(&self) -> Position {
        self.log.end()
    }

    fn first(&self) -> Position {
        self.log.first()
    }

    fn consumers(&self) -> &Arc<Consumers> {
        self.log.consumers()
    }

    fn sealed(&self) -> Vec<Sealed> {
        self.log.sealed()
    }

    async fn drop_history(&self, up_to: Position, archive: Archive) -> Result<Dropped, LogError> {
        self.log.drop_history(up_to, archive).await
    }

    async fn archive(&self, at_most: Option<Position>) -> Result<Option<Archive>, LogError> {
        self.log.archive(at_most).await
    }

    async fn submit(&self, append: Append) -> Result<PendingAppend, AppendError> {
        self.log.submit(append).await
    }

    fn version(&self, stream: &StreamName) -> Result<Version, LogError> {
        self.log.version(stream)
    }

    fn source_mark(&self, site: &Name, source: &Name, epoch: Epoch) -> Result<Option<SourceMark>, LogError> {
        self.log.source_mark(site, source, epoch)
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Version,
        direction: Direction,
        limit: usize,
    ) -> Result<StreamPage, LogError> {
        self.log.paged().await;
        let page = self.log.read_stream(stream, from, direction, limit).await?;
        // Only a page leaves positions out.
        let has_gaps = |frame: &Frame| {
            let positions = frame.last().0 - frame.first().0 + 1;
            usize::try_from(positions).unwrap() > frame.len()
        };
        let pages = page.parts.iter().filter(|part| has_gaps(part.frame())).count();
        self.read.fetch_add(pages, Ordering::Relaxed);
        Ok(page)
    }

    async fn read(&self, from: Position) -> Result<Option<Arc<Frame>>, LogError> {
        self.log.read(from).await
    }

    fn subscribe(&self, from: Position) -> Subscription {
        self.log.subscribe(from)
    }

    fn status(&self) -> LogStatus {
        self.log.status()
    }

    async fn close(&self) -> Result<(), LogError> {
        self.log.close().await
    }
}

/// A log in a folder of its own whose streams are read from pages, sealed or not.
struct Subject {
    dir: tempfile::TempDir,
    seal_bytes: u64,
    read: Arc<AtomicUsize>,
    log: Mutex<Weak<Paged>>,
}

impl Subject {
    fn new() -> Self {
        Self::sealed_every(2_000)
    }

    fn sealed_every(seal_bytes: u64) -> Self {
        Self { dir: tempfile::tempdir().unwrap(), seal_bytes, read: Arc::default(), log: Mutex::default() }
    }
}

impl suite::Subject for Subject {
    fn open(&self) -> Arc<dyn EventLog> {
        let options = SledOptions::new(self.dir.path());
        let (seal_bytes, page_rule) = (self.seal_bytes, RULE);
        let log = SledLog::open(SledOptions { seal_bytes, page_rule, ..options }).unwrap();
        let log = Arc::new(Paged { log, read: Arc::clone(&self.read) });
        *self.log.lock().unwrap() = Arc::downgrade(&log);
        log
    }

    fn keeps(&self) -> bool {
        true
    }

    fn seal(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let log = self.log.lock().unwrap().upgrade().expect("a log is open");
        Box::pin(async move {
            log.log.seal().await.unwrap();
        })
    }
}

conformance!(Subject::new());

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_read_from_pages_hot_and_sealed() {
    for seal_bytes in [u64::MAX, 2_000] {
        let subject = Subject::sealed_every(seal_bytes);
        suite::streams::a_stream_comes_in_pages_forward_and_backward(&subject).await;
        assert!(subject.read.load(Ordering::Relaxed) > 50, "sealed every {seal_bytes} bytes");
    }
}

mod without {
    use super::*;

    /// The same with no pages at all.
    struct Unpaged(tempfile::TempDir, Mutex<Weak<SledLog>>);

    impl suite::Subject for Unpaged {
        fn open(&self) -> Arc<dyn EventLog> {
            let options = SledOptions { page_memory_bytes: 0, ..SledOptions::new(self.0.path()) };
            let log = Arc::new(SledLog::open(SledOptions { seal_bytes: 2_000, ..options }).unwrap());
            *self.1.lock().unwrap() = Arc::downgrade(&log);
            log
        }

        fn keeps(&self) -> bool {
            true
        }

        fn seal(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            let log = self.1.lock().unwrap().upgrade().expect("a log is open");
            Box::pin(async move {
                log.seal().await.unwrap();
            })
        }
    }

    conformance!(Unpaged(tempfile::tempdir().unwrap(), Mutex::default()));
}
