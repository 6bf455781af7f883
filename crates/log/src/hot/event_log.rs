//! The trait on sled: each of its promises handed to whoever keeps it.
//!
//! Not for keeping any: that is the writers', the sealer's, the readers'. Invariant: whatever reads the disk does so on a thread
//! that may block.

use std::{io, sync::Arc};

use async_trait::async_trait;
use pegcount_domain::{
    envelope::{Position, StreamName, Version},
    ids::{Epoch, Incarnation, Name},
};
use tokio::{sync::oneshot, task::spawn_blocking};

use super::{SledLog, bell::DropAsked, folder::failed, former::refusal, join};
use crate::{
    api::{
        Append, AppendError, EventLog, LogError, LogStatus, PendingAppend, Sealed, SourceMark, Subscription,
    },
    check,
    consumers::Consumers,
    frame::Frame,
    retention::{Archive, Dropped},
    stream::{Direction, StreamPage},
    subscribe::{Frames, subscription},
};

#[async_trait]
impl EventLog for SledLog {
    fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    fn end(&self) -> Position {
        self.shared.durable.end()
    }

    fn first(&self) -> Position {
        self.shared.durable.shelf.first()
    }

    async fn submit(&self, append: Append) -> Result<PendingAppend, AppendError> {
        let bytes = check::bytes_of(&append)?;
        if self.shared.options.read_only {
            return Err(AppendError::ReadOnly);
        }
        if self.shared.durable.poisoned().is_some() {
            return Err(refusal(&self.shared.durable));
        }
        let (answer, pending) = oneshot::channel();
        self.desk.submit(append, bytes, answer).await?;
        Ok(PendingAppend::new(pending))
    }

    fn version(&self, stream: &StreamName) -> Result<Version, LogError> {
        let durable = &self.shared.durable;
        durable.version(durable.names.stream(stream)).map(Version)
    }

    fn source_mark(&self, site: &Name, source: &Name, epoch: Epoch) -> Result<Option<SourceMark>, LogError> {
        let durable = &self.shared.durable;
        let last_seq = durable.mark(durable.names.counter(site.as_str(), source.as_str(), epoch))?;
        Ok(last_seq.map(|last_seq| SourceMark { last_seq }))
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Version,
        direction: Direction,
        limit: usize,
    ) -> Result<StreamPage, LogError> {
        let (shared, stream) = (Arc::clone(&self.shared), stream.clone());
        let read = move || shared.read_stream(&stream, from, direction, limit);
        let page = spawn_blocking(read).await;
        page.map_err(|error| failed("read", self.folder.dir())(io::Error::other(error)))?
    }

    async fn read(&self, from: Position) -> Result<Option<Arc<Frame>>, LogError> {
        let (from, end) = (from.max(Position(1)), self.end());
        if from > end {
            let (asked, next) = (from, end.next());
            return if from == next { Ok(None) } else { Err(LogError::OutOfRange { asked, next }) };
        }
        self.shared.durable.shelf.check_kept(from)?;
        if let Some(frame) = self.shared.recent(from) {
            return Ok(Some(frame));
        }
        let shared = Arc::clone(&self.shared);
        let path = self.folder.dir().to_owned();
        let frames = spawn_blocking(move || shared.load(from, 1)).await;
        let frames = frames.map_err(|error| failed("read", &path)(io::Error::other(error)))??;
        Ok(frames.into_iter().next())
    }

    fn subscribe(&self, from: Position) -> Subscription {
        subscription(&self.frames, from)
    }

    fn consumers(&self) -> &Arc<Consumers> {
        &self.consumers
    }

    fn sealed(&self) -> Vec<Sealed> {
        self.shared.durable.shelf.sealed()
    }

    async fn drop_history(&self, up_to: Position, archive: Archive) -> Result<Dropped, LogError> {
        let (answer, dropped) = oneshot::channel();
        self.bell.ask_drop(DropAsked { up_to, archive, answer });
        dropped.await.map_err(|_| self.refused("drop history of"))?
    }

    async fn archive(&self, at_most: Option<Position>) -> Result<Option<Archive>, LogError> {
        let archives = Arc::clone(&self.archives);
        let read = spawn_blocking(move || archives.read(at_most)).await;
        read.map_err(|error| failed("read", self.folder.dir())(io::Error::other(error)))?
    }

    fn status(&self) -> LogStatus {
        let disk_bytes = self.shared.store.read().as_ref().map_or(0, |store| store.disk_bytes());
        let disk_bytes = disk_bytes + self.archives.disk_bytes();
        let poisoned = self.shared.durable.poisoned();
        LogStatus {
            first: self.first(),
            end: self.end(),
            archives: self.archives.positions(),
            incarnation: self.incarnation,
            disk_bytes: disk_bytes + self.shared.drafts.disk_bytes(),
            segments: self.shared.durable.shelf.count(),
            sealed_end: self.shared.durable.shelf.end(),
            sealing_failure: self.shared.durable.sealing_failure(),
            poisoned,
            opened_in: self.opened_in,
        }
    }

    async fn close(&self) -> Result<(), LogError> {
        self.end_threads();
        self.consumers.close();
        let threads = Arc::clone(&self.threads);
        let path = self.folder.dir().to_owned();
        let joined = spawn_blocking(move || join(&threads)).await;
        joined.map_err(|error| failed("close", &path)(io::Error::other(error)))?;
        match self.shared.durable.poisoned() {
            Some(cause) => Err(failed("close", &path)(io::Error::other(&*cause))),
            None => Ok(()),
        }
    }
}
