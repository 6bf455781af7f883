//! One connection after its welcome (`handshake`): facts and heartbeats out, acknowledgements in.
//!
//! Invariant: facts go out in the order of their seqs, each connection beginning after what its welcome says is
//! durable; so the server never sees a gap that it was not told of.

use std::{collections::VecDeque, time::Duration};

use pegcount_domain::{
    envelope::{Position, SourceSeq},
    time::Micros,
};
use pegcount_proto::v1::{
    self, Ack, FactBatch, Heartbeat, Skip, StreamFactsRequest, StreamFactsResponse,
    stream_facts_request::Message as Request, stream_facts_response::Message as Response,
};
use prost::Message;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};
use tonic::Streaming;

use super::{Link, verdict::Verdict};
use crate::{
    limits::{ANSWER_WAIT_MAX, CLOSE_WAIT_MAX, IN_FLIGHT_BATCHES_MAX, REFUSALS_KEPT_MAX},
    source::Shared,
    spool::{Limits, Next, SpoolError},
    status::Refused,
};

/// One connection, welcomed.
pub(super) struct Session<'a> {
    pub(super) link: &'a mut Link,
    pub(super) requests: mpsc::Sender<StreamFactsRequest>,
    pub(super) answers: Streaming<StreamFactsResponse>,
    /// The highest seq sent on this connection.
    pub(super) sent: u64,
    /// The last seq of each batch that is not acknowledged.
    pub(super) in_flight: VecDeque<u64>,
    /// When the oldest of them went out, or the last acknowledgement came; real time.
    pub(super) waiting_since: Instant,
    pub(super) batch_facts: usize,
    pub(super) heartbeat_every: Micros,
    pub(super) heartbeat_due: Micros,
}

/// What a connection waits for.
enum Happening {
    Closing,
    Answer(Result<Option<StreamFactsResponse>, tonic::Status>),
    Room,
    Recorded,
    HeartbeatDue,
    Silence,
}

impl Link {
    /// Connects and talks until something ends it.
    pub(super) async fn session(&mut self) -> Verdict {
        let closing = self.shared.closing.clone();
        let opened = tokio::select! {
            opened = timeout(ANSWER_WAIT_MAX, self.open()) => opened,
            () = closing.cancelled() => return Verdict::Closed,
        };
        match opened {
            Ok(Ok(session)) => session.talk().await,
            Ok(Err(verdict)) => verdict,
            Err(_) => Verdict::again("the server does not answer"),
        }
    }
}

