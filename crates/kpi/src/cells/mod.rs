//! Cells: additive integers by sheet, interval and dimensions.
//!
//! - [`contributions`]: what a fold gives, summed by the rows that it goes to
//! - [`index`]: finding a row
//! - [`places`]: which table holds a sheet, and where in its rows
//!
//! Invariant: a cell is the sum of the contributions added minus those taken away, in whatever order.

mod contributions;
mod index;
mod places;

use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
};

use pegcount_domain::time::Interval;
use serde::{Deserialize, Serialize};

pub(crate) use self::contributions::{Contributions, Part, RowSum, Source};
use self::index::Index;
use self::places::{PLACES, TABLES, columns, place, place_of};
use crate::{
    archive::TableRows,
    measure::{Measure, Sheet},
    names::Id,
};

/// What a cell is cut by, apart from time. 0 is "none" everywhere; channel and direction are their codes.
///
/// The fields lie in this order, so that [`Self::words`] is three loads: dimensions are compared and hashed more often
/// than anything else, and field by field both took several times as many instructions.
#[derive(Clone, Copy, Debug, Default, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(C)]
pub(crate) struct Dims {
    pub(crate) agent: Id,
    pub(crate) team: Id,
    pub(crate) queue: Id,
    pub(crate) entry: Id,
    pub(crate) channel: u8,
    pub(crate) direction: u8,
    pub(crate) priority: u8,
    /// The formula version that it was counted by; 0: it is the same by all.
    pub(crate) version: u8,
    /// What the sheet alone is cut by: a reason, a cause of failure, a length of wait.
    pub(crate) detail: Detail,
}

/// The reason of a time away or of a transfer, the cause of a failure, the length of a wait: the sheet says which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Detail(pub(crate) u32);

impl Dims {
    /// Of nothing in particular.
    pub(crate) const NONE: Self = Self {
        agent: Id::NONE,
        team: Id::NONE,
        queue: Id::NONE,
        entry: Id::NONE,
        channel: 0,
        direction: 0,
        priority: 0,
        version: 0,
        detail: Detail(0),
    };

    /// All of it.
    #[inline]
    fn words(&self) -> [u64; 3] {
        let pair = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        let codes = u32::from_le_bytes([self.channel, self.direction, self.priority, self.version]);
        [pair(self.agent.0, self.team.0), pair(self.queue.0, self.entry.0), pair(codes, self.detail.0)]
    }
}

impl PartialEq for Dims {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        let words = self.words().into_iter().zip(other.words());
        // Without a jump at each word.
        words.fold(0, |differs, (own, other)| differs | (own ^ other)) == 0
    }
}

impl Hash for Dims {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.words().into_iter().for_each(|word| state.write_u64(word));
    }
}

/// Which instant a visit's counts and a leg's handle belong to (KPIS.md §2). Clocks, leg times, tickets and customer
/// lines have one attribution only and are kept under `Event`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Attribution {
    /// Each count at its own event; a handle where it completes.
    #[default]
    Event,
    /// All where the visit entered its queue; a handle where the leg was answered.
    Start,
    /// All where the visit left its queue; a handle where it completes.
    End,
}

/// Adds `amount` to one measure of one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Contribution {
    pub(crate) measure: Measure,
    pub(crate) attribution: Attribution,
    pub(crate) interval: Interval,
    pub(crate) dims: Dims,
    pub(crate) amount: i64,
}

/// The cells of one interval in one table. Small, so that what happens now is found in the processor's cache.
#[derive(Debug, Default)]
struct Rows {
    interval: i32,
    index: Index,
    keys: Vec<Dims>,
    amounts: Vec<i64>,
}

impl Rows {
    #[cold]
    fn insert(&mut self, dims: Dims, width: usize) -> u32 {
        // Memory ends long before four thousand million rows; saturating merges the rows beyond.
        let row = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        self.keys.push(dims);
        self.amounts.resize(self.amounts.len() + width, 0);
        self.index.push(&self.keys);
        row
    }

