//! A small server that keeps its counters in memory and misbehaves on request.
//!
//! Invariant: what it has committed stays committed, over faults and restarts, unless a test restores an older log.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex},
};

use futures_util::Stream;
use pegcount_client::{Fact, SourceConfig, SpoolDurability, Token};
use pegcount_clock::Clock;
use pegcount_domain::{ids::SiteId, time::Micros};
use pegcount_proto::v1::{
    self, Ack, FactBatch, HeartbeatEcho, Hello, StreamFactsRequest, StreamFactsResponse, Welcome,
    ingest_service_server::{IngestService, IngestServiceServer},
    stream_facts_request::Message as Asked,
    stream_facts_response::Message as Said,
};
use tokio::{
    net::TcpListener,
    runtime::Runtime,
    sync::{mpsc, watch},
};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Code, Request, Response, Status, Streaming};

/// What goes wrong on one connection.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Refused before the welcome.
    Refuse(Code),
    /// Broken after so many messages, before the next one is looked at.
    Drop(u32),
    /// The message after so many is committed, then the connection breaks without an acknowledgement.
    LoseAck(u32),
    /// The stream ends in good order after so many messages.
    End(u32),
    /// Every message after so many gets this code.
    Fail(u32, Code),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    pub source: String,
    pub epoch: Vec<u8>,
    pub fact: v1::Fact,
    pub offset_us: Option<i64>,
}

#[derive(Debug)]
pub struct Log {
    pub incarnation: Vec<u8>,
    pub committed: HashMap<(String, Vec<u8>), u64>,
    pub kept: Vec<Kept>,
    pub skips: Vec<v1::Skip>,
    pub hellos: Vec<Hello>,
    pub batches: Vec<usize>,
    pub heartbeats: u64,
    pub faults: VecDeque<Fault>,
    /// Facts of this agent are refused.
    pub refuse_agent: Option<String>,
    pub batch_facts_max: u32,
    pub clock: Clock,
    pub lease: Micros,
}

impl Log {
    /// The agents' names of the facts of a source in the order in which they were kept.
    pub fn agents(&self, source: &str) -> Vec<String> {
        self.kept.iter().filter(|kept| kept.source == source).map(|kept| name(&kept.fact)).collect()
    }
}

fn name(fact: &v1::Fact) -> String {
    match &fact.fact {
        Some(Fact::Agent(fact)) => fact.agent.clone(),
        _ => panic!("an agent's fact"),
    }
}

#[derive(Clone)]
pub struct Fake {
    pub log: Arc<Mutex<Log>>,
    pub heard: watch::Sender<u64>,
}

