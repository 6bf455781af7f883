//! The log service: pages, a subscription from any position, named consumers, where the log stands.
//!
//! A subscriber pulls: one that lags reads history at its own pace, and nobody waits for it.
//!
//! Invariant: a resume token says the incarnation and the last position given; it goes on after that.

use std::{pin::Pin, sync::Arc};

use futures_util::{Stream, StreamExt};
use pegcount_domain::{envelope::Position, ids::Incarnation};
use pegcount_engine::{Engine, EngineError, ReadEvent, Retention, options::LOG_PAGE_EVENTS_MAX};
use pegcount_log::{LogError, ReadQuery};
use pegcount_proto::v1;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};
use tracing::Instrument;

use super::{
    Answers, Room, consume::Consumption, incarnation_bytes, log_filter::filter, log_message::messages, page,
};
use crate::{
    access::{Action, Caller},
    options::CONSUMER_BATCHES_QUEUED_MAX,
    status, wire,
};

/// Events in a page if the caller does not say.
const PAGE_EVENTS_DEFAULT: usize = 1_000;
/// After so many positions with nothing for the subscriber it gets an empty answer, so that its token moves on.
const PROGRESS_POSITIONS: u64 = 10_000;
/// An incarnation and a position.
const TOKEN_BYTES: usize = 16 + 8;

#[tonic::async_trait]
impl v1::log_service_server::LogService for Room {
    type SubscribeLogStream = Answers<v1::SubscribeLogResponse>;
    type ConsumeStream = Answers<v1::ConsumeResponse>;
    type ReadFramesStream = Answers<v1::ReadFramesResponse>;

    async fn read_log(
        &self,
        request: Request<v1::ReadLogRequest>,
    ) -> Result<Response<v1::ReadLogResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadLog)?;
        let request = request.into_inner();
        let filter = filter(&caller, &request.filter.unwrap_or_default())?;
        let limit = page::size(request.limit, PAGE_EVENTS_DEFAULT, LOG_PAGE_EVENTS_MAX);
        let query = match (request.backward, request.from_position) {
            (false, from) => ReadQuery::forward(Position(from), limit),
            (true, 0) => ReadQuery::backward(self.engine.end(), limit),
            (true, from) => ReadQuery::backward(Position(from), limit),
        };
        let page = self.engine.read_log_page(&query.of(filter)).await.map_err(status::of)?;
        Ok(Response::new(v1::ReadLogResponse { events: messages(&page.events)?, next_position: page.next.0 }))
    }

    async fn subscribe_log(
        &self,
        request: Request<v1::SubscribeLogRequest>,
    ) -> Result<Response<Self::SubscribeLogStream>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadLog)?;
        let request = request.into_inner();
        let filter = filter(&caller, &request.filter.unwrap_or_default())?;
        let from = if request.resume_token.is_empty() {
            match request.from_position {
                0 => self.engine.end().next(),
                position => Position(position),
            }
        } else {
            resumed(&request.resume_token, self.engine.incarnation())?
        };
        within(&self.engine, from)?;
        let subscription = Subscription {
            frames: Box::pin(self.engine.subscribe_log(from, filter)),
            room: self.clone(),
            caller,
            told: Position(from.0.saturating_sub(1)),
            over: false,
        };
        Ok(Response::new(Box::pin(futures_util::stream::unfold(subscription, Subscription::next))))
    }

    async fn consume(
        &self,
        request: Request<Streaming<v1::ConsumeRequest>>,
    ) -> Result<Response<Self::ConsumeStream>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadLog)?;
        let (outbox, answers) = mpsc::channel(CONSUMER_BATCHES_QUEUED_MAX);
        let consumption = Consumption { room: self.clone(), caller, inbound: request.into_inner(), outbox };
        tokio::spawn(consumption.run().in_current_span());
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn list_consumers(
        &self,
        request: Request<v1::ListConsumersRequest>,
    ) -> Result<Response<v1::ListConsumersResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadLog)?;
        Ok(Response::new(v1::ListConsumersResponse { consumers: self.consumers_of(&caller)? }))
    }

    async fn delete_consumer(
        &self,
        request: Request<v1::DeleteConsumerRequest>,
    ) -> Result<Response<v1::DeleteConsumerResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadLog)?;
        self.forget_consumer(&caller, request.into_inner()).await?;
        Ok(Response::new(v1::DeleteConsumerResponse {}))
    }

    async fn read_frames(
        &self,
        request: Request<v1::ReadFramesRequest>,
    ) -> Result<Response<Self::ReadFramesStream>, Status> {
        let caller = self.access.admit(request.metadata(), Action::BackUpLog)?;
        if let Some(site) = caller.only_site() {
            let message = format!("a backup holds all sites; the token is good for {site} only");
            return Err(status::denied("SITE", message));
        }
        let request = request.into_inner();
        if request.incarnation != incarnation_bytes(self.engine.incarnation()) {
            let message = "the log of this server is another one, or was restored since".to_owned();
            return Err(status::precondition("INCARNATION", "incarnation", message));
        }
        let from = Position(request.from_position.max(1));
        within(&self.engine, from)?;
        let frames = self.engine.encoded_frames(from).map(|frame| match frame {
            Ok(frame) => Ok(v1::ReadFramesResponse { frame: frame.into() }),
            Err(error) => Err(status::of(error)),
        });
        let room = self.clone();
        let ended = async move { room.closing.cancelled().await };
        Ok(Response::new(Box::pin(frames.take_until(ended))))
    }

    async fn drop_history(
        &self,
        request: Request<v1::DropHistoryRequest>,
    ) -> Result<Response<v1::DropHistoryResponse>, Status> {
        let caller = self.access.admit(request.metadata(), Action::DropHistory)?;
        if let Some(site) = caller.only_site() {
            let message = format!("history goes at all sites; the token is good for {site} only");
            return Err(status::denied("SITE", message));
        }
        let request = request.into_inner();
        let retention = Retention {
            age: (request.keep_days > 0).then(|| Retention::days(request.keep_days)),
            bytes: (request.keep_bytes > 0).then_some(request.keep_bytes),
        };
        if retention == Retention::default() {
            return Err(status::invalid(
                "keep_days",
                "is missing, and so is keep_bytes; say what is to be kept",
            ));
        }
        let engine = Arc::clone(&self.engine);
        // Goes on though nobody waits any more: half of it done is nothing gone and an archive too many.
        let done = tokio::spawn(async move { engine.retain(retention, request.only_tell).await }).await;
        let done = done.map_err(|error| Status::internal(error.to_string()))?.map_err(status::of)?;
        Ok(Response::new(wire::dropped(&done)))
    }

    async fn get_log_status(
        &self,
        request: Request<v1::GetLogStatusRequest>,
    ) -> Result<Response<v1::LogStatus>, Status> {
        let caller = self.access.admit(request.metadata(), Action::ReadLog)?;
        let (log, folded) = self.engine.log_status();
        let (consumers, consumers_damage) = match self.consumers_of(&caller) {
            Ok(consumers) => (consumers, String::new()),
            Err(refusal) => (Vec::new(), refusal.message().to_owned()),
        };
        Ok(Response::new(v1::LogStatus {
            end_position: log.end.0,
            incarnation: incarnation_bytes(log.incarnation),
            folded_position: folded.0,
            disk_bytes: log.disk_bytes,
            first_position: log.first.0,
            archive_positions: log.archives.iter().map(|position| position.0).collect(),
            consumers,
            consumers_damage,
        }))
    }
}

