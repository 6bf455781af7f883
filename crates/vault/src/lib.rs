//! Random surrogates for what identifies a customer: a number, an address, a customer number.
//!
//! The log never holds such a value. Whoever is about to store a fact that names a customer asks the vault first, and
//! stores the surrogate. The vault keeps a *keyed hash* of the value beside the surrogate, so that the same customer
//! gets the same surrogate again; the value itself it forgets. Not for sealing and erasing values: that comes with the
//! tickets that need it.
//!
//! ```text
//! LOCK         held while the vault is open
//! key          magic "PEGVKEY1" | 32 random bytes | CRC32C                 mode 0600; made last, aside and renamed
//! surrogates   magic "PEGVSUR2" | 8 bytes that tell the key | CRC32C,
//!              then records: 32 bytes keyed BLAKE3 of (site, value) | 16 random bytes | CRC32C
//!              before records that were made together: magic "PEGVBAT1" | their count, 8 bytes | CRC32C over them |
//!              28 zeros | CRC32C; each of theirs is over "in a batch" and the record
//! ```
//!
//! Numbers are little-endian. Whoever has only the folder's `surrogates` file cannot even test a guess; with the key
//! too, guesses can be tested: keep the key's backup apart.
//!
//! Invariant: a surrogate is durable (fdatasync) before it is given to anybody, and a value has one for ever.

mod error;
mod file;
mod folder;
mod identity;
mod key;
mod vault;

pub use error::VaultError;
pub use vault::Vault;
