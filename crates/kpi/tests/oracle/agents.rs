//! Agents, instant by instant, through the domain's state machine.
//!
//! Invariant: an exchange's fact that names an agent is that agent's; one that names none is the agent's whom the
//! earliest fact of the leg names; if none does, the leg is nobody's.

use std::collections::{BTreeMap, BTreeSet};

use pegcount_domain::{
    agent::{AgentState, ClockState, Phase, ReservedReasons, Session, SitePolicies, Standing, due::next_due},
    envelope::{Recorded, StreamKind},
    event::Event,
    ids::{AgentId, Key, ReasonCode},
    time::Micros,
};

use super::{
    About, Oracle, Said, Why,
    believed::{LegKey, believed, leg_key},
    legs::{LegStory, Told},
};

impl Oracle {
    pub fn agents(&mut self) -> Vec<LegStory> {
        let mut units: BTreeMap<(Said, Said), Vec<Recorded>> = BTreeMap::new();
        let named = self.agents_named();
        for fact in &self.history {
            if let Some(unit) = unit_of(fact, &named) {
                units.entry(unit).or_default().push(fact.clone());
            }
        }
        units.into_iter().flat_map(|((agent, _), facts)| self.agent(agent, &facts)).collect()
    }

    /// For each leg the agent that the earliest fact of it names.
    fn agents_named(&self) -> BTreeMap<LegKey, Key> {
        let mut named = BTreeMap::new();
        for fact in &self.history {
            if let (Some(key), Some(agent)) = (leg_key(&fact.event), agent_of(fact)) {
                named.entry(key).or_insert(agent);
            }
        }
        named
    }

    fn agent(&mut self, agent: Said, facts: &[Recorded]) -> Vec<LegStory> {
        let believed = believed(facts, &self.definitions);
        let play = self.play(agent, &believed, self.as_of);
        let later = believed.iter().any(|(_, at)| *at > self.as_of);
        let ever = later.then(|| self.play(agent, &believed, Micros(i64::MAX - 1)));
        let own = About { agent, ..About::default() };
        for (at, reason) in &play.away {
            let about = About { team: self.team(agent, *at), why: why(*reason), ..own };
            self.at(*at, None, "away_count", about, 1);
        }
        let counts = [("sign_ins", &play.sign_ins), ("phone_keys", &play.phone_keys)];
        for (column, instants) in counts {
            for at in instants {
                let team = self.team(agent, *at);
                self.at(*at, None, column, About { team, ..own }, 1);
            }
        }
        if let Some(agent) = agent {
            let deeds = self.deeds.entry(agent).or_default();
            deeds.sign_ins.clone_from(&play.sign_ins);
            deeds.went = play.away.iter().map(|(at, reason)| (*at, why(*reason))).collect();
            self.clock(own, &play.clock);
            let gauge = |(at, clock): &(Micros, Option<ClockState<Key>>)| (*at, clock.and_then(gauge));
            self.clocks.push((agent, play.clock.iter().map(gauge).collect()));
        }
        let told: BTreeSet<LegKey> = facts.iter().filter_map(|fact| leg_key(&fact.event)).collect();
        let ever = ever.as_ref().unwrap_or(&play);
        let phases = |play: &Play, key: &LegKey| play.legs.get(key).cloned().unwrap_or_default();
        if agent.is_some() {
            let taking = |key: &LegKey| {
                let channel = Told { agent, key: *key, facts, believed: &believed }.channel();
                (channel, phases(&play, key))
            };
            let taking: Vec<_> = told.iter().map(taking).collect();
            self.slots(own, &play.clock, &taking);
        }
        told.iter()
            .map(|key| {
                let told = Told { agent, key: *key, facts, believed: &believed };
                let story = self.leg(&told, &phases(&play, key));
                let first =
                    phases(ever, key).iter().find(|(_, phase)| phase.is_conversation()).map(|(at, _)| *at);
                LegStory { ever_answered_at: first, ..story }
            })
            .collect()
    }

    fn play(&self, agent: Said, believed: &[(Event<Key>, Micros)], until: Micros) -> Play {
        let mut play = Play::default();
        let mut state = AgentState::new(AgentId(agent.unwrap_or_default()));
        let reserved = ReservedReasons::named(|text| Key::of(text, 99));
        let policies = SitePolicies { definitions: &self.definitions, reserved: &reserved };
        for (event, at) in believed.iter().filter(|(_, at)| *at <= until) {
            while let Some(due) = next_due(&state).filter(|due| due.at() <= *at) {
                state.advance(due.at());
                play.look(&state, due.at());
            }
            if matches!(event, Event::SignedIn) && state.session() != Session::SignedIn {
                play.sign_ins.push(*at);
            }
            state.apply(event, *at, &policies);
            play.look(&state, *at);
            if matches!(event, Event::KeyPressed { .. }) {
                play.phone_keys.push(*at);
            }
        }
        while let Some(due) = next_due(&state).filter(|due| due.at() <= until) {
            state.advance(due.at());
            play.look(&state, due.at());
        }
        play
    }

