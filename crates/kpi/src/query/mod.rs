//! Asking for figures: what a query says, what a table holds.
//!
//! - [`answer`]: the table; [`error`]: why there is none
//! - [`plan`]: columns, and the measures that they need; [`buckets`]: time into rows;
//!   [`cut`]: dimensions into rows; [`gather`]: cells and open work into sums, and [`rows`] hold them; [`table`]: sums into rows;
//!   [`backlog`]: open tickets; [`mean`]: the mean of days; [`explain`]: what a sum is made of
//!
//! Invariant: two queries with the same `as_of`, position and formula version give identical tables.

mod answer;
mod backlog;
pub(crate) mod buckets;
pub(crate) mod cut;
mod error;
pub(crate) mod explain;
pub(crate) mod gather;
mod mean;
pub(crate) mod plan;
pub(crate) mod rows;
pub(crate) mod table;
pub(crate) mod versions;

use std::{fmt, str::FromStr};

use pegcount_domain::{
    ids::{AgentId, QueueId, SiteId},
    time::{Interval, Micros, Span},
};
use smallvec::SmallVec;

pub use self::answer::{Column, Row, Table, Value};
pub use self::error::QueryError;
pub use self::explain::{ExplainQuery, Explanation, Item, Role, Term};
pub use self::plan::Running;
pub use crate::cells::Attribution;
use crate::{formula::describe, reference::EfficiencyTarget};

/// The longest range of a query: ten years.
pub const RANGE_MAX: Micros = Micros(3_653 * 24 * Micros::HOUR.0);

/// The longest window that moves on with time: 31 days.
pub const LAST_MAX: Micros = Micros(31 * 24 * Micros::HOUR.0);

/// What rows are cut by. Of several times, the finest counts: the others are unions of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// 15 minutes.
    Interval15,
    /// 30 minutes of the local clock.
    Interval30,
    /// The local hour; where clocks go back, one hour stands twice.
    Hour,
    /// The local day of 23, 24 or 25 hours.
    Day,
    /// The local week, from Monday on.
    Week,
    /// The local month.
    Month,
    /// The queue.
    Queue,
    /// The agent.
    Agent,
    /// The team that the agent was in at the time.
    Team,
    /// The medium.
    Channel,
    /// The direction.
    Direction,
    /// The hotline or address that was dialled.
    Entry,
    /// Why an agent was away, or a leg was passed on.
    Reason,
    /// Why an issue was not resolved at first contact: `later`, `transferred`, `reopened`, `repeated`.
    Cause,
    /// The visit's priority; 0 is ordinary.
    Priority,
    /// The ticket's kind.
    Kind,
    /// What the ticket is about: for repairs, the trade.
    Category,
    /// The group that owned the ticket at the time.
    Group,
    /// The tier of the ticket's customer.
    Tier,
    /// The ticket's region.
    Region,
}

impl Dimension {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::Interval15,
        Self::Interval30,
        Self::Hour,
        Self::Day,
        Self::Week,
        Self::Month,
        Self::Queue,
        Self::Agent,
        Self::Team,
        Self::Channel,
        Self::Direction,
        Self::Entry,
        Self::Reason,
        Self::Cause,
        Self::Priority,
        Self::Kind,
        Self::Category,
        Self::Group,
        Self::Tier,
        Self::Region,
    ];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Interval15 => "interval15",
            Self::Interval30 => "interval30",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Queue => "queue",
            Self::Agent => "agent",
            Self::Team => "team",
            Self::Channel => "channel",
            Self::Direction => "direction",
            Self::Entry => "entry",
            Self::Reason => "reason",
            Self::Cause => "cause",
            Self::Priority => "priority",
            Self::Kind => "kind",
            Self::Category => "category",
            Self::Group => "group",
            Self::Tier => "tier",
            Self::Region => "region",
        }
    }

    /// Whether nothing but tickets can be cut by it.
    pub const fn is_of_tickets(self) -> bool {
        matches!(self, Self::Kind | Self::Category | Self::Group | Self::Tier | Self::Region)
    }

    /// Whether it cuts time.
    pub const fn is_time(self) -> bool {
        matches!(
            self,
            Self::Interval15 | Self::Interval30 | Self::Hour | Self::Day | Self::Week | Self::Month
        )
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A word that is no dimension, or no attribution.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not one of {known}")]
pub struct UnknownWord {
    /// What was said.
    pub word: String,
    /// What could be.
    pub known: String,
}

impl FromStr for Dimension {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let found = Self::ALL.into_iter().find(|dimension| dimension.word() == word);
        found.ok_or_else(|| {
            let known = Self::ALL.map(Self::word).join(", ");
            UnknownWord { word: word.to_owned(), known }
        })
    }
}

