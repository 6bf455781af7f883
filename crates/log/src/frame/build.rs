//! Makes frames: events go in one by one, the frame and its bytes come out.
//!
//! Not for choosing versions, seqs or times: they come in as a [`Stamp`]. The frame that comes out is the very one
//! that decoding its bytes would give, so the committer's frames reach live subscribers without being decoded.
//!
//! Invariant: the bytes of a frame never exceed [`FRAME_BYTES_MAX`] if every event was asked for by
//! [`FrameBuilder::fits`] first.

use std::io;

use pegcount_domain::{
    envelope::{Position, StreamKind, Version},
    ids::{Epoch, Name},
    time::Micros,
};
use rustc_hash::FxHashMap;

use super::{
    Frame, NONE, Record, SourceEntry, StreamEntry, at,
    columns::{Columns, LENGTHS_BYTES_MAX},
    encode::{FLAG_MORE, FLAG_ZSTD, FRAME_MAGIC, HEADER_BYTES, Head, Times, body},
    number,
};
use crate::{
    api::NewEvent,
    limits::{FRAME_BYTES_MAX, FRAME_EVENTS_MAX},
};

/// What an event can take beside its texts and its payload: its record's numbers and its table entries.
pub(super) const EVENT_OVERHEAD_BYTES: usize = 160;
/// The most that a text, a stream, a source takes in its table beside its own bytes, and in a record.
pub(super) const TEXT_OVERHEAD_BYTES: usize = 7;
const STREAM_ENTRY_BYTES: usize = 21;
const SOURCE_ENTRY_BYTES: usize = 32;
const TABLES_OVERHEAD_BYTES: usize = HEADER_BYTES + 32 + LENGTHS_BYTES_MAX;

/// Below this, compressing does not pay.
const COMPRESS_BYTES_MIN: usize = 512;

/// What the log gives to an event.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// Its place in the log; one more than that of the event before it in the frame.
    pub position: Position,
    /// Its place in its stream.
    pub version: Version,
    /// When it is written.
    pub recorded_at: Micros,
    /// Its source.
    pub source: &'a Name,
    /// The counter's epoch with the first and the last seq that the event uses up.
    pub seqs: Option<(Epoch, u64, u64)>,
}

/// An upper bound of what `event` of `source` can take in a frame, bytes.
pub(crate) fn event_bytes(event: &NewEvent, source: &Name) -> usize {
    let texts = [&event.stream.site, &event.stream.id, &event.actor, source];
    let texts = texts.into_iter().chain(&event.on_behalf_of).chain(&event.names);
    let texts: usize = texts.map(|text| text.as_str().len() + TEXT_OVERHEAD_BYTES).sum();
    texts + event.payload.len() + EVENT_OVERHEAD_BYTES
}

/// Builds one frame after the other.
pub struct FrameBuilder {
    compressor: Option<zstd::bulk::Compressor<'static>>,
    frame: Frame,
    text_numbers: FxHashMap<Name, u32>,
    stream_numbers: FxHashMap<(u32, StreamKind, u32), u32>,
    source_numbers: FxHashMap<(u32, Option<Epoch>), u32>,
    records: Columns,
}

impl FrameBuilder {
    /// A builder that compresses with zstd at `level`, or not at all.
    pub fn new(level: Option<i32>) -> io::Result<Self> {
        Ok(Self {
            compressor: level.map(zstd::bulk::Compressor::new).transpose()?,
            frame: Frame::empty(),
            text_numbers: FxHashMap::default(),
            stream_numbers: FxHashMap::default(),
            source_numbers: FxHashMap::default(),
            records: Columns::default(),
        })
    }

    /// Whether nothing has been pushed since the last frame.
    pub fn is_empty(&self) -> bool {
        self.frame.records.is_empty()
    }

    /// Whether `event` of `source` still fits into the frame; into an empty one every event fits that the log takes.
    pub fn fits(&self, event: &NewEvent, source: &Name) -> bool {
        self.frame.records.len() < FRAME_EVENTS_MAX
            && self.bytes_now() + event_bytes(event, source) <= FRAME_BYTES_MAX
    }

    /// Adds an event.
    pub fn push(&mut self, event: &NewEvent, stamp: &Stamp<'_>) {
        let site = self.text(&event.stream.site);
        let id = self.text(&event.stream.id);
        let stream = self.stream(site, event.stream.kind, id, stamp.version.0);
        let source_text = self.text(stamp.source);
        let source = self.source(source_text, stamp.seqs);
        let names_start = number(self.frame.names.len());
        for name in &event.names {
            let text = self.text(name);
            self.frame.names.push(text);
        }
        let payload_start = number(self.frame.payload.len());
        self.frame.payload.extend_from_slice(&event.payload);
        let (seq, seq_to) = stamp.seqs.map_or((0, 0), |(_, first, to)| (first, to));
        let record = Record {
            position: stamp.position.0,
            version: stamp.version.0,
            seq,
            seq_to,
            occurred_at: event.occurred_at.0,
            source_time: event.source_time.0,
            recorded_at: stamp.recorded_at.0,
            causation: event.causation.map(|position| position.0),
            stream,
            source,
            actor: self.text(&event.actor),
            on_behalf_of: event.on_behalf_of.as_ref().map_or(NONE, |name| self.text(name)),
            command: self.id(event.command_id.map(|id| id.0)),
            correlation: self.id(event.correlation),
            names: (names_start, number(self.frame.names.len())),
            payload: (payload_start, number(self.frame.payload.len())),
            event_type: event.event_type.0,
            schema_version: event.schema_version,
        };
        let before = self.frame.records.last().map_or(Times::before_first(&record), Times::of);
        self.records.put(&self.frame, &record, before);
        self.frame.records.push(record);
    }

