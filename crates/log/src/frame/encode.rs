//! A frame's bytes, as FORMAT.md draws them: the header, the tables, the records.
//!
//! Not for building tables: [`super::build`] does that. Invariant: what is written here, [`super::decode`] reads.

use pegcount_domain::envelope::StreamKind;

use super::{
    Frame, NONE, Record, at, number,
    varint::{put_i64, put_u64},
    widen,
};

/// A frame of the log begins so.
pub(super) const FRAME_MAGIC: [u8; 4] = *b"PEGF";
/// A page of a stream begins so.
pub(super) const PAGE_MAGIC: [u8; 4] = *b"PEGP";
pub(super) const VERSION: u8 = 1;
pub(crate) const HEADER_BYTES: usize = 32;
pub(super) const FLAG_ZSTD: u8 = 1;
pub(super) const FLAG_MORE: u8 = 2;

pub(super) const HAS_ON_BEHALF: u8 = 1;
pub(super) const HAS_COMMAND: u8 = 2;
pub(super) const HAS_CORRELATION: u8 = 4;
pub(super) const HAS_CAUSATION: u8 = 8;
pub(super) const HAS_SOURCE_TIME: u8 = 16;
pub(super) const HAS_SEQ_SPAN: u8 = 32;
pub(super) const HAS_RECORDED: u8 = 64;
pub(super) const HAS_SCHEMA: u8 = 128;

/// What a header says beside lengths and checksum.
pub(super) struct Head {
    pub(super) magic: [u8; 4],
    pub(super) flags: u8,
    pub(super) first: u64,
    pub(super) count: u32,
}

impl Head {
    /// The header and the body as it is stored, which takes `raw_bytes` when it is not compressed.
    pub(super) fn framed(&self, stored: &[u8], raw_bytes: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + stored.len());
        bytes.extend_from_slice(&self.magic);
        bytes.extend_from_slice(&[VERSION, self.flags, 0, 0]);
        bytes.extend_from_slice(&self.first.to_le_bytes());
        bytes.extend_from_slice(&self.count.to_le_bytes());
        bytes.extend_from_slice(&number(stored.len()).to_le_bytes());
        bytes.extend_from_slice(&number(raw_bytes).to_le_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes), stored);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes.extend_from_slice(stored);
        bytes
    }
}

/// The body: the tables of `frame`, the time of the first event's writing, the records as they were put, the payloads;
/// of about `capacity` bytes.
pub(super) fn body(frame: &Frame, recorded_at: i64, records: &[u8], capacity: usize) -> Vec<u8> {
    let mut body = Vec::with_capacity(capacity);
    put_u64(&mut body, widen(frame.text_ranges.len()));
    for (start, end) in &frame.text_ranges {
        put_u64(&mut body, u64::from(end - start));
    }
    body.extend_from_slice(frame.text.as_bytes());
    put_u64(&mut body, widen(frame.streams.len()));
    for stream in &frame.streams {
        put_u64(&mut body, u64::from(stream.site));
        body.push(kind_number(stream.kind));
        put_u64(&mut body, u64::from(stream.id));
        put_u64(&mut body, stream.first);
    }
    put_u64(&mut body, widen(frame.sources.len()));
    for source in &frame.sources {
        put_u64(&mut body, u64::from(source.text));
        body.push(u8::from(source.epoch.is_some()));
        if let Some(epoch) = source.epoch {
            body.extend_from_slice(&epoch.0.to_le_bytes());
            put_u64(&mut body, source.first);
        }
    }
    put_i64(&mut body, recorded_at);
    body.extend_from_slice(records);
    body.extend_from_slice(&frame.payload);
    body
}

/// Times of the event before; of the first event, when it was written.
#[derive(Clone, Copy, Default)]
pub(super) struct Times {
    pub(super) occurred_at: i64,
    pub(super) recorded_at: i64,
}

impl Times {
    pub(super) fn of(record: &Record) -> Self {
        Self { occurred_at: record.occurred_at, recorded_at: record.recorded_at }
    }

    /// What a first record is put after.
    pub(super) fn before_first(record: &Record) -> Self {
        Self { occurred_at: record.recorded_at, recorded_at: record.recorded_at }
    }
}

/// Appends `record`, the next one of `frame`, whose tables have what it speaks of.
pub(super) fn put_record(out: &mut Vec<u8>, frame: &Frame, record: &Record, before: Times) {
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
    out.push(flags);
    put_u64(out, u64::from(record.event_type));
    put_u64(out, u64::from(record.stream));
    put_u64(out, u64::from(record.source));
    put_u64(out, u64::from(record.actor));
    put_i64(out, record.occurred_at.wrapping_sub(before.occurred_at));
    if flags != 0 {
        put_rare(out, flags, record, &frame.ids, before.recorded_at);
    }
    let (start, end) = record.names;
    put_u64(out, u64::from(end - start));
    for name in frame.names.get(at(start)..at(end)).unwrap_or_default() {
        put_u64(out, u64::from(*name));
    }
    put_u64(out, u64::from(record.payload.1 - record.payload.0));
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

/// The stored number of a kind of stream; it never changes its meaning.
pub(crate) const fn kind_number(kind: StreamKind) -> u8 {
    match kind {
        StreamKind::Agent => 1,
        StreamKind::Contact => 2,
        StreamKind::Ticket => 3,
        StreamKind::Definition => 4,
        StreamKind::Quarantine => 5,
    }
}

/// The kind of a stored number.
pub(super) fn kind_of(number: u8) -> Option<StreamKind> {
    StreamKind::ALL.into_iter().find(|kind| kind_number(*kind) == number)
}
