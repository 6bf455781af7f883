//! By what tickets are found without looking at each: a set of places for every value of what they are listed by, and the times at
//! which they are due.
//!
//! A ticket's place is its number in the order of opening, so a set of places is in that order too, and "all of these" is the
//! intersection of compressed bitmaps. Invariant: a place is in the sets of exactly those values that its ticket has (of those that
//! were involved: has or had).

use std::collections::BTreeSet;

use pegcount_domain::{ids::CustomerId, time::Micros};
use roaring::RoaringBitmap;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::entry::{Facet, Facets, NEVER};

/// A ticket's number in the order of opening, from 0.
pub(super) type Place = u32;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Index {
    values: FxHashMap<Facet, RoaringBitmap>,
    /// Few tickets each.
    customers: FxHashMap<CustomerId, Vec<Place>>,
    /// By place: when the next target is due.
    due: Vec<Micros>,
    by_due: BTreeSet<(Micros, Place)>,
    /// By place: when somebody has to be told next.
    alert: Vec<Micros>,
    by_alert: BTreeSet<(Micros, Place)>,
}

impl Index {
    /// A new place, the next one.
    pub(super) fn add(&mut self) {
        self.due.push(NEVER);
        self.alert.push(NEVER);
    }

    pub(super) fn set_facets(&mut self, place: Place, before: &Facets, after: &Facets) {
        for gone in before.iter().filter(|facet| !after.contains(facet)) {
            if let (false, Some(places)) = (matches!(gone, Facet::Involved(_)), self.values.get_mut(gone)) {
                places.remove(place);
                if places.is_empty() {
                    self.values.remove(gone);
                }
            }
        }
        for new in after.iter().filter(|facet| !before.contains(facet)) {
            match self.values.get_mut(new) {
                Some(places) => {
                    places.insert(place);
                }
                None => {
                    self.values.insert(new.clone(), RoaringBitmap::from_iter([place]));
                }
            }
        }
    }

    pub(super) fn set_customer(
        &mut self,
        place: Place,
        before: Option<&CustomerId>,
        after: Option<&CustomerId>,
    ) {
        if before == after {
            return;
        }
        if let Some(before) = before
            && let Some(places) = self.customers.get_mut(before)
        {
            places.retain(|known| *known != place);
            if places.is_empty() {
                self.customers.remove(before);
            }
        }
        if let Some(after) = after {
            let places = self.customers.entry(after.clone()).or_default();
            places.push(place);
        }
    }

    pub(super) fn set_due(&mut self, place: Place, due: Micros) {
        set(&mut self.due, &mut self.by_due, place, due);
    }

    pub(super) fn set_alert(&mut self, place: Place, alert: Micros) {
        set(&mut self.alert, &mut self.by_alert, place, alert);
    }

    pub(super) fn due(&self, place: Place) -> Micros {
        at(&self.due, place)
    }

    /// Who is due in `[from, to)`, the earliest first; of one instant the oldest.
    pub(super) fn due_between(
        &self,
        from: (Micros, Place),
        to: Micros,
    ) -> impl Iterator<Item = (Micros, Place)> {
        self.by_due.range(from..(to, 0)).copied()
    }

    /// Those that were due before an instant; none if they are more than `most`.
    pub(super) fn overdue(&self, now: Micros, most: usize) -> Option<RoaringBitmap> {
        let mut places: Vec<Place> =
            self.by_due.range(..(now, 0)).take(most + 1).map(|(_, place)| *place).collect();
        if places.len() > most {
            return None;
        }
        places.sort_unstable();
        Some(RoaringBitmap::from_iter(places))
    }

    /// The first after an instant.
    pub(super) fn next_due(&self, after: Micros) -> Option<Micros> {
        self.by_due.range((after, Place::MAX)..).next().map(|(due, _)| *due)
    }

    /// Of whom somebody has to be told by `now`, the earliest first.
    pub(super) fn alerts(&self, now: Micros) -> impl Iterator<Item = Place> {
        self.by_alert.range(..=(now, Place::MAX)).map(|(_, place)| *place)
    }

    pub(super) fn next_alert(&self) -> Option<Micros> {
        self.by_alert.first().map(|(at, _)| *at)
    }

    pub(super) fn has(&self, facet: &Facet, place: Place) -> bool {
        self.values.get(facet).is_some_and(|places| places.contains(place))
    }

    /// All places with one of some values; of one value nothing is copied.
    pub(super) fn any_of(&self, facets: &[Facet]) -> RoaringBitmap {
        let mut found = RoaringBitmap::new();
        for places in facets.iter().filter_map(|facet| self.values.get(facet)) {
            found |= places;
        }
        found
    }

    /// How many have one of some values, at most.
    pub(super) fn count(&self, facets: &[Facet]) -> u64 {
        facets.iter().filter_map(|facet| self.values.get(facet)).map(RoaringBitmap::len).sum()
    }

    /// Keeps those of `places` that have one of some values.
    pub(super) fn keep(&self, places: &mut RoaringBitmap, facets: &[Facet]) {
        match facets {
            [one] => match self.values.get(one) {
                Some(these) => *places &= these,
                None => places.clear(),
            },
            several => *places &= self.any_of(several),
        }
    }

    pub(super) fn of_customer(&self, customer: &CustomerId) -> &[Place] {
        self.customers.get(customer).map_or(&[], Vec::as_slice)
    }

    pub(super) fn all(&self) -> RoaringBitmap {
        let mut all = RoaringBitmap::new();
        all.insert_range(0..Place::try_from(self.due.len()).unwrap_or(Place::MAX));
        all
    }
}

fn set(column: &mut [Micros], sorted: &mut BTreeSet<(Micros, Place)>, place: Place, value: Micros) {
    let Some(known) = usize::try_from(place).ok().and_then(|index| column.get_mut(index)) else { return };
    if *known == value {
        return;
    }
    if *known != NEVER {
        sorted.remove(&(*known, place));
    }
    if value != NEVER {
        sorted.insert((value, place));
    }
    *known = value;
}

fn at(column: &[Micros], place: Place) -> Micros {
    usize::try_from(place).ok().and_then(|index| column.get(index)).copied().unwrap_or(NEVER)
}
