//! Takes the next fact about an agent in.
//!
//! Facts of other units (a queue visit, a ticket) change nothing here. Corrections are for the folds: they hand in
//! the history as it is after them.
//!
//! Invariant: time never runs backwards; a fact that claims to be earlier than the last one counts at that one's
//! instant (folds hand facts in by time, so that happens only where clocks disagree).

use crate::{
    agent::{
        anomaly::Anomaly,
        policy::{AfterCallPolicy, Policies},
        slot::{Phase, Slot, StepKind},
        state::{AgentState, ClockSpans},
        transition::transition,
    },
    event::{AfterCallEnd, AfterCallOnContact, Channel, Event, Intent, LegRef, LegStep},
    ids::Name,
    time::Micros,
};

/// What a fact did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied<N = Name> {
    /// Whether the state changed (or came due to change) in anything but its time.
    pub changed: bool,
    /// Why the fact was not expected, if it was not.
    pub anomaly: Option<Anomaly>,
    /// The clock spans that this closed, in order: what came due before the fact, then the fact itself.
    pub clock: ClockSpans<N>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Effect {
    pub(super) changed: bool,
    pub(super) mark: Option<Anomaly>,
}

impl Effect {
    pub(super) const NOTHING: Self = Self { changed: false, mark: None };
    pub(super) const CHANGED: Self = Self { changed: true, mark: None };

    pub(super) const fn marked(mark: Anomaly) -> Self {
        Self { changed: false, mark: Some(mark) }
    }
}

impl<N: Clone + Eq> AgentState<N> {
    /// Takes `event`, which happened at `at`, in.
    pub fn apply(&mut self, event: &Event<N>, at: Micros, policies: &impl Policies<N>) -> Applied<N> {
        // A lost connection is noticed late and holds from the last sign of life on.
        let at = match event {
            Event::ConnectionLost { last_heard } => (*last_heard).min(at),
            _ => at,
        };
        let mut clock = self.advance(at);
        let came_due = !clock.is_empty();
        self.now = self.now.max(at);
        let at = self.now;
        let effect = self.take(event, at, policies);
        self.settle(at);
        self.tick(at, &mut clock);
        Applied { changed: effect.changed || came_due, anomaly: effect.mark, clock }
    }

    fn take(&mut self, event: &Event<N>, at: Micros, policies: &impl Policies<N>) -> Effect {
        match event {
            Event::SignedIn => self.sign_in(at, policies.reserved()),
            Event::SignedOut => self.sign_out(at),
            Event::Ready => self.ask(&Intent::Ready, at),
            Event::NotReady { reason } => self.ask(&Intent::NotReady(reason.clone()), at),
            Event::StateSet { intent: Intent::SignedOut, .. } => self.sign_out_by_force(at),
            Event::StateSet { intent, .. } | Event::NextSet { intent, .. } => self.ask(intent, at),
            Event::ConnectionLost { .. } => self.connection_lost(at, policies.lost_grace()),
            Event::ConnectionRestored => self.connection_restored(at),
            Event::Leg { leg, step } => self.step(leg, step, at, policies),
            Event::Supervised { contact, leg, .. } => {
                let known = |slot: &Slot<N>| slot.leg == *leg && slot.contact == *contact;
                let open = self.slots.iter().any(known);
                Effect { changed: false, mark: (!open).then_some(Anomaly::LegUnknown) }
            }
            _ => Effect::NOTHING,
        }
    }

