//! Checkpoints: both folds as they were at a position, on disk beside the log, so that a start folds only what came after.
//!
//! - [`file`]: one of them as a file; [`spacing`]: which of them stay; [`maker`]: making them
//!
//! Not needed: without them, or with bad ones, a start folds more. Invariant: what is gone on from was made by this code,
//! for this log, and all that it holds has been checked.

mod file;
mod maker;
mod spacing;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use pegcount_domain::{envelope::Position, ids::Incarnation, time::Micros};
use pegcount_log::EventLog;
use tokio::sync::oneshot;

use crate::{boards::Boards, corrections::event_at, error::EngineError, figures::Figures};

pub use maker::Checkpointing;
pub(crate) use maker::{Maker, spawn};

/// The folder of checkpoints, beside the log's.
const FOLDER: &str = "checkpoints";
const EXTENSION: &str = "checkpoint";

/// The checkpoints of one log.
#[derive(Clone, Debug)]
pub(crate) struct Checkpoints {
    dir: PathBuf,
    incarnation: Incarnation,
}

/// A file that may be a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    path: PathBuf,
    position: Position,
    bytes: u64,
}

/// The newest checkpoint of a data folder, read while its log is still being opened; whether it fits the log is asked later.
#[derive(Default)]
pub(crate) struct ReadAhead(Option<(PathBuf, Box<file::Restored>)>);

impl ReadAhead {
    /// Begins to read it, on a thread that nobody waits for unless the log could be opened.
    pub(crate) fn begin(data_dir: PathBuf) -> oneshot::Receiver<Self> {
        let (tell, told) = oneshot::channel();
        std::thread::spawn(move || tell.send(Self::of(&data_dir)));
        told
    }

    /// Reads it, if this code made it: what other code has written is not to be decoded. What cannot be read is told of by
    /// whoever asks for it then.
    fn of(data_dir: &Path) -> Self {
        let newest = found_in(&data_dir.join(FOLDER)).pop();
        Self(newest.and_then(|Found { path, .. }| {
            file::head(&path).ok().filter(|head| head.folding == file::FOLDING)?;
            let restored = file::read(&path, true).ok()?;
            Some((path, Box::new(restored)))
        }))
    }

    /// What stands in a file, if that is the one.
    fn take(&mut self, path: &Path) -> Option<file::Restored> {
        let (_, restored) = self.0.take_if(|(own, _)| own == path)?;
        Some(*restored)
    }
}

/// Both folds at a checkpoint.
pub(crate) struct Standing {
    pub(crate) seed: u64,
    pub(crate) figures: Figures,
    pub(crate) boards: Boards,
}

impl Checkpoints {
    /// Those in a data folder. What can never be gone on from is told and removed: drafts, and those that stand beyond
    /// the log's end, where other events will come to stand.
    pub(crate) fn of(data_dir: &Path, log: &dyn EventLog) -> Self {
        let checkpoints = Self { dir: data_dir.join(FOLDER), incarnation: log.incarnation() };
        let end = log.end();
        for draft in checkpoints.files("new") {
            let _ = fs::remove_file(draft);
        }
        for found in checkpoints.found().into_iter().filter(|found| found.position > end) {
            let reason = file::Unusable::Beyond { at: found.position, end };
            tracing::warn!(file = %found.path.display(), %reason, "a checkpoint is removed");
            let _ = fs::remove_file(found.path);
        }
        checkpoints
    }

    fn files(&self, extension: &str) -> Vec<PathBuf> {
        files_in(&self.dir, extension)
    }

    /// Those that there are, the oldest first.
    fn found(&self) -> Vec<Found> {
        found_in(&self.dir)
    }

    fn path(&self, position: Position) -> PathBuf {
        self.dir.join(format!("{:020}.{EXTENSION}", position.0))
    }

    /// The position of the last one at or before `position`, if it turns out to be good.
    pub(crate) fn nearest(&self, position: Position) -> Option<Position> {
        self.found().iter().rev().map(|found| found.position).find(|at| *at <= position)
    }

    /// The folds at the last good one at or before `position`; keeps a thread busy for a while, unless it is the one that
    /// has been read ahead.
    pub(crate) async fn standing(
        &self,
        log: &dyn EventLog,
        position: Position,
        ahead: ReadAhead,
    ) -> Option<Standing> {
        let restored = self.restored(log, position, (true, ahead)).await?;
        Some(Standing { seed: restored.head.seed, figures: restored.figures, boards: restored.boards? })
    }

