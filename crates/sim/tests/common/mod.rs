//! A server that takes everything and remembers it. Not for faults: those are the client's own tests.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub, reason = "tests")]

use std::{
    collections::HashMap,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
};

use pegcount_proto::v1::{
    self, Ack, DefineRequest, DefineResponse, Definition, Fact, HeartbeatEcho, OpenTicketRequest,
    StreamFactsRequest, StreamFactsResponse, TicketCommandRequest, TicketResponse, Welcome,
    definition_service_server::{DefinitionService, DefinitionServiceServer},
    ingest_service_server::{IngestService, IngestServiceServer},
    stream_facts_request::Message as Asked,
    stream_facts_response::Message as Said,
    ticket_command_request::Command,
    ticket_service_server::{TicketService, TicketServiceServer},
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};
use tokio_stream::{
    Stream,
    wrappers::{ReceiverStream, TcpListenerStream},
};
use tonic::{Request, Response, Status, Streaming};

#[derive(Debug, Default)]
pub struct Log {
    pub facts: Vec<(String, Fact)>,
    pub definitions: Vec<Definition>,
    /// The step and its command id.
    pub tickets: Vec<(&'static str, Vec<u8>)>,
    /// Whether each ticket is resolved.
    resolved: HashMap<String, bool>,
    committed: HashMap<String, u64>,
}

#[derive(Clone)]
pub struct Server {
    pub log: Arc<Mutex<Log>>,
    heard: watch::Sender<u64>,
    address: SocketAddr,
}

impl Server {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self { log: Arc::default(), heard: watch::Sender::new(0), address };
        let serving = tonic::transport::Server::builder()
            .add_service(IngestServiceServer::new(server.clone()))
            .add_service(DefinitionServiceServer::new(server.clone()))
            .add_service(TicketServiceServer::new(server.clone()))
            .serve_with_incoming(TcpListenerStream::new(listener));
        tokio::spawn(serving);
        server
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub async fn until(&self, what: impl Fn(&Log) -> bool) {
        let mut heard = self.heard.subscribe();
        while !what(&self.log.lock().unwrap()) {
            heard.changed().await.unwrap();
        }
    }

    fn hear(&self, source: &str, asked: Asked) -> Option<Said> {
        Some(match asked {
            Asked::Batch(batch) => {
                let mut log = self.log.lock().unwrap();
                for fact in batch.facts {
                    let committed = log.committed.entry(source.to_owned()).or_default();
                    assert_eq!(fact.seq, *committed + 1, "dense");
                    *committed = fact.seq;
                    log.facts.push((source.to_owned(), fact));
                }
                let position = u64::try_from(log.facts.len()).unwrap();
                Said::Ack(Ack { last_committed_seq: log.committed[source], position, ..Ack::default() })
            }
            Asked::Heartbeat(heartbeat) => Said::Heartbeat(HeartbeatEcho {
                client_time_us: heartbeat.client_time_us,
                server_time_us: heartbeat.client_time_us,
            }),
            _ => return None,
        })
    }

