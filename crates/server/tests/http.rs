//! HTTP on the same port: the page, its data, health, metrics, gRPC-web.
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
use pegcount_proto::v1;
use pegcount_server::Role;
use support::{Desk, MORNING, abandoned_call, desk, ready, signed_in, submit};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// Sends a request by hand and reads the answer to its end.
async fn fetch(desk: &Desk, request: &str) -> String {
    let mut stream = TcpStream::connect(desk.addr).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

async fn get(desk: &Desk, path: &str, token: Option<&str>) -> String {
    let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    fetch(desk, &format!("GET {path} HTTP/1.1\r\nHost: desk\r\n{bearer}Connection: close\r\n\r\n")).await
}

#[tokio::test]
async fn the_page_holds_no_data_loads_nothing_and_forbids_all_but_its_own_script() {
    let desk = desk().await;
    let page = get(&desk, "/", None).await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let policy = page.lines().find(|line| line.starts_with("content-security-policy")).unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let nonce = policy.split("script-src 'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    assert!(page.contains(&format!("<script nonce=\"{nonce}\">")));
    assert!(!page.contains("NONCE_HERE"));
    for forbidden in ["http://", "https://", " onclick=", " onload=", " style=\"", "innerHTML"] {
        assert!(!page.contains(forbidden), "the page contains {forbidden}");
    }
    assert_ne!(
        nonce,
        get(&desk, "/", None).await.split("script-src 'nonce-").nth(1).unwrap().split('\'').next().unwrap()
    );
}

#[tokio::test]
async fn the_sites_are_told_to_a_token_that_may_watch_and_to_nobody_else() {
    let desk = desk().await;
    desk.ingest(Role::Connector)
        .await
        .submit_facts(submit("pbx", vec![signed_in(1, MORNING, "7")]))
        .await
        .unwrap();
    desk.engine.caught_up(desk.engine.end()).await.unwrap();
    assert!(get(&desk, "/api/sites", None).await.starts_with("HTTP/1.1 401"));
    let analyst = desk.token(Role::Analyst, "north", None);
    assert!(get(&desk, "/api/sites", Some(&analyst)).await.starts_with("HTTP/1.1 403"));
    let local = desk.running.as_ref().unwrap().local_token.clone().unwrap();
    assert!(get(&desk, "/api/sites", Some(&local)).await.contains("{\"sites\":[\"north\"]}"));
    let lead = desk.token(Role::TeamLead, "south", None);
    assert!(get(&desk, "/api/sites", Some(&lead)).await.contains("{\"sites\":[\"south\"]}"));
    assert!(get(&desk, "/api/live?site=north", Some(&lead)).await.starts_with("HTTP/1.1 403"));
    assert!(get(&desk, "/api/live?site=south&zone=Mars", Some(&lead)).await.starts_with("HTTP/1.1 400"));
}

/// The data of server-sent events as they come.
struct Events {
    stream: BufReader<TcpStream>,
    text: String,
}

impl Events {
    async fn open(desk: &Desk, path: &str) -> Self {
        let token = desk.token(Role::TeamLead, "north", None);
        let mut stream = TcpStream::connect(desk.addr).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: desk\r\nAuthorization: Bearer {token}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        Self { stream: BufReader::new(stream), text: String::new() }
    }

    /// The next event of this kind.
    async fn next(&mut self, kind: &str) -> serde_json::Value {
        let mark = format!("event: {kind}\ndata: ");
        loop {
            if let Some(start) = self.text.find(&mark).map(|at| at + mark.len())
                && let Some(end) = self.text[start..].find("\n\n")
            {
                let data = self.text[start..start + end].to_owned();
                self.text.drain(..start + end);
                return serde_json::from_str(&data).unwrap();
            }
            let mut some = [0; 4096];
            let read = self.stream.read(&mut some).await.unwrap();
            assert!(read > 0, "the stream has ended: {}", self.text);
            self.text.push_str(std::str::from_utf8(&some[..read]).unwrap());
        }
    }
}

