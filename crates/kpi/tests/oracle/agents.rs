//! Agents, instant by instant, through the domain's state machine.

use std::collections::{BTreeMap, BTreeSet};

use pegcount_domain::{
    agent::{AgentState, ClockState, Phase, ReservedReasons, Session, SitePolicies, Standing, due::next_due},
    envelope::{Recorded, StreamKind},
    event::{Channel, Direction, Event, LegRef, LegStep, Party, TransferKind},
    ids::{AgentId, Key, ReasonCode},
    time::Micros,
};
use pegcount_kpi::Attribution;

use super::{About, Oracle, Said};

/// What one leg came to.
#[derive(Clone, Debug)]
pub struct LegStory {
    pub contact: Key,
    pub visit: Said,
    pub about: About,
    pub rang: i64,
    pub answered_at: Option<Micros>,
    pub completed_at: Option<Micros>,
    pub transferred_to_queue: bool,
}

type LegKey = (Key, Key);

impl Oracle {
    pub fn agents(&mut self) -> Vec<LegStory> {
        let mut units: BTreeMap<(Said, Said), Vec<Recorded>> = BTreeMap::new();
        for fact in self.history.clone() {
            if let Some(unit) = self.unit_of(&fact) {
                units.entry(unit).or_default().push(fact);
            }
        }
        let units: Vec<_> = units.into_iter().collect();
        units.into_iter().flat_map(|((agent, _), facts)| self.agent(agent, &facts)).collect()
    }

    /// The agent whose fact it is; for legs of nobody known, the contact.
    fn unit_of(&self, fact: &Recorded) -> Option<(Said, Said)> {
        match (&fact.event, fact.stream.kind) {
            (Event::Leg { leg, .. }, StreamKind::Contact) => {
                let named = leg.agent.map(|agent| agent.0).or_else(|| self.agent_named_for(leg));
                Some((named, named.is_none().then_some(leg.contact.0)))
            }
            (_, StreamKind::Agent) => Some((Some(fact.stream.id), None)),
            _ => None,
        }
    }

    fn agent_named_for(&self, leg: &LegRef<Key>) -> Said {
        self.history.iter().find_map(|fact| match (&fact.event, fact.stream.kind) {
            (Event::Leg { leg: other, .. }, kind) if other.leg == leg.leg && other.contact == leg.contact => {
                if kind == StreamKind::Agent {
                    Some(fact.stream.id)
                } else {
                    other.agent.map(|agent| agent.0)
                }
            }
            _ => None,
        })
    }

