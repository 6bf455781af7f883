//! The command line as its users meet it: imports, figures, and errors that say what to do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::{fs, net::TcpListener, path::Path};

use pegcount_tests::{Csv, Output, Server, run, workspace};
use serde_json::Value;

const SITE_AND_ZONE: [&str; 4] = ["--site", "bank", "--time-zone", "Asia/Jerusalem"];

fn fixture() -> String {
    workspace().join("crates/import/tests/fixtures/bank-small.tsv").display().to_string()
}

fn import(file: &str, target: &[String]) -> Value {
    let arguments = ["import", "bank", file, "--format", "json"].into_iter().chain(SITE_AND_ZONE);
    let report = run(arguments.map(str::to_owned).chain(target.iter().cloned())).success();
    serde_json::from_str(&report).unwrap()
}

fn kpi(more: &[&str], target: &[String]) -> Output {
    let range =
        ["kpi", "--from", "1999-03-03", "--to", "1999-03-05", "--as-of", "1999-04-01", "--format", "csv"];
    let arguments = range.into_iter().chain(SITE_AND_ZONE).chain(more.iter().copied());
    run(arguments.map(str::to_owned).chain(target.iter().cloned()))
}

fn folder(dir: &Path) -> Vec<String> {
    vec!["--data-dir".into(), dir.display().to_string()]
}

#[test]
fn an_import_counts_what_it_read_and_a_second_one_in_another_order_adds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(&dir.path().join("data"));
    let first = import(&fixture(), &data);
    let counts = ["read", "kept", "phantom", "repeated", "broken", "added", "present", "refused"];
    assert_eq!(counts.map(|kind| first[kind].as_u64().unwrap()), [45, 30, 3, 1, 11, 30, 0, 0]);
    assert_eq!(first["odd_hang_with_service_lines"], serde_json::json!([13, 14]));
    assert_eq!(first["broken_reasons"][1]["line"], 36);

    let text = fs::read_to_string(fixture()).unwrap();
    let (head, rows) = text.split_once('\n').unwrap();
    let mut rows: Vec<_> = rows.lines().collect();
    // The row that contradicts an earlier one would win if it came first: it is another call then.
    rows.retain(|row| !row.contains("8:02:29"));
    rows.reverse();
    let other = dir.path().join("reversed.tsv");
    fs::write(&other, format!("{head}\n{}\n", rows.join("\n"))).unwrap();
    let second = import(&other.display().to_string(), &data);
    let counts = ["kept", "added", "present", "grown", "events"];
    assert_eq!(counts.map(|kind| second[kind].as_u64().unwrap()), [30, 0, 30, 0, 0]);
}

