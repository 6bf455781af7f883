//! The master key: values are hashed with it, and customers' keys are wrapped by it.
//!
//! Invariant: the key leaves this module only as hashes made with it, as what it wraps, and as the 8 bytes that tell it from
//! others.

use std::path::{Path, PathBuf};

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use pegcount_domain::ids::SiteId;

use crate::{
    append::{bytes_of, check_magic},
    error::{VaultError, damaged},
    folder::{Folder, make_file_at},
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
/// What the key that wraps customers' keys is derived for; never to be changed.
const WRAP_CONTEXT: &str = "pegcount vault 2026 key that wraps customers' keys";

/// Of XChaCha20-Poly1305: so long that random ones never meet.
pub(crate) const NONCE_BYTES: usize = 24;
/// What sealing adds.
pub(crate) const TAG_BYTES: usize = 16;
/// A customer's key, wrapped.
pub(crate) const WRAPPED_BYTES: usize = KEY_BYTES + TAG_BYTES;

/// Where the master key comes from.
#[derive(Clone, Default)]
pub enum MasterKey {
    /// The file `key` in the vault's folder. For a first try: whoever copies the folder has everything.
    #[default]
    Beside,
    /// This file. A new vault makes it.
    File(PathBuf),
    /// These bytes, which the vault never writes down.
    Given([u8; KEY_BYTES]),
}

impl MasterKey {
    /// One that was written as 64 hexadecimal digits, as in an environment variable; none if it was not.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits: Vec<u8> =
            text.trim().chars().map(|c| c.to_digit(16)?.try_into().ok()).collect::<Option<_>>()?;
        let (pairs, rest) = digits.as_chunks::<2>();
        let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high * 16 + low).collect();
        if rest.is_empty() { bytes.try_into().ok().map(Self::Given) } else { None }
    }

    /// Its file, in the vault's folder or elsewhere; none if it has none.
    pub(crate) fn path(&self, folder: &Folder) -> Option<PathBuf> {
        match self {
            Self::Beside => Some(folder.path(NAME)),
            Self::File(path) => Some(path.clone()),
            Self::Given(_) => None,
        }
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Beside => f.write_str("Beside"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Given(_) => f.write_str("Given"),
        }
    }
}

/// A customer's key as it is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wrapped {
    pub(crate) nonce: [u8; NONCE_BYTES],
    pub(crate) key: [u8; WRAPPED_BYTES],
}

/// A customer's key.
pub(crate) struct CustomerKey(XChaCha20Poly1305);

impl CustomerKey {
    /// Seals `plain` and binds it to `about`: a new nonce, and what it sealed.
    pub(crate) fn seal(
        &self,
        plain: &[u8],
        about: &[u8],
    ) -> Result<([u8; NONCE_BYTES], Vec<u8>), VaultError> {
        let nonce = random()?;
        let payload = Payload { msg: plain, aad: about };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).map_err(|_| VaultError::Sealing)?;
        Ok((nonce, sealed))
    }

    /// The opposite; none if it was sealed with another key, or about something else, or has changed.
    pub(crate) fn unseal(&self, nonce: [u8; NONCE_BYTES], sealed: &[u8], about: &[u8]) -> Option<Vec<u8>> {
        self.0.decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: about }).ok()
    }
}

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(VaultError::Random)?;
    Ok(bytes)
}

/// The key.
pub(crate) struct Key([u8; KEY_BYTES]);

/// A keyed hash of a site and a value.
pub(crate) type Hash = [u8; blake3::OUT_LEN];

impl Key {
    /// The one that `master` says; none if its file is not there.
    pub(crate) fn read(folder: &Folder, master: &MasterKey) -> Result<Option<Self>, VaultError> {
        let path = match (master, master.path(folder)) {
            (MasterKey::Given(key), _) => return Ok(Some(Self(*key))),
            (_, Some(path)) => path,
            (_, None) => return Ok(None),
        };
        let Some(bytes) = bytes_of(&path)? else { return Ok(None) };
        warn_if_public(&path);
        parse(&bytes, &path).map(Some)
    }

    /// A new one, not yet kept.
    pub(crate) fn random() -> Result<Self, VaultError> {
        random().map(Self)
    }

    /// Keeps it in a file, durably.
    pub(crate) fn keep(&self, path: &Path) -> Result<(), VaultError> {
        let mut bytes = Vec::with_capacity(FILE_BYTES);
        bytes.extend_from_slice(MAGIC.as_bytes());
        bytes.extend_from_slice(&self.0);
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        make_file_at(path, &bytes)
    }

    /// A new key for a customer, as it is kept.
    pub(crate) fn new_customer(&self, customer: u128) -> Result<(CustomerKey, Wrapped), VaultError> {
        let plain: [u8; KEY_BYTES] = random()?;
        let (nonce, sealed) = self.wrapping().seal(&plain, &customer.to_le_bytes())?;
        let key = sealed.try_into().map_err(|_| VaultError::Sealing)?;
        Ok((CustomerKey(XChaCha20Poly1305::new(&plain.into())), Wrapped { nonce, key }))
    }

    /// A customer's key; none if it was wrapped by another key, or for another customer.
    pub(crate) fn unwrap(&self, customer: u128, wrapped: &Wrapped) -> Option<CustomerKey> {
        let plain = self.wrapping().unseal(wrapped.nonce, &wrapped.key, &customer.to_le_bytes())?;
        let plain: [u8; KEY_BYTES] = plain.try_into().ok()?;
        Some(CustomerKey(XChaCha20Poly1305::new(&plain.into())))
    }

    fn wrapping(&self) -> CustomerKey {
        CustomerKey(XChaCha20Poly1305::new(&blake3::derive_key(WRAP_CONTEXT, &self.0).into()))
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
    check_magic(*magic, MAGIC, path)?;
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
    let mode = std::fs::metadata(path).map(|data| data.permissions().mode() & 0o777);
    if let Ok(mode) = mode
        && mode & 0o077 != 0
    {
        let mode = format!("{mode:04o}");
        tracing::warn!(path = %path.display(), mode, "others may read the vault's key; make it 0600");
    }
}

#[cfg(not(unix))]
fn warn_if_public(_: &Path) {}