    fn agent(&mut self, agent: Said, facts: &[Recorded]) -> Vec<LegStory> {
        let believed = believed(facts);
        let as_of = self.as_of;
        let mut play = Play::default();
        let mut state = AgentState::new(AgentId(agent.unwrap_or_default()));
        let reserved = ReservedReasons::named(|text| Key::of(text, 99));
        let definitions = self.definitions.clone();
        let policies = SitePolicies { definitions: &definitions, reserved: &reserved };
        let own = About { agent, ..About::default() };
        for (event, at) in believed.iter().filter(|(_, at)| *at <= as_of) {
            while let Some(due) = next_due(&state).filter(|due| due.at() <= *at) {
                state.advance(due.at());
                play.look(&state, due.at());
            }
            if matches!(event, Event::SignedIn) && state.session() != Session::SignedIn {
                play.sign_ins.push(*at);
            }
            state.apply(event, *at, &policies);
            play.look(&state, *at);
            let team = self.team(agent, *at);
            if matches!(event, Event::KeyPressed { .. }) {
                self.at(*at, None, "phone_keys", About { team, ..own }, 1);
            }
        }
        while let Some(due) = next_due(&state).filter(|due| due.at() <= as_of) {
            state.advance(due.at());
            play.look(&state, due.at());
        }
        for at in &play.away {
            let team = self.team(agent, *at);
            self.at(*at, None, "away_count", About { team, ..own }, 1);
        }
        for at in &play.sign_ins {
            let team = self.team(agent, *at);
            self.at(*at, None, "sign_ins", About { team, ..own }, 1);
        }
        if agent.is_some() {
            self.clock(own, &play.clock);
        }
        let legs: Vec<_> = play.legs.iter().map(|(key, phases)| (*key, phases.clone())).collect();
        let mut told: BTreeSet<LegKey> = legs.iter().map(|(key, _)| *key).collect();
        let mut stories: Vec<_> =
            legs.into_iter().map(|(key, phases)| self.leg(agent, key, &phases, facts, &believed)).collect();
        for fact in facts {
            if let Some(key) = leg_key(&fact.event).filter(|key| told.insert(*key)) {
                stories.push(self.leg(agent, key, &[], facts, &believed));
            }
        }
        stories
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
            self.span(column, own, *from, to);
            if column != "unsigned_clock" {
                self.span("signed_in_clock", own, *from, to);
            }
        }
    }

    /// A leg from its phases, and from what is said of it.
    fn leg(
        &mut self,
        agent: Said,
        key: LegKey,
        phases: &[(Micros, Phase)],
        facts: &[Recorded],
        believed: &[(Event<Key>, Micros)],
    ) -> LegStory {
        let said: Vec<&LegRef<Key>> = facts.iter().filter_map(|fact| of_leg(&fact.event, key)).collect();
        let about = About {
            agent,
            queue: said.iter().find_map(|leg| leg.queue).map(|queue| queue.0),
            channel: said.iter().find_map(|leg| leg.channel).map_or(0, Channel::code),
            direction: said.iter().find_map(|leg| leg.direction).map_or(0, Direction::code),
            ..About::default()
        };
        let end = self.as_of;
        let spans: Vec<(Micros, Micros, Phase)> = (0..phases.len())
            .map(|i| (phases[i].0, phases.get(i + 1).map_or(end, |next| next.0), phases[i].1))
            .collect();
        for (from, to, phase) in &spans {
            if let Some(column) = time_column(*phase) {
                self.span(column, about, *from, *to);
            }
        }
        self.offers(about, phases, believed, key);
        self.handle(about, &spans, believed, key, said.iter().find_map(|leg| leg.visit).map(|visit| visit.0))
    }

    fn offers(
        &mut self,
        about: About,
        phases: &[(Micros, Phase)],
        believed: &[(Event<Key>, Micros)],
        key: LegKey,
    ) {
        let mut before = None;
        let mut assigned = believed.iter().find(|(event, _)| is_assignment(event, key)).map(|(_, at)| *at);
        for (at, phase) in phases {
            let about = About { team: self.team(about.agent, *at), ..about };
            let from_offer = matches!(before, Some(Phase::Offered | Phase::Ringing));
            let unannounced = before.is_none()
                && about.direction != Direction::Outbound.code()
                && !matches!(phase, Phase::AfterCall | Phase::Ended);
            if *phase == Phase::Dialing {
                self.at(*at, None, "outbound_dials", about, 1);
                if let Some(assigned) = assigned.filter(|assigned| assigned <= at) {
                    self.at(*at, None, "dial_delay", about, at.0 - assigned.0);
                }
                assigned = assigned.filter(|assigned| assigned > at);
            } else if !phase.is_offer() {
                if before == Some(Phase::Dialing) && phase.is_conversation() {
                    self.at(*at, None, "outbound_connected", about, 1);
                }
                if from_offer || unannounced {
                    self.at(*at, None, "offers", about, 1);
                    match phase {
                        Phase::Missed => self.at(*at, None, "offers_missed", about, 1),
                        Phase::Rejected => self.at(*at, None, "offers_rejected", about, 1),
                        Phase::CustomerGone => self.at(*at, None, "offers_customer_gone", about, 1),
                        _ => {}
                    }
                }
            }
            before = Some(*phase);
        }
    }

    fn handle(
        &mut self,
        about: About,
        spans: &[(Micros, Micros, Phase)],
        believed: &[(Event<Key>, Micros)],
        key: LegKey,
        visit: Said,
    ) -> LegStory {
        let sum = |wanted: &dyn Fn(Phase) -> bool| -> i64 {
            spans.iter().filter(|(_, _, phase)| wanted(*phase)).map(|(from, to, _)| to.0 - from.0).sum()
        };
        let count = |wanted: Phase| {
            i64::try_from(spans.iter().filter(|(_, _, phase)| *phase == wanted).count()).unwrap()
        };
        let talk = sum(&|phase| matches!(phase, Phase::Talking | Phase::Consulting | Phase::Conferenced));
        let hold = sum(&|phase| phase == Phase::Held);
        let work = sum(&|phase| phase == Phase::AfterCall);
        let answered_at = spans.iter().find(|(_, _, phase)| phase.is_conversation()).map(|(from, ..)| *from);
        // The end of the last conversation, whether work followed at once, and the end of the last work.
        let last_talk = spans.iter().rposition(|(_, _, phase)| phase.is_conversation());
        let after = last_talk.and_then(|last| spans.get(last + 1));
        let announced = after.is_some_and(|(_, _, phase)| *phase == Phase::AfterCall);
        let is_work = |phase: Phase| matches!(phase, Phase::AfterCall | Phase::Suspended);
        let last_work = spans.iter().rposition(|(_, _, phase)| is_work(*phase));
        let worked_until = last_work.and_then(|last| spans.get(last + 1)).map(|(from, ..)| *from);
        let completed_at = if announced { worked_until } else { after.map(|(from, ..)| *from) };
        let own = || believed.iter().filter(|(event, at)| *at <= self.as_of && of_leg(event, key).is_some());
        let steps = || {
            own().filter_map(|(event, at)| match event {
                Event::Leg { step, .. } => Some((*step, *at)),
                _ => None,
            })
        };
        let by = steps().find_map(|(step, _)| match step {
            LegStep::Ended { by, .. } => by,
            _ => None,
        });
        let begun = steps().position(|(step, _)| !matches!(step, LegStep::Transferred { .. }));
        let transfers: Vec<_> = steps()
            .enumerate()
            .filter(|(index, _)| begun.is_some_and(|begun| *index > begun))
            .filter_map(|(_, (step, _))| match step {
                LegStep::Transferred { kind, to_queue, .. } => Some((kind, to_queue.is_some())),
                _ => None,
            })
            .collect();
        let transfer = transfers.first().map(|(kind, _)| *kind);
        if let (Some(answered), Some(completed)) = (answered_at, completed_at) {
            let instants = [
                (Attribution::Event, completed),
                (Attribution::End, completed),
                (Attribution::Start, answered),
            ];
            for (attribution, at) in instants {
                let about = About { team: self.team(about.agent, at), ..about };
                let mut put = |column, amount| self.at(at, Some(attribution), column, about, amount);
                put("handled", 1);
                put("handle_talk", talk);
                put("handle_hold", hold);
                put("handle_acw", if announced { work } else { 0 });
                put("holds", count(Phase::Held));
                put("consults", count(Phase::Consulting));
                put("conferences", count(Phase::Conferenced));
                put("transfers_out_cold", i64::from(transfer == Some(TransferKind::Cold)));
                put("transfers_out_warm", i64::from(transfer == Some(TransferKind::Warm)));
                put("ended_by_agent", i64::from(by == Some(Party::Agent)));
                put("short_handles", i64::from(talk <= 10_000_000));
            }
            if let (false, Some(worked)) = (announced, worked_until) {
                for (attribution, at) in
                    [(Attribution::Event, worked), (Attribution::End, worked), (Attribution::Start, answered)]
                {
                    let about = About { team: self.team(about.agent, at), ..about };
                    self.at(at, Some(attribution), "handle_acw", about, work);
                }
            }
        }
        let answer = spans.iter().position(|(_, _, phase)| phase.is_conversation()).unwrap_or(spans.len());
        // A leg offered again after it came to nothing begins another round.
        let begins = |i: &usize| *i > 0 && spans[*i].2.is_offer() && spans[*i - 1].2.is_over();
        let round = (0..answer).rev().find(begins).unwrap_or(0);
        let before_answer =
            spans[round..answer].iter().enumerate().filter(|(_, (_, _, phase))| *phase == Phase::Ringing);
        LegStory {
            contact: key.0,
            visit,
            about: About { team: completed_at.and_then(|at| self.team(about.agent, at)), ..about },
            rang: before_answer.map(|(_, (from, to, _))| to.0 - from.0).sum(),
            answered_at,
            completed_at,
            transferred_to_queue: transfers.iter().any(|(_, to_queue)| *to_queue),
        }
    }
}