impl Session<'_> {
    async fn talk(mut self) -> Verdict {
        loop {
            let ended = match self.happening().await {
                Happening::Closing => return self.finish().await,
                Happening::Answer(answer) => self.answered(answer),
                Happening::Room => self.send_next(),
                Happening::Recorded => Ok(()),
                Happening::HeartbeatDue => {
                    self.heartbeat();
                    Ok(())
                }
                Happening::Silence => Err(Verdict::again("the server does not acknowledge")),
            };
            if let Err(verdict) = ended {
                return verdict;
            }
        }
    }

    async fn happening(&mut self) -> Happening {
        let shared = &self.link.shared;
        let room = self.in_flight.len() < IN_FLIGHT_BATCHES_MAX;
        let sends = room && self.sent + 1 < shared.spool.lock().next_seq();
        tokio::select! {
            () = shared.closing.cancelled() => Happening::Closing,
            answer = self.answers.message() => Happening::Answer(answer),
            // Should the call be over, the next answer says why.
            Ok(_) = self.requests.reserve(), if sends => Happening::Room,
            () = shared.recorded.notified(), if !sends => Happening::Recorded,
            () = shared.clock.sleep_until(self.heartbeat_due) => Happening::HeartbeatDue,
            () = tokio::time::sleep_until(self.waiting_since + ANSWER_WAIT_MAX), if !self.in_flight.is_empty() => {
                Happening::Silence
            }
        }
    }

    /// Sends what the spool has next; there is room for one message.
    fn send_next(&mut self) -> Result<(), Verdict> {
        let limits = Limits { facts: self.batch_facts, bytes: self.link.batch_bytes };
        let Some((message, last)) = next_message(self.shared(), self.sent, limits)? else { return Ok(()) };
        self.link.last_batch_bytes = message.encoded_len();
        if self.requests.try_send(StreamFactsRequest { message: Some(message) }).is_ok() {
            if self.in_flight.is_empty() {
                self.waiting_since = Instant::now();
            }
            self.in_flight.push_back(last);
            self.sent = last;
            self.link.sent_ever = self.link.sent_ever.max(last);
        }
        Ok(())
    }

    fn shared(&self) -> &Shared {
        &self.link.shared
    }

    fn heartbeat(&mut self) {
        let now = self.shared().clock.now();
        self.heartbeat_due = now.plus(self.heartbeat_every);
        // A full channel means that facts are on their way, which are signs of life as well.
        let heartbeat = Heartbeat { client_time_us: now.0 };
        let _ = self.requests.try_send(StreamFactsRequest { message: Some(Request::Heartbeat(heartbeat)) });
    }

    fn answered(
        &mut self,
        answer: Result<Option<StreamFactsResponse>, tonic::Status>,
    ) -> Result<(), Verdict> {
        match answer.map_err(|status| Verdict::of(&status))?.map(|answer| answer.message) {
            None => Err(Verdict::again("the server ended the stream")),
            Some(Some(Response::Ack(ack))) => self.acknowledged(ack),
            Some(Some(Response::Heartbeat(echo))) => self
                .link
                .measured(Micros(echo.client_time_us), Micros(echo.server_time_us))
                .map_err(|error| spool_trouble(&error)),
            Some(Some(Response::Welcome(_))) => Err(Verdict::again("the server welcomed us twice")),
            // A kind of message that a newer server may send.
            Some(None) => Ok(()),
        }
    }

    fn acknowledged(&mut self, ack: Ack) -> Result<(), Verdict> {
        while self.in_flight.front().is_some_and(|last| *last <= ack.last_committed_seq) {
            self.in_flight.pop_front();
        }
        self.waiting_since = Instant::now();
        let mut spool = self.shared().spool.lock();
        spool.acknowledge(ack.last_committed_seq).map_err(|error| spool_trouble(&error))?;
        let epoch = spool.epoch();
        let (acknowledged, pending) = (SourceSeq { epoch, seq: spool.acknowledged() }, spool.pending());
        drop(spool);
        for refusal in &ack.refusals {
            let v1::Refusal { seq, field, reason } = refusal;
            tracing::warn!(source = %self.shared().source.0, seq, field, reason, "the server refused a fact");
        }
        self.shared().status.send_modify(|status| {
            status.acknowledged = Some(acknowledged);
            status.position = status.position.max(Position(ack.position));
            status.pending = pending;
            status.refused += u64::try_from(ack.refusals.len()).unwrap_or_default();
            let refusals = ack.refusals.into_iter().map(|refusal| Refused {
                seq: SourceSeq { epoch, seq: refusal.seq },
                field: refusal.field,
                reason: refusal.reason,
            });
            status.refusals.extend(refusals);
            let surplus = status.refusals.len().saturating_sub(REFUSALS_KEPT_MAX);
            status.refusals.drain(..surplus);
        });
        Ok(())
    }

    /// Says no more, and takes in what is still acknowledged.
    async fn finish(mut self) -> Verdict {
        let (nothing, _) = mpsc::channel(1);
        drop(std::mem::replace(&mut self.requests, nothing));
        let deadline = Instant::now() + CLOSE_WAIT_MAX;
        while let Some(left) =
            deadline.checked_duration_since(Instant::now()).filter(|left| *left > Duration::ZERO)
        {
            let Ok(answer) = timeout(left, self.answers.message()).await else { break };
            if self.answered(answer).is_err() {
                break;
            }
        }
        Verdict::Closed
    }
}

/// The message after `sent`, and the last seq that it settles.
fn next_message(shared: &Shared, sent: u64, limits: Limits) -> Result<Option<(Request, u64)>, Verdict> {
    let mut spool = shared.spool.lock();
    let from = sent + 1;
    let next = spool.read(from, limits).map_err(|error| spool_trouble(&error))?;
    Ok(match next {
        None => None,
        Some(Next::Gap { to, reason }) => {
            tracing::warn!(source = %shared.source.0, from, to, reason, "facts are lost");
            shared.status.send_modify(|status| status.skipped += to + 1 - from);
            Some((Request::Skip(Skip { from_seq: from, to_seq: to, reason }), to))
        }
        Some(Next::Facts { boot, facts }) => {
            let last = sent + u64::try_from(facts.len()).unwrap_or_default();
            // What passed its CRC decodes: it is what we wrote. An empty fact would be refused by the server.
            let decoded = facts.iter().map(|fact| v1::Fact::decode(&fact[..]).unwrap_or_default());
            let batch = FactBatch { facts: decoded.collect(), clock_offset_us: spool.offset_us(boot) };
            Some((Request::Batch(batch), last))
        }
    })
}

pub(super) fn spool_trouble(error: &SpoolError) -> Verdict {
    tracing::error!(%error, "the spool fails");
    Verdict::again(format!("the spool fails: {error}"))
}
