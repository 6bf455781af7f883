//! What an agent's clock counts, and what is carried from one quiet point to the next.
//!
//! Invariant: at every instant the clock is in exactly one state; so the states sum to `signed_in_clock` to the
//! microsecond, whatever happens (KPIS.md §3).

use pegcount_domain::time::Micros;

use crate::{measure::Measure, names::Id};

/// Whether the agent is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Ready,
    Away(Reason),
}

/// Why away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Just signed in.
    SignedIn,
    /// A ring with no answer.
    RingNoAnswer,
    /// A reason code.
    Code(Id),
}

/// The one state that is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Clock {
    /// Signed out, no contact.
    #[default]
    Off,
    Unsigned,
    Occupied,
    Lost,
    Ringing,
    Dialing,
    Away,
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
            Self::Away => Measure::AwayClock,
            Self::Ready => Measure::ReadyClock,
        })
    }

    /// Whether it is part of a signed-in span.
    pub(crate) const fn is_signed_in(self) -> bool {
        !matches!(self, Self::Off | Self::Unsigned)
    }
}

/// What is known of the agent at a quiet point: no leg is open there, so this is all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
