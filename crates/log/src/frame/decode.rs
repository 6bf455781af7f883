//! Reads frames, and checks everything about them that iterating relies on.
//!
//! Not for interpreting payloads. Invariant: whatever the bytes, decoding gives the frame that was built or an
//! error; it never panics and never reserves more than [`FRAME_BYTES_MAX`] asks for.

use std::cell::RefCell;

use pegcount_domain::{envelope::StreamKind, ids::Epoch};

use super::{
    Frame, NONE, Record, SourceEntry, StreamEntry, at,
    columns::{Column, ColumnReaders, Parts},
    encode::{
        FLAG_MORE, FLAG_ZSTD, FRAME_MAGIC, HAS_CAUSATION, HAS_COMMAND, HAS_CORRELATION, HAS_ON_BEHALF,
        HAS_RECORDED, HAS_SCHEMA, HAS_SEQ_SPAN, HAS_SOURCE_TIME, HEADER_BYTES, PAGE_MAGIC, VERSION,
        VERSION_OF_ROWS, kind_of,
    },
    number,
    varint::Reader,
    widen,
};
use crate::limits::{FRAME_BYTES_MAX, FRAME_EVENTS_MAX};

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The bytes end too early.
    #[error("the frame is cut short")]
    Short,
    /// It does not begin as a frame does.
    #[error("the bytes do not begin with a frame's magic")]
    Magic,
    /// A newer program wrote it.
    #[error("frame version {found} with flags {flags:#04x} is newer than {VERSION}")]
    Newer {
        /// Its version.
        found: u8,
        /// Its flags.
        flags: u8,
    },
    /// The bytes changed.
    #[error("the checksum is {actual:08x}, the frame says {stated:08x}")]
    Checksum {
        /// What the bytes have.
        actual: u32,
        /// What the header says.
        stated: u32,
    },
    /// The bytes are whole but do not make sense.
    #[error("the frame's body is wrong: {0}")]
    Body(&'static str),
}

struct Header {
    /// Records stand one after the other, as they did in version 1.
    rows: bool,
    /// Between the events of a page others lie in the log: each says how many positions, and seqs, it leaves out.
    gaps: bool,
    flags: u8,
    first: u64,
    count: usize,
    raw_bytes: usize,
}

thread_local! {
    // A zstd context takes longer to make than a frame to decode.
    static INFLATE: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

impl Frame {
    /// Decodes a frame and checks all of it.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        Self::decode_as(bytes, FRAME_MAGIC)
    }

    /// Decodes a page and checks all of it.
    pub(crate) fn decode_page(bytes: &[u8]) -> Result<Self, FrameError> {
        Self::decode_as(bytes, PAGE_MAGIC)
    }

    fn decode_as(bytes: &[u8], magic: [u8; 4]) -> Result<Self, FrameError> {
        let (header, stored) = header(bytes, magic)?;
        if header.flags & FLAG_ZSTD == 0 {
            return if stored.len() == header.raw_bytes {
                body(&header, stored)
            } else {
                Err(FrameError::Body("a raw body of another length"))
            };
        }
        body(&header, &inflate(stored, header.raw_bytes)?)
    }

    /// Whether the group that these bytes belong to goes on in the next frame.
    pub(crate) fn more_follows(bytes: &[u8]) -> bool {
        bytes.get(5).is_some_and(|flags| flags & FLAG_MORE != 0)
    }
}

