//! Kinds of tickets, deadline policies, one-off changes of calendars.

use pegcount_domain::{
    calendar::Weekday,
    deadlines::{AlertStep, Amount, ClockKind, Conditions, Policy, PolicySet, Recipient, TargetRule},
    ids::{Name, TicketKind},
    ticketing::{Evidence, Field, KindRules, Severity, Status, TargetKind, Urgency, Validity, WayKind},
    working::{CalendarChange, DayChange, DayPlan, Hours, WorkingHistory},
};

use super::{Read, Reader, SiteFileError};
use crate::site_file::{
    AlertStepEntry, CalendarChangeEntry, PolicyEntry, TargetRuleEntry, Text, TicketKindEntry,
    TicketPoliciesEntry, text,
};

/// How a level is told from the other recipients.
pub(crate) const LEVEL: &str = "level ";

impl Reader<'_> {
    fn names(&self, key: &str, list: &[Text]) -> Read<Vec<Name>> {
        list.iter().map(|at| self.name(key, at)).collect()
    }

    fn words<T>(&self, key: &str, list: &[Text], from_word: fn(&str) -> Result<T, String>) -> Read<Vec<T>> {
        list.iter().map(|at| self.word(key, at, from_word)).collect()
    }

    pub(super) fn calendar_change(&self, entry: &CalendarChangeEntry) -> Read<CalendarChange> {
        let calendar = self.name("calendar_change: calendar", &entry.calendar)?;
        let at = |key: &str| format!("calendar_change of {calendar}: {key}");
        let said = [entry.closed, entry.like.is_some(), entry.hours.is_some()];
        if said.into_iter().filter(|said| *said).count() > 1 {
            let reason = "has more than one of `closed`, `like` and `hours`; say one, or none for as usual";
            return Err(self.wrong(&at("date"), &entry.date, reason));
        }
        let plan = match (&entry.like, &entry.hours) {
            _ if entry.closed => DayPlan::Closed,
            (Some(like), _) => DayPlan::Like(self.word(&at("like"), like, Weekday::from_word)?),
            (None, None) => DayPlan::AsUsual,
            (None, Some(hours)) => {
                let hours = hours.iter().map(|hours| {
                    let from = self.minute(&at("hours.from"), &hours.from)?;
                    Ok(Hours::new(from, self.minute(&at("hours.to"), &hours.to)?))
                });
                DayPlan::Hours(hours.collect::<Read<_>>()?)
            }
        };
        let date = self.date(&at("date"), &entry.date)?;
        let valid_from = self.since(&at("valid_from"), entry.valid_from.as_ref())?;
        let change = DayChange { date, plan, valid_from };
        let alone = WorkingHistory { rules: Vec::new(), changes: vec![change.clone()] };
        alone.check().map_err(|error| self.wrong(&at("hours"), &entry.date, error.to_string()))?;
        Ok(CalendarChange { calendar, change })
    }

    pub(super) fn ticket_kind(&self, entry: &TicketKindEntry) -> Read<KindRules> {
        let kind = TicketKind(self.name("ticket_kind: kind", &entry.kind)?);
        let at = |key: &str| format!("ticket_kind {kind}: {key}");
        let evidence = entry.evidence.iter().map(|needed| {
            let kind = self.name(&at("evidence.kind"), &needed.kind)?;
            Ok(Evidence { kind, count: needed.count.unwrap_or(1) })
        });
        let rules = KindRules {
            fields: self.words(&at("fields"), &entry.fields, Field::from_word)?,
            attributes: self.names(&at("attributes"), &entry.attributes)?,
            evidence: evidence.collect::<Read<_>>()?,
            ways: self.words(&at("ways"), &entry.ways, WayKind::from_word)?,
            approvers: self.names(&at("approvers"), &entry.approvers)?,
            levels: self.names(&at("levels"), &entry.levels)?,
            escalates_when_repeated: entry.escalates_when_repeated,
            requester_accepts: entry.requester_accepts,
            slip_filed: entry.slip_filed,
            valid_from: self.since(&at("valid_from"), entry.valid_from.as_ref())?,
            kind: kind.clone(),
        };
        rules.check().map_err(|(field, reason)| self.wrong(&at(field), &entry.kind, reason))?;
        Ok(rules)
    }

    pub(super) fn ticket_policies(&self, entry: &TicketPoliciesEntry) -> Read<PolicySet> {
        let policies = entry.policy.iter().map(|policy| self.policy(policy.get_ref()));
        let valid_from = self.since("ticket_policies: valid_from", entry.valid_from.as_ref())?;
        let set = PolicySet { policies: policies.collect::<Read<_>>()?, valid_from };
        match (set.check(), entry.policy.first()) {
            (Err((field, reason)), Some(first)) => {
                Err(self.wrong(&format!("ticket_policies: {field}"), first, reason))
            }
            _ => Ok(set),
        }
    }

    /// The calendars that a set of policies names, each with what is wrong if it is defined nowhere.
    pub(super) fn calendars_named(&self, entry: &TicketPoliciesEntry) -> Vec<(String, SiteFileError)> {
        let mut named = Vec::new();
        for policy in entry.policy.iter().map(toml::Spanned::get_ref) {
            for rule in &policy.target {
                let own = format!("policy {}: {}", policy.name.get_ref(), rule.target.get_ref());
                let steps = [("warnings", &rule.warnings), ("escalations", &rule.escalations)];
                let hours = steps.into_iter().flat_map(|(key, steps)| {
                    steps.iter().filter_map(move |step| Some((format!("{key}.hours"), step.hours.as_ref()?)))
                });
                let clock = rule.calendar.as_ref().map(|calendar| ("calendar".to_owned(), calendar));
                for (key, calendar) in clock.into_iter().chain(hours) {
                    let name = calendar.get_ref().clone();
                    let reason = format!(
                        "is `{name}`, and no calendar of that name is defined; define it, or name another"
                    );
                    named.push((name, self.wrong(&format!("{own}: {key}"), calendar, reason)));
                }
            }
        }
        named
    }

    fn policy(&self, entry: &PolicyEntry) -> Read<Policy> {
        let name = self.name("ticket_policies.policy: name", &entry.name)?;
        let at = |key: &str| format!("policy {name}: {key}");
        let when = Conditions {
            kinds: self.names(&at("kinds"), &entry.kinds)?.into_iter().map(TicketKind).collect(),
            severities: self.words(&at("severities"), &entry.severities, Severity::from_word)?,
            urgencies: self.words(&at("urgencies"), &entry.urgencies, Urgency::from_word)?,
            tiers: self.names(&at("tiers"), &entry.tiers)?,
            channels: self.names(&at("channels"), &entry.channels)?,
            validities: self.words(&at("validities"), &entry.validities, Validity::from_word)?,
        };
        let targets = entry.target.iter().map(|rule| self.target_rule(&name, rule));
        let targets = targets.collect::<Read<_>>()?;
        Ok(Policy { name, when, targets })
    }

    fn target_rule(&self, policy: &Name, entry: &TargetRuleEntry) -> Read<TargetRule> {
        let target = self.word(&format!("policy {policy}: target"), &entry.target, TargetKind::from_word)?;
        let at = |key: &str| format!("policy {policy}: {}: {key}", target.word());
        let amount = match (&entry.within, entry.working_days) {
            (Some(within), None) => {
                let refuse = || {
                    let reason = format!("is `{}`; write a length such as 2h or 30min", within.get_ref());
                    self.wrong(&at("within"), within, reason)
                };
                Amount::Time(text::length(within.get_ref()).ok_or_else(refuse)?)
            }
            (None, Some(days)) => Amount::WorkingDays(days),
            _ => {
                let reason = "has to be there, or else `working_days`: one of both says within what time";
                return Err(self.wrong(&at("within"), &entry.target, reason));
            }
        };
        let clock = self.label(&at("calendar"), entry.calendar.as_ref())?;
        Ok(TargetRule {
            target,
            amount,
            clock: clock.map_or(ClockKind::Calendar, ClockKind::Working),
            pauses: self.words(&at("pauses"), &entry.pauses, Status::from_word)?,
            warnings: self.alert_steps(&at("warnings"), &entry.warnings)?,
            escalations: self.alert_steps(&at("escalations"), &entry.escalations)?,
        })
    }

    fn alert_steps(&self, key: &str, entries: &[AlertStepEntry]) -> Read<Vec<AlertStep>> {
        let step = |entry: &AlertStepEntry| {
            let refuse = || {
                let reason =
                    format!("is `{}`; write a share of the time such as 80 % or 12.5 %", entry.at.get_ref());
                self.wrong(&format!("{key}.at"), &entry.at, reason)
            };
            let permille = permille(entry.at.get_ref()).ok_or_else(refuse)?;
            if entry.tell.is_empty() {
                return Err(self.wrong(&format!("{key}.tell"), &entry.at, "is empty; say who is told"));
            }
            let recipients = entry.tell.iter().map(|who| self.recipient(&format!("{key}.tell"), who));
            let working_hours = self.label(&format!("{key}.hours"), entry.hours.as_ref())?;
            Ok(AlertStep { permille, recipients: recipients.collect::<Read<_>>()?, working_hours })
        };
        entries.iter().map(step).collect()
    }

    fn recipient(&self, key: &str, at: &Text) -> Read<Recipient> {
        Ok(match at.get_ref().as_str() {
            "owner" => Recipient::Owner,
            "receiver" => Recipient::Receiver,
            "group" => Recipient::Group,
            other => {
                let level = other.strip_prefix(LEVEL).and_then(|level| Name::new(level).ok());
                let reason = || format!("is `{other}`; it is one of owner, receiver, group, or `level NAME`");
                Recipient::Level(level.ok_or_else(|| self.wrong(key, at, reason()))?)
            }
        })
    }
}

/// `80 %` in thousandths, with at most one decimal.
fn permille(text: &str) -> Option<u32> {
    let percent = text.trim().strip_suffix('%')?.trim();
    let (whole, tenth) = percent.split_once('.').unwrap_or((percent, "0"));
    let tenth: u32 = tenth.parse().ok().filter(|tenth| *tenth < 10)?;
    whole.parse::<u32>().ok()?.checked_mul(10)?.checked_add(tenth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_time_is_read_to_a_tenth_of_a_percent() {
        assert_eq!(["80 %", "12.5%", "200 %"].map(permille), [Some(800), Some(125), Some(2_000)]);
        assert_eq!(["80", "1.25 %", "-1 %", "%"].map(permille), [None; 4]);
    }
}
