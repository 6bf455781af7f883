//! Tickets: opened, worked on, settled; merged, split and tied to each other; read, listed and watched.
//!
//! Each step is a command: decided by the domain's rules on the ticket as it is, idempotent by its id, or refused. Not for who may
//! ask: the server checks roles.
//!
//! - this file: commands on one ticket; `pairs`: on two, in one append; `lists`: lists and watches; `history`: what happened to one;
//!   `what_if`: what would have under other policies; `trying`: what these may be
//!
//! Invariant: what is appended was decided on exactly the versions that it follows.

mod history;
mod lists;
mod pairs;
mod trying;
mod what_if;

pub use history::{TicketHistory, TicketStep};
pub use lists::{TicketPage, TicketUpdate, TicketWatch, WATCHED_TICKETS_MAX};
pub use pairs::OneTicket;
pub(crate) use what_if::REPLAYS_AT_ONCE;
pub use what_if::{
    Fates, REPLAYED_ROWS_MAX, ReplayStep, ReplayedTarget, ReplayedTicket, TicketReplay, WhatIf,
};

use pegcount_domain::{
    envelope::{StreamKind, StreamName, Version},
    event::Event,
    ids::{CommandId, ContactId, CustomerId, Name, SiteId, TicketId},
    ticketing::{
        FieldValue, KindRules, Opening, TicketCommand, TicketEvent, TicketRefusal, Visibility, decide,
        decide_open, told::UNSEALED,
    },
};

use crate::{
    boards::{Entry, TicketView},
    commands::{Asker, Carried, Decided},
    engine::Engine,
    error::EngineError,
};

/// A ticket to open.
#[derive(Clone, Debug)]
pub struct OpenTicket {
    /// Its id.
    pub ticket: TicketId,
    /// What is known of it.
    pub opening: Opening,
    /// The customer's number, plain; none: the customer that `opening` names, or that of its contact.
    pub caller: Option<String>,
    /// What was reported, plain; sealed, it becomes an internal note.
    pub description: Option<String>,
}

/// Who asks, and by which id.
#[derive(Clone, Debug)]
pub struct TicketAsker<'a> {
    /// The principal.
    pub actor: &'a Name,
    /// The command's id.
    pub command_id: CommandId,
}

impl<'a> TicketAsker<'a> {
    fn asker(&self) -> Asker<'a> {
        Asker { actor: self.actor, on_behalf_of: None, command_id: self.command_id }
    }
}

impl Engine {
    /// One ticket as it is now. Errors: [`EngineError::NotFound`].
    pub fn ticket(&self, site: &SiteId, ticket: &TicketId) -> Result<TicketView, EngineError> {
        let boards = self.boards.state().read();
        boards
            .site(site)
            .and_then(|board| board.tickets.view(site, ticket, boards.position()))
            .ok_or_else(|| no_ticket(ticket))
    }

    /// Opens a ticket. Errors: [`EngineError::Exists`], [`EngineError::Ticket`], the vault's, the log's.
    pub async fn open_ticket(
        &self,
        site: &SiteId,
        open: OpenTicket,
        asker: &TicketAsker<'_>,
    ) -> Result<Carried, EngineError> {
        let OpenTicket { ticket, mut opening, caller, description } = open;
        self.name_opening(site, &mut opening, caller).await?;
        let stream = stream(site, &ticket);
        let note = match description {
            Some(text) if self.is_new(asker, &stream, &ticket).await? => {
                let reference = self.seal_text(site, &ticket, opening.customer(), text).await?;
                Some(TicketEvent::Noted { visibility: Visibility::Internal, text: reference })
            }
            _ => None,
        };
        self.guarded_command(std::slice::from_ref(&stream), &asker.asker(), || {
            if self.ticket(site, &ticket).is_ok() {
                return Err(EngineError::Exists { what: "ticket", id: ticket.to_string() });
            }
            let mut events = decide_open(opening.clone()).map_err(|refusal| refused(&ticket, refusal))?;
            events.extend(note.clone());
            Ok(Decided::on(stream.clone(), Version(0), told(events)))
        })
        .await
    }

    /// Carries a command on one ticket out; with `expected` only if that is its version.
    ///
    /// Errors: [`EngineError::NotFound`], [`EngineError::Ticket`] (the rules refuse it, or somebody was first: who did what).
    pub async fn ticket_command(
        &self,
        site: &SiteId,
        ticket: &TicketId,
        command: TicketCommand,
        expected: Option<Version>,
        asker: &TicketAsker<'_>,
    ) -> Result<Carried, EngineError> {
        let stream = stream(site, ticket);
        self.guarded_command(std::slice::from_ref(&stream), &asker.asker(), || {
            let (entry, events) = self.decided(site, ticket, &command, expected)?;
            Ok(Decided::on(stream.clone(), entry.ticket.version, told(events)))
        })
        .await
    }

