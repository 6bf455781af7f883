//! How fast tickets are folded, what they take of memory, and how long questions about them take.
//!
//! `cargo run --release -p pegcount-kpi --example ticket_speed [tickets]`
#![allow(clippy::expect_used, clippy::cast_precision_loss, missing_docs, reason = "a measurement by hand")]

use std::time::Instant;

use pegcount_domain::{
    envelope::{Position, Recorded, StreamKind, StreamName},
    event::Event,
    ids::{AgentId, CategoryId, Key, Name, SiteId, TeamId, TicketKind},
    ticketing::{FieldValue, Opening, TicketEvent, Way},
    time::Micros,
};
use pegcount_kpi::{Dimension, Kpi, Query};

const START: Micros = Micros(1_772_434_800_000_000);
const MINUTE: i64 = 60_000_000;

fn key(text: &str) -> Key {
    Key::of(text, 7)
}

/// What happens to the ticket with a number: minutes after its opening, what. One of ten stays open.
fn story(number: i64) -> Vec<(i64, TicketEvent<Key>)> {
    let agent = AgentId(key(&format!("agent {}", number % 200)));
    let category = FieldValue::Category(CategoryId(key(&format!("trade {}", number % 20))));
    let opening = Opening {
        receiver: Some(agent),
        group: Some(TeamId(key(&format!("group {}", number % 10)))),
        set: vec![category],
        ..Opening::of(TicketKind(key("repair")))
    };
    let mut story = vec![
        (0, TicketEvent::Opened(Box::new(opening))),
        (5, TicketEvent::Accepted { owner: agent }),
        (6, TicketEvent::Classified { set: vec![category] }),
        (10 + number % 50, TicketEvent::Informed { contact: None }),
        (70, TicketEvent::WorkStarted),
        (90, TicketEvent::Investigated),
    ];
    if number % 10 != 0 {
        let way = Some(Way::Alone);
        let resolve = TicketEvent::Resolved { way, agent: Some(agent), reason: None };
        story.push((120 + number % 300, resolve));
        story.push((500, TicketEvent::Closed { agent: Some(agent), reason: None }));
    }
    story
}

fn main() {
    let tickets: i64 = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(100_000);
    let told = |number: i64| {
        let id = key(&format!("ticket {number}"));
        let events = story(number).into_iter();
        events.map(move |(after, event)| (START.0 + (number + after) * MINUTE + number % MINUTE, id, event))
    };
    let mut facts: Vec<(i64, Key, TicketEvent<Key>)> = (0..tickets).flat_map(told).collect();
    facts.sort_by_key(|(at, ..)| *at);
    let count = facts.len();
    let mut kpi = Kpi::new();
    kpi.set_seed(7);
    let begin = Instant::now();
    for (position, (at, id, event)) in (1u64..).zip(facts) {
        kpi.apply(&Recorded {
            position: Position(position),
            stream: StreamName { site: key("north"), kind: StreamKind::Ticket, id },
            occurred_at: Micros(at),
            recorded_at: Micros(at),
            source: key("desk"),
            source_seq: None,
            event: Event::Ticket(event),
        });
    }
    let took = begin.elapsed();
    kpi.name(key("north"), "north");
    println!(
        "{count} events of {tickets} tickets in {took:.1?}: {:.2} us each",
        took.as_secs_f64() * 1e6 / count as f64
    );
    for weight in kpi.weights().iter().filter(|weight| weight.bytes > 1 << 20) {
        println!("{:>12} bytes  {:>10} x {}", weight.bytes, weight.count, weight.what);
    }
    let now = Micros(START.0 + (tickets + 600) * MINUTE);
    let site = SiteId(Name::new("north").expect("a name"));
    let day = 24 * 60 * MINUTE;
    let today = Micros(now.0 / day * day);
    for (what, from, by) in [
        ("a day by group", Micros(today.0 - day), Dimension::Group),
        ("30 days by category", Micros(today.0 - 30 * day), Dimension::Category),
        ("30 days by day", Micros(today.0 - 30 * day), Dimension::Day),
    ] {
        let query = Query { by: vec![by], ..Query::new(site.clone(), from, today, now) };
        let begin = Instant::now();
        let rows = kpi.query(&query).map(|table| table.rows.len());
        println!("{what}: {rows:?} rows in {:.2?}", begin.elapsed());
    }
    let query =
        Query { as_of: Micros(now.0 - day), ..Query::new(site, Micros(today.0 - 3 * day), today, now) };
    let begin = Instant::now();
    let rows = kpi.query(&query).map(|table| table.rows.len());
    println!("as of a day before: {rows:?} rows in {:.2?}", begin.elapsed());
}
