//! What reads need, whichever way they come: of a stream, of positions, by subscription.
//!
//! Not for what is decided or committed. Invariant: once the log is dropped the store is closed, and every read says so.

use std::{io, path::Path, sync::Arc};

use parking_lot::RwLock;
use pegcount_domain::envelope::{Position, StreamName, Version};
use tokio::sync::watch;

use super::{durable::Durable, folder::failed, options::SledOptions, store::Store, stream::StreamReader};
use crate::{
    api::LogError,
    frame::Frame,
    pages::Drafts,
    stream::{Collector, Direction, StreamPage},
    subscribe::Frames,
};

/// What reads need.
pub(super) struct Shared {
    pub(super) durable: Arc<Durable>,
    pub(super) drafts: Arc<Drafts>,
    pub(super) options: SledOptions,
    /// Taken out when the log is dropped: then the database is closed, whoever still holds a subscription.
    pub(super) store: RwLock<Option<Arc<dyn Store>>>,
}

impl Shared {
    pub(super) fn read_stream(
        &self,
        stream: &StreamName,
        from: Version,
        direction: Direction,
        limit: usize,
    ) -> Result<StreamPage, LogError> {
        loop {
            let first = self.durable.shelf.first();
            let page = self.try_read_stream(stream, from, direction, limit);
            // What was dropped meanwhile is not missing.
            if page.is_ok() || self.durable.shelf.first() == first {
                return page;
            }
        }
    }

    fn try_read_stream(
        &self,
        stream: &StreamName,
        from: Version,
        direction: Direction,
        limit: usize,
    ) -> Result<StreamPage, LogError> {
        let (durable, drafts, dir) = (&*self.durable, &*self.drafts, self.options.dir.as_path());
        let key = durable.names.stream(stream);
        let (head, gone) = (Version(durable.version(key)?), Version(durable.shelf.gone(key)?));
        let mut collector = Collector::new(stream, head, from, direction, limit).after(gone)?;
        let store = self.store.read();
        let store = store.as_deref().ok_or_else(|| closed(dir))?;
        StreamReader { durable, drafts, store, dir }.read(&mut collector)?;
        Ok(collector.page())
    }
}

fn closed(dir: &Path) -> LogError {
    failed("read", dir)(io::Error::other("the log has been closed"))
}

impl Frames for Shared {
    fn end(&self) -> watch::Receiver<Position> {
        self.durable.watch_end()
    }

    fn first(&self) -> Position {
        self.durable.shelf.first()
    }

    fn recent(&self, at: Position) -> Option<Arc<Frame>> {
        self.durable.recent(at)
    }

    fn load(&self, at: Position, count: usize) -> Result<Vec<Arc<Frame>>, LogError> {
        let end = self.durable.end();
        let store = self.store.read();
        let store = store.as_deref().ok_or_else(|| closed(&self.options.dir))?;
        let frames = store.load(at, count)?;
        // What is being committed is there and must not be seen.
        Ok(frames.into_iter().take_while(|frame| frame.first() <= end).map(Arc::new).collect())
    }
}
