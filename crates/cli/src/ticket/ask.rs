//! What was typed becomes a command of the contract.

use pegcount_proto::v1::{self, ticket_command_request as asked, ticket_command_request::Command};

use crate::{
    args::{
        FactsArgs, NewArgs, PromiseArgs, ResolveArgs, SeverityWord, TicketVerb, UrgencyWord, ValidityWord,
        VisitArgs,
    },
    error::CliError,
    when,
};

fn or_empty(text: Option<String>) -> String {
    text.unwrap_or_default()
}

pub(super) fn facts(facts: FactsArgs) -> v1::TicketFacts {
    v1::TicketFacts {
        category: or_empty(facts.category),
        topic: or_empty(facts.topic),
        severity: facts.severity.map_or(0, SeverityWord::number),
        urgency: facts.urgency.map_or(0, UrgencyWord::number),
        validity: facts.validity.map_or(0, ValidityWord::number),
        customer: or_empty(facts.customer),
        tier: or_empty(facts.tier),
        place: or_empty(facts.place),
        region: or_empty(facts.region),
        channel: or_empty(facts.channel),
        attributes: facts.attributes.into_iter().collect(),
    }
}

pub(super) fn new_ticket(ticket: String, new: NewArgs) -> Result<v1::NewTicket, CliError> {
    Ok(v1::NewTicket {
        ticket,
        kind: new.kind,
        contact: or_empty(new.contact),
        queue: or_empty(new.queue),
        caller: or_empty(new.caller),
        receiver: or_empty(new.receiver),
        group: or_empty(new.group),
        facts: Some(facts(new.facts)),
        description: super::plain(new.description.as_deref())?,
    })
}

fn instant(text: &str, zone: Option<&String>) -> Result<i64, CliError> {
    let zone = when::zone(zone.map_or("UTC", String::as_str))?;
    Ok(when::instant(text, &zone)?.0)
}

fn resolve(said: ResolveArgs) -> asked::Resolve {
    let way = v1::TicketWay {
        kind: said.way.number(),
        groups: said.with,
        reason: or_empty(said.declined_because),
        alternative: or_empty(said.alternative),
    };
    asked::Resolve { way: Some(way), agent: or_empty(said.agent), reason: or_empty(said.reason) }
}

fn visit(said: &VisitArgs) -> Result<asked::Visit, CliError> {
    let appointment_us = said.appointment.as_deref();
    let appointment_us = appointment_us.map(|text| instant(text, said.time_zone.as_ref())).transpose()?;
    let slip = said.slip.clone().unwrap_or_default();
    Ok(asked::Visit { step: said.step.number(), appointment_us, slip })
}

fn promise(said: &PromiseArgs) -> Result<asked::Promise, CliError> {
    let due_us = instant(&said.due, said.time_zone.as_ref())?;
    Ok(asked::Promise { target: said.of.number(), due_us, by_customer: said.by_customer })
}