    fn step(
        &mut self,
        leg: &LegRef<N>,
        step: &LegStep<N>,
        at: Micros,
        policies: &impl Policies<N>,
    ) -> Effect {
        let kind = StepKind::from(step);
        let index = self.bring_up(leg);
        let before = index.and_then(|index| self.slots.get(index)).map(|slot| slot.phase);
        let moved = transition(before, kind);
        let Some(to) = moved.to else {
            self.sweep();
            return Effect { changed: false, mark: moved.mark };
        };
        let index = index.unwrap_or_else(|| {
            self.slots.push(Slot::new(leg, to, at));
            self.slots.len() - 1
        });
        let refused = self.enter_phase(index, before, to, at, policies);
        let crowded = (kind == StepKind::Answered && self.is_crowded(index, at, policies))
            .then_some(Anomaly::SlotsExceeded);
        self.sweep();
        if kind == StepKind::Missed && before.is_none_or(Phase::is_offer) && before != Some(Phase::Dialing) {
            self.ring_no_answer(at, policies.reserved());
        }
        Effect { changed: true, mark: moved.mark.or(refused).or(crowded) }
    }

    /// The place of the leg among the open ones; a leg that is over but remembered is taken back among them.
    fn bring_up(&mut self, leg: &LegRef<N>) -> Option<usize> {
        let mut index = self.slots.iter().position(|slot| slot.is(leg));
        if index.is_none()
            && let Some(over) = self.over.iter().rposition(|slot| slot.is(leg))
        {
            self.slots.push(self.over.remove(over));
            index = Some(self.slots.len() - 1);
        }
        if let Some(slot) = index.and_then(|index| self.slots.get_mut(index)) {
            slot.learn(leg);
        }
        index
    }

    /// Moves legs that are over out of the way.
    fn sweep(&mut self) {
        while let Some(index) = self.slots.iter().position(|slot| slot.phase.is_over()) {
            self.put_away(index);
        }
    }

    fn enter_phase(
        &mut self,
        index: usize,
        before: Option<Phase>,
        to: Phase,
        at: Micros,
        policies: &impl Policies<N>,
    ) -> Option<Anomaly> {
        let slot = self.slots.get_mut(index)?;
        if to == Phase::AfterCall {
            let policy = policies.after_call(slot.queue.as_ref(), at);
            if policy.end == AfterCallEnd::None {
                slot.enter(Phase::Ended, at);
                return Some(Anomaly::AfterCallNotAllowed);
            }
            slot.work_limit = work_limit(policy);
            if before != Some(Phase::Suspended) {
                slot.worked = Micros::ZERO;
            }
        }
        slot.enter(to, at);
        let begins = to.is_conversation() && !before.is_some_and(Phase::is_conversation);
        if begins {
            self.interrupt_work(at, policies);
        }
        None
    }

    /// A new contact ends or suspends the after-call work that is going on, as that work's queue says.
    fn interrupt_work(&mut self, at: Micros, policies: &impl Policies<N>) {
        let mut index = 0;
        while let Some(slot) = self.slots.get_mut(index) {
            index += 1;
            if slot.phase != Phase::AfterCall {
                continue;
            }
            match policies.after_call(slot.queue.as_ref(), at).on_contact {
                AfterCallOnContact::Suspends => {
                    slot.worked = slot.worked.plus(at.minus(slot.since));
                    slot.enter(Phase::Suspended, at);
                }
                AfterCallOnContact::Ends => slot.enter(Phase::Ended, at),
            }
        }
    }

    /// Whether the conversation at `index` is one more than the agent has slots for. A voice call that is held, or
    /// waits during a consultation, leaves the voice slot free.
    fn is_crowded(&self, index: usize, at: Micros, policies: &impl Policies<N>) -> bool {
        let Some(channel) = self.slots.get(index).and_then(|slot| slot.channel) else { return false };
        let busy = |slot: &&Slot<N>| {
            slot.channel == Some(channel)
                && match channel {
                    Channel::Voice => matches!(slot.phase, Phase::Talking | Phase::Conferenced),
                    _ => slot.phase.is_conversation(),
                }
        };
        let busy = u32::try_from(self.slots.iter().filter(busy).count()).unwrap_or(u32::MAX);
        busy > policies.slots(&self.agent, channel, at)
    }
}

fn work_limit(policy: AfterCallPolicy) -> Option<Micros> {
    (policy.end == AfterCallEnd::ByTimer).then_some(policy.timer)
}
