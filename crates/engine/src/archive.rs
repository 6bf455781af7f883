//! What rebuilding starts from once the log's first events are gone: the figures as of a position, and what the boards
//! need of the events that go.
//!
//! Of events those are kept that what is still going on needs: definitions, each agent's last session, contacts that have
//! not ended, tickets that are not over or put away, customers' files. Invariant: boards made of these and of what follows show agents, open contacts
//! and open tickets as boards made of everything do.

use pegcount_domain::envelope::{Position, StreamKind};
use pegcount_domain::event::EventType;
use pegcount_kpi::Kpi;
use pegcount_log::{Archive, EventLog, Frame, FrameEvent, tools::FrameEncoder};
use pegcount_proto::stored;
use prost::Message;
use rustc_hash::FxHashMap;

use crate::{boards::Boards, error::EngineError, figures::Figures, follow::Fold};

/// The version of the form.
const FORM: u32 = 1;
/// The level at which it is compressed: it is written seldom, and kept for long.
const ZSTD_LEVEL: i32 = 6;

/// An archive that has been read.
pub(crate) struct Opened {
    pub(crate) seed: u64,
    pub(crate) figures: Figures,
    /// As of the last event that may be gone.
    pub(crate) boards: Boards,
    pub(crate) kept: Vec<Frame>,
}

impl Opened {
    /// Reads an archive. Errors: one that a newer program made; damage that its checksum did not tell.
    pub(crate) fn read(archive: &Archive) -> Result<Self, EngineError> {
        let what = |what: String| EngineError::Archive { position: archive.position, what };
        let bytes = zstd::decode_all(archive.bytes.as_slice()).map_err(|error| what(error.to_string()))?;
        let message = stored::EngineArchive::decode(bytes.as_slice());
        let message = message.map_err(|error| what(error.to_string()))?;
        if message.pegcount_archive != FORM {
            let form = message.pegcount_archive;
            return Err(what(format!(
                "it has form {form}, and this program knows form {FORM}: use a newer program"
            )));
        }
        let kpi = Kpi::restored(&message.figures).map_err(|error| what(error.to_string()))?;
        if kpi.position() != archive.position {
            return Err(what(format!("its figures stand at {}", kpi.position())));
        }
        let kept = message.kept.iter().map(|bytes| Frame::decode(bytes));
        let kept: Vec<Frame> = kept.collect::<Result<_, _>>().map_err(|error| what(error.to_string()))?;
        let kept_to = Position(message.kept_to);
        let mut boards = Boards::default();
        for frame in &kept {
            boards.apply(frame);
        }
        boards.go_on_from(&message, kept_to).map_err(|error| what(error.to_string()))?;
        let figures = Figures::restored(kpi, message.seed);
        Ok(Self { seed: message.seed, figures, boards, kept })
    }
}

/// The events that an archive keeps of what is gone, in the order of their positions. Errors: as [`Opened::read`].
pub(crate) fn kept_frames(archive: &Archive) -> Result<Vec<Frame>, EngineError> {
    let what = |what: String| EngineError::Archive { position: archive.position, what };
    let bytes = zstd::decode_all(archive.bytes.as_slice()).map_err(|error| what(error.to_string()))?;
    let message = stored::EngineArchive::decode(bytes.as_slice()).map_err(|error| what(error.to_string()))?;
    let frames = message.kept.iter().map(|bytes| Frame::decode(bytes));
    frames.collect::<Result<_, _>>().map_err(|error| what(error.to_string()))
}

/// Collects what is to be kept of the events up to a position.
pub(crate) struct Keeper {
    boards: Boards,
    /// Where each agent's last session began or ended, or its last event.
    sessions: FxHashMap<(String, String), (bool, Position)>,
    encoder: FrameEncoder,
    kept: Vec<Vec<u8>>,
    up_to: Position,
}

