//! Decides appends: are they repeats, is their seq the next, does what they expect hold.
//!
//! Not for bytes or disks. It sees further than readers do: the groups that are still on their way to the disk count.
//!
//! Invariant: for every stream and source, what is looked up is newest first: the forming group, the group that
//! syncs, what is durable.

use std::{
    collections::{VecDeque, hash_map::Entry},
    sync::Arc,
};

use pegcount_domain::envelope::Version;
use rustc_hash::FxHashMap;

use super::{
    content::Fingerprints,
    durable::{Durable, Key, Marks, SourceKey, Versions},
};
use crate::{
    api::{Append, AppendError, Expected},
    check,
    frame::widen,
    limits::SOURCE_WINDOW_SEQS,
};

/// What is remembered of a source's counter.
#[derive(Default)]
pub(super) struct Source {
    last_seq: u64,
    /// Of the newest events, by the last seq that each used up: a skip over a million seqs costs no more than a fact.
    fingerprints: VecDeque<(u64, u32)>,
}

impl Source {
    pub(super) fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// The event with this fingerprint has used up `seqs`.
    pub(super) fn keep(&mut self, seqs: (u64, u64), fingerprint: u32) {
        self.last_seq = seqs.1;
        let too_old = self.last_seq.saturating_sub(widen(SOURCE_WINDOW_SEQS));
        while self.fingerprints.front().is_some_and(|(last, _)| *last <= too_old) {
            self.fingerprints.pop_front();
        }
        self.fingerprints.push_back((self.last_seq, fingerprint));
    }

    /// The fingerprint kept for a seq; none for one that is too old.
    fn kept(&self, seq: u64) -> Option<u32> {
        if self.last_seq.checked_sub(seq)? >= widen(SOURCE_WINDOW_SEQS) {
            return None;
        }
        let index = self.fingerprints.partition_point(|(last, _)| *last < seq);
        self.fingerprints.get(index).map(|(_, fingerprint)| *fingerprint)
    }
}

pub(super) type Sources = FxHashMap<SourceKey, Source>;

pub(super) struct Decider {
    durable: Arc<Durable>,
    fingerprints: Fingerprints,
    sources: Sources,
    forming: Versions,
    forming_marks: Marks,
    /// Groups handed over and not yet seen durable, with their numbers.
    under_way: VecDeque<(u64, Arc<Versions>)>,
    handed_over: u64,
}

impl Decider {
    pub(super) fn new(durable: Arc<Durable>, fingerprints: Fingerprints, sources: Sources) -> Self {
        Self {
            durable,
            fingerprints,
            sources,
            forming: Versions::default(),
            forming_marks: Marks::default(),
            under_way: VecDeque::new(),
            handed_over: 0,
        }
    }

    /// Decides an append. Gives how many of its leading events are repeats; the others are to be written.
    pub(super) fn decide(&mut self, append: &Append) -> Result<usize, AppendError> {
        let repeats = self.repeats(append)?;
        if repeats < append.events.len() {
            self.expect(append)?;
        }
        Ok(repeats)
    }

    fn repeats(&mut self, append: &Append) -> Result<usize, AppendError> {
        let (Some(batch), Some(key)) = (append.batch, self.counter(append)) else { return Ok(0) };
        let source = self.sources.get(&key);
        let next = source.map_or(0, Source::last_seq) + 1;
        if batch.first_seq > next {
            let (origin, offered) = (append.source.clone(), batch.first_seq);
            return Err(AppendError::Gap { origin, offered, next });
        }
        for (index, event) in append.events.iter().enumerate() {
            let seqs = check::seqs(append, batch.first_seq, index);
            if seqs.0 == next {
                return Ok(index);
            }
            let fingerprint = self.fingerprints.of_new(event, seqs);
            let kept = source.and_then(|source| source.kept(seqs.0));
            if seqs.0 == 0 || seqs.1 >= next || kept.is_some_and(|kept| kept != fingerprint) {
                return Err(AppendError::ContentDiffers { origin: append.source.clone(), seq: seqs.0 });
            }
        }
        Ok(append.events.len())
    }

