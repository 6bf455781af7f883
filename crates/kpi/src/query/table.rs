//! Sums into rows: columns in their order, KPIs at the very end.
//!
//! Invariant: a row stands in the table only if something in it is not 0, the single row of a whole range excepted.

use pegcount_domain::{
    event::{Channel, Direction},
    ids::Name,
};
use rustc_hash::FxHashMap;

use crate::{
    agent::clock::machine_reason,
    cells::Detail,
    line::issue::Cause,
    live::Follower,
    names::Id,
    query::{
        Dimension, Query, QueryError, Row, Table, Versions,
        buckets::Buckets,
        cut::{Keys, channel_name},
        gather::{Gather, overlay},
        mean::Means,
        plan::Plan,
        rows::Place,
        versions::{row_law, row_versions},
    },
    reference::Law,
    site::Site,
};

/// Fewer rows of cells are read faster than a thread begins.
const ROWS_OF_A_THREAD: usize = 50_000;
/// A question leaves processors to others.
const THREADS_MAX: usize = 4;

/// Answers a query from a site; none: a site that nobody has reported of. What is open of it may be at hand as of the query's
/// instant.
pub(crate) fn answer(
    query: &Query,
    site: Option<&Site>,
    open: Option<&Follower>,
) -> Result<Table, QueryError> {
    query.check()?;
    let (plan, buckets) = (Plan::of(query, site)?, Buckets::of(query));
    let means = query.variant.mean_of_days.then(|| Means::of(query, &plan, site));
    let rows = match site {
        Some(site) if query.last.is_none() => {
            let overlay = overlay(query, &plan, site, open);
            let rows = |buckets: &Buckets| {
                let mut gather = Gather::new(query, &plan, buckets, Some(site));
                gather.fill(site, &overlay);
                rows(gather, buckets, means.as_ref())
            };
            in_parts(&buckets, threads(&plan, &buckets, site), &rows)
        }
        site => {
            let mut gather = Gather::new(query, &plan, &buckets, site);
            if let Some(site) = site {
                gather.site(site);
            }
            rows(gather, &buckets, means.as_ref())
        }
    };
    let formula_version = row_law(query, site, query.range().start).number;
    Ok(Table {
        formula_versions: all_versions(&rows, formula_version),
        columns: plan.columns,
        rows,
        position: site.map(Site::position).unwrap_or_default(),
        as_of: query.as_of,
        formula_version,
        older_definitions: site.and_then(Site::deferred_since),
    })
}

/// On how many threads a table is made: one, unless there is much to read.
fn threads(plan: &Plan, buckets: &Buckets, site: &Site) -> usize {
    let rows = site.books.cells.rows_within(buckets.whole(), |sheet| plan.needs(sheet));
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    (rows / ROWS_OF_A_THREAD).clamp(1, processors.min(THREADS_MAX))
}

