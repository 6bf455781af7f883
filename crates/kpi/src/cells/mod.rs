//! Cells: additive integers by sheet, interval and dimensions.
//!
//! - [`contributions`]: what a fold gives, summed by the rows that it goes to
//! - [`table`]: intervals in the order of time; [`rows`]: the rows of one, open or at rest; [`index`]: finding a row
//! - [`places`]: which table holds a sheet, and where in its rows
//!
//! Invariant: a cell is the sum of the contributions added minus those taken away, in whatever order.

mod contributions;
mod index;
mod places;
mod rows;
mod table;

use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
};

use pegcount_domain::time::Interval;
use serde::{Deserialize, Serialize};

pub(crate) use self::contributions::{Contributions, Part, RowSum, Source};
pub(crate) use self::table::OPEN_ROWS_DEFAULT;
use self::{
    places::{PLACES, TABLES, columns, place, place_of},
    rows::Rows,
    table::Table,
};
use crate::{
    archive::TableRows,
    measure::{Measure, Sheet},
    names::Id,
    packed::{Packed, bytes::Writer},
    weight::Weight,
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

    /// Gives the rows of an interval, if that is the next one: dimensions, and amounts of all that is in the table. A row may
    /// come several times: its amounts are the sums.
    #[inline]
    pub(crate) fn each(&mut self, interval: Interval, take: impl FnMut(&Dims, &[i64])) {
        if let Some(rows) = self.next(interval) {
            rows.each(self.width, take);
        }
    }

    /// The same with each row once.
    pub(crate) fn each_once(&mut self, interval: Interval, take: impl FnMut(&Dims, &[i64])) {
        if let Some(rows) = self.next(interval) {
            rows.each_once(self.width, take);
        }
    }

    fn next(&mut self, interval: Interval) -> Option<&'a Rows> {
        let (first, rest) = self.left.split_first().filter(|(first, _)| first.interval == interval.0)?;
        self.left = rest;
        Some(first)
    }
}

/// All cells of one site.
#[derive(Debug)]
pub(crate) struct Cells {
    tables: Vec<Table>,
    open_rows_max: usize,
    writer: Writer,
}

impl Default for Cells {
    fn default() -> Self {
        let mut widths = [0; TABLES];
        for (table, slot) in PLACES.iter().flatten() {
            if let Some(width) = widths.get_mut(usize::from(*table)) {
                *width = usize::from(*slot + 1).max(*width);
            }
        }
        let tables = widths.into_iter().map(Table::new).collect();
        Self { tables, open_rows_max: OPEN_ROWS_DEFAULT, writer: Writer::default() }
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

    /// How many rows of these sheets lie in `[from, to)`, by one attribution.
    pub(crate) fn rows_within(
        &self,
        (from, to): (Interval, Interval),
        sheets: impl Fn(Sheet) -> bool,
    ) -> usize {
        let tables = Self::shared(
            Sheet::ALL.into_iter().filter(|one| sheets(*one)).map(|one| (one, Attribution::Event)),
        );
        let tables = tables.keys().filter_map(|number| self.tables.get(usize::from(number.0)));
        let rows = tables.flat_map(|table| table.range(from.0, to.0));
        rows.map(|rows| rows.in_use() + rows.at_rest()).sum()
    }

    /// Gives `take` the rows of a sheet in `[from, to)`: interval, dimensions, amounts in the order of the sheet's measures. A
    /// row may come several times: its amounts are the sums.
    pub(crate) fn rows(
        &self,
        sheet: Sheet,
        attribution: Attribution,
        (from, to): (Interval, Interval),
        mut take: impl FnMut(Interval, &Dims, &[i64]),
    ) {
        let (table, begin) = place(sheet, attribution);
        let (begin, width) = (usize::from(begin), sheet.measures().len());
        let Some(table) = self.tables.get(usize::from(table)) else { return };
        for rows in table.range(from.0, to.0) {
            rows.each(table.width, |dims, amounts| {
                if let Some(amounts) = amounts.get(begin..begin + width) {
                    take(rows.interval(), dims, amounts);
                }
            });
        }
    }

    /// Lets intervals rest in which nothing was added for longest, where too many rows are open.
    #[inline]
    pub(crate) fn rest_some(&mut self) {
        for table in self.tables.iter_mut().filter(|table| table.has_opened) {
            table.rest_some(self.open_rows_max, &mut self.writer);
        }
    }

    pub(crate) fn open_rows_max(&self) -> usize {
        self.open_rows_max
    }

    /// At most so many rows of each table are open from now on, but for those of two intervals; 0: none.
    pub(crate) fn set_open_rows_max(&mut self, rows: usize) {
        self.open_rows_max = rows;
        for table in &mut self.tables {
            table.rest_some(rows, &mut self.writer);
        }
    }
}

impl Cells {
    /// All tables: what each amount of a table's rows is of, and a look at the rows that hold anything.
    pub(crate) fn tables(&self) -> impl Iterator<Item = TableRows<'_>> {
        (0u8..).zip(&self.tables).map(|(number, table)| {
            TableRows::new(
                columns(number).collect(),
                TableRange { width: table.width, left: &table.intervals },
            )
        })
    }
}

impl Cells {
    /// What they take of memory: dimensions, amounts, and the tables that find rows, of what is open; what rests.
    pub(crate) fn weights(&self) -> [Weight; 4] {
        let all = || self.tables.iter().flat_map(|table| &table.intervals);
        let heads: usize =
            self.tables.iter().map(|table| table.intervals.capacity() * size_of::<Rows>()).sum();
        let sums = all().map(Rows::bytes);
        let [keys, amounts, index, resting] = sums.fold([0; 4], |sums, rows| {
            std::array::from_fn(|place| {
                sums.get(place).copied().unwrap_or(0) + rows.get(place).copied().unwrap_or(0)
            })
        });
        let (open, at_rest) = (all().map(Rows::in_use).sum(), all().map(Rows::at_rest).sum());
        [
            Weight { what: "open rows of cells", count: open, bytes: keys },
            Weight { what: "their amounts", count: amounts / size_of::<i64>(), bytes: amounts },
            Weight { what: "finding open rows", count: open, bytes: index },
            Weight { what: "rows of cells at rest", count: at_rest, bytes: heads + resting },
        ]
    }
}

/// Rows of one table, as a part of the figures holds them: as if all rested.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CellRows {
    table: u8,
    /// Each with how many rows it has.
    intervals: Vec<(i32, u32, Packed)>,
}

impl Cells {
    /// All rows that hold anything, about so many at once.
    pub(crate) fn parts(&self, rows_max: usize) -> impl Iterator<Item = CellRows> {
        let mut writer = Writer::default();
        (0u8..).zip(&self.tables).flat_map(move |(number, table)| {
            let mut parts: Vec<CellRows> = Vec::new();
            let mut held = usize::MAX;
            for rows in &table.intervals {
                if held >= rows_max {
                    parts.push(CellRows { table: number, intervals: Vec::new() });
                    held = 0;
                }
                let (count, packed) = rows.packed(table.width, &mut writer);
                held += usize::try_from(count).unwrap_or(usize::MAX);
                if let Some(part) = parts.last_mut() {
                    part.intervals.push((rows.interval, count, packed));
                }
            }
            parts
        })
    }

    /// Puts intervals back that come after those that are there.
    pub(crate) fn put_back(&mut self, rows: CellRows) {
        let Some(table) = self.tables.get_mut(usize::from(rows.table)) else { return };
        let intervals = rows.intervals.into_iter();
        table
            .intervals
            .extend(intervals.map(|(interval, count, packed)| Rows::resting(interval, count, packed)));
    }
}
