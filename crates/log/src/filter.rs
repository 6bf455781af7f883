//! What a reader wants of the log: all, one site, one kind, one stream, some types of event.
//!
//! Not for finding it: whoever reads applies a filter to frames. Invariant: a filter looks at the stream's name and the
//! event's type alone, so it can be applied to a frame without touching a payload.

use pegcount_domain::{
    envelope::{Envelope, StreamKind, StreamName},
    event::EventType,
    ids::Name,
};
use smallvec::SmallVec;

/// What a reader wants of the log; by default all of it. An event passes or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this site.
    pub site: Option<Name>,
    /// Only this kind.
    pub kind: Option<StreamKind>,
    /// Only this stream's id (with site and kind).
    pub id: Option<Name>,
    /// Only these types; empty: all.
    pub types: SmallVec<[EventType; 4]>,
}

impl Filter {
    /// Whether `event` is wanted.
    pub fn passes(&self, event: &Envelope<'_>) -> bool {
        self.wants_stream(event.stream) && self.wants_type(event.event_type)
    }

    /// Whether events of this stream can be wanted.
    pub(crate) fn wants_stream(&self, stream: StreamName<&str>) -> bool {
        self.kind.is_none_or(|kind| kind == stream.kind)
            && self.site.as_ref().is_none_or(|site| site.as_str() == stream.site)
            && self.id.as_ref().is_none_or(|id| id.as_str() == stream.id)
    }

    /// Whether events of this type can be wanted.
    pub(crate) fn wants_type(&self, event_type: EventType) -> bool {
        self.types.is_empty() || self.types.contains(&event_type)
    }
}
