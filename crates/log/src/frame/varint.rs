//! Numbers of variable length: 7 bits a byte, least significant first, the top bit says that more follow.
//!
//! For frames and for the blocks of segments. Invariant: a reader never goes beyond its bytes; what does not fit is an error.

use super::FrameError;

/// Reads numbers and bytes off the front of a slice.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes are left.
    #[inline]
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Result<u8, FrameError> {
        let (&byte, rest) = self.rest.split_first().ok_or(FrameError::Short)?;
        self.rest = rest;
        Ok(byte)
    }

    #[inline]
    pub(crate) fn bytes(&mut self, count: usize) -> Result<&'a [u8], FrameError> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(FrameError::Short)?;
        self.rest = rest;
        Ok(bytes)
    }

    #[inline]
    pub(crate) fn u128(&mut self) -> Result<u128, FrameError> {
        let (bytes, rest) = self.rest.split_first_chunk::<16>().ok_or(FrameError::Short)?;
        self.rest = rest;
        Ok(u128::from_le_bytes(*bytes))
    }

    #[inline]
    pub(crate) fn u64(&mut self) -> Result<u64, FrameError> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(u64::from(first));
        }
        let mut value = u64::from(first & 0x7f);
        let mut shift = 7_u32;
        loop {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                return Err(FrameError::Body("a number of more than 64 bits"));
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
            shift += 7;
        }
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> Result<u32, FrameError> {
        u32::try_from(self.u64()?).map_err(|_| FrameError::Body("a number of more than 32 bits"))
    }

    #[inline]
    pub(crate) fn i64(&mut self) -> Result<i64, FrameError> {
        let zigzag = self.u64()?;
        Ok((zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed()))
    }
}

/// Appends a number.
#[inline]
pub(crate) fn put_u64(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        let [low, ..] = value.to_le_bytes();
        out.push(low | 0x80);
        value >>= 7;
    }
    let [low, ..] = value.to_le_bytes();
    out.push(low);
}

/// Appends a signed number; small ones of either sign are short.
#[inline]
pub(crate) fn put_i64(out: &mut Vec<u8>, value: i64) {
    put_u64(out, (value << 1).cast_unsigned() ^ (value >> 63).cast_unsigned());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_as_they_were() {
        let numbers = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX - 1, u64::MAX];
        let mut out = Vec::new();
        for number in numbers {
            put_u64(&mut out, number);
            put_i64(&mut out, number.cast_signed());
        }
        let mut reader = Reader::new(&out);
        for number in numbers {
            assert_eq!(reader.u64().unwrap(), number);
            assert_eq!(reader.i64().unwrap(), number.cast_signed());
        }
        assert_eq!(reader.left(), 0);
        assert!(matches!(reader.u64(), Err(FrameError::Short)));
    }

    #[test]
    fn a_number_of_more_than_64_bits_is_an_error() {
        assert!(Reader::new(&[0xff; 11]).u64().is_err());
        assert!(Reader::new(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02]).u64().is_err());
    }
}