fn header(bytes: &[u8], wanted: [u8; 4]) -> Result<(Header, &[u8]), FrameError> {
    let (head, stored) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(FrameError::Short)?;
    let (magic, rest) = head.split_first_chunk::<4>().ok_or(FrameError::Short)?;
    if *magic != wanted {
        return Err(FrameError::Magic);
    }
    let &[version, flags, _, _, ref rest @ ..] = rest else { return Err(FrameError::Short) };
    let (first, rest) = rest.split_first_chunk::<8>().ok_or(FrameError::Short)?;
    let mut numbers = rest.chunks_exact(4).filter_map(|four| four.try_into().ok().map(u32::from_le_bytes));
    let mut next = || numbers.next().ok_or(FrameError::Short);
    let (count, stored_bytes, raw_bytes, stated) = (next()?, next()?, next()?, next()?);
    if !(VERSION_OF_ROWS..=VERSION).contains(&version) || flags & !(FLAG_ZSTD | FLAG_MORE) != 0 {
        return Err(FrameError::Newer { found: version, flags });
    }
    if stored.len() != at(stored_bytes) {
        return Err(FrameError::Short);
    }
    let checked = head.get(..HEADER_BYTES - 4).unwrap_or_default();
    let actual = crc32c::crc32c_append(crc32c::crc32c(checked), stored);
    if actual != stated {
        return Err(FrameError::Checksum { actual, stated });
    }
    let (count, raw_bytes) = (at(count), at(raw_bytes));
    if raw_bytes > FRAME_BYTES_MAX || count > FRAME_EVENTS_MAX || count == 0 {
        return Err(FrameError::Body("more bytes or events than a frame may have, or none"));
    }
    let first = u64::from_le_bytes(*first);
    if first == 0 || first.checked_add(widen(count)).is_none() {
        return Err(FrameError::Body("a first position that cannot be"));
    }
    let (rows, gaps) = (version == VERSION_OF_ROWS, wanted == PAGE_MAGIC);
    Ok((Header { rows, gaps, flags, first, count, raw_bytes }, stored))
}

fn inflate(stored: &[u8], raw_bytes: usize) -> Result<Vec<u8>, FrameError> {
    const WRONG: FrameError = FrameError::Body("the compressed bytes do not unpack");
    INFLATE.with_borrow_mut(|slot| {
        let inflater = match slot {
            Some(inflater) => inflater,
            None => slot.insert(zstd::bulk::Decompressor::new().map_err(|_| WRONG)?),
        };
        let body = inflater.decompress(stored, raw_bytes).map_err(|_| WRONG)?;
        if body.len() == raw_bytes { Ok(body) } else { Err(FrameError::Body("a body of another length")) }
    })
}

fn body(header: &Header, bytes: &[u8]) -> Result<Frame, FrameError> {
    let mut reader = Reader::new(bytes);
    let mut frame = Frame::empty();
    texts(&mut reader, &mut frame)?;
    if header.rows {
        streams_of_rows(&mut reader, &mut frame)?;
    } else {
        streams(&mut reader, &mut frame)?;
    }
    sources(&mut reader, &mut frame)?;
    let recorded_at = reader.i64()?;
    if header.rows {
        if header.count > reader.left() {
            return Err(FrameError::Short);
        }
        records(&mut reader, &mut frame, header, recorded_at)?;
    } else {
        let mut columns = ColumnReaders::new(&mut reader, header.count)?;
        records(&mut columns, &mut frame, header, recorded_at)?;
        columns.end()?;
    }
    let payload_bytes = frame.records.last().map_or(0, |record| at(record.payload.1));
    if reader.left() != payload_bytes {
        return Err(FrameError::Body("the payloads' lengths do not sum to what is there"));
    }
    frame.payload = reader.bytes(payload_bytes)?.to_vec();
    Ok(frame)
}

/// A table's length: it has at least one byte for each entry.
fn length(reader: &mut Reader<'_>) -> Result<usize, FrameError> {
    let count = at(reader.u32()?);
    if count > reader.left() { Err(FrameError::Short) } else { Ok(count) }
}

fn texts(reader: &mut Reader<'_>, frame: &mut Frame) -> Result<(), FrameError> {
    let count = length(reader)?;
    frame.text_ranges.reserve_exact(count);
    let mut end = 0_u32;
    for _ in 0..count {
        let start = end;
        end = start.checked_add(reader.u32()?).ok_or(FrameError::Short)?;
        frame.text_ranges.push((start, end));
    }
    let text = reader.bytes(at(end))?;
    let text = str::from_utf8(text).map_err(|_| FrameError::Body("a text that is not UTF-8"))?;
    if !frame.text_ranges.iter().all(|&(_, end)| text.is_char_boundary(at(end))) {
        return Err(FrameError::Body("a text that ends within a character"));
    }
    text.clone_into(&mut frame.text);
    Ok(())
}

const NO_KIND: FrameError = FrameError::Body("an unknown kind of stream");

