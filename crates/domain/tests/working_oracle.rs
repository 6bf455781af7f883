//! Working time against a count minute by minute, over random calendars. `WORKING_SEED` says which seed only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod working_support;

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use pegcount_domain::{
    allowance::ZoneName,
    calendar::{Date, MakeUpDay, Weekday},
    time::Micros,
    working::{DayChange, DayPlan, Hours, WeekWindow, WorkingCalendar, WorkingHistory, WorkingRules},
};
use working_support::*;

const ZONES: &[&str] = &["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"];
const SEEDS: u64 = 16;
const QUESTIONS: usize = 400;

fn hours_of(dice: &mut Dice) -> Hours {
    let grain = *dice.pick(&[1, 15, 30, 60]);
    loop {
        let from = u16::try_from(dice.below(1440 / grain) * grain).unwrap();
        let to = u16::try_from((dice.below(1440 / grain) + 1) * grain).unwrap();
        if from != to {
            return Hours::new(from, to);
        }
    }
}

fn date_in(dice: &mut Dice, year: i64) -> Date {
    loop {
        let (month, day) = (dice.between(1, 13), dice.between(1, 32));
        if format!("{year}-{month:02}-{day:02}").parse::<jiff::civil::Date>().is_ok() {
            return Date(u32::try_from(year * 10_000 + month * 100 + day).unwrap());
        }
    }
}

/// A minute of the year, or of the days around it.
fn minute_in(dice: &mut Dice, year: i64) -> Micros {
    let start = at(&format!("{year}-01-01T00:00Z"));
    Micros(start.0 + dice.between(-3_000, 366 * 1440) * Micros::MINUTE.0)
}

fn rules_of(dice: &mut Dice, year: i64, zone: &str) -> WorkingRules {
    let mut week = Vec::new();
    for day in Weekday::ALL {
        for _ in 0..dice.below(4) {
            week.push(WeekWindow { day: *day, hours: hours_of(dice) });
        }
    }
    let holidays = (0..dice.below(30)).map(|_| date_in(dice, year)).collect();
    let mut make_up_days: Vec<MakeUpDay> = Vec::new();
    for _ in 0..dice.below(20) {
        let made_up = MakeUpDay { date: date_in(dice, year), like: *dice.pick(Weekday::ALL) };
        if make_up_days.iter().all(|known| known.date != made_up.date) {
            make_up_days.push(made_up);
        }
    }
    WorkingRules { time_zone: ZoneName::new(zone), week, holidays, make_up_days, valid_from: Micros::ZERO }
}

fn history_of(dice: &mut Dice, year: i64) -> WorkingHistory {
    let zone = *dice.pick(ZONES);
    let mut history = WorkingHistory::of(rules_of(dice, year, zone));
    if dice.one_in(4) {
        history.rules[0].valid_from = minute_in(dice, year);
    }
    for _ in 0..dice.below(4) {
        let zone = if dice.one_in(3) { *dice.pick(ZONES) } else { zone };
        let mut rules = rules_of(dice, year, zone);
        rules.valid_from = minute_in(dice, year);
        history.rules.push(rules);
    }
    for _ in 0..dice.below(40) {
        let plan = match dice.below(5) {
            0 => DayPlan::AsUsual,
            1 => DayPlan::Closed,
            2 => DayPlan::Like(*dice.pick(Weekday::ALL)),
            _ => DayPlan::Hours((0..dice.below(4)).map(|_| hours_of(dice)).collect()),
        };
        let date = date_in(dice, year);
        history.changes.push(DayChange { date, plan, valid_from: minute_in(dice, year) });
    }
    history
}

/// What a wall clock has shown so far at most, minute by minute: a fold does not take it back.
struct Wall {
    zone: TimeZone,
    farthest: i64,
}

impl Wall {
    fn new(zone: &str, minute: i64) -> Self {
        let mut wall = Self { zone: TimeZone::get(zone).unwrap(), farthest: i64::MIN };
        for before in minute - 3 * 1440..minute {
            wall.tick(before);
        }
        wall
    }

    fn tick(&mut self, minute: i64) {
        let offset = self.zone.to_offset(Timestamp::from_second(minute * 60).unwrap());
        self.farthest = self.farthest.max(minute + i64::from(offset.seconds()) / 60);
    }
}

