//! What an agent's clock counts, and what is carried from one quiet point to the next.
//!
//! Invariant: at every instant the clock is in exactly one state; so the states sum to `signed_in_clock` to the
//! microsecond, whatever happens (KPIS.md §3).

use pegcount_domain::{agent::ReservedReasons, ids::Name, time::Micros};
use serde::{Deserialize, Serialize};

use crate::{cells::Detail, day::What, measure::Measure, names::Id};

// Names are numbered from 1 on and never come so far.
const JUST_SIGNED_IN: Detail = Detail(u32::MAX);
const RING_NO_ANSWER: Detail = Detail(u32::MAX - 1);

/// Whether the agent is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Session {
    #[default]
    Out,
    In,
    /// Connection lost; signed out at `until` unless it comes back.
    Lost {
        until: Micros,
    },
}

/// Ready or away, while signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Standing {
    Ready,
    Away(Reason),
}

/// Why away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reason {
    /// Just signed in.
    SignedIn,
    /// A ring with no answer.
    RingNoAnswer,
    /// A reason code.
    Code(Id),
}

impl Reason {
    /// One that the machine gives by itself, as cells keep it.
    pub(crate) const fn of_machine(detail: Detail) -> Option<Self> {
        match detail {
            JUST_SIGNED_IN => Some(Self::SignedIn),
            RING_NO_ANSWER => Some(Self::RingNoAnswer),
            _ => None,
        }
    }

    /// As cells keep it.
    pub(crate) const fn detail(self) -> Detail {
        match self {
            Self::SignedIn => JUST_SIGNED_IN,
            Self::RingNoAnswer => RING_NO_ANSWER,
            Self::Code(code) => Detail(code.0),
        }
    }
}

/// The text of a reason as cells keep it, if it is one that the machine gives by itself.
pub(crate) fn machine_reason(detail: Detail) -> Option<Name> {
    let reserved = ReservedReasons::default();
    match detail {
        JUST_SIGNED_IN => Some(reserved.signed_in.0),
        RING_NO_ANSWER => Some(reserved.rona.0),
        _ => None,
    }
}

/// The one state that is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Clock {
    /// Signed out, no contact.
    #[default]
    Off,
    Unsigned,
    Occupied,
    Lost,
    Ringing,
    Dialing,
    Away(Reason),
    Ready,
}

impl Clock {
    /// What it adds to.
    pub(crate) const fn measure(self) -> Option<Measure> {
        Some(match self {
            Self::Off => return None,
            Self::Unsigned => Measure::UnsignedClock,
            Self::Occupied => Measure::OccupiedClock,
            Self::Lost => Measure::LostClock,
            Self::Ringing => Measure::RingingClock,
            Self::Dialing => Measure::DialingClock,
            Self::Away(_) => Measure::AwayClock,
            Self::Ready => Measure::ReadyClock,
        })
    }

    /// What its measure is cut by beyond the agent.
    pub(crate) const fn detail(self) -> Detail {
        match self {
            Self::Away(reason) => reason.detail(),
            _ => Detail(0),
        }
    }

    /// What a signed-in span of it is to the agent's day.
    pub(crate) const fn what(self) -> What {
        match self {
            Self::Away(reason) => What::Away(reason.detail()),
            Self::Lost => What::Lost,
            _ => What::Available,
        }
    }

    /// Whether it is part of a signed-in span.
    pub(crate) const fn is_signed_in(self) -> bool {
        !matches!(self, Self::Off | Self::Unsigned)
    }
}

/// What is known of the agent at a quiet point: no leg is open there, so this is all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Carried {
    pub(crate) session: Session,
    /// Meaningful while signed in.
    pub(crate) standing: Standing,
    pub(crate) clock: Clock,
    /// The open clock span's start; it stands in no cell yet.
    pub(crate) clock_since: Micros,
}

impl Default for Carried {
    fn default() -> Self {
        Self {
            session: Session::Out,
            standing: Standing::Away(Reason::SignedIn),
            clock: Clock::Off,
            clock_since: Micros(i64::MIN),
        }
    }
}