/// A command on one ticket: which, what, how it is sent. What is none is given back.
pub(super) fn command(
    verb: TicketVerb,
) -> Result<Result<(String, Command, crate::args::AskArgs), TicketVerb>, CliError> {
    use TicketVerb as Verb;
    macro_rules! one {
        ($do:ident, $command:expr) => {{
            let command = $command;
            ($do.ticket, command, $do.ask)
        }};
    }
    let nothing = v1::Nothing {};
    Ok(Ok(match verb {
        Verb::Accept(it) => one!(it, Command::Accept(asked::Accept { owner: or_empty(it.said.owner) })),
        Verb::Classify(it) => one!(it, Command::Classify(facts(it.said))),
        Verb::Edit(it) => one!(it, Command::Edit(facts(it.said))),
        Verb::Dispatch(it) => {
            let (group, to) = (or_empty(it.said.group), or_empty(it.said.to));
            one!(it, Command::Dispatch(asked::Dispatch { group, to }))
        }
        Verb::Arrive(it) => one!(it, Command::Arrive(nothing)),
        Verb::Start(it) => one!(it, Command::StartWork(nothing)),
        Verb::Hold(it) => one!(it, Command::Hold(asked::Hold { reason: it.said.reason })),
        Verb::Resume(it) => one!(it, Command::Resume(nothing)),
        Verb::Resolve(it) => one!(it, Command::Resolve(resolve(it.said))),
        Verb::Confirm(it) => one!(it, Command::Confirm(asked::Confirm { proof: or_empty(it.said.proof) })),
        Verb::Reopen(it) => {
            let (reason, rework, agent) = (it.said.reason, it.said.rework, or_empty(it.said.agent));
            one!(it, Command::Reopen(asked::Reopen { reason, rework, agent }))
        }
        Verb::Close(it) => {
            let (agent, reason) = (or_empty(it.said.agent), or_empty(it.said.reason));
            one!(it, Command::Close(asked::Close { agent, reason }))
        }
        Verb::Cancel(it) => {
            let (reason, explanation) = (it.said.reason, or_empty(it.said.explanation));
            one!(it, Command::Cancel(asked::Cancel { reason, explanation }))
        }
        Verb::Escalate(it) => {
            let (to, reason, emergency) = (or_empty(it.said.to), it.said.reason, it.said.emergency);
            one!(it, Command::Escalate(asked::Escalate { to, reason, emergency }))
        }
        other => return further(other),
    }))
}

fn further(
    verb: TicketVerb,
) -> Result<Result<(String, Command, crate::args::AskArgs), TicketVerb>, CliError> {
    use TicketVerb as Verb;
    macro_rules! one {
        ($do:ident, $command:expr) => {{
            let command = $command;
            ($do.ticket, command, $do.ask)
        }};
    }
    Ok(Ok(match verb {
        Verb::TellSkipped(it) => one!(it, Command::TellSkipped(asked::TellSkipped { level: it.said.level })),
        Verb::Reassign(it) => {
            let (owner, group, reason) = (or_empty(it.said.owner), or_empty(it.said.group), it.said.reason);
            one!(it, Command::Reassign(asked::Reassign { owner, group, reason }))
        }
        Verb::Note(it) => {
            let (public, text) = (it.said.public, or_empty(it.said.text));
            one!(it, Command::Note(asked::Note { public, text }))
        }
        Verb::Attach(it) => {
            let (kind, reference) = (it.said.kind, it.said.reference);
            one!(it, Command::Attach(asked::Attach { kind, reference }))
        }
        Verb::Cite(it) => {
            let (article, helped) = (it.said.article, it.said.helped);
            one!(it, Command::Cite(asked::Cite { article, helped }))
        }
        Verb::AddContact(it) => {
            one!(it, Command::AddContact(asked::AddContact { contact: it.said.contact }))
        }
        Verb::Visit(it) => {
            let visit = visit(&it.said)?;
            one!(it, Command::Visit(visit))
        }
        Verb::AskApproval(it) => {
            one!(it, Command::AskApproval(asked::Approver { approver: it.said.approver }))
        }
        Verb::Approve(it) => one!(it, Command::Approve(asked::Approver { approver: it.said.approver })),
        Verb::RefuseApproval(it) => {
            let (approver, reason) = (it.said.approver, it.said.reason);
            one!(it, Command::RefuseApproval(asked::RefuseApproval { approver, reason }))
        }
        Verb::Inform(it) => {
            one!(it, Command::Inform(asked::InContact { contact: or_empty(it.said.contact) }))
        }
        Verb::Investigate(it) => one!(it, Command::Investigate(v1::Nothing {})),
        Verb::Repeat(it) => {
            one!(it, Command::Repeat(asked::InContact { contact: or_empty(it.said.contact) }))
        }
        Verb::Promise(it) => {
            let promise = promise(&it.said)?;
            one!(it, Command::Promise(promise))
        }
        Verb::Unlink(it) => one!(it, Command::Unlink(asked::Unlink { other: it.said.from })),
        other => return Ok(Err(other)),
    }))
}
