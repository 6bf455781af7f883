//! The same question about the same position, instant and formulas gets the same bytes: whatever has come since, after a
//! restart, and whichever of independent facts came first.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests"
)]

mod support;

use std::{path::PathBuf, sync::Arc};

use pegcount_clock::Clock;
use pegcount_domain::{
    ids::{Epoch, Name, SiteId, SourceId},
    time::Micros,
};
use pegcount_engine::{Engine, FactBatch, SourceHello};
use pegcount_proto::v1::{self, Dimension, contact_fact::Action, query_kpi_request::KnownAt};
use pegcount_server::{Role, ServerOptions, start};
use prost::Message;
use support::{Desk, Line, MORNING, agent_fact, contact_fact, desk, engine_in, loopback};

type Kpis = v1::kpi_service_client::KpiServiceClient<Line>;

fn at(seconds: i64) -> Micros {
    MORNING.plus(Micros::from_secs(seconds))
}

/// Every way to cut that may show an order that is nobody's business.
const CUTS: [&[Dimension]; 6] = [
    &[],
    &[Dimension::Queue],
    &[Dimension::Interval15, Dimension::Agent],
    &[Dimension::Hour, Dimension::Queue, Dimension::Channel, Dimension::Direction, Dimension::Priority],
    &[Dimension::Agent, Dimension::Reason],
    &[Dimension::Entry, Dimension::Queue],
];

async fn kpis(desk: &Desk) -> Kpis {
    let (channel, bearer) = desk.line_of(Role::KpiDesk).await;
    v1::kpi_service_client::KpiServiceClient::with_interceptor(channel, bearer)
}

/// The bytes of all answers, and of an explanation of some figures.
async fn bytes(kpis: &mut Kpis, as_of: Micros, position: u64) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let asked = |by: &[Dimension]| v1::QueryKpiRequest {
        site: "north".into(),
        from_us: MORNING.0,
        to_us: MORNING.plus(Micros(2 * Micros::HOUR.0)).0,
        by: by.iter().map(|dimension| (*dimension).into()).collect(),
        as_of_us: Some(as_of.0),
        known_at: Some(KnownAt::KnownAtPosition(position)),
        ..Default::default()
    };
    for by in CUTS {
        all.push(kpis.query_kpi(asked(by)).await.unwrap().into_inner().encode_to_vec());
    }
    for column in ["offered", "abandoned", "signed_in_clock", "aht", "asa_p90"] {
        let request =
            v1::ExplainKpiRequest { query: Some(asked(&[])), column: column.into(), ..Default::default() };
        let mut answer = kpis.explain_kpi(request).await.unwrap().into_inner();
        // A later page may say that more has come in; that is about the log, not about the figure.
        answer.moved_on = false;
        all.push(answer.encode_to_vec());
    }
    all
}

/// One reporter's facts.
struct Told {
    source: String,
    facts: Vec<v1::Fact>,
}

/// A caller who waits in three queues from the same microsecond on and hangs up, or is answered in two of them at once.
fn call(number: u32) -> Told {
    let contact = format!("c{number}");
    let begin = i64::from(number) * 40;
    let started = v1::ContactStarted {
        channel: 1,
        direction: 1,
        entry: format!("line {}", number % 3),
        ..Default::default()
    };
    let mut actions = vec![(begin, Action::Started(started))];
    for queue in ["sales", "care", "spare"] {
        let visit = format!("v {queue}");
        actions.push((
            begin,
            Action::QueueEntered(v1::QueueEntered { visit, queue: queue.into(), priority: number % 4 }),
        ));
    }
    let leave = |queue: &str, exit: v1::QueueExit| {
        let visit = format!("v {queue}");
        Action::QueueLeft(v1::QueueLeft { visit, exit: exit.into(), ringing: false })
    };
    if number.is_multiple_of(2) {
        for queue in ["sales", "care", "spare"] {
            actions.push((begin + 30, leave(queue, v1::QueueExit::Abandoned)));
        }
    } else {
        for queue in ["sales", "care"] {
            actions.push((begin + 15, leave(queue, v1::QueueExit::Answered)));
        }
        for leg in ["a", "b"] {
            let step = |step| {
                Action::Leg(v1::Leg {
                    leg: leg.into(),
                    agent: format!("agent {leg}"),
                    channel: 1,
                    direction: 1,
                    step: Some(step),
                    ..Default::default()
                })
            };
            actions.push((begin + 15, step(v1::leg::Step::Answered(v1::Nothing {}))));
            actions.push((begin + 60, step(v1::leg::Step::Ended(v1::LegEnded::default()))));
        }
    }
    actions.push((begin + 60, Action::Ended(v1::ContactEnded { by: 2, self_served: false })));
    actions.sort_by_key(|(seconds, _)| *seconds);
    let facts = actions.into_iter().zip(1..);
    let facts =
        facts.map(|((seconds, action), seq)| contact_fact(seq, at(seconds), &contact, action)).collect();
    Told { source: format!("line of {contact}"), facts }
}

