//! The cells of one interval in one table, in use or at rest.
//!
//! At rest a row takes some 22 bytes instead of 130: it says what of its dimensions differs from the row before, which of its
//! amounts are not 0, and those. Amounts are added, so what comes after an interval has been put to rest is kept beside it, as
//! rows of their own, and becomes a layer when it is put to rest in its turn; a layer takes in those before it that are not
//! twice as large. So a fact for an old interval costs its own rows, not all that lie there, and a question reads layer after
//! layer. Invariants: a row's amounts are the sum of what its layers and the rows in use hold of it; how they lie shows in no
//! figure.

use std::mem;

use pegcount_domain::time::Interval;

use super::{Dims, index::Index, places::WIDTH_MAX};
use crate::packed::{
    Packed,
    bytes::{Reader, Writer},
    line::{read_dims, write_dims},
};

/// Room is made for a quarter more rows, and for so many at least.
const ROWS_MORE_MIN: usize = 4;

/// Small, so that what happens now is found in the processor's cache.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) interval: i32,
    /// Each more than twice as large as the next.
    layers: Vec<Layer>,
    /// What was added since.
    open: Open,
    /// Whether anything was added since it was looked at last.
    pub(super) is_used: bool,
    /// Whether it is among those that are looked at.
    pub(super) is_open: bool,
}

/// Rows at rest.
#[derive(Clone, Debug)]
struct Layer {
    count: u32,
    packed: Packed,
}

impl Layer {
    fn len(&self) -> usize {
        usize::try_from(self.count).unwrap_or(usize::MAX)
    }
}

#[derive(Debug, Default)]
struct Open {
    index: Index,
    keys: Vec<Dims>,
    amounts: Vec<i64>,
}

impl Open {
    #[inline]
    fn row(&mut self, dims: &Dims, width: usize) -> Option<&mut [i64]> {
        let row = match self.index.find(dims, &self.keys) {
            Some(row) => row,
            None => self.insert(*dims, width),
        };
        let begin = row as usize * width;
        self.amounts.get_mut(begin..begin + width)
    }

    #[cold]
    fn insert(&mut self, dims: Dims, width: usize) -> u32 {
        // Memory ends long before four thousand million rows; saturating merges the rows beyond.
        let row = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        if self.keys.len() == self.keys.capacity() {
            // Doubling would leave a quarter of all rows' memory empty.
            let more = ROWS_MORE_MIN.max(self.keys.len() / 4);
            self.keys.reserve_exact(more);
            self.amounts.reserve_exact(more * width);
        }
        self.keys.push(dims);
        self.amounts.resize(self.amounts.len() + width, 0);
        self.index.push(&self.keys);
        row
    }

    fn add(&mut self, dims: &Dims, amounts: &[i64], width: usize) {
        let row = self.row(dims, width).unwrap_or_default();
        row.iter_mut().zip(amounts).for_each(|(sum, amount)| *sum += amount);
    }

    #[inline]
    fn each(&self, width: usize, mut take: impl FnMut(&Dims, &[i64])) {
        for (dims, amounts) in self.keys.iter().zip(self.amounts.chunks_exact(width)) {
            take(dims, amounts);
        }
    }

    /// The rows that hold anything.
    fn pack(&self, width: usize, out: &mut Writer) -> Layer {
        let (mut count, mut last) = (0, Dims::NONE);
        for (dims, amounts) in self.keys.iter().zip(self.amounts.chunks_exact(width)) {
            if amounts.iter().any(|amount| *amount != 0) {
                write(dims, &last, amounts, out);
                (count, last) = (count + 1, *dims);
            }
        }
        Layer { count, packed: out.take() }
    }
}

impl Rows {
    pub(super) fn new(interval: i32) -> Self {
        Self { interval, layers: Vec::new(), open: Open::default(), is_used: true, is_open: true }
    }

    /// As they were packed.
    pub(super) fn resting(interval: i32, count: u32, packed: Packed) -> Self {
        let layers = vec![Layer { count, packed }];
        Self { interval, layers, open: Open::default(), is_used: false, is_open: false }
    }