#[test]
fn figures_are_the_same_from_a_server_and_from_a_folder_to_the_last_digit() {
    let dir = tempfile::tempdir().unwrap();
    let (here, there) = (dir.path().join("folder"), dir.path().join("server"));
    import(&fixture(), &folder(&here));
    let server = Server::start(&there);
    assert_eq!(import(&fixture(), &server.target())["added"], 30);
    for cut in ["queue", "agent,day", "hour,queue,channel,direction", "entry"] {
        let from_folder = kpi(&["--by", cut], &folder(&here)).success();
        let from_server = kpi(&["--by", cut], &server.target()).success();
        assert_eq!(from_folder, from_server, "by {cut}");
    }
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn the_fixtures_figures_are_what_its_rows_say() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(&dir.path().join("data"));
    import(&fixture(), &data);

    let all = Csv::read(&kpi(&["--attribution", "start"], &data).success());
    let expected = [
        ("from", "1999-03-03T00:00:00+02:00"),
        ("to", "1999-03-05T00:00:00+02:00"),
        ("offered", "30"),
        ("answered", "22"),
        ("abandoned", "8"),
        ("abandoned_short", "3"),
        ("abandoned_within", "5"),
        ("answered_within", "18"),
        ("wait_answered_s", "424"),
        ("wait_abandoned_s", "144"),
        ("handled", "22"),
        ("handle_talk_s", "2476"),
        ("handle_acw_s", "0"),
        ("asa_s", "19.272727"),
        ("aht_s", "112.545455"),
        // Nobody signs in here: there is no clock to be busy on.
        ("occupancy", ""),
    ];
    for (column, value) in expected {
        assert_eq!(all.only(column), value, "{column}");
    }
    assert_eq!(all.head()[..2], ["from", "to"]);

    let queues = Csv::read(&kpi(&["--attribution", "start", "--by", "queue"], &data).success());
    assert_eq!(queues.head()[..3], ["from", "to", "queue"]);
    for (queue, offered, answered, abandoned, handle) in
        [("LO", "21", "15", "6", "1960"), ("CA", "9", "7", "2", "516")]
    {
        let of = |column| queues.of("queue", queue, column);
        assert_eq!(
            [of("offered"), of("answered"), of("abandoned"), of("handle_talk_s")],
            [offered, answered, abandoned, handle],
            "{queue}"
        );
    }

    let agents = Csv::read(&kpi(&["--by", "agent", "--columns", "handled,handle_talk"], &data).success());
    assert_eq!(agents.head(), ["from", "to", "agent", "handled", "handle_talk_s"]);
    for (agent, handled, handle) in [("CLERK01", "4", "1230"), ("CLERK05", "3", "390"), ("", "3", "66")] {
        let of = |column| agents.of("agent", agent, column);
        assert_eq!([of("handled"), of("handle_talk_s")], [handled, handle], "{agent}");
    }
}

#[test]
fn a_csv_row_is_times_then_dimensions_then_measures_and_kpis_to_the_letter() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(&dir.path().join("data"));
    import(&fixture(), &data);
    let columns = "offered,answered,abandoned,abandoned_short,wait_answered,wait_abandoned_s,answered_within,handled,\
        handle_talk,aht,abandon_rate,service_level,asa,occupancy";
    let cut = ["--attribution", "start", "--by", "day,queue,channel,direction", "--columns", columns];
    let golden = fs::read_to_string(workspace().join("tests/golden/bank-small.csv")).unwrap();
    assert_eq!(kpi(&cut, &data).success(), golden);
}

#[test]
fn a_server_speaks_tls_to_those_who_trust_its_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| dir.path().join(name).display().to_string());
    fs::write(&cert, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let server = Server::start_with(&dir.path().join("data"), 0, &["--tls-cert", &cert, "--tls-key", &key]);
    assert!(server.url().starts_with("https://"), "{}", server.url());
    let ask = |more: &[&str]| {
        let list =
            ["agent", "list", "--site", "main"].into_iter().chain(more.iter().copied()).map(str::to_owned);
        run(list.chain(server.target()))
    };
    ask(&["--tls-ca", &cert]).success();
    let said = ask(&[]).failure();
    assert!(said.contains("speaks TLS; give the certificate of who signed"), "{said}");

    let data = dir.path().join("open").display().to_string();
    let open = run(["serve", "--data-dir", &data, "--listen", "0.0.0.0:0"]).failure();
    assert!(open.contains("give a certificate and its key for TLS"), "{open}");
    let absent = [
        "serve",
        "--data-dir",
        &data,
        "--listen",
        "127.0.0.1:0",
        "--tls-cert",
        "none.pem",
        "--tls-key",
        &key,
    ];
    let absent = run(absent).failure();
    assert!(absent.contains("read none.pem"), "{absent}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = dir.path().join("data").display().to_string();
    let said = run(["serve", "--data-dir", &data, "--listen", &address]).failure();
    assert!(said.contains(&format!("{address} is taken by another program")), "{said}");
}

#[test]
fn a_folder_that_a_server_uses_sends_one_to_that_server() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let data = dir.path().display().to_string();
    let said = kpi(&["--by", "queue"], &folder(dir.path())).failure();
    let token = server.token_file().display().to_string();
    let advice = format!(
        "a server at {0} uses {data}: ask it instead, with --server {0} --token-file {token}",
        server.url()
    );
    assert!(said.contains(&advice), "{said}");
    let second = run(["serve", "--data-dir", &data, "--listen", "127.0.0.1:0"]).failure();
    assert!(second.contains(&format!("a server at {} uses {data}", server.url())), "{second}");
    assert_eq!(server.terminate(), Some(0));
    // Free again, and its figures are there.
    kpi(&["--by", "queue"], &folder(dir.path())).success();
}

