//! Facts come in: checked one by one, callers exchanged for surrogates, handed to the log in the source's order.
//!
//! Not for rules: whether a fact was expected is for the folds to say. Invariant: every seq of a batch becomes exactly
//! one event, a malformed fact one in quarantine, so the counter stays dense.

use std::sync::Arc;

use pegcount_domain::{
    envelope::{Position, StreamKind, StreamName},
    event::Event,
    ids::{CustomerId, NAME_BYTES_MAX, Name, SiteId},
    time::Micros,
};
use pegcount_log::{Append, NewEvent, PendingAppend, SourceBatch};
use pegcount_proto::{CheckedFact, FactError, encode, v1};
use prost::Message;
use smallvec::SmallVec;

use crate::{
    engine::Engine,
    error::EngineError,
    options::{BATCH_FACTS_MAX, EARLIEST, LIVE_AGE_MAX},
    source::SourceSession,
};

/// Facts of one source, dense and ascending by seq.
#[derive(Clone, Debug)]
pub struct FactBatch {
    /// The facts.
    pub facts: Vec<v1::Fact>,
    /// Server clock minus source clock, if the source has measured it.
    pub clock_offset: Option<Micros>,
}

/// One malformed fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its seq.
    pub seq: u64,
    /// What is wrong with it.
    pub error: FactError,
}

/// A batch that was handed in.
pub struct PendingAck {
    pending: PendingAppend,
    refusals: Vec<Refusal>,
}

/// A batch is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceAck {
    /// Every seq up to this is durable.
    pub last_committed_seq: u64,
    /// The position of its last event.
    pub position: Position,
    /// Malformed facts, kept in quarantine.
    pub refusals: Vec<Refusal>,
    /// Facts that had been stored before.
    pub repeats: usize,
}

impl PendingAck {
    /// Waits until the batch is durable, or refused as a whole.
    pub async fn durable(self) -> Result<SourceAck, EngineError> {
        let done = self.pending.await?;
        Ok(SourceAck {
            last_committed_seq: done.last_seq.unwrap_or_default(),
            position: done.last,
            refusals: self.refusals,
            repeats: done.repeats,
        })
    }
}

impl SourceSession {
    /// Hands a batch in; batches of one session are decided in the order of these calls. Waits while the log's
    /// queue is full.
    ///
    /// Errors: [`EngineError::Fenced`], [`EngineError::Invalid`] (seqs that are not dense, too many facts), and the
    /// log's refusals: a gap, a repeat with other content, poison.
    pub async fn submit(&self, batch: FactBatch) -> Result<PendingAck, EngineError> {
        self.check_fence()?;
        self.alive();
        let first_seq = check_seqs(&batch.facts)?;
        let offset = batch.clock_offset.unwrap_or(self.offset);

        let mut refusals = Vec::new();
        let mut callers = Vec::new();
        let mut events = Vec::with_capacity(batch.facts.len());
        for fact in batch.facts {
            let seq = fact.seq;
            let source_time = Micros(fact.source_time_us);
            let checked = self.check(&fact, source_time.plus(offset));
            let index = events.len();
            let (stream, event) = match checked {
                Ok(checked) => {
                    if let Some(caller) = checked.caller {
                        callers.push((index, caller));
                    }
                    (self.stream(checked.kind, checked.id), checked.event)
                }
                Err(error) => {
                    let event = refused(&error, self.engine.vault.digest(&fact.encode_to_vec()));
                    refusals.push(Refusal { seq, error });
                    (self.stream(StreamKind::Quarantine, self.hello.source.0.clone()), event)
                }
            };
            events.push((stream, event, source_time.plus(offset), source_time));
        }
        for (index, customer) in self.engine.name_customers(&self.hello.site, callers).await? {
            if let Some((_, event, ..)) = events.get_mut(index) {
                set_customer(event, customer);
            }
        }

        metrics::counter!("pegcount_facts_total").increment(u64::try_from(events.len()).unwrap_or(u64::MAX));
        let events = events
            .into_iter()
            .map(|(stream, event, at, raw)| self.new_event(stream, &event, at, raw))
            .collect();
        let pending = self.engine.log.submit(self.append(first_seq, None, events)).await?;
        Ok(PendingAck { pending, refusals })
    }

    /// Records that the source has lost the seqs `from..=to`.
    pub async fn skip(&self, from: u64, to: u64, reason: &str) -> Result<PendingAck, EngineError> {
        self.check_fence()?;
        self.alive();
        if from == 0 || to < from {
            return Err(EngineError::invalid(
                "skip",
                format!("goes from {from} to {to}; give first and last, from 1"),
            ));
        }
        let reason =
            Name::new(reason).map_err(|error| EngineError::invalid("skip.reason", error.to_string()))?;
        let now = self.engine.clock.now();
        let event = Event::Skipped { from_seq: from, to_seq: to, reason };
        let stream = self.stream(StreamKind::Quarantine, self.hello.source.0.clone());
        let events = vec![self.new_event(stream, &event, now, now)];
        let pending = self.engine.log.submit(self.append(from, Some(to), events)).await?;
        Ok(PendingAck { pending, refusals: Vec::new() })
    }

    /// A sign of life; also the answer to a clock measurement: the server's clock.
    pub fn heartbeat(&self) -> Result<Micros, EngineError> {
        self.check_fence()?;
        self.alive();
        Ok(self.engine.clock.now())
    }

    fn check_fence(&self) -> Result<(), EngineError> {
        if self.fence.holds() {
            Ok(())
        } else {
            Err(EngineError::Fenced { origin: self.hello.source.0.clone() })
        }
    }

