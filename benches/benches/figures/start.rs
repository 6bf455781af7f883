//! Processes that start from what the killed one left, and questions about what was known then.
//!
//! Invariant: a start is timed from the moment at which its process is begun to the moment at which it says that it is
//! ready; memory is that of a process that has done nothing else.

use std::{fs, path::Path, sync::Arc, time::Instant};

use pegcount_benches::{
    Outcome,
    measure::{float, median, memory_mb, spread},
    role::{tell, told_by},
    table::Line,
};
use pegcount_domain::{
    envelope::Position,
    ids::{Name, SiteId},
    time::{Interval, Micros},
};
use pegcount_engine::{Engine, EngineOptions, KnownAt};
use pegcount_kpi::{Dimension, Query};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::runtime::Runtime;

use crate::history;

const READY_SECONDS_MAX: f64 = 3.0;
const KNOWN_AT_MS_MAX: f64 = 300.0;
const STARTS: usize = 3;
const QUESTIONS: usize = 12;
const HOURS: i64 = 8;

pub(crate) fn lines(dir: &Path, rounds: usize) -> Outcome<Vec<Line>> {
    let killed = history::folded_and_killed(dir, rounds)?;
    let (mut seconds, mut said) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let begun = Instant::now();
        let told: [f64; 6] = told_by("start", dir)?;
        let [own, ..] = told;
        // All but the end of the process: it says how long it has been ready.
        seconds.push(begun.elapsed().as_secs_f64() - own);
        said.push(told);
    }
    let [_, end, began_at, log_seconds, ready_mb, peak_mb] = *said.last().ok_or("no start")?;
    let [alone, warm]: [f64; 2] = told_by("known", dir)?;
    let without = {
        fs::rename(dir.join("checkpoints"), dir.join("aside"))?;
        let begun = Instant::now();
        let [own, ..]: [f64; 6] = told_by("start", dir)?;
        let seconds = begun.elapsed().as_secs_f64() - own;
        fs::rename(dir.join("aside"), dir.join("checkpoints"))?;
        seconds
    };
    let name =
        format!("ready after SIGKILL at {end:.0} events ({:.0} after the checkpoint), s", end - began_at);
    Ok(vec![
        Line::with_limit(name, median(&seconds), 2, READY_SECONDS_MAX),
        Line::plain(
            "of these: the slowest and the fastest; the log alone, s",
            format!("{}; {log_seconds:.2}", spread(&seconds, 2)),
        ),
        Line::plain("memory when ready, and at most, MB", format!("{ready_mb:.0}, {peak_mb:.0}")),
        Line::plain("the same without a checkpoint, s", format!("{without:.2}")),
        Line::plain("a checkpoint, MB", format!("{:.1}", killed.checkpoint_mb)),
        Line::plain(
            "making the first one, beside the folds that answer, s",
            format!("{:.1}", killed.checkpoint_seconds),
        ),
        Line::plain(
            "memory of the folds that answer, and at most meanwhile, MB",
            format!("{:.0}, {:.0}", killed.folded_mb, killed.peak_mb),
        ),
        Line::plain("a first start, without any, s", format!("{:.2}", killed.first_start_seconds)),
        Line::with_limit(
            "known at a point after the checkpoint: 8 hours by hour and queue, p50, ms",
            alone * 1e3,
            1,
            KNOWN_AT_MS_MAX,
        ),
        Line::plain("the same point again, ms", format!("{:.1}", warm * 1e3)),
    ])
}

/// Starts, says so, and how long ago that was when it ends.
pub(crate) fn start(dir: &Path) -> Outcome<()> {
    let runtime = Runtime::new()?;
    let engine = runtime.block_on(Engine::open(EngineOptions::folder(dir)))?;
    let ready = Instant::now();
    let (ready_mb, peak_mb) = (memory_mb("VmRSS:")?, memory_mb("VmHWM:")?);
    let log = engine.log_status().0;
    let (end, began_at) = (float(log.end.0), float(engine.began_at().0));
    let log_seconds = log.opened_in.as_secs_f64();
    let query = board(&engine)?;
    std::hint::black_box(engine.query(&query)?);
    tell("start", &[ready.elapsed().as_secs_f64(), end, began_at, log_seconds, ready_mb, peak_mb])?;
    // As after a kill: nothing is put in order.
    std::process::exit(0)
}

fn board(engine: &Engine) -> Outcome<Query> {
    let last = Micros(1_736_150_400_000_000 + i64::try_from(engine.end().0)? * 28_800);
    let from = Interval::containing(last.minus(Micros(HOURS * Micros::HOUR.0))).start();
    let to = Interval::containing(last).end();
    let by = vec![Dimension::Hour, Dimension::Queue];
    Ok(Query { by, ..Query::new(SiteId(Name::new("bench")?), from, to, last) })
}

/// Asks what was known at points since the last checkpoint, each further back than the one before: no fold is kept that
/// would help.
pub(crate) fn known(dir: &Path) -> Outcome<()> {
    let runtime = Runtime::new()?;
    let engine: Arc<Engine> = runtime.block_on(Engine::open(EngineOptions::folder(dir)))?;
    let (from, end) = (engine.began_at().0, engine.end().0);
    let mut random = StdRng::seed_from_u64(1);
    let mut points: Vec<u64> = (0..QUESTIONS).map(|_| random.random_range(from + 1..end)).collect();
    points.sort_unstable_by(|a, b| b.cmp(a));
    let (mut alone, mut warm) = (Vec::new(), Vec::new());
    for point in points {
        for seconds in [&mut alone, &mut warm] {
            let query = board(&engine)?;
            let begun = Instant::now();
            let moment = runtime.block_on(engine.moment(None, Some(KnownAt::Position(Position(point)))))?;
            let asked = Query { as_of: moment.as_of.min(query.as_of), ..query };
            std::hint::black_box(runtime.block_on(engine.query_at(asked, moment.known))?);
            seconds.push(begun.elapsed().as_secs_f64());
        }
    }
    tell("known", &[median(&alone), median(&warm)])?;
    std::process::exit(0)
}
