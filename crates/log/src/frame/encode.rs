//! A frame's bytes, as FORMAT.md draws them: the header, the tables, the columns of its records.
//!
//! Not for building tables nor for columns: [`super::build`] and [`super::columns`] do that. Invariant: what is written here, [`super::decode`] reads.

use pegcount_domain::envelope::StreamKind;

use super::{
    Frame, Record,
    columns::Columns,
    number,
    varint::{put_i64, put_u64},
    widen,
};

/// A frame of the log begins so.
pub(super) const FRAME_MAGIC: [u8; 4] = *b"PEGF";
/// A page of a stream begins so.
pub(super) const PAGE_MAGIC: [u8; 4] = *b"PEGP";
/// What is written.
pub(super) const VERSION: u8 = 2;
/// Records stood one after the other; such frames are read, and written no more.
pub(super) const VERSION_OF_ROWS: u8 = 1;
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

/// The body: the tables of `frame`, the time of the first event's writing, the records as they were put, the payloads.
pub(super) fn body(frame: &Frame, recorded_at: i64, records: &Columns) -> Vec<u8> {
    let mut body = Vec::with_capacity(frame.tables_bytes() + records.bytes());
    put_u64(&mut body, widen(frame.text_ranges.len()));
    for (start, end) in &frame.text_ranges {
        put_u64(&mut body, u64::from(end - start));
    }
    body.extend_from_slice(frame.text.as_bytes());
    put_u64(&mut body, widen(frame.streams.len()));
    let streams = || frame.streams.iter();
    streams().for_each(|stream| put_u64(&mut body, u64::from(stream.site)));
    body.extend(streams().map(|stream| kind_number(stream.kind)));
    let mut before = 0;
    for stream in streams() {
        put_i64(&mut body, i64::from(stream.id) - i64::from(before));
        before = stream.id;
    }
    streams().for_each(|stream| put_u64(&mut body, stream.first));
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
    records.write(&mut body);
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

/// The stored number of a kind of stream; it never changes its meaning.
pub(crate) const fn kind_number(kind: StreamKind) -> u8 {
    match kind {
        StreamKind::Agent => 1,
        StreamKind::Contact => 2,
        StreamKind::Ticket => 3,
        StreamKind::Definition => 4,
        StreamKind::Quarantine => 5,
        StreamKind::Customer => 6,
    }
}

/// The kind of a stored number.
pub(super) fn kind_of(number: u8) -> Option<StreamKind> {
    StreamKind::ALL.into_iter().find(|kind| kind_number(*kind) == number)
}
