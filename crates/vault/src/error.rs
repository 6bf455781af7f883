//! Why the vault could not be opened or used. No message carries a personal value.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use pegcount_domain::{
    ids::{CustomerId, Name, NameError},
    time::{Micros, Shown},
};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The operating system's word.
    #[error("{action} {path}: {source}", path = .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What came of it.
        source: io::Error,
    },
    /// Another process has it.
    #[error("the vault {path} is in use by another process: stop that server, or give it another folder", path = .path.display())]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// A newer program wrote it.
    #[error("{path} has vault format {found:?}; this program reads {supported:?}: use a newer program", path = .path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: String,
        /// The one that this program knows.
        supported: &'static str,
    },
    /// Bytes that are not what was written.
    #[error("damage in {path} at byte {offset}: {what}; restore the vault from its backup", path = .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where it begins.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// The key is gone, and with it the way from a value to its surrogate.
    #[error("{path} is missing, and {records} surrogates were made with it; restore it from the key's backup", path = .path.display())]
    KeyMissing {
        /// The key's file.
        path: PathBuf,
        /// How many surrogates need it.
        records: usize,
    },
    /// Two vaults' files in one folder.
    #[error("{path} was written with another key than the one beside it; put the files of one backup together", path = .path.display())]
    OtherKey {
        /// The surrogates' file.
        path: PathBuf,
    },
    /// The operating system gives no random numbers.
    #[error("no random numbers from the operating system: {0}")]
    Random(getrandom::Error),
    /// Blanks identify nobody.
    #[error("value {index} of the call is blank; leave it out, or give a number or an address")]
    Blank {
        /// Its place in the call; 0 is the first.
        index: usize,
    },
    /// An I/O error has made the end of the file uncertain.
    #[error(
        "the vault makes no new surrogates since an I/O error ({cause}); known ones are safe: mend the disk and open it again"
    )]
    Poisoned {
        /// The first error.
        cause: Arc<str>,
    },
    /// The customer's key is gone for good.
    #[error("customer {customer} was erased at {}: what was sealed for it cannot be read any more, and nothing more is sealed", Shown(*.at))]
    Erased {
        /// The surrogate.
        customer: CustomerId,
        /// When.
        at: Micros,
    },
    /// A surrogate that this vault has not given.
    #[error("{customer} is no customer of this vault; find the customer by a number or an address first")]
    UnknownCustomer {
        /// What was given.
        customer: CustomerId,
    },
    /// A reference that this vault has not given.
    #[error(
        "{reference} is no sealed value of this vault; take the reference as it stands in the ticket or the customer's file"
    )]
    UnknownReference {
        /// What was given.
        reference: Name,
    },
    /// Somebody else is known by it.
    #[error(
        "value {index} of the call is how another customer is known ({other}); one of the two is wrong, or they are the same person"
    )]
    Taken {
        /// Its place in the call; 0 is the first.
        index: usize,
        /// That customer.
        other: CustomerId,
    },
    /// A backup goes nowhere else.
    #[error("{path} is not empty: give a folder that is, or a new one", path = .path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// Over the limit.
    #[error("value {index} of the call has {bytes} bytes; the limit is {limit}: shorten it")]
    TooLong {
        /// Its place in the call; 0 is the first.
        index: usize,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// The cipher refused; cannot happen below its limit of 256 GiB.
    #[error("the value could not be sealed")]
    Sealing,
    /// A surrogate that is no name; cannot happen, since it is made of 28 letters and digits.
    #[error("a surrogate {0}")]
    Name(#[from] NameError),
}

impl VaultError {
    /// Whether something else has to be asked for, rather than the vault mended.
    pub fn is_of_the_request(&self) -> bool {
        match self {
            Self::Blank { .. }
            | Self::Erased { .. }
            | Self::UnknownCustomer { .. }
            | Self::UnknownReference { .. }
            | Self::Taken { .. }
            | Self::TooLong { .. } => true,
            Self::Io { .. }
            | Self::Locked { .. }
            | Self::NewerFormat { .. }
            | Self::Damaged { .. }
            | Self::KeyMissing { .. }
            | Self::OtherKey { .. }
            | Self::Random(_)
            | Self::Poisoned { .. }
            | Self::NotEmpty { .. }
            | Self::Sealing
            | Self::Name(_) => false,
        }
    }
}

/// Names the action and the path of an I/O error.
pub(crate) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> VaultError {
    let path = path.to_owned();
    move |source| VaultError::Io { action, path, source }
}

/// Names what is wrong at which byte.
pub(crate) fn damaged(path: &Path, offset: usize, what: &str) -> VaultError {
    let offset = u64::try_from(offset).unwrap_or(u64::MAX);
    VaultError::Damaged { path: path.to_owned(), offset, what: what.to_owned() }
}
