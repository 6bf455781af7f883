//! How long questions about figures take in process, in a centre whose 10,000 agents have worked a shift of 8 hours: a
//! day by queue and hour, the shift by agent and interval, a window of half an hour, and the first page of an explanation.
//! The first two also as a page asks them, again and again while facts come in: then the server keeps what is open of the
//! site (`Kpi::query_present`), and the time is that of bringing it up to date for the question, and of the
//! answer. A small table is then kept itself (`Board`), which takes in differences: after a whole second in which nobody looked, and in a
//! centre whose pages have their tables brought up to date ten times a second.
//!
//! `cargo bench -p pegcount-benches --bench query`; `PEGCOUNT_BENCH_AGENTS` sets another centre.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::time::Instant;

use pegcount_benches::{
    Outcome,
    measure::{Others, median, number, spread},
    table::{self, Line},
};
use pegcount_domain::{
    envelope::Recorded,
    ids::{Name, SiteId},
    time::{Interval, Micros},
};
use pegcount_kpi::{
    Dimension, ExplainQuery, Kpi, Query,
    live::{Board, Follower},
    workload::{Size, Workload, key},
};

const AGENTS: u64 = 10_000;
const QUEUES: u32 = 6;
const SHIFT: Micros = Micros(8 * Micros::HOUR.0);
const ROUNDS: usize = 15;
/// A second of a busy centre.
const EVENTS_BETWEEN: usize = 2_000;
const BY_QUEUE_MS_MAX: f64 = 5.0;
const BY_AGENT_MS_MAX: f64 = 100.0;
const EXPLAIN_MS_MAX: f64 = 200.0;
const QUEUE_COLUMNS: [&str; 8] =
    ["offered", "answered", "abandon_rate", "service_level", "asa", "asa_p90", "waiting", "longest_waiting"];
const AGENT_COLUMNS: [&str; 7] =
    ["handled", "handle_talk", "aht", "contacts_per_hour", "occupancy", "signed_in_clock", "rona_rate"];

fn main() -> Outcome<()> {
    let others = Others::begin();
    let agents = number("PEGCOUNT_BENCH_AGENTS", AGENTS);
    let centre = Size { agents: u32::try_from(agents)?, queues: QUEUES, ..Size::default() };
    let end = centre.start.plus(SHIFT);
    let mut kpi = Kpi::new();
    let mut events = 0u64;
    let mut coming = Workload::new(centre).peekable();
    while let Some(event) = coming.next_if(|event| event.occurred_at < end) {
        kpi.apply(&event);
        events += 1;
    }
    name(&mut kpi, agents);
    let site = SiteId(Name::new("site")?);
    let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let day_us = 24 * Micros::HOUR.0;
    let midnight = Micros(centre.start.0.div_euclid(day_us) * day_us);
    let day = Query::new(site.clone(), midnight, midnight.plus(Micros(day_us)), end);
    let (from, to) = (Interval::containing(centre.start).start(), Interval::containing(end).end());
    let shift = Query::new(site, from, to, end);

    let by_queue = Query {
        by: vec![Dimension::Queue, Dimension::Hour],
        columns: columns(&QUEUE_COLUMNS),
        ..day.clone()
    };
    let by_queue_all = Query { columns: Vec::new(), ..by_queue.clone() };
    let by_agent = Query {
        by: vec![Dimension::Agent, Dimension::Interval15],
        columns: columns(&AGENT_COLUMNS),
        ..shift.clone()
    };
    let window = Query {
        last: Some(Micros(30 * Micros::MINUTE.0 - 1)),
        by: vec![Dimension::Queue],
        columns: columns(&QUEUE_COLUMNS),
        ..shift.clone()
    };
    let cell = Query {
        from: Interval(Interval::containing(end).0 - 8).start(),
        to: Interval(Interval::containing(end).0 - 7).start(),
        ..shift
    };
    let explain = |column: &str, cell_of: (Dimension, &str)| -> Outcome<ExplainQuery> {
        let (column, cell_of) = (column.to_owned(), vec![(cell_of.0, Some(Name::new(cell_of.1)?))]);
        Ok(ExplainQuery { query: cell.clone(), cell: cell_of, column, skip: 0, limit: 100 })
    };
    let of_queue = explain("service_level", (Dimension::Queue, "queue 1"))?;
    let of_agent = explain("aht", (Dimension::Agent, "agent 17"))?;

    let mut lines = vec![Line::plain("events folded", events.to_string())];
    let mut ask = |what: &str, limit: Option<f64>, query: &Query| -> Outcome<()> {
        let mut rows = 0;
        let millis = timed(|| {
            rows = kpi.query(query)?.rows.len();
            Ok(())
        })?;
        lines.push(line(&format!("{what}: {rows} rows, ms"), &millis, limit));
        Ok(())
    };
    ask("a day by queue and hour, 8 columns, for the first time", None, &by_queue)?;
    ask("a day by queue and hour, all columns, for the first time", None, &by_queue_all)?;
    ask("a shift by agent and interval, 7 columns, for the first time", None, &by_agent)?;
    ask("the last 30 minutes less a microsecond by queue, 8 columns", None, &window)?;
    for (what, asked) in [("service_level of a queue", &of_queue), ("aht of an agent", &of_agent)] {
        let mut items = 0;
        let millis = timed(|| {
            items = kpi.explain(asked)?.count;
            Ok(())
        })?;
        let what = format!("explain {what} in 15 minutes, first page of {items} items, ms");
        lines.push(line(&what, &millis, Some(EXPLAIN_MS_MAX)));
    }
    let mut follower = Follower::new(by_queue.site.clone(), end);
    for (what, query, limit) in [
        ("a day by queue and hour, 8 columns", &by_queue, BY_QUEUE_MS_MAX),
        ("a shift by agent and interval, 7 columns", &by_agent, BY_AGENT_MS_MAX),
    ] {
        let (mut millis, mut rows) = (Vec::new(), 0);
        // The first one begins the following.
        for round in 0..=ROUNDS {
            let next: Vec<_> = coming.by_ref().take(EVENTS_BETWEEN).collect();
            for event in &next {
                kpi.apply(event);
            }
            let now = next.last().map_or(end, |event| event.recorded_at);
            let begun = Instant::now();
            follower.take(&mut kpi);
            follower.step_for(&kpi, now, std::slice::from_ref(query));
            let query = Query { as_of: follower.as_of(), ..query.clone() };
            rows = kpi.query_present(&query, &follower)?.rows.len();
            if round > 0 {
                millis.push(begun.elapsed().as_secs_f64() * 1e3);
            }
        }
        let what = format!("{what}, again {EVENTS_BETWEEN} events later: {rows} rows, ms");
        lines.push(line(&what, &millis, Some(limit)));
    }
    lines.extend(kept((&mut kpi, &mut follower), &by_queue, coming)?);
    table::print(&format!("Questions, {agents} agents after 8 hours ({})", others.share()), &lines);
    Ok(())
}

