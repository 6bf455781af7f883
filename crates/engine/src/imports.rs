//! Whole records of other systems, each one contact with all its facts, idempotent by the record's own key.
//!
//! Invariant: a record becomes one stream; its first n facts are the stream's first n events that are no corrections.
//! A second import adds nothing; a record that grew is appended from where it stood.

use std::sync::Arc;

use pegcount_domain::{
    envelope::{StreamKind, StreamName, Version},
    event::Event,
    ids::{ContactId, Name, SiteId, SourceId},
    time::Micros,
};
use pegcount_log::{Append, AppendError, Expected, PendingAppend};
use smallvec::smallvec;

use crate::{
    engine::Engine,
    error::EngineError,
    ingest::{new_event, set_customer},
    options::{EARLIEST, RECORD_FACTS_MAX},
};

/// One record of another system.
#[derive(Clone, Debug)]
pub struct ImportRecord {
    /// The record's own key.
    pub contact: ContactId,
    /// The customer's number, plain.
    pub caller: Option<String>,
    /// What happened, and when, in the record's order.
    pub facts: Vec<(Micros, Event)>,
}

/// What became of the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// New ones.
    pub added: u64,
    /// Those that were there already, whole.
    pub present: u64,
    /// Those that had grown.
    pub grown: u64,
    /// Events appended.
    pub events: u64,
    /// Those that were refused, with reasons.
    pub refusals: Vec<(ContactId, String)>,
}

/// A record on its way: what it will count as once it is durable.
enum Step {
    Present,
    Refused(String),
    Pending { pending: PendingAppend, events: usize, grew: bool },
}

impl Engine {
    /// Imports `records`; returns when they are durable. Errors: the log's and the vault's; a record that is wrong in
    /// itself is a refusal among the counts.
    pub async fn import(
        self: &Arc<Self>,
        site: &SiteId,
        source: &SourceId,
        actor: &Name,
        records: Vec<ImportRecord>,
    ) -> Result<Imported, EngineError> {
        let records = self.with_customers(site, records).await?;
        // Where a record stands is told by its stream's version less its corrections, which the boards count.
        self.caught_up(self.log.end()).await?;
        let mut steps = Vec::with_capacity(records.len());
        for record in records {
            let contact = record.contact.clone();
            steps.push((contact, self.import_one(site, source, actor, record).await?));
        }
        let mut done = Imported::default();
        for (contact, step) in steps {
            match step {
                Step::Present => done.present += 1,
                Step::Refused(reason) => done.refusals.push((contact, reason)),
                Step::Pending { pending, events, grew } => match pending.await {
                    Ok(_) => {
                        done.events += u64::try_from(events).unwrap_or(u64::MAX);
                        done.added += u64::from(!grew);
                        done.grown += u64::from(grew);
                    }
                    // Twice in one request, or two importers at once: the other one brought it in.
                    Err(AppendError::WrongVersion { actual, .. }) if actual.0 > 0 => done.present += 1,
                    Err(error) => return Err(error.into()),
                },
            }
        }
        Ok(done)
    }

    async fn import_one(
        &self,
        site: &SiteId,
        source: &SourceId,
        actor: &Name,
        record: ImportRecord,
    ) -> Result<Step, EngineError> {
        if let Some(reason) = unfit(&record) {
            return Ok(Step::Refused(reason));
        }
        let stream = StreamName { site: site.0.clone(), kind: StreamKind::Contact, id: record.contact.0 };
        let known = self.log.version(&stream)?;
        let contact = ContactId(stream.id.clone());
        let corrections = {
            let boards = self.boards.state().read();
            boards.site(site).map_or(0, |board| board.contacts.corrections_of(&contact))
        };
        let there = usize::try_from(known.0.saturating_sub(corrections)).unwrap_or(usize::MAX);
        if there >= record.facts.len() {
            return Ok(Step::Present);
        }
        let expected = if known == Version(0) { Expected::NoStream } else { Expected::Version(known) };
        let events: Vec<_> = record
            .facts
            .iter()
            .skip(there)
            .map(|(at, event)| new_event(stream.clone(), event, *at, *at, actor.clone()))
            .collect();
        let count = events.len();
        let append = Append {
            source: source.0.clone(),
            batch: None,
            skip_to: None,
            expected: smallvec![(stream, expected)],
            events,
        };
        let pending = self.log.submit(append).await?;
        Ok(Step::Pending { pending, events: count, grew: there > 0 })
    }

    /// Puts surrogates where callers were.
    async fn with_customers(
        &self,
        site: &SiteId,
        mut records: Vec<ImportRecord>,
    ) -> Result<Vec<ImportRecord>, EngineError> {
        let callers: Vec<(usize, String)> = records
            .iter_mut()
            .enumerate()
            .filter_map(|(index, record)| record.caller.take().map(|caller| (index, caller)))
            .collect();
        for (index, customer) in self.name_customers(site, callers).await? {
            let first = records.get_mut(index).and_then(|record| record.facts.first_mut());
            if let Some((_, event)) = first {
                set_customer(event, customer);
            }
        }
        Ok(records)
    }
}

fn unfit(record: &ImportRecord) -> Option<String> {
    if record.facts.is_empty() {
        return Some("holds no facts; a record needs at least one".to_owned());
    }
    if record.facts.len() > RECORD_FACTS_MAX {
        let count = record.facts.len();
        return Some(format!("holds {count} facts; the limit is {RECORD_FACTS_MAX}"));
    }
    let early = record.facts.iter().find(|(at, _)| *at < EARLIEST)?;
    Some(format!("has a fact at {}, before 1980", early.0))
}
