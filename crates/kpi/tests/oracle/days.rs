//! Agent-days and agent-months: what each agent's local days came to, by brute force.
//!
//! A day is a run of quarters of an hour that show the same date on the wall, under the same zone. It is judged once it has
//! ended: by the allowance that was in force when it began, of the team in which most of its signed-in time was spent.
//!
//! Invariant: nothing is added up on the way: every day looks through all spans of its agent.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, tz::TimeZone};
use pegcount_domain::{
    allowance::AllowanceDefinition,
    ids::{Key, ReasonCode, TeamId},
    target::{Comparison, TargetScope},
    time::{Interval, Micros},
};
use pegcount_kpi::EfficiencyTarget;

use super::{About, Counted, Oracle, Said, Why};

/// What an agent did, for days.
#[derive(Clone, Debug, Default)]
pub struct Deeds {
    /// From, to, away for what (none: there, or with the connection lost), whether the connection was lost.
    pub signed_in: Vec<(Micros, Micros, Option<Why>, bool)>,
    pub sign_ins: Vec<Micros>,
    pub went: Vec<(Micros, Why)>,
    pub inbound: Vec<Micros>,
}

/// A day or a month that may be above a target.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    pub about: About,
    /// When its first day began.
    pub start: Micros,
    pub end: Micros,
    pub inbound: i64,
    pub available: i64,
    pub month: bool,
}

type Part = (Micros, Micros);

/// Days of a month.
type Days = Vec<(Part, i64, i64)>;

impl Oracle {
    pub fn days(&mut self) {
        let deeds: Vec<(Key, Deeds)> = self.deeds.clone().into_iter().collect();
        for (agent, deeds) in deeds {
            let Some(from) = deeds.signed_in.iter().map(|span| span.0).min() else { continue };
            let to = deeds.signed_in.iter().map(|span| span.1).max().unwrap();
            let mut months: BTreeMap<(usize, i32), Days> = BTreeMap::new();
            for (day, month) in self.local_days(from, to) {
                if day.1 > self.as_of {
                    continue;
                }
                if let Some((inbound, available)) = self.day(agent, &deeds, day) {
                    months.entry(month).or_default().push((day, inbound, available));
                }
            }
            for (month, days) in months {
                self.month(agent, &deeds, month, &days);
            }
        }
    }

    /// From when each zone held, sorted; the name of each differs from the one before it.
    fn zones(&self) -> Vec<(Micros, TimeZone)> {
        let mut changes: Vec<(Micros, String)> = self
            .definitions
            .sites()
            .map(|site| {
                // The next quarter of an hour.
                let quarter = Interval::LENGTH.0;
                let from = (site.valid_from.0 + quarter - 1).div_euclid(quarter) * quarter;
                (Micros(from), site.time_zone.as_str().to_owned())
            })
            .collect();
        changes.sort_by_key(|(from, _)| *from);
        let (mut now, mut zones) = ("UTC".to_owned(), Vec::new());
        for (index, (from, name)) in changes.iter().enumerate() {
            // Of two within one quarter the later one holds.
            let is_last = changes.get(index + 1).is_none_or(|(next, _)| next != from);
            if is_last && *name != now {
                now.clone_from(name);
                zones.push((*from, TimeZone::get(name).unwrap()));
            }
        }
        zones
    }

    /// The zone at an instant, and how often it had become another one by then.
    fn zone(&self, at: Micros) -> (TimeZone, usize) {
        let zones = self.zones.get_or_init(|| self.zones());
        let count = zones.iter().filter(|(from, _)| *from <= at).count();
        let now = count.checked_sub(1).map_or(TimeZone::UTC, |last| zones[last].1.clone());
        (now, count)
    }

    /// Zone, and days since whenever, and months since whenever, as the wall shows them.
    fn face(&self, at: Micros) -> (usize, i32, i32) {
        let (zone, count) = self.zone(at);
        let date = Timestamp::from_microsecond(at.0).unwrap().to_zoned(zone).date();
        let month = i32::from(date.year()) * 12 + i32::from(date.month());
        (count, month * 40 + i32::from(date.day()), month)
    }

