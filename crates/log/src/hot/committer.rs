//! Makes groups durable, one after the other, and then shows them.
//!
//! The order is the promise: apply, flush, sync the data, write the mark, publish, answer. The mark syncs on another
//! thread, beside whatever comes next, but the next group is not shown before that is done. After any failure nothing
//! is written any more and every append is refused.
//!
//! Invariant: an answer is sent only after its group's data, and the mark of the group before, are synced.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Instant,
};

use pegcount_domain::envelope::Position;

use super::{
    desk::Group,
    durable::Durable,
    former::refusal,
    panic_text,
    store::{Gate, Store},
};
use crate::api::Durability;

const GROUP_EVENTS: &str = "pegcount_log_group_events";
const SYNC_SECONDS: &str = "pegcount_log_sync_seconds";

/// What was tried, and what came of it.
type Step = Result<(), (&'static str, io::Error)>;

pub(super) struct Committer {
    durable: Arc<Durable>,
    store: Arc<dyn Store>,
    durability: Durability,
    gate: Arc<Gate>,
    marks: MarkSync,
}

impl Committer {
    pub(super) fn new(
        durable: Arc<Durable>,
        store: Arc<dyn Store>,
        durability: Durability,
        gate: Arc<Gate>,
    ) -> io::Result<Self> {
        metrics::describe_histogram!(GROUP_EVENTS, "events made durable by one sync");
        metrics::describe_histogram!(
            SYNC_SECONDS,
            metrics::Unit::Seconds,
            "from a formed group to its being durable"
        );
        let marks = MarkSync::start(Arc::clone(&store))?;
        Ok(Self { durable, store, durability, gate, marks })
    }

    /// After the last group.
    pub(super) fn end(&mut self) {
        if let Err((action, error)) = self.marks.wait() {
            self.durable.poison(&format!("{action}: {error}"));
        }
        self.marks.stop();
    }

    /// Commits a group, shows it and answers.
    pub(super) fn finish(&mut self, mut group: Group) {
        if self.durable.poisoned().is_none() && !group.stored.is_empty() {
            let stored = std::mem::take(&mut group.stored);
            metrics::histogram!(GROUP_EVENTS).record(count(&group));
            // sled panics on some of its own errors.
            let done = catch_unwind(AssertUnwindSafe(|| self.commit(stored, group.end)));
            match done {
                Ok(Ok(())) => {}
                Ok(Err((action, error))) => self.durable.poison(&format!("{action}: {error}")),
                Err(panic) => self.durable.poison(&format!("sled panicked: {}", panic_text(&*panic))),
            }
        }
        if self.durable.poisoned().is_some() {
            for (answer, _) in group.answers {
                let _ = answer.send(Err(refusal(&self.durable)));
            }
            return;
        }
        self.durable.publish(group.frames, &group.versions, &group.marks, group.end);
        for (answer, decided) in group.answers {
            // Whoever asked may have gone.
            let _ = answer.send(decided);
        }
    }

    fn commit(&mut self, stored: Vec<(Position, Vec<u8>)>, end: Position) -> Step {
        let started = Instant::now();
        // Held through the group: the hot database changes between two groups only.
        let mut committed = self.gate.lock();
        committed.failed = true;
        self.store.apply(stored).map_err(|error| ("adding frames to sled", error))?;
        self.store.flush().map_err(|error| ("flushing sled", error))?;
        if self.durability == Durability::PowerLoss {
            self.store.sync_data().map_err(|error| ("syncing sled's file", error))?;
            self.marks.wait()?;
            self.store.write_mark(end).map_err(|error| ("writing the mark", error))?;
            self.marks.begin();
        }
        committed.end = end;
        committed.failed = false;
        metrics::histogram!(SYNC_SECONDS).record(started.elapsed());
        Ok(())
    }
}

fn count(group: &Group) -> f64 {
    let events: usize = group.frames.iter().map(|frame| frame.len()).sum();
    u32::try_from(events).map_or(f64::INFINITY, f64::from)
}

/// A thread that syncs the mark, one at a time.
struct MarkSync {
    requests: Option<SyncSender<()>>,
    results: Receiver<io::Result<()>>,
    under_way: bool,
    thread: Option<thread::JoinHandle<()>>,
}

impl MarkSync {
    fn start(store: Arc<dyn Store>) -> io::Result<Self> {
        let (requests, todo) = sync_channel(1);
        let (done, results) = sync_channel(1);
        let run = move || {
            while todo.recv().is_ok() {
                let result = catch_unwind(AssertUnwindSafe(|| store.sync_mark()));
                let result =
                    result.unwrap_or_else(|panic| Err(io::Error::other(panic_text(&*panic).to_owned())));
                if done.send(result).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("log-mark".to_owned()).spawn(run)?;
        Ok(Self { requests: Some(requests), results, under_way: false, thread: Some(thread) })
    }

    fn begin(&mut self) {
        self.under_way = self.requests.as_ref().is_some_and(|requests| requests.send(()).is_ok());
    }

    /// Waits for the sync that is under way, if one is.
    fn wait(&mut self) -> Step {
        if !std::mem::take(&mut self.under_way) {
            return Ok(());
        }
        let result = self.results.recv().unwrap_or_else(|_| Err(io::Error::other("its thread has ended")));
        result.map_err(|error| ("syncing the mark", error))
    }

    fn stop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // It catches its panics.
            let _ = thread.join();
        }
    }
}
