//! Starting: the port, the network, the certificate, the limits.
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

use std::{net::SocketAddr, sync::Arc, time::Duration};

use pegcount_clock::Clock;
use pegcount_proto::v1;
use pegcount_server::{Limits, Role, ServeError, ServerOptions, TlsFiles, start};
use support::{Bearer, MORNING, Wire, desk, desk_with, engine_in, hello, loopback, signed_in, submit};
use tonic::{
    Code,
    codegen::http::uri::PathAndQuery,
    service::interceptor::InterceptedService,
    transport::{Certificate, ClientTlsConfig, Endpoint},
};
use tonic_types::StatusExt;

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_the_way_out() {
    let taken = desk().await;
    let error = start(Arc::clone(&taken.engine), ServerOptions::new(taken.addr, taken.dir.path()))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, ServeError::PortTaken { address } if address == taken.addr));
    let words = error.to_string();
    assert!(words.contains(&taken.addr.to_string()) && words.contains("listen elsewhere"), "{words}");
}

#[tokio::test]
async fn an_address_of_the_network_needs_tls() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine_in(dir.path().to_owned(), Clock::manual(MORNING)).await;
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let error = start(engine, ServerOptions::new(everywhere, dir.path())).await.err().unwrap();
    assert!(matches!(error, ServeError::TlsNeeded { address } if address == everywhere));
    assert!(error.to_string().contains("give a certificate"), "{error}");
}

#[tokio::test]
async fn a_certificate_that_is_none_is_refused_with_both_files() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine_in(dir.path().to_owned(), Clock::manual(MORNING)).await;
    let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    let tls = Some(TlsFiles { cert: cert.clone(), key: key.clone(), client_ca: None });
    let options = ServerOptions { tls, ..ServerOptions::new(loopback(), dir.path()) };
    let missing = start(Arc::clone(&engine), options.clone()).await.err().unwrap();
    assert!(missing.to_string().contains("cert.pem"), "{missing}");
    std::fs::write(&cert, "no certificate").unwrap();
    std::fs::write(&key, "no key").unwrap();
    let wrong = start(engine, options).await.err().unwrap();
    assert!(matches!(wrong, ServeError::Tls { .. }), "{wrong}");
}

#[tokio::test]
async fn with_a_certificate_the_same_port_speaks_tls_and_no_local_token_is_made_for_the_network() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let pem = made.cert.pem();
    let desk = desk_with(|options| {
        let (cert, key) = (options.data_dir.join("cert.pem"), options.data_dir.join("key.pem"));
        std::fs::write(&cert, &pem).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        options.listen = SocketAddr::from(([0, 0, 0, 0], 0));
        options.tls = Some(TlsFiles { cert, key, client_ca: None });
    })
    .await;
    assert_eq!(desk.running.as_ref().unwrap().local_token, None);
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&pem)).domain_name("localhost");
    let endpoint = Endpoint::from_shared(format!("https://127.0.0.1:{}", desk.addr.port())).unwrap();
    let channel = endpoint.tls_config(tls).unwrap().connect().await.unwrap();
    let bearer = Bearer(Some(desk.token(Role::Connector, "north", None)));
    let mut client = v1::ingest_service_client::IngestServiceClient::with_interceptor(channel, bearer);
    let request = submit("pbx", vec![signed_in(1, MORNING, "7")]);
    assert_eq!(client.submit_facts(request).await.unwrap().into_inner().ack.unwrap().last_committed_seq, 1);

    let plain =
        Endpoint::from_shared(format!("http://127.0.0.1:{}", desk.addr.port())).unwrap().connect().await;
    let refused = match plain {
        Err(_) => true,
        Ok(channel) => {
            let bearer = Bearer(None);
            let mut client =
                v1::ingest_service_client::IngestServiceClient::with_interceptor(channel, bearer);
            client.submit_facts(submit("pbx", vec![])).await.is_err()
        }
    };
    assert!(refused, "plain text goes nowhere");
}

