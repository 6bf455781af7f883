//! The ticket service: commands on tickets, their state and history, lists of them, live too.
//!
//! - `asked`: a command of the contract becomes one of the domain; `answered`: a ticket in the contract's words; `told`: its history;
//!   `lists`: filters, pages, watches
//!
//! Invariant: an agent's own token sees and changes the tickets that it is involved in, and those that nobody owns; no others.

mod answered;
mod asked;
mod lists;
mod told;

use pegcount_domain::{
    customer::Reader,
    envelope::Version,
    ids::{ReasonCode, SiteId, TicketId},
    ticketing::LinkKind,
};
use pegcount_engine::{Carried, EngineError, OneTicket, TicketAsker, TicketView};
use pegcount_proto::v1;
use tonic::{Request, Response, Status};

use super::{Answers, Room};
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
        let open = asked::new_ticket(&caller, "ticket", request.ticket)?;
        let asker = TicketAsker { actor: caller.actor(), command_id };
        answered(self.engine.open_ticket(&site, open, &asker).await)
    }

    async fn command_ticket(&self, request: Request<v1::TicketCommandRequest>) -> Answer {
        let caller = self.access.admit(request.metadata(), Action::WriteTickets)?;
        let request = request.into_inner();
        let site = caller.site("site", &request.site)?;
        let command_id = fields::command_id(&request.command_id)?;
        let ticket = fields::name("ticket", &request.ticket).map(TicketId)?;
        let text = asked::text(request.text)?;
        let command = asked::command(&caller, asked::with_place(request.command, text.is_some())?)?;
        self.may_see(&caller, &site, &ticket)?;
        let asker = TicketAsker { actor: caller.actor(), command_id };
        let expected = version(request.expected_version);
        answered(match text {
            None => self.engine.ticket_command(&site, &ticket, command, expected, &asker).await,
            Some(text) => {
                let said = (command, text);
                self.engine.ticket_command_with_text(&site, &ticket, said, expected, &asker).await
            }
        })
    }

    async fn merge_tickets(&self, request: Request<v1::MergeTicketsRequest>) -> Answer {
        let caller = self.access.admit(request.metadata(), Action::WriteTickets)?;
        let request = request.into_inner();
        let site = caller.site("site", &request.site)?;
        let command_id = fields::command_id(&request.command_id)?;
        let secondary = self.one(&caller, &site, "secondary", request.secondary)?;
        let primary = self.one(&caller, &site, "primary", request.primary)?;
        let asker = TicketAsker { actor: caller.actor(), command_id };
        answered(self.engine.merge_tickets(&site, one(&secondary), one(&primary), &asker).await)
    }

    async fn split_ticket(&self, request: Request<v1::SplitTicketRequest>) -> Answer {
        let caller = self.access.admit(request.metadata(), Action::WriteTickets)?;
        let request = request.into_inner();
        let site = caller.site("site", &request.site)?;
        let command_id = fields::command_id(&request.command_id)?;
        let whole = self.one(&caller, &site, "whole", request.whole)?;
        let part = asked::new_ticket(&caller, "part", request.part)?;
        let asker = TicketAsker { actor: caller.actor(), command_id };
        answered(self.engine.split_ticket(&site, one(&whole), part, &asker).await)
    }

    async fn link_tickets(&self, request: Request<v1::LinkTicketsRequest>) -> Answer {
        let caller = self.access.admit(request.metadata(), Action::WriteTickets)?;
        let request = request.into_inner();
        let site = caller.site("site", &request.site)?;
        let command_id = fields::command_id(&request.command_id)?;
        let here = self.one(&caller, &site, "one", request.one)?;
        let there = self.one(&caller, &site, "other", request.other)?;
        let how = asked::required("how", request.how, LinkKind::from_code)?;
        if matches!(how, LinkKind::SplitFrom | LinkKind::SplitInto) {
            return Err(status::invalid(
                "how",
                "is a split, which SplitTicket makes; use RELATED, PARENT or CHILD",
            ));
        }
        let asker = TicketAsker { actor: caller.actor(), command_id };
        answered(self.engine.link_tickets(&site, one(&here), one(&there), how, &asker).await)
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
        Ok(Response::new(answered::ticket(&view, self.engine.clock().now())))
    }

    async fn get_ticket_history(
        &self,
        request: Request<v1::GetTicketRequest>,
    ) -> Result<Response<v1::TicketHistory>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadTickets)?;
        let request = request.into_inner();
        let site = caller.site("site", &request.site)?;
        let ticket = fields::name("ticket", &request.ticket).map(TicketId)?;
        self.may_see(&caller, &site, &ticket)?;
        let history = self.engine.ticket_history(&site, &ticket).await.map_err(status::of)?;
        Ok(Response::new(told::history(&history)?))
    }

    async fn read_ticket_texts(
        &self,
        request: Request<v1::ReadTicketTextsRequest>,
    ) -> Result<Response<v1::ReadTicketTextsResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadCustomerData)?;
        let request = request.into_inner();
        let site = caller.site("site", &request.site)?;
        let command_id = fields::command_id(&request.command_id)?;
        let ticket = fields::name("ticket", &request.ticket).map(TicketId)?;
        let purpose = fields::name("purpose", &request.purpose).map(ReasonCode)?;
        let name = |(index, text): (usize, &String)| fields::name(&format!("references[{index}]"), text);
        let references = request.references.iter().enumerate().map(name).collect::<Result<_, _>>()?;
        let view = self.ticket_of(&caller, &site, &ticket)?;
        let owns = caller.as_owner().is_some_and(|agent| view.state.owner == Some(agent));
        let reader = Reader {
            name: caller.actor(),
            is_steward: caller.is_data_steward(),
            answers_for_ticket: owns && view.state.status.is_open(),
        };
        let read =
            self.engine.read_ticket_texts(&site, &ticket, references, purpose, (reader, command_id)).await;
        let texts = read.map_err(status::of)?.into_iter();
        let texts = texts.map(|one| v1::TicketText { reference: one.reference.to_string(), text: one.plain });
        Ok(Response::new(v1::ReadTicketTextsResponse { texts: texts.collect() }))
    }

    async fn list_tickets(
        &self,
        request: Request<v1::ListTicketsRequest>,
    ) -> Result<Response<v1::ListTicketsResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadTickets)?;
        lists::page(self, &caller, &request.into_inner()).map(Response::new)
    }

    type WatchTicketsStream = Answers<v1::WatchTicketsResponse>;

    async fn watch_tickets(
        &self,
        request: Request<v1::WatchTicketsRequest>,
    ) -> Result<Response<Self::WatchTicketsStream>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadTickets)?;
        lists::watch(self, caller, &request.into_inner()).map(Response::new)
    }
}

