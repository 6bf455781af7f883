//! How many questions a working calendar of a year answers in a second.
//!
//! `cargo run --release -p pegcount-domain --example working_speed`

use std::{hint::black_box, time::Instant};

use pegcount_domain::{
    allowance::ZoneName,
    calendar::{Date, MakeUpDay, Weekday},
    time::Micros,
    working::{Hours, WeekWindow, WorkingCalendar, WorkingError, WorkingHistory, WorkingRules},
};

const QUESTIONS: u32 = 2_000_000;
const YEAR: i64 = 365 * 24 * Micros::HOUR.0;
/// 2026-01-01 UTC.
const START: i64 = 1_767_225_600_000_000;

fn main() -> Result<(), WorkingError> {
    let windows = [Hours::new(540, 720), Hours::new(780, 1_080), Hours::new(1_320, 360)];
    let on = |day: &Weekday| windows.map(|hours| WeekWindow { day: *day, hours });
    let history = WorkingHistory::of(WorkingRules {
        time_zone: ZoneName::new("America/New_York"),
        week: Weekday::ALL.iter().flat_map(on).collect(),
        holidays: (1..=12).map(|month| Date(20_260_010 + month * 100)).collect(),
        make_up_days: vec![MakeUpDay { date: Date(20_260_210), like: Weekday::Monday }],
        valid_from: Micros::ZERO,
    });
    let began = Instant::now();
    let calendar = WorkingCalendar::new(&history)?;
    calendar.between(Micros(START), Micros(START + YEAR))?;
    println!("made, with its first year: {:?}", began.elapsed());
    let hour = Micros::HOUR.0;
    measure("works_at", |from, _| calendar.works_at(from).map(i64::from))?;
    measure("between, a year", |from, to| calendar.between(from, to).map(|worked| worked.0))?;
    measure("after, up to 200 h", |from, to| {
        calendar.after(from, Micros(to.0 % (200 * hour))).map(|at| at.0)
    })?;
    measure("after, backwards", |from, to| {
        calendar.after(from, Micros(-(to.0 % (200 * hour)))).map(|at| at.0)
    })?;
    measure("day_end, up to 5", |from, to| {
        calendar.day_end(from, u32::try_from(to.0 % 6).unwrap_or(0)).map(|at| at.0)
    })
}

fn measure(
    what: &str,
    ask: impl Fn(Micros, Micros) -> Result<i64, WorkingError>,
) -> Result<(), WorkingError> {
    let mut state = 1_u64;
    let mut instant = || {
        // An LCG: cheap beside what is measured, and without order.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Micros(START + i64::try_from(state >> 2).unwrap_or(0) % YEAR)
    };
    let began = Instant::now();
    let mut sum = 0_i64;
    for _ in 0..QUESTIONS {
        let (from, to) = (instant(), instant());
        sum = sum.wrapping_add(black_box(ask(from, to)?));
    }
    let rate = f64::from(QUESTIONS) / began.elapsed().as_secs_f64();
    println!("{what}: {rate:.0} a second (check {sum})");
    Ok(())
}
