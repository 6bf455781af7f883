//! Random surrogates for what identifies a customer: a number, an address, a customer number.
//!
//! The log never holds such a value. Whoever is about to store a fact that names a customer asks the vault first, and
//! stores the surrogate. The vault keeps a *keyed hash* of the value beside the surrogate, so that the same customer
//! gets the same surrogate again; the value itself it forgets. What has to be read again (a name, a number to call back, a note)
//! is *sealed* under a key of that customer's own, and the log holds a reference. *Erasing* destroys that key and the hashes:
//! surrogates and references stay where they are, every count stays true, and nobody can tell any more whose they were.
//!
//! ```text
//! LOCK         held while the vault is open
//! key          the master key: magic "PEGVKEY1" | 32 random bytes | CRC32C             mode 0600; made last, aside and renamed;
//!              or elsewhere, or given by whoever opens the vault
//! surrogates   magic "PEGVSUR2" | 8 bytes that tell the key | CRC32C,
//!              then records: 32 bytes keyed BLAKE3 of (site, value) | 16 random bytes | CRC32C
//!              before records that were made together: magic "PEGVBAT1" | their count, 8 bytes | CRC32C over them |
//!              28 zeros | CRC32C; each of theirs is over "in a batch" and the record
//! keys         each customer's key, wrapped, in a slot that erasing overwrites          (drawn in slots.rs)
//! sealed       values under those keys, XChaCha20-Poly1305                              (sealed.rs)
//! erasures     the ledger: who was erased, and when                                     (ledger.rs)
//! ```
//!
//! Numbers are little-endian. Whoever has the folder without the master key cannot even test a guess; with it, guesses can be tested
//! and values read: keep it, and its backup, apart.
//!
//! Invariants: a surrogate or a reference is durable (fdatasync) before it is given to anybody; a value has one surrogate until its
//! customer is erased; what the ledger names is unreadable in every copy of the folder that has been opened with that ledger.

mod append;
mod error;
mod file;
mod folder;
mod identity;
mod key;
mod ledger;
mod name;
mod sealed;
mod slots;
mod vault;

pub use error::VaultError;
pub use key::MasterKey;
pub use vault::{Unsealed, VALUE_BYTES_MAX, Vault};
