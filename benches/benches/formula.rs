//! A year of a centre recomputed under another formula version, from the log on disk: once, again, and when only the
//! ratios differ; and definitions that reach back over all of it.
//!
//! `cargo bench -p pegcount-benches --bench formula`; `PEGCOUNT_EVENTS` says how long the year is.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::{
    collections::VecDeque,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use pegcount_benches::{
    Outcome,
    appending::APPEND_EVENTS,
    centre::Gateway,
    measure::{Others, float, number},
    streaming::WINDOW_BATCHES,
    table::{self, Line},
};
use pegcount_domain::{
    event::{Event, QueueDefinition},
    formula::{AbandonForm, FormulaDefinition},
    ids::{Name, QueueId, SiteId},
    time::{Interval, Micros},
};
use pegcount_engine::{Engine, EngineOptions};
use pegcount_kpi::{Dimension, Query};
use pegcount_log::{Durability, EventLog, SledLog, SledOptions};

/// Some 250 working days of a centre of 200 to 250 agents.
const EVENTS: u64 = 20_000_000;
const DAY_EVENTS: u64 = 80_000;
/// Eight hours' facts, one after the other.
const STEP_US: i64 = 8 * 3_600 * 1_000_000 / 80_000;

fn main() -> Outcome<()> {
    let events = number("PEGCOUNT_EVENTS", EVENTS);
    let dir = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(fill(dir.path(), events))?;
    let others = Others::begin();
    let Measured { opened, saved, once, again, ratios, back, longest_wait, held } =
        runtime.block_on(measured(dir.path()))?;
    let others = others.share();
    table::print(
        &format!("A year under another formula: {events} events ({others})"),
        &[
            Line::plain("opening, which folds all of it on one thread, s", format!("{opened:.1}")),
            Line::plain("a checkpoint, made in the background, s", format!("{saved:.1}")),
            Line::with_limit("recomputed under a version that counts otherwise, s", once, 1, 10.0),
            Line::plain("events a second", table::per_second(float(events) / once)),
            Line::plain("the same question again, ms", format!("{:.1}", again * 1e3)),
            Line::plain("under a version with other ratios only, ms", format!("{:.1}", ratios * 1e3)),
            Line::plain(
                "a queue's threshold changed for all of it, in the background, s",
                format!("{back:.1}"),
            ),
            Line::plain(
                "the longest that a question took meanwhile, ms",
                format!("{:.1}", longest_wait * 1e3),
            ),
            Line::plain("resident memory at the end, MB", format!("{held}")),
        ],
    );
    Ok(())
}

/// Seconds, and megabytes.
struct Measured {
    opened: f64,
    saved: f64,
    once: f64,
    again: f64,
    ratios: f64,
    back: f64,
    longest_wait: f64,
    held: u64,
}

/// Writes the year.
async fn fill(dir: &Path, events: u64) -> Outcome<()> {
    let options = SledOptions { durability: Durability::ProcessCrash, ..SledOptions::new(dir.join("log")) };
    let log: Arc<SledLog> = Arc::new(SledLog::open(options)?);
    let mut gateway = Gateway::new(0)?.paced(STEP_US);
    let (mut written, mut day) = (0, 0);
    let mut pending = VecDeque::new();
    while written < events {
        if written / DAY_EVENTS >= day {
            gateway.open_day(i64::try_from(day)?);
            day += 1;
        }
        if pending.len() == WINDOW_BATCHES
            && let Some(oldest) = pending.pop_front()
        {
            let oldest: pegcount_log::PendingAppend = oldest;
            oldest.await?;
        }
        pending.push_back(log.submit(gateway.append()?).await?);
        written += u64::try_from(APPEND_EVENTS)?;
    }
    for rest in pending {
        rest.await?;
    }
    Ok(log.close().await?)
}

async fn measured(dir: &Path) -> Outcome<Measured> {
    let begin = Instant::now();
    let engine = Engine::open(EngineOptions::folder(dir)).await?;
    let opened = begin.elapsed().as_secs_f64();
    engine.run_processes();
    let site = SiteId(Name::new("bench")?);
    define_formulas(&engine, &site).await?;
    // As a server makes one by itself, now and then.
    let begin = Instant::now();
    engine.checkpoint().await?;
    let saved = begin.elapsed().as_secs_f64();

    let once = ask(&engine, &site, Some(2)).await?;
    let again = ask(&engine, &site, Some(2)).await?;
    let ratios = ask(&engine, &site, Some(3)).await?;

    let begin = Instant::now();
    let queue = QueueDefinition {
        threshold: Some(Micros::from_secs(60)),
        ..QueueDefinition::default_for(QueueId(Name::new("sales")?))
    };
    engine.define(&site, &Name::new("bench")?, vec![Event::QueueDefined(queue)]).await?;
    let mut longest_wait = 0f64;
    while engine.definitions_deferred_since().is_some() {
        longest_wait = longest_wait.max(ask(&engine, &site, None).await?);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let back = begin.elapsed().as_secs_f64();
    let held = resident_mb();
    engine.close().await?;
    Ok(Measured { opened, saved, once, again, ratios, back, longest_wait, held })
}

/// Version 2 counts otherwise, version 3 only divides otherwise; neither is in force.
async fn define_formulas(engine: &Arc<Engine>, site: &SiteId) -> Outcome<()> {
    let far = Micros::from_secs(4_000_000_000);
    let mut two = FormulaDefinition { number: 2, valid_from: far, ..FormulaDefinition::built_in() };
    two.rules.short = Micros::from_secs(8);
    two.rules.threshold = Micros::from_secs(30);
    two.rules.short_handle = Micros::from_secs(20);
    let valid_from = far.plus(Micros::SECOND);
    let mut three = FormulaDefinition { number: 3, valid_from, ..FormulaDefinition::built_in() };
    three.forms.abandon_rate = AbandonForm::Raw;
    let both = [two, three].map(|formula| Event::FormulaDefined(Box::new(formula)));
    engine.define(site, &Name::new("bench")?, both.to_vec()).await?;
    Ok(())
}

/// A month by day and queue.
async fn ask(engine: &Arc<Engine>, site: &SiteId, formula_version: Option<u8>) -> Outcome<f64> {
    let begin = Instant::now();
    let now = Micros(1_736_150_400_000_000).plus(Micros(30 * 24 * Micros::HOUR.0));
    let from = Interval::containing(now.minus(Micros(30 * 24 * Micros::HOUR.0))).start();
    let to = Interval::containing(now).end();
    let by = vec![Dimension::Day, Dimension::Queue];
    let query = Query { by, formula_version, ..Query::new(site.clone(), from, to, engine.clock().now()) };
    engine.query_at(query, None).await?;
    Ok(begin.elapsed().as_secs_f64())
}

fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1_024
}
