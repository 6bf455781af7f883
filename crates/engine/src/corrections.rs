//! Wrong facts are amended or annulled, never edited: a correction is one more event in the fact's own stream.
//!
//! Invariant: a correction's target is a fact of the same site and stream, told by a client, not itself a correction.

use pegcount_domain::{
    envelope::{Position, StreamKind, StreamName},
    event::{Event, EventType},
    ids::{CommandId, Name, SiteId},
    time::Micros,
};
use pegcount_log::{Append, AppendError, Expected, Filter, Frame, FrameEvent};
use pegcount_proto::CheckedFact;
use smallvec::smallvec;

use crate::{
    engine::Engine,
    error::EngineError,
    ingest::{new_event, set_customer},
    options::{DECISIONS_MAX, EARLIEST},
    recorded::named_event,
    source::ENGINE_SOURCE,
};

/// What is wrong about a stored fact.
#[derive(Clone, Debug)]
pub enum Correction {
    /// It never happened.
    Annul,
    /// It happened at another time, or otherwise.
    Amend {
        /// When it really happened; none: the time stays.
        occurred_at: Option<Micros>,
        /// What really happened; none: only the time changes.
        fact: Option<Box<CheckedFact>>,
    },
}

/// The same event at another time. A lost connection says its time itself.
fn moved_to(occurred_at: Micros, event: Event) -> Event {
    match event {
        Event::ConnectionLost { .. } => Event::ConnectionLost { last_heard: occurred_at },
        other => other,
    }
}

/// A stored fact that is to be corrected.
struct Target {
    stream: StreamName,
    occurred_at: Micros,
    event: Event,
}

impl Engine {
    /// Corrects the fact at `position`; returns the correction's own position. The same `command_id` twice acts once.
    pub async fn correct(
        &self,
        site: &SiteId,
        position: Position,
        correction: Correction,
        reason: &str,
        actor: &Name,
        command_id: CommandId,
    ) -> Result<Position, EngineError> {
        let reason = Name::new(reason).map_err(|error| EngineError::invalid("reason", error.to_string()))?;
        for _ in 0..DECISIONS_MAX {
            self.caught_up(self.log.end()).await?;
            let target = self.target(site, position).await?;
            if let Some(done) = self.carried_out(command_id, std::slice::from_ref(&target.stream))? {
                return Ok(done.position);
            }
            let version = self.log.version(&target.stream)?;
            let target = self.as_corrected(position, target).await?;
            let event = self.corrected(site, position, &target, correction.clone(), reason.clone()).await?;
            let now = self.clock.now();
            let mut new = new_event(target.stream.clone(), &event, now, now, actor.clone());
            new.command_id = Some(command_id);
            new.causation = Some(position);
            let append = Append {
                source: Name::fixed(ENGINE_SOURCE),
                batch: None,
                skip_to: None,
                expected: smallvec![(target.stream, Expected::Version(version))],
                events: vec![new],
            };
            match self.log.append(append).await {
                Ok(done) => {
                    self.caught_up(done.last).await?;
                    return Ok(done.last);
                }
                Err(AppendError::WrongVersion { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(EngineError::Precondition(format!(
            "the stream of position {position} changes faster than it can be corrected; tried {DECISIONS_MAX} \
             times: try again"
        )))
    }

    /// The event that says what `correction` asks for.
    async fn corrected(
        &self,
        site: &SiteId,
        position: Position,
        target: &Target,
        correction: Correction,
        reason: Name,
    ) -> Result<Event, EngineError> {
        let Correction::Amend { occurred_at, fact } = correction else {
            return Ok(Event::Annulled { target: position.0, reason });
        };
        let occurred_at = occurred_at.unwrap_or(target.occurred_at).min(self.clock.now());
        if occurred_at < EARLIEST {
            return Err(EngineError::invalid("occurred_at_us", "lies before 1980"));
        }
        let event = match fact {
            Some(fact) => self.replacement(site, &target.stream, *fact).await?,
            None => moved_to(occurred_at, target.event.clone()),
        };
        Ok(Event::Amended { target: position.0, reason, occurred_at, event: Box::new(event) })
    }

    /// The new fact, which must be of the target's stream.
    async fn replacement(
        &self,
        site: &SiteId,
        stream: &StreamName,
        mut fact: CheckedFact,
    ) -> Result<Event, EngineError> {
        if fact.kind != stream.kind || fact.id != stream.id {
            return Err(EngineError::Precondition(format!(
                "the new fact is about {} {}, the old one about {} {}: annul the old one and send the new one",
                fact.kind.word(),
                fact.id,
                stream.kind.word(),
                stream.id
            )));
        }
        if let Some(caller) = fact.caller.take()
            && let Some(customer) = self.name_customer(site, caller).await?
        {
            set_customer(&mut fact.event, customer);
        }
        Ok(fact.event)
    }

    /// The target as earlier corrections have left it: what an amendment leaves out stays as it is now, not as it was
    /// first told. Reads the log from the target on; corrections are rare.
    async fn as_corrected(&self, position: Position, mut target: Target) -> Result<Target, EngineError> {
        let filter = Filter {
            site: Some(target.stream.site.clone()),
            kind: Some(target.stream.kind),
            id: Some(target.stream.id.clone()),
            types: smallvec![EventType::AMENDED, EventType::ANNULLED],
        };
        let mut next = position.next();
        while let Some(frame) = self.log.read(next).await? {
            for event in frame.events().filter(|event| filter.passes(&event.envelope)) {
                let at = event.envelope.position;
                let named = named_event(&frame, &event)
                    .map_err(|source| EngineError::Decode { position: at.0, source })?;
                match named {
                    Event::Annulled { target: annulled, .. } if annulled == position.0 => {
                        return Err(EngineError::Precondition(format!(
                            "the fact at position {position} was annulled at position {at}: send it anew instead"
                        )));
                    }
                    Event::Amended { target: amended, occurred_at, event, .. } if amended == position.0 => {
                        target.occurred_at = occurred_at;
                        target.event = *event;
                    }
                    _ => {}
                }
            }
            next = frame.last().next();
        }
        Ok(target)
    }

    async fn target(&self, site: &SiteId, position: Position) -> Result<Target, EngineError> {
        let missing = || EngineError::NotFound { what: "fact at position", id: position.to_string() };
        if position == Position::START || position > self.log.end() {
            return Err(missing());
        }
        let frame = self.log.read(position).await?.ok_or_else(missing)?;
        let event = event_at(&frame, position).ok_or_else(missing)?;
        let envelope = &event.envelope;
        if envelope.stream.site != site.as_str() {
            return Err(missing());
        }
        let is_fact = matches!(envelope.stream.kind, StreamKind::Agent | StreamKind::Contact)
            && envelope.event_type.0 < EventType::TICKET_OPENED.0;
        if !is_fact {
            return Err(EngineError::Precondition(format!(
                "position {position} holds {}, which is no fact about an agent or a contact",
                envelope.event_type.name()
            )));
        }
        let text = |text: &str| Name::new(text).map_err(|_| missing());
        Ok(Target {
            stream: StreamName {
                site: text(envelope.stream.site)?,
                kind: envelope.stream.kind,
                id: text(envelope.stream.id)?,
            },
            occurred_at: envelope.occurred_at,
            event: named_event(&frame, &event)
                .map_err(|source| EngineError::Decode { position: position.0, source })?,
        })
    }
}

/// The event of `frame` at `position`.
pub(crate) fn event_at(frame: &Frame, position: Position) -> Option<FrameEvent<'_>> {
    frame.events().find(|event| event.envelope.position == position)
}
