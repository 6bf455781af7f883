//! BACKUP: what belongs to a backup. What a manifest is to a log, this is to a backup.
//!
//! Invariant: it is replaced whole, last of all, and never names a file that is not durable.

use std::{
    fmt::Write as _,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use pegcount_domain::{envelope::Position, ids::Incarnation, time::Micros};

use crate::{
    api::LogError,
    hot::door::{self, History, failed},
    segment::Named,
};

pub(super) const NAME: &str = "BACKUP";
const TITLE: &str = "pegcount backup";
/// What this program writes, and reads up to.
const FORMAT: u32 = 1;

/// What belongs to a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Catalogue {
    pub(super) incarnation: Incarnation,
    /// When it was finished.
    pub(super) taken_at: Micros,
    /// The position of the last event.
    pub(super) end: Position,
    /// Copies of the log's segments, of its stub and its archives.
    pub(super) history: History,
    /// What was in no segment yet, as one.
    pub(super) tail: Option<Named>,
}

/// The tail's file.
pub(super) fn tail_path(dir: &Path, tail: &Named) -> PathBuf {
    dir.join(format!("tail-{}-{}", tail.first, tail.last))
}

impl Catalogue {
    /// Reads that of the backup in `dir`; none if there is none.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, LogError> {
        let path = dir.join(NAME);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &path)(error)),
        };
        let parsed = str::from_utf8(&text).map_err(|_| "it is not text").and_then(parse);
        let parsed = parsed.map_err(|what| LogError::Damaged {
            path,
            position: Position(1),
            what: what.to_owned(),
        })?;
        match parsed {
            Parsed::Read(catalogue) => Ok(Some(catalogue)),
            Parsed::Newer(found) => {
                let path = dir.to_owned();
                Err(LogError::NewerFormat { path, found, features: 0, supported: FORMAT })
            }
        }
    }

    /// Replaces that in `dir`, durably.
    pub(super) fn write(&self, dir: &Path) -> Result<(), LogError> {
        door::write_aside(dir, NAME, &self.text())
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "{TITLE}\nformat: {FORMAT}\nincarnation: {:032x}\ntaken: {}\nend: {}\n",
            self.incarnation.0, self.taken_at.0, self.end
        );
        text.push_str(&self.history.lines());
        if let Some(named) = &self.tail {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "tail: {}", door::named_line(named));
        }
        let crc = crc32c::crc32c(text.as_bytes());
        let _ = writeln!(text, "crc32c: {crc:08x}");
        text
    }

    fn is_in_order(&self) -> bool {
        let mut history = self.history.clone();
        history.segments.extend(self.tail);
        history.is_in_order() && self.end == history.end()
    }
}

#[derive(Debug)]
pub(super) enum Parsed {
    Read(Catalogue),
    Newer(u32),
}

pub(super) fn parse(text: &str) -> Result<Parsed, &'static str> {
    const WRONG: &str = "it does not read as what a backup consists of";
    let mut lines = text.lines();
    if lines.next() != Some(TITLE) {
        return Err("it does not begin as a backup's does");
    }
    // The format first: a newer one may go on in another way.
    let mut value = |key: &str| lines.next().and_then(|line| line.strip_prefix(key));
    let format: u32 = value("format: ").and_then(|number| number.parse().ok()).ok_or(WRONG)?;
    if format > FORMAT {
        return Ok(Parsed::Newer(format));
    }
    let (head, crc) = text.split_once("crc32c: ").ok_or("it has no checksum")?;
    let crc = crc.strip_suffix('\n').ok_or("it is cut short")?;
    if crc.len() != 8 || u32::from_str_radix(crc, 16) != Ok(crc32c::crc32c(head.as_bytes())) {
        return Err("its checksum does not match");
    }
    let incarnation = value("incarnation: ").and_then(|hex| u128::from_str_radix(hex, 16).ok());
    let taken_at = value("taken: ").and_then(|number| number.parse().ok());
    let end = value("end: ").and_then(|number| number.parse().ok());
    let mut catalogue = Catalogue {
        incarnation: incarnation.map(Incarnation).ok_or(WRONG)?,
        taken_at: taken_at.map(Micros).ok_or(WRONG)?,
        end: end.map(Position).ok_or(WRONG)?,
        history: History::default(),
        tail: None,
    };
    for line in lines.take_while(|line| !line.starts_with("crc32c: ")) {
        if !catalogue.history.take(line).ok_or(WRONG)? {
            let tail = line.strip_prefix("tail: ").and_then(door::named).ok_or(WRONG)?;
            catalogue.tail = Some(tail);
        }
    }
    if catalogue.is_in_order() {
        Ok(Parsed::Read(catalogue))
    } else {
        Err("what it names does not follow on each other")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::Kind;

    #[test]
    fn it_comes_back_as_written_and_any_changed_or_missing_byte_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Catalogue::read(dir.path()).unwrap(), None);
        let named = |number, first, last| Named {
            kind: Kind::Segment,
            number,
            first: Position(first),
            last: Position(last),
            bytes: 1_000,
            directory_crc: 7,
        };
        let catalogue = Catalogue {
            incarnation: Incarnation(9),
            taken_at: Micros(-4),
            end: Position(12),
            history: vec![named(1, 1, 9), named(3, 10, 10)].into(),
            tail: Some(named(4, 11, 12)),
        };
        catalogue.write(dir.path()).unwrap();
        assert_eq!(Catalogue::read(dir.path()).unwrap(), Some(catalogue));
        let path = dir.path().join(NAME);
        let bytes = fs::read(&path).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            fs::write(&path, &changed).unwrap();
            assert!(Catalogue::read(dir.path()).is_err(), "byte {index}");
            fs::write(&path, &bytes[..index]).unwrap();
            assert!(Catalogue::read(dir.path()).is_err(), "{index} bytes");
        }
    }
}
