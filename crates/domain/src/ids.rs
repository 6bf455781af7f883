//! Names and the typed ids made of them.
//!
//! A [`Name`] is checked once, at the edge: 1 to [`NAME_BYTES_MAX`] bytes, no control characters. An id is a name
//! with a role; it is generic over what stands for the name, so that the same [`crate::event::Event`] carries texts
//! at the edge ([`Name`]), small numbers in the log and 128-bit [`Key`]s in the folds.

use std::{
    borrow::Borrow,
    fmt,
    hash::{Hash, Hasher},
};

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// The longest name, in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 128;

/// A checked text: not empty, at most [`NAME_BYTES_MAX`] bytes, no control characters. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "SmolStr", into = "SmolStr")]
pub struct Name(SmolStr);

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("is empty; give 1 to {NAME_BYTES_MAX} bytes of text")]
    Empty,
    /// Over the limit.
    #[error("has {bytes} bytes; the limit is {NAME_BYTES_MAX}: shorten it")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// Not for the eye.
    #[error("has the control character U+{code:04X} at byte {at}; remove it")]
    Control {
        /// The character.
        code: u32,
        /// Where.
        at: usize,
    },
}

impl Name {
    /// Checks `text`.
    pub fn new(text: &str) -> Result<Self, NameError> {
        Self::check(text)?;
        Ok(Self(SmolStr::new(text)))
    }

    /// For texts written in the program's own source; a test holds each of them to [`Name::new`]'s rule.
    pub const fn fixed(text: &'static str) -> Self {
        Self(SmolStr::new_static(text))
    }

    /// Whether `text` would be a name.
    pub fn check(text: &str) -> Result<(), NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > NAME_BYTES_MAX {
            return Err(NameError::TooLong { bytes: text.len() });
        }
        // Most are plain, and all of what comes in and is decoded goes through here.
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Ok(());
        }
        match text.char_indices().find(|(_, c)| c.is_control()) {
            Some((at, c)) => Err(NameError::Control { code: u32::from(c), at }),
            None => Ok(()),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<SmolStr> for Name {
    type Error = NameError;
    fn try_from(text: SmolStr) -> Result<Self, NameError> {
        Self::check(&text)?;
        Ok(Self(text))
    }
}

impl From<Name> for SmolStr {
    fn from(name: Name) -> Self {
        name.0
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name's 128-bit fingerprint (XXH3, seeded per process): what folds work with. Two different names meet with
/// probability below 1e-24 at a billion names; the seed keeps a hostile client from making them meet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key(pub u128);

/// Half of it is as good a hash as all of it.
impl Hash for Key {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::try_from(self.0 & u128::from(u64::MAX)).unwrap_or_default());
    }
}

impl Key {
    /// The fingerprint of `text` under `seed`.
    #[inline]
    pub fn of(text: &str, seed: u64) -> Self {
        Self(xxhash_rust::xxh3::xxh3_128_with_seed(text.as_bytes(), seed))
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $id:ident,)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $id<N = Name>(pub N);

        impl<N> $id<N> {
            /// The same id with another stand-in for its name.
            #[inline]
            pub fn map<M>(self, f: impl FnOnce(N) -> M) -> $id<M> {
                $id(f(self.0))
            }
        }

        impl $id<Name> {
            /// Checks `text`.
            pub fn new(text: &str) -> Result<Self, NameError> {
                Name::new(text).map(Self)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl<N: fmt::Display> fmt::Display for $id<N> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

ids! {
    /// A place that works by one set of definitions and one time zone.
    SiteId,
    /// A person who handles contacts.
    AgentId,
    /// A group of agents.
    TeamId,
    /// A queue that contacts wait in.
    QueueId,
    /// A hotline number, address or page that customers choose.
    EntryId,
    /// One call, chat, e-mail conversation.
    ContactId,
    /// One agent's part in one contact; unique within the contact.
    LegId,
    /// One stay of a contact in a queue; unique within the contact.
    VisitId,
    /// One matter.
    TicketId,
    /// A customer's random surrogate; never a number or an address.
    CustomerId,
    /// What a contact or a ticket is about.
    TopicId,
    /// A reason code: for being away, for a transfer, for a reopening.
    ReasonCode,
    /// A wrap-up code.
    WrapUpCode,
    /// A key of the phone.
    PhoneKey,
    /// A survey.
    SurveyId,
    /// A kind of ticket.
    TicketKind,
    /// A category of tickets.
    CategoryId,
}

/// The source of facts: a softphone installation, an exchange, an importer; `engine` for Pegcount itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceId(pub Name);

/// A source's epoch: made with its counter, so a counter that starts again is another epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Epoch(pub u128);

/// A command's id, chosen by who asks, so that asking twice acts once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CommandId(pub u128);

/// A log's incarnation; a restore makes a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Incarnation(pub u128);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_neither_empty_nor_too_long_nor_full_of_control_characters() {
        assert_eq!(Name::new(""), Err(NameError::Empty));
        assert_eq!(Name::new(&"x".repeat(129)), Err(NameError::TooLong { bytes: 129 }));
        assert_eq!(Name::new("a\nb"), Err(NameError::Control { code: 10, at: 1 }));
        assert_eq!(Name::new("agent 7").unwrap().as_str(), "agent 7");
    }

    #[test]
    fn errors_say_the_limit_and_what_was_found() {
        let message = Name::new(&"x".repeat(129)).unwrap_err().to_string();
        assert_eq!(message, "has 129 bytes; the limit is 128: shorten it");
    }
}
