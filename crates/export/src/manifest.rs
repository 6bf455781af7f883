//! What a revision of a day is. The manifest is written last: without one there is no revision.

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{Read, Write},
    path::Path,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::ExportError;

/// The file's name.
pub const MANIFEST: &str = "manifest.json";

/// One file of a revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name beside the manifest.
    pub name: String,
    /// The table's name; none for the dictionary.
    pub table: Option<String>,
    /// `parquet`, `csv`, `ndjson`, `json`.
    pub format: String,
    /// How many rows it has.
    pub rows: u64,
    /// How long it is.
    pub bytes: u64,
    /// SHA-256 in hexadecimal digits.
    pub sha256: String,
}

/// What a revision replaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaces {
    /// The revision.
    pub revision: u32,
    /// The position that it stood at.
    pub position: u64,
    /// How many figures differ.
    pub differences: u64,
}

/// One revision of a site's day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Whose.
    pub site: String,
    /// The local day, `YYYY-MM-DD`.
    pub date: String,
    /// The zone that cuts it.
    pub time_zone: String,
    /// Its first instant (microseconds since 1970 UTC).
    pub from_us: i64,
    /// The next day's first instant (microseconds since 1970 UTC).
    pub to_us: i64,
    /// From 1 on.
    pub revision: u32,
    /// Of the log, in hexadecimal digits: positions mean something within one incarnation only.
    pub incarnation: String,
    /// The last event of the log that counts.
    pub position: u64,
    /// The instant to which open work counts: the day's end (microseconds since 1970 UTC).
    pub as_of_us: i64,
    /// The formula version in force at the day's start.
    pub formula_version: u8,
    /// All by which anything of the day was counted.
    pub formula_versions: Vec<u8>,
    /// Of the tables.
    pub schema_version: String,
    /// Of the program that wrote it.
    pub program_version: String,
    /// The formats of its tables.
    pub formats: Vec<String>,
    /// Whether CSV begins with a byte order mark.
    pub bom: bool,
    /// What it replaces; none: it is the first.
    pub replaces: Option<Replaces>,
    /// Its files, by name.
    pub files: Vec<FileEntry>,
}

impl Manifest {
    /// Reads the manifest of a revision's folder; none: there is no revision.
    pub fn read(dir: &Path) -> Result<Option<Self>, ExportError> {
        let path = dir.join(MANIFEST);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(ExportError::file("read", path)(error)),
        };
        let manifest = serde_json::from_slice(&text);
        manifest.map(Some).map_err(|error| ExportError::Damaged { path, what: error.to_string() })
    }

    pub(crate) fn write(&self, dir: &Path) -> Result<(), ExportError> {
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|error| ExportError::Write { table: MANIFEST.to_owned(), what: error.to_string() })?;
        text.push(b'\n');
        write_durably(&dir.join(MANIFEST), &text)
    }

    /// How many rows its tables have, each table once.
    pub fn rows(&self) -> u64 {
        let first = self.formats.first();
        self.files.iter().filter(|file| Some(&file.format) == first).map(|file| file.rows).sum()
    }

    /// How long its files are together.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    let mut file = File::create_new(path).map_err(ExportError::file("create", path))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(ExportError::file("write", path))
}

/// Reads a file back: its length and its SHA-256.
pub(crate) fn digest(path: &Path) -> Result<(u64, String), ExportError> {
    let mut file = File::open(path).map_err(ExportError::file("read", path))?;
    let (mut hash, mut length, mut buffer) = (Sha256::new(), 0_u64, vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut buffer).map_err(ExportError::file("read", path))?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else { break };
        hash.update(part);
        length += u64::try_from(read).unwrap_or(0);
    }
    let mut hex = String::with_capacity(64);
    for byte in hash.finalize() {
        // Into a text nothing fails.
        let _ = write!(hex, "{byte:02x}");
    }
    Ok((length, hex))
}
