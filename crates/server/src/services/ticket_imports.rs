//! Tickets of other systems, as what an import brings.
//!
//! Invariant: what is plain goes from the message to the engine, and into no refusal.

use std::sync::Arc;

use pegcount_domain::{
    ids::{Name, SiteId, SourceId},
    ticketing::TicketRecord,
};
use pegcount_engine::{Engine, EngineError};
use pegcount_proto::{FactError, check_ticket_record, v1};

use super::imports::{Kind, Part};

/// Tickets.
pub(super) struct Tickets;

impl Kind for Tickets {
    type Request = v1::ImportTicketsRequest;
    type Response = v1::ImportTicketsResponse;
    type Sent = v1::TicketRecord;
    type Record = TicketRecord;

    fn part(request: Self::Request) -> Part<Self::Sent> {
        Part { site: request.site, source: request.source, records: request.records }
    }

    fn checked(sent: Self::Sent) -> Result<Self::Record, (String, FactError)> {
        let ticket = sent.ticket.clone();
        check_ticket_record(sent).map_err(|error| (ticket, error))
    }

    async fn import(
        engine: &Arc<Engine>,
        (site, source): (&SiteId, &SourceId),
        actor: &Name,
        records: Vec<Self::Record>,
        so_far: &mut Self::Response,
    ) -> Result<(), EngineError> {
        let done = engine.import_tickets(site, source, actor, records).await?;
        so_far.added += done.added;
        so_far.present += done.present;
        so_far.grown += done.grown;
        so_far.events += done.events;
        so_far.sealed += done.sealed;
        for (ticket, reason) in done.refusals {
            Self::refuse(so_far, ticket.to_string(), reason);
        }
        Ok(())
    }

    fn refuse(so_far: &mut Self::Response, ticket: String, reason: String) {
        so_far.refusals.push(v1::TicketRecordRefusal { ticket, reason });
    }

    fn refusals(so_far: &Self::Response) -> usize {
        so_far.refusals.len()
    }
}
