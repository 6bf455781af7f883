//! How long an answer from what was known then takes: `cargo run --release -p pegcount-engine --example known_at_speed
//! [events]`. Fills a log with calls, then asks about points of it from nothing, from a kept fold, and from an earlier
//! one. Prints; asserts nothing.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "a measurement"
)]

use std::{env, sync::Arc, time::Instant};

use pegcount_clock::Clock;
use pegcount_domain::{
    envelope::Position,
    ids::{Epoch, Name, SiteId, SourceId},
    time::{Interval, Micros},
};
use pegcount_engine::{Engine, EngineOptions, FactBatch, LogStore, SourceHello, SourceSession};
use pegcount_kpi::{Attribution, Dimension, Query, Variant};
use pegcount_log::Durability;
use pegcount_proto::v1::{self, agent_fact::Action as AgentAction, contact_fact::Action, leg::Step};

/// 2026-03-02 08:00 UTC.
const MORNING: Micros = Micros(1_772_438_400_000_000);
const AGENTS: u64 = 200;
/// One call of each agent begins in so long.
const ROUND: Micros = Micros(5 * Micros::MINUTE.0);
const QUEUES: [&str; 4] = ["service", "sales", "repairs", "billing"];

#[tokio::main]
async fn main() {
    let events = env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual(MORNING);
    let store = LogStore::Folder {
        dir: dir.path().to_owned(),
        durability: Durability::ProcessCrash,
        cache_bytes: 64 << 20,
        seal_bytes: 128 << 20,
    };
    let options = EngineOptions { clock: clock.clone(), store, ..EngineOptions::folder(dir.path()) };
    let engine = Engine::open(options).await.unwrap();
    fill(&engine, &clock, events).await;
    engine.caught_up(engine.end()).await.unwrap();
    let end = engine.end().0;
    println!("{end} events, {AGENTS} agents");
    let part = |percent: u64| Position(end * percent / 100);
    for (what, percent) in [
        ("from nothing", 50),
        ("the same again", 50),
        ("from the one before", 75),
        ("from the one before", 99),
        ("from nothing again, since nothing kept lies before it", 75),
        ("kept beside it", 99),
        ("the present", 100),
    ] {
        let seconds = ask(&engine, clock.now(), part(percent)).await;
        println!("known at {percent} %, {what}: {:.1} ms", seconds * 1e3);
    }
    engine.close().await.unwrap();
}

/// The last eight hours by hour and queue.
async fn ask(engine: &Arc<Engine>, now: Micros, known: Position) -> f64 {
    let query = Query {
        site: SiteId(Name::fixed("north")),
        from: Interval::containing(now.minus(Micros(8 * Micros::HOUR.0))).start(),
        to: Interval::containing(now).end(),
        by: vec![Dimension::Hour, Dimension::Queue],
        attribution: Attribution::Event,
        time_zone: jiff::tz::TimeZone::UTC,
        as_of: now,
        queues: Vec::new(),
        agents: Vec::new(),
        formula_version: None,
        variant: Variant::default(),
    };
    let begin = Instant::now();
    engine.query_at(query, Some(known)).await.unwrap();
    begin.elapsed().as_secs_f64()
}

async fn fill(engine: &Arc<Engine>, clock: &Clock, events: u64) {
    let hello = SourceHello {
        site: SiteId(Name::fixed("north")),
        source: SourceId(Name::fixed("pbx")),
        epoch: Epoch(7),
        incarnation: None,
        boot: "boot".to_owned(),
        client_time: None,
        agent: None,
        actor: Name::fixed("pbx"),
        only_agent: None,
    };
    let session = engine.open_source(hello).unwrap().0;
    let mut seq = 1;
    for round in 0.. {
        if seq > events {
            return;
        }
        let mut facts: Vec<(Micros, v1::fact::Fact)> =
            (0..AGENTS).flat_map(|agent| call(round, agent)).collect();
        facts.sort_by_key(|(at, _)| *at);
        clock.set(MORNING.plus(Micros(ROUND.0 * (round + 1))));
        seq = send(&session, seq, facts).await;
    }
}

async fn send(session: &SourceSession, mut seq: u64, facts: Vec<(Micros, v1::fact::Fact)>) -> u64 {
    let mut pending = Vec::new();
    for part in facts.chunks(500) {
        let batch = part.iter().zip(seq..).map(|((at, fact), seq)| v1::Fact {
            seq,
            source_time_us: at.0,
            fact: Some(fact.clone()),
        });
        let batch = FactBatch { facts: batch.collect(), clock_offset: None };
        seq += u64::try_from(part.len()).unwrap();
        pending.push(session.submit(batch).await.unwrap());
    }
    for ack in pending {
        ack.durable().await.unwrap();
    }
    seq
}

/// What one call of an agent makes the exchange and the softphone say; in the first round the agent signs in before.
fn call(round: i64, agent: u64) -> Vec<(Micros, v1::fact::Fact)> {
    let name = format!("agent-{agent:03}");
    let contact = format!("c-{round}-{agent}");
    let queue = QUEUES[usize::try_from(agent).unwrap() % QUEUES.len()];
    let begin = MORNING.plus(Micros(ROUND.0 * round + i64::try_from(agent).unwrap() * Micros::SECOND.0 / 4));
    let at = |seconds: i64| begin.plus(Micros::from_secs(seconds));
    let of_agent =
        |action| v1::fact::Fact::Agent(v1::AgentFact { agent: name.clone(), action: Some(action) });
    let of_contact =
        |action| v1::fact::Fact::Contact(v1::ContactFact { contact: contact.clone(), action: Some(action) });
    let step = |step| {
        of_agent(AgentAction::Leg(v1::Leg {
            contact: contact.clone(),
            leg: "1".into(),
            queue: queue.into(),
            channel: v1::Channel::Voice.into(),
            direction: v1::Direction::Inbound.into(),
            step: Some(step),
            ..Default::default()
        }))
    };
    let started = v1::ContactStarted { channel: 1, direction: 1, ..Default::default() };
    let entered = v1::QueueEntered { visit: "1".into(), queue: queue.into(), priority: 0 };
    let left = v1::QueueLeft { visit: "1".into(), exit: v1::QueueExit::Answered.into(), ringing: false };
    let ended = v1::LegEnded { by: v1::Party::Customer.into(), after_call_expected: true };
    let mut facts = Vec::new();
    if round == 0 {
        facts.push((MORNING, of_agent(AgentAction::SignedIn(v1::Nothing {}))));
        facts.push((MORNING, of_agent(AgentAction::Ready(v1::Nothing {}))));
    }
    facts.extend([
        (at(0), of_contact(Action::Started(started))),
        (at(1), of_contact(Action::QueueEntered(entered))),
        (at(5), step(Step::Ringing(v1::Nothing {}))),
        (at(9), step(Step::Answered(v1::Nothing {}))),
        (at(9), of_contact(Action::QueueLeft(left))),
        (at(100), step(Step::Held(v1::Nothing {}))),
        (at(120), step(Step::Retrieved(v1::Nothing {}))),
        (at(180), step(Step::Ended(ended))),
        (at(180), of_contact(Action::Ended(v1::ContactEnded { by: 2, self_served: false }))),
        (at(210), step(Step::AfterCallEnded(v1::Nothing {}))),
    ]);
    facts
}
