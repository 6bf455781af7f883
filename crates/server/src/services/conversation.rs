//! One lasting connection of a source: facts in, grouped acknowledgements out.
//!
//! ```text
//! messages ─▶ read: hand in, in order ─▶ [batches in flight] ─▶ answer: wait in order, group ─▶ acks
//! ```
//!
//! The reader waits when the log's queue is full or too many batches are on their way, so backpressure reaches the
//! client. Not for what a fact means: that is the engine's.
//!
//! Invariant: whatever ends the stream, everything durable before it is acknowledged first.

use futures_util::{FutureExt, StreamExt};
use pegcount_domain::time::Micros;
use pegcount_engine::{
    FactBatch, PendingAck, SourceAck, SourceHello, SourceSession, SourceWelcome, options::BATCH_FACTS_MAX,
};
use pegcount_proto::v1::{self, stream_facts_request::Message, stream_facts_response::Message as Answer};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use super::{Room, first_word};
use crate::{access::Caller, fields, options::BATCHES_IN_FLIGHT_MAX, status};

/// Where answers go.
type Outbox = mpsc::Sender<Result<v1::StreamFactsResponse, Status>>;

/// What the reader hands to the answerer, in order.
enum Step {
    /// Something is on its way to the disk.
    Pending(PendingAck),
    /// The stream ends with this, once all before it is answered.
    End(Status),
}

/// One connection.
pub(super) struct Conversation {
    pub(super) room: Room,
    pub(super) caller: Caller,
    pub(super) inbound: Streaming<v1::StreamFactsRequest>,
    pub(super) outbox: Outbox,
}

impl Conversation {
    /// Runs until the client has gone or is refused.
    pub(super) async fn run(mut self) {
        let session = match self.open().await {
            Ok(session) => session,
            Err(refusal) => {
                // The client may have gone already.
                let _ = self.outbox.send(Err(refusal)).await;
                return;
            }
        };
        let (steps, pending) = mpsc::channel(BATCHES_IN_FLIGHT_MAX);
        // Cancelled when nobody is left to answer to.
        let ended = CancellationToken::new();
        let outbox = self.outbox.clone();
        let answering = async {
            answer(pending, outbox).await;
            ended.cancel();
        };
        tokio::join!(self.read(&session, steps, &ended), answering);
        tracing::debug!("the fact stream has ended");
    }

    /// Hello and welcome.
    async fn open(&mut self) -> Result<SourceSession, Status> {
        let hello = first_word::hello(&self.room, &mut self.inbound, |request| match request.message? {
            Message::Hello(hello) => Some(hello),
            _ => None,
        });
        let hello = hello.await?;
        let client_time_us = hello.client_time_us;
        let hello = source_hello(&self.caller, hello)?;
        let (session, welcome) = self.room.engine.open_source(hello).map_err(status::of)?;
        tracing::debug!(last_committed_seq = welcome.last_committed_seq, "a source is connected");
        let answer = Answer::Welcome(welcome_message(&welcome, client_time_us, self.room.engine.lease()));
        say(&self.outbox, answer).await;
        Ok(session)
    }

    /// Takes messages in order until one is wrong, the client has said all, or the stream must end.
    async fn read(self, session: &SourceSession, steps: mpsc::Sender<Step>, ended: &CancellationToken) {
        let Self { room, caller, mut inbound, outbox } = self;
        let must_end = async {
            tokio::select! {
                () = ended.cancelled() => None,
                () = outbox.closed() => None,
                () = room.closing.cancelled() => Some(status::shutting_down()),
                fenced = session.fenced() => Some(status::of(fenced)),
                () = caller.expired() => Some(status::token_expired()),
            }
        };
        let mut must_end = std::pin::pin!(must_end);
        let end = loop {
            let message = tokio::select! {
                biased;
                end = &mut must_end => break end,
                message = inbound.message() => message,
            };
            let taken = match message {
                Ok(Some(request)) => take(session, &outbox, request).await,
                Ok(None) => break None,
                Err(refusal) => Err(status::of_transport(refusal)),
            };
            match taken {
                Ok(Some(pending)) => {
                    if steps.send(Step::Pending(pending)).await.is_err() {
                        break None;
                    }
                }
                Ok(None) => {}
                Err(refusal) => break Some(refusal),
            }
        };
        if let Some(end) = end {
            // The answerer is gone only when the client is.
            let _ = steps.send(Step::End(end)).await;
        }
    }
}

/// Hands one message in.
async fn take(
    session: &SourceSession,
    outbox: &Outbox,
    request: v1::StreamFactsRequest,
) -> Result<Option<PendingAck>, Status> {
    match request.message {
        Some(Message::Batch(batch)) => session.submit(fact_batch(batch)).await.map(Some).map_err(status::of),
        Some(Message::Skip(skip)) => {
            session.skip(skip.from_seq, skip.to_seq, &skip.reason).await.map(Some).map_err(status::of)
        }
        Some(Message::Heartbeat(heartbeat)) => {
            let server_time = session.heartbeat().map_err(status::of)?;
            let echo =
                v1::HeartbeatEcho { client_time_us: heartbeat.client_time_us, server_time_us: server_time.0 };
            say(outbox, Answer::Heartbeat(echo)).await;
            Ok(None)
        }
        Some(Message::Hello(_)) => Err(status::invalid("hello", "was said before; say it once, first")),
        None => Err(status::invalid("message", "is empty or of a newer contract; send one that is known")),
    }
}

