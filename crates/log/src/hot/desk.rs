//! Where submitters, the former and the committer meet: the queue of appends, and the group that changes hands.
//!
//! Invariant: a group is handed over only when the committer is free, so at most one is under way, and the next one
//! grows for as long as the sync takes.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::{Condvar, Mutex};
use pegcount_domain::envelope::Position;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::durable::{Marks, Versions};
use crate::{
    api::{Append, AppendError, Appended},
    frame::Frame,
    limits::{GROUP_BYTES_MAX, QUEUE_BYTES_MAX},
};

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

/// What the former does next.
pub(super) enum Task {
    /// Decide these.
    Decide(Vec<Waiting>),
    /// Hand the group over.
    HandOver,
    /// Nothing more will come.
    End,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Waiting>,
    handed: Option<Group>,
    committing: bool,
    closing: bool,
    formed_all: bool,
}

pub(super) struct Desk {
    state: Mutex<State>,
    for_former: Condvar,
    for_committer: Condvar,
    room: Arc<Semaphore>,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::default(),
            for_former: Condvar::new(),
            for_committer: Condvar::new(),
            room: Arc::new(Semaphore::new(QUEUE_BYTES_MAX)),
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
        self.for_former.notify_one();
        Ok(())
    }

    /// Takes no more appends; those that are queued will be finished.
    pub(super) fn close(&self) {
        self.room.close();
        self.state.lock().closing = true;
        self.for_former.notify_one();
    }

    /// For the former, whose group has `group_bytes`, or none if it is empty: waits for something to do.
    pub(super) fn next_task(&self, group_bytes: Option<usize>) -> Task {
        let mut state = self.state.lock();
        loop {
            if group_bytes.is_some() && !state.committing {
                return Task::HandOver;
            }
            let taken = take(&mut state.queue, group_bytes.unwrap_or(0));
            if !taken.is_empty() {
                return Task::Decide(taken);
            }
            if group_bytes.is_none() && state.closing {
                return Task::End;
            }
            self.for_former.wait(&mut state);
        }
    }

    /// For the former: gives the group to the committer, which is free.
    pub(super) fn hand_over(&self, group: Group) {
        let mut state = self.state.lock();
        state.handed = Some(group);
        state.committing = true;
        self.for_committer.notify_one();
    }

    /// For the former: no group will come any more. Gives what was left in the queue.
    pub(super) fn formed_all(&self) -> VecDeque<Waiting> {
        let mut state = self.state.lock();
        state.closing = true;
        state.formed_all = true;
        self.for_committer.notify_one();
        std::mem::take(&mut state.queue)
    }

    /// For the committer: the next group; none when the last one is done.
    pub(super) fn next_group(&self) -> Option<Group> {
        let mut state = self.state.lock();
        loop {
            if let Some(group) = state.handed.take() {
                return Some(group);
            }
            state.committing = false;
            self.for_former.notify_one();
            if state.formed_all {
                return None;
            }
            self.for_committer.wait(&mut state);
        }
    }
}

/// Takes from the queue what the group has room for.
fn take(queue: &mut VecDeque<Waiting>, group_bytes: usize) -> Vec<Waiting> {
    let mut bytes = group_bytes;
    let fits = |waiting: &&Waiting| {
        bytes += waiting.bytes;
        bytes <= GROUP_BYTES_MAX
    };
    let count = queue.iter().take_while(fits).count();
    queue.drain(..count).collect()
}
