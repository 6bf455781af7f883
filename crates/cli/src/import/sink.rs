//! Where records go: over a stream to a server, or straight into a folder's engine.
//!
//! What goes is a [`Kind`]: contacts, or tickets. Invariant: [`Sink::finish`] returns only when every record sent is durable or refused.

use std::{future::Future, sync::Arc};

use pegcount_client::Api;
use pegcount_domain::{
    ids::{Name, SiteId, SourceId},
    ticketing::TicketRecord,
};
use pegcount_engine::{Engine, EngineError, ImportRecord};
use pegcount_import::ContactRecord;
use pegcount_proto::{ticket_record, v1};
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};
use tonic::{Response, Status, Streaming};

use super::wire;
use crate::{error::CliError, target::Target};

/// Messages that may be on their way: more would only fill memory.
const MESSAGES_IN_FLIGHT: usize = 4;
/// Who brings records into a folder when no server, and so no token, is there.
const ACTOR: Name = Name::fixed("command line");

/// About what a fact takes in a message, without free text.
const FACT_BYTES: usize = 120;

/// What became of the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Done {
    /// New.
    pub(super) added: u64,
    /// There already, whole.
    pub(super) present: u64,
    /// There already, and grown since.
    pub(super) grown: u64,
    /// Events appended.
    pub(super) events: u64,
    /// Texts sealed.
    pub(super) sealed: u64,
    /// Refused: the contact or ticket, and why.
    pub(super) refused: Vec<(String, String)>,
}

impl Done {
    fn add(&mut self, more: Self) {
        self.added += more.added;
        self.present += more.present;
        self.grown += more.grown;
        self.events += more.events;
        self.sealed += more.sealed;
        self.refused.extend(more.refused);
    }
}

/// What is imported.
pub(super) trait Kind {
    /// As the reader gives it.
    type Record: Send + 'static;
    /// A message of the stream.
    type Request: Send + 'static;
    /// An answer: what became of all so far.
    type Answer: Send + 'static;

    /// About how many bytes a record takes in a message.
    fn bytes(record: &Self::Record) -> usize;
    /// A message with records; site and source stand in the first.
    fn message(site: String, source: String, records: Vec<Self::Record>) -> Result<Self::Request, CliError>;
    /// Begins a stream.
    fn stream(
        api: Api,
        messages: mpsc::Receiver<Self::Request>,
    ) -> impl Future<Output = Result<Response<Streaming<Self::Answer>>, Status>> + Send;
    /// What an answer says.
    fn done(answer: Self::Answer) -> Done;
    /// Hands records to a folder's engine.
    async fn import(
        engine: &Arc<Engine>,
        site: &SiteId,
        source: &SourceId,
        records: Vec<Self::Record>,
    ) -> Result<Done, EngineError>;
}

/// Takes records.
pub(super) enum Sink<K: Kind> {
    /// A folder's engine.
    Folder { engine: Arc<Engine>, site: SiteId, source: SourceId, done: Done },
    /// A stream to a server; the task reads its answers and gives the last one.
    Server {
        messages: mpsc::Sender<K::Request>,
        answers: JoinHandle<Result<Option<K::Answer>, Status>>,
        head: Option<(SiteId, SourceId)>,
    },
}

impl<K: Kind + 'static> Sink<K> {
    /// Begins an import.
    pub(super) fn open(target: &Target, site: &SiteId, source: &SourceId) -> Self {
        let (site, source) = (site.clone(), source.clone());
        match target {
            Target::Folder(engine) => {
                Self::Folder { engine: Arc::clone(engine), site, source, done: Done::default() }
            }
            Target::Server(api) => {
                let (messages, waiting) = mpsc::channel(MESSAGES_IN_FLIGHT);
                let api = api.clone();
                let answers = tokio::spawn(async move {
                    let mut stream = K::stream(api, waiting).await?.into_inner();
                    let mut last = None;
                    while let Some(answer) = stream.next().await {
                        last = Some(answer?);
                    }
                    Ok(last)
                });
                Self::Server { messages, answers, head: Some((site, source)) }
            }
        }
    }

    /// Hands records over.
    pub(super) async fn send(&mut self, records: Vec<K::Record>) -> Result<(), CliError> {
        match self {
            Self::Folder { engine, site, source, done } => {
                done.add(K::import(engine, site, source, records).await?);
                Ok(())
            }
            Self::Server { messages, head, .. } => {
                let (site, source) = head
                    .take()
                    .map_or_else(Default::default, |(site, source)| (site.to_string(), source.0.to_string()));
                // A stream that has ended has a reason, and `finish` reads it.
                let _ = messages.send(K::message(site, source, records)?).await;
                Ok(())
            }
        }
    }

    /// Waits until all of it is durable.
    pub(super) async fn finish(self) -> Result<Done, CliError> {
        match self {
            Self::Folder { done, .. } => Ok(done),
            Self::Server { messages, answers, .. } => {
                drop(messages);
                let last = answers
                    .await
                    .map_err(|error| CliError::Argument(format!("the import ended: {error}")))?;
                Ok(last?.map(K::done).unwrap_or_default())
            }
        }
    }
}

