//! One site: its units, its reference data and its books.
//!
//! - [`route`]: from an event to the units that it concerns
//! - [`agents`], [`contacts`], [`lines`], [`tickets`]: putting facts into units, and settled units into the books; [`days`]: agent-days
//! - [`close`]: forgetting what is over; [`due`]: days to be judged; [`define`]: new reference data for what is already folded; [`amend`]: annulled and amended facts
//! - [`explain`]: where contributions come from; [`near`]: which contacts count in an interval
//! - [`resting`]: units of which most are over; [`rest`]: what rests, and when
//! - [`changes`]: what has changed, for whoever keeps figures up to date
//! - [`reckon`]: all of it once more by another formula version
//! - [`compare`]: what a late event corrects; [`read`]: what is open at an instant, on top of the books
//!
//! Invariant: books plus what is open equal a fold of the whole history in time order.

mod agents;
mod amend;
pub(crate) mod changes;
mod close;
mod compare;
mod contacts;
mod customers;
pub(crate) mod daily;
pub(crate) mod days;
mod define;
mod due;
pub(crate) mod explain;
mod lines;
mod near;
pub(crate) mod read;
mod reckon;
pub(crate) mod resting;
mod route;
pub(crate) mod tickets;

use pegcount_domain::{
    envelope::{Position, Recorded},
    ids::{Key, Name},
    time::Micros,
};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use crate::{
    agent::{emit::Output as AgentOutput, unit::AgentUnit},
    books::Books,
    cells::Contributions,
    contact::{ContactUnit, fold::Output as ContactOutput},
    correction::Corrections,
    fact::Slot,
    kpi::InUse,
    line::Line,
    names::Names,
    reference::Reference,
    site::{due::DaysDue, resting::Resting},
    ticket::{Classes, TicketUnit},
};

/// A list of units, found by key.
///
/// Invariant: a free place holds a unit in which nothing has happened, and nothing speaks of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Units<T> {
    slots: FxHashMap<Key, Slot>,
    #[serde(skip)]
    pub(crate) list: Vec<T>,
    free: Vec<Slot>,
    /// While somebody keeps figures up to date: the units that were changed, some of them several times.
    #[serde(skip)]
    pub(crate) touched: Option<Vec<Slot>>,
}

impl<T> Default for Units<T> {
    fn default() -> Self {
        Self { slots: FxHashMap::default(), list: Vec::new(), free: Vec::new(), touched: None }
    }
}

impl<T> Units<T> {
    fn find(&self, key: Key) -> Option<Slot> {
        self.slots.get(&key).copied()
    }

    fn slot(&mut self, key: Key, new: impl FnOnce() -> T) -> Slot {
        let (list, free) = (&mut self.list, &mut self.free);
        *self.slots.entry(key).or_insert_with(|| place(list, free, new()))
    }

    fn push(&mut self, unit: T) -> Slot {
        place(&mut self.list, &mut self.free, unit)
    }

    /// The units that have a key.
    pub(crate) fn by_key(&self) -> &FxHashMap<Key, Slot> {
        &self.slots
    }

    /// The key of each unit that has one.
    pub(crate) fn keys(&self) -> FxHashMap<Slot, Key> {
        self.slots.iter().map(|(key, slot)| (*slot, *key)).collect()
    }

    /// Puts a unit at the next place.
    pub(crate) fn put_back(&mut self, key: Option<Key>, unit: T) {
        let slot = Slot::next(&self.list);
        self.list.push(unit);
        self.slots.extend(key.map(|key| (key, slot)));
    }

    /// The units that there are, with their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, &T)> {
        let free: FxHashSet<Slot> = self.free.iter().copied().collect();
        (0u32..).map(Slot).zip(&self.list).filter(move |(slot, _)| !free.contains(slot))
    }

    pub(crate) fn get(&self, slot: Slot) -> Option<&T> {
        self.list.get(slot.index())
    }

    fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        self.touch(slot);
        self.list.get_mut(slot.index())
    }

    /// Notes that a unit was changed, or what depends on it.
    #[inline]
    fn touch(&mut self, slot: Slot) {
        if let Some(touched) = &mut self.touched
            && touched.last() != Some(&slot)
        {
            touched.push(slot);
        }
    }
}

impl<T: Default> Units<T> {
    /// Gives places free. Nothing may speak of them any more.
    fn forget(&mut self, gone: &FxHashSet<Slot>) {
        if gone.is_empty() {
            return;
        }
        self.slots.retain(|_, slot| !gone.contains(slot));
        for slot in gone {
            if let Some(unit) = self.list.get_mut(slot.index()) {
                *unit = T::default();
                self.free.push(*slot);
            }
        }
    }
}

fn place<T>(list: &mut Vec<T>, free: &mut Vec<Slot>, unit: T) -> Slot {
    if let Some(slot) = free.pop()
        && let Some(known) = list.get_mut(slot.index())
    {
        *known = unit;
        return slot;
    }
    let slot = Slot::next(list);
    list.push(unit);
    slot
}

