//! What happened to one ticket: every event with who and when, and what became of each of its targets.

use pegcount_domain::{
    deadlines::{Happened, TargetHistory, targets},
    envelope::{Position, StreamName, Version},
    event::Event,
    ids::{Name, SiteId, TicketId},
    ticketing::TicketEvent,
    time::Micros,
};
use pegcount_log::Direction;

use super::{no_ticket, stream};
use crate::{engine::Engine, error::EngineError, recorded::named_event};

/// Events that are read at once.
const READ_EVENTS: usize = 500;
/// The most events of a ticket that are told; of more the first ones, and it is said how many are left out.
const TOLD_EVENTS_MAX: usize = 10_000;

/// An event of a ticket.
#[derive(Clone, Debug)]
pub struct TicketStep {
    /// Where it stands in the log.
    pub position: Position,
    /// The ticket's version after it.
    pub version: Version,
    /// When it happened.
    pub at: Micros,
    /// When it was written.
    pub recorded_at: Micros,
    /// The principal who said it.
    pub by: Name,
    /// What.
    pub event: TicketEvent,
}

/// All that happened to a ticket.
#[derive(Clone, Debug)]
pub struct TicketHistory {
    /// Its events, in order.
    pub steps: Vec<TicketStep>,
    /// Its targets, with what happened to each.
    pub targets: Vec<TargetHistory>,
    /// As of when.
    pub as_of: Micros,
}

impl Engine {
    /// The history of a ticket, as far as the log still has it. Errors: [`EngineError::NotFound`], the log's.
    pub async fn ticket_history(
        &self,
        site: &SiteId,
        ticket: &TicketId,
    ) -> Result<TicketHistory, EngineError> {
        let (stream, end) = (stream(site, ticket), self.log.end());
        let mut steps = Vec::new();
        let mut next = Some(Version(1));
        while let Some(from) = next.filter(|_| steps.len() < TOLD_EVENTS_MAX) {
            let page;
            (page, next) = self.ticket_steps(&stream, from, end).await?;
            steps.extend(page);
        }
        if steps.is_empty() {
            return Err(no_ticket(ticket));
        }
        let as_of = self.clock.now();
        let happened: Vec<_> = steps.iter().cloned().map(TicketStep::happened).collect();
        let boards = self.boards.state().read();
        let targets = boards
            .site(site)
            .map(|board| targets(&happened, board.world.of(&board.definitions), as_of))
            .unwrap_or_default();
        Ok(TicketHistory { steps, targets, as_of })
    }

    /// What happened to a ticket from a version on, as far as `end`: so much as is read at once, and where to go on.
    pub(super) async fn ticket_steps(
        &self,
        stream: &StreamName,
        from: Version,
        end: Position,
    ) -> Result<(Vec<TicketStep>, Option<Version>), EngineError> {
        let page = self.log.read_stream(stream, from, Direction::Forward, READ_EVENTS).await?;
        let mut steps = Vec::new();
        for (frame, event) in page.events().filter(|(_, event)| event.envelope.position <= end) {
            let envelope = &event.envelope;
            let named = named_event(frame, &event)
                .map_err(|source| EngineError::Decode { position: envelope.position.0, source })?;
            let (Event::Ticket(event), Ok(by)) = (named, Name::new(envelope.actor)) else { continue };
            steps.push(TicketStep {
                position: envelope.position,
                version: envelope.version,
                at: envelope.occurred_at,
                recorded_at: envelope.recorded_at,
                by,
                event,
            });
        }
        Ok((steps, page.next))
    }
}

impl TicketStep {
    /// As the rules of deadlines take it.
    pub(super) fn happened(self) -> Happened {
        Happened { at: self.at, by: self.by, event: self.event }
    }
}
