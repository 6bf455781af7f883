//! The vault: values in, surrogates and references out.
//!
//! Invariants: `known` holds only what is durable, so a surrogate found there may be given away at once; of who is in the
//! ledger no key and no hash is left once the vault is open.

use std::path::Path;

use parking_lot::{Mutex, RwLock};
use pegcount_domain::{
    customer::ValueKind,
    ids::{CustomerId, Name, SiteId},
    time::Micros,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    error::VaultError,
    file::{self, Record, SurrogateFile},
    folder::Folder,
    identity::normal,
    key::{CustomerKey, Hash, Key, MasterKey, random},
    ledger::Ledger,
    name::{Of, name, number},
    sealed::{SealedValues, ToSeal},
    slots::Slots,
};

/// The longest sealed value, bytes of UTF-8.
pub const VALUE_BYTES_MAX: usize = 64 * 1024;

/// Surrogates of customers, and what is sealed for them. Shared by reference; a known value costs a hash and a look-up, a new
/// one a disk sync.
pub struct Vault {
    key: Key,
    known: RwLock<Known>,
    file: Mutex<SurrogateFile>,
    /// Locked after `file` where both are.
    people: Mutex<People>,
    folder: Folder,
}

/// Customers, and what they are known by.
#[derive(Default)]
struct Known {
    by: FxHashMap<Hash, u128>,
    customers: FxHashSet<u128>,
}

impl Known {
    fn get(&self, hash: &Hash) -> Option<u128> {
        self.by.get(hash).copied()
    }

    fn extend(&mut self, records: impl IntoIterator<Item = Record>) {
        for (hash, number) in records {
            self.by.insert(hash, number);
            self.customers.insert(number);
        }
    }
}

/// Keys, what is sealed with them, and who was erased.
struct People {
    slots: Slots,
    sealed: SealedValues,
    ledger: Ledger,
}

impl People {
    /// An error if the customer was erased.
    fn check_kept(&self, of: &CustomerId, number: u128) -> Result<(), VaultError> {
        match self.ledger.erased_at(number) {
            Some(at) => Err(VaultError::Erased { customer: of.clone(), at }),
            None => Ok(()),
        }
    }
}

/// What was sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Unsealed {
    /// For whom.
    pub customer: CustomerId,
    /// What it is.
    pub kind: ValueKind,
    /// The value, plain.
    pub plain: String,
}

impl Vault {
    /// Opens the vault in `dir`, or makes one there, with its master key beside it.
    pub fn open(dir: &Path) -> Result<Self, VaultError> {
        Self::open_with(dir, &MasterKey::Beside)
    }

    /// Opens the vault in `dir`, or makes one there. Nobody else can open it until it is dropped. Erasures of its ledger that have
    /// not been carried out, because of a crash or because the other files come from a backup, are carried out first.
    pub fn open_with(dir: &Path, master: &MasterKey) -> Result<Self, VaultError> {
        let folder = Folder::open(dir)?;
        let key = match Key::read(&folder, master)? {
            Some(key) => key,
            None => make(&folder, master)?,
        };
        // With a key that is given a new vault looks like one that has lost its surrogates; but it has no other file either.
        let is_new = file::is_missing(&folder) && !folder.path(crate::slots::NAME).exists();
        if is_new && matches!(master, MasterKey::Given(_)) {
            file::make(&folder, &key)?;
        }
        let (file, records) = SurrogateFile::open(&folder, &key)?;
        let people = People {
            slots: Slots::open(&folder, &key)?,
            sealed: SealedValues::open(&folder, key.mark())?,
            ledger: Ledger::open(&folder, key.mark())?,
        };
        let mut known = Known::default();
        known.extend(records);
        let vault = Self {
            key,
            known: RwLock::new(known),
            file: Mutex::new(file),
            people: Mutex::new(people),
            folder,
        };
        vault.carry_out()?;
        Ok(vault)
    }

    /// The surrogate of one customer, by what the customer is known by, plain. Numbers are made normal lightly: blanks,
    /// dashes and parentheses in what looks like a phone number do not matter.
    pub fn surrogate(&self, site: &SiteId, plain: &str) -> Result<CustomerId, VaultError> {
        let hash = self.hash(site, plain, 0)?;
        let known = self.known.read().get(&hash);
        let number = match known {
            Some(number) => number,
            None => self.learn(&[hash])?.first().copied().unwrap_or_default(),
        };
        customer(number)
    }

    /// The surrogates of several, in their order; all new ones are made durable together.
    pub fn surrogates<S: AsRef<str>>(
        &self,
        site: &SiteId,
        plain: &[S],
    ) -> Result<Vec<CustomerId>, VaultError> {
        let hashes = self.hashes(site, plain)?;
        let known: Option<Vec<_>> = {
            let known = self.known.read();
            hashes.iter().map(|hash| known.get(hash)).collect()
        };
        let numbers = match known {
            Some(numbers) => numbers,
            None => self.learn(&hashes)?,
        };
        numbers.into_iter().map(customer).collect()
    }

