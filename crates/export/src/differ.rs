//! What a new revision changes of the one before it, figure by figure, and why.
//!
//! Both files are walked side by side, in the order of their keys. Invariant: a figure is told once, with both values.

use std::{cmp::Ordering, path::Path};

use pegcount_domain::time::{Interval, Micros};
use pegcount_kpi::Correction;

use crate::{
    cell::{Cell, Column, Kind, Row},
    error::ExportError,
    read,
    tables::Table,
    write::{Format, TableWriter},
};

/// How many causes of one figure are told.
const CAUSES: usize = 16;

/// Two revisions of a day.
pub(crate) struct Revisions<'a> {
    /// Where the old one lies, and one of its formats.
    pub(crate) old: (&'a Path, Format),
    /// The new one.
    pub(crate) new: (&'a Path, Format),
    /// What changed figures since the old one.
    pub(crate) causes: &'a [Correction],
    /// Whether another formula version is in force.
    pub(crate) other_formula: bool,
    /// Site and date, as rows begin.
    pub(crate) begin: Row,
}

impl Revisions<'_> {
    /// Writes all that differs.
    pub(crate) fn write(&self, out: &mut TableWriter) -> Result<(), ExportError> {
        for table in [Table::QueueInterval, Table::AgentInterval, Table::DailySummary] {
            self.of_table(table, out)?;
        }
        Ok(())
    }

    fn of_table(&self, table: Table, out: &mut TableWriter) -> Result<(), ExportError> {
        let columns = table.columns();
        let keys = table.key_columns();
        let mut old = read::open(self.old.0, table, self.old.1)?;
        let mut new = read::open(self.new.0, table, self.new.1)?;
        let (mut before, mut after) = (old.next().transpose()?, new.next().transpose()?);
        loop {
            let order = match (&before, &after) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(before), Some(after)) => by_keys(before, after, keys),
            };
            let gone = if order.is_le() { before.take() } else { None };
            let come = if order.is_ge() { after.take() } else { None };
            self.of_rows(table, &columns, keys, gone.as_ref(), come.as_ref(), out)?;
            if order.is_le() {
                before = old.next().transpose()?;
            }
            if order.is_ge() {
                after = new.next().transpose()?;
            }
        }
    }

    fn of_rows(
        &self,
        table: Table,
        columns: &[Column],
        keys: usize,
        before: Option<&Row>,
        after: Option<&Row>,
        out: &mut TableWriter,
    ) -> Result<(), ExportError> {
        let Some(row) = after.or(before) else { return Ok(()) };
        let at = |row: Option<&Row>, index: usize| {
            row.and_then(|row| row.get(index)).cloned().unwrap_or(Cell::None)
        };
        let mut is_told = false;
        for (index, column) in columns.iter().enumerate().skip(keys) {
            let (was, is) = (at(before, index), at(after, index));
            let (old, new) = (number(&was), number(&is));
            if old.unwrap_or(0.0).to_bits() != new.unwrap_or(0.0).to_bits()
                || (before.is_some() && after.is_some() && was != is)
            {
                self.tell(table, row, keys, column, (old, new), out)?;
                is_told = true;
            }
        }
        if !is_told && before.is_some() != after.is_some() {
            let star = Column {
                name: "*".to_owned(),
                kind: Kind::Real,
                unit: "",
                meaning: String::new(),
                source: "",
                measure: None,
            };
            let there = |row: Option<&Row>| row.map(|_| 0.0);
            self.tell(table, row, keys, &star, (there(before), there(after)), out)?;
        }
        Ok(())
    }

    fn tell(
        &self,
        table: Table,
        row: &Row,
        keys: usize,
        column: &Column,
        (old, new): (Option<f64>, Option<f64>),
        out: &mut TableWriter,
    ) -> Result<(), ExportError> {
        let interval = row.iter().find_map(|cell| match cell {
            Cell::Instant(at) => Some(Interval::containing(Micros(*at))),
            _ => None,
        });
        let is_cause = |one: &&Correction| {
            column.measure.is_none_or(|measure| measure == one.measure)
                && interval.is_none_or(|interval| interval == one.interval)
        };
        let mut causes: Vec<u64> = self.causes.iter().filter(is_cause).map(|one| one.position.0).collect();
        causes.sort_unstable();
        causes.dedup();
        let cause = match (causes.is_empty(), self.other_formula) {
            (_, true) => "formula",
            (false, false) => "facts",
            (true, false) => "history",
        };
        let told: Vec<String> = causes.iter().take(CAUSES).map(ToString::to_string).collect();
        let key: Vec<String> = row.iter().take(keys).skip(2).map(Cell::shown).collect();
        let real = |number: Option<f64>| number.map_or(Cell::None, Cell::Real);
        let mut cells = self.begin.clone();
        cells.push(Cell::Text(table.name().to_owned()));
        cells.push(Cell::Text(key.join(" | ")));
        cells.push(Cell::Text(column.name.clone()));
        cells.extend([real(old), real(new), Cell::Real(new.unwrap_or(0.0) - old.unwrap_or(0.0))]);
        cells.push(Cell::name((!told.is_empty()).then(|| told.join(" "))));
        cells.push(Cell::Text(cause.to_owned()));
        out.push(cells)
    }
}

#[allow(clippy::cast_precision_loss, reason = "differences of amounts below 2^53 are exact")]
fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Int(number) => Some(*number as f64),
        Cell::Real(number) => Some(*number),
        _ => None,
    }
}

fn by_keys(one: &Row, other: &Row, keys: usize) -> Ordering {
    let pairs = one.iter().zip(other).take(keys);
    let orders = pairs.map(|(one, other)| match (one, other) {
        (Cell::Instant(one), Cell::Instant(other)) => one.cmp(other),
        (Cell::Text(one), Cell::Text(other)) => one.cmp(other),
        (Cell::None, Cell::None) => Ordering::Equal,
        // Nobody's rows come first.
        (Cell::None, _) => Ordering::Less,
        (_, Cell::None) => Ordering::Greater,
        _ => Ordering::Equal,
    });
    orders.fold(Ordering::Equal, Ordering::then)
}
