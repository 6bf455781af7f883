//! Kinds of tickets, deadline policies and one-off changes of calendars between the contract and the domain. Checks form only.

use pegcount_domain::{
    calendar::Weekday,
    deadlines::{AlertStep, Amount, ClockKind, Conditions, Policy, PolicySet, Recipient, TargetRule},
    ids::{Name, TicketKind},
    ticketing::{
        Evidence, Field, KindRules, Severity, Status as TicketStatus, TargetKind, Urgency, Validity, WayKind,
    },
    time::Micros,
    working::{CalendarChange, DayChange, DayPlan, Hours},
};
use pegcount_proto::v1;
use tonic::Status;

use super::to_rules::date;
use crate::{fields, status};

fn names(field: &str, texts: &[String]) -> Result<Vec<Name>, Status> {
    texts.iter().map(|text| fields::name(field, text)).collect()
}

fn code<T>(field: &str, value: i32, from_code: impl Fn(u32) -> Option<T>) -> Result<T, Status> {
    let found = u32::try_from(value).ok().and_then(from_code);
    found.ok_or_else(|| {
        status::invalid(field, format!("is {value}, which is none of the contract's values; say one"))
    })
}

fn codes<T>(field: &str, values: &[i32], from_code: impl Fn(u32) -> Option<T>) -> Result<Vec<T>, Status> {
    values.iter().map(|value| code(field, *value, &from_code)).collect()
}

