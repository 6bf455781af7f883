//! How fast events fold, and how fast a day is read: `cargo run --release -p pegcount-kpi --features workload
//! --example fold_speed [events] [agents] [rounds] [readings]`. Prints; asserts nothing.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, clippy::print_stdout, reason = "a measurement")]

use std::{env, time::Instant};

use pegcount_domain::{
    ids::{Name, SiteId},
    time::{Interval, Micros},
};
use pegcount_kpi::{
    Attribution, Dimension, Kpi, Query, Variant,
    workload::{Size, Workload, key},
};

fn main() {
    let number =
        |index: usize, default: usize| env::args().nth(index).and_then(|n| n.parse().ok()).unwrap_or(default);
    let size = Size { agents: u32::try_from(number(2, 200)).unwrap(), ..Size::default() };
    let events: Vec<_> = Workload::new(size).take(number(1, 1_000_000)).collect();
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
    kpi.missing_names();
    kpi.name(key("site", 0), "site");
    for by in [vec![Dimension::Hour, Dimension::Queue], vec![Dimension::Interval15, Dimension::Agent], vec![]]
    {
        let query = Query {
            site: SiteId(Name::new("site").unwrap()),
            from: Interval::containing(last.minus(Micros(8 * Micros::HOUR.0))).start(),
            to: Interval::containing(last).end(),
            by: by.clone(),
            attribution: Attribution::Event,
            time_zone: jiff::tz::TimeZone::UTC,
            as_of: last,
            queues: Vec::new(),
            agents: Vec::new(),
            formula_version: None,
            variant: Variant::default(),
        };
        let (mut rows, mut seconds) = (0, f64::MAX);
        for _ in 0..number(4, 10) {
            let begin = Instant::now();
            rows = kpi.query(&query).unwrap().rows.len();
            seconds = seconds.min(begin.elapsed().as_secs_f64());
        }
        println!("{by:?}: {rows} rows in {:.2} ms", seconds * 1e3);
    }
}
