//! Clients that submit facts by single calls, each over its own connection and as its own source, and wait for every
//! answer.

use pegcount_proto::v1::{self, ingest_service_client::IngestServiceClient};
use tonic::{
    Request,
    metadata::{Ascii, MetadataValue},
    transport::{Channel, Endpoint},
};

use crate::{Outcome, workload::Calls, writer::Writer};

/// Agents of one client: with 64 clients a centre of about 200.
pub const AGENTS: usize = 3;

/// One client.
#[derive(Debug)]
pub struct SingleCalls {
    client: IngestServiceClient<Channel>,
    bearer: MetadataValue<Ascii>,
    source: v1::Source,
    calls: Calls,
}

impl SingleCalls {
    /// Connects `count` clients.
    pub async fn connect(endpoint: &str, token: &str, count: usize) -> Outcome<Vec<Self>> {
        let mut clients = Vec::new();
        for number in 0..count {
            let channel = Endpoint::new(endpoint.to_owned())?.connect().await?;
            clients.push(Self {
                client: IngestServiceClient::new(channel),
                bearer: format!("Bearer {token}").parse()?,
                source: v1::Source {
                    site: "bench".to_owned(),
                    source: format!("single-{number}"),
                    epoch: uuid::Uuid::new_v4().as_bytes().to_vec().into(),
                },
                calls: Calls::new(1_000 + number, AGENTS),
            });
        }
        Ok(clients)
    }
}

impl Writer for SingleCalls {
    async fn write(&mut self, count: usize) -> Outcome<()> {
        let batch = v1::FactBatch { facts: self.calls.batch(count), clock_offset_us: Some(0) };
        let request = v1::SubmitFactsRequest {
            source: Some(self.source.clone()),
            batch: Some(batch),
            ..Default::default()
        };
        let mut request = Request::new(request);
        request.metadata_mut().insert("authorization", self.bearer.clone());
        let answer = self.client.submit_facts(request).await?.into_inner();
        // The empty service gives no acknowledgement.
        let refused = answer.ack.and_then(|ack| ack.refusals.into_iter().next());
        refused.map_or(Ok(()), |refusal| {
            Err(format!("a fact was refused: {} {}", refusal.field, refusal.reason).into())
        })
    }
}
