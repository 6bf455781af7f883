//! A day against the allowances and the efficiency target, and a month against the target (KPIS.md §3, §4).
//!
//! Invariant: what is judged depends on the day's sums and the reference data that were in force when the day began, never on
//! when either came to be known.

use pegcount_domain::{
    allowance::{DAY_MINUTES, LocalHours},
    time::Micros,
};
use serde::{Deserialize, Serialize};

use crate::{
    agent::clock::Reason,
    cells::Detail,
    day::{
        calendar::Calendar,
        ledger::{Absence, Day},
    },
    names::Id,
    reference::{Allowance, EfficiencyTarget, Meals, ReasonLimits, Reference},
};

/// So long an agent must be available for the efficiency to be measured (duration).
pub(crate) const MEASURED_MIN: i64 = Micros::HOUR.0;

/// What a day comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DayVerdict {
    pub(crate) team: Id,
    pub(crate) compliant: bool,
    pub(crate) measured: bool,
    pub(crate) over_target: bool,
}

/// What a month comes to; there is one as soon as one of its days counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MonthVerdict {
    pub(crate) team: Id,
    pub(crate) measured: bool,
    pub(crate) over_target: bool,
}

/// An allowance that a day went beyond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Away too long altogether: actual and limit (durations).
    Total(i64, i64),
    /// One absence too long: actual and limit (durations).
    Longest(Detail, i64, i64),
    /// Too long for one reason altogether: actual and limit (durations).
    ReasonTotal(Detail, i64, i64),
    /// Too often for one reason: actual and limit.
    ReasonCount(Detail, i64, i64),
    /// Too many meals: actual and limit.
    MealCount(i64, i64),
    /// A meal too long: actual and limit (durations).
    MealLongest(i64, i64),
    /// A meal out of hours: from and to.
    MealHours(Micros, Micros),
    /// Too many sign-ins: actual and limit.
    SignIns(i64, i64),
}

/// Whether the agent was signed in on a day: what completes on another (a contact that outlasts the shift by days) counts
/// for no agent-day, and for no month.
pub(crate) fn is_agent_day(day: &Day) -> bool {
    day.signed_in() > 0
}

/// Whose day, by which reference data.
#[derive(Clone, Copy)]
pub(crate) struct Judge<'a> {
    pub(crate) reference: &'a Reference,
    pub(crate) agent: Id,
    /// Counts instead of the site's own target.
    pub(crate) target: Option<EfficiencyTarget>,
}

impl Judge<'_> {
    /// What a day comes to; none if the agent was not signed in on it.
    pub(crate) fn day(&self, day: &Day) -> Option<DayVerdict> {
        let team = self.team(&[day])?;
        let (measured, over_target) = self.efficiency(team, day.span.start, day.inbound, day.available);
        let compliant = self.broken(day, team).next().is_none();
        Some(DayVerdict { team, compliant, measured, over_target })
    }

    /// What a month comes to, of its days; none if the agent was signed in on none.
    pub(crate) fn month(&self, days: &[&Day]) -> Option<MonthVerdict> {
        let days: Vec<&Day> = days.iter().copied().filter(|day| is_agent_day(day)).collect();
        let team = self.team(&days)?;
        let inbound = days.iter().map(|day| day.inbound).sum();
        let available = days.iter().map(|day| day.available).sum();
        let start = days.first()?.span.start;
        let (measured, over_target) = self.efficiency(team, start, inbound, available);
        Some(MonthVerdict { team, measured, over_target })
    }

    /// The team with most of the signed-in time; of several, the one that the agent belonged to last.
    fn team(&self, days: &[&Day]) -> Option<Id> {
        let end = days.last()?.span.end;
        let mut sums: Vec<(Id, i64)> = Vec::with_capacity(2);
        for (team, time) in days.iter().flat_map(|day| &day.teams) {
            match sums.iter_mut().find(|(known, _)| known == team) {
                Some((_, sum)) => *sum += time,
                None => sums.push((*team, *time)),
            }
        }
        let most = sums.iter().map(|(_, time)| *time).max().filter(|most| *most > 0)?;
        sums.retain(|(_, time)| *time == most);
        if let [(only, _)] = sums.as_slice() {
            return Some(*only);
        }
        let last = self
            .reference
            .teams(self.agent)
            .iter()
            .rev()
            .find(|(from, team)| *from < end && sums.iter().any(|(tied, _)| tied == team));
        last.map(|(_, team)| *team).or_else(|| sums.iter().map(|(team, _)| *team).min())
    }

    fn efficiency(&self, team: Id, start: Micros, inbound: i64, available: i64) -> (bool, bool) {
        let target = self.target_of(team, start);
        let measured = available >= MEASURED_MIN;
        (measured, measured && target.is_met(inbound, available))
    }

    /// The target that counts for a day or month that begins at `start`.
    pub(crate) fn target_of(&self, team: Id, start: Micros) -> EfficiencyTarget {
        self.target.unwrap_or_else(|| self.reference.efficiency_target(self.agent, team, start))
    }

    /// The allowances that a day went beyond.
    pub(crate) fn broken<'a>(&'a self, day: &'a Day, team: Id) -> impl Iterator<Item = Broken> + 'a {
        let start = day.span.start;
        let allowance = self.reference.allowance(team, start);
        let total = allowance.and_then(|allowance| allowance.total).and_then(|limit| {
            let counts = |absence: &&Absence| !self.reference.is_productive(absence.reason, start);
            let away = day.absences.iter().filter(counts).map(length).sum();
            above(away, limit.0, |limit| Broken::Total(away, limit))
        });
        let sign_ins = allowance.and_then(|allowance| allowance.sign_ins);
        let sign_ins = sign_ins.and_then(|limit| {
            above(day.sign_ins, limit.into(), |limit| Broken::SignIns(day.sign_ins, limit))
        });
        let reasons = reasons_of(day).into_iter().flat_map(move |reason| {
            let limits = self.reference.limits(allowance, reason, start);
            of_reason(day, reason, limits)
        });
        let meals = allowance.and_then(|allowance| allowance.meals.as_ref());
        let meals = meals.into_iter().flat_map(|meals| of_meals(day, meals, self.reference.calendar()));
        total.into_iter().chain(reasons).chain(meals).chain(sign_ins)
    }

    /// What held when the day began, for the words.
    pub(crate) fn allowance(&self, day: &Day, team: Id) -> Option<&Allowance> {
        self.reference.allowance(team, day.span.start)
    }
}

