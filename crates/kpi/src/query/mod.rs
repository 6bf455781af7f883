//! Asking for figures: what a query says, what a table holds.
//!
//! - [`plan`]: columns, and the measures that they need; [`buckets`]: time into rows;
//!   [`cut`]: dimensions into rows; [`gather`]: cells and open work into sums; [`table`]: sums into rows;
//!   [`mean`]: the mean of days; [`explain`]: what a sum is made of
//!
//! Invariant: two queries with the same `as_of`, position and formula version give identical tables.

pub(crate) mod buckets;
pub(crate) mod cut;
pub(crate) mod explain;
pub(crate) mod gather;
mod mean;
pub(crate) mod plan;
pub(crate) mod table;
pub(crate) mod versions;

use std::{fmt, str::FromStr};

use pegcount_domain::{
    envelope::Position,
    ids::{AgentId, Name, QueueId, SiteId},
    time::{Interval, Micros, Span},
};
use smallvec::SmallVec;

pub use self::explain::{ExplainQuery, Explanation, Item, Role, Term};
pub use self::plan::Running;
pub use crate::cells::Attribution;
use crate::{formula::describe, measure::Unit, reference::EfficiencyTarget};

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
}

impl Dimension {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Interval15,
        Self::Interval30,
        Self::Hour,
        Self::Day,
        Self::Queue,
        Self::Agent,
        Self::Team,
        Self::Channel,
        Self::Direction,
        Self::Entry,
        Self::Reason,
        Self::Cause,
        Self::Priority,
    ];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Interval15 => "interval15",
            Self::Interval30 => "interval30",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Queue => "queue",
            Self::Agent => "agent",
            Self::Team => "team",
            Self::Channel => "channel",
            Self::Direction => "direction",
            Self::Entry => "entry",
            Self::Reason => "reason",
            Self::Cause => "cause",
            Self::Priority => "priority",
        }
    }

    /// Whether it cuts time.
    pub const fn is_time(self) -> bool {
        matches!(self, Self::Interval15 | Self::Interval30 | Self::Hour | Self::Day)
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

/// Why a query has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Off the grid.
    #[error("`{field}` is {}, which is not on the 15-minute grid; the nearest before is {}", instant(*.at), instant(*.nearest))]
    Unaligned {
        /// `from` or `to`.
        field: &'static str,
        /// What was said.
        at: Micros,
        /// What would do.
        nearest: Micros,
    },
    /// Nothing in it.
    #[error("`to` ({}) is not after `from` ({})", instant(*.to), instant(*.from))]
    Empty {
        /// From.
        from: Micros,
        /// To.
        to: Micros,
    },
    /// Over the limit.
    #[error("the range is {length} long; the limit is {RANGE_MAX}: ask for parts")]
    TooLong {
        /// How long it is.
        length: Micros,
    },
    /// Not a window.
    #[error("`last` is {length}; say a length above 0 and up to {LAST_MAX}")]
    WrongLength {
        /// What was said.
        length: Micros,
    },
    /// A window moves; times do not.
    #[error(
        "`last` is one window that moves on with time: it cannot be cut by `{dimension}`; leave that out, or say a range"
    )]
    CutWindow {
        /// The dimension.
        dimension: Dimension,
    },
    /// What happened then is forgotten, and only the sums are there.
    #[error(
        "history before {} is closed: its figures stand, but not as they were at {}; ask with an `as_of` from then on",
        instant(*.closed_before), instant(*.as_of)
    )]
    Closed {
        /// The instant asked about.
        as_of: Micros,
        /// The first instant that can be asked about.
        closed_before: Micros,
    },
    /// The spans and events behind it are gone.
    #[error(
        "history before {} is closed: its figures stand, but what is behind those from {} on is gone; explain a range from then on",
        instant(*.closed_before), instant(*.from)
    )]
    EventsGone {
        /// The range's start.
        from: Micros,
        /// The first instant that can be explained.
        closed_before: Micros,
    },
    /// A day has one mean, a part of it none.
    #[error(
        "the mean of days cannot be cut by `{dimension}`, which is less than a day; cut by `day` or by no time, or leave the mean out"
    )]
    NoMeanOfDays {
        /// The dimension.
        dimension: Dimension,
    },
    /// A window has no local days.
    #[error(
        "`last` is one window that moves on with time and holds no whole days: there is no mean of days; leave the mean out, or say a range"
    )]
    NoMeanOfWindow,
    /// A mean of days is no sum of anything.
    #[error(
        "the mean of days of `{column}` is no sum of spans or counts; explain `{column}` of one day, without the mean"
    )]
    MeanNotExplained {
        /// The column.
        column: &'static str,
    },
    /// The days behind the figure are gone, so that they cannot be judged anew.
    #[error(
        "history before {} is closed: agent-days from {} on cannot be held against another efficiency target; ask for a range from then on, or leave the target out",
        instant(*.closed_before), instant(*.from)
    )]
    DaysGone {
        /// The range's start.
        from: Micros,
        /// The first instant from which days can be judged anew.
        closed_before: Micros,
    },
    /// No such column.
    #[error("`{column}` is no column; `pegcount kpi --columns help` lists them")]
    UnknownColumn {
        /// What was said.
        column: String,
    },
    /// A value at an instant is no sum of anything.
    #[error("`{column}` is a value at an instant and no sum of spans or counts; explain {instead} instead")]
    NotExplained {
        /// The column.
        column: &'static str,
        /// What can be explained.
        instead: &'static str,
    },
    /// The column has no such dimension.
    #[error("`{column}` is not cut by `{dimension}`; leave it out, or say another column")]
    NotCutBy {
        /// The column.
        column: &'static str,
        /// The dimension.
        dimension: Dimension,
    },
    /// Nobody has defined it.
    #[error(
        "there is no formula version {asked} at {site}; there are {known}: define it, or ask for one of these"
    )]
    UnknownFormula {
        /// The site.
        site: SiteId,
        /// What was asked for.
        asked: u8,
        /// What there is.
        known: String,
    },
    /// It takes a fold of its own.
    #[error(
        "formula version {version} counts otherwise than what has been counted: it needs a fold of its own"
    )]
    NeedsFold {
        /// Which.
        version: u8,
    },
    /// Said twice.
    #[error("`{dimension}` is asked for twice")]
    Repeated {
        /// Which.
        dimension: Dimension,
    },
}

