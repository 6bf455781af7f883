//! One site: whose fact it is, and what corrections make of it.
//!
//! A leg's report belongs to the agent whom it names; one that names none to the agent whom the leg's earliest report
//! names that names one, and else to nobody (KPIS.md §3). Invariant: every report of a leg stands in its contact, and in
//! the history of at most one agent.

use std::collections::BTreeMap;

use pegcount_domain::{
    definitions::Definitions,
    envelope::{Position, Recorded, StreamKind, StreamName},
    event::{Event, Intent, LegRef, Party},
    ids::Key,
    time::{Interval, Micros},
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    agent::{AgentFact, Said as AgentSaid, Start},
    compare::Kind,
    contact::{Contact, LegReport, Said as ContactSaid},
    counts::Counts,
    leg::{Field, Word},
    rank::{self, Rank, leg_mark, mark},
};

/// For doubts that concern all that there is.
const EVER: Micros = Micros(i64::MIN);

/// One agent's last days.
#[derive(Debug, Default)]
pub(crate) struct Agent {
    /// What is known before the first of its facts.
    pub(crate) start: Start,
    /// The last of those that were let go of.
    pub(crate) settled_to: Option<Rank>,
    /// In order.
    pub(crate) facts: Vec<AgentFact>,
    /// Legs that were let go of last.
    pub(crate) let_go: Vec<u64>,
}

/// One site.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) definitions: Definitions<Key>,
    /// In the order of their keys, so that whoever goes through them does so in the same order everywhere.
    pub(crate) agents: BTreeMap<Key, Agent>,
    pub(crate) contacts: BTreeMap<Key, Contact>,
    /// History before this instant is closed: facts from before change nothing.
    pub(crate) closed_before: Micros,
    /// What has been let go of, counted.
    pub(crate) settled: Counts<Key>,
    /// Facts up to here have been let go of where nothing went on any more.
    pub(crate) horizon: Micros,
    /// Contacts that were let go of last.
    pub(crate) gone: FxHashSet<Key>,
    /// From when on an agent's time, or (none) all queues, cannot be counted exactly any more.
    pub(crate) doubts: FxHashMap<Option<Key>, Micros>,
    /// The same for all agents.
    pub(crate) all_agents: Option<Micros>,
    /// Contacts that doubts are about.
    pub(crate) doubtful: FxHashSet<Key>,
    pub(crate) latest: Micros,
    pub(crate) facts: usize,
    /// The last event that concerned it.
    pub(crate) position: Position,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            definitions: Definitions::new(),
            agents: BTreeMap::new(),
            contacts: BTreeMap::new(),
            closed_before: Micros(i64::MIN),
            settled: Counts::default(),
            horizon: Micros(i64::MIN),
            gone: FxHashSet::default(),
            doubts: FxHashMap::default(),
            all_agents: None,
            doubtful: FxHashSet::default(),
            latest: Micros(i64::MIN),
            facts: 0,
            position: Position::START,
        }
    }
}

impl Site {
    pub(crate) fn apply(&mut self, recorded: &Recorded) {
        self.position = recorded.position;
        let stream = recorded.stream;
        match &recorded.event {
            Event::Annulled { target, .. } => {
                self.remove(stream, Position(*target));
            }
            Event::Amended { target, occurred_at, event, .. } => {
                if let Some(rank) = self.remove(stream, Position(*target)) {
                    let at = in_force(event, *occurred_at);
                    self.take(stream, rank.moved_to(at), event);
                }
            }
            Event::HistoryClosed { before } => self.close(*before),
            event @ (Event::QueueDefined(_)
            | Event::AgentDefined(_)
            | Event::ReasonDefined(_)
            | Event::AuthorityDefined(_)) => {
                self.define(event);
            }
            event => {
                let rank = Rank::of(recorded, in_force(event, recorded.occurred_at));
                self.take(stream, rank, event);
            }
        }
    }

    fn define(&mut self, event: &Event<Key>) {
        if !self.definitions.apply(event) {
            return;
        }
        // After-call work may have gone otherwise, or others are believed.
        let changed_from = match event {
            Event::QueueDefined(queue) => queue.valid_from,
            Event::AuthorityDefined(authority) => authority.valid_from,
            _ => return,
        };
        if changed_from < self.horizon {
            self.doubt_all_agents(changed_from);
        }
    }

    fn take(&mut self, stream: StreamName<Key>, rank: Rank, event: &Event<Key>) {
        if rank.at < self.closed_before {
            return;
        }
        self.latest = self.latest.max(rank.at);
        if let Some(said) = said_of_agent(event).filter(|_| stream.kind == StreamKind::Agent) {
            return self.tell_agent(stream.id, AgentFact { rank, said });
        }
        match event {
            Event::Leg { leg, step } => {
                let named = match stream.kind {
                    StreamKind::Agent => Some(stream.id),
                    _ => leg.agent.map(|agent| agent.0),
                };
                self.hear(rank, leg, named, Field::of(step), Word::of(step));
            }
            Event::OutboundAssigned { contact, leg } => {
                let named = (stream.kind == StreamKind::Agent).then_some(stream.id);
                let (contact, leg) = (*contact, *leg);
                let (agent, visit, queue, channel, direction) = (None, None, None, None, None);
                let leg = LegRef { contact, leg, agent, visit, queue, channel, direction };
                self.hear(rank, &leg, named, Field::ASSIGNED, Word::Beside);
            }
            event => {
                if let Some(said) = said_of_contact(event) {
                    self.meet(stream.id, rank.at);
                    self.facts += 1;
                    self.contacts.entry(stream.id).or_default().tell(rank, said);
                }
            }
        }
    }

