//! Exports through the binary: what lands in a warehouse is what `pegcount kpi` says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::{fs, path::Path};

use pegcount_tests::{Csv, run, workspace};
use serde_json::Value;

fn said(arguments: &str, more: &[&Path]) -> pegcount_tests::Output {
    let more = more.iter().map(|path| path.display().to_string());
    run(arguments.split(' ').map(str::to_owned).chain(more))
}

fn imported(data: &Path) {
    let file = workspace().join("crates/import/tests/fixtures/bank-small.tsv");
    said("import bank --site bank --time-zone Asia/Jerusalem --data-dir", &[data, &file]).success();
}

#[test]
fn the_banks_days_are_in_the_files_what_they_are_on_the_screen() {
    let dir = tempfile::tempdir().unwrap();
    let (data, dest) = (dir.path().join("data"), dir.path().join("exports"));
    imported(&data);
    let ran = format!(
        "export run --site bank --from 1999-03-03 --to 1999-03-05 --time-zone Asia/Jerusalem --format parquet,csv --json --dest {} --data-dir",
        dest.display()
    );
    let told: Vec<Value> =
        said(&ran, &[&data]).success().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(told.len(), 2);
    for day in &told {
        assert_eq!((&day["outcome"], &day["revision"]), (&"published".into(), &1.into()));
        let local = day["date"].as_str().unwrap();
        let place = Path::new(day["place"].as_str().unwrap());
        let text = fs::read_to_string(place.join("queue_interval.csv")).unwrap();
        let exported = Csv::read(&text);
        let next = if local == "1999-03-03" { "1999-03-04" } else { "1999-03-05" };
        let asked = format!(
            "kpi --site bank --from {local} --to {next} --as-of {next} --time-zone Asia/Jerusalem --columns offered,abandoned,handled --format csv --data-dir"
        );
        let live = said(&asked, &[&data]).success();
        let live = Csv::read(&live);
        for column in ["offered", "abandoned", "handled"] {
            let sum: i64 = exported.column(column).iter().map(|text| text.parse::<i64>().unwrap()).sum();
            assert_eq!(sum.to_string(), live.only(column), "{local} {column}");
        }
    }
    let again = said(&ran, &[&data]).success();
    assert!(again.lines().all(|line| line.contains("\"unchanged\"")), "{again}");
    let listed = said("export list", &[&dest]).success();
    assert!(listed.contains("1999-03-03") && listed.contains("1999-03-04"), "{listed}");
    said("export verify", &[&dest]).success();

    let visits = Path::new(told[0]["place"].as_str().unwrap()).join("visit.parquet");
    let mut bytes = fs::read(&visits).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&visits, bytes).unwrap();
    let found = said("export verify", &[&dest]).failure();
    assert!(found.contains("not as published"), "{found}");
}

#[test]
fn the_dictionary_names_every_table_with_units() {
    let text = said("export columns --json", &[]).success();
    let dictionary: Value = serde_json::from_str(&text).unwrap();
    let tables = dictionary["tables"].as_array().unwrap();
    assert!(tables.len() >= 10);
    for column in tables.iter().flat_map(|table| table["columns"].as_array().unwrap()) {
        assert!(column["meaning"].as_str().is_some_and(|text| !text.is_empty()), "{column}");
        let is_number = matches!(column["type"].as_str(), Some("int64" | "float64"));
        let is_measure = column["source"] != "docs/KPIS.md";
        assert!(!(is_number && is_measure) || column["unit"] != "", "{column}");
    }
}
