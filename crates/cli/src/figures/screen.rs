//! Figures for a terminal: a table with aligned columns, or one line per row.
//!
//! Invariant: nothing is computed here; what cannot be shown shows as a dash.

use std::fmt::Write;

use comfy_table::{Cell as Field, CellAlignment};
use pegcount_domain::time::Micros;

use super::{Figures, Row, human};
use crate::{output, when};

/// The table, with a line below that says what it stands on. Rows that all stand for one range do not repeat it;
/// others show where they begin.
pub(crate) fn table(figures: &Figures) -> String {
    let range = one_range(figures);
    let mut table = output::plain_table();
    let left = range.is_none().then_some("from").into_iter().chain(figures.dimensions.iter().copied());
    let right =
        figures.columns.iter().map(|column| Field::new(&column.name).set_alignment(CellAlignment::Right));
    let odd = figures.has_odd_versions();
    let formula = odd.then(|| Field::new("formula"));
    table.set_header(left.map(Field::new).chain(right).chain(formula));
    for row in &figures.rows {
        let from = range.is_none().then(|| when::short(row.from, &figures.zone));
        let keys = row.keys.iter().map(|key| key.as_deref().unwrap_or(human::ABSENT).to_owned());
        let cells =
            figures.columns.iter().zip(&row.cells).map(|(column, cell)| {
                Field::new(human::cell(column, *cell)).set_alignment(CellAlignment::Right)
            });
        let versions = odd.then(|| Field::new(numbers(&figures.versions_of(row))));
        table.add_row(from.into_iter().chain(keys).map(Field::new).chain(cells).chain(versions));
    }
    let range = range.map_or_else(String::new, |(from, to)| {
        format!("from {} to {} · ", when::short(from, &figures.zone), when::short(to, &figures.zone))
    });
    let rows = if figures.rows.len() == 1 { "row" } else { "rows" };
    format!(
        "{}\n{range}{} {rows} · open work counted to {} · log position {} · {}",
        output::shown(table),
        human::number(figures.rows.len()),
        when::rfc3339(figures.as_of, &figures.zone),
        figures.position,
        versions(figures),
    )
}

/// By which formula versions, and on which definitions.
fn versions(figures: &Figures) -> String {
    // Writing to a string cannot fail.
    let mut words = match figures.formula_versions.as_slice() {
        [] | [_] => format!("formulas version {}", figures.formula_version),
        many => format!("formulas versions {}", numbers(many)),
    };
    if figures.rows.iter().any(|row| row.versions.len() > 1) {
        words.push_str("\nrows of several versions hold what began before a change; their ratios have the form in force at their start");
    }
    if figures.older_definitions != 0 {
        let _ = write!(
            words,
            "\nthese figures still stand on the definitions from before log position {}; later ones are being taken in",
            figures.older_definitions
        );
    }
    words
}

fn numbers(numbers: &[u32]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The range of all rows, if it is one.
fn one_range(figures: &Figures) -> Option<(Micros, Micros)> {
    let first = figures.rows.first()?;
    let same = |row: &Row| (row.from, row.to) == (first.from, first.to);
    figures.rows.iter().all(same).then_some((first.from, first.to))
}

/// One row on one line: `2026-03-01 09:00 queue=PS offered=3 …`.
pub(crate) fn one_line(figures: &Figures, row: &Row) -> String {
    let keys = figures
        .dimensions
        .iter()
        .zip(&row.keys)
        .map(|(name, key)| format!("{name}={}", key.as_deref().unwrap_or(human::ABSENT)));
    let cells = figures
        .columns
        .iter()
        .zip(&row.cells)
        .map(|(column, cell)| format!("{}={}", column.name, human::cell(column, *cell).replace(' ', "")));
    let fields: Vec<String> =
        std::iter::once(when::short(row.from, &figures.zone)).chain(keys).chain(cells).collect();
    fields.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::samples::two_queues;

    #[test]
    fn a_table_shows_local_times_rounded_values_and_dashes() {
        let shown = table(&two_queues());
        assert!(shown.contains("from 1999-02-01 to 1999-02-02"), "{shown}");
        assert!(shown.contains("33.3 %") && shown.contains("–"), "{shown}");
        assert!(shown.ends_with("log position 42 · formulas version 1"), "{shown}");
    }

    #[test]
    fn rows_of_several_ranges_say_where_they_begin() {
        let mut figures = two_queues();
        figures.rows[1].from = figures.rows[1].from.plus(Micros(90 * Micros::MINUTE.0));
        let shown = table(&figures);
        assert!(shown.starts_with("from ") && shown.contains("1999-02-01 01:30"), "{shown}");
    }

    #[test]
    fn a_row_fits_on_one_line() {
        let figures = two_queues();
        let line = one_line(&figures, &figures.rows[0]);
        assert_eq!(line, "1999-02-01 queue=PS offered=3 wait_answered=0:13 abandon_rate=33.3%");
    }
}
