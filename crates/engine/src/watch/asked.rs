//! A table that is asked for anew, whole, and compared with what it was: for a window that moves on with time, for a mean of
//! days or a target of the query's own, and for a history in which something lies later than now.
//!
//! Invariant: as of its last asking it is the query's answer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use pegcount_domain::{envelope::Position, time::Micros};
use pegcount_kpi::{
    Column, Kpi, Query, QueryError, Row,
    live::{Change, LiveRow, RowId},
};

/// So many changed rows are remembered at least, and twice as many as there are.
const REMEMBERED_MIN: usize = 4_096;

/// The table of one query.
pub(super) struct Asked {
    query: Query,
    columns: Vec<Column>,
    /// A window moves: its rows are told apart by their keys alone.
    rows: BTreeMap<RowId, Row>,
    formula_version: u8,
    older_definitions: Option<Position>,
    as_of: Micros,
    position: Position,
    version: u64,
    /// Its first number; 0: it has none yet.
    first: u64,
    told: VecDeque<(u64, BTreeSet<RowId>)>,
}

impl Asked {
    /// An empty table; its numbers go on after `version`.
    pub(super) fn new(query: Query, version: u64) -> Self {
        Self {
            query,
            columns: Vec::new(),
            rows: BTreeMap::new(),
            formula_version: 0,
            older_definitions: None,
            as_of: Micros(i64::MIN),
            position: Position::START,
            version,
            first: 0,
            told: VecDeque::new(),
        }
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// Asks as of `now`; true if anything is another than before, or this is the first time: then it has a new number.
    pub(super) fn ask(&mut self, kpi: &Kpi, now: Micros) -> Result<bool, QueryError> {
        self.query.as_of = now.max(self.as_of);
        let table = kpi.query(&self.query)?;
        (self.columns, self.as_of, self.position) = (table.columns, table.as_of, table.position);
        (self.formula_version, self.older_definitions) = (table.formula_version, table.older_definitions);
        let moves = self.query.last.is_some();
        let place = |row: &Row| {
            let (from, to) = if moves { (Micros::ZERO, Micros::ZERO) } else { (row.from, row.to) };
            (from, to, row.keys.clone())
        };
        let rows: BTreeMap<RowId, Row> = table.rows.into_iter().map(|row| (place(&row), row)).collect();
        let is_other = |(place, row): (&RowId, &Row)| {
            let known = self.rows.get(place);
            let same = |known: &Row| (&known.values, &known.versions) == (&row.values, &row.versions);
            (!known.is_some_and(same)).then(|| place.clone())
        };
        let mut changed: BTreeSet<RowId> = rows.iter().filter_map(is_other).collect();
        changed.extend(self.rows.keys().filter(|place| !rows.contains_key(*place)).cloned());
        self.rows = rows;
        let is_other = !changed.is_empty() || self.first == 0;
        if is_other {
            self.number(changed);
        }
        Ok(is_other)
    }

    fn number(&mut self, changed: BTreeSet<RowId>) {
        self.version += 1;
        if self.first == 0 {
            self.first = self.version;
        }
        self.told.push_back((self.version, changed));
        let places = |told: &VecDeque<(u64, BTreeSet<RowId>)>| {
            told.iter().map(|(_, places)| places.len()).sum::<usize>()
        };
        while places(&self.told) > REMEMBERED_MIN.max(2 * self.rows.len()) {
            self.told.pop_front();
        }
    }

    pub(super) fn snapshot(&self) -> Change {
        self.change(true, self.rows.keys().collect())
    }

    /// What has changed since it had a number; none if that is too long ago, or no number of it.
    pub(super) fn since(&self, version: u64) -> Option<Change> {
        let oldest = self.told.front().map_or(self.version + 1, |(oldest, _)| *oldest);
        if version < self.first.max(1) || version > self.version || version + 1 < oldest {
            return None;
        }
        let later = self.told.iter().rev().take_while(|(told, _)| *told > version);
        Some(self.change(false, later.flat_map(|(_, places)| places).collect()))
    }

    fn change(&self, snapshot: bool, places: BTreeSet<&RowId>) -> Change {
        let range = self.query.range();
        let moves = self.query.last.is_some();
        let (mut rows, mut removed) = (Vec::new(), Vec::new());
        for place in places {
            let (from, to, keys) = place.clone();
            let (from, to) = if moves { (range.start, range.end) } else { (from, to) };
            match self.rows.get(place) {
                Some(row) => {
                    let row = Row { from, to, ..row.clone() };
                    rows.push(LiveRow { row, running: Vec::new() });
                }
                None => removed.push((from, to, keys)),
            }
        }
        Change {
            snapshot,
            columns: self.columns.clone(),
            rows,
            removed,
            replaced: Vec::new(),
            as_of: self.as_of,
            position: self.position,
            formula_version: self.formula_version,
            older_definitions: self.older_definitions,
        }
    }
}
