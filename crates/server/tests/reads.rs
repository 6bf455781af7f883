//! What can be read and commanded: agents, contacts, tickets, definitions, figures, the log.
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

use pegcount_domain::time::Micros;
use pegcount_proto::v1::{self, stream_facts_request::Message};
use pegcount_server::Role;
use support::{
    Desk, Line, MORNING, Wire, abandoned_call, batch, desk, hello, ready, signed_in, submit, uuid,
};
use tonic::Code;

async fn tell(desk: &Desk, name: &str, facts: Vec<v1::Fact>) -> u64 {
    let answer = desk.ingest(Role::Connector).await.submit_facts(submit(name, facts)).await.unwrap();
    answer.into_inner().ack.unwrap().position
}

type Kpis = v1::kpi_service_client::KpiServiceClient<Line>;

async fn kpis(desk: &Desk) -> Kpis {
    let (channel, bearer) = desk.line_of(Role::KpiDesk).await;
    v1::kpi_service_client::KpiServiceClient::with_interceptor(channel, bearer)
}

fn hour_by_queue() -> v1::QueryKpiRequest {
    v1::QueryKpiRequest {
        site: "north".into(),
        from_us: MORNING.0,
        to_us: MORNING.plus(Micros::HOUR).0,
        by: vec![v1::Dimension::Queue.into()],
        ..Default::default()
    }
}

/// The value of a column in the row of `key`.
fn amount(columns: &[v1::KpiColumn], rows: &[v1::KpiRow], key: &str, column: &str) -> i64 {
    let index = columns.iter().position(|known| known.name == column).unwrap();
    rows.iter().find(|row| row.keys == [key]).unwrap().values[index].amount
}

#[tokio::test]
async fn a_figure_asked_for_with_the_position_of_an_ack_has_the_fact_in_it() {
    let desk = desk().await;
    let before = MORNING;
    desk.clock.set(MORNING.plus(Micros::MINUTE));
    let position = tell(&desk, "pbx", abandoned_call(1, before, "c1")).await;
    let mut kpis = kpis(&desk).await;
    let asked = v1::QueryKpiRequest { min_position: position, ..hour_by_queue() };
    let table = kpis.query_kpi(asked).await.unwrap().into_inner();
    assert!(table.position >= position);
    assert_eq!(table.incarnation.len(), 16);
    assert_eq!(amount(&table.columns, &table.rows, "sales", "offered"), 1);
    assert_eq!(amount(&table.columns, &table.rows, "sales", "abandoned"), 1);
    assert_eq!(amount(&table.columns, &table.rows, "sales", "wait_abandoned"), 12_000_000);

    let beyond = v1::QueryKpiRequest { min_position: position + 1, ..hour_by_queue() };
    assert_eq!(kpis.query_kpi(beyond).await.unwrap_err().code(), Code::OutOfRange);
}

#[tokio::test]
async fn a_watch_begins_with_a_snapshot_and_goes_on_with_changes() {
    let desk = desk().await;
    desk.clock.set(MORNING.plus(Micros::MINUTE));
    tell(&desk, "pbx", abandoned_call(1, MORNING, "c1")).await;
    let mut kpis = kpis(&desk).await;
    let request =
        v1::WatchKpiRequest { query: Some(hour_by_queue()), max_per_second: 20, ..Default::default() };
    let mut updates = kpis.watch_kpi(request).await.unwrap().into_inner();
    let first = updates.message().await.unwrap().unwrap();
    assert!(first.snapshot);
    assert_eq!(amount(&first.columns, &first.rows, "sales", "abandoned"), 1);

    let position = tell(&desk, "pbx", abandoned_call(5, MORNING, "c2")).await;
    loop {
        let update = updates.message().await.unwrap().unwrap();
        assert!(!update.snapshot);
        if update.position >= position {
            assert_eq!(amount(&first.columns, &update.rows, "sales", "abandoned"), 2);
            return;
        }
    }
}