    /// The figures alone.
    pub(crate) async fn figures(&self, log: &dyn EventLog, position: Position) -> Option<Figures> {
        Some(self.restored(log, position, (false, ReadAhead::default())).await?.figures)
    }

    async fn restored(
        &self,
        log: &dyn EventLog,
        position: Position,
        (with_boards, mut ahead): (bool, ReadAhead),
    ) -> Option<file::Restored> {
        let first = log.first();
        let usable = |found: &Found| found.position <= position && found.position.next() >= first;
        for found in self.found().into_iter().rev().filter(usable) {
            match self.good(&found, log, (with_boards, &mut ahead)).await {
                Ok(restored) => return Some(restored),
                // Another thread made room.
                Err(file::Unusable::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
                Err(reason) => {
                    tracing::warn!(file = %found.path.display(), %reason, "a checkpoint is ignored");
                }
            }
        }
        None
    }

    async fn good(
        &self,
        found: &Found,
        log: &dyn EventLog,
        (with_boards, ahead): (bool, &mut ReadAhead),
    ) -> Result<file::Restored, file::Unusable> {
        let ahead = ahead.take(&found.path);
        let head = match &ahead {
            Some(restored) => restored.head.clone(),
            None => file::head(&found.path)?,
        };
        if head.folding != file::FOLDING {
            return Err(file::Unusable::OtherCode);
        }
        if head.incarnation != self.incarnation {
            return Err(file::Unusable::OtherIncarnation);
        }
        if head.position != found.position {
            return Err(file::Unusable::Damaged("it is named for another position"));
        }
        let at = head.position;
        let known = recorded_at(log, at).await.map_err(|error| io::Error::other(error.to_string()))?;
        if known.is_some() && known != head.recorded_at {
            return Err(file::Unusable::OtherHistory(at));
        }
        ahead.map_or_else(|| file::read(&found.path, with_boards), Ok)
    }

    /// Writes one, and removes those that need not stay. Gives its length, bytes.
    fn write(
        &self,
        (figures, boards): (&Figures, &Boards),
        recorded_at: Option<Micros>,
        first: Position,
        keep: &Checkpointing,
        stopped: impl Fn() -> bool,
    ) -> Result<u64, file::Unwritten> {
        fs::create_dir_all(&self.dir)?;
        let head = file::Head {
            folding: file::FOLDING.to_owned(),
            incarnation: self.incarnation,
            position: figures.kpi.position(),
            recorded_at,
            seed: figures.seed(),
        };
        let bytes = file::write(&self.path(head.position), &head, boards, &figures.kpi, stopped)?;
        let (found, dropped): (Vec<Found>, Vec<Found>) =
            self.found().into_iter().partition(|found| found.position.next() >= first);
        for gone in dropped.iter().chain(spacing::superfluous(&found, keep)) {
            let _ = fs::remove_file(&gone.path);
        }
        Ok(bytes)
    }
}

fn files_in(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|known| known == extension)).collect()
}

/// The checkpoints of a folder, the oldest first.
fn found_in(dir: &Path) -> Vec<Found> {
    let known = |path: PathBuf| {
        let position = path.file_stem()?.to_str()?.parse().map(Position).ok()?;
        let bytes = fs::metadata(&path).ok()?.len();
        Some(Found { path, position, bytes })
    };
    let mut found: Vec<Found> = files_in(dir, EXTENSION).into_iter().filter_map(known).collect();
    found.sort_unstable_by_key(|found| found.position);
    found
}

/// When the event at a position was recorded; none if there is none.
async fn recorded_at(log: &dyn EventLog, position: Position) -> Result<Option<Micros>, EngineError> {
    if position < log.first() {
        return Ok(None);
    }
    let frame = log.read(position).await?;
    let event = frame.as_deref().and_then(|frame| event_at(frame, position));
    Ok(event.map(|event| event.envelope.recorded_at))
}

