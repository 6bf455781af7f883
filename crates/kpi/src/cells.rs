//! Cells: additive integers by sheet, interval and dimensions; and contributions, which they are sums of.
//!
//! Invariant: a cell is the sum of the contributions added minus those taken away, in whatever order.

use std::{
    collections::BTreeMap,
    hash::{Hash, Hasher},
};

use pegcount_domain::time::{Interval, Micros, Span};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::{
    archive::TableRows,
    fact::{Mark, Slot},
    measure::{Measure, SHEETS, Sheet},
    names::Id,
};

/// What a cell is cut by, apart from time. 0 is "none" everywhere; channel and direction are their codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

impl Hash for Dims {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(u64::from(self.agent.0) << 32 | u64::from(self.team.0));
        state.write_u64(u64::from(self.queue.0) << 32 | u64::from(self.entry.0));
        let codes = [self.version, self.channel, self.direction, self.priority];
        let codes = u32::from_be_bytes(codes);
        state.write_u64(u64::from(self.detail.0) << 32 | u64::from(codes));
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
    index: FxHashMap<Dims, u32>,
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
        self.index.insert(dims, row);
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
    /// The places of the interval and the row that were added to last.
    last: (usize, Dims, u32),
}

impl Table {
    fn new(width: usize) -> Self {
        Self { width, intervals: Vec::new(), last: (0, Dims::default(), u32::MAX) }
    }

    /// The place of an interval, which may be new.
    fn place(&mut self, interval: i32) -> usize {
        let place = self.intervals.partition_point(|rows| rows.interval < interval);
        if self.intervals.get(place).is_none_or(|rows| rows.interval != interval) {
            self.intervals.insert(place, Rows { interval, ..Rows::default() });
            self.last = (place, Dims::default(), u32::MAX);
        }
        place
    }

    #[inline]
    fn add(&mut self, interval: i32, dims: Dims, slot: usize, amount: i64) {
        let (mut place, last_dims, mut row) = self.last;
        let mut is_last = last_dims == dims && row != u32::MAX;
        if self.intervals.get(place).is_none_or(|rows| rows.interval != interval) {
            place = self.place(interval);
            is_last = false;
        }
        let Some(rows) = self.intervals.get_mut(place) else { return };
        if !is_last {
            row = match rows.index.get(&dims) {
                Some(row) => *row,
                None => rows.insert(dims, self.width),
            };
            self.last = (place, dims, row);
        }
        if let Some(cell) = rows.amounts.get_mut(row as usize * self.width + slot) {
            *cell += amount;
        }
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

/// Tables: visits under three attributions, clocks, legs with their handles, handles by their answer, tickets, lines,
/// times away, transfers by their handle's end and answer, failures, waits under three attributions, days.
const TABLES: usize = 16;
const LEG_TABLE: u8 = 4;

/// Which table a sheet is in under an attribution, and where in its rows it begins.
const fn place(sheet: Sheet, attribution: Attribution) -> (u8, u8) {
    match (sheet, attribution) {
        (Sheet::Visit, any) => (any as u8, 0),
        (Sheet::Clock, _) => (3, 0),
        (Sheet::Leg, _) => (LEG_TABLE, 0),
        (Sheet::Handle, Attribution::Start) => (5, 0),
        // A handle mostly completes in the interval and under the dimensions in which its leg ends.
        (Sheet::Handle, _) => (LEG_TABLE, LEG_WIDTH),
        (Sheet::Ticket, _) => (6, 0),
        (Sheet::Line, _) => (7, 0),
        (Sheet::Away, _) => (8, 0),
        (Sheet::Transfer, Attribution::Start) => (10, 0),
        (Sheet::Transfer, _) => (9, 0),
        (Sheet::Failure, _) => (11, 0),
        (Sheet::Wait, any) => (12 + any as u8, 0),
        (Sheet::Day, _) => (15, 0),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a sheet has a few dozen measures")]
const LEG_WIDTH: u8 = Sheet::Leg.measures().len() as u8;

/// For each measure and attribution, its table and its place in that table's rows.
static PLACES: [[(u8, u8); 3]; Measure::ALL.len()] = places();

#[allow(clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "evaluated by the compiler")]
const fn places() -> [[(u8, u8); 3]; Measure::ALL.len()] {
    const ATTRIBUTIONS: [Attribution; 3] = [Attribution::Event, Attribution::Start, Attribution::End];
    let mut places = [[(0, 0); 3]; Measure::ALL.len()];
    let mut sheet = 0;
    while sheet < SHEETS {
        let measures = Sheet::ALL[sheet].measures();
        let mut slot = 0;
        while slot < measures.len() {
            let mut attribution = 0;
            while attribution < ATTRIBUTIONS.len() {
                let (table, begin) = place(Sheet::ALL[sheet], ATTRIBUTIONS[attribution]);
                places[measures[slot] as usize][attribution] = (table, begin + slot as u8);
                attribution += 1;
            }
            slot += 1;
        }
        sheet += 1;
    }
    places
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
    /// Adds one contribution `sign` times (1 or -1).
    #[inline]
    pub(crate) fn add(&mut self, contribution: &Contribution, sign: i64) {
        let places = PLACES.get(contribution.measure.index());
        let place = places.and_then(|places| places.get(contribution.attribution as usize));
        let Some((table, slot)) = place else { return };
        if let Some(table) = self.tables.get_mut(usize::from(*table)) {
            let amount = contribution.amount * sign;
            table.add(contribution.interval.0, contribution.dims, usize::from(*slot), amount);
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
            TableRows { columns: columns(number), rows: rows.collect() }
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
                rows.index.insert(*dims, u32::try_from(rows.keys.len()).unwrap_or(u32::MAX));
                rows.keys.push(*dims);
                rows.amounts.extend_from_slice(amounts);
            }
        }
    }
}

/// What each amount of a table's rows is of.
fn columns(number: u8) -> Vec<(Measure, Attribution)> {
    let mut columns: BTreeMap<u8, (Measure, Attribution)> = BTreeMap::new();
    for (measure, places) in Measure::ALL.iter().zip(&PLACES) {
        let own = places.iter().zip(Attribution::ALL).filter(|((table, _), _)| *table == number);
        for ((_, slot), attribution) in own {
            columns.entry(*slot).or_insert((*measure, attribution));
        }
    }
    columns.into_values().collect()
}

/// What of a unit a contribution comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    /// What the facts at its two ends say.
    #[default]
    Between,
    /// One leg.
    Leg(Mark),
    /// One queue visit, with the leg that answered it.
    Visit(Mark),
    /// A contact as a whole.
    Contact(Slot),
    /// A ticket as a whole, with its contact.
    Ticket(Slot),
    /// A local day or month as a whole.
    Day,
}

/// Where a contribution comes from, for explaining it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Source {
    pub(crate) from: Micros,
    /// The same instant for a count.
    pub(crate) to: Micros,
    pub(crate) part: Part,
}

/// The sources of contributions, in their order.
#[derive(Debug, Default)]
struct Trace {
    now: Source,
    list: Vec<Source>,
    maturing: Vec<Source>,
}

/// Contributions of one fold of one unit, with what else the fold found.
#[derive(Debug, Default)]
pub(crate) struct Contributions {
    pub(crate) list: Vec<Contribution>,
    /// Contributions that take effect only at an instant, even with no event then.
    pub(crate) maturing: Vec<(Micros, Contribution)>,
    /// Only what counts in here is kept; none: all.
    window: Option<Span>,
    /// Only while a figure is being explained.
    trace: Option<Box<Trace>>,
}

impl Contributions {
    /// Keeps only what counts in `window`, and remembers where each one comes from.
    pub(crate) fn traced(window: Span) -> Self {
        Self { trace: Some(Box::default()), window: Some(window), ..Self::default() }
    }