/// Makes the rows of all buckets, some of them on threads of their own.
fn in_parts(buckets: &Buckets, threads: usize, rows: &(impl Fn(&Buckets) -> Vec<Row> + Sync)) -> Vec<Row> {
    if threads < 2 || buckets.list.len() < 2 {
        return rows(buckets);
    }
    let parts = buckets.parts(threads);
    let Some((first, others)) = parts.split_first() else { return Vec::new() };
    std::thread::scope(|scope| {
        let others: Vec<_> = others.iter().map(|part| scope.spawn(move || rows(part))).collect();
        let mut all = rows(first);
        for other in others {
            match other.join() {
                Ok(mut rows) => all.append(&mut rows),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    })
}

/// What has been added up, as rows in their order.
fn rows(mut gather: Gather<'_>, buckets: &Buckets, means: Option<&Means>) -> Vec<Row> {
    let (query, plan, site) = (gather.query, gather.plan, gather.site);
    if query.by.is_empty() {
        gather.rows.touch(0, Keys::new());
    } else {
        gather.rows.leave_out_empty(plan.backlog_makes_rows());
    }
    let words = Words::of(query, site, gather.rows.list().iter().map(|row| &row.keys));
    let laws: Vec<Law> = buckets.list.iter().map(|bucket| row_law(query, site, bucket.from)).collect();
    let rows = words.order(&gather).into_iter().filter_map(|at| {
        let sums = gather.rows.sums(at)?;
        let bucket = usize::try_from(sums.row.bucket).ok()?;
        let (bucket, law) = (buckets.list.get(bucket)?, laws.get(bucket)?);
        Some(Row {
            from: bucket.from,
            to: bucket.to,
            keys: words.of_row(&sums.row.keys),
            versions: row_versions(query, sums.row.versions(), law),
            values: match means {
                Some(means) => means.values(plan, &sums, law.number),
                None => plan.values(&sums, law.number),
            },
        })
    });
    rows.collect()
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

/// The texts of rows' keys, each made once, and their order.
struct Words(Vec<FxHashMap<u32, (Option<Name>, u32)>>);

impl Words {
    fn of<'k>(query: &Query, site: Option<&Site>, keys: impl Iterator<Item = &'k Keys>) -> Self {
        let cuts: Vec<Dimension> = query.by.iter().copied().filter(|cut| !cut.is_time()).collect();
        let mut words: Vec<FxHashMap<u32, (Option<Name>, u32)>> =
            cuts.iter().map(|_| FxHashMap::default()).collect();
        for keys in keys {
            for (key, words) in keys.iter().zip(&mut words) {
                words.entry(*key).or_default();
            }
        }
        for (cut, words) in cuts.iter().zip(&mut words) {
            let mut texts: Vec<(Option<Name>, u32)> =
                words.keys().map(|key| (text(*cut, *key, site), *key)).collect();
            texts.sort_unstable();
            for (rank, (name, key)) in (0u32..).zip(texts) {
                words.insert(key, (name, rank));
            }
        }
        Self(words)
    }

    /// The rows in the order of the table: by time, then by the texts of their keys.
    fn order(&self, gather: &Gather<'_>) -> Vec<usize> {
        let places = || gather.rows.list().iter().enumerate();
        // As many bits as each key's ranks take, so that a row's place is one number.
        let bits: Vec<u32> = self.0.iter().map(|words| usize::BITS - words.len().leading_zeros()).collect();
        if bits.iter().sum::<u32>() > u128::BITS - u32::BITS {
            let mut order: Vec<(u32, Keys, usize)> =
                places().map(|(at, row)| (row.bucket, self.ranks(&row.keys).collect(), at)).collect();
            order.sort_unstable();
            return order.into_iter().map(|(.., at)| at).collect();
        }
        let number = |row: &Place| {
            let ranks = self.ranks(&row.keys).zip(&bits);
            ranks.fold(u128::from(row.bucket), |number, (rank, bits)| number << bits | u128::from(rank))
        };
        let mut order: Vec<(u128, usize)> = places().map(|(at, row)| (number(row), at)).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, at)| at).collect()
    }

    fn ranks<'k>(&'k self, keys: &'k Keys) -> impl Iterator<Item = u32> + 'k {
        keys.iter().zip(&self.0).map(|(key, words)| words.get(key).map_or(0, |(_, rank)| *rank))
    }

    fn of_row(&self, keys: &Keys) -> Vec<Option<Name>> {
        keys.iter().zip(&self.0).map(|(key, words)| words.get(key)?.0.clone()).collect()
    }
}

pub(crate) fn text(cut: Dimension, key: u32, site: Option<&Site>) -> Option<Name> {
    match cut {
        Dimension::Channel => match channel_name(key) {
            Some(name) => site?.names.text(name),
            None => Channel::from_code(key).map(|channel| Name::fixed(channel.word())),
        },
        Dimension::Direction => Direction::from_code(key).map(|direction| Name::fixed(direction.word())),
        Dimension::Priority => Name::new(&key.to_string()).ok(),
        Dimension::Cause => Cause::word(Detail(key)).map(Name::fixed),
        Dimension::Reason => machine_reason(Detail(key)).or_else(|| site?.names.text(Id(key))),
        _ => site?.names.text(Id(key)),
    }
}
