//! Reference data in archived figures: by fingerprints, without labels.
//!
//! Invariant: what is restored gives every figure the same answers as what was archived.

use pegcount_domain::{
    allowance::{AllowanceDefinition, LocalHours, MealAllowance, ReasonAllowance, SiteDefinition, ZoneName},
    authority::{AuthorityDefinition, LegField, Reporter},
    definitions::Definitions,
    event::{AfterCallEnd, AfterCallOnContact, AgentDefinition, Event, QueueDefinition, ReasonDefinition},
    ids::{AgentId, Key, QueueId, ReasonCode, TeamId},
    target::{ColumnName, Comparison, TargetDefinition, TargetScope},
    time::Micros,
};
use pegcount_proto::{formula_of, nameless, stored};

use super::{
    ArchiveError,
    events::{target_rule_of, target_rules},
    facts::part,
    key_bytes, key_of,
};

type Read<T> = Result<T, ArchiveError>;

pub(super) fn archived_definitions(definitions: &Definitions<Key>) -> Vec<stored::KnownDefinition> {
    let plain = |key: Key, valid_from: Micros| stored::KnownDefinition {
        key: key_bytes(key),
        valid_from: valid_from.0,
        ..stored::KnownDefinition::default()
    };
    let queues = definitions.queues().map(|queue| stored::KnownDefinition {
        queue: Some(stored::KnownQueue {
            threshold: own(queue.threshold),
            short: own(queue.short),
            rings: own(queue.rings),
            after_call_end: queue.after_call_end.code().into(),
            after_call_timer: queue.after_call_timer.0,
            after_call_on_contact: queue.after_call_on_contact.code().into(),
        }),
        ..plain(queue.queue.0, queue.valid_from)
    });
    let reasons = definitions.reasons().map(|reason| stored::KnownDefinition {
        reason: Some(stored::KnownReason {
            productive: reason.productive,
            paid: reason.paid,
            longest: reason.longest.map(|longest| longest.0),
        }),
        ..plain(reason.reason.0, reason.valid_from)
    });
    let agents = definitions.agents().map(|agent| stored::KnownDefinition {
        agent: Some(stored::KnownAgent {
            team: agent.team.map(|team| key_bytes(team.0)).unwrap_or_default(),
            chat_slots: agent.chat_slots,
        }),
        ..plain(agent.agent.0, agent.valid_from)
    });
    let formulas = definitions.formulas().map(|formula| stored::KnownDefinition {
        formula: Some(nameless(formula)),
        valid_from: formula.valid_from.0,
        ..stored::KnownDefinition::default()
    });
    let sites = definitions.sites().map(|site| stored::KnownDefinition {
        valid_from: site.valid_from.0,
        time_zone: Some(site.time_zone.as_str().to_owned()),
        ..stored::KnownDefinition::default()
    });
    let fields = |authority: &AuthorityDefinition, reporter: Reporter| {
        let own = authority.believed.iter().filter(move |(_, believed)| *believed == reporter);
        own.map(|(field, _)| u32::from(field.code())).collect()
    };
    let authorities = definitions.authorities().map(move |authority| stored::KnownDefinition {
        valid_from: authority.valid_from.0,
        authority: Some(stored::KnownAuthority {
            softphone: fields(authority, Reporter::Softphone),
            exchange: fields(authority, Reporter::Exchange),
        }),
        ..stored::KnownDefinition::default()
    });
    let allowances = definitions.allowances().map(|allowance| stored::KnownDefinition {
        key: allowance.team.map(|team| key_bytes(team.0)).unwrap_or_default(),
        valid_from: allowance.valid_from.0,
        allowance: Some(archived_allowance(allowance)),
        ..stored::KnownDefinition::default()
    });
    let targets = definitions.targets().map(|target| stored::KnownDefinition {
        target: Some(archived_target(target)),
        ..plain(target.target, target.valid_from)
    });
    queues
        .chain(reasons)
        .chain(agents)
        .chain(sites)
        .chain(allowances)
        .chain(authorities)
        .chain(formulas)
        .chain(targets)
        .chain(target_rules(definitions).map(|event| stored::KnownDefinition {
            event: Some(event),
            ..stored::KnownDefinition::default()
        }))
        .collect()
}

fn archived_allowance(allowance: &AllowanceDefinition<Key>) -> stored::KnownAllowance {
    let micros = |limit: Option<Micros>| limit.map(|limit| limit.0);
    let reason = |reason: &ReasonAllowance<Key>| stored::KnownReasonAllowed {
        reason: key_bytes(reason.reason.0),
        longest: micros(reason.longest),
        total: micros(reason.total),
        count: reason.count,
    };
    let meals = |meals: &MealAllowance<Key>| stored::KnownMeals {
        reasons: meals.reasons.iter().map(|reason| key_bytes(reason.0)).collect(),
        count: meals.count,
        longest: micros(meals.longest),
        has_hours: meals.hours.is_some(),
        from_minute: meals.hours.map_or(0, |hours| hours.from_minute.into()),
        to_minute: meals.hours.map_or(0, |hours| hours.to_minute.into()),
    };
    stored::KnownAllowance {
        total: micros(allowance.total),
        reasons: allowance.reasons.iter().map(reason).collect(),
        meals: allowance.meals.as_ref().map(meals),
        sign_ins: allowance.sign_ins,
    }
}