#[tokio::test]
async fn a_stream_over_the_limit_is_shed_with_a_delay_and_let_in_when_one_has_ended() {
    let limits = Limits { streams_max: 1, ..Limits::default() };
    let desk = desk_with(|options| options.limits = limits).await;
    let mut client = desk.ingest(Role::Connector).await;
    let (wire, _) = Wire::connect(&mut client, hello("pbx")).await;
    let nothing = tokio_stream::pending::<v1::StreamFactsRequest>();
    let shed = client.stream_facts(nothing).await.unwrap_err();
    assert_eq!(shed.code(), Code::ResourceExhausted);
    assert!(shed.get_error_details().retry_info().unwrap().retry_delay.unwrap() > Duration::ZERO);
    // A unary call has places of its own.
    client.submit_facts(submit("other", vec![signed_in(1, MORNING, "7")])).await.unwrap();
    drop(wire);
    loop {
        let (_say, said) = tokio::sync::mpsc::channel(1);
        let stream = tokio_stream::wrappers::ReceiverStream::new(said);
        match client.stream_facts(stream).await {
            Ok(_) => break,
            Err(status) => assert_eq!(status.code(), Code::ResourceExhausted, "{status}"),
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_server_starts_again_on_its_folder_with_the_tokens_and_facts_that_it_had() {
    let mut desk = desk().await;
    let token = desk.running.as_ref().unwrap().local_token.clone();
    desk.ingest(Role::Connector)
        .await
        .submit_facts(submit("pbx", vec![signed_in(1, MORNING, "7")]))
        .await
        .unwrap();
    desk.shut_down().await.unwrap();
    let again =
        start(Arc::clone(&desk.engine), ServerOptions::new(loopback(), desk.dir.path())).await.unwrap();
    assert_eq!(again.local_token, token);
    desk.addr = again.addr;
    let mut client = desk.ingest(Role::Connector).await;
    let (_wire, welcome) = Wire::connect(&mut client, hello("pbx")).await;
    assert_eq!(welcome.last_committed_seq, 1);
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_told_so_and_may_be_repeated() {
    let limits = Limits { call_timeout: Duration::from_millis(20), ..Limits::default() };
    let desk = desk_with(|options| options.limits = limits).await;
    let (channel, bearer) = desk.line_of(Role::Connector).await;
    let mut client = tonic::client::Grpc::new(InterceptedService::new(channel, bearer));
    client.ready().await.unwrap();
    // A request that never comes whole is the one call that takes forever on any machine.
    let silent = tonic::Request::new(tokio_stream::pending::<v1::SubmitFactsRequest>());
    let method = PathAndQuery::from_static("/pegcount.v1.IngestService/SubmitFacts");
    let codec = tonic_prost::ProstCodec::<_, v1::SubmitFactsResponse>::default();
    let slow = client.client_streaming(silent, method, codec).await.unwrap_err();
    assert_eq!(slow.code(), Code::DeadlineExceeded, "{slow}");
    assert!(slow.message().contains("repeat it as it was"), "{slow}");
}

#[tokio::test]
async fn shutdown_ends_every_kind_of_lasting_stream_within_its_grace() {
    let mut desk = desk().await;
    let local = desk.running.as_ref().unwrap().local_token.clone();
    let (channel, bearer) = desk.line(local).await;
    let mut ingest =
        v1::ingest_service_client::IngestServiceClient::with_interceptor(channel.clone(), bearer.clone());
    let (views, views_bearer) = (channel.clone(), bearer.clone());
    let (mut wire, _) = Wire::connect(&mut ingest, hello("pbx")).await;
    let silent = tokio_stream::pending::<v1::ImportContactsRequest>();
    let mut import = ingest.import_contacts(silent).await.unwrap().into_inner();
    let mut kpis =
        v1::kpi_service_client::KpiServiceClient::with_interceptor(channel.clone(), bearer.clone());
    let query = v1::QueryKpiRequest { site: "north".into(), to_us: 900_000_000, ..Default::default() };
    let request = v1::WatchKpiRequest { query: Some(query), ..Default::default() };
    let mut watch = kpis.watch_kpi(request).await.unwrap().into_inner();
    let mut logs = v1::log_service_client::LogServiceClient::with_interceptor(channel.clone(), bearer);
    let mut log = logs.subscribe_log(v1::SubscribeLogRequest::default()).await.unwrap().into_inner();
    let name = v1::ConsumerHello { name: "warehouse".into(), ..Default::default() };
    let name = v1::ConsumeRequest { message: Some(v1::consume_request::Message::Hello(name)) };
    let said = tokio_stream::StreamExt::chain(tokio_stream::once(name), tokio_stream::pending());
    let mut consumer = logs.consume(said).await.unwrap().into_inner();
    consumer.message().await.unwrap().expect("a welcome");
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
    let mut beats = health.watch(tonic_health::pb::HealthCheckRequest::default()).await.unwrap().into_inner();
    let mut pages =
        v1::wallboard_service_client::WallboardServiceClient::with_interceptor(views, views_bearer);
    let request = v1::WatchViewRequest { site: "north".into(), agents: true, ..Default::default() };
    let mut page = pages.watch_view(request).await.unwrap().into_inner();
    page.message().await.unwrap().expect("a first word");

    desk.shut_down().await.expect("nothing had to be cut off");
    assert_eq!(wire.end().await.unwrap().code(), Code::Unavailable);
    assert_eq!(import.message().await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(log.message().await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(consumer.message().await.unwrap_err().code(), Code::Unavailable);
    let end_of = async {
        loop {
            if let Err(status) = watch.message().await {
                return status.code();
            }
        }
    };
    assert_eq!(end_of.await, Code::Unavailable);
    let end_of = async {
        loop {
            if let Err(status) = beats.message().await {
                return status.code();
            }
        }
    };
    assert_eq!(end_of.await, Code::Unavailable);
    let end_of = async {
        loop {
            if let Err(status) = page.message().await {
                return status.code();
            }
        }
    };
    assert_eq!(end_of.await, Code::Unavailable);
}
