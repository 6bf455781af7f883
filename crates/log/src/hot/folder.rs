//! The log's folder: its lock, its FORMAT file, the names in it, and their syncing.
//!
//! Not for frames. Invariant: FORMAT is written last when a log is made, aside and renamed; so a folder with no FORMAT
//! holds nothing that was acknowledged, and a FORMAT is never half there.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use pegcount_domain::{envelope::Position, ids::Incarnation};

use crate::{api::LogError, keys::LogKey};

/// The newest format of the folder that this program reads, and the one that it writes.
pub(crate) const FORMAT: u32 = 4;
/// The last one with one database, no manifest and no key.
const FORMAT_WITHOUT_MANIFEST: u32 = 1;
/// History has been dropped: MANIFEST names a stub and archives.
const FEATURE_DROPPED: u32 = 1;
/// The features that this program knows, one bit each.
const FEATURES: u32 = FEATURE_DROPPED;
const TITLE: &str = "pegcount log";
pub(super) const FORMAT_FILE: &str = "FORMAT";

/// An opened folder; nobody else has it until it is dropped.
pub(super) struct Folder {
    dir: PathBuf,
    lock: File,
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A program that is just being started has all of this one's files for a moment, and closing one of two does not
        // unlock: whoever opened the folder then would be refused.
        let _ = self.lock.unlock();
    }
}

/// The folder of database `number`.
pub(super) fn database_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("hot-{number:06}"))
}

pub(super) fn mark_path(dir: &Path) -> PathBuf {
    dir.join("MARK")
}

