//! Definitions between the contract and the domain. Checks form only; 0 and empty mean the default, as the contract
//! says.

use pegcount_domain::{
    definitions::CHAT_SLOTS_DEFAULT,
    event::{
        AfterCallEnd, AfterCallOnContact, AgentDefinition, Event, QueueDefinition, ReasonDefinition,
        TeamDefinition, check_chat_slots,
    },
    ids::{AgentId, QueueId, ReasonCode, TeamId},
    time::Micros,
};
use pegcount_proto::v1::{self, definition::Definition as Defined};
use tonic::Status;

use super::to_rules::{
    calendar_definition, calendar_message, formula_definition, formula_message, target_definition,
    target_message,
};
use super::{to_days, to_tickets};
use crate::{fields, status};

/// One definition as the event that writes it.
pub(crate) fn definition(field: &str, message: &v1::Definition) -> Result<Event, Status> {
    let valid_from = Micros(message.valid_from_us);
    if valid_from < Micros::ZERO {
        let reason = format!("is {valid_from}; definitions begin in 1970 or later");
        return Err(status::invalid(&format!("{field}.valid_from_us"), reason));
    }
    match &message.definition {
        Some(Defined::Queue(queue)) => {
            queue_definition(&format!("{field}.queue"), queue, valid_from).map(Event::QueueDefined)
        }
        Some(Defined::Reason(reason)) => {
            reason_definition(&format!("{field}.reason"), reason, valid_from).map(Event::ReasonDefined)
        }
        Some(Defined::Agent(agent)) => {
            agent_definition(&format!("{field}.agent"), agent, valid_from).map(Event::AgentDefined)
        }
        Some(Defined::Formula(formula)) => {
            formula_definition(&format!("{field}.formula"), formula, valid_from)
                .map(|formula| Event::FormulaDefined(Box::new(formula)))
        }
        Some(Defined::Target(target)) => target_definition(&format!("{field}.target"), target, valid_from)
            .map(|target| Event::TargetDefined(Box::new(target))),
        Some(Defined::Calendar(calendar)) => {
            calendar_definition(&format!("{field}.calendar"), calendar, valid_from)
                .map(|calendar| Event::CalendarDefined(Box::new(calendar)))
        }
        Some(Defined::Team(team)) => {
            let at = |name: &str| format!("{field}.team.{name}");
            Ok(Event::TeamDefined(TeamDefinition {
                team: TeamId(fields::name(&at("team"), &team.team)?),
                label: fields::optional(&at("label"), &team.label)?,
                valid_from,
            }))
        }
        Some(Defined::Site(site)) => {
            to_days::site_definition(&format!("{field}.site"), site, valid_from).map(Event::SiteDefined)
        }
        Some(Defined::Allowance(allowance)) => {
            let field = format!("{field}.allowance");
            to_days::allowance_definition(&field, allowance, valid_from).map(Event::AllowanceDefined)
        }
        Some(Defined::Authority(authority)) => {
            let field = format!("{field}.authority");
            to_days::authority_definition(&field, authority, valid_from).map(Event::AuthorityDefined)
        }
        Some(Defined::TicketKind(kind)) => {
            to_tickets::kind_definition(&format!("{field}.ticket_kind"), kind, valid_from)
                .map(|kind| Event::TicketKindDefined(Box::new(kind)))
        }
        Some(Defined::TicketPolicies(policies)) => {
            to_tickets::policies_definition(&format!("{field}.ticket_policies"), policies, valid_from)
                .map(|policies| Event::TicketPoliciesDefined(Box::new(policies)))
        }
        Some(Defined::CalendarChange(change)) => {
            to_tickets::change_definition(&format!("{field}.calendar_change"), change, valid_from)
                .map(|change| Event::CalendarChanged(Box::new(change)))
        }
        None => {
            let reason = "defines nothing; give a queue, a reason, an agent, a team, a formula, a target, a calendar, one of its dates, the site, an allowance, an authority, a kind of ticket or deadline policies";
            Err(status::invalid(field, reason))
        }
    }
}

