//! The manifest: which databases and segments are the log. Opening believes it alone.
//!
//! Invariant: it is replaced whole (written aside, synced, renamed, folder synced), and never names a file that is not
//! durable.

use std::{
    fmt::Write as _,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use pegcount_domain::envelope::Position;

use super::{
    archives::{NamedArchive, archive_path},
    folder::{FORMAT_FILE, database_path, failed, write_aside},
};
use crate::{
    api::LogError,
    pages::pages_path,
    segment::{Kind, Named},
};

const NAME: &str = "MANIFEST";
const TITLE: &str = "pegcount manifest";

/// What is not in a database any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct History {
    /// What is left of the segments that were dropped, if some were.
    pub(crate) stub: Option<Named>,
    /// What folds made of those, the oldest first.
    pub(crate) archives: Vec<NamedArchive>,
    pub(crate) segments: Vec<Named>,
}

impl From<Vec<Named>> for History {
    fn from(segments: Vec<Named>) -> Self {
        Self { segments, ..Self::default() }
    }
}

/// What belongs to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) generation: u64,
    pub(super) history: History,
    /// The database that is being sealed, if one is.
    pub(super) sealing: Option<u64>,
    /// The database that appends go to.
    pub(super) hot: u64,
}

impl Manifest {
    /// That of a new log, or of one that had no manifest yet.
    pub(super) fn first() -> Self {
        Self { generation: 0, history: History::default(), sealing: None, hot: 1 }
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

    pub(super) fn text(&self) -> String {
        let mut text = format!("{TITLE}\ngeneration: {}\n", self.generation);
        text.push_str(&self.history.lines());
        for number in self.sealing.iter().chain([&self.hot]) {
            // Writing to a String cannot fail.
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
        named.extend(self.history.paths(dir));
        named.extend(self.history.segments.iter().map(|segment| pages_path(dir, segment.number)));
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
    let made_aside = |prefix| {
        let rest = name.strip_prefix(prefix).map(|rest| rest.strip_suffix(".new").unwrap_or(rest));
        rest.is_some_and(numbered)
    };
    ["segment-", "stub-", "archive-", "pages-"].into_iter().any(made_aside)
        || name.strip_prefix("hot-").is_some_and(numbered)
        || name.strip_suffix(".new").is_some_and(|name| name == NAME || name == FORMAT_FILE)
}

pub(super) fn parse(text: &str) -> Result<Manifest, &'static str> {
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
    let (mut history, mut hot) = (History::default(), Vec::new());
    for line in lines {
        if !history.take(line).ok_or(WRONG)? {
            let number = line.strip_prefix("hot: ").and_then(|number| number.parse().ok());
            hot.push(number.ok_or(WRONG)?);
        }
    }
    let (sealing, hot) = match *hot {
        [hot] => (None, hot),
        [sealing, hot] => (Some(sealing), hot),
        _ => return Err("it names no database, or more than two"),
    };
    let manifest = Manifest { generation, history, sealing, hot };
    if manifest.is_in_order() { Ok(manifest) } else { Err("what it names does not follow on each other") }
}

/// What a manifest says of a segment, or of the stub.
pub(crate) fn named_line(named: &Named) -> String {
    let Named { number, first, last, bytes, directory_crc, kind: _ } = named;
    format!("{number} positions {first} to {last} bytes {bytes} directory {directory_crc:08x}")
}

/// Reads [`named_line`].
pub(crate) fn named(line: &str) -> Option<Named> {
    let words: Vec<&str> = line.split(' ').collect();
    let [number, "positions", first, "to", last, "bytes", bytes, "directory", crc] = *words else {
        return None;
    };
    Some(Named {
        kind: Kind::Segment,
        number: number.parse().ok()?,
        first: Position(first.parse().ok()?),
        last: Position(last.parse().ok()?),
        bytes: bytes.parse().ok()?,
        directory_crc: u32::from_str_radix(crc, 16).ok()?,
    })
}

impl History {
    /// The lines of all of it.
    pub(crate) fn lines(&self) -> String {
        let stub = self.stub.iter().map(|stub| format!("stub: {}\n", named_line(stub)));
        let archives = self.archives.iter().map(|archive| format!("archive: {}\n", archive.line()));
        let segments = self.segments.iter().map(|segment| format!("segment: {}\n", named_line(segment)));
        stub.chain(archives).chain(segments).collect()
    }

    /// Takes over what `line` says. False if it speaks of something else; none if it does not make sense.
    pub(crate) fn take(&mut self, line: &str) -> Option<bool> {
        if let Some(segment) = line.strip_prefix("segment: ") {
            self.segments.push(named(segment)?);
        } else if let Some(archive) = line.strip_prefix("archive: ") {
            self.archives.push(NamedArchive::read(archive)?);
        } else if let Some(stub) = line.strip_prefix("stub: ").filter(|_| self.stub.is_none()) {
            self.stub = Some(Named { kind: Kind::Stub, ..named(stub)? });
        } else {
            return Some(false);
        }
        Some(true)
    }

    /// The first position that can be read.
    pub(crate) fn first(&self) -> Position {
        self.stub.map_or(Position(1), |stub| Position(stub.last.0.saturating_add(1)))
    }

    /// The last position that is in it.
    pub(crate) fn end(&self) -> Position {
        self.segments.last().or(self.stub.as_ref()).map_or(Position::START, |named| named.last)
    }

    /// The highest number that a stub or an archive has.
    pub(crate) fn last_drop(&self) -> u64 {
        let archives = self.archives.iter().map(|archive| archive.number);
        archives.chain(self.stub.map(|stub| stub.number)).max().unwrap_or(0)
    }

    /// Where all of it lies in `dir`.
    pub(crate) fn paths(&self, dir: &Path) -> Vec<PathBuf> {
        let archives = self.archives.iter().map(|archive| archive_path(dir, archive.number));
        self.stub.iter().chain(&self.segments).map(|named| named.path(dir)).chain(archives).collect()
    }

    /// The segments follow on the stub and on each other; there are archives, and what is left goes on from each,
    /// if and only if there is a stub.
    pub(crate) fn is_in_order(&self) -> bool {
        let (mut next, mut number) = (self.first(), 0);
        let dense = self.segments.iter().all(|segment| {
            let follows = segment.first == next && segment.last >= next && segment.number > number;
            (next, number) = (Position(segment.last.0.saturating_add(1)), segment.number);
            follows
        });
        let begins = self.stub.is_none_or(|stub| stub.first == Position(1) && stub.last >= stub.first);
        let useful = self.archives.iter().all(|archive| archive.position.next() >= self.first());
        let sorted = self.archives.is_sorted_by(|one, next| one.position < next.position);
        dense && begins && useful && sorted && self.stub.is_none() == self.archives.is_empty()
    }
}

impl Manifest {
    fn is_in_order(&self) -> bool {
        let number = self.history.segments.last().map_or(0, |segment| segment.number);
        self.history.is_in_order()
            && self.sealing.unwrap_or(number + 1) > number
            && self.hot > self.sealing.unwrap_or(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_manifest() -> Manifest {
        let named = |kind, number, first, last| Named {
            kind,
            number,
            first: Position(first),
            last: Position(last),
            bytes: 1_000,
            directory_crc: 7,
        };
        let history = History {
            stub: None,
            archives: Vec::new(),
            segments: vec![named(Kind::Segment, 1, 1, 9), named(Kind::Segment, 4, 10, 10)],
        };
        Manifest { generation: 3, history, sealing: Some(5), hot: 6 }
    }

    /// One whose first segments were dropped.
    fn a_later_manifest() -> Manifest {
        let mut manifest = a_manifest();
        let history = &mut manifest.history;
        let first = history.segments.remove(0);
        history.stub = Some(Named { kind: Kind::Stub, number: 2, ..first });
        let archive =
            |number, position| NamedArchive { number, position: Position(position), bytes: 40, crc: 9 };
        history.archives = vec![archive(1, 9), archive(2, 12)];
        manifest
    }

    #[test]
    fn it_comes_back_as_written_and_any_changed_or_missing_byte_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Manifest::read(dir.path()).unwrap().is_none());
        let mut manifest = a_manifest();
        manifest.write(dir.path()).unwrap();
        assert_eq!(Manifest::read(dir.path()).unwrap(), Some(manifest));
        let mut manifest = a_later_manifest();
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
            |manifest| manifest.history.segments[1].first = Position(11),
            |manifest| manifest.history.segments[1].number = 1,
            |manifest| manifest.history.segments = manifest.history.segments.split_off(1),
        ];
        for spoil in spoil {
            let mut manifest = a_manifest();
            spoil(&mut manifest);
            assert!(parse(&manifest.text()).is_err(), "{manifest:?}");
        }
        let spoil: [fn(&mut History); 6] = [
            |history| history.stub = None,
            |history| history.stub.as_mut().unwrap().last = Position(8),
            |history| history.stub.as_mut().unwrap().first = Position(2),
            |history| history.archives.clear(),
            |history| history.archives[0].position = Position(8),
            |history| history.archives.reverse(),
        ];
        for spoil in spoil {
            let mut manifest = a_later_manifest();
            spoil(&mut manifest.history);
            assert!(parse(&manifest.text()).is_err(), "{manifest:?}");
        }
    }

    #[test]
    fn only_leftovers_of_our_own_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let manifest = a_later_manifest();
        let kept = [
            "FORMAT",
            "LOCK",
            "MARK",
            "segment-000004",
            "pages-000004",
            "notes.txt",
            "segment-old",
            "hot-",
            "stub-000002",
            "archive-000001",
            "archive-000002",
        ];
        let gone = [
            "segment-000001",
            "segment-000003",
            "segment-000005.new",
            "MANIFEST.new",
            "FORMAT.new",
            "stub-000001",
            "stub-000003.new",
            "archive-000003",
            "archive-000004.new",
            "pages-000001",
            "pages-000007",
            "pages-000004.new",
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
