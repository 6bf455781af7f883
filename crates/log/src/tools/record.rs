//! One event exactly as the log holds it, apart from its frame: what a dump says, and what a frame is built of anew.
//!
//! Invariant: an event taken out of a frame and put into another is the same event, to the last byte.

use std::path::{Path, PathBuf};

use pegcount_domain::{
    envelope::{Position, StreamName, Version},
    ids::{Epoch, Name, NameError},
    time::Micros,
};

use crate::{
    api::{LogError, NewEvent},
    frame::{Frame, FrameBuilder, FrameEvent, Stamp},
    hot::door::failed,
};

/// The level that a running log uses.
const ZSTD_LEVEL: i32 = 1;

/// An event with everything that the log has given it.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// Its place in the log.
    pub position: Position,
    /// Its place in its stream.
    pub version: Version,
    /// When it was written.
    pub recorded_at: Micros,
    /// Its source.
    pub source: Name,
    /// Its place in the source's counter, if the source keeps one.
    pub seqs: Option<StoredSeqs>,
    /// What was appended; its times as they were told, even if they lay in the future.
    pub event: NewEvent,
}

/// A place in a source's counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredSeqs {
    /// The counter's epoch.
    pub epoch: Epoch,
    /// The first seq that the event uses up.
    pub first: u64,
    /// The last one; more than the first for a recorded gap.
    pub last: u64,
}

/// A text in a frame is not one that can have been appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("position {position}: a text {source}")]
pub struct StoredEventError {
    /// Of the event.
    pub position: Position,
    /// What is wrong with the text.
    pub source: NameError,
}

impl StoredEvent {
    /// The events of a frame, in order.
    pub fn all_of(frame: &Frame) -> Result<Vec<Self>, StoredEventError> {
        frame.events().map(|event| Self::of(frame, &event)).collect()
    }

    fn of(frame: &Frame, from: &FrameEvent<'_>) -> Result<Self, StoredEventError> {
        let envelope = &from.envelope;
        let position = envelope.position;
        let name = |text: &str| Name::new(text).map_err(|source| StoredEventError { position, source });
        let names = from.names.iter().map(|number| name(frame.text(*number)));
        let event = NewEvent {
            stream: StreamName {
                site: name(envelope.stream.site)?,
                kind: envelope.stream.kind,
                id: name(envelope.stream.id)?,
            },
            event_type: envelope.event_type,
            schema_version: envelope.schema_version,
            occurred_at: frame.told_at(position).unwrap_or(envelope.occurred_at),
            source_time: envelope.source_time,
            actor: name(envelope.actor)?,
            on_behalf_of: envelope.on_behalf_of.map(name).transpose()?,
            command_id: envelope.command_id,
            correlation: envelope.correlation,
            causation: envelope.causation,
            names: names.collect::<Result<_, _>>()?,
            payload: envelope.payload.into(),
        };
        let seqs = envelope.source_seq.zip(from.seq_to);
        let seqs = seqs.map(|(at, last)| StoredSeqs { epoch: at.epoch, first: at.seq, last });
        let (version, recorded_at) = (envelope.version, envelope.recorded_at);
        Ok(Self { position, version, recorded_at, source: name(envelope.source)?, seqs, event })
    }

    pub(super) fn stamp(&self) -> Stamp<'_> {
        Stamp {
            position: self.position,
            version: self.version,
            recorded_at: self.recorded_at,
            source: &self.source,
            seqs: self.seqs.map(|seqs| (seqs.epoch, seqs.first, seqs.last)),
        }
    }
}

/// Makes bytes of frames that were read.
#[derive(Default)]
pub struct FrameEncoder(Option<FrameBuilder>);

impl FrameEncoder {
    /// The bytes of `frame`; of its shown events only, if it was trimmed.
    ///
    /// Errors: a text that cannot have been appended is damage; zstd could not be set up.
    pub fn encode(&mut self, frame: &Frame) -> Result<Vec<u8>, LogError> {
        Ok(self.encode_some(frame, |_| true)?.concat())
    }

    /// The events of `frame` that are wanted, each run of them as a frame of its own.
    ///
    /// Errors: as [`Self::encode`].
    pub fn encode_some(
        &mut self,
        frame: &Frame,
        wanted: impl Fn(Position) -> bool,
    ) -> Result<Vec<Vec<u8>>, LogError> {
        let events = StoredEvent::all_of(frame).map_err(|error| LogError::Damaged {
            path: PathBuf::new(),
            position: error.position,
            what: error.to_string(),
        })?;
        let builder = match &mut self.0 {
            Some(builder) => builder,
            None => self.0.insert(new_builder(Path::new(""))?),
        };
        let mut frames = Vec::new();
        for event in &events {
            if wanted(event.position) {
                builder.push(&event.event, &event.stamp());
            } else if !builder.is_empty() {
                frames.push(builder.finish(false).1);
            }
        }
        if !builder.is_empty() {
            frames.push(builder.finish(false).1);
        }
        Ok(frames)
    }
}

/// A builder of frames as a running log makes them, for what is in `path`.
pub(super) fn new_builder(path: &Path) -> Result<FrameBuilder, LogError> {
    FrameBuilder::new(Some(ZSTD_LEVEL)).map_err(failed("set up zstd for", path))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use smallvec::SmallVec;

    use super::*;
    use crate::{
        api::{Append, EventLog, SourceBatch},
        memory::MemoryLog,
    };

    #[tokio::test]
    async fn a_frame_that_is_built_anew_says_the_same_even_of_times_in_the_future() {
        let log = Arc::new(MemoryLog::new());
        let name = |text: &str| Name::new(text).unwrap();
        let event = |id: &str| NewEvent {
            stream: StreamName {
                site: name("main"),
                kind: pegcount_domain::envelope::StreamKind::Agent,
                id: name(id),
            },
            event_type: pegcount_domain::event::EventType::READY,
            schema_version: 3,
            occurred_at: Micros(i64::MAX - 7),
            source_time: Micros(-5),
            actor: name("actor"),
            on_behalf_of: Some(name("other")),
            command_id: Some(pegcount_domain::ids::CommandId(9)),
            correlation: Some(8),
            causation: Some(Position(1)),
            names: SmallVec::from_iter([name("lunch"), name(id)]),
            payload: SmallVec::from_slice(&[1, 2, 3]),
        };
        let batch = Some(SourceBatch { epoch: Epoch(4), first_seq: 1 });
        let append = Append {
            source: name("phone"),
            batch,
            skip_to: None,
            expected: SmallVec::new(),
            events: vec![event("a"), event("b"), event("a")],
        };
        log.append(append).await.unwrap();
        let frame = log.read(Position(1)).await.unwrap().unwrap();
        let bytes = FrameEncoder::default().encode(&frame).unwrap();
        assert_eq!(Frame::decode(&bytes).unwrap(), *frame);
        let trimmed = FrameEncoder::default().encode(&frame.trimmed(Position(2))).unwrap();
        let trimmed = Frame::decode(&trimmed).unwrap();
        assert_eq!((trimmed.first(), trimmed.last()), (Position(2), Position(3)));
        let last = StoredEvent::all_of(&trimmed).unwrap().pop().unwrap();
        assert_eq!(last.event.occurred_at, Micros(i64::MAX - 7));
        assert_eq!((last.version, last.seqs.map(|seqs| (seqs.first, seqs.last))), (Version(2), Some((3, 3))));
    }
}
