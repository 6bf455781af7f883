//! Archives on disk: what folds made of history that has been dropped, one file each.
//!
//! Not for what is in them. Invariant: a file that the manifest names is durable and never changes; what is read has been
//! checked to the last byte.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
};

use parking_lot::RwLock;
use pegcount_domain::envelope::Position;

use super::{
    folder::{failed, sync_dir},
    open::damaged,
};
use crate::{
    api::LogError,
    frame::widen,
    retention::{Archive, newest},
};

const MAGIC: [u8; 8] = *b"PEGARCH1";
/// The newest format of an archive that this program reads, and the one that it writes.
const FORMAT: u32 = 1;
const HEADER_BYTES: usize = 32;

/// What the manifest says of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NamedArchive {
    pub(crate) number: u64,
    pub(crate) position: Position,
    /// The file's length.
    pub(crate) bytes: u64,
    /// The file's own checksum.
    pub(crate) crc: u32,
}

/// The file of archive `number` in the log's folder.
pub(crate) fn archive_path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("archive-{number:06}"))
}

impl NamedArchive {
    /// Its line in a manifest.
    pub(crate) fn line(&self) -> String {
        let Self { number, position, bytes, crc } = self;
        format!("{number} position {position} bytes {bytes} crc32c {crc:08x}")
    }

    /// Reads [`Self::line`].
    pub(crate) fn read(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let [number, "position", position, "bytes", bytes, "crc32c", crc] = *words else { return None };
        Some(Self {
            number: number.parse().ok()?,
            position: Position(position.parse().ok()?),
            bytes: bytes.parse().ok()?,
            crc: u32::from_str_radix(crc, 16).ok()?,
        })
    }

    /// Whether its file in `dir` is there, as long as it should be, and begins as it should. Does not read all of it.
    pub(super) fn look(&self, dir: &Path) -> Result<(), LogError> {
        self.open(dir).map(drop)
    }

    /// Reads and checks its file in `dir`.
    pub(crate) fn load(&self, dir: &Path) -> Result<Archive, LogError> {
        let (path, mut file, header) = self.open(dir)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed("read", &path))?;
        if checksum(&header, &bytes) != self.crc {
            return Err(self.damaged(&path, "its checksum does not match"));
        }
        Ok(Archive { position: self.position, bytes })
    }

    /// Copies its file from one folder to another, durably; checked here and there.
    pub(crate) fn copy(&self, from: &Path, to: &Path) -> Result<(), LogError> {
        write_archive(to, self.number, &self.load(from)?).map(drop)
    }

    fn open(&self, dir: &Path) -> Result<(PathBuf, File, [u8; HEADER_BYTES]), LogError> {
        let path = archive_path(dir, self.number);
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(self.damaged(&path, "it is missing"));
            }
            file => file.map_err(failed("open", &path))?,
        };
        let length = file.metadata().map_err(failed("look at", &path))?.len();
        let Some(content_bytes) = length.checked_sub(widen(HEADER_BYTES)).filter(|_| length == self.bytes)
        else {
            return Err(self.damaged(&path, &format!("it has {length} bytes instead of {}", self.bytes)));
        };
        let mut found = [0; HEADER_BYTES];
        file.read_exact(&mut found).map_err(failed("read", &path))?;
        if let Some(found) = newer_format(&found) {
            return Err(LogError::NewerFormat { path, found, features: 0, supported: FORMAT });
        }
        let expected = header(self.position, content_bytes, Some(self.crc));
        if found != expected {
            return Err(self.damaged(&path, "the header is not that of this archive"));
        }
        Ok((path, file, found))
    }

    fn damaged(&self, path: &Path, what: &str) -> LogError {
        damaged(path, self.position, what.to_owned())
    }
}

/// The first 32 bytes; the checksum's place is zero until it is known.
fn header(position: Position, content_bytes: u64, crc: Option<u32>) -> [u8; HEADER_BYTES] {
    let mut out = [0; HEADER_BYTES];
    let parts = MAGIC
        .into_iter()
        .chain(FORMAT.to_le_bytes())
        .chain(crc.unwrap_or(0).to_le_bytes())
        .chain(position.0.to_le_bytes())
        .chain(content_bytes.to_le_bytes());
    out.iter_mut().zip(parts).for_each(|(place, byte)| *place = byte);
    out
}

/// Over the header, the checksum's place taken as zero, and everything after it.
fn checksum(header: &[u8; HEADER_BYTES], bytes: &[u8]) -> u32 {
    let mut header = *header;
    header.iter_mut().skip(12).take(4).for_each(|byte| *byte = 0);
    crc32c::crc32c_append(crc32c::crc32c(&header), bytes)
}