/// What is looked at after each instant.
#[derive(Default)]
struct Play {
    clock: Vec<(Micros, Option<ClockState<Key>>)>,
    legs: BTreeMap<LegKey, Vec<(Micros, Phase)>>,
    standing: Option<ReasonCode<Key>>,
    sign_ins: Vec<Micros>,
    away: Vec<Micros>,
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
        let machine =
            |reason: &ReasonCode<Key>| [Key::of("signed_in", 99), Key::of("rona", 99)].contains(&reason.0);
        let standing = match state.standing() {
            Some(Standing::Away(reason)) => Some(*reason),
            _ => None,
        };
        if standing != self.standing && standing.as_ref().is_some_and(|reason| !machine(reason)) {
            self.away.push(at);
        }
        self.standing = standing;
    }
}

fn time_column(phase: Phase) -> Option<&'static str> {
    Some(match phase {
        Phase::Ringing => "ring_time",
        Phase::Dialing => "dial_time",
        Phase::Talking => "talk_time",
        Phase::Held => "hold_time",
        Phase::Consulting => "consult_time",
        Phase::Conferenced => "conference_time",
        Phase::Interrupted => "interrupted_time",
        Phase::AfterCall => "acw_time",
        _ => return None,
    })
}

fn leg_key(event: &Event<Key>) -> Option<LegKey> {
    match event {
        Event::Leg { leg, .. } => Some((leg.contact.0, leg.leg.0)),
        Event::OutboundAssigned { contact, leg } => Some((contact.0, leg.0)),
        _ => None,
    }
}