    /// Keeps only what counts before an instant.
    pub(crate) fn before(instant: Micros) -> Self {
        Self { window: Some(Span::new(Micros(i64::MIN), instant)), ..Self::default() }
    }

    /// Whether what counts at an instant is kept.
    #[inline]
    pub(crate) fn keeps(&self, at: Micros) -> bool {
        self.window.is_none_or(|window| window.start <= at && at < window.end)
    }

    /// Forgets everything, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.list.clear();
        self.maturing.clear();
        if let Some(trace) = &mut self.trace {
            **trace = Trace::default();
        }
    }

    /// Says where the next ones come from.
    #[inline]
    pub(crate) fn source(&mut self, part: Part, from: Micros, to: Micros) {
        if let Some(trace) = &mut self.trace {
            trace.now = Source { from, to, part };
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, contribution: Contribution) {
        if let Some(trace) = &mut self.trace {
            trace.list.push(trace.now);
        }
        self.list.push(contribution);
    }

    /// One thing that is so only from `due` on.
    pub(crate) fn push_maturing(&mut self, due: Micros, contribution: Contribution) {
        if let Some(trace) = &mut self.trace {
            trace.maturing.push(trace.now);
        }
        self.maturing.push((due, contribution));
    }

    /// All that are so at `as_of`, each with its source, if they were traced.
    pub(crate) fn explained(&self, as_of: Micros) -> impl Iterator<Item = (&Contribution, Source)> {
        let trace = self.trace.as_deref().into_iter();
        trace.flat_map(move |trace| {
            let maturing =
                self.maturing.iter().zip(&trace.maturing).filter(move |((due, _), _)| *due <= as_of);
            let matured = maturing.map(|((_, contribution), source)| (contribution, *source));
            self.list.iter().zip(trace.list.iter().copied()).chain(matured)
        })
    }

    /// One thing at `at`, under an attribution.
    #[inline]
    pub(crate) fn at(
        &mut self,
        at: Micros,
        attribution: Attribution,
        dims: Dims,
        measure: Measure,
        amount: i64,
    ) {
        if amount != 0 && self.keeps(at) {
            let interval = Interval::containing(at);
            self.push(Contribution { measure, attribution, interval, dims, amount });
        }
    }
}
