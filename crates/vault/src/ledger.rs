//! Who was erased, and when: what outlives every backup.
//!
//! Written before anything of a customer is destroyed, and carried out again whenever the vault opens: so a crash in
//! between finishes, and a backup from before the erasure, with this ledger beside it, loses what was erased since.
//!
//! Invariant: an entry stays for ever. It names a surrogate, which says nothing.

use pegcount_domain::time::Micros;
use rustc_hash::FxHashMap;

use crate::{append::Appended, error::VaultError, folder::Folder};

/// The ledger's file.
pub(crate) const NAME: &str = "erasures";
pub(crate) const MAGIC: &str = "PEGVERA1";
const ENTRY_BYTES: usize = 24;

pub(crate) struct Ledger {
    file: Appended,
    erased: FxHashMap<u128, Micros>,
}

impl Ledger {
    pub(crate) fn open(folder: &Folder, mark: [u8; 8]) -> Result<Self, VaultError> {
        let mut erased = FxHashMap::default();
        let file = Appended::open_additions(folder, NAME, MAGIC, mark, |_, body| {
            let (entries, rest) = body.as_chunks::<ENTRY_BYTES>();
            erased.extend(entries.iter().filter_map(entry));
            if rest.is_empty() { Ok(()) } else { Err("an entry is cut short") }
        })?;
        Ok(Self { file, erased })
    }

    /// When the customer was erased; none if it was not.
    pub(crate) fn erased_at(&self, customer: u128) -> Option<Micros> {
        self.erased.get(&customer).copied()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = u128> {
        self.erased.keys().copied()
    }

    /// Enters customers that are not in it yet; how many those were.
    pub(crate) fn enter(&mut self, customers: &[u128], at: Micros) -> Result<usize, VaultError> {
        let mut new = customers.to_vec();
        new.sort_unstable();
        new.dedup();
        new.retain(|customer| !self.erased.contains_key(customer));
        if !new.is_empty() {
            let entry = |customer: &u128| [customer.to_le_bytes().as_slice(), &at.0.to_le_bytes()].concat();
            self.file.add(&new.iter().flat_map(entry).collect::<Vec<u8>>())?;
            self.erased.extend(new.iter().map(|customer| (*customer, at)));
        }
        Ok(new.len())
    }
}

fn entry(bytes: &[u8; ENTRY_BYTES]) -> Option<(u128, Micros)> {
    let (customer, at) = bytes.split_first_chunk::<16>()?;
    Some((u128::from_le_bytes(*customer), Micros(i64::from_le_bytes(*at.first_chunk()?))))
}
