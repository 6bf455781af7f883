//! Stamps, one after the other: each is told by what it differs in from the one before.
//!
//! Invariant: stamps are read in the order in which they were written.

use pegcount_domain::{envelope::Position, time::Micros};
use smallvec::SmallVec;

use crate::{
    fact::{Stamp, Track},
    packed::bytes::{Reader, Writer},
};

/// What the next stamp is told by.
#[derive(Debug, Default)]
pub(crate) struct Stamps {
    at: Micros,
    position: u64,
    /// The epochs met so far, each with its last number.
    epochs: SmallVec<[(u64, u64); 4]>,
}

impl Stamps {
    /// Knows the instant of what comes first.
    pub(crate) fn from(at: Micros) -> Self {
        Self { at, ..Self::default() }
    }

    pub(crate) fn write(&mut self, stamp: &Stamp, out: &mut Writer) {
        let known = self.epochs.iter().position(|(epoch, _)| *epoch == stamp.epoch);
        let place = known.unwrap_or(self.epochs.len());
        let track = u64::from(stamp.track == Track::Switch);
        out.number(u64::try_from(place).unwrap_or(u64::MAX) << 1 | track);
        if known.is_none() {
            out.random(stamp.epoch);
            self.epochs.push((stamp.epoch, stamp.position.0));
        }
        out.near_at(stamp.at, self.at);
        out.near(stamp.position.0, self.position);
        if let Some((_, seq)) = self.epochs.get_mut(place) {
            out.near(stamp.seq, *seq);
            *seq = stamp.seq;
        }
        (self.at, self.position) = (stamp.at, stamp.position.0);
    }

    pub(crate) fn read(&mut self, from: &mut Reader<'_>) -> Stamp {
        let code = from.number();
        let track = if code & 1 == 1 { Track::Switch } else { Track::Phone };
        let place = usize::try_from(code >> 1).unwrap_or(usize::MAX);
        let new = (place >= self.epochs.len()).then(|| from.random());
        let at = from.near_at(self.at);
        let position = from.near(self.position);
        if let Some(epoch) = new {
            self.epochs.push((epoch, position));
        }
        let (mut epoch, mut seq) = (0, 0);
        if let Some((known, last)) = self.epochs.get_mut(place) {
            seq = from.near(*last);
            (epoch, *last) = (*known, seq);
        }
        (self.at, self.position) = (at, position);
        Stamp { at, track, epoch, seq, position: Position(position) }
    }
}