/// A running server; its connections break when it stops.
pub struct Running {
    pub address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Running {
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn stop(mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Fake {
    pub fn new(clock: Clock) -> Self {
        let log = Log {
            incarnation: vec![1; 16],
            committed: HashMap::new(),
            kept: Vec::new(),
            skips: Vec::new(),
            hellos: Vec::new(),
            batches: Vec::new(),
            heartbeats: 0,
            faults: VecDeque::new(),
            refuse_agent: None,
            batch_facts_max: 100,
            clock,
            lease: Micros::from_secs(10),
        };
        Self { log: Arc::new(Mutex::new(log)), heard: watch::Sender::new(0) }
    }

    /// Serves on `address`, port 0 for any.
    pub async fn serve(&self, address: SocketAddr) -> Running {
        self.serve_with(tonic::transport::Server::builder(), address).await
    }

    /// As `serve`, with a transport of the test's own.
    pub async fn serve_with(&self, mut transport: tonic::transport::Server, address: SocketAddr) -> Running {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let service = IngestServiceServer::new(self.clone());
        let listener = runtime
            .spawn(async move {
                loop {
                    // The port of a server that has just stopped is free in a moment.
                    match TcpListener::bind(address).await {
                        Ok(listener) => return listener,
                        Err(_) => tokio::task::yield_now().await,
                    }
                }
            })
            .await
            .unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(transport.add_service(service).serve_with_incoming(TcpListenerStream::new(listener)));
        Running { address, runtime: Some(runtime) }
    }

    /// Waits until something holds of what the server has.
    pub async fn until(&self, what: impl Fn(&Log) -> bool) {
        let mut heard = self.heard.subscribe();
        loop {
            heard.borrow_and_update();
            if what(&self.log.lock().unwrap()) {
                return;
            }
            heard.changed().await.unwrap();
        }
    }

    pub fn with<T>(&self, look: impl FnOnce(&mut Log) -> T) -> T {
        look(&mut self.log.lock().unwrap())
    }

    fn commit(&self, hello: &Hello, batch: FactBatch) -> Result<Ack, Status> {
        let source = hello.source.clone().unwrap();
        let key = (source.source.clone(), source.epoch.to_vec());
        let mut log = self.log.lock().unwrap();
        let mut committed = log.committed.get(&key).copied().unwrap_or(0);
        let mut ack = Ack::default();
        if batch.facts.len() > usize::try_from(log.batch_facts_max).unwrap() {
            return Err(Status::resource_exhausted("the batch has too many facts"));
        }
        log.batches.push(batch.facts.len());
        for fact in batch.facts {
            if fact.seq <= committed {
                let old = log
                    .kept
                    .iter()
                    .find(|kept| kept.epoch == key.1 && kept.source == key.0 && kept.fact.seq == fact.seq);
                if old.is_some_and(|old| old.fact != fact) {
                    return Err(Status::already_exists("other content"));
                }
                ack.repeats += 1;
                continue;
            }
            if fact.seq != committed + 1 {
                return Err(Status::failed_precondition(format!("gap: {} after {committed}", fact.seq)));
            }
            committed += 1;
            if log.refuse_agent.is_some() && log.refuse_agent == Some(name(&fact)) {
                ack.refusals.push(v1::Refusal {
                    seq: fact.seq,
                    field: "agent.agent".into(),
                    reason: "no".into(),
                });
            } else {
                let (source, epoch) = key.clone();
                log.kept.push(Kept { source, epoch, fact, offset_us: batch.clock_offset_us });
            }
        }
        log.committed.insert(key, committed);
        ack.last_committed_seq = committed;
        ack.position = u64::try_from(log.kept.len()).unwrap();
        Ok(ack)
    }

    fn skip(&self, hello: &Hello, skip: v1::Skip) -> Result<Ack, Status> {
        let source = hello.source.clone().unwrap();
        let mut log = self.log.lock().unwrap();
        let committed = log.committed.entry((source.source, source.epoch.to_vec())).or_default();
        if skip.from_seq != *committed + 1 || skip.to_seq < skip.from_seq {
            return Err(Status::failed_precondition("a skip that does not fit"));
        }
        *committed = skip.to_seq;
        let ack = Ack { last_committed_seq: *committed, ..Ack::default() };
        log.skips.push(skip);
        Ok(ack)
    }

    fn welcome(&self, hello: &Hello) -> Welcome {
        let source = hello.source.clone().unwrap();
        let mut log = self.log.lock().unwrap();
        log.hellos.push(hello.clone());
        let committed = log.committed.get(&(source.source, source.epoch.to_vec())).copied();
        Welcome {
            incarnation: log.incarnation.clone().into(),
            last_committed_seq: committed.unwrap_or(0),
            server_time_us: log.clock.now().0,
            client_time_us: hello.client_time_us,
            lease_us: log.lease.0,
            batch_facts_max: log.batch_facts_max,
            incarnation_changed: !hello.incarnation.is_empty() && hello.incarnation != log.incarnation,
        }
    }

    fn hear(&self, hello: &Hello, asked: Asked) -> Result<Said, Status> {
        Ok(match asked {
            Asked::Batch(batch) => Said::Ack(self.commit(hello, batch)?),
            Asked::Skip(skip) => Said::Ack(self.skip(hello, skip)?),
            Asked::Heartbeat(heartbeat) => {
                let mut log = self.log.lock().unwrap();
                log.heartbeats += 1;
                let server_time_us = log.clock.now().0;
                Said::Heartbeat(HeartbeatEcho { client_time_us: heartbeat.client_time_us, server_time_us })
            }
            Asked::Hello(_) => return Err(Status::invalid_argument("hello twice")),
        })
    }

    async fn talk(
        self,
        hello: Hello,
        fault: Option<Fault>,
        mut asked: Streaming<StreamFactsRequest>,
        said: mpsc::Sender<Result<StreamFactsResponse, Status>>,
    ) {
        let mut heard = 0;
        while let Ok(Some(message)) = asked.message().await {
            let broken = Status::unavailable("broken");
            match fault {
                Some(Fault::Drop(after)) if heard >= after => {
                    let _ = said.send(Err(broken)).await;
                    return;
                }
                Some(Fault::End(after)) if heard >= after => return,
                Some(Fault::Fail(after, code)) if heard >= after => {
                    let _ = said.send(Err(Status::new(code, "as the test wants"))).await;
                    return;
                }
                _ => {}
            }
            let answer = self.hear(&hello, message.message.unwrap());
            self.heard.send_modify(|count| *count += 1);
            if matches!(fault, Some(Fault::LoseAck(after)) if heard >= after) {
                let _ = said.send(Err(broken)).await;
                return;
            }
            let failed = answer.is_err();
            let answer = answer.map(|message| StreamFactsResponse { message: Some(message) });
            if said.send(answer).await.is_err() || failed {
                return;
            }
            heard += 1;
        }
    }
}

type Answers = Pin<Box<dyn Stream<Item = Result<StreamFactsResponse, Status>> + Send>>;

#[tonic::async_trait]
impl IngestService for Fake {
    type StreamFactsStream = Answers;
    type ImportContactsStream =
        Pin<Box<dyn Stream<Item = Result<v1::ImportContactsResponse, Status>> + Send>>;
    type ImportTicketsStream = Pin<Box<dyn Stream<Item = Result<v1::ImportTicketsResponse, Status>> + Send>>;

    async fn stream_facts(
        &self,
        request: Request<Streaming<StreamFactsRequest>>,
    ) -> Result<Response<Answers>, Status> {
        authorized(&request)?;
        let mut asked = request.into_inner();
        let Some(StreamFactsRequest { message: Some(Asked::Hello(hello)) }) = asked.message().await? else {
            return Err(Status::invalid_argument("hello first"));
        };
        let fault = self.log.lock().unwrap().faults.pop_front();
        if let Some(Fault::Refuse(code)) = fault {
            self.heard.send_modify(|count| *count += 1);
            return Err(Status::new(code, "as the test wants"));
        }
        let (said, answers) = mpsc::channel(16);
        let welcome = StreamFactsResponse { message: Some(Said::Welcome(self.welcome(&hello))) };
        said.send(Ok(welcome)).await.unwrap();
        self.heard.send_modify(|count| *count += 1);
        tokio::spawn(self.clone().talk(hello, fault, asked, said));
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn submit_facts(
        &self,
        request: Request<v1::SubmitFactsRequest>,
    ) -> Result<Response<v1::SubmitFactsResponse>, Status> {
        authorized(&request)?;
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

/// A source's settings for a server and a spool.
pub fn config(endpoint: &str, spool: &std::path::Path, source: &str) -> SourceConfig {
    SourceConfig {
        durability: SpoolDurability::ProcessCrash,
        ..SourceConfig::new(endpoint, Token::new("token"), SiteId::new("site").unwrap(), source, spool)
            .unwrap()
    }
}

/// A fact that says which one it is.
pub fn fact(n: usize) -> Fact {
    Fact::Agent(v1::AgentFact {
        agent: format!("{n}"),
        action: Some(v1::agent_fact::Action::Ready(v1::Nothing {})),
    })
}

/// The facts `0..count`, as the server names them.
pub fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{n}")).collect()
}

pub fn local() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn authorized<T>(request: &Request<T>) -> Result<(), Status> {
    match request.metadata().get("authorization") {
        Some(token) if token == "Bearer token" => Ok(()),
        _ => Err(Status::unauthenticated("no such token")),
    }
}
