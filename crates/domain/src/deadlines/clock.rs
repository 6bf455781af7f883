//! One target's clock.
//!
//! It runs from its activation on while the ticket does not stand as its rule pauses it, and counts there what the rule's clock
//! counts; it is due where that comes to `amount`, or at the promised instant. Invariant: another rule is reckoned as if it had held
//! from the activation on.

use std::hash::Hash;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{
    deadlines::{
        policy::{ClockKind, TargetRule},
        world::{DeadlineError, World},
    },
    ticketing::{Promiser, Status, TargetKind},
    time::{Micros, Span},
};

/// Which rule a target keeps to: of which set, which policy, which of its targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleRef {
    /// When the set came into force.
    pub set: Micros,
    /// The policy's place.
    pub policy: u16,
    /// The rule's place in it.
    pub rule: u16,
}

/// A time that was asked for or promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// By when.
    pub due: Micros,
    /// When it was said.
    pub made_at: Micros,
    /// By whom.
    pub by: Promiser,
}

/// The amount of a rule whose amount cannot be reckoned: it is never due, rather than at once.
pub(super) const NEVER: Micros = Micros::MAX;

/// How a ticket stood, from an instant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stand {
    /// Since when.
    pub since: Micros,
    /// How.
    pub status: Status,
}

/// What became of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is still to be fulfilled.
    Active,
    /// It was, at this instant.
    Fulfilled(Micros),
    /// There is nothing to fulfil any more, since this instant.
    Withdrawn(Micros),
}

/// A target of a ticket: the latest activation of its kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetClock {
    /// What has to happen.
    pub kind: TargetKind,
    /// Counts activations and changes of the kind's due instant by anything but a pause; alerts belong to a round.
    pub round: u32,
    /// When it was activated.
    pub activated_at: Micros,
    /// The rule that it keeps to; none: only a promise does.
    pub rule: Option<RuleRef>,
    /// The time that outranks it.
    pub promise: Option<Promise>,
    /// The rule's amount (duration on its clock).
    pub amount: Micros,
    /// When it is due; none: it is paused with some time left, or that cannot be reckoned.
    pub due: Option<Micros>,
    /// What became of it.
    pub outcome: Outcome,
    /// It was due and not fulfilled at some time.
    pub missed: bool,
    /// Alerts of this round that were given: how far in thousandths, and whether a step of escalation.
    pub alerted: Vec<(u32, bool)>,
}

impl TargetClock {
    /// Whether it is still to be fulfilled.
    pub fn is_active(&self) -> bool {
        self.outcome == Outcome::Active
    }

    /// Whether it counts as missed at `now` (KPIS.md §4: still open past its target is breached; within is met).
    pub fn is_breached(&self, now: Micros) -> bool {
        self.missed || self.is_active() && self.due.is_some_and(|due| due < now)
    }

    /// Met or breached, as of `now`; none: neither yet, or withdrawn.
    pub fn is_met(&self, now: Micros) -> Option<bool> {
        match self.outcome {
            Outcome::Fulfilled(_) => Some(!self.missed),
            Outcome::Active => self.is_breached(now).then_some(false),
            Outcome::Withdrawn(_) => None,
        }
    }

    /// The time on its clock at `now`, or when it ended (duration): what its rule's clock counts since the activation, less what
    /// it was paused. `stands` is how the ticket stood.
    pub(super) fn elapsed<N: Clone + Eq + Hash>(
        &self,
        stands: &[Stand],
        world: &World<N>,
        now: Micros,
    ) -> Result<Micros, DeadlineError> {
        let end = match self.outcome {
            Outcome::Active => now,
            Outcome::Fulfilled(at) | Outcome::Withdrawn(at) => at.min(now),
        };
        let rule = self.rule.and_then(|rule| world.rule(rule));
        let mut counted = Micros::ZERO;
        for run in self.runs(stands, rule, end) {
            counted = counted.plus(world.between(clock_of(rule), run.start, run.end)?);
        }
        Ok(counted)
    }

    /// When `permille` thousandths of its time have passed; none: not as long as it is paused.
    pub(super) fn reaches<N: Clone + Eq + Hash>(
        &self,
        stands: &[Stand],
        world: &World<N>,
        permille: u32,
    ) -> Result<Option<Micros>, DeadlineError> {
        if let Some(promise) = self.promise {
            // Who promises what is past already owes it at once.
            let begin = promise.made_at.min(promise.due);
            let passed = begin.plus(part(promise.due.minus(begin), permille));
            return Ok(Some(passed));
        }
        let Some(rule) = self.rule.and_then(|rule| world.rule(rule)).filter(|_| self.amount != NEVER) else {
            return Ok(None);
        };
        let mut left = part(self.amount, permille);
        for run in self.runs(stands, Some(rule), Micros::MAX) {
            if run.end == Micros::MAX {
                return world.after(&rule.clock, run.start, left).map(Some);
            }
            let counted = world.between(&rule.clock, run.start, run.end)?;
            if counted >= left {
                return world.after(&rule.clock, run.start, left).map(Some);
            }
            left = left.minus(counted);
        }
        Ok(None)
    }

    /// When it runs, until `end`, in order, none of it empty or touching the next.
    fn runs<N>(&self, stands: &[Stand], rule: Option<&TargetRule<N>>, end: Micros) -> SmallVec<[Span; 4]> {
        let mut runs: SmallVec<[Span; 4]> = SmallVec::new();
        let until = stands.iter().skip(1).map(|next| next.since).chain([Micros::MAX]);
        for (stand, until) in stands.iter().zip(until) {
            let run = Span { start: stand.since.max(self.activated_at), end: until.min(end) };
            if run.start >= run.end || rule.is_some_and(|rule| rule.pauses.contains(&stand.status)) {
                continue;
            }
            match runs.last_mut() {
                Some(last) if last.end == run.start => last.end = run.end,
                _ => runs.push(run),
            }
        }
        runs
    }
}

fn clock_of<N>(rule: Option<&TargetRule<N>>) -> &ClockKind<N> {
    rule.map_or(&ClockKind::Calendar, |rule| &rule.clock)
}

/// `permille` thousandths of a duration, rounded up: nobody is told too early.
fn part(whole: Micros, permille: u32) -> Micros {
    let part = (i128::from(whole.0) * i128::from(permille) + 999).div_euclid(1_000);
    Micros(i64::try_from(part).unwrap_or(i64::MAX))
}
