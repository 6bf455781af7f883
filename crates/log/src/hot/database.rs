//! One sled database of the log: frames by their first position, and our own handle to sled's file.
//!
//! Not for the order of calls, nor for which database is which. Invariant: one tree; a frame's key is `f` and its first
//! position, so frames lie in the order of the log.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use pegcount_domain::envelope::Position;

use super::{
    ahead::Ahead,
    folder::{database_path, failed, has_blobs, sync_dir},
    open::{missing, unread, unreadable},
    options::SledOptions,
};
use crate::{
    api::LogError,
    frame::{Frame, widen},
    limits::CACHE_BYTES_DEFAULT,
};

const FRAME_KEY: u8 = b'f';
/// sled's own threads may hold a closed database for a moment; this is how often, 10 ms apart, it is asked for.
const OPEN_ATTEMPTS_MAX: u32 = 500;

/// A database.
pub(super) struct Database {
    db: sled::Db,
    // sled's flush does not sync the file; this handle does.
    file: File,
    dir: PathBuf,
    number: u64,
    frame_bytes: AtomicU64,
    ahead: Ahead,
    segment_bytes: usize,
    // The last field: the folder goes after the database has been closed.
    retired: OnceLock<Removal>,
}

/// Removes a folder when it is dropped.
struct Removal(PathBuf);

impl Drop for Removal {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "a sealed database stays; the next start removes it");
        }
    }
}

impl Database {
    /// Opens database `number` of the log in `options.dir`, or makes it; what is there is durable before sled reads it, and
    /// the database before this returns. `marked` is for messages: what had been acknowledged.
    pub(super) fn open(options: &SledOptions, number: u64, marked: Position) -> Result<Self, LogError> {
        let dir = database_path(&options.dir, number);
        let path = dir.join("db");
        // sled writes a synced snapshot of what it finds. What a killed process left in the page cache must be on
        // disk before, or a power loss leaves a snapshot of more than there is.
        if path.exists() {
            open_file(&path).and_then(|file| file.sync_all()).map_err(failed("sync", &path))?;
        }
        remove_half_made(&dir).map_err(failed("remove half-made files in", &dir))?;
        let db = open_contained(&dir, options, marked)?;
        let file = open_file(&path).map_err(failed("open", &path))?;
        file.sync_all().map_err(failed("sync", &path))?;
        // sled does not sync its settings, and its file names are not durable before their folder is.
        let conf = dir.join("conf");
        open_file(&conf).and_then(|file| file.sync_all()).map_err(failed("sync", &conf))?;
        sync_dir(&dir)?;
        sync_dir(&options.dir)?;
        if has_blobs(&dir).map_err(failed("list", &dir))? {
            let what = "sled has put pages into blobs/, which nobody syncs".to_owned();
            return Err(LogError::Damaged { path: dir.join("blobs"), position: Position(1), what });
        }
        Ok(Self {
            db,
            file,
            dir,
            number,
            frame_bytes: AtomicU64::new(0),
            ahead: Ahead::default(),
            segment_bytes: options.segment_bytes,
            retired: OnceLock::new(),
        })
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Bytes of frames: what was found when it was opened and what was added since.
    pub(super) fn frame_bytes(&self) -> u64 {
        self.frame_bytes.load(Ordering::Relaxed)
    }

    /// All frames in order, with the position by their key.
    pub(super) fn frames(&self) -> impl Iterator<Item = io::Result<(Position, sled::IVec)>> {
        self.db.scan_prefix([FRAME_KEY]).map(|entry| {
            let (key, bytes) = entry?;
            Ok((position_of(&key), bytes))
        })
    }

    /// Opening has found so many bytes of frames.
    pub(super) fn found(&self, frame_bytes: u64) {
        self.frame_bytes.store(frame_bytes, Ordering::Relaxed);
    }

    /// Removes the frame that begins at `first`.
    pub(super) fn remove(&self, first: Position) -> io::Result<()> {
        self.db.remove(key(first))?;
        Ok(())
    }

    /// Adds frames, all or none of which are there after a crash.
    pub(super) fn apply(&self, frames: Vec<(Position, Vec<u8>)>) -> io::Result<()> {
        if let Err(error) = self.ahead.keep(&self.file, self.segment_bytes) {
            // Without zeros a sync is slower, not wrong; whether the disk is full is for sled to find.
            tracing::debug!(%error, "no zeros ahead of the database's end");
        }
        let bytes: usize = frames.iter().map(|(_, bytes)| bytes.len()).sum();
        self.frame_bytes.fetch_add(widen(bytes), Ordering::Relaxed);
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

    /// Hands what was added to the operating system.
    pub(super) fn flush(&self) -> io::Result<()> {
        self.db.flush()?;
        Ok(())
    }

    /// Makes what was flushed survive power loss.
    pub(super) fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Up to `count` frames from the one on that holds `at`; at least one.
    pub(super) fn load(&self, at: Position, count: usize) -> Result<Vec<Frame>, LogError> {
        let stored = self.stored(at, count).map_err(|error| unread(&self.dir, at, error))?;
        follow_on(&stored, at, &self.dir)
    }

    fn stored(&self, at: Position, count: usize) -> io::Result<Vec<sled::IVec>> {
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

    /// Bytes on disk.
    pub(super) fn disk_bytes(&self) -> u64 {
        let files = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        files.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
    }

    /// Its frames are in a segment: the folder goes as soon as nobody reads here any more.
    pub(super) fn retire(&self) {
        self.retired.get_or_init(|| Removal(self.dir.clone()));
    }
}

/// Decodes frames of `path`, the first of which holds `at`, and checks that they follow on each other.
pub(super) fn follow_on(
    stored: &[impl AsRef<[u8]>],
    at: Position,
    path: &Path,
) -> Result<Vec<Frame>, LogError> {
    let mut frames: Vec<Frame> = Vec::with_capacity(stored.len());
    let mut next = at;
    for bytes in stored {
        let frame = Frame::decode(bytes.as_ref()).map_err(|error| unreadable(path, next, error))?;
        if frame.first() > next || frame.last() < next {
            return Err(missing(path, next));
        }
        next = frame.last().next();
        frames.push(frame);
    }
    if frames.is_empty() { Err(missing(path, at)) } else { Ok(frames) }
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

/// Removes what sled, cut short while it opened, would take for damage: a snapshot that was being written (the one
/// before, or the file itself, says the same), and settings without their end: those were never synced, so nothing was
/// acknowledged in this database.
fn remove_half_made(dir: &Path) -> io::Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.ends_with(".generating") || name == "conf" && settings_are_cut(&fs::read(entry.path())?) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Settings are lines of text, then a checksum of 4 bytes, written apart.
fn settings_are_cut(bytes: &[u8]) -> bool {
    !bytes.split_last_chunk::<4>().is_some_and(|(text, _)| text.ends_with(b"\n"))
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
pub(super) fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData)
}

/// What a panic said.
pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}