impl Attribution {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Event, Self::Start, Self::End];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Start => "start",
            Self::End => "end",
        }
    }
}

impl fmt::Display for Attribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Attribution {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let found = Self::ALL.into_iter().find(|attribution| attribution.word() == word);
        found.ok_or_else(|| {
            let known = Self::ALL.map(Self::word).join(", ");
            UnknownWord { word: word.to_owned(), known }
        })
    }
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Query {
    /// The site. One that nobody has reported of has no figures.
    pub site: SiteId,
    /// From, inclusive; on the 15-minute grid.
    pub from: Micros,
    /// To, exclusive; on the 15-minute grid.
    pub to: Micros,
    /// Cut by these; none: one row for the range.
    pub by: Vec<Dimension>,
    /// Which instant a visit's counts and a handle belong to.
    pub attribution: Attribution,
    /// The zone that hours and days are cut in.
    pub time_zone: jiff::tz::TimeZone,
    /// The instant to which open work counts.
    pub as_of: Micros,
    /// Only these queues; none: all.
    pub queues: Vec<QueueId>,
    /// Only these agents; none: all.
    pub agents: Vec<AgentId>,
    /// Only these columns, in this order; none: all.
    pub columns: Vec<String>,
    /// Instead of `from` and `to`, which are not looked at then: so long before `as_of`, up to it, to the microsecond.
    pub last: Option<Micros>,
    /// Reckon everything by this formula version; none: each thing by the one in force at its time.
    pub formula_version: Option<u8>,
    /// How ratios are taken where there is more than one way.
    pub variant: Variant,
}

/// Ways to take a figure that are not the default (KPIS.md §1, §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variant {
    /// Ratios are the mean of the local days' ratios instead of pooled over the row; measures and percentiles stay as they
    /// are.
    pub mean_of_days: bool,
    /// Agent-days and agent-months are held against this target instead of the site's own.
    pub efficiency_target: Option<EfficiencyTarget>,
}

/// Formula versions, in the order of their numbers.
pub type Versions = SmallVec<[u8; 2]>;

impl Query {
    /// All columns of a range as one row, by event, in UTC.
    pub fn new(site: SiteId, from: Micros, to: Micros, as_of: Micros) -> Self {
        Self {
            site,
            from,
            to,
            by: Vec::new(),
            attribution: Attribution::Event,
            time_zone: jiff::tz::TimeZone::UTC,
            as_of,
            queues: Vec::new(),
            agents: Vec::new(),
            columns: Vec::new(),
            last: None,
            formula_version: None,
            variant: Variant::default(),
        }
    }

    /// What it looks at.
    pub fn range(&self) -> Span {
        match self.last {
            Some(length) => Span::new(self.as_of.minus(length), self.as_of),
            None => Span::new(self.from, self.to),
        }
    }

    /// Whether it can be answered.
    pub fn check(&self) -> Result<(), QueryError> {
        for (index, dimension) in self.by.iter().enumerate() {
            if self.by.iter().skip(index + 1).any(|other| other == dimension) {
                return Err(QueryError::Repeated { dimension: *dimension });
            }
        }
        let is_known = |name: &&String| describe().iter().any(|column| column.name == name.as_str());
        if let Some(unknown) = self.columns.iter().find(|name| !is_known(name)) {
            return Err(QueryError::UnknownColumn { column: unknown.clone() });
        }
        match self.last {
            Some(length) => self.check_last(length),
            None => self.check_range(),
        }
    }

    fn check_last(&self, length: Micros) -> Result<(), QueryError> {
        if length <= Micros::ZERO || length > LAST_MAX {
            return Err(QueryError::WrongLength { length });
        }
        if self.variant.mean_of_days {
            return Err(QueryError::NoMeanOfWindow);
        }
        let time = self.by.iter().find(|dimension| dimension.is_time());
        time.map_or(Ok(()), |dimension| Err(QueryError::CutWindow { dimension: *dimension }))
    }

    fn check_range(&self) -> Result<(), QueryError> {
        for (field, at) in [("from", self.from), ("to", self.to)] {
            let nearest = Interval::containing(at).start();
            if nearest != at {
                return Err(QueryError::Unaligned { field, at, nearest });
            }
        }
        if self.to <= self.from {
            return Err(QueryError::Empty { from: self.from, to: self.to });
        }
        let length = self.to.minus(self.from);
        if length > RANGE_MAX {
            return Err(QueryError::TooLong { length });
        }
        let less = |dimension: &&Dimension| dimension.is_time() && **dimension < Dimension::Day;
        if let Some(dimension) = self.by.iter().find(less).filter(|_| self.variant.mean_of_days) {
            return Err(QueryError::NoMeanOfDays { dimension: *dimension });
        }
        Ok(())
    }
}
