//! What is known of one agent now, and what its clock says.
//!
//! Invariant: the clock is what the precedence of KPIS.md §3 makes of the rest; it changes only together with a closed
//! span, so that closed spans and the open one cover every signed-in instant exactly once.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{
    agent::slot::{Phase, Slot},
    event::Intent,
    ids::{AgentId, Name, ReasonCode},
    time::{Micros, Span},
};

/// How many legs that are over are remembered, so that a second reporter's word on them is known for what it is.
pub const OVER_MAX: usize = 16;

/// Whether the agent is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Session {
    /// Not there.
    #[default]
    SignedOut,
    /// There.
    SignedIn,
    /// Signed in, but the softphone is not heard; counts as signed out from `until` on.
    Lost {
        /// The end of the grace.
        until: Micros,
    },
}

/// Ready or away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing<N = Name> {
    /// Ready for contacts.
    Ready,
    /// Away with a reason.
    Away(ReasonCode<N>),
}

impl<N: PartialEq> Standing<N> {
    /// Whether `intent` asks for what is so already.
    pub fn meets(&self, intent: &Intent<N>) -> bool {
        match (self, intent) {
            (Self::Ready, Intent::Ready) => true,
            (Self::Away(is), Intent::NotReady(wanted)) => is == wanted,
            _ => false,
        }
    }
}

/// What the agent's clock counts at an instant (KPIS.md §3), the first that holds in this order; `Unsigned` is
/// contact time outside a signed-in span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClockState<N = Name> {
    /// At least one contact or after-call work.
    Occupied,
    /// Connection lost.
    Lost,
    /// A contact is offered or rings.
    Ringing,
    /// Dials out.
    Dialing,
    /// Away with a reason.
    Away(ReasonCode<N>),
    /// Ready.
    Ready,
    /// In contact while signed out.
    Unsigned,
}

/// Clock spans that have closed, in order, none of them empty.
pub type ClockSpans<N> = SmallVec<[(ClockState<N>, Span); 2]>;

/// One agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentState<N = Name> {
    pub(super) agent: AgentId<N>,
    pub(super) now: Micros,
    pub(super) session: Session,
    pub(super) session_since: Micros,
    pub(super) standing: Option<Standing<N>>,
    pub(super) standing_since: Micros,
    pub(super) next: Option<Intent<N>>,
    #[serde(with = "crate::small")]
    #[serde(bound(serialize = "N: Serialize", deserialize = "N: Deserialize<\'de>"))]
    pub(super) slots: SmallVec<[Slot<N>; 2]>,
    #[serde(with = "crate::small")]
    #[serde(bound(serialize = "N: Serialize", deserialize = "N: Deserialize<\'de>"))]
    pub(super) over: SmallVec<[Slot<N>; 2]>,
    pub(super) clock: Option<ClockState<N>>,
    pub(super) clock_since: Micros,
}

impl<N: Clone + Eq> AgentState<N> {
    /// An agent of whom nothing is known: signed out.
    pub fn new(agent: AgentId<N>) -> Self {
        Self {
            agent,
            now: Micros(i64::MIN),
            session: Session::SignedOut,
            session_since: Micros(i64::MIN),
            standing: None,
            standing_since: Micros(i64::MIN),
            next: None,
            slots: SmallVec::new(),
            over: SmallVec::new(),
            clock: None,
            clock_since: Micros(i64::MIN),
        }
    }

    /// Who it is.
    pub fn agent(&self) -> &AgentId<N> {
        &self.agent
    }

    /// Whether the agent is there.
    pub fn session(&self) -> Session {
        self.session
    }

    /// Since when; `Micros(i64::MIN)` if it was never otherwise.
    pub fn session_since(&self) -> Micros {
        self.session_since
    }

    /// Ready or away; none while signed out.
    pub fn standing(&self) -> Option<&Standing<N>> {
        self.standing.as_ref()
    }

    /// Since when it is ready, or away with this reason.
    pub fn standing_since(&self) -> Micros {
        self.standing_since
    }

    /// What takes effect when the present contact is over.
    pub fn next(&self) -> Option<&Intent<N>> {
        self.next.as_ref()
    }

    /// The open legs, in the order in which they began.
    pub fn slots(&self) -> &[Slot<N>] {
        &self.slots
    }

    /// The latest legs that are over, at most [`OVER_MAX`], the latest last.
    pub fn over(&self) -> &[Slot<N>] {
        &self.over
    }

    /// Whether a contact or after-call work is going on; then intents become pending.
    pub fn in_contact(&self) -> bool {
        self.slots.iter().any(|slot| slot.phase.occupies())
    }

    /// What the clock counts; none while signed out without a contact.
    pub fn clock_state(&self) -> Option<&ClockState<N>> {
        self.clock.as_ref()
    }

    /// Since when it counts that.
    pub fn clock_since(&self) -> Micros {
        self.clock_since
    }

    /// What the rest of the state says about the clock, by the precedence of KPIS.md §3.
    pub(super) fn clock_now(&self) -> Option<ClockState<N>> {
        if self.session == Session::SignedOut {
            return self.in_contact().then_some(ClockState::Unsigned);
        }
        let any = |phases: &[Phase]| self.slots.iter().any(|slot| phases.contains(&slot.phase));
        Some(if self.in_contact() {
            ClockState::Occupied
        } else if matches!(self.session, Session::Lost { .. }) {
            ClockState::Lost
        } else if any(&[Phase::Offered, Phase::Ringing]) {
            ClockState::Ringing
        } else if any(&[Phase::Dialing]) {
            ClockState::Dialing
        } else {
            match self.standing.clone()? {
                Standing::Away(reason) => ClockState::Away(reason),
                Standing::Ready => ClockState::Ready,
            }
        })
    }

    /// Brings the clock in line with the rest at `at`, and gives the span that this closes.
    pub(super) fn tick(&mut self, at: Micros, closed: &mut ClockSpans<N>) {
        let clock = self.clock_now();
        if clock == self.clock {
            return;
        }
        if let Some(before) = std::mem::replace(&mut self.clock, clock)
            && self.clock_since < at
        {
            closed.push((before, Span::new(self.clock_since, at)));
        }
        self.clock_since = at;
    }

    /// Moves a leg that is over out of the way.
    pub(super) fn put_away(&mut self, index: usize) {
        let slot = self.slots.remove(index);
        if self.over.len() == OVER_MAX {
            self.over.remove(0);
        }
        self.over.push(slot);
    }
}
