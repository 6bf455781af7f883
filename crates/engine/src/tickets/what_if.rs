//! "What if": tickets' past under deadline policies that are tried, beside what really was.
//!
//! The board says which tickets were opened in a range, some thousand places at a time; the history of each is read from the log and
//! goes through [`Replay`]. So it needs the memory of a few tickets, however many the range has, and holds nobody up for long. Not for
//! writing: nothing of it gets into the log.
//!
//! Invariant: all of it is as of one instant and one position, those at which it began.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use pegcount_domain::{
    deadlines::{Compared, Fate, Replay, World},
    definitions::Definitions,
    envelope::{Position, Version},
    event::Event,
    ids::{AgentId, SiteId, TicketId},
    ticketing::TargetKind,
    time::{Micros, Span},
};

use super::{
    stream as stream_of,
    trying::{checked, tried},
};
use crate::{boards::making, engine::Engine, error::EngineError};

/// So many places of the board are looked at in one go.
const PLACES_AT_ONCE: usize = 4_096;
/// So many tickets are replayed in one step.
const TICKETS_AT_ONCE: usize = 256;
/// So many histories are read side by side.
const READ_AT_ONCE: usize = 4;
/// So many replays read at the same time; others wait for their next step.
pub(crate) const REPLAYS_AT_ONCE: usize = 2;
/// The most activations of one ticket that are told; of more the first ones. All of them are counted.
pub const REPLAYED_ROWS_MAX: usize = 100;

/// What is tried on which tickets.
#[derive(Clone, Debug)]
pub struct WhatIf {
    /// The site.
    pub site: SiteId,
    /// When the tickets were opened.
    pub opened: Span,
    /// Definitions: one set of policies, and calendars and their changes if it counts by others than those that are defined. All of
    /// it is taken as if it had been in force since ever, or since when the calendars say.
    pub tried: Vec<Event>,
    /// Only tickets that this agent may see.
    pub visible_to: Option<AgentId>,
}

/// How many activations of a target ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it; see `Fate`")]
pub struct Fates {
    pub met: u64,
    pub breached: u64,
    pub running: u64,
    pub withdrawn: u64,
    pub unreckonable: u64,
}

/// A target over all tickets that were replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayedTarget {
    /// Which.
    pub target: TargetKind,
    /// What really was.
    pub was: Fates,
    /// What would have been.
    pub would: Fates,
    /// Breached really, and not in what was tried.
    pub spared: u64,
    /// The other way round.
    pub struck: u64,
}

/// A ticket of which a target would have ended otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayedTicket {
    /// Which.
    pub ticket: TicketId,
    /// When it was opened.
    pub opened_at: Micros,
    /// What would have ended otherwise, by target; at most [`REPLAYED_ROWS_MAX`].
    pub rows: Vec<Compared>,
}

/// A part of what comes of it.
#[derive(Clone, Debug, Default)]
pub struct ReplayStep {
    /// Those that differ, in the order in which they were opened.
    pub tickets: Vec<ReplayedTicket>,
    /// Places of the board that have been looked at.
    pub looked: u64,
    /// Of so many.
    pub of: u64,
}

/// A replay that goes on step by step.
pub struct TicketReplay {
    engine: Arc<Engine>,
    what_if: WhatIf,
    world: World,
    tried: World,
    next_place: usize,
    places: usize,
    /// The log's end when it began.
    pub position: Position,
    /// The instant as of which all of it holds.
    pub as_of: Micros,
    /// How many tickets have been replayed.
    pub replayed: u64,
    /// How many would have ended otherwise.
    pub differing: u64,
    targets: Vec<ReplayedTarget>,
}

impl Engine {
    /// Begins a replay. Errors: [`EngineError::Invalid`] for an empty range, and for what cannot be tried.
    pub async fn replay_tickets(self: &Arc<Self>, what_if: WhatIf) -> Result<TicketReplay, EngineError> {
        let Span { start, end } = what_if.opened;
        if start >= end {
            let reason = format!("is {end}, which is not after from_us, {start}; give a later one");
            return Err(EngineError::invalid("to_us", reason));
        }
        let policies = checked(&what_if.tried)?.clone();
        let position = self.log.end();
        self.caught_up(position).await?;
        let as_of = self.clock.now();
        let boards = self.boards.state().read();
        let (none, board) = (Definitions::default(), boards.site(&what_if.site));
        let definitions = board.map_or(&none, |board| &board.definitions);
        let (world, _) = making(definitions).world();
        let tried = tried(definitions, &what_if.tried, &policies)?;
        let places = board.map_or(0, |board| board.tickets.len());
        drop(boards);
        Ok(TicketReplay {
            engine: Arc::clone(self),
            what_if,
            world,
            tried,
            next_place: 0,
            places,
            position,
            as_of,
            replayed: 0,
            differing: 0,
            targets: Vec::new(),
        })
    }
}

