//! What was defined: queues, reasons, people, formulas, targets, calendars, the site.

use pegcount_domain::{
    allowance::{AllowanceDefinition, LocalHours, MealAllowance, ReasonAllowance, SiteDefinition, ZoneName},
    authority::{AuthorityDefinition, LegField, Reporter},
    calendar::{CalendarDefinition, Date, Holiday},
    event::{
        AfterCallEnd, AfterCallOnContact, AgentDefinition, Event, EventType, QueueDefinition,
        ReasonDefinition, TeamDefinition,
    },
    formula::FormulaDefinition,
    ids::{AgentId, QueueId, ReasonCode, TeamId},
    target::{ColumnName, Comparison, TargetDefinition, TargetScope},
    time::Micros,
};

use super::{DecodeError, Reader};
use crate::{
    rules::{formula_of, make_up_day_of, window_of},
    stored,
};

impl<N, F: FnMut(u32) -> Option<N>> Reader<F> {
    /// In the order of the fields: what is written in another order is the same definition.
    fn authority(&self, m: &stored::AuthorityDefined) -> Result<AuthorityDefinition, DecodeError> {
        let mut believed = Vec::with_capacity(m.softphone.len() + m.exchange.len());
        for (codes, reporter) in [(&m.softphone, Reporter::Softphone), (&m.exchange, Reporter::Exchange)] {
            for code in codes {
                let field = LegField::from_code(*code).ok_or_else(|| self.missing("field"))?;
                if believed.iter().all(|(known, _)| *known != field) {
                    believed.push((field, reporter));
                }
            }
        }
        believed.sort_unstable();
        Ok(AuthorityDefinition { believed, valid_from: Micros(m.valid_from_us) })
    }

    fn allowance(&mut self, m: &stored::AllowanceDefined) -> Result<AllowanceDefinition<N>, DecodeError> {
        let mut reasons = Vec::with_capacity(m.reasons.len());
        for reason in &m.reasons {
            reasons.push(ReasonAllowance {
                reason: self.required(reason.name_reason, "reason", ReasonCode)?,
                longest: reason.longest_us.map(Micros),
                total: reason.total_us.map(Micros),
                count: reason.count,
            });
        }
        let meals = m.meals.as_ref().map(|meals| self.meals(meals)).transpose()?;
        Ok(AllowanceDefinition {
            team: self.optional(m.name_team, TeamId),
            total: m.total_us.map(Micros),
            reasons,
            meals,
            sign_ins: m.sign_ins,
            valid_from: Micros(m.valid_from_us),
        })
    }

    fn meals(&mut self, m: &stored::MealsAllowed) -> Result<MealAllowance<N>, DecodeError> {
        let mut reasons = Vec::with_capacity(m.name_reasons.len());
        for reason in &m.name_reasons {
            reasons.push(self.required(*reason, "meals.reason", ReasonCode)?);
        }
        let minute = |minute: u32| u16::try_from(minute).map_err(|_| self.missing("meals.hours"));
        let hours = LocalHours { from_minute: minute(m.from_minute)?, to_minute: minute(m.to_minute)? };
        Ok(MealAllowance {
            reasons,
            count: m.count,
            longest: m.longest_us.map(Micros),
            hours: m.has_hours.then_some(hours),
        })
    }

