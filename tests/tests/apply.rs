//! One file for a site, through the real binary: shown first, written, shown again as nothing to do; formula versions
//! compared over a real server; targets beside figures.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::{fs, path::Path};

use pegcount_tests::{Csv, Output, Server, run, workspace};
use serde_json::Value;

fn folder(dir: &Path) -> Vec<String> {
    vec!["--data-dir".into(), dir.display().to_string()]
}

fn with(arguments: &[&str], target: &[String]) -> Output {
    run(arguments.iter().map(|text| (*text).to_owned()).chain(target.iter().cloned()))
}

fn example() -> String {
    workspace().join("deploy/site.toml").display().to_string()
}

/// The bank's calls of two days in March 1999.
fn import(target: &[String]) {
    let fixture = workspace().join("crates/import/tests/fixtures/bank-small.tsv").display().to_string();
    let arguments = ["import", "bank", &fixture, "--site", "bank", "--time-zone", "Asia/Jerusalem"];
    with(&arguments, target).success();
}

const RANGE: [&str; 11] = [
    "kpi",
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

/// A second version, in force long after the bank's calls.
const PATIENT: &str = "[site]\nname = \"bank\"\n\n[[formula]]\nnumber = 2\nvalid_from = \"2020-01-01\"\nshort = \"40s\"\n\
                       threshold = \"90s\"\nabandon_rate = \"raw\"\n";

#[test]
fn a_site_is_shown_then_written_and_a_second_time_there_is_nothing_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(&dir.path().join("data"));
    let shown = with(&["apply", &example(), "--dry-run"], &data).success();
    for line in [
        "+ queue repairs since ever: label Repairs, threshold 30s, after_call by_timer, after_call_timer 90s",
        "+ agent ben from 2026-06-01: team south, chat_slots 1",
        "+ formula from 2026-07-01: version 2, name repeats by customer",
        "+ target efficiency since ever: column contacts_per_hour_inbound, value > 20, for each agent",
        "+ site since ever: time_zone Asia/Shanghai",
        "+ allowance for all since ever: total 1h30min, sign_ins 4, limits reason rest longest 15min total 30min, \
         meals meal longest 45min at most 1 from 11:00 to 14:00",
        "+ authority from 2026-07-01: answered softphone",
        "nothing was written (--dry-run)",
    ] {
        assert!(shown.contains(line), "{line}\nin\n{shown}");
    }
    let unasked = with(&["apply", &example()], &data).failure();
    assert!(unasked.contains("say --yes to write these definitions, or --dry-run"), "{unasked}");

    let written = with(&["apply", &example(), "--yes"], &data).success();
    assert!(written.contains("definitions written at main"), "{written}");
    let again = with(&["apply", &example(), "--yes"], &data).success();
    assert!(
        again.contains("0 added (+), 0 changed (~)")
            && again.ends_with("nothing to do: main is as the file says\n"),
        "{again}"
    );

    // What is in force, as such a file: to apply it is nothing to do either.
    let printed = with(&["definitions", "--site", "main"], &data).success();
    let file = dir.path().join("printed.toml");
    fs::write(&file, &printed).unwrap();
    let third = with(&["apply", &file.display().to_string(), "--yes"], &data).success();
    assert!(third.contains("nothing to do") && !third.contains("not in the file"), "{third}\n{printed}");
    let reprinted = with(&["definitions", "--site", "main"], &data).success();
    assert_eq!(reprinted, printed);
}