/// For threads of their own.
type SharedLog = Arc<dyn EventLog>;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use pegcount_log::MemoryLog;

    use super::*;

    fn head(log: &dyn EventLog) -> file::Head {
        file::Head {
            folding: file::FOLDING.to_owned(),
            incarnation: log.incarnation(),
            position: Position::START,
            recorded_at: None,
            seed: 7,
        }
    }

    /// A checkpoint of nothing, with this head, and what is said of it.
    async fn said(head: file::Head, spoil: impl FnOnce(&Path)) -> Result<u64, String> {
        let (dir, log) = (tempfile::tempdir().unwrap(), MemoryLog::new());
        let head = file::Head { incarnation: Incarnation(head.incarnation.0 ^ log.incarnation().0), ..head };
        let checkpoints = Checkpoints::of(dir.path(), &log);
        fs::create_dir_all(&checkpoints.dir).unwrap();
        let path = checkpoints.path(Position::START);
        let figures = Figures::new(head.seed);
        file::write(&path, &head, &Boards::default(), &figures.kpi, || false).unwrap();
        spoil(&path);
        let found = checkpoints.found();
        assert_eq!(found.len(), 1);
        let good = checkpoints.good(&found[0], &log, (true, &mut ReadAhead::default())).await;
        good.map(|restored| restored.figures.seed()).map_err(|reason| reason.to_string())
    }

    /// Of the log's own incarnation: what [`said`] lays over it changes nothing.
    fn own() -> file::Head {
        file::Head { incarnation: Incarnation(0), ..head(&MemoryLog::new()) }
    }

    #[tokio::test]
    async fn what_is_wrong_with_a_checkpoint_is_said() {
        assert_eq!(said(own(), |_| ()).await, Ok(7));
        let other_code = file::Head { folding: "1".to_owned(), ..own() };
        assert_eq!(said(other_code, |_| ()).await.unwrap_err(), "other code made it");
        let foreign = file::Head { incarnation: Incarnation(1), ..own() };
        assert_eq!(
            said(foreign, |_| ()).await.unwrap_err(),
            "it belongs to another incarnation of the log (it was restored since, or the file is foreign)"
        );
        let elsewhere = file::Head { position: Position(9), ..own() };
        assert_eq!(
            said(elsewhere, |_| ()).await.unwrap_err(),
            "it is damaged: it is named for another position"
        );
        let flipped = |path: &Path| {
            let mut bytes = fs::read(path).unwrap();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            fs::write(path, bytes).unwrap();
        };
        assert_eq!(said(own(), flipped).await.unwrap_err(), "it is damaged: a checksum is wrong");
        let nothing = |path: &Path| fs::write(path, b"nothing of the kind").unwrap();
        assert_eq!(
            said(own(), nothing).await.unwrap_err(),
            "it is damaged: it does not begin as a checkpoint does"
        );
    }

    #[test]
    fn only_what_this_code_made_is_read_ahead() {
        let (dir, log) = (tempfile::tempdir().unwrap(), MemoryLog::new());
        let checkpoints = Checkpoints::of(dir.path(), &log);
        fs::create_dir_all(&checkpoints.dir).unwrap();
        let path = checkpoints.path(Position::START);
        let figures = Figures::new(7);
        for (folding, is_read) in [(file::FOLDING, true), ("1", false)] {
            let head = file::Head { folding: folding.to_owned(), ..head(&log) };
            file::write(&path, &head, &Boards::default(), &figures.kpi, || false).unwrap();
            assert_eq!(ReadAhead::of(dir.path()).take(&path).is_some(), is_read, "made by {folding}");
        }
        assert!(ReadAhead::of(&dir.path().join("elsewhere")).take(&path).is_none());
    }

    #[test]
    fn drafts_and_what_stands_beyond_the_log_are_removed_at_the_start() {
        let (dir, log) = (tempfile::tempdir().unwrap(), MemoryLog::new());
        let folder = dir.path().join(FOLDER);
        fs::create_dir_all(&folder).unwrap();
        let names = [
            "00000000000000000000.checkpoint",
            "00000000000000000005.checkpoint",
            "00000000000000000003.new",
        ];
        for name in names {
            fs::write(folder.join(name), b"").unwrap();
        }
        let found = Checkpoints::of(dir.path(), &log).found();
        assert_eq!(found.iter().map(|found| found.position.0).collect::<Vec<_>>(), [0]);
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
    }
}
