//! Frames one after the other: that each follows on the one before, in positions, times, versions and seqs.
//!
//! Invariant: after a frame that cannot be read, what follows is checked on its own; only what would go on from the
//! lost frame is not asked for.

use std::path::{Path, PathBuf};

use pegcount_domain::envelope::{Position, StreamName};

use super::Report;
use crate::{
    content::Fingerprints,
    frame::{Frame, FrameError},
    keys::Names,
    segment::{Contents, FrameAt},
};

/// What the frames of one part say.
pub(super) struct Walk {
    path: PathBuf,
    pub(super) contents: Contents,
    pub(super) next: Position,
    pub(super) last_recorded_at: i64,
    pub(super) good_frames: u64,
    /// No frame was lost.
    pub(super) whole: bool,
}

impl Walk {
    pub(super) fn new(path: &Path, next: Position, last_recorded_at: i64) -> Self {
        let contents = Contents::default();
        Self { path: path.to_owned(), contents, next, last_recorded_at, good_frames: 0, whole: true }
    }

    /// Frames up to `next` are lost.
    pub(super) fn lost(&mut self, next: Position) {
        self.whole = false;
        self.next = next;
    }

    /// Takes the next frame, which `at` describes and which has these bytes.
    pub(super) fn take(
        &mut self,
        at: FrameAt,
        bytes: &[u8],
        names: &Names,
        said: &mut Fingerprints,
        report: &mut Report,
    ) {
        let number = self.contents.frames.len();
        let place = format!("frame {number} at byte {}", at.offset);
        match self.checked(&at, bytes) {
            Ok(frame) => {
                self.follows(&frame, &place, names, report);
                self.contents.take(&frame, at, names, said);
                self.good_frames += 1;
                self.next = frame.last().next();
                self.last_recorded_at = frame.last_recorded_at().0.max(self.last_recorded_at);
            }
            Err(what) => {
                report.damage(&self.path, at.first, format!("{place}: {what}"));
                // Its number is used up.
                self.contents.frames.push(at);
                self.lost(at.first);
            }
        }
    }

    fn checked(&self, at: &FrameAt, bytes: &[u8]) -> Result<Frame, String> {
        let frame = Frame::decode(bytes).map_err(|error: FrameError| error.to_string())?;
        if frame.first() != at.first {
            return Err(format!("it begins at position {} instead of {}", frame.first(), at.first));
        }
        // After a lost frame nobody knows where it ended.
        let begins = if self.whole { frame.first() == self.next } else { frame.first() >= self.next };
        if begins { Ok(frame) } else { Err(format!("it begins where position {} is next", self.next)) }
    }

    fn follows(&self, frame: &Frame, place: &str, names: &Names, report: &mut Report) {
        let mut wrong = |position, what: String| {
            report.damage(&self.path, position, format!("{place}: {what}"));
        };
        for entry in frame.streams() {
            let name =
                StreamName { site: frame.text(entry.site), kind: entry.kind, id: frame.text(entry.id) };
            let before = self.contents.version(names.stream(&name));
            if let Some(before) = before
                && !follows(self.whole, before, entry.first)
            {
                let what = format!("stream {name} goes on with version {} after {before}", entry.first);
                wrong(frame.first(), what);
            }
        }
        let mut recorded_at = self.last_recorded_at;
        for event in frame.events() {
            let envelope = &event.envelope;
            if envelope.recorded_at.0 < recorded_at {
                let what = format!("it was recorded at {} µs, before {recorded_at}", envelope.recorded_at.0);
                wrong(envelope.position, what);
            }
            recorded_at = envelope.recorded_at.0;
        }
        self.seqs_follow(frame, names, wrong);
    }

    fn seqs_follow(&self, frame: &Frame, names: &Names, mut wrong: impl FnMut(Position, String)) {
        // By counter, as the frame numbers its texts: the seq that it has come to.
        let mut reached = rustc_hash::FxHashMap::default();
        for event in frame.events() {
            let envelope = &event.envelope;
            let (Some(at), Some(to)) = (envelope.source_seq, event.seq_to) else { continue };
            let before = reached.insert((event.site, event.source, at.epoch), to).or_else(|| {
                let key = names.counter(envelope.stream.site, envelope.source, at.epoch);
                self.contents.last_seq(key)
            });
            if let Some(before) = before
                && !follows(self.whole, before, at.seq)
            {
                let what = format!("source {} goes on with seq {} after {before}", envelope.source, at.seq);
                wrong(envelope.position, what);
            }
        }
    }
}

/// Whether `first` comes after `before`: at once, or some time after if what lay between is lost.
pub(super) fn follows(whole: bool, before: u64, first: u64) -> bool {
    if whole { before.checked_add(1) == Some(first) } else { first > before }
}
