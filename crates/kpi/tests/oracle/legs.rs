//! What one leg of one agent came to: times, offers, the handle.
//!
//! Invariant: a handle's whole amount falls where it completes, after-call work that nobody had announced included; of
//! that work only what is over counts.

use pegcount_domain::{
    agent::Phase,
    envelope::Recorded,
    event::{Channel, Direction, Event, LegRef, LegStep, Party, TransferKind},
    ids::{Key, QueueId, ReasonCode},
    time::Micros,
};
use pegcount_kpi::Attribution;

use super::{
    About, Oracle, Said, Why,
    believed::{LegKey, is_assignment, of_leg},
    half,
};

/// What one leg came to.
#[derive(Clone, Debug)]
pub struct LegStory {
    pub contact: Key,
    pub leg: Key,
    pub visit: Said,
    pub about: About,
    pub rang: i64,
    /// As of the instant asked about.
    pub answered_at: Option<Micros>,
    /// Whenever it was.
    pub ever_answered_at: Option<Micros>,
    pub completed_at: Option<Micros>,
    /// Talk, hold and after-call work that are over.
    pub handle: i64,
    pub transferred_to_queue: bool,
}

impl LegStory {
    /// Of several answers the smallest is the one that counts.
    pub fn rank(&self) -> (Option<Micros>, u64, u64) {
        let contact = half(self.contact).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
        let leg = (contact ^ half(self.leg)).max(1);
        (self.answered_at, leg, self.about.agent.map_or(0, half))
    }
}

/// A leg and what is said of it and of its agent.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    pub agent: Said,
    pub key: LegKey,
    pub facts: &'a [Recorded],
    pub believed: &'a [(Event<Key>, Micros)],
}

/// From, to, phase, whether it is over.
type Spans = [(Micros, Micros, Phase, bool)];

impl Told<'_> {
    fn first<T>(&self, said: impl Fn(&LegRef<Key>) -> Option<T>) -> Option<T> {
        self.facts.iter().filter_map(|fact| of_leg(&fact.event, self.key)).find_map(said)
    }

    /// The code of the channel, as first said.
    pub fn channel(&self) -> u8 {
        self.first(|leg| leg.channel).map_or(0, Channel::code)
    }

    fn about(&self) -> About {
        About {
            agent: self.agent,
            queue: self.first(|leg| leg.queue).map(|queue| queue.0),
            channel: self.channel(),
            direction: self.first(|leg| leg.direction).map_or(0, Direction::code),
            ..About::default()
        }
    }

    fn steps(&self, as_of: Micros) -> Vec<LegStep<Key>> {
        let by_now = self.believed.iter().filter(|(_, at)| *at <= as_of);
        by_now
            .filter_map(|(event, _)| match event {
                Event::Leg { step, .. } if of_leg(event, self.key).is_some() => Some(*step),
                _ => None,
            })
            .collect()
    }
}

impl Oracle {
    /// A leg from its phases, and from what is said of it.
    pub fn leg(&mut self, told: &Told, phases: &[(Micros, Phase)]) -> LegStory {
        let about = told.about();
        let end = |next: usize| phases.get(next).map_or(self.as_of, |next| next.0);
        let spans: Vec<_> =
            (0..phases.len()).map(|i| (phases[i].0, end(i + 1), phases[i].1, i + 1 < phases.len())).collect();
        for (from, to, phase, _) in &spans {
            if let Some(column) = time_column(*phase) {
                self.span(column, about, *from, *to);
            }
        }
        self.offers(about, phases, told);
        let completed_at = completed_at(&spans);
        let answered_at =
            spans.iter().find(|(_, _, phase, _)| phase.is_conversation()).map(|(from, ..)| *from);
        let transfers = transfers(&told.steps(self.as_of));
        if let (Some(answered), Some(completed)) = (answered_at, completed_at) {
            self.handle(about, &spans, (answered, completed), told, &transfers);
        }
        let elsewhere = |to: &Option<QueueId<Key>>| to.is_some_and(|to| Some(to.0) != about.queue);
        LegStory {
            contact: told.key.0,
            leg: told.key.1,
            visit: told.first(|leg| leg.visit).map(|visit| visit.0),
            about: About { team: completed_at.and_then(|at| self.team(about.agent, at)), ..about },
            rang: rang(&spans),
            answered_at,
            ever_answered_at: answered_at,
            completed_at,
            handle: handle_time(&spans),
            transferred_to_queue: transfers.iter().any(|(_, to, _)| elsewhere(to)),
        }
    }