/// Waits while the client takes its answers slowly; a client that has gone hears nothing.
async fn say(outbox: &Outbox, answer: Answer) {
    let _ = outbox.send(Ok(v1::StreamFactsResponse { message: Some(answer) })).await;
}

/// Waits for what is on its way, in order, and answers for as much at once as is durable.
async fn answer(pending: mpsc::Receiver<Step>, outbox: Outbox) {
    let durable = ReceiverStream::new(pending).map(|step| async {
        match step {
            Step::Pending(pending) => pending.durable().await.map_err(status::of),
            Step::End(refusal) => Err(refusal),
        }
    });
    let mut durable = std::pin::pin!(durable.buffered(BATCHES_IN_FLIGHT_MAX));
    while let Some(first) = durable.next().await {
        let mut group = Group::default();
        let mut next = Some(first);
        let refusal = loop {
            match next {
                Some(Ok(done)) => group.add(done),
                Some(Err(refusal)) => break Some(refusal),
                None => break None,
            }
            next = durable.next().now_or_never().flatten();
        };
        if let Some(ack) = group.0 {
            tracing::debug!(position = ack.position, last_seq = ack.last_committed_seq, "durable");
            let answer = v1::StreamFactsResponse { message: Some(Answer::Ack(ack)) };
            if outbox.send(Ok(answer)).await.is_err() {
                return;
            }
        }
        if let Some(refusal) = refusal {
            let _ = outbox.send(Err(refusal)).await;
            return;
        }
    }
}

/// Acknowledgements put together: the last one's seq and position, everybody's refusals and repeats.
#[derive(Default)]
struct Group(Option<v1::Ack>);

impl Group {
    fn add(&mut self, done: SourceAck) {
        let next = ack_message(done);
        match &mut self.0 {
            None => self.0 = Some(next),
            Some(ack) => {
                ack.last_committed_seq = next.last_committed_seq;
                ack.position = next.position;
                ack.refusals.extend(next.refusals);
                ack.repeats = ack.repeats.saturating_add(next.repeats);
            }
        }
    }
}

/// Several batches' answers as one.
pub(super) fn grouped(all: impl IntoIterator<Item = SourceAck>) -> Option<v1::Ack> {
    let mut group = Group::default();
    all.into_iter().for_each(|done| group.add(done));
    group.0
}

fn ack_message(done: SourceAck) -> v1::Ack {
    let refusals = done.refusals.into_iter().map(|refusal| v1::Refusal {
        seq: refusal.seq,
        field: refusal.error.field,
        reason: refusal.error.reason,
    });
    v1::Ack {
        last_committed_seq: done.last_committed_seq,
        position: done.position.0,
        refusals: refusals.collect(),
        repeats: u32::try_from(done.repeats).unwrap_or(u32::MAX),
    }
}

pub(super) fn fact_batch(batch: v1::FactBatch) -> FactBatch {
    FactBatch { facts: batch.facts, clock_offset: batch.clock_offset_us.map(Micros) }
}

/// Who says hello, for which site, about whom.
fn source_hello(caller: &Caller, hello: v1::Hello) -> Result<SourceHello, Status> {
    let source = hello.source.ok_or_else(|| status::invalid("hello.source", "is missing; it is required"))?;
    let boot = fields::name("hello.boot", &hello.boot)?;
    let agent = fields::optional("hello.agent", &hello.agent)?.map(pegcount_domain::ids::AgentId);
    if let Some(agent) = &agent {
        caller.about_agent(agent)?;
    }
    Ok(SourceHello {
        incarnation: fields::incarnation("hello.incarnation", &hello.incarnation)?,
        boot: boot.as_str().to_owned(),
        // As in SubmitFacts: who tells no time is trusted as it is, not taken for 1970.
        client_time: (hello.client_time_us != 0).then_some(Micros(hello.client_time_us)),
        agent,
        ..unary_hello(caller, &source, &IN_HELLO)?
    })
}

/// Where a message names its source.
pub(super) struct SourceFields {
    site: &'static str,
    source: &'static str,
    epoch: &'static str,
}

const IN_HELLO: SourceFields =
    SourceFields { site: "hello.source.site", source: "hello.source.source", epoch: "hello.source.epoch" };
pub(super) const IN_CALL: SourceFields =
    SourceFields { site: "source.site", source: "source.source", epoch: "source.epoch" };

/// What a source says that keeps no lasting connection.
pub(super) fn unary_hello(
    caller: &Caller,
    source: &v1::Source,
    fields: &SourceFields,
) -> Result<SourceHello, Status> {
    Ok(SourceHello {
        site: caller.site(fields.site, &source.site)?,
        source: pegcount_domain::ids::SourceId(fields::name(fields.source, &source.source)?),
        epoch: fields::epoch(fields.epoch, &source.epoch)?,
        incarnation: None,
        boot: String::new(),
        client_time: None,
        agent: None,
        actor: caller.actor().clone(),
        only_agent: caller.own_agent().cloned(),
    })
}

fn welcome_message(welcome: &SourceWelcome, client_time_us: i64, lease: Micros) -> v1::Welcome {
    v1::Welcome {
        incarnation: super::incarnation_bytes(welcome.incarnation),
        last_committed_seq: welcome.last_committed_seq,
        server_time_us: welcome.server_time.0,
        client_time_us,
        lease_us: lease.0,
        batch_facts_max: u32::try_from(BATCH_FACTS_MAX).unwrap_or(u32::MAX),
        incarnation_changed: welcome.incarnation_changed,
    }
}
