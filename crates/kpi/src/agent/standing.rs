//! The state that a signed-in agent was in at an instant, for the gauges (KPIS.md §1, agents by state).
//!
//! Not for time: that is the clock's. Invariant: a signed-in agent is in one state when an interval ends.

use pegcount_domain::time::{Interval, Micros};
use serde::{Deserialize, Serialize};

use crate::{agent::clock::Clock, names::Id};

/// A state that agents are counted by, in the order of the gauges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub(crate) enum State {
    Occupied,
    Lost,
    Ringing,
    Dialing,
    Away,
    Ready,
}

/// How many states there are.
pub(crate) const STATES: usize = 6;

impl State {
    /// The state of a signed-in agent.
    #[inline]
    pub(crate) const fn of(clock: Clock) -> Option<Self> {
        Some(match clock {
            Clock::Off | Clock::Unsigned => return None,
            Clock::Occupied => Self::Occupied,
            Clock::Lost => Self::Lost,
            Clock::Ringing => Self::Ringing,
            Clock::Dialing => Self::Dialing,
            Clock::Away(_) => Self::Away,
            Clock::Ready => Self::Ready,
        })
    }
}

/// An agent that was signed in when an interval ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// The interval that ended.
    pub(crate) interval: Interval,
    pub(crate) agent: Id,
    /// The team then.
    pub(crate) team: Id,
    pub(crate) state: State,
}

/// The intervals that end within a span; its own end counts, its beginning does not.
pub(crate) fn ends_within(from: Micros, to: Micros) -> impl Iterator<Item = Interval> {
    let first = Interval::containing(from);
    (first.0..).map(Interval).take_while(move |interval| interval.end() <= to)
}
