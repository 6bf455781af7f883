//! Reckoning in working time: is it worked at an instant, how much is worked between two, when has so much been worked.
//!
//! A calendar is a set of instants, found from what was in force at each: weekly windows in an IANA zone, holidays, make-up
//! days, one-off changes. Not for local days as reports know them, and not the definition as the log holds it
//! ([`crate::calendar`]; `WorkingRules::from` takes that over).
//!
//! Invariants:
//! - An amount is elapsed real time inside windows. A reading of the wall clock means the first instant at which the clock has
//!   come to it: in a gap the instant of the jump, in a fold the first time that it is shown. So windows that follow one another
//!   on the wall leave nothing out and count nothing twice, and a day from 0:00 to 24:00 has 23, 24 or 25 hours.
//! - `between(a, b) + between(b, c) = between(a, c)`, in any order of the three, and `between(t, after(t, d)) = d`.
//! - What comes into force at an instant changes nothing before it.
//!
//! - [`rules`]: what people define; [`error`]: what is wrong with it, or with a question
//! - [`calendar`]: the calendar, and the questions that it answers
//! - `zone`: readings of a wall clock as instants; `plan`: a date's stretches of working time; `chunk`: the same for a year,
//!   with sums

pub mod calendar;
mod chunk;
pub mod error;
mod plan;
pub mod rules;
mod zone;

pub use calendar::WorkingCalendar;
pub use error::WorkingError;
pub use rules::{CalendarChange, DayChange, DayPlan, Hours, WeekWindow, WorkingHistory, WorkingRules};
