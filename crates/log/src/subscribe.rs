//! Subscriptions: first history, then what comes.
//!
//! A subscriber pulls. It is woken when the end moves, takes the newest frames from the shared tail, and reads what
//! has left the tail from history, a few frames ahead. So nobody waits for a slow one, what it holds is bounded,
//! and a gap or a repeat cannot arise: it always asks for the position after the last one that it gave.
//!
//! Invariant: `next` only moves to the end of a frame that was given, plus one.

use std::{
    collections::VecDeque,
    sync::{Arc, Weak},
};

use futures_util::stream;
use pegcount_domain::envelope::Position;
use tokio::{
    sync::watch,
    task::{JoinHandle, spawn_blocking},
};

use crate::{
    api::{LogError, Subscription},
    frame::Frame,
    limits::READ_AHEAD_FRAMES,
};

/// What a subscription needs of a log.
pub(crate) trait Frames: Send + Sync + 'static {
    /// The last durable position, and word of every change.
    fn end(&self) -> watch::Receiver<Position>;

    /// The first position that can be read.
    fn first(&self) -> Position;

    /// The frame that holds `at`, if it is still in the tail.
    fn recent(&self, at: Position) -> Option<Arc<Frame>>;

    /// Up to `count` frames, at least one, the first of which holds `at`, a durable position. Blocks.
    fn load(&self, at: Position, count: usize) -> Result<Vec<Arc<Frame>>, LogError>;
}

type Chunk = Result<Vec<Arc<Frame>>, LogError>;

struct Cursor {
    frames: Weak<dyn Frames>,
    end: watch::Receiver<Position>,
    next: Position,
    ready: VecDeque<Arc<Frame>>,
    ahead: Option<JoinHandle<Chunk>>,
    started: bool,
    failed: bool,
}

/// The frames of `frames` from `from` on. It ends when the log is dropped, or after an error.
pub(crate) fn subscription(frames: &Arc<dyn Frames>, from: Position) -> Subscription {
    let cursor = Cursor {
        frames: Arc::downgrade(frames),
        end: frames.end(),
        next: from.max(Position(1)),
        ready: VecDeque::new(),
        ahead: None,
        started: false,
        failed: false,
    };
    Box::pin(stream::unfold(cursor, |mut cursor| async {
        if cursor.failed {
            return None;
        }
        let item = cursor.next().await.transpose()?;
        cursor.failed = item.is_err();
        Some((item, cursor))
    }))
}

impl Cursor {
    async fn next(&mut self) -> Result<Option<Arc<Frame>>, LogError> {
        loop {
            let end = *self.end.borrow_and_update();
            if self.next > end {
                self.check_start(end)?;
                if self.end.changed().await.is_err() {
                    return Ok(None);
                }
                continue;
            }
            let frames = self.frames.upgrade();
            if let Some(frames) = &frames {
                self.check_kept(frames.first())?;
            }
            if let Some(frame) = self.ready.pop_front() {
                return Ok(Some(self.give(frame)));
            }
            let Some(frames) = frames else { return Ok(None) };
            if let Some(frame) = frames.recent(self.next) {
                self.ahead = None;
                return Ok(Some(self.give(frame)));
            }
            if !self.read(&frames, end).await? {
                return Ok(None);
            }
        }
    }

    fn check_start(&mut self, end: Position) -> Result<(), LogError> {
        if !self.started && self.next > end.next() {
            return Err(LogError::OutOfRange { asked: self.next, next: end.next() });
        }
        self.started = true;
        Ok(())
    }

    /// What was read ahead, or is in the tail, is not given any more once it has been dropped.
    fn check_kept(&self, first: Position) -> Result<(), LogError> {
        if self.next < first { Err(LogError::Dropped { asked: self.next, first }) } else { Ok(()) }
    }

    fn give(&mut self, frame: Arc<Frame>) -> Arc<Frame> {
        let from = self.next;
        self.next = frame.last().next();
        self.started = true;
        if frame.first() < from { Arc::new(frame.trimmed(from)) } else { frame }
    }

    /// Fills `ready` from history, and begins to read what follows if it is history too. False at the end of all.
    async fn read(&mut self, frames: &Arc<dyn Frames>, end: Position) -> Result<bool, LogError> {
        let handle = self.ahead.take().unwrap_or_else(|| load(frames, self.next));
        // Only a runtime that shuts down leaves no answer; then nobody reads on.
        let Ok(chunk) = handle.await else { return Ok(false) };
        let chunk = chunk?;
        let Some(last) = chunk.last().map(|frame| frame.last()) else { return Ok(false) };
        if last < end && frames.recent(last.next()).is_none() {
            self.ahead = Some(load(frames, last.next()));
        }
        self.ready.extend(chunk);
        Ok(true)
    }
}

fn load(frames: &Arc<dyn Frames>, at: Position) -> JoinHandle<Chunk> {
    let frames = Arc::clone(frames);
    spawn_blocking(move || frames.load(at, READ_AHEAD_FRAMES))
}