impl TicketReplay {
    /// The next part; none at the end. Errors: the log's.
    pub async fn next(&mut self) -> Result<Option<ReplayStep>, EngineError> {
        if self.next_place >= self.places {
            return Ok(None);
        }
        let Ok(_turn) = self.engine.replaying.clone().acquire_owned().await else { return Ok(None) };
        let wanted = self.wanted();
        let (engine, site) = (Arc::clone(&self.engine), self.what_if.site.clone());
        let (world, tried, end, as_of) = (&self.world, &self.tried, self.position, self.as_of);
        let replays = stream::iter(wanted).map(|(ticket, opened_at)| {
            let (engine, site) = (&engine, &site);
            async move {
                let rows = engine.replay(site, &ticket, (world, tried), end, as_of).await?;
                Ok::<_, EngineError>((ticket, opened_at, rows))
            }
        });
        let mut replays = replays.buffered(READ_AT_ONCE);
        let mut tickets = Vec::new();
        let (mut replayed, mut targets) = (self.replayed, std::mem::take(&mut self.targets));
        while let Some(done) = replays.next().await {
            let (ticket, opened_at, rows) = done?;
            let Some(mut rows) = rows else { continue };
            replayed += 1;
            for row in &rows {
                count(&mut targets, row);
            }
            rows.retain(Compared::differs);
            rows.truncate(REPLAYED_ROWS_MAX);
            if !rows.is_empty() {
                tickets.push(ReplayedTicket { ticket, opened_at, rows });
            }
        }
        drop(replays);
        (self.replayed, self.targets) = (replayed, targets);
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        self.differing += number(tickets.len());
        Ok(Some(ReplayStep { tickets, looked: number(self.next_place), of: number(self.places) }))
    }

    /// What became of each target of those that were replayed so far, by target.
    pub fn targets(&self) -> &[ReplayedTarget] {
        &self.targets
    }

    /// The next tickets of the range, with when each was opened.
    fn wanted(&mut self) -> Vec<(TicketId, Micros)> {
        let boards = self.engine.boards.state().read();
        let Some(board) = boards.site(&self.what_if.site) else { return Vec::new() };
        let until = self.places.min(self.next_place.saturating_add(PLACES_AT_ONCE));
        let mut wanted = Vec::new();
        while self.next_place < until && wanted.len() < TICKETS_AT_ONCE {
            let opened = board.tickets.opened_at(self.next_place);
            self.next_place += 1;
            let Some((ticket, opened_at)) = opened else { continue };
            let range = self.what_if.opened;
            let is_visible =
                self.what_if.visible_to.as_ref().is_none_or(|agent| board.tickets.is_visible(ticket, agent));
            if range.start <= opened_at && opened_at < range.end && is_visible {
                wanted.push((ticket.clone(), opened_at));
            }
        }
        wanted
    }
}

impl Engine {
    /// One ticket's targets in two worlds; none if the log has not got its beginning any more.
    async fn replay(
        &self,
        site: &SiteId,
        ticket: &TicketId,
        (world, tried): (&World, &World),
        end: Position,
        as_of: Micros,
    ) -> Result<Option<Vec<Compared>>, EngineError> {
        let stream = stream_of(site, ticket);
        let mut replay = None;
        let mut next = Some(Version(1));
        while let Some(from) = next {
            let steps;
            (steps, next) = self.ticket_steps(&stream, from, end).await?;
            for step in steps.into_iter().filter(|step| step.at <= as_of) {
                match &mut replay {
                    None => replay = Replay::open(&step.happened(), world, tried),
                    Some(replay) => replay.apply(&step.happened()),
                }
                if replay.is_none() {
                    return Ok(None);
                }
            }
        }
        Ok(replay.map(|replay| replay.finish(as_of)))
    }
}

fn count(targets: &mut Vec<ReplayedTarget>, row: &Compared) {
    let place = targets.binary_search_by_key(&row.target.code(), |known| known.target.code());
    let place = place.unwrap_or_else(|place| {
        let (was, would) = (Fates::default(), Fates::default());
        targets.insert(place, ReplayedTarget { target: row.target, was, would, spared: 0, struck: 0 });
        place
    });
    let Some(known) = targets.get_mut(place) else { return };
    let (was, would) = (row.was.map(|course| course.fate), row.would.map(|course| course.fate));
    known.was.add(was);
    known.would.add(would);
    known.spared += u64::from(was == Some(Fate::Breached) && would != Some(Fate::Breached));
    known.struck += u64::from(was != Some(Fate::Breached) && would == Some(Fate::Breached));
}

impl Fates {
    fn add(&mut self, fate: Option<Fate>) {
        let count = match fate {
            Some(Fate::Met) => &mut self.met,
            Some(Fate::Breached) => &mut self.breached,
            Some(Fate::Running) => &mut self.running,
            Some(Fate::Withdrawn) => &mut self.withdrawn,
            Some(Fate::Unreckonable) => &mut self.unreckonable,
            None => return,
        };
        *count += 1;
    }
}
