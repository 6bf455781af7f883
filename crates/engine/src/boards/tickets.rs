//! Tickets as they are now.

use pegcount_domain::{
    envelope::{Envelope, Position, Version},
    event::Event,
    ids::{SiteId, TicketId},
    ticket::{TicketState, TicketStatus},
};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// One ticket as it is now.
#[derive(Clone, Debug)]
pub struct TicketView {
    /// Its site.
    pub site: SiteId,
    /// Its id.
    pub ticket: TicketId,
    /// Status, kind, times.
    pub state: TicketState,
    /// The stream's version.
    pub version: Version,
    /// The log position up to which this has been folded.
    pub position: Position,
}

/// The tickets of one site.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tickets(FxHashMap<TicketId, (TicketState, Version)>);

impl Tickets {
    pub(crate) fn insert(&mut self, ticket: TicketId, envelope: &Envelope<'_>, event: &Event) {
        match self.0.get_mut(&ticket) {
            Some((state, version)) => {
                state.apply(event, envelope.occurred_at);
                *version = envelope.version;
            }
            None => {
                if let Some(state) = TicketState::opened(event, envelope.occurred_at) {
                    self.0.insert(ticket, (state, envelope.version));
                }
            }
        }
    }

    /// Where a ticket stands.
    pub(crate) fn status(&self, ticket: &TicketId) -> Option<TicketStatus> {
        self.0.get(ticket).map(|(state, _)| state.status)
    }

    pub(crate) fn view(&self, site: &SiteId, ticket: &TicketId, position: Position) -> Option<TicketView> {
        let (state, version) = self.0.get(ticket)?;
        Some(TicketView {
            site: site.clone(),
            ticket: ticket.clone(),
            state: state.clone(),
            version: *version,
            position,
        })
    }
}
