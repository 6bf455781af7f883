//! Lists of tickets, page by page, and live.
//!
//! A page goes on behind the last ticket of the one before, so nothing that stays is told twice or left out. A watch tells the whole
//! list and then what changes of it: by events, and when a due time comes near.

use std::sync::Arc;

use pegcount_domain::{
    envelope::Position,
    ids::{AgentId, SiteId, TicketId},
    time::Micros,
};

use crate::{
    boards::{TicketCursor, TicketFilter, TicketOrder, TicketView, Watched},
    engine::Engine,
    error::EngineError,
    options::TICKET_PAGE_MAX,
};

/// The most tickets that a watched list may hold.
pub const WATCHED_TICKETS_MAX: usize = 2_000;

/// A page of a list.
#[derive(Clone, Debug)]
pub struct TicketPage {
    /// In the order asked for.
    pub tickets: Vec<TicketView>,
    /// Where to go on; none at the end.
    pub next: Option<TicketCursor>,
    /// The log position up to which this holds.
    pub position: Position,
    /// As of when.
    pub as_of: Micros,
}

/// What changed of a watched list.
#[derive(Clone, Debug)]
pub struct TicketUpdate {
    /// It is the whole list; what was told before is void.
    pub whole: bool,
    /// New ones, and those that changed, in the order of opening.
    pub tickets: Vec<TicketView>,
    /// Those that are not in the list any more.
    pub gone: Vec<TicketId>,
    /// The log position up to which this holds.
    pub position: Position,
    /// As of when.
    pub as_of: Micros,
}

/// A watched list.
pub struct TicketWatch {
    engine: Arc<Engine>,
    site: SiteId,
    watched: Watched,
    steps: tokio::sync::watch::Receiver<Position>,
    begun: bool,
}

impl Engine {
    /// At most `limit` (and at most [`TICKET_PAGE_MAX`]) tickets of a list, behind `after`.
    pub fn list_tickets(
        &self,
        site: &SiteId,
        filter: &TicketFilter,
        order: TicketOrder,
        after: Option<TicketCursor>,
        limit: usize,
    ) -> TicketPage {
        let as_of = self.clock.now();
        let boards = self.boards.state().read();
        let position = boards.position();
        let limit = limit.clamp(1, TICKET_PAGE_MAX);
        let (tickets, next) = boards.site(site).map_or_else(Default::default, |board| {
            board.tickets.list((filter, order, after), limit, as_of, (site, position))
        });
        TicketPage { tickets, next, position, as_of }
    }

    /// Whether an agent is involved in a ticket, now or earlier, or nobody owns it yet.
    pub fn ticket_is_visible(&self, site: &SiteId, ticket: &TicketId, agent: &AgentId) -> bool {
        let boards = self.boards.state().read();
        boards.site(site).is_some_and(|board| board.tickets.is_visible(ticket, agent))
    }

    /// Watches a list.
    pub fn watch_tickets(self: &Arc<Self>, site: SiteId, filter: TicketFilter) -> TicketWatch {
        let steps = self.boards.steps();
        let watched = Watched::new(filter, WATCHED_TICKETS_MAX);
        TicketWatch { engine: Arc::clone(self), site, watched, steps, begun: false }
    }
}

impl TicketWatch {
    /// The whole list at first, then each time what changed; none when the engine has stopped. May be dropped and called again.
    ///
    /// Errors: [`EngineError::Precondition`] if the list holds more than [`WATCHED_TICKETS_MAX`].
    pub async fn next(&mut self) -> Result<Option<TicketUpdate>, EngineError> {
        loop {
            self.steps.mark_unchanged();
            let (update, next_look) = self.look()?;
            if !self.begun || update.whole || !update.tickets.is_empty() || !update.gone.is_empty() {
                self.begun = true;
                return Ok(Some(update));
            }
            let time_comes = async {
                match next_look {
                    Some(at) => self.engine.clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                step = self.steps.changed() => if step.is_err() { return Ok(None) },
                () = time_comes => {}
            }
        }
    }

    fn look(&mut self) -> Result<(TicketUpdate, Option<Micros>), EngineError> {
        let as_of = self.engine.clock.now();
        let boards = self.engine.boards.state().read();
        let position = boards.position();
        let Some(board) = boards.site(&self.site) else {
            let (tickets, gone) = (Vec::new(), Vec::new());
            return Ok((TicketUpdate { whole: !self.begun, tickets, gone, position, as_of }, None));
        };
        let told = self.watched.look(&board.tickets, as_of, (&self.site, position)).ok_or_else(|| {
            EngineError::Precondition(format!(
                "the list holds more than {WATCHED_TICKETS_MAX} tickets, which is the most that can be watched: ask for fewer, or \
                 list them page by page"
            ))
        })?;
        let next_look = self.watched.next_look(&board.tickets);
        let update =
            TicketUpdate { whole: told.whole, tickets: told.tickets, gone: told.gone, position, as_of };
        Ok((update, next_look))
    }
}
