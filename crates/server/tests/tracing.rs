//! A request's id goes with it to the position of what it wrote.
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

use std::{
    io,
    sync::{Arc, Mutex},
};

use pegcount_proto::v1::stream_facts_request::Message;
use pegcount_server::Role;
use support::{Bearer, MORNING, batch, desk, hello, ready, signed_in, submit};
use tonic::{Request, service::Interceptor};
use tracing_subscriber::fmt::MakeWriter;

/// The program's log, kept.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Puts a request id beside the token.
#[derive(Clone)]
struct Named(Bearer, &'static str);

impl Interceptor for Named {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, tonic::Status> {
        let mut request = self.0.call(request)?;
        request.metadata_mut().insert("x-request-id", self.1.parse().unwrap());
        Ok(request)
    }
}

type Ingest<T> = pegcount_proto::v1::ingest_service_client::IngestServiceClient<T>;

#[tokio::test]
async fn the_line_about_what_became_durable_has_the_request_id_and_the_position() {
    let kept = Kept::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
        .with_writer(kept.clone())
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let desk = desk().await;
    let (channel, bearer) = desk.line_of(Role::Connector).await;
    let mut unary = Ingest::with_interceptor(channel.clone(), Named(bearer.clone(), "unary-1"));
    unary.submit_facts(submit("pbx", vec![signed_in(1, MORNING, "7")])).await.unwrap();

    let mut lasting = Ingest::with_interceptor(channel, Named(bearer, "stream-2"));
    let requests = [Message::Hello(hello("phone")), Message::Batch(batch(vec![ready(1, MORNING, "7")]))];
    let requests = requests.map(|message| pegcount_proto::v1::StreamFactsRequest { message: Some(message) });
    let mut answers = lasting.stream_facts(tokio_stream::iter(requests)).await.unwrap().into_inner();
    while answers.message().await.unwrap().is_some() {}

    let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    let line =
        |id: &str, position: &str| text.lines().any(|line| line.contains(id) && line.contains(position));
    assert!(line("id=unary-1", "position=1"), "{text}");
    assert!(line("id=stream-2", "position=2"), "{text}");
}