/// The hours of a date, by what is in force at a minute; word for word what the rules say.
fn hours_on(history: &WorkingHistory, rules: &WorkingRules, now: Micros, day: i64) -> Vec<Hours> {
    let civil = jiff::tz::Offset::UTC.to_datetime(Timestamp::from_second(day * 86_400).unwrap()).date();
    let number = u32::try_from(i32::from(civil.year()) * 10_000).unwrap()
        + u32::try_from(i32::from(civil.month()) * 100 + i32::from(civil.day())).unwrap();
    let weekday = Weekday::from_code(civil.weekday().to_monday_one_offset().unsigned_abs().into()).unwrap();
    let like = |like: Weekday| {
        rules.week.iter().filter(|window| window.day == like).map(|window| window.hours).collect::<Vec<_>>()
    };
    let in_force =
        history.changes.iter().filter(|change| change.date.0 == number && change.valid_from <= now);
    match in_force.max_by_key(|change| change.valid_from).map(|change| &change.plan) {
        Some(DayPlan::Closed) => return Vec::new(),
        Some(DayPlan::Like(day)) => return like(*day),
        Some(DayPlan::Hours(hours)) => return hours.clone(),
        Some(DayPlan::AsUsual) | None => {}
    }
    if let Some(made_up) = rules.make_up_days.iter().find(|made_up| made_up.date.0 == number) {
        return like(made_up.like);
    }
    if rules.holidays.iter().any(|holiday| holiday.0 == number) { Vec::new() } else { like(weekday) }
}

/// Working time, minute by minute.
struct Oracle {
    first: i64,
    works: Vec<bool>,
    /// Minutes worked before each.
    before: Vec<i64>,
    /// The date that each belongs to; none before the first definition.
    belongs: Vec<Option<i64>>,
    /// Of each date with work the minute after its last.
    ends: BTreeMap<i64, i64>,
}

impl Oracle {
    fn new(history: &WorkingHistory, year: i64) -> Self {
        let first = at(&format!("{year}-01-01T00:00Z")).0 / Micros::MINUTE.0 - 2 * 1440;
        let count = 370 * 1440;
        let mut walls = BTreeMap::new();
        for zone in ZONES {
            walls.insert(*zone, Wall::new(zone, first));
        }
        let (mut works, mut before, mut worked) = (Vec::new(), Vec::new(), 0);
        let (mut belongs, mut last) = (Vec::new(), BTreeMap::new());
        // What was found for a day stays so until something else comes into force.
        let mut known: BTreeMap<(usize, usize, i64), Vec<Hours>> = BTreeMap::new();
        for minute in first..first + count {
            for wall in walls.values_mut() {
                wall.tick(minute);
            }
            let now = Micros(minute * Micros::MINUTE.0);
            let in_force = history.rules.iter().enumerate().filter(|(_, rules)| rules.valid_from <= now);
            let found = in_force.max_by_key(|(_, rules)| rules.valid_from).map(|(index, rules)| {
                let wall = walls[rules.time_zone.as_str()].farthest;
                let changes = history.changes.iter().filter(|change| change.valid_from <= now).count();
                let (day, shown) = (wall.div_euclid(1440), wall.rem_euclid(1440));
                let mut holds = |day: i64, shown: i64| {
                    let hours = known
                        .entry((index, changes, day))
                        .or_insert_with(|| hours_on(history, rules, now, day));
                    let end =
                        |hours: &Hours| i64::from(hours.to) + if hours.to > hours.from { 0 } else { 1440 };
                    hours.iter().any(|hours| i64::from(hours.from) <= shown && shown < end(hours))
                };
                (day, holds(day, shown), holds(day - 1, shown + 1440))
            });
            let (today, night) = found.map_or((false, false), |(_, today, night)| (today, night));
            let is_worked = today || night;
            belongs.push(found.map(|(day, ..)| day - i64::from(night && !today)));
            if let Some((day, ..)) = found {
                last.extend(today.then_some((day, minute + 1)));
                last.extend(night.then_some((day - 1, minute + 1)));
            }
            before.push(worked);
            works.push(is_worked);
            worked += i64::from(is_worked);
        }
        before.push(worked);
        Self { first, works, before, belongs, ends: last }
    }

    fn place(&self, at: Micros) -> (usize, i64) {
        let minute = at.0.div_euclid(Micros::MINUTE.0) - self.first;
        (usize::try_from(minute).unwrap(), at.0.rem_euclid(Micros::MINUTE.0))
    }

    /// Working microseconds from the oracle's first minute to `at`.
    fn until(&self, at: Micros) -> i64 {
        let (minute, rest) = self.place(at);
        self.before[minute] * Micros::MINUTE.0 + if self.works[minute] { rest } else { 0 }
    }

    /// The end of the working day that is so many after that of `at`; none if it comes close to the year's end.
    fn day_end(&self, at: Micros, days: u32) -> Option<Micros> {
        let today = self.belongs[self.place(at).0]?;
        let from = today + i64::from(days > 0);
        let minute = |end: i64| Micros(end * Micros::MINUTE.0);
        let mut ends = self.ends.range(from..).filter(|(_, end)| minute(**end) > at);
        let (_, end) = ends.nth(usize::try_from(days.max(1)).unwrap() - 1)?;
        let close = self.first + i64::try_from(self.works.len()).unwrap() - 3 * 1440;
        (*end < close).then(|| minute(*end))
    }

