//! The boot that stamps facts: from the start of a process to its end.
//!
//! Invariant: within one boot a clock only moves on, so its facts share one clock offset.

use uuid::Uuid;

/// Identifies one boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Boot(pub(crate) u128);

impl Boot {
    /// A new one.
    pub(crate) fn new() -> Self {
        Self(Uuid::new_v4().as_u128())
    }

    /// As the contract carries it.
    pub(crate) fn text(self) -> String {
        Uuid::from_u128(self.0).to_string()
    }
}
