//! The ingest service: facts by stream or one batch at a time, corrections, imports.

use pegcount_domain::{
    envelope::Position,
    ids::{Name, SourceId},
    time::Micros,
};
use pegcount_engine::Correction;
use pegcount_proto::{FactError, check_agent_fact, check_contact_fact, v1};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use tracing::Instrument;

use super::{
    Answers, Room,
    conversation::{Conversation, IN_CALL, fact_batch, grouped, unary_hello},
    imports::{Contacts, Import, Kind},
    incarnation_bytes,
    ticket_imports::Tickets,
};
use crate::{
    access::{Action, Caller},
    fields,
    options::ANSWERS_QUEUED_MAX,
    status,
};

#[tonic::async_trait]
impl v1::ingest_service_server::IngestService for Room {
    type StreamFactsStream = Answers<v1::StreamFactsResponse>;
    type ImportContactsStream = Answers<v1::ImportContactsResponse>;
    type ImportTicketsStream = Answers<v1::ImportTicketsResponse>;

    async fn stream_facts(
        &self,
        request: Request<Streaming<v1::StreamFactsRequest>>,
    ) -> Result<Response<Self::StreamFactsStream>, Status> {
        let caller = self.access.admit(request.metadata(), Action::WriteFacts)?;
        let (outbox, answers) = mpsc::channel(ANSWERS_QUEUED_MAX);
        let conversation = Conversation { room: self.clone(), caller, inbound: request.into_inner(), outbox };
        tokio::spawn(conversation.run().in_current_span());
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn submit_facts(
        &self,
        request: Request<v1::SubmitFactsRequest>,
    ) -> Result<Response<v1::SubmitFactsResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::WriteFacts)?;
        let ack = self.submit(&caller, request.into_inner()).await?;
        tracing::debug!(position = ack.position, last_seq = ack.last_committed_seq, "durable");
        let incarnation = incarnation_bytes(self.engine.incarnation());
        Ok(Response::new(v1::SubmitFactsResponse { ack: Some(ack), incarnation }))
    }

    async fn amend_fact(
        &self,
        request: Request<v1::AmendFactRequest>,
    ) -> Result<Response<v1::CorrectionResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::CorrectFacts)?;
        let request = request.into_inner();
        let correction = amendment(&request)?;
        let order = CorrectionOrder {
            site: &request.site,
            position: request.position,
            reason: &request.reason,
            command_id: &request.command_id,
        };
        self.correct(&caller, order, correction).await
    }

    async fn annul_fact(
        &self,
        request: Request<v1::AnnulFactRequest>,
    ) -> Result<Response<v1::CorrectionResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::CorrectFacts)?;
        let request = request.into_inner();
        let order = CorrectionOrder {
            site: &request.site,
            position: request.position,
            reason: &request.reason,
            command_id: &request.command_id,
        };
        self.correct(&caller, order, Correction::Annul).await
    }

    async fn import_contacts(
        &self,
        request: Request<Streaming<v1::ImportContactsRequest>>,
    ) -> Result<Response<Self::ImportContactsStream>, Status> {
        self.import::<Contacts>(request)
    }

    async fn import_tickets(
        &self,
        request: Request<Streaming<v1::ImportTicketsRequest>>,
    ) -> Result<Response<Self::ImportTicketsStream>, Status> {
        self.import::<Tickets>(request)
    }
}

/// What both kinds of correction say.
struct CorrectionOrder<'a> {
    site: &'a str,
    position: u64,
    reason: &'a str,
    command_id: &'a [u8],
}

impl Room {
    fn import<K: Kind>(
        &self,
        request: Request<Streaming<K::Request>>,
    ) -> Result<Response<Answers<K::Response>>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ImportRecords)?;
        let (outbox, answers) = mpsc::channel(ANSWERS_QUEUED_MAX);
        let import = Import::<K>::new(self.clone(), caller, outbox);
        tokio::spawn(import.run(request.into_inner()).in_current_span());
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    /// The skip, then the batch; both on their way before either is waited for.
    async fn submit(&self, caller: &Caller, request: v1::SubmitFactsRequest) -> Result<v1::Ack, Status> {
        let nothing = || status::invalid("batch", "is missing, and so is skip; send one or both");
        if request.batch.is_none() && request.skip.is_none() {
            return Err(nothing());
        }
        let source = request.source.ok_or_else(|| status::invalid("source", "is missing; it is required"))?;
        let mut hello = unary_hello(caller, &source, &IN_CALL)?;
        hello.client_time = (request.client_time_us != 0).then_some(Micros(request.client_time_us));
        let session = self.engine.open_source_for_a_call(hello).map_err(status::of)?;
        let mut on_their_way = Vec::new();
        if let Some(skip) = request.skip {
            let pending = session.skip(skip.from_seq, skip.to_seq, &skip.reason).await;
            on_their_way.push(pending.map_err(status::of)?);
        }
        if let Some(batch) = request.batch {
            on_their_way.push(session.submit(fact_batch(batch)).await.map_err(status::of)?);
        }
        let mut acks = Vec::new();
        for pending in on_their_way {
            acks.push(pending.durable().await.map_err(status::of)?);
        }
        grouped(acks).ok_or_else(nothing)
    }

    async fn correct(
        &self,
        caller: &Caller,
        order: CorrectionOrder<'_>,
        correction: Correction,
    ) -> Result<Response<v1::CorrectionResponse>, Status> {
        let site = caller.site("site", order.site)?;
        let command_id = fields::command_id(order.command_id)?;
        let target = Position(order.position);
        let position = self
            .engine
            .correct(&site, target, correction, order.reason, caller.actor(), command_id)
            .await
            .map_err(status::of)?;
        tracing::debug!(position = position.0, target = target.0, "corrected");
        Ok(Response::new(v1::CorrectionResponse { position: position.0 }))
    }
}

/// What really happened, and when.
fn amendment(request: &v1::AmendFactRequest) -> Result<Correction, Status> {
    use v1::amend_fact_request::Fact;
    let within =
        |prefix: &str, error: FactError| status::invalid(&format!("{prefix}.{}", error.field), error.reason);
    let fact = match &request.fact {
        Some(Fact::Agent(fact)) => Some(check_agent_fact(fact).map_err(|error| within("agent", error))?),
        Some(Fact::Contact(fact)) => {
            Some(check_contact_fact(fact).map_err(|error| within("contact", error))?)
        }
        None => None,
    };
    if fact.is_none() && request.occurred_at_us.is_none() {
        return Err(status::invalid("fact", "is missing, and so is occurred_at_us; say what was wrong"));
    }
    Ok(Correction::Amend { occurred_at: request.occurred_at_us.map(Micros), fact: fact.map(Box::new) })
}

/// The source that an import names.
pub(super) fn import_source(text: &str) -> Result<SourceId, Status> {
    let source: Name = fields::name("source", text)?;
    Ok(SourceId(source))
}
