//! The world of a site, made of what it has defined.
//!
//! Until a site's own policies are in force it has the standard set; until its own calendar of the standard name is, it has one of that
//! name, by which the standard set counts working days: Monday to Friday, 9:00 to 18:00, in the site's zone.
//!
//! Invariant: a world is a function of the definitions alone, whatever stands for their names.

use std::hash::Hash;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::{
    allowance::ZoneName,
    calendar::Weekday,
    deadlines::{PolicySet, World},
    ids::Name,
    time::Micros,
    working::{
        CalendarChange, Hours, WeekWindow, WorkingCalendar, WorkingError, WorkingHistory, WorkingRules,
    },
};

/// The name of the calendar that every site has.
pub const STANDARD_CALENDAR: Name = Name::fixed("standard");
const STANDARD_HOURS: Hours = Hours::new(9 * 60, 18 * 60);
const STANDARD_DAYS: [Weekday; 5] =
    [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];

/// What a world is made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Making<N> {
    /// What stands for [`STANDARD_CALENDAR`].
    pub standard_calendar: N,
    /// The set that holds until a site's own is in force.
    pub standard_policies: PolicySet<N>,
    /// Every definition of every calendar.
    pub calendars: Vec<(N, WorkingRules)>,
    /// Their one-off changes, those of one date in order of their coming into force.
    pub changes: Vec<CalendarChange<N>>,
    /// The site's zones, each from when on, in order.
    pub zones: Vec<(Micros, ZoneName)>,
    /// The site's own policies.
    pub policies: Vec<PolicySet<N>>,
}

impl<N: Clone + Eq + Hash> Making<N> {
    /// The world; and the calendars that cannot be made, each with the reason: no target can be reckoned by these.
    pub fn world(self) -> (World<N>, Vec<(N, WorkingError)>) {
        let mut world = World::default();
        let mut failed = Vec::new();
        let mut histories: FxHashMap<N, WorkingHistory> = FxHashMap::default();
        for (calendar, rules) in self.calendars {
            histories.entry(calendar).or_default().rules.push(rules);
        }
        let own = histories.entry(self.standard_calendar).or_default();
        let begins = own.rules.iter().map(|rules| rules.valid_from).min().unwrap_or(Micros::MAX);
        // Until the site's own begins, the one that every site has holds.
        own.rules.extend(standard_rules(self.zones).into_iter().filter(|rules| rules.valid_from < begins));
        for changed in self.changes {
            if let Some(history) = histories.get_mut(&changed.calendar) {
                history.changes.push(changed.change);
            }
        }
        for (name, history) in histories {
            match WorkingCalendar::new(&history) {
                Ok(calendar) => world.define_calendar(name, calendar),
                Err(error) => failed.push((name, error)),
            }
        }
        world.define_policies(self.standard_policies);
        for policies in self.policies {
            world.define_policies(policies);
        }
        (world, failed)
    }
}

/// As local days are cut: before the first zone that was defined comes into force it is UTC.
fn standard_rules(mut zones: Vec<(Micros, ZoneName)>) -> Vec<WorkingRules> {
    if zones.first().is_none_or(|(first, _)| *first > Micros(i64::MIN)) {
        zones.insert(0, (Micros(i64::MIN), ZoneName::new("UTC")));
    }
    let rules = |(valid_from, time_zone): (Micros, ZoneName)| WorkingRules {
        time_zone,
        week: STANDARD_DAYS.map(|day| WeekWindow { day, hours: STANDARD_HOURS }).into(),
        holidays: Vec::new(),
        make_up_days: Vec::new(),
        valid_from,
    };
    zones.into_iter().map(rules).collect()
}