fn restored_allowance(
    team: Option<TeamId<Key>>,
    valid_from: Micros,
    known: &stored::KnownAllowance,
) -> Read<AllowanceDefinition<Key>> {
    let minute = |minute: u32| u16::try_from(minute).map_err(|_| unknown());
    let mut reasons = Vec::with_capacity(known.reasons.len());
    for reason in &known.reasons {
        reasons.push(ReasonAllowance {
            reason: ReasonCode(key_of(&reason.reason)?),
            longest: reason.longest.map(Micros),
            total: reason.total.map(Micros),
            count: reason.count,
        });
    }
    let mut meals = None;
    if let Some(known) = &known.meals {
        let reasons = known.reasons.iter().map(|reason| key_of(reason).map(ReasonCode));
        let hours =
            LocalHours { from_minute: minute(known.from_minute)?, to_minute: minute(known.to_minute)? };
        meals = Some(MealAllowance {
            reasons: reasons.collect::<Read<_>>()?,
            count: known.count,
            longest: known.longest.map(Micros),
            hours: known.has_hours.then_some(hours),
        });
    }
    let (total, sign_ins) = (known.total.map(Micros), known.sign_ins);
    Ok(AllowanceDefinition { team, total, reasons, meals, sign_ins, valid_from })
}

fn archived_target(target: &TargetDefinition<Key>) -> stored::KnownTarget {
    let (_, scope, whose) = target.scope.parts();
    stored::KnownTarget {
        column: target.column.as_str().to_owned(),
        scope: scope.into(),
        whose: whose.copied().map(key_bytes).unwrap_or_default(),
        comparison: target.comparison.code().into(),
        value: target.value,
    }
}

fn restored_target(
    target: Key,
    valid_from: Micros,
    known: &stored::KnownTarget,
) -> Read<TargetDefinition<Key>> {
    let whose = if known.whose.is_empty() { None } else { Some(key_of(&known.whose)?) };
    Ok(TargetDefinition {
        target,
        column: ColumnName::new(&known.column),
        scope: TargetScope::from_parts(known.scope, whose).ok_or_else(unknown)?,
        comparison: Comparison::from_code(known.comparison).ok_or_else(unknown)?,
        value: known.value,
        valid_from,
    })
}

fn unknown() -> ArchiveError {
    ArchiveError::Wrong("a code is unknown")
}

/// A queue's own threshold; 0 where it has none.
fn own(threshold: Option<Micros>) -> i64 {
    threshold.map_or(0, |Micros(own)| own)
}

fn own_of(micros: i64) -> Option<Micros> {
    (micros != 0).then_some(Micros(micros))
}

/// Labels are for people, and figures have none.
pub(super) fn restored_definition(known: &stored::KnownDefinition) -> Read<Event<Key>> {
    if let Some(event) = &known.event {
        return target_rule_of(event);
    }
    if let Some(time_zone) = &known.time_zone {
        let (time_zone, valid_from) = (ZoneName::new(time_zone), Micros(known.valid_from));
        return Ok(Event::SiteDefined(SiteDefinition { time_zone, valid_from }));
    }
    if let Some(authority) = &known.authority {
        let of = |codes: &[u32], reporter: Reporter| {
            let field = |code: &u32| LegField::from_code(*code).map(|field| (field, reporter));
            codes.iter().map(field).collect::<Option<Vec<_>>>()
        };
        let softphone = of(&authority.softphone, Reporter::Softphone);
        let exchange = of(&authority.exchange, Reporter::Exchange);
        let mut believed = softphone.ok_or_else(unknown)?;
        believed.extend(exchange.ok_or_else(unknown)?);
        believed.sort_unstable();
        let valid_from = Micros(known.valid_from);
        return Ok(Event::AuthorityDefined(AuthorityDefinition { believed, valid_from }));
    }
    if let Some(allowance) = &known.allowance {
        let team = if known.key.is_empty() { None } else { Some(TeamId(key_of(&known.key)?)) };
        let valid_from = Micros(known.valid_from);
        return Ok(Event::AllowanceDefined(restored_allowance(team, valid_from, allowance)?));
    }
    if let Some(formula) = &known.formula {
        return Ok(Event::FormulaDefined(Box::new(formula_of(formula).ok_or_else(unknown)?)));
    }
    let (key, valid_from) = (key_of(&known.key)?, Micros(known.valid_from));
    if let Some(target) = &known.target {
        return Ok(Event::TargetDefined(Box::new(restored_target(key, valid_from, target)?)));
    }
    if let Some(queue) = &known.queue {
        return Ok(Event::QueueDefined(QueueDefinition {
            queue: QueueId(key),
            label: None,
            threshold: own_of(queue.threshold),
            short: own_of(queue.short),
            rings: own_of(queue.rings),
            after_call_end: AfterCallEnd::from_code(queue.after_call_end).ok_or_else(unknown)?,
            after_call_timer: Micros(queue.after_call_timer),
            after_call_on_contact: AfterCallOnContact::from_code(queue.after_call_on_contact)
                .ok_or_else(unknown)?,
            valid_from,
        }));
    }
    if let Some(reason) = &known.reason {
        return Ok(Event::ReasonDefined(ReasonDefinition {
            reason: ReasonCode(key),
            label: None,
            productive: reason.productive,
            paid: reason.paid,
            longest: reason.longest.map(Micros),
            valid_from,
        }));
    }
    let agent = part(known.agent.as_ref())?;
    let team = if agent.team.is_empty() { None } else { Some(TeamId(key_of(&agent.team)?)) };
    let chat_slots = agent.chat_slots;
    Ok(Event::AgentDefined(AgentDefinition { agent: AgentId(key), team, chat_slots, valid_from }))
}
