//! The contact's unit: its queue visits, and what the legs of its agents mean for them (KPIS.md §3).
//!
//! - [`visit`]: visits joined from facts by id, and the rules for several at once
//! - [`fold`]: the pure function from a contact's facts and its legs' outcomes to contributions
//!
//! A contact is *settled* once it has ended and all its legs have; then it stands in the cells. Until then it is
//! folded when somebody reads. Invariant: visits and legs join by id, never by order.

pub(crate) mod fold;
pub(crate) mod visit;

use pegcount_domain::{
    event::{Channel, Direction, Party, QueueExit},
    time::Micros,
};
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{
    fact::{Mark, Slot, Stamp},
    names::Id,
    packed::{self, Packed, bytes::Writer},
    site::resting::Rests,
};

/// What became of one leg, as the agent's unit knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LegOutcome {
    pub(crate) visit: Mark,
    pub(crate) queue: Id,
    pub(crate) agent: Id,
    /// The agent's team when the handle completed.
    pub(crate) team: Id,
    pub(crate) channel: u8,
    /// How long it rang before the answer.
    pub(crate) rang: Micros,
    pub(crate) answered_at: Option<Micros>,
    pub(crate) completed_at: Option<Micros>,
    /// Talk, hold and after-call work.
    pub(crate) handle: Micros,
    /// When `handle` last changed.
    pub(crate) handled_until: Option<Micros>,
    pub(crate) transferred_to_queue: bool,
}

/// One leg of the contact.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct LegEntry {
    pub(crate) leg: Mark,
    /// The unit that folds it.
    pub(crate) agent: Slot,
    /// That unit's mark.
    pub(crate) who: Mark,
    /// The earliest fact of it.
    pub(crate) first_at: Micros,
    /// Whether `outcome` is the whole truth: the leg lies before its agent's last quiet point.
    pub(crate) settled: bool,
    pub(crate) outcome: LegOutcome,
}

impl LegEntry {
    /// A leg of which nothing is settled.
    pub(crate) fn new(leg: Mark, agent: Slot, who: Mark, first_at: Micros) -> Self {
        Self { leg, agent, who, first_at, settled: false, outcome: LegOutcome::default() }
    }
}

/// What a contact's unit keeps.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum ContactBody {
    Started {
        channel: Channel,
        direction: Direction,
        entry: Id,
        customer: Option<Slot>,
        journey: Option<Slot>,
        callback: bool,
    },
    Identified {
        customer: Option<Slot>,
        topic: Mark,
    },
    Entered {
        visit: Mark,
        queue: Id,
        priority: u8,
    },
    Left {
        visit: Mark,
        exit: QueueExit,
        ringing: bool,
    },
    WrappedUp {
        topic: Mark,
        resolved: Option<bool>,
    },
    Ended {
        by: Option<Party>,
        self_served: bool,
    },
}

/// One fact of a contact's unit.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct ContactFact {
    pub(crate) stamp: Stamp,
    pub(crate) body: ContactBody,
}

/// One contact.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct ContactUnit {
    /// Tells it from other contacts in the same order whichever came first.
    pub(crate) mark: Mark,
    /// In the order of their stamps.
    pub(crate) facts: Vec<ContactFact>,
    /// By leg, then agent: which of two came first must not matter.
    pub(crate) legs: Vec<LegEntry>,
    /// The lines of settled contacts that go on with it, once for each.
    #[serde(with = "pegcount_domain::small")]
    pub(crate) followed_in: SmallVec<[Slot; 1]>,
    /// The tickets opened in it.
    #[serde(with = "pegcount_domain::small")]
    pub(crate) tickets: SmallVec<[Slot; 1]>,
    /// The unit of its legs that nobody is known to have handled.
    pub(crate) nobody: Option<Slot>,
    /// What stands in the cells, if it is settled.
    pub(crate) settled: Option<Settled>,
    /// Whether it is on the site's list of open contacts: nearly every fact finds it there, and need not search the list.
    pub(crate) is_listed: bool,
}

/// A settled one rests: an open one is read by whoever asks for figures.
impl Rests for ContactUnit {
    fn may_rest(&self) -> bool {
        self.settled.is_some()
    }

    fn pack(&self, out: &mut Writer) {
        packed::contact::write(self, out);
    }

    fn unpack(packed: &Packed) -> Self {
        packed::contact::read(packed.bytes())
    }
}

/// What a settled contact has put where.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Settled {
    /// The customer line that it stands in.
    pub(crate) line: Option<Slot>,
    /// The last instant at which it changes a figure.
    pub(crate) last_effect: Micros,
}

impl ContactUnit {
    pub(crate) fn new(mark: Mark) -> Self {
        Self { mark, ..Self::default() }
    }

    /// Puts it on the list of open contacts.
    #[inline]
    pub(crate) fn list_open(&mut self, own: Slot, open: &mut FxHashSet<Slot>) {
        if !std::mem::replace(&mut self.is_listed, true) {
            open.insert(own);
        }
    }

    /// The first contact of the journey that it goes on with.
    pub(crate) fn journey(&self) -> Option<Slot> {
        self.facts.iter().find_map(|fact| match fact.body {
            ContactBody::Started { journey, .. } => Some(journey),
            _ => None,
        })?
    }

    /// Learns of a leg.
    pub(crate) fn add_leg(&mut self, entry: LegEntry) {
        let before = |other: &LegEntry| (other.leg, other.who) < (entry.leg, entry.who);
        let place = self.legs.partition_point(before);
        // Most contacts have one, and those that wait have none.
        if self.legs.len() == self.legs.capacity() {
            self.legs.reserve_exact(1);
        }
        self.legs.insert(place, entry);
    }

    /// Whether it can be settled.
    pub(crate) fn is_complete(&self) -> bool {
        let ended = |fact: &ContactFact| matches!(fact.body, ContactBody::Ended { .. });
        self.legs.iter().all(|leg| leg.settled) && self.facts.iter().rev().any(ended)
    }

    /// The place of a leg handled by `agent`.
    pub(crate) fn leg(&mut self, leg: Mark, agent: Slot) -> Option<&mut LegEntry> {
        self.legs.iter_mut().find(|entry| entry.leg == leg && entry.agent == agent)
    }

    /// The earliest instant known of it.
    pub(crate) fn first_at(&self) -> Option<Micros> {
        let fact = self.facts.first().map(|fact| fact.stamp.at);
        self.legs.iter().map(|leg| leg.first_at).chain(fact).min()
    }
}
