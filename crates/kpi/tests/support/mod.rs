//! A small centre to tell stories about: events by name and time, questions by column.
#![allow(dead_code, unreachable_pub, reason = "each test file tells other stories")]

use std::collections::HashMap;

use pegcount_domain::{
    envelope::{Position, Recorded, SourceSeq, StreamKind, StreamName},
    event::{AgentDefinition, Channel, Direction, Event, LegRef, LegStep, Party, QueueDefinition, QueueExit},
    ids::{
        AgentId, ContactId, CustomerId, EntryId, Epoch, Key, LegId, Name, QueueId, ReasonCode, SiteId,
        TeamId, VisitId,
    },
    time::Micros,
};
use pegcount_kpi::{Dimension, InUse, Kpi, Query, Row, Table, Value, describe};

pub type E = Event<Key>;

/// 2026-03-02 (a Monday) 00:00 UTC.
pub const DAY: Micros = Micros(1_772_409_600_000_000);

/// Of all fingerprints.
pub const SEED: u64 = 7;

pub fn key(text: &str) -> Key {
    Key::of(text, SEED)
}

/// `h:mm:ss[.ffffff]` of that day; hours may exceed 24.
pub fn t(text: &str) -> Micros {
    let mut parts = text.split(':');
    let hours: i64 = parts.next().unwrap().parse().unwrap();
    let minutes: i64 = parts.next().unwrap_or("0").parse().unwrap();
    let seconds = parts.next().unwrap_or("0");
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let fraction: i64 = format!("{fraction:0<6}").parse().unwrap();
    let whole: i64 = whole.parse().unwrap();
    Micros(DAY.0 + ((hours * 60 + minutes) * 60 + whole) * 1_000_000 + fraction)
}

pub fn secs(seconds: i64) -> i64 {
    seconds * 1_000_000
}

/// A story in the order of arrival.
pub struct Centre {
    pub kpi: Kpi,
    pub names: HashMap<Key, String>,
    pub site: String,
    pub position: u64,
    /// When events are recorded; none: as they happen.
    pub recorded_at: Option<Micros>,
    /// All that has been recorded.
    pub told: Vec<Recorded>,
}

impl Centre {
    pub fn new() -> Self {
        let names = HashMap::new();
        let mut kpi = Kpi::new();
        // What may rest does, so that every story wakes it.
        kpi.set_seed(SEED);
        kpi.set_in_use(InUse::NOTHING);
        Self { kpi, names, site: "north".into(), position: 0, recorded_at: None, told: Vec::new() }
    }

    pub fn key(&mut self, text: &str) -> Key {
        let key = key(text);
        self.names.entry(key).or_insert_with(|| text.to_owned());
        key
    }

    pub fn record(&mut self, kind: StreamKind, id: &str, at: Micros, event: E) -> u64 {
        self.position += 1;
        let site = self.site.clone();
        let stream = StreamName { site: self.key(&site), kind, id: self.key(id) };
        let recorded = Recorded {
            position: Position(self.position),
            stream,
            occurred_at: at,
            recorded_at: self.recorded_at.unwrap_or(at),
            source: key("source"),
            source_seq: Some(SourceSeq { epoch: Epoch(1), seq: self.position }),
            event,
        };
        self.apply(&recorded);
        self.position
    }

    pub fn apply(&mut self, recorded: &Recorded) {
        self.told.push(recorded.clone());
        self.kpi.apply(recorded);
        for key in self.kpi.missing_names() {
            self.kpi.name(key, &self.names[&key]);
        }
    }

    pub fn agent(&mut self, agent: &str, at: &str, event: E) -> u64 {
        self.record(StreamKind::Agent, agent, t(at), event)
    }

    pub fn sign_in(&mut self, agent: &str, at: &str) -> u64 {
        self.agent(agent, at, Event::SignedIn)
    }

    pub fn sign_out(&mut self, agent: &str, at: &str) -> u64 {
        self.agent(agent, at, Event::SignedOut)
    }

    pub fn ready(&mut self, agent: &str, at: &str) -> u64 {
        self.agent(agent, at, Event::Ready)
    }

    pub fn away(&mut self, agent: &str, at: &str, reason: &str) -> u64 {
        let reason = ReasonCode(self.key(reason));
        self.agent(agent, at, Event::NotReady { reason })
    }

    /// A softphone reports a step: leg `contact/leg` of `agent` for `queue`.
    pub fn phone(&mut self, agent: &str, at: &str, contact: &str, queue: &str, step: LegStep<Key>) -> u64 {
        let leg = self.leg(agent, contact, queue);
        self.record(StreamKind::Agent, agent, t(at), Event::Leg { leg, step })
    }

    /// An exchange reports a step.
    pub fn switch(&mut self, agent: &str, at: &str, contact: &str, queue: &str, step: LegStep<Key>) -> u64 {
        let leg = self.leg(agent, contact, queue);
        self.record(StreamKind::Contact, contact, t(at), Event::Leg { leg, step })
    }