    pub(super) fn definition(&mut self, payload: &[u8]) -> Result<Event<N>, DecodeError> {
        Ok(match self.event_type {
            EventType::QUEUE_DEFINED => {
                let m: stored::QueueDefined = self.message(payload)?;
                Event::QueueDefined(QueueDefinition {
                    queue: self.required(m.name_queue, "queue", QueueId)?,
                    label: self.optional(m.name_label, |name| name),
                    threshold: own(m.threshold_us),
                    short: own(m.short_us),
                    rings: own(m.rings_us),
                    after_call_end: AfterCallEnd::from_code(m.after_call_end)
                        .ok_or_else(|| self.missing("after_call_end"))?,
                    after_call_timer: Micros(m.after_call_timer_us),
                    after_call_on_contact: AfterCallOnContact::from_code(m.after_call_on_contact)
                        .ok_or_else(|| self.missing("after_call_on_contact"))?,
                    valid_from: Micros(m.valid_from_us),
                })
            }
            EventType::REASON_DEFINED => {
                let m: stored::ReasonDefined = self.message(payload)?;
                Event::ReasonDefined(ReasonDefinition {
                    reason: self.required(m.name_reason, "reason", ReasonCode)?,
                    label: self.optional(m.name_label, |name| name),
                    productive: m.productive,
                    paid: m.paid,
                    longest: (m.longest_us != 0).then_some(Micros(m.longest_us)),
                    valid_from: Micros(m.valid_from_us),
                })
            }
            EventType::AGENT_DEFINED => {
                let m: stored::AgentDefined = self.message(payload)?;
                Event::AgentDefined(AgentDefinition {
                    agent: self.required(m.name_agent, "agent", AgentId)?,
                    team: self.optional(m.name_team, TeamId),
                    chat_slots: m.chat_slots,
                    valid_from: Micros(m.valid_from_us),
                })
            }
            EventType::TEAM_DEFINED => {
                let m: stored::TeamDefined = self.message(payload)?;
                Event::TeamDefined(TeamDefinition {
                    team: self.required(m.name_team, "team", TeamId)?,
                    label: self.optional(m.name_label, |name| name),
                    valid_from: Micros(m.valid_from_us),
                })
            }
            EventType::FORMULA_DEFINED => {
                let m: stored::FormulaDefined = self.message(payload)?;
                let (name, notes) = (m.name_name, m.name_notes);
                let formula = formula_of(&m).ok_or_else(|| self.missing("a code"))?;
                Event::FormulaDefined(Box::new(FormulaDefinition {
                    name: self.optional(name, |name| name),
                    notes: self.optional(notes, |name| name),
                    ..formula
                }))
            }
            EventType::TARGET_DEFINED => self.target(&self.message(payload)?)?,
            EventType::CALENDAR_DEFINED => self.calendar(&self.message(payload)?)?,
            EventType::SITE_DEFINED => {
                let m: stored::SiteDefined = self.message(payload)?;
                if m.time_zone.is_empty() {
                    return Err(self.missing("time_zone"));
                }
                let time_zone = ZoneName::new(&m.time_zone);
                Event::SiteDefined(SiteDefinition { time_zone, valid_from: Micros(m.valid_from_us) })
            }
            EventType::AUTHORITY_DEFINED => {
                let m: stored::AuthorityDefined = self.message(payload)?;
                Event::AuthorityDefined(self.authority(&m)?)
            }
            EventType::TICKET_KIND_DEFINED => {
                Event::TicketKindDefined(Box::new(self.ticket_kind(&self.message(payload)?)?))
            }
            EventType::TICKET_POLICIES_DEFINED => {
                Event::TicketPoliciesDefined(Box::new(self.ticket_policies(&self.message(payload)?)?))
            }
            EventType::CALENDAR_CHANGED => {
                Event::CalendarChanged(Box::new(self.calendar_change(&self.message(payload)?)?))
            }
            EventType::ALLOWANCE_DEFINED => {
                let m: stored::AllowanceDefined = self.message(payload)?;
                Event::AllowanceDefined(self.allowance(&m)?)
            }
            other => return Err(DecodeError::UnknownType(other.0)),
        })
    }

    fn target(&mut self, m: &stored::TargetDefined) -> Result<Event<N>, DecodeError> {
        let name = self.optional(m.name_scope, |name| name);
        Ok(Event::TargetDefined(Box::new(TargetDefinition {
            target: self.required(m.name_target, "target", |name| name)?,
            column: if m.column.is_empty() {
                return Err(self.missing("column"));
            } else {
                ColumnName::new(&m.column)
            },
            scope: TargetScope::from_parts(m.scope, name).ok_or_else(|| self.missing("scope"))?,
            comparison: Comparison::from_code(m.comparison).ok_or_else(|| self.missing("comparison"))?,
            value: m.value,
            valid_from: Micros(m.valid_from_us),
        })))
    }

    fn calendar(&mut self, m: &stored::CalendarDefined) -> Result<Event<N>, DecodeError> {
        let windows: Option<Vec<_>> = m.windows.iter().map(window_of).collect();
        let make_up_days: Option<Vec<_>> = m.make_up_days.iter().copied().map(make_up_day_of).collect();
        let holidays = m
            .holidays
            .iter()
            .map(|day| Holiday { date: Date(day.date), name: self.optional(day.name_name, |name| name) });
        let holidays = holidays.collect();
        Ok(Event::CalendarDefined(Box::new(CalendarDefinition {
            calendar: self.required(m.name_calendar, "calendar", |name| name)?,
            time_zone: self.required(m.name_time_zone, "time_zone", |name| name)?,
            windows: windows.ok_or_else(|| self.missing("windows"))?,
            holidays,
            make_up_days: make_up_days.ok_or_else(|| self.missing("make_up_days"))?,
            valid_from: Micros(m.valid_from_us),
        })))
    }
}

/// A queue's own threshold; 0 is none.
fn own(micros: i64) -> Option<Micros> {
    (micros != 0).then_some(Micros(micros))
}