    fn check(&self, fact: &v1::Fact, corrected: Micros) -> Result<CheckedFact, FactError> {
        let earliest = self.engine.clock.now().minus(LIVE_AGE_MAX).max(EARLIEST);
        if corrected < earliest {
            let reason = format!(
                "is {} us, which is over {} days ago; set the device's clock, or import old history",
                fact.source_time_us,
                LIVE_AGE_MAX.0 / (24 * Micros::HOUR.0)
            );
            return Err(FactError { field: "source_time_us".to_owned(), reason });
        }
        pegcount_proto::check_fact(fact.fact.as_ref()).and_then(|checked| self.check_agent(checked))
    }

    /// A session for one agent takes facts about that agent only.
    fn check_agent(&self, checked: CheckedFact) -> Result<CheckedFact, FactError> {
        match &self.hello.only_agent {
            Some(agent) if checked.kind != StreamKind::Agent || checked.id != agent.0 => Err(FactError {
                field: "fact".to_owned(),
                reason: format!(
                    "is about {} {}; this token speaks for agent {agent} only",
                    checked.kind.word(),
                    checked.id
                ),
            }),
            _ => Ok(checked),
        }
    }

    fn stream(&self, kind: StreamKind, id: Name) -> StreamName {
        StreamName { site: self.hello.site.0.clone(), kind, id }
    }

    fn new_event(&self, stream: StreamName, event: &Event, at: Micros, raw: Micros) -> NewEvent {
        new_event(stream, event, at, raw, self.hello.actor.clone())
    }

    fn append(&self, first_seq: u64, skip_to: Option<u64>, events: Vec<NewEvent>) -> Append {
        Append {
            source: self.hello.source.0.clone(),
            batch: Some(SourceBatch { epoch: self.hello.epoch, first_seq }),
            skip_to,
            expected: SmallVec::new(),
            events,
        }
    }
}

/// An event ready for the log.
pub(crate) fn new_event(
    stream: StreamName,
    event: &Event,
    occurred_at: Micros,
    source_time: Micros,
    actor: Name,
) -> NewEvent {
    let encoded = encode(event);
    NewEvent {
        stream,
        event_type: encoded.event_type,
        schema_version: encoded.schema_version,
        occurred_at,
        source_time,
        actor,
        on_behalf_of: None,
        command_id: None,
        correlation: None,
        causation: None,
        names: encoded.names,
        payload: encoded.payload,
    }
}

/// Seqs must begin at 1 or later and go up by one.
fn check_seqs(facts: &[v1::Fact]) -> Result<u64, EngineError> {
    if facts.len() > BATCH_FACTS_MAX {
        let reason = format!("holds {} facts; the limit is {BATCH_FACTS_MAX}: send it in parts", facts.len());
        return Err(EngineError::invalid("batch.facts", reason));
    }
    let first = facts.first().map_or(0, |fact| fact.seq);
    if first == 0 {
        return Err(EngineError::invalid(
            "batch.facts",
            "begins with no fact or with seq 0; seqs count from 1",
        ));
    }
    let mut expected = first;
    for fact in facts {
        if fact.seq != expected {
            let reason = format!("has seq {} where {expected} comes next; order them, one by one", fact.seq);
            return Err(EngineError::invalid("batch.facts", reason));
        }
        expected = expected.saturating_add(1);
    }
    Ok(first)
}

fn refused(error: &FactError, digest: [u8; 16]) -> Event {
    Event::Refused { field: clipped(&error.field), reason: clipped(&error.reason), digest }
}

/// A text as a name: cut to the limit at a character's border, control characters made visible.
pub(crate) fn clipped(text: &str) -> Name {
    let mut clean: String = text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
    while clean.len() > NAME_BYTES_MAX {
        clean.pop();
    }
    Name::new(&clean).unwrap_or(Name::fixed("?"))
}

pub(crate) fn set_customer(event: &mut Event, surrogate: CustomerId) {
    if let Event::ContactStarted { customer, .. } | Event::ContactIdentified { customer, .. } = event {
        *customer = Some(surrogate);
    }
}

impl Engine {
    /// Exchanges plain callers for surrogates, each durable before this returns; the vault's disk is waited for off
    /// the runtime's workers. Gives each surrogate with the index that came with its caller.
    pub(crate) async fn name_customers(
        &self,
        site: &SiteId,
        mut callers: Vec<(usize, String)>,
    ) -> Result<Vec<(usize, CustomerId)>, EngineError> {
        callers.retain(|(_, caller)| !caller.trim().is_empty());
        if callers.is_empty() {
            return Ok(Vec::new());
        }
        let (vault, site) = (Arc::clone(&self.vault), site.clone());
        let named = tokio::task::spawn_blocking(move || {
            let plain: Vec<&str> = callers.iter().map(|(_, caller)| caller.as_str()).collect();
            let surrogates = vault.surrogates(&site, &plain)?;
            Ok(callers.iter().map(|(index, _)| *index).zip(surrogates).collect())
        });
        named.await.unwrap_or_else(|panic| {
            Err(EngineError::Precondition(format!("the vault failed ({panic}); see the log of this program")))
        })
    }

    /// Exchanges one caller.
    pub(crate) async fn name_customer(
        &self,
        site: &SiteId,
        caller: String,
    ) -> Result<Option<CustomerId>, EngineError> {
        Ok(self.name_customers(site, vec![(0, caller)]).await?.pop().map(|(_, customer)| customer))
    }
}
