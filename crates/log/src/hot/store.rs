//! What the committer writes to: sled, our own handle to sled's file, and the high-water mark, behind one trait, so
//! that tests can record the calls and let each of them fail.
//!
//! Not for the order of the calls: that is the committer's.
//!
//! Invariant: one tree; a frame's key is `f` and its first position, so frames lie in the order of the log.

use std::{
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use pegcount_domain::envelope::Position;

use super::{
    folder::{blobs_empty, failed, hot_dir, mark_path, sync_dir},
    mark::MarkFile,
    options::SledOptions,
};
use crate::{api::LogError, limits::CACHE_BYTES_DEFAULT};

const FRAME_KEY: u8 = b'f';
/// sled's own threads may hold a closed database for a moment; this is how often, 10 ms apart, it is asked for.
const OPEN_ATTEMPTS_MAX: u32 = 500;

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
    /// Up to `count` frames from the one on that begins at `at` or is the last to begin before.
    fn frames_from(&self, at: Position, count: usize) -> io::Result<Vec<sled::IVec>>;
    /// Bytes on disk.
    fn disk_bytes(&self) -> u64;
}

/// The store on sled.
pub(super) struct SledStore {
    db: sled::Db,
    // sled's flush does not sync the file; this handle does.
    file: File,
    mark: MarkFile,
    dir: PathBuf,
}

impl SledStore {
    /// Opens the store in the log's folder; gives the high-water mark too.
    pub(super) fn open(options: &SledOptions, new: bool) -> Result<(Self, Position), LogError> {
        let dir = hot_dir(&options.dir);
        let path = dir.join("db");
        // sled writes a synced snapshot of what it finds. What a killed process left in the page cache must be on
        // disk before, or a power loss leaves a snapshot of more than there is.
        if path.exists() {
            open_file(&path).and_then(|file| file.sync_all()).map_err(failed("sync", &path))?;
        }
        let (mark, marked) = MarkFile::open(&mark_path(&options.dir), new)?;
        let db = open_contained(&dir, options, marked)?;
        let file = open_file(&path).map_err(failed("open", &path))?;
        file.sync_all().map_err(failed("sync", &path))?;
        // sled does not sync its settings, and its file names are not durable before their folder is.
        let conf = dir.join("conf");
        open_file(&conf).and_then(|file| file.sync_all()).map_err(failed("sync", &conf))?;
        sync_dir(&dir)?;
        sync_dir(&options.dir)?;
        if !blobs_empty(&options.dir).map_err(failed("list", &dir))? {
            let what = "sled has put pages into blobs/, which nobody syncs".to_owned();
            return Err(LogError::Damaged { path: dir.join("blobs"), position: Position(1), what });
        }
        Ok((Self { db, file, mark, dir }, marked))
    }

    /// All frames in order, with the position by their key.
    pub(super) fn frames(&self) -> impl Iterator<Item = io::Result<(Position, sled::IVec)>> {
        self.db.scan_prefix([FRAME_KEY]).map(|entry| {
            let (key, bytes) = entry?;
            Ok((position_of(&key), bytes))
        })
    }

    /// Removes the frame that begins at `first`.
    pub(super) fn remove(&self, first: Position) -> io::Result<()> {
        self.db.remove(key(first))?;
        Ok(())
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn mark_path(&self) -> &Path {
        self.mark.path()
    }
}

impl Store for SledStore {
    fn apply(&self, frames: Vec<(Position, Vec<u8>)>) -> io::Result<()> {
        // One key is atomic by itself; a batch makes sled write, and wait for, a second buffer.
        let frames = match <[_; 1]>::try_from(frames) {
            Ok([(first, bytes)]) => return self.db.insert(key(first), bytes).map(drop).map_err(Into::into),
            Err(frames) => frames,
        };
        let mut batch = sled::Batch::default();
        for (first, bytes) in frames {
            batch.insert(&key(first), bytes);
        }
        Ok(self.db.apply_batch(batch)?)
    }

    fn flush(&self) -> io::Result<()> {
        self.db.flush()?;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write_mark(&self, end: Position) -> io::Result<()> {
        self.mark.write(end)
    }

    fn sync_mark(&self) -> io::Result<()> {
        self.mark.sync()
    }

    fn frames_from(&self, at: Position, count: usize) -> io::Result<Vec<sled::IVec>> {
        let first = self.db.range(key(Position::START)..=key(at)).next_back().transpose()?;
        let Some((first, bytes)) = first else { return Ok(Vec::new()) };
        let mut frames = Vec::with_capacity(count);
        frames.push(bytes);
        if count > 1 {
            for entry in self.db.range(first..).skip(1).take(count - 1) {
                frames.push(entry?.1);
            }
        }
        Ok(frames)
    }

    fn disk_bytes(&self) -> u64 {
        let files = std::fs::read_dir(&self.dir).into_iter().flatten().flatten();
        files.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
    }
}

fn key(first: Position) -> [u8; 9] {
    let mut key = [FRAME_KEY; 9];
    key.iter_mut().skip(1).zip(first.0.to_be_bytes()).for_each(|(place, byte)| *place = byte);
    key
}

fn position_of(key: &[u8]) -> Position {
    let number = key.get(1..).and_then(|number| number.try_into().ok());
    Position(number.map_or(0, u64::from_be_bytes))
}

fn open_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

/// Opens sled on a thread of its own, since damaged files can make it panic.
fn open_contained(dir: &Path, options: &SledOptions, marked: Position) -> Result<sled::Db, LogError> {
    let config = sled::Config::new()
        .path(dir)
        .cache_capacity(if options.cache_bytes == 0 { CACHE_BYTES_DEFAULT } else { options.cache_bytes })
        .segment_size(options.segment_bytes)
        .flush_every_ms(None);
    let damaged = |what: String| {
        let what = format!("{what} (acknowledged were the positions up to {marked})");
        LogError::Damaged { path: dir.to_owned(), position: Position(1), what }
    };
    for _ in 0..OPEN_ATTEMPTS_MAX {
        let config = config.clone();
        let thread = thread::Builder::new().name("log-open".to_owned()).spawn(move || config.open());
        let result = thread.map_err(failed("start a thread to open", dir))?.join();
        return match result {
            Ok(Ok(db)) => Ok(db),
            Ok(Err(sled::Error::Io(error))) if error.to_string().contains("could not acquire lock") => {
                thread::sleep(Duration::from_millis(10));
                continue;
            }
            Ok(Err(sled::Error::Io(error))) if !is_damage(&error) => Err(failed("open", dir)(error)),
            Ok(Err(error)) => Err(damaged(error.to_string())),
            Err(panic) => Err(damaged(format!("sled panicked: {}", panic_text(&*panic)))),
        };
    }
    Err(LogError::Locked { path: dir.to_owned() })
}

/// Errors that tell of the bytes, not of the disk.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData)
}

/// What a panic said.
pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}