impl Keeper {
    /// Goes through what is kept so far, and through the log from its first event to `up_to`. Reads it twice.
    pub(crate) async fn collect(
        log: &dyn EventLog,
        before: Option<&Archive>,
        up_to: Position,
    ) -> Result<Self, EngineError> {
        let before = before.map(Opened::read).transpose()?;
        let (boards, kept) = before.map_or_else(Default::default, |before| (before.boards, before.kept));
        let (sessions, encoder) = (FxHashMap::default(), FrameEncoder::default());
        let mut keeper = Self { boards, sessions, encoder, kept: Vec::new(), up_to };
        for frame in &kept {
            keeper.note(frame);
        }
        let mut next = log.first();
        while let Some(frame) = keeper.next(log, &mut next).await? {
            keeper.boards.apply(&frame);
            keeper.note(&frame);
        }
        for frame in &kept {
            keeper.keep(frame)?;
        }
        let mut next = log.first();
        while let Some(frame) = keeper.next(log, &mut next).await? {
            keeper.keep(&frame)?;
        }
        Ok(keeper)
    }

    async fn next(
        &self,
        log: &dyn EventLog,
        next: &mut Position,
    ) -> Result<Option<std::sync::Arc<Frame>>, EngineError> {
        if *next > self.up_to {
            return Ok(None);
        }
        let frame = log.read(*next).await?;
        *next = frame.as_ref().map_or(*next, |frame| frame.last().next());
        Ok(frame)
    }

    fn note(&mut self, frame: &Frame) {
        for event in frame.events().filter(|event| event.envelope.stream.kind == StreamKind::Agent) {
            let envelope = &event.envelope;
            let agent = (envelope.stream.site.to_owned(), envelope.stream.id.to_owned());
            let session = matches!(envelope.event_type, EventType::SIGNED_IN | EventType::SIGNED_OUT);
            let entry = self.sessions.entry(agent).or_insert((session, envelope.position));
            if session || !entry.0 {
                *entry = (session, envelope.position);
            }
        }
    }

    fn keep(&mut self, frame: &Frame) -> Result<(), EngineError> {
        let wanted: Vec<Position> =
            frame.events().filter(|event| self.wants(event)).map(|event| event.envelope.position).collect();
        if !wanted.is_empty() {
            let frames =
                self.encoder.encode_some(frame, |position| wanted.binary_search(&position).is_ok())?;
            self.kept.extend(frames);
        }
        Ok(())
    }

    fn wants(&self, event: &FrameEvent<'_>) -> bool {
        let envelope = &event.envelope;
        let (site, id) = (envelope.stream.site, envelope.stream.id);
        match envelope.stream.kind {
            StreamKind::Agent => {
                let session = self.sessions.get(&(site.to_owned(), id.to_owned()));
                session.is_some_and(|(_, begins)| envelope.position >= *begins)
            }
            StreamKind::Contact => self.boards.has_open_contact(site, id),
            StreamKind::Ticket => self.boards.has_open_ticket(site, id),
            StreamKind::Definition => {
                !matches!(envelope.event_type, EventType::HISTORY_CLOSED | EventType::HISTORY_DROPPED)
            }
            // Few have a file, and all that was done with it stays on record.
            StreamKind::Customer => true,
            StreamKind::Quarantine => false,
        }
    }

    /// The archive, with the figures as they are at `position`.
    pub(crate) fn archive(
        self,
        seed: u64,
        figures: Vec<u8>,
        position: Position,
    ) -> Result<Archive, EngineError> {
        let message = stored::EngineArchive {
            pegcount_archive: FORM,
            seed,
            figures: figures.into(),
            kept_to: self.up_to.0,
            kept: self.kept.into_iter().map(Into::into).collect(),
            ..self.boards.kept()
        };
        let bytes = zstd::encode_all(message.encode_to_vec().as_slice(), ZSTD_LEVEL);
        let bytes = bytes.map_err(|error| EngineError::Archive { position, what: error.to_string() })?;
        Ok(Archive { position, bytes })
    }
}
