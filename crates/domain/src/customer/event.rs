//! What happens to a customer's file.

use serde::{Deserialize, Serialize};

use crate::{
    coded::coded,
    ids::{Name, ReasonCode},
    time::Micros,
};

coded! {
    /// What a sealed value is.
    ValueKind {
        /// A person's name.
        Name = 1 "name",
        /// A number, an address, or whatever else the customer is reached by.
        Contact = 2 "contact",
        /// Where the customer lives, or where to go.
        Place = 3 "place",
        /// Free text: a note, an explanation.
        Text = 4 "text",
    }
}

/// What happened to a customer's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerEvent<N = Name> {
    /// Values were sealed.
    Kept {
        /// Each one's reference, and what it is; at least one.
        values: Vec<(N, ValueKind)>,
    },
    /// Somebody read sealed values.
    Read {
        /// Which: references; none: what is known of the customer's contacts and tickets.
        values: Vec<N>,
        /// What for.
        purpose: ReasonCode<N>,
    },
    /// The customer's tier is this from now on.
    Tiered {
        /// Which: A, B, C, VIP…
        tier: N,
    },
    /// Somebody may read the file for a while.
    AccessGranted {
        /// The principal.
        to: N,
        /// What for.
        purpose: ReasonCode<N>,
        /// Until before this instant.
        until: Micros,
    },
    /// Somebody may not any more.
    AccessRevoked {
        /// The principal.
        to: N,
    },
    /// The customer was erased: what was sealed can never be read again.
    Erased {
        /// Why.
        reason: ReasonCode<N>,
    },
}
