//! The vault: values in, surrogates out.
//!
//! Invariant: `known` holds only what is durable, so a surrogate found there may be given away at once.

use std::path::Path;

use parking_lot::{Mutex, RwLock};
use pegcount_domain::ids::{CustomerId, SiteId};
use rustc_hash::FxHashMap;

use crate::{
    error::VaultError,
    file::{self, Record, SurrogateFile},
    folder::Folder,
    identity::normal,
    key::{Hash, Key},
};

/// What every surrogate of a customer begins with.
const PREFIX: &str = "c_";
/// 128 bits, five by five.
const SURROGATE_CHARS: usize = 26;
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Surrogates of customers. Shared by reference; a known value costs a hash and a look-up, a new one a disk sync.
pub struct Vault {
    key: Key,
    known: RwLock<FxHashMap<Hash, u128>>,
    file: Mutex<SurrogateFile>,
    // Held for its lock.
    _folder: Folder,
}

impl Vault {
    /// Opens the vault in `dir`, or makes one there. Nobody else can open it until it is dropped.
    pub fn open(dir: &Path) -> Result<Self, VaultError> {
        let folder = Folder::open(dir)?;
        let key = match Key::read(&folder)? {
            Some(key) => key,
            None => make(&folder)?,
        };
        let (file, records) = SurrogateFile::open(&folder, &key)?;
        let known = records.into_iter().collect();
        Ok(Self { key, known: RwLock::new(known), file: Mutex::new(file), _folder: folder })
    }

    /// The surrogate of one customer, by what the customer is known by, plain. Numbers are made normal lightly: blanks,
    /// dashes and parentheses in what looks like a phone number do not matter.
    pub fn surrogate(&self, site: &SiteId, plain: &str) -> Result<CustomerId, VaultError> {
        let hash = self.hash(site, plain, 0)?;
        let known = self.known.read().get(&hash).copied();
        let number = match known {
            Some(number) => number,
            None => self.learn(&[hash])?.first().copied().unwrap_or_default(),
        };
        name(number)
    }

    /// The surrogates of several, in their order; all new ones are made durable together.
    pub fn surrogates<S: AsRef<str>>(
        &self,
        site: &SiteId,
        plain: &[S],
    ) -> Result<Vec<CustomerId>, VaultError> {
        let hash = |(index, plain): (usize, &S)| self.hash(site, plain.as_ref(), index);
        let hashes = plain.iter().enumerate().map(hash).collect::<Result<Vec<_>, _>>()?;
        let known: Option<Vec<_>> = {
            let known = self.known.read();
            hashes.iter().map(|hash| known.get(hash).copied()).collect()
        };
        let numbers = match known {
            Some(numbers) => numbers,
            None => self.learn(&hashes)?,
        };
        numbers.into_iter().map(name).collect()
    }

    /// A digest that tells `bytes` from others and, without the vault's key, cannot be guessed from them. The same after
    /// every restart; nothing is kept. For what may hold a personal value and must be recognised, not read.
    pub fn digest(&self, bytes: &[u8]) -> [u8; 16] {
        self.key.digest(bytes)
    }

    /// How many surrogates there are.
    pub fn len(&self) -> usize {
        self.known.read().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn hash(&self, site: &SiteId, plain: &str, index: usize) -> Result<Hash, VaultError> {
        normal(plain).map(|value| self.key.hash(site, &value)).ok_or(VaultError::Blank { index })
    }

    /// The numbers of `hashes`; those not known yet are made and kept first.
    fn learn(&self, hashes: &[Hash]) -> Result<Vec<u128>, VaultError> {
        // Whoever holds the file is the only one to add; others may have added since the caller looked.
        let mut file = self.file.lock();
        let mut numbers = Vec::with_capacity(hashes.len());
        let mut made = FxHashMap::default();
        {
            let known = self.known.read();
            for hash in hashes {
                let number = match known.get(hash).or_else(|| made.get(hash)) {
                    Some(number) => *number,
                    None => random()?,
                };
                if !known.contains_key(hash) {
                    made.insert(*hash, number);
                }
                numbers.push(number);
            }
        }
        if !made.is_empty() {
            let records: Vec<Record> = made.into_iter().collect();
            file.append(&records)?;
            self.known.write().extend(records);
        }
        Ok(numbers)
    }
}

/// A new vault. The key comes last: a folder without one has given nothing to anybody.
fn make(folder: &Folder) -> Result<Key, VaultError> {
    let records = file::count(folder)?;
    if records > 0 {
        return Err(VaultError::KeyMissing { path: folder.path(crate::key::NAME), records });
    }
    let key = Key::random()?;
    file::make(folder, &key)?;
    key.keep(folder)?;
    Ok(key)
}

fn random() -> Result<u128, VaultError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(VaultError::Random)?;
    Ok(u128::from_le_bytes(bytes))
}

fn name(number: u128) -> Result<CustomerId, VaultError> {
    let mut text = String::with_capacity(PREFIX.len() + SURROGATE_CHARS);
    text.push_str(PREFIX);
    let letter = |place: usize| {
        let bits = usize::try_from((number >> (5 * place)) & 31).unwrap_or_default();
        ALPHABET.get(bits).copied().map_or('a', char::from)
    };
    text.extend((0..SURROGATE_CHARS).map(letter));
    Ok(CustomerId::new(&text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_a_number_shows_in_its_name() {
        let plain = name(0).unwrap();
        assert_eq!(plain.as_str(), format!("c_{}", "a".repeat(26)));
        let mut names: Vec<_> = (0..128).map(|bit| name(1 << bit).unwrap()).chain([plain]).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 129);
    }
}
