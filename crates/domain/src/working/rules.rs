//! What people define: weekly windows in a zone, holidays, make-up days, and one-off changes, each from an instant on.
//!
//! Of what is said about a date the first of these holds: the one-off change in force, the make-up day, the holiday, the
//! weekly windows. Invariant: what [`WorkingHistory::check`] lets pass can be compiled.

use serde::{Deserialize, Serialize};

use crate::{
    allowance::ZoneName,
    calendar::{CalendarDefinition, DAY_MINUTES, Date, MakeUpDay, Weekday},
    ids::Name,
    time::Micros,
    working::{
        error::WorkingError,
        zone::{Day, Zone},
    },
};

/// The most windows of a week, and of a changed day.
pub const WINDOWS_MAX: usize = 100;
/// The most holidays, the most make-up days of a definition, and the most one-off changes of a calendar.
pub const DATES_MAX: usize = 10_000;
/// The most definitions of one calendar.
pub const RULES_MAX: usize = 1_000;

/// Hours of work by the clock on the wall: minutes since midnight of the day on which they begin. Hours whose end is not
/// after their start go on past midnight; they belong, all of them, to the day on which they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hours {
    /// First minute, 0 to 1,439.
    pub from: u16,
    /// The first minute after it, 1 to 1,440; 1,440 is 24:00.
    pub to: u16,
}

impl Hours {
    /// From `from` to `to`, minutes since midnight.
    pub const fn new(from: u16, to: u16) -> Self {
        Self { from, to }
    }

    /// Minutes since the midnight before they begin, 1 to 2,879: more than 1,440 if they go on past the next one.
    pub(super) const fn end(self) -> u16 {
        if self.to > self.from { self.to } else { self.to + DAY_MINUTES }
    }

    fn check(self, field: impl FnOnce() -> String) -> Result<(), WorkingError> {
        if self.from < DAY_MINUTES && 0 < self.to && self.to <= DAY_MINUTES && self.from != self.to {
            return Ok(());
        }
        Err(WorkingError::Hours { field: field(), from: self.from, to: self.to })
    }
}

/// Hours of a day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WeekWindow {
    /// The day on which they begin.
    pub day: Weekday,
    /// The hours.
    pub hours: Hours,
}

/// A calendar's definition, from an instant on until the next one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingRules {
    /// The zone that its days are meant in.
    pub time_zone: ZoneName,
    /// The windows of a week, in any order; where they overlap, an instant counts once.
    pub week: Vec<WeekWindow>,
    /// Days on which no work begins; a night's work that began the day before goes on.
    pub holidays: Vec<Date>,
    /// Days that are worked like another day of the week, even if they are holidays.
    pub make_up_days: Vec<MakeUpDay>,
    /// In force from.
    pub valid_from: Micros,
}

/// What is done on one date instead of what the definition says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayPlan {
    /// What the definition says: takes an earlier change back.
    AsUsual,
    /// No work begins.
    Closed,
    /// Worked like a day of the week.
    Like(Weekday),
    /// Worked in these hours.
    Hours(Vec<Hours>),
}

/// A one-off change, which stands beside the definitions: it holds, whichever of them is in force, until another one for the
/// same date comes into force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayChange {
    /// The date.
    pub date: Date,
    /// What is done on it.
    pub plan: DayPlan,
    /// In force from. If the date has begun by then, what was worked before stays worked.
    pub valid_from: Micros,
}

/// A one-off change of a calendar, as the log holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalendarChange<N = Name> {
    /// Which calendar.
    pub calendar: N,
    /// What is done otherwise, when.
    pub change: DayChange,
}

/// All that was ever defined about one calendar. Before the first definition no time is working time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingHistory {
    /// Definitions, in any order; of two for the same instant the later in the list holds.
    pub rules: Vec<WorkingRules>,
    /// One-off changes, likewise.
    pub changes: Vec<DayChange>,
}

impl WorkingHistory {
    /// One definition and no changes.
    pub fn of(rules: WorkingRules) -> Self {
        Self { rules: vec![rules], changes: Vec::new() }
    }

    /// Whether a calendar can be made of it; else the field that is wrong, and how.
    pub fn check(&self) -> Result<(), WorkingError> {
        count("rules", self.rules.len(), RULES_MAX)?;
        count("changes", self.changes.len(), DATES_MAX)?;
        for (index, rules) in self.rules.iter().enumerate() {
            rules.check(&format!("rules[{index}]"))?;
        }
        for (index, change) in self.changes.iter().enumerate() {
            Day::of(change.date, || format!("changes[{index}].date"))?;
            let DayPlan::Hours(hours) = &change.plan else { continue };
            let field = format!("changes[{index}].plan");
            count(&field, hours.len(), WINDOWS_MAX)?;
            for (place, hours) in hours.iter().enumerate() {
                hours.check(|| format!("{field}[{place}]"))?;
            }
        }
        Ok(())
    }
}

impl WorkingRules {
    fn check(&self, path: &str) -> Result<(), WorkingError> {
        Zone::get(&self.time_zone, || format!("{path}.time_zone"))?;
        count(&format!("{path}.week"), self.week.len(), WINDOWS_MAX)?;
        count(&format!("{path}.holidays"), self.holidays.len(), DATES_MAX)?;
        count(&format!("{path}.make_up_days"), self.make_up_days.len(), DATES_MAX)?;
        for (index, window) in self.week.iter().enumerate() {
            window.hours.check(|| format!("{path}.week[{index}].hours"))?;
        }
        for (index, date) in self.holidays.iter().enumerate() {
            Day::of(*date, || format!("{path}.holidays[{index}]"))?;
        }
        let mut dates = Vec::with_capacity(self.make_up_days.len());
        for (index, made_up) in self.make_up_days.iter().enumerate() {
            dates.push((Day::of(made_up.date, || format!("{path}.make_up_days[{index}].date"))?, index));
        }
        dates.sort_unstable();
        for pair in dates.windows(2) {
            if let [(day, _), (again, index)] = pair
                && day == again
                && let Some(made_up) = self.make_up_days.get(*index)
            {
                let field = format!("{path}.make_up_days[{index}].date");
                return Err(WorkingError::SaidTwice { field, date: made_up.date });
            }
        }
        Ok(())
    }
}

/// The definition as the log holds it.
impl WorkingRules {
    /// What a definition says, in the zone that it names.
    pub fn of<N>(defined: &CalendarDefinition<N>, time_zone: ZoneName) -> Self {
        let window = |window: &crate::calendar::Window| WeekWindow {
            day: window.day,
            hours: Hours::new(window.from, window.to),
        };
        Self {
            time_zone,
            week: defined.windows.iter().map(window).collect(),
            holidays: defined.holidays.iter().map(|holiday| holiday.date).collect(),
            make_up_days: defined.make_up_days.clone(),
            valid_from: defined.valid_from,
        }
    }
}

impl From<&CalendarDefinition<Name>> for WorkingRules {
    fn from(defined: &CalendarDefinition<Name>) -> Self {
        Self::of(defined, ZoneName::new(defined.time_zone.as_str()))
    }
}

fn count(field: &str, count: usize, limit: usize) -> Result<(), WorkingError> {
    if count > limit {
        return Err(WorkingError::TooMany { field: field.to_owned(), count, limit });
    }
    Ok(())
}
