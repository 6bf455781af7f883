//! Fingerprints of what clients say, to tell a repeat from another fact under the same number.
//!
//! Over type, source time, stream, names, payload and the seqs used up: not over `occurred_at` and `recorded_at`,
//! which the server corrects. 32 bits under the log's key: a client cannot find two contents that agree, and a counter
//! that started again shows within an event or two. The formula is part of the format (FORMAT.md).
//!
//! A skip has no time of its own: its source time is the moment when the server heard of it, and stays out.
//!
//! Invariant: the fingerprint of an event is the same before it is appended and when it is read back.

use pegcount_domain::{envelope::StreamName, event::EventType, time::Micros};
use xxhash_rust::xxh3::xxh3_64_with_secret;

use crate::{
    api::NewEvent,
    frame::{Frame, FrameEvent, kind_number, widen},
    keys::{LogKey, Secret},
};

pub(crate) struct Fingerprints {
    secret: Secret,
    scratch: Vec<u8>,
}

impl Fingerprints {
    pub(crate) fn new(key: &LogKey) -> Self {
        Self { secret: key.contents_secret(), scratch: Vec::new() }
    }

    pub(crate) fn of_new(&mut self, event: &NewEvent, seqs: (u64, u64)) -> u32 {
        let stream = &event.stream;
        let stream = StreamName { site: stream.site.as_str(), kind: stream.kind, id: stream.id.as_str() };
        self.begin(event.event_type, event.source_time, stream, seqs);
        for name in &event.names {
            self.put_text(name.as_str());
        }
        self.finish(&event.payload)
    }

    pub(crate) fn of_stored(&mut self, frame: &Frame, event: &FrameEvent<'_>, seqs: (u64, u64)) -> u32 {
        let envelope = &event.envelope;
        self.begin(envelope.event_type, envelope.source_time, envelope.stream, seqs);
        for name in &event.names {
            self.put_text(frame.text(*name));
        }
        self.finish(envelope.payload)
    }

    fn begin(
        &mut self,
        event_type: EventType,
        source_time: Micros,
        stream: StreamName<&str>,
        seqs: (u64, u64),
    ) {
        let source_time = said_time(event_type, source_time);
        self.scratch.clear();
        self.scratch.extend_from_slice(&event_type.0.to_le_bytes());
        self.scratch.extend_from_slice(&source_time.0.to_le_bytes());
        self.scratch.extend_from_slice(&seqs.0.to_le_bytes());
        self.scratch.extend_from_slice(&seqs.1.to_le_bytes());
        self.scratch.push(kind_number(stream.kind));
        self.put_text(stream.site);
        self.put_text(stream.id);
    }

    // The length in front keeps "ab", "c" from meeting "a", "bc".
    fn put_text(&mut self, text: &str) {
        self.scratch.extend_from_slice(&widen(text.len()).to_le_bytes());
        self.scratch.extend_from_slice(text.as_bytes());
    }

    fn finish(&mut self, payload: &[u8]) -> u32 {
        self.scratch.extend_from_slice(payload);
        let [a, b, c, d, ..] = xxh3_64_with_secret(&self.scratch, &self.secret).to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }
}

/// The source time as far as the source said it.
fn said_time(event_type: EventType, source_time: Micros) -> Micros {
    if event_type == EventType::SKIPPED { Micros::ZERO } else { source_time }
}
