//! Tickets' targets act: when one comes due, or near, whoever has to know is told, by an event that says so.
//!
//! The boards keep for each open ticket when it has something to tell next; this looks at those alone. What is told is appended by the
//! ticket's version as the expected one. So after a restart, and with a second engine on the same log, it is told once: whoever
//! is late finds another version, looks again, and finds nothing due. A replay runs none of it.
//!
//! Invariant: an alert stands in the log once for each step of a target's round.

use std::sync::{Arc, Weak};

use futures_util::future::join_all;
use pegcount_domain::{
    envelope::{Position, StreamKind, StreamName},
    event::Event,
    ids::{Name, SiteId},
    time::Micros,
};
use pegcount_log::{Append, AppendError, Expected};
use smallvec::smallvec;
use tokio::task::JoinHandle;

use crate::{
    boards::TicketDuty, engine::Engine, error::EngineError, ingest::new_event, source::ENGINE_SOURCE,
};

/// So many tickets are told of at once: their appends share the log's groups.
const TOLD_AT_ONCE: usize = 256;
/// After a failure (duration).
const PAUSE: Micros = Micros::from_secs(1);

/// Tells what is due, whenever something is.
pub(crate) fn spawn(engine: &Arc<Engine>) -> JoinHandle<()> {
    let (clock, mut steps) = (engine.clock.clone(), engine.boards.steps());
    let engine: Weak<Engine> = Arc::downgrade(engine);
    tokio::spawn(async move {
        loop {
            steps.mark_unchanged();
            let Some(strong) = engine.upgrade() else { return };
            let told = strong.alert_due_tickets().await;
            let next = strong.boards.state().read().next_ticket_duty();
            drop(strong);
            match told {
                Ok(0) => {}
                Ok(_) => continue,
                Err(error) => {
                    tracing::warn!(%error, "what is due for tickets could not be told; trying again");
                    clock.sleep(PAUSE).await;
                    continue;
                }
            }
            let comes_due = async {
                match next {
                    Some(at) => clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                step = steps.changed() => if step.is_err() { return },
                () = comes_due => {}
            }
        }
    })
}

impl Engine {
    /// Tells what has come due for tickets, for some of them at once if there are many; gives for how many something was due.
    ///
    /// Errors: the log's.
    pub async fn alert_due_tickets(&self) -> Result<usize, EngineError> {
        self.caught_up(self.log.end()).await?;
        let now = self.clock.now();
        let duties = self.boards.state().read().ticket_duties(now, TOLD_AT_ONCE);
        let due = duties.len();
        let told = duties.into_iter().map(|(site, duty)| self.alert(site, duty, now));
        let mut last = Position::START;
        for told in join_all(told).await {
            last = last.max(told?.unwrap_or(Position::START));
        }
        self.caught_up(last).await?;
        Ok(due)
    }

    /// Appends what is due for one ticket; none if somebody was first.
    async fn alert(
        &self,
        site: SiteId,
        duty: TicketDuty,
        now: Micros,
    ) -> Result<Option<Position>, EngineError> {
        let stream = StreamName { site: site.0, kind: StreamKind::Ticket, id: duty.ticket.0 };
        let engine = Name::fixed(ENGINE_SOURCE);
        let events = duty.events.into_iter().map(Event::Ticket);
        let append = Append {
            source: engine.clone(),
            batch: None,
            skip_to: None,
            expected: smallvec![(stream.clone(), Expected::Version(duty.version))],
            events: events.map(|event| new_event(stream.clone(), &event, now, now, engine.clone())).collect(),
        };
        match self.log.append(append).await {
            Ok(done) => {
                metrics::counter!("pegcount_ticket_alerts_total").increment(1);
                Ok(Some(done.last))
            }
            Err(AppendError::WrongVersion { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
