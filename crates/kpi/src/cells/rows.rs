//! The cells of one interval in one table, in use or at rest.
//!
//! At rest a row takes some 22 bytes instead of 130: it says what of its dimensions differs from the row before, which of its
//! amounts are not 0, and those. A contribution opens the interval; a question reads it as it lies. Invariant: whether an
//! interval rests shows in no figure.

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
    body: Body,
    /// Whether anything was added since it was looked at last.
    pub(super) is_used: bool,
}

#[derive(Debug)]
enum Body {
    Open(Open),
    Rests { count: u32, packed: Packed },
}

#[derive(Debug, Default)]
struct Open {
    index: Index,
    keys: Vec<Dims>,
    amounts: Vec<i64>,
}

impl Open {
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
}

/// Rows to be read.
#[derive(Debug, Default)]
pub(crate) struct Taken<'a> {
    keys: std::borrow::Cow<'a, [Dims]>,
    amounts: std::borrow::Cow<'a, [i64]>,
    width: usize,
}

impl Taken<'_> {
    /// Each with all its amounts.
    #[inline]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Dims, &[i64])> {
        self.keys.iter().zip(self.amounts.chunks_exact(self.width.max(1)))
    }
}

impl Rows {
    pub(super) fn new(interval: i32) -> Self {
        Self { interval, body: Body::Open(Open::default()), is_used: true }
    }

    /// As they were packed.
    pub(super) fn resting(interval: i32, count: u32, packed: Packed) -> Self {
        Self { interval, body: Body::Rests { count, packed }, is_used: false }
    }

    pub(super) fn interval(&self) -> Interval {
        Interval(self.interval)
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.body, Body::Open(_))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        match &self.body {
            Body::Open(open) => open.keys.len(),
            Body::Rests { count, .. } => usize::try_from(*count).unwrap_or(usize::MAX),
        }
    }

    /// What they take of memory: dimensions, amounts, finding rows; then what rests. Bytes.
    pub(super) fn bytes(&self) -> [usize; 4] {
        match &self.body {
            Body::Open(Open { index, keys, amounts }) => {
                [keys.capacity() * size_of::<Dims>(), amounts.capacity() * size_of::<i64>(), index.bytes(), 0]
            }
            Body::Rests { packed, .. } => [0, 0, 0, packed.bytes().len()],
        }
    }

    /// The amounts of a row, which may be new, of an interval that is open.
    #[inline]
    pub(super) fn row(&mut self, dims: &Dims, width: usize) -> Option<&mut [i64]> {
        self.is_used = true;
        let Body::Open(open) = &mut self.body else { return None };
        let row = match open.index.find(dims, &open.keys) {
            Some(row) => row,
            None => open.insert(*dims, width),
        };
        let begin = row as usize * width;
        open.amounts.get_mut(begin..begin + width)
    }

    /// For adding.
    #[cold]
    pub(super) fn open(&mut self, width: usize) {
        let Body::Rests { count, packed } = &self.body else { return };
        let (keys, amounts) = read(packed, *count, width);
        let mut open = Open { keys: Vec::with_capacity(keys.len()), amounts, ..Open::default() };
        for dims in keys {
            open.keys.push(dims);
            open.index.push(&open.keys);
        }
        self.body = Body::Open(open);
    }

    /// Nothing is added for now.
    pub(super) fn rest(&mut self, width: usize, out: &mut Writer) {
        if self.is_open() {
            let (count, packed) = self.packed(width, out);
            self.body = Body::Rests { count, packed };
        }
    }

    /// As if they rested: how many rows that hold anything, and their bytes.
    pub(super) fn packed(&self, width: usize, out: &mut Writer) -> (u32, Packed) {
        let open = match &self.body {
            Body::Open(open) => open,
            Body::Rests { count, packed } => return (*count, packed.clone()),
        };
        let (mut count, mut last) = (0, Dims::NONE);
        for (dims, amounts) in open.keys.iter().zip(open.amounts.chunks_exact(width)) {
            if amounts.iter().any(|amount| *amount != 0) {
                write(dims, &last, amounts, out);
                (count, last) = (count + 1, *dims);
            }
        }
        (count, out.take())
    }

    /// For reading.
    pub(super) fn taken(&self, width: usize) -> Taken<'_> {
        match &self.body {
            Body::Open(Open { keys, amounts, .. }) => {
                Taken { keys: keys.into(), amounts: amounts.into(), width }
            }
            Body::Rests { count, packed } => {
                let (keys, amounts) = read(packed, *count, width);
                Taken { keys: keys.into(), amounts: amounts.into(), width }
            }
        }
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

fn read(packed: &Packed, count: u32, width: usize) -> (Vec<Dims>, Vec<i64>) {
    let mut from = Reader::new(packed.bytes());
    let count = usize::try_from(count).unwrap_or_default();
    let (mut keys, mut amounts) = (Vec::with_capacity(count), vec![0; count * width]);
    let mut last = Dims::NONE;
    for row in amounts.chunks_exact_mut(width) {
        last = difference(&read_dims(&mut from), &last);
        keys.push(last);
        let mut left = from.number();
        while left != 0 {
            let slot = usize::try_from(left.trailing_zeros()).unwrap_or(usize::MAX);
            let amount = from.near(0).cast_signed();
            if let Some(place) = row.get_mut(slot) {
                *place = amount;
            }
            left &= left - 1;
        }
    }
    debug_assert!(from.is_done());
    (keys, amounts)
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

    use super::*;
    use crate::{cells::Detail, names::Id};

    #[test]
    fn rows_that_rest_read_as_they_did_and_take_further_amounts() {
        let width = 3;
        let dims =
            |agent, detail| Dims { agent: Id(agent), detail: Detail(detail), channel: 1, ..Dims::NONE };
        let mut rows = Rows::new(5);
        rows.row(&dims(1, 0), width).unwrap().copy_from_slice(&[1, 0, -7]);
        rows.row(&dims(2, u32::MAX), width).unwrap().copy_from_slice(&[0, i64::MAX, i64::MIN]);
        rows.row(&dims(3, 0), width).unwrap();
        rows.row(&dims(4, 9), width).unwrap().copy_from_slice(&[0, 0, 1]);
        let all = |rows: &Rows| -> Vec<(Dims, Vec<i64>)> {
            let taken = rows.taken(width);
            let held = taken.iter().filter(|(_, amounts)| amounts.iter().any(|amount| *amount != 0));
            held.map(|(dims, amounts)| (*dims, amounts.to_vec())).collect()
        };
        let before = all(&rows);
        rows.rest(width, &mut Writer::default());
        assert!(!rows.is_open());
        assert_eq!(all(&rows), before);
        rows.open(width);
        assert_eq!(all(&rows), before);
        assert_eq!(rows.row(&dims(4, 9), width).unwrap(), [0, 0, 1]);
        assert_eq!(rows.row(&dims(3, 0), width).unwrap(), [0, 0, 0]);
    }
}
