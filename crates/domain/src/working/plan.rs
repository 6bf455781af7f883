//! The stretches of working time that begin on a date, as they were in force.
//!
//! Invariant: an instant lies in a stretch of a date exactly if the definition and the change in force at that instant put it
//! there.

use smallvec::SmallVec;

use crate::{
    time::{Micros, Span},
    working::{
        error::WorkingError,
        rules::{DayPlan, Hours, WorkingHistory, WorkingRules},
        zone::{Day, Zone},
    },
};

/// How far from its own midnight in UTC anything of a date can lie: zones differ from UTC by up to 26 hours, and hours end
/// within 2 days.
const REACH_BEFORE: Micros = Micros(2 * 24 * Micros::HOUR.0);
const REACH_AFTER: Micros = Micros(4 * 24 * Micros::HOUR.0);

/// A definition, made ready.
#[derive(Clone, Debug)]
struct Version {
    zone: Zone,
    in_force: Span,
    /// Monday first.
    week: [Vec<Hours>; 7],
    /// Sorted.
    holidays: Vec<Day>,
    /// Sorted; the weekday counted from Monday.
    make_up_days: Vec<(Day, usize)>,
}

/// What is worked on any date.
#[derive(Clone, Debug)]
pub(super) struct Plans {
    /// In order, each in force until the next.
    versions: Vec<Version>,
    /// In order of date, then of coming into force.
    changes: Vec<(Day, Micros, DayPlan)>,
}

impl Plans {
    /// Checks `history` and makes it ready.
    pub(super) fn new(history: &WorkingHistory) -> Result<Self, WorkingError> {
        history.check()?;
        let mut rules: Vec<_> = history.rules.iter().collect();
        rules.sort_by_key(|rules| rules.valid_from);
        let mut versions = Vec::with_capacity(rules.len());
        for (index, one) in rules.iter().enumerate() {
            let until = rules.get(index + 1).map_or(Micros::MAX, |next| next.valid_from);
            versions.push(Version::new(one, Span::new(one.valid_from, until))?);
        }
        let mut changes = Vec::with_capacity(history.changes.len());
        for change in &history.changes {
            changes.push((Day::of(change.date, String::new)?, change.valid_from, change.plan.clone()));
        }
        changes.sort_by_key(|(day, from, _)| (*day, *from));
        Ok(Self { versions, changes })
    }

    /// The zone in force at `at`; before the first definition: its.
    pub(super) fn zone(&self, at: Micros) -> Option<&Zone> {
        let begun = self.versions.partition_point(|version| version.in_force.start <= at);
        self.versions.get(begun.saturating_sub(1)).map(|version| &version.zone)
    }

    /// The stretches that begin on `day`, none of them empty, in no order, perhaps overlapping.
    pub(super) fn stretches(&self, day: Day) -> SmallVec<[Span; 4]> {
        let mut found = SmallVec::new();
        let reach = Span::new(day.utc().minus(REACH_BEFORE), day.utc().plus(REACH_AFTER));
        let first = self.versions.partition_point(|version| version.in_force.end <= reach.start);
        let of_day = self.changes.partition_point(|(date, ..)| *date < day);
        let changes = || self.changes.iter().skip(of_day).take_while(|(date, ..)| *date == day);
        for version in self.versions.iter().skip(first) {
            if version.in_force.start >= reach.end {
                break;
            }
            let mut since = version.in_force.start;
            let mut plan = &DayPlan::AsUsual;
            for (_, from, change) in changes() {
                if *from >= version.in_force.end {
                    break;
                }
                version.work(day, plan, Span::new(since, *from), &mut found);
                since = since.max(*from);
                plan = change;
            }
            version.work(day, plan, Span::new(since, version.in_force.end), &mut found);
        }
        found
    }
}

impl Version {
    fn new(rules: &WorkingRules, in_force: Span) -> Result<Self, WorkingError> {
        let mut week: [Vec<Hours>; 7] = Default::default();
        for window in &rules.week {
            if let Some(day) = week.get_mut(from_monday(window.day)) {
                day.push(window.hours);
            }
        }
        let mut holidays = Vec::with_capacity(rules.holidays.len());
        for date in &rules.holidays {
            holidays.push(Day::of(*date, String::new)?);
        }
        holidays.sort_unstable();
        let mut make_up_days = Vec::with_capacity(rules.make_up_days.len());
        for made_up in &rules.make_up_days {
            make_up_days.push((Day::of(made_up.date, String::new)?, from_monday(made_up.like)));
        }
        make_up_days.sort_unstable();
        let zone = Zone::get(&rules.time_zone, String::new)?;
        Ok(Self { zone, in_force, week, holidays, make_up_days })
    }

    /// The hours of `day` by `plan`.
    fn hours<'a>(&'a self, day: Day, plan: &'a DayPlan) -> &'a [Hours] {
        let like = match plan {
            DayPlan::Closed => return &[],
            DayPlan::Hours(hours) => return hours,
            DayPlan::Like(weekday) => from_monday(*weekday),
            DayPlan::AsUsual => match self.make_up_days.binary_search_by_key(&day, |(date, _)| *date) {
                Ok(index) => self.make_up_days.get(index).map_or(0, |(_, like)| *like),
                Err(_) if self.holidays.binary_search(&day).is_ok() => return &[],
                Err(_) => day.weekday(),
            },
        };
        self.week.get(like).map_or(&[], Vec::as_slice)
    }

    /// What is worked of `day` by `plan` while that is in force.
    fn work(&self, day: Day, plan: &DayPlan, in_force: Span, found: &mut SmallVec<[Span; 4]>) {
        if in_force.start >= in_force.end {
            return;
        }
        for hours in self.hours(day, plan) {
            let start = self.zone.first(day, hours.from).max(in_force.start);
            let end = self.zone.first(day, hours.end()).min(in_force.end);
            if start < end {
                found.push(Span { start, end });
            }
        }
    }
}

fn from_monday(day: crate::calendar::Weekday) -> usize {
    usize::from(day.code().saturating_sub(1))
}
