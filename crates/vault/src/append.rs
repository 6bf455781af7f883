//! Files that are only added to: what is added together counts together.
//!
//! ```text
//! magic 8 | 8 bytes that tell the key | CRC32C of both
//! then for each addition: "PVB1" | length of the body u32 | CRC32C of the body | CRC32C of these 12 bytes | body
//! ```
//!
//! A crash can leave the last addition with any of its pages unwritten: nobody was told of it, so it is cut. A bad addition with a
//! good one behind it is damage, and is named.
//!
//! Invariant: [`Appended::add`] returns after what it added is durable; after an error it never writes again.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    error::{VaultError, damaged, failed},
    folder::Folder,
};

pub(crate) const HEADER_BYTES: usize = 20;
const ADDITION_MAGIC: [u8; 4] = *b"PVB1";
const HEAD_BYTES: usize = 16;

/// A file, open at its end.
pub(crate) struct Appended {
    file: File,
    path: PathBuf,
    end: u64,
    poisoned: Option<Arc<str>>,
}

/// The first bytes of a file of a kind, made with the key that has this mark.
pub(crate) fn header(magic: &str, mark: [u8; 8]) -> Vec<u8> {
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.extend_from_slice(magic.as_bytes());
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

/// What follows a good header of the magic `known`, and the mark in it.
pub(crate) fn check_header<'a>(
    bytes: &'a [u8],
    known: &'static str,
    path: &Path,
) -> Result<([u8; 8], &'a [u8]), VaultError> {
    // The header was made whole, so a short one is no crash's doing.
    let (header, body) = bytes
        .split_first_chunk::<HEADER_BYTES>()
        .ok_or_else(|| damaged(path, bytes.len(), "the header is cut short"))?;
    let (magic, rest) = header.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
    check_magic(*magic, known, path)?;
    if !ends_with_crc(header) {
        return Err(damaged(path, 0, "the header's checksum does not match"));
    }
    Ok((rest.first_chunk().copied().unwrap_or_default(), body))
}

/// Whether the last four bytes are the checksum of those before.
pub(crate) fn ends_with_crc(bytes: &[u8]) -> bool {
    bytes.split_last_chunk::<4>().is_some_and(|(head, crc)| crc32c::crc32c(head) == u32::from_le_bytes(*crc))
}

/// The bytes of a file; none if there is no such file.
pub(crate) fn bytes_of(path: &Path) -> Result<Option<Vec<u8>>, VaultError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

impl Appended {
    /// Opens a file for adding behind its first `good` bytes of `bytes`; what a crash has left there is cut.
    pub(crate) fn open(path: PathBuf, good: usize, bytes: usize) -> Result<Self, VaultError> {
        let mut file = OpenOptions::new().write(true).open(&path).map_err(failed("open", &path))?;
        let end = u64::try_from(good).unwrap_or(u64::MAX);
        if good < bytes {
            tracing::warn!(path = %path.display(), bytes = bytes - good, "cut what a crash had left half written");
            file.set_len(end).map_err(failed("cut", &path))?;
        }
        // A process that was killed between its write and its sync leaves bytes that are read but not yet durable.
        file.sync_all().map_err(failed("sync", &path))?;
        file.seek(SeekFrom::End(0)).map_err(failed("find the end of", &path))?;
        Ok(Self { file, path, end, poisoned: None })
    }

    /// Opens the folder's file `name`, or makes it, and gives `take` the bodies of its additions with where each begins.
    pub(crate) fn open_additions(
        folder: &Folder,
        name: &str,
        magic: &'static str,
        mark: [u8; 8],
        mut take: impl FnMut(u64, &[u8]) -> Result<(), &'static str>,
    ) -> Result<Self, VaultError> {
        let path = folder.path(name);
        let bytes = folder.bytes_or_make(name, || header(magic, mark))?;
        let (found, body) = check_header(&bytes, magic, &path)?;
        if found != mark {
            return Err(VaultError::OtherKey { path });
        }
        let mut good = 0;
        while let Some(addition) = body.get(good..).and_then(addition) {
            let begin = HEADER_BYTES + good + HEAD_BYTES;
            take(u64::try_from(begin).unwrap_or(u64::MAX), addition)
                .map_err(|what| damaged(&path, begin, what))?;
            good += HEAD_BYTES + addition.len();
        }
        let left = body.get(good..).unwrap_or_default();
        let behind = left.windows(ADDITION_MAGIC.len()).enumerate().skip(1);
        let mut starts = behind.filter(|(_, window)| *window == ADDITION_MAGIC).map(|(at, _)| at);
        if starts.any(|at| left.get(at..).and_then(addition).is_some()) {
            return Err(damaged(
                &path,
                HEADER_BYTES + good,
                "a checksum does not match, and good bytes follow",
            ));
        }
        Self::open(path, HEADER_BYTES + good, bytes.len())
    }

    /// Adds `body` durably; where it begins in the file.
    pub(crate) fn add(&mut self, body: &[u8]) -> Result<u64, VaultError> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + body.len());
        bytes.extend_from_slice(&ADDITION_MAGIC);
        bytes.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(body).to_le_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        let begin = self.end + u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        bytes.extend_from_slice(body);
        self.write(&bytes)?;
        Ok(begin)
    }

    /// Adds bytes as they are, durably.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), VaultError> {
        if let Some(cause) = &self.poisoned {
            return Err(VaultError::Poisoned { cause: cause.clone() });
        }
        self.file.write_all(bytes).and_then(|()| self.file.sync_data()).map_err(|source| {
            self.poisoned = Some(source.to_string().into());
            failed("write", &self.path)(source)
        })?;
        self.end += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// The body of the good addition that `bytes` begin with.
fn addition(bytes: &[u8]) -> Option<&[u8]> {
    let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    let head = ends_with_crc(head).then(|| head.strip_prefix(&ADDITION_MAGIC)).flatten()?;
    let (length, crc) = head.split_first_chunk::<4>()?;
    let body = rest.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    (crc32c::crc32c(body) == u32::from_le_bytes(*crc.first_chunk()?)).then_some(body)
}
