//! Imports: a stream of records in, what became of them out, one cumulative answer per message.
//!
//! One message at a time is handed to the engine, which makes its records durable in groups; the client may send
//! ahead meanwhile. What is imported is a [`Kind`]: contacts here, tickets in `ticket_imports`. Invariant: an answer counts durable
//! records only.

use std::sync::Arc;

use pegcount_domain::{
    ids::{ContactId, Name, SiteId, SourceId},
    time::Micros,
};
use pegcount_engine::{Engine, EngineError, ImportRecord, options::IMPORT_RECORDS_MAX};
use pegcount_proto::{FactError, check_contact_fact, v1};
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use super::{Room, ingest::import_source};
use crate::{access::Caller, status};

/// After so many refused records the import is given up: the format cannot be right.
const REFUSALS_MAX: usize = 10_000;

/// A message of an import, taken apart.
pub(super) struct Part<R> {
    pub(super) site: String,
    pub(super) source: String,
    pub(super) records: Vec<R>,
}

/// What is imported.
pub(super) trait Kind: Send + 'static {
    type Request: prost::Message + Default + Send + 'static;
    type Response: Clone + Default + Send + 'static;
    /// As it comes.
    type Sent: Send;
    /// Once it is checked.
    type Record: Send;

    fn part(request: Self::Request) -> Part<Self::Sent>;
    /// Checks one; else its id, and what is wrong.
    fn checked(sent: Self::Sent) -> Result<Self::Record, (String, FactError)>;
    /// Hands records to the engine and counts what became of them.
    fn import(
        engine: &Arc<Engine>,
        into: (&SiteId, &SourceId),
        actor: &Name,
        records: Vec<Self::Record>,
        so_far: &mut Self::Response,
    ) -> impl Future<Output = Result<(), EngineError>> + Send;
    /// Counts a refusal.
    fn refuse(so_far: &mut Self::Response, id: String, reason: String);
    /// How many were refused.
    fn refusals(so_far: &Self::Response) -> usize;
}

/// One import.
pub(super) struct Import<K: Kind> {
    room: Room,
    caller: Caller,
    outbox: mpsc::Sender<Result<K::Response, Status>>,
    into: Option<(SiteId, SourceId)>,
    so_far: K::Response,
}

impl<K: Kind> Import<K> {
    pub(super) fn new(room: Room, caller: Caller, outbox: mpsc::Sender<Result<K::Response, Status>>) -> Self {
        Self { room, caller, outbox, into: None, so_far: K::Response::default() }
    }

    /// Runs until the client has said all or an error ends it; what was answered is durable.
    pub(super) async fn run(mut self, mut inbound: Streaming<K::Request>) {
        loop {
            let message = tokio::select! {
                biased;
                () = self.outbox.closed() => return,
                () = self.room.closing.cancelled() => Err(status::shutting_down()),
                () = self.caller.expired() => Err(status::token_expired()),
                message = inbound.message() => message.map_err(status::of_transport),
            };
            let answer = match message {
                Ok(None) => return,
                Ok(Some(request)) => self.take(K::part(request)).await.map(|()| self.so_far.clone()),
                Err(refusal) => Err(refusal),
            };
            let over = answer.is_err();
            if self.outbox.send(answer).await.is_err() || over {
                return;
            }
        }
    }

    async fn take(&mut self, part: Part<K::Sent>) -> Result<(), Status> {
        let (site, source) = self.destination(&part)?;
        if part.records.len() > IMPORT_RECORDS_MAX {
            let reason = format!(
                "holds {}; the limit is {IMPORT_RECORDS_MAX}: send more messages",
                part.records.len()
            );
            return Err(status::invalid("records", reason));
        }
        let mut records = Vec::with_capacity(part.records.len());
        for sent in part.records {
            match K::checked(sent) {
                Ok(record) => records.push(record),
                Err((id, error)) => K::refuse(&mut self.so_far, id, error.to_string()),
            }
        }
        let (engine, actor) = (&self.room.engine, self.caller.actor());
        let done = K::import(engine, (&site, &source), actor, records, &mut self.so_far).await;
        done.map_err(status::of)?;
        tracing::debug!(position = self.room.engine.end().0, "imported");
        if K::refusals(&self.so_far) > REFUSALS_MAX {
            let message =
                format!("more than {REFUSALS_MAX} records were refused: this is not the right format");
            return Err(status::precondition("REFUSALS", source.0.as_str(), message));
        }
        Ok(())
    }