/// Contacts.
pub(super) struct Contacts;

impl Kind for Contacts {
    type Record = ContactRecord;
    type Request = v1::ImportContactsRequest;
    type Answer = v1::ImportContactsResponse;

    fn bytes(record: &ContactRecord) -> usize {
        record.facts.len() * FACT_BYTES
    }

    fn message(site: String, source: String, records: Vec<ContactRecord>) -> Result<Self::Request, CliError> {
        let records = records.into_iter().map(wire::record).collect::<Result<_, _>>()?;
        Ok(v1::ImportContactsRequest { site, source, records })
    }

    async fn stream(
        api: Api,
        messages: mpsc::Receiver<Self::Request>,
    ) -> Result<Response<Streaming<Self::Answer>>, Status> {
        api.ingest().import_contacts(ReceiverStream::new(messages)).await
    }

    fn done(answer: Self::Answer) -> Done {
        let refused = answer.refusals.into_iter().map(|one| (one.contact, one.reason)).collect();
        let (added, present, grown, events) = (answer.added, answer.present, answer.grown, answer.events);
        Done { added, present, grown, events, sealed: 0, refused }
    }

    async fn import(
        engine: &Arc<Engine>,
        site: &SiteId,
        source: &SourceId,
        records: Vec<ContactRecord>,
    ) -> Result<Done, EngineError> {
        let records = records.into_iter().map(|record| ImportRecord {
            contact: record.contact,
            caller: record.caller,
            facts: record.facts,
        });
        let done = engine.import(site, source, &ACTOR, records.collect()).await?;
        let refused = done.refusals.into_iter().map(|(contact, reason)| (contact.to_string(), reason));
        let (added, present, grown, events) = (done.added, done.present, done.grown, done.events);
        Ok(Done { added, present, grown, events, sealed: 0, refused: refused.collect() })
    }
}

/// Tickets.
pub(super) struct Tickets;

impl Kind for Tickets {
    type Record = TicketRecord;
    type Request = v1::ImportTicketsRequest;
    type Answer = v1::ImportTicketsResponse;

    fn bytes(record: &TicketRecord) -> usize {
        record.facts.iter().map(|fact| FACT_BYTES + fact.text.as_ref().map_or(0, String::len)).sum()
    }

    fn message(site: String, source: String, records: Vec<TicketRecord>) -> Result<Self::Request, CliError> {
        let message = |record: &TicketRecord| {
            let other =
                || CliError::Argument(format!("{}: an event of it is no ticket's fact", record.ticket));
            ticket_record(record).ok_or_else(other)
        };
        let records = records.iter().map(message).collect::<Result<_, _>>()?;
        Ok(v1::ImportTicketsRequest { site, source, records })
    }

    async fn stream(
        api: Api,
        messages: mpsc::Receiver<Self::Request>,
    ) -> Result<Response<Streaming<Self::Answer>>, Status> {
        api.ingest().import_tickets(ReceiverStream::new(messages)).await
    }

    fn done(answer: Self::Answer) -> Done {
        let refused = answer.refusals.into_iter().map(|one| (one.ticket, one.reason)).collect();
        let (added, present, grown, events) = (answer.added, answer.present, answer.grown, answer.events);
        Done { added, present, grown, events, sealed: answer.sealed, refused }
    }

    async fn import(
        engine: &Arc<Engine>,
        site: &SiteId,
        source: &SourceId,
        records: Vec<TicketRecord>,
    ) -> Result<Done, EngineError> {
        let done = engine.import_tickets(site, source, &ACTOR, records).await?;
        let refused = done.refusals.into_iter().map(|(ticket, reason)| (ticket.to_string(), reason));
        let (added, present, grown, events) = (done.added, done.present, done.grown, done.events);
        Ok(Done { added, present, grown, events, sealed: done.sealed, refused: refused.collect() })
    }
}
