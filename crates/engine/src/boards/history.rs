//! The facts of one stream in the order in which they happened, corrections laid over them.
//!
//! Invariant: within one source and epoch the counter decides and time never decreases; otherwise time decides, then
//! arrival. An annulled fact is not given out, an amended one as it was amended.

use std::ops::Range;

use bincode::{
    config::{Configuration, standard},
    serde::{decode_from_slice, encode_to_vec},
};
use pegcount_domain::{
    envelope::{Position, SourceSeq},
    event::Event,
    ids::Epoch,
    time::Micros,
};
use serde::{Deserialize, Serialize};

/// There are many histories, and most are short: room is made for so many facts at once.
const GROWTH: usize = 2;
const FORM: Configuration = standard();

/// One fact as it was recorded.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) position: Position,
    /// When it happened; never before an earlier fact of the same counter.
    pub(crate) at: Micros,
    pub(crate) event: Event,
}

/// A fact that is kept, but for its event.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Head {
    position: Position,
    at: Micros,
    /// Its source's epoch, folded; 0: it has no counter. Epochs are random, so half of one tells sources apart.
    epoch: u64,
    /// How many bytes its event has.
    length: u32,
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

/// Facts in time order; their events as bytes, which are a fifth of what they are opened.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct History {
    heads: Vec<Head>,
    /// One event after the other.
    events: Vec<u8>,
}

impl History {
    /// Puts an event in its place; a correction is laid over its target.
    pub(crate) fn insert(
        &mut self,
        position: Position,
        at: Micros,
        source_seq: Option<SourceSeq>,
        event: &Event,
    ) -> Inserted {
        match event {
            Event::Annulled { target, .. } => match self.find(*target) {
                Some(index) => {
                    self.heads.iter_mut().skip(index).take(1).for_each(|head| head.annulled = true);
                    Inserted::Earlier
                }
                None => Inserted::Unknown,
            },
            Event::Amended { target, occurred_at, event, .. } => {
                let Some(head) = self.find(*target).and_then(|index| self.take_out(index)) else {
                    return Inserted::Unknown;
                };
                let head = Head { at: *occurred_at, ..head };
                let before = |other: &Head| (other.at, other.position) < (head.at, head.position);
                self.put(self.heads.partition_point(before), head, event);
                Inserted::Earlier
            }
            event => {
                let epoch = source_seq.map_or(0, |seq| folded(seq.epoch));
                let at = if epoch == 0 { at } else { at.max(self.newest_of(epoch)) };
                let index = self.heads.partition_point(|head| head.at <= at);
                let last = index == self.heads.len();
                self.put(index, Head { position, at, epoch, length: 0, annulled: false }, event);
                if last { Inserted::Last } else { Inserted::Earlier }
            }
        }
    }

    fn find(&self, target: u64) -> Option<usize> {
        self.heads.iter().position(|head| head.position.0 == target)
    }

    /// Where a fact's event lies.
    fn event_at(&self, index: usize) -> Range<usize> {
        let length = |head: &Head| usize::try_from(head.length).unwrap_or_default();
        // Nearly always it is the last one.
        let start = if index == self.heads.len() {
            self.events.len()
        } else {
            self.heads.iter().take(index).map(length).sum()
        };
        start..start + self.heads.get(index).map_or(0, length)
    }

    fn put(&mut self, index: usize, head: Head, event: &Event) {
        let event = match encode_to_vec(event, FORM) {
            Ok(event) => event,
            Err(error) => {
                // A checkpoint would fail of it too.
                tracing::error!(position = head.position.0, %error, "left out of what is shown");
                return;
            }
        };
        if self.heads.len() == self.heads.capacity() {
            self.heads.reserve_exact(GROWTH);
            self.events.reserve_exact(event.len() * GROWTH);
        }
        let at = self.event_at(index).start;
        let length = u32::try_from(event.len()).unwrap_or(u32::MAX);
        self.events.splice(at..at, event);
        self.heads.insert(index, Head { length, ..head });
    }

    fn take_out(&mut self, index: usize) -> Option<Head> {
        if index >= self.heads.len() {
            return None;
        }
        self.events.drain(self.event_at(index));
        Some(self.heads.remove(index))
    }

    fn newest_of(&self, epoch: u64) -> Micros {
        self.heads.iter().rev().find(|head| head.epoch == epoch).map_or(Micros(i64::MIN), |head| head.at)
    }

    /// The facts that hold, in order.
    pub(crate) fn facts(&self) -> impl Iterator<Item = Fact> {
        let mut start = 0;
        self.heads.iter().filter_map(move |head| {
            let end = start + usize::try_from(head.length).unwrap_or_default();
            let event = self.events.get(std::mem::replace(&mut start, end)..end)?;
            if head.annulled { None } else { opened(head, event) }
        })
    }

    /// How many it keeps, annulled ones included.
    pub(crate) fn len(&self) -> usize {
        self.heads.len()
    }

    /// When the last of them happened.
    pub(crate) fn newest(&self) -> Option<Micros> {
        self.heads.last().map(|head| head.at)
    }

    /// The position of the oldest.
    pub(crate) fn oldest(&self) -> Option<Position> {
        self.heads.first().map(|head| head.position)
    }

    /// Takes the oldest out; none if it does not hold.
    pub(crate) fn take_oldest(&mut self) -> Option<Fact> {
        let head = self.heads.first()?;
        let oldest = if head.annulled { None } else { opened(head, self.events.get(self.event_at(0))?) };
        self.take_out(0);
        oldest
    }
}

/// A fact as it was put in.
fn opened(head: &Head, event: &[u8]) -> Option<Fact> {
    let (event, _) = decode_from_slice(event, FORM).ok()?;
    Some(Fact { position: head.position, at: head.at, event })
}

fn folded(epoch: Epoch) -> u64 {
    let [high, low] = [epoch.0 >> 64, epoch.0 & u128::from(u64::MAX)];
    let [high, low] = [high, low].map(|half| u64::try_from(half).unwrap_or_default());
    (high ^ low).max(1)
}
