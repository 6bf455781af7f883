//! Which groups of a database hold events of a stream, for reading the stream before it is sealed.
//!
//! Four bytes for each stream of each group, searched from end to end: a read takes a millisecond or two when the
//! database is full, and adding costs the committer next to nothing, as an index by stream would not.
//!
//! Invariant: no group that holds a stream is left out; one that does not may be named.

use std::sync::Arc;

use pegcount_domain::envelope::Position;

use crate::keys::Key;

/// So many keys to a chunk; full chunks are shared with readers, the last one is copied.
const CHUNK_KEYS: usize = 16_384;

/// First and last position of a group.
pub(super) type Span = (Position, Position);

#[derive(Default)]
pub(super) struct Groups {
    full: Vec<Arc<Chunk>>,
    open: Chunk,
}

#[derive(Clone, Default)]
struct Chunk {
    keys: Vec<u32>,
    /// Each with the end of its keys.
    groups: Vec<(Span, usize)>,
}

impl Groups {
    /// Adds the next group.
    pub(super) fn push(&mut self, span: Span, keys: impl Iterator<Item = Key>) {
        self.open.keys.extend(keys.map(low));
        self.open.groups.push((span, self.open.keys.len()));
        if self.open.keys.len() >= CHUNK_KEYS {
            self.full.push(Arc::new(std::mem::take(&mut self.open)));
        }
    }

    /// What it is now, to be searched without holding it.
    pub(super) fn snapshot(&self) -> Snapshot {
        let mut chunks = self.full.clone();
        chunks.push(Arc::new(self.open.clone()));
        Snapshot(chunks)
    }
}

/// Groups as they were.
pub(super) struct Snapshot(Vec<Arc<Chunk>>);

impl Snapshot {
    /// The groups that may hold events of a stream beyond position `after`, in order.
    pub(super) fn holding(&self, key: Key, after: Position) -> Vec<Span> {
        let wanted = low(key);
        let mut spans = Vec::new();
        let is_before = |chunk: &&Arc<Chunk>| chunk.groups.last().is_none_or(|((_, last), _)| *last <= after);
        for chunk in self.0.iter().skip_while(is_before) {
            let places = chunk.keys.iter().enumerate().filter(|(_, key)| **key == wanted);
            for (place, _) in places {
                let group = chunk.groups.partition_point(|(_, end)| *end <= place);
                spans.extend(chunk.groups.get(group).map(|(span, _)| *span));
            }
        }
        spans.dedup();
        spans.retain(|(_, last)| *last > after);
        spans
    }
}

fn low(key: Key) -> u32 {
    let [a, b, c, d, ..] = key.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_found_in_every_group_that_holds_it() {
        let mut groups = Groups::default();
        for group in 0..20_000_u64 {
            let first = group * 10 + 1;
            let keys = [Key::from(group % 7 + 100), Key::from(group % 11 + 200)];
            groups.push((Position(first), Position(first + 9)), keys.into_iter());
        }
        let snapshot = groups.snapshot();
        let found = snapshot.holding(103, Position::START);
        let expected = (0..20_000).filter(|group| group % 7 == 3).map(|group| Position(group * 10 + 1));
        assert!(found.iter().map(|(first, _)| *first).eq(expected));
        let beyond = snapshot.holding(103, Position(100_004));
        assert!(beyond.iter().eq(found.iter().filter(|(_, last)| last.0 > 100_004)));
        assert!(snapshot.holding(5, Position::START).is_empty());
    }
}