    /// The customer who is known by `plain`; none if nobody is. Keeps nothing.
    pub fn find(&self, site: &SiteId, plain: &str) -> Result<Option<CustomerId>, VaultError> {
        let hash = self.hash(site, plain, 0)?;
        let known = self.known.read().get(&hash);
        known.map(customer).transpose()
    }

    /// From now on `of` is known by these values too. Errors: [`VaultError::Taken`], [`VaultError::Erased`],
    /// [`VaultError::UnknownCustomer`]; then none is.
    pub fn also_known_by<S: AsRef<str>>(
        &self,
        site: &SiteId,
        of: &CustomerId,
        plain: &[S],
    ) -> Result<(), VaultError> {
        let hashes = self.hashes(site, plain)?;
        let number = number_of(of)?;
        let mut file = self.file.lock();
        self.check_known(&self.people.lock(), of, number)?;
        let mut records: Vec<Record> = Vec::with_capacity(hashes.len());
        for (index, hash) in hashes.into_iter().enumerate() {
            match self.known.read().get(&hash) {
                Some(known) if known == number => {}
                Some(other) => return Err(VaultError::Taken { index, other: customer(other)? }),
                None if records.iter().any(|(before, _)| *before == hash) => {}
                None => records.push((hash, number)),
            }
        }
        if !records.is_empty() {
            file.append(&records)?;
            self.known.write().extend(records);
        }
        Ok(())
    }

    /// Seals values of one customer, durably together, and gives a reference for each, in their order. The first makes the
    /// customer's key.
    pub fn seal(&self, of: &CustomerId, values: &[(ValueKind, &str)]) -> Result<Vec<Name>, VaultError> {
        let values: Vec<_> = values.iter().map(|(kind, plain)| (of, *kind, *plain)).collect();
        self.seal_of_several(&values)
    }

    /// As [`Vault::seal`], for values of several customers; the values are durable together, or none is.
    pub fn seal_of_several(
        &self,
        values: &[(&CustomerId, ValueKind, &str)],
    ) -> Result<Vec<Name>, VaultError> {
        for (index, (_, _, plain)) in values.iter().enumerate() {
            if plain.trim().is_empty() {
                return Err(VaultError::Blank { index });
            }
            if plain.len() > VALUE_BYTES_MAX {
                return Err(VaultError::TooLong { index, bytes: plain.len(), limit: VALUE_BYTES_MAX });
            }
        }
        let mut people = self.people.lock();
        let people = &mut *people;
        let mut keys: FxHashMap<u128, CustomerKey> = FxHashMap::default();
        let (mut numbers, mut made) = (Vec::with_capacity(values.len()), Vec::new());
        for (of, ..) in values {
            let number = number_of(of)?;
            numbers.push(number);
            if keys.contains_key(&number) {
                continue;
            }
            self.check_known(people, of, number)?;
            let key = if let Some(wrapped) = people.slots.get(number) {
                self.key.unwrap(number, wrapped).ok_or(VaultError::Sealing)?
            } else {
                let (key, wrapped) = self.key.new_customer(number)?;
                made.push((number, wrapped));
                key
            };
            keys.insert(number, key);
        }
        people.slots.keep(made)?;
        let to_seal = numbers.iter().zip(values).map(|(number, (_, kind, plain))| {
            let key = keys.get(number).ok_or(VaultError::Sealing)?;
            Ok(ToSeal { customer: *number, key, kind: *kind, plain })
        });
        let references = people.sealed.seal(&to_seal.collect::<Result<Vec<_>, VaultError>>()?)?;
        references.into_iter().map(|reference| Ok(name(Of::Value, reference)?)).collect()
    }

    /// What was sealed under a reference. Errors: [`VaultError::UnknownReference`], [`VaultError::Erased`].
    pub fn unseal(&self, reference: &Name) -> Result<Unsealed, VaultError> {
        let unknown = || VaultError::UnknownReference { reference: reference.clone() };
        let people = self.people.lock();
        let at = number(Of::Value, reference).ok_or_else(unknown)?;
        let found = people.sealed.find(at)?.ok_or_else(unknown)?;
        let of = customer(found.customer)?;
        people.check_kept(&of, found.customer)?;
        let key = self.customer_key(&people, found.customer);
        let plain = key.and_then(|key| found.unseal(&key)).ok_or_else(unknown)?;
        Ok(Unsealed { customer: of, kind: found.kind, plain })
    }

