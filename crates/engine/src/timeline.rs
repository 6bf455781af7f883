//! One customer's story over all channels: every contact and every ticket, in the order in which they began.
//!
//! The folds know which there are; each is read from its board, or from the log once it has left memory. Who looks stands in the log first,
//! as with sealed values. Invariant: a page goes on behind the last entry of the one before, whatever happens meanwhile.

use std::cmp::Reverse;

use pegcount_domain::{
    customer::{CustomerFile, Reader, decide_look},
    envelope::{Position, StreamKind},
    ids::{AgentId, CommandId, ContactId, CustomerId, ReasonCode, SiteId, TicketId},
    time::Micros,
};

use crate::{
    boards::{ContactView, TicketView},
    engine::Engine,
    error::EngineError,
};

/// The most entries of one page.
pub const TIMELINE_PAGE_MAX: usize = 200;

/// Where an entry stands: when it began, and its first event.
pub type TimelinePlace = (Micros, Position);

/// Something in a customer's story.
#[derive(Clone, Debug)]
pub enum TimelineEntry {
    /// A call, a chat, a letter.
    Contact(Box<ContactView>),
    /// A matter.
    Ticket(Box<TicketView>),
}

/// A page of a customer's story.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// In the order asked for.
    pub entries: Vec<TimelineEntry>,
    /// Where to go on; none at the end.
    pub next: Option<TimelinePlace>,
    /// The log position up to which this holds.
    pub position: Position,
    /// Contacts that are known to have been there, whose events were dropped from the log.
    pub dropped: usize,
}

/// Which part of the story.
#[derive(Clone, Copy, Debug)]
pub struct TimelinePage {
    /// The last first.
    pub newest_first: bool,
    /// Behind this entry.
    pub after: Option<TimelinePlace>,
    /// At most so many, and at most [`TIMELINE_PAGE_MAX`].
    pub limit: usize,
}

/// What stands at a place.
enum What {
    Contact,
    Ticket(TicketId),
}

impl Engine {
    /// Whether an agent answers for an open ticket of a customer.
    pub fn answers_for(&self, site: &SiteId, agent: &AgentId, customer: &CustomerId) -> bool {
        let boards = self.boards.state().read();
        boards.site(site).is_some_and(|board| board.tickets.answers_for(agent, customer))
    }

    /// A page of what happened with a customer; that somebody looked, and what for, stands in the log from then on.
    ///
    /// Errors: [`EngineError::NotFound`], [`EngineError::Precondition`] (no access, erased), the log's.
    pub async fn timeline(
        &self,
        site: &SiteId,
        customer: &CustomerId,
        page: TimelinePage,
        (purpose, reader, command_id): (ReasonCode, Reader<'_>, CommandId),
    ) -> Result<Timeline, EngineError> {
        let clock = &self.clock;
        let decide = |file: &CustomerFile| decide_look(file, reader, &[], &purpose, clock.now());
        self.customer_command(site, customer, &decide, reader.name, command_id).await?;
        // A repeat of the command gets it again only while it may be read.
        decide(&self.customer(site, customer)?.file).map_err(crate::commands::refused)?;
        let (mut places, position) = self.places(site, customer);
        let first = self.log.first();
        let known = places.len();
        places.retain(|(at, what)| at.1 >= first || matches!(what, What::Ticket(_)));
        let dropped = known - places.len();
        places.sort_unstable_by_key(|(at, _)| *at);
        if page.newest_first {
            places.sort_unstable_by_key(|(at, _)| Reverse(*at));
        }
        let behind = |at: TimelinePlace| match page.after {
            Some(after) if page.newest_first => at < after,
            Some(after) => at > after,
            None => true,
        };
        let limit = page.limit.clamp(1, TIMELINE_PAGE_MAX);
        let mut left = places.into_iter().filter(|(at, _)| behind(*at));
        let (mut entries, mut last) = (Vec::new(), None);
        for (at, what) in left.by_ref().take(limit) {
            last = Some(at);
            entries.extend(self.entry_at(site, at.1, what).await?);
        }
        let next = left.next().and(last);
        Ok(Timeline { entries, next, position, dropped })
    }

    /// Where everything of a customer begins, and up to where the folds have come.
    fn places(&self, site: &SiteId, customer: &CustomerId) -> (Vec<(TimelinePlace, What)>, Position) {
        let (contacts, figures_at) = {
            let figures = self.figures.state().read();
            (figures.customer_contacts(site, customer), figures.kpi.position())
        };
        let boards = self.boards.state().read();
        let tickets = boards.site(site).map(|board| board.tickets.of_customer(customer)).unwrap_or_default();
        let contacts = contacts.into_iter().map(|at| (at, What::Contact));
        let tickets = tickets.into_iter().map(|(at, opened, ticket)| ((at, opened), What::Ticket(ticket)));
        (contacts.chain(tickets).collect(), figures_at.min(boards.position()))
    }

    async fn entry_at(
        &self,
        site: &SiteId,
        first: Position,
        what: What,
    ) -> Result<Option<TimelineEntry>, EngineError> {
        let contact = match what {
            What::Ticket(ticket) => {
                let view = self.ticket(site, &ticket)?;
                return Ok(Some(TimelineEntry::Ticket(Box::new(view))));
            }
            What::Contact => self.contact_at(first).await?,
        };
        let Some(contact) = contact else { return Ok(None) };
        let view = self.contact(site, &contact).await?;
        Ok(Some(TimelineEntry::Contact(Box::new(view))))
    }

    /// The contact whose event stands at a position; none if it is another stream's.
    async fn contact_at(&self, position: Position) -> Result<Option<ContactId>, EngineError> {
        let Some(frame) = self.log.read(position).await? else { return Ok(None) };
        let mut events = frame.events();
        let event = events.find(|event| event.envelope.position == position);
        let stream =
            event.map(|event| event.envelope.stream).filter(|stream| stream.kind == StreamKind::Contact);
        Ok(stream.and_then(|stream| ContactId::new(stream.id).ok()))
    }
}
