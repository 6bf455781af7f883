//! Why a query has no answer: what was asked, what the limit is, and what to ask instead.

use pegcount_domain::{ids::SiteId, time::Micros};

use super::{Dimension, LAST_MAX, RANGE_MAX};

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
