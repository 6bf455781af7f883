//! The log on sled and segments. One committer, group commit, one sled key per frame; history is sealed beside it.
//!
//! ```text
//! submit ─▶ desk ─▶ former ─────────▶ committer ──────────────────▶ durable ─▶ readers, subscribers
//!           queue   decides, encodes   apply, flush, sync, publish   versions, marks, tail, end
//!                   (two writer threads, in turns) │ full                    ▲ older ones
//!                                                  ▼                         │
//!                                      sealer: a database becomes a segment ─▶ shelf
//!                                      (thread)
//!                                      pager: pages of streams, from what is durable
//!                                      (thread)
//! ```
//!
//! - [`options`], [`folder`], [`manifest`], [`opening`], [`open`]: opening
//! - [`desk`], [`writer`]: who does what when; [`decide`], [`former`]: from an append to a group
//! - [`store`], [`database`], [`ahead`], [`mark`], [`committer`]: from a group to the disk
//! - [`bell`], [`seal`]: from a full database to a segment
//! - [`dropping`], [`archives`]: from the oldest segments to what is left of them
//! - [`pager`]: from durable frames to pages
//! - [`durable`], [`groups`], [`stream`]: what readers see
//! - [`door`]: a folder as tools see it, with nothing running

mod ahead;
mod archives;
mod bell;
mod committer;
mod database;
mod decide;
mod desk;
pub(crate) mod door;
mod dropping;
#[cfg(test)]
mod dropping_tests;
mod durable;
mod folder;
mod former;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod groups;
mod manifest;
mod mark;
mod open;
mod opening;
mod options;
mod pager;
#[cfg(test)]
mod paging_tests;
mod seal;
#[cfg(test)]
mod sealing_tests;
mod store;
mod stream;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    io,
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
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
    archives::Archives,
    bell::{Bell, DropAsked},
    committer::Committer,
    decide::Decider,
    desk::{Desk, Forming, Group},
    durable::Durable,
    folder::{Folder, failed},
    former::{Former, refusal},
    open::Found,
    pager::{Pager, PagerBell},
    seal::{Probe, Sealer},
    store::{Committed, Gate, Store},
    stream::StreamReader,
    writer::{WRITERS, Writer},
};
use crate::{
    api::{
        Append, AppendError, EventLog, LogError, LogStatus, PendingAppend, Sealed, SourceMark, Subscription,
    },
    check,
    consumers::Consumers,
    content::Fingerprints,
    frame::{Frame, FrameBuilder},
    pages::Drafts,
    retention::{Archive, Dropped},
    stream::{Collector, Direction, StreamPage},
    subscribe::{Frames, subscription},
};

use database::panic_text;
pub use folder::blobs_empty;
pub use options::SledOptions;

/// The log on sled. Dropping it finishes what was handed in and gives the folder free.
pub struct SledLog {
    shared: Arc<Shared>,
    frames: Arc<dyn Frames>,
    consumers: Arc<Consumers>,
    desk: Arc<Desk>,
    bell: Arc<Bell>,
    archives: Arc<Archives>,
    pager_bell: Arc<PagerBell>,
    incarnation: Incarnation,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
    folder: Folder,
    opened_in: Duration,
}

/// What a log is started with.
struct Parts {
    options: SledOptions,
    folder: Folder,
    incarnation: Incarnation,
    store: Arc<dyn Store>,
    durable: Arc<Durable>,
    said: Fingerprints,
    found: Found,
    gate: Arc<Gate>,
    bell: Arc<Bell>,
    archives: Arc<Archives>,
}

/// What reads need.
struct Shared {
    durable: Arc<Durable>,
    drafts: Arc<Drafts>,
    options: SledOptions,
    /// Taken out when the log is dropped: then the database is closed, whoever still holds a subscription.
    store: RwLock<Option<Arc<dyn Store>>>,
}

impl SledLog {
    /// Opens the log in `options.dir`, or makes one. Blocks while it reads what is there: the directories of segments, and
    /// all frames that are not in a segment yet.
    pub fn open(options: SledOptions) -> Result<Self, LogError> {
        Self::open_with(options, None)
    }

    /// The same; `probe` is called between the steps of every sealing.
    fn open_with(options: SledOptions, probe: Option<Probe>) -> Result<Self, LogError> {
        let started = Instant::now();
        let opened = opening::open(&options)?;
        let archives = Arc::new(Archives::new(&options.dir, opened.manifest.history.archives.clone()));
        let gate = Arc::new(Gate::new(Committed { end: opened.found.end, failed: false }));
        let sealer = Sealer {
            options: options.clone(),
            incarnation: opened.incarnation,
            store: Arc::clone(&opened.store),
            shelf: opened.shelf,
            durable: Arc::clone(&opened.durable),
            gate: Arc::clone(&gate),
            bell: Arc::clone(&opened.bell),
            last_drop: opened.manifest.history.last_drop(),
            manifest: opened.manifest,
            archives: Arc::clone(&archives),
            said: Fingerprints::new(&opened.key),
            key: opened.key.clone(),
            probe,
        };
        let (of_pages, store, durable) =
            (options.clone(), Arc::clone(&opened.store), Arc::clone(&opened.durable));
        let mut log = Self::start(Parts {
            options,
            folder: opened.folder,
            incarnation: opened.incarnation,
            store: opened.store,
            durable: opened.durable,
            said: Fingerprints::new(&opened.key),
            found: opened.found,
            gate,
            bell: opened.bell,
            archives,
        })?;
        if !of_pages.read_only {
            log.spawn("log-sealer", move || sealer.run())?;
            if of_pages.page_memory_bytes > 0 {
                let (drafts, bell) = (Arc::clone(&log.shared.drafts), Arc::clone(&log.pager_bell));
                let pager = Pager::new(of_pages, log.incarnation, store, durable, drafts, bell);
                log.spawn("log-pager", move || pager.run())?;
            } else {
                log.pager_bell.close();
            }
        }
        log.opened_in = started.elapsed();
        log.tell_opened();
        Ok(log)
    }

