//! The manifest: which databases and segments are the log. Opening believes it alone.
//!
//! Invariant: it is replaced whole (written aside, synced, renamed, folder synced), and never names a file that is not
//! durable.

use std::{fmt::Write as _, fs, io::ErrorKind, path::Path};

use pegcount_domain::envelope::Position;

use super::folder::{FORMAT_FILE, database_path, failed, write_aside};
use crate::{
    api::LogError,
    pages::pages_path,
    segment::{Named, segment_path},
};

const NAME: &str = "MANIFEST";
const TITLE: &str = "pegcount manifest";

/// What belongs to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) generation: u64,
    pub(super) segments: Vec<Named>,
    /// The database that is being sealed, if one is.
    pub(super) sealing: Option<u64>,
    /// The database that appends go to.
    pub(super) hot: u64,
}

impl Manifest {
    /// That of a new log, or of one that had no manifest yet.
    pub(super) fn first() -> Self {
        Self { generation: 0, segments: Vec::new(), sealing: None, hot: 1 }
    }

    /// Reads the manifest of the log in `dir`; none if there is none.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, LogError> {
        let path = dir.join(NAME);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &path)(error)),
        };
        let parsed = str::from_utf8(&text).map_err(|_| "it is not text").and_then(parse);
        let damaged = |what: &str| LogError::Damaged { path, position: Position(1), what: what.to_owned() };
        parsed.map(Some).map_err(damaged)
    }

    /// The manifest of a log that has to have one.
    pub(super) fn required(dir: &Path) -> Result<Self, LogError> {
        let missing = || LogError::Damaged {
            path: dir.join(NAME),
            position: Position(1),
            what: "it is missing, so nobody knows what belongs to the log".to_owned(),
        };
        Self::read(dir)?.ok_or_else(missing)
    }

    /// Replaces the manifest in `dir`, durably, by this one with the next generation.
    pub(super) fn write(&mut self, dir: &Path) -> Result<(), LogError> {
        self.generation += 1;
        write_aside(dir, NAME, &self.text())
    }

    fn text(&self) -> String {
        let mut text = format!("{TITLE}\ngeneration: {}\n", self.generation);
        for named in &self.segments {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "segment: {}", named_line(named));
        }
        for number in self.sealing.iter().chain([&self.hot]) {
            let _ = writeln!(text, "hot: {number}");
        }
        let crc = crc32c::crc32c(text.as_bytes());
        let _ = writeln!(text, "crc32c: {crc:08x}");
        text
    }

    /// Removes from `dir` what looks like a part of a log and is not named here: leftovers of a sealing or of a
    /// replaced file.
    pub(super) fn remove_unnamed(&self, dir: &Path) -> Result<(), LogError> {
        let mut named: Vec<_> =
            self.sealing.iter().chain([&self.hot]).map(|number| database_path(dir, *number)).collect();
        for segment in &self.segments {
            named.extend([segment_path(dir, segment.number), pages_path(dir, segment.number)]);
        }
        for entry in fs::read_dir(dir).map_err(failed("list", dir))? {
            let path = entry.map_err(failed("list", dir))?.path();
            if named.contains(&path) || !is_ours(&path) {
                continue;
            }
            tracing::warn!(path = %path.display(), "removing what the manifest does not name");
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(failed("remove", &path))?;
        }
        Ok(())
    }
}

/// Whether sealing, or replacing a file, makes such names.
fn is_ours(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let numbered = |name: &str| name.len() >= 6 && name.bytes().all(|byte| byte.is_ascii_digit());
    let segment = name.strip_prefix("segment-").or_else(|| name.strip_prefix("pages-"));
    let segment = segment.map(|rest| rest.strip_suffix(".new").unwrap_or(rest));
    segment.is_some_and(numbered)
        || name.strip_prefix("hot-").is_some_and(numbered)
        || name.strip_suffix(".new").is_some_and(|name| name == NAME || name == FORMAT_FILE)
}

fn parse(text: &str) -> Result<Manifest, &'static str> {
    const WRONG: &str = "it does not read as a manifest";
    let (head, crc) = text.split_once("crc32c: ").ok_or("it has no checksum")?;
    let crc = crc.strip_suffix('\n').ok_or("it is cut short")?;
    if crc.len() != 8 || u32::from_str_radix(crc, 16) != Ok(crc32c::crc32c(head.as_bytes())) {
        return Err("its checksum does not match");
    }
    let mut lines = head.lines();
    if lines.next() != Some(TITLE) {
        return Err("it does not begin as a manifest does");
    }
    let generation = lines.next().and_then(|line| line.strip_prefix("generation: "));
    let generation = generation.and_then(|number| number.parse().ok()).ok_or(WRONG)?;
    let (mut segments, mut hot) = (Vec::new(), Vec::new());
    for line in lines {
        if let Some(segment) = line.strip_prefix("segment: ") {
            segments.push(named(segment).ok_or(WRONG)?);
        } else {
            let number = line.strip_prefix("hot: ").and_then(|number| number.parse().ok());
            hot.push(number.ok_or(WRONG)?);
        }
    }
    let (sealing, hot) = match *hot {
        [hot] => (None, hot),
        [sealing, hot] => (Some(sealing), hot),
        _ => return Err("it names no database, or more than two"),
    };
    let manifest = Manifest { generation, segments, sealing, hot };
    if manifest.is_in_order() { Ok(manifest) } else { Err("what it names does not follow on each other") }
}

