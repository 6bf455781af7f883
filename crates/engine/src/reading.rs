//! The log as it is, for people and subscribers: pages, and a stream that begins anywhere.

use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use pegcount_domain::{
    envelope::SourceSeq,
    envelope::{Position, StreamName, Version},
    event::{Event, EventType},
    ids::{CommandId, Name},
    time::Micros,
};
use pegcount_log::{Filter, Frame, FrameEvent, ReadQuery, tools::FrameEncoder};

use crate::{engine::Engine, error::EngineError, options::LOG_PAGE_EVENTS_MAX, recorded::named_event};

/// One stored event with its envelope, its names as texts.
#[derive(Clone, Debug)]
pub struct ReadEvent {
    /// Its place in the log.
    pub position: Position,
    /// Its stream.
    pub stream: StreamName,
    /// Its place in the stream.
    pub version: Version,
    /// Its type.
    pub event_type: EventType,
    /// The version of the type's payload.
    pub schema_version: u16,
    /// When it happened.
    pub occurred_at: Micros,
    /// Its time lay in the future; it counts as having happened when it was written.
    pub clamped: bool,
    /// When it happened, by the source's clock.
    pub source_time: Micros,
    /// When it was written.
    pub recorded_at: Micros,
    /// Who said it.
    pub actor: Name,
    /// On whose behalf.
    pub on_behalf_of: Option<Name>,
    /// The source.
    pub source: Name,
    /// Its place in the source's counter.
    pub source_seq: Option<SourceSeq>,
    /// The command.
    pub command_id: Option<CommandId>,
    /// What happened.
    pub event: Event,
}

/// A page of the log.
#[derive(Clone, Debug)]
pub struct LogPage {
    /// Events in the order asked for.
    pub events: Vec<ReadEvent>,
    /// Where to go on: forward, the end plus one when there is no more yet; backward, [`Position::START`] at the end.
    pub next: Position,
}

impl Engine {
    /// At most `limit` events that pass `filter`, from `from` on, as [`Self::read_log_page`].
    pub async fn read_log(
        &self,
        from: Position,
        limit: usize,
        filter: &Filter,
    ) -> Result<LogPage, EngineError> {
        self.read_log_page(&ReadQuery::forward(from, limit).of(filter.clone())).await
    }

    /// The events that a query asks for, at most [`LOG_PAGE_EVENTS_MAX`]; what each page looks at is bounded by the log,
    /// so one may be empty though there is more (see [`EventLog::read_page`](pegcount_log::EventLog::read_page)).
    pub async fn read_log_page(&self, query: &ReadQuery) -> Result<LogPage, EngineError> {
        let limit = query.limit.clamp(1, LOG_PAGE_EVENTS_MAX);
        let page = self.log.read_page(&ReadQuery { limit, ..query.clone() }).await?;
        let events: Result<Vec<_>, _> =
            page.events().map(|(frame, event)| read_event(frame, &event)).collect();
        Ok(LogPage { events: events?, next: page.next })
    }

    /// The events that pass `filter` from `from` on: first what is there, then what comes. Each item goes with the
    /// position up to which the log has been looked at; one without events only says that.
    pub fn subscribe_log(
        &self,
        from: Position,
        filter: Filter,
    ) -> impl Stream<Item = Result<(Vec<ReadEvent>, Position), EngineError>> + Send + use<> {
        self.log.subscribe_to(from.max(Position::START.next()), filter).map(|delivery| {
            let delivery = delivery?;
            let events: Result<Vec<_>, _> =
                delivery.events().map(|(frame, event)| read_event(frame, &event)).collect();
            Ok((events?, delivery.reached))
        })
    }

    /// The frames from `from` on to the end of this moment, as bytes; the first one begins at `from`.
    pub fn encoded_frames(
        &self,
        from: Position,
    ) -> impl Stream<Item = Result<Vec<u8>, EngineError>> + Send + use<> {
        let (log, end) = (Arc::clone(&self.log), self.log.end());
        let first = Some((from.max(Position::START.next()), FrameEncoder::default()));
        futures_util::stream::unfold(first, move |state| {
            let log = Arc::clone(&log);
            async move {
                let (next, mut encoder) = state.filter(|(next, _)| *next <= end)?;
                match log.read(next).await {
                    Ok(Some(frame)) => {
                        let bytes = encoder.encode(&frame.trimmed(next)).map_err(EngineError::from);
                        Some((bytes, Some((frame.last().next(), encoder))))
                    }
                    Ok(None) => None,
                    Err(error) => Some((Err(error.into()), None)),
                }
            }
        })
    }

    /// The position of the last durable event.
    pub fn end(&self) -> Position {
        self.log.end()
    }
}

/// Copies an event out of its frame.
pub(crate) fn read_event(frame: &Frame, event: &FrameEvent<'_>) -> Result<ReadEvent, EngineError> {
    let envelope = &event.envelope;
    // Every text in the log was a name when it went in; one that is not any more would be damage that the frame's
    // checksum has missed.
    let text = |text: &str| Name::new(text).unwrap_or(Name::fixed("?"));
    Ok(ReadEvent {
        position: envelope.position,
        stream: StreamName {
            site: text(envelope.stream.site),
            kind: envelope.stream.kind,
            id: text(envelope.stream.id),
        },
        version: envelope.version,
        event_type: envelope.event_type,
        schema_version: envelope.schema_version,
        occurred_at: envelope.occurred_at,
        clamped: envelope.clamped,
        source_time: envelope.source_time,
        recorded_at: envelope.recorded_at,
        actor: text(envelope.actor),
        on_behalf_of: envelope.on_behalf_of.map(text),
        source: text(envelope.source),
        source_seq: envelope.source_seq,
        command_id: envelope.command_id,
        event: named_event(frame, event)
            .map_err(|source| EngineError::Decode { position: envelope.position.0, source })?,
    })
}
