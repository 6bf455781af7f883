//! Decides appends: are they repeats, is their seq the next, does what they expect hold.
//!
//! Not for bytes or disks, though what neither database knows is looked up in the segments. It sees further than readers
//! do: the groups that are still on their way to the disk count.
//!
//! Invariant: for every stream and source, what is looked up is newest first: the forming group, the groups under way,
//! what is durable. A source leaves the memory only once all of its events are in segments.

use std::{collections::VecDeque, sync::Arc};

use pegcount_domain::envelope::{Position, Version};
use rustc_hash::FxHashMap;

use super::{
    durable::{Durable, Marks, Versions},
    former::refusal,
};
use crate::{
    api::{Append, AppendError, Expected, LogError},
    check,
    content::Fingerprints,
    frame::widen,
    keys::Key,
    limits::SOURCE_WINDOW_SEQS,
};

/// What is remembered of a source's counter.
#[derive(Default)]
pub(super) struct Source {
    last_seq: u64,
    /// Where its last event is; it can be forgotten once that is in a segment.
    last_position: Position,
    /// Events that use up seqs below this may be missing from `fingerprints`, though not beyond the window.
    known_from: u64,
    /// Of the newest events, by the last seq that each used up: a skip over a million seqs costs no more than a fact.
    fingerprints: VecDeque<(u64, u32)>,
}

impl Source {
    /// A counter that is in segments only.
    fn sealed(last_seq: u64) -> Self {
        Self { last_seq, known_from: last_seq + 1, ..Self::default() }
    }

    pub(super) fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// The event at `position`, with this fingerprint, has used up `seqs`.
    pub(super) fn keep(&mut self, seqs: (u64, u64), fingerprint: u32, position: Position) {
        if self.last_seq == 0 {
            self.known_from = seqs.0;
        }
        self.last_seq = seqs.1;
        self.last_position = position;
        let too_old = self.window_begin();
        while self.fingerprints.front().is_some_and(|(last, _)| *last < too_old) {
            self.fingerprints.pop_front();
        }
        self.fingerprints.push_back((self.last_seq, fingerprint));
    }

    /// The oldest seq that is compared.
    fn window_begin(&self) -> u64 {
        (self.last_seq + 1).saturating_sub(widen(SOURCE_WINDOW_SEQS))
    }

    /// The seqs that have to be looked up before `seq` can be compared, if any have.
    fn unknown(&self, seq: u64) -> Option<(u64, u64)> {
        let begin = self.window_begin();
        (seq >= begin && seq < self.known_from).then_some((begin, self.known_from))
    }

