//! The data dictionary, made from the declaration: shipped with each export, and shown by `pegcount export columns`.

use serde_json::{Value, json};

use crate::{SCHEMA_VERSION, tables::Table};

/// All tables and columns, as they are shipped.
pub fn json() -> Value {
    let tables = Table::ALL.into_iter().map(|table| {
        let columns: Vec<Value> = table
            .columns()
            .into_iter()
            .map(|column| {
                json!({
                    "name": column.name, "type": column.kind.word(), "unit": column.unit,
                    "meaning": column.meaning, "source": column.source,
                })
            })
            .collect();
        json!({ "name": table.name(), "meaning": table.meaning(), "columns": columns })
    });
    json!({ "schema_version": SCHEMA_VERSION, "tables": tables.collect::<Vec<_>>() })
}

/// The schema alone, a line for each column: what tests hold against the golden file.
pub fn schema() -> String {
    let lines = Table::ALL.into_iter().flat_map(|table| {
        let line = move |column: crate::cell::Column| {
            format!("{} {} {} {}", table.name(), column.name, column.kind.word(), column.unit)
                .trim_end()
                .to_owned()
        };
        table.columns().into_iter().map(line)
    });
    lines.map(|line| line + "\n").collect()
}
