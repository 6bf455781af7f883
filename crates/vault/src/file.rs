//! The file of surrogates: appended to, never changed.
//!
//! A crash can leave the last batch with any of its pages unwritten: nothing of it was ever given to anybody, so a bad
//! last batch is cut whole. A bad batch with a good one behind it is damage, and is named.
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
const MAGIC: &str = "PEGVSUR2";
/// A file with no batches, only records; opening writes it anew.
const MAGIC_1: [u8; 8] = *b"PEGVSUR1";
/// What the head of a batch begins with.
const BATCH_MAGIC: &[u8; 8] = b"PEGVBAT1";
/// Goes into the checksum of a batch's records, so that without their head none of them counts.
const IN_BATCH: &[u8] = b"in a batch";
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
    /// Written before there were batches.
    old: bool,
    mark: [u8; 8],
    records: Vec<Record>,
    /// The length up to the end of the last good batch.
    good_bytes: usize,
}

/// How many records the folder's file holds; 0 if there is no file.
pub(crate) fn count(folder: &Folder) -> Result<usize, VaultError> {
    Ok(read(&folder.path(NAME))?.map_or(0, |(content, _)| content.records.len()))
}

/// Makes an empty file for surrogates made with `key`.
pub(crate) fn make(folder: &Folder, key: &Key) -> Result<(), VaultError> {
    folder.make_file(NAME, &header(key.mark()))
}

fn header(mark: [u8; 8]) -> Vec<u8> {
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.extend_from_slice(MAGIC.as_bytes());
    header.extend_from_slice(&mark);
    header.extend_from_slice(&crc32c::crc32c(&header).to_le_bytes());
    header
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
        if content.old {
            let mut anew = header(content.mark);
            for record in &content.records {
                put(&mut anew, record, 0);
            }
            folder.make_file(NAME, &anew)?;
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
        let bytes = batch(records);
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
    let old = *magic == MAGIC_1;
    if !old {
        check_magic(*magic, MAGIC, path)?;
    }
    if !crc_matches(header) {
        return Err(damaged(path, 0, "the header's checksum does not match"));
    }
    let mark = rest.first_chunk().copied().unwrap_or_default();
    let mut records = Vec::with_capacity(body.len() / RECORD_BYTES);
    let mut good = 0;
    while let Some((found, bytes)) = body.get(good..).and_then(unit) {
        records.extend(found);
        good += bytes;
    }
    let good_bytes = HEADER_BYTES + good;
    let behind = (good..body.len()).step_by(RECORD_BYTES).skip(1);
    if behind.filter_map(|at| body.get(at..)).any(|rest| unit(rest).is_some()) {
        return Err(damaged(path, good_bytes, "a checksum does not match, and good surrogates follow"));
    }
    Ok(Content { old, mark, records, good_bytes })
}

/// One record stands alone; several have a head: magic, their count, the checksum over them, zeros, its own checksum.
fn batch(records: &[Record]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity((records.len() + 1) * RECORD_BYTES);
    if let [record] = records {
        put(&mut bytes, record, 0);
        return bytes;
    }
    let mut body = Vec::with_capacity(records.len() * RECORD_BYTES);
    for record in records {
        put(&mut body, record, crc32c::crc32c(IN_BATCH));
    }
    bytes.extend_from_slice(BATCH_MAGIC);
    bytes.extend_from_slice(&u64::try_from(records.len()).unwrap_or(u64::MAX).to_le_bytes());
    bytes.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
    bytes.resize(RECORD_BYTES - 4, 0);
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    bytes.extend_from_slice(&body);
    bytes
}

/// Puts a record with a checksum that goes on from `crc`.
fn put(bytes: &mut Vec<u8>, (hash, surrogate): &Record, crc: u32) {
    let start = bytes.len();
    bytes.extend_from_slice(hash);
    bytes.extend_from_slice(&surrogate.to_le_bytes());
    let crc = crc32c::crc32c_append(crc, bytes.get(start..).unwrap_or_default());
    bytes.extend_from_slice(&crc.to_le_bytes());
}

/// The good record or whole good batch that `bytes` begin with, and its length.
fn unit(bytes: &[u8]) -> Option<(Vec<Record>, usize)> {
    let (first, rest) = bytes.split_at_checked(RECORD_BYTES)?;
    if !crc_matches(first) {
        return None;
    }
    let Some(head) = first.strip_prefix(BATCH_MAGIC) else {
        return Some((vec![record(first)?], RECORD_BYTES));
    };
    let (count, head) = head.split_first_chunk::<8>()?;
    let body_bytes = usize::try_from(u64::from_le_bytes(*count)).ok()?.checked_mul(RECORD_BYTES)?;
    let body = rest.get(..body_bytes)?;
    if crc32c::crc32c(body) != u32::from_le_bytes(*head.first_chunk()?) {
        return None;
    }
    let records = body.chunks_exact(RECORD_BYTES).map(record).collect::<Option<Vec<_>>>()?;
    Some((records, RECORD_BYTES + body_bytes))
}

fn record(bytes: &[u8]) -> Option<Record> {
    let (hash, rest) = bytes.split_first_chunk::<32>()?;
    Some((*hash, u128::from_le_bytes(*rest.first_chunk()?)))
}

/// Whether the last four bytes are the checksum of those before.
fn crc_matches(bytes: &[u8]) -> bool {
    bytes.split_last_chunk::<4>().is_some_and(|(head, crc)| crc32c::crc32c(head) == u32::from_le_bytes(*crc))
}
