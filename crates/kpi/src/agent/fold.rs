//! The fold of one agent: from a quiet point and the facts after it to contributions.
//!
//! Pure, and the same rules as the live state machine of the domain: the same table, the same pending intents, the
//! same ends by timer and grace. Invariant: facts come in the order of their stamps, and what comes due at an
//! instant takes effect before a fact of that instant.

use pegcount_domain::{
    agent::{Anomaly as AgentAnomaly, Phase, StepKind, transition::transition},
    event::{AfterCallEnd, AfterCallOnContact},
    time::Micros,
};
use smallvec::SmallVec;

use crate::{
    agent::{
        authority::confirms,
        clock::{Carried, Clock, Session, Standing},
        emit::{Output, Whose},
        leg::Leg,
        slots::{Loaded, emit_slots},
        standing::State,
        step::kind_of,
    },
    anomaly::AnomalyKind,
    cells::{Dims, Part},
    day::What,
    fact::{AgentBody, AgentFact, Intent, LegFact, Mark, Stamp, Step},
    measure::Measure,
};

/// How far a fold goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// Through all facts; spans still open are left to the next fold.
    QuietPoint,
    /// To an instant: later facts are joined, not counted, and open spans are clipped there.
    Instant(Micros),
}

/// Folds `facts` from `start`. None if a leg is still open at the end of a fold to a quiet point: then the output is
/// worthless.
pub(crate) fn fold(
    start: &Carried,
    facts: &[AgentFact],
    whose: &Whose<'_>,
    until: Until,
    out: &mut Output,
) -> Option<Carried> {
    out.pieces.begin();
    out.contributions.begin();
    let mut walk = Walk {
        any_disbelieved: false,
        whose,
        out,
        carried: *start,
        next: None,
        legs: SmallVec::new(),
        timers: 0,
        loaded: Loaded::default(),
    };
    let joined = walk.join(facts);
    for (fact, leg) in facts.iter().zip(&joined) {
        if matches!(until, Until::Instant(instant) if fact.stamp.at > instant) {
            if let Some(going_on) = &mut walk.out.going_on {
                going_on.ends(fact.stamp.at);
            }
            break;
        }
        walk.advance(fact.stamp.at);
        walk.take(fact, usize::from(*leg));
        walk.settle(fact.stamp.at);
    }
    match until {
        Until::QuietPoint => {
            if !walk.legs.iter().all(Leg::is_quiet) {
                return None;
            }
        }
        Until::Instant(instant) => walk.clip(instant),
    }
    for leg in &walk.legs {
        leg.finish(whose, walk.out);
    }
    if walk.any_disbelieved {
        walk.mark_differences(facts, &joined, until);
    }
    Some(walk.carried)
}

pub(super) struct Walk<'a> {
    pub(super) whose: &'a Whose<'a>,
    pub(super) out: &'a mut Output,
    pub(super) carried: Carried,
    /// What takes effect when the present contact is over.
    pub(super) next: Option<Intent>,
    pub(super) legs: SmallVec<[Leg; 4]>,
    /// How many legs have after-call work that a timer ends.
    timers: usize,
    pub(super) loaded: Loaded,
    /// Whether a report was met that is not believed.
    any_disbelieved: bool,
}

