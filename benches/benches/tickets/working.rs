//! Working time over a year's calendar: an amount added to an instant, and measured between two.

use std::time::Instant;

use pegcount_benches::{
    Outcome,
    measure::{float, median, spread},
    table::Line,
};
use pegcount_domain::{
    allowance::ZoneName,
    calendar::{Date, Weekday},
    time::Micros,
    working::{Hours, WeekWindow, WorkingCalendar, WorkingHistory, WorkingRules},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};

/// 2026-01-01 00:00 UTC, and how long its year is.
const BEGIN: i64 = 1_767_225_600_000_000;
const YEAR: i64 = 365 * 24 * Micros::HOUR.0;
const QUESTIONS: usize = 400_000;
const ROUNDS: usize = 5;
/// The goal, answers a second.
const GOAL: f64 = 1e6;

pub(crate) fn measured() -> Outcome<Vec<Line>> {
    let calendar = calendar()?;
    let mut random = StdRng::seed_from_u64(7);
    let asked: Vec<(Micros, Micros, Micros)> = (0..QUESTIONS)
        .map(|_| {
            let at = |random: &mut StdRng| Micros(BEGIN + random.random_range(0..YEAR));
            let amount = Micros(random.random_range(1..30 * 9 * Micros::HOUR.0));
            (at(&mut random), at(&mut random), amount)
        })
        .collect();
    let (mut added, mut measured) = (Vec::new(), Vec::new());
    // The first answers work the year out.
    ask(&asked, |(from, _, amount)| calendar.after(from, amount))?;
    for _ in 0..ROUNDS {
        added.push(ask(&asked, |(from, _, amount)| calendar.after(from, amount))?);
        measured.push(ask(&asked, |(from, to, _)| calendar.between(from, to))?);
    }
    let line = |what: &str, rates: &[f64]| {
        let figure = format!("{what}, a second (of {} rounds {})", rates.len(), spread(rates, 0));
        Line::with_goal(figure, median(rates), 0, GOAL)
    };
    Ok(vec![
        line("working time added to an instant", &added),
        line("working time between two instants", &measured),
    ])
}

/// Answers a second.
fn ask<E: std::error::Error + Send + Sync + 'static>(
    asked: &[(Micros, Micros, Micros)],
    answer: impl Fn((Micros, Micros, Micros)) -> Result<Micros, E>,
) -> Outcome<f64> {
    let (begun, mut sum) = (Instant::now(), 0_i64);
    for question in asked {
        sum = sum.wrapping_add(answer(*question)?.0);
    }
    std::hint::black_box(sum);
    Ok(float(asked.len()) / begun.elapsed().as_secs_f64())
}

/// Mornings and afternoons in Rome, with twelve holidays.
fn calendar() -> Outcome<WorkingCalendar> {
    let days = [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
    let windows = |hours: Hours| days.map(move |day| WeekWindow { day, hours });
    let week = windows(Hours::new(8 * 60, 12 * 60)).into_iter().chain(windows(Hours::new(13 * 60, 18 * 60)));
    let rules = WorkingRules {
        time_zone: ZoneName::new("Europe/Rome"),
        week: week.collect(),
        holidays: (1..=12).map(|month| Date(20_260_006 + 100 * month)).collect(),
        make_up_days: Vec::new(),
        valid_from: Micros::ZERO,
    };
    Ok(WorkingCalendar::new(&WorkingHistory { rules: vec![rules], changes: Vec::new() })?)
}
