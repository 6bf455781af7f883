//! The file of surrogates: appended to, never changed.
//!
//! A crash can leave its end half written: what lies behind the last good record then was never given to anybody, and
//! is cut. A bad record with a good one behind it is damage, and is named.
//!
//! Invariant: [`SurrogateFile::append`] returns after its records are durable; after an error it never writes again.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    error::{VaultError, damaged, failed},
    folder::Folder,
    key::{Hash, Key},
};

/// The surrogates' file.
pub(crate) const NAME: &str = "surrogates";
const MAGIC: &str = "PEGVSUR1";
const HEADER_BYTES: usize = 20;
const RECORD_BYTES: usize = 52;

/// One value's surrogate.
pub(crate) type Record = (Hash, u128);

/// The file, open at its end.
pub(crate) struct SurrogateFile {
    file: File,
    path: PathBuf,
    poisoned: Option<Arc<str>>,
}

/// What the bytes of a file hold.
struct Content {
    mark: [u8; 8],
    records: Vec<Record>,
    /// The length up to the last good record.
    good_bytes: usize,
}

/// How many records the folder's file holds; 0 if there is no file.
pub(crate) fn count(folder: &Folder) -> Result<usize, VaultError> {
    Ok(read(&folder.path(NAME))?.map_or(0, |(content, _)| content.records.len()))
}

/// Makes an empty file for surrogates made with `key`.
pub(crate) fn make(folder: &Folder, key: &Key) -> Result<(), VaultError> {
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.extend_from_slice(MAGIC.as_bytes());
    header.extend_from_slice(&key.mark());
    header.extend_from_slice(&crc32c::crc32c(&header).to_le_bytes());
    folder.make_file(NAME, &header)
}

/// Another version of a known magic is a newer format; anything else is damage.
pub(crate) fn check_magic(found: [u8; 8], known: &'static str, path: &Path) -> Result<(), VaultError> {
    if found == *known.as_bytes() {
        return Ok(());
    }
    let family = known.get(..7).unwrap_or(known);
    if !found.starts_with(family.as_bytes()) {
        return Err(damaged(path, 0, "it does not begin as a file of a vault does"));
    }
    let found = String::from_utf8_lossy(&found).into_owned();
    Err(VaultError::NewerFormat { path: path.to_owned(), found, supported: known })
}

impl SurrogateFile {
    /// Opens the folder's file and gives its records; cuts what a crash has left half written.
    pub(crate) fn open(folder: &Folder, key: &Key) -> Result<(Self, Vec<Record>), VaultError> {
        let path = folder.path(NAME);
        let (content, bytes) =
            read(&path)?.ok_or_else(|| damaged(&path, 0, "it is missing, but its key is there"))?;
        if content.mark != key.mark() {
            return Err(VaultError::OtherKey { path });
        }
        let mut file = OpenOptions::new().write(true).open(&path).map_err(failed("open", &path))?;
        if content.good_bytes < bytes {
            let cut = bytes - content.good_bytes;
            tracing::warn!(path = %path.display(), bytes = cut, "cut what a crash had left half written");
            let length = u64::try_from(content.good_bytes).unwrap_or(u64::MAX);
            file.set_len(length).map_err(failed("cut", &path))?;
        }
        // A process that was killed between its write and its sync leaves records that are read but not yet durable.
        file.sync_all().map_err(failed("sync", &path))?;
        file.seek(SeekFrom::End(0)).map_err(failed("find the end of", &path))?;
        Ok((Self { file, path, poisoned: None }, content.records))
    }

    /// Appends `records` and makes them durable with one sync.
    pub(crate) fn append(&mut self, records: &[Record]) -> Result<(), VaultError> {
        if let Some(cause) = &self.poisoned {
            return Err(VaultError::Poisoned { cause: cause.clone() });
        }
        let mut bytes = Vec::with_capacity(records.len() * RECORD_BYTES);
        for (hash, surrogate) in records {
            let start = bytes.len();
            bytes.extend_from_slice(hash);
            bytes.extend_from_slice(&surrogate.to_le_bytes());
            let crc = crc32c::crc32c(bytes.get(start..).unwrap_or_default());
            bytes.extend_from_slice(&crc.to_le_bytes());
        }
        self.file.write_all(&bytes).and_then(|()| self.file.sync_data()).map_err(|source| {
            self.poisoned = Some(source.to_string().into());
            failed("write", &self.path)(source)
        })
    }
}

/// The content of the file and its length; none if there is no file.
fn read(path: &Path) -> Result<Option<(Content, usize)>, VaultError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", path)(error)),
    };
    parse(&bytes, path).map(|content| Some((content, bytes.len())))
}

fn parse(bytes: &[u8], path: &Path) -> Result<Content, VaultError> {
    // The header was made whole, so a short one is no crash's doing.
    let (header, body) = bytes
        .split_first_chunk::<HEADER_BYTES>()
        .ok_or_else(|| damaged(path, bytes.len(), "the header is cut short"))?;
    let (magic, rest) = header.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
    check_magic(*magic, MAGIC, path)?;
    if !crc_matches(header) {
        return Err(damaged(path, 0, "the header's checksum does not match"));
    }
    let mark = rest.first_chunk().copied().unwrap_or_default();
    let mut records = Vec::with_capacity(body.len() / RECORD_BYTES);
    let mut chunks = body.chunks_exact(RECORD_BYTES);
    records.extend(chunks.by_ref().map_while(record));
    let good_bytes = HEADER_BYTES + records.len() * RECORD_BYTES;
    if chunks.any(|chunk| record(chunk).is_some()) {
        return Err(damaged(path, good_bytes, "a record's checksum does not match, and good ones follow it"));
    }
    Ok(Content { mark, records, good_bytes })
}

fn record(bytes: &[u8]) -> Option<Record> {
    let (hash, rest) = bytes.split_first_chunk::<32>()?;
    let surrogate = rest.first_chunk::<16>()?;
    crc_matches(bytes).then(|| (*hash, u128::from_le_bytes(*surrogate)))
}

/// Whether the last four bytes are the checksum of those before.
fn crc_matches(bytes: &[u8]) -> bool {
    bytes.split_last_chunk::<4>().is_some_and(|(head, crc)| crc32c::crc32c(head) == u32::from_le_bytes(*crc))
}