#[test]
fn a_change_is_told_field_by_field_with_its_date_and_what_is_not_in_the_file_stays() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(&dir.path().join("data"));
    let file = dir.path().join("site.toml");
    let path = file.display().to_string();
    let write = |text: &str| fs::write(&file, text).unwrap();
    write(
        "[site]\nname = \"main\"\n[[queue]]\nqueue = \"sales\"\nthreshold = \"30s\"\n[[queue]]\nqueue = \"old\"\n",
    );
    with(&["apply", &path, "--yes"], &data).success();
    write(
        "[site]\nname = \"main\"\n[[queue]]\nqueue = \"sales\"\nthreshold = \"30s\"\n\
         [[queue]]\nqueue = \"sales\"\nthreshold = \"45s\"\nvalid_from = \"2026-03-01\"\n",
    );
    let shown = with(&["apply", &path, "--yes"], &data).success();
    assert!(shown.contains("~ queue sales from 2026-03-01: threshold 30s → 45s\n"), "{shown}");
    assert!(shown.contains("? queue old since ever"), "{shown}");
    assert!(
        shown.contains("0 added (+), 1 changed (~), 1 unchanged, 1 not in the file (?), which stay"),
        "{shown}"
    );
}

#[test]
fn what_is_wrong_in_a_file_is_told_with_its_line_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(&dir.path().join("data"));
    let file = dir.path().join("site.toml");
    let refused = |text: &str| {
        fs::write(&file, text).unwrap();
        with(&["apply", &file.display().to_string(), "--yes"], &data).failure()
    };
    let length = refused("[site]\nname = \"main\"\n[[queue]]\nqueue = \"sales\"\nthreshold = \"soon\"\n");
    assert!(
        length.contains("site.toml, line 5: queue sales: threshold is `soon`; write a length such as 20s"),
        "{length}"
    );
    let unknown = refused("[[queues]]\nqueue = \"sales\"\n");
    assert!(
        unknown.contains("site.toml") && unknown.contains("queues") && unknown.contains("line 1"),
        "{unknown}"
    );
    let unnamed = refused("[[queue]]\nqueue = \"sales\"\n");
    assert!(unnamed.contains("--site is missing") && unnamed.contains("[site] name"), "{unnamed}");
    with(&["apply", &example(), "--yes"], &data).success();
    let changed = refused(
        "[site]\nname = \"main\"\n[[formula]]\nnumber = 2\nvalid_from = \"2026-08-01\"\nshort = \"9s\"\n",
    );
    assert!(changed.contains("formula version 2 stands for something else: its short is"), "{changed}");
    assert!(changed.contains("give yours a new number"), "{changed}");
}

