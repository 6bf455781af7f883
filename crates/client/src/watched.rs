//! The table of a watch: a snapshot with every update since laid over it, and what grows in it carried on.
//!
//! Not for connecting: whoever watches gives each update to [`WatchedTable::take`], and after a broken stream asks again
//! with [`WatchedTable::resume_token`]. Invariant: as of the last update it is what the query answers.

use std::collections::BTreeMap;

use pegcount_proto::v1::{KpiColumn, KpiRow, KpiRunning, KpiUpdate, KpiValue, QueryKpiRequest};

/// From, to, keys. A window's rows are told apart by their keys alone.
type Place = (i64, i64, Vec<String>);

/// What is known of a watched query.
#[derive(Clone, Debug)]
pub struct WatchedTable {
    columns: Vec<KpiColumn>,
    /// Each row with the instant at which it was told.
    rows: BTreeMap<Place, (i64, KpiRow)>,
    last_us: Option<i64>,
    /// The query is not cut: its one row stands there whatever it holds.
    is_one_row: bool,
    as_of_us: i64,
    position: u64,
    older_definitions: u64,
    resume_token: Vec<u8>,
}

impl WatchedTable {
    /// Nothing is known yet of this query.
    pub fn new(query: &QueryKpiRequest) -> Self {
        Self {
            columns: Vec::new(),
            rows: BTreeMap::new(),
            last_us: query.last_us,
            is_one_row: query.by.is_empty(),
            as_of_us: 0,
            position: 0,
            older_definitions: 0,
            resume_token: Vec::new(),
        }
    }

    /// Takes the next update in.
    pub fn take(&mut self, update: KpiUpdate) {
        if update.snapshot {
            self.rows.clear();
            self.columns = update.columns;
        }
        for span in &update.replaced {
            self.rows.retain(|(from, ..), _| *from < span.from_us || span.to_us <= *from);
        }
        for gone in &update.removed {
            self.rows.remove(&self.place(gone));
        }
        for row in update.rows {
            self.rows.insert(self.place(&row), (update.as_of_us, row));
        }
        self.as_of_us = update.as_of_us;
        self.position = update.position;
        self.older_definitions = update.older_definitions;
        self.resume_token = update.resume_token.to_vec();
    }

    fn place(&self, row: &KpiRow) -> Place {
        let (from, to) = if self.last_us.is_some() { (0, 0) } else { (row.from_us, row.to_us) };
        (from, to, row.keys.clone())
    }

    /// The columns.
    pub fn columns(&self) -> &[KpiColumn] {
        &self.columns
    }

    /// The instant of the last update, microseconds UTC.
    pub fn as_of_us(&self) -> i64 {
        self.as_of_us
    }

    /// The log position of the last update.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Definitions from this position on are still being taken in; 0: all have been.
    pub fn older_definitions(&self) -> u64 {
        self.older_definitions
    }

    /// Gives what comes after the last update, if it is said when the watch is begun again; empty before the first.
    pub fn resume_token(&self) -> &[u8] {
        &self.resume_token
    }

    /// All rows as of the last update, in the order of a query's answer and equal to it.
    pub fn rows(&self) -> Vec<KpiRow> {
        self.rows_at(self.as_of_us)
    }

    /// All rows as of an instant, microseconds UTC, no earlier than the last update: clocks that run have run on.
    pub fn rows_at(&self, at_us: i64) -> Vec<KpiRow> {
        let rows = self.rows.values().map(|(told_at, row)| self.carried(row, at_us - told_at, at_us));
        rows.filter(|row| self.is_one_row || row.values.iter().any(stands)).collect()
    }

    fn carried(&self, row: &KpiRow, passed_us: i64, at_us: i64) -> KpiRow {
        let mut row = row.clone();
        if let Some(last_us) = self.last_us {
            (row.from_us, row.to_us) = (at_us - last_us, at_us);
        }
        for running in std::mem::take(&mut row.running) {
            let place = usize::try_from(running.column).ok();
            if let Some(value) = place.and_then(|column| row.values.get_mut(column)) {
                *value = after(*value, running, passed_us);
            }
        }
        row
    }
}

