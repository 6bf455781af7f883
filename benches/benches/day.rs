//! One agent's day read back: a log of agents whose events lie a few to a frame, some days sealed and some not; how long
//! reading 1,000 events of one of them takes, and what the pages that make it fast cost in bytes and in appends.
//!
//! Cached: a day that was read just before. Cold: the log keeps no index blocks in memory, and before each read the system
//! is told to drop what it holds of the log's files (GNU dd's `nocache`, which is `posix_fadvise` with `DONTNEED`).
//!
//! `cargo bench -p pegcount-benches --bench day`; `PEGCOUNT_BENCH_EVENTS` sets the size (default 4,500,000, of which about
//! the last quarter stays unsealed).
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

use pegcount_benches::{
    Outcome, appending,
    centre::{AGENTS, FACTS_PER_AGENT_DAY, Gateway},
    histogram::Histogram,
    measure::{Others, Rounds, float, median, median_ratio, number, processor_seconds, spread},
    table::{self, Line},
};
use pegcount_domain::{
    envelope::{Position, StreamKind, StreamName, Version},
    ids::Name,
    time::Micros,
};
use pegcount_log::{Append, Clock, Direction, EventLog, SledLog, SledOptions};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::runtime::Runtime;

const EVENTS_DEFAULT: u64 = 4_500_000;
/// Appends that are made, then handed in, while filling; and by each submitter in a round.
const APPENDS: usize = 100;
const SUBMITTERS: usize = 4;
/// Days that are read cached, cold, and without pages.
const CACHED_READS: usize = 2_000;
const COLD_READS: usize = 200;
const UNPAGED_READS: usize = 50;
/// When the centre opened, and how long a day is, microseconds.
const OPENING_US: i64 = 1_736_150_400_000_000;
const DAY_US: i64 = 24 * 3_600 * 1_000_000;
/// Of its facts six in ten are an agent's own: so many in all make 1,000 of each agent.
const FACTS_PER_DAY: i64 = 416_700;

const CACHED_MS_MAX: f64 = 1.0;
const COLD_MS_MAX: f64 = 20.0;

fn main() -> Outcome<()> {
    let others = Others::begin();
    let runtime = Runtime::new()?;
    let dir = tempfile::tempdir()?;
    let filled = runtime.block_on(fill(dir.path(), number("PEGCOUNT_BENCH_EVENTS", EVENTS_DEFAULT)))?;
    let mut lines = vec![
        Line::plain("segments, bytes per event", format!("{:.1}", filled.segment_bytes)),
        Line::plain("pages, bytes per event", format!("{:.1}", filled.page_bytes)),
        Line::plain("pages to segments", format!("{:.2}", filled.page_bytes / filled.segment_bytes)),
    ];
    lines.extend(runtime.block_on(reads(dir.path()))?);
    lines.extend(appends(&runtime)?);
    let title = format!("One agent's day of {FACTS_PER_AGENT_DAY} events among {}", filled.events);
    table::print(&format!("{title} ({})", others.share()), &lines);
    Ok(())
}

struct Filled {
    events: u64,
    segment_bytes: f64,
    page_bytes: f64,
}

/// Fills a log with what one gateway's agents and callers say: shifts, one a day. What is left over stays in the hot end.
async fn fill(dir: &Path, events: u64) -> Outcome<Filled> {
    let told = Arc::new(AtomicI64::new(0));
    let clock: Clock = {
        let told = Arc::clone(&told);
        Arc::new(move || {
            let told = told.load(Ordering::Relaxed);
            Micros(OPENING_US + told / FACTS_PER_DAY * DAY_US + told % FACTS_PER_DAY * 100_000)
        })
    };
    let log = Arc::new(SledLog::open(SledOptions { clock, ..SledOptions::new(dir) })?);
    let mut gateway = Gateway::new(0)?;
    while log.end().0 < events || log.status().segments == 0 {
        told.store(i64::try_from(log.end().0)?, Ordering::Relaxed);
        let appends: Vec<Append> = (0..APPENDS).map(|_| gateway.append()).collect::<Outcome<_>>()?;
        appending::run(&log, vec![appends]).await?;
    }
    log.paged().await;
    let status = log.status();
    let sealed = float(status.sealed_end.0);
    let bytes = |prefix: &str| -> Outcome<f64> {
        let files = files(dir)?.into_iter();
        let of_segments = files.filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
                && path.extension().is_none()
        });
        let bytes = of_segments.map(|path| Ok(fs::metadata(path)?.len())).sum::<Outcome<u64>>()?;
        Ok(float(bytes) / sealed)
    };
    let (segment_bytes, page_bytes) = (bytes("segment-")?, bytes("pages-")?);
    log.close().await?;
    Ok(Filled { events: status.end.0, segment_bytes, page_bytes })
}

