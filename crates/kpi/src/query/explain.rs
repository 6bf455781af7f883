//! Why a figure is what it is: its formula in numbers, and the spans and counts that it is the sum of.
//!
//! Invariant: the amounts of the items of a measure sum to the measure's amount in the same cell at the same `as_of`.

use std::collections::BTreeMap;

use pegcount_domain::{
    envelope::Position,
    ids::{AgentId, Name, QueueId},
    time::Micros,
};

use crate::{
    cells::{Contribution, Detail, Dims, Source},
    formula::{self, Means},
    histogram,
    measure::{Measure, Sheet},
    names::Id,
    query::{Column, Dimension, Query, QueryError, Value, Versions, cut, table, versions},
    site::{
        Site,
        explain::{Unit as Whose, Wanted},
    },
    ticket::words::of_ticket,
};

/// Which figure is to be explained.
#[derive(Clone, Debug)]
pub struct ExplainQuery {
    /// The range, attribution and instant; `by` is not looked at: the whole range is one row.
    pub query: Query,
    /// What the row is about: for each dimension its value, or none for "none". Times are said by the range.
    pub cell: Vec<(Dimension, Option<Name>)>,
    /// The column: a measure or a KPI.
    pub column: String,
    /// How many items to leave out.
    pub skip: usize,
    /// How many items to give at most.
    pub limit: usize,
}

/// What a measure does in a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is the figure itself.
    Itself,
    /// Added above the line.
    Plus,
    /// Subtracted above the line.
    Minus,
    /// Added below the line.
    Over,
    /// Subtracted below the line.
    OverMinus,
}

/// One measure of a formula, with its amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The measure.
    pub measure: Measure,
    /// What it does.
    pub role: Role,
    /// Its amount in the cell: the sum of the amounts of its items, on whatever page they stand.
    pub amount: i64,
    /// How many items it has.
    pub items: usize,
}

/// One span or count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it adds to.
    pub measure: Measure,
    /// How much of it lies in the cell.
    pub amount: i64,
    /// Where it began.
    pub from: Micros,
    /// Where it ended, or the instant asked about if it still goes on.
    pub to: Micros,
    /// The agent, if it is about one.
    pub agent: Option<Name>,
    /// The queue, if it is about one.
    pub queue: Option<Name>,
    /// What a day or a month came to, in words: sums, allowances that were broken, the target. Empty for other items.
    pub notes: Vec<String>,
    /// The events that say so, by position; read them from the log.
    pub events: Vec<Position>,
    /// The formula version by which it was counted; none: it is the same by all.
    pub formula_version: Option<u8>,
}

/// Why a figure is what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The column.
    pub column: Column,
    /// The figure.
    pub value: Value,
    /// The formula's measures.
    pub terms: Vec<Term>,
    /// The items asked for, by measure and time.
    pub items: Vec<Item>,
    /// How many items there are.
    pub count: usize,
    /// Up to where the log is in it.
    pub position: Position,
    /// The instant to which open work counts.
    pub as_of: Micros,
    /// The formula version in force at the range's start, or the one asked for: that of the formula.
    pub formula_version: u8,
    /// By which its items were counted; and that one.
    pub formula_versions: Versions,
    /// Not none: definitions from this position on are still being taken in, and everything stands on the older ones.
    pub older_definitions: Option<Position>,
}

/// What has been found of one source.
type Found = BTreeMap<(usize, Source, Whose, Dims), i64>;

/// Explains a figure of a site; none: a site that nobody has reported of.
pub(crate) fn explain(asked: &ExplainQuery, site: Option<&Site>) -> Result<Explanation, QueryError> {
    asked.query.check()?;
    let law = versions::row_law(&asked.query, site, asked.query.range().start);
    let (column, means) = formula::means(&asked.column, law.forms).ok_or_else(|| no_means(&asked.column))?;
    if asked.query.variant.mean_of_days && matches!(means, Means::Formula(_)) {
        return Err(QueryError::MeanNotExplained { column: column.name });
    }
    let measures: Vec<Measure> = means.measures();
    check_cell(asked, &column, &measures)?;
    let mut found = Found::new();
    if let Some(site) = site {
        collect(asked, site, &measures, &mut found);
    }
    let amount = |measure: Measure| -> i64 {
        let own = found.iter().filter(|((index, ..), _)| *index == measure.index());
        own.map(|(_, amount)| amount).sum()
    };
    let mut terms = means.terms(amount);
    for term in &mut terms {
        let own = |((index, ..), amount): &(&(usize, Source, Whose, Dims), &i64)| {
            *index == term.measure.index() && **amount != 0
        };
        term.items = found.iter().filter(own).count();
    }
    let value = means.value(amount, || by_length(&found));
    let (items, count) = items(asked, site, &found);
    let counted = found.iter().filter(|(_, amount)| **amount != 0);
    let met = counted.filter_map(|((index, _, _, dims), _)| version(*index, dims));
    Ok(Explanation {
        column,
        value,
        terms,
        items,
        count,
        position: site.map(Site::position).unwrap_or_default(),
        as_of: asked.query.as_of,
        formula_version: law.number,
        formula_versions: versions::row_versions(&asked.query, met, &law),
        older_definitions: site.and_then(Site::deferred_since),
    })
}

