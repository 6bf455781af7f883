//! The mean of days: each day's own ratio, and their mean.
//!
//! Invariant: only days on which there is a ratio count.

use pegcount_domain::{ids::Key, time::Micros};
use pegcount_kpi::{Dimension, Query, Value};

use super::{
    Oracle,
    tables::{Amounts, Cut, RowKey, Rows},
};

/// The rows of a query, day by day.
pub struct Means {
    rows: Rows,
    /// The rows' own spans.
    buckets: Vec<(Micros, Micros)>,
}

impl Means {
    pub fn of(truth: &Oracle, asked: &Query, word: &dyn Fn(Key) -> String) -> Self {
        let mut daily = asked.clone();
        if !daily.by.contains(&Dimension::Day) {
            daily.by.push(Dimension::Day);
        }
        Self { rows: truth.rows(&Cut::of(&daily), word), buckets: Cut::of(asked).buckets }
    }

    /// The days of a row.
    pub fn days(&self, (from, keys): &(Micros, Vec<Option<String>>)) -> Vec<Amounts> {
        let to = self.buckets.iter().find(|bucket| bucket.0 == *from).unwrap().1;
        let is_own = |row: &RowKey| row.1 == *keys && *from <= row.0 && row.0 < to;
        self.rows.iter().filter(|(row, _)| is_own(row)).map(|(_, amounts)| amounts.clone()).collect()
    }
}

/// Whether a value is the mean of these, a billionth more or less.
pub fn is_mean(told: Value, days: impl Iterator<Item = Value>) -> bool {
    let quotient = |value: Value| match value {
        #[allow(clippy::cast_precision_loss, reason = "a billionth more or less")]
        Value::Ratio { numerator, denominator } => Some(numerator as f64 / denominator as f64),
        _ => None,
    };
    let ratios: Vec<f64> = days.filter_map(quotient).collect();
    #[allow(clippy::cast_precision_loss, reason = "a few days")]
    let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
    match quotient(told) {
        None => ratios.is_empty(),
        Some(told) => (told - mean).abs() <= 1e-9 * mean.abs().max(1.0) * 2.0,
    }
}
