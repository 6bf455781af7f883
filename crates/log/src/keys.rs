//! The log's key, and the fingerprints of names that are made with it: a stream or a counter as one number.
//!
//! Not for what events say: that is [`crate::content`]. The formulas are part of the format (FORMAT.md): fingerprints
//! lie in segments.
//!
//! Invariant: the key leaves the folder's FORMAT only as secrets derived from it; without it nobody can construct two
//! names that agree.

use std::{fmt::Write, io};

use pegcount_domain::{envelope::StreamName, ids::Epoch};
use smallvec::SmallVec;
use xxhash_rust::xxh3::xxh3_128_with_secret;

use crate::frame::kind_number;

/// A stream or a counter: 128 bits of a keyed hash of its name.
pub(crate) type Key = u128;

/// Bytes of the log's key.
pub(crate) const KEY_BYTES: usize = 32;
const SECRET_BYTES: usize = 192;
/// Stand in FORMAT.md; never to be changed.
const NAMES_CONTEXT: &str = "pegcount log 2 fingerprints of names";
const CONTENTS_CONTEXT: &str = "pegcount log 2 fingerprints of contents";

/// What an XXH3 hash is made secret with.
pub(crate) type Secret = [u8; SECRET_BYTES];

/// The key that a log was made with.
#[derive(Clone)]
pub(crate) struct LogKey([u8; KEY_BYTES]);

impl LogKey {
    pub(crate) fn random() -> io::Result<Self> {
        let mut key = [0; KEY_BYTES];
        getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Self(key))
    }

    pub(crate) fn from_hex(hex: &str) -> Option<Self> {
        let (high, low) = hex.split_at_checked(KEY_BYTES)?;
        let half = |hex: &str| u128::from_str_radix(hex, 16).ok().filter(|_| hex.len() == KEY_BYTES);
        let (high, low) = (half(high)?.to_be_bytes(), half(low)?.to_be_bytes());
        let mut key = [0; KEY_BYTES];
        key.iter_mut().zip(high.into_iter().chain(low)).for_each(|(place, byte)| *place = byte);
        Some(Self(key))
    }

    pub(crate) fn hex(&self) -> String {
        self.0.iter().fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    pub(crate) fn names(&self) -> Names {
        Names { secret: self.derived(NAMES_CONTEXT) }
    }

    pub(crate) fn contents_secret(&self) -> Secret {
        self.derived(CONTENTS_CONTEXT)
    }

    fn derived(&self, context: &str) -> Secret {
        let mut secret = [0; SECRET_BYTES];
        blake3::Hasher::new_derive_key(context).update(&self.0).finalize_xof().fill(&mut secret);
        secret
    }
}

/// Makes fingerprints of names.
#[derive(Clone)]
pub(crate) struct Names {
    secret: Secret,
}

impl Names {
    pub(crate) fn stream<N: AsRef<str>>(&self, stream: &StreamName<N>) -> Key {
        let mut text = SmallVec::<[u8; 256]>::new();
        text.push(kind_number(stream.kind));
        text.extend_from_slice(stream.site.as_ref().as_bytes());
        // No name holds it, so no two streams give the same bytes.
        text.push(0);
        text.extend_from_slice(stream.id.as_ref().as_bytes());
        xxh3_128_with_secret(&text, &self.secret)
    }

    /// Sources of two sites that have the same name and epoch are two sources.
    pub(crate) fn counter(&self, site: &str, source: &str, epoch: Epoch) -> Key {
        let mut text = SmallVec::<[u8; 256]>::new();
        // No kind has this number, so no counter looks like a stream.
        text.push(0);
        text.extend_from_slice(site.as_bytes());
        text.push(0);
        text.extend_from_slice(source.as_bytes());
        text.push(0);
        text.extend_from_slice(&epoch.0.to_le_bytes());
        xxh3_128_with_secret(&text, &self.secret)
    }
}

#[cfg(test)]
mod tests {
    use pegcount_domain::envelope::StreamKind;

    use super::*;

    #[test]
    fn a_key_comes_back_from_its_text() {
        let key = LogKey::random().unwrap();
        assert_eq!(LogKey::from_hex(&key.hex()).unwrap().0, key.0);
        assert!(LogKey::from_hex(&key.hex()[1..]).is_none());
        assert!(LogKey::from_hex(&format!("{}0", key.hex())).is_none());
    }

    #[test]
    fn fingerprints_stay_as_they_are_on_disk() {
        let names = LogKey([7; KEY_BYTES]).names();
        let stream = StreamName { site: "main", kind: StreamKind::Agent, id: "anna" };
        assert_eq!(names.stream(&stream), 258_647_850_995_591_029_573_326_161_068_440_114_087);
        assert_eq!(
            names.counter("main", "phone", Epoch(5)),
            244_024_731_171_079_828_195_693_619_406_454_242_857
        );
    }
}
