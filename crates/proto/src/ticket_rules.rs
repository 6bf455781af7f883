//! Kinds of tickets, deadline policies and one-off changes of calendars, as they are stored. Read again by `decode/ticket_rules.rs`.
//!
//! Invariant: equal definitions are written as equal bytes.

use pegcount_domain::{
    deadlines::{AlertStep, Amount, ClockKind, Policy, PolicySet, Recipient, TargetRule},
    ids::Name,
    ticketing::KindRules,
    working::{CalendarChange, DayPlan, Hours},
};

use crate::{names::NameList, stored};

/// The stored codes of a day's plan.
pub(crate) const AS_USUAL: u32 = 1;
pub(crate) const CLOSED: u32 = 2;
pub(crate) const LIKE: u32 = 3;
pub(crate) const IN_HOURS: u32 = 4;
/// The stored codes of who is told.
pub(crate) const OWNER: u32 = 1;
pub(crate) const RECEIVER: u32 = 2;
pub(crate) const GROUP: u32 = 3;
pub(crate) const LEVEL: u32 = 4;

pub(crate) fn change_message(change: &CalendarChange, names: &mut NameList) -> stored::CalendarChanged {
    let mut message = stored::CalendarChanged {
        name_calendar: names.ordinal(&change.calendar),
        date: change.change.date.0,
        valid_from_us: change.change.valid_from.0,
        ..stored::CalendarChanged::default()
    };
    match &change.change.plan {
        DayPlan::AsUsual => message.plan = AS_USUAL,
        DayPlan::Closed => message.plan = CLOSED,
        DayPlan::Like(day) => (message.plan, message.like) = (LIKE, day.code().into()),
        DayPlan::Hours(hours) => {
            let hours = hours
                .iter()
                .map(|Hours { from, to }| stored::CalendarHours { from: (*from).into(), to: (*to).into() });
            (message.plan, message.hours) = (IN_HOURS, hours.collect());
        }
    }
    message
}

fn ordinals<'a>(list: impl IntoIterator<Item = &'a Name>, names: &mut NameList) -> Vec<u32> {
    list.into_iter().map(|name| names.ordinal(name)).collect()
}

pub(crate) fn kind_message(kind: &KindRules, names: &mut NameList) -> stored::TicketKindDefined {
    stored::TicketKindDefined {
        name_kind: names.ordinal(&kind.kind.0),
        fields: kind.fields.iter().map(|field| field.code().into()).collect(),
        name_attributes: ordinals(&kind.attributes, names),
        evidence: kind
            .evidence
            .iter()
            .map(|needed| stored::TicketEvidence {
                name_kind: names.ordinal(&needed.kind),
                count: needed.count,
            })
            .collect(),
        ways: kind.ways.iter().map(|way| way.code().into()).collect(),
        name_approvers: ordinals(&kind.approvers, names),
        name_levels: ordinals(&kind.levels, names),
        escalates_when_repeated: kind.escalates_when_repeated,
        requester_accepts: kind.requester_accepts,
        slip_filed: kind.slip_filed,
        valid_from_us: kind.valid_from.0,
    }
}

pub(crate) fn policies_message(set: &PolicySet, names: &mut NameList) -> stored::TicketPoliciesDefined {
    let policies = set.policies.iter().map(|policy| policy_message(policy, names)).collect();
    stored::TicketPoliciesDefined { policies, valid_from_us: set.valid_from.0 }
}

fn policy_message(policy: &Policy, names: &mut NameList) -> stored::TicketPolicy {
    let when = &policy.when;
    stored::TicketPolicy {
        name_name: names.ordinal(&policy.name),
        name_kinds: ordinals(when.kinds.iter().map(|kind| &kind.0), names),
        severities: when.severities.iter().map(|one| one.code().into()).collect(),
        urgencies: when.urgencies.iter().map(|one| one.code().into()).collect(),
        name_tiers: ordinals(&when.tiers, names),
        name_channels: ordinals(&when.channels, names),
        validities: when.validities.iter().map(|one| one.code().into()).collect(),
        targets: policy.targets.iter().map(|rule| rule_message(rule, names)).collect(),
    }
}

fn rule_message(rule: &TargetRule, names: &mut NameList) -> stored::TicketTargetRule {
    let (amount_us, working_days) = match rule.amount {
        Amount::Time(amount) => (Some(amount.0), 0),
        Amount::WorkingDays(days) => (None, days),
    };
    let calendar = match &rule.clock {
        ClockKind::Calendar => None,
        ClockKind::Working(calendar) => Some(calendar),
    };
    let mut steps = |steps: &[AlertStep]| steps.iter().map(|step| step_message(step, names)).collect();
    let (warnings, escalations) = (steps(&rule.warnings), steps(&rule.escalations));
    stored::TicketTargetRule {
        target: rule.target.code().into(),
        amount_us,
        working_days,
        name_calendar: names.optional(calendar),
        pauses: rule.pauses.iter().map(|status| status.code().into()).collect(),
        warnings,
        escalations,
    }
}

fn step_message(step: &AlertStep, names: &mut NameList) -> stored::TicketAlertStep {
    let recipients = step.recipients.iter().map(|recipient| {
        let (kind, level) = match recipient {
            Recipient::Owner => (OWNER, None),
            Recipient::Receiver => (RECEIVER, None),
            Recipient::Group => (GROUP, None),
            Recipient::Level(level) => (LEVEL, Some(level)),
        };
        stored::TicketRecipient { kind, name_level: names.optional(level) }
    });
    let recipients = recipients.collect();
    let name_working_hours = names.optional(step.working_hours.as_ref());
    stored::TicketAlertStep { permille: step.permille, recipients, name_working_hours }
}