fn streams(reader: &mut Reader<'_>, frame: &mut Frame) -> Result<(), FrameError> {
    let count = length(reader)?;
    let mut streams = Vec::with_capacity(count);
    for _ in 0..count {
        let site = text_number(reader, frame)?;
        streams.push(StreamEntry { site, id: 0, kind: StreamKind::Agent, first: 0, last: 0 });
    }
    for (stream, kind) in streams.iter_mut().zip(reader.bytes(count)?) {
        stream.kind = kind_of(*kind).ok_or(NO_KIND)?;
    }
    let mut id = 0_u32;
    for stream in &mut streams {
        let number = i64::from(id).checked_add(reader.i64()?).and_then(|number| u32::try_from(number).ok());
        id = number.filter(|id| at(*id) < frame.text_ranges.len()).ok_or(NO_TEXT)?;
        stream.id = id;
    }
    for stream in &mut streams {
        stream.begin(reader.u64()?)?;
    }
    frame.streams = streams;
    Ok(())
}

fn streams_of_rows(reader: &mut Reader<'_>, frame: &mut Frame) -> Result<(), FrameError> {
    let count = length(reader)?;
    frame.streams.reserve_exact(count);
    for _ in 0..count {
        let site = text_number(reader, frame)?;
        let kind = kind_of(reader.byte()?).ok_or(NO_KIND)?;
        let id = text_number(reader, frame)?;
        let mut stream = StreamEntry { site, id, kind, first: 0, last: 0 };
        stream.begin(reader.u64()?)?;
        frame.streams.push(stream);
    }
    Ok(())
}

impl StreamEntry {
    /// `first` is its first version in the frame.
    fn begin(&mut self, first: u64) -> Result<(), FrameError> {
        let before = first.checked_sub(1).ok_or(FrameError::Body("a stream that begins with version 0"))?;
        (self.first, self.last) = (first, before);
        Ok(())
    }
}

fn sources(reader: &mut Reader<'_>, frame: &mut Frame) -> Result<(), FrameError> {
    let count = length(reader)?;
    frame.sources.reserve_exact(count);
    for _ in 0..count {
        let text = text_number(reader, frame)?;
        let (epoch, first) = match reader.byte()? {
            0 => (None, 0),
            1 => (Some(Epoch(reader.u128()?)), reader.u64()?),
            _ => return Err(FrameError::Body("an unknown kind of source")),
        };
        frame.sources.push(SourceEntry { text, epoch, first, next: first });
    }
    Ok(())
}

fn records<'a>(
    parts: &mut impl Parts<'a>,
    frame: &mut Frame,
    header: &Header,
    first_recorded_at: i64,
) -> Result<(), FrameError> {
    let (mut recorded_at, mut occurred_at) = (first_recorded_at, first_recorded_at);
    let mut payload_end = 0_u32;
    frame.records.reserve_exact(header.count);
    frame.names.reserve(header.count * 2);
    let mut next = header.first;
    for _ in 0..header.count {
        let (position, seqs_left_out) = if header.gaps { gaps(parts, next)? } else { (next, 0) };
        next = position.checked_add(1).ok_or(FrameError::Body("a position that cannot be"))?;
        let flags = parts.of(Column::Flags).byte()?;
        let event_type = parts.of(Column::Type).u64()?;
        let event_type = u16::try_from(event_type).map_err(|_| FrameError::Body("an impossible type"))?;
        let (stream, version) = next_version(parts.of(Column::Stream), frame)?;
        let source = parts.of(Column::Source).u32()?;
        let actor = text_number(parts.of(Column::Actor), frame)?;
        occurred_at = occurred_at.wrapping_add(parts.of(Column::OccurredAt).i64()?);
        let mut record = Record {
            position,
            version,
            seq: 0,
            seq_to: 0,
            occurred_at,
            source_time: occurred_at,
            recorded_at,
            causation: None,
            stream,
            source,
            actor,
            on_behalf_of: NONE,
            command: NONE,
            correlation: NONE,
            names: (0, 0),
            payload: (payload_end, payload_end),
            event_type,
            schema_version: 1,
        };
        let span = if flags == 0 { 0 } else { rare(parts.of(Column::Rare), frame, flags, &mut record)? };
        recorded_at = record.recorded_at;
        (record.seq, record.seq_to) = next_seqs(frame, source, seqs_left_out, span)?;
        record.names = names(parts, frame)?;
        payload_end =
            payload_end.checked_add(parts.of(Column::PayloadBytes).u32()?).ok_or(FrameError::Short)?;
        record.payload.1 = payload_end;
        frame.records.push(record);
    }
    Ok(())
}

