//! The mean of days: each local day's own ratio, and the mean of these (KPIS.md §1: a variant, and it says so).
//!
//! Invariant: a day on which a ratio is absent is left out of its mean; the mean of no day is absent.

use pegcount_domain::time::Interval;
use rustc_hash::FxHashMap;

use crate::{
    formula::Formula,
    measure::Unit,
    query::{
        Dimension, Query, Value,
        buckets::Buckets,
        cut::Keys,
        gather::Gather,
        plan::{Plan, RowSums},
        rows::Sums,
    },
    site::Site,
};

/// A mean is told in these parts of its unit: billionths, or for an average duration thousandths of a microsecond.
const fn parts(unit: Unit) -> i64 {
    match unit {
        Unit::Duration => 1_000,
        Unit::Count | Unit::Ratio => 1_000_000_000,
    }
}

/// The amounts of each day by slot, by row.
pub(super) struct Means {
    days: FxHashMap<(u32, Keys), Vec<Box<[i64]>>>,
}

impl Means {
    /// The days of a query's rows.
    pub(super) fn of(query: &Query, plan: &Plan, site: Option<&Site>) -> Self {
        let rows = Buckets::of(query);
        let mut daily = query.clone();
        if !query.by.contains(&Dimension::Day) {
            daily.by.push(Dimension::Day);
        }
        let buckets = Buckets::of(&daily);
        let mut gather = Gather::new(&daily, plan, &buckets, site);
        if let Some(site) = site {
            gather.site(site);
        }
        let mut days: FxHashMap<(u32, Keys), Vec<Box<[i64]>>> = FxHashMap::default();
        for sums in (0..gather.rows.list().len()).filter_map(|row| gather.rows.sums(row)) {
            let day = usize::try_from(sums.row.bucket).ok().and_then(|day| buckets.list.get(day));
            let row = day.and_then(|day| rows.place(Interval::containing(day.from))).unwrap_or(0);
            let amounts = (0..plan.measures.len()).map(|slot| sums.amount(slot)).collect();
            days.entry((row, sums.row.keys.clone())).or_default().push(amounts);
        }
        Self { days }
    }

    /// A row's values, with ratios as the means of its days.
    pub(super) fn values(&self, plan: &Plan, row: &Sums<'_>, version: u8) -> Vec<Value> {
        let days = self.days.get(&(row.row.bucket, row.row.keys.clone())).map_or(&[][..], Vec::as_slice);
        plan.values_with(row, version, |formula| mean(days, plan, formula))
    }
}

/// The mean of a ratio over days.
fn mean(days: &[Box<[i64]>], plan: &Plan, formula: &Formula) -> Value {
    let parts = parts(formula.unit());
    let ratios =
        days.iter().filter_map(|day| match plan.ratio(formula, |slot| day.get(slot).copied().unwrap_or(0)) {
            Value::Ratio { numerator, denominator } => Some(rounded(numerator, denominator, parts)),
            _ => None,
        });
    let (sum, count) = ratios.fold((0i64, 0i64), |(sum, count), one| (sum.saturating_add(one), count + 1));
    if count == 0 {
        return Value::Absent;
    }
    Value::Ratio { numerator: sum, denominator: parts.saturating_mul(count) }
}

/// A ratio in whole parts, to the nearest.
fn rounded(numerator: i64, denominator: i64, parts: i64) -> i64 {
    let (above, below) = (i128::from(numerator) * i128::from(parts), i128::from(denominator));
    let (above, below) = if below < 0 { (-above, -below) } else { (above, below) };
    let nearest = (above * 2 + below).div_euclid(below * 2);
    i64::try_from(nearest).unwrap_or(if nearest < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_rounded_to_the_nearest_part() {
        assert_eq!(rounded(1, 3, 1_000), 333);
        assert_eq!(rounded(2, 3, 1_000), 667);
        assert_eq!(rounded(1, 2, 1), 1);
        assert_eq!(rounded(-1, 3, 1_000), -333);
        assert_eq!(rounded(i64::MAX, 1, 1_000), i64::MAX);
    }
}
