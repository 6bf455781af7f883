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
//! - [`durable`], [`groups`], [`stream`], [`shared`]: what readers see
//! - [`event_log`]: the trait, out of all of these
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
mod event_log;
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
mod shared;
mod store;
mod stream;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use parking_lot::{Mutex, RwLock};
use pegcount_domain::ids::Incarnation;
use tokio::sync::oneshot;

use self::{
    archives::Archives,
    bell::Bell,
    committer::Committer,
    decide::Decider,
    desk::{Desk, Forming, Group},
    durable::Durable,
    folder::{Folder, failed},
    former::Former,
    open::Found,
    pager::{Pager, PagerBell},
    seal::{Probe, Sealer},
    shared::Shared,
    store::{Committed, Gate, Store},
    writer::{WRITERS, Writer},
};
use crate::{
    api::{EventLog, LogError, Sealed},
    consumers::Consumers,
    content::Fingerprints,
    frame::FrameBuilder,
    pages::Drafts,
    subscribe::Frames,
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