impl Walk<'_> {
    /// Gathers the legs and all that is ever said of them; gives each fact its leg's place.
    fn join(&mut self, facts: &[AgentFact]) -> SmallVec<[u16; 64]> {
        let mut marks: SmallVec<[Mark; 16]> = SmallVec::new();
        let mut joined = SmallVec::with_capacity(facts.len());
        for fact in facts {
            let Some(leg) = fact.leg() else {
                joined.push(u16::MAX);
                continue;
            };
            let index = marks.iter().rposition(|mark| *mark == leg.leg).unwrap_or_else(|| {
                marks.push(leg.leg);
                self.legs.push(Leg::new(leg, self.whose.reference.beliefs(fact.stamp.at)));
                marks.len() - 1
            });
            if let Some(known) = self.legs.get_mut(index) {
                known.learn(leg, fact.stamp.track);
            }
            joined.push(u16::try_from(index).unwrap_or(u16::MAX));
        }
        joined
    }

    fn take(&mut self, fact: &AgentFact, leg: usize) {
        let Stamp { at, .. } = fact.stamp;
        let mark = match &fact.body {
            AgentBody::SignedIn => self.sign_in(at),
            AgentBody::SignedOut => self.sign_out(at),
            AgentBody::Ready => self.ask(Intent::Ready, at),
            AgentBody::NotReady(reason) => self.ask(Intent::Away(*reason), at),
            AgentBody::Set(Intent::SignedOut) => {
                self.end_legs(at, |_| true);
                self.sign_out(at)
            }
            AgentBody::Set(intent) | AgentBody::Next(intent) => self.ask(*intent, at),
            AgentBody::KeyPressed => {
                self.out.contributions.source(Part::Between, at, at);
                self.out.amount(self.whose, self.own(), Measure::PhoneKeys, at, 1);
                None
            }
            AgentBody::Lost => self.lose(at),
            AgentBody::Restored => self.restore(),
            AgentBody::Leg(step) => self.step(leg, step, fact.stamp),
        };
        if let Some(mark) = mark {
            self.out.mark(fact.stamp.position, AnomalyKind::Agent(mark));
        }
    }

    /// Marks the reports that are not believed and that no believed one of the same leg confirms.
    fn mark_differences(&mut self, facts: &[AgentFact], joined: &[u16], until: Until) {
        let counts = |fact: &AgentFact| !matches!(until, Until::Instant(instant) if fact.stamp.at > instant);
        let reports = || facts.iter().zip(joined).filter(|(fact, _)| counts(fact));
        for (fact, leg) in reports() {
            let (Some(said), Some(known)) = (fact.leg(), self.legs.get(usize::from(*leg))) else { continue };
            let Stamp { at, track, position, .. } = fact.stamp;
            if known.reports.believes(said.step, track) {
                continue;
            }
            let confirmed = reports().any(|(other, other_leg)| {
                let own = other.leg().filter(|_| other_leg == leg && other.stamp.track != track);
                own.is_some_and(|own| confirms((at, said.step), (other.stamp.at, own.step)))
            });
            if !confirmed {
                self.out.mark(position, AnomalyKind::ReportsDiffer);
            }
        }
    }

    pub(super) fn own(&self) -> Dims {
        Dims { agent: self.whose.agent, ..Dims::default() }
    }

    fn step(&mut self, index: usize, fact: &LegFact, stamp: Stamp) -> Option<AgentAnomaly> {
        let at = stamp.at;
        let leg = self.legs.get_mut(index)?;
        if !leg.reports.believes(fact.step, stamp.track) {
            self.any_disbelieved = true;
            leg.end_disbelieved |= matches!(fact.step, Step::Ended { .. });
            return None;
        }
        let kind = match fact.step {
            Step::Assigned => {
                leg.assign(at);
                return None;
            }
            Step::Ended { by, after_call } => {
                leg.ended_by = leg.ended_by.or(by);
                if leg.reports.after_call(after_call) { StepKind::EndedIntoWork } else { StepKind::Ended }
            }
            Step::Transferred { kind, to_queue, reason } => {
                if leg.phase.is_some() {
                    leg.transfer(kind, to_queue, reason);
                }
                StepKind::Transferred
            }
            other => kind_of(other),
        };
        let before = leg.phase;
        let moved = transition(before, kind);
        // Whoever tells of the work has told of the end before it; whoever is believed tells of that a moment later.
        let follows_its_end = kind == StepKind::AfterCallStarted && leg.end_disbelieved;
        let mark = moved.mark.filter(|_| !follows_its_end);
        let Some(to) = moved.to else { return mark };
        let refused = self.enter_step(index, before, to, at);
        if kind == StepKind::Missed && before.is_none_or(|phase| phase.is_offer() && phase != Phase::Dialing)
        {
            self.ring_no_answer(at);
        }
        mark.or(refused)
    }

    fn enter_step(
        &mut self,
        index: usize,
        before: Option<Phase>,
        to: Phase,
        at: Micros,
    ) -> Option<AgentAnomaly> {
        if to == Phase::AfterCall {
            let leg = self.legs.get_mut(index)?;
            let policy = self.whose.reference.after_call(leg.queue(), at);
            if policy.end == AfterCallEnd::None {
                self.enter(index, Phase::Ended, at);
                return Some(AgentAnomaly::AfterCallNotAllowed);
            }
            leg.work_limit = (policy.end == AfterCallEnd::ByTimer).then_some(policy.timer);
            if before != Some(Phase::Suspended) {
                leg.worked = Micros::ZERO;
            }
        }
        self.enter(index, to, at);
        if to.is_conversation() && !before.is_some_and(Phase::is_conversation) {
            self.interrupt_work(at);
        }
        None
    }

    /// A new contact ends or suspends the after-call work that is going on, as that work's queue says.
    fn interrupt_work(&mut self, at: Micros) {
        for index in 0..self.legs.len() {
            let Some(leg) = self.legs.get_mut(index).filter(|leg| leg.phase == Some(Phase::AfterCall)) else {
                continue;
            };
            match self.whose.reference.after_call(leg.queue(), at).on_contact {
                AfterCallOnContact::Suspends => {
                    leg.worked = leg.worked.plus(at.minus(leg.since));
                    self.enter(index, Phase::Suspended, at);
                }
                AfterCallOnContact::Ends => self.enter(index, Phase::Ended, at),
            }
        }
    }

    pub(super) fn phase(&self, index: usize) -> Option<Phase> {
        self.legs.get(index)?.phase
    }

    pub(super) fn enter(&mut self, index: usize, to: Phase, at: Micros) {
        let Some(leg) = self.legs.get_mut(index) else { return };
        let work = leg.phase == Some(Phase::AfterCall) || to == Phase::AfterCall;
        leg.enter(to, at, self.whose, self.out);
        if work {
            let timed = |leg: &&Leg| leg.phase == Some(Phase::AfterCall) && leg.work_limit.is_some();
            self.timers = self.legs.iter().filter(timed).count();
        }
    }

    pub(super) fn in_contact(&self) -> bool {
        self.legs.iter().any(|leg| leg.phase.is_some_and(Phase::occupies))
    }

    /// Once no contact is going on, suspended work goes on, and after the last of it the pending intent holds.
    fn settle(&mut self, at: Micros) {
        if !self.in_contact() {
            let suspended =
                self.legs.iter().enumerate().filter(|(_, leg)| leg.phase == Some(Phase::Suspended));
            if let Some((index, _)) = suspended.max_by_key(|(_, leg)| leg.since) {
                self.enter(index, Phase::AfterCall, at);
            } else if let Some(next) = self.next.take() {
                self.become_asked(next, at);
            }
        }
        self.tick(at);
    }

    /// Lets everything come due up to `to`, in order.
    fn advance(&mut self, to: Micros) {
        while let Some((at, due)) = self.due().filter(|(at, _)| *at <= to) {
            match due {
                Some(index) => self.enter(index, Phase::Ended, at),
                None => {
                    self.sign_out(at);
                }
            }
            self.settle(at);
        }
    }

    /// What comes due next: a leg's after-call work, or (none) the grace of a lost connection.
    fn due(&self) -> Option<(Micros, Option<usize>)> {
        let grace = match self.carried.session {
            Session::Lost { until } => Some((until, None)),
            Session::Out | Session::In => None,
        };
        if self.timers == 0 {
            return grace;
        }
        let work = self.legs.iter().enumerate().filter_map(|(index, leg)| {
            let limit = leg.work_limit.filter(|_| leg.phase == Some(Phase::AfterCall))?;
            Some((leg.since.plus(limit.minus(leg.worked)).max(leg.since), Some(index)))
        });
        work.chain(grace).min_by_key(|(at, _)| *at)
    }

    /// Brings the clock in line with the rest, and emits the span that this closes.
    fn tick(&mut self, at: Micros) {
        let clock = self.clock();
        if clock != self.carried.clock {
            self.emit_clock(at);
            self.carried.clock = clock;
            self.carried.clock_since = at;
        }
        if !self.whose.slots.is_empty() {
            self.tick_slots(at);
        }
    }

    /// KPIS.md §3: occupied > lost > ringing > dialing > away > ready.
    fn clock(&self) -> Clock {
        let (mut occupied, mut ringing, mut dialing) = (false, false, false);
        for phase in self.legs.iter().filter_map(|leg| leg.phase) {
            occupied |= phase.occupies();
            ringing |= matches!(phase, Phase::Offered | Phase::Ringing);
            dialing |= phase == Phase::Dialing;
        }
        match (self.carried.session, self.carried.standing) {
            (Session::Out, _) if occupied => Clock::Unsigned,
            (Session::Out, _) => Clock::Off,
            _ if occupied => Clock::Occupied,
            (Session::Lost { .. }, _) => Clock::Lost,
            _ if ringing => Clock::Ringing,
            _ if dialing => Clock::Dialing,
            (_, Standing::Away(reason)) => Clock::Away(reason),
            (_, Standing::Ready) => Clock::Ready,
        }
    }

    fn emit_clock(&mut self, at: Micros) {
        let Some(measure) = self.carried.clock.measure().filter(|_| self.whose.has_clock) else { return };
        let since = self.carried.clock_since;
        let dims = Dims { detail: self.carried.clock.detail(), ..self.own() };
        self.out.contributions.source(Part::Between, since, at);
        let (own, is_signed_in) = (self.own(), self.carried.clock.is_signed_in());
        if is_signed_in && dims == own {
            self.out.span(self.whose, own, &[measure, Measure::SignedInClock], since, at);
        } else {
            self.out.span(self.whose, dims, &[measure], since, at);
        }
        if is_signed_in {
            if dims != own {
                self.out.span(self.whose, own, &[Measure::SignedInClock], since, at);
            }
            if let Some(state) = State::of(self.carried.clock) {
                self.out.stand(self.whose, state, since, at);
            }
            let what = self.carried.clock.what();
            self.out.pieces.span(since, at, what);
            if what == What::Available && !self.whose.slots.is_empty() {
                emit_slots(self.out, self.whose, self.own(), since, at);
            }
        }
    }

    /// Counts what is open up to `instant`.
    fn clip(&mut self, instant: Micros) {
        self.advance(instant);
        self.emit_clock(instant);
        self.emit_load(instant);
        for index in 0..self.legs.len() {
            if let Some(leg) = self.legs.get(index) {
                leg.emit_span(instant, self.whose, self.out);
            }
        }
        if self.out.going_on.is_some() {
            self.go_on(instant);
        }
    }

    /// Says what goes on at `instant`, and when that ends by itself.
    fn go_on(&mut self, instant: Micros) {
        let measure = self.carried.clock.measure().filter(|_| self.whose.has_clock);
        if let Some(measure) = measure {
            let dims = Dims { detail: self.carried.clock.detail(), ..self.own() };
            self.out.goes_on(self.whose, dims, measure, instant);
            if self.carried.clock.is_signed_in() {
                self.out.goes_on(self.whose, self.own(), Measure::SignedInClock, instant);
                if !self.whose.slots.is_empty() {
                    self.slots_go_on(instant);
                }
            }
        }
        for leg in &self.legs {
            leg.go_on(instant, self.whose, self.out);
        }
        if let (Some((due, _)), Some(going_on)) = (self.due(), &mut self.out.going_on) {
            going_on.ends(due);
        }
    }
}
