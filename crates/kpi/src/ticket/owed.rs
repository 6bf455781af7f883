//! What a ticket owes: targets and promises, as they fall due (KPIS.md §3).
//!
//! When a target is due is the domain's to say ([`Deadlines`]); here it is only seen what becomes of it. Invariant: an activation counts
//! once, as met or as breached, or never; a promise likewise.

use pegcount_domain::{
    deadlines::{Deadlines, Moment, Outcome, Step, TargetClock},
    ticketing::{TargetKind, Ticket, TicketEvent},
    time::Micros,
};
use smallvec::SmallVec;

use crate::{
    cells::Contributions,
    measure::Measure,
    names::Id,
    reference::Reference,
    ticket::giving::{Counted, count, count_after},
};

/// An activation that will be missed at `due` if nothing happens.
#[derive(Clone, Copy, Debug)]
struct Activation {
    target: TargetKind,
    activated_at: Micros,
    due: Micros,
    /// When that was set.
    since: Micros,
}

/// A promise that is neither kept nor broken yet.
#[derive(Clone, Copy, Debug)]
struct Pledge {
    target: TargetKind,
    due: Micros,
    made_at: Micros,
}

/// All that a ticket owes.
#[derive(Clone, Debug, Default)]
pub(super) struct Owed {
    deadlines: Deadlines,
    dues: SmallVec<[Activation; 4]>,
    pledges: SmallVec<[Pledge; 1]>,
}

/// A target that was fulfilled while it was paused, or a replaced activation, as it was before.
struct Before {
    clock: Option<TargetClock>,
}

impl Owed {
    /// The last instant at which anything is owed; none: nothing is.
    pub(super) fn last_due(&self) -> Option<Micros> {
        let dues = self.dues.iter().map(|due| due.due.max(due.since));
        dues.chain(self.pledges.iter().map(Pledge::counts_at)).max()
    }

    /// What fell due before `at` was missed; `dims` are whose it was then, with the team of an instant.
    pub(super) fn pass(&mut self, at: Micros, out: &mut Contributions, counted: impl Fn(Micros) -> Counted) {
        self.give(Some(at), out, counted);
        self.dues.retain(|due| due.due >= at);
        self.pledges.retain(|pledge| pledge.due >= at);
    }

    /// What will have been missed if nothing happens, or was by an instant.
    pub(super) fn give(
        &self,
        by: Option<Micros>,
        out: &mut Contributions,
        counted: impl Fn(Micros) -> Counted,
    ) {
        let has_passed = |due: Micros| by.is_none_or(|by| due < by);
        for due in self.dues.iter().filter(|due| has_passed(due.due)) {
            let at = due.due.max(due.since);
            count_after(out, counted(at), (due.activated_at, at), breached(due.target));
        }
        for pledge in self.pledges.iter().filter(|pledge| has_passed(pledge.due)) {
            let at = pledge.counts_at();
            count_after(out, counted(at), (pledge.made_at, at), [Measure::PromiseBroken]);
        }
    }

    /// Takes the next event in; the ticket has taken it in already, and [`Self::pass`] has been told its instant.
    pub(super) fn take(
        &mut self,
        ticket: &Ticket<Id>,
        event: &TicketEvent<Id>,
        at: Micros,
        reference: &Reference,
        out: &mut Contributions,
        now: Counted,
    ) {
        let replaced = matches!(event, TicketEvent::Informed { .. });
        let before =
            Before { clock: self.deadlines.clock(TargetKind::NextUpdate).filter(|_| replaced).cloned() };
        let mut ended: SmallVec<[(TargetKind, bool); 4]> = SmallVec::new();
        let mut hear = |target, moment: Moment| match moment.step {
            Step::Fulfilled => ended.push((target, true)),
            Step::Withdrawn => ended.push((target, false)),
            _ => {}
        };
        self.deadlines.apply(ticket, event, at, reference.world(), &mut hear);
        for (target, is_fulfilled) in ended {
            if is_fulfilled {
                self.fulfilled(target, ticket, at, reference, out, now, &before);
            } else {
                self.pledges.retain(|pledge| pledge.target != target);
            }
        }
        if let TicketEvent::Promised { target, due, .. } = event {
            self.promised(*target, *due, at);
        }
        self.see(at);
    }

