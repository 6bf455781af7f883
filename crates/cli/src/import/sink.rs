//! Where records go: over a stream to a server, or straight into a folder's engine.
//!
//! Invariant: [`Sink::finish`] returns only when every record sent is durable or refused.

use std::sync::Arc;

use pegcount_domain::ids::{Name, SiteId, SourceId};
use pegcount_engine::{Engine, ImportRecord};
use pegcount_import::ContactRecord;
use pegcount_proto::v1::{ImportContactsRequest, ImportContactsResponse};
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};

use super::wire;
use crate::{error::CliError, target::Target};

/// Messages that may be on their way: more would only fill memory.
const MESSAGES_IN_FLIGHT: usize = 4;
/// Who brings records into a folder when no server, and so no token, is there.
const ACTOR: Name = Name::fixed("command line");

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
    /// Refused: the contact, and why.
    pub(super) refused: Vec<(String, String)>,
}

/// Takes records.
pub(super) enum Sink {
    /// A folder's engine.
    Folder { engine: Arc<Engine>, site: SiteId, source: SourceId, done: Done },
    /// A stream to a server; the task reads its answers and gives the last one.
    Server {
        messages: mpsc::Sender<ImportContactsRequest>,
        answers: Answers,
        head: Option<(SiteId, SourceId)>,
    },
}

type Answers = JoinHandle<Result<Option<ImportContactsResponse>, tonic::Status>>;

impl Sink {
    /// Begins an import.
    pub(super) fn open(target: &Target, site: &SiteId, source: &SourceId) -> Self {
        let (site, source) = (site.clone(), source.clone());
        match target {
            Target::Folder(engine) => {
                Self::Folder { engine: Arc::clone(engine), site, source, done: Done::default() }
            }
            Target::Server(api) => {
                let (messages, waiting) = mpsc::channel(MESSAGES_IN_FLIGHT);
                let mut ingest = api.ingest();
                let answers = tokio::spawn(async move {
                    let mut stream = ingest.import_contacts(ReceiverStream::new(waiting)).await?.into_inner();
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
    pub(super) async fn send(&mut self, records: Vec<ContactRecord>) -> Result<(), CliError> {
        match self {
            Self::Folder { engine, site, source, done } => {
                let records = records.into_iter().map(|record| ImportRecord {
                    contact: record.contact,
                    caller: record.caller,
                    facts: record.facts,
                });
                let imported = engine.import(site, source, &ACTOR, records.collect()).await?;
                done.added += imported.added;
                done.present += imported.present;
                done.grown += imported.grown;
                done.events += imported.events;
                let refusals = imported.refusals.into_iter();
                done.refused.extend(refusals.map(|(contact, reason)| (contact.to_string(), reason)));
                Ok(())
            }
            Self::Server { messages, head, .. } => {
                let (site, source) = head
                    .take()
                    .map_or_else(Default::default, |(site, source)| (site.to_string(), source.0.to_string()));
                let records = records.into_iter().map(wire::record).collect::<Result<_, _>>()?;
                // A stream that has ended has a reason, and `finish` reads it.
                let _ = messages.send(ImportContactsRequest { site, source, records }).await;
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
                let answer = last?.unwrap_or_default();
                Ok(Done {
                    added: answer.added,
                    present: answer.present,
                    grown: answer.grown,
                    events: answer.events,
                    refused: answer.refusals.into_iter().map(|one| (one.contact, one.reason)).collect(),
                })
            }
        }
    }
}
