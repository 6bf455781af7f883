//! Free text of tickets: sealed under the key of the ticket's customer, or of one of its own where it has none.
//!
//! Invariant: no text that anybody could write names a ticket's own key.

use pegcount_domain::ids::TicketId;

/// Cannot be typed, nor dialled.
const MARK: char = '\u{1}';

/// What the vault knows a ticket's own key by.
pub(crate) fn own_identity(ticket: &TicketId) -> String {
    format!("{MARK}ticket{MARK}{ticket}")
}
