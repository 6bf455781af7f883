//! Why a figure is what it is, as a user asks: the items come to the figure, and a server says what a folder says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::path::Path;

use pegcount_tests::{Csv, Output, Server, run, workspace};
use serde_json::Value;

const PLACE: [&str; 10] = [
    "--site",
    "bank",
    "--time-zone",
    "Asia/Jerusalem",
    "--from",
    "1999-03-03",
    "--to",
    "1999-03-05",
    "--as-of",
    "1999-04-01",
];

fn folder(dir: &Path) -> Vec<String> {
    vec!["--data-dir".into(), dir.display().to_string()]
}

fn import(target: &[String]) {
    let file = workspace().join("crates/import/tests/fixtures/bank-small.tsv").display().to_string();
    let import = ["import", "bank", &file, "--site", "bank", "--time-zone", "Asia/Jerusalem"];
    run(import.map(str::to_owned).into_iter().chain(target.iter().cloned())).success();
}

fn ask(command: &str, more: &[&str], target: &[String]) -> Output {
    let words = [command].into_iter().chain(PLACE).chain(more.iter().copied());
    run(words.map(str::to_owned).chain(target.iter().cloned()))
}

fn explain(more: &[&str], target: &[String]) -> Value {
    let shown = ask("explain", &[more, &["--format", "json"]].concat(), target).success();
    serde_json::from_str(&shown).unwrap()
}

/// The explanation without what differs from one log to the other: its name, and when its events were recorded.
fn told(mut explained: Value) -> Value {
    explained["incarnation"] = Value::Null;
    for item in explained["items"].as_array_mut().unwrap() {
        for event in item["events"].as_array_mut().unwrap() {
            assert!(event["recorded_at"].take().is_string());
            event["actor"] = Value::Null;
        }
    }
    explained
}

#[test]
fn a_server_and_a_folder_explain_a_figure_alike_and_the_items_come_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (folder(&dir.path().join("folder")), dir.path().join("server"));
    import(&here);
    let server = Server::start(&there);
    import(&server.target());
    let cases: [&[&str]; 5] = [
        &["--column", "aht"],
        &["--column", "handle_talk", "--agent", "CLERK01"],
        &["--column", "abandon_rate", "--queue", "LO", "--attribution", "start"],
        &["--column", "asa", "--cell", "queue=CA"],
        &["--column", "handled", "--cell", "agent="],
    ];
    for case in cases {
        let explained = told(explain(case, &here));
        assert_eq!(explained, told(explain(case, &server.target())), "{case:?}");
        let items = explained["items"].as_array().unwrap();
        assert_eq!(
            Some(items.len()),
            explained["item_count"].as_u64().map(|count| usize::try_from(count).unwrap())
        );
        for term in explained["terms"].as_array().unwrap() {
            let own = items.iter().filter(|item| item["measure"] == term["measure"]);
            let sum: f64 = own.map(|item| item["amount"].as_f64().unwrap()).sum();
            assert_eq!(Some(sum), term["amount"].as_f64(), "{case:?} {term}");
        }
    }
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn the_figure_explained_is_the_figure_of_the_table() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(&dir.path().join("data"));
    import(&data);
    for (column, file_name) in [("aht", "aht_s"), ("asa_p90", "asa_p90_s"), ("abandon_rate", "abandon_rate")]
    {
        for filter in [&[][..], &["--queue", "LO"], &["--queue", "CA", "--attribution", "end"]] {
            let table = Csv::read(&ask("kpi", &[filter, &["--format", "csv"]].concat(), &data).success());
            let explained = explain(&[&["--column", column], filter].concat(), &data);
            let (told, shown) = (explained["value"].as_f64(), table.only(file_name).parse().ok());
            assert_eq!(told, shown, "{column} {filter:?}");
        }
    }
    let agents = Csv::read(&ask("kpi", &["--by", "agent", "--format", "csv"], &data).success());
    let explained = explain(&["--column", "handled", "--cell", "agent=CLERK05"], &data);
    assert_eq!(agents.of("agent", "CLERK05", "handled"), explained["value"].to_string());
}

#[test]
fn a_report_shows_the_formula_in_numbers_local_times_events_and_the_sum() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(&dir.path().join("data"));
    import(&data);
    let report = ask("explain", &["--column", "aht", "--agent", "CLERK05"], &data).success();
    let expected = [
        "aht of bank, 1999-03-03 to 1999-03-05, agent CLERK05\n",
        "aht = (handle_talk + handle_hold + handle_acw) / handled\n",
        "(handle_talk 6m30s + handle_hold 0s + handle_acw 0s) / handled 3 = 2m10s\n",
        " leg answered",
        "sum: handle_talk 6m30s in 3 items, handle_hold 0s in 0 items, handle_acw 0s in 0 items, handled 3 in 3 items\n",
        "formulas version 1",
    ];
    for part in expected {
        assert!(report.contains(part), "without {part:?}:\n{report}");
    }
    let part = ask("explain", &["--column", "answered", "--limit", "2"], &data).success();
    assert!(part.contains("shown are 2 of 22 items; --limit 22 shows all"), "{part}");
}

#[test]
fn what_cannot_be_explained_is_said_with_what_can() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(&dir.path().join("data"));
    import(&data);
    for (more, said) in [
        (&["--column", "ofered"][..], "`ofered` is no column; `pegcount kpi --columns help` lists them"),
        (&["--column", "waiting"], "`waiting` is a value at an instant"),
        (&["--column", "occupancy", "--queue", "LO"], "`occupancy` is not cut by `queue`"),
        (&["--column", "aht", "--cell", "queue"], "--cell `queue` says no value: give dimension=value"),
        (&["--column", "aht", "--cell", "hour=9"], "--cell `hour=9` is a time: say it by --from and --to"),
    ] {
        let refused = ask("explain", more, &data).failure();
        assert!(refused.contains(said), "{refused}");
    }
}
