//! A service that speaks the same contract and throws everything away: the ceiling of any service on this machine. Given a
//! plain file, it writes single calls there first: the ceiling of any durable one.

use std::pin::Pin;

use futures_util::{Stream, StreamExt, stream};
use pegcount_proto::v1::{
    self, ingest_service_server::IngestService, stream_facts_request, stream_facts_response,
};
use prost::Message;
use tonic::{Request, Response, Status, Streaming};

use crate::plain::PlainFile;

/// Acknowledges whatever it hears.
#[derive(Clone, Debug, Default)]
pub struct Empty {
    /// Where single calls go before they are answered; none: nowhere.
    pub file: Option<PlainFile>,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl IngestService for Empty {
    type StreamFactsStream = Answers<v1::StreamFactsResponse>;
    type ImportContactsStream = Answers<v1::ImportContactsResponse>;
    type ImportTicketsStream = Answers<v1::ImportTicketsResponse>;

    async fn stream_facts(
        &self,
        request: Request<Streaming<v1::StreamFactsRequest>>,
    ) -> Result<Response<Self::StreamFactsStream>, Status> {
        let answers = request.into_inner().filter_map(|message| async {
            let message = match message.ok()?.message? {
                stream_facts_request::Message::Hello(_) => {
                    let welcome = v1::Welcome { batch_facts_max: 1_000, ..Default::default() };
                    stream_facts_response::Message::Welcome(welcome)
                }
                stream_facts_request::Message::Batch(batch) => {
                    let last_committed_seq = batch.facts.last().map_or(0, |fact| fact.seq);
                    stream_facts_response::Message::Ack(v1::Ack { last_committed_seq, ..Default::default() })
                }
                _ => return None,
            };
            Some(Ok(v1::StreamFactsResponse { message: Some(message) }))
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn submit_facts(
        &self,
        request: Request<v1::SubmitFactsRequest>,
    ) -> Result<Response<v1::SubmitFactsResponse>, Status> {
        if let Some(file) = &self.file
            && !file.write(request.into_inner().encode_to_vec()).await
        {
            return Err(Status::unavailable("the plain file could not be written"));
        }
        Ok(Response::new(v1::SubmitFactsResponse::default()))
    }

    async fn amend_fact(
        &self,
        _: Request<v1::AmendFactRequest>,
    ) -> Result<Response<v1::CorrectionResponse>, Status> {
        Err(Status::unimplemented("the empty service throws facts away"))
    }

    async fn annul_fact(
        &self,
        _: Request<v1::AnnulFactRequest>,
    ) -> Result<Response<v1::CorrectionResponse>, Status> {
        Err(Status::unimplemented("the empty service throws facts away"))
    }

    async fn import_contacts(
        &self,
        _: Request<Streaming<v1::ImportContactsRequest>>,
    ) -> Result<Response<Self::ImportContactsStream>, Status> {
        Ok(Response::new(Box::pin(stream::empty())))
    }

    async fn import_tickets(
        &self,
        _: Request<Streaming<v1::ImportTicketsRequest>>,
    ) -> Result<Response<Self::ImportTicketsStream>, Status> {
        Ok(Response::new(Box::pin(stream::empty())))
    }
}
