//! Units of which most are over: those that were touched last are in use, the others rest as bytes.
//!
//! A fact, a correction or a link wakes a unit; a question opens it for as long as it is asked. Who was touched longest ago
//! rests first, and who may not rest is passed over. Not for deciding what is over: that is the unit's to say. Invariant:
//! whether a unit rests shows in no figure.

use std::{collections::VecDeque, mem, ops::Deref};

use hashbrown::HashTable;
use pegcount_domain::ids::Key;
use rustc_hash::FxHashSet;

use crate::{
    fact::Slot,
    packed::{Packed, bytes::Writer},
};

/// So many units of a kind and a site are in use, those that may not rest left out: some hours of a site with 200 agents.
pub(crate) const AWAKE_DEFAULT: usize = 4_096;
/// For each unit that comes into use so many are looked at that may rest. Each is looked at twice, as it may have been used, and
/// some are open: so no more of those that are over stay in use than there are open ones, beside what may stay.
const LOOKS: usize = 4;

/// What can rest.
pub(crate) trait Rests: Default {
    /// Whether nothing of it is read all the time.
    fn may_rest(&self) -> bool;
    fn pack(&self, out: &mut Writer);
    fn unpack(packed: &Packed) -> Self;
}

#[derive(Debug)]
enum Place<T> {
    Awake(Box<Awake<T>>),
    /// No bytes: nothing has happened in it.
    Rests(Packed),
}

#[derive(Debug)]
struct Awake<T> {
    unit: T,
    /// Whether it was touched since it was looked at last.
    is_used: bool,
}

/// A unit, in use or opened for a while.
#[derive(Debug)]
pub(crate) enum Held<'a, T> {
    Awake(&'a T),
    Opened(Box<T>),
}

impl<T> Deref for Held<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match self {
            Self::Awake(unit) => unit,
            Self::Opened(unit) => unit,
        }
    }
}

/// Units found by key.
///
/// Invariant: a free place holds a unit in which nothing has happened, and nothing speaks of it.
#[derive(Debug)]
pub(crate) struct Resting<T> {
    keys: Vec<Key>,
    by_key: HashTable<Slot>,
    places: Vec<Place<T>>,
    free: Vec<Slot>,
    /// Those that are awake, in the order in which they were looked at.
    awake: VecDeque<Slot>,
    pub(super) awake_max: usize,
    /// So many looks at units that may rest are owed to those that have come into use.
    looks: usize,
    /// While somebody keeps figures up to date: the units that were changed, some of them several times.
    pub(crate) touched: Option<Vec<Slot>>,
    writer: Writer,
}

impl<T> Default for Resting<T> {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            by_key: HashTable::new(),
            places: Vec::new(),
            free: Vec::new(),
            awake: VecDeque::new(),
            awake_max: AWAKE_DEFAULT,
            looks: 0,
            touched: None,
            writer: Writer::default(),
        }
    }
}

/// Keys are fingerprints: any half of one is as good as a hash.
#[inline]
fn hash(key: Key) -> u64 {
    u64::try_from(key.0 & u128::from(u64::MAX)).unwrap_or_default()
}

impl<T> Resting<T> {
    #[inline]
    pub(super) fn find(&self, key: Key) -> Option<Slot> {
        self.by_key.find(hash(key), |slot| self.keys.get(slot.index()) == Some(&key)).copied()
    }

    /// The place of the unit that comes next, if no place is free.
    pub(crate) fn next(&self) -> Slot {
        Slot::next(&self.places)
    }

    /// The key of a place that is not free.
    pub(crate) fn key(&self, slot: Slot) -> Option<Key> {
        self.keys.get(slot.index()).copied()
    }

    /// Notes that a unit was changed, or what depends on it.
    #[inline]
    pub(super) fn touch(&mut self, slot: Slot) {
        if let Some(touched) = &mut self.touched
            && touched.last() != Some(&slot)
        {
            touched.push(slot);
        }
    }

    fn learn(&mut self, key: Key, slot: Slot) {
        let keys = &self.keys;
        self.by_key.insert_unique(hash(key), slot, |slot| keys.get(slot.index()).map_or(0, |key| hash(*key)));
    }

    /// What is in use: how many units, and what they take, the heap of each by `heap`; then the same of what rests.
    pub(crate) fn weight(&self, heap: impl Fn(&T) -> usize) -> [(usize, usize); 2] {
        let (mut awake, mut resting) = ((0, 0), (0, self.places.capacity() * size_of::<Place<T>>()));
        for place in &self.places {
            match place {
                Place::Awake(held) => {
                    awake = (awake.0 + 1, awake.1 + size_of::<Awake<T>>() + heap(&held.unit));
                }
                Place::Rests(packed) => {
                    resting = (resting.0 + 1, resting.1 + packed.bytes().len());
                }
            }
        }
        [awake, resting]
    }

    /// What finding units takes, bytes.
    pub(crate) fn bytes_of_keys(&self) -> usize {
        self.keys.capacity() * size_of::<Key>() + self.by_key.allocation_size()
    }
}