    fn offers(&mut self, about: About, phases: &[(Micros, Phase)], told: &Told) {
        let mut before = None;
        let mut assigned =
            told.believed.iter().find(|(event, _)| is_assignment(event, told.key)).map(|(_, at)| *at);
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
        spans: &Spans,
        (answered, completed): (Micros, Micros),
        told: &Told,
        transfers: &[Transfer],
    ) {
        let sum = |wanted: &dyn Fn(Phase) -> bool| -> i64 {
            let over = spans.iter().filter(|(_, _, phase, over)| *over && wanted(*phase));
            over.map(|(from, to, ..)| to.0 - from.0).sum()
        };
        let count = |wanted: Phase| {
            i64::try_from(spans.iter().filter(|(_, _, phase, _)| *phase == wanted).count()).unwrap()
        };
        let talk = sum(&|phase| matches!(phase, Phase::Talking | Phase::Consulting | Phase::Conferenced));
        let formula = self.formula(answered);
        let about = About { version: formula.number, ..about };
        let by = told.steps(self.as_of).into_iter().find_map(|step| match step {
            LegStep::Ended { by, .. } => by,
            _ => None,
        });
        let amounts = [
            ("handled", 1),
            ("handled_inbound", i64::from(about.direction == Direction::Inbound.code())),
            ("handle_talk", talk),
            ("handle_hold", sum(&|phase| phase == Phase::Held)),
            ("handle_acw", sum(&|phase| phase == Phase::AfterCall)),
            ("holds", count(Phase::Held)),
            ("consults", count(Phase::Consulting)),
            ("conferences", count(Phase::Conferenced)),
            ("ended_by_agent", i64::from(by == Some(Party::Agent))),
            ("short_handles", i64::from(talk <= formula.rules.short_handle.0)),
        ];
        if let Some(agent) = about.agent.filter(|_| about.direction == Direction::Inbound.code()) {
            self.deeds.entry(agent).or_default().inbound.push(completed);
        }
        for (attribution, at) in
            [(Attribution::Event, completed), (Attribution::End, completed), (Attribution::Start, answered)]
        {
            let about = About { team: self.team(about.agent, at), ..about };
            for (column, amount) in amounts {
                self.at(at, Some(attribution), column, about, amount);
            }
            if let Some((kind, _, reason)) = transfers.first() {
                let column = match kind {
                    TransferKind::Cold => "transfers_out_cold",
                    TransferKind::Warm => "transfers_out_warm",
                };
                let why = reason.map_or(Why::Unsaid, |reason| Why::Reason(reason.0));
                self.at(at, Some(attribution), column, About { why, ..about }, 1);
            }
        }
    }
}

/// The end of the last conversation; if work followed it at once, the end of the last work.
fn completed_at(spans: &Spans) -> Option<Micros> {
    let last_talk = spans.iter().rposition(|(_, _, phase, _)| phase.is_conversation())?;
    let after = spans.get(last_talk + 1)?;
    if after.2 != Phase::AfterCall {
        return Some(after.0);
    }
    let is_work = |phase: Phase| matches!(phase, Phase::AfterCall | Phase::Suspended);
    let last_work = spans.iter().rposition(|(_, _, phase, _)| is_work(*phase))?;
    spans.get(last_work + 1).map(|(from, ..)| *from)
}

/// The transfers of a leg that had begun.
/// Cold or warm, to which queue, why.
type Transfer = (TransferKind, Option<QueueId<Key>>, Option<ReasonCode<Key>>);

fn transfers(steps: &[LegStep<Key>]) -> Vec<Transfer> {
    let begun = steps.iter().position(|step| !matches!(step, LegStep::Transferred { .. }));
    let after = begun.map_or(&[][..], |begun| &steps[begun..]);
    let transfer = |step: &LegStep<Key>| match step {
        LegStep::Transferred { kind, to_queue, reason, .. } => Some((*kind, *to_queue, *reason)),
        _ => None,
    };
    after.iter().filter_map(transfer).collect()
}

/// Talk, hold and after-call work that are over.
fn handle_time(spans: &Spans) -> i64 {
    let counts = |phase: Phase| {
        matches!(
            phase,
            Phase::Talking | Phase::Consulting | Phase::Conferenced | Phase::Held | Phase::AfterCall
        )
    };
    let over = spans.iter().filter(|(_, _, phase, over)| *over && counts(*phase));
    over.map(|(from, to, ..)| to.0 - from.0).sum()
}

/// How long it rang before the first answer, since it was last offered.
fn rang(spans: &Spans) -> i64 {
    let answer = spans.iter().position(|(_, _, phase, _)| phase.is_conversation()).unwrap_or(spans.len());
    // A leg offered again after it came to nothing begins another round.
    let begins = |i: &usize| *i > 0 && spans[*i].2.is_offer() && spans[*i - 1].2.is_over();
    let round = (0..answer).rev().find(begins).unwrap_or(0);
    let ringing = spans[round..answer].iter().filter(|(_, _, phase, _)| *phase == Phase::Ringing);
    ringing.map(|(from, to, ..)| to.0 - from.0).sum()
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