    fn ticket(
        &self,
        step: &'static str,
        ticket: &str,
        command: Vec<u8>,
    ) -> Result<Response<TicketResponse>, Status> {
        let mut log = self.log.lock().unwrap();
        let legal = match (step, log.resolved.get(ticket)) {
            ("open", None) | (_, Some(false)) => !matches!(step, "reopen" | "close"),
            (step, Some(true)) => matches!(step, "reopen" | "close" | "other"),
            _ => false,
        };
        if !legal {
            return Err(Status::failed_precondition(step));
        }
        if step != "other" {
            log.resolved.insert(ticket.to_owned(), step == "resolve");
        }
        log.tickets.push((step, command));
        Ok(Response::new(TicketResponse::default()))
    }
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl IngestService for Server {
    type StreamFactsStream = Answers<StreamFactsResponse>;
    type ImportContactsStream = Answers<v1::ImportContactsResponse>;
    type ImportTicketsStream = Answers<v1::ImportTicketsResponse>;

    async fn stream_facts(
        &self,
        request: Request<Streaming<StreamFactsRequest>>,
    ) -> Result<Response<Self::StreamFactsStream>, Status> {
        let mut asked = request.into_inner();
        let Some(Asked::Hello(hello)) = asked.message().await?.and_then(|message| message.message) else {
            return Err(Status::invalid_argument("hello first"));
        };
        let source = hello.source.unwrap().source;
        let (said, answers) = mpsc::channel(16);
        let welcome = Welcome {
            incarnation: vec![7; 16].into(),
            last_committed_seq: self.log.lock().unwrap().committed.get(&source).copied().unwrap_or(0),
            server_time_us: hello.client_time_us,
            client_time_us: hello.client_time_us,
            lease_us: 3_600_000_000,
            batch_facts_max: 1000,
            incarnation_changed: false,
        };
        said.send(Ok(StreamFactsResponse { message: Some(Said::Welcome(welcome)) })).await.unwrap();
        let server = self.clone();
        tokio::spawn(async move {
            while let Ok(Some(message)) = asked.message().await {
                let Some(answer) = server.hear(&source, message.message.unwrap()) else { return };
                server.heard.send_modify(|count| *count += 1);
                if said.send(Ok(StreamFactsResponse { message: Some(answer) })).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn submit_facts(
        &self,
        _: Request<v1::SubmitFactsRequest>,
    ) -> Result<Response<v1::SubmitFactsResponse>, Status> {
        Err(Status::unimplemented("not for these tests"))
    }

    async fn amend_fact(
        &self,
        _: Request<v1::AmendFactRequest>,
    ) -> Result<Response<v1::CorrectionResponse>, Status> {
        Err(Status::unimplemented("not for these tests"))
    }

    async fn annul_fact(
        &self,
        _: Request<v1::AnnulFactRequest>,
    ) -> Result<Response<v1::CorrectionResponse>, Status> {
        Err(Status::unimplemented("not for these tests"))
    }

    async fn import_contacts(
        &self,
        _: Request<Streaming<v1::ImportContactsRequest>>,
    ) -> Result<Response<Self::ImportContactsStream>, Status> {
        Err(Status::unimplemented("not for these tests"))
    }

    async fn import_tickets(
        &self,
        _: Request<Streaming<v1::ImportTicketsRequest>>,
    ) -> Result<Response<Self::ImportTicketsStream>, Status> {
        Err(Status::unimplemented("not for these tests"))
    }
}

#[tonic::async_trait]
impl DefinitionService for Server {
    type ReplayTicketPoliciesStream = Answers<v1::ReplayTicketPoliciesResponse>;

    async fn define(&self, request: Request<DefineRequest>) -> Result<Response<DefineResponse>, Status> {
        if request.metadata().get("authorization").is_none_or(|token| token != "Bearer token") {
            return Err(Status::permission_denied("not an administrator"));
        }
        self.log.lock().unwrap().definitions = request.into_inner().definitions;
        Ok(Response::new(DefineResponse::default()))
    }

    async fn list_definitions(
        &self,
        _: Request<v1::ListDefinitionsRequest>,
    ) -> Result<Response<v1::ListDefinitionsResponse>, Status> {
        Err(Status::unimplemented("not for these tests"))
    }

    async fn replay_ticket_policies(
        &self,
        _: Request<v1::ReplayTicketPoliciesRequest>,
    ) -> Result<Response<Self::ReplayTicketPoliciesStream>, Status> {
        Err(Status::unimplemented("not for these tests"))
    }
}

#[tonic::async_trait]
impl TicketService for Server {
    type WatchTicketsStream = ReceiverStream<Result<v1::WatchTicketsResponse, Status>>;

    async fn open_ticket(
        &self,
        request: Request<OpenTicketRequest>,
    ) -> Result<Response<TicketResponse>, Status> {
        let request = request.into_inner();
        self.ticket("open", &request.ticket.unwrap().ticket, request.command_id.to_vec())
    }

    async fn command_ticket(
        &self,
        request: Request<TicketCommandRequest>,
    ) -> Result<Response<TicketResponse>, Status> {
        let request = request.into_inner();
        let step = match request.command.unwrap() {
            Command::Accept(_) => "accept",
            Command::Classify(_) => "classify",
            Command::Resolve(_) => "resolve",
            Command::Reopen(_) => "reopen",
            Command::Close(_) => "close",
            _ => "other",
        };
        self.ticket(step, &request.ticket, request.command_id.to_vec())
    }

    async fn merge_tickets(
        &self,
        request: Request<v1::MergeTicketsRequest>,
    ) -> Result<Response<TicketResponse>, Status> {
        let request = request.into_inner();
        self.ticket("merge", &request.secondary.unwrap().ticket, request.command_id.to_vec())
    }

    async fn split_ticket(
        &self,
        _: Request<v1::SplitTicketRequest>,
    ) -> Result<Response<TicketResponse>, Status> {
        Err(Status::unimplemented("not for these tests"))
    }

    async fn link_tickets(
        &self,
        _: Request<v1::LinkTicketsRequest>,
    ) -> Result<Response<TicketResponse>, Status> {
        Err(Status::unimplemented("not for these tests"))
    }

    async fn get_ticket(&self, _: Request<v1::GetTicketRequest>) -> Result<Response<v1::Ticket>, Status> {
        Err(Status::unimplemented("not for these tests"))
    }

    async fn get_ticket_history(
        &self,
        _: Request<v1::GetTicketRequest>,
    ) -> Result<Response<v1::TicketHistory>, Status> {
        Err(Status::unimplemented("not for these tests"))
    }

    async fn list_tickets(
        &self,
        _: Request<v1::ListTicketsRequest>,
    ) -> Result<Response<v1::ListTicketsResponse>, Status> {
        Err(Status::unimplemented("not for these tests"))
    }

    async fn read_ticket_texts(
        &self,
        _: Request<v1::ReadTicketTextsRequest>,
    ) -> Result<Response<v1::ReadTicketTextsResponse>, Status> {
        Err(Status::unimplemented("not for these tests"))
    }

    async fn watch_tickets(
        &self,
        _: Request<v1::WatchTicketsRequest>,
    ) -> Result<Response<Self::WatchTicketsStream>, Status> {
        Err(Status::unimplemented("not for these tests"))
    }
}
