//! Where submitters and the two writers meet: the queue of appends, the former, which one writer at a time has, and the
//! turn to commit.
//!
//! A writer takes the former, forms a group, takes the turn, gives the former back, commits, and begins anew: alone it
//! wakes nobody. The other one is woken when much is queued meanwhile; then it forms the next group beside the commit.
//!
//! Invariant: the former is given back by a writer that has the turn, so at most one group is committed at a time, each
//! after the one that was formed before it; and the next one grows for as long as the sync takes.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use parking_lot::{Condvar, Mutex};
use pegcount_domain::envelope::Position;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{
    durable::{Marks, Versions},
    former::Former,
};
use crate::{
    api::{Append, AppendError, Appended},
    frame::Frame,
    limits::{GROUP_BYTES_MAX, QUEUE_BYTES_MAX},
};

/// So much must be queued while a group is committed, bytes, for the other writer to be woken: some 60 small events.
const BESIDE_BYTES_MIN: usize = 16 * 1024;
/// So long a small group waits for appends that are likely to come: less than a sync takes on most disks.
const GATHER_MAX: Duration = Duration::from_micros(300);

pub(super) type Answer = oneshot::Sender<Result<Appended, AppendError>>;

/// An append that waits to be decided.
pub(super) struct Waiting {
    pub(super) append: Append,
    pub(super) bytes: usize,
    pub(super) answer: Answer,
    // Its room in the queue, given back when it is dropped.
    pub(super) _room: OwnedSemaphorePermit,
}

/// What one sync makes durable, with everything that is to happen then.
#[derive(Default)]
pub(super) struct Group {
    pub(super) frames: Vec<Arc<Frame>>,
    pub(super) stored: Vec<(Position, Vec<u8>)>,
    pub(super) versions: Arc<Versions>,
    pub(super) marks: Marks,
    pub(super) end: Position,
    pub(super) answers: Vec<(Answer, Result<Appended, AppendError>)>,
}

/// How far the former's group is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Forming {
    pub(super) appends: usize,
    pub(super) events: usize,
    pub(super) bytes: usize,
    /// How many times it has taken appends from the queue.
    pub(super) takes: usize,
    /// How many appends the group before had.
    pub(super) before: usize,
}

impl Forming {
    /// How many appends more are worth waiting a moment for: as long as submitters wait for each answer, those of this
    /// group and of the one before are all that there are, and two equal groups share the disk's syncs best. One alone
    /// waits for nobody, and nobody is waited for twice.
    fn missing(&self) -> Option<usize> {
        let half = usize::midpoint(self.appends, self.before);
        let missing = half.checked_sub(self.appends).filter(|missing| *missing > 0)?;
        (self.appends > 1 && self.takes == 1 && self.bytes < BESIDE_BYTES_MIN).then_some(missing)
    }
}

/// What the former does next.
pub(super) enum Task {
    /// Decide these.
    Decide(Vec<Waiting>),
    /// Commit the group: the turn is the writer's.
    Commit,
    /// Nothing more will come, and nothing is under way.
    End,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Waiting>,
    queued_bytes: usize,
    /// While nobody forms a group.
    former: Option<Box<Former>>,
    committing: bool,
    closing: bool,
    over: bool,
    /// How many appends a group that gathers waits for.
    gathering: usize,
}

impl State {
    /// So much is queued that deciding it beside a commit is worth waking a thread.
    fn pays_beside(&self) -> bool {
        self.queued_bytes >= BESIDE_BYTES_MIN || self.closing
    }
}

pub(super) struct Desk {
    state: Mutex<State>,
    /// Whoever has the former and nothing to do waits here.
    for_work: Condvar,
    /// Whoever waits for the former.
    for_former: Condvar,
    room: Arc<Semaphore>,
    group_events_max: usize,
}

impl Desk {
    /// Whose groups take no more appends once they have `group_events_max` events.
    pub(super) fn new(group_events_max: usize) -> Self {
        Self {
            state: Mutex::default(),
            for_work: Condvar::new(),
            for_former: Condvar::new(),
            room: Arc::new(Semaphore::new(QUEUE_BYTES_MAX)),
            group_events_max,
        }
    }

