//! Who may do what, where: every refusal says what is needed and what the token has.
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

use pegcount_domain::{
    ids::{Name, SiteId},
    time::Micros,
};
use pegcount_proto::v1::{self, stream_facts_request::Message};
use pegcount_server::{Principal, Role, Sites, tokens};
use support::{Bearer, Desk, Line, MORNING, Wire, batch, desk, hello, signed_in, source, submit};
use tonic::{Code, Status, transport::Channel};

type Ingest = v1::ingest_service_client::IngestServiceClient<Line>;

async fn ingest_with(desk: &Desk, token: Option<String>) -> Ingest {
    let (channel, bearer): (Channel, Bearer) = desk.line(token).await;
    v1::ingest_service_client::IngestServiceClient::with_interceptor(channel, bearer)
}

async fn refused(desk: &Desk, token: Option<String>) -> Status {
    let request = submit("pbx", vec![signed_in(1, MORNING, "7")]);
    ingest_with(desk, token).await.submit_facts(request).await.unwrap_err()
}

#[tokio::test]
async fn no_token_a_bad_one_and_an_expired_one_are_unauthenticated() {
    let desk = desk().await;
    let none = refused(&desk, None).await;
    assert_eq!(none.code(), Code::Unauthenticated);
    assert!(none.message().contains("authorization: Bearer"), "{none}");
    let bad = refused(&desk, Some("not.a.token".into())).await;
    assert_eq!(bad.code(), Code::Unauthenticated);

    let stranger = tempfile::tempdir().unwrap();
    let principal = Principal::new(Name::fixed("stranger"), Role::Administrator, Sites::All, None).unwrap();
    let foreign = tokens::mint(stranger.path(), &principal, std::time::Duration::from_mins(1)).unwrap();
    let foreign = refused(&desk, Some(foreign)).await;
    assert_eq!(foreign.code(), Code::Unauthenticated);
    assert!(foreign.message().contains("not made by this server"), "{foreign}");

    let over = tokens::mint(desk.dir.path(), &principal, std::time::Duration::ZERO).unwrap();
    let over = refused(&desk, Some(over)).await;
    assert!(over.message().contains("has expired"), "{over}");
}

