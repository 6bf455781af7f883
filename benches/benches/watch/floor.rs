//! The floor: agents who sign in and then take calls, facts interleaved and paced, and when each batch was acknowledged.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use pegcount_benches::{
    Outcome,
    workload::{QUEUES, call, sign_in},
};
use pegcount_proto::v1::{
    self, Fact, fact, ingest_service_client::IngestServiceClient, stream_facts_request::Message,
    stream_facts_response,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Streaming, metadata::MetadataValue, transport::Endpoint};

use crate::server::Process;

/// Facts of one batch while the floor is at work: an exchange sends often and little.
const BATCH_FACTS: usize = 20;
const FILL_FACTS: usize = 250;

/// A batch that became durable.
pub(crate) struct Batch {
    pub(crate) position: u64,
    pub(crate) at: Instant,
    pub(crate) facts: usize,
    /// Whose figures it changes: numbers of agents and of queues.
    pub(crate) agents: Vec<usize>,
    pub(crate) queues: Vec<usize>,
}

pub(crate) struct Floor {
    send: mpsc::Sender<v1::StreamFactsRequest>,
    answers: Streaming<v1::StreamFactsResponse>,
    /// What is still to come of each agent's call, and of which queue it is.
    agents: Vec<(VecDeque<fact::Fact>, usize)>,
    calls: u64,
    seq: u64,
    now_us: i64,
    random: StdRng,
}

pub(crate) fn agent_name(number: usize) -> String {
    format!("agent-{number:05}")
}

impl Floor {
    pub(crate) async fn open(server: &Process, agents: usize) -> Outcome<Self> {
        let channel = Endpoint::new(server.endpoint.clone())?.connect().await?;
        let (send, receive) = mpsc::channel(64);
        let hello = v1::Hello {
            source: Some(v1::Source {
                site: "bench".to_owned(),
                source: "exchange".to_owned(),
                epoch: uuid::Uuid::new_v4().as_bytes().to_vec().into(),
            }),
            boot: "bench".to_owned(),
            client_time_us: pegcount_clock::system_now().0,
            ..Default::default()
        };
        send.send(v1::StreamFactsRequest { message: Some(Message::Hello(hello)) }).await?;
        let mut request = Request::new(ReceiverStream::new(receive));
        let bearer: MetadataValue<_> = format!("Bearer {}", server.token).parse()?;
        request.metadata_mut().insert("authorization", bearer);
        let answers = IngestServiceClient::new(channel).stream_facts(request).await?.into_inner();
        let agents = (0..agents).map(|agent| (sign_in(&agent_name(agent)).into(), 0)).collect();
        let random = StdRng::seed_from_u64(11);
        Ok(Self { send, answers, agents, calls: 0, seq: 0, now_us: 0, random })
    }

    /// Everybody signs in.
    pub(crate) async fn fill(&mut self) -> Outcome<()> {
        let mut first: Vec<fact::Fact> =
            self.agents.iter_mut().flat_map(|(steps, _)| steps.drain(..)).collect();
        while !first.is_empty() {
            let rest = first.split_off(first.len().min(FILL_FACTS));
            let facts = first.into_iter().map(|fact| self.stamped(fact)).collect();
            self.hand_in(facts).await?;
            self.acknowledged().await?;
            first = rest;
        }
        Ok(())
    }

    /// Works for a while, by the clock; what was acknowledged, and when.
    pub(crate) async fn run(&mut self, rate: u64, length: Duration) -> Outcome<Vec<Batch>> {
        #[allow(clippy::cast_precision_loss, reason = "a batch's size is small")]
        let pause = Duration::from_secs_f64(BATCH_FACTS as f64 / rate.max(1) as f64);
        let started = tokio::time::Instant::now();
        let mut due = started;
        let (mut open, mut done) = (VecDeque::new(), Vec::new());
        while due < started + length || !open.is_empty() {
            tokio::select! {
                biased;
                answer = self.acknowledged() => {
                    let (position, seq) = answer?;
                    let at = Instant::now();
                    while let Some((_, batch)) = open.pop_front_if(|(last, _): &mut (u64, Batch)| *last <= seq) {
                        done.push(Batch { position, at, ..batch });
                    }
                }
                () = tokio::time::sleep_until(due), if due < started + length => {
                    due += pause;
                    let (facts, batch) = self.batch();
                    self.hand_in(facts).await?;
                    open.push_back((self.seq, batch));
                }
            }
        }
        Ok(done)
    }

    fn batch(&mut self) -> (Vec<Fact>, Batch) {
        let mut batch = Batch {
            position: 0,
            at: Instant::now(),
            facts: BATCH_FACTS,
            agents: Vec::new(),
            queues: Vec::new(),
        };
        let mut facts = Vec::with_capacity(BATCH_FACTS);
        for _ in 0..BATCH_FACTS {
            let number = self.random.random_range(0..self.agents.len());
            let (fact, queue) = self.next_of(number);
            let is_own = matches!(fact, fact::Fact::Agent(_));
            // A step of a leg changes its agent's figures; what the caller does, those of the queue.
            if is_own {
                batch.agents.push(number);
            } else {
                batch.queues.push(queue);
            }
            facts.push(self.stamped(fact));
        }
        (facts, batch)
    }

    fn next_of(&mut self, number: usize) -> (fact::Fact, usize) {
        loop {
            let Some((steps, queue)) = self.agents.get_mut(number) else { continue };
            if let Some(fact) = steps.pop_front() {
                return (fact, *queue);
            }
            self.calls += 1;
            *queue = self.random.random_range(0..QUEUES.len());
            let name = QUEUES.get(*queue).copied().unwrap_or_default();
            *steps = call(&format!("call-{}", self.calls), &agent_name(number), name).into();
        }
    }

    fn stamped(&mut self, fact: fact::Fact) -> Fact {
        self.seq += 1;
        self.now_us = pegcount_clock::system_now().0.max(self.now_us + 1);
        Fact { seq: self.seq, source_time_us: self.now_us, fact: Some(fact) }
    }

    async fn hand_in(&mut self, facts: Vec<Fact>) -> Outcome<()> {
        let batch = v1::FactBatch { facts, clock_offset_us: Some(0) };
        Ok(self.send.send(v1::StreamFactsRequest { message: Some(Message::Batch(batch)) }).await?)
    }

    /// The next acknowledgement: the position, and the last seq that is durable.
    async fn acknowledged(&mut self) -> Outcome<(u64, u64)> {
        loop {
            let answer = self.answers.message().await?.ok_or("the stream has ended")?;
            if let Some(stream_facts_response::Message::Ack(ack)) = answer.message {
                if let Some(refusal) = ack.refusals.first() {
                    return Err(format!("a fact was refused: {} {}", refusal.field, refusal.reason).into());
                }
                return Ok((ack.position, ack.last_committed_seq));
            }
        }
    }
}