/// Whether sled keeps everything of the log in `dir` in the one file that is synced. False means that a page outgrew
/// its limit: what it holds would not survive a power loss. Tests and benchmarks assert it.
pub fn blobs_empty(dir: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(dir)? {
        if has_blobs(&entry?.path())? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether the database in `dir` has pages beside its file.
pub(super) fn has_blobs(dir: &Path) -> io::Result<bool> {
    match fs::read_dir(dir.join("blobs")) {
        Ok(mut blobs) => Ok(blobs.next().is_some()),
        // Not a database, or one that has just been sealed and is gone.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes the names in `dir` durable. Windows has no such call and needs none.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), LogError> {
    if cfg!(windows) {
        return Ok(());
    }
    File::open(dir).and_then(|file| file.sync_all()).map_err(failed("sync folder", dir))
}

/// Replaces the file `name` in `dir` as a whole, durably.
pub(crate) fn write_aside(dir: &Path, name: &str, text: &str) -> Result<(), LogError> {
    let path = dir.join(name);
    let aside = dir.join(format!("{name}.new"));
    let write = || {
        let mut file = File::create(&aside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, &path)
    };
    write().map_err(failed("write", &path))?;
    sync_dir(dir)
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}

/// Names the action and the path of an I/O error.
pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LogError {
    let path = path.to_owned();
    move |source| LogError::Io { action, path, source }
}

impl Folder {
    /// Makes the folder if need be and locks it.
    pub(super) fn open(dir: &Path) -> Result<Self, LogError> {
        let new = !dir.exists();
        fs::create_dir_all(dir).map_err(failed("make folder", dir))?;
        if let (true, Some(parent)) = (new, dir.canonicalize().ok().as_deref().and_then(Path::parent)) {
            sync_dir(parent)?;
        }
        let path = dir.join("LOCK");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        // A folder that nobody may write to can be looked at: a lock needs no writing.
        let lock = lock.or_else(|error| if is_read_only(&error) { File::open(&path) } else { Err(error) });
        let lock = lock.map_err(failed("open lock", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { dir: dir.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => Err(LogError::Locked { path: dir.to_owned() }),
            Err(TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
        }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// What FORMAT says; none if there is no FORMAT yet.
    pub(super) fn read_format(&self) -> Result<Option<Format>, LogError> {
        read_format(&self.dir)
    }

    /// Writes FORMAT, durably: from now on the log exists. `dropped` if its manifest names a stub.
    pub(super) fn write_format(
        &self,
        incarnation: Incarnation,
        key: &LogKey,
        dropped: bool,
    ) -> Result<(), LogError> {
        write_format(&self.dir, incarnation, key, dropped)
    }
}

/// Replaces FORMAT in `dir`, durably. `dropped` before the manifest names a stub, so that programs that know of none
/// leave the folder alone.
pub(super) fn write_format(
    dir: &Path,
    incarnation: Incarnation,
    key: &LogKey,
    dropped: bool,
) -> Result<(), LogError> {
    let features = if dropped { FEATURE_DROPPED } else { 0 };
    write_aside(dir, FORMAT_FILE, &format_text(incarnation, key, features))
}

/// What FORMAT in `dir` says; none if there is none.
pub(super) fn read_format(dir: &Path) -> Result<Option<Format>, LogError> {
    let path = dir.join(FORMAT_FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            let what = "it is not text".to_owned();
            return Err(LogError::Damaged { path, position: Position(1), what });
        }
        Err(error) => return Err(failed("read", &path)(error)),
    };
    parse(&text, dir).map(Some)
}

/// What FORMAT says.
pub(super) struct Format {
    /// At most [`FORMAT`].
    pub(super) number: u32,
    pub(super) incarnation: Incarnation,
    /// None in a folder of an older format, which has no manifest either.
    pub(super) key: Option<LogKey>,
}

pub(super) fn format_text(incarnation: Incarnation, key: &LogKey, features: u32) -> String {
    let (incarnation, key) = (incarnation.0, key.hex());
    let head = format!(
        "{TITLE}\nformat: {FORMAT}\nfeatures: {features}\nincarnation: {incarnation:032x}\nkey: {key}\n"
    );
    let crc = crc32c::crc32c(head.as_bytes());
    format!("{head}crc32c: {crc:08x}\n")
}

pub(super) fn parse(text: &str, dir: &Path) -> Result<Format, LogError> {
    let path = || dir.join(FORMAT_FILE);
    let wrong = |what: &str| LogError::Damaged { path: path(), position: Position(1), what: what.to_owned() };
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
    if !text.starts_with(TITLE) {
        return Err(wrong("it does not begin as a log's FORMAT does"));
    }
    // The version first: a newer format may end in another way.
    let found = value("format: ").and_then(|number| number.parse().ok());
    let found: u32 = found.ok_or_else(|| wrong("it names no format"))?;
    let features = value("features: ").and_then(|number| number.parse::<u32>().ok());
    let features = features.ok_or_else(|| wrong("it names no features"))? & !FEATURES;
    if found > FORMAT || features != 0 {
        return Err(LogError::NewerFormat { path: dir.to_owned(), found, features, supported: FORMAT });
    }
    let (head, crc) = text.split_once("crc32c: ").ok_or_else(|| wrong("it has no checksum"))?;
    if u32::from_str_radix(crc.trim_end(), 16) != Ok(crc32c::crc32c(head.as_bytes())) {
        return Err(wrong("its checksum does not match"));
    }
    let incarnation = value("incarnation: ").and_then(|hex| u128::from_str_radix(hex, 16).ok());
    let incarnation = incarnation.map(Incarnation).ok_or_else(|| wrong("it names no incarnation"))?;
    let key = value("key: ").and_then(LogKey::from_hex);
    if key.is_none() && found > FORMAT_WITHOUT_MANIFEST {
        return Err(wrong("it has no key"));
    }
    Ok(Format { number: found, incarnation, key })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_free_once_it_is_dropped_whoever_still_holds_a_copy_of_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        // As in a program between its fork and its exec.
        let copy = folder.lock.try_clone().unwrap();
        assert!(matches!(Folder::open(dir.path()), Err(LogError::Locked { .. })));
        drop(folder);
        assert!(Folder::open(dir.path()).is_ok());
        drop(copy);
    }

    #[test]
    fn format_comes_back_as_written_and_any_changed_byte_is_noticed() {
        let key = LogKey::random().unwrap();
        let text = format_text(Incarnation(42), &key, FEATURE_DROPPED);
        let format = parse(&text, Path::new("d")).unwrap();
        assert_eq!((format.incarnation, format.key.unwrap().hex()), (Incarnation(42), key.hex()));
        for index in 0..text.len() - 1 {
            let mut bytes = text.clone().into_bytes();
            bytes[index] ^= 1;
            let changed = String::from_utf8(bytes).unwrap();
            assert!(parse(&changed, Path::new("d")).is_err(), "byte {index} of {changed}");
        }
    }

    #[test]
    fn a_newer_format_and_an_unknown_feature_are_named() {
        let newer = "pegcount log\nformat: 7\nfeatures: 0\n";
        assert!(matches!(parse(newer, Path::new("d")), Err(LogError::NewerFormat { found: 7, .. })));
        let feature = "pegcount log\nformat: 3\nfeatures: 4\n";
        let Err(error) = parse(feature, Path::new("d")) else { panic!("feature 4 is known") };
        assert!(matches!(error, LogError::NewerFormat { features: 4, .. }));
        let told = "d has log format 3 with feature 4, which this program does not know: use a newer program";
        assert_eq!(error.to_string(), told);
    }
}
