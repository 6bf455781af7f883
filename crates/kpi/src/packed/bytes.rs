//! Numbers as few bytes: what lies near what came before it takes one or two.
//!
//! Not for anything that leaves the program: readers get what the writers of the same code gave. Invariant: a reader that is
//! asked for the same things in the same order gives what was written.

use bincode::{
    config::{Configuration, standard},
    serde::{decode_from_slice, encode_into_std_write},
};
use pegcount_domain::time::Micros;
use serde::{Serialize, de::DeserializeOwned};

use crate::packed::Packed;

const FORM: Configuration = standard();
const LOW: u64 = 0x7F;
const MORE: u8 = 0x80;

/// Writes numbers.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// What has been written; the memory stays for what is written next.
    pub(crate) fn take(&mut self) -> Packed {
        let taken = Packed(self.bytes.as_slice().into());
        self.bytes.clear();
        taken
    }

    #[inline]
    pub(crate) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// One byte for each seven bits.
    #[inline]
    pub(crate) fn number(&mut self, number: u64) {
        let mut left = number;
        while left > LOW {
            self.bytes.push(low(left) | MORE);
            left >>= 7;
        }
        self.bytes.push(low(left));
    }

    /// A number that is near another one.
    #[inline]
    pub(crate) fn near(&mut self, number: u64, other: u64) {
        let difference = number.wrapping_sub(other).cast_signed();
        self.number(((difference << 1) ^ (difference >> 63)).cast_unsigned());
    }

    /// An instant or an amount that is near another one.
    #[inline]
    pub(crate) fn near_at(&mut self, at: Micros, other: Micros) {
        self.near(at.0.cast_unsigned(), other.0.cast_unsigned());
    }

    /// Eight bytes of no order.
    #[inline]
    pub(crate) fn random(&mut self, number: u64) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    /// Anything else.
    pub(crate) fn other(&mut self, other: &impl Serialize) {
        // Into memory nothing fails, and no type here is one that the form does not know.
        let written = encode_into_std_write(other, &mut self.bytes, FORM);
        debug_assert!(written.is_ok(), "{written:?}");
    }
}

#[inline]
fn low(number: u64) -> u8 {
    u8::try_from(number & LOW).unwrap_or_default()
}

/// Reads what a [`Writer`] has written.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    /// Whether everything has been read.
    pub(crate) fn is_done(&self) -> bool {
        self.left.is_empty()
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.left.split_first() else {
            debug_assert!(false, "read beyond what was written");
            return 0;
        };
        self.left = rest;
        *first
    }

    #[inline]
    pub(crate) fn number(&mut self) -> u64 {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.byte();
            number |= (u64::from(byte) & LOW) << shift;
            shift += 7;
            if byte & MORE == 0 || shift > 63 {
                return number;
            }
        }
    }

    #[inline]
    pub(crate) fn near(&mut self, other: u64) -> u64 {
        let folded = self.number();
        let difference = (folded >> 1).cast_signed() ^ -(folded & 1).cast_signed();
        other.wrapping_add(difference.cast_unsigned())
    }

    #[inline]
    pub(crate) fn near_at(&mut self, other: Micros) -> Micros {
        Micros(self.near(other.0.cast_unsigned()).cast_signed())
    }

    #[inline]
    pub(crate) fn random(&mut self) -> u64 {
        let Some((first, rest)) = self.left.split_first_chunk() else {
            debug_assert!(false, "read beyond what was written");
            return 0;
        };
        self.left = rest;
        u64::from_le_bytes(*first)
    }

    /// A number that fits into 32 bits.
    #[inline]
    pub(crate) fn small(&mut self) -> u32 {
        u32::try_from(self.number()).unwrap_or_default()
    }

    /// Anything else. None: this is not what was written.
    pub(crate) fn other<T: DeserializeOwned>(&mut self) -> Option<T> {
        let read = decode_from_slice(self.left, FORM);
        debug_assert!(read.is_ok());
        let (other, length) = read.ok()?;
        self.left = self.left.get(length..).unwrap_or_default();
        Some(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_as_they_were_written() {
        let numbers = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX / 2, u64::MAX - 1, u64::MAX];
        let mut writer = Writer::default();
        for number in numbers {
            writer.number(number);
            writer.random(number);
            for other in numbers {
                writer.near(number, other);
            }
            writer.near_at(Micros(i64::MIN), Micros(number.cast_signed()));
        }
        let packed = writer.take();
        let mut reader = Reader::new(packed.bytes());
        for number in numbers {
            assert_eq!((reader.number(), reader.random()), (number, number));
            for other in numbers {
                assert_eq!(reader.near(other), number);
            }
            assert_eq!(reader.near_at(Micros(number.cast_signed())), Micros(i64::MIN));
        }
        assert!(reader.is_done());
    }

    #[test]
    fn what_is_near_takes_one_byte() {
        let mut writer = Writer::default();
        writer.near(1_000_000, 1_000_063);
        writer.near(1_000_063, 1_000_000);
        assert_eq!(writer.take().bytes().len(), 2);
    }
}
