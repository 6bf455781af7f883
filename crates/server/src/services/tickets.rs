//! The ticket service: commands on tickets, and their state.

use pegcount_domain::{
    envelope::Version,
    ids::{AgentId, CategoryId, ContactId, QueueId, ReasonCode, SiteId, TicketId, TicketKind, TopicId},
    ticket::{TicketStatus, TicketStep},
};
use pegcount_engine::{Carried, EngineError, OpenTicket, TicketCommand, TicketView};
use pegcount_proto::{CALLER_BYTES_MAX, v1};
use tonic::{Request, Response, Status};

use super::Room;
use crate::{
    access::{Action, Caller},
    fields, status,
};

type Answer = Result<Response<v1::TicketResponse>, Status>;

#[tonic::async_trait]
impl v1::ticket_service_server::TicketService for Room {
    async fn open_ticket(&self, request: Request<v1::OpenTicketRequest>) -> Answer {
        let caller = self.access.admit(request.metadata(), Action::WriteTickets)?;
        let request = request.into_inner();
        let site = caller.site("site", &request.site)?;
        let command_id = fields::command_id(&request.command_id)?;
        let open = open_ticket(&caller, request)?;
        let done = self.engine.open_ticket(&site, open, caller.actor(), command_id).await;
        answered(done)
    }

    async fn resolve_ticket(&self, request: Request<v1::TicketCommandRequest>) -> Answer {
        let caller = self.access.admit(request.metadata(), Action::WriteTickets)?;
        self.step(&caller, request.into_inner(), TicketStep::Resolve).await
    }

    async fn reopen_ticket(&self, request: Request<v1::TicketCommandRequest>) -> Answer {
        let caller = self.access.admit(request.metadata(), Action::WriteTickets)?;
        let request = request.into_inner();
        if request.reason.is_empty() {
            return Err(status::invalid("reason", "is missing; a ticket is reopened for a reason"));
        }
        self.step(&caller, request, TicketStep::Reopen).await
    }

    async fn close_ticket(&self, request: Request<v1::TicketCommandRequest>) -> Answer {
        let caller = self.access.admit(request.metadata(), Action::WriteTickets)?;
        self.step(&caller, request.into_inner(), TicketStep::Close).await
    }

    async fn get_ticket(
        &self,
        request: Request<v1::GetTicketRequest>,
    ) -> Result<Response<v1::Ticket>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadTickets)?;
        let request = request.into_inner();
        let site = caller.site("site", &request.site)?;
        let ticket = fields::name("ticket", &request.ticket).map(TicketId)?;
        let view = self.ticket_of(&caller, &site, &ticket)?;
        Ok(Response::new(ticket_message(&view)))
    }
}

impl Room {
    /// A ticket that the caller may see: an agent those that it took or resolved. It learns nothing about others, not
    /// even that they exist.
    fn ticket_of(&self, caller: &Caller, site: &SiteId, ticket: &TicketId) -> Result<TicketView, Status> {
        let view = self.engine.ticket(site, ticket).map_err(status::of)?;
        let theirs =
            |own| view.state.agent.as_ref() == Some(own) || view.state.resolved_by.as_ref() == Some(own);
        if caller.own_agent().is_none_or(theirs) {
            return Ok(view);
        }
        Err(status::not_found("ticket of yours", ticket.as_str()))
    }

    async fn step(&self, caller: &Caller, request: v1::TicketCommandRequest, step: TicketStep) -> Answer {
        let site = caller.site("site", &request.site)?;
        let command_id = fields::command_id(&request.command_id)?;
        let command = TicketCommand {
            ticket: fields::name("ticket", &request.ticket).map(TicketId)?,
            step,
            expected: (request.expected_version != 0).then_some(Version(request.expected_version)),
            agent: acting_agent(caller, &request.agent)?,
            reason: fields::optional("reason", &request.reason)?.map(ReasonCode),
        };
        if caller.own_agent().is_some() {
            self.ticket_of(caller, &site, &command.ticket)?;
        }
        let done = self.engine.ticket_command(&site, command, caller.actor(), command_id).await;
        answered(done)
    }
}

/// The agent that acts: an agent's own token names no other, and stands for itself if none is named.
fn acting_agent(caller: &Caller, text: &str) -> Result<Option<AgentId>, Status> {
    let named = fields::optional("agent", text)?.map(AgentId);
    if let Some(agent) = &named {
        caller.about_agent(agent)?;
    }
    Ok(named.or_else(|| caller.own_agent().cloned()))
}

fn open_ticket(caller: &Caller, request: v1::OpenTicketRequest) -> Result<OpenTicket, Status> {
    if request.caller.len() > CALLER_BYTES_MAX {
        let reason = format!("has {} bytes; the limit is {CALLER_BYTES_MAX}", request.caller.len());
        return Err(status::invalid("caller", reason));
    }
    Ok(OpenTicket {
        ticket: fields::name("ticket", &request.ticket).map(TicketId)?,
        contact: fields::optional("contact", &request.contact)?.map(ContactId),
        caller: (!request.caller.is_empty()).then_some(request.caller),
        kind: fields::name("kind", &request.kind).map(TicketKind)?,
        category: fields::optional("category", &request.category)?.map(CategoryId),
        topic: fields::optional("topic", &request.topic)?.map(TopicId),
        agent: acting_agent(caller, &request.agent)?,
        queue: fields::optional("queue", &request.queue)?.map(QueueId),
    })
}

fn answered(done: Result<Carried, EngineError>) -> Answer {
    let done = done.map_err(status::of)?;
    tracing::debug!(position = done.position.0, "carried out");
    Ok(Response::new(v1::TicketResponse { position: done.position.0, version: done.version.0 }))
}

fn ticket_message(view: &TicketView) -> v1::Ticket {
    let text = |id: Option<String>| id.unwrap_or_default();
    let state = &view.state;
    let status = match state.status {
        TicketStatus::Open => v1::TicketStatus::Open,
        TicketStatus::Resolved => v1::TicketStatus::Resolved,
        TicketStatus::Closed => v1::TicketStatus::Closed,
    };
    v1::Ticket {
        site: view.site.to_string(),
        ticket: view.ticket.to_string(),
        status: status.into(),
        kind: state.kind.to_string(),
        category: text(state.category.as_ref().map(ToString::to_string)),
        topic: text(state.topic.as_ref().map(ToString::to_string)),
        contact: text(state.contact.as_ref().map(ToString::to_string)),
        customer: text(state.customer.as_ref().map(ToString::to_string)),
        agent: text(state.agent.as_ref().map(ToString::to_string)),
        resolved_by: text(state.resolved_by.as_ref().map(ToString::to_string)),
        opened_us: state.opened_at.0,
        resolved_us: state.resolved_at.map(|at| at.0),
        closed_us: state.closed_at.map(|at| at.0),
        reopened: state.reopened,
        version: view.version.0,
    }
}
