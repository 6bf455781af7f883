//! What a request asks for becomes a command of the domain, or a status that names the field.
//!
//! Form only, and who may speak for whom: an agent's own token names no other agent as the one who acts or approves.

use pegcount_domain::{
    ids::{AgentId, ContactId, Name, QueueId, ReasonCode, TeamId, TicketId, TicketKind},
    ticketing::{
        FieldValue, Opening, Promiser, TargetKind, TicketCommand, Visibility, VisitStep, Way, WayKind,
        told::UNSEALED,
    },
    time::Micros,
};
use pegcount_engine::OpenTicket;
use pegcount_proto::{
    CALLER_BYTES_MAX, FactError, TEXT_BYTES_MAX, check_ticket_facts,
    v1::{self, ticket_command_request as asked},
};
use tonic::Status;

use crate::{access::Caller, fields, status};

/// A value of an enum of the contract; none if it is not given.
pub(super) fn optional<T>(
    field: &str,
    value: i32,
    from_code: impl Fn(u32) -> Option<T>,
) -> Result<Option<T>, Status> {
    if value == 0 {
        return Ok(None);
    }
    let found = u32::try_from(value).ok().and_then(from_code);
    found
        .map(Some)
        .ok_or_else(|| status::invalid(field, format!("is {value}, which this server does not know")))
}

/// A value of an enum of the contract.
pub(super) fn required<T>(
    field: &str,
    value: i32,
    from_code: impl Fn(u32) -> Option<T>,
) -> Result<T, Status> {
    optional(field, value, from_code)?.ok_or_else(|| status::invalid(field, "is missing; it is required"))
}

/// The agent that acts: an agent's own token names no other, and stands for itself if none is named.
fn acting(caller: &Caller, field: &str, text: &str) -> Result<Option<AgentId>, Status> {
    let named = fields::optional(field, text)?.map(AgentId);
    if let Some(agent) = &named {
        caller.about_agent(agent)?;
    }
    Ok(named.or_else(|| caller.own_agent().cloned()))
}

/// Whose approval it is: an agent's own token answers for itself alone.
fn approver(caller: &Caller, field: &str, text: &str) -> Result<Name, Status> {
    let approver = fields::name(field, text)?;
    caller.about_agent(&AgentId(approver.clone()))?;
    Ok(approver)
}

fn reason(field: &str, text: &str) -> Result<ReasonCode, Status> {
    fields::name(field, text).map(ReasonCode)
}

pub(super) fn new_ticket(
    caller: &Caller,
    path: &str,
    new: Option<v1::NewTicket>,
) -> Result<OpenTicket, Status> {
    let new = new.ok_or_else(|| status::invalid(path, "is missing; it is required"))?;
    let at = |field: &str| format!("{path}.{field}");
    if new.caller.len() > CALLER_BYTES_MAX {
        let reason = format!("has {} bytes; the limit is {CALLER_BYTES_MAX}", new.caller.len());
        return Err(status::invalid(&at("caller"), reason));
    }
    let opening = Opening {
        kind: fields::name(&at("kind"), &new.kind).map(TicketKind)?,
        receiver: acting(caller, &at("receiver"), &new.receiver)?,
        group: fields::optional(&at("group"), &new.group)?.map(TeamId),
        contact: fields::optional(&at("contact"), &new.contact)?.map(ContactId),
        queue: fields::optional(&at("queue"), &new.queue)?.map(QueueId),
        split_from: None,
        set: facts(&at("facts"), new.facts.as_ref())?,
    };
    let ticket = fields::name(&at("ticket"), &new.ticket).map(TicketId)?;
    let caller = (!new.caller.is_empty()).then_some(new.caller);
    let description = plain(&at("description"), new.description)?;
    Ok(OpenTicket { ticket, opening, caller, description })
}

/// Free text that is to be sealed; what it says is personal, and is not said again.
fn plain(field: &str, text: String) -> Result<Option<String>, Status> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(status::invalid(
            field,
            format!("has {} bytes; the limit is {TEXT_BYTES_MAX}", text.len()),
        ));
    }
    Ok((!text.trim().is_empty()).then_some(text))
}

