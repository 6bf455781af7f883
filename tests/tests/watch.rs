//! Watches of a real server process: what a client has laid over each other equals the query's answer, after the server
//! was killed and started again in the middle of it, for one that did not read, and for a thousand at once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use pegcount_client::{Api, Token, WatchedTable, connect};
use pegcount_domain::time::{Interval, Micros};
use pegcount_proto::v1::{
    self, AgentFact, Dimension, Fact, KpiUpdate, NotReady, Nothing, QueryKpiRequest, WatchKpiRequest,
    agent_fact::Action, fact,
};
use pegcount_tests::{Server, free_port};
use tokio_stream::StreamExt;

const SECOND: Micros = Micros::SECOND;

/// A floor of agents, told of by one exchange.
struct Floor {
    api: Api,
    seq: u64,
    position: u64,
}

async fn api(server: &Server) -> Api {
    connect(server.url(), &Token::new(server.token()), None).await.unwrap()
}

fn now() -> Micros {
    pegcount_clock::system_now()
}

/// The present interval and those before it from the last one on that does not end a day, by agent and interval. (A day's
/// last interval is told again by every watch that goes on: what a late fact does to the day shows only there.)
fn by_agent() -> QueryKpiRequest {
    let interval = Interval::containing(now());
    let ends_day = Interval(interval.0 - 1).end().0 % (24 * 60 * 60 * SECOND.0) == 0;
    QueryKpiRequest {
        site: "main".into(),
        from_us: Interval(interval.0 - if ends_day { 2 } else { 1 }).start().0,
        to_us: Interval(interval.0 + 4).end().0,
        by: vec![Dimension::Interval15.into(), Dimension::Agent.into()],
        ..Default::default()
    }
}

impl Floor {
    async fn of(server: &Server, seq: u64) -> Self {
        Self { api: api(server).await, seq, position: 0 }
    }

    async fn tell(&mut self, agent: &str, at: Micros, actions: Vec<Action>) {
        let facts = actions.into_iter().zip(self.seq..).map(|(action, seq)| {
            let fact = AgentFact { agent: agent.into(), action: Some(action) };
            Fact { seq, source_time_us: at.0, fact: Some(fact::Fact::Agent(fact)) }
        });
        let facts: Vec<Fact> = facts.collect();
        self.seq += u64::try_from(facts.len()).unwrap();
        let request = v1::SubmitFactsRequest {
            source: Some(v1::Source { site: "main".into(), source: "pbx".into(), epoch: vec![7; 16].into() }),
            batch: Some(v1::FactBatch { facts, clock_offset_us: None }),
            ..Default::default()
        };
        self.position =
            self.api.ingest().submit_facts(request).await.unwrap().into_inner().ack.unwrap().position;
    }

    async fn sign_in(&mut self, agent: &str) {
        self.tell(agent, now(), vec![Action::SignedIn(Nothing {}), Action::Ready(Nothing {})]).await;
    }

    async fn go_away(&mut self, agent: &str) {
        let away = NotReady { reason: "meal".into() };
        self.tell(agent, now(), vec![Action::NotReady(away), Action::Ready(Nothing {})]).await;
    }
}

/// A watch from where a table stands, and its first update.
async fn watch(
    api: &Api,
    query: &QueryKpiRequest,
    table: &mut WatchedTable,
) -> (tonic::Streaming<KpiUpdate>, KpiUpdate) {
    let request = WatchKpiRequest {
        query: Some(query.clone()),
        max_per_second: 50,
        resume_token: table.resume_token().to_vec().into(),
    };
    let mut updates = api.kpi().watch_kpi(request).await.unwrap().into_inner();
    let first = updates.next().await.unwrap().unwrap();
    table.take(first.clone());
    (updates, first)
}

async fn follow(table: &mut WatchedTable, updates: &mut tonic::Streaming<KpiUpdate>, position: u64) {
    while table.position() < position {
        table.take(updates.next().await.unwrap().unwrap());
    }
}