/// The version by which an amount of the measure at `index` was counted, if it depends on one.
fn version(index: usize, dims: &Dims) -> Option<u8> {
    let versioned = Measure::ALL.get(index).is_some_and(|measure| measure.sheet().is_versioned());
    versioned.then_some(dims.version.max(formula::FORMULA_BUILT_IN))
}

/// Why a column of this name cannot be explained.
fn no_means(name: &str) -> QueryError {
    match formula::describe().iter().find(|column| column.name == name) {
        Some(gauge) => {
            let instead = match gauge.name {
                "backlog" => "`opened`, `resolved`, `cancelled` and `merged`",
                name if name.starts_with("agents_") => "the agent clock (`ready_clock` and the like)",
                _ => "`offered` and `ended`",
            };
            QueryError::NotExplained { column: gauge.name, instead }
        }
        None => QueryError::UnknownColumn { column: name.to_owned() },
    }
}

/// Every dimension of the cell must be one that the column can be cut by.
fn check_cell(asked: &ExplainQuery, column: &Column, measures: &[Measure]) -> Result<(), QueryError> {
    let filters =
        [(Dimension::Queue, asked.query.queues.len()), (Dimension::Agent, asked.query.agents.len())];
    let filtered = filters.into_iter().filter(|(_, count)| *count > 0).map(|(dimension, _)| dimension);
    for dimension in asked.cell.iter().map(|(dimension, _)| *dimension).chain(filtered) {
        let can = |measure: &Measure| cut::dimensions(measure.sheet()).contains(&dimension);
        if dimension.is_time() || !measures.iter().all(can) {
            return Err(QueryError::NotCutBy { column: column.name, dimension });
        }
    }
    Ok(())
}

fn collect(asked: &ExplainQuery, site: &Site, measures: &[Measure], found: &mut Found) {
    let query = &asked.query;
    let wanted = Wanted::of(measures, query.variant.efficiency_target);
    let ids = |names: Vec<&str>| -> Vec<Id> {
        names.into_iter().filter_map(|name| site.names.find_text(name)).collect()
    };
    let queues = ids(query.queues.iter().map(QueueId::as_str).collect());
    let agents = ids(query.agents.iter().map(AgentId::as_str).collect());
    let is_in = |dims: &Dims| {
        let passes = |asked: bool, ids: &[Id], id: Id| !asked || ids.contains(&id);
        let is = |(dimension, name): &(Dimension, Option<Name>)| {
            table::text(*dimension, cut::key(*dimension, dims, site.classes.all()), Some(site)) == *name
        };
        passes(!query.queues.is_empty(), &queues, dims.queue)
            && passes(!query.agents.is_empty(), &agents, dims.agent)
            && asked.cell.iter().all(is)
    };
    site.explain(query.as_of, query.range(), wanted, &mut |whose, source, contribution: &Contribution| {
        let measure = contribution.measure;
        let counts = measures.contains(&measure)
            && contribution.attribution == cut::attribution(measure.sheet(), query.attribution);
        if counts && is_in(&contribution.dims) {
            *found.entry((measure.index(), source, whose, contribution.dims)).or_default() +=
                contribution.amount;
        }
    });
}

fn by_length(found: &Found) -> Vec<(Detail, i64)> {
    let mut buckets: BTreeMap<Detail, i64> = BTreeMap::new();
    for ((index, .., dims), amount) in found {
        let sheet = Measure::ALL.get(*index).map_or(Sheet::Wait, |measure| measure.sheet());
        *buckets.entry(histogram::length(sheet, dims)).or_default() += amount;
    }
    buckets.into_iter().collect()
}

fn items(asked: &ExplainQuery, site: Option<&Site>, found: &Found) -> (Vec<Item>, usize) {
    let real = || found.iter().filter(|(_, amount)| **amount != 0);
    let Some(site) = site else { return (Vec::new(), 0) };
    let notes = |whose: Whose, source: Source, dims: &Dims| match whose {
        Whose::Ticket(_) => of_ticket(dims, &site.classes, &site.names).into_iter().collect(),
        _ => site.words_of(whose, source, asked.query.as_of, asked.query.variant.efficiency_target),
    };
    let page = real().skip(asked.skip).take(asked.limit);
    let item = |((index, source, whose, dims), amount): (&(usize, Source, Whose, Dims), &i64)| {
        Some(Item {
            measure: *Measure::ALL.get(*index)?,
            amount: *amount,
            from: source.from,
            to: source.to,
            agent: site.names.text(dims.agent),
            queue: site.names.text(dims.queue),
            notes: notes(*whose, *source, dims),
            events: site.events_of(*whose, *source),
            formula_version: version(*index, dims)
                .map(|version| asked.query.formula_version.unwrap_or(version)),
        })
    };
    (page.filter_map(item).collect(), real().count())
}

impl Means {
    /// The measures that it needs.
    pub(crate) fn measures(&self) -> Vec<Measure> {
        self.terms(|_| 0).into_iter().map(|term| term.measure).collect()
    }
}