/// All files below a folder.
fn files(dir: &Path) -> Outcome<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() { all.extend(files(&path)?) } else { all.push(path) }
    }
    Ok(all)
}

/// A day of an agent: the stream, its first version, how many follow.
#[derive(Clone)]
struct Day {
    agent: StreamName,
    first: u64,
    events: usize,
}

/// Days of 1,000 events of every agent, in segments alone and in the hot end alone.
async fn days(log: &SledLog) -> Outcome<[Vec<Day>; 2]> {
    let sealed_end = log.status().sealed_end;
    let [mut sealed, mut hot] = [Vec::new(), Vec::new()];
    for number in 0..AGENTS {
        let id = Name::new(&format!("agent-0-{number:03}"))?;
        let agent = StreamName { site: Name::new("bench")?, kind: StreamKind::Agent, id };
        // Of each day the positions and the versions of its first and its last event.
        let mut days: Vec<(i64, [Position; 2], [u64; 2])> = Vec::new();
        let mut next = Some(Version(1));
        while let Some(from) = next {
            let page = log.read_stream(&agent, from, Direction::Forward, 10_000).await?;
            for (_, event) in page.events() {
                let (envelope, day) = (&event.envelope, event.envelope.recorded_at.0 / DAY_US);
                match days.last_mut() {
                    Some((last, [_, position], [_, version])) if *last == day => {
                        (*position, *version) = (envelope.position, envelope.version.0);
                    }
                    _ => days.push((day, [envelope.position; 2], [envelope.version.0; 2])),
                }
            }
            next = page.next;
        }
        for (_, [begin, end], [first, last]) in days {
            let events = usize::try_from(last - first + 1)?;
            let whole = events > FACTS_PER_AGENT_DAY * 9 / 10;
            let day = Day { agent: agent.clone(), first, events };
            if whole && end <= sealed_end {
                sealed.push(day);
            } else if whole && begin > sealed_end {
                hot.push(day);
            }
        }
    }
    Ok([sealed, hot])
}

/// What reading days showed.
#[derive(Default)]
struct Read {
    took: Histogram,
    events: usize,
    parts: usize,
}

impl Read {
    async fn day(&mut self, log: &SledLog, day: &Day) -> Outcome<()> {
        let started = Instant::now();
        let (mut next, mut left) = (Some(Version(day.first)), day.events);
        while let Some(from) = next.filter(|_| left > 0) {
            let page = log.read_stream(&day.agent, from, Direction::Forward, left).await?;
            let events = page.events().map(std::hint::black_box).count();
            left -= events;
            self.parts += page.parts.len();
            next = page.next;
        }
        self.took.add(started.elapsed());
        self.events += day.events - left;
        if left == 0 { Ok(()) } else { Err("a day is not whole".into()) }
    }

    fn mean(&self, count: usize) -> f64 {
        float(count) / float(self.took.count())
    }
}

/// Reads days drawn at random.
async fn read(log: &SledLog, days: &[Day], count: usize, before: Before<'_>) -> Outcome<Read> {
    let mut random = StdRng::seed_from_u64(7);
    let mut read = Read::default();
    for _ in 0..count {
        let day = days.get(random.random_range(0..days.len())).ok_or("there is no whole day")?;
        match before {
            Before::ReadIt => Read::default().day(log, day).await?,
            Before::Drop(dir) => drop_cached(dir)?,
        }
        read.day(log, day).await?;
    }
    Ok(read)
}

/// What is done before a day is read.
#[derive(Clone, Copy)]
enum Before<'a> {
    ReadIt,
    Drop(&'a Path),
}

/// Makes the system forget what it holds of a log's files.
fn drop_cached(dir: &Path) -> Outcome<()> {
    for path in files(dir)? {
        // What is not on disk yet cannot be dropped.
        File::open(&path)?.sync_all()?;
        let mut input = std::ffi::OsString::from("if=");
        input.push(&path);
        let mut dd = Command::new("dd");
        dd.arg(input).args(["iflag=nocache", "count=0", "status=none"]).stdout(Stdio::null());
        if !dd.status()?.success() {
            return Err("dd cannot drop what is cached".into());
        }
    }
    Ok(())
}

