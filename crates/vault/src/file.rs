//! The file of surrogates: appended to, never changed.
//!
//! A crash can leave the last batch with any of its pages unwritten: nothing of it was ever given to anybody, so a bad
//! last batch is cut whole. A bad batch with a good one behind it is damage, and is named.
//!
//! Invariant: [`SurrogateFile::append`] returns after its records are durable; after an error it never writes again.

use std::path::Path;

use crate::{
    append::{Appended, HEADER_BYTES, bytes_of, check_header, ends_with_crc, header},
    error::{VaultError, damaged},
    folder::Folder,
    key::{Hash, Key},
};

/// The surrogates' file.
pub(crate) const NAME: &str = "surrogates";
const MAGIC: &str = "PEGVSUR2";
/// A file with no batches, only records; opening writes it anew.
const MAGIC_1: &str = "PEGVSUR1";
/// What the head of a batch begins with.
const BATCH_MAGIC: &[u8; 8] = b"PEGVBAT1";
/// Goes into the checksum of a batch's records, so that without their head none of them counts.
const IN_BATCH: &[u8] = b"in a batch";
const RECORD_BYTES: usize = 52;

/// One value's surrogate.
pub(crate) type Record = (Hash, u128);

/// The file, open at its end.
pub(crate) struct SurrogateFile(Appended);

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

/// Whether the folder has no file of them.
pub(crate) fn is_missing(folder: &Folder) -> bool {
    !folder.path(NAME).exists()
}

/// Makes an empty file for surrogates made with `key`.
pub(crate) fn make(folder: &Folder, key: &Key) -> Result<(), VaultError> {
    folder.make_file(NAME, &header(MAGIC, key.mark()))
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
            folder.make_file(NAME, &written(key, &content.records))?;
        }
        Ok((Self(Appended::open(path, content.good_bytes, bytes)?), content.records))
    }

    /// Appends `records` and makes them durable with one sync.
    pub(crate) fn append(&mut self, records: &[Record]) -> Result<(), VaultError> {
        self.0.write(&batch(records))
    }

    /// Writes the file anew with these records alone, and overwrites what it held.
    pub(crate) fn rewrite(
        &mut self,
        folder: &Folder,
        key: &Key,
        records: &[Record],
    ) -> Result<(), VaultError> {
        let bytes = written(key, records);
        folder.replace_file(NAME, &bytes)?;
        self.0 = Appended::open(folder.path(NAME), bytes.len(), bytes.len())?;
        Ok(())
    }
}

/// A file of these records, each alone.
fn written(key: &Key, records: &[Record]) -> Vec<u8> {
    let mut bytes = header(MAGIC, key.mark());
    for record in records {
        put(&mut bytes, record, 0);
    }
    bytes
}

/// The content of the file and its length; none if there is no file.
fn read(path: &Path) -> Result<Option<(Content, usize)>, VaultError> {
    let Some(bytes) = bytes_of(path)? else { return Ok(None) };
    parse(&bytes, path).map(|content| Some((content, bytes.len())))
}

fn parse(bytes: &[u8], path: &Path) -> Result<Content, VaultError> {
    let old = bytes.starts_with(MAGIC_1.as_bytes());
    let (mark, body) = check_header(bytes, if old { MAGIC_1 } else { MAGIC }, path)?;
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
    if !ends_with_crc(first) {
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