#[tokio::test]
async fn a_stream_without_a_token_is_refused_before_it_begins() {
    let desk = desk().await;
    let mut client = ingest_with(&desk, None).await;
    let nothing = tokio_stream::pending::<v1::StreamFactsRequest>();
    assert_eq!(client.stream_facts(nothing).await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_token_of_another_site_is_told_both_sites() {
    let desk = desk().await;
    let south = desk.token(Role::Connector, "south", None);
    let status = refused(&desk, Some(south)).await;
    assert_eq!(status.code(), Code::PermissionDenied);
    assert!(status.message().contains("at site north"), "{status}");
    assert!(status.message().contains("is for site south"), "{status}");
}

#[tokio::test]
async fn a_token_of_another_role_is_told_which_roles_may() {
    let desk = desk().await;
    let analyst = desk.token(Role::Analyst, "north", None);
    let status = refused(&desk, Some(analyst)).await;
    assert_eq!(status.code(), Code::PermissionDenied);
    assert!(status.message().contains("connector, agent, administrator"), "{status}");
    assert!(status.message().contains("has the role analyst"), "{status}");
}

#[tokio::test]
async fn a_source_belongs_to_the_principal_that_used_it_first() {
    let desk = desk().await;
    desk.ingest(Role::Connector)
        .await
        .submit_facts(submit("pbx", vec![signed_in(1, MORNING, "7")]))
        .await
        .unwrap();
    let administrator = desk.token(Role::Administrator, "*", None);
    let request = submit("pbx", vec![signed_in(2, MORNING, "8")]);
    let status = ingest_with(&desk, Some(administrator)).await.submit_facts(request).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert!(status.message().contains("belongs to connector of the test"), "{status}");
}

#[tokio::test]
async fn an_agent_reports_itself_and_nobody_else() {
    let desk = desk().await;
    let mut client = desk.ingest(Role::Agent).await;
    let facts = vec![signed_in(1, MORNING, "7"), signed_in(2, MORNING, "8")];
    let ack = client.submit_facts(submit("phone", facts)).await.unwrap().into_inner().ack.unwrap();
    assert_eq!(ack.refusals.len(), 1);
    assert_eq!(ack.refusals[0].seq, 2);

    let mut wire = Wire::open(&mut client).await;
    wire.say(Message::Hello(v1::Hello { agent: "8".into(), ..hello("phone") })).await;
    assert_eq!(wire.end().await.unwrap().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn an_agent_sees_itself_and_sets_its_own_state_only() {
    let desk = desk().await;
    let mut connector = desk.ingest(Role::Connector).await;
    connector
        .submit_facts(submit("pbx", vec![signed_in(1, MORNING, "7"), signed_in(2, MORNING, "8")]))
        .await
        .unwrap();
    desk.engine.caught_up(desk.engine.end()).await.unwrap();
    let (channel, bearer) = desk.line_of(Role::Agent).await;
    let mut agents =
        v1::agent_service_client::AgentServiceClient::with_interceptor(channel.clone(), bearer.clone());
    let list = v1::ListAgentsRequest { site: "north".into(), present_only: false };
    let seen = agents.list_agents(list).await.unwrap().into_inner().agents;
    assert_eq!(seen.iter().map(|agent| agent.agent.as_str()).collect::<Vec<_>>(), ["7"]);

    let set = |agent: &str, id: u8| v1::SetStateRequest {
        site: "north".into(),
        agent: agent.into(),
        state: Some(v1::Intent { ready: true, ..Default::default() }),
        comment: String::new(),
        command_id: support::uuid(id),
    };
    assert_eq!(agents.set_state(set("8", 1)).await.unwrap_err().code(), Code::PermissionDenied);
    assert!(agents.set_state(set("7", 2)).await.unwrap().into_inner().position > 0);
    let out = v1::SignOutAgentRequest {
        site: "north".into(),
        agent: "7".into(),
        comment: "stuck".into(),
        command_id: support::uuid(3),
    };
    assert_eq!(agents.sign_out_agent(out).await.unwrap_err().code(), Code::PermissionDenied);

    let mut kpis = v1::kpi_service_client::KpiServiceClient::with_interceptor(channel, bearer);
    let query = |agents: &[&str]| v1::QueryKpiRequest {
        site: "north".into(),
        from_us: MORNING.0,
        to_us: MORNING.plus(Micros::HOUR).0,
        by: vec![v1::Dimension::Agent.into()],
        agents: agents.iter().map(ToString::to_string).collect(),
        ..Default::default()
    };
    assert_eq!(kpis.query_kpi(query(&["8"])).await.unwrap_err().code(), Code::PermissionDenied);
    desk.clock.set(MORNING.plus(Micros::MINUTE));
    let table = kpis.query_kpi(query(&[])).await.unwrap().into_inner();
    let keys: Vec<_> = table.rows.iter().map(|row| row.keys[0].as_str()).collect();
    assert_eq!(keys, ["7"]);
    let everything = v1::QueryKpiRequest { by: vec![], ..query(&[]) };
    let table = kpis.query_kpi(everything).await.unwrap().into_inner();
    let offered = table.columns.iter().position(|column| column.name == "offered").unwrap();
    assert!(table.rows.iter().all(|row| row.values[offered].absent), "no queue's figures for an agent");
}

#[tokio::test]
async fn the_actor_of_an_event_is_the_tokens_principal() {
    let desk = desk().await;
    desk.ingest(Role::Connector)
        .await
        .submit_facts(submit("pbx", vec![signed_in(1, MORNING, "7")]))
        .await
        .unwrap();
    let page = desk
        .engine
        .read_log(pegcount_domain::envelope::Position(1), 1, &pegcount_log::Filter::default())
        .await
        .unwrap();
    assert_eq!(page.events[0].actor.as_str(), "connector of the test");
}

#[tokio::test]
async fn the_local_token_may_do_everything_at_every_site() {
    let desk = desk().await;
    let token = desk.running.as_ref().unwrap().local_token.clone().unwrap();
    let mut client = ingest_with(&desk, Some(token)).await;
    for site in ["north", "south"] {
        let source = v1::Source { site: site.into(), ..source(site) };
        let request =
            v1::SubmitFactsRequest { source: Some(source), ..submit(site, vec![signed_in(1, MORNING, "7")]) };
        client.submit_facts(request).await.unwrap();
    }
    assert_eq!(desk.engine.sites(), [SiteId::new("north").unwrap(), SiteId::new("south").unwrap()]);
}

#[tokio::test]
async fn a_stream_does_not_outlive_its_token() {
    let desk = desk().await;
    let principal = Principal::new(
        Name::fixed("brief"),
        Role::Connector,
        Sites::One(SiteId::new("north").unwrap()),
        None,
    )
    .unwrap();
    let token = tokens::mint(desk.dir.path(), &principal, std::time::Duration::from_secs(4)).unwrap();
    let mut client = ingest_with(&desk, Some(token)).await;
    let (mut wire, _) = Wire::connect(&mut client, hello("pbx")).await;
    wire.say(Message::Batch(batch(vec![signed_in(1, MORNING, "7")]))).await;
    wire.acked(1).await.unwrap();
    assert_eq!(wire.end().await.unwrap().code(), Code::Unauthenticated);
}
