//! The customer's line: all contacts and tickets of one customer, for first attempts, repeats and first-contact
//! resolution (KPIS.md §3, §5).
//!
//! - [`attempt`]: first attempts; [`repeat`]: the repeat-contact form; [`issue`]: tickets and wrap-up codes
//!
//! Invariant: what a line gives depends on its contacts and tickets alone, not on their order of arrival.

pub(crate) mod attempt;
pub(crate) mod issue;
pub(crate) mod repeat;

use pegcount_domain::time::Micros;
use smallvec::SmallVec;

use crate::{
    cells::{Contributions, Dims},
    fact::{Mark, Slot},
    ticket::TicketUnit,
};

/// How long nothing may follow (W of KPIS.md §5): 7 days.
pub(crate) const REPEAT_WINDOW: Micros = Micros(7 * 24 * Micros::HOUR.0);

/// One contact as its customer's line sees it, as of some instant.
#[allow(clippy::struct_excessive_bools, reason = "independent facts, each asked for by another rule")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item {
    pub(crate) started: Micros,
    pub(crate) ended_at: Option<Micros>,
    pub(crate) answered_at: Option<Micros>,
    /// When the handling of its last leg was complete.
    pub(crate) completed_at: Option<Micros>,
    /// First queue, entry, channel, direction.
    pub(crate) at_entry: Dims,
    /// The first agent to answer, with team and queue; the channel.
    pub(crate) credited: Dims,
    pub(crate) asked_for_queue: bool,
    /// Begun by the customer, and not a part of an earlier journey.
    pub(crate) from_customer: bool,
    /// The first contact of the journey that it goes on with.
    pub(crate) journey: Option<Slot>,
    pub(crate) callback: bool,
    pub(crate) topic: Mark,
    /// What the wrap-up code says.
    pub(crate) resolved: Option<bool>,
    pub(crate) transferred: bool,
}

/// The contacts of a line, sorted by their start.
pub(crate) type Items = SmallVec<[(Slot, Item); 1]>;

/// One customer.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// Settled contacts only; open ones join when somebody reads.
    pub(crate) items: Items,
    pub(crate) tickets: SmallVec<[Slot; 1]>,
}

/// Puts a contact in its place.
pub(crate) fn insert(items: &mut Items, contact: Slot, item: Item) {
    let place = items.partition_point(|(_, other)| other.started <= item.started);
    items.insert(place, (contact, item));
}

/// Folds a line: its contacts, as of the instant that they were folded for, and its tickets.
pub(crate) fn fold(
    items: &[(Slot, Item)],
    own_tickets: &[Slot],
    tickets: &[TicketUnit],
    as_of: Micros,
    out: &mut Contributions,
) {
    attempt::fold(items, out);
    repeat::fold(items, out);
    issue::fold(items, own_tickets, tickets, as_of, out);
}

/// What a contact of nobody known adds.
pub(crate) fn unidentified(item: &Item, out: &mut Contributions) {
    attempt::unknown(item, out);
    repeat::unknown(item, out);
}
