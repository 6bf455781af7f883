//! The rows of an answer while they are added up: found by bucket and keys, with an amount for each measure that is needed.
//!
//! Not for what goes into them: that is [`gather`](crate::query::gather). Invariant: the keys of one bucket are in one row.

use pegcount_domain::time::Micros;
use rustc_hash::FxHashMap;

use crate::{
    agent::standing::{STATES, State},
    cells::Detail,
    histogram::{self, Lengths},
    measure::Measure,
    query::{
        cut::Keys,
        plan::{RowSums, merged},
        versions::Counted,
    },
};

/// How many there are of each length.
pub(crate) type ByLength = Lengths<Vec<(Detail, i64)>>;

/// One row; its amounts stand beside it. Small: a question by agent and interval has some hundred thousand.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) bucket: u32,
    pub(crate) keys: Keys,
    more: Option<Box<More>>,
}

/// What only some questions ask for.
#[derive(Clone, Debug, Default)]
struct More {
    waiting: i64,
    longest: i64,
    /// Open tickets.
    backlog: i64,
    /// Agents by state, by [`State`].
    agents: [i64; STATES],
    /// Most rows have none.
    lengths: Option<Box<ByLength>>,
    /// By which formula versions it was counted.
    counted: Counted,
}

impl Place {
    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// The formula versions by which it was counted.
    pub(crate) fn versions(&self) -> impl Iterator<Item = u8> {
        self.more.iter().flat_map(|more| more.counted.versions())
    }

    /// Something was counted by a formula version.
    pub(super) fn note(&mut self, version: u8, measure: Measure, amount: i64) {
        self.more().counted.note(version, measure, amount);
    }

    /// So many more, or fewer, of a length.
    pub(super) fn add_length(&mut self, measure: Measure, length: Detail, amount: i64) {
        let lengths = self.more().lengths.get_or_insert_default();
        if let Some(own) = histogram::place(measure).and_then(|place| lengths.get_mut(place)) {
            own.push((length, amount));
        }
    }

    /// A visit waits, and has for so long.
    pub(super) fn wait(&mut self, waited: Micros) {
        let more = self.more();
        more.waiting += 1;
        more.longest = more.longest.max(waited.0);
    }

    /// One more agent, or one fewer (-1), stands in a state.
    pub(super) fn stand(&mut self, state: State, sign: i64) {
        if let Some(agents) = self.more().agents.get_mut(state as usize) {
            *agents += sign;
        }
    }

    /// So many tickets are open.
    pub(super) fn set_backlog(&mut self, backlog: i64) {
        self.more().backlog = backlog;
    }

    /// Whether a visit waits in it, or an agent stands in a state.
    fn has_gauges(&self) -> bool {
        let more = self.more.as_ref();
        more.is_some_and(|more| more.waiting != 0 || more.agents.iter().any(|count| *count != 0))
    }
}

/// The sums of one row.
pub(crate) struct Sums<'r> {
    pub(crate) row: &'r Place,
    amounts: &'r [i64],
}

impl Sums<'_> {
    fn more(&self) -> Option<&More> {
        self.row.more.as_deref()
    }

    /// Whether anything is in it; open tickets alone may not be enough for that.
    fn holds(&self, backlog_counts: bool) -> bool {
        let is_behind = backlog_counts && self.backlog() != 0;
        is_behind || self.amounts.iter().any(|amount| *amount != 0) || self.row.has_gauges()
    }
}

impl RowSums for Sums<'_> {
    fn amount(&self, slot: usize) -> i64 {
        self.amounts.get(slot).copied().unwrap_or(0)
    }

    fn waiting(&self) -> (i64, i64) {
        self.more().map_or((0, 0), |more| (more.waiting, more.longest))
    }

    fn lengths(&self) -> ByLength {
        let lengths = self.more().and_then(|more| more.lengths.as_deref());
        lengths.map(|lengths| lengths.each_ref().map(|own| merged(own))).unwrap_or_default()
    }

    fn agents(&self) -> [i64; STATES] {
        self.more().map_or([0; STATES], |more| more.agents)
    }

    fn backlog(&self) -> i64 {
        self.more().map_or(0, |more| more.backlog)
    }
}

/// The rows of one bucket by their keys.
#[derive(Default)]
struct Index {
    /// Of a question by one dimension: by its number, as far as numbers are dense; [`NO_ROW`]: none.
    by_number: Vec<u32>,
    others: FxHashMap<Keys, usize>,
}

const NO_ROW: u32 = u32::MAX;
/// Room is made for so many rows at least, and for no more at once unless there are as many already.
const ROWS_MORE_MIN: usize = 64;
const ROWS_MORE_MAX: usize = 1 << 17;
/// Rows are found by number if all buckets together have no more places than this.
const PLACES_MAX: usize = 1 << 22;

