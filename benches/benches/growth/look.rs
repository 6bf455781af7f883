//! Processes that open what a killed one left: what it costs, and what the log then takes and gives.
//!
//! Invariant: memory is that of a process that has done nothing before.

use std::{fs, path::Path, sync::Arc, time::Instant};

use pegcount_benches::{
    Outcome, appending,
    centre::{AGENTS, Gateway},
    measure::{float, memory_mb, processor_seconds},
    role::{tell, told_by},
};
use pegcount_domain::{
    envelope::{Position, StreamKind, StreamName, Version},
    ids::Name,
};
use pegcount_log::{Direction, EventLog, SledLog, SledOptions, tools};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::runtime::Runtime;

use crate::fill::{APPENDS, SUBMITTERS, made};

/// What a log is made to do for its memory in service to show.
pub(crate) const SERVICE: &str = "1,024,000 appended, 5,000 frames and 1,000 pages of agents read";
const SERVICE_ROUNDS: usize = 10;
const SERVICE_FRAMES: usize = 5_000;
const SERVICE_PAGES: usize = 1_000;
const PAGE_EVENTS: usize = 100;
/// The gateways of this process, far from those that filled the log.
const SERVICE_STAGE: usize = 1_000;

/// What a fresh process saw of the killed one's log.
pub(crate) struct Looked {
    pub(crate) events: f64,
    /// Those in no segment.
    pub(crate) hot_events: f64,
    pub(crate) open_seconds: f64,
    pub(crate) open_mb: f64,
    pub(crate) open_peak_mb: f64,
    pub(crate) service_mb: f64,
    pub(crate) service_peak_mb: f64,
}

/// Has another process open the log in `dir` and serve from it.
pub(crate) fn looked_at(dir: &Path) -> Outcome<Looked> {
    let [events, hot_events, open_seconds, open_mb, open_peak_mb, service_mb, service_peak_mb] =
        told_by("look", dir)?;
    Ok(Looked { events, hot_events, open_seconds, open_mb, open_peak_mb, service_mb, service_peak_mb })
}

pub(crate) fn look(dir: &Path) -> Outcome<()> {
    let started = Instant::now();
    let log = Arc::new(SledLog::open(SledOptions::new(dir))?);
    let open_seconds = started.elapsed().as_secs_f64();
    let status = log.status();
    let hot_events = float(status.end.0 - status.sealed_end.0);
    let opened = [open_seconds, memory_mb("VmRSS:")?, memory_mb("VmHWM:")?];
    let runtime = Runtime::new()?;
    runtime.block_on(serve(&log))?;
    let served = [memory_mb("VmRSS:")?, memory_mb("VmHWM:")?];
    runtime.block_on(log.close())?;
    tell("look", &[&[float(status.end.0), hot_events], opened.as_slice(), served.as_slice()].concat())
}

/// Appends, and reads here and there.
async fn serve(log: &Arc<SledLog>) -> Outcome<()> {
    // Each process that looks is a restarted one.
    let epoch = u128::from(log.end().0) + 1_000;
    let numbers = SERVICE_STAGE..SERVICE_STAGE + SUBMITTERS;
    let gateways = numbers.map(|number| Ok(Gateway::new(number)?.restarted(epoch)));
    let mut gateways = gateways.collect::<Outcome<Vec<_>>>()?;
    for _ in 0..SERVICE_ROUNDS {
        appending::run(log, made(&mut gateways, APPENDS)?).await?;
    }
    let mut random = StdRng::seed_from_u64(1);
    for _ in 0..SERVICE_FRAMES {
        let at = Position(random.random_range(1..=log.end().0));
        std::hint::black_box(log.read(at).await?);
    }
    for page in 0..SERVICE_PAGES {
        let agent = format!("agent-{}-{:03}", page % SUBMITTERS, random.random_range(0..AGENTS));
        let stream =
            StreamName { site: Name::new("bench")?, kind: StreamKind::Agent, id: Name::new(&agent)? };
        let last = log.version(&stream)?.0.max(1);
        let from = Version(random.random_range(1..=last));
        std::hint::black_box(log.read_stream(&stream, from, Direction::Forward, PAGE_EVENTS).await?);
    }
    Ok(())
}

