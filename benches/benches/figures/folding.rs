//! Folding: from the log with all decoding, of events that are decoded already, and of a fact that comes late.
//!
//! Invariant: a rate is per second of processor time of the thread that folds, so other programs change it little.

use std::{path::Path, time::Instant};

use futures_util::StreamExt;
use pegcount_benches::{
    Outcome,
    measure::{float, median},
    role::{tell, told_by},
    table::{Line, per_second},
};
use pegcount_domain::{
    envelope::{Position, Recorded, StreamKind, StreamName},
    event::Event,
    time::Micros,
};
use pegcount_engine::Figures;
use pegcount_kpi::{
    Kpi,
    workload::{Size, Workload, key},
};
use pegcount_log::{EventLog, SledLog, SledOptions};
use tokio::runtime::Runtime;

const FROM_LOG_MIN: f64 = 2_000_000.0;
const DECODED_MIN: f64 = 5_000_000.0;
const LATE_CACHED_MS_MAX: f64 = 2.0;
/// Events of the decoded fold, and its rounds.
const DECODED: usize = 1_000_000;
const ROUNDS: usize = 5;
const LATE_FACTS: u64 = 200;
/// Frames that are read, then folded.
const FRAMES: usize = 2_000;

pub(crate) fn lines(dir: &Path) -> Outcome<Vec<Line>> {
    let [from_log]: [f64; 1] = told_by("fold", dir)?;
    let centre = Size::default();
    let decoded =
        format!("fold of {DECODED} decoded events of {} agents, one core, median of 5", centre.agents);
    let events: Vec<Recorded> = Workload::new(centre).take(DECODED).collect();
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let mut kpi = Kpi::new();
        let begun = thread_seconds()?;
        for event in &events {
            kpi.apply(event);
        }
        rates.push(float(DECODED) / (thread_seconds()? - begun));
    }
    Ok(vec![
        rate("fold from the log, decoding included, one core, events", from_log, FROM_LOG_MIN),
        rate(&decoded, median(&rates), DECODED_MIN),
    ])
}

fn rate(figure: &str, rate: f64, goal: f64) -> Line {
    let met = if rate >= goal { "met" } else { "NOT MET" };
    let goal = format!("at least {}: {met}", per_second(goal));
    Line { figure: figure.to_owned(), value: per_second(rate), goal }
}

/// The processor time of this thread, seconds.
fn thread_seconds() -> Outcome<f64> {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = spent.split(' ').next().ok_or("Linux tells no times")?.parse()?;
    Ok(nanoseconds / 1e9)
}

/// Folds the log's frames on this thread; those that read them are not counted.
pub(crate) fn from_log(dir: &Path) -> Outcome<()> {
    let runtime = Runtime::new()?;
    let log = SledLog::open(SledOptions::new(dir.join("log")))?;
    let end = log.end();
    let mut figures = Figures::new(1);
    let mut frames = log.subscribe(Position(1));
    let (mut seconds, mut reached) = (0.0, Position::START);
    while reached < end {
        let mut read = Vec::with_capacity(FRAMES);
        while read.len() < FRAMES && reached < end {
            let frame = runtime.block_on(frames.next()).ok_or("the log ended")??;
            reached = frame.last();
            read.push(frame);
        }
        let begun = thread_seconds()?;
        for frame in &read {
            figures.fold(frame);
        }
        seconds += thread_seconds()? - begun;
    }
    tell("fold", &[float(end.0) / seconds])?;
    std::process::exit(0)
}

/// A fact that comes late into an agent's day of 1,000 events, among the others' days.
pub(crate) fn late_facts() -> Outcome<Vec<Line>> {
    let mut kpi = Kpi::new();
    let mut last = None;
    for event in Workload::new(Size::default()).take(DECODED) {
        kpi.apply(&event);
        last = Some(event);
    }
    let last = last.ok_or("no events")?;
    let day = Micros(24 * Micros::HOUR.0);
    let mut milliseconds = Vec::new();
    for number in 1..=LATE_FACTS {
        let back = i64::try_from(number)? * day.0 / i64::try_from(LATE_FACTS)?;
        let late = Recorded {
            position: Position(last.position.0 + number),
            stream: StreamName {
                site: last.stream.site,
                kind: StreamKind::Agent,
                id: key("agent", number % 200),
            },
            occurred_at: Micros(last.occurred_at.0 - back),
            source_seq: None,
            event: Event::KeyPressed { key: pegcount_domain::ids::PhoneKey(key("key", 1)) },
            ..last
        };
        let begun = Instant::now();
        kpi.apply(&late);
        milliseconds.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    milliseconds.sort_by(f64::total_cmp);
    let p99 = milliseconds.get(milliseconds.len() * 99 / 100).copied().unwrap_or(f64::NAN);
    Ok(vec![
        Line::with_limit(
            "a fact up to a day late, with its corrections, p50, ms",
            median(&milliseconds),
            3,
            LATE_CACHED_MS_MAX,
        ),
        Line::with_limit("the same, p99, ms", p99, 3, LATE_CACHED_MS_MAX),
    ])
}