fn length(absence: &Absence) -> i64 {
    absence.to.minus(absence.from).0
}

/// A limit is inclusive.
fn above(actual: i64, limit: i64, broken: impl FnOnce(i64) -> Broken) -> Option<Broken> {
    (actual > limit).then(|| broken(limit))
}

/// The reasons that a day knows, each once; in an order that does not hang on numbers would need texts, and none is needed.
fn reasons_of(day: &Day) -> Vec<Detail> {
    let mut reasons: Vec<Detail> = day.absences.iter().map(|absence| absence.reason).collect();
    reasons.extend(day.went.iter().map(|(reason, _)| *reason));
    reasons.sort_unstable();
    reasons.dedup();
    reasons
}

fn of_reason(day: &Day, reason: Detail, limits: ReasonLimits) -> Vec<Broken> {
    let own = || day.absences.iter().filter(|absence| absence.reason == reason).map(length);
    let times = went(day, |other| other == reason);
    let (longest, total) = (own().max().unwrap_or(0), own().sum());
    let longest = limits
        .longest
        .and_then(|limit| above(longest, limit.0, |limit| Broken::Longest(reason, longest, limit)));
    let total = limits
        .total
        .and_then(|limit| above(total, limit.0, |limit| Broken::ReasonTotal(reason, total, limit)));
    let count = limits
        .count
        .and_then(|limit| above(times, limit.into(), |limit| Broken::ReasonCount(reason, times, limit)));
    longest.into_iter().chain(total).chain(count).collect()
}

fn went(day: &Day, wanted: impl Fn(Detail) -> bool) -> i64 {
    day.went.iter().filter(|(reason, _)| wanted(*reason)).map(|(_, times)| times).sum()
}

fn of_meals(day: &Day, meals: &Meals, calendar: &Calendar) -> Vec<Broken> {
    let is_meal = |reason: Detail| {
        let code = |known: &Id| Reason::Code(*known).detail() == reason;
        meals.reasons.iter().any(code)
    };
    let mut own: Vec<Absence> =
        day.absences.iter().filter(|absence| is_meal(absence.reason)).copied().collect();
    own.sort_unstable_by_key(|absence| (absence.from, absence.to));
    let times = went(day, is_meal);
    let count =
        meals.count.and_then(|limit| above(times, limit.into(), |limit| Broken::MealCount(times, limit)));
    let longest = own.iter().map(length).max().unwrap_or(0);
    let longest =
        meals.longest.and_then(|limit| above(longest, limit.0, |limit| Broken::MealLongest(longest, limit)));
    let outside = meals.hours.into_iter().flat_map(|hours| {
        let outside = own.iter().filter(move |absence| !is_within(absence, hours, day, calendar));
        outside.map(|absence| Broken::MealHours(absence.from, absence.to))
    });
    count.into_iter().chain(longest).chain(outside).collect()
}

/// Whether an absence lies within hours of the local clock; the day's end is 24:00.
fn is_within(absence: &Absence, hours: LocalHours, day: &Day, calendar: &Calendar) -> bool {
    let minute = |minute: u16| Micros(i64::from(minute) * Micros::MINUTE.0);
    let (from, to) = (minute(hours.from_minute), minute(hours.to_minute));
    let begins = calendar.clock_time(absence.from);
    let ends = if absence.to == day.span.end { minute(DAY_MINUTES) } else { calendar.clock_time(absence.to) };
    if from < to { from <= begins && ends <= to } else { from <= begins || ends <= to }
}