#[tokio::test]
async fn the_floor_is_pushed_when_it_changes_and_a_sign_of_life_comes_in_between() {
    let desk = desk().await;
    desk.clock.set(MORNING.plus(Micros::MINUTE));
    let mut client = desk.ingest(Role::Connector).await;
    client
        .submit_facts(submit("phone", vec![signed_in(1, MORNING, "7"), ready(2, MORNING, "7")]))
        .await
        .unwrap();
    let mut events = Events::open(&desk, "/api/live?site=north&zone=UTC").await;
    let first = events.next("floor").await;
    assert_eq!(first["agents"][0]["agent"], "7");
    assert_eq!(first["agents"][0]["state"], "ready");
    assert_eq!(first["agents"][0]["since_us"], MORNING.0);
    assert_eq!(first["queues"].as_array().unwrap().len(), 0);
    assert_eq!(first["position"], 2);

    let call = abandoned_call(1, MORNING, "c1");
    client.submit_facts(submit("pbx", call[..2].to_vec())).await.unwrap();
    let waiting = events.next("floor").await;
    assert_eq!(waiting["queues"][0]["queue"], "sales");
    assert_eq!(waiting["queues"][0]["waiting"], 1);
    assert_eq!(waiting["queues"][0]["longest_waiting"], 60_000_000);
    assert_eq!(waiting["queues"][0]["abandon_rate"], serde_json::Value::Null, "absent, not 0");

    client.submit_facts(submit("pbx", call[2..].to_vec())).await.unwrap();
    let ended = events.next("floor").await;
    assert_eq!(ended["total"]["abandoned"], 1);
    assert_eq!(ended["queues"][0]["abandon_rate"], serde_json::json!([1, 1]));
    events.next("alive").await;
}

#[tokio::test]
async fn health_says_how_far_log_and_folds_are_and_metrics_count_requests() {
    let desk = desk().await;
    desk.ingest(Role::Connector)
        .await
        .submit_facts(submit("pbx", vec![signed_in(1, MORNING, "7")]))
        .await
        .unwrap();
    let health = get(&desk, "/healthz", None).await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    assert!(health.contains("\"status\":\"ok\"") && health.contains("\"end_position\":1"), "{health}");
    let metrics = get(&desk, "/metrics", None).await;
    assert!(
        metrics.contains("pegcount_requests_total{method=\"/pegcount.v1.IngestService/SubmitFacts\""),
        "{metrics}"
    );
    assert!(metrics.contains("pegcount_request_seconds_bucket{"), "{metrics}");
    assert!(get(&desk, "/nothing", None).await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn a_request_keeps_its_id_and_gets_one_if_it_has_none() {
    let desk = desk().await;
    let kept = fetch(
        &desk,
        "GET /healthz HTTP/1.1\r\nHost: desk\r\nX-Request-Id: mine-7\r\nConnection: close\r\n\r\n",
    )
    .await;
    assert!(kept.contains("x-request-id: mine-7"), "{kept}");
    let made = get(&desk, "/healthz", None).await;
    assert!(made.lines().any(|line| line.starts_with("x-request-id: ") && line.len() == 14 + 32), "{made}");
}

#[tokio::test]
async fn a_browser_calls_by_grpc_web_on_the_same_port() {
    let desk = desk().await;
    let token = desk.token(Role::KpiDesk, "north", None);
    let request = format!(
        "POST /pegcount.v1.KpiService/DescribeKpis HTTP/1.1\r\nHost: desk\r\nContent-Type: application/grpc-web+proto\r\n\
         X-Grpc-Web: 1\r\nAuthorization: Bearer {token}\r\nContent-Length: 5\r\nConnection: close\r\n\r\n\0\0\0\0\0"
    );
    let answer = fetch(&desk, &request).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("application/grpc-web+proto"), "{answer}");
    assert!(answer.contains("abandon_rate") && answer.contains("grpc-status:0"), "{answer}");
}

#[tokio::test]
async fn health_and_reflection_answer_by_grpc() {
    use tonic_health::pb::{
        HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
    };
    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let desk = desk().await;
    let (channel, _) = desk.line(None).await;
    let mut health = HealthClient::new(channel.clone());
    let request = HealthCheckRequest { service: v1::kpi_service_server::SERVICE_NAME.into() };
    loop {
        // Unknown until the first beat.
        match health.check(request.clone()).await {
            Ok(answer) => {
                assert_eq!(answer.into_inner().status, i32::from(ServingStatus::Serving));
                break;
            }
            Err(status) => assert_eq!(status.code(), tonic::Code::NotFound),
        }
    }
    let list = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers = ServerReflectionClient::new(channel)
        .server_reflection_info(tokio_stream::iter([list]))
        .await
        .unwrap()
        .into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(services) = answer else { panic!("{answer:?}") };
    assert!(services.service.iter().any(|service| service.name == "pegcount.v1.IngestService"));
}
