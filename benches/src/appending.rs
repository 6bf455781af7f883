//! Appends straight to a log, in process: facts become events as the engine makes them, and several submitters keep
//! some unacknowledged.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use futures_util::future::try_join_all;
use pegcount_domain::{
    envelope::StreamName,
    ids::{Epoch, Name},
    time::Micros,
};
use pegcount_log::{Append, EventLog, NewEvent, PendingAppend, SledLog, SourceBatch};
use pegcount_proto::{check_fact, encode, v1::Fact};
use smallvec::SmallVec;

use crate::{
    Outcome,
    single::AGENTS,
    streaming::{Rate, WINDOW_BATCHES},
    workload::Calls,
    writer::Writer,
};

/// Events in one append: what one streamed batch carries.
pub const APPEND_EVENTS: usize = 256;

/// The facts of one source as one append.
pub fn append(source: &Name, epoch: Epoch, facts: &[Fact]) -> Outcome<Append> {
    let first_seq = facts.first().map_or(1, |fact| fact.seq);
    Ok(Append {
        source: source.clone(),
        batch: Some(SourceBatch { epoch, first_seq }),
        skip_to: None,
        expected: SmallVec::new(),
        events: facts.iter().map(event).collect::<Outcome<_>>()?,
    })
}

fn event(fact: &Fact) -> Outcome<NewEvent> {
    let checked = check_fact(fact.fact.as_ref())?;
    let encoded = encode(&checked.event);
    let time = Micros(fact.source_time_us);
    Ok(NewEvent {
        stream: StreamName { site: Name::new("bench")?, kind: checked.kind, id: checked.id },
        event_type: encoded.event_type,
        schema_version: encoded.schema_version,
        occurred_at: time,
        source_time: time,
        actor: Name::new("softphone gateway")?,
        on_behalf_of: None,
        command_id: None,
        correlation: None,
        causation: None,
        names: encoded.names,
        payload: encoded.payload,
    })
}

/// Each submitter hands in its appends, one after the other, and keeps as many unacknowledged ones as a stream does.
pub async fn run(log: &Arc<SledLog>, work: Vec<Vec<Append>>) -> Outcome<Rate> {
    let started = Instant::now();
    let tasks = work.into_iter().map(|appends| {
        let log = Arc::clone(log);
        tokio::spawn(async move {
            let mut events = 0;
            let mut pending = VecDeque::<PendingAppend>::new();
            for append in appends {
                if pending.len() == WINDOW_BATCHES
                    && let Some(oldest) = pending.pop_front()
                {
                    events += oldest.await?.written;
                }
                pending.push_back(log.submit(append).await?);
            }
            for rest in pending {
                events += rest.await?.written;
            }
            Outcome::Ok(events)
        })
    });
    let mut facts = 0;
    for events in try_join_all(tasks).await? {
        facts += u64::try_from(events?)?;
    }
    Ok(Rate { facts, seconds: started.elapsed().as_secs_f64() })
}

/// One source that appends in process and waits for each acknowledgement.
pub struct InProcess {
    log: Arc<SledLog>,
    source: Name,
    calls: Calls,
}

impl InProcess {
    /// `count` sources of one log.
    pub fn sources(log: &Arc<SledLog>, count: usize) -> Outcome<Vec<Self>> {
        let source = |number| {
            let source = Name::new(&format!("single-{number}"))?;
            Ok(Self { log: Arc::clone(log), source, calls: Calls::new(number, AGENTS) })
        };
        (0..count).map(source).collect()
    }
}

impl Writer for InProcess {
    async fn write(&mut self, count: usize) -> Outcome<()> {
        let append = append(&self.source, Epoch(1), &self.calls.batch(count))?;
        self.log.append(append).await?;
        Ok(())
    }
}
