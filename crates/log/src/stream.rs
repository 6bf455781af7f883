//! Reading one stream: pages of its events, and how they are collected from frames.
//!
//! Not for finding the frames: that is each log's. Invariant: a page's versions are dense; a frame that should have held
//! the next version and does not is damage, never a gap.

use std::sync::Arc;

use pegcount_domain::envelope::{Position, StreamName, Version};
use smallvec::SmallVec;

use crate::{
    api::LogError,
    frame::{Frame, FrameEvent},
    limits::STREAM_PAGE_FRAMES,
};

/// In which order a stream, or the log, is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// From `from` on, versions (or positions) ascending.
    #[default]
    Forward,
    /// From `from` back, versions (or positions) descending.
    Backward,
}

/// Some events of one stream, in the order asked for.
#[derive(Clone, Debug, Default)]
pub struct StreamPage {
    /// The events, by the frames that hold them, or by copies of frames that hold this stream alone.
    pub parts: Vec<StreamPart>,
    /// Where to go on; none at the stream's end (backward: after its first event that is there).
    pub next: Option<Version>,
    /// The last of its versions that have been dropped; 0 if none has. Reading backward ends after it.
    pub gone: Version,
}

impl StreamPage {
    /// The events in order, each with its frame, which holds its texts.
    pub fn events(&self) -> impl Iterator<Item = (&Frame, FrameEvent<'_>)> {
        self.parts.iter().flat_map(|part| part.events().map(|event| (part.frame(), event)))
    }
}

/// A frame with those of its events that were asked for.
#[derive(Clone, Debug)]
pub struct StreamPart {
    frame: Arc<Frame>,
    records: SmallVec<[u32; 8]>,
}

impl StreamPart {
    pub(crate) fn new(frame: Arc<Frame>, records: SmallVec<[u32; 8]>) -> Self {
        Self { frame, records }
    }

    /// The frame; it may hold events of other streams too.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// The events in the order asked for.
    pub fn events(&self) -> impl Iterator<Item = FrameEvent<'_>> {
        self.records.iter().filter_map(|record| self.frame.event_of_record(*record))
    }
}

/// Collects a page, frame by frame in the order asked for.
pub(crate) struct Collector<'a> {
    stream: &'a StreamName,
    direction: Direction,
    /// The version that comes next; none after the last one.
    next: Option<u64>,
    /// The last version of the stream.
    head: u64,
    /// The last version that has been dropped.
    gone: u64,
    left: usize,
    parts: Vec<StreamPart>,
}

impl<'a> Collector<'a> {
    /// For at most `limit` events of `stream`, whose last version is `head`.
    pub(crate) fn new(
        stream: &'a StreamName,
        head: Version,
        from: Version,
        direction: Direction,
        limit: usize,
    ) -> Self {
        let next = match direction {
            Direction::Forward => Some(from.0.max(1)).filter(|from| *from <= head.0),
            Direction::Backward => Some(from.0.min(head.0)).filter(|from| *from > 0),
        };
        Self { stream, direction, next, head: head.0, gone: 0, left: limit.max(1), parts: Vec::new() }
    }

    /// Versions up to `gone` have been dropped. Errors: the page would have to begin with one of them.
    pub(crate) fn after(mut self, Version(gone): Version) -> Result<Self, LogError> {
        self.gone = gone;
        let Some(asked) = self.next.filter(|next| *next <= gone) else { return Ok(self) };
        if self.direction == Direction::Forward {
            let (stream, asked) = (self.stream.clone(), Version(asked));
            let first = Some(Version(gone + 1)).filter(|first| first.0 <= self.head);
            return Err(LogError::DroppedVersion { stream, asked, first });
        }
        self.next = None;
        Ok(self)
    }

    /// The version that is wanted next; none once the page is full or the stream at its end.
    pub(crate) fn wanted(&self) -> Option<u64> {
        self.next.filter(|_| self.left > 0 && self.parts.len() < STREAM_PAGE_FRAMES)
    }

    pub(crate) fn stream(&self) -> &StreamName {
        self.stream
    }

    pub(crate) fn direction(&self) -> Direction {
        self.direction
    }

    /// Takes from a frame what is wanted. Versions that were there before are left out; an error, after which nothing has
    /// been taken, is the position of the event before which one is missing.
    pub(crate) fn take(&mut self, frame: &Arc<Frame>) -> Result<(), Position> {
        let before = (self.next, self.left);
        let mut records: SmallVec<[(u32, u64); 8]> = frame.records_of(self.stream).collect();
        if self.direction == Direction::Backward {
            records.reverse();
        }
        let mut taken = SmallVec::new();
        for (record, version) in records {
            let Some(wanted) = self.next.filter(|_| self.left > 0) else { break };
            let passed = match self.direction {
                Direction::Forward => version < wanted,
                Direction::Backward => version > wanted,
            };
            if passed {
                continue;
            }
            if version != wanted {
                (self.next, self.left) = before;
                return Err(frame.first());
            }
            taken.push(record);
            self.left -= 1;
            self.next = match self.direction {
                Direction::Forward => Some(version + 1).filter(|next| *next <= self.head),
                Direction::Backward => Some(version - 1).filter(|next| *next > self.gone),
            };
        }
        if !taken.is_empty() {
            self.parts.push(StreamPart { frame: Arc::clone(frame), records: taken });
        }
        Ok(())
    }

    pub(crate) fn page(self) -> StreamPage {
        StreamPage { parts: self.parts, next: self.next.map(Version), gone: Version(self.gone) }
    }
}
