//! One connection of a named consumer: batches out, confirms in.
//!
//! Batches wait for the client, and the log for nobody: a slow consumer reads history at its own pace. Not for what is
//! kept of it: that is the log's.
//!
//! Invariant: nothing is confirmed that the client has not said.

use pegcount_domain::{envelope::Position, ids::Incarnation};
use pegcount_engine::LogConsumer;
use pegcount_log::{Confirmer, ConsumerHello, ConsumerName, Found};
use pegcount_proto::v1::{self, consume_request::Message, consume_response::Message as Answer};
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use super::{Room, first_word, incarnation_bytes, log_filter::filter, log_message::messages};
use crate::{access::Caller, fields, status};

/// Where answers go.
type Outbox = mpsc::Sender<Result<v1::ConsumeResponse, Status>>;

/// One connection.
pub(super) struct Consumption {
    pub(super) room: Room,
    pub(super) caller: Caller,
    pub(super) inbound: Streaming<v1::ConsumeRequest>,
    pub(super) outbox: Outbox,
}

impl Consumption {
    /// Runs until the client has gone or said all, or is refused.
    pub(super) async fn run(mut self) {
        let end = match self.open().await {
            Ok(consumer) => self.go_on(consumer).await,
            Err(refusal) => Some(refusal),
        };
        if let Some(end) = end {
            // The client may have gone already.
            let _ = self.outbox.send(Err(end)).await;
        }
        tracing::debug!("the consumer's connection has ended");
    }

    /// Hello and welcome.
    async fn open(&mut self) -> Result<LogConsumer, Status> {
        let hello = first_word::hello(&self.room, &mut self.inbound, |request| match request.message? {
            Message::Hello(hello) => Some(hello),
            Message::Confirm(_) => None,
        });
        let hello = hello.await?;
        let known = fields::incarnation("hello.incarnation", &hello.incarnation)?;
        let hello = consumer_hello(&self.caller, hello)?;
        let name = hello.name.clone();
        let engine = &self.room.engine;
        let consumer = engine.consume(hello).await.map_err(status::of)?;
        tracing::debug!(consumer = %name, begun_after = consumer.begun_after().0, "a consumer is connected");
        let welcome = welcome(&consumer, known, engine.incarnation(), engine.end());
        say(&self.outbox, Answer::Welcome(welcome)).await;
        Ok(consumer)
    }

    /// Gives and takes until one of them must end; with a status if the client is to be told why.
    async fn go_on(&mut self, mut consumer: LogConsumer) -> Option<Status> {
        let confirmer = consumer.confirmer();
        let Self { room, caller, inbound, outbox } = self;
        tokio::select! {
            biased;
            () = room.closing.cancelled() => Some(status::shutting_down()),
            () = caller.expired() => Some(status::token_expired()),
            () = outbox.closed() => None,
            end = confirms(inbound, &confirmer) => end,
            end = batches(room, &mut consumer, &confirmer, outbox) => end,
        }
    }
}

/// Takes confirms until the client has said all, or one is wrong.
async fn confirms(inbound: &mut Streaming<v1::ConsumeRequest>, confirmer: &Confirmer) -> Option<Status> {
    loop {
        let message = match inbound.message().await {
            Ok(request) => request?.message,
            Err(refusal) => return Some(status::of_transport(refusal)),
        };
        let taken = match message {
            Some(Message::Confirm(confirm)) => {
                confirmer.confirm(Position(confirm.position)).map_err(|error| status::of(error.into()))
            }
            Some(Message::Hello(_)) => Err(status::invalid("hello", "was said before; say it once, first")),
            None => {
                Err(status::invalid("message", "is empty or of a newer contract; send one that is known"))
            }
        };
        if let Err(refusal) = taken {
            return Some(refusal);
        }
    }
}

/// Gives batches until the consumer may not go on.
async fn batches(
    room: &Room,
    consumer: &mut LogConsumer,
    confirmer: &Confirmer,
    outbox: &Outbox,
) -> Option<Status> {
    loop {
        let batch = match consumer.next().await? {
            Ok((events, last)) => messages(&events).map(|events| {
                let end = room.engine.end();
                v1::ConsumerBatch {
                    events,
                    last_position: last.0,
                    events_behind: confirmer.behind(end),
                    end_position: end.0,
                }
            }),
            Err(error) => Err(status::of(error)),
        };
        match batch {
            Ok(batch) => say(outbox, Answer::Batch(batch)).await,
            Err(refusal) => return Some(refusal),
        }
    }
}

/// Waits while the client takes its answers slowly; a client that has gone hears nothing.
async fn say(outbox: &Outbox, answer: Answer) {
    let _ = outbox.send(Ok(v1::ConsumeResponse { message: Some(answer) })).await;
}

/// Who says hello, and what it wants of what it may see.
fn consumer_hello(caller: &Caller, hello: v1::ConsumerHello) -> Result<ConsumerHello, Status> {
    let name = fields::name("hello.name", &hello.name)?;
    let filter = filter(caller, &hello.filter.unwrap_or_default())?;
    Ok(ConsumerHello {
        name: ConsumerName { site: filter.site.clone(), name },
        owner: caller.actor().clone(),
        start: (hello.from_position != 0).then_some(Position(hello.from_position)),
        filter,
    })
}

fn welcome(
    consumer: &LogConsumer,
    known: Option<Incarnation>,
    incarnation: Incarnation,
    end: Position,
) -> v1::ConsumerWelcome {
    let found = consumer.found();
    v1::ConsumerWelcome {
        incarnation: incarnation_bytes(incarnation),
        confirmed_position: consumer.begun_after().0,
        created: found == Found::New,
        incarnation_changed: found == Found::Restored || known.is_some_and(|known| known != incarnation),
        end_position: end.0,
    }
}