    pub(super) fn interval(&self) -> Interval {
        Interval(self.interval)
    }

    /// How many are in use.
    pub(super) fn in_use(&self) -> usize {
        self.open.keys.len()
    }

    /// How many rest; one that was added to again stands among them, too.
    pub(super) fn at_rest(&self) -> usize {
        self.layers.iter().map(Layer::len).sum()
    }

    /// What they take of memory: dimensions, amounts, finding rows; then what rests. Bytes.
    pub(super) fn bytes(&self) -> [usize; 4] {
        let Open { index, keys, amounts } = &self.open;
        let heads = self.layers.capacity() * size_of::<Layer>();
        let resting: usize = self.layers.iter().map(|layer| layer.packed.bytes().len()).sum();
        [
            keys.capacity() * size_of::<Dims>(),
            amounts.capacity() * size_of::<i64>(),
            index.bytes(),
            heads + resting,
        ]
    }

    /// The amounts of a row, which may be new, as far as they do not rest.
    #[inline]
    pub(super) fn row(&mut self, dims: &Dims, width: usize) -> Option<&mut [i64]> {
        self.is_used = true;
        self.open.row(dims, width)
    }

    /// Nothing is added for now.
    pub(super) fn rest(&mut self, width: usize, out: &mut Writer) {
        self.is_open = false;
        if self.in_use() == 0 {
            return;
        }
        let mut open = mem::take(&mut self.open);
        while let Some(layer) = self.layers.pop_if(|layer| layer.len() <= open.keys.len() * 2) {
            read(&layer, width, |dims, amounts| open.add(dims, amounts, width));
        }
        let layer = open.pack(width, out);
        if layer.count > 0 {
            self.layers.push(layer);
        }
    }

    /// As if all of them rested in one layer: how many rows that hold anything, and their bytes.
    pub(super) fn packed(&self, width: usize, out: &mut Writer) -> (u32, Packed) {
        let Layer { count, packed } = match (self.layers.as_slice(), self.in_use()) {
            ([layer], 0) => layer.clone(),
            ([], _) => self.open.pack(width, out),
            _ => self.together(width).pack(width, out),
        };
        (count, packed)
    }

    fn together(&self, width: usize) -> Open {
        let mut all = Open::default();
        self.each(width, |dims, amounts| all.add(dims, amounts, width));
        all
    }

    /// Gives each row once, with all its amounts.
    pub(super) fn each_once(&self, width: usize, take: impl FnMut(&Dims, &[i64])) {
        match (self.layers.as_slice(), self.in_use()) {
            ([_], 0) | ([], _) => self.each(width, take),
            _ => self.together(width).each(width, take),
        }
    }

    /// Gives each row with all its amounts, several times if it lies in several layers: the sums are what counts.
    #[inline]
    pub(super) fn each(&self, width: usize, mut take: impl FnMut(&Dims, &[i64])) {
        self.layers.iter().for_each(|layer| read(layer, width, &mut take));
        self.open.each(width, take);
    }
}

const _: () = assert!(WIDTH_MAX <= 64, "every amount of a row has a bit");

fn write(dims: &Dims, last: &Dims, amounts: &[i64], out: &mut Writer) {
    write_dims(&difference(dims, last), out);
    let there = (0..).zip(amounts).filter(|(_, amount)| **amount != 0);
    out.number(there.fold(0, |all, (bit, _)| all | 1 << bit));
    for amount in amounts.iter().filter(|amount| **amount != 0) {
        out.near(amount.cast_unsigned(), 0);
    }
}

/// Gives each row of a layer.
#[inline]
fn read(layer: &Layer, width: usize, mut take: impl FnMut(&Dims, &[i64])) {
    let mut from = Reader::new(layer.packed.bytes());
    let mut row = [0; WIDTH_MAX];
    let mut last = Dims::NONE;
    for _ in 0..layer.count {
        last = difference(&read_dims(&mut from), &last);
        let there = from.number();
        let mut left = there;
        while left != 0 {
            let amount = from.near(0).cast_signed();
            if let Some(place) = row.get_mut(left.trailing_zeros() as usize) {
                *place = amount;
            }
            left &= left - 1;
        }
        take(&last, row.get(..width).unwrap_or_default());
        left = there;
        while left != 0 {
            if let Some(place) = row.get_mut(left.trailing_zeros() as usize) {
                *place = 0;
            }
            left &= left - 1;
        }
    }
    debug_assert!(from.is_done());
}

