//! By which formula versions what is in a row was counted, and whose forms its ratios have.
//!
//! Invariant: a version of which everything was taken away again has counted nothing.

use pegcount_domain::time::Micros;
use smallvec::SmallVec;

use crate::{
    formula::FORMULA_BUILT_IN,
    measure::Measure,
    query::{Query, Versions},
    reference::Law,
    site::Site,
};

/// For each formula version by which anything was counted, a sum that is 0 if all of that was taken away again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted(SmallVec<[(u8, i64); 1]>);

impl Counted {
    /// Notes that something was counted by a version; 0 stands for the built-in one.
    pub(crate) fn note(&mut self, version: u8, measure: Measure, amount: i64) {
        // Amounts of several measures must not make up for each other.
        const SPREAD: usize = 0x1E37_79B9_7F4A_7C15;
        let version = version.max(FORMULA_BUILT_IN);
        let weight = i64::try_from((measure.index() + 1).wrapping_mul(SPREAD) >> 1).unwrap_or(1) | 1;
        let term = amount.wrapping_mul(weight);
        match self.0.iter_mut().find(|(known, _)| *known == version) {
            Some((_, sum)) => *sum = sum.wrapping_add(term),
            None => self.0.push((version, term)),
        }
        self.0.retain(|(_, sum)| *sum != 0);
    }

    /// The versions.
    pub(crate) fn versions(&self) -> impl Iterator<Item = u8> {
        self.0.iter().map(|(version, _)| *version)
    }
}

/// Whether a query's rows tell versions apart: where one holds throughout there is nothing to tell.
pub(crate) fn tells(query: &Query, site: &Site) -> bool {
    query.formula_version.is_none() && site.reference.has_changes()
}

/// The version whose forms a row that begins at `from` has: the one asked for, or the one in force then.
pub(crate) fn row_law(query: &Query, site: Option<&Site>, from: Micros) -> Law {
    let asked = query.formula_version.and_then(|number| site?.reference.law_named(number));
    asked.or_else(|| site.map(|site| *site.reference.law(from))).unwrap_or_default()
}

/// The versions of a row; of a question for one of them, that one.
pub(crate) fn row_versions(query: &Query, met: impl Iterator<Item = u8>, law: &Law) -> Versions {
    let met = met.filter(|_| query.formula_version.is_none());
    let mut versions: Versions = met.chain([law.number]).collect();
    versions.sort_unstable();
    versions.dedup();
    versions
}
