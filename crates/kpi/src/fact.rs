//! Facts as units keep them: compact, copyable, without texts, in time order.
//!
//! Not for deciding what a fact means: that is the folds'. Invariant: the order of two facts depends on the facts
//! alone, never on which arrived first: time, then softphone before exchange, then the source's own order.

use pegcount_domain::{
    envelope::{Position, Recorded},
    event::{Channel, Direction, Party, TransferKind},
    ids::Key,
    time::Micros,
};
use serde::{Deserialize, Serialize};

use crate::names::Id;

/// A place in a site's list of agents, contacts, customer lines or tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Slot(pub(crate) u32);

impl Slot {
    /// The next free place of a list. Four thousand million units of one site do not fit into memory.
    pub(crate) fn next<T>(list: &[T]) -> Self {
        Self(u32::try_from(list.len()).unwrap_or(u32::MAX))
    }

    #[inline]
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Who reports a fact, told by the kind of its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub(crate) enum Track {
    /// A softphone, in the agent's stream.
    Phone,
    /// An exchange, a gateway, an importer, in the contact's stream.
    Switch,
}

/// When and by whom. Epochs are random 128-bit numbers, so half of one tells sources apart; without a counter the
/// log's own order stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub(crate) at: Micros,
    pub(crate) track: Track,
    pub(crate) epoch: u64,
    pub(crate) seq: u64,
    pub(crate) position: Position,
}

impl Stamp {
    /// Before everything.
    pub(crate) const FIRST: Self =
        Self { at: Micros(i64::MIN), track: Track::Phone, epoch: 0, seq: 0, position: Position::START };

    /// The same fact at another instant.
    pub(crate) fn moved_to(self, at: Micros) -> Self {
        Self { at, ..self }
    }

    /// The stamp of a recorded event, taken to have happened at `at`.
    pub(crate) fn of(recorded: &Recorded, at: Micros, track: Track) -> Self {
        let (epoch, seq) =
            recorded.source_seq.map_or((0, recorded.position.0), |place| (half(place.epoch.0), place.seq));
        Self { at, track, epoch, seq, position: recorded.position }
    }
}

#[inline]
fn half(wide: u128) -> u64 {
    let [high, low] =
        [wide >> 64, wide & u128::from(u64::MAX)].map(|part| u64::try_from(part).unwrap_or_default());
    high ^ low
}

/// A visit or a leg of one contact, as a 64-bit mark. Marks meet only within one contact or one agent's open work,
/// so that 64 bits of a 128-bit fingerprint are ample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Mark(pub(crate) u64);

impl Mark {
    /// None.
    pub(crate) const NONE: Self = Self(0);

    /// Of a visit, unique within its contact.
    #[inline]
    pub(crate) fn of(key: Key) -> Self {
        Self(half(key.0).max(1))
    }

    /// Of a leg, unique in the site.
    #[inline]
    pub(crate) fn of_leg(contact: Key, leg: Key) -> Self {
        let turned = half(contact.0).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
        Self((turned ^ half(leg.0)).max(1))
    }
}

/// What an agent or a supervisor asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Intent {
    Ready,
    Away(Id),
    /// Away because a ring was not answered: the machine's own.
    RingNoAnswer,
    SignedOut,
}

/// A step of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// An outbound task was assigned.
    Assigned,
    Offered,
    Ringing,
    Dialing,
    Answered,
    Held,
    Retrieved,
    Consulting,
    Conferenced,
    Interrupted,
    Transferred {
        kind: TransferKind,
        /// None: not into a queue.
        to_queue: Id,
        reason: Id,
    },
    Missed,
    Rejected,
    CustomerGone,
    Failed,
    Ended {
        by: Option<Party>,
        after_call: bool,
    },
    AfterCallStarted,
    AfterCallEnded,
}

/// A fact about a leg.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct LegFact {
    pub(crate) leg: Mark,
    pub(crate) visit: Mark,
    pub(crate) contact: Slot,
    pub(crate) queue: Id,
    pub(crate) channel: Option<Channel>,
    pub(crate) direction: Option<Direction>,
    /// Whether the fact itself says whose leg it is.
    pub(crate) names_agent: bool,
    pub(crate) step: Step,
}

/// What an agent's unit keeps.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum AgentBody {
    SignedIn,
    SignedOut,
    Ready,
    NotReady(Id),
    KeyPressed,
    Lost,
    Restored,
    Set(Intent),
    Next(Intent),
    Leg(LegFact),
}

/// One fact of an agent's unit.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct AgentFact {
    pub(crate) stamp: Stamp,
    pub(crate) body: AgentBody,
}

impl AgentFact {
    /// The leg that it is about.
    #[inline]
    pub(crate) fn leg(&self) -> Option<&LegFact> {
        match &self.body {
            AgentBody::Leg(leg) => Some(leg),
            _ => None,
        }
    }
}

/// Puts `item` where its stamp belongs; at the end, most often.
pub(crate) fn insert_sorted<T>(list: &mut Vec<T>, item: T, stamp: impl Fn(&T) -> Stamp) {
    let own = stamp(&item);
    if list.last().is_none_or(|last| stamp(last) <= own) {
        list.push(item);
    } else {
        let place = list.partition_point(|other| stamp(other) <= own);
        list.insert(place, item);
    }
}