#[test]
fn two_versions_and_their_difference_are_the_same_from_a_server_and_from_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (dir.path().join("folder"), dir.path().join("server"));
    let file = dir.path().join("site.toml");
    fs::write(&file, PATIENT).unwrap();
    let apply = ["apply", &file.display().to_string(), "--yes"].map(str::to_owned);
    let apply: Vec<&str> = apply.iter().map(String::as_str).collect();
    let server = Server::start(&there);
    for target in [folder(&here), server.target().to_vec()] {
        import(&target);
        with(&apply, &target).success();
    }
    let columns = "abandoned_short,answered_within,abandon_rate,service_level";
    let both = [&RANGE[..], &["--by", "queue", "--columns", columns, "--formula", "v1,v2"]].concat();
    let csv = |target: &[String]| with(&[&both[..], &["--format", "csv"]].concat(), target).success();
    let (from_folder, from_server) = (csv(&folder(&here)), csv(&server.target()));
    assert_eq!(from_folder, from_server);
    let read = Csv::read(&from_folder);
    let numbers = |column: &str| -> Vec<i64> {
        read.column(column).iter().map(|field| field.parse().unwrap()).collect()
    };
    let [one, two] = ["abandoned_short_v1", "abandoned_short_v2"].map(numbers);
    let difference: Vec<i64> = two.iter().zip(&one).map(|(two, one)| two - one).collect();
    assert_eq!(numbers("abandoned_short_v2_minus_v1"), difference);
    assert!(difference.iter().all(|more| *more >= 0), "{from_folder}");
    assert!(difference.iter().any(|more| *more > 0), "a call gave up after 5 to 40 s:\n{from_folder}");

    let json = with(&[&both[..], &["--format", "json"]].concat(), &server.target()).success();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["formula_versions"], serde_json::json!([1, 2]));
    let table = with(&both, &server.target()).success();
    assert!(
        table.contains("abandoned_short_v2_minus_v1") && table.contains("formulas versions 1, 2"),
        "{table}"
    );

    // What was known then, and why, by that version.
    let known = [
        &RANGE[..],
        &["--columns", "abandoned_short", "--formula", "2", "--known-at", "40", "--format", "csv"],
    ]
    .concat();
    assert_eq!(with(&known, &folder(&here)).success(), with(&known, &server.target()).success());
    let explain = [&["explain"], &RANGE[1..], &["--column", "abandon_rate", "--formula", "v2"]].concat();
    let explained = with(&explain, &server.target()).success();
    assert!(
        explained.contains("abandoned / ended, flow-outs elsewhere left out"),
        "version 2's form: {explained}"
    );
    assert!(
        explained.contains("by formula version 2") && explained.contains("formulas version 2"),
        "{explained}"
    );
    let unknown = with(&[&RANGE[..], &["--formula", "v9"]].concat(), &server.target()).failure();
    assert!(unknown.contains("there is no formula version 9 at bank; there are 1, 2"), "{unknown}");
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn targets_stand_beside_the_figures_that_they_are_for() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(&dir.path().join("data"));
    import(&data);
    let file = dir.path().join("site.toml");
    let targets = "[site]\nname = \"bank\"\n\
        [[target]]\ntarget = \"talk\"\ncolumn = \"aht\"\ncomparison = \"<\"\nvalue = \"1h\"\nscope = \"site\"\n\
        [[target]]\ntarget = \"connect\"\ncolumn = \"connect_rate\"\ncomparison = \">\"\nvalue = 1\nscope = \"queue\"\n";
    fs::write(&file, targets).unwrap();
    with(&["apply", &file.display().to_string(), "--yes"], &data).success();
    let whole = with(&[&RANGE[..], &["--columns", "aht", "--targets"]].concat(), &data).success();
    assert!(whole.contains("aht_target") && whole.contains("met (< 1h00m00s)"), "{whole}");
    let queues =
        [&RANGE[..], &["--by", "queue", "--columns", "connect_rate", "--targets", "--format", "csv"]]
            .concat();
    let queues = with(&queues, &data).success();
    assert!(queues.lines().next().unwrap().ends_with("connect_rate,connect_rate_target"), "{queues}");
    assert!(queues.lines().skip(1).all(|line| line.ends_with(",missed") || line.ends_with(',')), "{queues}");
    assert!(queues.contains(",missed"), "{queues}");
}

#[test]
fn a_policy_that_counts_by_a_calendar_that_is_nowhere_is_refused_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(&dir.path().join("data"));
    let file = dir.path().join("site.toml");
    let policies = |calendar: &str, more: &str| {
        let text = format!(
            "[site]\nname = \"main\"\n\n[[ticket_policies]]\n[[ticket_policies.policy]]\nname = \"any\"\n\
             [[ticket_policies.policy.target]]\ntarget = \"resolve\"\nworking_days = 2\ncalendar = \"{calendar}\"\n{more}"
        );
        fs::write(&file, text).unwrap();
        with(&["apply", &file.display().to_string(), "--yes"], &data)
    };
    let refused = policies("nights", "").failure();
    let wanted =
        "line 10: policy any: resolve: calendar is `nights`, and no calendar of that name is defined";
    assert!(refused.contains(wanted), "{refused}");
    policies("standard", "").success();
    let nights = "\n[[calendar]]\ncalendar = \"nights\"\ntime_zone = \"UTC\"\n\
                  windows = [{ days = [\"monday\"], from = \"22:00\", to = \"06:00\" }]\n";
    policies("nights", nights).success();
    // Once it is defined, a file need not say it again.
    policies("nights", "").success();
}
