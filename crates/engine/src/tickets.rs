//! Tickets, thin: open, resolve, reopen, close, read. Each is a command: decided, idempotent, or refused.

use pegcount_domain::{
    envelope::{StreamKind, StreamName, Version},
    event::Event,
    ids::{
        AgentId, CategoryId, CommandId, ContactId, CustomerId, Name, QueueId, ReasonCode, SiteId, TicketId,
        TicketKind, TopicId,
    },
    ticket::TicketStep,
};

use crate::{
    boards::TicketView,
    commands::{Asker, Carried, Decided},
    engine::Engine,
    error::EngineError,
    ingest::set_customer,
};

/// A ticket to open.
#[derive(Clone, Debug)]
pub struct OpenTicket {
    /// Its id.
    pub ticket: TicketId,
    /// The contact in which it was reported.
    pub contact: Option<ContactId>,
    /// The customer's number, plain; none: the customer of `contact`.
    pub caller: Option<String>,
    /// Its kind.
    pub kind: TicketKind,
    /// Its category.
    pub category: Option<CategoryId>,
    /// Its topic.
    pub topic: Option<TopicId>,
    /// Who takes it.
    pub agent: Option<AgentId>,
    /// The queue of the contact.
    pub queue: Option<QueueId>,
}

/// A step of a ticket.
#[derive(Clone, Debug)]
pub struct TicketCommand {
    /// Which ticket.
    pub ticket: TicketId,
    /// What to do.
    pub step: TicketStep,
    /// The version that the caller saw; none: any.
    pub expected: Option<Version>,
    /// Who does it.
    pub agent: Option<AgentId>,
    /// Why or how.
    pub reason: Option<ReasonCode>,
}

impl Engine {
    /// One ticket as it is now. Errors: [`EngineError::NotFound`].
    pub fn ticket(&self, site: &SiteId, ticket: &TicketId) -> Result<TicketView, EngineError> {
        let boards = self.boards.state().read();
        boards
            .site(site)
            .and_then(|board| board.tickets.view(site, ticket, boards.position()))
            .ok_or_else(|| EngineError::NotFound { what: "ticket", id: ticket.to_string() })
    }

    /// Opens a ticket. Errors: [`EngineError::Exists`], the vault's, the log's.
    pub async fn open_ticket(
        &self,
        site: &SiteId,
        open: OpenTicket,
        actor: &Name,
        command_id: CommandId,
    ) -> Result<Carried, EngineError> {
        let customer = self.customer_of(site, &open).await?;
        let mut event = Event::TicketOpened {
            contact: open.contact,
            customer: None,
            kind: open.kind,
            category: open.category,
            topic: open.topic,
            agent: open.agent,
            queue: open.queue,
        };
        if let Some(customer) = customer {
            set_customer(&mut event, customer);
        }
        let ticket = open.ticket;
        let asker = Asker { actor, on_behalf_of: None, command_id };
        self.command(stream(site, &ticket), &asker, || match self.ticket(site, &ticket) {
            Ok(_) => Err(EngineError::Exists { what: "ticket", id: ticket.to_string() }),
            Err(_) => Ok(Decided { event: Some(event.clone()), version: Version(0), pending: false }),
        })
        .await
    }

    /// Resolves, reopens or closes a ticket.
    ///
    /// Errors: [`EngineError::NotFound`], [`EngineError::Conflict`] (another version than expected),
    /// [`EngineError::Precondition`] (the state does not allow it).
    pub async fn ticket_command(
        &self,
        site: &SiteId,
        command: TicketCommand,
        actor: &Name,
        command_id: CommandId,
    ) -> Result<Carried, EngineError> {
        let asker = Asker { actor, on_behalf_of: None, command_id };
        self.command(stream(site, &command.ticket), &asker, || {
            let view = self.ticket(site, &command.ticket)?;
            if let Some(expected) = command.expected.filter(|expected| *expected != view.version) {
                return Err(EngineError::Conflict {
                    what: "ticket",
                    id: command.ticket.to_string(),
                    expected: expected.0,
                    actual: view.version.0,
                });
            }
            let event = view
                .state
                .decide(command.step, command.agent.clone(), command.reason.clone())
                .map_err(|refusal| EngineError::Precondition(refusal.to_string()))?;
            Ok(Decided { event: Some(event), version: view.version, pending: false })
        })
        .await
    }

    /// The customer by the number given, or the one of the contact.
    async fn customer_of(&self, site: &SiteId, open: &OpenTicket) -> Result<Option<CustomerId>, EngineError> {
        if let Some(caller) = &open.caller {
            return self.name_customer(site, caller.clone()).await;
        }
        let Some(contact) = &open.contact else { return Ok(None) };
        match self.contact(site, contact).await {
            Ok(view) => Ok(view.state.customer),
            // A ticket may come before the facts of the contact that it names.
            Err(EngineError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn stream(site: &SiteId, ticket: &TicketId) -> StreamName {
    StreamName { site: site.0.clone(), kind: StreamKind::Ticket, id: ticket.0.clone() }
}