/// A small table that is kept by differences, brought up to date and read.
fn kept(
    (kpi, follower): (&mut Kpi, &mut Follower),
    by_queue: &Query,
    mut coming: impl Iterator<Item = Recorded>,
) -> Outcome<Vec<Line>> {
    let mut board = Board::new(by_queue.clone(), 0)?;
    let mut lines = Vec::new();
    for (when, between, limit) in [
        ("a second", EVENTS_BETWEEN, None),
        ("a tenth of a second", EVENTS_BETWEEN / 10, Some(BY_QUEUE_MS_MAX)),
    ] {
        let (mut millis, mut rows) = (Vec::new(), 0);
        for round in 0..=ROUNDS {
            let next: Vec<_> = coming.by_ref().take(between).collect();
            for event in &next {
                kpi.apply(event);
            }
            let now = next.last().map_or(follower.as_of(), |event| event.recorded_at);
            let begun = Instant::now();
            follower.take(kpi);
            let deltas = follower.step_without_lines(kpi, now);
            if board.is_empty() {
                board.fill(kpi, follower);
            } else {
                board.apply(&deltas, kpi, follower);
            }
            rows = board.table().rows.len();
            if round > 0 {
                millis.push(begun.elapsed().as_secs_f64() * 1e3);
            }
        }
        let what = format!(
            "a day by queue and hour, 8 columns, kept, {when} later ({between} events): {rows} rows, ms"
        );
        lines.push(line(&what, &millis, limit));
    }
    Ok(lines)
}

/// Tells the names that questions speak of, and those of all rows.
fn name(kpi: &mut Kpi, agents: u64) {
    kpi.missing_names();
    kpi.name(key("site", 0), "site");
    for (kind, count) in [("agent", agents), ("queue", 16), ("entry", 16), ("reason", 16)] {
        (0..count).for_each(|number| kpi.name(key(kind, number), &format!("{kind} {number}")));
    }
}

fn timed(mut ask: impl FnMut() -> Outcome<()>) -> Outcome<Vec<f64>> {
    let mut millis = Vec::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        ask()?;
        millis.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    Ok(millis)
}

fn line(what: &str, millis: &[f64], limit: Option<f64>) -> Line {
    let what = format!("{what} ({})", spread(millis, 1));
    match limit {
        Some(limit) => Line::with_limit(what, median(millis), 1, limit),
        None => Line::plain(what, format!("{:.1}", median(millis))),
    }
}
