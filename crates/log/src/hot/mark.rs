//! The high-water mark: outside sled, what has been acknowledged. sled can lose the end of its file without a word;
//! then the mark is beyond what is found, and opening says so.
//!
//! Two slots in separate sectors are written in turn. A group's mark is written after the group's sync, and synced
//! together with the next group; so only the loss of the very last group can go unnoticed, and a torn slot
//! leaves the other one.
//!
//! Invariant: the mark never names a position that was not durable when it was written.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use parking_lot::Mutex;
use pegcount_domain::envelope::Position;

use super::folder::failed;
use crate::api::LogError;

/// At least the largest sector that disks have.
pub(super) const SLOT_BYTES: usize = 4_096;
const RECORD_BYTES: usize = 28;
const MAGIC: [u8; 8] = *b"PEGMARK1";

pub(super) struct MarkFile {
    path: PathBuf,
    // Two handles, so that syncing the last group's mark does not wait for anything.
    sync: File,
    write: Mutex<Writer>,
}

struct Writer {
    file: File,
    generation: u64,
}

impl MarkFile {
    /// Opens the mark of a log that exists, or makes one. A mark that says something is never made anew: then it is not
    /// the log that is new, but its FORMAT that is lost. Gives the position that has been acknowledged.
    pub(super) fn open(path: &Path, new: bool) -> Result<(Self, Position), LogError> {
        let failed = |error| failed("open high-water mark", path)(error);
        let damaged = |what: &str| {
            let what = format!("the high-water mark {what}");
            LogError::Damaged { path: path.to_owned(), position: Position::START, what }
        };
        if !new && !path.exists() {
            return Err(damaged("is missing"));
        }
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = options.map_err(failed)?;
        let mut bytes = Vec::with_capacity(2 * SLOT_BYTES);
        file.read_to_end(&mut bytes).map_err(failed)?;
        if new && bytes.iter().all(|byte| *byte == 0) {
            bytes = vec![0; 2 * SLOT_BYTES];
            let write = file.rewind().and_then(|()| file.write_all(&bytes));
            write.and_then(|()| file.sync_all()).map_err(failed)?;
        }
        let (generation, position) = newest(&bytes).map_err(damaged)?;
        let sync = file.try_clone().map_err(failed)?;
        let write = Mutex::new(Writer { file, generation });
        Ok((Self { path: path.to_owned(), sync, write }, Position(position)))
    }

    /// Writes that everything up to `end` is durable.
    pub(super) fn write(&self, end: Position) -> io::Result<()> {
        let mut writer = self.write.lock();
        writer.generation += 1;
        let generation = writer.generation;
        let offset = if generation.is_multiple_of(2) { 0 } else { SLOT_BYTES };
        writer.file.seek(SeekFrom::Start(crate::frame::widen(offset)))?;
        writer.file.write_all(&record(generation, end))
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.sync.sync_data()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// The newest generation that a mark's bytes hold, with its position; zeros if it was never written.
pub(super) fn newest(bytes: &[u8]) -> Result<(u64, u64), &'static str> {
    let (a, b) = bytes.split_at_checked(SLOT_BYTES).ok_or("is cut short")?;
    match (Slot::read(a), Slot::read(b)) {
        (Slot::Torn, Slot::Torn) => Err("is unreadable in both of its slots"),
        (a, b) => Ok(a.value().max(b.value())),
    }
}

/// What is written into a slot.
pub(super) fn record(generation: u64, end: Position) -> Vec<u8> {
    let mut record = Vec::with_capacity(RECORD_BYTES);
    record.extend_from_slice(&MAGIC);
    record.extend_from_slice(&generation.to_le_bytes());
    record.extend_from_slice(&end.0.to_le_bytes());
    record.extend_from_slice(&crc32c::crc32c(&record).to_le_bytes());
    record
}

enum Slot {
    /// Never written.
    Empty,
    Torn,
    Good(u64, u64),
}

impl Slot {
    fn read(bytes: &[u8]) -> Self {
        if bytes.len() >= SLOT_BYTES && bytes.iter().all(|byte| *byte == 0) {
            return Self::Empty;
        }
        let Some((record, _)) = bytes.split_first_chunk::<RECORD_BYTES>() else { return Self::Torn };
        let [checked @ .., c0, c1, c2, c3] = record;
        let right = crc32c::crc32c(checked) == u32::from_le_bytes([*c0, *c1, *c2, *c3]);
        let mut words = checked.chunks_exact(8);
        let magic = words.next() == Some(&MAGIC);
        let mut number = || words.next().and_then(|word| word.try_into().ok()).map(u64::from_le_bytes);
        match (right && magic, number(), number()) {
            (true, Some(generation), Some(position)) => Self::Good(generation, position),
            _ => Self::Torn,
        }
    }

    fn value(&self) -> (u64, u64) {
        if let Self::Good(generation, position) = self { (*generation, *position) } else { (0, 0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reopened(path: &Path) -> Result<Position, LogError> {
        MarkFile::open(path, false).map(|(_, position)| position)
    }

    #[test]
    fn the_newest_mark_counts_and_a_torn_one_leaves_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("MARK");
        let (mark, position) = MarkFile::open(&path, true).unwrap();
        assert_eq!(position, Position::START);
        for end in [3, 9, 12] {
            mark.write(Position(end)).unwrap();
            assert_eq!(reopened(&path).unwrap(), Position(end));
        }
        // The third write went to the second slot again.
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[SLOT_BYTES + 17] ^= 0x40;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(reopened(&path).unwrap(), Position(9));
        bytes[2] ^= 0x40;
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(reopened(&path), Err(LogError::Damaged { .. })));
    }

    #[test]
    fn a_new_logs_mark_is_made_anew_only_if_it_says_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("MARK");
        std::fs::write(&path, [0; 100]).unwrap();
        let (mark, position) = MarkFile::open(&path, true).unwrap();
        assert_eq!(position, Position::START);
        mark.write(Position(7)).unwrap();
        assert_eq!(MarkFile::open(&path, true).unwrap().1, Position(7));
        assert_eq!(reopened(&path).unwrap(), Position(7));
    }

    #[test]
    fn a_missing_or_cut_mark_is_damage() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("MARK");
        assert!(matches!(reopened(&path), Err(LogError::Damaged { .. })));
        std::fs::write(&path, [0; 100]).unwrap();
        assert!(matches!(reopened(&path), Err(LogError::Damaged { .. })));
    }
}