/// What was written, beside a command.
pub(super) fn text(text: String) -> Result<Option<String>, Status> {
    plain("text", text)
}

/// A command whose text comes beside it, with something in the place of the reference.
pub(super) fn with_place(
    mut command: Option<asked::Command>,
    has_text: bool,
) -> Result<Option<asked::Command>, Status> {
    use asked::Command;
    if !has_text {
        return Ok(command);
    }
    let place = match &mut command {
        Some(Command::Note(note)) => Some(&mut note.text),
        Some(Command::Cancel(cancel)) => Some(&mut cancel.explanation),
        Some(Command::Confirm(confirm)) => Some(&mut confirm.proof),
        Some(Command::Resolve(resolve)) => resolve
            .way
            .as_mut()
            .filter(|way| way.kind() == v1::TicketWayKind::Declined)
            .map(|way| &mut way.alternative),
        _ => None,
    };
    match place {
        Some(place) if place.is_empty() => UNSEALED.as_str().clone_into(place),
        Some(_) => return Err(status::invalid("text", "is there, and so is a reference; give one of both")),
        // The engine says to what it belongs.
        None => {}
    }
    Ok(command)
}

/// What facts set; attributes in the order of their names.
pub(super) fn facts(path: &str, facts: Option<&v1::TicketFacts>) -> Result<Vec<FieldValue>, Status> {
    let Some(facts) = facts else { return Ok(Vec::new()) };
    let wrong = |error: FactError| status::invalid(&format!("{path}.{}", error.field), error.reason);
    check_ticket_facts(facts).map_err(wrong)
}

fn way(way: Option<v1::TicketWay>) -> Result<Way, Status> {
    let way = way.ok_or_else(|| status::invalid("resolve.way", "is missing; say how it was settled"))?;
    Ok(match required("resolve.way.kind", way.kind, WayKind::from_code)? {
        WayKind::Alone => Way::Alone,
        WayKind::WithApproval => Way::WithApproval,
        WayKind::WithOthers => {
            let groups = way.groups.iter().map(|group| fields::name("resolve.way.groups", group).map(TeamId));
            Way::WithOthers { groups: groups.collect::<Result<_, _>>()? }
        }
        WayKind::Declined => Way::Declined {
            reason: reason("resolve.way.reason", &way.reason)?,
            alternative: fields::name("resolve.way.alternative", &way.alternative)?,
        },
    })
}

pub(super) fn command(caller: &Caller, command: Option<asked::Command>) -> Result<TicketCommand, Status> {
    use asked::Command;
    let command = command.ok_or_else(|| status::invalid("command", "is missing; say what is to be done"))?;
    Ok(match command {
        Command::Accept(accept) => {
            let owner = acting(caller, "accept.owner", &accept.owner)?;
            let missing = || status::invalid("accept.owner", "is missing; say who takes it");
            TicketCommand::Accept { owner: owner.ok_or_else(missing)? }
        }
        Command::Classify(set) => TicketCommand::Classify { set: facts("classify", Some(&set))? },
        Command::Edit(set) => TicketCommand::Edit { set: facts("edit", Some(&set))? },
        Command::Dispatch(dispatch) => TicketCommand::Dispatch {
            group: fields::optional("dispatch.group", &dispatch.group)?.map(TeamId),
            to: fields::optional("dispatch.to", &dispatch.to)?.map(AgentId),
        },
        Command::Arrive(_) => TicketCommand::Arrive,
        Command::StartWork(_) => TicketCommand::StartWork,
        Command::Hold(hold) => TicketCommand::Hold { reason: reason("hold.reason", &hold.reason)? },
        Command::Resume(_) => TicketCommand::Resume,
        Command::Resolve(resolve) => TicketCommand::Resolve {
            way: way(resolve.way)?,
            agent: acting(caller, "resolve.agent", &resolve.agent)?,
            reason: fields::optional("resolve.reason", &resolve.reason)?.map(ReasonCode),
        },
        Command::Confirm(confirm) => {
            TicketCommand::Confirm { proof: fields::optional("confirm.proof", &confirm.proof)? }
        }
        Command::Reopen(reopen) => TicketCommand::Reopen {
            reason: reason("reopen.reason", &reopen.reason)?,
            rework: reopen.rework,
            agent: acting(caller, "reopen.agent", &reopen.agent)?,
        },
        Command::Close(close) => TicketCommand::Close {
            agent: acting(caller, "close.agent", &close.agent)?,
            reason: fields::optional("close.reason", &close.reason)?.map(ReasonCode),
        },
        Command::Cancel(cancel) => TicketCommand::Cancel {
            reason: reason("cancel.reason", &cancel.reason)?,
            explanation: fields::name("cancel.explanation", &cancel.explanation)?,
        },
        other => return further_command(caller, other),
    })
}