    /// As [`Self::ticket_command`], with what was written, plain: it is sealed, and its reference goes into the command. What would be
    /// refused is not sealed. Errors: as there, the vault's, and [`EngineError::Invalid`] for a command that has no place for a text.
    pub async fn ticket_command_with_text(
        &self,
        site: &SiteId,
        ticket: &TicketId,
        (mut command, text): (TicketCommand, String),
        expected: Option<Version>,
        asker: &TicketAsker<'_>,
    ) -> Result<Carried, EngineError> {
        let stream = stream(site, ticket);
        self.caught_up(self.log.end()).await?;
        let Some(place) = command.reference_mut() else {
            let reason = "belongs to note, cancel, confirm, and resolve in the way declined; leave it out";
            return Err(EngineError::invalid("text", reason));
        };
        *place = UNSEALED;
        if self.carried_out(asker.command_id, std::slice::from_ref(&stream))?.is_none() {
            let (entry, _) = self.decided(site, ticket, &command, expected)?;
            let reference = self.seal_text(site, ticket, entry.customer(), text).await?;
            if let Some(place) = command.reference_mut() {
                *place = reference;
            }
        }
        self.ticket_command(site, ticket, command, expected, asker).await
    }

    /// A ticket as it is, and what comes of a command on it.
    fn decided(
        &self,
        site: &SiteId,
        ticket: &TicketId,
        command: &TicketCommand,
        expected: Option<Version>,
    ) -> Result<(Entry, Vec<TicketEvent>), EngineError> {
        let boards = self.boards.state().read();
        let board = boards.site(site).ok_or_else(|| no_ticket(ticket))?;
        let entry = board.tickets.entry(ticket).ok_or_else(|| no_ticket(ticket))?;
        let kind = &entry.ticket.kind;
        let defined = board.definitions.kind_at(kind, self.clock.now()).cloned();
        let rules = defined.unwrap_or_else(|| KindRules::standard(kind.clone()));
        let events = decide(&entry.ticket, &rules, command.clone(), expected);
        let events = events.map_err(|refusal| refused(ticket, refusal))?;
        Ok((entry, events))
    }

    /// Whether an opening has not been carried out yet, and its ticket is not there.
    async fn is_new(
        &self,
        asker: &TicketAsker<'_>,
        stream: &StreamName,
        ticket: &TicketId,
    ) -> Result<bool, EngineError> {
        self.caught_up(self.log.end()).await?;
        let site = SiteId(stream.site.clone());
        let done = self.carried_out(asker.command_id, std::slice::from_ref(stream))?;
        Ok(done.is_none() && self.ticket(&site, ticket).is_err())
    }

    /// Gives an opening its customer: by the number given, else the one named, else that of its contact.
    async fn name_opening(
        &self,
        site: &SiteId,
        opening: &mut Opening,
        caller: Option<String>,
    ) -> Result<(), EngineError> {
        let named = match caller {
            Some(caller) => self.name_customer(site, caller).await?,
            None => None,
        };
        let known = match (named, opening.customer(), &opening.contact) {
            (Some(named), ..) => Some(named),
            (None, None, Some(contact)) => self.customer_of(site, contact).await?,
            _ => None,
        };
        opening.set.extend(known.map(FieldValue::Customer));
        Ok(())
    }

    async fn customer_of(
        &self,
        site: &SiteId,
        contact: &ContactId,
    ) -> Result<Option<CustomerId>, EngineError> {
        match self.contact(site, contact).await {
            Ok(view) => Ok(view.state.customer),
            // A ticket may come before the facts of the contact that it names.
            Err(EngineError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn told(events: Vec<TicketEvent>) -> Vec<Event> {
    events.into_iter().map(Event::Ticket).collect()
}

fn refused(ticket: &TicketId, refusal: TicketRefusal) -> EngineError {
    EngineError::Ticket { ticket: ticket.to_string(), refusal: Box::new(refusal) }
}

fn no_ticket(ticket: &TicketId) -> EngineError {
    EngineError::NotFound { what: "ticket", id: ticket.to_string() }
}

pub(crate) fn stream(site: &SiteId, ticket: &TicketId) -> StreamName {
    StreamName { site: site.0.clone(), kind: StreamKind::Ticket, id: ticket.0.clone() }
}
