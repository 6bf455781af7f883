//! The log into the auditor, frame by frame, and its numbers with names.
//!
//! What was dropped of the log begins with the facts that its archive keeps: those of open sessions and contacts. Invariant:
//! the auditor stands exactly where it was asked to stand, never further.

use std::sync::Arc;

use pegcount_audit::{Auditor, Counts, Difference, Limits, Subject};
use pegcount_domain::{
    envelope::{Position, Recorded, StreamKind},
    event::{Event, EventType},
    ids::{Key, Name},
    time::{Micros, Span},
};
use pegcount_log::{EventLog, Frame};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{archive::kept_frames, error::EngineError, recorded::FrameKeys};

/// At most so many frames are gone through before others get their turn.
const FRAMES_AT_ONCE: usize = 16;

pub(super) struct Reader {
    pub(super) auditor: Auditor,
    log: Arc<dyn EventLog>,
    keys: FrameKeys,
    names: FxHashMap<Key, Name>,
}

/// What cannot be counted, and from when on.
pub(super) type Doubts = Vec<(Subject<Name>, Micros)>;

impl Reader {
    /// At the log's beginning, or where its archive lets it begin.
    pub(super) async fn begin(
        log: &Arc<dyn EventLog>,
        seed: u64,
        limits: Limits,
        held: FxHashSet<Key>,
    ) -> Result<Self, EngineError> {
        let mut reader = Self {
            auditor: Auditor::holding(limits, held),
            log: Arc::clone(log),
            keys: FrameKeys::new(seed),
            names: FxHashMap::default(),
        };
        if let Some(archive) = log.archive(None).await? {
            let before = log.first();
            for frame in kept_frames(&archive)? {
                reader.take(&frame, Position(before.0.saturating_sub(1)));
            }
            reader.auditor.stand_at(Position(before.0.saturating_sub(1)));
        }
        Ok(reader)
    }

    /// Goes on to `position`, which is durable.
    pub(super) async fn read_up_to(&mut self, position: Position) -> Result<(), EngineError> {
        self.read_up_to_telling(position, &mut |_| {}).await
    }

    /// The same; tells how far it has come.
    pub(super) async fn read_up_to_telling(
        &mut self,
        position: Position,
        tell: &mut (dyn FnMut(Position) + Send),
    ) -> Result<(), EngineError> {
        let mut frames = 0;
        while self.auditor.position() < position {
            let Some(frame) = self.log.read(self.auditor.position().next()).await? else { break };
            self.take(&frame, position);
            frames += 1;
            if frames % FRAMES_AT_ONCE == 0 {
                tell(self.auditor.position());
                tokio::task::yield_now().await;
            }
        }
        tell(self.auditor.position());
        Ok(())
    }

    /// Takes a frame's events up to `last` in.
    fn take(&mut self, frame: &Frame, last: Position) {
        self.keys.load(frame);
        let done = self.auditor.position();
        let events = frame.events();
        let wanted = events.filter(|event| {
            let envelope = &event.envelope;
            done < envelope.position && envelope.position <= last && matters(envelope.event_type)
        });
        for event in wanted {
            // One that cannot be decoded is left out of the figures too, and told of there.
            let Ok(recorded) = self.keys.recorded(&event) else { continue };
            self.auditor.apply(&recorded);
            for key in named_by(&recorded) {
                if !self.names.contains_key(&key)
                    && let Some(name) = self.keys.text_of(frame, key).and_then(|text| Name::new(text).ok())
                {
                    self.names.insert(key, name);
                }
            }
        }
        self.auditor.stand_at(frame.last().min(last));
    }

    /// The text behind a site, a queue or an agent.
    pub(super) fn name(&self, key: Key) -> Option<Name> {
        self.names.get(&key).cloned()
    }

    /// A text for everything: what nobody has named is told by its fingerprint.
    fn text(&self, key: Key) -> Name {
        let unnamed = || Name::new(&format!("{:032x}", key.0)).unwrap_or(Name::fixed("?"));
        self.name(key).unwrap_or_else(unnamed)
    }

    /// The numbers of a range, and what had to be left out of them.
    pub(super) fn count(&self, site: Key, range: Span, as_of: Micros) -> (Counts<Name>, Doubts) {
        let counted = self.auditor.count(site, range, as_of);
        let doubts = counted.doubts.into_iter().map(|(subject, from)| match subject {
            Subject::Visits => (Subject::Visits, from),
            Subject::Agents => (Subject::Agents, from),
            Subject::Agent(agent) => (Subject::Agent(self.text(agent)), from),
        });
        (counted.counts.named(|key| self.text(key)), doubts.collect())
    }

    /// The facts that a number is about.
    pub(super) fn behind(&self, site: Key, difference: &Difference<Name>) -> Vec<Position> {
        let who = difference.who.as_ref().map(|name| self.keys.of(name.as_str()));
        self.auditor.behind(site, difference.kind, who, difference.interval)
    }
}

/// What the auditor looks at. The rest of the log is most of it and need not be decoded.
fn matters(event_type: EventType) -> bool {
    !matches!(
        event_type,
        EventType::KEY_PRESSED
            | EventType::SUPERVISED
            | EventType::CONTACT_STARTED
            | EventType::CONTACT_IDENTIFIED
            | EventType::WRAPPED_UP
            | EventType::SURVEY_ANSWERED
            | EventType::REFUSED
            | EventType::SKIPPED
    ) && !event_type.is_of_ticket()
}

/// Sites, queues and agents.
fn named_by(recorded: &Recorded) -> impl Iterator<Item = Key> {
    let stream = recorded.stream;
    let (mut queue, mut agent) = (None, (stream.kind == StreamKind::Agent).then_some(stream.id));
    let event = match &recorded.event {
        Event::Amended { event, .. } => event,
        event => event,
    };
    match event {
        Event::Leg { leg, .. } => {
            queue = leg.queue.map(|queue| queue.0);
            agent = agent.or(leg.agent.map(|agent| agent.0));
        }
        Event::QueueEntered { queue: entered, .. } => queue = Some(entered.0),
        _ => {}
    }
    [Some(stream.site), queue, agent].into_iter().flatten()
}
