//! The slow oracle: figures straight from KPIS.md, span by span, with no cells, no units kept and no fast path.
//!
//! Agents are played through the domain's own live state machine, instant by instant, so that it also proves that
//! live state and figures tell the same. Visits and customer lines are counted by brute force.
//!
//! - [`history`]: what holds after all corrections, in order; [`agents`], [`believed`], [`legs`]: agents and what
//!   their legs came to; [`days`]: agents' local days; [`slots`]: slots beyond the first; [`contacts`], [`visits`]: contacts; [`lines`], [`issues`], [`tickets`]: customers; [`desk`]: tickets themselves
//! - [`tables`], [`ratios`], [`means`]: what was counted as the rows of a query; [`compare`]: the folds against it
//! - [`story`]: random histories
//!
//! Invariant: nothing here is taken from the folds; what is known counts, up to the instant asked about.
#![allow(dead_code, unreachable_pub, reason = "each test file asks for other parts")]

pub mod agents;
pub mod believed;
pub mod compare;
pub mod contacts;
pub mod days;
pub mod desk;
pub mod history;
pub mod issues;
pub mod legs;
pub mod lines;
pub mod means;
pub mod ratios;
pub mod slots;
pub mod story;
pub mod tables;
pub mod tickets;
pub mod visits;

use std::collections::{BTreeMap, BTreeSet};

use pegcount_domain::{
    definitions::Definitions,
    envelope::Recorded,
    formula::FormulaDefinition,
    ids::{AgentId, Key, QueueId},
    time::{Interval, Micros, Span},
};
use pegcount_kpi::Attribution;

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
    pub priority: u8,
    /// The formula version that says so; 0: they all do.
    pub version: u8,
    pub why: Why,
    /// Of a ticket.
    pub class: Option<&'static desk::Class>,
}

/// The reason of a time away or of a transfer, or the cause of a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    #[default]
    Unsaid,
    Reason(Key),
    Word(&'static str),
}

/// A wait that ended.
#[derive(Clone, Copy, Debug)]
pub struct Waited {
    pub attribution: Attribution,
    pub at: Micros,
    pub about: About,
    pub answered: bool,
    pub wait: i64,
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
    /// When: of a span, when it began; its amount is its length.
    pub at: Micros,
    pub is_span: bool,
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
    pub waited: Vec<Waited>,
    pub backlog: Vec<desk::InBacklog>,
    /// What tickets' targets are reckoned by.
    pub world: std::cell::OnceCell<std::rc::Rc<pegcount_domain::deadlines::World<Key>>>,
    /// Holds throughout, whatever is in force.
    pub forced: Option<Formula>,
    /// What each agent did, for days.
    pub deeds: BTreeMap<Key, days::Deeds>,
    pub measured: Vec<days::Measured>,
    pub zones: std::cell::OnceCell<Vec<(Micros, jiff::tz::TimeZone)>>,
    /// The gauge that each agent is counted in from each instant on, while signed in.
    pub clocks: Vec<(Key, CountedIn)>,
}

/// The gauge from each instant on.
pub type CountedIn = Vec<(Micros, Option<&'static str>)>;

pub type Formula = FormulaDefinition<Key>;

impl Oracle {
    /// Counts everything of `site` as of an instant, by the versions in force or by one alone.
    pub fn count(all: &[Recorded], site: Key, as_of: Micros, forced: Option<Formula>) -> Self {
        let own: Vec<_> = all.iter().filter(|recorded| recorded.stream.site == site).cloned().collect();
        let mut definitions = Definitions::new();
        for recorded in &own {
            definitions.apply(&recorded.event);
        }
        let (history, counted, waits) = (history::corrected(&own), Vec::new(), Vec::new());
        let (waited, deeds, measured) = (Vec::new(), BTreeMap::new(), Vec::new());
        let mut oracle = Self {
            history,
            definitions,
            as_of,
            counted,
            waits,
            waited,
            backlog: Vec::new(),
            world: std::cell::OnceCell::new(),
            deeds,
            measured,
            forced,
            clocks: Vec::new(),
            zones: std::cell::OnceCell::new(),
        };
        let legs = oracle.agents();
        oracle.days();
        let contacts = oracle.contacts(&legs);
        oracle.lines(&contacts);
        oracle.tickets(&contacts);
        oracle
    }

    /// The formula version of what happened at an instant.
    pub fn formula(&self, at: Micros) -> Formula {
        let in_force = self.definitions.formulas().filter(|formula| formula.valid_from <= at).last();
        self.forced.or_else(|| in_force.copied()).unwrap_or_else(Formula::built_in)
    }

    /// Threshold, short, rings: what the queue says itself, else what the formula says.
    pub fn limits(&self, queue: Said, at: Micros) -> [i64; 3] {
        let (own, rules) =
            (self.definitions.queue_at(&QueueId(queue.unwrap_or_default()), at), self.formula(at).rules);
        [(own.threshold, rules.threshold), (own.short, rules.short), (own.rings, rules.rings)]
            .map(|(own, default)| own.unwrap_or(default).0)
    }

    pub fn team(&self, agent: Said, at: Micros) -> Said {
        self.definitions.team_at(&AgentId(agent?), at).map(|team| team.0)
    }

    /// Counts at an instant.
    pub fn at(
        &mut self,
        at: Micros,
        attribution: Option<Attribution>,
        column: &'static str,
        about: About,
        amount: i64,
    ) {
        let interval = Interval::containing(at);
        self.counted.push(Counted { column, attribution, interval, about, amount, at, is_span: false });
    }

    /// Counts 1 under each attribution: at the end, at the start, at the end.
    pub fn three(&mut self, start: Micros, end: Micros, column: &'static str, about: About) {
        for (attribution, at) in
            [(Attribution::Event, end), (Attribution::Start, start), (Attribution::End, end)]
        {
            self.at(at, Some(attribution), column, about, 1);
        }
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
            self.counted.last_mut().unwrap().is_span = true;
        }
    }
}

/// Both halves of a fingerprint in one: what ties are decided by.
pub fn half(key: Key) -> u64 {
    let low = u64::try_from(key.0 & u128::from(u64::MAX)).unwrap();
    let high = u64::try_from(key.0 >> 64).unwrap();
    high ^ low
}