/// To the last byte, what the query answers as of the last update.
async fn assert_is_the_answer(api: &Api, query: &QueryKpiRequest, table: &WatchedTable) {
    let asked = QueryKpiRequest { as_of_us: Some(table.as_of_us()), ..query.clone() };
    let answer = api.kpi().query_kpi(asked).await.unwrap().into_inner();
    assert_eq!(answer.position, table.position(), "nothing has happened since");
    let bytes = |rows: &[v1::KpiRow]| {
        let table = v1::KpiTable { rows: rows.to_vec(), ..Default::default() };
        prost::Message::encode_to_vec(&table)
    };
    assert_eq!(table.columns(), answer.columns);
    assert_eq!(table.rows(), answer.rows);
    assert_eq!(bytes(&table.rows()), bytes(&answer.rows));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_goes_on_over_the_servers_death_and_is_the_answer_again() {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let server = Server::start_on(dir.path(), port);
    let mut floor = Floor::of(&server, 1).await;
    let (query, mut table) = (by_agent(), WatchedTable::new(&by_agent()));
    // Something that is over, in the first interval.
    let before = Micros(query.from_us).plus(SECOND);
    floor.tell("old", before, vec![Action::SignedIn(Nothing {}), Action::SignedOut(Nothing {})]).await;
    for agent in ["ann", "bob", "cay"] {
        floor.sign_in(agent).await;
    }
    let (mut updates, first) = watch(&floor.api, &query, &mut table).await;
    assert!(first.snapshot);
    floor.go_away("bob").await;
    let position = floor.position;
    follow(&mut table, &mut updates, position).await;
    assert_is_the_answer(&floor.api, &query, &table).await;

    server.kill();
    while updates.next().await.is_some_and(|update| update.is_ok()) {}
    let server = Server::start_on(dir.path(), port);
    let mut floor = Floor::of(&server, floor.seq).await;
    let (mut updates, first) = watch(&floor.api, &query, &mut table).await;
    assert!(!first.snapshot, "the token says what is known");
    let is_old = |row: &v1::KpiRow| row.from_us == query.from_us;
    assert!(!first.rows.iter().any(is_old), "what was over has not changed");
    assert!(table.rows().iter().any(is_old), "and is still known");
    floor.go_away("cay").await;
    floor.sign_in("dan").await;
    let position = floor.position;
    follow(&mut table, &mut updates, position).await;
    assert_is_the_answer(&floor.api, &query, &table).await;
    assert_eq!(server.terminate(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_stops_reading_is_told_later_and_nobody_waits_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let mut floor = Floor::of(&server, 1).await;
    let query = by_agent();
    for number in 0..50 {
        floor.sign_in(&format!("agent {number}")).await;
    }
    let (mut quick, mut slow) = (WatchedTable::new(&query), WatchedTable::new(&query));
    let others = api(&server).await;
    let (mut read, _) = watch(&floor.api, &query, &mut quick).await;
    let (mut unread, _) = watch(&others, &query, &mut slow).await;
    // More than a stream's window holds, if each change came by itself.
    for round in 0..40 {
        for number in 0..50 {
            floor.go_away(&format!("agent {}", (number + round) % 50)).await;
        }
        let position = floor.position;
        follow(&mut quick, &mut read, position).await;
    }
    assert_is_the_answer(&floor.api, &query, &quick).await;
    let position = floor.position;
    follow(&mut slow, &mut unread, position).await;
    assert_is_the_answer(&floor.api, &query, &slow).await;
    assert_eq!(server.terminate(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_watchers_of_mixed_queries_end_up_with_their_answers() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let mut floor = Floor::of(&server, 1).await;
    let agents: Vec<String> = (0..40).map(|number| format!("agent {number}")).collect();
    for agent in &agents {
        floor.sign_in(agent).await;
    }
    let whole = by_agent();
    let queries: Vec<QueryKpiRequest> = agents
        .iter()
        .map(|agent| QueryKpiRequest { agents: vec![agent.clone()], ..whole.clone() })
        .chain([
            whole.clone(),
            QueryKpiRequest { by: vec![], ..whole.clone() },
            QueryKpiRequest { by: vec![Dimension::Agent.into()], ..whole.clone() },
        ])
        .collect();
    let lines = [api(&server).await, api(&server).await, api(&server).await, api(&server).await];
    let mut watches = Vec::new();
    for number in 0..1_000 {
        let query = &queries[number % queries.len()];
        let mut table = WatchedTable::new(query);
        let (updates, first) = watch(&lines[number % lines.len()], query, &mut table).await;
        assert!(first.snapshot);
        watches.push((query, table, updates));
    }
    for agent in &agents {
        floor.go_away(agent).await;
    }
    let position = floor.position;
    for (query, table, updates) in &mut watches {
        // A narrow one hears nothing of what is not its own: until it is what the query answers as of its instant.
        loop {
            let asked = QueryKpiRequest {
                as_of_us: Some(table.as_of_us()),
                min_position: position,
                ..(*query).clone()
            };
            if floor.api.kpi().query_kpi(asked).await.unwrap().into_inner().rows == table.rows() {
                break;
            }
            table.take(updates.next().await.unwrap().unwrap());
        }
    }
    drop(watches);
    assert_eq!(server.terminate(), Some(0));
}
