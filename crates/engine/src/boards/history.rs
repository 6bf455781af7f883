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

/// There are many histories, and most are short: room is made for so many facts at once.
const GROWTH: usize = 2;

/// One fact as it was recorded.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Fact {
    pub(crate) position: Position,
    /// When it happened; never before an earlier fact of the same counter.
    pub(crate) at: Micros,
    /// Its source's epoch, folded; 0: it has no counter. Epochs are random, so half of one tells sources apart.
    epoch: u64,
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
                let epoch = source_seq.map_or(0, |seq| folded(seq.epoch));
                let at = if epoch == 0 { at } else { at.max(self.newest_of(epoch)) };
                let index = self.0.partition_point(|fact| fact.at <= at);
                let last = index == self.0.len();
                if self.0.len() == self.0.capacity() {
                    self.0.reserve_exact(GROWTH);
                }
                self.0.insert(index, Fact { position, at, epoch, event, annulled: false });
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

    fn newest_of(&self, epoch: u64) -> Micros {
        self.0.iter().rev().find(|fact| fact.epoch == epoch).map_or(Micros(i64::MIN), |fact| fact.at)
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

fn folded(epoch: Epoch) -> u64 {
    let [high, low] = [epoch.0 >> 64, epoch.0 & u128::from(u64::MAX)];
    let [high, low] = [high, low].map(|half| u64::try_from(half).unwrap_or_default());
    (high ^ low).max(1)
}
