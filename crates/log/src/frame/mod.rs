//! A frame: up to some hundred events that were made durable together, decoded once and shared by all who read it.
//!
//! Not for deciding what goes in: that is the committer's. The bytes are drawn in FORMAT.md; [`build`],
//! [`columns`] and [`encode`] make them, [`decode`] reads them, both ways give the same [`Frame`]. [`page`] copies one stream's events out of
//! many frames; what comes back of a page is a [`Frame`] too, whose positions have gaps.
//!
//! Invariant: positions ascend; in a frame of the log they are dense. Every number of a record lies inside its table, and every range inside its buffer, because
//! [`Frame::decode`] checks them all; so iterating cannot fail.

mod build;
mod columns;
mod decode;
mod encode;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod page;
#[cfg(test)]
mod tests;
pub(crate) mod varint;

use pegcount_domain::{
    envelope::{Envelope, Position, SourceSeq, StreamKind, StreamName, Version},
    event::EventType,
    ids::{CommandId, Epoch},
    time::Micros,
};
use smallvec::SmallVec;

pub(crate) use build::event_bytes;
pub use build::{FrameBuilder, Stamp};
pub use decode::FrameError;
pub(crate) use encode::kind_number;
pub(crate) use page::PageBuilder;

use crate::filter::Filter;

/// Stands for "no text" and "no id" in a record.
const NONE: u32 = u32::MAX;

/// A decoded frame, shared by all who read it. Its texts lie in one buffer, each of them once. A frame of the log holds
/// every event from its first to its last position; one that comes with a stream may hold that stream's alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// How many leading records a subscriber that started inside the frame does not see.
    hidden: usize,
    text: String,
    text_ranges: Vec<(u32, u32)>,
    streams: Vec<StreamEntry>,
    sources: Vec<SourceEntry>,
    records: Vec<Record>,
    names: Vec<u32>,
    ids: Vec<u128>,
    payload: Vec<u8>,
}

/// A stream that occurs in a frame, with the versions that it has there (dense, in order).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StreamEntry {
    pub(crate) site: u32,
    pub(crate) id: u32,
    pub(crate) kind: StreamKind,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// A source that occurs in a frame, with the seqs that it has there if it keeps a counter (dense, in order).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SourceEntry {
    pub(crate) text: u32,
    pub(crate) epoch: Option<Epoch>,
    pub(crate) first: u64,
    pub(crate) next: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    position: u64,
    version: u64,
    seq: u64,
    seq_to: u64,
    occurred_at: i64,
    source_time: i64,
    recorded_at: i64,
    causation: Option<u64>,
    stream: u32,
    source: u32,
    actor: u32,
    on_behalf_of: u32,
    command: u32,
    correlation: u32,
    names: (u32, u32),
    payload: (u32, u32),
    event_type: u16,
    schema_version: u16,
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
    /// The last seq that the event uses up; more than its own for a recorded gap. None without a counter.
    pub seq_to: Option<u64>,
    /// The text numbers of the names that the payload's ordinals mean: ordinal 1 is `names[0]`.
    pub names: SmallVec<[u32; 8]>,
}

impl Frame {
    /// The position of the first event.
    pub fn first(&self) -> Position {
        self.records.get(self.hidden).map_or(self.last().next(), |record| Position(record.position))
    }

    /// The position of the last event.
    pub fn last(&self) -> Position {
        self.records.last().map_or(Position::START, |record| Position(record.position))
    }

    /// How many events it holds.
    pub fn len(&self) -> usize {
        self.records.len() - self.hidden
    }

    /// Whether it holds none; a frame of the log always holds some.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many texts the dictionary holds.
    pub fn text_count(&self) -> u32 {
        u32::try_from(self.text_ranges.len()).unwrap_or(u32::MAX)
    }

    /// A text of the dictionary; empty for a number beyond it.
    #[inline]
    pub fn text(&self, number: u32) -> &str {
        let range = usize::try_from(number).ok().and_then(|n| self.text_ranges.get(n));
        range.and_then(|&(start, end)| self.text.get(at(start)..at(end))).unwrap_or("")
    }

