//! The key that a value is hashed with, in a file of its own.
//!
//! Invariant: the key leaves this module only as hashes made with it and as the 8 bytes that tell it from others.

use std::{fs, io::ErrorKind, path::Path};

use pegcount_domain::ids::SiteId;

use crate::{
    error::{VaultError, damaged, failed},
    folder::Folder,
};

/// The key's file.
pub(crate) const NAME: &str = "key";
const MAGIC: &str = "PEGVKEY1";
const KEY_BYTES: usize = 32;
const FILE_BYTES: usize = MAGIC.len() + KEY_BYTES + 4;
/// What the key's mark is derived for; never to be changed.
const MARK_CONTEXT: &str = "pegcount vault 2026 mark of the key";

/// What the key of digests is derived for; never to be changed.
const DIGEST_CONTEXT: &str = "pegcount vault 2026 key of digests";

/// The key.
pub(crate) struct Key([u8; KEY_BYTES]);

/// A keyed hash of a site and a value.
pub(crate) type Hash = [u8; blake3::OUT_LEN];

impl Key {
    /// A new one, not yet kept.
    pub(crate) fn random() -> Result<Self, VaultError> {
        let mut key = [0; KEY_BYTES];
        getrandom::fill(&mut key).map_err(VaultError::Random)?;
        Ok(Self(key))
    }

    /// The one in the folder; none if there is none.
    pub(crate) fn read(folder: &Folder) -> Result<Option<Self>, VaultError> {
        let path = folder.path(NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("read", &path)(error)),
        };
        warn_if_public(&path);
        parse(&bytes, &path).map(Some)
    }

    /// Keeps it, durably.
    pub(crate) fn keep(&self, folder: &Folder) -> Result<(), VaultError> {
        let mut bytes = Vec::with_capacity(FILE_BYTES);
        bytes.extend_from_slice(MAGIC.as_bytes());
        bytes.extend_from_slice(&self.0);
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        folder.make_file(NAME, &bytes)
    }

    /// Tells it from other keys and says nothing else about it.
    pub(crate) fn mark(&self) -> [u8; 8] {
        let derived = blake3::derive_key(MARK_CONTEXT, &self.0);
        derived.first_chunk().copied().unwrap_or_default()
    }

    /// A digest of any bytes, under a key of its own: it meets no hash of a value.
    pub(crate) fn digest(&self, bytes: &[u8]) -> [u8; 16] {
        let digest = blake3::keyed_hash(&blake3::derive_key(DIGEST_CONTEXT, &self.0), bytes);
        digest.as_bytes().first_chunk().copied().unwrap_or_default()
    }

    /// The hash of a normal value of a site. The site's length stands before it, so that no two pairs run together.
    pub(crate) fn hash(&self, site: &SiteId, value: &str) -> Hash {
        let site = site.as_str();
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&u64::try_from(site.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.update(site.as_bytes());
        hasher.update(value.as_bytes());
        *hasher.finalize().as_bytes()
    }
}

fn parse(bytes: &[u8], path: &Path) -> Result<Key, VaultError> {
    let cut = || damaged(path, bytes.len(), "the key is cut short");
    let (magic, _) = bytes.split_first_chunk::<8>().ok_or_else(cut)?;
    crate::file::check_magic(*magic, MAGIC, path)?;
    let (head, crc) = bytes.split_last_chunk::<4>().ok_or_else(cut)?;
    if crc32c::crc32c(head) != u32::from_le_bytes(*crc) {
        return Err(damaged(path, 0, "the key's checksum does not match"));
    }
    let key = head.get(MAGIC.len()..).and_then(|key| key.try_into().ok());
    key.map(Key).ok_or_else(cut)
}

#[cfg(unix)]
fn warn_if_public(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map(|data| data.permissions().mode() & 0o777);
    if let Ok(mode) = mode
        && mode & 0o077 != 0
    {
        let mode = format!("{mode:04o}");
        tracing::warn!(path = %path.display(), mode, "others may read the vault's key; make it 0600");
    }
}

#[cfg(not(unix))]
fn warn_if_public(_: &Path) {}
