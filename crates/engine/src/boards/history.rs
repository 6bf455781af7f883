//! The facts of one stream in the order in which they happened, corrections laid over them.
//!
//! Invariant: within one source and epoch the counter decides and time never decreases; otherwise time decides, then
//! arrival. An annulled fact is not given out, an amended one as it was amended.

use pegcount_domain::{
    envelope::{Position, SourceSeq},
    event::Event,
    ids::Epoch,
    time::Micros,
};
use serde::{Deserialize, Serialize};

/// One fact as it was recorded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Fact {
    pub(crate) position: Position,
    /// When it happened; never before an earlier fact of the same counter.
    pub(crate) at: Micros,
    pub(crate) source_seq: Option<SourceSeq>,
    pub(crate) event: Event,
    annulled: bool,
}

/// What inserting an event did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Inserted {
    /// It is the newest; what was folded so far stands.
    Last,
    /// It changes what was before; fold anew.
    Earlier,
    /// It corrects a fact that is no longer kept.
    Unknown,
}

/// Facts in time order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct History(Vec<Fact>);

impl History {
    /// Puts an event in its place; a correction is laid over its target.
    pub(crate) fn insert(
        &mut self,
        position: Position,
        at: Micros,
        source_seq: Option<SourceSeq>,
        event: Event,
    ) -> Inserted {
        match event {
            Event::Annulled { target, .. } => self.correct(target, |fact| fact.annulled = true),
            Event::Amended { target, occurred_at, event, .. } => {
                let known = self.correct(target, |fact| {
                    fact.at = occurred_at;
                    fact.event = *event;
                });
                self.0.sort_by_key(|fact| (fact.at, fact.position));
                known
            }
            event => {
                let at = source_seq.map_or(at, |seq| at.max(self.newest_of(seq.epoch)));
                let index = self.0.partition_point(|fact| fact.at <= at);
                let last = index == self.0.len();
                self.0.insert(index, Fact { position, at, source_seq, event, annulled: false });
                if last { Inserted::Last } else { Inserted::Earlier }
            }
        }
    }

    fn correct(&mut self, target: u64, change: impl FnOnce(&mut Fact)) -> Inserted {
        match self.0.iter_mut().find(|fact| fact.position.0 == target) {
            Some(fact) => {
                change(fact);
                Inserted::Earlier
            }
            None => Inserted::Unknown,
        }
    }

    fn newest_of(&self, epoch: Epoch) -> Micros {
        let same = |fact: &&Fact| fact.source_seq.is_some_and(|seq| seq.epoch == epoch);
        self.0.iter().rev().find(same).map_or(Micros(i64::MIN), |fact| fact.at)
    }

    /// The facts that hold, in order.
    pub(crate) fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.0.iter().filter(|fact| !fact.annulled)
    }

    /// How many it keeps, annulled ones included.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The position of the oldest.
    pub(crate) fn oldest(&self) -> Option<Position> {
        self.0.first().map(|fact| fact.position)
    }

    /// Takes the oldest out; none if it does not hold.
    pub(crate) fn take_oldest(&mut self) -> Option<Fact> {
        let oldest = self.0.remove(0);
        (!oldest.annulled).then_some(oldest)
    }
}
