//! What the committer writes to: the hot database and the high-water mark, behind one trait, so that tests can record
//! the calls and let each of them fail; and what readers read from: segments, the database that is being sealed, the
//! hot one.
//!
//! Not for the order of the calls: that is the committer's and the sealer's.
//!
//! Invariant: every durable position is in a segment or in a database that can be reached from here, at any moment of
//! a sealing. So a reader looks at the databases before it looks at the segments: a frame first comes into a segment and
//! then leaves its database.

use std::{io, path::PathBuf, sync::Arc};

use parking_lot::{Mutex, RwLock};
use pegcount_domain::envelope::Position;
use smallvec::SmallVec;

use super::{bell::Bell, database::Database, mark::MarkFile, open::missing};
use crate::{api::LogError, frame::Frame, segment::Shelf};

/// Where groups go.
pub(super) trait Store: Send + Sync + 'static {
    /// Adds frames, all or none of which are there after a crash.
    fn apply(&self, frames: Vec<(Position, Vec<u8>)>) -> io::Result<()>;
    /// Hands what was added to the operating system.
    fn flush(&self) -> io::Result<()>;
    /// Makes what was flushed survive power loss.
    fn sync_data(&self) -> io::Result<()>;
    /// Writes the high-water mark.
    fn write_mark(&self, end: Position) -> io::Result<()>;
    /// Makes the mark survive power loss.
    fn sync_mark(&self) -> io::Result<()>;
    /// Up to `count` frames from the one that holds `at`, a durable position, on; at least one.
    fn load(&self, at: Position, count: usize) -> Result<Vec<Frame>, LogError>;
    /// Bytes on disk.
    fn disk_bytes(&self) -> u64;
}

/// What has been committed. Whoever holds its lock stands between two groups.
pub(super) type Gate = Mutex<Committed>;

/// The last group's end.
pub(super) struct Committed {
    pub(super) end: Position,
    /// A group was begun and not finished: nobody knows what is in the database after `end`.
    pub(super) failed: bool,
}

/// A database with the first position that it holds or will hold.
pub(super) type Held = (Position, Arc<Database>);

/// The store on sled.
pub(super) struct SledStore {
    /// The database that is being sealed, if one is, and the hot one; none if the log was opened read-only and they
    /// cannot be read.
    databases: RwLock<SmallVec<[Held; 2]>>,
    shelf: Arc<Shelf>,
    mark: MarkFile,
    dir: PathBuf,
    bell: Arc<Bell>,
    /// A hot database of so many bytes of frames is to be sealed.
    seal_bytes: u64,
}

impl SledStore {
    pub(super) fn new(
        databases: SmallVec<[Held; 2]>,
        shelf: Arc<Shelf>,
        mark: MarkFile,
        dir: PathBuf,
        bell: Arc<Bell>,
        seal_bytes: u64,
    ) -> Self {
        Self { databases: RwLock::new(databases), shelf, mark, dir, bell, seal_bytes }
    }

    /// The hot database.
    pub(super) fn hot(&self) -> Option<Held> {
        self.databases.read().last().cloned()
    }

    /// The database that is being sealed, with its first position and the one after its last.
    pub(super) fn sealing(&self) -> Option<(Held, Position)> {
        let databases = self.databases.read();
        let [sealing, (end, _)] = databases.as_slice() else { return None };
        Some((sealing.clone(), *end))
    }

    /// From now on groups go to `database`, from position `first` on, and the one before is being sealed. Only for who
    /// holds the [`Gate`].
    pub(super) fn switch(&self, database: Arc<Database>, first: Position) {
        self.databases.write().push((first, database));
    }

    /// What was being sealed is in a segment.
    pub(super) fn drop_sealing(&self) {
        let mut databases = self.databases.write();
        if databases.len() > 1 {
            let (_, database) = databases.remove(0);
            database.retire();
        }
    }

    /// The number of the database that holds, or held, `position`, a durable one.
    pub(super) fn number_of(&self, position: Position) -> Result<u64, LogError> {
        // Before the segments: see above.
        let databases = self.databases.read().clone();
        let holder = databases.iter().rev().find(|(first, _)| *first <= position);
        if let Some((_, database)) = holder {
            return Ok(database.number());
        }
        self.shelf.number_of(position)?.ok_or_else(|| missing(&self.dir, position))
    }

    /// The numbers of the databases that there are.
    pub(super) fn numbers(&self) -> SmallVec<[u64; 2]> {
        self.databases.read().iter().map(|(_, database)| database.number()).collect()
    }

    fn writable(&self) -> io::Result<Arc<Database>> {
        let hot = self.hot().ok_or_else(|| io::Error::other("there is no database"))?;
        Ok(hot.1)
    }
}

impl Store for SledStore {
    fn apply(&self, frames: Vec<(Position, Vec<u8>)>) -> io::Result<()> {
        let hot = self.writable()?;
        hot.apply(frames)?;
        if hot.frame_bytes() >= self.seal_bytes {
            self.bell.full();
        }
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        self.writable()?.flush()
    }

    fn sync_data(&self) -> io::Result<()> {
        self.writable()?.sync_data()
    }

    fn write_mark(&self, end: Position) -> io::Result<()> {
        self.mark.write(end)
    }

    fn sync_mark(&self) -> io::Result<()> {
        self.mark.sync()
    }

    fn load(&self, at: Position, count: usize) -> Result<Vec<Frame>, LogError> {
        // Before the segments: see above.
        let databases = self.databases.read().clone();
        if let Some(frames) = self.shelf.frames_from(at, count)? {
            return Ok(frames);
        }
        let holder = databases.iter().rev().find(|(first, _)| *first <= at);
        let (_, database) = holder.ok_or_else(|| missing(&self.dir, at))?;
        database.load(at, count)
    }

    fn disk_bytes(&self) -> u64 {
        let databases = self.databases.read().clone();
        let hot: u64 = databases.iter().map(|(_, database)| database.disk_bytes()).sum();
        hot + self.shelf.disk_bytes()
    }
}
