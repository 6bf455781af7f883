//! What can be tried on the past, and the world that it makes.
//!
//! Invariant: whatever a target of the tried policies counts by is there.

use pegcount_domain::{
    deadlines::{ClockKind, PolicySet, World},
    definitions::Definitions,
    event::Event,
    ids::Name,
    time::Micros,
    working::{CalendarChange, WorkingRules},
};

use crate::{boards::making, definitions::check, error::EngineError};

/// The one set of policies of what is tried, if all of it can be.
pub(super) fn checked(tried: &[Event]) -> Result<&PolicySet, EngineError> {
    let mut policies = None;
    for (index, event) in tried.iter().enumerate() {
        let field = format!("tried[{index}]");
        check(event).map_err(|reason| EngineError::invalid(&field, reason))?;
        match event {
            Event::TicketPoliciesDefined(_) if policies.is_some() => {
                let reason = "is a second set of ticket policies; try one at a time";
                return Err(EngineError::invalid(field, reason));
            }
            Event::TicketPoliciesDefined(set) => policies = Some(&**set),
            Event::CalendarDefined(_) | Event::CalendarChanged(_) => {}
            other => {
                let reason = format!(
                    "is {}, on which no deadline hangs; give ticket policies, calendars and calendar changes",
                    other.event_type().name()
                );
                return Err(EngineError::invalid(field, reason));
            }
        }
    }
    policies.ok_or_else(|| EngineError::invalid("tried", "holds no ticket policies; give the set to try"))
}

/// The world of a site in which the tried set holds from the beginning, and tried calendars beside those that are defined.
pub(super) fn tried(
    definitions: &Definitions<Name>,
    tried: &[Event],
    policies: &PolicySet,
) -> Result<World, EngineError> {
    let mut making = making(definitions);
    making.standard_policies = PolicySet { valid_from: Micros(i64::MIN), ..policies.clone() };
    making.policies.clear();
    for event in tried {
        match event {
            Event::CalendarDefined(defined) => {
                // A later definition of the same name and date takes the place of an earlier one.
                let rules = WorkingRules::from(&**defined);
                making.calendars.retain(|(name, known)| {
                    *name != defined.calendar || known.valid_from != rules.valid_from
                });
                making.calendars.push((defined.calendar.clone(), rules));
            }
            Event::CalendarChanged(changed) => {
                let of =
                    |one: &CalendarChange| (one.calendar.clone(), one.change.date, one.change.valid_from);
                making.changes.retain(|known| of(known) != of(changed));
                making.changes.push((**changed).clone());
            }
            _ => {}
        }
    }
    making.calendars.sort_by_key(|(_, rules)| rules.valid_from);
    making.changes.sort_by_key(|changed| changed.change.valid_from);
    let (world, failed) = making.world();
    for (place, policy) in policies.policies.iter().enumerate() {
        for (index, rule) in policy.targets.iter().enumerate() {
            let ClockKind::Working(calendar) = &rule.clock else { continue };
            if world.calendar(calendar).is_ok() {
                continue;
            }
            let why = failed.iter().find(|(name, _)| name == calendar);
            let why = why.map_or_else(
                || "is neither defined nor tried; define it, try it beside, or name another one".to_owned(),
                |(_, error)| format!("cannot be used: {error}"),
            );
            let (name, target) = (&policy.name, rule.target.word());
            let field = format!("policies[{place}].targets[{index}]");
            let reason = format!("({target} of policy {name}) counts by calendar {calendar}, which {why}");
            return Err(EngineError::invalid(field, reason));
        }
    }
    Ok(world)
}