fn shift(agent: &str) -> Told {
    use v1::agent_fact::Action::{NotReady, Ready, SignedIn};
    let away = |reason: &str| NotReady(v1::NotReady { reason: reason.into() });
    let actions = [
        (0, SignedIn(v1::Nothing {})),
        (60, Ready(v1::Nothing {})),
        (900, away("meal")),
        (1200, Ready(v1::Nothing {})),
        (1500, away("rest")),
    ];
    let facts = actions.into_iter().zip(1..);
    let facts = facts.map(|((seconds, action), seq)| agent_fact(seq, at(seconds), agent, action)).collect();
    Told { source: format!("phone of {agent}"), facts }
}

fn story() -> Vec<Told> {
    let shifts = ["agent a", "agent b", "agent c"].map(shift);
    shifts.into_iter().chain((0..40).map(call)).collect()
}

/// Each reporter has a counter of its own, so that it does not matter who comes first.
async fn tell(engine: &Arc<Engine>, told: &Told, epoch: u128) {
    let hello = SourceHello {
        site: SiteId::new("north").unwrap(),
        source: SourceId(Name::new(&told.source).unwrap()),
        epoch: Epoch(epoch),
        incarnation: None,
        boot: "boot".to_owned(),
        client_time: None,
        agent: None,
        actor: Name::new("tester").unwrap(),
        only_agent: None,
    };
    let session = engine.open_source(hello).unwrap().0;
    let batch = FactBatch { facts: told.facts.clone(), clock_offset: None };
    session.submit(batch).await.unwrap().durable().await.unwrap();
}

async fn told_in(desk: &Desk, order: impl Iterator<Item = usize>) -> u64 {
    desk.clock.set(at(2 * 3600));
    let story = story();
    for index in order {
        tell(&desk.engine, &story[index], 1 + u128::try_from(index).unwrap()).await;
    }
    let end = desk.engine.end();
    desk.engine.caught_up(end).await.unwrap();
    end.0
}

#[tokio::test]
async fn the_same_question_gets_the_same_bytes_whatever_has_come_since() {
    let desk = desk().await;
    let end = told_in(&desk, 0..story().len()).await;
    let mut kpis = kpis(&desk).await;
    let first = bytes(&mut kpis, at(1000), end).await;
    for number in 100..105 {
        tell(&desk.engine, &call(number), 1000 + u128::from(number)).await;
        desk.engine.caught_up(desk.engine.end()).await.unwrap();
        assert_eq!(bytes(&mut kpis, at(1000), end).await, first, "after call {number}");
    }
}

async fn again(dir: tempfile::TempDir, clock: Clock) -> Desk {
    let engine = engine_in(PathBuf::from(dir.path()), clock.clone()).await;
    let running = start(engine.clone(), ServerOptions::new(loopback(), dir.path())).await.unwrap();
    Desk { engine, addr: running.addr, running: Some(running), clock, dir }
}

#[tokio::test]
async fn the_same_question_gets_the_same_bytes_after_a_restart() {
    let mut desk = desk().await;
    let end = told_in(&desk, 0..story().len()).await;
    let first = bytes(&mut kpis(&desk).await, at(1000), end).await;
    for _ in 0..3 {
        desk.shut_down().await.unwrap();
        desk.engine.close().await.unwrap();
        let Desk { engine, dir, clock, .. } = desk;
        drop(engine);
        desk = again(dir, clock).await;
        assert_eq!(bytes(&mut kpis(&desk).await, at(1000), end).await, first);
    }
}

#[tokio::test]
async fn independent_facts_give_the_same_bytes_whichever_came_first() {
    let desk = desk().await;
    let count = story().len();
    let end = told_in(&desk, 0..count).await;
    let mut kpi = kpis(&desk).await;
    let figures = bytes(&mut kpi, at(1000), end).await;
    // The same site in the same vault, told in another order: only what says where the events lie differs.
    for step in [7, 16, 41] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("vault")).unwrap();
        copy(&desk.dir.path().join("vault"), &dir.path().join("vault"));
        let other = again(dir, Clock::manual(MORNING)).await;
        assert_eq!(told_in(&other, (0..count).map(|index| index * step % count)).await, end);
        let others = bytes(&mut kpis(&other).await, at(1000), end).await;
        for (one, other) in figures.iter().zip(&others).take(CUTS.len()) {
            let [one, other] = [one, other].map(|bytes| {
                let mut table = v1::KpiTable::decode(bytes.as_slice()).unwrap();
                table.incarnation.clear();
                table.encode_to_vec()
            });
            assert!(one == other, "told in steps of {step}");
        }
    }
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