type Frames = Pin<Box<dyn Stream<Item = Result<(Vec<ReadEvent>, Position), EngineError>> + Send>>;

/// One subscriber.
struct Subscription {
    frames: Frames,
    room: Room,
    caller: Caller,
    /// The position of the token that it got last.
    told: Position,
    over: bool,
}

impl Subscription {
    async fn next(mut self) -> Option<(Result<v1::SubscribeLogResponse, Status>, Self)> {
        while !self.over {
            let frame = tokio::select! {
                biased;
                () = self.room.closing.cancelled() => Err(status::shutting_down()),
                () = self.caller.expired() => Err(status::token_expired()),
                frame = self.frames.next() => frame?.map_err(status::of),
            };
            let answer = match frame {
                Ok((events, reached)) => {
                    if events.is_empty() && reached.0.saturating_sub(self.told.0) < PROGRESS_POSITIONS {
                        continue;
                    }
                    self.told = reached;
                    self.answer(&events, reached)
                }
                Err(refusal) => Err(refusal),
            };
            self.over = answer.is_err();
            return Some((answer, self));
        }
        None
    }

    fn answer(&self, events: &[ReadEvent], reached: Position) -> Result<v1::SubscribeLogResponse, Status> {
        Ok(v1::SubscribeLogResponse {
            events: messages(events)?,
            resume_token: token(self.room.engine.incarnation(), reached),
            end_position: self.room.engine.end().0,
        })
    }
}

fn token(incarnation: Incarnation, reached: Position) -> bytes::Bytes {
    let mut token = Vec::with_capacity(TOKEN_BYTES);
    token.extend_from_slice(&incarnation.0.to_be_bytes());
    token.extend_from_slice(&reached.0.to_be_bytes());
    token.into()
}

/// The position after the one that a token says.
fn resumed(token: &[u8], incarnation: Incarnation) -> Result<Position, Status> {
    let malformed = || {
        let reason = format!("has {} bytes; give one from an earlier answer, as it was", token.len());
        status::invalid("resume_token", reason)
    };
    let (known, reached) = token.split_first_chunk::<16>().ok_or_else(malformed)?;
    let reached: [u8; 8] = reached.try_into().map_err(|_| malformed())?;
    if u128::from_be_bytes(*known) != incarnation.0 {
        let message = "the resume token is of another incarnation of this log, which was restored since: subscribe from a position";
        return Err(status::precondition("INCARNATION", "resume_token", message.to_owned()));
    }
    Ok(Position(u64::from_be_bytes(reached).saturating_add(1)))
}

/// Positions up to the end plus one can be asked for.
fn within(engine: &Engine, from: Position) -> Result<(), Status> {
    let next = engine.end().next();
    if from > next {
        return Err(status::of(EngineError::Log(LogError::OutOfRange { asked: from, next })));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[test]
    fn a_token_goes_on_after_the_position_that_it_says_and_only_in_its_incarnation() {
        let token = token(Incarnation(9), Position(41));
        assert_eq!(resumed(&token, Incarnation(9)).unwrap(), Position(42));
        assert_eq!(resumed(&token, Incarnation(8)).unwrap_err().code(), Code::FailedPrecondition);
        assert_eq!(resumed(b"short", Incarnation(9)).unwrap_err().code(), Code::InvalidArgument);
    }
}
