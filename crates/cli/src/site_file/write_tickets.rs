//! Kinds of tickets, deadline policies and one-off changes of calendars as a site's file has them.

use pegcount_domain::{
    deadlines::{AlertStep, Amount, ClockKind, Policy, PolicySet, Recipient, TargetRule},
    ids::{Name, TicketKind},
    ticketing::KindRules,
    working::{CalendarChange, DayPlan},
};

use super::{
    read::LEVEL,
    text,
    write::{Out, quoted},
};

fn list_of(texts: impl Iterator<Item = impl AsRef<str>>) -> String {
    let quoted: Vec<_> = texts.map(|text| quoted(text.as_ref())).collect();
    format!("[{}]", quoted.join(", "))
}

/// `80 %`, `12.5 %`.
pub(crate) fn share(permille: u32) -> String {
    let tenth = if permille.is_multiple_of(10) { String::new() } else { format!(".{}", permille % 10) };
    format!("{}{tenth} %", permille / 10)
}

/// Who is told, in the file's words.
pub(crate) fn recipient(recipient: &Recipient) -> String {
    match recipient {
        Recipient::Owner => "owner".to_owned(),
        Recipient::Receiver => "receiver".to_owned(),
        Recipient::Group => "group".to_owned(),
        Recipient::Level(level) => format!("{LEVEL}{level}"),
    }
}

impl Out {
    fn some(&mut self, key: &str, texts: &[impl AsRef<str>]) {
        if !texts.is_empty() {
            self.line(key, list_of(texts.iter()));
        }
    }

    pub(super) fn calendar_change(&mut self, change: &CalendarChange) {
        self.entry("[[calendar_change]]");
        self.name("calendar", &change.calendar);
        self.text("date", Some(&change.change.date.to_string()));
        match &change.change.plan {
            DayPlan::AsUsual => {}
            DayPlan::Closed => self.line("closed", true),
            DayPlan::Like(day) => self.text("like", Some(day.word())),
            DayPlan::Hours(hours) => {
                let hours = hours.iter().map(|hours| {
                    let (from, to) = (text::written_minute(hours.from), text::written_minute(hours.to));
                    format!("{{ from = \"{from}\", to = \"{to}\" }}")
                });
                let hours: Vec<_> = hours.collect();
                self.line("hours", format!("[{}]", hours.join(", ")));
            }
        }
        self.since(change.change.valid_from);
    }

    pub(super) fn ticket_kind(&mut self, kind: &KindRules) {
        self.entry("[[ticket_kind]]");
        self.name("kind", &kind.kind.0);
        self.some("fields", &kind.fields.iter().map(|field| field.word()).collect::<Vec<_>>());
        self.some("attributes", &kind.attributes);
        let evidence = kind.evidence.iter();
        let evidence = evidence
            .map(|needed| format!("{{ kind = {}, count = {} }}", quoted(needed.kind.as_str()), needed.count));
        self.list("evidence", evidence.collect());
        self.some("ways", &kind.ways.iter().map(|way| way.word()).collect::<Vec<_>>());
        self.some("approvers", &kind.approvers);
        self.some("levels", &kind.levels);
        let rules = [
            ("escalates_when_repeated", kind.escalates_when_repeated),
            ("requester_accepts", kind.requester_accepts),
            ("slip_filed", kind.slip_filed),
        ];
        for (key, _) in rules.into_iter().filter(|(_, is_so)| *is_so) {
            self.line(key, true);
        }
        self.since(kind.valid_from);
    }

    pub(super) fn ticket_policies(&mut self, set: &PolicySet) {
        self.entry("[[ticket_policies]]");
        self.since(set.valid_from);
        if set.policies.is_empty() {
            self.line("policy", "[]");
        }
        set.policies.iter().for_each(|policy| self.policy(policy));
    }

    fn policy(&mut self, policy: &Policy) {
        let when = &policy.when;
        self.entry("[[ticket_policies.policy]]");
        self.name("name", &policy.name);
        self.some("kinds", &when.kinds.iter().map(TicketKind::as_str).collect::<Vec<_>>());
        self.some("severities", &when.severities.iter().map(|one| one.word()).collect::<Vec<_>>());
        self.some("urgencies", &when.urgencies.iter().map(|one| one.word()).collect::<Vec<_>>());
        self.some("tiers", &when.tiers);
        self.some("channels", &when.channels);
        self.some("validities", &when.validities.iter().map(|one| one.word()).collect::<Vec<_>>());
        policy.targets.iter().for_each(|rule| self.target_rule(rule));
    }

    fn target_rule(&mut self, rule: &TargetRule) {
        self.entry("[[ticket_policies.policy.target]]");
        self.text("target", Some(rule.target.word()));
        match rule.amount {
            Amount::Time(amount) => self.length("within", Some(amount)),
            Amount::WorkingDays(days) => self.line("working_days", days),
        }
        if let ClockKind::Working(calendar) = &rule.clock {
            self.name("calendar", calendar);
        }
        self.some("pauses", &rule.pauses.iter().map(|status| status.word()).collect::<Vec<_>>());
        self.list("warnings", rule.warnings.iter().map(step).collect());
        self.list("escalations", rule.escalations.iter().map(step).collect());
    }
}

fn step(step: &AlertStep) -> String {
    let told = list_of(step.recipients.iter().map(recipient));
    let hours = |calendar: &Name| format!(", hours = {}", quoted(calendar.as_str()));
    let hours = step.working_hours.as_ref().map(hours).unwrap_or_default();
    format!("{{ at = \"{}\", tell = {told}{hours} }}", share(step.permille))
}