    /// Queues an append; waits while the queue is full.
    pub(super) async fn submit(
        &self,
        append: Append,
        bytes: usize,
        answer: Answer,
    ) -> Result<(), AppendError> {
        let wanted = u32::try_from(bytes).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(wanted).await;
        let room = room.map_err(|_| AppendError::Closed)?;
        let mut state = self.state.lock();
        if state.closing {
            return Err(AppendError::Closed);
        }
        state.queue.push_back(Waiting { append, bytes, answer, _room: room });
        state.queued_bytes += bytes;
        let free = !state.committing && state.queue.len() >= state.gathering;
        let beside = state.pays_beside();
        drop(state);
        if free || beside {
            self.for_work.notify_one();
        }
        if beside {
            self.for_former.notify_one();
        }
        Ok(())
    }

    /// Takes no more appends; those that are queued will be finished.
    pub(super) fn close(&self) {
        self.room.close();
        self.state.lock().closing = true;
        self.for_work.notify_one();
        self.for_former.notify_all();
    }

    /// For a writer: gives the former back.
    pub(super) fn give_back(&self, former: Box<Former>) {
        let mut state = self.state.lock();
        state.former = Some(former);
        let beside = state.pays_beside();
        drop(state);
        if beside {
            self.for_former.notify_one();
        }
    }

    /// For a writer: waits until there is something to form; none when nothing will be. `has_turn` says that the
    /// writer had the turn to commit, which ends.
    pub(super) fn next_former(&self, has_turn: bool) -> Option<Box<Former>> {
        let mut state = self.state.lock();
        if has_turn {
            state.committing = false;
            self.for_work.notify_one();
        }
        loop {
            if state.over {
                return None;
            }
            if (!state.committing || state.pays_beside())
                && let Some(former) = state.former.take()
            {
                return Some(former);
            }
            self.for_former.wait(&mut state);
        }
    }

    /// For the former, whose group is so far: waits for something to do.
    pub(super) fn next_task(&self, group: Forming) -> Task {
        let mut state = self.state.lock();
        let mut missing = group.missing();
        loop {
            let free = !state.committing;
            let commit = free && group.appends > 0;
            // A small group takes what has come meanwhile with it.
            let whole = commit && group.bytes >= BESIDE_BYTES_MIN || group.events >= self.group_events_max;
            if !whole && (free || state.pays_beside()) {
                let taken = state.take(group, self.group_events_max);
                if !taken.is_empty() {
                    return Task::Decide(taken);
                }
            }
            if commit && let Some(missing) = missing.take().filter(|_| !state.closing) {
                state.gathering = missing;
                self.for_work.wait_for(&mut state, GATHER_MAX);
                state.gathering = 0;
            } else if commit {
                state.committing = true;
                return Task::Commit;
            } else if free && state.closing {
                return Task::End;
            } else {
                self.for_work.wait(&mut state);
            }
        }
    }

    /// For a writer: no group will come any more. Gives what was left in the queue.
    pub(super) fn end(&self) -> VecDeque<Waiting> {
        let mut state = self.state.lock();
        state.closing = true;
        state.over = true;
        self.for_former.notify_all();
        state.queued_bytes = 0;
        std::mem::take(&mut state.queue)
    }
}

impl State {
    /// Takes from the queue what the group has room for.
    fn take(&mut self, group: Forming, group_events_max: usize) -> Vec<Waiting> {
        let (mut bytes, mut events) = (group.bytes, group.events);
        let fits = |waiting: &&Waiting| {
            let room = events < group_events_max;
            bytes += waiting.bytes;
            events += waiting.append.events.len();
            room && bytes <= GROUP_BYTES_MAX
        };
        let count = self.queue.iter().take_while(fits).count();
        let taken: Vec<_> = self.queue.drain(..count).collect();
        self.queued_bytes -= taken.iter().map(|waiting| waiting.bytes).sum::<usize>();
        taken
    }
}
