//! Entries of pages' indexes, for [`crate::fuzzing`]. The pages themselves are frames.

use super::entry::{PageAt, StreamPages};
use crate::fuzzing::{Decoder, Outcome, comes_back};

pub(crate) fn decoders() -> Vec<Decoder> {
    vec![Decoder { name: "page_entry", samples, read, checksummed: false }]
}

fn samples() -> Vec<Vec<u8>> {
    let page = |first, last, offset| PageAt { first, last, offset, bytes: 700 };
    let pages = vec![page(9, 20, 0), page(21, 21, 70_000), page(40, 90, 71_000)];
    let mut bytes = Vec::new();
    StreamPages { first: 7, last: 100, pages }.put(&mut bytes);
    vec![bytes]
}

fn read(bytes: &[u8]) -> Outcome {
    let Some(entry) = StreamPages::read(bytes) else { return Ok(None) };
    let mut again = Vec::new();
    entry.put(&mut again);
    comes_back(&entry, StreamPages::read(&again).as_ref())
}
