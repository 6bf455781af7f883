//! A frame of the log as the folds want it: each text of the dictionary hashed once, each event decoded with keys
//! instead of names.
//!
//! Invariant: within one process a text always has the same key (one seed), and so has it in the log's archive.

use pegcount_domain::{
    envelope::{Recorded, StreamName},
    event::Event,
    ids::{Key, Name},
};
use pegcount_log::{Frame, FrameEvent};
use pegcount_proto::DecodeError;

/// Hashes texts under one seed, frame by frame, reusing its buffer.
#[derive(Debug)]
pub(crate) struct FrameKeys {
    seed: u64,
    keys: Vec<Key>,
}

impl FrameKeys {
    /// `seed` must be the same for all frames that one fold sees.
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, keys: Vec::new() }
    }

    /// The key of a text.
    pub(crate) fn of(&self, text: &str) -> Key {
        Key::of(text, self.seed)
    }

    /// Hashes every text of `frame`.
    pub(crate) fn load(&mut self, frame: &Frame) {
        self.keys.clear();
        self.keys.extend((0..frame.text_count()).map(|number| Key::of(frame.text(number), self.seed)));
    }

    /// The keys of all texts of the frame that was loaded last, in the order of their numbers.
    pub(crate) fn copy_to(&self, keys: &mut Vec<Key>) {
        keys.clone_from(&self.keys);
    }

    /// The text of `key` in the frame that was loaded last.
    pub(crate) fn text_of<'f>(&self, frame: &'f Frame, key: Key) -> Option<&'f str> {
        text_of(frame, &self.keys, key)
    }

    /// The key of an event's site.
    pub(crate) fn site_of(&self, event: &FrameEvent<'_>) -> Option<Key> {
        self.key(event.site)
    }

    fn key(&self, number: u32) -> Option<Key> {
        usize::try_from(number).ok().and_then(|index| self.keys.get(index)).copied()
    }

    /// One event of the frame that was loaded last, with keys.
    pub(crate) fn recorded(&self, event: &FrameEvent<'_>) -> Result<Recorded, DecodeError> {
        let envelope = &event.envelope;
        let decoded = pegcount_proto::decode(
            envelope.event_type,
            envelope.schema_version,
            envelope.payload,
            |index| {
                let number = usize::try_from(index).ok().and_then(|index| event.names.get(index))?;
                self.key(*number)
            },
        )?;
        Ok(Recorded {
            position: envelope.position,
            stream: StreamName {
                site: self.key(event.site).unwrap_or_default(),
                kind: envelope.stream.kind,
                id: self.key(event.id).unwrap_or_default(),
            },
            occurred_at: envelope.occurred_at,
            recorded_at: envelope.recorded_at,
            source: self.key(event.source).unwrap_or_default(),
            source_seq: envelope.source_seq,
            event: decoded,
        })
    }
}

/// The text of `key` in a frame whose texts have these keys.
pub(crate) fn text_of<'f>(frame: &'f Frame, keys: &[Key], key: Key) -> Option<&'f str> {
    let index = keys.iter().position(|known| *known == key)?;
    u32::try_from(index).ok().map(|number| frame.text(number))
}

/// One event with its names as texts, for boards and readers.
pub(crate) fn named_event(frame: &Frame, event: &FrameEvent<'_>) -> Result<Event, DecodeError> {
    let envelope = &event.envelope;
    pegcount_proto::decode(envelope.event_type, envelope.schema_version, envelope.payload, |index| {
        let number = usize::try_from(index).ok().and_then(|index| event.names.get(index))?;
        Name::new(frame.text(*number)).ok()
    })
}
