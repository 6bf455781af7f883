//! What the auditor costs beside the figures' fold: `cargo run --release -p pegcount-kpi --features workload --example
//! audit_speed [events] [agents] [rounds]`. Prints; asserts nothing.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, clippy::print_stdout, reason = "a measurement")]

use std::{env, time::Instant};

use pegcount_audit::{Auditor, Keep, Limits};
use pegcount_domain::time::{Interval, Micros, Span};
use pegcount_kpi::{
    Kpi,
    workload::{Size, Workload, key},
};

fn main() {
    let number =
        |index: usize, default: usize| env::args().nth(index).and_then(|n| n.parse().ok()).unwrap_or(default);
    let size = Size { agents: u32::try_from(number(2, 200)).unwrap(), ..Size::default() };
    let events: Vec<_> = Workload::new(size).take(number(1, 1_000_000)).collect();
    let last = events.last().unwrap().occurred_at;
    let limits = Limits { facts_max: 400_000, keep: Keep::Last(8) };
    let (mut figures, mut audit) = (f64::MAX, f64::MAX);
    let mut auditor = Auditor::new(limits);
    for _ in 0..number(3, 5) {
        let (mut kpi, begin) = (Kpi::new(), Instant::now());
        for event in &events {
            kpi.apply(event);
        }
        figures = figures.min(begin.elapsed().as_secs_f64());
        auditor = Auditor::new(limits);
        let begin = Instant::now();
        for event in &events {
            auditor.apply(event);
        }
        audit = audit.min(begin.elapsed().as_secs_f64());
    }
    let per_second = |seconds: f64| events.len() as f64 / seconds;
    println!(
        "{} events: figures {:.0} events/s, auditor {:.0} events/s",
        events.len(),
        per_second(figures),
        per_second(audit)
    );
    println!(
        "the auditor takes {:.1} % of what the figures take, and keeps {} facts",
        100.0 * audit / figures,
        auditor.facts()
    );
    let end = Interval::containing(last).end();
    let range = Span::new(end.minus(Micros(2 * Micros::HOUR.0)), end);
    let begin = Instant::now();
    let counted = auditor.count(key("site", 0), range, last);
    let (queues, agents) = counted.counts.lines();
    println!(
        "one look at two hours: {queues} lines of queues and {agents} of agents in {:.1} ms",
        begin.elapsed().as_secs_f64() * 1e3
    );
}