/// The position of a page's next event, `next` if none is left out, and how many seqs of its source it leaves out.
#[inline]
fn gaps<'a>(parts: &mut impl Parts<'a>, next: u64) -> Result<(u64, u64), FrameError> {
    let position = next.checked_add(parts.of(Column::PositionsLeftOut).u64()?);
    let position = position.ok_or(FrameError::Body("a position that cannot be"))?;
    Ok((position, parts.of(Column::SeqsLeftOut).u64()?))
}

/// The parts that most events do not have; gives how many further seqs the event uses up.
fn rare(
    reader: &mut Reader<'_>,
    frame: &mut Frame,
    flags: u8,
    record: &mut Record,
) -> Result<u64, FrameError> {
    if flags & HAS_SCHEMA != 0 {
        let version = u16::try_from(reader.u64()?);
        record.schema_version = version.map_err(|_| FrameError::Body("an impossible schema version"))?;
    }
    if flags & HAS_SOURCE_TIME != 0 {
        record.source_time = record.occurred_at.wrapping_add(reader.i64()?);
    }
    if flags & HAS_RECORDED != 0 {
        record.recorded_at = record.recorded_at.wrapping_add(reader.i64()?);
    }
    if flags & HAS_ON_BEHALF != 0 {
        record.on_behalf_of = text_number(reader, frame)?;
    }
    if flags & HAS_COMMAND != 0 {
        frame.ids.push(reader.u128()?);
        record.command = number(frame.ids.len() - 1);
    }
    if flags & HAS_CORRELATION != 0 {
        frame.ids.push(reader.u128()?);
        record.correlation = number(frame.ids.len() - 1);
    }
    if flags & HAS_CAUSATION != 0 {
        record.causation = Some(record.position.wrapping_sub(reader.i64()?.cast_unsigned()));
    }
    if flags & HAS_SEQ_SPAN != 0 { reader.u64() } else { Ok(0) }
}

const NO_TEXT: FrameError = FrameError::Body("a text that is not there");

#[inline]
fn text_number(reader: &mut Reader<'_>, frame: &Frame) -> Result<u32, FrameError> {
    let text = reader.u32()?;
    if at(text) < frame.text_ranges.len() { Ok(text) } else { Err(NO_TEXT) }
}

#[inline]
fn next_version(reader: &mut Reader<'_>, frame: &mut Frame) -> Result<(u32, u64), FrameError> {
    let stream = reader.u32()?;
    let entry = frame.streams.get_mut(at(stream)).ok_or(FrameError::Body("a stream that is not there"))?;
    entry.last = entry.last.checked_add(1).ok_or(FrameError::Body("a version that cannot be"))?;
    Ok((stream, entry.last))
}

#[inline]
fn next_seqs(frame: &mut Frame, source: u32, left_out: u64, span: u64) -> Result<(u64, u64), FrameError> {
    const WRONG: FrameError = FrameError::Body("a seq that cannot be");
    let entry = frame.sources.get_mut(at(source)).ok_or(FrameError::Body("a source that is not there"))?;
    if entry.epoch.is_none() {
        return if span == 0 && left_out == 0 { Ok((0, 0)) } else { Err(WRONG) };
    }
    let first = entry.next.checked_add(left_out).ok_or(WRONG)?;
    let to = first.checked_add(span).ok_or(WRONG)?;
    entry.next = to.checked_add(1).ok_or(WRONG)?;
    Ok((first, to))
}

#[inline]
fn names<'a>(parts: &mut impl Parts<'a>, frame: &mut Frame) -> Result<(u32, u32), FrameError> {
    let count = at(parts.of(Column::NameCount).u32()?);
    let reader = parts.of(Column::Names);
    if count > reader.left() {
        return Err(FrameError::Short);
    }
    let start = number(frame.names.len());
    for _ in 0..count {
        let text = text_number(reader, frame)?;
        frame.names.push(text);
    }
    Ok((start, number(frame.names.len())))
}
