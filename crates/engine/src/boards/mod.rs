//! Agents, contacts, tickets, customers' files and definitions as they are now: what commands are decided against and reads answer from.
//!
//! One fold over the whole log, with texts as names. Not for figures: those come from the KPI fold. Invariant: the
//! boards say what the log says up to `position`, and nothing of their own.

mod agents;
mod contacts;
mod customers;
mod history;
mod kept;
mod sources;
mod tickets;
mod world;

use std::collections::VecDeque;

use pegcount_domain::{
    agent::{ReservedReasons, SitePolicies},
    definitions::Definitions,
    envelope::{Position, StreamKind, StreamName, Version},
    event::Event,
    formula::FormulaDefinition,
    ids::{AgentId, CommandId, ContactId, CustomerId, Name, QueueId, SiteId, SourceId, TicketId},
    time::Micros,
    working::CalendarChange,
};
use pegcount_log::{Frame, FrameEvent};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

pub use agents::{AgentView, MarkedFact};
pub(crate) use contacts::ContactEntry;
pub use contacts::{ContactView, MarkedContactFact};
pub use customers::CustomerView;
pub(crate) use tickets::{Entry, TicketDuty, Watched};
pub use tickets::{TicketCursor, TicketFilter, TicketOrder, TicketView};

use crate::{definitions::Defined, follow::Fold, options::COMMAND_MEMORY, recorded::named_event};
use agents::AgentEntry;
use contacts::Contacts;
use customers::Customers;
use sources::SourceBook;
use tickets::Tickets;
pub use world::STANDARD;
use world::SiteWorld;
pub(crate) use world::making;

/// A command that has been carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done {
    /// Its event.
    pub(crate) position: Position,
    /// The stream's version after it.
    pub(crate) version: Version,
    /// It waits for the present contact to be over.
    pub(crate) pending: bool,
    /// What it was carried out on.
    pub(crate) stream: StreamName,
}

/// An agent who is signed in by a softphone of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OnSoftphone {
    pub(crate) site: SiteId,
    pub(crate) agent: AgentId,
    /// The event of a connection lost, and the last sign of life before it, if it is lost.
    pub(crate) lost: Option<(Position, Micros)>,
}

/// What one site has.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct SiteBoard {
    pub(crate) definitions: Definitions<Name>,
    agents: FxHashMap<AgentId, Box<AgentEntry>>,
    pub(crate) contacts: Contacts,
    pub(crate) tickets: Tickets,
    /// Made of the definitions when it is needed.
    #[serde(skip)]
    pub(crate) world: SiteWorld,
    pub(crate) customers: Customers,
    queues_seen: FxHashSet<QueueId>,
}

/// The boards of all sites.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Boards {
    sites: FxHashMap<SiteId, SiteBoard>,
    sources: SourceBook,
    commands: FxHashMap<CommandId, Done>,
    commands_by_age: VecDeque<(Micros, CommandId)>,
    #[serde(skip)]
    reserved: ReservedReasons,
    position: Position,
}

impl Fold for Boards {
    const NAME: &'static str = "boards";

    fn apply(&mut self, frame: &Frame) {
        for event in frame.events() {
            match named_event(frame, &event) {
                Ok(named) => self.take(&event, &named),
                Err(error) => {
                    tracing::error!(position = event.envelope.position.0, %error, "left out of the boards");
                }
            }
        }
        self.position = frame.last();
    }
}

impl Boards {
    fn take(&mut self, frame_event: &FrameEvent<'_>, event: &Event) {
        let envelope = &frame_event.envelope;
        let (Ok(site), Ok(id)) = (SiteId::new(envelope.stream.site), Name::new(envelope.stream.id)) else {
            return;
        };
        if let Some(command) = envelope.command_id {
            let done = Done {
                position: envelope.position,
                version: envelope.version,
                pending: matches!(event, Event::NextSet { .. }),
                stream: StreamName { site: site.0.clone(), kind: envelope.stream.kind, id: id.clone() },
            };
            self.remember(command, done, envelope.recorded_at);
        }
        if envelope.source_seq.is_some() {
            self.sources.note(&site, envelope);
        }
        let board = self.sites.entry(site).or_default();
        match envelope.stream.kind {
            StreamKind::Agent => {
                board.see_queue(event);
                board.agent_event(AgentId(id), frame_event, event, true, &self.reserved);
            }
            StreamKind::Contact => {
                board.see_queue(event);
                if let Event::Leg { leg, .. } = event
                    && let Some(agent) = &leg.agent
                {
                    board.agent_event(agent.clone(), frame_event, event, false, &self.reserved);
                }
                board.contacts.insert(ContactId(id), envelope, event);
            }
            StreamKind::Ticket => {
                if let Event::Ticket(event) = event {
                    let world = board.world.of(&board.definitions);
                    board.tickets.insert(TicketId(id), envelope, event, world);
                }
            }
            StreamKind::Definition => board.define(event, envelope.occurred_at),
            StreamKind::Customer => {
                if let Event::Customer(event) = event {
                    board.customers.insert(CustomerId(id), envelope, event);
                }
            }
            StreamKind::Quarantine => {}
        }
    }

