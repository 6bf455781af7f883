//! How fast events fold, and how fast a day is read: `cargo run --release -p pegcount-kpi --features workload
//! --example fold_speed [events] [agents] [rounds] [readings] [questions]`. Prints; asserts nothing.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, clippy::print_stdout, reason = "a measurement")]

use std::{env, time::Instant};

use pegcount_domain::{
    ids::{Name, SiteId},
    time::{Interval, Micros},
};
use pegcount_kpi::{
    Dimension, Kpi, Part, PartError, Query,
    live::Follower,
    workload::{Size, Workload, key},
};

/// All of it as an archive and as parts: bytes, and seconds to write and to read them, on one thread.
fn written_and_read(kpi: &Kpi) {
    let megabytes = |bytes: usize| bytes as f64 / 1e6;
    let begin = Instant::now();
    let archive = kpi.archived();
    let written = begin.elapsed().as_secs_f64();
    let begin = Instant::now();
    let restored = Kpi::restored(&archive).unwrap();
    let read = begin.elapsed().as_secs_f64();
    assert_eq!(restored.position(), kpi.position());
    drop(restored);
    println!("archive: {:.1} MB, written in {written:.3} s, read in {read:.3} s", megabytes(archive.len()));
    drop(archive);
    let mut parts = Vec::new();
    let begin = Instant::now();
    kpi.parts::<PartError>(|part| {
        parts.push(part);
        Ok(())
    })
    .unwrap();
    let written = begin.elapsed().as_secs_f64();
    let begin = Instant::now();
    let read: Vec<Part> = parts.iter().map(|part| Part::read(part).unwrap()).collect();
    let restored = Kpi::assembled(read).unwrap();
    let read = begin.elapsed().as_secs_f64();
    assert_eq!(restored.position(), kpi.position());
    let bytes = parts.iter().map(Vec::len).sum();
    println!(
        "{} parts: {:.1} MB, written in {written:.3} s, read in {read:.3} s",
        parts.len(),
        megabytes(bytes)
    );
}

fn main() {
    let number =
        |index: usize, default: usize| env::args().nth(index).and_then(|n| n.parse().ok()).unwrap_or(default);
    let centre = Size { agents: u32::try_from(number(2, 200)).unwrap(), ..Size::default() };
    let events: Vec<_> = Workload::new(centre).take(number(1, 1_000_000)).collect();
    let last = events.last().unwrap().occurred_at;
    let mut kpi = Kpi::new();
    let mut seconds = f64::MAX;
    for _ in 0..number(3, 5) {
        kpi = Kpi::new();
        let begin = Instant::now();
        for event in &events {
            kpi.apply(event);
        }
        seconds = seconds.min(begin.elapsed().as_secs_f64());
    }
    println!("{} events in {seconds:.3} s: {:.0} events/s", events.len(), events.len() as f64 / seconds);
    for weight in kpi.weights().iter().filter(|weight| weight.bytes > events.len() / 100) {
        let each = weight.bytes as f64 / events.len() as f64;
        println!("{:>6.2} B an event: {} {}", each, weight.count, weight.what);
    }
    kpi.missing_names();
    kpi.name(key("site", 0), "site");
    (0..u64::from(centre.agents)).for_each(|agent| kpi.name(key("agent", agent), &format!("agent {agent}")));
    written_and_read(&kpi);
    let mut later = Workload::new(centre).skip(events.len());
    let mut follower = Follower::new(SiteId(Name::new("site").unwrap()), last);
    let queues = "offered answered abandon_rate service_level asa asa_p90 waiting longest_waiting";
    let agents = "handled handle_talk aht contacts_per_hour occupancy signed_in_clock rona_rate";
    for (by, columns) in [
        (vec![Dimension::Hour, Dimension::Queue], queues),
        (vec![Dimension::Interval15, Dimension::Agent], agents),
        (vec![], ""),
    ]
    .into_iter()
    .take(number(5, 3))
    {
        let columns: Vec<String> = columns.split_whitespace().map(str::to_owned).collect();
        let from = Interval::containing(last.minus(Micros(8 * Micros::HOUR.0))).start();
        let (site, to) = (SiteId(Name::new("site").unwrap()), Interval::containing(last).end());
        let query = Query { by: by.clone(), columns, ..Query::new(site, from, to, last) };
        let (mut rows, mut seconds) = (0, f64::MAX);
        for _ in 0..number(4, 10) {
            let begin = Instant::now();
            rows = kpi.query(&query).unwrap().rows.len();
            seconds = seconds.min(begin.elapsed().as_secs_f64());
        }
        print!("{by:?}: {rows} rows in {:.2} ms", seconds * 1e3);
        let mut seconds = f64::MAX;
        for _ in 0..number(4, 10) {
            later.by_ref().take(500).for_each(|event| kpi.apply(&event));
            let begin = Instant::now();
            follower.take(&mut kpi);
            follower.step(&kpi, last);
            let query = Query { as_of: follower.as_of(), ..query.clone() };
            std::hint::black_box(kpi.query_present(&query, &follower).unwrap().rows.len());
            seconds = seconds.min(begin.elapsed().as_secs_f64());
        }
        println!("; {:.2} ms once more, 500 events later", seconds * 1e3);
    }
}