/// Memory that folds use again and again.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    plus: AgentOutput,
    contact: ContactOutput,
    line: Contributions,
}

/// For sites that defer nothing.
const fn without_limit() -> usize {
    usize::MAX
}

/// One site.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Site {
    pub(crate) key: Key,
    pub(crate) name: Option<Name>,
    pub(crate) names: Names,
    pub(crate) reference: Reference,
    pub(crate) agents: Units<AgentUnit>,
    #[serde(skip)]
    pub(crate) contacts: Resting<ContactUnit>,
    #[serde(skip)]
    pub(crate) lines: Resting<Line>,
    #[serde(skip)]
    pub(crate) tickets: Resting<TicketUnit>,
    /// What tickets are.
    pub(crate) classes: Classes,
    /// Contacts that do not stand in the books.
    pub(crate) open: FxHashSet<Slot>,
    pub(crate) books: Books,
    pub(crate) corrections: Corrections,
    /// The ends of days and months that may stand otherwise in the books than they are.
    pub(crate) days_due: DaysDue,
    /// The last instant that any event is known of.
    pub(crate) now: Micros,
    /// History before this instant is closed: its facts change no figure.
    pub(crate) closed_before: Micros,
    /// Whoever follows must look at everything anew.
    #[serde(skip)]
    pub(crate) all_changed: bool,
    /// The latest instant that any event speaks of.
    pub(crate) latest: Micros,
    /// The last event that took something back: then open work may have left an interval unnoticed.
    pub(crate) rewritten_at: Position,
    pub(crate) near: near::Near,
    /// Tickets by their facts.
    pub(crate) near_tickets: near::Near,
    /// Tickets by what they owe, or owed.
    pub(crate) near_owed: near::Near,
    /// The latest instant of all facts.
    pub(crate) last_seen: Micros,
    /// The first of the definitions that are left to a fold from the beginning.
    pub(crate) deferred_since: Option<Position>,
    /// A definition that touches units with more facts is deferred.
    #[serde(skip, default = "without_limit")]
    pub(crate) touch_limit: usize,
    /// The event being taken in.
    pub(crate) position: Position,
    #[serde(skip)]
    pub(crate) scratch: Scratch,
}

impl Site {
    pub(crate) fn new(key: Key) -> Self {
        let never = Micros(i64::MIN);
        Self {
            key,
            now: never,
            closed_before: never,
            last_seen: never,
            latest: never,
            touch_limit: usize::MAX,
            ..Self::default()
        }
    }

    /// Learns the words that have a meaning of their own, by the seed of all fingerprints.
    pub(crate) fn know_words(&mut self, seed: u64) {
        self.reference.know_words(seed, &mut self.names);
        self.classes.know_media(&mut self.names, |word| Key::of(word, seed));
    }

    /// Time has come so far: days that have ended and what has matured go into the cells.
    fn come_to(&mut self, at: Micros) {
        self.now = self.now.max(at);
        self.settle_days(self.now);
        self.books.mature(self.now, self.position);
    }

    /// Takes an event in.
    pub(crate) fn apply(&mut self, recorded: &Recorded) {
        self.position = recorded.position;
        if recorded.event.is_definition() && self.defers(recorded) {
            // The fold that takes this one's place takes it in.
        } else if Corrections::concerns(recorded) {
            self.take_and_compare(recorded);
        } else {
            self.take(recorded);
        }
        self.books.touch_span(recorded.occurred_at, recorded.occurred_at, recorded.position);
        self.come_to(recorded.occurred_at.min(recorded.recorded_at));
        self.latest = self.latest.max(recorded.occurred_at).max(recorded.recorded_at);
        self.bound_changes();
        self.contacts.rest_some();
        self.lines.rest_some();
        self.tickets.rest_some();
        self.books.cells.rest_some();
    }

    /// Those that are read all the time do not rest.
    pub(crate) fn wake_open(&mut self) {
        for slot in &self.open {
            self.contacts.wake(*slot);
        }
    }

    /// At most so much is in use from now on; the others rest.
    pub(crate) fn set_in_use(&mut self, in_use: InUse) {
        self.contacts.set_awake_max(in_use.units);
        self.lines.set_awake_max(in_use.units);
        self.tickets.set_awake_max(in_use.units);
        self.books.cells.set_open_rows_max(in_use.rows);
    }

    /// Goes on from a position.
    pub(crate) fn stand_at(&mut self, position: Position) {
        self.position = position;
        self.rewritten_at = position;
    }

    /// The last event that took something back.
    pub(crate) fn rewritten_at(&self) -> Position {
        self.rewritten_at
    }

    /// The position of the last event that concerned the site.
    pub(crate) fn position(&self) -> Position {
        self.position
    }
}
