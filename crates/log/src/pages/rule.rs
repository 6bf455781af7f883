//! What is worth a page.
//!
//! Invariant: a stream that is read from few frames anyway costs no page.

use pegcount_domain::envelope::StreamKind;

use crate::{
    frame::widen,
    limits::{PAGE_BYTES_MAX, PAGE_FRAMES_MIN, PAGE_SKIPPED_EVENTS},
};

/// Decides what is paged. For tests: a log is opened with the default.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRule {
    /// Events of streams that are not agents' are paged beyond so many of the stream: most contacts and tickets never
    /// have as many, and lie in a few frames.
    pub skipped_events: u64,
    /// A page of events out of fewer frames is not kept.
    pub frames_min: u32,
    /// Neither is one with more events than this of each frame: the frames hold little else.
    pub events_per_frame_max: u32,
    /// A page ends before it would have more bytes, not compressed.
    pub bytes_max: usize,
}

impl Default for PageRule {
    fn default() -> Self {
        Self {
            skipped_events: PAGE_SKIPPED_EVENTS,
            frames_min: PAGE_FRAMES_MIN,
            events_per_frame_max: 32,
            bytes_max: PAGE_BYTES_MAX,
        }
    }
}

impl PageRule {
    /// Whether the event with this version is paged. Agents act all day: all of theirs are.
    pub(crate) fn takes(&self, kind: StreamKind, version: u64) -> bool {
        kind == StreamKind::Agent || version > self.skipped_events
    }

    /// Whether a page of so many events out of so many frames is kept.
    pub(crate) fn keeps(&self, events: usize, frames: u32) -> bool {
        let dense = u64::from(frames) * u64::from(self.events_per_frame_max);
        frames >= self.frames_min && widen(events) <= dense
    }
}
