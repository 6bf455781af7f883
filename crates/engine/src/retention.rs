//! Retention: old history is closed, archived and dropped, by age or by size, and the log says so.
//!
//! First an event closes history before an instant: from then on older facts change no figure, in every replay alike. Then
//! the archive is made, and the log drops whole segments once that is durable. At last an event says what has gone.
//!
//! Invariant: figures of dropped time are what they were; what needs its events says that they are gone.

use std::sync::Arc;

use pegcount_domain::{
    envelope::{Position, StreamKind, StreamName},
    event::Event,
    ids::Name,
    time::Micros,
};
use pegcount_log::{Append, ConsumerName, Sealed};
use smallvec::SmallVec;
use tokio::task::JoinHandle;

use crate::{archive::Keeper, engine::Engine, error::EngineError, ingest::new_event, source::ENGINE_SOURCE};

/// Nothing younger than this is dropped (duration): facts count until they are 30 days late, a matter can come again for
/// 7 days, and what is known of commands and sources is younger still.
pub const RETENTION_MIN: Micros = Micros(40 * DAY.0);
/// An archive of figures without all definitions would lose those.
const DEFINITIONS_PENDING: &str =
    "definitions that reach far back are being taken in: drop history when that is done";
const DAY: Micros = Micros(24 * Micros::HOUR.0);
/// How often it is looked whether something is to be dropped (duration).
const LOOKS_EVERY: Micros = Micros(6 * Micros::HOUR.0);
/// The id of the stream, among a site's definitions, that says what was closed and dropped.
const HISTORY: Name = Name::fixed("history");

/// How much history is kept. Without either, all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// So long (duration), at least [`RETENTION_MIN`].
    pub age: Option<Micros>,
    /// At most so many bytes of segments, as long as what goes is older than [`RETENTION_MIN`].
    pub bytes: Option<u64>,
}

/// What was dropped, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retained {
    /// The first position that can be read.
    pub first: Position,
    /// How many events have gone.
    pub events: u64,
    /// How many bytes that gave free.
    pub bytes: u64,
    /// How many segments have gone.
    pub segments: usize,
    /// History before this is closed; none if nothing has gone.
    pub closed_before: Option<Micros>,
    /// Named consumers that have not confirmed all of what goes: retention does not wait for them, since one that is
    /// forgotten would keep history for ever.
    pub left_behind: Vec<ConsumerName>,
}

/// What goes.
struct Going {
    last: Position,
    closed_before: Micros,
    bytes: u64,
    segments: usize,
}

impl Retention {
    /// So many days (duration).
    pub fn days(days: u32) -> Micros {
        Micros(i64::from(days) * DAY.0)
    }

    /// Whether it can be kept. Errors: an age below [`RETENTION_MIN`].
    pub fn check(&self) -> Result<(), EngineError> {
        let days = |duration: Micros| duration.0 / DAY.0;
        match self.age {
            Some(age) if age < RETENTION_MIN => Err(EngineError::invalid(
                "keep_days",
                format!("is {}; at least {} days of history are kept", days(age), days(RETENTION_MIN)),
            )),
            _ => Ok(()),
        }
    }
}

