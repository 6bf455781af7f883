//! The wallboard service: one stream for all that a view shows, in a browser's framing too, and nothing of what a role may
//! not see.
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

use pegcount_domain::{event::Event, time::Micros};
use pegcount_proto::v1::{
    self, AgentsUpdate, KpiUpdate, ViewUpdate, view_update::Change,
    wallboard_service_client::WallboardServiceClient,
};
use pegcount_server::Role;
use prost::Message;
use support::{Bearer, Desk, MORNING, abandoned_call, desk, ready, signed_in, submit};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tonic::{Code, Streaming, service::interceptor::InterceptedService, transport::Channel};

type Pages = WallboardServiceClient<InterceptedService<Channel, Bearer>>;

async fn pages(desk: &Desk, role: Role) -> Pages {
    let (channel, bearer) = desk.line_of(role).await;
    WallboardServiceClient::with_interceptor(channel, bearer)
}

fn table(by: &[v1::Dimension], columns: &[&str]) -> v1::WatchKpiRequest {
    let day = MORNING.0 - MORNING.0 % 86_400_000_000;
    v1::WatchKpiRequest {
        query: Some(v1::QueryKpiRequest {
            site: "north".into(),
            from_us: day,
            to_us: day + 86_400_000_000,
            by: by.iter().map(|one| (*one).into()).collect(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn view(tables: Vec<v1::WatchKpiRequest>, agents: bool) -> v1::WatchViewRequest {
    v1::WatchViewRequest { site: "north".into(), tables, agents }
}

/// The next update of a table.
async fn next_of(stream: &mut Streaming<ViewUpdate>, place: u32) -> KpiUpdate {
    loop {
        let update = stream.message().await.unwrap().unwrap();
        match update.change {
            Some(Change::Table(table)) if table.table == place => return table.update.unwrap(),
            _ => {}
        }
    }
}

async fn next_agents(stream: &mut Streaming<ViewUpdate>) -> AgentsUpdate {
    loop {
        if let Some(Change::Agents(agents)) = stream.message().await.unwrap().unwrap().change {
            return agents;
        }
    }
}

async fn with_a_call(desk: &Desk) {
    desk.clock.set(MORNING.plus(Micros::MINUTE));
    let mut client = desk.ingest(Role::Connector).await;
    let phone = vec![signed_in(1, MORNING, "7"), ready(2, MORNING, "7"), signed_in(3, MORNING, "8")];
    client.submit_facts(submit("phone", phone)).await.unwrap();
    client.submit_facts(submit("pbx", abandoned_call(1, MORNING, "c1")[..2].to_vec())).await.unwrap();
    desk.engine.caught_up(desk.engine.end()).await.unwrap();
}

#[tokio::test]
async fn one_stream_tells_several_tables_and_the_agents_and_then_what_changes() {
    let desk = desk().await;
    with_a_call(&desk).await;
    let request =
        view(vec![table(&[v1::Dimension::Queue], &["offered", "waiting"]), table(&[], &["abandoned"])], true);
    let mut stream = pages(&desk, Role::TeamLead).await.watch_view(request).await.unwrap().into_inner();
    let first = next_of(&mut stream, 0).await;
    assert!(first.snapshot);
    assert_eq!(first.rows[0].keys, ["sales"]);
    assert_eq!(first.rows[0].values.iter().map(|value| value.amount).collect::<Vec<_>>(), [1, 1]);

    desk.ingest(Role::Connector)
        .await
        .submit_facts(submit("pbx", abandoned_call(1, MORNING, "c1")[2..].to_vec()))
        .await
        .unwrap();
    while next_of(&mut stream, 1).await.rows.iter().all(|row| row.values[0].amount != 1) {}
}

#[tokio::test]
async fn agents_are_told_whole_first_and_then_as_they_change() {
    let desk = desk().await;
    with_a_call(&desk).await;
    let mut stream =
        pages(&desk, Role::KpiDesk).await.watch_view(view(vec![], true)).await.unwrap().into_inner();
    let all = next_agents(&mut stream).await;
    assert!(all.snapshot && all.position >= 5, "{all:?}");
    let names: Vec<&str> = all.agents.iter().map(|agent| agent.agent.as_str()).collect();
    assert_eq!(names, ["7", "8"]);
    assert_eq!(all.agents[0].clock, i32::from(v1::ClockState::Ready));

    let mut client = desk.ingest(Role::Connector).await;
    client.submit_facts(submit("phone", vec![ready(4, MORNING, "8")])).await.unwrap();
    let change = next_agents(&mut stream).await;
    assert!(!change.snapshot);
    assert_eq!(change.agents.len(), 1, "only who changed: {change:?}");
    assert_eq!(
        (change.agents[0].agent.as_str(), change.agents[0].clock),
        ("8", v1::ClockState::Ready.into())
    );
}

#[tokio::test]
async fn something_is_said_though_nothing_happens_with_the_servers_clock() {
    let desk = desk().await;
    with_a_call(&desk).await;
    let request = view(vec![], false);
    let mut stream = pages(&desk, Role::TeamLead).await.watch_view(request).await.unwrap().into_inner();
    let word = stream.message().await.unwrap().unwrap();
    assert_eq!(word, ViewUpdate { now_us: MORNING.plus(Micros::MINUTE).0, speed: 0.0, change: None });
}

#[tokio::test]
async fn a_table_goes_on_from_its_token() {
    let desk = desk().await;
    with_a_call(&desk).await;
    let mut asked = table(&[v1::Dimension::Queue], &["offered"]);
    let mut client = pages(&desk, Role::TeamLead).await;
    let mut stream = client.watch_view(view(vec![asked.clone()], false)).await.unwrap().into_inner();
    asked.resume_token = next_of(&mut stream, 0).await.resume_token;
    drop(stream);
    let call = abandoned_call(3, MORNING, "c2")[..2].to_vec();
    desk.ingest(Role::Connector).await.submit_facts(submit("pbx", call)).await.unwrap();
    let mut again = client.watch_view(view(vec![asked], false)).await.unwrap().into_inner();
    let change = next_of(&mut again, 0).await;
    assert!(!change.snapshot, "only what has changed since: {change:?}");
}

#[tokio::test]
async fn what_a_role_may_not_see_is_refused_before_anything_is_sent() {
    let desk = desk().await;
    with_a_call(&desk).await;
    let refused = async |role: Role, tables: Vec<v1::WatchKpiRequest>, agents: bool| {
        let answer = pages(&desk, role).await.watch_view(view(tables, agents)).await;
        answer.expect_err("it may not").code()
    };
    let figures = || vec![table(&[], &["offered"])];
    assert_eq!(refused(Role::TicketOwner, figures(), false).await, Code::PermissionDenied);
    assert_eq!(refused(Role::Analyst, figures(), true).await, Code::PermissionDenied);
    assert_eq!(refused(Role::DataSteward, vec![], true).await, Code::PermissionDenied);
    let elsewhere = v1::WatchViewRequest { site: "south".into(), ..Default::default() };
    let answer = pages(&desk, Role::TeamLead).await.watch_view(elsewhere).await;
    assert_eq!(answer.expect_err("another site").code(), Code::PermissionDenied);
}

#[tokio::test]
async fn an_agent_sees_itself_alone() {
    let desk = desk().await;
    with_a_call(&desk).await;
    let token = desk.token(Role::Agent, "north", Some("8"));
    let (channel, bearer) = desk.line(Some(token)).await;
    let mut client = WallboardServiceClient::with_interceptor(channel, bearer);
    let who = client.who_am_i(v1::WhoAmIRequest {}).await.unwrap().into_inner();
    assert_eq!((who.role.as_str(), who.agent.as_str(), who.reads_corrections), ("agent", "8", false));
    let request = view(vec![table(&[v1::Dimension::Agent], &["sign_ins"])], true);
    let mut stream = client.watch_view(request).await.unwrap().into_inner();
    let agents = next_agents(&mut stream).await.agents;
    assert_eq!(agents.iter().map(|agent| agent.agent.as_str()).collect::<Vec<_>>(), ["8"]);
}

#[tokio::test]
async fn a_view_that_cannot_be_meant_so_is_refused_with_its_place() {
    let desk = desk().await;
    let mut client = pages(&desk, Role::TeamLead).await;
    let mut refused = async |request: v1::WatchViewRequest| {
        let status = client.watch_view(request).await.expect_err("it is wrong");
        assert_eq!(status.code(), Code::InvalidArgument);
        status.message().to_owned()
    };
    let nine = vec![table(&[], &["offered"]); 9];
    assert!(refused(view(nine, false)).await.contains("the limit is 8"));
    let mut other = table(&[], &["offered"]);
    other.query.as_mut().unwrap().site = "south".into();
    let words = refused(view(vec![table(&[], &["offered"]), other], false)).await;
    assert!(words.contains("tables[1].query.site") && words.contains("\"south\""), "{words}");
    let empty = v1::WatchKpiRequest::default();
    let mut at = empty.clone();
    at.query = table(&[], &["offered"]).query;
    at.max_per_second = 1_000;
    assert!(refused(view(vec![at], false)).await.contains("tables[0].max_per_second"));
}

#[tokio::test]
async fn who_am_i_tells_the_role_what_it_may_see_and_each_sites_zone() {
    let desk = desk().await;
    with_a_call(&desk).await;
    let zone = pegcount_domain::allowance::SiteDefinition {
        time_zone: pegcount_domain::allowance::ZoneName::new("Asia/Shanghai"),
        valid_from: Micros(0),
    };
    let site = pegcount_domain::ids::SiteId::new("north").unwrap();
    let actor = pegcount_domain::ids::Name::fixed("admin");
    desk.engine.define(&site, &actor, vec![Event::SiteDefined(zone)]).await.unwrap();
    desk.engine.caught_up(desk.engine.end()).await.unwrap();
    let who = pages(&desk, Role::Analyst).await.who_am_i(v1::WhoAmIRequest {}).await.unwrap().into_inner();
    assert_eq!(who.role, "analyst");
    assert!(who.reads_figures && !who.reads_agents && who.reads_corrections && !who.reads_tickets);
    assert_eq!(who.sites, [v1::SiteInView { site: "north".into(), time_zone: "Asia/Shanghai".into() }]);
    let (channel, bearer) = desk.line(None).await;
    let nobody =
        WallboardServiceClient::with_interceptor(channel, bearer).who_am_i(v1::WhoAmIRequest {}).await;
    assert_eq!(nobody.expect_err("no token").code(), Code::Unauthenticated);
}

/// A call by gRPC-web, as a browser makes it over HTTP/1.1.
async fn call_by_web(desk: &Desk, role: Role, request: &v1::WatchViewRequest) -> TcpStream {
    let body = request.encode_to_vec();
    let token = desk.token(role, "north", None);
    let head = format!(
        "POST /pegcount.v1.WallboardService/WatchView HTTP/1.1\r\nHost: desk\r\nContent-Type: application/grpc-web+proto\r\n\
         X-Grpc-Web: 1\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n",
        body.len() + 5
    );
    let mut stream = TcpStream::connect(desk.addr).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_u8(0).await.unwrap();
    stream.write_u32(u32::try_from(body.len()).unwrap()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    stream
}

/// Reads on until what has come satisfies `enough`.
async fn read_until(stream: &mut TcpStream, enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut all = Vec::new();
    while !enough(&all) {
        let read = stream.read_buf(&mut all).await.unwrap();
        assert!(read > 0, "it has ended: {}", String::from_utf8_lossy(&all));
    }
    all
}

/// The messages in a chunked body so far: each chunk's bytes joined, then cut by gRPC-web's length prefixes.
fn messages(answer: &[u8]) -> Vec<ViewUpdate> {
    let Some(start) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return Vec::new() };
    let (mut rest, mut body) = (&answer[start + 4..], Vec::new());
    while let Some(line) = rest.windows(2).position(|two| two == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
        let Some(chunk) = rest.get(line + 2..line + 2 + size) else { break };
        body.extend_from_slice(chunk);
        rest = rest.get(line + 4 + size..).unwrap_or_default();
    }
    let (mut rest, mut found) = (body.as_slice(), Vec::new());
    while let [flags, a, b, c, d, more @ ..] = rest {
        let size = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).unwrap();
        let Some(message) = more.get(..size) else { break };
        assert_eq!(*flags, 0, "a message, not the trailers");
        found.push(ViewUpdate::decode(message).unwrap());
        rest = &more[size..];
    }
    found
}

#[tokio::test]
async fn a_browser_gets_the_stream_by_grpc_web_message_by_message() {
    let desk = desk().await;
    with_a_call(&desk).await;
    let request = view(vec![table(&[v1::Dimension::Queue], &["offered"])], false);
    let mut stream = call_by_web(&desk, Role::TeamLead, &request).await;
    let rows = |answer: &[u8]| {
        let updates = messages(answer);
        let tables = updates.into_iter().filter_map(|update| match update.change? {
            Change::Table(table) => table.update,
            Change::Agents(_) => None,
        });
        tables.flat_map(|update| update.rows).collect::<Vec<_>>()
    };
    let answer = read_until(&mut stream, |answer| !rows(answer).is_empty()).await;
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("application/grpc-web+proto"), "{text}");
    assert_eq!(rows(&answer)[0].keys, ["sales"]);
    let call = abandoned_call(3, MORNING, "c2")[..2].to_vec();
    desk.ingest(Role::Connector).await.submit_facts(submit("pbx", call)).await.unwrap();
    // The same answer goes on: nothing was gathered up to its end.
    read_until(&mut stream, |more| {
        let whole = [answer.as_slice(), more].concat();
        rows(&whole).last().is_some_and(|row| row.values[0].amount == 2)
    })
    .await;
}

#[tokio::test]
async fn a_browser_is_told_by_grpc_web_that_its_role_may_not() {
    let desk = desk().await;
    let request = view(vec![table(&[], &["offered"])], false);
    let mut stream = call_by_web(&desk, Role::TicketOwner, &request).await;
    let answer =
        read_until(&mut stream, |answer| String::from_utf8_lossy(answer).contains("grpc-message")).await;
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("grpc-status: 7"), "{text}");
}
