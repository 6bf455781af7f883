//! Forms groups: decides queued appends, one after the other, and makes frames of them, while the group before may sync.
//!
//! Invariant: answers leave with the group that was forming when they were decided, so no answer, refusals and
//! repeats included, speaks of anything that is not durable.

use std::sync::Arc;

use pegcount_domain::{envelope::Position, time::Micros};

use super::{
    decide::Decider,
    desk::{Desk, Forming, Group, Task, Waiting},
    durable::Durable,
};
use crate::{
    api::{Append, AppendError, Appended},
    clock::Clock,
    frame::{FrameBuilder, Stamp},
};

pub(super) struct Former {
    pub(super) durable: Arc<Durable>,
    pub(super) decider: Decider,
    pub(super) builder: FrameBuilder,
    pub(super) clock: Clock,
    /// The last position given.
    pub(super) last: Position,
    pub(super) last_recorded_at: Micros,
    pub(super) group: Group,
    pub(super) forming: Forming,
}

impl Former {
    /// Forms the next group; gives it with the turn to commit it. None when nothing will come any more.
    pub(super) fn form(&mut self, desk: &Desk) -> Option<Group> {
        loop {
            match desk.next_task(self.forming) {
                Task::Decide(taken) => {
                    self.forming.takes += 1;
                    for waiting in taken {
                        self.take(waiting);
                    }
                }
                Task::Commit => return Some(self.hand_over()),
                Task::End => return None,
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
        self.forming.bytes += bytes;
        self.forming.events += append.events.len();
        self.forming.appends += 1;
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

    fn hand_over(&mut self) -> Group {
        if !self.builder.is_empty() {
            self.end_frame(false);
        }
        let mut group = std::mem::take(&mut self.group);
        (group.versions, group.marks) = self.decider.hand_over();
        group.end = self.last;
        self.forming = Forming { before: self.forming.appends, ..Forming::default() };
        group
    }
}

/// Why nothing is accepted any more.
pub(super) fn refusal(durable: &Durable) -> AppendError {
    durable.poisoned().map_or(AppendError::Closed, |cause| AppendError::Poisoned { cause })
}
