//! Named consumers of the log: the log keeps their positions, the engine decodes what they are given.
//!
//! Invariant: an event that cannot be decoded ends the connection and is not confirmed by it.

use std::sync::Arc;

use pegcount_domain::{envelope::Position, ids::Name};
use pegcount_log::{Confirmer, Consumer, ConsumerError, ConsumerHello, ConsumerName, ConsumerStatus, Found};

use crate::{
    engine::{Engine, blocked},
    error::EngineError,
    reading::{ReadEvent, read_event},
};

/// A connection of a named consumer.
pub struct LogConsumer(Consumer);

impl LogConsumer {
    /// What the log knew of it.
    pub fn found(&self) -> Found {
        self.0.found()
    }

    /// It had confirmed up to here.
    pub fn begun_after(&self) -> Position {
        self.0.begun_after()
    }

    /// What confirms, and says how far behind it is.
    pub fn confirmer(&self) -> Arc<Confirmer> {
        self.0.confirmer()
    }

    /// The next events, at least one, with the position that confirms them all; none once the log is closed.
    pub async fn next(&mut self) -> Option<Result<(Vec<ReadEvent>, Position), EngineError>> {
        let delivery = match self.0.next().await? {
            Ok(delivery) => delivery,
            Err(error) => return Some(Err(error.into())),
        };
        let events: Result<Vec<_>, _> =
            delivery.events().map(|(frame, event)| read_event(frame, &event)).collect();
        Some(events.map(|events| (events, delivery.reached)))
    }
}

impl Engine {
    /// Connects a named consumer; an older connection of its name is fenced off.
    pub async fn consume(&self, hello: ConsumerHello) -> Result<LogConsumer, EngineError> {
        Ok(LogConsumer(self.log.consume(hello).await?))
    }

    /// All named consumers, with how far behind they are.
    pub fn consumers(&self) -> Result<Vec<ConsumerStatus>, ConsumerError> {
        self.log.consumers().list()
    }

    /// Forgets a named consumer; `owner`: only if it is theirs.
    pub async fn delete_consumer(&self, name: ConsumerName, owner: Option<Name>) -> Result<(), EngineError> {
        let consumers = Arc::clone(self.log.consumers());
        blocked(move || Ok(consumers.delete(&name, owner.as_ref())?)).await
    }
}
