//! A busy centre's events, for benchmarks: calls that wait, ring, are answered, held, ended and worked on.
//!
//! Not a simulation: waits are drawn, not arisen. Invariant: the same numbers give the same events, in the order of
//! their times, with dense positions.

use std::{cmp::Reverse, collections::BinaryHeap};

use pegcount_domain::{
    envelope::{Position, Recorded, SourceSeq, StreamKind, StreamName},
    event::{Channel, Direction, Event, LegRef, LegStep, Party, QueueExit},
    ids::{AgentId, ContactId, CustomerId, EntryId, Epoch, Key, LegId, QueueId, ReasonCode, VisitId},
    time::Micros,
};
use rustc_hash::FxHashMap;

/// How big the centre is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Agents, at work all day.
    pub agents: u32,
    /// Queues.
    pub queues: u32,
    /// When the first shift begins.
    pub start: Micros,
}

impl Default for Size {
    fn default() -> Self {
        Self { agents: 200, queues: 6, start: Micros(1_772_434_800_000_000) }
    }
}

type Planned = (i64, u64, StreamKind, Key, Event<Key>);

/// The events, endlessly: agents take call after call.
#[derive(Debug)]
pub struct Workload {
    size: Size,
    dice: u64,
    planned: BinaryHeap<Reverse<ByTime>>,
    numbers: FxHashMap<Key, u64>,
    made: u64,
    calls: u64,
    position: u64,
}

#[derive(Debug)]
struct ByTime(Planned);

impl PartialEq for ByTime {
    fn eq(&self, other: &Self) -> bool {
        (self.0.0, self.0.1) == (other.0.0, other.0.1)
    }
}

impl Eq for ByTime {}

impl PartialOrd for ByTime {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByTime {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0.0, self.0.1).cmp(&(other.0.0, other.0.1))
    }
}

/// The key of the n-th thing of a kind.
pub fn key(kind: &str, number: u64) -> Key {
    Key::of(&format!("{kind} {number}"), 0)
}

impl Workload {
    /// A centre of this size.
    pub fn new(size: Size) -> Self {
        let numbers = (0..u64::from(size.agents)).map(|agent| (key("agent", agent), agent)).collect();
        let planned = BinaryHeap::new();
        let mut workload = Self { size, dice: 1, planned, numbers, made: 0, calls: 0, position: 0 };
        for agent in 0..u64::from(size.agents) {
            let at = size.start.0 + workload.below(600) * 1_000_000;
            workload.plan(at, StreamKind::Agent, key("agent", agent), Event::SignedIn);
            workload.plan(at + 5_000_000, StreamKind::Agent, key("agent", agent), Event::Ready);
            workload.call(agent, at + 10_000_000);
        }
        workload
    }

    fn below(&mut self, limit: i64) -> i64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.dice >> 33) & 0x7FFF_FFFF).unwrap_or(0) % limit.max(1)
    }

    fn plan(&mut self, at: i64, kind: StreamKind, id: Key, event: Event<Key>) {
        self.made += 1;
        self.planned.push(Reverse(ByTime((at, self.made, kind, id, event))));
    }

    /// One call of an agent, and what the agent does afterwards.
    fn call(&mut self, agent: u64, from: i64) {
        self.calls += 1;
        let (calls, second) = (self.calls, 1_000_000);
        let contact = key("contact", calls);
        let queue = QueueId(key("queue", u64::from(self.size.queues.max(1)).min(calls % 6)));
        let visit = VisitId(key("visit", 1));
        let customer = Some(CustomerId(key("customer", self.dice >> 45)));
        let entry = Some(EntryId(key("entry", calls % 3)));
        let direction = Direction::Inbound;
        let enter = from + self.below(20_000_000);
        let started = Event::ContactStarted {
            channel: Channel::Voice,
            direction,
            entry,
            customer,
            journey: None,
            callback: false,
            priority: 0,
        };
        self.plan(enter - second, StreamKind::Contact, contact, started);
        self.plan(enter, StreamKind::Contact, contact, Event::QueueEntered { visit, queue, priority: 0 });
        let leg = LegRef {
            contact: ContactId(contact),
            leg: LegId(key("leg", 1)),
            agent: Some(AgentId(key("agent", agent))),
            visit: Some(visit),
            queue: Some(queue),
            channel: Some(Channel::Voice),
            direction: Some(direction),
        };
        let ring = enter + self.below(30_000_000);
        let answer = ring + self.below(10_000_000);
        let own = key("agent", agent);
        let mut step = |at, step| self.plan(at, StreamKind::Agent, own, Event::Leg { leg, step });
        step(ring, LegStep::Ringing);
        step(answer, LegStep::Answered);
        let mut end = answer + 60 * second;
        if calls.is_multiple_of(4) {
            step(end, LegStep::Held);
            step(end + 20 * second, LegStep::Retrieved);
            end += 40 * second;
        }
        end += self.below(240_000_000);
        let over = end + self.below(60_000_000);
        let mut step = |at, step| self.plan(at, StreamKind::Agent, own, Event::Leg { leg, step });
        step(end, LegStep::Ended { by: Some(Party::Customer), after_call_expected: true });
        step(over, LegStep::AfterCallEnded);
        let left = Event::QueueLeft { visit, exit: QueueExit::Answered, ringing: false };
        self.plan(answer, StreamKind::Contact, contact, left);
        let ended = Event::ContactEnded { by: Some(Party::Customer), self_served: false };
        self.plan(end, StreamKind::Contact, contact, ended);
        let mut next = over + self.below(60_000_000);
        if calls.is_multiple_of(10) {
            let reason = ReasonCode(key("reason", calls % 3));
            self.plan(next, StreamKind::Agent, own, Event::NotReady { reason });
            next += 300 * second;
            self.plan(next, StreamKind::Agent, own, Event::Ready);
        }
        // The next call is planned when this one's last event is taken.
        self.plan(next, StreamKind::Quarantine, own, Event::SignedIn);
    }
}

impl Iterator for Workload {
    type Item = Recorded;

    fn next(&mut self) -> Option<Recorded> {
        loop {
            let Reverse(ByTime((at, _, kind, id, event))) = self.planned.pop()?;
            if kind == StreamKind::Quarantine {
                let agent = self.numbers.get(&id).copied().unwrap_or(0);
                self.call(agent, at);
                continue;
            }
            self.position += 1;
            return Some(Recorded {
                position: Position(self.position),
                stream: StreamName { site: key("site", 0), kind, id },
                occurred_at: Micros(at),
                recorded_at: Micros(at),
                source: key("source", 0),
                source_seq: Some(SourceSeq {
                    epoch: Epoch(u128::from(self.position % 97)),
                    seq: self.position,
                }),
                event,
            });
        }
    }
}
