//! All targets of a ticket, event by event.
//!
//! A kind of target waits for its activation and for a rule: one without either asks for nothing. Invariant: there is at most one
//! clock of each kind, the latest; only an open ticket has active ones; `missed` is set no
//! later than by the first event after its due instant.

use std::hash::Hash;

use serde::{Deserialize, Serialize};

use crate::{
    deadlines::{
        clock::{NEVER, Outcome, Promise, Stand, TargetClock},
        history::{ChangeCause, Moment, Step},
        world::{DeadlineError, World},
    },
    ticketing::{Promiser, Status, TargetKind, Ticket, TicketEvent, Validity},
    time::Micros,
};

/// All targets of one ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadlines {
    pub(super) clocks: Vec<TargetClock>,
    /// How the ticket stood, since it was opened, in order.
    pub(super) stands: Vec<Stand>,
}

impl Deadlines {
    /// The clocks, at most one of each kind, in no order.
    pub fn clocks(&self) -> &[TargetClock] {
        &self.clocks
    }

    /// The clock of a kind.
    pub fn clock(&self, kind: TargetKind) -> Option<&TargetClock> {
        self.clocks.iter().find(|clock| clock.kind == kind)
    }

    /// Takes the next event in; `ticket` has taken it in already. `tell` hears what it does to which target.
    pub fn apply<N: Clone + Eq + Hash>(
        &mut self,
        ticket: &Ticket<N>,
        event: &TicketEvent<N>,
        at: Micros,
        world: &World<N>,
        tell: &mut impl FnMut(TargetKind, Moment),
    ) {
        self.pass(at, tell);
        let before = self.stands.last().map(|stand| stand.status);
        self.stand(ticket.status, at);
        let stands = std::mem::take(&mut self.stands);
        let mut round = Round { ticket, world, at, stands: &stands, tell };
        if let Some(before) = before.filter(|before| *before != ticket.status) {
            self.pause_and_resume(before, &mut round);
        }
        for kind in fulfilled_by(event) {
            self.end(*kind, Outcome::Fulfilled(at), &mut round);
        }
        for kind in withdrawn_by(event) {
            self.end(*kind, Outcome::Withdrawn(at), &mut round);
        }
        for kind in activated_by(event) {
            self.activate(*kind, &mut round);
        }
        if !event.sets().is_empty() {
            self.know_better(&mut round);
        }
        match event {
            TicketEvent::Promised { target, due, by } => self.promise(*target, *due, *by, &mut round),
            TicketEvent::Alerted { target, round: number, permille, escalation } => {
                self.alerted(*target, *number, *permille, *escalation, &mut round);
            }
            TicketEvent::Reassigned { .. } => {
                for clock in self.clocks.iter().filter(|clock| clock.is_active() && clock.is_set()) {
                    let step = Step::Changed { cause: ChangeCause::Owner, from: clock.due, to: clock.due };
                    round.tell(clock.kind, step);
                }
            }
            _ => {}
        }
        self.stands = stands;
    }

    /// Reckons every open target anew, because at `at` a calendar or a policy was defined otherwise. Until then the due instants
    /// are those of the definitions that were there before.
    pub fn refresh<N: Clone + Eq + Hash>(
        &mut self,
        ticket: &Ticket<N>,
        at: Micros,
        world: &World<N>,
        tell: &mut impl FnMut(TargetKind, Moment),
    ) {
        self.pass(at, tell);
        let mut round = Round { ticket, world, at, stands: &self.stands, tell };
        for clock in self.clocks.iter_mut().filter(|clock| clock.is_active()) {
            let from = clock.due;
            clock.rule = None;
            round.follow_rule(clock);
            round.reckon(clock);
            if clock.due != from {
                clock.next_round();
                round.tell(clock.kind, Step::Changed { cause: ChangeCause::Definition, from, to: clock.due });
            }
        }
    }

    /// The time on a target's clock at `now`, or when it ended (duration); none: it never began.
    pub fn elapsed<N: Clone + Eq + Hash>(
        &self,
        kind: TargetKind,
        world: &World<N>,
        now: Micros,
    ) -> Option<Result<Micros, DeadlineError>> {
        self.clock(kind).map(|clock| clock.elapsed(&self.stands, world, now))
    }

    fn stand(&mut self, status: Status, at: Micros) {
        let last = self.stands.last();
        if last.is_none_or(|last| last.status != status) {
            let since = last.map_or(at, |last| last.since.max(at));
            self.stands.push(Stand { since, status });
        }
    }

    /// What fell due before `now` was missed.
    pub(super) fn pass(&mut self, now: Micros, tell: &mut impl FnMut(TargetKind, Moment)) {
        for clock in self.clocks.iter_mut().filter(|clock| clock.is_active() && !clock.missed) {
            if let Some(due) = clock.due.filter(|due| *due < now) {
                clock.missed = true;
                tell(clock.kind, Moment { at: due, step: Step::Breached });
            }
        }
    }

