//! What changes as the log grows, with history sealed as in service: a log is filled by a process of its own, which is
//! killed (SIGKILL) at a million events, at ten, and at the last; each time a fresh process opens what is left. Its bytes on
//! disk, the time and memory of opening it, the memory in service, replay from disk, `log verify`; and appends against
//! those of a log of a million events, in rounds in which both take turns.
//!
//! `cargo bench -p pegcount-benches --bench growth`; `PEGCOUNT_BENCH_EVENTS` sets the last size (default 10,000,000; the
//! goals are set for 10 million on disk and 50 million for the rest, which takes about 3 GB of disk).
//!
//! - [`fill`]: the process that is killed
//! - [`look`]: the process that opens what it left
//! - [`grow`]: appends to a large and a small log in turn
#![allow(clippy::print_stdout, reason = "a benchmark prints its table, and its processes talk by it")]

mod fill;
mod grow;
mod look;

use pegcount_benches::{
    Outcome,
    measure::{Others, float, median, median_ratio, number, spread},
    role::Role,
    table::{self, Line},
};

use fill::Filled;
use grow::Grown;
use look::{Looked, Verified, Whole};

const EVENTS_DEFAULT: u64 = 10_000_000;
/// What the large log is compared with.
const SMALL_EVENTS: u64 = 1_000_000;
/// Where memory is looked at on the way, if the last size lies beyond.
const SIZES: [u64; 3] = [SMALL_EVENTS, 10_000_000, 50_000_000];

const OPEN_SECONDS_MAX: f64 = 5.0;
const OPEN_MB_MAX: f64 = 600.0;
const DISK_HOT_MAX: f64 = 0.8;
const DISK_SEALED_MAX: f64 = 0.45;
const REPLAY_MIN: f64 = 3_000_000.0;
const APPENDS_MIN: f64 = 0.9;

fn play(role: &Role) -> Outcome<()> {
    match role.word.as_str() {
        "fill" => fill::until_killed(&role.dir, role.number, role.stage),
        "look" => look::look(&role.dir),
        "replay" => look::replay_and_seal(&role.dir),
        "verify" => look::verify(&role.dir),
        other => Err(format!("there is no role {other}").into()),
    }
}

fn main() -> Outcome<()> {
    if let Some(role) = Role::mine()? {
        return play(&role);
    }
    let others = Others::begin();
    let events = number("PEGCOUNT_BENCH_EVENTS", EVENTS_DEFAULT);
    let (large, small) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (mut lines, mut last) = (Vec::new(), None);
    let sizes = SIZES.into_iter().filter(|size| *size < events).chain([events]);
    for (stage, size) in sizes.enumerate() {
        let filled = fill::filled_and_killed(large.path(), size, stage)?;
        let disk_bytes = look::folder_bytes(large.path())?;
        let looked = look::looked_at(large.path())?;
        lines.extend(of_memory(&looked));
        last = Some((filled, disk_bytes, looked));
    }
    let (filled, disk_bytes, looked) = last.ok_or("there is a last size")?;
    let whole = look::replayed_and_sealed(large.path())?;
    let verified = look::verified(large.path())?;
    fill::filled_and_killed(small.path(), SMALL_EVENTS, 0)?;
    let grown = grow::grown([large.path(), small.path()])?;

    lines.splice(0..0, of_disk(&filled, disk_bytes, &looked, &whole));
    lines.extend(of_time(&looked, &whole, &verified));
    lines.extend(of_appends(&grown));
    let others = others.share();
    let title =
        format!("Growth: {:.0} events, killed, files in the system's cache ({others})", looked.events);
    table::print(&title, &lines);
    Ok(())
}

fn of_disk(filled: &Filled, disk_bytes: u64, looked: &Looked, whole: &Whole) -> Vec<Line> {
    let fact_bytes = filled.fact_bytes / filled.events;
    let to_protobuf = |bytes: f64, events: f64| bytes / events / fact_bytes;
    // It went on appending until it was killed: what is on disk is what could be read again.
    let with_hot = to_protobuf(float(disk_bytes), looked.events);
    vec![
        Line::plain("bytes of protobuf per fact, as it is sent", format!("{fact_bytes:.1}")),
        Line::with_limit(
            format!(
                "bytes on disk per byte of protobuf, {:.0} of the events in the hot end",
                looked.hot_events
            ),
            with_hot,
            2,
            DISK_HOT_MAX,
        ),
        Line::with_limit(
            "bytes on disk per byte of protobuf, segments alone",
            to_protobuf(whole.segment_bytes, whole.events),
            2,
            DISK_SEALED_MAX,
        ),
        Line::plain(
            "of which frames, without their indexes",
            format!("{:.2}", to_protobuf(whole.frame_bytes, whole.events)),
        ),
        Line::with_limit(
            "bytes on disk per byte of protobuf, everything sealed, the whole folder",
            to_protobuf(whole.folder_bytes, whole.events),
            2,
            DISK_SEALED_MAX,
        ),
    ]
}

fn of_memory(looked: &Looked) -> [Line; 2] {
    let Looked { events, open_mb, service_mb, service_peak_mb, .. } = looked;
    [
        Line::plain(format!("resident memory at {events:.0} events: opened, MB"), format!("{open_mb:.0}")),
        Line::plain(
            format!("the same in service ({}), MB", look::SERVICE),
            format!("{service_mb:.0}, at most {service_peak_mb:.0}"),
        ),
    ]
}

fn of_time(looked: &Looked, whole: &Whole, verified: &Verified) -> Vec<Line> {
    vec![
        Line::with_limit("open after SIGKILL, s", looked.open_seconds, 2, OPEN_SECONDS_MAX),
        Line::with_limit("open after SIGKILL, peak memory, MB", looked.open_peak_mb, 0, OPEN_MB_MAX),
        Line::plain("open after everything is sealed and closed, s", format!("{:.2}", whole.reopen_seconds)),
        Line::with_goal(
            "replay from disk, decode included, events a second of processor time",
            whole.replayed_per_cpu,
            0,
            REPLAY_MIN,
        ),
        Line::plain("the same by the clock", table::per_second(whole.replayed)),
        Line::plain("sealing by the clock, MB/s", format!("{:.0}", whole.sealed_mb_per_second)),
        Line::plain("log verify, MB/s", format!("{:.0}", verified.mb_per_second)),
        Line::plain("log verify, peak memory, MB", format!("{:.0}", verified.peak_mb)),
    ]
}

fn of_appends(grown: &Grown) -> Vec<Line> {
    let Grown { rates: [large, small], sealed: [large_sealed, small_sealed] } = grown;
    let rate = |rates: &[f64]| format!("{} ({})", table::per_second(median(rates)), spread(rates, 0));
    vec![
        Line::plain(format!("appends at that size, {large_sealed} segments sealed meanwhile"), rate(large)),
        Line::plain(
            format!("appends at {SMALL_EVENTS} events, {small_sealed} segments sealed meanwhile"),
            rate(small),
        ),
        Line::with_goal(
            "appends at that size to appends at a million",
            median_ratio(large, small),
            2,
            APPENDS_MIN,
        ),
        Line::plain(
            "the same over all rounds together",
            format!("{:.2}", grow::together(large) / grow::together(small)),
        ),
    ]
}
