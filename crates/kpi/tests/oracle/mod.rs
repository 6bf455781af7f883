//! The slow oracle: figures straight from KPIS.md, span by span, with no cells, no units kept and no fast path.
//!
//! Agents are played through the domain's own live state machine, instant by instant, so that it also proves that
//! live state and figures tell the same. Visits and customer lines are counted by brute force.
#![allow(dead_code, unreachable_pub, reason = "each test file asks for other parts")]

pub mod agents;
pub mod contacts;
pub mod lines;
pub mod story;

use std::collections::{BTreeMap, BTreeSet};

use pegcount_domain::{
    definitions::Definitions,
    envelope::{Position, Recorded, StreamKind},
    event::{Event, QueueDefinition},
    ids::{AgentId, Key, QueueId},
    time::{Interval, Micros, Span},
};
use pegcount_kpi::{Attribution, Dimension, Table, Value};

pub type Said = Option<Key>;

/// What a figure is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct About {
    pub agent: Said,
    pub team: Said,
    pub queue: Said,
    pub entry: Said,
    pub channel: u8,
    pub direction: u8,
}

/// One thing counted.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    pub column: &'static str,
    /// None: the same under all attributions.
    pub attribution: Option<Attribution>,
    pub interval: Interval,
    pub about: About,
    pub amount: i64,
}

/// A visit that waits, from and until when.
#[derive(Clone, Copy, Debug)]
pub struct Waits {
    pub about: About,
    pub entered: Micros,
    /// `Micros::MAX`: still.
    pub left: Micros,
}

/// One site's history and what was defined.
pub struct Oracle {
    pub history: Vec<Recorded>,
    pub definitions: Definitions<Key>,
    pub as_of: Micros,
    pub counted: Vec<Counted>,
    pub waits: Vec<Waits>,
}

impl Oracle {
    /// Counts everything of `site` as of an instant.
    pub fn count(all: &[Recorded], site: Key, as_of: Micros) -> Self {
        let own: Vec<_> = all.iter().filter(|recorded| recorded.stream.site == site).cloned().collect();
        let mut definitions = Definitions::new();
        for recorded in &own {
            definitions.apply(&recorded.event);
        }
        let (history, counted, waits) = (corrected(&own), Vec::new(), Vec::new());
        let mut oracle = Self { history, definitions, as_of, counted, waits };
        let legs = oracle.agents();
        let contacts = oracle.contacts(&legs);
        oracle.lines(&contacts);
        oracle
    }

    pub fn queue(&self, queue: Said, at: Micros) -> QueueDefinition<Key> {
        self.definitions.queue_at(&QueueId(queue.unwrap_or_default()), at)
    }

    pub fn team(&self, agent: Said, at: Micros) -> Said {
        self.definitions.team_at(&AgentId(agent?), at).map(|team| team.0)
    }

    /// Counts at an instant, if it has come.
    pub fn at(
        &mut self,
        at: Micros,
        attribution: Option<Attribution>,
        column: &'static str,
        about: About,
        amount: i64,
    ) {
        let interval = Interval::containing(at);
        self.counted.push(Counted { column, attribution, interval, about, amount });
    }

    /// Counts a span of an agent, cut wherever an interval ends or the team changes.
    pub fn span(&mut self, column: &'static str, about: About, from: Micros, to: Micros) {
        let agent = AgentId(about.agent.unwrap_or_default());
        let mut cuts: BTreeSet<Micros> = BTreeSet::from([from, to]);
        cuts.extend(self.definitions.team_changes(&agent, Span::new(from, to)));
        cuts.extend(Span::new(from, to).by_interval().map(|(interval, _)| interval.start().max(from)));
        let cuts: Vec<_> = cuts.into_iter().collect();
        for pair in cuts.windows(2) {
            let about = About { team: self.team(about.agent, pair[0]), ..about };
            self.at(pair[0], None, column, about, pair[1].0 - pair[0].0);
        }
    }

    /// The rows by 15 minutes and `by`, under an attribution: what is not 0.
    pub fn rows(
        &self,
        (from, to): (Micros, Micros),
        by: &[Dimension],
        attribution: Attribution,
        names: &dyn Fn(Key) -> String,
    ) -> Rows {
        let mut rows = Rows::new();
        let can = |column| by.iter().all(|dimension| sheet(column).contains(dimension));
        for counted in self.counted.iter().filter(|counted| can(counted.column)) {
            let start = counted.interval.start();
            if start < from || start >= to {
                continue;
            }
            if counted.attribution.is_none_or(|own| own == attribution) {
                let key = (start, keys(by, &counted.about, names));
                *rows.entry(key).or_default().entry(counted.column.to_owned()).or_default() += counted.amount;
            }
        }
        for row in rows.values_mut() {
            row.retain(|_, amount| *amount != 0);
        }
        rows.retain(|_, row| !row.is_empty());
        rows
    }
}