/// What a manifest says of a segment.
pub(crate) fn named_line(named: &Named) -> String {
    let Named { number, first, last, bytes, directory_crc } = named;
    format!("{number} positions {first} to {last} bytes {bytes} directory {directory_crc:08x}")
}

/// Reads [`named_line`].
pub(crate) fn named(line: &str) -> Option<Named> {
    let words: Vec<&str> = line.split(' ').collect();
    let [number, "positions", first, "to", last, "bytes", bytes, "directory", crc] = *words else {
        return None;
    };
    Some(Named {
        number: number.parse().ok()?,
        first: Position(first.parse().ok()?),
        last: Position(last.parse().ok()?),
        bytes: bytes.parse().ok()?,
        directory_crc: u32::from_str_radix(crc, 16).ok()?,
    })
}

impl Manifest {
    fn is_in_order(&self) -> bool {
        let mut next = Position(1);
        let mut number = 0;
        let dense = self.segments.iter().all(|segment| {
            let follows = segment.first == next && segment.last >= next && segment.number > number;
            (next, number) = (Position(segment.last.0.saturating_add(1)), segment.number);
            follows
        });
        dense && self.sealing.unwrap_or(number + 1) > number && self.hot > self.sealing.unwrap_or(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_manifest() -> Manifest {
        let segment = |number, first, last| Named {
            number,
            first: Position(first),
            last: Position(last),
            bytes: 1_000,
            directory_crc: 7,
        };
        Manifest {
            generation: 3,
            segments: vec![segment(1, 1, 9), segment(4, 10, 10)],
            sealing: Some(5),
            hot: 6,
        }
    }

    #[test]
    fn it_comes_back_as_written_and_any_changed_or_missing_byte_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Manifest::read(dir.path()).unwrap().is_none());
        let mut manifest = a_manifest();
        manifest.write(dir.path()).unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), Some(manifest.clone()));
        let bytes = fs::read(dir.path().join(NAME)).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            fs::write(dir.path().join(NAME), &changed).unwrap();
            assert!(matches!(Manifest::read(dir.path()), Err(LogError::Damaged { .. })), "byte {index}");
            fs::write(dir.path().join(NAME), &bytes[..index]).unwrap();
            assert!(matches!(Manifest::read(dir.path()), Err(LogError::Damaged { .. })), "{index} bytes");
        }
    }

    #[test]
    fn what_it_names_follows_on_each_other() {
        let spoil: [fn(&mut Manifest); 5] = [
            |manifest| manifest.hot = 5,
            |manifest| manifest.sealing = Some(4),
            |manifest| manifest.segments[1].first = Position(11),
            |manifest| manifest.segments[1].number = 1,
            |manifest| manifest.segments = manifest.segments.split_off(1),
        ];
        for spoil in spoil {
            let mut manifest = a_manifest();
            spoil(&mut manifest);
            assert!(parse(&manifest.text()).is_err(), "{manifest:?}");
        }
    }

    #[test]
    fn only_leftovers_of_our_own_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let manifest = a_manifest();
        let kept = [
            "FORMAT",
            "LOCK",
            "MARK",
            "segment-000001",
            "segment-000004",
            "pages-000004",
            "notes.txt",
            "segment-old",
            "hot-",
        ];
        let gone = [
            "segment-000003",
            "segment-000005.new",
            "pages-000003",
            "pages-000004.new",
            "MANIFEST.new",
            "FORMAT.new",
        ];
        kept.iter().chain(&gone).for_each(|name| fs::write(dir.path().join(name), b"x").unwrap());
        for number in [2, 5, 6, 7] {
            fs::create_dir(database_path(dir.path(), number)).unwrap();
        }
        manifest.remove_unnamed(dir.path()).unwrap();
        assert!(kept.iter().all(|name| dir.path().join(name).exists()));
        assert!(!gone.iter().any(|name| dir.path().join(name).exists()));
        let there = |number| database_path(dir.path(), number).exists();
        assert_eq!([2, 5, 6, 7].map(there), [false, true, true, false]);
    }
}