/// What two dimensions differ in, bit by bit; of that and one of them, the other.
fn difference(one: &Dims, other: &Dims) -> Dims {
    use super::Detail;
    use crate::names::Id;
    Dims {
        agent: Id(one.agent.0 ^ other.agent.0),
        team: Id(one.team.0 ^ other.team.0),
        queue: Id(one.queue.0 ^ other.queue.0),
        entry: Id(one.entry.0 ^ other.entry.0),
        channel: one.channel ^ other.channel,
        direction: one.direction ^ other.direction,
        priority: one.priority ^ other.priority,
        version: one.version ^ other.version,
        detail: Detail(one.detail.0 ^ other.detail.0),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeMap;

    use super::*;
    use crate::{cells::Detail, names::Id};

    type Held = BTreeMap<Dims, Vec<i64>>;

    fn dims(agent: u32, detail: u32) -> Dims {
        Dims { agent: Id(agent), detail: Detail(detail), channel: 1, ..Dims::NONE }
    }

    /// What all rows hold together.
    fn held(rows: &Rows, width: usize) -> Held {
        let mut held = Held::new();
        rows.each(width, |dims, amounts| {
            let sums = held.entry(*dims).or_insert_with(|| vec![0; width]);
            sums.iter_mut().zip(amounts).for_each(|(sum, amount)| *sum += amount);
        });
        held.retain(|_, amounts| amounts.iter().any(|amount| *amount != 0));
        held
    }

    #[test]
    fn rows_that_rest_read_as_they_did_and_take_further_amounts() {
        let width = 3;
        let mut rows = Rows::new(5);
        rows.row(&dims(1, 0), width).unwrap().copy_from_slice(&[1, 0, -7]);
        rows.row(&dims(2, u32::MAX), width).unwrap().copy_from_slice(&[0, i64::MAX, i64::MIN]);
        rows.row(&dims(3, 0), width).unwrap();
        rows.row(&dims(4, 9), width).unwrap().copy_from_slice(&[0, 0, 1]);
        let before = held(&rows, width);
        rows.rest(width, &mut Writer::default());
        assert_eq!((rows.in_use(), rows.at_rest()), (0, 3));
        assert_eq!(held(&rows, width), before);
        rows.row(&dims(4, 9), width).unwrap().copy_from_slice(&[0, 5, -1]);
        assert_eq!((rows.in_use(), rows.at_rest()), (1, 3));
        assert_eq!(held(&rows, width).get(&dims(4, 9)).unwrap(), &[0, 5, 0]);
    }

    #[test]
    fn whatever_is_added_between_rests_the_sums_are_those_of_rows_that_never_rest() {
        let width = 2;
        let (mut rows, mut whole, mut out) = (Rows::new(0), Rows::new(0), Writer::default());
        let mut dice = 0x9e37_79b9_u64;
        for round in 0..400 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (agent, amount) =
                (u32::try_from(dice >> 57).unwrap(), i64::try_from(dice >> 60).unwrap() - 7);
            for rows in [&mut rows, &mut whole] {
                *rows.row(&dims(agent, 0), width).unwrap().last_mut().unwrap() += amount;
            }
            if round % 7 == 0 {
                rows.rest(width, &mut out);
                assert!(
                    rows.layers.windows(2).all(|pair| pair[0].len() > pair[1].len() * 2),
                    "{:?}",
                    rows.layers
                );
            }
            assert_eq!(held(&rows, width), held(&whole, width), "round {round}");
        }
        let (count, packed) = rows.packed(width, &mut out);
        let one = Rows::resting(0, count, packed);
        assert_eq!(held(&one, width), held(&whole, width));
        assert_eq!(one.at_rest(), held(&whole, width).len());
    }
}
