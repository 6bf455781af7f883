//! Which table holds a sheet under an attribution, and where in the table's rows it begins.
//!
//! Invariant: two sheets share a table only if they have the same dimensions; a column of a table is of one measure.

use super::Attribution;
use crate::measure::{Measure, SHEETS, Sheet};

/// Tables: visits under three attributions, clocks, legs with their handles, handles by their answer, tickets, lines,
/// times away, transfers by their handle's end and answer, failures, waits under three attributions, days, targets, the backlog,
/// what tickets took by length.
pub(super) const TABLES: usize = 19;
const LEG_TABLE: u8 = 4;
/// What comes into the backlog and leaves it.
pub(super) const BACKLOG_TABLE: u8 = 17;

/// Which table a sheet is in under an attribution, and where in its rows it begins.
pub(super) const fn place(sheet: Sheet, attribution: Attribution) -> (u8, u8) {
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
        (Sheet::Target, _) => (16, 0),
        (Sheet::Backlog, _) => (BACKLOG_TABLE, 0),
        (Sheet::Took, _) => (18, 0),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a sheet has a few dozen measures")]
const LEG_WIDTH: u8 = Sheet::Leg.measures().len() as u8;

/// For each measure and attribution, its table and its place in that table's rows.
pub(super) static PLACES: [[(u8, u8); 3]; Measure::ALL.len()] = places();

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

/// Where one measure stands under an attribution: its table, and its place in that table's rows.
#[inline]
pub(super) fn place_of(measure: Measure, attribution: Attribution) -> (u8, u8) {
    let places = PLACES.get(measure.index());
    // Every measure has a place under every attribution.
    places.and_then(|places| places.get(attribution as usize)).copied().unwrap_or_default()
}

/// For each table, what the amounts of its rows are of; of two attributions that share it, the first.
static COLUMNS: [[Option<(Measure, Attribution)>; WIDTH_MAX]; TABLES] = all_columns();

/// The widest row of any table.
pub(super) const WIDTH_MAX: usize = width_max();

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn width_max() -> usize {
    let places = places();
    let (mut widest, mut measure) = (0, 0);
    while measure < places.len() {
        let mut attribution = 0;
        while attribution < places[measure].len() {
            let width = places[measure][attribution].1 as usize + 1;
            widest = if width > widest { width } else { widest };
            attribution += 1;
        }
        measure += 1;
    }
    widest
}

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn all_columns() -> [[Option<(Measure, Attribution)>; WIDTH_MAX]; TABLES] {
    let places = places();
    let mut columns = [[None; WIDTH_MAX]; TABLES];
    let mut measure = 0;
    while measure < places.len() {
        let mut attribution = 0;
        while attribution < places[measure].len() {
            let (table, slot) = places[measure][attribution];
            let column = &mut columns[table as usize][slot as usize];
            if column.is_none() {
                *column = Some((Measure::ALL[measure], Attribution::ALL[attribution]));
            }
            attribution += 1;
        }
        measure += 1;
    }
    columns
}

/// What one amount of a table's rows is of.
#[inline]
pub(super) fn column(number: u8, slot: usize) -> Option<(Measure, Attribution)> {
    *COLUMNS.get(usize::from(number))?.get(slot)?
}

/// What each amount of a table's rows is of.
pub(super) fn columns(number: u8) -> impl Iterator<Item = (Measure, Attribution)> {
    COLUMNS.get(usize::from(number)).into_iter().flatten().map_while(|column| *column)
}
