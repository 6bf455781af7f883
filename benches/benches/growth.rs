//! What changes as the log grows: a log of many events is filled by a process of its own, which is killed (SIGKILL);
//! then its bytes on disk, the time and memory of opening it, replay from disk, and appends against those of a log of a
//! million events, in rounds in which both take turns.
//!
//! `cargo bench -p pegcount-benches --bench growth`; `PEGCOUNT_BENCH_EVENTS` sets the size (default 5,000,000; the goals
//! are set for 10 million on disk and 50 million for the rest, which takes about 10 GB of disk).
#![allow(clippy::print_stdout, reason = "a benchmark prints its table, and its processes talk by it")]

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::Instant,
};

use pegcount_benches::{
    Outcome, appending,
    centre::{FACTS_PER_AGENT_DAY, Gateway},
    measure::{Others, Rounds, float, median, median_ratio, number, processor_seconds, spread},
    table::{self, Line},
};
use pegcount_domain::envelope::Position;
use pegcount_log::{Append, EventLog, SledLog, SledOptions};
use tokio::runtime::Runtime;

const EVENTS_DEFAULT: u64 = 5_000_000;
/// What the large log is compared with.
const SMALL_EVENTS: u64 = 1_000_000;
const SUBMITTERS: usize = 4;
/// Appends of each submitter that are made, then handed in, while filling and in a round.
const APPENDS: usize = 100;
/// Tells a process of this program what it is for; its folder and size follow.
const ROLE: &str = "PEGCOUNT_BENCH_ROLE";

const OPEN_SECONDS_MAX: f64 = 5.0;
const OPEN_MB_MAX: f64 = 600.0;
const DISK_HOT_MAX: f64 = 0.8;

fn main() -> Outcome<()> {
    if let Ok(role) = env::var(ROLE) {
        let (role, rest) = role.split_once(' ').ok_or("a role needs an argument")?;
        let (events, dir) = rest.split_once(' ').ok_or("a role needs a size and a folder")?;
        return match role {
            "fill" => fill_until_killed(Path::new(dir), events.parse()?),
            _ => open_and_replay(Path::new(dir)),
        };
    }
    let others = Others::begin();
    let events = number("PEGCOUNT_BENCH_EVENTS", EVENTS_DEFAULT);
    let (large, small) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let filled = filled_and_killed(large.path(), events)?;
    let disk_bytes = folder_bytes(large.path())?;
    let opened = opened_by_another(large.path())?;
    filled_and_killed(small.path(), SMALL_EVENTS)?;
    let [at_large, at_small] = grown([large.path(), small.path()])?;

    // It went on appending until it was killed: what is on disk is what could be read again.
    let disk_per_fact = float(disk_bytes) / opened.events;
    let fact_bytes = filled.fact_bytes / filled.events;
    let rate = |rates: &[f64]| format!("{} ({})", table::per_second(median(rates)), spread(rates, 0));
    let lines = [
        Line::plain("bytes of protobuf per fact, as it is sent", format!("{fact_bytes:.1}")),
        Line::plain("bytes on disk per fact", format!("{disk_per_fact:.1}")),
        Line::with_limit(
            "bytes on disk per byte of protobuf, all in the hot end",
            disk_per_fact / fact_bytes,
            2,
            DISK_HOT_MAX,
        ),
        Line::missing(
            "bytes on disk per byte of protobuf, sealed",
            "there are no segments yet",
            "at most 0.45",
        ),
        Line::with_limit("open after SIGKILL, s", opened.open_seconds, 2, OPEN_SECONDS_MAX),
        Line::with_limit("open after SIGKILL, peak memory, MB", opened.peak_mb, 0, OPEN_MB_MAX),
        Line::with_goal(
            "replay from disk, decode included, events a second of processor time",
            opened.replayed_per_cpu,
            0,
            3_000_000.0,
        ),
        Line::plain("the same by the clock", table::per_second(opened.replayed)),
        Line::plain("appends at that size", rate(&at_large)),
        Line::plain(format!("appends at {SMALL_EVENTS} events"), rate(&at_small)),
        Line::with_goal(
            "appends at that size to appends at a million",
            median_ratio(&at_large, &at_small),
            2,
            0.9,
        ),
        Line::missing(
            format!("one agent's day of {FACTS_PER_AGENT_DAY} events read back, cached / cold, ms"),
            "the log reads no single stream yet",
            "at most 1 / 20",
        ),
    ];
    let others = others.share();
    let title =
        format!("Growth: {:.0} events, killed, files in the system's cache ({others})", opened.events);
    table::print(&title, &lines);
    Ok(())
}

/// What the filling process had done when it was killed.
struct Filled {
    events: f64,
    fact_bytes: f64,
}

