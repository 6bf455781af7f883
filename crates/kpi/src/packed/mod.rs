//! What rests, as bytes: closed chapters, settled contacts, customer lines, cells of intervals long past.
//!
//! - [`bytes`]: numbers as few bytes; [`stamps`]: stamps one after the other
//! - [`chapter`], [`contact`], [`line`], [`ticket`]: one unit each
//!
//! Not for keeping: bytes are read by the code that wrote them, in memory or from a checkpoint of the same code whose sums
//! have been checked. So reading does not fail. Invariant: a unit that has rested is the unit that it was.

pub(crate) mod bytes;
pub(crate) mod chapter;
pub(crate) mod contact;
pub(crate) mod line;
pub(crate) mod stamps;
pub(crate) mod ticket;

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

/// What rests.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Packed(Box<[u8]>);

impl Packed {
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

// In one piece: a list's elements would be written one by one.
impl Serialize for Packed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Packed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(Bytes)
    }
}

struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = Packed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Packed, E> {
        Ok(Packed(bytes.into()))
    }
}
