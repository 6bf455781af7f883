//! Working calendars as data: a zone, weekly windows, holidays, make-up days.
//!
//! Kept, listed and compared; reckoning with them comes with ticket deadlines. Invariant: a window ends after it begins,
//! on the same day, and a date stands once among holidays and make-up days.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{coded::coded, ids::Name, time::Micros};

/// Minutes of a day: the end of its last window, or of hours of it, at the latest.
pub const DAY_MINUTES: u16 = 24 * 60;

coded! {
    /// A day of the week.
    Weekday {
        /// Monday.
        Monday = 1 "monday",
        /// Tuesday.
        Tuesday = 2 "tuesday",
        /// Wednesday.
        Wednesday = 3 "wednesday",
        /// Thursday.
        Thursday = 4 "thursday",
        /// Friday.
        Friday = 5 "friday",
        /// Saturday.
        Saturday = 6 "saturday",
        /// Sunday.
        Sunday = 7 "sunday",
    }
}

/// A day of the calendar, as `yyyymmdd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(pub u32);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0 / 10_000, self.0 / 100 % 100, self.0 % 100)
    }
}

/// As people write it where they read it, the number in checkpoints.
impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_u32(self.0)
        }
    }
}

/// From the number alone.
impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u32::deserialize(deserializer).map(Self)
    }
}

/// Working time of a day of the week: `[from, to)`, minutes of the local day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Window {
    /// The day.
    pub day: Weekday,
    /// Its first minute.
    pub from: u16,
    /// The first minute after it, at most [`DAY_MINUTES`].
    pub to: u16,
}

/// A day on which nobody works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Holiday<N = Name> {
    /// When.
    pub date: Date,
    /// What is kept.
    pub name: Option<N>,
}

/// A day that is worked like another day of the week, to make up for a holiday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MakeUpDay {
    /// When.
    pub date: Date,
    /// By whose windows.
    pub like: Weekday,
}

/// A working calendar, from an instant on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarDefinition<N = Name> {
    /// Its name.
    pub calendar: N,
    /// The IANA zone that its days are meant in.
    pub time_zone: N,
    /// Sorted.
    pub windows: Vec<Window>,
    /// Sorted by date.
    pub holidays: Vec<Holiday<N>>,
    /// Sorted by date.
    pub make_up_days: Vec<MakeUpDay>,
    /// In force from.
    pub valid_from: Micros,
}
