//! Targets beside figures: met or missed, by the target's own comparison, inclusive as it says.
//!
//! A row has the target in force at its start that is meant for what it is about: for the site a row that is cut by nothing
//! but time, for a queue, team or agent one that is cut or filtered by that alone; one meant for exactly that one outranks
//! one for each. Invariant: a verdict is taken of the exact figure.

use pegcount_domain::{
    target::{TARGET_UNIT, TargetDefinition, TargetScope},
    time::Micros,
};

use super::{Cell, Column, Figures, Row, Unit, Verdict, human};

/// The only queue or agent that a question lets through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Only {
    pub(crate) queues: Vec<String>,
    pub(crate) agents: Vec<String>,
}

/// What a row is about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum About<'a> {
    Site,
    Team(&'a str),
    Queue(&'a str),
    Agent(&'a str),
}

/// The columns that any target is for.
pub(crate) fn columns(targets: &[TargetDefinition]) -> Vec<String> {
    let mut columns: Vec<String> = targets.iter().map(|target| target.column.as_str().to_owned()).collect();
    columns.sort();
    columns.dedup();
    columns
}

/// The table with a column of verdicts after each that has any.
pub(crate) fn judged(figures: &Figures, targets: &[TargetDefinition], only: &Only) -> Figures {
    let mut shown = figures.clone();
    shown.columns.clear();
    shown.rows.iter_mut().for_each(|row| row.cells.clear());
    for (index, column) in figures.columns.iter().enumerate() {
        let own: Vec<&TargetDefinition> =
            targets.iter().filter(|target| target.column.as_str() == column.name).collect();
        let verdicts: Vec<Option<Verdict>> =
            figures.rows.iter().map(|row| verdict(figures, row, index, column, &own, only)).collect();
        shown.columns.push(column.clone());
        let any = verdicts.iter().any(Option::is_some);
        if any {
            let name = format!("{}_target", column.name);
            shown.columns.push(Column { name, unit: Unit::Verdict, gauge: false });
        }
        for ((row, all), verdict) in shown.rows.iter_mut().zip(&figures.rows).zip(verdicts) {
            row.cells.push(all.cells.get(index).copied().unwrap_or(Cell::Absent));
            if any {
                row.cells.push(verdict.map_or(Cell::Absent, Cell::Verdict));
            }
        }
    }
    shown
}

fn verdict(
    figures: &Figures,
    row: &Row,
    index: usize,
    column: &Column,
    targets: &[&TargetDefinition],
    only: &Only,
) -> Option<Verdict> {
    let about = about(figures, row, only)?;
    let target = in_force(targets, &about, row.from)?;
    let (numerator, denominator) = match row.cells.get(index)? {
        Cell::Amount(amount) => (i128::from(*amount), 1),
        Cell::Ratio { numerator, denominator } => (i128::from(*numerator), i128::from(*denominator)),
        Cell::Absent | Cell::Verdict(_) => return None,
    };
    // A duration's target is in seconds, the figure in microseconds.
    let unit = if column.unit == Unit::Duration { i128::from(TARGET_UNIT) } else { 1 };
    Some(Verdict {
        is_met: target.is_met(numerator, denominator.saturating_mul(unit))?,
        comparison: target.comparison,
        value: target.value?,
        of: column.unit,
        hourly: human::is_rate(column),
    })
}

/// What a row is about; none if it is cut by something that no target is for.
fn about<'a>(figures: &Figures, row: &'a Row, only: &'a Only) -> Option<About<'a>> {
    let mut found: Vec<About<'a>> = Vec::new();
    for (dimension, key) in figures.dimensions.iter().zip(&row.keys) {
        let key = key.as_deref()?;
        found.push(match *dimension {
            "team" => About::Team(key),
            "queue" => About::Queue(key),
            "agent" => About::Agent(key),
            _ => return None,
        });
    }
    for (dimension, names) in [("queue", &only.queues), ("agent", &only.agents)] {
        if figures.dimensions.contains(&dimension) {
            continue;
        }
        match names.as_slice() {
            [] => {}
            [one] => found.push(if dimension == "queue" { About::Queue(one) } else { About::Agent(one) }),
            _ => return None,
        }
    }
    match found.as_slice() {
        [] => Some(About::Site),
        [one] => Some(one.clone()),
        _ => None,
    }
}

/// The target for a row: of each target the definition in force; of several, the one meant for exactly this one.
fn in_force<'a>(
    targets: &[&'a TargetDefinition],
    about: &About<'_>,
    at: Micros,
) -> Option<&'a TargetDefinition> {
    let mut best: Option<(bool, Micros, &TargetDefinition)> = None;
    for target in targets.iter().copied().filter(|target| target.valid_from <= at) {
        let later = |other: &&&TargetDefinition| {
            other.target == target.target && target.valid_from < other.valid_from && other.valid_from <= at
        };
        if targets.iter().any(|other| later(&other)) || target.value.is_none() {
            continue;
        }
        let Some(exactly) = fits(&target.scope, about) else { continue };
        if best.is_none_or(|(known, from, _)| (known, from) < (exactly, target.valid_from)) {
            best = Some((exactly, target.valid_from, target));
        }
    }
    best.map(|(_, _, target)| target)
}

/// Whether a scope holds what a row is about, and names exactly that.
fn fits(scope: &TargetScope, about: &About<'_>) -> Option<bool> {
    let (of, id) = match (scope, about) {
        (TargetScope::Site, About::Site) => return Some(false),
        (TargetScope::Team(of), About::Team(id))
        | (TargetScope::Queue(of), About::Queue(id))
        | (TargetScope::Agent(of), About::Agent(id)) => (of, id),
        _ => return None,
    };
    match of {
        None => Some(false),
        Some(of) => (of.as_str() == *id).then_some(true),
    }
}

#[cfg(test)]
mod tests {
    use pegcount_domain::{
        ids::Name,
        target::{ColumnName, Comparison},
    };

    use super::*;
    use crate::figures::samples::two_queues;

    fn target(name: &'static str, scope: TargetScope, value: Option<i64>, from: i64) -> TargetDefinition {
        TargetDefinition {
            target: Name::fixed(name),
            column: ColumnName::new("abandon_rate"),
            scope,
            comparison: Comparison::AtMost,
            value,
            valid_from: Micros::from_secs(from),
        }
    }

    fn verdicts(targets: &[TargetDefinition], only: &Only) -> Vec<Option<bool>> {
        let judged = judged(&two_queues(), targets, only);
        let place = judged.columns.iter().position(|column| column.name == "abandon_rate_target");
        let met = |row: &Row| match place.map(|place| row.cells[place]) {
            Some(Cell::Verdict(verdict)) => Some(verdict.is_met),
            _ => None,
        };
        judged.rows.iter().map(met).collect()
    }

    #[test]
    fn a_queues_row_is_judged_by_the_target_for_it_and_a_row_without_a_figure_by_none() {
        let each = target("each", TargetScope::Queue(None), Some(333_333), 0);
        let own = target("own", TargetScope::Queue(Some(Name::fixed("PS"))), Some(400_000), 0);
        let site = target("site", TargetScope::Site, Some(0), 0);
        let nobody = Only::default();
        assert_eq!(
            verdicts(std::slice::from_ref(&each), &nobody),
            [Some(false), None],
            "1/3 is more than 0.333333"
        );
        assert_eq!(verdicts(&[each, own.clone(), site.clone()], &nobody), [Some(true), None]);
        assert_eq!(verdicts(&[site], &nobody), [None, None]);
        let retired = target("own", TargetScope::Queue(Some(Name::fixed("PS"))), None, 900_000_000);
        assert_eq!(verdicts(&[own.clone(), retired], &nobody), [None, None]);
        let two = Only { agents: vec!["ann".into()], ..Only::default() };
        assert_eq!(verdicts(&[own], &two), [None, None], "cut by a queue and filtered by an agent");
    }

    #[test]
    fn a_duration_is_compared_in_seconds() {
        let mut wait = target("wait", TargetScope::Queue(None), Some(12_500_000), 0);
        wait.column = ColumnName::new("wait_answered");
        let judged = judged(&two_queues(), &[wait], &Only::default());
        assert_eq!(judged.columns[2].name, "wait_answered_target");
        assert!(matches!(judged.rows[0].cells[2], Cell::Verdict(Verdict { is_met: true, .. })));
        assert_eq!(human::cell(&judged.columns[2], judged.rows[0].cells[2]), "met (<= 12.5s)");
    }
}
