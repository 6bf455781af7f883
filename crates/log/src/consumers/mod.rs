//! Durable named subscriptions: the log keeps how far each named consumer has confirmed.
//!
//! ```text
//! confirmed          given            end
//!     ▼                ▼               ▼
//! ────●────────────────○───────────────┤   a connection begins after what is confirmed; what was given and not
//!     └── comes again ─┘                   confirmed comes again on the next connection: at least once
//! ```
//!
//! Not for reading: a [`Consumer`] is a filtered subscription whose position is kept here. Not exact: confirms are
//! written together every so often, and the last ones can be lost in a crash, which only makes events come again.
//!
//! - [`register`]: who there is, who is connected, what is confirmed
//! - [`connection`]: one connection of a consumer
//! - [`keeper`], [`record`]: the file, and when it is written
//!
//! Invariant: a consumer's confirmed position never passes an event that was wanted and not confirmed.

mod connection;
mod error;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod keeper;
pub(crate) mod record;
mod register;

use std::fmt;

use pegcount_domain::{envelope::Position, ids::Name, time::Micros};

use crate::filter::Filter;

pub(crate) use connection::consume;
pub use connection::{Confirmer, Consumer};
pub use error::ConsumerError;
pub use register::Consumers;

/// Which consumer: a name at one site, or one over all sites. Two sites may use the same name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsumerName {
    /// Whose; none: nobody's in particular.
    pub site: Option<Name>,
    /// Its name.
    pub name: Name,
}

impl fmt::Display for ConsumerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.site.as_ref().map_or("*", Name::as_str), self.name)
    }
}

/// What a consumer says when it connects.
#[derive(Clone, Debug)]
pub struct ConsumerHello {
    /// Which it is.
    pub name: ConsumerName,
    /// Who speaks. A consumer belongs to whoever used its name first.
    pub owner: Name,
    /// Where it begins if nobody has used the name yet; none: with what comes from now on.
    pub start: Option<Position>,
    /// What it wants. Not kept: a consumer that wants something else from now on says so when it connects.
    pub filter: Filter,
}

/// What the log knew of a consumer that connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing: its name is new.
    New,
    /// How far it has confirmed.
    Kept,
    /// The same, but of another incarnation of the log, which was restored since: it begins after what it had confirmed,
    /// or after the end that was restored if that is earlier. Told until it confirms something.
    Restored,
}

/// A consumer, as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerStatus {
    /// Which.
    pub name: ConsumerName,
    /// Whose.
    pub owner: Name,
    /// Everything up to here is confirmed, or was not wanted.
    pub confirmed: Position,
    /// When it confirmed last; none: never.
    pub confirmed_at: Option<Micros>,
    /// How long ago that is, or how long it has been there if it never has (duration).
    pub since_confirm: Micros,
    /// How many positions lie between there and the end of the log, wanted or not.
    pub behind: u64,
    /// Whether it is connected.
    pub connected: bool,
}
