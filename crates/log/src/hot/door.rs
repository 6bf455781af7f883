//! A log's folder as tools see it: its lock, what FORMAT, MARK and MANIFEST say, and the frames of its databases.
//!
//! Not for running the log. Invariant: nothing of the log is changed by looking (sled may write its snapshot);
//! only [`make`] writes, into a folder that is no log yet.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use pegcount_domain::{envelope::Position, ids::Incarnation};

use super::{
    database::{Database, panic_text},
    folder::{self, FORMAT_FILE, Folder, Format, database_path, mark_path},
    manifest::Manifest,
    mark::MarkFile,
    open::damaged,
    options::SledOptions,
};
use crate::{api::LogError, frame::Frame, keys::LogKey};

#[cfg(test)]
pub(crate) use super::archives::write_archive;
pub(crate) use super::{
    archives::NamedArchive,
    folder::{FORMAT, failed, sync_dir, write_aside},
    manifest::{History, named, named_line},
};

/// Keeps servers, and other tools, out of a folder until it is dropped.
pub(crate) struct Lock {
    _folder: Folder,
}

/// Locks a folder that is there.
pub(crate) fn lock(dir: &Path) -> Result<Lock, LogError> {
    Folder::open(dir).map(|folder| Lock { _folder: folder })
}

/// The log's incarnation and its key; no key in a folder of an older format. A missing FORMAT is damage.
pub(crate) fn identity(dir: &Path) -> Result<(Incarnation, Option<LogKey>), LogError> {
    let missing = || damaged(&dir.join(FORMAT_FILE), Position(1), "it is missing".to_owned());
    let Format { incarnation, key, .. } = folder::read_format(dir)?.ok_or_else(missing)?;
    Ok((incarnation, key))
}

/// The history that belongs to the log, and the numbers of its databases.
pub(crate) fn listed(dir: &Path) -> Result<(History, Vec<u64>), LogError> {
    let Manifest { history, sealing, hot, .. } = Manifest::required(dir)?;
    Ok((history, sealing.into_iter().chain([hot]).collect()))
}

/// What had been acknowledged.
pub(crate) fn marked(dir: &Path) -> Result<Position, LogError> {
    MarkFile::open(&mark_path(dir), false).map(|(_, position)| position)
}

pub(crate) fn mark_file(dir: &Path) -> PathBuf {
    mark_path(dir)
}

/// Puts what belongs around finished history into `dir`: an empty database, the mark, the manifest, and last FORMAT.
pub(crate) fn make(
    dir: &Path,
    incarnation: Incarnation,
    key: &LogKey,
    history: impl Into<History>,
) -> Result<(), LogError> {
    let folder = Folder::open(dir)?;
    let history = history.into();
    let end = history.end();
    let hot = history.segments.last().map_or(1, |named| named.number + 1);
    let dropped = history.stub.is_some();
    let (mark, _) = MarkFile::open(&mark_path(dir), true)?;
    mark.write(end).and_then(|()| mark.sync()).map_err(failed("write", &mark_path(dir)))?;
    drop(Database::open(&SledOptions::new(dir), hot, end)?);
    let mut manifest = Manifest { generation: 0, history, sealing: None, hot };
    manifest.write(dir)?;
    folder.write_format(incarnation, key, dropped)
}

/// Bytes that a database takes on disk.
pub(crate) fn database_bytes(dir: &Path, number: u64) -> u64 {
    let files = std::fs::read_dir(database_path(dir, number)).into_iter().flatten().flatten();
    files.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}

/// A frame of a database: the position by its key, and its bytes.
pub(crate) type Stored = (Position, sled::IVec);

/// A database whose frames are read.
pub(crate) struct HotFrames(Database);

impl HotFrames {
    /// Opens database `number` of the log in `dir`; `marked` is for messages.
    pub(crate) fn open(dir: &Path, number: u64, marked: Position) -> Result<Self, LogError> {
        let path = database_path(dir, number);
        // sled would make an empty one.
        if !path.join("db").exists() {
            return Err(damaged(&path, Position(1), "the database is missing".to_owned()));
        }
        Database::open(&SledOptions::new(dir), number, marked).map(Self)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.dir()
    }

    /// Gives every frame to `take`, in order, until that says no. What sled cannot read, and its panics, are damage.
    pub(crate) fn each<E: From<LogError>>(
        &self,
        mut take: impl FnMut(Stored) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut last = Position::START;
        let walked = catch_unwind(AssertUnwindSafe(|| {
            for entry in self.0.frames() {
                let entry = entry.map_err(|error| self.unreadable(last, error))?;
                last = entry.0;
                if !take(entry)? {
                    break;
                }
            }
            Ok(())
        }));
        walked.unwrap_or_else(|panic| {
            let what = format!("sled panicked: {}", panic_text(&*panic));
            Err(damaged(self.path(), last.next(), what).into())
        })
    }

    fn unreadable(&self, last: Position, error: io::Error) -> LogError {
        if error.kind() == io::ErrorKind::InvalidData {
            let what = format!("sled cannot read what follows on the frame at {last}: {error}");
            return damaged(self.path(), last.next(), what);
        }
        failed("read frames", self.path())(error)
    }
}

/// Whether the group that these bytes belong to goes on in the next frame.
pub(crate) fn more_follows(bytes: &[u8]) -> bool {
    Frame::more_follows(bytes)
}
