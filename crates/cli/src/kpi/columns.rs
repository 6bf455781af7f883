//! `pegcount kpi --columns help`: every column with its unit and what it means.
//!
//! Invariant: with a server it is the server that says which there are; without one, this program.

use std::io::Write;

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
    let mut out = output::out();
    match format {
        Format::Table => {
            let mut table = output::plain_table();
            table.set_header(HEAD);
            for column in columns {
                table.add_row([column.name.as_str(), unit(column), meaning(column)]);
            }
            writeln!(
                out,
                "{}\n{} columns; `docs/KPIS.md` has the rules in full",
                output::shown(table),
                columns.len()
            )?;
        }
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(out);
            csv.write_record(HEAD)?;
            for column in columns {
                csv.write_record([column.name.as_str(), unit(column), meaning(column)])?;
            }
            csv.flush()?;
        }
        Format::Json => {
            for column in columns {
                let object = json!({
                    "column": column.name,
                    "unit": unit(column),
                    "formula": column.formula,
                    "meaning": column.meaning,
                });
                writeln!(out, "{object}")?;
            }
        }
    }
    Ok(())
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
