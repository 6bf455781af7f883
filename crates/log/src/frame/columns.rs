//! The parts of records, each part of all of them together: what is alike lies side by side, so that it compresses to three
//! quarters of what whole records, one after the other, would (FORMAT.md).
//!
//! Not for what the parts mean: [`super::decode`] checks that. Invariant: what [`Columns::put`] puts, part by part, a
//! reader takes in the same order.

use super::{
    Frame, FrameError, NONE, Record, at,
    encode::{
        HAS_CAUSATION, HAS_COMMAND, HAS_CORRELATION, HAS_ON_BEHALF, HAS_RECORDED, HAS_SCHEMA, HAS_SEQ_SPAN,
        HAS_SOURCE_TIME, Times,
    },
    varint::{Reader, put_i64, put_u64},
    widen,
};

const COLUMNS: usize = 12;
/// The most that the lengths of all columns take.
pub(super) const LENGTHS_BYTES_MAX: usize = COLUMNS * 3;

/// A part of a record; in this order they lie in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// How many positions a page leaves out before the event; nothing in a frame.
    PositionsLeftOut,
    /// How many seqs of its source; nothing in a frame.
    SeqsLeftOut,
    Flags,
    Type,
    Stream,
    Source,
    Actor,
    OccurredAt,
    /// What the flags say is there.
    Rare,
    NameCount,
    Names,
    PayloadBytes,
}

/// The columns of the records that were put.
#[derive(Default)]
pub(super) struct Columns {
    parts: [Vec<u8>; COLUMNS],
}

impl Columns {
    pub(super) fn bytes(&self) -> usize {
        self.parts.iter().map(Vec::len).sum()
    }

    /// Bytes of memory.
    pub(super) fn memory_bytes(&self) -> usize {
        self.parts.iter().map(Vec::capacity).sum()
    }

    pub(super) fn clear(&mut self) {
        self.parts.iter_mut().for_each(Vec::clear);
    }

    /// Appends the columns' lengths, then the columns.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        self.parts.iter().for_each(|part| put_u64(out, widen(part.len())));
        self.parts.iter().for_each(|part| out.extend_from_slice(part));
    }

    /// What a page leaves out before the record that is put next.
    pub(super) fn put_left_out(&mut self, positions: u64, seqs: u64) {
        let [positions_left_out, seqs_left_out, ..] = &mut self.parts;
        put_u64(positions_left_out, positions);
        put_u64(seqs_left_out, seqs);
    }

    /// Puts `record`, the next one of `frame`, whose tables have what it speaks of.
    pub(super) fn put(&mut self, frame: &Frame, record: &Record, before: Times) {
        let [_, _, flag_part, types, streams, sources, actors, times, rare, name_counts, names, payloads] =
            &mut self.parts;
        let given = [
            (HAS_ON_BEHALF, record.on_behalf_of != NONE),
            (HAS_COMMAND, record.command != NONE),
            (HAS_CORRELATION, record.correlation != NONE),
            (HAS_CAUSATION, record.causation.is_some()),
            (HAS_SOURCE_TIME, record.source_time != record.occurred_at),
            (HAS_SEQ_SPAN, record.seq_to != record.seq),
            (HAS_RECORDED, record.recorded_at != before.recorded_at),
            (HAS_SCHEMA, record.schema_version != 1),
        ];
        let flags = given.into_iter().fold(0, |flags, (flag, set)| if set { flags | flag } else { flags });
        flag_part.push(flags);
        put_u64(types, u64::from(record.event_type));
        put_u64(streams, u64::from(record.stream));
        put_u64(sources, u64::from(record.source));
        put_u64(actors, u64::from(record.actor));
        put_i64(times, record.occurred_at.wrapping_sub(before.occurred_at));
        if flags != 0 {
            put_rare(rare, flags, record, &frame.ids, before.recorded_at);
        }
        let (start, end) = record.names;
        put_u64(name_counts, u64::from(end - start));
        for name in frame.names.get(at(start)..at(end)).unwrap_or_default() {
            put_u64(names, u64::from(*name));
        }
        put_u64(payloads, u64::from(record.payload.1 - record.payload.0));
    }
}

/// The parts that most events do not have.
fn put_rare(out: &mut Vec<u8>, flags: u8, record: &Record, ids: &[u128], last_recorded_at: i64) {
    if flags & HAS_SCHEMA != 0 {
        put_u64(out, u64::from(record.schema_version));
    }
    if flags & HAS_SOURCE_TIME != 0 {
        put_i64(out, record.source_time.wrapping_sub(record.occurred_at));
    }
    if flags & HAS_RECORDED != 0 {
        put_i64(out, record.recorded_at.wrapping_sub(last_recorded_at));
    }
    if flags & HAS_ON_BEHALF != 0 {
        put_u64(out, u64::from(record.on_behalf_of));
    }
    for (flag, id) in [(HAS_COMMAND, record.command), (HAS_CORRELATION, record.correlation)] {
        if let (true, Some(id)) = (flags & flag != 0, ids.get(at(id))) {
            out.extend_from_slice(&id.to_le_bytes());
        }
    }
    if let Some(causation) = record.causation {
        put_i64(out, record.position.wrapping_sub(causation).cast_signed());
    }
    if flags & HAS_SEQ_SPAN != 0 {
        put_u64(out, record.seq_to.wrapping_sub(record.seq));
    }
}

/// Where the parts of the next record are read.
pub(super) trait Parts<'a> {
    fn of(&mut self, column: Column) -> &mut Reader<'a>;
}

/// Bodies of version 1: whole records, one after the other.
impl<'a> Parts<'a> for Reader<'a> {
    #[inline]
    fn of(&mut self, _column: Column) -> &mut Reader<'a> {
        self
    }
}

/// The columns of a body.
pub(super) struct ColumnReaders<'a> {
    parts: [Reader<'a>; COLUMNS],
}

impl<'a> ColumnReaders<'a> {
    /// Takes the columns of `count` records off the front of `reader`.
    pub(super) fn new(reader: &mut Reader<'a>, count: usize) -> Result<Self, FrameError> {
        let mut lengths = [0; COLUMNS];
        for length in &mut lengths {
            *length = at(reader.u32()?);
        }
        let mut parts = lengths.map(|_| Reader::new(&[]));
        for (part, length) in parts.iter_mut().zip(lengths) {
            *part = Reader::new(reader.bytes(length)?);
        }
        let mut columns = Self { parts };
        if columns.of(Column::Flags).left() != count {
            return Err(FrameError::Body("another number of records than the header says"));
        }
        Ok(columns)
    }

    /// An error if not all was read.
    pub(super) fn end(self) -> Result<(), FrameError> {
        let read = self.parts.iter().all(|part| part.left() == 0);
        if read { Ok(()) } else { Err(FrameError::Body("a column that goes on after the last record")) }
    }
}

impl<'a> Parts<'a> for ColumnReaders<'a> {
    #[inline]
    fn of(&mut self, column: Column) -> &mut Reader<'a> {
        let [positions, seqs, flags, types, streams, sources, actors, times, rare, counts, names, payloads] =
            &mut self.parts;
        match column {
            Column::PositionsLeftOut => positions,
            Column::SeqsLeftOut => seqs,
            Column::Flags => flags,
            Column::Type => types,
            Column::Stream => streams,
            Column::Source => sources,
            Column::Actor => actors,
            Column::OccurredAt => times,
            Column::Rare => rare,
            Column::NameCount => counts,
            Column::Names => names,
            Column::PayloadBytes => payloads,
        }
    }
}