fn stands(value: &KpiValue) -> bool {
    !value.absent && (value.amount != 0 || value.denominator != 0)
}

/// What a value has become after so many microseconds.
fn after(value: KpiValue, running: KpiRunning, passed_us: i64) -> KpiValue {
    let grown = running.amount_per_us * passed_us;
    if !value.absent && value.denominator == 0 {
        return KpiValue { amount: value.amount + grown, ..value };
    }
    let denominator = value.denominator + running.denominator_per_us * passed_us;
    if denominator == 0 {
        return KpiValue { absent: true, ..KpiValue::default() };
    }
    let amount = if value.absent { running.amount } else { value.amount };
    KpiValue { absent: false, amount: amount + grown, denominator }
}

#[cfg(test)]
mod tests {
    use pegcount_proto::v1::KpiSpan;

    use super::*;

    fn value(amount: i64) -> KpiValue {
        KpiValue { amount, ..KpiValue::default() }
    }

    fn row(from_us: i64, key: &str, values: Vec<KpiValue>, running: Vec<KpiRunning>) -> KpiRow {
        KpiRow {
            from_us,
            to_us: from_us + 10,
            keys: vec![key.to_owned()],
            values,
            running,
            ..KpiRow::default()
        }
    }

    fn table() -> WatchedTable {
        WatchedTable::new(&QueryKpiRequest { by: vec![5], ..QueryKpiRequest::default() })
    }

    #[test]
    fn what_runs_is_carried_on_from_the_update_that_told_it() {
        let mut table = table();
        let running = KpiRunning { column: 0, amount_per_us: 2, ..KpiRunning::default() };
        let rows = vec![row(0, "a", vec![value(5)], vec![running]), row(0, "b", vec![value(1)], vec![])];
        table.take(KpiUpdate { snapshot: true, rows, as_of_us: 100, ..KpiUpdate::default() });
        table.take(KpiUpdate { as_of_us: 103, ..KpiUpdate::default() });
        let amounts: Vec<i64> = table.rows().iter().map(|row| row.values[0].amount).collect();
        assert_eq!(amounts, [11, 1]);
    }

    #[test]
    fn a_ratio_is_there_as_soon_as_something_stands_below_it() {
        let mut table = table();
        let running = KpiRunning { column: 0, amount_per_us: 1, denominator_per_us: 3, amount: 4 };
        let absent = KpiValue { absent: true, ..KpiValue::default() };
        let rows = vec![row(0, "a", vec![absent], vec![running])];
        table.take(KpiUpdate { snapshot: true, rows, as_of_us: 100, ..KpiUpdate::default() });
        assert_eq!(table.rows(), [], "a row of nothing is none");
        let later = table.rows_at(102);
        assert_eq!(later[0].values, [KpiValue { absent: false, amount: 6, denominator: 6 }]);
    }

    #[test]
    fn removed_rows_and_those_of_replaced_spans_are_forgotten() {
        let mut table = table();
        let rows =
            ["a", "b"].into_iter().flat_map(|key| [0, 10].map(|from| row(from, key, vec![value(1)], vec![])));
        table.take(KpiUpdate { snapshot: true, rows: rows.collect(), ..KpiUpdate::default() });
        let replaced = vec![KpiSpan { from_us: 10, to_us: 20 }];
        let removed = vec![row(0, "a", vec![], vec![])];
        let rows = vec![row(10, "c", vec![value(7)], vec![])];
        table.take(KpiUpdate { rows, removed, replaced, ..KpiUpdate::default() });
        let left: Vec<_> = table.rows().into_iter().map(|row| (row.from_us, row.keys[0].clone())).collect();
        assert_eq!(left, [(0, "b".to_owned()), (10, "c".to_owned())]);
    }
}
