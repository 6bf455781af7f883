//! What is said of kinds of tickets, deadline policies and one-off changes of calendars.

use pegcount_domain::{
    deadlines::{AlertStep, Amount, ClockKind, Policy, PolicySet, TargetRule},
    ticketing::KindRules,
    working::{CalendarChange, DayPlan},
};

use super::{Told, yes};
use crate::site_file::{
    recipient, share,
    text::{written, written_minute},
};

pub(super) fn of_change(change: &CalendarChange) -> Told {
    let plan = match &change.change.plan {
        DayPlan::AsUsual => "as usual".to_owned(),
        DayPlan::Closed => "closed".to_owned(),
        DayPlan::Like(day) => format!("like {}", day.word()),
        DayPlan::Hours(hours) => {
            let hours =
                hours.iter().map(|one| format!("{}–{}", written_minute(one.from), written_minute(one.to)));
            hours.collect::<Vec<_>>().join(" ")
        }
    };
    (format!("calendar {} on {}", change.calendar, change.change.date), vec![("worked", plan)])
}

fn joined(texts: impl Iterator<Item = impl ToString>) -> String {
    texts.map(|text| text.to_string()).collect::<Vec<_>>().join(", ")
}

pub(super) fn of_kind(kind: &KindRules) -> Told {
    (
        format!("ticket_kind {}", kind.kind),
        vec![
            ("fields", joined(kind.fields.iter().map(|field| field.word()))),
            ("attributes", joined(kind.attributes.iter())),
            ("evidence", joined(kind.evidence.iter().map(|one| format!("{} {}", one.count, one.kind)))),
            ("ways", joined(kind.ways.iter().map(|way| way.word()))),
            ("approvers", joined(kind.approvers.iter())),
            ("levels", joined(kind.levels.iter())),
            ("escalates_when_repeated", yes(kind.escalates_when_repeated)),
            ("requester_accepts", yes(kind.requester_accepts)),
            ("slip_filed", yes(kind.slip_filed)),
        ],
    )
}

pub(super) fn of_policies(set: &PolicySet) -> Told {
    let policies = set.policies.iter().map(policy).collect::<Vec<_>>().join("; ");
    ("ticket_policies".to_owned(), vec![("policies", policies)])
}

fn policy(policy: &Policy) -> String {
    let when = &policy.when;
    let conditions = [
        joined(when.kinds.iter()),
        joined(when.severities.iter().map(|one| one.word())),
        joined(when.urgencies.iter().map(|one| one.word())),
        joined(when.tiers.iter()),
        joined(when.channels.iter()),
        joined(when.validities.iter().map(|one| one.word())),
    ];
    let conditions: Vec<_> = conditions.into_iter().filter(|words| !words.is_empty()).collect();
    let when = if conditions.is_empty() { String::new() } else { format!(" ({})", conditions.join("; ")) };
    format!("{}{when}: {}", policy.name, joined(policy.targets.iter().map(target)))
}

fn target(rule: &TargetRule) -> String {
    let amount = match rule.amount {
        Amount::Time(amount) => written(amount),
        Amount::WorkingDays(days) => format!("{days} working days"),
    };
    let clock = match &rule.clock {
        ClockKind::Calendar => String::new(),
        ClockKind::Working(calendar) => format!(" by {calendar}"),
    };
    let pauses = joined(rule.pauses.iter().map(|status| status.word()));
    let pauses = if pauses.is_empty() { pauses } else { format!(" but {pauses}") };
    let steps = rule.warnings.iter().chain(&rule.escalations).map(step).collect::<String>();
    format!("{} in {amount}{clock}{pauses}{steps}", rule.target.word())
}

fn step(step: &AlertStep) -> String {
    let hours = step.working_hours.as_ref().map(|calendar| format!(" in hours of {calendar}"));
    let told = joined(step.recipients.iter().map(recipient));
    format!(" [{} {told}{}]", share(step.permille), hours.unwrap_or_default())
}
