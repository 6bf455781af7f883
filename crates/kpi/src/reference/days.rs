//! What days are judged by: allowances, reasons, the efficiency target.
//!
//! Invariant: what held when a day began holds for the whole of it.

use pegcount_domain::{
    allowance::{AllowanceDefinition, LocalHours},
    definitions::Definitions,
    event::{Event, ReasonDefinition},
    ids::{Key, ReasonCode},
    time::Micros,
};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::{
    agent::clock::Reason,
    cells::Detail,
    names::{Id, Names},
};

/// Inbound contacts per hour available that an agent-day is to exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EfficiencyTarget {
    /// Thousandths of a contact per hour.
    pub milli: i64,
    /// Whether the target itself is enough.
    pub or_equal: bool,
}

impl Default for EfficiencyTarget {
    /// More than 20 (KPIS.md §4).
    fn default() -> Self {
        Self { milli: 20_000, or_equal: false }
    }
}

impl EfficiencyTarget {
    /// Whether so many contacts in so long a time (duration) are enough.
    pub(crate) fn is_exceeded(self, contacts: i64, available: i64) -> bool {
        let actual = i128::from(contacts) * 1_000 * i128::from(Micros::HOUR.0);
        let wanted = i128::from(self.milli) * i128::from(available);
        actual > wanted || self.or_equal && actual == wanted
    }
}

/// Limits of one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReasonLimits {
    /// The longest single absence (duration).
    pub(crate) longest: Option<Micros>,
    /// All absences together (duration).
    pub(crate) total: Option<Micros>,
    pub(crate) count: Option<u32>,
}

/// Limits of meals.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Meals {
    pub(crate) reasons: Vec<Id>,
    pub(crate) count: Option<u32>,
    pub(crate) longest: Option<Micros>,
    pub(crate) hours: Option<LocalHours>,
}

/// What is allowed on a day.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Allowance {
    valid_from: Micros,
    pub(crate) total: Option<Micros>,
    reasons: Vec<(Id, ReasonLimits)>,
    pub(crate) meals: Option<Meals>,
    pub(crate) sign_ins: Option<u32>,
}

/// All of it, by small numbers.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct DayRules {
    /// By team, [`Id::NONE`] for all; sorted by their first instants.
    allowances: FxHashMap<Id, Vec<Allowance>>,
    /// By reason; sorted likewise.
    reasons: FxHashMap<Detail, Vec<ReasonDefinition<Key>>>,
}

/// The last one in force at an instant.
fn in_force<T>(history: &[T], at: Micros, valid_from: impl Fn(&T) -> Micros) -> Option<&T> {
    let after = history.partition_point(|known| valid_from(known) <= at);
    history.get(after.checked_sub(1)?)
}

impl DayRules {
    /// Learns of a definition that [`Definitions`] has taken in.
    pub(super) fn learn(&mut self, event: &Event<Key>, definitions: &Definitions<Key>, names: &mut Names) {
        match event {
            Event::AllowanceDefined(changed) => {
                let own = definitions.allowances().filter(|one| one.team == changed.team);
                let mut own: Vec<Allowance> = own.map(|one| allowance(one, names)).collect();
                own.sort_unstable_by_key(|one| one.valid_from);
                let team = changed.team.map_or(Id::NONE, |team| names.id(team.0));
                self.allowances.insert(team, own);
            }
            Event::ReasonDefined(changed) => {
                let own = definitions.reasons().filter(|one| one.reason == changed.reason);
                let mut own: Vec<_> = own.copied().collect();
                own.sort_unstable_by_key(|one| one.valid_from);
                self.reasons.insert(detail(changed.reason, names), own);
            }
            _ => {}
        }
    }

    /// What agents of `team` are allowed on a day that begins at `start`.
    pub(super) fn allowance(&self, team: Id, start: Micros) -> Option<&Allowance> {
        let of = |team| in_force(self.allowances.get(&team)?, start, |one| one.valid_from);
        Some(team).filter(|team| *team != Id::NONE).and_then(of).or_else(|| of(Id::NONE))
    }

    fn reason(&self, reason: Detail, start: Micros) -> Option<&ReasonDefinition<Key>> {
        in_force(self.reasons.get(&reason)?, start, |one| one.valid_from)
    }

    pub(super) fn is_productive(&self, reason: Detail, start: Micros) -> bool {
        self.reason(reason, start).is_some_and(|reason| reason.productive)
    }

    /// The limits of a reason: those of the allowance, and the reason's own longest absence where that says none.
    pub(super) fn limits(
        &self,
        allowance: Option<&Allowance>,
        reason: Detail,
        start: Micros,
    ) -> ReasonLimits {
        let of = |(known, limits): &(Id, ReasonLimits)| {
            (Reason::Code(*known).detail() == reason).then_some(*limits)
        };
        let said = allowance.and_then(|allowance| allowance.reasons.iter().find_map(of)).unwrap_or_default();
        let longest = said.longest.or_else(|| self.reason(reason, start)?.longest);
        ReasonLimits { longest, ..said }
    }
}

fn detail(reason: ReasonCode<Key>, names: &mut Names) -> Detail {
    Reason::Code(names.id(reason.0)).detail()
}

fn allowance(defined: &AllowanceDefinition<Key>, names: &mut Names) -> Allowance {
    let mut reasons = Vec::with_capacity(defined.reasons.len());
    for reason in &defined.reasons {
        let limits = ReasonLimits { longest: reason.longest, total: reason.total, count: reason.count };
        reasons.push((names.id(reason.reason.0), limits));
    }
    let meals = defined.meals.as_ref().map(|meals| Meals {
        reasons: meals.reasons.iter().map(|reason| names.id(reason.0)).collect(),
        count: meals.count,
        longest: meals.longest,
        hours: meals.hours,
    });
    Allowance {
        valid_from: defined.valid_from,
        total: defined.total,
        reasons,
        meals,
        sign_ins: defined.sign_ins,
    }
}
