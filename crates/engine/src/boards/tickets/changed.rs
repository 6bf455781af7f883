//! Which tickets changed lately, for whoever watches: each change has a number, the last ones are remembered.
//!
//! Invariant: whoever asks with the number of its last look is told every ticket that changed since, or that it is too far behind.

use std::collections::VecDeque;

use super::index::Place;

/// So many changes are remembered.
const KEPT: usize = 65_536;

#[derive(Debug, Default)]
pub(super) struct Changed {
    /// The number of the first that is remembered.
    first: u64,
    last: VecDeque<Place>,
}

impl Changed {
    pub(super) fn note(&mut self, place: Place) {
        if self.last.len() >= KEPT {
            self.last.pop_front();
            self.first = self.first.saturating_add(1);
        }
        self.last.push_back(place);
    }

    /// The number of the next change.
    pub(super) fn next(&self) -> u64 {
        self.first.saturating_add(u64::try_from(self.last.len()).unwrap_or(u64::MAX))
    }

    /// What changed from a number on; none: some of it is forgotten.
    pub(super) fn since(&self, number: u64) -> Option<impl Iterator<Item = Place>> {
        let skipped = usize::try_from(number.checked_sub(self.first)?).ok()?;
        (skipped <= self.last.len()).then(|| self.last.iter().skip(skipped).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_too_far_behind_is_told_so() {
        let mut changed = Changed::default();
        let before = changed.next();
        (0..10).for_each(|place| changed.note(place));
        assert_eq!(changed.since(before + 7).unwrap().collect::<Vec<_>>(), [7, 8, 9]);
        assert_eq!(changed.since(changed.next()).unwrap().count(), 0);
        (0..KEPT).for_each(|_| changed.note(3));
        assert!(changed.since(before).is_none());
        assert!(changed.since(before + 10).is_some());
    }
}