    fn remember(&mut self, command: CommandId, done: Done, recorded_at: Micros) {
        if self.commands.insert(command, done).is_none() {
            self.commands_by_age.push_back((recorded_at, command));
        }
        while let Some((at, oldest)) = self.commands_by_age.front().copied()
            && recorded_at.minus(at) > COMMAND_MEMORY
        {
            self.commands_by_age.pop_front();
            self.commands.remove(&oldest);
        }
    }

    pub(crate) fn carried_out(&self, command: CommandId) -> Option<Done> {
        self.commands.get(&command).cloned()
    }

    pub(crate) fn position(&self) -> Position {
        self.position
    }

    pub(crate) fn site(&self, site: &SiteId) -> Option<&SiteBoard> {
        self.sites.get(site)
    }

    /// All sites that any event has named.
    pub(crate) fn sites(&self) -> Vec<SiteId> {
        let mut sites: Vec<_> = self.sites.keys().cloned().collect();
        sites.sort();
        sites
    }

    /// What has come due for tickets by `now`, for at most `limit` of them.
    pub(crate) fn ticket_duties(&self, now: Micros, limit: usize) -> Vec<(SiteId, TicketDuty)> {
        let mut found = Vec::new();
        for (site, board) in &self.sites {
            let world = board.world.of(&board.definitions);
            let duties = board.tickets.duties(now, world, limit.saturating_sub(found.len()));
            found.extend(duties.into_iter().map(|duty| (site.clone(), duty)));
        }
        found
    }

    /// When something comes due for a ticket next.
    pub(crate) fn next_ticket_duty(&self) -> Option<Micros> {
        self.sites.values().filter_map(|board| board.tickets.next_duty()).min()
    }

    /// The customers of all sites who were erased, and when.
    pub(crate) fn erased_customers(&self) -> impl Iterator<Item = (CustomerId, Micros)> {
        let erased = self.sites.values().flat_map(|board| board.customers.erased());
        erased.filter_map(|(customer, file)| Some((customer.clone(), file.erased.as_ref()?.0)))
    }

    /// The principal whose source this is, if it has written anything.
    pub(crate) fn owner_of_source(&self, site: &SiteId, source: &SourceId) -> Option<Name> {
        self.sources.owner(site, source)
    }

    /// The agents that are signed in by a softphone of their own.
    pub(crate) fn on_softphones(&self, now: Micros) -> Vec<OnSoftphone> {
        let softphones = self.sources.softphones();
        let present = softphones.filter_map(|(site, agent)| {
            let entry = self.sites.get(site)?.agents.get(agent)?;
            entry.state_at(now).standing()?;
            Some(OnSoftphone { site: site.clone(), agent: agent.clone(), lost: entry.lost })
        });
        present.collect()
    }

    /// Those of `events` that are not in force exactly so already.
    pub(crate) fn new_definitions(&self, site: &SiteId, events: &[Event]) -> Vec<Event> {
        let known = self.sites.get(site).map(|board| &board.definitions);
        let stands = |event: &Event| known.is_some_and(|known| known.holds(event));
        events.iter().filter(|event| !stands(event)).cloned().collect()
    }

    /// What a formula version's number means at a site; none: it has not been defined.
    pub(crate) fn formula(&self, site: &SiteId, number: u8) -> Option<FormulaDefinition> {
        match self.sites.get(site) {
            Some(board) => board.definitions.formula(number),
            None => Definitions::<Name>::new().formula(number),
        }
    }

