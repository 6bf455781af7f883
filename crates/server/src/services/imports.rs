//! Imports: a stream of records in, what became of them out, one cumulative answer per message.
//!
//! One message at a time is handed to the engine, which makes its records durable in groups; the client may send
//! ahead meanwhile. Invariant: an answer counts durable records only.

use pegcount_domain::{
    ids::{ContactId, SiteId, SourceId},
    time::Micros,
};
use pegcount_engine::{ImportRecord, options::IMPORT_RECORDS_MAX};
use pegcount_proto::{FactError, check_contact_fact, v1};
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use super::{Room, ingest::import_source};
use crate::{access::Caller, status};

/// After so many refused records the import is given up: the format cannot be right.
const REFUSALS_MAX: usize = 10_000;

type Outbox = mpsc::Sender<Result<v1::ImportContactsResponse, Status>>;

/// One import.
pub(super) struct Import {
    room: Room,
    caller: Caller,
    outbox: Outbox,
    into: Option<(SiteId, SourceId)>,
    so_far: v1::ImportContactsResponse,
}

impl Import {
    pub(super) fn new(room: Room, caller: Caller, outbox: Outbox) -> Self {
        Self { room, caller, outbox, into: None, so_far: v1::ImportContactsResponse::default() }
    }

    /// Runs until the client has said all or an error ends it; what was answered is durable.
    pub(super) async fn run(mut self, mut inbound: Streaming<v1::ImportContactsRequest>) {
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
                Ok(Some(request)) => self.take(request).await.map(|()| self.so_far.clone()),
                Err(refusal) => Err(refusal),
            };
            let over = answer.is_err();
            if self.outbox.send(answer).await.is_err() || over {
                return;
            }
        }
    }

    async fn take(&mut self, request: v1::ImportContactsRequest) -> Result<(), Status> {
        let (site, source) = self.destination(&request)?;
        if request.records.len() > IMPORT_RECORDS_MAX {
            let reason = format!(
                "holds {}; the limit is {IMPORT_RECORDS_MAX}: send more messages",
                request.records.len()
            );
            return Err(status::invalid("records", reason));
        }
        let mut records = Vec::with_capacity(request.records.len());
        for record in request.records {
            let contact = record.contact.clone();
            match checked(record) {
                Ok(record) => records.push(record),
                Err(error) => self.refuse(contact, error.to_string()),
            }
        }
        let done = self
            .room
            .engine
            .import(&site, &source, self.caller.actor(), records)
            .await
            .map_err(status::of)?;
        self.so_far.added += done.added;
        self.so_far.present += done.present;
        self.so_far.grown += done.grown;
        self.so_far.events += done.events;
        for (contact, reason) in done.refusals {
            self.refuse(contact.to_string(), reason);
        }
        tracing::debug!(position = self.room.engine.end().0, added = self.so_far.added, "imported");
        if self.so_far.refusals.len() > REFUSALS_MAX {
            let message =
                format!("more than {REFUSALS_MAX} records were refused: this is not the right format");
            return Err(status::precondition("REFUSALS", source.0.as_str(), message));
        }
        Ok(())
    }

    fn refuse(&mut self, contact: String, reason: String) {
        self.so_far.refusals.push(v1::RecordRefusal { contact, reason });
    }

    /// Where the records go: said in the first message, the same or not said in later ones.
    fn destination(&mut self, request: &v1::ImportContactsRequest) -> Result<(SiteId, SourceId), Status> {
        if let Some((site, source)) = &self.into {
            let same = |said: &str, known: &str| said.is_empty() || said == known;
            if !same(&request.site, site.as_str()) || !same(&request.source, source.0.as_str()) {
                let reason = format!(
                    "is another than the first message's ({site}, {}); begin another import",
                    source.0
                );
                return Err(status::invalid("site or source", reason));
            }
            return Ok((site.clone(), source.clone()));
        }
        let into = (self.caller.site("site", &request.site)?, import_source(&request.source)?);
        self.into = Some(into.clone());
        Ok(into)
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