/// From, keys: column, amount.
pub type Rows = BTreeMap<(Micros, Vec<Option<String>>), BTreeMap<String, i64>>;

/// The measures of a table that are not 0.
pub fn rows_of(table: &Table) -> Rows {
    let mut rows = Rows::new();
    for row in &table.rows {
        let keys = row.keys.iter().map(|key| key.as_ref().map(ToString::to_string)).collect();
        let values = table.columns.iter().zip(&row.values).filter(|(column, _)| column.formula.is_none());
        let amounts = values.filter_map(|(column, value)| match value {
            Value::Amount(amount) if *amount != 0 && !column.gauge => Some((column.name.to_owned(), *amount)),
            _ => None,
        });
        let amounts: BTreeMap<_, _> = amounts.collect();
        if !amounts.is_empty() {
            rows.insert((row.from, keys), amounts);
        }
    }
    rows
}

pub fn keys(by: &[Dimension], about: &About, names: &dyn Fn(Key) -> String) -> Vec<Option<String>> {
    use pegcount_domain::event::{Channel, Direction};
    by.iter()
        .filter_map(|dimension| {
            Some(match dimension {
                Dimension::Agent => about.agent.map(names),
                Dimension::Team => about.team.map(names),
                Dimension::Queue => about.queue.map(names),
                Dimension::Entry => about.entry.map(names),
                Dimension::Channel => Channel::from_code(about.channel.into()).map(|c| c.word().to_owned()),
                Dimension::Direction => {
                    Direction::from_code(about.direction.into()).map(|d| d.word().to_owned())
                }
                _ => return None,
            })
        })
        .collect()
}

/// What a column can be cut by.
fn sheet(column: &str) -> &'static [Dimension] {
    use Dimension::{Agent, Channel, Direction, Entry, Interval15, Queue, Team};
    const VISIT: &[Dimension] = &[Interval15, Queue, Entry, Channel, Direction];
    match column {
        "opened" | "resolved" | "closed" | "reopened" => &[Interval15, Agent, Team, Queue],
        "sign_ins" | "away_count" | "phone_keys" => &[Interval15, Agent, Team],
        clock if clock.ends_with("_clock") => &[Interval15, Agent, Team],
        line if line.starts_with("fcr_") || line.starts_with("repeat_") => {
            &[Interval15, Agent, Team, Queue, Channel]
        }
        visit if VISIT_COLUMNS.contains(&visit) || visit.starts_with("flow_out") => VISIT,
        _ => &[Interval15, Agent, Team, Queue, Channel, Direction],
    }
}

const VISIT_COLUMNS: [&str; 20] = [
    "offered",
    "ended",
    "answered",
    "abandoned",
    "abandoned_short",
    "abandoned_ringing",
    "callback_taken",
    "wait_answered",
    "wait_abandoned",
    "answered_within",
    "abandoned_within",
    "abandoned_short_within",
    "callback_within",
    "reached_unanswered",
    "answered_within_rings",
    "self_served",
    "first_attempts",
    "first_attempts_answered",
    "attempts_unknown",
    "flow_out_within",
];

/// The history after its corrections, in the order in which facts happened.
fn corrected(own: &[Recorded]) -> Vec<Recorded> {
    let mut history: BTreeMap<Position, Recorded> = BTreeMap::new();
    for recorded in own {
        match &recorded.event {
            Event::Annulled { target, .. } => {
                history.remove(&Position(*target));
            }
            Event::Amended { target, occurred_at, event, .. } => {
                if let Some(fact) = history.get_mut(&Position(*target)) {
                    fact.occurred_at = *occurred_at;
                    fact.event = (**event).clone();
                }
            }
            _ => {
                history.insert(recorded.position, recorded.clone());
            }
        }
    }
    let mut history: Vec<_> = history.into_values().collect();
    for fact in &mut history {
        if let Event::ConnectionLost { last_heard } = fact.event {
            fact.occurred_at = fact.occurred_at.min(last_heard);
        }
    }
    history.sort_by_key(|fact| {
        let seq = fact.source_seq.map_or((0, fact.position.0), |seq| (1, seq.seq));
        (fact.occurred_at, fact.stream.kind != StreamKind::Agent, seq, fact.position)
    });
    history
}
