//! The indexes of many parts side by side: every stream (or counter) once, part by part.
//!
//! Invariant: of each part one entry lies in memory (of a segment, one block); what is given is sorted by fingerprint,
//! then by part.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::{api::LogError, keys::Key};

/// First and last version, or seq.
pub(super) type Span = (u64, u64);
/// The entries of one part, sorted by fingerprint.
pub(super) type Spans<'a> = Box<dyn Iterator<Item = Result<(Key, Span), LogError>> + 'a>;

pub(super) struct Merge<'a> {
    parts: Vec<Spans<'a>>,
    heap: BinaryHeap<Reverse<(Key, usize, Span)>>,
}

impl<'a> Merge<'a> {
    pub(super) fn new(parts: Vec<Spans<'a>>) -> Result<Self, LogError> {
        let count = parts.len();
        let mut merge = Self { parts, heap: BinaryHeap::new() };
        (0..count).try_for_each(|part| merge.advance(part))?;
        Ok(merge)
    }

    fn advance(&mut self, part: usize) -> Result<(), LogError> {
        if let Some((key, span)) = self.parts.get_mut(part).and_then(Iterator::next).transpose()? {
            self.heap.push(Reverse((key, part, span)));
        }
        Ok(())
    }

    /// The next entry with the number of its part.
    pub(super) fn next(&mut self) -> Result<Option<(Key, usize, Span)>, LogError> {
        let Some(Reverse((key, part, span))) = self.heap.pop() else { return Ok(None) };
        self.advance(part)?;
        Ok(Some((key, part, span)))
    }
}
