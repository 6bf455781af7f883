//! The numbers, of the auditor or of whomever it checks: by interval and queue, and by interval and agent.
//!
//! Invariant: a line of which every number is 0 does not stand there, so that two counts of the same are equal.

use std::collections::BTreeMap;

use pegcount_domain::time::{Interval, Micros};

/// What is counted of a queue in an interval, as figures name it; `waiting` stands for the interval's end.
pub const QUEUE_COLUMNS: [&str; 6] =
    ["offered", "ended", "answered", "abandoned", "callback_taken", "waiting"];
/// What is counted of an agent in an interval, as figures name it; `other_states` is the sum of [`OTHER_STATES`].
pub const AGENT_COLUMNS: [&str; 6] =
    ["signed_in_clock", "occupied_clock", "lost_clock", "other_states", "unsigned_clock", "sign_ins"];
/// The states of the agent clock that the auditor does not tell apart.
pub const OTHER_STATES: [&str; 4] = ["ready_clock", "away_clock", "ringing_clock", "dialing_clock"];

pub(crate) const OFFERED: usize = 0;
pub(crate) const ENDED: usize = 1;
pub(crate) const ANSWERED: usize = 2;
pub(crate) const ABANDONED: usize = 3;
pub(crate) const CALLBACK: usize = 4;
pub(crate) const WAITING: usize = 5;

pub(crate) const SIGNED_IN: usize = 0;
pub(crate) const OCCUPIED: usize = 1;
pub(crate) const LOST: usize = 2;
pub(crate) const OTHERS: usize = 3;
pub(crate) const UNSIGNED: usize = 4;
pub(crate) const SIGN_INS: usize = 5;

/// What cannot be counted exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject<N> {
    /// All visits of the site.
    Visits,
    /// The time of all its agents.
    Agents,
    /// The time of one agent.
    Agent(N),
}

/// The numbers of a line.
pub(crate) type Line = [i64; 6];
pub(crate) type Lines<N> = BTreeMap<(Interval, Option<N>), Line>;

/// Numbers of one site. `N` names queues and agents; none stands for visits to no known queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts<N: Ord> {
    pub(crate) queues: Lines<N>,
    pub(crate) agents: Lines<N>,
}

impl<N: Ord> Default for Counts<N> {
    fn default() -> Self {
        Self { queues: BTreeMap::new(), agents: BTreeMap::new() }
    }
}

impl<N: Ord> Counts<N> {
    /// Adds to a number of a queue that has a column of this name in [`QUEUE_COLUMNS`]; others are passed over.
    pub fn add_queue(&mut self, interval: Interval, queue: Option<N>, column: &str, amount: i64) {
        let place = QUEUE_COLUMNS.iter().position(|known| *known == column);
        add(&mut self.queues, interval, queue, place, amount);
    }

    /// The same for an agent, [`AGENT_COLUMNS`] and [`OTHER_STATES`].
    pub fn add_agent(&mut self, interval: Interval, agent: Option<N>, column: &str, amount: i64) {
        let own = AGENT_COLUMNS.iter().position(|known| *known == column);
        let place = own.or_else(|| OTHER_STATES.contains(&column).then_some(OTHERS));
        add(&mut self.agents, interval, agent, place, amount);
    }

    /// How many lines there are: of queues, of agents.
    pub fn lines(&self) -> (usize, usize) {
        (self.queues.len(), self.agents.len())
    }

    /// The same with other names. Names that meet are added up.
    pub fn named<M: Ord>(self, name: impl Fn(N) -> M) -> Counts<M> {
        let mut named = Counts::default();
        for (from, to) in [(self.queues, &mut named.queues), (self.agents, &mut named.agents)] {
            for ((interval, who), line) in from {
                let known: &mut Line = to.entry((interval, who.map(&name))).or_default();
                known.iter_mut().zip(line).for_each(|(sum, amount)| *sum += amount);
            }
        }
        named
    }

    /// Forgets what is in doubt.
    pub fn leave_out(&mut self, doubts: &[(Subject<N>, Micros)]) {
        for (subject, from) in doubts {
            let first = Interval::containing(*from);
            match subject {
                Subject::Visits => self.queues.retain(|(interval, _), _| *interval < first),
                Subject::Agents => self.agents.retain(|(interval, _), _| *interval < first),
                Subject::Agent(agent) => {
                    let is_it = |who: &Option<N>| who.as_ref() == Some(agent);
                    self.agents.retain(|(interval, who), _| *interval < first || !is_it(who));
                }
            }
        }
    }

    /// Those of some intervals.
    pub fn of(&self, wanted: impl Fn(Interval) -> bool) -> Self
    where
        N: Clone,
    {
        let some = |lines: &Lines<N>| -> Lines<N> {
            let own = lines.iter().filter(|((interval, _), _)| wanted(*interval));
            own.map(|(key, line)| (key.clone(), *line)).collect()
        };
        Self { queues: some(&self.queues), agents: some(&self.agents) }
    }

    /// Forgets lines outside an interval's range, and those of nothing.
    pub(crate) fn retain(&mut self, keeps: impl Fn(Interval) -> bool) {
        for lines in [&mut self.queues, &mut self.agents] {
            lines.retain(|(interval, _), line| keeps(*interval) && line.iter().any(|amount| *amount != 0));
        }
    }
}

pub(crate) fn add<N: Ord>(
    lines: &mut Lines<N>,
    interval: Interval,
    who: Option<N>,
    place: Option<usize>,
    amount: i64,
) {
    if let Some(place) = place.filter(|_| amount != 0)
        && let Some(number) = lines.entry((interval, who)).or_default().get_mut(place)
    {
        *number += amount;
    }
}