#[test]
fn a_folder_of_a_newer_format_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let data = folder(&dir.path().join("data"));
    import(&fixture(), &data);
    let format = format_file(&dir.path().join("data/log"));
    let text = fs::read_to_string(&format).unwrap();
    let newer = text.replacen(|c: char| c.is_ascii_digit(), "9", 1);
    assert_ne!(text, newer);
    fs::write(&format, newer).unwrap();
    let said = kpi(&[], &data).failure();
    assert!(said.contains("log format 9") && said.contains("use a newer program"), "{said}");
}

/// The file that says which format a log has.
fn format_file(log: &Path) -> std::path::PathBuf {
    log.join("FORMAT")
}

#[test]
fn a_folder_that_is_not_there_and_arguments_that_make_no_sense_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("nowhere");
    let said = kpi(&[], &folder(&nowhere)).failure();
    assert!(said.contains(&format!("there is no Pegcount folder at {}", nowhere.display())), "{said}");
    assert!(!nowhere.exists(), "a question makes no folder");

    let data = folder(&dir.path().join("data"));
    import(&fixture(), &data);
    let refused = |arguments: &[&str]| kpi(arguments, &data).failure();
    assert!(refused(&["--columns", "ofered"]).contains("there is no column `ofered`"));
    assert!(refused(&["--queue", ""]).contains("--queue is empty"));
    let zone = run(["kpi", "--site", "bank", "--time-zone", "Mars/Olympus"]).failure();
    assert!(zone.contains("there is no time zone `Mars/Olympus`"), "{zone}");
    let watch = run(["watch", "--site", "bank", "--data-dir", &data[1]]).failure();
    assert!(watch.contains("needs a running server"), "{watch}");
}

#[test]
fn a_server_that_is_not_there_and_a_token_that_is_none_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let ask = |token: &str| {
        run(["agent", "list", "--site", "bank", "--server", server.url(), "--token", token]).failure()
    };
    assert!(ask("nonsense").contains("the token was not made by this server"), "{}", ask("nonsense"));
    let elsewhere =
        run(["agent", "list", "--site", "bank", "--server", "http://127.0.0.1:1", "--token", "t"]).failure();
    assert!(elsewhere.contains("no server answers at `http://127.0.0.1:1`"), "{elsewhere}");
}

#[test]
fn a_minted_token_opens_its_own_site_only() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let data = dir.path().display().to_string();
    let token = run([
        "token",
        "--data-dir",
        &data,
        "--role",
        "kpi_desk",
        "--site",
        "bank",
        "--subject",
        "wall",
        "--days",
        "1",
    ])
    .success();
    let ask = |site: &str| {
        run(["agent", "list", "--site", site, "--server", server.url(), "--token", token.trim()])
    };
    ask("bank").success();
    let refused = ask("elsewhere").failure();
    assert!(refused.contains("PermissionDenied"), "{refused}");
}

#[test]
fn every_limit_is_shown_with_its_unit() {
    let limits: Value = serde_json::from_str(&run(["config", "--format", "json"]).success()).unwrap();
    let lease = limits.as_array().unwrap().iter().find(|limit| limit["name"] == "lease").unwrap();
    assert_eq!((lease["value"].as_str(), lease["unit"].as_str()), (Some("10"), Some("s")));
}
