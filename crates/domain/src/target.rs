//! Targets: what a figure should be, from when on, and for whom.
//!
//! Not the figures: whoever shows one asks [`TargetDefinition::is_met`]. Invariant: whether a target is met is decided in
//! whole numbers, by the target's own comparison, never by a rounded quotient.

use serde::{Deserialize, Serialize};

use smol_str::SmolStr;

use crate::{coded::coded, ids::Name, time::Micros};

/// Target values are kept in millionths of the figure's unit: of one, of a second, of one an hour.
pub const TARGET_UNIT: i64 = 1_000_000;

coded! {
    /// How a figure is compared with its target.
    Comparison {
        /// More than it.
        Above = 1 ">",
        /// It or more.
        AtLeast = 2 ">=",
        /// It or less.
        AtMost = 3 "<=",
        /// Less than it.
        Below = 4 "<",
    }
}

impl Comparison {
    /// Whether `numerator / denominator` compares so with `millionths` ([`TARGET_UNIT`]); none if there is nothing to compare.
    pub fn holds(self, numerator: i128, denominator: i128, millionths: i64) -> Option<bool> {
        if denominator == 0 {
            return None;
        }
        let sign = denominator.signum();
        let figure = numerator.saturating_mul(i128::from(TARGET_UNIT)).saturating_mul(sign);
        let target = i128::from(millionths).saturating_mul(denominator).saturating_mul(sign);
        Some(match self {
            Self::Above => figure > target,
            Self::AtLeast => figure >= target,
            Self::AtMost => figure <= target,
            Self::Below => figure < target,
        })
    }
}

/// The name of a figure's column: one of the program's own words, so it is kept as text and never as a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ColumnName(SmolStr);

impl ColumnName {
    /// The column of this name.
    pub fn new(text: &str) -> Self {
        Self(SmolStr::new(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// For which rows a target is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetScope<N = Name> {
    /// The site as a whole.
    Site,
    /// Each team, or this one.
    Team(Option<N>),
    /// Each queue, or this one.
    Queue(Option<N>),
    /// Each agent, or this one.
    Agent(Option<N>),
}

impl<N> TargetScope<N> {
    /// Its word, the stored code, and who it names.
    pub fn parts(&self) -> (&'static str, u8, Option<&N>) {
        match self {
            Self::Site => ("site", 1, None),
            Self::Team(team) => ("team", 2, team.as_ref()),
            Self::Queue(queue) => ("queue", 3, queue.as_ref()),
            Self::Agent(agent) => ("agent", 4, agent.as_ref()),
        }
    }

    /// The one with this code; a site's names nobody.
    pub fn from_parts(code: u32, name: Option<N>) -> Option<Self> {
        match code {
            1 => Some(Self::Site),
            2 => Some(Self::Team(name)),
            3 => Some(Self::Queue(name)),
            4 => Some(Self::Agent(name)),
            _ => None,
        }
    }
}

/// A target, from an instant on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetDefinition<N = Name> {
    /// Its name.
    pub target: N,
    /// The figure.
    pub column: ColumnName,
    /// For which rows.
    pub scope: TargetScope<N>,
    /// How they are compared.
    pub comparison: Comparison,
    /// The value, in millionths ([`TARGET_UNIT`]); none: from then on there is no such target.
    pub value: Option<i64>,
    /// In force from.
    pub valid_from: Micros,
}

impl<N> TargetDefinition<N> {
    /// Whether `numerator / denominator`, in the figure's unit, meets it; none if there is nothing to compare.
    pub fn is_met(&self, numerator: i128, denominator: i128) -> Option<bool> {
        self.comparison.holds(numerator, denominator, self.value?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(comparison: Comparison, value: Option<i64>) -> TargetDefinition {
        TargetDefinition {
            target: Name::fixed("t"),
            column: ColumnName::new("abandon_rate"),
            scope: TargetScope::Site,
            comparison,
            value,
            valid_from: Micros::ZERO,
        }
    }

    #[test]
    fn the_targets_own_comparison_says_whether_its_value_meets_it() {
        let met = |comparison, numerator| target(comparison, Some(600_000)).is_met(numerator, 5).unwrap();
        let all = [Comparison::Above, Comparison::AtLeast, Comparison::AtMost, Comparison::Below];
        assert_eq!(all.map(|comparison| met(comparison, 3)), [false, true, true, false]);
        assert_eq!(all.map(|comparison| met(comparison, 4)), [true, true, false, false]);
        assert_eq!(all.map(|comparison| met(comparison, 2)), [false, false, true, true]);
    }

    #[test]
    fn what_a_rounded_quotient_could_not_tell_is_told() {
        let third = target(Comparison::AtLeast, Some(333_333));
        assert_eq!(third.is_met(1, 3), Some(true));
        assert_eq!(third.is_met(333_332_999, 1_000_000_000), Some(false));
    }

    #[test]
    fn nothing_is_met_or_missed_without_a_figure_or_without_a_value() {
        assert_eq!(target(Comparison::Above, Some(1)).is_met(1, 0), None);
        assert_eq!(target(Comparison::Above, None).is_met(1, 1), None);
    }
}