#[tokio::test]
async fn the_columns_are_described_with_units_and_formulas() {
    let desk = desk().await;
    let columns =
        kpis(&desk).await.describe_kpis(v1::DescribeKpisRequest {}).await.unwrap().into_inner().columns;
    let aht = columns.iter().find(|column| column.name == "aht").unwrap();
    assert_eq!(aht.formula, "(handle_talk + handle_hold + handle_acw) / handled");
    assert!(columns.iter().any(|column| column.name == "waiting" && column.gauge));
}

#[tokio::test]
async fn an_agent_is_set_away_once_however_often_the_command_is_sent() {
    let desk = desk().await;
    tell(&desk, "pbx", vec![signed_in(1, MORNING, "7"), ready(2, MORNING, "7")]).await;
    let (channel, bearer) = desk.line_of(Role::TeamLead).await;
    let mut agents = v1::agent_service_client::AgentServiceClient::with_interceptor(channel, bearer);
    let away = v1::SetStateRequest {
        site: "north".into(),
        agent: "7".into(),
        state: Some(v1::Intent { reason: "meeting".into(), ..Default::default() }),
        comment: "all hands".into(),
        command_id: uuid(1),
    };
    let first = agents.set_state(away.clone()).await.unwrap().into_inner();
    let again = agents.set_state(away).await.unwrap().into_inner();
    assert_eq!((first.position, first.pending), (3, false));
    assert_eq!(again.position, 3);

    let get = |agent: &str| v1::GetAgentRequest { site: "north".into(), agent: agent.into() };
    let state = agents.get_agent(get("7")).await.unwrap().into_inner();
    assert_eq!(state.clock, i32::from(v1::ClockState::Away));
    assert_eq!(state.intent.unwrap().reason, "meeting");
    assert_eq!((state.version, state.position), (3, 3));
    assert_eq!(agents.get_agent(get("8")).await.unwrap_err().code(), Code::NotFound);

    let next = v1::SetNextStateRequest {
        site: "north".into(),
        agent: "7".into(),
        next: Some(v1::Intent { sign_out: true, ..Default::default() }),
        command_id: uuid(2),
    };
    let refused = agents.set_next_state(next).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("nothing to wait for"), "{refused}");
}

#[tokio::test]
async fn a_contact_is_open_until_it_ends_and_then_still_readable() {
    let desk = desk().await;
    desk.clock.set(MORNING.plus(Micros::MINUTE));
    let call = abandoned_call(1, MORNING, "c1");
    tell(&desk, "pbx", call[..2].to_vec()).await;
    desk.engine.caught_up(desk.engine.end()).await.unwrap();
    let (channel, bearer) = desk.line_of(Role::KpiDesk).await;
    let mut contacts = v1::contact_service_client::ContactServiceClient::with_interceptor(channel, bearer);
    let list = v1::ListOpenContactsRequest { site: "north".into() };
    let open = contacts.list_open_contacts(list.clone()).await.unwrap().into_inner().contacts;
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].visits[0].queue.as_str(), open[0].visits[0].left_us), ("sales", None));

    tell(&desk, "pbx", call[2..].to_vec()).await;
    desk.engine.caught_up(desk.engine.end()).await.unwrap();
    assert!(contacts.list_open_contacts(list).await.unwrap().into_inner().contacts.is_empty());
    let get = v1::GetContactRequest { site: "north".into(), contact: "c1".into() };
    let ended = contacts.get_contact(get).await.unwrap().into_inner();
    assert_eq!(ended.visits[0].exit, i32::from(v1::QueueExit::Abandoned));
    assert_eq!(ended.ended_us, Some(MORNING.plus(Micros::from_secs(12)).0));
    assert_eq!(ended.journey, "c1");
}