fn of_leg(event: &Event<Key>, key: LegKey) -> Option<&LegRef<Key>> {
    match event {
        Event::Leg { leg, .. } if (leg.contact.0, leg.leg.0) == key => Some(leg),
        _ => None,
    }
}

fn is_assignment(event: &Event<Key>, key: LegKey) -> bool {
    matches!(event, Event::OutboundAssigned { .. }) && leg_key(event) == Some(key)
}

/// A field of a leg's reports.
fn field(step: &LegStep<Key>) -> u8 {
    match step {
        LegStep::Offered => 1,
        LegStep::Ringing => 2,
        LegStep::Dialing => 3,
        LegStep::Answered => 4,
        LegStep::Held
        | LegStep::Retrieved
        | LegStep::Consulting
        | LegStep::Conferenced
        | LegStep::Interrupted => 5,
        LegStep::Transferred { .. } => 6,
        LegStep::Missed
        | LegStep::Rejected
        | LegStep::CustomerGone
        | LegStep::Failed
        | LegStep::Ended { .. } => 7,
        LegStep::AfterCallStarted | LegStep::AfterCallEnded => 8,
    }
}

/// Of two reporters of one leg, each field has one who is believed: the exchange, for after-call work the softphone.
fn believed(facts: &[Recorded]) -> Vec<(Event<Key>, Micros)> {
    let reports = |key: LegKey, kind: StreamKind, wanted: u8| {
        facts.iter().any(|fact| {
            fact.stream.kind == kind
                && matches!(&fact.event, Event::Leg { step, .. } if field(step) == wanted)
                && leg_key(&fact.event) == Some(key)
        })
    };
    let mut believed = Vec::new();
    for fact in facts {
        let mut event = fact.event.clone();
        if let Event::Leg { leg, step } = &mut event {
            let key = (leg.contact.0, leg.leg.0);
            let field = field(step);
            let other = match (field, fact.stream.kind) {
                (8, StreamKind::Contact) => reports(key, StreamKind::Agent, 8),
                (8, _) | (_, StreamKind::Contact) => false,
                _ => reports(key, StreamKind::Contact, field),
            };
            if other {
                continue;
            }
            if let LegStep::Ended { after_call_expected, .. } = step {
                let phone = facts.iter().rev().find_map(|fact| match &fact.event {
                    Event::Leg { step: LegStep::Ended { after_call_expected, .. }, .. }
                        if fact.stream.kind == StreamKind::Agent && leg_key(&fact.event) == Some(key) =>
                    {
                        Some(*after_call_expected)
                    }
                    _ => None,
                });
                *after_call_expected = phone.unwrap_or(*after_call_expected);
            }
        }
        believed.push((event, fact.occurred_at));
    }
    believed
}