impl Index {
    /// The row with these keys, or `next` as a new one; numbers below `dense` have places of their own.
    fn row(&mut self, keys: &Keys, dense: usize, next: usize) -> usize {
        let (Some(number), Ok(new)) = (number(keys, dense), u32::try_from(next)) else {
            return *self.others.entry(keys.clone()).or_insert(next);
        };
        if self.by_number.is_empty() {
            self.by_number.resize(dense, NO_ROW);
        }
        let Some(row) = self.by_number.get_mut(number) else { return next };
        if *row == NO_ROW {
            *row = new;
        }
        usize::try_from(*row).unwrap_or(next)
    }

    /// The row with these keys, if it is there.
    fn find(&self, keys: &Keys, dense: usize) -> Option<usize> {
        match number(keys, dense) {
            Some(number) => {
                let row = self.by_number.get(number).filter(|row| **row != NO_ROW)?;
                usize::try_from(*row).ok()
            }
            None => self.others.get(keys).copied(),
        }
    }
}

/// The number by which these keys are found, if they are one number that has a place.
#[inline]
fn number(keys: &Keys, dense: usize) -> Option<usize> {
    match keys.as_slice() {
        [only] => usize::try_from(*only).ok().filter(|number| *number < dense),
        _ => None,
    }
}

/// All rows.
pub(crate) struct Rows {
    /// For each bucket: what lies in one is read together, and few rows are found fast.
    index: Vec<Index>,
    /// Keys below it are found by their number.
    dense: usize,
    list: Vec<Place>,
    /// So many amounts belong to each row.
    width: usize,
    amounts: Vec<i64>,
    /// The row that was found last.
    last: usize,
}

impl Rows {
    /// None yet, of so many buckets; keys that name something are below `names`.
    pub(super) fn new(buckets: usize, names: usize, width: usize) -> Self {
        Self {
            index: std::iter::repeat_with(Index::default).take(buckets).collect(),
            dense: if names * buckets <= PLACES_MAX { names } else { 0 },
            list: Vec::new(),
            width,
            amounts: Vec::new(),
            last: 0,
        }
    }

    /// All of them.
    pub(crate) fn list(&self) -> &[Place] {
        &self.list
    }

    /// One of them.
    #[inline]
    pub(super) fn get_mut(&mut self, row: usize) -> Option<&mut Place> {
        self.list.get_mut(row)
    }

    /// The row of a bucket with these keys, if it is there.
    pub(super) fn known(&mut self, bucket: u32, keys: &Keys) -> Option<&mut Place> {
        let index = usize::try_from(bucket).ok().and_then(|bucket| self.index.get(bucket));
        let row = index?.find(keys, self.dense)?;
        self.list.get_mut(row)
    }

    /// The row of a bucket with these keys, made if it is not there yet.
    pub(crate) fn touch(&mut self, bucket: u32, keys: Keys) -> usize {
        let is_last = |last: &Place| last.bucket == bucket && last.keys == keys;
        if self.list.get(self.last).is_some_and(is_last) {
            return self.last;
        }
        let next = self.list.len();
        let index = usize::try_from(bucket).ok().and_then(|bucket| self.index.get_mut(bucket));
        let row = index.map_or(next, |index| index.row(&keys, self.dense, next));
        if row == next {
            self.make_room(bucket);
            self.list.push(Place { bucket, keys, more: None });
            self.amounts.resize(self.amounts.len() + self.width, 0);
        }
        self.last = row;
        row
    }

    /// For a row of this bucket: if more room is needed, for as many rows in each bucket to come as in those before it.
    fn make_room(&mut self, bucket: u32) {
        let rows = self.list.len();
        if rows < self.list.capacity() {
            return;
        }
        let begun = usize::try_from(bucket).unwrap_or(usize::MAX).saturating_add(1);
        let to_come = self.index.len().saturating_sub(begun).saturating_add(1);
        let more =
            (rows / begun).saturating_mul(to_come).clamp(rows / 2 + ROWS_MORE_MIN, ROWS_MORE_MAX.max(rows));
        self.list.reserve_exact(more);
        self.amounts.reserve_exact(more * self.width);
    }

    /// Adds to one amount of a row.
    #[inline]
    pub(super) fn add(&mut self, row: usize, slot: usize, amount: i64) {
        if let Some(sum) = self.amounts.get_mut(row * self.width + slot) {
            *sum += amount;
        }
    }

    /// The sums of a row.
    pub(crate) fn sums(&self, row: usize) -> Option<Sums<'_>> {
        let amounts = self.amounts.get(row * self.width..(row + 1) * self.width)?;
        Some(Sums { row: self.list.get(row)?, amounts })
    }

    /// Forgets the rows in which nothing happened, at the end: none is found by its keys any more.
    pub(crate) fn leave_out_empty(&mut self, backlog_counts: bool) {
        let mut kept = 0;
        for row in 0..self.list.len() {
            if self.sums(row).is_some_and(|sums| sums.holds(backlog_counts)) {
                self.list.swap(row, kept);
                if row != kept {
                    self.amounts.copy_within(row * self.width..(row + 1) * self.width, kept * self.width);
                }
                kept += 1;
            }
        }
        self.list.truncate(kept);
        (self.index, self.last) = (Vec::new(), usize::MAX);
    }
}
