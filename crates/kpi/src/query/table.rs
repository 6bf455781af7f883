//! Sums into rows: columns in their fixed order, KPIs at the very end.
//!
//! Invariant: a row stands in the table only if something in it is not 0, the single row of a whole range excepted.

use std::collections::BTreeMap;

use pegcount_domain::{
    event::{Channel, Direction},
    ids::Name,
    time::Micros,
};

use crate::{
    agent::clock::machine_reason,
    cells::Detail,
    formula::{FORMULAS, Formula, PERCENTILES, describe, describe_means},
    line::issue::Cause,
    measure::{Measure, Sheet},
    names::Id,
    query::{
        Dimension, Query, QueryError, Row, Table, Value, Versions,
        buckets::Buckets,
        gather::{Gather, Sums},
        mean::Means,
    },
    reference::Law,
    site::Site,
};

/// Answers a query from a site; none: a site that nobody has reported of.
pub(crate) fn answer(query: &Query, site: Option<&Site>) -> Result<Table, QueryError> {
    query.check()?;
    let buckets = Buckets::of(query);
    let mut gather = Gather::new(query, &buckets, site);
    if let Some(site) = site {
        gather.site(site);
    }
    let mut sums = std::mem::take(&mut gather.sums);
    if query.by.is_empty() {
        if sums.is_empty() {
            sums.push(Sums::new(0, super::gather::Keys::new()));
        }
    } else {
        let is_something = |sums: &Sums| {
            let mut amounts = sums.agents.iter().chain(sums.amounts.iter());
            sums.waiting != 0 || amounts.any(|amount| *amount != 0)
        };
        sums.retain(is_something);
    }
    let means = query.variant.mean_of_days.then(|| Means::of(query, site));
    let mut plain = Plain { query, site, means, known: Vec::new() };
    let mut rows: Vec<Row> =
        sums.iter().filter_map(|sums| row(&mut plain, &buckets, &gather, sums)).collect();
    rows.sort_by(|a, b| (a.from, &a.keys).cmp(&(b.from, &b.keys)));
    let formula_version = plain.law(query.from).number;
    Ok(Table {
        columns: if plain.means.is_some() { describe_means() } else { describe() },
        formula_versions: all_versions(&rows, formula_version),
        rows,
        position: site.map(Site::position).unwrap_or_default(),
        as_of: query.as_of,
        formula_version,
        older_definitions: site.and_then(Site::deferred_since),
    })
}

/// What plain columns stand for, row by row.
struct Plain<'a> {
    query: &'a Query,
    site: Option<&'a Site>,
    /// The days of the rows, if ratios are their means.
    means: Option<Means>,
    /// For each version met so far, the formulas of the columns.
    known: Vec<(u8, Vec<&'static Formula>)>,
}

impl Plain<'_> {
    /// The version whose forms a row that begins at `from` has.
    fn law(&self, from: Micros) -> Law {
        row_law(self.query, self.site, from)
    }

    fn formulas(&mut self, law: &Law) -> &[&'static Formula] {
        let known = self.known.iter().position(|(number, _)| *number == law.number);
        let index = known.unwrap_or_else(|| {
            let formulas = FORMULAS.iter().map(|formula| formula.under(&law.forms)).collect();
            self.known.push((law.number, formulas));
            self.known.len() - 1
        });
        self.known.get(index).map_or(&[], |(_, formulas)| formulas)
    }
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

fn all_versions(rows: &[Row], first: u8) -> Versions {
    let mut all = Versions::from_slice(&[first]);
    for row in rows {
        for version in &row.versions {
            if !all.contains(version) {
                all.push(*version);
            }
        }
    }
    all.sort_unstable();
    all
}

fn row(plain: &mut Plain<'_>, buckets: &Buckets, gather: &Gather<'_>, sums: &Sums) -> Option<Row> {
    let (query, site) = (plain.query, plain.site);
    let bucket = buckets.list.get(usize::try_from(sums.bucket).ok()?)?;
    let cuts = query.by.iter().filter(|dimension| !dimension.is_time());
    let keys = cuts.zip(&sums.keys).map(|(cut, key)| text(*cut, *key, site)).collect();
    let law = plain.law(bucket.from);
    Some(Row {
        from: bucket.from,
        to: bucket.to,
        keys,
        versions: row_versions(query, sums.counted_by(), &law),
        values: {
            let formulas = plain.formulas(&law).to_vec();
            values(&formulas, gather, sums, plain.means.as_ref())
        },
    })
}

fn values(
    formulas: &[&'static Formula],
    gather: &Gather<'_>,
    sums: &Sums,
    means: Option<&Means>,
) -> Vec<Value> {
    let amount = |measure: Measure| gather.amount(sums, measure);
    let value = |measure: &Measure| amount(*measure).map_or(Value::Absent, Value::Amount);
    let gauge = |value| if gather.has(Sheet::Visit) { Value::Amount(value) } else { Value::Absent };
    let visits = Sheet::Visit.measures();
    let others = Measure::ALL.iter().skip(visits.len()).filter(|measure| measure.sheet().is_shown());
    let mut values: Vec<Value> = visits.iter().map(value).collect();
    values.extend([gauge(sums.waiting), gauge(sums.longest)]);
    let agents = |value| if gather.has(Sheet::Clock) { Value::Amount(value) } else { Value::Absent };
    values.push(agents(sums.agents.iter().sum()));
    values.extend(sums.agents.map(agents));
    values.extend(others.map(value));
    values.extend(formulas.iter().map(|formula| match means {
        Some(means) => means.value(formula, sums, gather),
        None => formula.value(amount),
    }));
    let waits = sums.waits.each_ref().map(|waits| merged(waits));
    values.extend(PERCENTILES.iter().map(|percentile| {
        let own = percentile.of(&waits).filter(|_| gather.has(Sheet::Wait));
        own.map_or(Value::Absent, |wait| Value::Amount(wait.0))
    }));
    values
}

/// A histogram with each bucket once, in order.
fn merged(waits: &[(Detail, i64)]) -> Vec<(Detail, i64)> {
    let mut buckets: BTreeMap<Detail, i64> = BTreeMap::new();
    for (bucket, count) in waits {
        *buckets.entry(*bucket).or_default() += count;
    }
    buckets.into_iter().filter(|(_, count)| *count != 0).collect()
}

pub(crate) fn text(cut: Dimension, key: u32, site: Option<&Site>) -> Option<Name> {
    match cut {
        Dimension::Channel => Channel::from_code(key).map(|channel| Name::fixed(channel.word())),
        Dimension::Direction => Direction::from_code(key).map(|direction| Name::fixed(direction.word())),
        Dimension::Priority => Name::new(&key.to_string()).ok(),
        Dimension::Cause => Cause::word(Detail(key)).map(Name::fixed),
        Dimension::Reason => machine_reason(Detail(key)).or_else(|| site?.names.text(Id(key))),
        _ => site?.names.text(Id(key)),
    }
}