    pub fn leg(&mut self, agent: &str, contact: &str, queue: &str) -> LegRef<Key> {
        LegRef {
            contact: ContactId(self.key(contact)),
            leg: LegId(self.key(&format!("leg of {agent}"))),
            agent: (!agent.is_empty()).then(|| AgentId(self.key(agent))),
            visit: None,
            queue: (!queue.is_empty()).then(|| QueueId(self.key(queue))),
            channel: Some(Channel::Voice),
            direction: Some(Direction::Inbound),
        }
    }

    /// The exchange reports a whole conversation.
    pub fn talk(&mut self, agent: &str, contact: &str, queue: &str, from: &str, to: &str) {
        self.switch(agent, from, contact, queue, LegStep::Answered);
        self.switch(agent, to, contact, queue, ended());
    }

    pub fn contact(&mut self, contact: &str, at: &str, event: E) -> u64 {
        self.record(StreamKind::Contact, contact, t(at), event)
    }

    pub fn start(&mut self, contact: &str, at: &str, entry: &str, customer: &str) -> u64 {
        let entry = Some(EntryId(self.key(entry)));
        let customer = (!customer.is_empty()).then(|| CustomerId(self.key(customer)));
        let event = Event::ContactStarted {
            channel: Channel::Voice,
            direction: Direction::Inbound,
            entry,
            customer,
            journey: None,
            callback: false,
            priority: 0,
        };
        self.contact(contact, at, event)
    }

    pub fn enter(&mut self, contact: &str, at: &str, visit: &str, queue: &str) -> u64 {
        let (visit, queue) = (VisitId(self.key(visit)), QueueId(self.key(queue)));
        self.contact(contact, at, Event::QueueEntered { visit, queue, priority: 0 })
    }

    pub fn leave(&mut self, contact: &str, at: &str, visit: &str, exit: QueueExit) -> u64 {
        let visit = VisitId(self.key(visit));
        self.contact(contact, at, Event::QueueLeft { visit, exit, ringing: false })
    }

    pub fn end(&mut self, contact: &str, at: &str) -> u64 {
        self.contact(contact, at, Event::ContactEnded { by: Some(Party::Customer), self_served: false })
    }

    pub fn queue(&mut self, queue: &str, change: impl FnOnce(&mut QueueDefinition<Key>)) {
        let mut definition = QueueDefinition::default_for(QueueId(self.key(queue)));
        change(&mut definition);
        self.record(StreamKind::Definition, "all", DAY, Event::QueueDefined(definition));
    }

    pub fn team(&mut self, agent: &str, team: &str, from: Micros) {
        let (agent, team) = (AgentId(self.key(agent)), Some(TeamId(self.key(team))));
        let event = Event::AgentDefined(AgentDefinition { agent, team, chat_slots: 1, valid_from: from });
        self.record(StreamKind::Definition, "all", DAY, event);
    }

    pub fn query(&self, from: &str, to: &str, by: &[Dimension]) -> Query {
        let as_of = t("240");
        query(&self.site, t(from), t(to), by, as_of)
    }

    /// The table of a range, everything as of ten days later.
    pub fn ask(&self, from: &str, to: &str, by: &[Dimension]) -> Table {
        self.kpi.query(&self.query(from, to, by)).unwrap()
    }

    /// One figure of a range.
    pub fn amount(&self, from: &str, to: &str, column: &str) -> i64 {
        amount(&self.ask(from, to, &[]).rows[0], column)
    }

    /// One figure of a range as of an instant.
    pub fn amount_as_of(&self, from: &str, to: &str, as_of: &str, column: &str) -> i64 {
        let query = Query { as_of: t(as_of), ..self.query(from, to, &[]) };
        amount(&self.kpi.query(&query).unwrap().rows[0], column)
    }
}

pub fn ended() -> LegStep<Key> {
    LegStep::Ended { by: Some(Party::Customer), after_call_expected: false }
}

pub fn ended_into_work() -> LegStep<Key> {
    LegStep::Ended { by: Some(Party::Customer), after_call_expected: true }
}

pub fn query(site: &str, from: Micros, to: Micros, by: &[Dimension], as_of: Micros) -> Query {
    Query { by: by.to_vec(), ..Query::new(SiteId(Name::new(site).unwrap()), from, to, as_of) }
}

pub fn value(row: &Row, column: &str) -> Value {
    let index = describe().iter().position(|known| known.name == column).expect(column);
    row.values[index]
}

pub fn amount(row: &Row, column: &str) -> i64 {
    match value(row, column) {
        Value::Amount(amount) => amount,
        other => panic!("{column} is {other:?}"),
    }
}

/// A column over the rows, in order.
pub fn column(table: &Table, column: &str) -> Vec<i64> {
    table.rows.iter().map(|row| amount(row, column)).collect()
}
