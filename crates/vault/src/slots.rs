//! Each customer's key, wrapped by the master key, in a slot of its own that is overwritten when the customer is erased.
//!
//! ```text
//! header, 4,096 bytes: magic "PEGVSLT1" | 8 bytes that tell the key | CRC32C | zeros
//! then slots of 128 bytes, so that none lies across two sectors:
//! live     surrogate 16 | nonce 24 | key, wrapped 48 | zeros 36 | CRC32C
//! erased   surrogate 16 | zeros 108 | CRC32C
//! ```
//!
//! Invariants: a key is durable before anything is sealed with it; after [`Slots::destroy`] its bytes are nowhere in the folder.

use std::{
    fs::{File, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::PathBuf,
};

use rustc_hash::FxHashMap;

use crate::{
    append::{check_header, ends_with_crc, header},
    error::{VaultError, damaged, failed},
    folder::Folder,
    key::{Key, NONCE_BYTES, WRAPPED_BYTES, Wrapped},
};

/// The keys' file.
pub(crate) const NAME: &str = "keys";
pub(crate) const MAGIC: &str = "PEGVSLT1";
const PAGE_BYTES: usize = 4_096;
const SLOT_BYTES: usize = 128;
/// Slots in a sector of 512 bytes, the least that a disk writes at once.
const SECTOR_SLOTS: u64 = 4;

pub(crate) struct Slots {
    file: File,
    path: PathBuf,
    /// The number of each live customer's slot, and its key as it is kept.
    live: FxHashMap<u128, (u64, Wrapped)>,
    next: u64,
}

impl Slots {
    pub(crate) fn open(folder: &Folder, key: &Key) -> Result<Self, VaultError> {
        let path = folder.path(NAME);
        let bytes = folder.bytes_or_make(NAME, || {
            let mut page = header(MAGIC, key.mark());
            page.resize(PAGE_BYTES, 0);
            page
        })?;
        let (mark, _) = check_header(&bytes, MAGIC, &path)?;
        if mark != key.mark() {
            return Err(VaultError::OtherKey { path });
        }
        let slots =
            bytes.get(PAGE_BYTES..).ok_or_else(|| damaged(&path, bytes.len(), "the header is cut short"))?;
        let (slots, _) = slots.as_chunks::<SLOT_BYTES>();
        // Behind the last good slot lies at most what a crash left; nothing was sealed with it.
        let count = slots.iter().rposition(|slot| ends_with_crc(slot)).map_or(0, |last| last + 1);
        let mut live = FxHashMap::default();
        for (number, slot) in slots.iter().enumerate().take(count) {
            let what = "the checksum of a customer's key does not match";
            let wrong = || damaged(&path, PAGE_BYTES + number * SLOT_BYTES, what);
            let (customer, wrapped) = ends_with_crc(slot).then(|| parse(slot)).flatten().ok_or_else(wrong)?;
            if let Some(wrapped) = wrapped {
                live.insert(customer, (widen(number), wrapped));
            }
        }
        let file = OpenOptions::new().write(true).open(&path).map_err(failed("open", &path))?;
        file.sync_all().map_err(failed("sync", &path))?;
        Ok(Self { file, path, live, next: widen(count) })
    }

    /// The customer's key as it is kept.
    pub(crate) fn get(&self, customer: u128) -> Option<&Wrapped> {
        self.live.get(&customer).map(|(_, wrapped)| wrapped)
    }

    /// Keeps the keys of customers who have none, durably. Those that share a sector are written together: so a crash leaves no
    /// slot unwritten before a written one, which would look like damage.
    pub(crate) fn keep(&mut self, made: Vec<(u128, Wrapped)>) -> Result<(), VaultError> {
        let mut made = made.into_iter().peekable();
        while made.peek().is_some() {
            let room = SECTOR_SLOTS - self.next % SECTOR_SLOTS;
            let together: Vec<_> = made.by_ref().take(usize::try_from(room).unwrap_or(1)).collect();
            let slots = together.iter().flat_map(|(customer, wrapped)| slot(*customer, Some(wrapped)));
            self.put(self.next, &slots.collect::<Vec<u8>>())?;
            for (customer, wrapped) in together {
                self.live.insert(customer, (self.next, wrapped));
                self.next += 1;
            }
        }
        Ok(())
    }

    /// Overwrites the customer's key, durably; false if there was none.
    pub(crate) fn destroy(&mut self, customer: u128) -> Result<bool, VaultError> {
        let Some((number, _)) = self.live.get(&customer) else { return Ok(false) };
        self.put(*number, &slot(customer, None))?;
        self.live.remove(&customer);
        Ok(true)
    }

    fn put(&mut self, number: u64, bytes: &[u8]) -> Result<(), VaultError> {
        let at = widen(PAGE_BYTES) + number * widen(SLOT_BYTES);
        let mut put = || {
            self.file.seek(SeekFrom::Start(at))?;
            self.file.write_all(bytes)?;
            self.file.sync_data()
        };
        put().map_err(failed("write", &self.path))
    }
}

fn slot(customer: u128, wrapped: Option<&Wrapped>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(SLOT_BYTES);
    bytes.extend_from_slice(&customer.to_le_bytes());
    if let Some(wrapped) = wrapped {
        bytes.extend_from_slice(&wrapped.nonce);
        bytes.extend_from_slice(&wrapped.key);
    }
    bytes.resize(SLOT_BYTES - 4, 0);
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

fn parse(slot: &[u8; SLOT_BYTES]) -> Option<(u128, Option<Wrapped>)> {
    let (customer, rest) = slot.split_first_chunk::<16>()?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>()?;
    let key = rest.first_chunk::<WRAPPED_BYTES>()?;
    let wrapped = (*key != [0; WRAPPED_BYTES]).then_some(Wrapped { nonce: *nonce, key: *key });
    Some((u128::from_le_bytes(*customer), wrapped))
}

fn widen(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
