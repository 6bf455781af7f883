//! Forms groups: decides queued appends, one after the other, and makes frames of them, while the group before syncs.
//!
//! Invariant: answers leave with the group that was forming when they were decided, so no answer, refusals and
//! repeats included, speaks of anything that is not durable.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use pegcount_domain::{envelope::Position, time::Micros};

use super::{
    decide::Decider,
    desk::{Desk, Group, Task, Waiting},
    durable::Durable,
    panic_text,
};
use crate::{
    api::{Append, AppendError, Appended},
    clock::Clock,
    frame::{FrameBuilder, Stamp},
};

pub(super) struct Former {
    pub(super) desk: Arc<Desk>,
    pub(super) durable: Arc<Durable>,
    pub(super) decider: Decider,
    pub(super) builder: FrameBuilder,
    pub(super) clock: Clock,
    /// The last position given.
    pub(super) last: Position,
    pub(super) last_recorded_at: Micros,
    pub(super) group: Group,
    pub(super) group_bytes: usize,
}

impl Former {
    /// Runs until the desk is closed and its queue is empty.
    pub(super) fn run(mut self) {
        let done = catch_unwind(AssertUnwindSafe(|| self.form()));
        if let Err(panic) = done {
            self.durable.poison(&format!("forming a group panicked: {}", panic_text(&*panic)));
            for (answer, _) in std::mem::take(&mut self.group.answers) {
                let _ = answer.send(Err(refusal(&self.durable)));
            }
        }
        for waiting in self.desk.formed_all() {
            let _ = waiting.answer.send(Err(refusal(&self.durable)));
        }
    }

    fn form(&mut self) {
        loop {
            let bytes = (!self.group.answers.is_empty()).then_some(self.group_bytes);
            match self.desk.next_task(bytes) {
                Task::Decide(taken) => taken.into_iter().for_each(|waiting| self.take(waiting)),
                Task::HandOver => self.hand_over(),
                Task::End => return,
            }
        }
    }

    fn take(&mut self, waiting: Waiting) {
        let Waiting { append, bytes, answer, _room } = waiting;
        let decided = if self.durable.poisoned().is_some() {
            Err(refusal(&self.durable))
        } else {
            self.decider.decide(&append).map(|repeats| self.write(&append, repeats))
        };
        self.group_bytes += bytes;
        self.group.answers.push((answer, decided));
    }

    fn write(&mut self, append: &Append, repeats: usize) -> Appended {
        let recorded_at = (self.clock)().max(self.last_recorded_at);
        self.last_recorded_at = recorded_at;
        for (index, event) in append.events.iter().enumerate().skip(repeats) {
            if !self.builder.fits(event, &append.source) {
                self.end_frame(true);
            }
            let Some((version, seqs)) = self.decider.advance(append, index, self.last.next()) else {
                continue;
            };
            self.last = self.last.next();
            let epoch = append.batch.map(|batch| batch.epoch);
            let seqs = epoch.zip(seqs).map(|(epoch, (first, to))| (epoch, first, to));
            let stamp = Stamp { position: self.last, version, recorded_at, source: &append.source, seqs };
            self.builder.push(event, &stamp);
        }
        let written = append.events.len() - repeats;
        Appended { last: self.last, written, repeats, last_seq: self.decider.last_seq() }
    }

    fn end_frame(&mut self, more: bool) {
        let (frame, bytes) = self.builder.finish(more);
        self.group.stored.push((frame.first(), bytes));
        self.group.frames.push(Arc::new(frame));
    }

    fn hand_over(&mut self) {
        if !self.builder.is_empty() {
            self.end_frame(false);
        }
        let mut group = std::mem::take(&mut self.group);
        (group.versions, group.marks) = self.decider.hand_over();
        group.end = self.last;
        self.group_bytes = 0;
        self.desk.hand_over(group);
    }
}

/// Why nothing is accepted any more.
pub(super) fn refusal(durable: &Durable) -> AppendError {
    durable.poisoned().map_or(AppendError::Closed, |cause| AppendError::Poisoned { cause })
}
