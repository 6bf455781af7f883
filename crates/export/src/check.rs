//! Whether files say what the live query says: read back, summed here, compared column by column.
//!
//! Not a line of what filled the files is used. Invariant: what is not equal to the microsecond is not published.

use std::{collections::BTreeMap, path::Path};

use pegcount_kpi::Value;

use crate::{
    cell::{Cell, Column},
    error::ExportError,
    read,
    rows::{Source, names},
    tables::Table,
    write::Format,
};

/// Sums by key, in the order of the table's measures.
type Sums = BTreeMap<String, Vec<i64>>;

/// Compares one table's file with the live query.
pub(crate) async fn table(
    source: &Source<'_>,
    dir: &Path,
    table: Table,
    format: Format,
) -> Result<(), ExportError> {
    if table == Table::DailySummary {
        sums_of_levels(dir, format)?;
        return of_site(source, dir, format).await;
    }
    let Some(by) = table.compared_by() else { return Ok(()) };
    let written = sums(dir, table, format, by.word())?;
    let answer = source.ask(&[by], names(&table.measures())).await?;
    let mut live = Sums::new();
    for row in &answer.rows {
        let key = row.keys.first().and_then(Option::as_ref).map(ToString::to_string).unwrap_or_default();
        live.insert(key, row.values.iter().map(amount).collect());
    }
    compare(table, format, by.word(), &written, &live)
}

async fn of_site(source: &Source<'_>, dir: &Path, format: Format) -> Result<(), ExportError> {
    let own = levels(dir, format)?.remove("site").unwrap_or_default();
    let written = Sums::from([(String::new(), own)]);
    let answer = source.ask(&[], names(&Table::DailySummary.measures())).await?;
    let live = answer.rows.iter().map(|row| (String::new(), row.values.iter().map(amount).collect()));
    compare(Table::DailySummary, format, "site", &written, &live.collect())
}

fn amount(value: &Value) -> i64 {
    if let Value::Amount(amount) = value { *amount } else { 0 }
}

fn measures(columns: &[Column]) -> impl Iterator<Item = (usize, &Column)> {
    columns.iter().enumerate().filter(|(_, column)| column.measure.is_some())
}

fn sums(dir: &Path, table: Table, format: Format, by: &str) -> Result<Sums, ExportError> {
    let columns = table.columns();
    let key = columns.iter().position(|column| column.name == by).unwrap_or(0);
    let mut sums = Sums::new();
    for row in read::open(dir, table, format)? {
        let row = row?;
        let own = sums.entry(row.get(key).map(Cell::shown).unwrap_or_default()).or_default();
        add(own, &columns, &row);
    }
    Ok(sums)
}

fn add(sums: &mut Vec<i64>, columns: &[Column], row: &[Cell]) {
    for (place, (index, _)) in measures(columns).enumerate() {
        if sums.len() <= place {
            sums.push(0);
        }
        if let (Some(sum), Some(Cell::Int(amount))) = (sums.get_mut(place), row.get(index)) {
            *sum += amount;
        }
    }
}

fn compare(table: Table, format: Format, by: &str, written: &Sums, live: &Sums) -> Result<(), ExportError> {
    let columns = table.columns();
    let keys: std::collections::BTreeSet<&String> = written.keys().chain(live.keys()).collect();
    for key in keys {
        let at =
            |sums: &Sums, place: usize| sums.get(key).and_then(|sums| sums.get(place)).copied().unwrap_or(0);
        for (place, (_, column)) in measures(&columns).enumerate() {
            let (own, asked) = (at(written, place), at(live, place));
            if own != asked {
                return Err(differs(table, format, &column.name, &named(by, key), own, asked));
            }
        }
    }
    Ok(())
}

fn named(by: &str, key: &str) -> String {
    if key.is_empty() { format!("no {by}") } else { format!("{by} {key}") }
}

fn differs(table: Table, format: Format, column: &str, key: &str, written: i64, live: i64) -> ExportError {
    ExportError::Differs {
        table: format!("{} ({})", table.name(), format.word()),
        column: column.to_owned(),
        key: key.to_owned(),
        written: written.to_string(),
        live: live.to_string(),
    }
}

fn levels(dir: &Path, format: Format) -> Result<Sums, ExportError> {
    sums(dir, Table::DailySummary, format, "level")
}

/// Whether a summary's queues and agents come to what the intervals of the same revision do, and to the site.
pub(crate) fn sums_of_levels(dir: &Path, format: Format) -> Result<(), ExportError> {
    let levels = levels(dir, format)?;
    let summary = Table::DailySummary.columns();
    for (level, table) in [("queue", Table::QueueInterval), ("agent", Table::AgentInterval)] {
        let mut whole = Vec::new();
        let columns = table.columns();
        for row in read::open(dir, table, format)? {
            add(&mut whole, &columns, &row?);
        }
        for (place, (_, column)) in measures(&columns).enumerate() {
            let of_level = |level: &str| {
                let place = measures(&summary).position(|(_, own)| own.measure == column.measure);
                let sums = levels.get(level);
                place.and_then(|place| sums?.get(place).copied()).unwrap_or(0)
            };
            let own = whole.get(place).copied().unwrap_or(0);
            for level in [level, "site"] {
                if own != of_level(level) {
                    let key = format!("level {level} of daily_summary");
                    return Err(differs(table, format, &column.name, &key, own, of_level(level)));
                }
            }
        }
    }
    Ok(())
}
