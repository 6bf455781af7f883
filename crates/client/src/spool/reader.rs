//! Reads the spool back in the order of its seqs, for sending.
//!
//! Not for opening: the tail was cut before. Invariant: every seq asked for comes back once, as a fact or within a
//! gap that says why.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
};

use super::{
    error::SpoolError,
    record::{Parsed, RECORD_BYTES_MAX, Record, parse, resync},
    segment::Segment,
};
use crate::{boot::Boot, limits::BATCH_BYTES_MAX};

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Encoded facts of one boot, dense from the seq asked for on.
    Facts { boot: Boot, facts: Vec<Vec<u8>> },
    /// These seqs are gone, up to and including `to`.
    Gap { to: u64, reason: String },
}

/// How much to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) facts: usize,
    pub(crate) bytes: usize,
}

/// Remembers where it stopped, so that reading on needs no search. Holds no file: thousands of sources may share a
/// process.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    stopped: Option<Mark>,
}

/// Where a seq stands.
#[derive(Clone, Copy, Debug)]
struct Mark {
    first: u64,
    seq: u64,
    offset: u64,
}

#[derive(Debug)]
struct Place<'a> {
    file: &'a File,
    offset: u64,
}

impl Reader {
    /// Reads from `from` on inside `segment`, whose last seq is below `end`. `from` must lie in `first..end`; `file` is
    /// the segment's.
    pub(crate) fn read(
        &mut self,
        file: &File,
        segment: &Segment,
        end: u64,
        from: u64,
        limits: Limits,
    ) -> Result<Next, SpoolError> {
        let known = self.stopped.filter(|mark| mark.first == segment.first && mark.seq == from);
        let mut place = Place { file, offset: known.map_or(0, |mark| mark.offset) };
        let failed = |source| SpoolError::Io { action: "read", path: segment.name().into(), source };
        loop {
            let bytes = place.bytes(segment.bytes).map_err(failed)?;
            let whole = place.offset + length(&bytes) >= segment.bytes;
            match collect(&bytes, from, limits) {
                // Only records before `from`: read on.
                Collected { facts, used, gap: false, .. } if facts.is_empty() && used > 0 && !whole => {
                    place.offset += length(bytes.get(..used).unwrap_or_default());
                }
                Collected { boot: Some(boot), facts, used, .. } if !facts.is_empty() => {
                    place.offset += length(bytes.get(..used).unwrap_or_default());
                    let (first, seq) = (segment.first, from + length(&facts));
                    self.stopped = Some(Mark { first, seq, offset: place.offset });
                    return Ok(Next::Facts { boot, facts });
                }
                Collected { used, .. } => {
                    place.offset += length(bytes.get(..used).unwrap_or_default());
                    match place.search(segment.bytes, from).map_err(failed)? {
                        Some((seq, ahead)) if seq == from => place.offset += ahead,
                        found => {
                            let (file, byte) = (segment.first, place.offset);
                            // The server takes at most 128 bytes: no path.
                            let reason = format!("damaged in the spool: file {file} after byte {byte}");
                            return Ok(Next::Gap { to: found.map_or(end, |(seq, _)| seq) - 1, reason });
                        }
                    }
                }
            }
        }
    }
}

impl Place<'_> {
    /// A good piece of the file from the place on: always at least one whole record if one stands there.
    fn bytes(&mut self, end: u64) -> std::io::Result<Vec<u8>> {
        let wanted = end.saturating_sub(self.offset).min(length_max());
        self.read_bytes(wanted)
    }

    fn read_bytes(&mut self, wanted: u64) -> std::io::Result<Vec<u8>> {
        self.file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::with_capacity(usize::try_from(wanted).unwrap_or_default());
        self.file.take(wanted).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// The first whole record of seq `from` or above: its seq, and how far ahead it stands.
    fn search(&mut self, file_end: u64, from: u64) -> std::io::Result<Option<(u64, u64)>> {
        let bytes = self.read_bytes(file_end.saturating_sub(self.offset))?;
        let mut at = Some(0);
        while let Some(here) = at {
            match parse(&bytes, here) {
                Parsed::Record { record, .. } if record.seq >= from => {
                    return Ok(Some((record.seq, u64::try_from(here).unwrap_or(u64::MAX))));
                }
                _ => at = resync(&bytes, here, from - 1),
            }
        }
        Ok(None)
    }
}

const READ_BYTES: usize = BATCH_BYTES_MAX + RECORD_BYTES_MAX;

fn length_max() -> u64 {
    u64::try_from(READ_BYTES).unwrap_or(u64::MAX)
}

fn length<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

struct Collected {
    boot: Option<Boot>,
    facts: Vec<Vec<u8>>,
    used: usize,
    gap: bool,
}

/// Takes records from `from` on, of one boot, dense; skips those before it.
fn collect(bytes: &[u8], from: u64, limits: Limits) -> Collected {
    let mut taken = Collected { boot: None, facts: Vec::new(), used: 0, gap: false };
    let (mut wanted, mut size) = (from, 0);
    loop {
        let Parsed::Record { record: Record { seq, boot, fact }, next } = parse(bytes, taken.used) else {
            taken.gap = matches!(parse(bytes, taken.used), Parsed::Damaged);
            return taken;
        };
        if seq >= from {
            size += fact.len();
            let fits = taken.facts.is_empty() || (taken.facts.len() < limits.facts && size <= limits.bytes);
            if seq != wanted || *taken.boot.get_or_insert(boot) != boot || !fits {
                taken.gap = seq > wanted;
                return taken;
            }
            taken.facts.push(fact.to_vec());
            wanted += 1;
        }
        taken.used = next;
    }
}