fn further_command(caller: &Caller, command: asked::Command) -> Result<TicketCommand, Status> {
    use asked::Command;
    let contact = |field: &str, text: &str| fields::optional(field, text).map(|name| name.map(ContactId));
    Ok(match command {
        Command::Escalate(escalate) => TicketCommand::Escalate {
            to: fields::optional("escalate.to", &escalate.to)?,
            reason: reason("escalate.reason", &escalate.reason)?,
            emergency: escalate.emergency,
        },
        Command::TellSkipped(told) => {
            TicketCommand::TellSkipped { level: fields::name("tell_skipped.level", &told.level)? }
        }
        Command::Reassign(reassign) => TicketCommand::Reassign {
            owner: fields::optional("reassign.owner", &reassign.owner)?.map(AgentId),
            group: fields::optional("reassign.group", &reassign.group)?.map(TeamId),
            reason: reason("reassign.reason", &reassign.reason)?,
        },
        Command::Unlink(unlink) => {
            TicketCommand::Unlink { other: fields::name("unlink.other", &unlink.other).map(TicketId)? }
        }
        Command::Note(note) => TicketCommand::Note {
            visibility: if note.public { Visibility::Public } else { Visibility::Internal },
            text: fields::name("note.text", &note.text)?,
        },
        Command::Attach(attach) => TicketCommand::Attach {
            kind: fields::name("attach.kind", &attach.kind)?,
            reference: fields::name("attach.reference", &attach.reference)?,
        },
        Command::Cite(cite) => {
            TicketCommand::Cite { article: fields::name("cite.article", &cite.article)?, helped: cite.helped }
        }
        Command::AddContact(added) => TicketCommand::AddContact {
            contact: fields::name("add_contact.contact", &added.contact).map(ContactId)?,
        },
        Command::Visit(visit) => TicketCommand::Visit {
            step: required("visit.step", visit.step, VisitStep::from_code)?,
            appointment: visit.appointment_us.map(Micros),
            slip: fields::optional("visit.slip", &visit.slip)?,
        },
        Command::AskApproval(asked) => {
            TicketCommand::AskApproval { approver: fields::name("ask_approval.approver", &asked.approver)? }
        }
        Command::Approve(given) => {
            TicketCommand::Approve { approver: approver(caller, "approve.approver", &given.approver)? }
        }
        Command::RefuseApproval(refused) => TicketCommand::RefuseApproval {
            approver: approver(caller, "refuse_approval.approver", &refused.approver)?,
            reason: reason("refuse_approval.reason", &refused.reason)?,
        },
        Command::Inform(inform) => {
            TicketCommand::Inform { contact: contact("inform.contact", &inform.contact)? }
        }
        Command::Investigate(_) => TicketCommand::Investigate,
        Command::Repeat(repeat) => {
            TicketCommand::Repeat { contact: contact("repeat.contact", &repeat.contact)? }
        }
        Command::Promise(promise) => TicketCommand::Promise {
            target: required("promise.target", promise.target, TargetKind::from_code)?,
            due: Micros(promise.due_us),
            by: if promise.by_customer { Promiser::Customer } else { Promiser::Agent },
        },
        _ => return Err(status::invalid("command", "is not known to this server; use a newer one")),
    })
}