    /// The days that a stretch of time touches, each with its month.
    fn local_days(&self, from: Micros, to: Micros) -> Vec<(Part, (usize, i32))> {
        let mut at = Interval::containing(from).start();
        while at > Micros(0) && self.face(at.minus(Micros(1))) == self.face(at) {
            at = at.minus(Interval::LENGTH);
        }
        let mut days: Vec<(Part, (usize, i32))> = Vec::new();
        while at <= to {
            let face = self.face(at);
            let end = Self::until(at, |at| self.face(at) == face);
            days.push(((at, end), (face.0, face.2)));
            at = end;
        }
        days
    }

    /// The first quarter of an hour from `at` on that is not like it. What the wall shows never comes back.
    fn until(mut at: Micros, is_like: impl Fn(Micros) -> bool) -> Micros {
        let step = Micros(12 * Micros::HOUR.0);
        while is_like(at.plus(step)) {
            at = at.plus(step);
        }
        while is_like(at) {
            at = at.plus(Interval::LENGTH);
        }
        at
    }

    fn month_end(&self, day: Part) -> Micros {
        let face = |at| {
            let (count, _, month) = self.face(at);
            (count, month)
        };
        let own = face(day.0);
        Self::until(day.0, |at| face(at) == own)
    }

    /// Judges a day; gives the inbound contacts and the time available, if the agent was signed in on it.
    fn day(&mut self, agent: Key, deeds: &Deeds, day: Part) -> Option<(i64, i64)> {
        let team = self.day_team(agent, deeds, &[day])?;
        let within = |at: &Micros| day.0 <= *at && *at < day.1;
        let available: i64 = deeds
            .signed_in
            .iter()
            .filter(|(_, _, away, lost)| away.is_none() && !lost)
            .map(|(from, to, ..)| overlap((*from, *to), day))
            .sum();
        let inbound = i64::try_from(deeds.inbound.iter().filter(|at| within(at)).count()).unwrap();
        let about = About { agent: Some(agent), team, ..About::default() };
        let last = day.1.minus(Micros(1));
        self.at(last, None, "agent_days", about, 1);
        if self.is_allowed(deeds, day, team) {
            self.at(last, None, "agent_days_compliant", about, 1);
        }
        if available >= 3_600_000_000 {
            self.at(last, None, "agent_days_measured", about, 1);
            self.measured.push(Measured {
                about,
                start: day.0,
                end: day.1,
                inbound,
                available,
                month: false,
            });
        }
        Some((inbound, available))
    }

    fn month(&mut self, agent: Key, deeds: &Deeds, month: (usize, i32), days: &[(Part, i64, i64)]) {
        let end = self.month_end(days[0].0);
        let _ = month;
        if end > self.as_of {
            return;
        }
        let parts: Vec<Part> = days.iter().map(|(day, ..)| *day).collect();
        let Some(team) = self.day_team(agent, deeds, &parts) else { return };
        let inbound = days.iter().map(|(_, inbound, _)| inbound).sum();
        let available = days.iter().map(|(.., available)| available).sum();
        if available >= 3_600_000_000 {
            let (about, start) = (About { agent: Some(agent), team, ..About::default() }, days[0].0.0);
            self.at(end.minus(Micros(1)), None, "agent_months_measured", about, 1);
            self.measured.push(Measured { about, start, end, inbound, available, month: true });
        }
    }