#[tokio::test]
async fn definitions_are_written_once_and_listed_with_what_nobody_defined() {
    let desk = desk().await;
    tell(&desk, "pbx", vec![signed_in(1, MORNING, "7")]).await;
    let (channel, bearer) = desk.line_of(Role::Administrator).await;
    let mut definitions =
        v1::definition_service_client::DefinitionServiceClient::with_interceptor(channel, bearer);
    let queue = v1::QueueDefinition { queue: "sales".into(), threshold_us: 30_000_000, ..Default::default() };
    let definition =
        v1::Definition { valid_from_us: 0, definition: Some(v1::definition::Definition::Queue(queue)) };
    let request = v1::DefineRequest { site: "north".into(), definitions: vec![definition] };
    assert_eq!(definitions.define(request.clone()).await.unwrap().into_inner().written, 1);
    assert_eq!(definitions.define(request).await.unwrap().into_inner().written, 0);
    let list = v1::ListDefinitionsRequest { site: "north".into() };
    let listed = definitions.list_definitions(list).await.unwrap().into_inner();
    assert_eq!(listed.definitions.len(), 1);
    assert_eq!(listed.undeclared_agents, ["7"]);
}

#[tokio::test]
async fn a_fact_is_amended_and_annulled_in_the_open() {
    let desk = desk().await;
    let position = tell(&desk, "pbx", vec![signed_in(1, MORNING, "7"), ready(2, MORNING, "7")]).await;
    let mut client = desk.ingest(Role::Connector).await;
    let amend = v1::AmendFactRequest {
        site: "north".into(),
        position,
        occurred_at_us: Some(MORNING.minus(Micros::MINUTE).0),
        reason: "slow clock".into(),
        command_id: uuid(1),
        fact: None,
    };
    assert_eq!(client.amend_fact(amend).await.unwrap().into_inner().position, 3);
    let annul = |position: u64, id: u8| v1::AnnulFactRequest {
        site: "north".into(),
        position,
        reason: "a test call".into(),
        command_id: uuid(id),
    };
    assert_eq!(client.annul_fact(annul(1, 2)).await.unwrap().into_inner().position, 4);
    assert_eq!(client.annul_fact(annul(99, 3)).await.unwrap_err().code(), Code::NotFound);
    let correction = client.annul_fact(annul(3, 4)).await.unwrap_err();
    assert_eq!(correction.code(), Code::FailedPrecondition, "a correction is no fact");
}

#[tokio::test]
async fn an_import_answers_with_what_became_of_the_records_and_adds_nothing_twice() {
    let desk = desk().await;
    let record = |contact: &str, facts: usize| {
        let call = abandoned_call(1, MORNING.minus(Micros::HOUR), contact);
        let timed = call.into_iter().take(facts).map(|fact| v1::TimedContactFact {
            occurred_at_us: fact.source_time_us,
            fact: fact.fact.map(|fact| match fact {
                v1::fact::Fact::Contact(fact) => fact,
                v1::fact::Fact::Agent(_) => unreachable!("a call has contact facts only"),
            }),
        });
        v1::ContactRecord { contact: contact.into(), facts: timed.collect() }
    };
    let broken = v1::ContactRecord { contact: "broken".into(), facts: vec![v1::TimedContactFact::default()] };
    let first = v1::ImportContactsRequest {
        site: "north".into(),
        source: "old system".into(),
        records: vec![record("a", 4), record("b", 2), broken],
    };
    let second =
        v1::ImportContactsRequest { records: vec![record("a", 4), record("b", 4)], ..Default::default() };
    let mut client = desk.ingest(Role::Connector).await;
    let mut answers = client.import_contacts(tokio_stream::iter([first, second])).await.unwrap().into_inner();
    let one = answers.message().await.unwrap().unwrap();
    assert_eq!((one.added, one.present, one.grown, one.events), (2, 0, 0, 6));
    assert_eq!(one.refusals[0].contact, "broken");
    assert_eq!(one.refusals[0].reason, "facts[0].fact is missing; it is required");
    let two = answers.message().await.unwrap().unwrap();
    assert_eq!((two.added, two.present, two.grown, two.events), (2, 1, 1, 8));
    assert!(answers.message().await.unwrap().is_none());
}

type Log = v1::log_service_client::LogServiceClient<Line>;

async fn log(desk: &Desk) -> Log {
    let (channel, bearer) = desk.line_of(Role::Administrator).await;
    v1::log_service_client::LogServiceClient::with_interceptor(channel, bearer)
}

