//! What a ticket's targets are reckoned by: policies and calendars.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use crate::{
    deadlines::{
        clock::RuleRef,
        policy::{Amount, ClockKind, PolicySet, TargetRule},
    },
    definitions::in_force,
    ids::Name,
    ticketing::{TargetKind, Ticket},
    time::Micros,
    working::{WorkingCalendar, WorkingError},
};

/// Why a target has no due instant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeadlineError {
    /// No such calendar.
    #[error("the policy names a working calendar that is not defined; define it, or name another one")]
    NoCalendar,
    /// Working days by the clock on the wall.
    #[error("the policy counts working days and has no working calendar; name one, or give a duration")]
    NoWorkingDays,
    /// The calendar has no answer.
    #[error(transparent)]
    Working(#[from] WorkingError),
}

/// Policies and calendars of a site.
#[derive(Clone, Debug)]
pub struct World<N = Name> {
    /// Sorted by when they came into force, one for an instant.
    policies: Vec<PolicySet<N>>,
    calendars: FxHashMap<N, WorkingCalendar>,
}

impl<N> Default for World<N> {
    fn default() -> Self {
        Self { policies: Vec::new(), calendars: FxHashMap::default() }
    }
}

impl<N: Clone + Eq + Hash> World<N> {
    /// A set of policies comes into force, instead of one that did so at the same instant.
    pub fn define_policies(&mut self, set: PolicySet<N>) {
        match self.policies.binary_search_by_key(&set.valid_from, |known| known.valid_from) {
            Ok(place) => {
                if let Some(known) = self.policies.get_mut(place) {
                    *known = set;
                }
            }
            Err(place) => self.policies.insert(place, set),
        }
    }

    /// A calendar is what it is from now on; its own definitions say from when.
    pub fn define_calendar(&mut self, name: N, calendar: WorkingCalendar) {
        self.calendars.insert(name, calendar);
    }

    /// The rule for a target, by the policies in force at `at`.
    pub(super) fn rule_for(
        &self,
        ticket: &Ticket<N>,
        target: TargetKind,
        at: Micros,
    ) -> Option<(RuleRef, &TargetRule<N>)> {
        let set = in_force(&self.policies, at, |set| set.valid_from)?;
        let (policy, rule, found) = set.first(ticket, target)?;
        let short = |place: usize| u16::try_from(place).ok();
        Some((RuleRef { set: set.valid_from, policy: short(policy)?, rule: short(rule)? }, found))
    }

    /// The rule that a reference names; none if it is not defined any more.
    pub fn rule(&self, at: RuleRef) -> Option<&TargetRule<N>> {
        let place = self.policies.binary_search_by_key(&at.set, |set| set.valid_from).ok()?;
        self.policies.get(place)?.policies.get(usize::from(at.policy))?.targets.get(usize::from(at.rule))
    }

    /// The calendar of this name.
    pub fn calendar(&self, name: &N) -> Result<&WorkingCalendar, DeadlineError> {
        self.calendars.get(name).ok_or(DeadlineError::NoCalendar)
    }

    /// How much a clock counts from one instant to another (duration).
    pub fn between(&self, clock: &ClockKind<N>, from: Micros, to: Micros) -> Result<Micros, DeadlineError> {
        Ok(match clock {
            ClockKind::Calendar => to.minus(from),
            ClockKind::Working(name) => self.calendar(name)?.between(from, to)?,
        })
    }

    /// When a clock has counted `amount` since `from`.
    pub(super) fn after(
        &self,
        clock: &ClockKind<N>,
        from: Micros,
        amount: Micros,
    ) -> Result<Micros, DeadlineError> {
        Ok(match clock {
            ClockKind::Calendar => from.plus(amount),
            ClockKind::Working(name) => self.calendar(name)?.after(from, amount)?,
        })
    }

    /// An amount as a duration on the rule's clock, for a target that begins at `at`.
    pub(super) fn amount(&self, rule: &TargetRule<N>, at: Micros) -> Result<Micros, DeadlineError> {
        match (rule.amount, &rule.clock) {
            (Amount::Time(amount), _) => Ok(amount.max(Micros::ZERO)),
            (Amount::WorkingDays(days), ClockKind::Working(name)) => {
                let calendar = self.calendar(name)?;
                Ok(calendar.between(at, calendar.day_end(at, days)?)?)
            }
            (Amount::WorkingDays(_), ClockKind::Calendar) => Err(DeadlineError::NoWorkingDays),
        }
    }
}
