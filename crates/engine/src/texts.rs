//! Free text of tickets: sealed under the key of the ticket's customer, or of one of its own where it has none; read on record.
//!
//! Not for who may ask: the server checks roles. Invariants: a text is durable in the vault before the event that names it; whoever reads
//! texts stands in the log before getting them; no text that anybody could write names a ticket's own key.

use std::{collections::BTreeMap, sync::Arc};

use pegcount_domain::{
    customer::{Reader, ValueKind, decide::READ_MAX, decide_look},
    envelope::StreamName,
    event::Event,
    ids::{CommandId, CustomerId, Name, ReasonCode, SiteId, TicketId},
    ticketing::TicketEvent,
};

use crate::{
    commands::{Asker, Decided, Write, refused},
    customers::{ReadValue, stream as customer_stream},
    engine::{Engine, blocked},
    error::EngineError,
};

/// Cannot be typed, nor dialled.
const MARK: char = '\u{1}';

/// What the vault knows a ticket's own key by.
pub(crate) fn own_identity(ticket: &TicketId) -> String {
    format!("{MARK}ticket{MARK}{ticket}")
}

impl Engine {
    /// Seals a text of a ticket, under the key of `customer` or the ticket's own; its reference. Errors: the vault's.
    pub(crate) async fn seal_text(
        &self,
        site: &SiteId,
        ticket: &TicketId,
        customer: Option<&CustomerId>,
        text: String,
    ) -> Result<Name, EngineError> {
        let (vault, site, customer) = (Arc::clone(&self.vault), site.clone(), customer.cloned());
        let own = own_identity(ticket);
        blocked(move || {
            let holder = match customer {
                Some(customer) => customer,
                None => vault.surrogate(&site, &own)?,
            };
            let mut references = vault.seal(&holder, &[(ValueKind::Text, text.as_str())])?;
            references.pop().ok_or_else(|| EngineError::invalid("text", "is blank; leave it out"))
        })
        .await
    }

    /// Reads texts of a ticket; without references all of it. Who did and what for stands in the log from then on: in the file of
    /// the customer under whose key each is sealed, or in one of the ticket's own.
    ///
    /// Errors: [`EngineError::NotFound`], [`EngineError::Precondition`] (no access, erased), [`EngineError::Invalid`] (no text of this
    /// ticket, too many), the vault's, the log's.
    pub async fn read_ticket_texts(
        &self,
        site: &SiteId,
        ticket: &TicketId,
        named: Vec<Name>,
        purpose: ReasonCode,
        (reader, command_id): (Reader<'_>, CommandId),
    ) -> Result<Vec<ReadValue>, EngineError> {
        let written = self.references_of(site, ticket).await?;
        if let Some(stranger) = named.iter().find(|one| !written.contains(one)) {
            let reason = format!(
                "holds {stranger}, which is no text of ticket {ticket}; take references of its history"
            );
            return Err(EngineError::invalid("references", reason));
        }
        let wanted = if named.is_empty() { written } else { named };
        if wanted.len() > READ_MAX {
            let reason =
                format!("would be {}; the limit is {READ_MAX}: name those that you need", wanted.len());
            return Err(EngineError::invalid("references", reason));
        }
        let values = self.unsealed(wanted).await?;
        let mut by_holder: BTreeMap<CustomerId, Vec<Name>> = BTreeMap::new();
        for (holder, value) in &values {
            by_holder.entry(holder.clone()).or_default().push(value.reference.clone());
        }
        if by_holder.is_empty() {
            return Ok(Vec::new());
        }
        let asker = Asker { actor: reader.name, on_behalf_of: None, command_id };
        let streams: Vec<StreamName> = by_holder.keys().map(|holder| customer_stream(site, holder)).collect();
        let decide = || {
            let mut writes = smallvec::SmallVec::new();
            for (stream, (holder, references)) in streams.iter().zip(&by_holder) {
                let file = self.customer(site, holder)?.file;
                let event =
                    decide_look(&file, reader, references, &purpose, self.clock.now()).map_err(refused)?;
                let events = event.map(Event::Customer).into_iter().collect();
                writes.push(Write { stream: stream.clone(), version: file.version, events });
            }
            Ok(Decided { writes, pending: false })
        };
        self.command(&streams, &asker, decide).await?;
        // A repeat of the command gets them again only while they may be read.
        decide()?;
        Ok(values.into_iter().map(|(_, value)| value).collect())
    }

    /// The references of a ticket's history, in its order.
    async fn references_of(&self, site: &SiteId, ticket: &TicketId) -> Result<Vec<Name>, EngineError> {
        let history = self.ticket_history(site, ticket).await?;
        let reference = |mut event: TicketEvent| event.reference_mut().cloned();
        Ok(history.steps.into_iter().filter_map(|step| reference(step.event)).collect())
    }

    /// What the vault has of these, with under whose key: what was never sealed here (a reference to another system's archive) is left out.
    async fn unsealed(&self, references: Vec<Name>) -> Result<Vec<(CustomerId, ReadValue)>, EngineError> {
        let vault = Arc::clone(&self.vault);
        blocked(move || {
            let mut values = Vec::with_capacity(references.len());
            for reference in references {
                match vault.unseal(&reference) {
                    Ok(found) => {
                        let value = ReadValue { reference, kind: found.kind, plain: found.plain };
                        values.push((found.customer, value));
                    }
                    Err(pegcount_vault::VaultError::UnknownReference { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(values)
        })
        .await
    }
}
