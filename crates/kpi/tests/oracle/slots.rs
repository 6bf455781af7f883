//! Slots beyond the first, instant by instant: between any two changes of anything, how many there were and were taken.

use std::collections::BTreeSet;

use pegcount_domain::{
    agent::{ClockState, Phase},
    event::Channel,
    ids::{AgentId, Key},
    time::Micros,
};

use super::{About, Oracle};

/// A leg's channel and its phases from each instant on.
pub type Taking = (u8, Vec<(Micros, Phase)>);

impl Oracle {
    /// `clock` says the agent's state from each instant on.
    pub fn slots(&mut self, own: About, clock: &[(Micros, Option<ClockState<Key>>)], legs: &[Taking]) {
        let agent = AgentId(own.agent.unwrap_or_default());
        let mut cuts: BTreeSet<Micros> = clock.iter().map(|(at, _)| *at).collect();
        cuts.extend(legs.iter().flat_map(|(_, phases)| phases.iter().map(|(at, _)| *at)));
        cuts.extend(self.definitions.agents().map(|defined| defined.valid_from));
        cuts.insert(self.as_of);
        let cuts: Vec<Micros> = cuts.into_iter().filter(|at| *at <= self.as_of).collect();
        for pair in cuts.windows(2) {
            let state = clock.iter().rev().find(|(at, _)| *at <= pair[0]).and_then(|(_, state)| *state);
            let available = matches!(
                state,
                Some(ClockState::Occupied | ClockState::Ringing | ClockState::Dialing | ClockState::Ready)
            );
            if !available {
                continue;
            }
            let slots = i64::from(self.definitions.chat_slots_at(&agent, pair[0]));
            for _ in 1..slots {
                self.span("extra_slots_time", own, pair[0], pair[1]);
            }
            if state != Some(ClockState::Occupied) {
                continue;
            }
            let taking: Vec<u8> = legs
                .iter()
                .filter(|(_, phases)| {
                    let phase = phases.iter().rev().find(|(at, _)| *at <= pair[0]);
                    phase.is_some_and(|(_, phase)| phase.occupies())
                })
                .map(|(channel, _)| *channel)
                .collect();
            let call = |channel: &u8| *channel == 0 || *channel == Channel::Voice.code();
            let taken = if taking.iter().any(call) { slots } else { i64::try_from(taking.len()).unwrap() };
            for _ in 1..taken.min(slots) {
                self.span("extra_slots_busy_time", own, pair[0], pair[1]);
            }
        }
    }
}