    fn tell_agent(&mut self, key: Key, fact: AgentFact) {
        let agent = self.agents.entry(key).or_default();
        let is_late = agent.settled_to.is_some_and(|last| fact.rank < last);
        let is_gone = fact.leg().is_some_and(|leg| agent.let_go.contains(&leg));
        if !is_gone {
            rank::insert(&mut agent.facts, fact, |fact| fact.rank);
            self.facts += 1;
        }
        if is_gone {
            // Who is believed may have changed for the whole leg.
            self.doubt(Some(key), EVER);
        } else if is_late {
            self.doubt(Some(key), fact.rank.at);
        }
    }

    /// A report of a leg.
    fn hear(&mut self, rank: Rank, leg: &LegRef<Key>, names: Option<Key>, field: Field, word: Word) {
        let key = leg.contact.0;
        // Who is believed may have changed for the whole leg, which may be anybody's.
        if self.meet(key, EVER) && names.is_none() {
            self.doubt_all_agents(EVER);
        }
        let report = LegReport {
            rank,
            leg: leg_mark(key, leg.leg.0),
            names,
            placed: None,
            visit: leg.visit.map(|visit| mark(visit.0)),
            queue: leg.queue.map(|queue| queue.0),
            field,
            word,
        };
        self.facts += 1;
        self.contacts.entry(key).or_default().hear(report);
        self.place(key, report.leg);
    }

    /// Puts the reports of a leg into the histories of those whose they are.
    fn place(&mut self, key: Key, leg: u64) {
        let Some(contact) = self.contacts.get_mut(&key) else { return };
        let home = contact.home(leg);
        let mut moves: Vec<(LegReport, Option<Key>)> = Vec::new();
        for report in contact.reports.iter_mut().filter(|report| report.leg == leg) {
            let whose = report.names.or(home);
            if report.placed != whose {
                moves.push((*report, whose));
                report.placed = whose;
            }
        }
        for (report, whose) in moves {
            if let Some(before) = report.placed {
                self.take_back(before, report.rank);
            }
            if let Some(agent) = whose {
                let LegReport { rank, leg: mark, queue, field, word, .. } = report;
                let said = AgentSaid::Leg { contact: key, mark, queue, field, word };
                self.tell_agent(agent, AgentFact { rank, said });
            }
        }
    }

    fn take_back(&mut self, key: Key, rank: Rank) -> Option<AgentFact> {
        let agent = self.agents.get_mut(&key)?;
        let Some(place) = agent.facts.iter().rposition(|fact| fact.rank.position == rank.position) else {
            self.doubt(Some(key), EVER);
            return None;
        };
        self.facts -= 1;
        Some(agent.facts.remove(place))
    }

    /// A fact never happened. Gives where it stood.
    fn remove(&mut self, stream: StreamName<Key>, target: Position) -> Option<Rank> {
        let is_it = |rank: Rank| rank.position == target;
        let contact = match stream.kind {
            StreamKind::Agent => {
                let agent = self.agents.get_mut(&stream.id)?;
                let Some(place) = agent.facts.iter().rposition(|fact| is_it(fact.rank)) else {
                    self.may_be_let_go(stream);
                    return None;
                };
                match agent.facts.get(place).map(|fact| (fact.rank, fact.said)) {
                    Some((_, AgentSaid::Leg { contact, .. })) => contact,
                    found => {
                        agent.facts.remove(place);
                        self.facts -= 1;
                        return found.map(|(rank, _)| rank);
                    }
                }
            }
            StreamKind::Contact => stream.id,
            _ => return None,
        };
        let Some(known) = self.contacts.get_mut(&contact) else {
            self.may_be_let_go(stream);
            self.may_be_let_go(StreamName { kind: StreamKind::Contact, id: contact, ..stream });
            return None;
        };
        if let Some(place) = known.facts.iter().rposition(|(rank, _)| is_it(*rank)) {
            self.facts -= 1;
            return Some(known.facts.remove(place).0);
        }
        let place = known.reports.iter().rposition(|report| is_it(report.rank))?;
        let report = known.reports.remove(place);
        self.facts -= 1;
        if let Some(agent) = report.placed {
            self.take_back(agent, report.rank);
        }
        self.place(contact, report.leg);
        Some(report.rank)
    }