/// An instant for people.
fn instant(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at.0).map_or_else(|_| at.to_string(), |at| at.to_string())
}

/// One column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The name as in KPIS.md.
    pub name: &'static str,
    /// Its unit. A KPI with the unit `Duration` is an average: numerator microseconds over denominator.
    pub unit: Unit,
    /// True for a value at an instant: the row's end, or `as_of` if that is earlier.
    pub gauge: bool,
    /// For a KPI: the formula in words.
    pub formula: Option<&'static str>,
    /// For a measure or a gauge: what it counts, in words.
    pub meaning: Option<&'static str>,
}

/// One value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// The ratio has no denominator, or the rows' dimensions cannot have this column.
    Absent,
    /// A count, or microseconds.
    Amount(i64),
    /// A quotient; the denominator is never 0.
    Ratio {
        /// Above.
        numerator: i64,
        /// Below.
        denominator: i64,
    },
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// From.
    pub from: Micros,
    /// To.
    pub to: Micros,
    /// The values of the dimensions asked for, apart from times, in the order asked; none: unknown or nobody.
    pub keys: Vec<Option<Name>>,
    /// One for each column.
    pub values: Vec<Value>,
    /// The formula versions by which what is in it was counted, and the one whose forms its ratios have: the one in
    /// force at its start. Several: what is in it straddles a change.
    pub versions: Versions,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The columns asked for.
    pub columns: Vec<Column>,
    /// Ordered by time, then by keys. Rows in which nothing happened are left out, unless the whole range is asked
    /// for as one row.
    pub rows: Vec<Row>,
    /// Up to where the log is in it.
    pub position: Position,
    /// The instant to which open work counts.
    pub as_of: Micros,
    /// The formula version in force at the range's start, or the one asked for.
    pub formula_version: u8,
    /// All that the rows were counted by; and that one.
    pub formula_versions: Versions,
    /// Not none: definitions from this position on are still being taken in, and everything stands on the older ones.
    pub older_definitions: Option<Position>,
}

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
        let less = |dimension: &&Dimension| dimension.is_time() && **dimension != Dimension::Day;
        if let Some(dimension) = self.by.iter().find(less).filter(|_| self.variant.mean_of_days) {
            return Err(QueryError::NoMeanOfDays { dimension: *dimension });
        }
        Ok(())
    }
}
