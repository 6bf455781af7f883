//! What a reader gives for one contact.
//!
//! Invariant: `facts` are in the order of their times, and the customer stands in none of them.

use pegcount_domain::{event::Event, ids::ContactId, time::Micros};

/// The facts of one contact, as one record of another system tells them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRecord {
    /// The contact; the record's own key.
    pub contact: ContactId,
    /// The line of the record in its file; 1 is the first.
    pub line: u64,
    /// The customer's number, PLAIN, if the record identifies one: to be exchanged for a surrogate, which then goes
    /// into the [`Event::ContactStarted`] of `facts`.
    pub caller: Option<String>,
    /// What happened and when, all of it for the contact's stream, the earliest first.
    pub facts: Vec<(Micros, Event)>,
}
