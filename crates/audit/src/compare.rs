//! Two counts beside each other.
//!
//! Invariant: whatever differs is told, number by number; a broken identity is told even where there is nothing to compare
//! it with.

use std::collections::BTreeSet;

use pegcount_domain::time::Interval;

use crate::counts::{
    AGENT_COLUMNS, Counts, ENDED, LOST, Line, Lines, OCCUPIED, OFFERED, OTHERS, QUEUE_COLUMNS, SIGNED_IN,
    WAITING,
};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A number of a queue is not what the facts say.
    Queue,
    /// A number of an agent is not what the facts say.
    Agent,
    /// `waiting_at_start + offered` is not `ended + waiting_at_end`.
    Balance,
    /// The states of the agent clock do not sum to the signed-in time.
    AgentClock,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Queue, Self::Agent, Self::Balance, Self::AgentClock];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Agent => "agent",
            Self::Balance => "balance",
            Self::AgentClock => "agent_clock",
        }
    }

    /// Whether it is about an agent, not about a queue.
    pub const fn is_of_agent(self) -> bool {
        matches!(self, Self::Agent | Self::AgentClock)
    }
}

/// One number that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference<N> {
    /// When.
    pub interval: Interval,
    /// In what way.
    pub kind: Kind,
    /// The queue or the agent; none: visits to no known queue.
    pub who: Option<N>,
    /// The column (of [`QUEUE_COLUMNS`] or [`AGENT_COLUMNS`]); for an identity, its first side.
    pub column: &'static str,
    /// What the figures say; for an identity, its first side.
    pub stated: i64,
    /// What the facts say; for an identity, its second side.
    pub counted: i64,
}

/// What of `stated` is not as `counted`, or does not add up in itself; in order.
pub fn differences<N: Ord + Clone>(stated: &Counts<N>, counted: &Counts<N>) -> Vec<Difference<N>> {
    let mut all = Vec::new();
    each_number(Kind::Queue, QUEUE_COLUMNS, &stated.queues, &counted.queues, &mut all);
    each_number(Kind::Agent, AGENT_COLUMNS, &stated.agents, &counted.agents, &mut all);
    balances(stated, counted, &mut all);
    for ((interval, who), line) in &stated.agents {
        let (signed_in, sum) = (line.get(SIGNED_IN).copied().unwrap_or_default(), sum_of_states(line));
        if signed_in != sum {
            all.push(Difference {
                interval: *interval,
                kind: Kind::AgentClock,
                who: who.clone(),
                column: "signed_in_clock",
                stated: signed_in,
                counted: sum,
            });
        }
    }
    all.sort();
    all
}

/// How many lines two counts have together: of queues, of agents.
pub fn compared<N: Ord>(stated: &Counts<N>, counted: &Counts<N>) -> (usize, usize) {
    let together =
        |one: &Lines<N>, other: &Lines<N>| one.keys().chain(other.keys()).collect::<BTreeSet<_>>().len();
    (together(&stated.queues, &counted.queues), together(&stated.agents, &counted.agents))
}

fn sum_of_states(line: &Line) -> i64 {
    [OCCUPIED, LOST, OTHERS].iter().filter_map(|place| line.get(*place)).sum()
}

fn each_number<N: Ord + Clone>(
    kind: Kind,
    columns: [&'static str; 6],
    stated: &Lines<N>,
    counted: &Lines<N>,
    all: &mut Vec<Difference<N>>,
) {
    let zeros = Line::default();
    let keys: BTreeSet<_> = stated.keys().chain(counted.keys()).collect();
    for key in keys {
        let lines = [stated, counted].map(|lines| lines.get(key).unwrap_or(&zeros));
        let [said, found] = lines;
        for ((column, said), found) in columns.into_iter().zip(said).zip(found).filter(|((_, a), b)| a != b) {
            let (interval, who) = key.clone();
            all.push(Difference { interval, kind, who, column, stated: *said, counted: *found });
        }
    }
}

/// Per interval and queue, from the first interval that has one before it in the range.
fn balances<N: Ord + Clone>(stated: &Counts<N>, counted: &Counts<N>, all: &mut Vec<Difference<N>>) {
    let (Some(first), Some(last)) = (bound(stated, counted, false), bound(stated, counted, true)) else {
        return;
    };
    let queues: BTreeSet<_> = stated.queues.keys().map(|(_, queue)| queue).collect();
    let number = |interval: i32, queue: &Option<N>, place: usize| {
        let line = stated.queues.get(&(Interval(interval), queue.clone()));
        line.and_then(|line| line.get(place)).copied().unwrap_or_default()
    };
    for queue in queues {
        for interval in first.saturating_add(1)..=last {
            let came = number(interval - 1, queue, WAITING) + number(interval, queue, OFFERED);
            let went = number(interval, queue, ENDED) + number(interval, queue, WAITING);
            if came != went {
                all.push(Difference {
                    interval: Interval(interval),
                    kind: Kind::Balance,
                    who: queue.clone(),
                    column: "waiting_at_start + offered",
                    stated: came,
                    counted: went,
                });
            }
        }
    }
}

fn bound<N: Ord>(stated: &Counts<N>, counted: &Counts<N>, last: bool) -> Option<i32> {
    let all = stated.queues.keys().chain(counted.queues.keys()).map(|(interval, _)| interval.0);
    if last { all.max() } else { all.min() }
}
