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
            let rows = |buckets: &Buckets, parts: usize| {
                let mut gather = Gather::new(query, &plan, buckets, Some(site));
                gather.fill(site, &overlay);
                rows(gather, buckets, means.as_ref(), parts)
            };
            in_parts(&buckets, threads(&plan, &buckets, site), &rows)
        }
        site => {
            let mut gather = Gather::new(query, &plan, &buckets, site);
            if let Some(site) = site {
                gather.site(site);
            }
            rows(gather, &buckets, means.as_ref(), 1)
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

/// Makes the rows of all buckets, some of them on threads of their own; `rows` is told for how many parts like its own it
/// makes room.
fn in_parts(
    buckets: &Buckets,
    threads: usize,
    rows: &(impl Fn(&Buckets, usize) -> Vec<Row> + Sync),
) -> Vec<Row> {
    if threads < 2 || buckets.list.len() < 2 {
        return rows(buckets, 1);
    }
    let parts = buckets.parts(threads);
    let Some((first, others)) = parts.split_first() else { return Vec::new() };
    std::thread::scope(|scope| {
        let others: Vec<_> = others.iter().map(|part| scope.spawn(move || rows(part, 1))).collect();
        let mut all = rows(first, parts.len());
        for other in others {
            match other.join() {
                Ok(mut rows) => all.append(&mut rows),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    })
}

/// What has been added up, as rows in their order, with room for so many times as many.
fn rows(mut gather: Gather<'_>, buckets: &Buckets, means: Option<&Means>, room: usize) -> Vec<Row> {
    let (query, plan, site) = (gather.query, gather.plan, gather.site);
    if query.by.is_empty() {
        gather.rows.touch(0, Keys::new());
    } else {
        gather.rows.leave_out_empty(plan.backlog_makes_rows());
    }
    let words = Words::of(query, site, gather.rows.list().iter().map(|row| &row.keys));
    let laws: Vec<Law> = buckets.list.iter().map(|bucket| row_law(query, site, bucket.from)).collect();
    let order = words.order(&gather);
    let mut rows = Vec::with_capacity(order.len() * room);
    rows.extend(order.into_iter().filter_map(|at| {
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
    }));
    rows
}

/// All versions that rows were counted by, and the range's own.
pub(crate) fn all_versions(rows: &[Row], first: u8) -> Versions {
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
struct Words(Vec<Ranks>);

impl Words {
    fn of<'k>(query: &Query, site: Option<&Site>, keys: impl Iterator<Item = &'k Keys>) -> Self {
        let cuts: Vec<Dimension> = query.by.iter().copied().filter(|cut| !cut.is_time()).collect();
        let mut all: Vec<Ranks> = cuts.iter().map(|_| Ranks::default()).collect();
        for keys in keys {
            for (key, ranks) in keys.iter().zip(&mut all) {
                ranks.note(*key);
            }
        }
        for (cut, ranks) in cuts.iter().zip(&mut all) {
            ranks.order(|key| text(*cut, key, site));
        }
        Self(all)
    }

    /// The rows in the order of the table: by time, then by the texts of their keys.
    fn order(&self, gather: &Gather<'_>) -> Vec<usize> {
        let places = || (0u32..).zip(gather.rows.list());
        let at = |row: u32| usize::try_from(row).unwrap_or(usize::MAX);
        // As many bits as each key's ranks take, so that a row and its place are one number.
        let bits: Vec<u32> =
            self.0.iter().map(|ranks| usize::BITS - ranks.texts.len().leading_zeros()).collect();
        if bits.iter().sum::<u32>() > u128::BITS - 2 * u32::BITS {
            let mut order: Vec<(u32, Keys, u32)> =
                places().map(|(number, row)| (row.bucket, self.ranks(&row.keys).collect(), number)).collect();
            order.sort_unstable();
            return order.into_iter().map(|(.., number)| at(number)).collect();
        }
        let number = |(number, row): (u32, &Place)| {
            let ranks = self.ranks(&row.keys).zip(&bits);
            let place =
                ranks.fold(u128::from(row.bucket), |place, (rank, bits)| place << bits | u128::from(rank));
            place << u32::BITS | u128::from(number)
        };
        let mut order: Vec<u128> = places().map(number).collect();
        order.sort_unstable();
        let row = |number: u128| u32::try_from(number & u128::from(u32::MAX)).unwrap_or(u32::MAX);
        order.into_iter().map(|number| at(row(number))).collect()
    }

    fn ranks<'k>(&'k self, keys: &'k Keys) -> impl Iterator<Item = u32> + 'k {
        keys.iter().zip(&self.0).map(|(key, ranks)| ranks.rank(*key))
    }

    fn of_row(&self, keys: &Keys) -> Vec<Option<Name>> {
        keys.iter().zip(&self.0).map(|(key, ranks)| ranks.text(*key)).collect()
    }
}

/// A key that no row has.
const NO_RANK: u32 = u32::MAX;
/// Keys below it are found by their number: names, of which a site has so many at most, as good as always.
const DENSE_MAX: usize = 1 << 20;

/// The keys of one dimension in the order of their texts.
#[derive(Default)]
struct Ranks {
    /// By key, as far as keys are small numbers.
    dense: Vec<u32>,
    others: FxHashMap<u32, u32>,
    /// By rank.
    texts: Vec<Option<Name>>,
}

impl Ranks {
    #[inline]
    fn note(&mut self, key: u32) {
        match usize::try_from(key) {
            Ok(place) if place < DENSE_MAX => {
                if place >= self.dense.len() {
                    self.dense.resize(place + 1, NO_RANK);
                }
                if let Some(rank) = self.dense.get_mut(place) {
                    *rank = 0;
                }
            }
            _ => {
                self.others.insert(key, 0);
            }
        }
    }

    /// Ranks those that were noted by their texts.
    fn order(&mut self, text: impl Fn(u32) -> Option<Name>) {
        let noted = (0u32..).zip(&self.dense).filter(|(_, rank)| **rank != NO_RANK).map(|(key, _)| key);
        let mut texts: Vec<(Option<Name>, u32)> =
            noted.chain(self.others.keys().copied()).map(|key| (text(key), key)).collect();
        texts.sort_unstable();
        for (rank, (_, key)) in (0u32..).zip(&texts) {
            let place = usize::try_from(*key).ok().and_then(|place| self.dense.get_mut(place));
            match place {
                Some(place) => *place = rank,
                None => {
                    self.others.insert(*key, rank);
                }
            }
        }
        self.texts = texts.into_iter().map(|(text, _)| text).collect();
    }

    #[inline]
    fn rank(&self, key: u32) -> u32 {
        let place = usize::try_from(key).ok().and_then(|place| self.dense.get(place));
        place.or_else(|| self.others.get(&key)).copied().unwrap_or(0)
    }

    fn text(&self, key: u32) -> Option<Name> {
        let rank = usize::try_from(self.rank(key)).ok()?;
        self.texts.get(rank).cloned().flatten()
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