    /// The events in order.
    pub fn events(&self) -> impl Iterator<Item = FrameEvent<'_>> {
        let shown = self.records.get(self.hidden..).unwrap_or_default();
        shown.iter().filter_map(|record| self.event(record))
    }

    /// The same frame without the events before `from`; all of it if it begins there or later.
    pub fn trimmed(&self, from: Position) -> Self {
        let before = self.records.partition_point(|record| record.position < from.0);
        Self { hidden: before.max(self.hidden), ..self.clone() }
    }

    /// About how many bytes of memory it takes.
    pub fn memory_bytes(&self) -> usize {
        self.text.len()
            + self.payload.len()
            + self.records.len() * size_of::<Record>()
            + self.names.len() * 4
            + self.text_ranges.len() * 8
            + self.streams.len() * size_of::<StreamEntry>()
            + self.sources.len() * size_of::<SourceEntry>()
            + self.ids.len() * 16
            + size_of::<Self>()
    }

    /// When the event at `position` happened as it was told, even if that lay in the future.
    pub(crate) fn told_at(&self, position: Position) -> Option<Micros> {
        let index = self.records.binary_search_by_key(&position.0, |record| record.position).ok()?;
        self.records.get(index).map(|record| Micros(record.occurred_at))
    }

    /// The time of the last event's writing.
    pub(crate) fn last_recorded_at(&self) -> Micros {
        self.records.last().map_or(Micros(i64::MIN), |record| Micros(record.recorded_at))
    }

    /// The streams of the whole frame with their versions in it.
    pub(crate) fn streams(&self) -> &[StreamEntry] {
        &self.streams
    }

    /// The sources of the whole frame with their seqs in it.
    pub(crate) fn sources(&self) -> &[SourceEntry] {
        &self.sources
    }

    /// The events of a stream: their records' numbers and their versions.
    pub(crate) fn records_of(&self, stream: &StreamName) -> impl Iterator<Item = (u32, u64)> {
        let entries: SmallVec<[u32; 2]> = self.entries_of(stream).map(|(number, _)| number).collect();
        let numbered = self.records.iter().zip(0_u32..);
        numbered
            .filter(move |(record, _)| entries.contains(&record.stream))
            .map(|(record, number)| (number, record.version))
    }

    /// The records' numbers of the events that pass `filter`, in order.
    pub(crate) fn records_passing(&self, filter: &Filter) -> SmallVec<[u32; 8]> {
        let name = |entry: &StreamEntry| StreamName {
            site: self.text(entry.site),
            kind: entry.kind,
            id: self.text(entry.id),
        };
        // Each stream of the frame is looked at once, however many events it has there.
        let wanted: SmallVec<[bool; 64]> =
            self.streams.iter().map(|entry| filter.wants_stream(name(entry))).collect();
        if !wanted.contains(&true) {
            return SmallVec::new();
        }
        let passes = |record: &Record| {
            wanted.get(at(record.stream)) == Some(&true) && filter.wants_type(EventType(record.event_type))
        };
        let shown = (0_u32..).zip(&self.records).skip(self.hidden);
        shown.filter(|(_, record)| passes(record)).map(|(number, _)| number).collect()
    }

    /// The position of a record.
    pub(crate) fn position_of_record(&self, record: u32) -> Position {
        self.records.get(at(record)).map_or(Position::START, |record| Position(record.position))
    }

    /// Of every event: its record's number, its stream's place in [`Self::streams`], its version, the time of its writing.
    pub(crate) fn versions(&self) -> impl Iterator<Item = (u32, usize, u64, Micros)> {
        let numbered = self.records.iter().zip(0_u32..);
        numbered
            .map(|(record, number)| (number, at(record.stream), record.version, Micros(record.recorded_at)))
    }

    /// First and last version of a stream in this frame.
    pub(crate) fn versions_of(&self, stream: &StreamName) -> Option<(u64, u64)> {
        let mut entries = self.entries_of(stream).map(|(_, entry)| (entry.first, entry.last));
        let (first, last) = entries.next()?;
        Some((first, entries.last().map_or(last, |(_, last)| last)))
    }

    /// The event of a record.
    pub(crate) fn event_of_record(&self, record: u32) -> Option<FrameEvent<'_>> {
        self.event(self.records.get(at(record))?)
    }

    fn entries_of(&self, stream: &StreamName) -> impl Iterator<Item = (u32, &StreamEntry)> {
        let wanted = (stream.site.as_str(), stream.kind, stream.id.as_str());
        let numbered = (0_u32..).zip(&self.streams);
        numbered.filter(move |(_, entry)| (self.text(entry.site), entry.kind, self.text(entry.id)) == wanted)
    }

    // Never `None`: decoding and building check every number. The `?` only keep this free of panics.
    #[inline]
    fn event(&self, record: &Record) -> Option<FrameEvent<'_>> {
        let stream = self.streams.get(at(record.stream))?;
        let source = self.sources.get(at(record.source))?;
        let names = self.names.get(at(record.names.0)..at(record.names.1))?;
        let envelope = Envelope {
            position: Position(record.position),
            stream: StreamName { site: self.text(stream.site), kind: stream.kind, id: self.text(stream.id) },
            version: Version(record.version),
            event_type: EventType(record.event_type),
            schema_version: record.schema_version,
            occurred_at: Micros(record.occurred_at.min(record.recorded_at)),
            clamped: record.occurred_at > record.recorded_at,
            source_time: Micros(record.source_time),
            recorded_at: Micros(record.recorded_at),
            actor: self.text(record.actor),
            on_behalf_of: (record.on_behalf_of != NONE).then(|| self.text(record.on_behalf_of)),
            source: self.text(source.text),
            source_seq: source.epoch.map(|epoch| SourceSeq { epoch, seq: record.seq }),
            command_id: self.id_at(record.command).map(CommandId),
            correlation: self.id_at(record.correlation),
            causation: record.causation.map(Position),
            payload: self.payload.get(at(record.payload.0)..at(record.payload.1))?,
        };
        Some(FrameEvent {
            envelope,
            site: stream.site,
            id: stream.id,
            source: source.text,
            seq_to: source.epoch.map(|_| record.seq_to),
            names: SmallVec::from_slice(names),
        })
    }

    #[inline]
    fn id_at(&self, number: u32) -> Option<u128> {
        if number == NONE { None } else { self.ids.get(at(number)).copied() }
    }
}

/// A u32 as an index: the log runs on machines of at least 32 bits.
#[inline]
fn at(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// A count as a u64: no machine counts further.
#[inline]
pub(crate) fn widen(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// A count as a table number. Tables are bounded by [`crate::limits::FRAME_BYTES_MAX`], far below.
#[inline]
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(NONE)
}