    /// A correction of something that is not there: of nothing, or of what was let go of.
    fn may_be_let_go(&mut self, stream: StreamName<Key>) {
        match stream.kind {
            StreamKind::Agent if self.horizon > Micros(i64::MIN) => {
                self.doubt(Some(stream.id), EVER);
            }
            StreamKind::Contact if self.gone.contains(&stream.id) => {
                // It may have been a report of anybody's leg, and be one of another's now.
                self.doubtful.insert(stream.id);
                self.doubt(None, EVER);
                self.doubt_all_agents(EVER);
            }
            _ => {}
        }
    }

    /// A fact of a contact comes. True if that contact has been let go of.
    fn meet(&mut self, contact: Key, from: Micros) -> bool {
        let is_gone = self.gone.contains(&contact);
        if is_gone {
            self.doubtful.insert(contact);
            self.doubt(None, from);
        }
        is_gone
    }

    /// The instant of the first fact that is kept.
    pub(crate) fn oldest(&self) -> Micros {
        let of_agents = self.agents.values().filter_map(|agent| agent.facts.first()).map(|fact| fact.rank.at);
        let of_contacts = self.contacts.values().filter_map(Contact::first_at);
        of_agents.chain(of_contacts).min().unwrap_or(self.latest)
    }

    /// The instant of the first kept fact from `from` on.
    pub(crate) fn next_at(&self, from: Micros) -> Option<Micros> {
        let of_agents = self.agents.values().filter_map(|agent| {
            let place = agent.facts.partition_point(|fact| fact.rank.at < from);
            agent.facts.get(place).map(|fact| fact.rank.at)
        });
        let of_contacts = self.contacts.values().flat_map(|contact| &contact.facts).map(|(rank, _)| rank.at);
        of_agents.chain(of_contacts.filter(|at| *at >= from)).min()
    }

    /// The kept facts that a number of a queue or an agent in an interval is about, by position.
    pub(crate) fn behind(&self, kind: Kind, who: Option<Key>, interval: Interval) -> Vec<Position> {
        let is_in = |rank: &Rank| Interval::containing(rank.at) == interval;
        let mut positions: Vec<Position> = if kind.is_of_agent() {
            let facts = who.and_then(|who| self.agents.get(&who)).map_or(&[][..], |agent| &agent.facts);
            facts.iter().map(|fact| fact.rank).filter(is_in).map(|rank| rank.position).collect()
        } else {
            let has =
                |contact: &&Contact| contact.visits(&self.definitions).iter().any(|visit| visit.queue == who);
            let near = |contact: &&Contact| contact.facts.iter().any(|(rank, _)| is_in(rank));
            let contacts = self.contacts.values().filter(near).filter(has);
            let facts = contacts.flat_map(|contact| contact.facts.iter().map(|(rank, _)| *rank));
            facts.filter(is_in).map(|rank| rank.position).collect()
        };
        positions.sort_unstable();
        positions
    }

    pub(crate) fn doubt(&mut self, who: Option<Key>, from: Micros) {
        self.doubts.entry(who).and_modify(|known| *known = from.min(*known)).or_insert(from);
    }

    fn doubt_all_agents(&mut self, from: Micros) {
        self.all_agents = Some(self.all_agents.map_or(from, |known| from.min(known)));
    }

    /// Facts from before do not count any more, and nothing looks back to contacts that were over.
    fn close(&mut self, before: Micros) {
        if before <= self.closed_before {
            return;
        }
        self.closed_before = before;
        let is_kept =
            |contact: &Contact| !contact.is_over() || contact.last_at().is_none_or(|at| at >= before);
        self.settle_contacts(&FxHashSet::default(), |contact, _| !is_kept(contact));
    }
}

/// A lost connection is in force from the last sign of life on.
fn in_force(event: &Event<Key>, at: Micros) -> Micros {
    match event {
        Event::ConnectionLost { last_heard } => at.min(*last_heard),
        _ => at,
    }
}

fn said_of_agent(event: &Event<Key>) -> Option<AgentSaid> {
    Some(match event {
        Event::SignedIn => AgentSaid::SignedIn,
        Event::SignedOut => AgentSaid::SignedOut,
        Event::StateSet { intent: Intent::SignedOut, .. } => AgentSaid::ForcedOut,
        Event::NextSet { intent: Intent::SignedOut, .. } => AgentSaid::OutNext,
        Event::Ready | Event::NotReady { .. } | Event::StateSet { .. } | Event::NextSet { .. } => {
            AgentSaid::Stand
        }
        Event::ConnectionLost { .. } => AgentSaid::Lost,
        Event::ConnectionRestored => AgentSaid::Back,
        _ => return None,
    })
}

fn said_of_contact(event: &Event<Key>) -> Option<ContactSaid> {
    Some(match event {
        Event::QueueEntered { visit, queue, .. } => {
            ContactSaid::Entered { visit: mark(visit.0), queue: queue.0 }
        }
        Event::QueueLeft { visit, exit, .. } => ContactSaid::Left { visit: mark(visit.0), exit: *exit },
        Event::ContactEnded { by, .. } => ContactSaid::Ended { by_customer: *by == Some(Party::Customer) },
        _ => return None,
    })
}
