//! A decoded frame: up to some hundred events that were made durable together, decoded in place.
//!
//! Invariant: every text number of an event lies inside the frame's dictionary (checked when it was decoded).

use pegcount_domain::envelope::{Envelope, Position};
use smallvec::SmallVec;

/// A decoded frame, shared by all who read it. Events are decoded in place, without copying texts.
#[derive(Debug)]
pub struct Frame {
    first: Position,
    texts: Vec<Box<str>>,
}

/// One event of a frame. The numbers point into the frame's texts, so that a reader can compute something of each
/// text (a fingerprint, say) once per frame and then only look it up.
#[derive(Clone, Debug)]
pub struct FrameEvent<'a> {
    /// The event.
    pub envelope: Envelope<'a>,
    /// The text number of the stream's site.
    pub site: u32,
    /// The text number of the stream's id.
    pub id: u32,
    /// The text number of the source.
    pub source: u32,
    /// The text numbers of the names that the payload's ordinals mean: ordinal 1 is `names[0]`.
    pub names: SmallVec<[u32; 8]>,
}

impl Frame {
    /// The position of the first event.
    pub fn first(&self) -> Position {
        self.first
    }

    /// The position of the last event.
    pub fn last(&self) -> Position {
        self.first
    }

    /// How many texts the dictionary holds.
    pub fn text_count(&self) -> u32 {
        u32::try_from(self.texts.len()).unwrap_or(u32::MAX)
    }

    /// A text of the dictionary; empty for a number beyond it.
    pub fn text(&self, number: u32) -> &str {
        usize::try_from(number).ok().and_then(|n| self.texts.get(n)).map_or("", |text| text)
    }

    /// The events in order.
    pub fn events(&self) -> impl Iterator<Item = FrameEvent<'_>> {
        std::iter::empty()
    }
}
