//! The log on sled: the hot end. One committer, group commit, one sled key per frame.
//!
//! ```text
//! submit ─▶ desk ─▶ former ─────────▶ committer ──────────────────▶ durable ─▶ readers, subscribers
//!           queue   decides, encodes   apply, flush, sync, publish   versions, marks, tail, end
//!                   (thread)           (thread)
//! ```
//!
//! - [`options`], [`folder`], [`open`]: opening
//! - [`desk`], [`decide`], [`content`], [`former`]: from an append to a group
//! - [`store`], [`mark`], [`committer`]: from a group to the disk
//! - [`durable`]: what readers see
//!
//! Not here yet: sealing the hot end into segments. Its place is between `store` and `durable`: `store` counts the hot
//! databases by name, and readers ask for frames by position only.

mod committer;
mod content;
mod decide;
mod desk;
mod durable;
mod folder;
mod former;
mod mark;
mod open;
mod options;
mod store;
#[cfg(test)]
mod tests;

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
};

use async_trait::async_trait;
use parking_lot::{Mutex, RwLock};
use pegcount_domain::{
    envelope::{Position, StreamName, Version},
    ids::{Epoch, Incarnation, Name},
};
use tokio::{
    sync::{oneshot, watch},
    task::spawn_blocking,
};

use self::{
    committer::Committer,
    content::Fingerprints,
    decide::Decider,
    desk::{Desk, Group},
    durable::Durable,
    folder::{Folder, failed, hot_dir},
    former::{Former, refusal},
    open::{Found, missing, scan, unreadable},
    store::{SledStore, Store},
};
use crate::{
    api::{
        Append, AppendError, Durability, EventLog, LogError, LogStatus, PendingAppend, SourceMark,
        Subscription,
    },
    check,
    frame::{Frame, FrameBuilder},
    subscribe::{Frames, subscription},
};

pub use folder::blobs_empty;
pub use options::SledOptions;

/// The log on sled. Dropping it finishes what was handed in and gives the folder free.
pub struct SledLog {
    shared: Arc<Shared>,
    frames: Arc<dyn Frames>,
    desk: Arc<Desk>,
    incarnation: Incarnation,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
    folder: Folder,
}

/// What reads need.
struct Shared {
    durable: Arc<Durable>,
    options: SledOptions,
    /// Taken out when the log is dropped: then the database is closed, whoever still holds a subscription.
    store: RwLock<Option<Arc<dyn Store>>>,
}

impl SledLog {
    /// Opens the log in `options.dir`, or makes one. Blocks while it reads what is there.
    pub fn open(options: SledOptions) -> Result<Self, LogError> {
        let folder = Folder::open(&options.dir)?;
        let format = folder.read_format()?;
        let dir = hot_dir(&options.dir);
        let random = |error: getrandom::Error| {
            failed("get random bytes for", &dir)(io::Error::other(error.to_string()))
        };
        let mut fingerprints = Fingerprints::new().map_err(random)?;
        let durable = Arc::new(Durable::new(getrandom::u64().map_err(random)?));

        let (store, marked) = SledStore::open(&options, format.is_none())?;
        let found = scan(&store, &durable, &mut fingerprints, marked)?;
        let incarnation = match format {
            Some(incarnation) => incarnation,
            None if found.end > Position::START => {
                let what = "there are events, but no FORMAT file".to_owned();
                return Err(LogError::Damaged {
                    path: options.dir.join("FORMAT"),
                    position: Position(1),
                    what,
                });
            }
            None => Incarnation(uuid::Uuid::new_v4().as_u128()),
        };
        if options.durability == Durability::PowerLoss && found.end > marked {
            let marking = store.write_mark(found.end).and_then(|()| store.sync_mark());
            marking.map_err(failed("write", store.mark_path()))?;
        }
        if format.is_none() {
            folder.write_format(incarnation)?;
        }
        Self::start(options, folder, incarnation, Arc::new(store), durable, fingerprints, found)
    }

    fn start(
        options: SledOptions,
        folder: Folder,
        incarnation: Incarnation,
        store: Arc<dyn Store>,
        durable: Arc<Durable>,
        fingerprints: Fingerprints,
        found: Found,
    ) -> Result<Self, LogError> {
        let desk = Arc::new(Desk::new());
        durable.load(&found.versions, &found.marks());
        durable.show_end(found.end);
        let former = Former {
            desk: Arc::clone(&desk),
            durable: Arc::clone(&durable),
            decider: Decider::new(Arc::clone(&durable), fingerprints, found.sources),
            builder: FrameBuilder::new(options.zstd_level)
                .map_err(failed("set up zstd for", folder.dir()))?,
            clock: Arc::clone(&options.clock),
            last: found.end,
            last_recorded_at: found.last_recorded_at,
            group: Group::default(),
            group_bytes: 0,
        };
        let committer =
            Committer::new(Arc::clone(&desk), Arc::clone(&durable), Arc::clone(&store), options.durability);
        let committer = committer.map_err(failed("start a thread for", folder.dir()))?;
        let shared = Arc::new(Shared { durable, options, store: RwLock::new(Some(store)) });
        let frames: Arc<dyn Frames> = shared.clone();
        let threads = Arc::default();
        let log = Self { shared, frames, desk, incarnation, threads, folder };
        // The committer first: if the former cannot be started, dropping the log ends it.
        log.spawn("log-committer", move || committer.run())?;
        log.spawn("log-former", move || former.run())?;
        Ok(log)
    }

    fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), LogError> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run);
        let thread = thread.inspect_err(|_| drop(self.desk.formed_all()));
        self.threads.lock().push(thread.map_err(failed("start a thread for", self.folder.dir()))?);
        Ok(())
    }
}

impl Drop for SledLog {
    fn drop(&mut self) {
        self.desk.close();
        join(&self.threads);
        // Waits for reads under way, refuses later ones, and closes the database.
        self.shared.store.write().take();
    }
}

fn join(threads: &Mutex<Vec<JoinHandle<()>>>) {
    let mut threads = threads.lock();
    for thread in threads.drain(..) {
        // Both threads catch their panics.
        let _ = thread.join();
    }
}

impl Frames for Shared {
    fn end(&self) -> watch::Receiver<Position> {
        self.durable.watch_end()
    }

    fn recent(&self, at: Position) -> Option<Arc<Frame>> {
        self.durable.recent(at)
    }

    fn load(&self, at: Position, count: usize) -> Result<Vec<Arc<Frame>>, LogError> {
        let dir = hot_dir(&self.options.dir);
        let end = self.durable.end();
        let store = self.store.read();
        let Some(store) = &*store else {
            return Err(failed("read", &dir)(io::Error::other("the log has been closed")));
        };
        let stored = store.frames_from(at, count).map_err(failed("read frames", &dir))?;
        let mut frames: Vec<Arc<Frame>> = Vec::with_capacity(stored.len());
        let mut next = at;
        for bytes in stored {
            let frame = Frame::decode(&bytes).map_err(|error| unreadable(&dir, next, error))?;
            if frame.first() > end {
                break;
            }
            if frame.first() > next || frame.last() < next {
                return Err(missing(&dir, next));
            }
            next = frame.last().next();
            frames.push(Arc::new(frame));
        }
        if frames.is_empty() { Err(missing(&dir, at)) } else { Ok(frames) }
    }
}

#[async_trait]
impl EventLog for SledLog {
    fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    fn end(&self) -> Position {
        self.shared.durable.end()
    }

    async fn submit(&self, append: Append) -> Result<PendingAppend, AppendError> {
        let bytes = check::bytes_of(&append)?;
        if self.shared.durable.poisoned().is_some() {
            return Err(refusal(&self.shared.durable));
        }
        let (answer, pending) = oneshot::channel();
        self.desk.submit(append, bytes, answer).await?;
        Ok(PendingAppend::new(pending))
    }

    fn version(&self, stream: &StreamName) -> Version {
        let durable = &self.shared.durable;
        Version(durable.version(durable.stream_key(stream)))
    }

    fn source_mark(&self, site: &Name, source: &Name, epoch: Epoch) -> Option<SourceMark> {
        let durable = &self.shared.durable;
        let last_seq = durable.mark(&durable.source_key(site.as_str(), source.as_str(), epoch))?;
        Some(SourceMark { last_seq })
    }

    async fn read(&self, from: Position) -> Result<Option<Arc<Frame>>, LogError> {
        let (from, end) = (from.max(Position(1)), self.end());
        if from > end {
            let (asked, next) = (from, end.next());
            return if from == next { Ok(None) } else { Err(LogError::OutOfRange { asked, next }) };
        }
        if let Some(frame) = self.shared.recent(from) {
            return Ok(Some(frame));
        }
        let shared = Arc::clone(&self.shared);
        let path = hot_dir(&self.shared.options.dir);
        let frames = spawn_blocking(move || shared.load(from, 1)).await;
        let frames = frames.map_err(|error| failed("read", &path)(io::Error::other(error)))??;
        Ok(frames.into_iter().next())
    }

    fn subscribe(&self, from: Position) -> Subscription {
        subscription(&self.frames, from)
    }

    fn status(&self) -> LogStatus {
        let disk_bytes = self.shared.store.read().as_ref().map_or(0, |store| store.disk_bytes());
        let poisoned = self.shared.durable.poisoned();
        LogStatus { end: self.end(), incarnation: self.incarnation, disk_bytes, poisoned }
    }

    async fn close(&self) -> Result<(), LogError> {
        self.desk.close();
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
