//! A real server over a real engine in a temporary folder, and clients with tokens.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use pegcount_clock::Clock;
use pegcount_domain::{
    ids::{AgentId, Name, SiteId},
    time::Micros,
};
use pegcount_engine::{Engine, EngineOptions, LogStore};
use pegcount_log::Durability;
use pegcount_proto::v1::{self, stream_facts_request::Message, stream_facts_response::Message as Answer};
use pegcount_server::{Principal, Role, Running, ServerOptions, Sites, start, tokens};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Request, Status, Streaming,
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

/// 2026-03-02 08:00 UTC.
pub const MORNING: Micros = Micros(1_772_438_400_000_000);

/// A server that listens, and all that belongs to it.
pub struct Desk {
    pub engine: Arc<Engine>,
    pub running: Option<Running>,
    pub addr: SocketAddr,
    pub clock: Clock,
    pub dir: tempfile::TempDir,
}

pub fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

pub async fn engine_in(dir: PathBuf, clock: Clock) -> Arc<Engine> {
    engine_sealing_at(128 << 20, dir, clock).await
}

async fn engine_sealing_at(seal_bytes: u64, dir: PathBuf, clock: Clock) -> Arc<Engine> {
    let options = EngineOptions {
        store: LogStore::Folder {
            dir: dir.clone(),
            durability: Durability::ProcessCrash,
            cache_bytes: 8 << 20,
            seal_bytes,
        },
        clock,
        ..EngineOptions::folder(dir)
    };
    Engine::open(options).await.unwrap()
}

/// A server on a clock that stands at [`MORNING`].
pub async fn desk() -> Desk {
    desk_with(|_| {}).await
}

pub async fn desk_with(change: impl FnOnce(&mut ServerOptions)) -> Desk {
    desk_of(128 << 20, change).await
}

/// One whose log is sealed every so many bytes.
pub async fn desk_sealing_at(seal_bytes: u64) -> Desk {
    desk_of(seal_bytes, |_| {}).await
}

async fn desk_of(seal_bytes: u64, change: impl FnOnce(&mut ServerOptions)) -> Desk {
    let dir = tempfile::tempdir().unwrap();
    let clock = Clock::manual(MORNING);
    let engine = engine_sealing_at(seal_bytes, dir.path().to_owned(), clock.clone()).await;
    let mut options = ServerOptions::new(loopback(), dir.path());
    change(&mut options);
    let running = start(Arc::clone(&engine), options).await.unwrap();
    Desk { engine, addr: running.addr, running: Some(running), clock, dir }
}

/// Puts a token on every call.
#[derive(Clone)]
pub struct Bearer(pub Option<String>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        Ok(request)
    }
}

pub type Line = InterceptedService<Channel, Bearer>;

impl Desk {
    pub fn token(&self, role: Role, site: &str, agent: Option<&str>) -> String {
        let sites = if site == "*" { Sites::All } else { Sites::One(SiteId::new(site).unwrap()) };
        let agent = agent.map(|agent| AgentId::new(agent).unwrap());
        let name = Name::new(&format!("{role} of the test")).unwrap();
        let principal = Principal::new(name, role, sites, agent).unwrap();
        tokens::mint(self.dir.path(), &principal, Duration::from_mins(10)).unwrap()
    }

    pub async fn line(&self, token: Option<String>) -> (Channel, Bearer) {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.addr)).unwrap();
        (endpoint.connect().await.unwrap(), Bearer(token))
    }

    /// A line with a token of `role` at the site `north`.
    pub async fn line_of(&self, role: Role) -> (Channel, Bearer) {
        let agent = (role == Role::Agent).then_some("7");
        self.line(Some(self.token(role, "north", agent))).await
    }

    pub async fn ingest(&self, role: Role) -> v1::ingest_service_client::IngestServiceClient<Line> {
        let (channel, bearer) = self.line_of(role).await;
        v1::ingest_service_client::IngestServiceClient::with_interceptor(channel, bearer)
    }

    pub async fn shut_down(&mut self) -> Result<(), pegcount_server::ServeError> {
        self.running.take().unwrap().shutdown().await
    }
}

pub fn uuid(last: u8) -> bytes::Bytes {
    let mut uuid = [0x5a; 16];
    uuid[15] = last;
    bytes::Bytes::copy_from_slice(&uuid)
}

pub fn source(name: &str) -> v1::Source {
    v1::Source { site: "north".into(), source: name.into(), epoch: uuid(1) }
}

pub fn agent_fact(seq: u64, at: Micros, agent: &str, action: v1::agent_fact::Action) -> v1::Fact {
    let fact = v1::AgentFact { agent: agent.into(), action: Some(action) };
    v1::Fact { seq, source_time_us: at.0, fact: Some(v1::fact::Fact::Agent(fact)) }
}