    fn active(&mut self, kind: TargetKind) -> Option<&mut TargetClock> {
        self.clocks.iter_mut().find(|clock| clock.kind == kind && clock.is_active())
    }

    fn end<N, T: FnMut(TargetKind, Moment)>(
        &mut self,
        kind: TargetKind,
        outcome: Outcome,
        round: &mut Round<'_, N, T>,
    ) {
        let at = round.at;
        let Some(clock) = self.active(kind) else { return };
        if !clock.is_set() {
            clock.outcome = Outcome::Withdrawn(at);
            // What never asked for anything leaves nothing behind.
            self.clocks.retain(|clock| clock.kind != kind || clock.round > 1);
            return;
        }
        clock.outcome = outcome;
        let fulfilled = matches!(outcome, Outcome::Fulfilled(_));
        round.tell(kind, if fulfilled { Step::Fulfilled } else { Step::Withdrawn });
    }

    fn activate<N: Clone + Eq + Hash, T: FnMut(TargetKind, Moment)>(
        &mut self,
        kind: TargetKind,
        round: &mut Round<'_, N, T>,
    ) {
        if self.active(kind).is_some() || !round.ticket.status.is_open() {
            return;
        }
        let number = self.clock(kind).map_or(0, |clock| clock.round).saturating_add(1);
        self.clocks.retain(|clock| clock.kind != kind);
        let mut clock = TargetClock::new(kind, number, round.at);
        round.follow_rule(&mut clock);
        if clock.is_set() {
            round.tell(kind, Step::Activated { due: clock.due });
        }
        // There are millions of these: no room to grow.
        self.clocks.reserve_exact(1);
        self.clocks.push(clock);
    }

    /// Something else is known of the ticket: other rules may hold, and what is invalid is to be explained.
    fn know_better<N: Clone + Eq + Hash, T: FnMut(TargetKind, Moment)>(
        &mut self,
        round: &mut Round<'_, N, T>,
    ) {
        match round.ticket.facts.validity {
            Some(Validity::Invalid) => self.activate(TargetKind::Explain, round),
            Some(Validity::Valid) => self.end(TargetKind::Explain, Outcome::Withdrawn(round.at), round),
            _ => {}
        }
        for clock in self.clocks.iter_mut().filter(|clock| clock.is_active()) {
            let (rule, from, was_set) = (clock.rule, clock.due, clock.is_set());
            round.follow_rule(clock);
            if clock.rule == rule {
                continue;
            }
            clock.next_round();
            let cause = ChangeCause::Priority;
            let step = match (was_set, clock.is_set()) {
                (false, _) => Step::Activated { due: clock.due },
                (true, false) => Step::Withdrawn,
                (true, true) => Step::Changed { cause, from, to: clock.due },
            };
            round.tell(clock.kind, step);
        }
    }

    /// Whoever promises for what has not begun, or was fulfilled, begins it.
    fn promise<N: Clone + Eq + Hash, T: FnMut(TargetKind, Moment)>(
        &mut self,
        kind: TargetKind,
        due: Micros,
        by: Promiser,
        round: &mut Round<'_, N, T>,
    ) {
        self.activate(kind, round);
        let at = round.at;
        let Some(clock) = self.active(kind) else { return };
        let (before, from) = (clock.promise, clock.due);
        clock.promise = Some(Promise { due, made_at: at, by });
        clock.due = Some(due);
        clock.next_round();
        let cause = match before {
            Some(before) if before.due < due => ChangeCause::Postponed { by, in_time: at <= before.due },
            _ => ChangeCause::Promised(by),
        };
        round.tell(kind, Step::Changed { cause, from, to: Some(due) });
    }

    fn alerted<N, T: FnMut(TargetKind, Moment)>(
        &mut self,
        kind: TargetKind,
        number: u32,
        permille: u32,
        escalation: bool,
        round: &mut Round<'_, N, T>,
    ) {
        round.tell(kind, if escalation { Step::Escalated { permille } } else { Step::Warned { permille } });
        let clock = self.active(kind).filter(|clock| clock.round == number);
        if let Some(clock) = clock
            && !clock.alerted.contains(&(permille, escalation))
        {
            clock.alerted.push((permille, escalation));
        }
    }

    fn pause_and_resume<N: Clone + Eq + Hash, T: FnMut(TargetKind, Moment)>(
        &mut self,
        before: Status,
        round: &mut Round<'_, N, T>,
    ) {
        for clock in self.clocks.iter_mut().filter(|clock| clock.is_active()) {
            let Some(rule) = clock.rule.and_then(|rule| round.world.rule(rule)) else { continue };
            let stops = |status| rule.pauses.contains(&status);
            let paused = stops(round.ticket.status);
            if paused == stops(before) {
                continue;
            }
            round.reckon(clock);
            round.tell(clock.kind, if paused { Step::Paused } else { Step::Resumed { due: clock.due } });
        }
    }
}