    /// Walks on until `amount` was worked; none if it would walk out of the year.
    fn walk(&self, from: Micros, amount: i64) -> Option<Micros> {
        let wanted = self.until(from) + amount;
        let (mut minute, rest) = self.place(from);
        let mut now = from.0 - rest;
        if amount == 0 {
            return Some(from);
        }
        if amount > 0 {
            while self.before[minute + 1] * Micros::MINUTE.0 < wanted {
                (minute, now) = (minute + 1, now + Micros::MINUTE.0);
                self.works.get(minute)?;
            }
        } else {
            while self.before[minute] * Micros::MINUTE.0 > wanted || !self.works[minute] {
                minute = minute.checked_sub(1)?;
                now -= Micros::MINUTE.0;
            }
        }
        Some(Micros(now + wanted - self.before[minute] * Micros::MINUTE.0))
    }
}

#[test]
fn every_answer_is_that_of_counting_minute_by_minute() {
    let seeds = seeds("WORKING_SEED", 1, SEEDS);
    let (mut added, mut taken) = (0, 0);
    for seed in &seeds {
        let seed = *seed;
        let mut dice = Dice(seed);
        let year = dice.between(2000, 2041);
        let history = history_of(&mut dice, year);
        let calendar = WorkingCalendar::new(&history).unwrap();
        let oracle = Oracle::new(&history, year);
        let start = at(&format!("{year}-01-01T00:00Z"));
        let instant = |dice: &mut Dice| match dice.below(3) {
            0 => Micros(start.0 + dice.between(0, 366 * 1440) * Micros::MINUTE.0),
            _ => Micros(start.0 + dice.between(0, 366 * 24 * Micros::HOUR.0)),
        };
        let said = |what: &str| format!("seed {seed}, year {year}: {what}\n{history:#?}");
        for _ in 0..QUESTIONS {
            let (from, to) = (instant(&mut dice), instant(&mut dice));
            let works = calendar.works_at(from).unwrap();
            assert_eq!(works, oracle.works[oracle.place(from).0], "{}", said(&format!("works at {from}")));
            let between = calendar.between(from, to).unwrap().0;
            let counted = oracle.until(to) - oracle.until(from);
            assert_eq!(between, counted, "{}", said(&format!("between {from} and {to}")));
            let opens = calendar.opens(from);
            if let Ok(opens) = opens
                && opens.0 < start.0 + 366 * 24 * Micros::HOUR.0
            {
                assert!(oracle.works[oracle.place(opens).0] && from <= opens, "{}", said("opens"));
                assert_eq!(
                    oracle.until(opens),
                    oracle.until(from),
                    "{}",
                    said(&format!("opens after {from}"))
                );
            }
            let days = u32::try_from(dice.below(8)).unwrap();
            if let Some(end) = oracle.day_end(from, days) {
                let told = calendar.day_end(from, days).unwrap();
                assert_eq!(told, end, "{}", said(&format!("{days} working days after {from}")));
            }
            let amount = match dice.below(3) {
                0 => dice.between(-2_000, 2_000) * Micros::MINUTE.0,
                1 => dice.between(-400, 400) * Micros::HOUR.0,
                _ => dice.between(-100 * Micros::HOUR.0, 100 * Micros::HOUR.0),
            };
            let Some(walked) = oracle.walk(from, amount) else { continue };
            let after = calendar.after(from, Micros(amount)).unwrap();
            assert_eq!(after, walked, "{}", said(&format!("{amount}us after {from}")));
            assert_eq!(calendar.between(from, after).unwrap(), Micros(amount), "{}", said("there and back"));
            (added, taken) = (added + usize::from(amount > 0), taken + usize::from(amount < 0));
        }
    }
    // Some calendars hardly work at all; most do.
    let enough = 50 * seeds.len();
    assert!(
        seeds.len() == 1 || added > enough && taken > enough,
        "{added} and {taken} questions about amounts"
    );
}

#[test]
fn over_many_years_parts_sum_to_the_whole_and_what_is_added_can_be_measured() {
    for seed in seeds("WORKING_SEED", 1_000, SEEDS) {
        let mut dice = Dice(seed);
        let history = history_of(&mut dice, 2020);
        let calendar = WorkingCalendar::new(&history).unwrap();
        for _ in 0..QUESTIONS {
            let mut any = || Micros(dice.between(0, WorkingCalendar::COVERS.end.0));
            let (a, b, c) = (any(), any(), any());
            let between = |from, to| calendar.between(from, to).unwrap().0;
            assert_eq!(
                between(a, b) + between(b, c),
                between(a, c),
                "seed {seed}: {a} {b} {c}\n{history:#?}"
            );
            let amount = Micros(dice.between(-50_000, 50_000) * Micros::HOUR.0);
            if let Ok(after) = calendar.after(a, amount) {
                assert_eq!(between(a, after), amount.0, "seed {seed}: {a} and {amount}\n{history:#?}");
                assert!((after >= a) == (amount.0 >= 0), "seed {seed}: {a} and {amount}\n{history:#?}");
            }
        }
    }
}