pub fn contact_fact(seq: u64, at: Micros, contact: &str, action: v1::contact_fact::Action) -> v1::Fact {
    let fact = v1::ContactFact { contact: contact.into(), action: Some(action) };
    v1::Fact { seq, source_time_us: at.0, fact: Some(v1::fact::Fact::Contact(fact)) }
}

pub fn signed_in(seq: u64, at: Micros, agent: &str) -> v1::Fact {
    agent_fact(seq, at, agent, v1::agent_fact::Action::SignedIn(v1::Nothing {}))
}

pub fn ready(seq: u64, at: Micros, agent: &str) -> v1::Fact {
    agent_fact(seq, at, agent, v1::agent_fact::Action::Ready(v1::Nothing {}))
}

/// A call that entered `sales` at `at` and was abandoned 12 s later.
pub fn abandoned_call(seq: u64, at: Micros, contact: &str) -> Vec<v1::Fact> {
    use v1::contact_fact::Action;
    let started = v1::ContactStarted { channel: 1, direction: 1, ..Default::default() };
    let entered = v1::QueueEntered { visit: "1".into(), queue: "sales".into(), priority: 0 };
    let left = v1::QueueLeft { visit: "1".into(), exit: 2, ringing: false };
    let over = at.plus(Micros::from_secs(12));
    vec![
        contact_fact(seq, at, contact, Action::Started(started)),
        contact_fact(seq + 1, at, contact, Action::QueueEntered(entered)),
        contact_fact(seq + 2, over, contact, Action::QueueLeft(left)),
        contact_fact(seq + 3, over, contact, Action::Ended(v1::ContactEnded::default())),
    ]
}

pub fn batch(facts: Vec<v1::Fact>) -> v1::FactBatch {
    v1::FactBatch { facts, clock_offset_us: None }
}

pub fn submit(name: &str, facts: Vec<v1::Fact>) -> v1::SubmitFactsRequest {
    v1::SubmitFactsRequest {
        source: Some(source(name)),
        batch: Some(batch(facts)),
        client_time_us: 0,
        skip: None,
    }
}

pub fn hello(name: &str) -> v1::Hello {
    v1::Hello {
        source: Some(source(name)),
        boot: "boot 1".into(),
        client_time_us: MORNING.0,
        ..Default::default()
    }
}

/// A fact stream that is open.
pub struct Wire {
    say: Option<mpsc::Sender<v1::StreamFactsRequest>>,
    answers: Streaming<v1::StreamFactsResponse>,
}

impl Wire {
    pub async fn open(client: &mut v1::ingest_service_client::IngestServiceClient<Line>) -> Self {
        let (say, said) = mpsc::channel(16);
        let answers = client.stream_facts(ReceiverStream::new(said)).await.unwrap().into_inner();
        Self { say: Some(say), answers }
    }

    /// Opens, says hello and hears the welcome.
    pub async fn connect(
        client: &mut v1::ingest_service_client::IngestServiceClient<Line>,
        hello: v1::Hello,
    ) -> (Self, v1::Welcome) {
        let mut wire = Self::open(client).await;
        wire.say(Message::Hello(hello)).await;
        match wire.hear().await.unwrap() {
            Answer::Welcome(welcome) => (wire, welcome),
            other => panic!("instead of a welcome: {other:?}"),
        }
    }

    pub async fn say(&self, message: Message) {
        let request = v1::StreamFactsRequest { message: Some(message) };
        self.say.as_ref().unwrap().send(request).await.unwrap();
    }

    /// Says that all is said.
    pub fn finish(&mut self) {
        self.say = None;
    }

    pub async fn hear(&mut self) -> Result<Answer, Status> {
        let answer = self.answers.message().await?.expect("the stream has ended");
        Ok(answer.message.unwrap())
    }

    /// The next answer; none at the end.
    pub async fn next(&mut self) -> Result<Option<Answer>, Status> {
        Ok(self.answers.message().await?.and_then(|answer| answer.message))
    }

    /// Acks until `seq` is durable: all refusals and the last position.
    pub async fn acked(&mut self, seq: u64) -> Result<(Vec<v1::Refusal>, u64), Status> {
        let mut refusals = Vec::new();
        loop {
            if let Answer::Ack(ack) = self.hear().await? {
                refusals.extend(ack.refusals);
                if ack.last_committed_seq >= seq {
                    return Ok((refusals, ack.position));
                }
            }
        }
    }

    /// What the stream ends with; acks before it are passed over.
    pub async fn end(&mut self) -> Option<Status> {
        loop {
            match self.answers.message().await {
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(status) => return Some(status),
            }
        }
    }
}
