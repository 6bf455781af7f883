//! Why there is no calendar, or no answer.

use crate::{
    calendar::Date,
    time::{Micros, Shown, Span},
};

/// What is wrong with a calendar, or with a question to one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkingError {
    /// No such zone.
    #[error("{field} is {zone:?}, which the time zone database does not know; use a name like Asia/Shanghai")]
    UnknownZone {
        /// The field's path.
        field: String,
        /// What it says.
        zone: String,
    },
    /// Not hours of a day.
    #[error(
        "{field} is from minute {from} to minute {to}; give two different minutes since midnight, from 0 to 1439 and to \
         1 to 1440 (all day is 0 to 1440)"
    )]
    Hours {
        /// The field's path.
        field: String,
        /// Its start.
        from: u16,
        /// Its end.
        to: u16,
    },
    /// Not a day.
    #[error("{field} is {}, which is no date; a date is written yyyymmdd, like 20261001", .date.0)]
    NoDate {
        /// The field's path.
        field: String,
        /// What it says.
        date: Date,
    },
    /// Two answers to one question.
    #[error("{field} is {date}, which was said before; say it once")]
    SaidTwice {
        /// The second one's path.
        field: String,
        /// The date.
        date: Date,
    },
    /// Over a limit.
    #[error("{field} holds {count}; the limit is {limit}")]
    TooMany {
        /// The field's path.
        field: String,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Beyond what a calendar covers.
    #[error("{} lies outside what a working calendar covers, {} to {}", Shown(*.at), Shown(.covers.start), Shown(.covers.end))]
    OutOfRange {
        /// The instant asked about.
        at: Micros,
        /// What is covered.
        covers: Span,
    },
    /// Nothing is worked for so long that nobody can mean it.
    #[error(
        "the calendar has no working time for 10 years from {} on, {}; {} of working time were still to be found: give \
         it windows, or use calendar time",
        Shown(*.from), if *.backwards { "backwards" } else { "forwards" }, amount(*.missing)
    )]
    NeverWorks {
        /// Since when nothing was found.
        from: Micros,
        /// Which way was searched.
        backwards: bool,
        /// How much was still to be found (duration).
        missing: Micros,
    },
}

/// A duration in hours, minutes and seconds.
fn amount(duration: Micros) -> String {
    let seconds = duration.0.unsigned_abs().div_ceil(1_000_000);
    format!("{}:{:02}:{:02} h", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