fn texts(names: &[impl ToString]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

pub(super) fn change_definition(
    field: &str,
    m: &v1::CalendarChange,
    valid_from: Micros,
) -> Result<CalendarChange, Status> {
    let at = |name: &str| format!("{field}.{name}");
    let plan = if m.closed {
        DayPlan::Closed
    } else if m.like != 0 {
        let unknown =
            || status::invalid(&at("like"), format!("is {}; a day of the week is 1 (Monday) to 7", m.like));
        DayPlan::Like(Weekday::from_code(m.like).ok_or_else(unknown)?)
    } else if m.hours.is_empty() {
        DayPlan::AsUsual
    } else {
        let hours = m.hours.iter().map(|hours| {
            let from = fields::minute(&at("hours.from_minute"), hours.from_minute)?;
            Ok(Hours::new(from, fields::minute(&at("hours.to_minute"), hours.to_minute)?))
        });
        DayPlan::Hours(hours.collect::<Result<_, Status>>()?)
    };
    Ok(CalendarChange {
        calendar: fields::name(&at("calendar"), &m.calendar)?,
        change: DayChange { date: date(&at("date"), m.date)?, plan, valid_from },
    })
}

pub(super) fn change_message(change: &CalendarChange) -> v1::CalendarChange {
    let mut message = v1::CalendarChange {
        calendar: change.calendar.to_string(),
        date: change.change.date.0,
        ..v1::CalendarChange::default()
    };
    match &change.change.plan {
        DayPlan::AsUsual => {}
        DayPlan::Closed => message.closed = true,
        DayPlan::Like(day) => message.like = day.code().into(),
        DayPlan::Hours(hours) => {
            let hours = hours.iter();
            let hours =
                hours.map(|one| v1::LocalHours { from_minute: one.from.into(), to_minute: one.to.into() });
            message.hours = hours.collect();
        }
    }
    message
}

pub(super) fn kind_definition(
    field: &str,
    m: &v1::TicketKindDefinition,
    valid_from: Micros,
) -> Result<KindRules, Status> {
    let at = |name: &str| format!("{field}.{name}");
    let evidence = m.evidence.iter().map(|needed| {
        let kind = fields::name(&at("evidence.kind"), &needed.kind)?;
        Ok(Evidence { kind, count: needed.count.max(1) })
    });
    Ok(KindRules {
        kind: TicketKind(fields::name(&at("kind"), &m.kind)?),
        fields: codes(&at("fields"), &m.fields, Field::from_code)?,
        attributes: names(&at("attributes"), &m.attributes)?,
        evidence: evidence.collect::<Result<_, Status>>()?,
        ways: codes(&at("ways"), &m.ways, WayKind::from_code)?,
        approvers: names(&at("approvers"), &m.approvers)?,
        levels: names(&at("levels"), &m.levels)?,
        escalates_when_repeated: m.escalates_when_repeated,
        requester_accepts: m.requester_accepts,
        slip_filed: m.slip_filed,
        valid_from,
    })
}

pub(super) fn kind_message(kind: &KindRules) -> v1::TicketKindDefinition {
    let evidence = kind.evidence.iter();
    let evidence =
        evidence.map(|needed| v1::TicketEvidence { kind: needed.kind.to_string(), count: needed.count });
    v1::TicketKindDefinition {
        kind: kind.kind.to_string(),
        fields: kind.fields.iter().map(|field| field.code().into()).collect(),
        attributes: texts(&kind.attributes),
        evidence: evidence.collect(),
        ways: kind.ways.iter().map(|way| way.code().into()).collect(),
        approvers: texts(&kind.approvers),
        levels: texts(&kind.levels),
        escalates_when_repeated: kind.escalates_when_repeated,
        requester_accepts: kind.requester_accepts,
        slip_filed: kind.slip_filed,
    }
}

pub(super) fn policies_definition(
    field: &str,
    m: &v1::TicketPoliciesDefinition,
    valid_from: Micros,
) -> Result<PolicySet, Status> {
    let policies = m.policies.iter().enumerate();
    let policies = policies.map(|(index, one)| policy(&format!("{field}.policies[{index}]"), one));
    Ok(PolicySet { policies: policies.collect::<Result<_, _>>()?, valid_from })
}

fn policy(field: &str, m: &v1::TicketPolicy) -> Result<Policy, Status> {
    let at = |name: &str| format!("{field}.{name}");
    let when = Conditions {
        kinds: names(&at("kinds"), &m.kinds)?.into_iter().map(TicketKind).collect(),
        severities: codes(&at("severities"), &m.severities, Severity::from_code)?,
        urgencies: codes(&at("urgencies"), &m.urgencies, Urgency::from_code)?,
        tiers: names(&at("tiers"), &m.tiers)?,
        channels: names(&at("channels"), &m.channels)?,
        validities: codes(&at("validities"), &m.validities, Validity::from_code)?,
    };
    let targets = m.targets.iter().enumerate();
    let targets = targets.map(|(index, rule)| target_rule(&at(&format!("targets[{index}]")), rule));
    Ok(Policy {
        name: fields::name(&at("name"), &m.name)?,
        when,
        targets: targets.collect::<Result<_, _>>()?,
    })
}

fn target_rule(field: &str, m: &v1::TicketTargetRule) -> Result<TargetRule, Status> {
    let at = |name: &str| format!("{field}.{name}");
    let amount = match (m.within_us, m.working_days) {
        (Some(within), None) => Amount::Time(fields::duration(&at("within_us"), within)?),
        (None, Some(days)) => Amount::WorkingDays(days),
        _ => {
            let reason = "must be set, or else `working_days`: one of both says within what time";
            return Err(status::invalid(&at("within_us"), reason));
        }
    };
    let clock = fields::optional(&at("calendar"), &m.calendar)?;
    Ok(TargetRule {
        target: code(&at("target"), m.target, TargetKind::from_code)?,
        amount,
        clock: clock.map_or(ClockKind::Calendar, ClockKind::Working),
        pauses: codes(&at("pauses"), &m.pauses, TicketStatus::from_code)?,
        warnings: alert_steps(&at("warnings"), &m.warnings)?,
        escalations: alert_steps(&at("escalations"), &m.escalations)?,
    })
}

fn alert_steps(field: &str, steps: &[v1::TicketAlertStep]) -> Result<Vec<AlertStep>, Status> {
    let step = |(index, m): (usize, &v1::TicketAlertStep)| {
        let at = |name: &str| format!("{field}[{index}].{name}");
        let told =
            [(m.owner, Recipient::Owner), (m.receiver, Recipient::Receiver), (m.group, Recipient::Group)];
        let mut recipients: Vec<_> =
            told.into_iter().filter(|(is_told, _)| *is_told).map(|(_, recipient)| recipient).collect();
        recipients.extend(names(&at("levels"), &m.levels)?.into_iter().map(Recipient::Level));
        if recipients.is_empty() {
            return Err(status::invalid(&at("owner"), "is not set, and nobody else is told; say who is"));
        }
        let working_hours = fields::optional(&at("working_hours"), &m.working_hours)?;
        Ok(AlertStep { permille: m.permille, recipients, working_hours })
    };
    steps.iter().enumerate().map(step).collect()
}

pub(super) fn policies_message(set: &PolicySet) -> v1::TicketPoliciesDefinition {
    let policies = set.policies.iter().map(|policy| v1::TicketPolicy {
        name: policy.name.to_string(),
        kinds: texts(&policy.when.kinds),
        severities: policy.when.severities.iter().map(|one| one.code().into()).collect(),
        urgencies: policy.when.urgencies.iter().map(|one| one.code().into()).collect(),
        tiers: texts(&policy.when.tiers),
        channels: texts(&policy.when.channels),
        validities: policy.when.validities.iter().map(|one| one.code().into()).collect(),
        targets: policy.targets.iter().map(rule_message).collect(),
    });
    v1::TicketPoliciesDefinition { policies: policies.collect() }
}

fn rule_message(rule: &TargetRule) -> v1::TicketTargetRule {
    let (within_us, working_days) = match rule.amount {
        Amount::Time(amount) => (Some(amount.0), None),
        Amount::WorkingDays(days) => (None, Some(days)),
    };
    v1::TicketTargetRule {
        target: rule.target.code().into(),
        within_us,
        working_days,
        calendar: match &rule.clock {
            ClockKind::Calendar => String::new(),
            ClockKind::Working(calendar) => calendar.to_string(),
        },
        pauses: rule.pauses.iter().map(|status| status.code().into()).collect(),
        warnings: rule.warnings.iter().map(step_message).collect(),
        escalations: rule.escalations.iter().map(step_message).collect(),
    }
}

fn step_message(step: &AlertStep) -> v1::TicketAlertStep {
    let levels = step.recipients.iter().filter_map(|recipient| match recipient {
        Recipient::Level(level) => Some(level.to_string()),
        _ => None,
    });
    v1::TicketAlertStep {
        permille: step.permille,
        owner: step.recipients.contains(&Recipient::Owner),
        receiver: step.recipients.contains(&Recipient::Receiver),
        group: step.recipients.contains(&Recipient::Group),
        levels: levels.collect(),
        working_hours: step.working_hours.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use pegcount_domain::deadlines::standard::standard;

    use super::*;

    #[test]
    fn the_standard_policies_come_back_as_they_were() {
        let mut set = standard(&Name::fixed("standard"));
        set.valid_from = Micros(7);
        assert_eq!(policies_definition("d", &policies_message(&set), Micros(7)).unwrap(), set);
    }

    #[test]
    fn a_target_says_one_time_and_a_step_says_who_is_told() {
        let rule = v1::TicketTargetRule { target: 1, ..Default::default() };
        let policy = v1::TicketPolicy { name: "p".into(), targets: vec![rule.clone()], ..Default::default() };
        let set = |policy: v1::TicketPolicy| v1::TicketPoliciesDefinition { policies: vec![policy] };
        let refused = policies_definition("d", &set(policy.clone()), Micros(0)).unwrap_err();
        assert!(refused.message().starts_with("d.policies[0].targets[0].within_us must be set"), "{refused}");
        let silent = v1::TicketAlertStep { permille: 800, ..Default::default() };
        let rule = v1::TicketTargetRule { within_us: Some(1), warnings: vec![silent], ..rule };
        let policy = v1::TicketPolicy { targets: vec![rule], ..policy };
        let refused = policies_definition("d", &set(policy), Micros(0)).unwrap_err();
        assert!(refused.message().contains("warnings[0].owner is not set"), "{refused}");
    }

    #[test]
    fn a_kind_and_a_changed_day_come_back_as_they_were() {
        let kind = v1::TicketKindDefinition {
            kind: "repair".into(),
            fields: vec![1, 8],
            evidence: vec![v1::TicketEvidence { kind: "photo".into(), count: 2 }],
            levels: vec!["team_lead".into()],
            slip_filed: true,
            ..Default::default()
        };
        assert_eq!(kind_message(&kind_definition("d", &kind, Micros(0)).unwrap()), kind);
        let night = v1::LocalHours { from_minute: 1_320, to_minute: 360 };
        let usual = v1::CalendarChange { calendar: "office".into(), date: 20_261_130, ..Default::default() };
        let plans = [
            usual.clone(),
            v1::CalendarChange { closed: true, ..usual.clone() },
            v1::CalendarChange { like: 5, ..usual.clone() },
            v1::CalendarChange { hours: vec![night], ..usual },
        ];
        for plan in plans {
            assert_eq!(change_message(&change_definition("d", &plan, Micros(0)).unwrap()), plan);
        }
    }
}