    /// Makes everything that is kept of customers unreadable for good: their keys are overwritten, and what they were known by is
    /// forgotten. Their surrogates stay, and say nothing. How many of them had not been erased before.
    ///
    /// Once the ledger has them nothing undoes it, a crash included: the next opening goes on.
    pub fn erase(&self, of: &[CustomerId], at: Micros) -> Result<usize, VaultError> {
        let numbers = of.iter().map(number_of).collect::<Result<Vec<_>, _>>()?;
        let entered = self.people.lock().ledger.enter(&numbers, at)?;
        self.carry_out()?;
        Ok(entered)
    }

    /// Whether it has given this surrogate, or erased it.
    pub fn knows(&self, of: &CustomerId) -> bool {
        let known = |number| self.check_known(&self.people.lock(), of, number).is_ok();
        self.erased_at(of).is_some() || number(Of::Customer, &of.0).is_some_and(known)
    }

    /// When a customer was erased; none if it was not.
    pub fn erased_at(&self, of: &CustomerId) -> Option<Micros> {
        number(Of::Customer, &of.0).and_then(|number| self.people.lock().ledger.erased_at(number))
    }

    /// Copies everything but the master key into the empty or missing folder `to`, as it is at one moment.
    ///
    /// To restore, put the copies, and beside them the newest ledger that there is (`erasures`), into the vault's folder: opening
    /// it erases again whoever was erased since.
    pub fn back_up(&self, to: &Path) -> Result<(), VaultError> {
        let _file = self.file.lock();
        let _people = self.people.lock();
        self.folder
            .copy_files(&[file::NAME, crate::slots::NAME, crate::sealed::NAME, crate::ledger::NAME], to)
    }

    /// A digest that tells `bytes` from others and, without the vault's key, cannot be guessed from them. The same after
    /// every restart; nothing is kept. For what may hold a personal value and must be recognised, not read.
    pub fn digest(&self, bytes: &[u8]) -> [u8; 16] {
        self.key.digest(bytes)
    }

    /// How many values customers are known by.
    pub fn len(&self) -> usize {
        self.known.read().by.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values are sealed, those of erased customers included.
    pub fn sealed(&self) -> usize {
        self.people.lock().sealed.len()
    }

    fn hash(&self, site: &SiteId, plain: &str, index: usize) -> Result<Hash, VaultError> {
        normal(plain).map(|value| self.key.hash(site, &value)).ok_or(VaultError::Blank { index })
    }

    fn hashes<S: AsRef<str>>(&self, site: &SiteId, plain: &[S]) -> Result<Vec<Hash>, VaultError> {
        let hash = |(index, plain): (usize, &S)| self.hash(site, plain.as_ref(), index);
        plain.iter().enumerate().map(hash).collect()
    }

    /// Whether something may be sealed for, or said of, the customer.
    fn check_known(&self, people: &People, of: &CustomerId, number: u128) -> Result<(), VaultError> {
        people.check_kept(of, number)?;
        if people.slots.get(number).is_some() || self.known.read().customers.contains(&number) {
            return Ok(());
        }
        Err(VaultError::UnknownCustomer { customer: of.clone() })
    }

    fn customer_key(&self, people: &People, number: u128) -> Option<CustomerKey> {
        people.slots.get(number).and_then(|wrapped| self.key.unwrap(number, wrapped))
    }

    /// Destroys what is left of those in the ledger.
    fn carry_out(&self) -> Result<(), VaultError> {
        let mut file = self.file.lock();
        let mut people = self.people.lock();
        let people = &mut *people;
        for number in people.ledger.all() {
            people.slots.destroy(number)?;
        }
        let mut known = self.known.write();
        let kept = |number: &u128| people.ledger.erased_at(*number).is_none();
        if known.customers.iter().all(kept) {
            return Ok(());
        }
        let left = known.by.iter().filter(|(_, number)| kept(number));
        let records: Vec<Record> = left.map(|(hash, number)| (*hash, *number)).collect();
        file.rewrite(&self.folder, &self.key, &records)?;
        known.by.retain(|_, number| kept(number));
        known.customers.retain(kept);
        Ok(())
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
                let number = if let Some(number) = known.get(hash).or_else(|| made.get(hash).copied()) {
                    number
                } else {
                    let number = u128::from_le_bytes(random()?);
                    made.insert(*hash, number);
                    number
                };
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
fn make(folder: &Folder, master: &MasterKey) -> Result<Key, VaultError> {
    let path = master.path(folder).unwrap_or_default();
    let records = file::count(folder)?;
    if records > 0 {
        return Err(VaultError::KeyMissing { path, records });
    }
    let key = Key::random()?;
    file::make(folder, &key)?;
    key.keep(&path)?;
    Ok(key)
}

fn number_of(of: &CustomerId) -> Result<u128, VaultError> {
    number(Of::Customer, &of.0).ok_or_else(|| VaultError::UnknownCustomer { customer: of.clone() })
}

fn customer(number: u128) -> Result<CustomerId, VaultError> {
    Ok(CustomerId(name(Of::Customer, number)?))
}