    /// Its rows, each with all its amounts.
    fn iter(&self, width: usize) -> impl Iterator<Item = (Interval, Dims, &[i64])> {
        let rows = self.keys.iter().zip(self.amounts.chunks_exact(width));
        rows.map(|(dims, amounts)| (Interval(self.interval), *dims, amounts))
    }
}

/// One or two sheets with the same dimensions, under one attribution.
#[derive(Debug)]
struct Table {
    width: usize,
    /// In the order of time.
    intervals: Vec<Rows>,
    /// The place of the interval that was added to last.
    last: usize,
}

impl Table {
    fn new(width: usize) -> Self {
        Self { width, intervals: Vec::new(), last: 0 }
    }

    /// The place of an interval, which may be new.
    fn place(&mut self, interval: i32) -> usize {
        let place = self.intervals.partition_point(|rows| rows.interval < interval);
        if self.intervals.get(place).is_none_or(|rows| rows.interval != interval) {
            self.intervals.insert(place, Rows { interval, ..Rows::default() });
        }
        place
    }

    /// The amounts of a row, which may be new.
    #[inline]
    fn row(&mut self, interval: i32, dims: &Dims) -> Option<&mut [i64]> {
        // What is settled together lies on both sides of an interval's end, at most.
        let near = [self.last, self.last + 1, self.last.saturating_sub(1)];
        let is_it = |place: &usize| self.intervals.get(*place).is_some_and(|rows| rows.interval == interval);
        let place = near.into_iter().find(is_it).unwrap_or_else(|| self.place(interval));
        self.last = place;
        let rows = self.intervals.get_mut(place)?;
        let row = match rows.index.find(dims, &rows.keys) {
            Some(row) => row,
            None => rows.insert(*dims, self.width),
        };
        let begin = row as usize * self.width;
        rows.amounts.get_mut(begin..begin + self.width)
    }

    /// The intervals in `[from, to)`.
    fn range(&self, from: i32, to: i32) -> &[Rows] {
        let begin = self.intervals.partition_point(|rows| rows.interval < from);
        let end = self.intervals.partition_point(|rows| rows.interval < to).max(begin);
        self.intervals.get(begin..end).unwrap_or_default()
    }
}

/// Which table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TableNumber(u8);

/// What is left to read of a table's intervals.
pub(crate) struct TableRange<'a> {
    width: usize,
    left: &'a [Rows],
}

impl<'a> TableRange<'a> {
    /// The next interval in which it has rows.
    pub(crate) fn next_interval(&self) -> Option<Interval> {
        self.left.first().map(|rows| Interval(rows.interval))
    }

    /// The rows of an interval, if that is the next one: dimensions, and amounts of all that is in the table.
    pub(crate) fn take(
        &mut self,
        interval: Interval,
    ) -> impl Iterator<Item = (&'a Dims, &'a [i64])> + use<'a> {
        let (first, rest) = match self.left.split_first() {
            Some((first, rest)) if first.interval == interval.0 => (Some(first), rest),
            _ => (None, self.left),
        };
        self.left = rest;
        let width = self.width;
        first.into_iter().flat_map(move |rows| rows.keys.iter().zip(rows.amounts.chunks_exact(width)))
    }
}

/// All cells of one site.
#[derive(Debug)]
pub(crate) struct Cells {
    tables: Vec<Table>,
}

impl Default for Cells {
    fn default() -> Self {
        let mut widths = [0; TABLES];
        for (table, slot) in PLACES.iter().flatten() {
            if let Some(width) = widths.get_mut(usize::from(*table)) {
                *width = usize::from(*slot + 1).max(*width);
            }
        }
        Self { tables: widths.into_iter().map(Table::new).collect() }
    }
}

impl Cells {
    /// Adds one contribution.
    pub(crate) fn add(&mut self, contribution: &Contribution) {
        let (table, slot) = place_of(contribution.measure, contribution.attribution);
        let Some(table) = self.tables.get_mut(usize::from(table)) else { return };
        let row = table.row(contribution.interval.0, &contribution.dims);
        if let Some(cell) = row.and_then(|row| row.get_mut(usize::from(slot))) {
            *cell += contribution.amount;
        }
    }

