//! One connection of a named consumer: what passes its filter after what it has confirmed.
//!
//! Invariant: what was given and not confirmed is not passed over; who has been fenced off is given nothing more.

use std::sync::Arc;

use futures_util::StreamExt;
use parking_lot::Mutex;
use pegcount_domain::envelope::Position;
use tokio::{sync::watch, task::spawn_blocking};

use super::{ConsumerError, ConsumerHello, ConsumerName, Consumers, Found, register::deleted};
use crate::{
    api::EventLog,
    deliver::{Deliveries, Delivery},
};

/// A consumer that is connected.
pub struct Consumer {
    confirmer: Arc<Confirmer>,
    deliveries: Deliveries,
    over: bool,
}

/// The part of a connection that confirms; may be used beside the part that reads.
pub struct Confirmer {
    consumers: Arc<Consumers>,
    name: ConsumerName,
    mine: u64,
    newest: watch::Receiver<u64>,
    found: Found,
    begun_after: Position,
    given: Mutex<Given>,
}

/// What this connection has been given.
#[derive(Clone, Copy)]
struct Given {
    /// The last event that was wanted.
    wanted: Position,
    /// Up to here everything was looked at.
    reached: Position,
}

/// Connects to `log`.
pub(crate) async fn consume<L: EventLog + ?Sized>(
    log: &L,
    hello: ConsumerHello,
) -> Result<Consumer, ConsumerError> {
    let (consumers, asked, first) = (Arc::clone(log.consumers()), hello.clone(), log.first());
    // Only a runtime that shuts down leaves no answer.
    let connected =
        spawn_blocking(move || consumers.connect(&asked, first)).await.map_err(|_| ConsumerError::Closed)?;
    let confirmer = Arc::new(connected?);
    let deliveries = log.subscribe_to(confirmer.begun_after.next(), hello.filter);
    Ok(Consumer { confirmer, deliveries, over: false })
}

impl Consumer {
    /// What confirms; it ends with the connection.
    pub fn confirmer(&self) -> Arc<Confirmer> {
        Arc::clone(&self.confirmer)
    }

    /// What the log knew of this consumer.
    pub fn found(&self) -> Found {
        self.confirmer.found
    }

    /// It had confirmed up to here: what it is given comes after.
    pub fn begun_after(&self) -> Position {
        self.confirmer.begun_after
    }

    /// The next events that are wanted; waits until there are some. None once the log has been dropped. After an error
    /// there is nothing more.
    pub async fn next(&mut self) -> Option<Result<Delivery, ConsumerError>> {
        while !self.over {
            let delivery = tokio::select! {
                biased;
                ended = self.confirmer.ended() => Err(ended),
                delivery = self.deliveries.next() => match delivery {
                    Some(delivery) => delivery.map_err(ConsumerError::from),
                    None => break,
                },
            };
            match delivery.and_then(|delivery| self.confirmer.give(&delivery).map(|()| delivery)) {
                Ok(delivery) if delivery.is_empty() => {}
                Ok(delivery) => return Some(Ok(delivery)),
                Err(error) => {
                    self.over = true;
                    return Some(Err(error));
                }
            }
        }
        self.over = true;
        None
    }

    /// As [`Confirmer::confirm`].
    pub fn confirm(&self, upto: Position) -> Result<(), ConsumerError> {
        self.confirmer.confirm(upto)
    }
}

impl Confirmer {
    pub(super) fn new(
        consumers: Arc<Consumers>,
        name: ConsumerName,
        mine: u64,
        newest: watch::Receiver<u64>,
        found: Found,
        begun_after: Position,
    ) -> Self {
        let given = Mutex::new(Given { wanted: begun_after, reached: begun_after });
        Self { consumers, name, mine, newest, found, begun_after, given }
    }

    pub(super) fn found(&self) -> Found {
        self.found
    }

    /// Says that everything up to `upto` has been dealt with: it does not come again. Written a moment later.
    ///
    /// Errors: what was not given yet; a newer connection; the name was deleted.
    pub fn confirm(&self, upto: Position) -> Result<(), ConsumerError> {
        let given = *self.given.lock();
        if upto > given.reached {
            return Err(ConsumerError::NotGiven {
                name: self.name.clone(),
                position: upto,
                given: given.reached,
            });
        }
        // What comes after the last event that was wanted needs no word.
        let upto = if upto >= given.wanted { given.reached } else { upto };
        self.consumers.advance(&self.name, self.mine, upto, true)
    }

    /// How many positions lie between what is confirmed and the end of the log.
    pub fn behind(&self, end: Position) -> u64 {
        self.consumers.confirmed(&self.name).map_or(0, |confirmed| end.0.saturating_sub(confirmed.0))
    }

    /// Waits until this connection has been fenced off by a newer one, or the name was deleted; says which.
    pub async fn ended(&self) -> ConsumerError {
        let mut newest = self.newest.clone();
        match newest.wait_for(|newest| *newest != self.mine).await {
            Ok(_) => ConsumerError::Fenced { name: self.name.clone() },
            Err(_) => deleted(&self.name),
        }
    }

    /// Takes note of what is handed out. If nothing before it waits for a word, what was not wanted is confirmed.
    fn give(&self, delivery: &Delivery) -> Result<(), ConsumerError> {
        let mut given = self.given.lock();
        let last = delivery.events().map(|(_, event)| event.envelope.position).last();
        given.reached = delivery.reached;
        if let Some(last) = last {
            given.wanted = last;
            return Ok(());
        }
        let confirmed = self.consumers.confirmed(&self.name).ok_or_else(|| deleted(&self.name))?;
        if confirmed < given.wanted {
            return Ok(());
        }
        self.consumers.advance(&self.name, self.mine, given.reached, false)
    }
}

impl Drop for Confirmer {
    fn drop(&mut self) {
        self.consumers.disconnected(&self.name, self.mine);
    }
}