    fn clock(&mut self, own: About, changes: &[(Micros, Option<ClockState<Key>>)]) {
        for (index, (from, clock)) in changes.iter().enumerate() {
            let to = changes.get(index + 1).map_or(self.as_of, |(at, _)| *at);
            let column = match clock {
                None => continue,
                Some(ClockState::Unsigned) => "unsigned_clock",
                Some(ClockState::Occupied) => "occupied_clock",
                Some(ClockState::Lost) => "lost_clock",
                Some(ClockState::Ringing) => "ringing_clock",
                Some(ClockState::Dialing) => "dialing_clock",
                Some(ClockState::Away(_)) => "away_clock",
                Some(ClockState::Ready) => "ready_clock",
            };
            let why = match clock {
                Some(ClockState::Away(reason)) => why(*reason),
                _ => Why::Unsaid,
            };
            self.span(column, About { why, ..own }, *from, to);
            if column != "unsigned_clock" {
                self.span("signed_in_clock", own, *from, to);
                let away = (column == "away_clock").then_some(why);
                let deeds = self.deeds.entry(own.agent.unwrap()).or_default();
                deeds.signed_in.push((*from, to, away, column == "lost_clock"));
            }
        }
    }
}

/// The gauge of a signed-in agent's state.
fn gauge(clock: ClockState<Key>) -> Option<&'static str> {
    Some(match clock {
        ClockState::Unsigned => return None,
        ClockState::Occupied => "agents_occupied",
        ClockState::Lost => "agents_lost",
        ClockState::Ringing => "agents_ringing",
        ClockState::Dialing => "agents_dialing",
        ClockState::Away(_) => "agents_away",
        ClockState::Ready => "agents_ready",
    })
}

/// The agent whom a fact of a leg names: a softphone's its own, its task included, an exchange's what it says.
fn agent_of(fact: &Recorded) -> Said {
    match (&fact.event, fact.stream.kind) {
        (_, StreamKind::Agent) => Some(fact.stream.id),
        (Event::Leg { leg, .. }, _) => leg.agent.map(|agent| agent.0),
        _ => None,
    }
}

/// The agent whose fact it is; for legs of nobody known, the contact.
fn unit_of(fact: &Recorded, named: &BTreeMap<LegKey, Key>) -> Option<(Said, Said)> {
    match (&fact.event, fact.stream.kind) {
        (Event::Leg { leg, .. }, StreamKind::Contact) => {
            let key = (leg.contact.0, leg.leg.0);
            let agent = agent_of(fact).or_else(|| named.get(&key).copied());
            Some((agent, agent.is_none().then_some(leg.contact.0)))
        }
        (_, StreamKind::Agent) => Some((Some(fact.stream.id), None)),
        _ => None,
    }
}

/// The machine gives two reasons by itself.
const MACHINE: [&str; 2] = ["signed_in", "rona"];

fn why(reason: ReasonCode<Key>) -> Why {
    let machine = MACHINE.into_iter().find(|text| Key::of(text, 99) == reason.0);
    machine.map_or(Why::Reason(reason.0), Why::Word)
}

fn is_asked_for(reason: ReasonCode<Key>) -> bool {
    matches!(why(reason), Why::Reason(_))
}

/// What is looked at after each instant.
#[derive(Default)]
struct Play {
    clock: Vec<(Micros, Option<ClockState<Key>>)>,
    legs: BTreeMap<LegKey, Vec<(Micros, Phase)>>,
    standing: Option<ReasonCode<Key>>,
    sign_ins: Vec<Micros>,
    away: Vec<(Micros, ReasonCode<Key>)>,
    phone_keys: Vec<Micros>,
}

impl Play {
    fn look(&mut self, state: &AgentState<Key>, at: Micros) {
        let clock = state.clock_state().copied();
        if self.clock.last().map(|(_, last)| last) != Some(&clock) {
            self.clock.push((at, clock));
        }
        for slot in state.slots().iter().chain(state.over()) {
            let phases = self.legs.entry((slot.contact.0, slot.leg.0)).or_default();
            if phases.last().map(|(_, last)| *last) != Some(slot.phase) {
                phases.push((at, slot.phase));
            }
        }
        let standing = match state.standing() {
            Some(Standing::Away(reason)) => Some(*reason),
            _ => None,
        };
        if let Some(reason) = standing.filter(|reason| standing != self.standing && is_asked_for(*reason)) {
            self.away.push((at, reason));
        }
        self.standing = standing;
    }
}
