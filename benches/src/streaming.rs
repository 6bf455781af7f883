//! Bare clients that stream batches: one that keeps a window of unacknowledged ones, and one that waits for each. No spool,
//! so that the service is what is measured.

use std::{sync::Arc, time::Instant};

use pegcount_proto::v1::{
    self, ingest_service_client::IngestServiceClient, stream_facts_request::Message, stream_facts_response,
};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::{Request, Streaming, metadata::MetadataValue, transport::Endpoint};

use crate::{Outcome, single::AGENTS, workload::Calls, writer::Writer};

/// Facts in one batch.
pub const BATCH_FACTS: usize = 256;
/// Unacknowledged batches of one client.
pub const WINDOW_BATCHES: usize = 64;

/// What a run did.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Facts acknowledged.
    pub facts: u64,
    /// Wall time, seconds.
    pub seconds: f64,
}

impl Rate {
    /// Facts a second.
    #[allow(clippy::cast_precision_loss, reason = "a benchmark's count is far below 2^52")]
    pub fn per_second(self) -> f64 {
        self.facts as f64 / self.seconds
    }
}

/// Runs `clients` clients at once, each for `agents` agents and with `batches` batches, and waits for the last acknowledgement.
pub async fn run(
    endpoint: &str,
    token: &str,
    clients: usize,
    agents: usize,
    batches: usize,
) -> Outcome<Rate> {
    let started = Instant::now();
    let mut tasks = Vec::new();
    for client in 0..clients {
        let (endpoint, token) = (endpoint.to_owned(), token.to_owned());
        tasks.push(tokio::spawn(async move { one(&endpoint, &token, client, agents, batches).await }));
    }
    let mut facts = 0;
    for task in tasks {
        facts += task.await??;
    }
    Ok(Rate { facts, seconds: started.elapsed().as_secs_f64() })
}

async fn one(endpoint: &str, token: &str, client: usize, agents: usize, batches: usize) -> Outcome<u64> {
    let (send, mut answers) = open(endpoint, token, format!("gateway-{client}")).await?;
    let window = Arc::new(Semaphore::new(WINDOW_BATCHES));
    let granted = Arc::clone(&window);
    let writer = tokio::spawn(async move {
        let mut calls = Calls::new(client, agents);
        for _ in 0..batches {
            let Ok(permit) = granted.acquire().await else { return };
            permit.forget();
            if send.send(batch(calls.batch(BATCH_FACTS))).await.is_err() {
                return;
            }
        }
        // The stream stays open until all is acknowledged: the reader ends it.
        std::future::pending::<()>().await;
    });

    let total = u64::try_from(batches * BATCH_FACTS)?;
    let mut acknowledged = 0;
    while acknowledged < total {
        let committed = next_committed(&mut answers).await?;
        let batches_done = |seq: u64| seq / BATCH_FACTS as u64;
        let freed = batches_done(committed) - batches_done(acknowledged);
        window.add_permits(usize::try_from(freed)?);
        acknowledged = committed;
    }
    writer.abort();
    Ok(total)
}

/// One client with a stream of its own, over its own connection and as its own source, that waits for every answer.
#[derive(Debug)]
pub struct Streams {
    send: mpsc::Sender<v1::StreamFactsRequest>,
    answers: Streaming<v1::StreamFactsResponse>,
    calls: Calls,
    committed: u64,
}

impl Streams {
    /// Connects `count` clients.
    pub async fn connect(endpoint: &str, token: &str, count: usize) -> Outcome<Vec<Self>> {
        let mut clients = Vec::new();
        for number in 0..count {
            let (send, answers) = open(endpoint, token, format!("stream-{number}")).await?;
            clients.push(Self { send, answers, calls: Calls::new(2_000 + number, AGENTS), committed: 0 });
        }
        Ok(clients)
    }
}

impl Writer for Streams {
    async fn write(&mut self, count: usize) -> Outcome<()> {
        let wanted = self.committed + u64::try_from(count)?;
        self.send.send(batch(self.calls.batch(count))).await?;
        while self.committed < wanted {
            self.committed = next_committed(&mut self.answers).await?;
        }
        Ok(())
    }
}

/// Connects and says who it is.
async fn open(
    endpoint: &str,
    token: &str,
    source: String,
) -> Outcome<(mpsc::Sender<v1::StreamFactsRequest>, Streaming<v1::StreamFactsResponse>)> {
    let channel = Endpoint::new(endpoint.to_owned())?
        .initial_stream_window_size(4 << 20)
        .initial_connection_window_size(4 << 20)
        .connect()
        .await?;
    let (send, receive) = mpsc::channel(8);
    let hello = v1::Hello {
        source: Some(v1::Source {
            site: "bench".to_owned(),
            source,
            epoch: uuid::Uuid::new_v4().as_bytes().to_vec().into(),
        }),
        boot: "bench".to_owned(),
        client_time_us: pegcount_clock::system_now().0,
        ..Default::default()
    };
    send.send(v1::StreamFactsRequest { message: Some(Message::Hello(hello)) }).await?;
    let mut request = Request::new(ReceiverStream::new(receive));
    let bearer: MetadataValue<_> = format!("Bearer {token}").parse()?;
    request.metadata_mut().insert("authorization", bearer);
    let answers = IngestServiceClient::new(channel).stream_facts(request).await?.into_inner();
    Ok((send, answers))
}

fn batch(facts: Vec<v1::Fact>) -> v1::StreamFactsRequest {
    let batch = v1::FactBatch { facts, clock_offset_us: Some(0) };
    v1::StreamFactsRequest { message: Some(Message::Batch(batch)) }
}

/// The seq up to which the next acknowledgement reaches.
async fn next_committed(answers: &mut Streaming<v1::StreamFactsResponse>) -> Outcome<u64> {
    while let Some(answer) = answers.next().await {
        let Some(stream_facts_response::Message::Ack(ack)) = answer?.message else { continue };
        return match ack.refusals.first() {
            Some(refusal) => Err(format!("a fact was refused: {} {}", refusal.field, refusal.reason).into()),
            None => Ok(ack.last_committed_seq),
        };
    }
    Err("the server ended the stream".into())
}
