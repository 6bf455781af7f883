//! What days are judged by: allowances, reasons, the efficiency target.
//!
//! Invariant: what held when a day began holds for the whole of it.

use pegcount_domain::{
    allowance::{AllowanceDefinition, LocalHours},
    definitions::{Definitions, in_force},
    event::{Event, ReasonDefinition},
    ids::{Key, ReasonCode},
    target::{Comparison, TARGET_UNIT, TargetDefinition, TargetScope},
    time::Micros,
};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::{
    agent::clock::Reason,
    cells::Detail,
    names::{Id, Names},
};

/// The column whose target agent-days and agent-months are held against.
const EFFICIENCY: &str = "contacts_per_hour_inbound";

/// Inbound contacts per hour available that an agent-day is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EfficiencyTarget {
    /// Millionths of a contact per hour.
    pub millionths: i64,
    /// How it is compared.
    pub comparison: Comparison,
}

impl Default for EfficiencyTarget {
    /// More than 20 (KPIS.md §4).
    fn default() -> Self {
        Self { millionths: 20 * TARGET_UNIT, comparison: Comparison::Above }
    }
}

impl EfficiencyTarget {
    /// More than so many thousandths of a contact per hour.
    pub fn above_milli(milli: i64) -> Self {
        Self { millionths: milli.saturating_mul(TARGET_UNIT / 1_000), comparison: Comparison::Above }
    }

    /// Whether so many contacts in so long a time (duration) meet it.
    pub(crate) fn is_met(self, contacts: i64, available: i64) -> bool {
        let contacts = i128::from(contacts) * i128::from(Micros::HOUR.0);
        self.comparison.holds(contacts, i128::from(available), self.millionths) == Some(true)
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
    /// The targets that are ever for [`EFFICIENCY`]: of each, what it says from when on; sorted.
    targets: Vec<(Key, Vec<DatedTarget>)>,
}

/// What a target says from an instant on; of something else than [`EFFICIENCY`]: nothing.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct DatedTarget {
    valid_from: Micros,
    scope: TargetScope<Id>,
    says: Option<EfficiencyTarget>,
}

impl DatedTarget {
    /// Higher, the more exactly it speaks of an agent of `team`; none if it does not. One for all of the site or of a
    /// queue speaks of no agent.
    fn rank(&self, agent: Id, team: Id) -> Option<u8> {
        match self.scope {
            TargetScope::Agent(Some(one)) => (one == agent).then_some(4),
            TargetScope::Team(Some(one)) => (one == team).then_some(3),
            TargetScope::Agent(None) => Some(2),
            TargetScope::Team(None) => (team != Id::NONE).then_some(1),
            TargetScope::Site | TargetScope::Queue(_) => None,
        }
    }
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
            Event::TargetDefined(changed) => {
                self.targets.retain(|(name, _)| *name != changed.target);
                let own = definitions.targets().filter(|one| one.target == changed.target);
                let own: Vec<DatedTarget> = own.map(|one| dated_target(one, names)).collect();
                if own.iter().any(|one| one.says.is_some()) {
                    self.targets.push((changed.target, own));
                }
            }
            _ => {}
        }
    }

    /// The instant from which on a definition that is to be learnt changes what days are judged by; none if it does not.
    pub(super) fn judges_from(&self, event: &Event<Key>, known: &Definitions<Key>) -> Option<Micros> {
        match event {
            Event::AllowanceDefined(allowance) => Some(allowance.valid_from),
            Event::ReasonDefined(reason) => {
                let known = known.reason_at(&reason.reason, reason.valid_from);
                let judged = |reason: &ReasonDefinition<Key>| (reason.productive, reason.longest);
                let before = known.map(judged).unwrap_or_default();
                (before != judged(reason)).then_some(reason.valid_from)
            }
            Event::TargetDefined(target) => {
                let was_for_days = self.targets.iter().any(|(name, _)| *name == target.target);
                (was_for_days || target.column.as_str() == EFFICIENCY).then_some(target.valid_from)
            }
            _ => None,
        }
    }

    /// What agents of `team` are allowed on a day that begins at `start`.
    pub(super) fn allowance(&self, team: Id, start: Micros) -> Option<&Allowance> {
        let of = |team| in_force(self.allowances.get(&team)?, start, |one| one.valid_from);
        Some(team).filter(|team| *team != Id::NONE).and_then(of).or_else(|| of(Id::NONE))
    }

    /// The efficiency target of an agent of `team` for a day or a month that begins at `start`: of several the one that
    /// speaks most exactly of the agent, of those the one that came last.
    pub(super) fn efficiency_target(&self, agent: Id, team: Id, start: Micros) -> Option<EfficiencyTarget> {
        let now = self.targets.iter().filter_map(|(name, history)| {
            let one = in_force(history, start, |one| one.valid_from)?;
            Some(((one.rank(agent, team)?, one.valid_from, *name), one.says?))
        });
        now.max_by_key(|(order, _)| *order).map(|(_, says)| says)
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

fn dated_target(defined: &TargetDefinition<Key>, names: &mut Names) -> DatedTarget {
    let scope = match defined.scope {
        TargetScope::Site => TargetScope::Site,
        TargetScope::Queue(queue) => TargetScope::Queue(queue.map(|queue| names.id(queue))),
        TargetScope::Team(team) => TargetScope::Team(team.map(|team| names.id(team))),
        TargetScope::Agent(agent) => TargetScope::Agent(agent.map(|agent| names.id(agent))),
    };
    let value = defined.value.filter(|_| defined.column.as_str() == EFFICIENCY);
    let says = value.map(|millionths| EfficiencyTarget { millionths, comparison: defined.comparison });
    DatedTarget { valid_from: defined.valid_from, scope, says }
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