    fn start(parts: Parts) -> Result<Self, LogError> {
        let Parts { options, folder, incarnation, store, durable, said, found, gate, bell, archives } = parts;
        let desk = Arc::new(Desk::new(options.group_events_max));
        let shared = Arc::new(Shared {
            durable: Arc::clone(&durable),
            drafts: Arc::new(Drafts::new(options.page_rule)),
            options: options.clone(),
            store: RwLock::new(Some(Arc::clone(&store))),
        });
        let frames: Arc<dyn Frames> = shared.clone();
        let threads = Arc::default();
        let clock = Arc::clone(&options.clock);
        let consumers =
            Consumers::open(&options.dir, options.read_only, incarnation, durable.watch_end(), clock)?;
        let consumers = Arc::new(consumers);
        let kept = Arc::clone(&consumers);
        let pager_bell = Arc::default();
        let log = Self {
            shared,
            frames,
            consumers,
            desk: Arc::clone(&desk),
            bell,
            pager_bell,
            archives,
            incarnation,
            threads,
            folder,
            opened_in: Duration::ZERO,
        };
        if options.read_only {
            log.end_threads();
            return Ok(log);
        }
        let builder = FrameBuilder::new(options.zstd_level);
        let former = Former {
            durable: Arc::clone(&durable),
            decider: Decider::new(Arc::clone(&durable), said, found.sources),
            builder: builder.map_err(failed("set up zstd for", &options.dir))?,
            clock: Arc::clone(&options.clock),
            last: found.end,
            last_recorded_at: found.last_recorded_at,
            group: Group::default(),
            forming: Forming::default(),
        };
        desk.give_back(Box::new(former));
        let committer = Committer::new(Arc::clone(&durable), store, options.durability, gate);
        let committer = committer.map_err(failed("start a thread for", &options.dir))?;
        let writer = Writer { desk, durable, committer: Arc::new(Mutex::new(committer)) };
        for number in 1..=WRITERS {
            let writer = writer.clone();
            log.spawn(&format!("log-writer-{number}"), move || writer.run())?;
        }
        log.spawn("log-consumers", move || kept.keep())?;
        Ok(log)
    }

    /// Seals what is not in a segment yet, though the hot database is not full; waits until that is done. None if there
    /// is nothing to seal.
    ///
    /// Errors: those of the disk; the log goes on as it was, and what was not sealed will be.
    pub async fn seal(&self) -> Result<Option<Sealed>, LogError> {
        let (answer, sealed) = oneshot::channel();
        self.bell.ask(answer);
        sealed.await.map_err(|_| self.refused("seal"))?
    }

    fn refused(&self, action: &'static str) -> LogError {
        let why = if self.shared.options.read_only { "the log is read-only" } else { "the log is closed" };
        failed(action, self.folder.dir())(io::Error::other(why))
    }

    /// Waits until everything that is durable now is in pages, as far as it is to be, and every segment has its own. For
    /// tests and benchmarks: nothing that is read depends on it.
    #[doc(hidden)]
    pub async fn paged(&self) {
        let (answer, paged) = oneshot::channel();
        self.pager_bell.ask(answer);
        // A log that closes pages nothing more.
        let _ = paged.await;
    }

    /// Nothing is decided, sealed or paged any more.
    fn end_threads(&self) {
        self.desk.close();
        self.bell.close();
        self.pager_bell.close();
    }

    fn tell_opened(&self) {
        let status = self.status();
        tracing::debug!(
            end = status.end.0,
            segments = status.segments,
            unsealed = status.end.0 - status.sealed_end.0,
            seconds = self.opened_in.as_secs_f64(),
            "opened the log"
        );
    }

    fn spawn(&self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), LogError> {
        let thread = thread::Builder::new().name(name.to_owned()).spawn(run);
        self.threads.lock().push(thread.map_err(failed("start a thread for", self.folder.dir()))?);
        Ok(())
    }
}

impl Drop for SledLog {
    fn drop(&mut self) {
        self.end_threads();
        self.consumers.close();
        join(&self.threads);
        // Waits for reads under way, refuses later ones, and closes the database.
        self.shared.store.write().take();
    }
}

fn join(threads: &Mutex<Vec<JoinHandle<()>>>) {
    let mut threads = threads.lock();
    for thread in threads.drain(..) {
        // The threads catch their panics.
        let _ = thread.join();
    }
}

impl Shared {
    fn read_stream(
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