    #[allow(clippy::too_many_arguments, reason = "one fact and all that it is looked at with")]
    fn fulfilled(
        &mut self,
        target: TargetKind,
        ticket: &Ticket<Id>,
        at: Micros,
        reference: &Reference,
        out: &mut Contributions,
        now: Counted,
        before: &Before,
    ) {
        let there = self.deadlines.clock(target).filter(|clock| clock.outcome == Outcome::Fulfilled(at));
        let Some(clock) = there.or(before.clock.as_ref()) else { return };
        let told_by = (clock.activated_at, at);
        // A replaced one is as it was before its last instants passed.
        let is_missed = clock.missed || clock.due.is_some_and(|due| due < at);
        if !is_missed {
            match clock.due {
                Some(due) => count_after(out, Counted { at: due, ..now }, told_by, met(target)),
                None if is_paused(clock, ticket, reference) => {
                    count(out, now, told_by, met(target).map(|measure| (measure, 1)));
                }
                None => {}
            }
        }
        let kept = |pledge: &Pledge| pledge.target == target;
        for pledge in self.pledges.iter().filter(|pledge| kept(pledge)) {
            let counted = Counted { at: pledge.counts_at(), ..now };
            count_after(out, counted, (pledge.made_at, at), [Measure::PromiseMet]);
        }
        self.pledges.retain(|pledge| !kept(pledge));
    }

    /// A promise that was told in time takes the place of the one before.
    fn promised(&mut self, target: TargetKind, due: Micros, at: Micros) {
        let clock = self.deadlines.clock(target).filter(|clock| clock.is_active());
        let is_taken = clock
            .and_then(|clock| clock.promise)
            .is_some_and(|promise| promise.made_at == at && promise.due == due);
        if is_taken {
            self.pledges.retain(|pledge| pledge.target != target);
            self.pledges.push(Pledge { target, due, made_at: at });
        }
    }

    /// Sees what is due now, and when that was set.
    fn see(&mut self, at: Micros) {
        let mut dues: SmallVec<[Activation; 4]> = SmallVec::new();
        for clock in self.deadlines.clocks().iter().filter(|clock| clock.is_active() && !clock.missed) {
            let Some(due) = clock.due else { continue };
            let same = |known: &&Activation| {
                (known.target, known.activated_at, known.due) == (clock.kind, clock.activated_at, due)
            };
            let since = self.dues.iter().find(same).map_or(at, |known| known.since);
            dues.push(Activation { target: clock.kind, activated_at: clock.activated_at, due, since });
        }
        self.dues = dues;
    }
}

impl Pledge {
    /// When it counts as broken, or as kept.
    fn counts_at(&self) -> Micros {
        self.due.max(self.made_at)
    }
}

/// Whether a target without a due instant has one as soon as its pause ends, rather than never.
fn is_paused(clock: &TargetClock, ticket: &Ticket<Id>, reference: &Reference) -> bool {
    let rule = clock.rule.and_then(|rule| reference.world().rule(rule));
    rule.is_some_and(|rule| rule.pauses.contains(&ticket.status)) && clock.amount != Micros::MAX
}

const fn met(target: TargetKind) -> [Measure; 2] {
    let own = match target {
        TargetKind::Accept => Measure::TargetMetAccept,
        TargetKind::FirstResponse => Measure::TargetMetFirstResponse,
        TargetKind::NextUpdate => Measure::TargetMetNextUpdate,
        TargetKind::Investigate => Measure::TargetMetInvestigate,
        TargetKind::Approve => Measure::TargetMetApprove,
        TargetKind::Dispatch => Measure::TargetMetDispatch,
        TargetKind::Arrive => Measure::TargetMetArrive,
        TargetKind::Resolve => Measure::TargetMetResolve,
        TargetKind::Explain => Measure::TargetMetExplain,
    };
    [Measure::TargetMet, own]
}

const fn breached(target: TargetKind) -> [Measure; 2] {
    let own = match target {
        TargetKind::Accept => Measure::TargetBreachedAccept,
        TargetKind::FirstResponse => Measure::TargetBreachedFirstResponse,
        TargetKind::NextUpdate => Measure::TargetBreachedNextUpdate,
        TargetKind::Investigate => Measure::TargetBreachedInvestigate,
        TargetKind::Approve => Measure::TargetBreachedApprove,
        TargetKind::Dispatch => Measure::TargetBreachedDispatch,
        TargetKind::Arrive => Measure::TargetBreachedArrive,
        TargetKind::Resolve => Measure::TargetBreachedResolve,
        TargetKind::Explain => Measure::TargetBreachedExplain,
    };
    [Measure::TargetBreached, own]
}
