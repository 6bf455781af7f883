//! A narrow door to the decoders of what lies on disk, for tests that feed them bytes that nobody wrote.
//!
//! Not for programs: it is compiled with the feature `fuzzing` only, and may change with every commit. Each room lists
//! its own decoders; `fuzz/` and the bounded run in `tests/tests/decoders.rs` work through the same list.
//!
//! Invariant: [`Decoder::read`] does with bytes what the log does with them, and nothing that the log would not do.

use std::fmt::Debug;

/// What came of some bytes: in words what they mean, none if they are refused; an error if a rule was broken.
pub type Outcome = Result<Option<String>, String>;

/// Something that reads bytes.
#[derive(Clone, Copy)]
pub struct Decoder {
    /// Its name, and that of its target in `fuzz/`.
    pub name: &'static str,
    /// Bytes that it reads, to begin from.
    pub samples: fn() -> Vec<Vec<u8>>,
    /// Reads bytes, and checks what must hold of anything that is read.
    pub read: fn(&[u8]) -> Outcome,
    /// Whether a checksum covers every byte: then changed bytes are refused, or mean what they meant before.
    pub checksummed: bool,
}

/// The log's decoders.
pub fn decoders() -> Vec<Decoder> {
    let mut all = crate::frame::fuzzing::decoders();
    all.extend(crate::segment::fuzzing::decoders());
    all.extend(crate::pages::fuzzing::decoders());
    all.extend(crate::hot::fuzzing::decoders());
    all.extend(crate::tools::fuzzing::decoders());
    all.extend(crate::consumers::fuzzing::decoders());
    all
}

/// What was read, was written again, and has to read as the same.
pub(crate) fn comes_back<T: Debug + PartialEq>(read: &T, again: Option<&T>) -> Outcome {
    if again == Some(read) {
        Ok(Some(format!("{read:?}")))
    } else {
        Err(format!("{read:?} is read again as {again:?}"))
    }
}

/// The same text with a checksum that is right, so that what comes behind the checksum is reached.
pub(crate) fn sealed(bytes: &[u8]) -> Option<String> {
    let head = str::from_utf8(bytes).ok()?;
    Some(format!("{head}crc32c: {:08x}\n", crc32c::crc32c(head.as_bytes())))
}

/// Texts without their checksums.
pub(crate) fn unsealed(texts: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let line = "crc32c: 01234567\n".len();
    texts
        .into_iter()
        .map(|mut text| {
            text.truncate(text.len().saturating_sub(line));
            text
        })
        .collect()
}