#[tokio::test]
async fn the_log_is_read_in_pages_and_never_beyond_its_end() {
    let desk = desk().await;
    tell(&desk, "pbx", vec![signed_in(1, MORNING, "7"), ready(2, MORNING, "7"), signed_in(3, MORNING, "8")])
        .await;
    let mut log = log(&desk).await;
    let page = |from_position, limit, stream: &str| v1::ReadLogRequest {
        from_position,
        limit,
        filter: Some(v1::LogFilter { stream: stream.into(), ..Default::default() }),
        backward: false,
    };
    let first = log.read_log(page(1, 2, "")).await.unwrap().into_inner();
    assert_eq!((first.events.len(), first.next_position), (2, 3));
    assert_eq!(first.events[0].r#type, "agent.signed_in");
    assert_eq!(first.events[0].stream, "north/agent/7");
    assert_eq!(first.events[1].body_json, "\"ready\"");
    assert_eq!(first.events[1].source_seq, 2);
    let eight = log.read_log(page(1, 0, "north/agent/8")).await.unwrap().into_inner();
    assert_eq!((eight.events.len(), eight.next_position), (1, 4));
    assert_eq!(log.read_log(page(5, 0, "")).await.unwrap_err().code(), Code::OutOfRange);
    assert_eq!(log.read_log(page(1, 0, "south/agent/8")).await.unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(log.read_log(page(1, 0, "north/person/8")).await.unwrap_err().code(), Code::InvalidArgument);

    let types = |types: &[&str]| v1::LogFilter {
        types: types.iter().map(|name| (*name).to_owned()).collect(),
        ..Default::default()
    };
    let back = |from_position, filter| v1::ReadLogRequest {
        from_position,
        limit: 1,
        filter: Some(filter),
        backward: true,
    };
    let newest = log.read_log(back(0, types(&["agent.signed_in"]))).await.unwrap().into_inner();
    assert_eq!((newest.events[0].position, newest.next_position), (3, 2));
    let before =
        log.read_log(back(2, types(&["agent.signed_in", "ticket.opened"]))).await.unwrap().into_inner();
    assert_eq!((before.events[0].position, before.next_position), (1, 0));
    let unknown = log.read_log(back(0, types(&["agent.flew"]))).await.unwrap_err();
    assert_eq!(unknown.code(), Code::InvalidArgument);
    assert!(unknown.message().starts_with("filter.types[0] is \"agent.flew\""), "{unknown}");

    let status = log.get_log_status(v1::GetLogStatusRequest {}).await.unwrap().into_inner();
    assert_eq!((status.end_position, status.incarnation.len()), (3, 16));
}

#[tokio::test]
async fn a_subscriber_gets_history_then_what_comes_and_goes_on_from_its_token() {
    let desk = desk().await;
    let mut client = desk.ingest(Role::Connector).await;
    let (mut wire, _) = Wire::connect(&mut client, hello("pbx")).await;
    wire.say(Message::Batch(batch(vec![signed_in(1, MORNING, "7")]))).await;
    wire.acked(1).await.unwrap();

    let mut log = log(&desk).await;
    let from =
        |from_position, resume_token| v1::SubscribeLogRequest { from_position, filter: None, resume_token };
    let mut events = log.subscribe_log(from(1, bytes::Bytes::new())).await.unwrap().into_inner();
    let history = events.message().await.unwrap().unwrap();
    assert_eq!(history.events.iter().map(|event| event.position).collect::<Vec<_>>(), [1]);
    wire.say(Message::Batch(batch(vec![ready(2, MORNING, "7")]))).await;
    let live = events.message().await.unwrap().unwrap();
    assert_eq!(live.events[0].position, 2);
    drop(events);

    wire.say(Message::Batch(batch(vec![signed_in(3, MORNING, "8")]))).await;
    wire.acked(3).await.unwrap();
    let mut resumed = log.subscribe_log(from(0, live.resume_token)).await.unwrap().into_inner();
    assert_eq!(resumed.message().await.unwrap().unwrap().events[0].position, 3);

    let foreign = bytes::Bytes::from(vec![7; 24]);
    assert_eq!(log.subscribe_log(from(0, foreign)).await.unwrap_err().code(), Code::FailedPrecondition);
}
