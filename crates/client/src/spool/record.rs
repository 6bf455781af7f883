//! One record of the spool: magic, length, CRC32C, then seq, boot and the fact as protobuf.
//!
//! ```text
//! 0       4        8       12       20        36
//! | magic | length | crc   | seq    | boot    | v1.Fact ... |
//!                  crc over length and all after it; length counts what follows the crc
//! ```
//!
//! Invariant: what [`parse`] gives back is, byte for byte, what [`write`] was given.

use crate::{boot::Boot, limits::FACT_BYTES_MAX};

const MAGIC: [u8; 4] = *b"PGC1";
const HEAD_BYTES: usize = 12;
const FIXED_BYTES: usize = 8 + 16;

/// The largest record, bytes.
pub(crate) const RECORD_BYTES_MAX: usize = HEAD_BYTES + FIXED_BYTES + FACT_BYTES_MAX;

/// One record, its fact still encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) seq: u64,
    pub(crate) boot: Boot,
    pub(crate) fact: &'a [u8],
}

/// What stands at a place in a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed<'a> {
    /// A whole record; `next` is where the following one begins.
    Record { record: Record<'a>, next: usize },
    /// Nothing, or the beginning of a record that the bytes do not hold to its end.
    Short,
    /// Something else.
    Damaged,
}

/// Appends a record to `out`.
pub(crate) fn write(out: &mut Vec<u8>, record: Record<'_>) {
    let length = u32::try_from(FIXED_BYTES + record.fact.len()).unwrap_or(u32::MAX).to_le_bytes();
    let seq = record.seq.to_le_bytes();
    let boot = record.boot.0.to_le_bytes();
    let crc =
        [&length[..], &seq, &boot, record.fact].iter().fold(0, |crc, part| crc32c::crc32c_append(crc, part));
    for part in [&MAGIC[..], &length, &crc.to_le_bytes(), &seq, &boot, record.fact] {
        out.extend_from_slice(part);
    }
}

/// Reads what stands at `at`.
pub(crate) fn parse(bytes: &[u8], at: usize) -> Parsed<'_> {
    let rest = bytes.get(at..).unwrap_or_default();
    let Some((magic, rest)) = rest.split_first_chunk::<4>() else { return Parsed::Short };
    if *magic != MAGIC {
        return Parsed::Damaged;
    }
    let Some((length_bytes, rest)) = rest.split_first_chunk::<4>() else { return Parsed::Short };
    let Ok(length) = usize::try_from(u32::from_le_bytes(*length_bytes)) else { return Parsed::Damaged };
    if !(FIXED_BYTES..=FIXED_BYTES + FACT_BYTES_MAX).contains(&length) {
        return Parsed::Damaged;
    }
    let Some((crc, rest)) = rest.split_first_chunk::<4>() else { return Parsed::Short };
    let Some(body) = rest.get(..length) else { return Parsed::Short };
    if crc32c::crc32c_append(crc32c::crc32c(length_bytes), body) != u32::from_le_bytes(*crc) {
        return Parsed::Damaged;
    }
    match body.split_first_chunk::<8>().and_then(|(seq, rest)| Some((seq, rest.split_first_chunk::<16>()?))) {
        Some((seq, (boot, fact))) => {
            let (seq, boot) = (u64::from_le_bytes(*seq), Boot(u128::from_le_bytes(*boot)));
            Parsed::Record { record: Record { seq, boot, fact }, next: at + HEAD_BYTES + length }
        }
        None => Parsed::Damaged,
    }
}

/// The first place after `at` where a whole record with a seq above `after` stands.
pub(crate) fn resync(bytes: &[u8], at: usize, after: u64) -> Option<usize> {
    let found = |from: usize| -> Option<usize> {
        let rest = bytes.get(from..)?;
        rest.windows(MAGIC.len()).position(|window| window == MAGIC).map(|found| from + found)
    };
    let mut from = at + 1;
    while let Some(candidate) = found(from) {
        match parse(bytes, candidate) {
            Parsed::Record { record, .. } if record.seq > after => return Some(candidate),
            _ => from = candidate + 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_record_reads_as_it_was_written(seq: u64, boot: u128, fact: Vec<u8>, before: Vec<u8>) {
            let mut bytes = before.clone();
            let record = Record { seq, boot: Boot(boot), fact: &fact };
            write(&mut bytes, record);
            prop_assert_eq!(parse(&bytes, before.len()), Parsed::Record { record, next: bytes.len() });
            prop_assert_eq!(parse(&bytes[..bytes.len() - 1], before.len()), Parsed::Short);
        }

        #[test]
        fn a_flipped_bit_is_noticed(fact: Vec<u8>, bit: prop::sample::Index) {
            let mut bytes = Vec::new();
            write(&mut bytes, Record { seq: 7, boot: Boot(9), fact: &fact });
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let noticed = !matches!(parse(&bytes, 0), Parsed::Record { .. });
            prop_assert!(noticed);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, at in 0usize..64) {
            let _ = (parse(&bytes, at), resync(&bytes, at, 0));
        }
    }

    #[test]
    fn after_damage_the_next_whole_record_is_found() {
        let mut bytes = Vec::new();
        write(&mut bytes, Record { seq: 1, boot: Boot(1), fact: b"one" });
        let second = bytes.len();
        write(&mut bytes, Record { seq: 2, boot: Boot(1), fact: b"two" });
        bytes[6] ^= 0xFF;
        assert_eq!(parse(&bytes, 0), Parsed::Damaged);
        assert_eq!(resync(&bytes, 0, 0), Some(second));
        assert_eq!(resync(&bytes, 0, 2), None);
    }
}
