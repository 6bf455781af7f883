//! What ends by itself: after-call work with a timer, and the grace of a lost connection.
//!
//! Nothing is appended to the log for it; the times alone say it, so that a late fact or another definition can
//! still change it.
//!
//! Invariant: what is due at an instant has taken effect before a fact of that instant is looked at.

use crate::{
    agent::{
        slot::Phase,
        state::{AgentState, ClockSpans, Session},
    },
    ids::{ContactId, LegId, Name},
    time::Micros,
};

/// Something that ends by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due<N = Name> {
    /// The timer of the queue ends this leg's after-call work.
    AfterCallEnds {
        /// When.
        at: Micros,
        /// The contact.
        contact: ContactId<N>,
        /// The leg.
        leg: LegId<N>,
    },
    /// The lost connection did not come back in time: the agent counts as signed out.
    LostGraceEnds {
        /// When.
        at: Micros,
    },
}

impl<N> Due<N> {
    /// When.
    pub fn at(&self) -> Micros {
        match self {
            Self::AfterCallEnds { at, .. } | Self::LostGraceEnds { at } => *at,
        }
    }
}

/// What comes due next if no fact comes before it.
pub fn next_due<N: Clone + Eq>(state: &AgentState<N>) -> Option<Due<N>> {
    let work = state.slots.iter().filter_map(|slot| Some((slot.work_due()?, slot)));
    let work = work.min_by_key(|(at, _)| *at).map(|(at, slot)| Due::AfterCallEnds {
        at,
        contact: slot.contact.clone(),
        leg: slot.leg.clone(),
    });
    let grace = match state.session {
        Session::Lost { until } => Some(Due::LostGraceEnds { at: until }),
        Session::SignedOut | Session::SignedIn => None,
    };
    match (work, grace) {
        (Some(work), Some(grace)) if grace.at() < work.at() => Some(grace),
        (work, grace) => work.or(grace),
    }
}

/// What has come due by `now` and has not taken effect yet; the earliest first.
pub fn due<N: Clone + Eq>(state: &AgentState<N>, now: Micros) -> Option<Due<N>> {
    next_due(state).filter(|due| due.at() <= now)
}

impl<N: Clone + Eq> AgentState<N> {
    /// Lets everything that is due by `now` take effect, each at its own instant; gives the clock spans that closed.
    pub fn advance(&mut self, now: Micros) -> ClockSpans<N> {
        let mut closed = ClockSpans::new();
        while let Some(due) = due(self, now) {
            let at = due.at().max(self.now);
            self.now = at;
            match due {
                Due::AfterCallEnds { contact, leg, .. } => self.end_work(&contact, &leg, at),
                Due::LostGraceEnds { .. } => {
                    self.sign_out(at);
                }
            }
            self.settle(at);
            self.tick(at, &mut closed);
        }
        closed
    }

    fn end_work(&mut self, contact: &ContactId<N>, leg: &LegId<N>, at: Micros) {
        let index = self.slots.iter().position(|slot| slot.leg == *leg && slot.contact == *contact);
        let Some((index, slot)) = index.and_then(|index| Some((index, self.slots.get_mut(index)?))) else {
            return;
        };
        slot.enter(Phase::Ended, at);
        self.put_away(index);
    }
}
