//! `pegcount kpi --columns help`: every column with its unit and what it means.
//!
//! Invariant: with a server it is the server that says which there are; without one, this program.

use pegcount_proto::v1::{DescribeKpisRequest, KpiColumn, Unit};
use pegcount_server::wire;
use serde_json::json;

use crate::{
    args::{Format, TargetArgs},
    error::CliError,
    output,
    target::Target,
};

const HEAD: [&str; 3] = ["column", "unit", "meaning"];

/// Prints all columns. No folder is opened for it.
pub(super) async fn run(target: &TargetArgs, format: Format) -> Result<(), CliError> {
    let columns = if target.server.is_some() {
        let api = Target::server(target, "kpi --columns help").await?;
        api.kpi().describe_kpis(DescribeKpisRequest {}).await?.into_inner().columns
    } else {
        wire::column_messages(pegcount_kpi::describe())
    };
    write(&columns, format)
}

fn write(columns: &[KpiColumn], format: Format) -> Result<(), CliError> {
    let records = || columns.iter().map(|column| [column.name.as_str(), unit(column), meaning(column)]);
    let table = || {
        let mut table = output::plain_table();
        table.set_header(HEAD).add_rows(records());
        let count = columns.len();
        format!("{}\n{count} columns; `docs/KPIS.md` has the rules in full", output::shown(table))
    };
    let objects = columns.iter().map(|column| {
        json!({
            "column": column.name,
            "unit": unit(column),
            "formula": column.formula,
            "meaning": column.meaning,
        })
    });
    output::list(format, table, &HEAD, records(), objects)
}

fn unit(column: &KpiColumn) -> &'static str {
    match (column.unit(), column.gauge) {
        (Unit::Microseconds, false) => "duration",
        (Unit::Microseconds, true) => "duration, at an instant",
        (Unit::Ratio, _) if column.name.ends_with("_per_hour") => "per hour",
        (Unit::Ratio, _) => "share",
        (Unit::Count | Unit::Unspecified, false) => "count",
        (Unit::Count | Unit::Unspecified, true) => "count, at an instant",
    }
}

fn meaning(column: &KpiColumn) -> &str {
    if column.formula.is_empty() { &column.meaning } else { &column.formula }
}
