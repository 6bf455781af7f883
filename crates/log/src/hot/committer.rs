//! Makes groups durable, one after the other, on a thread of its own, and then shows them.
//!
//! The order is the promise: apply, flush, sync the data (and the mark of the group before), write the mark, publish,
//! answer. After any failure nothing is written any more and every append is refused.
//!
//! Invariant: an answer is sent only after its group's sync has returned.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Instant,
};

use pegcount_domain::envelope::Position;

use super::{
    desk::{Desk, Group},
    durable::Durable,
    former::refusal,
    store::{Store, panic_text},
};
use crate::api::Durability;

pub(super) struct Committer {
    pub(super) desk: Arc<Desk>,
    pub(super) durable: Arc<Durable>,
    pub(super) store: Arc<dyn Store>,
    pub(super) durability: Durability,
    /// Whether a mark has been written that is not synced.
    pub(super) mark_written: bool,
}

impl Committer {
    /// Runs until the last group is done.
    pub(super) fn run(mut self) {
        while let Some(group) = self.desk.next_group() {
            self.finish(group);
        }
        if self.mark_written && self.durable.poisoned().is_none() {
            self.mark_written = false;
            if let Err(error) = self.store.sync_mark() {
                self.durable.poison(&format!("syncing the last mark: {error}"));
            }
        }
    }

    fn finish(&mut self, mut group: Group) {
        if self.durable.poisoned().is_none() && !group.stored.is_empty() {
            let stored = std::mem::take(&mut group.stored);
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

    fn commit(
        &mut self,
        stored: Vec<(Position, Vec<u8>)>,
        end: Position,
    ) -> Result<(), (&'static str, io::Error)> {
        let started = Instant::now();
        self.store.apply(stored).map_err(|error| ("adding frames to sled", error))?;
        self.store.flush().map_err(|error| ("flushing sled", error))?;
        if self.durability == Durability::PowerLoss {
            self.sync()?;
            self.store.write_mark(end).map_err(|error| ("writing the mark", error))?;
            self.mark_written = true;
        }
        metrics::histogram!("pegcount_log_sync_seconds").record(started.elapsed());
        Ok(())
    }

    /// Syncs the data and, at the same time, the mark of the group before: the disk does both in one go.
    fn sync(&mut self) -> Result<(), (&'static str, io::Error)> {
        let store = &self.store;
        let mark_written = std::mem::take(&mut self.mark_written);
        let (data, mark) = thread::scope(|scope| {
            let mark = mark_written.then(|| {
                let name = thread::Builder::new().name("log-mark".to_owned());
                name.spawn_scoped(scope, || store.sync_mark())
            });
            let data = store.sync_data();
            let mark = mark.map_or(Ok(()), |spawned| {
                spawned?.join().unwrap_or_else(|_| Err(io::Error::other("the thread panicked")))
            });
            (data, mark)
        });
        data.map_err(|error| ("syncing sled's file", error))?;
        mark.map_err(|error| ("syncing the mark", error))
    }
}