/// What another process made of the whole log.
pub(crate) struct Whole {
    pub(crate) replayed: f64,
    pub(crate) replayed_per_cpu: f64,
    /// Everything of it is sealed then.
    pub(crate) events: f64,
    pub(crate) sealed_mb_per_second: f64,
    pub(crate) segment_bytes: f64,
    pub(crate) frame_bytes: f64,
    pub(crate) folder_bytes: f64,
    pub(crate) reopen_seconds: f64,
}

/// Has another process read all of the log in `dir`, then seal what is not sealed.
pub(crate) fn replayed_and_sealed(dir: &Path) -> Outcome<Whole> {
    let [replayed, replayed_per_cpu, events, sealed_mb_per_second, reopen_seconds] = told_by("replay", dir)?;
    let stat = tools::stat(dir, false, &())?;
    let sum = |of: fn(&tools::SegmentStat) -> u64| float(stat.segments.iter().map(of).sum::<u64>());
    Ok(Whole {
        replayed,
        replayed_per_cpu,
        events,
        sealed_mb_per_second,
        segment_bytes: sum(|segment| segment.bytes),
        frame_bytes: sum(|segment| segment.frame_bytes),
        folder_bytes: float(folder_bytes(dir)?),
        reopen_seconds,
    })
}

pub(crate) fn replay_and_seal(dir: &Path) -> Outcome<()> {
    let runtime = Runtime::new()?;
    let log = SledLog::open(SledOptions::new(dir))?;
    // The pages of the hot end are made anew after opening; that is no part of reading.
    runtime.block_on(log.paged());
    let (started, cpu) = (Instant::now(), processor_seconds());
    let events = runtime.block_on(replayed(&log))?;
    let by_clock = events / started.elapsed().as_secs_f64();
    let per_cpu = events / (processor_seconds() - cpu);
    let started = Instant::now();
    let sealed_bytes = runtime.block_on(log.seal())?.map_or(0, |sealed| sealed.bytes);
    let seal_rate = float(sealed_bytes) / 1e6 / started.elapsed().as_secs_f64();
    runtime.block_on(log.close())?;
    drop(log);
    let started = Instant::now();
    drop(SledLog::open(SledOptions::new(dir))?);
    tell("replay", &[by_clock, per_cpu, events, seal_rate, started.elapsed().as_secs_f64()])
}

/// Every frame read from disk and decoded, every event looked at.
async fn replayed(log: &SledLog) -> Outcome<f64> {
    let mut next = Position::START.next();
    let mut events = 0.0;
    while let Some(frame) = log.read(next).await? {
        next = frame.last().next();
        events += float(frame.events().map(std::hint::black_box).count());
    }
    Ok(events)
}

/// What `log verify` took.
pub(crate) struct Verified {
    pub(crate) mb_per_second: f64,
    pub(crate) peak_mb: f64,
}

/// Has another process check the log in `dir`.
pub(crate) fn verified(dir: &Path) -> Outcome<Verified> {
    let [mb_per_second, peak_mb] = told_by("verify", dir)?;
    Ok(Verified { mb_per_second, peak_mb })
}

pub(crate) fn verify(dir: &Path) -> Outcome<()> {
    let started = Instant::now();
    let verified = tools::verify(dir, &())?;
    let seconds = started.elapsed().as_secs_f64();
    if verified.damages_count > 0 {
        return Err(format!("the log is damaged: {:?}", verified.damages).into());
    }
    tell("verify", &[float(verified.bytes) / 1e6 / seconds, memory_mb("VmHWM:")?])
}

/// Bytes of all files in a folder.
pub(crate) fn folder_bytes(dir: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() { folder_bytes(&entry.path())? } else { about.len() };
    }
    Ok(bytes)
}