impl<T: Rests> Resting<T> {
    pub(super) fn slot(&mut self, key: Key, new: impl FnOnce() -> T) -> Slot {
        if let Some(slot) = self.find(key) {
            return slot;
        }
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => self.append(key, Place::Rests(Packed::default())),
        };
        if let Some(known) = self.keys.get_mut(slot.index()) {
            *known = key;
        }
        self.put(slot, new());
        self.learn(key, slot);
        slot
    }

    fn append(&mut self, key: Key, place: Place<T>) -> Slot {
        let slot = Slot::next(&self.places);
        self.places.push(place);
        self.keys.push(key);
        slot
    }

    fn put(&mut self, slot: Slot, unit: T) {
        if let Some(place) = self.places.get_mut(slot.index()) {
            *place = Place::Awake(Box::new(Awake { unit, is_used: true }));
            self.awake.push_back(slot);
            self.looks += LOOKS;
        }
    }

    /// Puts a unit at the next place.
    pub(crate) fn put_back(&mut self, key: Key, unit: T) {
        let slot = self.append(key, Place::Rests(Packed::default()));
        self.put(slot, unit);
        self.learn(key, slot);
        self.rest_some();
    }

    /// The units that there are, with their places; those at rest are opened one after the other.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, Held<'_, T>)> {
        let free: FxHashSet<Slot> = self.free.iter().copied().collect();
        let slots = (0u32..).map(Slot).take(self.places.len()).filter(move |slot| !free.contains(slot));
        slots.filter_map(|slot| Some((slot, self.get(slot)?)))
    }

    /// The places that are not free.
    pub(crate) fn slots(&self) -> Vec<Slot> {
        let free: FxHashSet<Slot> = self.free.iter().copied().collect();
        (0u32..).map(Slot).take(self.places.len()).filter(|slot| !free.contains(slot)).collect()
    }

    #[inline]
    pub(crate) fn get(&self, slot: Slot) -> Option<Held<'_, T>> {
        Some(match self.places.get(slot.index())? {
            Place::Awake(held) => Held::Awake(&held.unit),
            Place::Rests(packed) => Held::Opened(Box::new(opened(packed))),
        })
    }

    /// A unit to be changed: from now on it is in use.
    #[inline]
    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        self.touch(slot);
        self.wake(slot)
    }

    /// The same for one in which nothing changes.
    #[inline]
    pub(super) fn wake(&mut self, slot: Slot) -> Option<&mut T> {
        let place = self.places.get_mut(slot.index())?;
        if let Place::Rests(packed) = place {
            *place = Place::Awake(Box::new(Awake { unit: opened(packed), is_used: true }));
            self.awake.push_back(slot);
            self.looks += LOOKS;
        }
        let Place::Awake(held) = place else { return None };
        held.is_used = true;
        Some(&mut held.unit)
    }

    /// Lets units rest that were touched longest ago, as long as too many are awake.
    #[inline]
    pub(super) fn rest_some(&mut self) {
        if self.looks > 0 || self.awake_max == 0 {
            let looks = mem::take(&mut self.looks);
            self.rest(if self.awake_max == 0 { self.awake.len() } else { looks });
        }
    }

    fn rest(&mut self, looks: usize) {
        for _ in 0..looks {
            if self.awake.len() <= self.awake_max {
                return;
            }
            let Some(slot) = self.awake.pop_front() else { return };
            let Some(place) = self.places.get_mut(slot.index()) else { continue };
            let Place::Awake(held) = place else { continue };
            let was_used = mem::replace(&mut held.is_used, false);
            if (was_used && self.awake_max > 0) || !held.unit.may_rest() {
                self.awake.push_back(slot);
                continue;
            }
            held.unit.pack(&mut self.writer);
            *place = Place::Rests(self.writer.take());
        }
    }

    /// At most so many are awake from now on, those that may not rest left out.
    pub(super) fn set_awake_max(&mut self, awake_max: usize) {
        self.awake_max = awake_max;
        // Each is looked at twice: once it may have been used.
        self.rest(self.awake.len() * 2);
    }

    /// All places in their order with their keys, as if all of them rested; a free one has no bytes.
    pub(crate) fn packed(&self) -> impl Iterator<Item = (Key, Packed)> {
        let mut writer = Writer::default();
        self.keys.iter().zip(&self.places).map(move |(key, place)| match place {
            Place::Rests(packed) => (*key, packed.clone()),
            Place::Awake(held) => {
                held.unit.pack(&mut writer);
                (*key, writer.take())
            }
        })
    }

    /// Puts places that [`Self::packed`] has given at the next places.
    pub(crate) fn put_back_resting(&mut self, parts: Vec<Vec<(Key, Packed)>>) {
        let count = parts.iter().map(Vec::len).sum();
        self.places.reserve(count);
        self.keys.reserve(count);
        let keys = &self.keys;
        self.by_key.reserve(count, |slot| keys.get(slot.index()).map_or(0, |key| hash(*key)));
        for (key, packed) in parts.into_iter().flatten() {
            let is_free = packed.bytes().is_empty();
            let slot = self.append(key, Place::Rests(packed));
            if is_free {
                self.free.push(slot);
            } else {
                self.learn(key, slot);
            }
        }
    }

    /// Gives places free. Nothing may speak of them any more.
    pub(super) fn forget(&mut self, gone: &FxHashSet<Slot>) {
        for slot in gone {
            let Some(place) = self.places.get_mut(slot.index()) else { continue };
            *place = Place::Rests(Packed::default());
            self.free.push(*slot);
            if let Some(key) = self.keys.get(slot.index())
                && let Ok(known) = self.by_key.find_entry(hash(*key), |known| known == slot)
            {
                known.remove();
            }
        }
    }
}

fn opened<T: Rests>(packed: &Packed) -> T {
    if packed.bytes().is_empty() { T::default() } else { T::unpack(packed) }
}
