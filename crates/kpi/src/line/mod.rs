//! The customer's line: all contacts and tickets of one customer, for first attempts, repeats and first-contact
//! resolution (KPIS.md §3, §5).
//!
//! - [`attempt`]: first attempts; [`repeat`]: the repeat-contact form; [`issue`]: tickets and wrap-up codes
//!
//! What is first, or repeated, is said by the formula version in force when the contact that it is asked of began.
//! Invariant: what a line gives depends on its contacts and tickets alone, not on their order of arrival.

pub(crate) mod attempt;
pub(crate) mod issue;
pub(crate) mod repeat;

use pegcount_domain::time::Micros;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{
    cells::{Contributions, Dims},
    contact::ContactUnit,
    fact::{Mark, Slot},
    packed::{self, Packed, bytes::Writer},
    reference::Reference,
    site::resting::{Resting, Rests},
    ticket::TicketUnit,
};

/// What a wrap-up code says, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WrapUp {
    pub(crate) at: Micros,
    pub(crate) resolved: bool,
}

/// One contact as its customer's line sees it, as of some instant.
#[allow(clippy::struct_excessive_bools, reason = "independent facts, each asked for by another rule")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    /// The contact's mark.
    pub(crate) mark: Mark,
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
    /// Begun by the customer: inbound, and not our call-back.
    pub(crate) from_customer: bool,
    /// The first contact of the journey that it goes on with.
    pub(crate) journey: Option<Slot>,
    pub(crate) callback: bool,
    pub(crate) topic: Mark,
    pub(crate) wrap_up: Option<WrapUp>,
    pub(crate) transferred: bool,
}

/// The contacts of a line, sorted by their start, then by their marks.
pub(crate) type Items = SmallVec<[(Slot, Item); 1]>;

/// One customer.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Line {
    /// Settled contacts only; open ones join when somebody reads.
    #[serde(with = "pegcount_domain::small")]
    pub(crate) items: Items,
    #[serde(with = "pegcount_domain::small")]
    pub(crate) tickets: SmallVec<[Slot; 1]>,
}

impl Rests for Line {
    fn may_rest(&self) -> bool {
        true
    }

    fn pack(&self, out: &mut Writer) {
        packed::line::write(self, out);
    }

    fn unpack(packed: &Packed) -> Self {
        packed::line::read(packed.bytes())
    }
}

/// The first contact of the journey that a contact belongs to.
fn root(contact: Slot, item: &Item) -> Slot {
    item.journey.unwrap_or(contact)
}

/// Puts a contact in its place.
pub(crate) fn insert(items: &mut Items, contact: Slot, item: Item) {
    let place = items.partition_point(|(_, other)| (other.started, other.mark) <= (item.started, item.mark));
    items.insert(place, (contact, item));
}

/// The site's contacts and tickets, for what a line does not keep itself.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) contacts: &'a Resting<ContactUnit>,
    pub(crate) tickets: &'a Resting<TicketUnit>,
    pub(crate) reference: &'a Reference,
}

impl Around<'_> {
    /// Whether a ticket has been opened in a contact, whoever its customer is.
    fn has_ticket(&self, contact: Slot, as_of: Micros) -> bool {
        let Some(unit) = self.contacts.get(contact) else { return false };
        let mut opened = unit.tickets.iter().filter_map(|slot| self.tickets.get(*slot)?.opened(as_of));
        opened.any(|opened| opened.contact == Some(contact))
    }
}

/// Folds a line: its contacts, as of the instant that they were folded for, and its tickets.
pub(crate) fn fold(
    items: &[(Slot, Item)],
    own_tickets: &[Slot],
    around: Around<'_>,
    as_of: Micros,
    out: &mut Contributions,
) {
    attempt::fold(items, around.reference, out);
    repeat::fold(items, around.reference, out);
    issue::fold(items, own_tickets, around, as_of, out);
}

/// What a contact of nobody known adds.
pub(crate) fn unidentified(item: &Item, out: &mut Contributions) {
    attempt::unknown(item, out);
    repeat::unknown(item, out);
}
