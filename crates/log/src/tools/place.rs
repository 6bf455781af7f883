//! What a folder holds: the stub, the archives, the segments and the databases of a log, or a backup's.
//!
//! Invariant: what is listed here is what MANIFEST, or BACKUP, names, in the order of positions, and nothing else.

use std::path::{Path, PathBuf};

use pegcount_domain::{envelope::Position, ids::Incarnation};

use super::{
    ToolError,
    catalogue::{self, Catalogue, tail_path},
};
use crate::{
    api::LogError,
    hot::door::{self, History, NamedArchive},
    keys::LogKey,
    segment::Named,
};

/// A segment, or the stub, of a place.
pub(super) struct Part {
    pub(super) named: Named,
    pub(super) path: PathBuf,
}

/// What a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Log,
    Backup,
}

/// What was found in a folder.
pub(super) struct Place {
    pub(super) kind: Kind,
    pub(super) dir: PathBuf,
    pub(super) incarnation: Incarnation,
    pub(super) key: LogKey,
    /// What is left of the segments that were dropped, if some were.
    pub(super) stub: Option<Part>,
    /// The oldest first.
    pub(super) archives: Vec<NamedArchive>,
    pub(super) segments: Vec<Part>,
    pub(super) databases: Vec<u64>,
}

/// Files that tell that a folder is, or was, a log or a backup.
const SIGNS: [&str; 4] = ["FORMAT", "MANIFEST", "MARK", catalogue::NAME];

/// The log's folder: `dir` itself, or `log` in a server's folder.
pub(super) fn find(dir: &Path) -> Result<PathBuf, ToolError> {
    let is_log = |dir: &Path| SIGNS.iter().any(|sign| dir.join(sign).exists());
    let inner = dir.join("log");
    match (is_log(dir), is_log(&inner)) {
        (true, _) => Ok(dir.to_owned()),
        (false, true) => Ok(inner),
        _ => Err(ToolError::NoLog { path: dir.to_owned() }),
    }
}

impl Place {
    /// Reads what the files in `dir`, a log's folder or a backup's, say.
    pub(super) fn read(dir: PathBuf) -> Result<Self, ToolError> {
        let (incarnation, key) = door::identity(&dir)?;
        let key = key.ok_or_else(|| ToolError::OlderFormat { path: dir.clone() })?;
        let part = |named: Named| Part { path: named.path(&dir), named };
        let (kind, history, tail, databases) = match Catalogue::read(&dir)? {
            Some(backup) if backup.incarnation == incarnation => {
                let tail = backup.tail.map(|named| Part { path: tail_path(&dir, &named), named });
                (Kind::Backup, backup.history, tail, Vec::new())
            }
            Some(_) => {
                let what = "it is of another log than FORMAT".to_owned();
                let path = dir.join(catalogue::NAME);
                return Err(LogError::Damaged { path, position: Position(1), what }.into());
            }
            None => {
                let (history, databases) = door::listed(&dir)?;
                (Kind::Log, history, None, databases)
            }
        };
        let History { stub, archives, segments } = history;
        let (stub, segments) = (stub.map(part), segments.into_iter().map(part).chain(tail).collect());
        Ok(Self { kind, dir, incarnation, key, stub, archives, segments, databases })
    }

    /// What a manifest says of it.
    pub(super) fn history(&self) -> History {
        let named = |part: &Part| part.named;
        let segments = self.segments.iter().map(named).collect();
        History { stub: self.stub.as_ref().map(named), archives: self.archives.clone(), segments }
    }

    /// The first position that can be read.
    pub(super) fn first(&self) -> Position {
        self.stub.as_ref().map_or(Position(1), |part| part.named.last.next())
    }

    /// The last position that is in a segment, or was.
    pub(super) fn sealed_end(&self) -> Position {
        self.segments.last().or(self.stub.as_ref()).map_or(Position::START, |part| part.named.last)
    }

    /// Bytes that all of it takes.
    pub(super) fn bytes(&self) -> u64 {
        let segments: u64 = self.stub.iter().chain(&self.segments).map(|part| part.named.bytes).sum();
        let archives: u64 = self.archives.iter().map(|archive| archive.bytes).sum();
        let databases: u64 =
            self.databases.iter().map(|number| door::database_bytes(&self.dir, *number)).sum();
        segments + archives + databases
    }
}