fn queue_definition(
    field: &str,
    queue: &v1::QueueDefinition,
    valid_from: Micros,
) -> Result<QueueDefinition, Status> {
    let at = |name: &str| format!("{field}.{name}");
    let default = QueueDefinition::default_for(QueueId(fields::name(&at("queue"), &queue.queue)?));
    let own = |name: &str, micros: i64| {
        fields::duration(&at(name), micros).map(|given| (given != Micros::ZERO).then_some(given))
    };
    let defined = QueueDefinition {
        label: fields::optional(&at("label"), &queue.label)?,
        threshold: own("threshold_us", queue.threshold_us)?,
        short: own("short_us", queue.short_us)?,
        rings: own("rings_us", queue.rings_us)?,
        after_call_end: coded(
            &at("after_call_end"),
            queue.after_call_end,
            AfterCallEnd::from_code,
            default.after_call_end,
        )?,
        after_call_timer: fields::duration(&at("after_call_timer_us"), queue.after_call_timer_us)?,
        after_call_on_contact: coded(
            &at("after_call_on_contact"),
            queue.after_call_on_contact,
            AfterCallOnContact::from_code,
            default.after_call_on_contact,
        )?,
        valid_from,
        queue: default.queue,
    };
    Ok(defined)
}

fn reason_definition(
    field: &str,
    reason: &v1::ReasonDefinition,
    valid_from: Micros,
) -> Result<ReasonDefinition, Status> {
    let longest = fields::duration(&format!("{field}.longest_us"), reason.longest_us)?;
    Ok(ReasonDefinition {
        reason: ReasonCode(fields::name(&format!("{field}.reason"), &reason.reason)?),
        label: fields::optional(&format!("{field}.label"), &reason.label)?,
        productive: reason.productive,
        paid: reason.paid,
        longest: (longest > Micros::ZERO).then_some(longest),
        valid_from,
    })
}

fn agent_definition(
    field: &str,
    agent: &v1::AgentDefinition,
    valid_from: Micros,
) -> Result<AgentDefinition, Status> {
    let chat_slots = agent.chat_slots.max(CHAT_SLOTS_DEFAULT);
    check_chat_slots(chat_slots).map_err(|reason| status::invalid(&format!("{field}.chat_slots"), reason))?;
    Ok(AgentDefinition {
        agent: AgentId(fields::name(&format!("{field}.agent"), &agent.agent)?),
        team: fields::optional(&format!("{field}.team"), &agent.team)?.map(TeamId),
        chat_slots,
        valid_from,
    })
}

fn coded<T>(
    field: &str,
    value: i32,
    from_code: impl FnOnce(u32) -> Option<T>,
    default: T,
) -> Result<T, Status> {
    let unknown =
        || status::invalid(field, format!("has the unknown value {value}; use a value of the contract"));
    match u32::try_from(value) {
        Ok(0) => Ok(default),
        Ok(code) => from_code(code).ok_or_else(unknown),
        Err(_) => Err(unknown()),
    }
}

fn label(label: Option<&pegcount_domain::ids::Name>) -> String {
    label.map(ToString::to_string).unwrap_or_default()
}