    /// The team with most signed-in time; of several, the one to which the agent belonged last.
    fn day_team(&self, agent: Key, deeds: &Deeds, days: &[Part]) -> Option<Said> {
        let mut cuts: BTreeSet<Micros> = days.iter().flat_map(|day| [day.0, day.1]).collect();
        cuts.extend(
            self.definitions
                .agents()
                .filter(|defined| defined.agent.0 == agent)
                .map(|defined| defined.valid_from),
        );
        let cuts: Vec<Micros> = cuts.into_iter().collect();
        // Team, how long, and the last instant of membership looked at.
        let mut teams: Vec<(Said, i64, Micros)> = Vec::new();
        for pair in cuts.windows(2) {
            let piece = (pair[0], pair[1]);
            if !days.iter().any(|day| day.0 <= piece.0 && piece.1 <= day.1) {
                continue;
            }
            let team = self.team(Some(agent), piece.0);
            let time: i64 = deeds.signed_in.iter().map(|(from, to, ..)| overlap((*from, *to), piece)).sum();
            match teams.iter_mut().find(|known| known.0 == team) {
                Some(known) => (known.1, known.2) = (known.1 + time, piece.0),
                None => teams.push((team, time, piece.0)),
            }
        }
        let best = teams.into_iter().max_by_key(|(_, time, last)| (*time, *last))?;
        (best.1 > 0).then_some(best.0)
    }

    fn allowance(&self, team: Said, at: Micros) -> Option<AllowanceDefinition<Key>> {
        let latest = |team: Option<TeamId<Key>>| {
            let own = self.definitions.allowances().filter(|one| one.team == team && one.valid_from <= at);
            own.max_by_key(|one| one.valid_from).cloned()
        };
        team.and_then(|team| latest(Some(TeamId(team)))).or_else(|| latest(None))
    }

    fn is_allowed(&self, deeds: &Deeds, day: Part, team: Said) -> bool {
        let allowance = self.allowance(team, day.0);
        let absences: Vec<(Part, Why)> = deeds
            .signed_in
            .iter()
            .filter_map(|(from, to, away, _)| Some(((*from, *to), (*away)?)))
            .filter(|(span, _)| overlap(*span, day) > 0)
            .map(|((from, to), why)| ((from.max(day.0), to.min(day.1)), why))
            .collect();
        let within = |at: &Micros| day.0 <= *at && *at < day.1;
        let length = |span: &Part| span.1.0 - span.0.0;
        let of = |why: Why| absences.iter().filter(move |(_, own)| *own == why).map(|(span, _)| *span);
        let went = |why: Why| deeds.went.iter().filter(|(at, own)| within(at) && *own == why).count();
        let defined = |why: Why| match why {
            Why::Reason(reason) => self.definitions.reason_at(&ReasonCode(reason), day.0).copied(),
            _ => None,
        };
        let mut known: BTreeSet<Why> = absences.iter().map(|(_, why)| *why).collect();
        known.extend(deeds.went.iter().filter(|(at, _)| within(at)).map(|(_, why)| *why));
        let reasons_allowed = known.iter().all(|why| {
            let said = allowance.as_ref().and_then(|allowance| {
                allowance.reasons.iter().find(|reason| Why::Reason(reason.reason.0) == *why)
            });
            let longest =
                said.and_then(|said| said.longest).or(defined(*why).and_then(|reason| reason.longest));
            let total = said.and_then(|said| said.total);
            let count = said.and_then(|said| said.count);
            longest.is_none_or(|longest| of(*why).all(|span| length(&span) <= longest.0))
                && total.is_none_or(|total| of(*why).map(|span| length(&span)).sum::<i64>() <= total.0)
                && count.is_none_or(|count| went(*why) <= usize::try_from(count).unwrap())
        });
        let Some(allowance) = allowance else { return reasons_allowed };
        let away: i64 = absences
            .iter()
            .filter(|(_, why)| !defined(*why).is_some_and(|reason| reason.productive))
            .map(|(span, _)| length(span))
            .sum();
        let meals_allowed = allowance.meals.as_ref().is_none_or(|meals| {
            let meal = |why: &Why| meals.reasons.iter().any(|reason| Why::Reason(reason.0) == *why);
            let own: Vec<Part> =
                absences.iter().filter(|(_, why)| meal(why)).map(|(span, _)| *span).collect();
            let times = deeds.went.iter().filter(|(at, why)| within(at) && meal(why)).count();
            meals.count.is_none_or(|count| times <= usize::try_from(count).unwrap())
                && meals.longest.is_none_or(|longest| own.iter().all(|span| length(span) <= longest.0))
                && meals.hours.is_none_or(|hours| {
                    let (from, to) = (i64::from(hours.from_minute), i64::from(hours.to_minute));
                    own.iter().all(|span| self.is_within(*span, day, from, to))
                })
        });
        let sign_ins = deeds.sign_ins.iter().filter(|at| within(at)).count();
        reasons_allowed
            && meals_allowed
            && allowance.total.is_none_or(|total| away <= total.0)
            && allowance.sign_ins.is_none_or(|most| sign_ins <= usize::try_from(most).unwrap())
    }