    /// Adds what a fold gave to one row, `sign` times (1 or -1).
    pub(crate) fn add_sum(&mut self, sum: &RowSum, sign: i64) {
        let Some(table) = self.tables.get_mut(usize::from(sum.table())) else { return };
        let Some(row) = table.row(sum.interval().0, sum.dims()) else { return };
        for (slot, amount) in sum.amounts() {
            if let Some(cell) = row.get_mut(slot) {
                *cell += amount * sign;
            }
        }
    }

    /// The sheets that lie in one table under their attributions, with where each begins in its rows.
    pub(crate) fn shared(
        sheets: impl IntoIterator<Item = (Sheet, Attribution)>,
    ) -> BTreeMap<TableNumber, Vec<(Sheet, usize)>> {
        let mut tables: BTreeMap<TableNumber, Vec<(Sheet, usize)>> = BTreeMap::new();
        for (sheet, attribution) in sheets {
            let (table, begin) = place(sheet, attribution);
            tables.entry(TableNumber(table)).or_default().push((sheet, usize::from(begin)));
        }
        tables
    }

    /// The rows of a table in `[from, to)`, interval by interval.
    pub(crate) fn of_table(&self, table: TableNumber, from: Interval, to: Interval) -> TableRange<'_> {
        let table = self.tables.get(usize::from(table.0));
        TableRange {
            width: table.map_or(1, |table| table.width.max(1)),
            left: table.map_or(&[], |table| table.range(from.0, to.0)),
        }
    }

    /// The rows of a sheet in `[from, to)`: interval, dimensions, amounts in the order of the sheet's measures.
    pub(crate) fn rows(
        &self,
        sheet: Sheet,
        attribution: Attribution,
        from: Interval,
        to: Interval,
    ) -> impl Iterator<Item = (Interval, Dims, &[i64])> {
        let (table, begin) = place(sheet, attribution);
        let (begin, width) = (usize::from(begin), sheet.measures().len());
        let table = self.tables.get(usize::from(table));
        table.into_iter().flat_map(move |table| {
            let rows = table.range(from.0, to.0).iter().flat_map(|rows| rows.iter(table.width));
            rows.filter_map(move |(interval, dims, amounts)| {
                Some((interval, dims, amounts.get(begin..begin + width)?))
            })
        })
    }
}

impl Cells {
    /// All tables, with the rows that hold anything.
    pub(crate) fn tables(&self) -> impl Iterator<Item = TableRows<'_>> {
        (0u8..).zip(&self.tables).map(|(number, table)| {
            let rows = table.intervals.iter().flat_map(|rows| rows.iter(table.width));
            let rows = rows.filter(|(_, _, amounts)| amounts.iter().any(|amount| *amount != 0));
            TableRows { columns: columns(number).collect(), rows: rows.collect() }
        })
    }
}

/// Rows of one table, as a part of the figures holds them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CellRows {
    table: u8,
    keys: Vec<(i32, Dims)>,
    /// Those of the first row, then those of the next.
    amounts: Vec<i64>,
}

impl Cells {
    /// All rows that hold anything, at most so many at once.
    pub(crate) fn parts(&self, rows_max: usize) -> impl Iterator<Item = CellRows> {
        (0u8..).zip(self.tables()).flat_map(move |(table, all)| {
            let parts = all.rows.chunks(rows_max).map(|rows| CellRows {
                table,
                keys: rows.iter().map(|(interval, dims, _)| (interval.0, *dims)).collect(),
                amounts: rows.iter().flat_map(|(_, _, amounts)| amounts.iter().copied()).collect(),
            });
            parts.collect::<Vec<_>>()
        })
    }

    /// Puts rows back that are not there yet.
    pub(crate) fn put_back(&mut self, rows: &CellRows) {
        let CellRows { table, keys, amounts } = rows;
        let Some(table) = self.tables.get_mut(usize::from(*table)) else { return };
        for ((interval, dims), amounts) in keys.iter().zip(amounts.chunks_exact(table.width)) {
            let place = table.place(*interval);
            if let Some(rows) = table.intervals.get_mut(place) {
                rows.keys.push(*dims);
                rows.index.push(&rows.keys);
                rows.amounts.extend_from_slice(amounts);
            }
        }
    }
}