    fn expect(&self, append: &Append) -> Result<(), AppendError> {
        for (stream, expected) in &append.expected {
            let actual = self.version(self.durable.stream_key(stream));
            let holds = match expected {
                Expected::Any => true,
                Expected::NoStream => actual == 0,
                Expected::Version(version) => actual == version.0,
            };
            if !holds {
                let (stream, expected, actual) = (stream.clone(), *expected, Version(actual));
                return Err(AppendError::WrongVersion { stream, expected, actual });
            }
        }
        Ok(())
    }

    /// The next event of the append is being written: gives its version and seqs.
    pub(super) fn advance(&mut self, append: &Append, index: usize) -> Option<(Version, Option<(u64, u64)>)> {
        let event = append.events.get(index)?;
        let (key, counter) = (self.durable.stream_key(&event.stream), self.counter(append));
        let before = self.version(key);
        self.forming.insert(key, before + 1);
        let seqs = append.batch.zip(counter).map(|(batch, key)| {
            let seqs = check::seqs(append, batch.first_seq, index);
            let fingerprint = self.fingerprints.of_new(event, seqs);
            self.sources.entry(key).or_default().keep(seqs, fingerprint);
            self.forming_marks.insert(key, seqs.1);
            seqs
        });
        Some((Version(before + 1), seqs))
    }

    /// Where the append's source stands, what is under way included.
    pub(super) fn last_seq(&self, append: &Append) -> Option<u64> {
        let key = self.counter(append)?;
        Some(self.sources.get(&key).map_or(0, Source::last_seq))
    }

    /// The counter that the append's batch stands in; its events are all of one site.
    fn counter(&self, append: &Append) -> Option<SourceKey> {
        let (batch, event) = (append.batch?, append.events.first()?);
        Some(self.durable.source_key(event.stream.site.as_str(), append.source.as_str(), batch.epoch))
    }

    /// The forming group goes on its way; gives what it changes.
    pub(super) fn hand_over(&mut self) -> (Arc<Versions>, Marks) {
        let durable = self.durable.groups();
        self.under_way.retain(|(number, _)| *number > durable);
        let versions = Arc::new(std::mem::take(&mut self.forming));
        self.handed_over += 1;
        self.under_way.push_back((self.handed_over, Arc::clone(&versions)));
        (versions, std::mem::take(&mut self.forming_marks))
    }

    fn version(&self, stream: Key) -> u64 {
        let under_way = self.under_way.iter().rev().map(|(_, versions)| &**versions);
        let mut pending = std::iter::once(&self.forming).chain(under_way);
        pending
            .find_map(|versions| versions.get(&stream).copied())
            .unwrap_or_else(|| self.durable.version(stream))
    }
}

/// Puts a found source into `sources`, for opening.
pub(super) fn found(
    sources: &mut Sources,
    key: SourceKey,
    seqs: (u64, u64),
    fingerprint: u32,
) -> Result<(), u64> {
    match sources.entry(key) {
        Entry::Occupied(entry) if entry.get().last_seq + 1 != seqs.0 => Err(entry.get().last_seq + 1),
        Entry::Vacant(_) if seqs.0 != 1 => Err(1),
        entry => {
            entry.or_default().keep(seqs, fingerprint);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_of_any_length_costs_as_much_as_a_fact() {
        let mut source = Source::default();
        source.keep((1, 1_000_000), 7);
        assert_eq!(source.fingerprints.len(), 1);
        assert!(source.fingerprints.capacity() < 16);
        assert_eq!((source.kept(1_000_000), source.kept(1_000_000 - 4_095)), (Some(7), Some(7)));
        assert_eq!((source.kept(1_000_001), source.kept(1_000_000 - 4_096)), (None, None));
        source.keep((1_000_001, 1_000_001), 8);
        assert_eq!((source.kept(1_000_000), source.kept(1_000_001)), (Some(7), Some(8)));
    }

    #[test]
    fn what_lies_beyond_the_window_is_forgotten() {
        let mut source = Source::default();
        for (seq, fingerprint) in (1..=6_000).zip(1..) {
            source.keep((seq, seq), fingerprint);
        }
        assert_eq!(source.fingerprints.len(), SOURCE_WINDOW_SEQS);
        assert_eq!(
            (source.kept(1_904), source.kept(1_905), source.kept(6_000)),
            (None, Some(1_905), Some(6_000))
        );
    }
}
