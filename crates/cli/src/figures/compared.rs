//! The same question by several formula versions, side by side: for each column a value by each version, and how much the
//! later ones differ from the first.
//!
//! Invariant: a difference is that of the exact values, not of what is shown of them; what is absent on one side has none.

use std::collections::BTreeMap;

use pegcount_domain::time::Micros;

use super::{Cell, Column, Figures, Row};

type RowKey = (Micros, Micros, Vec<Option<String>>);

/// Tables of one question, with the versions by which they were reckoned; all have the same columns.
pub(crate) fn compared(tables: Vec<(u32, Figures)>) -> Option<Figures> {
    let (first, base) = tables.first()?;
    let mut rows: BTreeMap<RowKey, Vec<Vec<Cell>>> = BTreeMap::new();
    for (place, (_, table)) in tables.iter().enumerate() {
        for row in &table.rows {
            let key = (row.from, row.to, row.keys.clone());
            let known = rows.entry(key).or_insert_with(|| vec![Vec::new(); tables.len()]);
            if let Some(cells) = known.get_mut(place) {
                cells.clone_from(&row.cells);
            }
        }
    }
    let versions: Vec<u32> = tables.iter().map(|(version, _)| *version).collect();
    let mut columns = Vec::new();
    for column in &base.columns {
        let named = |name: String| Column { name, ..column.clone() };
        columns.extend(versions.iter().map(|version| named(format!("{}_v{version}", column.name))));
        let later = versions.iter().skip(1);
        columns.extend(later.map(|version| named(format!("{}_v{version}_minus_v{first}", column.name))));
    }
    let width = base.columns.len();
    let rows = rows.into_iter().map(|((from, to, keys), sides)| Row {
        from,
        to,
        keys,
        cells: (0..width).flat_map(|column| cells(&sides, column)).collect(),
        versions: Vec::new(),
    });
    Some(Figures {
        columns,
        rows: rows.collect(),
        formula_versions: versions,
        formula_version: *first,
        ..base.clone()
    })
}

/// A column of a row by each version, then the differences from the first. A row that is not there by a version holds
/// nothing by it.
fn cells(sides: &[Vec<Cell>], column: usize) -> Vec<Cell> {
    let own: Vec<Cell> = sides.iter().map(|side| side.get(column).copied().unwrap_or(Cell::Absent)).collect();
    let first = own.first().copied().unwrap_or(Cell::Absent);
    let differences: Vec<Cell> = own.iter().skip(1).map(|later| difference(first, *later)).collect();
    own.into_iter().chain(differences).collect()
}

/// `later − first`.
fn difference(first: Cell, later: Cell) -> Cell {
    match (first, later) {
        (Cell::Amount(first), Cell::Amount(later)) => Cell::Amount(later.saturating_sub(first)),
        (Cell::Ratio { numerator: a, denominator: b }, Cell::Ratio { numerator: c, denominator: d }) => {
            let (a, b, c, d) = (i128::from(a), i128::from(b), i128::from(c), i128::from(d));
            quotient(c * b - a * d, b * d)
        }
        _ => Cell::Absent,
    }
}

/// Reduced; where even that does not fit, both halves lose their last binary places.
fn quotient(numerator: i128, denominator: i128) -> Cell {
    let divisor = common(numerator.unsigned_abs(), denominator.unsigned_abs()).max(1);
    let divisor = i128::try_from(divisor).unwrap_or(1);
    let (mut numerator, mut denominator) = (numerator / divisor, denominator / divisor);
    loop {
        if denominator == 0 {
            return Cell::Absent;
        }
        if let (Ok(numerator), Ok(denominator)) = (i64::try_from(numerator), i64::try_from(denominator)) {
            return Cell::Ratio { numerator, denominator };
        }
        (numerator, denominator) = (numerator / 2, denominator / 2);
    }
}

fn common(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::samples::two_queues;

    #[test]
    fn each_column_stands_by_each_version_with_the_exact_difference() {
        let (old, mut new) = (two_queues(), two_queues());
        new.rows[0].cells =
            vec![Cell::Amount(5), Cell::Amount(10_000_000), Cell::Ratio { numerator: 1, denominator: 4 }];
        new.rows.remove(1);
        let both = compared(vec![(1, old), (3, new)]).unwrap();
        let names: Vec<_> = both.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(&names[..3], ["offered_v1", "offered_v3", "offered_v3_minus_v1"]);
        let row = |key: Option<&str>| both.rows.iter().find(|row| row.keys[0].as_deref() == key).unwrap();
        let expected = [
            Cell::Amount(3),
            Cell::Amount(5),
            Cell::Amount(2),
            Cell::Amount(12_500_000),
            Cell::Amount(10_000_000),
            Cell::Amount(-2_500_000),
            Cell::Ratio { numerator: 1, denominator: 3 },
            Cell::Ratio { numerator: 1, denominator: 4 },
            Cell::Ratio { numerator: -1, denominator: 12 },
        ];
        assert_eq!(row(Some("PS")).cells, expected);
        assert_eq!(row(None).cells[..3], [Cell::Amount(0), Cell::Absent, Cell::Absent]);
        assert_eq!(both.formula_versions, [1, 3]);
    }

    #[test]
    fn a_difference_too_long_to_write_down_is_still_nearly_it() {
        let huge = i64::MAX - 1;
        let first = Cell::Ratio { numerator: 1, denominator: huge };
        let later = Cell::Ratio { numerator: huge, denominator: huge - 1 };
        match difference(first, later) {
            Cell::Ratio { numerator, denominator } => assert!((numerator - denominator).abs() <= 2),
            other => panic!("{other:?}"),
        }
    }
}
