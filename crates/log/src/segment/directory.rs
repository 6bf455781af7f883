//! A segment's header, directory and tail: what is known of it without reading its frames.
//!
//! Invariant: what is written here is read back equal; bytes that changed are an error that names them.

use pegcount_domain::{envelope::Position, ids::Incarnation, time::Micros};

use super::Kind;
use crate::{frame::widen, keys::Key};

pub(crate) const HEADER_BYTES: usize = 64;
pub(crate) const TAIL_BYTES: usize = 32;
const SEGMENT_MAGIC: [u8; 8] = *b"PEGSEGM1";
const STUB_MAGIC: [u8; 8] = *b"PEGSTUB1";
const TAIL_MAGIC: [u8; 8] = *b"PEGTAIL1";
/// The longest directory: more would be a segment of a terabyte.
pub(crate) const DIRECTORY_BYTES_MAX: u32 = 256 * 1024 * 1024;

/// The parts of a segment that are cut into blocks, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Frames,
    Streams,
    Counters,
    Filter,
}

impl Section {
    pub(crate) const ALL: [Self; 4] = [Self::Frames, Self::Streams, Self::Counters, Self::Filter];

    /// For messages.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Frames => "block of the frame table",
            Self::Streams => "block of the stream index",
            Self::Counters => "block of the counter index",
            Self::Filter => "page of the filter",
        }
    }
}

/// Where a block lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BlockAt {
    pub(crate) offset: u64,
    pub(crate) bytes: u32,
    pub(crate) crc: u32,
    pub(crate) first: Key,
}

impl BlockAt {
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.bytes.to_le_bytes());
        out.extend_from_slice(&self.crc.to_le_bytes());
        out.extend_from_slice(&self.first.to_le_bytes());
    }

    pub(crate) fn read(numbers: &mut Numbers<'_>) -> Option<Self> {
        let (offset, bytes, crc) = (numbers.u64()?, numbers.u32()?, numbers.u32()?);
        Some(Self { offset, bytes, crc, first: Key::from_le_bytes(numbers.array()?) })
    }

    fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes.into())
    }
}

/// What a segment holds, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Directory {
    pub(crate) first: Position,
    pub(crate) last: Position,
    pub(crate) last_recorded_at: Micros,
    pub(crate) events: u64,
    pub(crate) frames: u32,
    pub(crate) streams: u64,
    pub(crate) counters: u64,
    pub(crate) filter_blocks: u32,
    /// By [`Section::ALL`].
    pub(crate) sections: [Vec<BlockAt>; 4],
}

impl Directory {
    pub(crate) fn blocks(&self, section: Section) -> &[BlockAt] {
        let [frames, streams, counters, filter] = &self.sections;
        match section {
            Section::Frames => frames,
            Section::Streams => streams,
            Section::Counters => counters,
            Section::Filter => filter,
        }
    }

    /// What it describes: only a stub has no frames.
    pub(crate) fn kind(&self) -> Kind {
        if self.frames == 0 { Kind::Stub } else { Kind::Segment }
    }

    /// Where the frames end.
    pub(crate) fn frames_end(&self) -> u64 {
        self.sections.iter().flatten().next().map_or(0, |block| block.offset)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for number in [self.first.0, self.last.0, self.last_recorded_at.0.cast_unsigned(), self.events] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.frames.to_le_bytes());
        out.extend_from_slice(&self.streams.to_le_bytes());
        out.extend_from_slice(&self.counters.to_le_bytes());
        out.extend_from_slice(&self.filter_blocks.to_le_bytes());
        for blocks in &self.sections {
            let count = u32::try_from(blocks.len()).unwrap_or(u32::MAX);
            out.extend_from_slice(&count.to_le_bytes());
            for block in blocks {
                block.put(&mut out);
            }
        }
        out
    }

    /// Reads a directory that lies at `offset`; none if it does not make sense.
    pub(crate) fn read(bytes: &[u8], offset: u64) -> Option<Self> {
        let mut numbers = Numbers(bytes);
        let mut directory = Self {
            first: Position(numbers.u64()?),
            last: Position(numbers.u64()?),
            last_recorded_at: Micros(numbers.u64()?.cast_signed()),
            events: numbers.u64()?,
            frames: numbers.u32()?,
            streams: numbers.u64()?,
            counters: numbers.u64()?,
            filter_blocks: numbers.u32()?,
            sections: Default::default(),
        };
        for blocks in &mut directory.sections {
            let count = numbers.u32()?;
            for _ in 0..count {
                blocks.push(BlockAt::read(&mut numbers)?);
            }
        }
        (numbers.0.is_empty() && directory.makes_sense(offset)).then_some(directory)
    }

    /// No gap between blocks, positions that go forward, a block in every section that needs one.
    fn makes_sense(&self, offset: u64) -> bool {
        let mut at = self.frames_end();
        let dense = self.sections.iter().flatten().all(|block| {
            let follows = block.offset == at;
            at = block.end();
            follows
        });
        let [frames, streams, _, filter] = &self.sections;
        let filled = ![streams, filter].into_iter().any(Vec::is_empty);
        let holds_what_it_should = match self.kind() {
            Kind::Segment => !frames.is_empty() && self.frames_end() > widen(HEADER_BYTES),
            Kind::Stub => frames.is_empty() && self.frames_end() == widen(HEADER_BYTES),
        };
        let count = self.last.0.checked_sub(self.first.0).and_then(|count| count.checked_add(1));
        dense
            && at == offset
            && filled
            && self.first.0 > 0
            && count == Some(self.events)
            && holds_what_it_should
    }
}