    /// The target for this agent, else for the team that the day counts for, else for each agent, else for each team, else more
    /// than 20.
    fn efficiency_target(&self, measured: &Measured) -> EfficiencyTarget {
        let names: BTreeSet<Key> = self.definitions.targets().map(|target| target.target).collect();
        let in_force = names.into_iter().filter_map(|name| {
            let own = self.definitions.targets().filter(|target| target.target == name);
            own.filter(|target| target.valid_from <= measured.start).max_by_key(|target| target.valid_from)
        });
        let in_force: Vec<_> =
            in_force.filter(|target| target.column.as_str() == "contacts_per_hour_inbound").collect();
        let (agent, team) = (measured.about.agent.unwrap(), measured.about.team);
        let scopes = [
            Some(TargetScope::Agent(Some(agent))),
            team.map(|team| TargetScope::Team(Some(team))),
            Some(TargetScope::Agent(None)),
            team.map(|_| TargetScope::Team(None)),
        ];
        for scope in scopes.into_iter().flatten() {
            let own = in_force.iter().filter(|target| target.scope == scope && target.value.is_some());
            if let Some(target) = own.max_by_key(|target| (target.valid_from, target.target)) {
                return EfficiencyTarget { millionths: target.value.unwrap(), comparison: target.comparison };
            }
        }
        EfficiencyTarget::default()
    }

    /// Whether the wall shows the hours at both ends of a meal.
    fn is_within(&self, meal: Part, day: Part, from: i64, to: i64) -> bool {
        let shown = |at: Micros| {
            let time = Timestamp::from_microsecond(at.0).unwrap().to_zoned(self.zone(day.0).0).time();
            let seconds =
                (i64::from(time.hour()) * 60 + i64::from(time.minute())) * 60 + i64::from(time.second());
            seconds * 1_000_000 + i64::from(time.subsec_nanosecond()) / 1_000
        };
        let begins = shown(meal.0) >= from * 60_000_000;
        let ends = if meal.1 == day.1 { 24 * 60 <= to } else { shown(meal.1) <= to * 60_000_000 };
        if from < to { begins && ends } else { begins || ends }
    }

    /// The days and months that are above a target.
    pub fn above(&self, target: Option<EfficiencyTarget>) -> Vec<Counted> {
        let is_above = |measured: &&Measured| {
            let EfficiencyTarget { millionths, comparison } =
                target.unwrap_or_else(|| self.efficiency_target(measured));
            let actual = i128::from(measured.inbound) * 1_000_000 * 3_600_000_000;
            let wanted = i128::from(millionths) * i128::from(measured.available);
            match comparison {
                Comparison::Above => actual > wanted,
                Comparison::AtLeast => actual >= wanted,
                Comparison::AtMost => actual <= wanted,
                Comparison::Below => actual < wanted,
            }
        };
        let counted = |measured: &Measured| Counted {
            column: if measured.month { "agent_months_over_target" } else { "agent_days_over_target" },
            attribution: None,
            interval: Interval::containing(measured.end.minus(Micros(1))),
            about: measured.about,
            amount: 1,
            at: measured.end.minus(Micros(1)),
            is_span: false,
        };
        self.measured.iter().filter(is_above).map(counted).collect()
    }
}

fn overlap(one: Part, other: Part) -> i64 {
    (one.1.min(other.1).0 - one.0.max(other.0).0).max(0)
}