    /// Takes over what segments say of older events.
    fn complete(&mut self, older: Vec<(u64, u32)>) {
        older.into_iter().rev().for_each(|content| self.fingerprints.push_front(content));
        self.known_from = 0;
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

pub(super) type Sources = FxHashMap<Key, Source>;

pub(super) struct Decider {
    durable: Arc<Durable>,
    fingerprints: Fingerprints,
    sources: Sources,
    forming: Versions,
    forming_marks: Marks,
    /// Groups handed over and not yet seen durable, with their numbers.
    under_way: VecDeque<(u64, Arc<Versions>)>,
    handed_over: u64,
    /// What segments said while this group forms.
    looked_up: Versions,
    /// How far the segments went when sources were last forgotten.
    forgotten_to: Position,
    /// Of the append that was decided last: its counter, and for each event its stream with the version before the
    /// append.
    counter: Option<Key>,
    heads: Vec<(Key, u64)>,
}

impl Decider {
    pub(super) fn new(durable: Arc<Durable>, fingerprints: Fingerprints, sources: Sources) -> Self {
        Self {
            forgotten_to: durable.shelf.end(),
            durable,
            fingerprints,
            sources,
            forming: Versions::default(),
            forming_marks: Marks::default(),
            under_way: VecDeque::new(),
            handed_over: 0,
            looked_up: Versions::default(),
            counter: None,
            heads: Vec::new(),
        }
    }

    /// Decides an append. Gives how many of its leading events are repeats; the others are to be written, and whatever
    /// that needs of the segments has been read. What cannot be read poisons the log: nothing can be decided any more.
    pub(super) fn decide(&mut self, append: &Append) -> Result<usize, AppendError> {
        self.try_decide(append).unwrap_or_else(|error| {
            self.durable.poison(&format!("looking up what an append needs: {error}"));
            Err(refusal(&self.durable))
        })
    }

    fn try_decide(&mut self, append: &Append) -> Result<Result<usize, AppendError>, LogError> {
        self.counter = self.counter(append);
        let repeats = match self.repeats(append)? {
            Ok(repeats) if repeats == append.events.len() => return Ok(Ok(repeats)),
            Ok(repeats) => repeats,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Err(refusal) = self.expect(append)? {
            return Ok(Err(refusal));
        }
        self.take_heads(append)?;
        Ok(Ok(repeats))
    }

    /// Finds the version that each event's stream has before the append; the segments are asked for all of them at once.
    fn take_heads(&mut self, append: &Append) -> Result<(), LogError> {
        self.heads.clear();
        let (mut unknown, mut places) = (Vec::new(), Vec::new());
        for (place, event) in append.events.iter().enumerate() {
            let key = self.durable.names.stream(&event.stream);
            let known = self.known_version(key);
            if known.is_none() {
                unknown.push(key);
                places.push(place);
            }
            self.heads.push((key, known.unwrap_or(0)));
        }
        if unknown.is_empty() {
            return Ok(());
        }
        let found = self.durable.shelf.versions(&unknown)?;
        for ((key, place), version) in unknown.into_iter().zip(places).zip(found) {
            self.looked_up.insert(key, version);
            if let Some(head) = self.heads.get_mut(place) {
                head.1 = version;
            }
        }
        Ok(())
    }

    fn repeats(&mut self, append: &Append) -> Result<Result<usize, AppendError>, LogError> {
        let (Some(batch), Some(key)) = (append.batch, self.counter) else { return Ok(Ok(0)) };
        self.look_up_source(key)?;
        let next = self.sources.get(&key).map_or(0, Source::last_seq) + 1;
        let origin = || append.source.clone();
        if batch.first_seq > next {
            return Ok(Err(AppendError::Gap { origin: origin(), offered: batch.first_seq, next }));
        }
        for (index, event) in append.events.iter().enumerate() {
            let seqs = check::seqs(append, batch.first_seq, index);
            if seqs.0 == next {
                return Ok(Ok(index));
            }
            let fingerprint = self.fingerprints.of_new(event, seqs);
            let kept = self.kept(key, seqs.0)?;
            if seqs.0 == 0 || seqs.1 >= next || kept.is_some_and(|kept| kept != fingerprint) {
                return Ok(Err(AppendError::ContentDiffers { origin: origin(), seq: seqs.0 }));
            }
        }
        Ok(Ok(append.events.len()))
    }

    /// A counter that is not in memory may be in segments.
    fn look_up_source(&mut self, key: Key) -> Result<(), LogError> {
        if !self.sources.contains_key(&key)
            && let Some(last_seq) = self.durable.shelf.last_seq(key)?
        {
            self.sources.insert(key, Source::sealed(last_seq));
        }
        Ok(())
    }

    fn kept(&mut self, key: Key, seq: u64) -> Result<Option<u32>, LogError> {
        let Some(source) = self.sources.get_mut(&key) else { return Ok(None) };
        if let Some((from, below)) = source.unknown(seq) {
            source.complete(self.durable.shelf.contents(key, from, below)?);
        }
        Ok(source.kept(seq))
    }

    fn expect(&mut self, append: &Append) -> Result<Result<(), AppendError>, LogError> {
        for (stream, expected) in &append.expected {
            let actual = self.version(self.durable.names.stream(stream))?;
            let holds = match expected {
                Expected::Any => true,
                Expected::NoStream => actual == 0,
                Expected::Version(version) => actual == version.0,
            };
            if !holds {
                let (stream, expected, actual) = (stream.clone(), *expected, Version(actual));
                return Ok(Err(AppendError::WrongVersion { stream, expected, actual }));
            }
        }
        Ok(Ok(()))
    }

    /// The next event of the append that was decided last is being written at `position`: gives its version and seqs.
    pub(super) fn advance(
        &mut self,
        append: &Append,
        index: usize,
        position: Position,
    ) -> Option<(Version, Option<(u64, u64)>)> {
        let event = append.events.get(index)?;
        // Nothing is looked up here: a sealing may have ended since the append was decided.
        let (key, before) = *self.heads.get(index)?;
        let version = self.forming.entry(key).or_insert(before);
        *version += 1;
        let version = Version(*version);
        let seqs = append.batch.zip(self.counter).map(|(batch, key)| {
            let seqs = check::seqs(append, batch.first_seq, index);
            let fingerprint = self.fingerprints.of_new(event, seqs);
            self.sources.entry(key).or_default().keep(seqs, fingerprint, position);
            self.forming_marks.insert(key, seqs.1);
            seqs
        });
        Some((version, seqs))
    }

    /// Where the source of the append that was decided last stands, what is under way included.
    pub(super) fn last_seq(&self) -> Option<u64> {
        Some(self.sources.get(&self.counter?).map_or(0, Source::last_seq))
    }

    /// The counter that the append's batch stands in; its events are all of one site.
    fn counter(&self, append: &Append) -> Option<Key> {
        let (batch, event) = (append.batch?, append.events.first()?);
        let site = event.stream.site.as_str();
        Some(self.durable.names.counter(site, append.source.as_str(), batch.epoch))
    }

    /// The forming group goes on its way; gives what it changes.
    pub(super) fn hand_over(&mut self) -> (Arc<Versions>, Marks) {
        let durable = self.durable.groups();
        self.under_way.retain(|(number, _)| *number > durable);
        let versions = Arc::new(std::mem::take(&mut self.forming));
        self.handed_over += 1;
        self.under_way.push_back((self.handed_over, Arc::clone(&versions)));
        self.looked_up.clear();
        self.forget();
        (versions, std::mem::take(&mut self.forming_marks))
    }

    /// Forgets the sources that segments know all of.
    fn forget(&mut self) {
        let sealed = self.durable.shelf.end();
        if sealed > self.forgotten_to {
            self.forgotten_to = sealed;
            self.sources.retain(|_, source| source.last_position > sealed);
        }
    }

    fn version(&mut self, stream: Key) -> Result<u64, LogError> {
        if let Some(known) = self.known_version(stream) {
            return Ok(known);
        }
        let version = self.durable.shelf.version(stream)?;
        self.looked_up.insert(stream, version);
        Ok(version)
    }

    fn known_version(&self, stream: Key) -> Option<u64> {
        let under_way = self.under_way.iter().rev().map(|(_, versions)| &**versions);
        let mut pending = std::iter::once(&self.forming).chain(under_way);
        pending
            .find_map(|versions| versions.get(&stream).copied())
            .or_else(|| self.looked_up.get(&stream).copied())
            .or_else(|| self.durable.known_version(stream))
    }
}

/// Puts a found event of a source into `sources`, for opening. An event that does not go on gives the seq that is next; a
/// counter that is not among them may have begun in a segment, if there are any.
pub(super) fn found(
    sources: &mut Sources,
    key: Key,
    seqs: (u64, u64),
    fingerprint: u32,
    position: Position,
    segments: bool,
) -> Result<(), u64> {
    let source = sources.entry(key).or_default();
    let next = source.last_seq + 1;
    if seqs.0 == next || source.last_seq == 0 && segments {
        source.keep(seqs, fingerprint, position);
        Ok(())
    } else {
        Err(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skip_of_any_length_costs_as_much_as_a_fact() {
        let mut source = Source::default();
        source.keep((1, 1_000_000), 7, Position(1));
        assert_eq!(source.fingerprints.len(), 1);
        assert!(source.fingerprints.capacity() < 16);
        assert_eq!((source.kept(1_000_000), source.kept(1_000_000 - 4_095)), (Some(7), Some(7)));
        assert_eq!((source.kept(1_000_001), source.kept(1_000_000 - 4_096)), (None, None));
        source.keep((1_000_001, 1_000_001), 8, Position(2));
        assert_eq!((source.kept(1_000_000), source.kept(1_000_001)), (Some(7), Some(8)));
    }

    #[test]
    fn what_lies_beyond_the_window_is_forgotten() {
        let mut source = Source::default();
        for (seq, fingerprint) in (1..=6_000).zip(1..) {
            source.keep((seq, seq), fingerprint, Position(seq));
        }
        assert_eq!(source.fingerprints.len(), SOURCE_WINDOW_SEQS);
        assert_eq!(
            (source.kept(1_904), source.kept(1_905), source.kept(6_000)),
            (None, Some(1_905), Some(6_000))
        );
    }
}
