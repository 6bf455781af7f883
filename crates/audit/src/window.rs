//! What is let go of: facts from before a horizon, where nothing went on any more. Their numbers stay as long as somebody
//! may ask for them.
//!
//! A late fact about something that was let go of puts its agent's time, or the site's visits, in doubt from then on: they
//! are left out until the log has been read again. Invariant: what is let go of has been counted before.

use pegcount_domain::{
    definitions::Definitions,
    event::QueueExit,
    ids::Key,
    time::{Interval, Micros, Span},
};
use rustc_hash::FxHashSet;

use crate::{
    agent::{Time, Told, walk},
    contact::{Contact, Visit},
    counts::{
        ABANDONED, ANSWERED, CALLBACK, Counts, ENDED, LOST, OCCUPIED, OFFERED, OTHERS, SIGN_INS, SIGNED_IN,
        UNSIGNED, WAITING, add,
    },
    site::{Agent, Site},
};

/// So many contacts that were let go of are remembered, so that a late word about one is known for what it is.
const GONE_MAX: usize = 200_000;
const EVER: Span = Span { start: Micros(i64::MIN), end: Micros::MAX };
/// The same for each agent's legs.
const LEGS_LET_GO_MAX: usize = 64;

impl Site {
    /// Lets go of what lies before an instant, those held excepted.
    pub(crate) fn let_go(&mut self, before: Micros, held: &FxHashSet<Key>) {
        self.horizon = self.horizon.max(before);
        let gone = self.settle_contacts(held, |contact, definitions| {
            let is_old = contact.last_at().is_none_or(|at| at < before);
            is_old
                && (contact.is_over() || contact.visits(definitions).iter().all(|visit| visit.left.is_some()))
        });
        if self.gone.len() > GONE_MAX {
            self.gone.clear();
        }
        self.gone.extend(gone);
        let mut agents = std::mem::take(&mut self.agents);
        for (key, agent) in agents.iter_mut().filter(|(key, _)| !held.contains(key)) {
            self.settle_agent(*key, agent, before);
        }
        self.agents = agents;
    }

    /// Counts contacts for good and forgets them. Gives their keys.
    pub(crate) fn settle_contacts(
        &mut self,
        held: &FxHashSet<Key>,
        goes: impl Fn(&Contact, &Definitions<Key>) -> bool,
    ) -> Vec<Key> {
        let (settled, facts, definitions) = (&mut self.settled, &mut self.facts, &self.definitions);
        let mut gone = Vec::new();
        self.contacts.retain(|key, contact| {
            if held.contains(key) || !goes(contact, definitions) {
                return true;
            }
            for visit in contact.visits(definitions) {
                count_visit(&visit, EVER, Micros::MAX, settled);
            }
            gone.push(*key);
            *facts -= contact.len();
            false
        });
        gone
    }

    /// Goes on from the last instant before `before` at which no leg went on.
    fn settle_agent(&mut self, key: Key, agent: &mut Agent, before: Micros) {
        let old = agent.facts.partition_point(|fact| fact.rank.at < before);
        let Some(end) = quiet_end(agent, old) else { return };
        let facts = agent.facts.get(..end).unwrap_or_default();
        let mut told = Vec::new();
        let Some(mut start) = walk(&agent.start, facts, &self.definitions, None, &mut |one| told.push(one))
        else {
            return;
        };
        agent.settled_to = facts.last().map(|fact| fact.rank);
        start.not_before = agent.settled_to.map_or(agent.start.not_before, |last| last.at);
        for one in told {
            count_told(key, &one, EVER, &mut self.settled);
        }
        agent.let_go.extend(facts.iter().filter_map(crate::agent::AgentFact::leg));
        agent.let_go.dedup();
        let surplus = agent.let_go.len().saturating_sub(LEGS_LET_GO_MAX);
        agent.let_go.drain(..surplus);
        agent.facts.drain(..end);
        agent.start = start;
        self.facts -= end;
    }

    /// All numbers of a range as of an instant.
    pub(crate) fn count(&self, range: Span, as_of: Micros) -> Counts<Key> {
        let is_in = |interval: Interval| range.start <= interval.start() && interval.end() <= range.end;
        let mut counts = self.settled.of(is_in);
        for contact in self.contacts.values() {
            for visit in contact.visits(&self.definitions) {
                count_visit(&visit, range, as_of, &mut counts);
            }
        }
        for (key, agent) in &self.agents {
            walk(&agent.start, &agent.facts, &self.definitions, Some(as_of), &mut |told| {
                count_told(*key, &told, range, &mut counts);
            });
        }
        counts.retain(is_in);
        counts
    }
}

/// The longest beginning of at most `old` facts after which no leg of it comes up again.
fn quiet_end(agent: &Agent, old: usize) -> Option<usize> {
    let mut last: rustc_hash::FxHashMap<u64, usize> = rustc_hash::FxHashMap::default();
    for (index, fact) in agent.facts.iter().enumerate() {
        if let Some(leg) = fact.leg() {
            last.insert(leg, index);
        }
    }
    let (mut end, mut open_until) = (0, 0);
    for (index, fact) in agent.facts.iter().enumerate().take(old) {
        if let Some(until) = fact.leg().and_then(|leg| last.get(&leg)) {
            open_until = open_until.max(*until);
        }
        if open_until <= index {
            end = index + 1;
        }
    }
    (end > 0).then_some(end)
}

fn count_told(agent: Key, told: &Told, range: Span, counts: &mut Counts<Key>) {
    match *told {
        Told::SignIn(at) => {
            add(&mut counts.agents, Interval::containing(at), Some(agent), Some(SIGN_INS), 1);
        }
        Told::Span(time, from, to) => {
            let place = match time {
                Time::None => return,
                Time::Unsigned => UNSIGNED,
                Time::Occupied => OCCUPIED,
                Time::Lost => LOST,
                Time::Rest => OTHERS,
            };
            // Whole intervals around the range are enough: the rest is thrown away.
            let within = Span::new(from.max(range.start), to.min(range.end));
            for (interval, part) in within.by_interval() {
                add(&mut counts.agents, interval, Some(agent), Some(place), part.0);
                if place != UNSIGNED {
                    add(&mut counts.agents, interval, Some(agent), Some(SIGNED_IN), part.0);
                }
            }
        }
    }
}

fn count_visit(visit: &Visit, range: Span, as_of: Micros, counts: &mut Counts<Key>) {
    if visit.entered > as_of {
        return;
    }
    let queues = &mut counts.queues;
    add(queues, Interval::containing(visit.entered), visit.queue, Some(OFFERED), 1);
    let left = visit.left.filter(|(at, _)| *at <= as_of);
    if let Some((at, exit)) = left {
        let interval = Interval::containing(at);
        add(queues, interval, visit.queue, Some(ENDED), 1);
        let place = match exit {
            QueueExit::Answered => Some(ANSWERED),
            QueueExit::Abandoned => Some(ABANDONED),
            QueueExit::CallbackTaken => Some(CALLBACK),
            _ => None,
        };
        add(queues, interval, visit.queue, place, 1);
    }
    // Waiting at each interval's end, and at the instant asked about.
    let until = left.map_or(as_of, |(at, _)| at);
    let mut interval = Interval::containing(visit.entered.max(range.start));
    while interval.end() <= until.min(range.end) {
        add(queues, interval, visit.queue, Some(WAITING), 1);
        interval = Interval(interval.0 + 1);
    }
    if left.is_none() && Interval::containing(as_of).end() > as_of {
        add(queues, Interval::containing(as_of), visit.queue, Some(WAITING), 1);
    }
}