impl Room {
    /// A ticket that the caller may see. An agent learns nothing about others, not even that they exist.
    fn ticket_of(&self, caller: &Caller, site: &SiteId, ticket: &TicketId) -> Result<TicketView, Status> {
        let Some(own) = caller.own_agent() else {
            return self.engine.ticket(site, ticket).map_err(status::of);
        };
        let hidden = || status::not_found("ticket of yours", ticket.as_str());
        if !self.engine.ticket_is_visible(site, ticket, own) {
            return Err(hidden());
        }
        self.engine.ticket(site, ticket).map_err(|_| hidden())
    }

    fn may_see(&self, caller: &Caller, site: &SiteId, ticket: &TicketId) -> Result<(), Status> {
        if caller.own_agent().is_some() {
            self.ticket_of(caller, site, ticket)?;
        }
        Ok(())
    }

    /// One ticket of two, which the caller may see.
    fn one(
        &self,
        caller: &Caller,
        site: &SiteId,
        field: &str,
        at: Option<v1::TicketAt>,
    ) -> Result<(TicketId, Option<Version>), Status> {
        let at = at.ok_or_else(|| status::invalid(field, "is missing; it is required"))?;
        let ticket = fields::name(&format!("{field}.ticket"), &at.ticket).map(TicketId)?;
        self.may_see(caller, site, &ticket)?;
        Ok((ticket, version(at.expected_version)))
    }
}

fn one((ticket, expected): &(TicketId, Option<Version>)) -> OneTicket<'_> {
    OneTicket { ticket, expected: *expected }
}

fn version(number: u64) -> Option<Version> {
    (number != 0).then_some(Version(number))
}

fn answered(done: Result<Carried, EngineError>) -> Answer {
    let done = done.map_err(status::of)?;
    tracing::debug!(position = done.position.0, "carried out");
    Ok(Response::new(v1::TicketResponse { position: done.position.0, version: done.version.0 }))
}
