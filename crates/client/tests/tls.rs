//! Over TLS a source speaks only to the server whose certificate it was told to trust.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod common;

use common::{Fake, config, fact, local, names};
use pegcount_client::{
    Api, CaCertificate, ConnectError, Connection, Source, SourceConfig, Token, channel, connect,
};
use pegcount_clock::Clock;
use tempfile::TempDir;
use tonic::transport::{Identity, Server, ServerTlsConfig};

fn identity() -> (Identity, CaCertificate) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    (Identity::from_pem(&cert, key), CaCertificate::from_pem(cert))
}

#[tokio::test]
async fn a_source_trusts_the_certificate_that_it_was_given_and_no_other() {
    let (fake, spool) = (Fake::new(Clock::system()), TempDir::new().unwrap());
    let (identity, ca) = identity();
    let transport = Server::builder().tls_config(ServerTlsConfig::new().identity(identity)).unwrap();
    let server = fake.serve_with(transport, local()).await;
    let endpoint = format!("https://localhost:{}", server.address.port());

    let (_, other) = self::identity();
    let wrong = SourceConfig { tls_ca: Some(other), ..config(&endpoint, spool.path(), "phone") };
    let source = Source::open(wrong).unwrap();
    source.record(fact(0)).unwrap();
    let mut status = source.status();
    status.wait_for(|status| matches!(status.connection, Connection::Waiting { .. })).await.unwrap();
    source.close().await;
    assert_eq!(fake.with(|log| log.hellos.len()), 0);

    let right = SourceConfig { tls_ca: Some(ca), ..config(&endpoint, spool.path(), "phone") };
    let source = Source::open(right).unwrap();
    source.record(fact(1)).unwrap();
    source.flush().await.unwrap();
    assert_eq!(fake.with(|log| log.agents("phone")), names(2));
}

#[tokio::test]
async fn the_unary_services_carry_the_token() {
    let fake = Fake::new(Clock::system());
    let server = fake.serve(local()).await;
    let api = connect(&server.endpoint(), &Token::new("token"), None).await.unwrap();
    let answer = api.ingest().submit_facts(pegcount_proto::v1::SubmitFactsRequest::default()).await;
    assert_eq!(answer.unwrap_err().message(), "not for these tests");
    let lazy = Api::over(channel(&server.endpoint(), None).unwrap(), &Token::new("other")).unwrap();
    let answer = lazy.ingest().submit_facts(pegcount_proto::v1::SubmitFactsRequest::default()).await;
    assert_eq!(answer.unwrap_err().code(), tonic::Code::Unauthenticated);
}

#[tokio::test]
async fn no_server_is_said_at_once() {
    let error = connect("http://127.0.0.1:9", &Token::new("token"), None).await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
    let error = connect("no address at all", &Token::new("token"), None).await.unwrap_err();
    assert!(matches!(error, ConnectError::Endpoint { .. }), "{error}");
}