fn newer_format(header: &[u8; HEADER_BYTES]) -> Option<u32> {
    let format = header.strip_prefix(&MAGIC)?.first_chunk().map(|format| u32::from_le_bytes(*format))?;
    (format > FORMAT).then_some(format)
}

/// Writes `archive` as number `number` into `dir`: aside, synced, read again, renamed, the folder synced.
pub(crate) fn write_archive(dir: &Path, number: u64, archive: &Archive) -> Result<NamedArchive, LogError> {
    let content_bytes = widen(archive.bytes.len());
    let crc = checksum(&header(archive.position, content_bytes, None), &archive.bytes);
    let bytes = content_bytes + widen(HEADER_BYTES);
    let named = NamedArchive { number, position: archive.position, bytes, crc };
    let path = archive_path(dir, number);
    let aside = path.with_extension("new");
    let write = || -> io::Result<()> {
        let mut file = File::create(&aside)?;
        file.write_all(&header(archive.position, content_bytes, Some(crc)))?;
        file.write_all(&archive.bytes)?;
        file.sync_all()?;
        fs::rename(&aside, &path)
    };
    write().map_err(failed("write", &path))?;
    sync_dir(dir)?;
    named.load(dir)?;
    Ok(named)
}

/// The archives of a log, for readers.
pub(super) struct Archives {
    dir: PathBuf,
    named: RwLock<Vec<NamedArchive>>,
}

impl Archives {
    pub(super) fn new(dir: &Path, named: Vec<NamedArchive>) -> Self {
        Self { dir: dir.to_owned(), named: RwLock::new(named) }
    }

    /// Where they stand, the oldest first.
    pub(super) fn positions(&self) -> Vec<Position> {
        self.named.read().iter().map(|named| named.position).collect()
    }

    /// Bytes on disk.
    pub(super) fn disk_bytes(&self) -> u64 {
        self.named.read().iter().map(|named| named.bytes).sum()
    }

    /// Reads the newest one that stands at `at_most` or before.
    pub(super) fn read(&self, at_most: Option<Position>) -> Result<Option<Archive>, LogError> {
        // Held while reading: what is no longer named goes only after that.
        let named = self.named.read();
        newest(&named, at_most, |named| named.position).map(|named| named.load(&self.dir)).transpose()
    }

    /// From now on there are these; the files of others are removed.
    pub(super) fn replace(&self, named: &[NamedArchive]) {
        let before = std::mem::replace(&mut *self.named.write(), named.to_vec());
        for gone in before.iter().filter(|archive| !named.contains(archive)) {
            let path = archive_path(&self.dir, gone.number);
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!(path = %path.display(), %error, "an old archive stays; the next start removes it");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn an_archive() -> Archive {
        Archive { position: Position(77), bytes: b"what folds made of it".to_vec() }
    }

    #[test]
    fn an_archive_comes_back_and_any_changed_or_missing_byte_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let named = write_archive(dir.path(), 3, &an_archive()).unwrap();
        assert_eq!(named.load(dir.path()).unwrap(), an_archive());
        assert_eq!(NamedArchive::read(&named.line()), Some(named));
        let path = archive_path(dir.path(), 3);
        let whole = fs::read(&path).unwrap();
        let refused = |what: &str| {
            let error = named.load(dir.path()).unwrap_err();
            match &error {
                LogError::Damaged { path: at, position: Position(77), .. }
                | LogError::NewerFormat { path: at, .. } => assert_eq!(*at, path),
                _ => panic!("{what}: {error}"),
            }
        };
        for index in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[index] ^= 0x21;
            fs::write(&path, &bytes).unwrap();
            refused(&format!("byte {index}"));
            fs::write(&path, &whole[..index]).unwrap();
            refused(&format!("{index} bytes"));
        }
        fs::remove_file(&path).unwrap();
        refused("no file");
    }

    #[test]
    fn an_archive_of_another_drop_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let named = write_archive(dir.path(), 3, &an_archive()).unwrap();
        let mut other = an_archive();
        other.bytes[0] ^= 1;
        write_archive(dir.path(), 3, &other).unwrap();
        assert!(matches!(named.load(dir.path()), Err(LogError::Damaged { .. })));
    }

    /// The file in `tests/golden` is never written again; a new format adds its own.
    #[test]
    fn an_archive_of_format_1_reads_as_it_did() {
        let dir = tempfile::tempdir().unwrap();
        let named = write_archive(dir.path(), 3, &an_archive()).unwrap();
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/archive-1.bin");
        assert_eq!(fs::read(archive_path(dir.path(), 3)).unwrap(), fs::read(golden).unwrap());
        assert_eq!(named.load(dir.path()).unwrap(), an_archive());
    }
}