    /// Ends the frame: gives it and its bytes, and begins the next one. `more` says that the group goes on in the
    /// next frame.
    pub fn finish(&mut self, more: bool) -> (Frame, Vec<u8>) {
        let recorded_at = self.frame.records.first().map_or(0, |record| record.recorded_at);
        let body = body(&self.frame, recorded_at, &self.records);
        let squeezed = self.compressor.as_mut().and_then(|compressor| squeezed(compressor, &body));
        let mut flags = if more { FLAG_MORE } else { 0 };
        flags |= if squeezed.is_some() { FLAG_ZSTD } else { 0 };
        let stored = squeezed.as_ref().unwrap_or(&body);

        let (first, count) = (self.frame.first().0, number(self.frame.records.len()));
        let bytes = Head { magic: FRAME_MAGIC, flags, first, count }.framed(stored, body.len());
        self.text_numbers.clear();
        self.stream_numbers.clear();
        self.source_numbers.clear();
        self.records.clear();
        (std::mem::replace(&mut self.frame, Frame::empty()), bytes)
    }

    fn bytes_now(&self) -> usize {
        self.frame.tables_bytes() + self.records.bytes()
    }

    fn text(&mut self, text: &Name) -> u32 {
        if let Some(&found) = self.text_numbers.get(text.as_str()) {
            return found;
        }
        let found = number(self.frame.text_ranges.len());
        let start = number(self.frame.text.len());
        self.frame.text.push_str(text.as_str());
        self.frame.text_ranges.push((start, number(self.frame.text.len())));
        self.text_numbers.insert(text.clone(), found);
        found
    }

    /// The table entry whose versions this one continues; another one if it does not (a frame with events left out).
    fn stream(&mut self, site: u32, kind: StreamKind, id: u32, version: u64) -> u32 {
        let streams = &mut self.frame.streams;
        if let Some(&found) = self.stream_numbers.get(&(site, kind, id))
            && let Some(entry) = streams.get_mut(at(found))
            && entry.last.checked_add(1) == Some(version)
        {
            entry.last = version;
            return found;
        }
        let found = number(streams.len());
        streams.push(StreamEntry { site, id, kind, first: version, last: version });
        self.stream_numbers.insert((site, kind, id), found);
        found
    }

    /// As [`Self::stream`], for a source and its seqs.
    fn source(&mut self, text: u32, seqs: Option<(Epoch, u64, u64)>) -> u32 {
        let sources = &mut self.frame.sources;
        let epoch = seqs.map(|(epoch, ..)| epoch);
        let (first, next) = seqs.map_or((0, 0), |(_, first, to)| (first, to.saturating_add(1)));
        if let Some(&found) = self.source_numbers.get(&(text, epoch))
            && let Some(entry) = sources.get_mut(at(found))
            && entry.next == first
        {
            entry.next = next;
            return found;
        }
        let found = number(sources.len());
        sources.push(SourceEntry { text, epoch, first, next });
        self.source_numbers.insert((text, epoch), found);
        found
    }

    fn id(&mut self, id: Option<u128>) -> u32 {
        id.map_or(NONE, |id| {
            self.frame.ids.push(id);
            number(self.frame.ids.len() - 1)
        })
    }
}

/// The compressed body, if that pays. An error of the compressor only costs space, so it is not passed on.
pub(super) fn squeezed(compressor: &mut zstd::bulk::Compressor<'_>, body: &[u8]) -> Option<Vec<u8>> {
    if body.len() < COMPRESS_BYTES_MIN {
        return None;
    }
    let squeezed = compressor.compress(body).ok()?;
    (squeezed.len() + body.len() / 16 < body.len()).then_some(squeezed)
}

impl Frame {
    pub(super) fn empty() -> Self {
        Self {
            hidden: 0,
            text: String::new(),
            text_ranges: Vec::new(),
            streams: Vec::new(),
            sources: Vec::new(),
            records: Vec::new(),
            names: Vec::new(),
            ids: Vec::new(),
            payload: Vec::new(),
        }
    }
    /// An upper bound of the bytes of header, tables and payloads.
    pub(super) fn tables_bytes(&self) -> usize {
        TABLES_OVERHEAD_BYTES
            + self.text.len()
            + self.text_ranges.len() * TEXT_OVERHEAD_BYTES
            + self.streams.len() * STREAM_ENTRY_BYTES
            + self.sources.len() * SOURCE_ENTRY_BYTES
            + self.payload.len()
    }
}