impl TargetClock {
    fn new(kind: TargetKind, round: u32, at: Micros) -> Self {
        Self {
            kind,
            round,
            activated_at: at,
            rule: None,
            promise: None,
            amount: Micros::ZERO,
            due: None,
            outcome: Outcome::Active,
            missed: false,
            alerted: Vec::new(),
        }
    }

    /// Whether anything is asked.
    pub fn is_set(&self) -> bool {
        self.rule.is_some() || self.promise.is_some()
    }

    fn next_round(&mut self) {
        self.round = self.round.saturating_add(1);
        self.alerted.clear();
    }
}

/// An event being taken in.
struct Round<'a, N, T> {
    ticket: &'a Ticket<N>,
    world: &'a World<N>,
    at: Micros,
    stands: &'a [Stand],
    tell: &'a mut T,
}

impl<N, T: FnMut(TargetKind, Moment)> Round<'_, N, T> {
    fn tell(&mut self, kind: TargetKind, step: Step) {
        (self.tell)(kind, Moment { at: self.at, step });
    }
}

impl<N: Clone + Eq + Hash, T: FnMut(TargetKind, Moment)> Round<'_, N, T> {
    /// Gives a target the first rule for it, by the policies in force when it was activated.
    fn follow_rule(&mut self, clock: &mut TargetClock) {
        let found = self.world.rule_for(self.ticket, clock.kind, clock.activated_at);
        let rule = found.as_ref().map(|(at, _)| *at);
        if rule == clock.rule {
            return;
        }
        clock.rule = rule;
        let amount = found.map_or(Ok(Micros::ZERO), |(_, rule)| self.world.amount(rule, clock.activated_at));
        match amount {
            Ok(amount) => clock.amount = amount,
            Err(error) => {
                clock.amount = NEVER;
                self.tell(clock.kind, Step::Unreckonable(error));
            }
        }
        self.reckon(clock);
    }

    fn reckon(&mut self, clock: &mut TargetClock) {
        clock.due = match clock.reaches(self.stands, self.world, 1_000) {
            Ok(due) => due,
            Err(error) => {
                self.tell(clock.kind, Step::Unreckonable(error));
                None
            }
        };
    }
}

const fn activated_by<N>(event: &TicketEvent<N>) -> &'static [TargetKind] {
    use TargetKind::{Accept, Approve, Arrive, Dispatch, FirstResponse, Investigate, NextUpdate, Resolve};
    match event {
        TicketEvent::Opened(_) => &[Accept, FirstResponse, Investigate, Resolve],
        TicketEvent::Accepted { .. } => &[Dispatch],
        TicketEvent::Dispatched { .. } => &[Arrive],
        TicketEvent::Informed { .. } => &[NextUpdate],
        TicketEvent::ApprovalAsked { .. } => &[Approve],
        TicketEvent::Reopened { .. } => &[Resolve],
        _ => &[],
    }
}

const fn fulfilled_by<N>(event: &TicketEvent<N>) -> &'static [TargetKind] {
    use TargetKind::{
        Accept, Approve, Arrive, Dispatch, Explain, FirstResponse, Investigate, NextUpdate, Resolve,
    };
    match event {
        TicketEvent::Accepted { .. } => &[Accept],
        TicketEvent::Dispatched { .. } => &[Accept, Dispatch],
        TicketEvent::Informed { .. } => &[FirstResponse, NextUpdate],
        TicketEvent::Investigated => &[Investigate],
        TicketEvent::ApprovalGiven { .. } | TicketEvent::ApprovalRefused { .. } => &[Approve],
        // Whatever was settled was answered and looked into.
        TicketEvent::Resolved { .. } => &[Accept, FirstResponse, Investigate, Resolve],
        TicketEvent::Cancelled { .. } => &[FirstResponse, Explain],
        _ => match event.action() {
            crate::ticketing::Action::Arrive => &[Arrive],
            _ => &[],
        },
    }
}

const fn withdrawn_by<N>(event: &TicketEvent<N>) -> &'static [TargetKind] {
    use TargetKind::{Approve, Arrive, Dispatch, Explain, NextUpdate};
    match event {
        TicketEvent::Resolved { .. } => &[NextUpdate, Approve, Dispatch, Arrive, Explain],
        TicketEvent::Closed { .. } | TicketEvent::Cancelled { .. } | TicketEvent::Merged { .. } => {
            TargetKind::ALL
        }
        _ => &[],
    }
}