/// A definition as a message; none for any other event.
pub(crate) fn definition_message(event: &Event) -> Option<v1::Definition> {
    let definition = match event {
        Event::QueueDefined(queue) => Defined::Queue(queue_message(queue)),
        Event::ReasonDefined(reason) => Defined::Reason(reason_message(reason)),
        Event::AgentDefined(agent) => Defined::Agent(agent_message(agent)),
        Event::TeamDefined(team) => Defined::Team(v1::TeamDefinition {
            team: team.team.to_string(),
            label: label(team.label.as_ref()),
        }),
        Event::FormulaDefined(formula) => Defined::Formula(formula_message(formula)),
        Event::TargetDefined(target) => Defined::Target(target_message(target)),
        Event::CalendarDefined(calendar) => Defined::Calendar(calendar_message(calendar)),
        Event::CalendarChanged(change) => Defined::CalendarChange(to_tickets::change_message(change)),
        Event::TicketKindDefined(kind) => Defined::TicketKind(to_tickets::kind_message(kind)),
        Event::TicketPoliciesDefined(set) => Defined::TicketPolicies(to_tickets::policies_message(set)),
        Event::SiteDefined(site) => Defined::Site(to_days::site_message(site)),
        Event::AllowanceDefined(allowance) => Defined::Allowance(to_days::allowance_message(allowance)),
        Event::AuthorityDefined(authority) => Defined::Authority(to_days::authority_message(authority)),
        _ => return None,
    };
    Some(v1::Definition { valid_from_us: event.valid_from()?.0, definition: Some(definition) })
}

fn queue_message(queue: &QueueDefinition) -> v1::QueueDefinition {
    v1::QueueDefinition {
        queue: queue.queue.to_string(),
        label: label(queue.label.as_ref()),
        threshold_us: queue.threshold.map_or(0, |own| own.0),
        short_us: queue.short.map_or(0, |own| own.0),
        rings_us: queue.rings.map_or(0, |own| own.0),
        after_call_end: queue.after_call_end.code().into(),
        after_call_timer_us: queue.after_call_timer.0,
        after_call_on_contact: queue.after_call_on_contact.code().into(),
    }
}

fn reason_message(reason: &ReasonDefinition) -> v1::ReasonDefinition {
    v1::ReasonDefinition {
        reason: reason.reason.to_string(),
        label: label(reason.label.as_ref()),
        productive: reason.productive,
        paid: reason.paid,
        longest_us: reason.longest.map_or(0, |longest| longest.0),
    }
}

fn agent_message(agent: &AgentDefinition) -> v1::AgentDefinition {
    v1::AgentDefinition {
        agent: agent.agent.to_string(),
        team: agent.team.as_ref().map(ToString::to_string).unwrap_or_default(),
        chat_slots: agent.chat_slots,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(queue: v1::QueueDefinition) -> Result<Event, Status> {
        let message = v1::Definition { valid_from_us: 5, definition: Some(Defined::Queue(queue)) };
        definition("d", &message)
    }

    #[test]
    fn what_a_queue_leaves_out_is_the_default() {
        let named = v1::QueueDefinition { queue: "sales".into(), ..Default::default() };
        let Event::QueueDefined(defined) = queue(named).unwrap() else { panic!("another definition") };
        assert_eq!(defined.threshold, None, "the formula's");
        assert_eq!(defined.after_call_end, AfterCallEnd::ByAgent);
        assert_eq!(defined.valid_from, Micros(5));
    }

    #[test]
    fn a_definition_comes_back_as_it_was_given() {
        let given = v1::QueueDefinition {
            queue: "sales".into(),
            label: "Sales".into(),
            threshold_us: 30_000_000,
            short_us: 3_000_000,
            rings_us: 12_000_000,
            after_call_end: 2,
            after_call_timer_us: 60_000_000,
            after_call_on_contact: 2,
        };
        let Event::QueueDefined(defined) = queue(given.clone()).unwrap() else {
            panic!("another definition")
        };
        assert_eq!(queue_message(&defined), given);
    }

    #[test]
    fn a_wrong_form_is_refused_with_its_path() {
        let unnamed = queue(v1::QueueDefinition::default()).unwrap_err();
        assert_eq!(unnamed.message(), "d.queue.queue is empty; give 1 to 128 bytes of text");
        let unknown = v1::QueueDefinition { queue: "q".into(), after_call_end: 9, ..Default::default() };
        assert!(queue(unknown).unwrap_err().message().contains("unknown value 9"));
    }
}