/// The first 64 bytes.
pub(crate) fn header(kind: Kind, number: u64, first: Position, incarnation: Incarnation) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_BYTES);
    out.extend_from_slice(match kind {
        Kind::Segment => &SEGMENT_MAGIC,
        Kind::Stub => &STUB_MAGIC,
    });
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&first.0.to_le_bytes());
    out.extend_from_slice(&incarnation.0.to_le_bytes());
    out.resize(HEADER_BYTES - 4, 0);
    out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
    out
}

/// The last 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tail {
    pub(crate) offset: u64,
    pub(crate) bytes: u32,
    pub(crate) crc: u32,
}

impl Tail {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(TAIL_BYTES);
        out.extend_from_slice(&TAIL_MAGIC);
        out.extend_from_slice(&self.offset.to_le_bytes());
        out.extend_from_slice(&self.bytes.to_le_bytes());
        out.extend_from_slice(&self.crc.to_le_bytes());
        out.resize(TAIL_BYTES - 4, 0);
        out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
        out
    }

    /// The tail of a file of `file_bytes`, or what is wrong with it.
    pub(crate) fn read(bytes: &[u8; TAIL_BYTES], file_bytes: u64) -> Result<Self, &'static str> {
        let [checked @ .., a, b, c, d] = bytes;
        if crc32c::crc32c(checked) != u32::from_le_bytes([*a, *b, *c, *d]) {
            return Err("the tail's checksum does not match");
        }
        let rest = checked.strip_prefix(&TAIL_MAGIC).ok_or("it does not end as a segment does")?;
        let mut numbers = Numbers(rest);
        let read = |numbers: &mut Numbers<'_>| {
            Some(Self { offset: numbers.u64()?, bytes: numbers.u32()?, crc: numbers.u32()? })
        };
        let tail = read(&mut numbers).ok_or("the tail is cut short")?;
        let end =
            tail.offset.checked_add(tail.bytes.into()).and_then(|end| end.checked_add(widen(TAIL_BYTES)));
        if end != Some(file_bytes) || tail.bytes > DIRECTORY_BYTES_MAX {
            return Err("the tail speaks of another length");
        }
        Ok(tail)
    }
}

/// Reads numbers off the front.
pub(crate) struct Numbers<'a>(pub(crate) &'a [u8]);

impl Numbers<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_directory() -> Directory {
        let block = |offset, first| BlockAt { offset, bytes: 10, crc: 7, first };
        Directory {
            first: Position(5),
            last: Position(9),
            last_recorded_at: Micros(-3),
            events: 5,
            frames: 2,
            streams: 1,
            counters: 0,
            filter_blocks: 1,
            sections: [vec![block(100, 5)], vec![block(110, 1), block(120, 8)], vec![], vec![block(130, 0)]],
        }
    }

    #[test]
    fn a_directory_comes_back_as_it_was_written() {
        let bytes = a_directory().to_bytes();
        assert_eq!(Directory::read(&bytes, 140), Some(a_directory()));
        assert_eq!(Directory::read(&bytes, 141), None);
        assert!((0..bytes.len()).all(|length| Directory::read(&bytes[..length], 140).is_none()));
    }

    #[test]
    fn a_changed_tail_is_noticed() {
        let tail = Tail { offset: 1_000, bytes: 68, crc: 9 };
        let bytes: [u8; TAIL_BYTES] = tail.to_bytes().try_into().unwrap();
        assert_eq!(Tail::read(&bytes, 1_100), Ok(tail));
        assert!(Tail::read(&bytes, 1_101).is_err());
        for index in 0..TAIL_BYTES {
            let mut changed = bytes;
            changed[index] ^= 0x10;
            assert!(Tail::read(&changed, 1_100).is_err(), "byte {index}");
        }
    }
}