    /// Where the records go: said in the first message, the same or not said in later ones.
    fn destination(&mut self, part: &Part<K::Sent>) -> Result<(SiteId, SourceId), Status> {
        if let Some((site, source)) = &self.into {
            let same = |said: &str, known: &str| said.is_empty() || said == known;
            if !same(&part.site, site.as_str()) || !same(&part.source, source.0.as_str()) {
                let reason = format!(
                    "is another than the first message's ({site}, {}); begin another import",
                    source.0
                );
                return Err(status::invalid("site or source", reason));
            }
            return Ok((site.clone(), source.clone()));
        }
        let into = (self.caller.site("site", &part.site)?, import_source(&part.source)?);
        self.into = Some(into.clone());
        Ok(into)
    }
}

/// Contacts.
pub(super) struct Contacts;

impl Kind for Contacts {
    type Request = v1::ImportContactsRequest;
    type Response = v1::ImportContactsResponse;
    type Sent = v1::ContactRecord;
    type Record = ImportRecord;

    fn part(request: Self::Request) -> Part<Self::Sent> {
        Part { site: request.site, source: request.source, records: request.records }
    }

    fn checked(sent: Self::Sent) -> Result<Self::Record, (String, FactError)> {
        let contact = sent.contact.clone();
        checked(sent).map_err(|error| (contact, error))
    }

    async fn import(
        engine: &Arc<Engine>,
        (site, source): (&SiteId, &SourceId),
        actor: &Name,
        records: Vec<Self::Record>,
        so_far: &mut Self::Response,
    ) -> Result<(), EngineError> {
        let done = engine.import(site, source, actor, records).await?;
        so_far.added += done.added;
        so_far.present += done.present;
        so_far.grown += done.grown;
        so_far.events += done.events;
        for (contact, reason) in done.refusals {
            Self::refuse(so_far, contact.to_string(), reason);
        }
        Ok(())
    }

    fn refuse(so_far: &mut Self::Response, contact: String, reason: String) {
        so_far.refusals.push(v1::RecordRefusal { contact, reason });
    }

    fn refusals(so_far: &Self::Response) -> usize {
        so_far.refusals.len()
    }
}

/// A record whose facts are well formed, in its own contact, callers taken out.
fn checked(record: v1::ContactRecord) -> Result<ImportRecord, FactError> {
    let wrong = |field: String, reason: String| FactError { field, reason };
    let contact =
        ContactId::new(&record.contact).map_err(|error| wrong("contact".to_owned(), error.to_string()))?;
    let mut caller = None;
    let mut facts = Vec::with_capacity(record.facts.len());
    for (index, timed) in record.facts.into_iter().enumerate() {
        let within = |error: FactError| wrong(format!("facts[{index}].{}", error.field), error.reason);
        let mut fact = timed
            .fact
            .ok_or_else(|| wrong(format!("facts[{index}].fact"), "is missing; it is required".to_owned()))?;
        if fact.contact.is_empty() {
            fact.contact.clone_from(&record.contact);
        }
        let checked = check_contact_fact(&fact).map_err(within)?;
        if checked.id != contact.0 {
            let reason = format!("is {:?} in the record of {contact}; leave it out", fact.contact);
            return Err(wrong(format!("facts[{index}].contact"), reason));
        }
        match checked.caller {
            Some(_) if index > 0 => {
                let reason = "names a caller; in a record only the first fact may".to_owned();
                return Err(wrong(format!("facts[{index}]"), reason));
            }
            Some(named) => caller = Some(named),
            None => {}
        }
        facts.push((Micros(timed.occurred_at_us), checked.event));
    }
    Ok(ImportRecord { contact, caller, facts })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(contact: &str, caller: &str) -> v1::TimedContactFact {
        let started =
            v1::ContactStarted { channel: 1, direction: 1, caller: caller.into(), ..Default::default() };
        let action = Some(v1::contact_fact::Action::Started(started));
        v1::TimedContactFact {
            occurred_at_us: 1_000_000_000_000_000,
            fact: Some(v1::ContactFact { contact: contact.into(), action }),
        }
    }

    #[test]
    fn a_record_gives_its_contact_to_facts_that_name_none_and_its_caller_apart() {
        let record = v1::ContactRecord { contact: "c1".into(), facts: vec![fact("", "555")] };
        let record = checked(record).unwrap();
        assert_eq!(record.caller.as_deref(), Some("555"));
        assert!(!format!("{:?}", record.facts).contains("555"));
    }

    #[test]
    fn a_fact_of_another_contact_is_refused_with_its_place() {
        let record = v1::ContactRecord { contact: "c1".into(), facts: vec![fact("c1", ""), fact("c2", "")] };
        let error = checked(record).unwrap_err();
        assert_eq!(error.to_string(), "facts[1].contact is \"c2\" in the record of c1; leave it out");
    }
}
