//! How a connection begins: hello, welcome, and what the welcome means for the spool and the clock.
//!
//! Invariant: a connection sends on from what its own welcome says is durable, whatever earlier ones said.

use std::collections::VecDeque;

use pegcount_domain::{envelope::SourceSeq, time::Micros};
use pegcount_proto::v1::{
    self, Hello, StreamFactsRequest, StreamFactsResponse, Welcome, stream_facts_request::Message as Request,
    stream_facts_response::Message as Response,
};
use tokio::{sync::mpsc, time::Instant};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

use super::{
    Link,
    session::{Session, spool_trouble},
    verdict::Verdict,
};
use crate::{limits::BATCH_FACTS_MAX, spool::SpoolError, status::Connection};

impl Link {
    /// Says hello and waits for the welcome.
    pub(super) async fn open(&mut self) -> Result<Session<'_>, Verdict> {
        let (requests, outgoing) = mpsc::channel(4);
        let hello = self.hello();
        // The channel is empty and its other end is here.
        let _ = requests.try_send(StreamFactsRequest { message: Some(Request::Hello(hello)) });
        let mut client = self.shared.client.clone();
        let answered = client.stream_facts(ReceiverStream::new(outgoing)).await;
        let mut answers = answered.map_err(|status| self.refused(&status))?.into_inner();
        let first = answers.message().await.map_err(|status| self.refused(&status))?;
        let Some(StreamFactsResponse { message: Some(Response::Welcome(welcome)) }) = first else {
            return Err(Verdict::again("the server did not begin with a welcome"));
        };
        let Some(sent) = self.welcomed(&welcome).map_err(|error| spool_trouble(&error))? else {
            return Err(Verdict::again("the spool had lost its last facts; goes on under a new epoch"));
        };
        let now = self.shared.clock.now();
        let batch_facts = usize::try_from(welcome.batch_facts_max).unwrap_or(BATCH_FACTS_MAX);
        Ok(Session {
            link: self,
            requests,
            answers,
            sent,
            in_flight: VecDeque::new(),
            waiting_since: Instant::now(),
            batch_facts: batch_facts.clamp(1, BATCH_FACTS_MAX),
            heartbeat_every: Micros((welcome.lease_us / 3).max(1)),
            // At once: the handshake's round trip holds the time of connecting, this one's does not.
            heartbeat_due: now,
        })
    }

    fn hello(&self) -> Hello {
        let shared = &self.shared;
        let spool = shared.spool.lock();
        Hello {
            source: Some(v1::Source {
                site: shared.site.to_string(),
                source: shared.source.0.to_string(),
                epoch: spool.epoch().0.to_be_bytes().to_vec().into(),
            }),
            incarnation: if self.offer_incarnation { spool.incarnation().to_vec() } else { Vec::new() }
                .into(),
            boot: spool.boot().text(),
            client_time_us: shared.clock.now().0,
            agent: shared.agent.as_ref().map(ToString::to_string).unwrap_or_default(),
        }
    }

    /// Refused before the welcome. If it was for the incarnation, the next hello does without it: then the server
    /// tells its own, and what the spool still has is offered again.
    fn refused(&mut self, status: &tonic::Status) -> Verdict {
        if status.code() == Code::FailedPrecondition {
            self.offer_incarnation = false;
        }
        Verdict::of(status)
    }

    /// Takes the welcome in; says from where to send on. None: the source goes on under a new epoch, and this
    /// connection speaks for the old one.
    fn welcomed(&mut self, welcome: &Welcome) -> Result<Option<u64>, SpoolError> {
        let mut spool = self.shared.spool.lock();
        spool.set_incarnation(&welcome.incarnation)?;
        self.offer_incarnation = true;
        if spool.welcomed(welcome.last_committed_seq, self.sent_ever)? {
            self.sent_ever = 0;
            return Ok(None);
        }
        let acknowledged = SourceSeq { epoch: spool.epoch(), seq: spool.acknowledged() };
        let (recorded, pending) = (spool.recorded(), spool.pending());
        drop(spool);
        self.measured(Micros(welcome.client_time_us), Micros(welcome.server_time_us))?;
        self.shared.status.send_modify(|status| {
            status.connection = Connection::Connected;
            status.connections += 1;
            status.acknowledged = Some(acknowledged);
            (status.recorded, status.pending) = (recorded, pending);
        });
        Ok(Some(welcome.last_committed_seq))
    }

    /// Takes a measurement of the clock in.
    pub(super) fn measured(&mut self, asked: Micros, server: Micros) -> Result<(), SpoolError> {
        self.offsets.measured(asked, server, self.shared.clock.now());
        let (offset, round_trip) = (self.offsets.offset(), self.offsets.round_trip());
        if let Some(offset) = offset {
            self.shared.spool.lock().set_offset(offset)?;
        }
        self.shared.status.send_if_modified(|status| {
            let changed = status.clock_offset != offset;
            (status.clock_offset, status.round_trip) = (offset, round_trip);
            changed
        });
        Ok(())
    }
}