impl Engine {
    /// Drops what `retention` does not keep; with `only_tell`, says what that would be. Whole segments go, so what is
    /// kept is mostly somewhat more.
    ///
    /// Errors: an age that is too low; the log's. What was closed stays closed, and the next time goes on from there.
    pub async fn retain(
        self: &Arc<Self>,
        retention: Retention,
        only_tell: bool,
    ) -> Result<Retained, EngineError> {
        retention.check()?;
        let _alone = self.retaining.lock().await;
        let first = self.log.first();
        let Some(going) = self.going(retention).await? else {
            let (closed_before, left_behind) = (None, Vec::new());
            return Ok(Retained { first, events: 0, bytes: 0, segments: 0, closed_before, left_behind });
        };
        let left_behind = self.left_behind(going.last)?;
        if only_tell {
            let next = going.last.next();
            return Ok(Retained {
                first: next,
                events: next.0 - first.0,
                bytes: going.bytes,
                segments: going.segments,
                closed_before: Some(going.closed_before),
                left_behind,
            });
        }
        for name in &left_behind {
            tracing::warn!(
                consumer = %name,
                up_to = going.last.0,
                "events are dropped that this consumer has not confirmed"
            );
        }
        if self.definitions_deferred_since().is_some() {
            return Err(EngineError::Precondition(DEFINITIONS_PENDING.to_owned()));
        }
        let closed = self.tell(&Event::HistoryClosed { before: going.closed_before }).await?;
        self.caught_up(closed).await?;
        let before = self.log.archive(None).await?;
        let keeper = Keeper::collect(&*self.log, before.as_ref(), going.last).await?;
        let (engine, seed) = (Arc::clone(self), self.seed);
        let archive = self.work(move || {
            let (figures, position) = {
                let folded = engine.figures.state().read();
                if folded.kpi.deferred_since().is_some() {
                    return Err(EngineError::Precondition(DEFINITIONS_PENDING.to_owned()));
                }
                (folded.kpi.archived(), folded.kpi.position())
            };
            keeper.archive(seed, figures, position)
        });
        let dropped = self.log.drop_history(going.last, archive.await?).await?;
        let up_to = dropped.first.0.saturating_sub(1);
        self.tell(&Event::HistoryDropped { up_to, events: dropped.events, bytes: dropped.bytes }).await?;
        Ok(Retained {
            first: dropped.first,
            events: dropped.events,
            bytes: dropped.bytes,
            segments: dropped.segments,
            closed_before: Some(going.closed_before),
            left_behind,
        })
    }

    /// The named consumers that have not confirmed everything up to `last`.
    fn left_behind(&self, last: Position) -> Result<Vec<ConsumerName>, EngineError> {
        let behind = self.consumers()?.into_iter().filter(|consumer| consumer.confirmed < last);
        Ok(behind.map(|consumer| consumer.name).collect())
    }

    /// The segments that go, from the first on.
    async fn going(&self, retention: Retention) -> Result<Option<Going>, EngineError> {
        let segments = self.log.sealed();
        let now = self.clock.now();
        let total: u64 = segments.iter().map(|segment| segment.bytes).sum();
        let mut going: Option<Going> = None;
        for Sealed { last, bytes, .. } in segments {
            let written = self.recorded_at(last).await?.unwrap_or(now);
            let age = now.minus(written);
            let gone = going.as_ref().map_or(0, |going| going.bytes);
            let too_old = retention.age.is_some_and(|kept| age > kept);
            let too_much = retention.bytes.is_some_and(|kept| total - gone > kept);
            if age <= RETENTION_MIN || !(too_old || too_much) {
                break;
            }
            let segments = going.map_or(1, |going| going.segments + 1);
            going = Some(Going { last, closed_before: written, bytes: gone + bytes, segments });
        }
        Ok(going)
    }

    /// Says the same at every site. Gives the position of the last event; the end if there is no site.
    async fn tell(&self, event: &Event) -> Result<Position, EngineError> {
        let now = self.clock.now();
        let actor = Name::fixed(ENGINE_SOURCE);
        let stream = |site: Name| StreamName { site, kind: StreamKind::Definition, id: HISTORY };
        let events: Vec<_> = self
            .sites()
            .into_iter()
            .map(|site| new_event(stream(site.0), event, now, now, actor.clone()))
            .collect();
        if events.is_empty() {
            return Ok(self.log.end());
        }
        let append = Append {
            source: Name::fixed(ENGINE_SOURCE),
            batch: None,
            skip_to: None,
            expected: SmallVec::new(),
            events,
        };
        Ok(self.log.append(append).await?.last)
    }
}

/// Keeps to `retention` from now on.
pub(crate) fn spawn(engine: &Arc<Engine>, retention: Retention) -> JoinHandle<()> {
    let (clock, engine) = (engine.clock.clone(), Arc::downgrade(engine));
    tokio::spawn(async move {
        loop {
            {
                let Some(engine) = engine.upgrade() else { return };
                match engine.retain(retention, false).await {
                    Ok(done) if done.segments > 0 => tracing::info!(
                        first = done.first.0,
                        events = done.events,
                        bytes = done.bytes,
                        "history was dropped, as told; its figures stay"
                    ),
                    Ok(_) => {}
                    Err(error) => tracing::error!(%error, "history could not be dropped; trying again later"),
                }
            }
            clock.sleep(LOOKS_EVERY).await;
        }
    })
}
