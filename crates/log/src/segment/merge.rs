//! The indexes of many parts side by side: every stream (or counter) once, part by part.
//!
//! Invariant: of each part one entry lies in memory (of a segment, one block); what is given is sorted by fingerprint,
//! then by part.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::{api::LogError, keys::Key};

/// The entries of one part, sorted by fingerprint.
pub(crate) type Part<'a, T> = Box<dyn Iterator<Item = Result<(Key, T), LogError>> + 'a>;

pub(crate) struct Merge<'a, T> {
    parts: Vec<(Part<'a, T>, Option<T>)>,
    heap: BinaryHeap<Reverse<(Key, usize)>>,
}

impl<'a, T> Merge<'a, T> {
    pub(crate) fn new(parts: Vec<Part<'a, T>>) -> Result<Self, LogError> {
        let count = parts.len();
        let parts = parts.into_iter().map(|part| (part, None)).collect();
        let mut merge = Self { parts, heap: BinaryHeap::new() };
        (0..count).try_for_each(|part| merge.advance(part))?;
        Ok(merge)
    }

    fn advance(&mut self, part: usize) -> Result<(), LogError> {
        let Some((entries, head)) = self.parts.get_mut(part) else { return Ok(()) };
        if let Some((key, entry)) = entries.next().transpose()? {
            *head = Some(entry);
            self.heap.push(Reverse((key, part)));
        }
        Ok(())
    }

    /// The next entry with the number of its part.
    pub(crate) fn next(&mut self) -> Result<Option<(Key, usize, T)>, LogError> {
        let Some(Reverse((key, part))) = self.heap.pop() else { return Ok(None) };
        let entry = self.parts.get_mut(part).and_then(|(_, head)| head.take());
        self.advance(part)?;
        Ok(entry.map(|entry| (key, part, entry)))
    }
}
