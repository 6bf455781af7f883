//! Which columns are shown.
//!
//! Files hold all columns unless some are asked for; a terminal shows the few that the question is about.
//! Invariant: the columns keep the order in which they were asked for.

use super::{Cell, Figures};

/// What of a table's columns is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Picked {
    /// The few that matter for these dimensions.
    Few,
    /// All.
    All,
    /// These, by their names with or without `_s`.
    Named(Vec<String>),
}

/// A name that no column has.
#[derive(Debug, thiserror::Error)]
#[error("there is no column `{name}`; the columns are: {}", .known.join(", "))]
pub(crate) struct UnknownColumn {
    /// What was asked for.
    name: String,
    /// What there is.
    known: Vec<String>,
}

/// For agents and teams. With a time and a name before them, the seven fit on 120 characters.
const OF_AGENTS: [&str; 7] =
    ["handled", "handle_talk", "aht", "contacts_per_hour", "occupancy", "signed_in_clock", "rona_rate"];

/// For queues and the whole. With a time and a name before them, nine fit on 120 characters.
const OF_QUEUES: [&str; 8] =
    ["offered", "answered", "abandon_rate", "service_level", "asa", "waiting", "handled", "aht"];

/// For what tickets alone are cut by. With a time and a name before them, eight fit on 120 characters.
const OF_TICKETS: [&str; 8] = [
    "opened",
    "resolved",
    "backlog",
    "completion_rate",
    "timeliness",
    "target_compliance",
    "reopen_rate",
    "rework_rate",
];

/// First-contact resolution, by issues; where there are none, in its repeat-contact form.
const RESOLUTION: [&str; 2] = ["fcr_rate", "fcr_repeat_form"];

/// The table with only the picked columns.
pub(crate) fn pick(figures: &Figures, picked: &Picked) -> Result<Figures, UnknownColumn> {
    let indices = match picked {
        Picked::All => (0..figures.columns.len()).collect(),
        Picked::Few => few(figures),
        Picked::Named(names) => {
            names.iter().map(|name| index(figures, name)).collect::<Result<Vec<_>, _>>()?
        }
    };
    let mut shown = figures.clone();
    shown.columns = indices.iter().filter_map(|index| figures.columns.get(*index).cloned()).collect();
    for (row, all) in shown.rows.iter_mut().zip(&figures.rows) {
        row.cells = indices.iter().filter_map(|index| all.cells.get(*index).copied()).collect();
    }
    Ok(shown)
}

/// The usual columns, without those that are absent in every row.
fn few(figures: &Figures) -> Vec<usize> {
    let by_agent = figures.dimensions.iter().any(|name| matches!(*name, "agent" | "team"));
    let is_of_tickets = |name: &&str| matches!(*name, "kind" | "category" | "group" | "tier" | "region");
    let by_ticket = figures.dimensions.iter().any(is_of_tickets);
    let names: &[&str] = match (by_ticket, by_agent) {
        (true, _) => &OF_TICKETS,
        (false, true) => &OF_AGENTS,
        (false, false) => &OF_QUEUES,
    };
    let there = |index: &usize| {
        figures.rows.iter().any(|row| row.cells.get(*index).is_some_and(|cell| *cell != Cell::Absent))
    };
    let found = |names: &[&str]| {
        names.iter().filter_map(|name| index(figures, name).ok()).filter(there).collect::<Vec<_>>()
    };
    let mut indices = found(names);
    if !by_agent && !by_ticket {
        indices.extend(found(&RESOLUTION).first());
    }
    indices
}

fn index(figures: &Figures, name: &str) -> Result<usize, UnknownColumn> {
    let found = figures.columns.iter().position(|column| column.name == name || column.file_name() == name);
    found.ok_or_else(|| UnknownColumn {
        name: name.to_owned(),
        known: figures.columns.iter().map(super::Column::file_name).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::samples::two_queues;

    fn names(figures: &Figures) -> Vec<&str> {
        figures.columns.iter().map(|column| column.name.as_str()).collect()
    }

    #[test]
    fn columns_come_in_the_order_asked_with_or_without_their_unit() {
        let asked = Picked::Named(vec!["wait_answered_s".into(), "offered".into()]);
        let shown = pick(&two_queues(), &asked).unwrap();
        assert_eq!(names(&shown), ["wait_answered", "offered"]);
        assert_eq!(shown.rows[0].cells, [Cell::Amount(12_500_000), Cell::Amount(3)]);
    }

    #[test]
    fn a_terminal_gets_the_few_columns_that_hold_something() {
        let mut figures = two_queues();
        assert_eq!(names(&pick(&figures, &Picked::Few).unwrap()), ["offered", "abandon_rate"]);
        figures.rows.remove(0);
        assert_eq!(names(&pick(&figures, &Picked::Few).unwrap()), ["offered"]);
    }

    #[test]
    fn what_tickets_alone_are_cut_by_shows_tickets() {
        let mut figures = two_queues();
        figures.dimensions = vec!["category"];
        for (column, name) in figures.columns.iter_mut().zip(["timeliness", "opened"]) {
            column.name = name.to_owned();
        }
        assert_eq!(names(&pick(&figures, &Picked::Few).unwrap()), ["opened", "timeliness"]);
    }

    #[test]
    fn an_unknown_column_is_named_with_those_that_exist() {
        let refused = pick(&two_queues(), &Picked::Named(vec!["ofered".into()])).unwrap_err();
        let known = "there is no column `ofered`; the columns are: offered, wait_answered_s, abandon_rate";
        assert_eq!(refused.to_string(), known);
    }
}
