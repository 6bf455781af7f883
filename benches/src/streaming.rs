//! A bare client that streams batches and keeps a window of unacknowledged ones; no spool, so that the service is what
//! is measured.

use std::{error::Error, sync::Arc, time::Instant};

use pegcount_proto::v1::{
    self, ingest_service_client::IngestServiceClient, stream_facts_request::Message, stream_facts_response,
};
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::{Request, metadata::MetadataValue, transport::Endpoint};

use crate::workload::Calls;

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
) -> Result<Rate, Box<dyn Error + Send + Sync>> {
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

async fn one(
    endpoint: &str,
    token: &str,
    client: usize,
    agents: usize,
    batches: usize,
) -> Result<u64, Box<dyn Error + Send + Sync>> {
    let channel = Endpoint::new(endpoint.to_owned())?
        .initial_stream_window_size(4 << 20)
        .initial_connection_window_size(4 << 20)
        .connect()
        .await?;
    let (send, receive) = mpsc::channel(8);
    let now = pegcount_clock::system_now().0;
    let hello = v1::Hello {
        source: Some(v1::Source {
            site: "bench".to_owned(),
            source: format!("gateway-{client}"),
            epoch: uuid::Uuid::new_v4().as_bytes().to_vec().into(),
        }),
        boot: "bench".to_owned(),
        client_time_us: now,
        ..Default::default()
    };
    let message = |message| v1::StreamFactsRequest { message: Some(message) };
    send.send(message(Message::Hello(hello))).await?;
    let mut request = Request::new(ReceiverStream::new(receive));
    let bearer: MetadataValue<_> = format!("Bearer {token}").parse()?;
    request.metadata_mut().insert("authorization", bearer);
    let mut answers = IngestServiceClient::new(channel).stream_facts(request).await?.into_inner();

    let window = Arc::new(Semaphore::new(WINDOW_BATCHES));
    let granted = Arc::clone(&window);
    let writer = tokio::spawn(async move {
        let mut calls = Calls::new(client, agents);
        for _ in 0..batches {
            let Ok(permit) = granted.acquire().await else { return };
            permit.forget();
            let facts = calls.batch(BATCH_FACTS);
            let batch = v1::FactBatch { facts, clock_offset_us: Some(0) };
            if send.send(v1::StreamFactsRequest { message: Some(Message::Batch(batch)) }).await.is_err() {
                return;
            }
        }
        // The stream stays open until all is acknowledged: the reader ends it.
        std::future::pending::<()>().await;
    });

    let total = u64::try_from(batches * BATCH_FACTS)?;
    let mut acknowledged = 0;
    while let Some(answer) = answers.next().await {
        let Some(stream_facts_response::Message::Ack(ack)) = answer?.message else { continue };
        if let Some(refusal) = ack.refusals.first() {
            return Err(format!("a fact was refused: {} {}", refusal.field, refusal.reason).into());
        }
        let batches_done = |seq: u64| seq / BATCH_FACTS as u64;
        let freed = batches_done(ack.last_committed_seq) - batches_done(acknowledged);
        window.add_permits(usize::try_from(freed)?);
        acknowledged = ack.last_committed_seq;
        if acknowledged == total {
            break;
        }
    }
    writer.abort();
    if acknowledged == total {
        Ok(total)
    } else {
        Err(format!("acknowledged {acknowledged} of {total}").into())
    }
}
