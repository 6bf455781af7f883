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

use pegcount_proto::v1;
use pegcount_server::Role;
use support::{Desk, MORNING, desk, signed_in, submit};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
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
async fn the_page_holds_no_data_loads_nothing_from_elsewhere_and_runs_only_its_own_script() {
    let desk = desk().await;
    let page = get(&desk, "/", None).await;
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let policy = page.lines().find(|line| line.starts_with("content-security-policy")).unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert!(page.contains("cache-control: no-cache") && page.contains("x-frame-options: DENY"), "{page}");
}

#[tokio::test]
async fn a_file_of_the_page_is_packed_as_the_browser_allows_kept_for_ever_and_not_sent_twice() {
    let desk = desk().await;
    let page = get(&desk, "/", None).await;
    let script = page.split('"').find(|part| part.starts_with("/assets/") && part.contains(".js")).unwrap();
    let head = |more: &str| format!("GET {script} HTTP/1.1\r\nHost: desk\r\n{more}Connection: close\r\n\r\n");
    let packed = fetch(&desk, &head("Accept-Encoding: gzip, br\r\n")).await;
    assert!(packed.starts_with("HTTP/1.1 200") && packed.contains("content-encoding: br"), "{script}");
    assert!(packed.contains("immutable") && packed.contains("content-type: text/javascript"), "{script}");
    let plain = fetch(&desk, &head("")).await;
    assert!(!plain.contains("content-encoding"), "{script}");
    let tag = packed.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let same = fetch(&desk, &head(&format!("Accept-Encoding: br\r\nIf-None-Match: {tag}\r\n"))).await;
    assert!(same.starts_with("HTTP/1.1 304"), "{same}");
    assert!(get(&desk, "/assets/nothing.js", None).await.starts_with("HTTP/1.1 404"));
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