    pub(crate) fn defined(&self, site: &SiteId) -> Defined {
        let Some(board) = self.sites.get(site) else { return Defined::default() };
        let known = &board.definitions;
        let agents = board.agents.keys().filter(|agent| !known.knows_agent(agent));
        let queues = board.queues_seen.iter().filter(|queue| !known.knows_queue(queue));
        let mut defined = Defined {
            queues: known.queues().cloned().collect(),
            reasons: known.reasons().cloned().collect(),
            agents: known.agents().cloned().collect(),
            teams: known.teams().cloned().collect(),
            targets: known.targets().cloned().collect(),
            calendars: known.calendars().cloned().collect(),
            formulas: known.formulas().cloned().collect(),
            sites: known.sites().cloned().collect(),
            allowances: known.allowances().cloned().collect(),
            authorities: known.authorities().cloned().collect(),
            kinds: known.kinds().cloned().collect(),
            policies: known.policies().cloned().collect(),
            calendar_changes: known.calendar_changes().cloned().collect(),
            undeclared_agents: agents.map(|agent| agent.0.clone()).collect(),
            undeclared_queues: queues.map(|queue| queue.0.clone()).collect(),
        };
        defined.queues.sort_by(|a, b| (&a.queue, a.valid_from).cmp(&(&b.queue, b.valid_from)));
        defined.reasons.sort_by(|a, b| (&a.reason, a.valid_from).cmp(&(&b.reason, b.valid_from)));
        defined.agents.sort_by(|a, b| (&a.agent, a.valid_from).cmp(&(&b.agent, b.valid_from)));
        defined.teams.sort_by(|a, b| (&a.team, a.valid_from).cmp(&(&b.team, b.valid_from)));
        defined.targets.sort_by(|a, b| (&a.target, a.valid_from).cmp(&(&b.target, b.valid_from)));
        defined.calendars.sort_by(|a, b| (&a.calendar, a.valid_from).cmp(&(&b.calendar, b.valid_from)));
        defined.allowances.sort_by(|a, b| (&a.team, a.valid_from).cmp(&(&b.team, b.valid_from)));
        defined.kinds.sort_by(|a, b| (&a.kind, a.valid_from).cmp(&(&b.kind, b.valid_from)));
        let changed = |one: &CalendarChange| (one.calendar.clone(), one.change.date, one.change.valid_from);
        defined.calendar_changes.sort_by_key(changed);
        defined.undeclared_agents.sort();
        defined.undeclared_queues.sort();
        defined
    }
}

impl SiteBoard {
    fn define(&mut self, event: &Event, at: Micros) {
        if self.definitions.apply(event) && SiteWorld::is_made_of(event) {
            self.world = SiteWorld::default();
            self.tickets.refresh(at, self.world.of(&self.definitions));
        }
    }

    fn see_queue(&mut self, event: &Event) {
        let queue = match event {
            Event::QueueEntered { queue, .. } => Some(queue),
            Event::Leg { leg, .. } => leg.queue.as_ref(),
            _ => None,
        };
        if let Some(queue) = queue
            && !self.queues_seen.contains(queue)
        {
            self.queues_seen.insert(queue.clone());
        }
    }

    /// An event of the agent's own stream (then it counts in the version), or a leg's step told by the exchange.
    fn agent_event(
        &mut self,
        agent: AgentId,
        frame_event: &FrameEvent<'_>,
        event: &Event,
        own_stream: bool,
        reserved: &ReservedReasons,
    ) {
        let policies = SitePolicies { definitions: &self.definitions, reserved };
        let entry = self.agents.entry(agent.clone()).or_insert_with(|| Box::new(AgentEntry::new(agent)));
        let envelope = &frame_event.envelope;
        if own_stream {
            entry.version = envelope.version;
        }
        entry.insert(envelope.position, envelope.occurred_at, envelope.source_seq, event, &policies);
    }

    /// One agent at `now`.
    pub(crate) fn agent(
        &self,
        site: &SiteId,
        agent: &AgentId,
        now: Micros,
        position: Position,
    ) -> Option<AgentView> {
        let entry = self.agents.get(agent)?;
        Some(AgentView {
            site: site.clone(),
            team: self.definitions.team_at(agent, now),
            state: entry.state_at(now),
            version: entry.version,
            anomalies: entry.anomalies(),
            position,
        })
    }

    /// All agents at `now`, in the order of their ids.
    pub(crate) fn agents(&self, site: &SiteId, now: Micros, position: Position) -> Vec<AgentView> {
        let mut ids: Vec<_> = self.agents.keys().collect();
        ids.sort();
        ids.into_iter().filter_map(|agent| self.agent(site, agent, now, position)).collect()
    }
}