/// Runs a filling process until it has filled, and kills it while it goes on appending.
fn filled_and_killed(dir: &Path, events: u64) -> Outcome<Filled> {
    let mut child = another("fill", events, dir)?.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let said = child.stdout.take().ok_or("no pipe")?;
    let mut lines = BufReader::new(said).lines();
    let last = lines.by_ref().find(|line| line.as_ref().is_ok_and(|line| line.starts_with("filled")));
    child.kill()?;
    child.wait()?;
    let last = last.ok_or("the filling process ended by itself")??;
    let mut numbers = last.split(' ').skip(1).map(str::parse::<f64>);
    let mut next = || numbers.next().ok_or("the filling process said too little");
    Ok(Filled { events: next()??, fact_bytes: next()?? })
}

fn another(role: &str, events: u64, dir: &Path) -> Outcome<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.env(ROLE, format!("{role} {events} {}", dir.display()));
    Ok(command)
}

fn fill_until_killed(dir: &Path, events: u64) -> Outcome<()> {
    // It must not go on when the process that would kill it is gone: then its input ends.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_line(&mut String::new());
        std::process::exit(1);
    });
    let runtime = Runtime::new()?;
    let log = Arc::new(SledLog::open(SledOptions::new(dir))?);
    let mut gateways = (0..SUBMITTERS).map(Gateway::new).collect::<Outcome<Vec<_>>>()?;
    let mut said = false;
    loop {
        runtime.block_on(appending::run(&log, made(&mut gateways, APPENDS)?))?;
        if !said && log.end().0 >= events {
            let fact_bytes: u64 = gateways.iter().map(Gateway::fact_bytes).sum();
            println!("filled {} {fact_bytes}", log.end().0);
            std::io::stdout().flush()?;
            said = true;
        }
    }
}

fn made(gateways: &mut [Gateway], appends: usize) -> Outcome<Vec<Vec<Append>>> {
    gateways.iter_mut().map(|gateway| (0..appends).map(|_| gateway.append()).collect()).collect()
}

fn folder_bytes(dir: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() { folder_bytes(&entry.path())? } else { about.len() };
    }
    Ok(bytes)
}

/// What a fresh process saw of the killed one's log.
struct Opened {
    events: f64,
    open_seconds: f64,
    peak_mb: f64,
    replayed: f64,
    replayed_per_cpu: f64,
}

fn opened_by_another(dir: &Path) -> Outcome<Opened> {
    let answer = another("open", 0, dir)?.stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8(answer.stdout)?;
    let line =
        text.lines().find(|line| line.starts_with("opened")).ok_or("the opening process said nothing")?;
    let mut numbers = line.split(' ').skip(1).map(str::parse::<f64>);
    let mut next = || numbers.next().ok_or("the opening process said too little");
    Ok(Opened {
        events: next()??,
        open_seconds: next()??,
        peak_mb: next()??,
        replayed: next()??,
        replayed_per_cpu: next()??,
    })
}

fn open_and_replay(dir: &Path) -> Outcome<()> {
    let started = Instant::now();
    let log = SledLog::open(SledOptions::new(dir))?;
    let open_seconds = started.elapsed().as_secs_f64();
    let peak_mb = peak_mb()?;
    let (started, cpu) = (Instant::now(), processor_seconds());
    let events = Runtime::new()?.block_on(replayed(&log))?;
    let replayed = events / started.elapsed().as_secs_f64();
    let per_cpu = events / (processor_seconds() - cpu);
    println!("opened {events} {open_seconds} {peak_mb} {replayed} {per_cpu}");
    Ok(())
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

/// The most memory that this process ever had, MB.
fn peak_mb() -> Outcome<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kib: f64 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(kib * 1_024.0 / 1e6)
}

/// Appends to both logs in turn, as new sources.
fn grown(dirs: [&Path; 2]) -> Outcome<[Vec<f64>; 2]> {
    /// Far from the epochs of the filling process.
    const EPOCH: u128 = 1_000;
    let runtime = Runtime::new()?;
    let mut rates = [Vec::new(), Vec::new()];
    let mut sides = Vec::new();
    for dir in dirs {
        let log = Arc::new(SledLog::open(SledOptions::new(dir))?);
        let gateways = (0..SUBMITTERS).map(|number| Ok(Gateway::new(number)?.restarted(EPOCH)));
        sides.push((log, gateways.collect::<Outcome<Vec<_>>>()?));
    }
    let mut rounds = Rounds::begin();
    while rounds.another() {
        for ((log, gateways), rates) in sides.iter_mut().zip(&mut rates) {
            let work = made(gateways, APPENDS * 2)?;
            rates.push(runtime.block_on(appending::run(log, work))?.per_second());
        }
    }
    for (log, _) in sides {
        runtime.block_on(log.close())?;
    }
    Ok(rates)
}
