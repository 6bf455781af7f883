//! Kinds of tickets, deadline policies and one-off changes of calendars.

use pegcount_domain::{
    calendar::{Date, Weekday},
    deadlines::{AlertStep, Amount, ClockKind, Conditions, Policy, PolicySet, Recipient, TargetRule},
    ids::TicketKind,
    ticketing::{Evidence, Field, KindRules, Severity, Status, TargetKind, Urgency, Validity, WayKind},
    time::Micros,
    working::{CalendarChange, DayChange, DayPlan, Hours},
};

use super::{DecodeError, Reader};
use crate::{
    stored,
    ticket_rules::{AS_USUAL, CLOSED, GROUP, IN_HOURS, LEVEL, LIKE, OWNER, RECEIVER},
};

impl<N, F: FnMut(u32) -> Option<N>> Reader<F> {
    fn names(&mut self, ordinals: &[u32], field: &'static str) -> Result<Vec<N>, DecodeError> {
        ordinals.iter().map(|ordinal| self.required(*ordinal, field, |name| name)).collect()
    }

    fn codes<T>(
        &self,
        codes: &[u32],
        field: &'static str,
        from_code: impl Fn(u32) -> Option<T>,
    ) -> Result<Vec<T>, DecodeError> {
        codes.iter().map(|code| from_code(*code).ok_or_else(|| self.missing(field))).collect()
    }

    pub(super) fn calendar_change(
        &mut self,
        m: &stored::CalendarChanged,
    ) -> Result<CalendarChange<N>, DecodeError> {
        let minute = |minute| u16::try_from(minute).map_err(|_| self.missing("hours"));
        let plan = match m.plan {
            AS_USUAL => DayPlan::AsUsual,
            CLOSED => DayPlan::Closed,
            LIKE => DayPlan::Like(Weekday::from_code(m.like).ok_or_else(|| self.missing("like"))?),
            IN_HOURS => {
                let hours =
                    m.hours.iter().map(|hours| Ok(Hours::new(minute(hours.from)?, minute(hours.to)?)));
                DayPlan::Hours(hours.collect::<Result<_, DecodeError>>()?)
            }
            _ => return Err(self.missing("plan")),
        };
        Ok(CalendarChange {
            calendar: self.required(m.name_calendar, "calendar", |name| name)?,
            change: DayChange { date: Date(m.date), plan, valid_from: Micros(m.valid_from_us) },
        })
    }

    pub(super) fn ticket_kind(&mut self, m: &stored::TicketKindDefined) -> Result<KindRules<N>, DecodeError> {
        let mut evidence = Vec::with_capacity(m.evidence.len());
        for needed in &m.evidence {
            let kind = self.required(needed.name_kind, "evidence", |name| name)?;
            evidence.push(Evidence { kind, count: needed.count });
        }
        Ok(KindRules {
            kind: self.required(m.name_kind, "kind", TicketKind)?,
            fields: self.codes(&m.fields, "fields", Field::from_code)?,
            attributes: self.names(&m.name_attributes, "attributes")?,
            evidence,
            ways: self.codes(&m.ways, "ways", WayKind::from_code)?,
            approvers: self.names(&m.name_approvers, "approvers")?,
            levels: self.names(&m.name_levels, "levels")?,
            escalates_when_repeated: m.escalates_when_repeated,
            requester_accepts: m.requester_accepts,
            slip_filed: m.slip_filed,
            valid_from: Micros(m.valid_from_us),
        })
    }

    pub(super) fn ticket_policies(
        &mut self,
        m: &stored::TicketPoliciesDefined,
    ) -> Result<PolicySet<N>, DecodeError> {
        let policies = m.policies.iter().map(|policy| self.ticket_policy(policy));
        Ok(PolicySet { policies: policies.collect::<Result<_, _>>()?, valid_from: Micros(m.valid_from_us) })
    }

    fn ticket_policy(&mut self, m: &stored::TicketPolicy) -> Result<Policy<N>, DecodeError> {
        let when = Conditions {
            kinds: self.names(&m.name_kinds, "kinds")?.into_iter().map(TicketKind).collect(),
            severities: self.codes(&m.severities, "severities", Severity::from_code)?,
            urgencies: self.codes(&m.urgencies, "urgencies", Urgency::from_code)?,
            tiers: self.names(&m.name_tiers, "tiers")?,
            channels: self.names(&m.name_channels, "channels")?,
            validities: self.codes(&m.validities, "validities", Validity::from_code)?,
        };
        let targets = m.targets.iter().map(|rule| self.target_rule(rule)).collect::<Result<_, _>>()?;
        Ok(Policy { name: self.required(m.name_name, "name", |name| name)?, when, targets })
    }

    fn target_rule(&mut self, m: &stored::TicketTargetRule) -> Result<TargetRule<N>, DecodeError> {
        let mut steps = |steps: &[stored::TicketAlertStep]| -> Result<Vec<_>, DecodeError> {
            steps.iter().map(|step| self.alert_step(step)).collect()
        };
        let (warnings, escalations) = (steps(&m.warnings)?, steps(&m.escalations)?);
        let calendar = self.optional(m.name_calendar, |name| name);
        Ok(TargetRule {
            target: TargetKind::from_code(m.target).ok_or_else(|| self.missing("target"))?,
            amount: match m.amount_us {
                Some(amount) => Amount::Time(Micros(amount)),
                None => Amount::WorkingDays(m.working_days),
            },
            clock: calendar.map_or(ClockKind::Calendar, ClockKind::Working),
            pauses: self.codes(&m.pauses, "pauses", Status::from_code)?,
            warnings,
            escalations,
        })
    }

    fn alert_step(&mut self, m: &stored::TicketAlertStep) -> Result<AlertStep<N>, DecodeError> {
        let mut recipients = Vec::with_capacity(m.recipients.len());
        for recipient in &m.recipients {
            recipients.push(match recipient.kind {
                OWNER => Recipient::Owner,
                RECEIVER => Recipient::Receiver,
                GROUP => Recipient::Group,
                LEVEL => Recipient::Level(self.required(recipient.name_level, "level", |name| name)?),
                _ => return Err(self.missing("recipient")),
            });
        }
        let working_hours = self.optional(m.name_working_hours, |name| name);
        Ok(AlertStep { permille: m.permille, recipients, working_hours })
    }
}