async fn reads(dir: &Path) -> Outcome<Vec<Line>> {
    let options = SledOptions::new(dir);
    let log = SledLog::open(options.clone())?;
    log.paged().await;
    let [sealed, hot] = days(&log).await?;
    let cached = [
        read(&log, &sealed, CACHED_READS, Before::ReadIt).await?,
        read(&log, &hot, CACHED_READS, Before::ReadIt).await?,
    ];
    drop(log);
    let log = SledLog::open(SledOptions { index_cache_bytes: 0, ..options.clone() })?;
    log.paged().await;
    let cold = [
        read(&log, &sealed, COLD_READS, Before::Drop(dir)).await?,
        read(&log, &hot, COLD_READS, Before::Drop(dir)).await?,
    ];
    drop(log);
    let log = SledLog::open(SledOptions { page_memory_bytes: 0, ..options })?;
    let unpaged = [
        read(&log, &sealed, UNPAGED_READS, Before::ReadIt).await?,
        read(&log, &hot, UNPAGED_READS, Before::ReadIt).await?,
    ];
    let mut lines = Vec::new();
    for (((what, cached), cold), unpaged) in
        ["sealed", "hot"].into_iter().zip(&cached).zip(&cold).zip(&unpaged)
    {
        let (events, parts) = (cached.mean(cached.events), cached.mean(cached.parts));
        let frames = unpaged.mean(unpaged.parts);
        lines.push(Line::plain(
            format!("{what}: events of a day; the pages, and the frames, that hold them"),
            format!("{events:.0}; {parts:.1}, {frames:.0}"),
        ));
        for (word, per_mille) in [("p50", 500), ("p99", 990)] {
            let figure = |how: &str| format!("{what}: a day, {how}, {word}, ms");
            let millis = |read: &Read| read.took.millis(per_mille);
            lines.push(Line::with_limit(figure("cached"), millis(cached), 2, CACHED_MS_MAX));
            lines.push(Line::with_limit(figure("cold"), millis(cold), 2, COLD_MS_MAX));
            lines.push(Line::plain(figure("cached, from frames alone"), format!("{:.1}", millis(unpaged))));
        }
    }
    Ok(lines)
}

/// Appends to a log with pages and to one without, in turn.
fn appends(runtime: &Runtime) -> Outcome<Vec<Line>> {
    let dirs = [tempfile::tempdir()?, tempfile::tempdir()?];
    let mut sides = Vec::new();
    for (dir, paged) in dirs.iter().zip([true, false]) {
        let mut options = SledOptions::new(dir.path());
        options.page_memory_bytes = if paged { options.page_memory_bytes } else { 0 };
        let gateways = (0..SUBMITTERS).map(Gateway::new).collect::<Outcome<Vec<_>>>()?;
        sides.push((Arc::new(SledLog::open(options)?), gateways));
    }
    let (mut rates, mut cpus) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    let mut rounds = Rounds::begin();
    while rounds.another() {
        for (((log, gateways), rates), cpus) in sides.iter_mut().zip(&mut rates).zip(&mut cpus) {
            let work = gateways.iter_mut();
            let work = work.map(|gateway| (0..APPENDS * 2).map(|_| gateway.append()).collect());
            let work: Vec<Vec<Append>> = work.collect::<Outcome<_>>()?;
            let cpu = processor_seconds();
            rates.push(runtime.block_on(appending::run(log, work))?.per_second());
            // What is paged later costs this side, not the other.
            runtime.block_on(log.paged());
            cpus.push(processor_seconds() - cpu);
        }
    }
    let [with, without] = &rates;
    let [cpu_with, cpu_without] = &cpus;
    let rate = |rates: &[f64]| format!("{} ({})", table::per_second(median(rates)), spread(rates, 0));
    let ratio = |of: &[f64], to: &[f64]| format!("{:.2}", median_ratio(of, to));
    Ok(vec![
        Line::plain("durable appends with pages", rate(with)),
        Line::plain("durable appends without", rate(without)),
        Line::plain("appends with pages to those without", ratio(with, without)),
        Line::plain("processor time of them, the making of pages included", ratio(cpu_with, cpu_without)),
    ])
}
