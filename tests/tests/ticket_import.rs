//! A help desk's log into a running server by the command line: once, whatever the order of its lines, and more when it has grown.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::{fs, path::PathBuf};

use pegcount_tests::{Output, Server, run};
use serde_json::Value;
use tempfile::TempDir;

/// The sample that the documentation shows.
const MAP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/tickets-map.toml");
const HEADER: &str = "Case ID,Activity,Resource,Complete Timestamp,Workgroup,Product,Seriousness,Phone,Customer name,Remark,\
                      Service level,In time,Reopened";
const REMARK: &str = "Zephyrine's boiler hums at night";
const NUMBER: &str = "+49 30 5550917";

/// The log of `tickets` tickets, of each the first `steps` things that happened, one after the other by time: so the rows of all are
/// interleaved.
fn rows(tickets: u32, steps: usize) -> Vec<String> {
    let told = [
        ("Insert ticket", "anna", "no"),
        ("Take in charge ticket", "bob", "no"),
        ("Assign seriousness", "bob", "no"),
        ("Closed", "bob", "no"),
        ("Wait", "carl", "no"),
    ];
    let mut rows = Vec::new();
    for (minute, (activity, agent, reopened)) in told.into_iter().take(steps).enumerate() {
        for ticket in 0..tickets {
            let (hour, remark) = (8 + ticket / 60, if minute == 0 { REMARK } else { "" });
            let at = format!("2012/10/{:02} {hour:02}:{:02}:00", 9 + minute, ticket % 60);
            rows.push(format!(
                "T-{ticket},{activity},{agent},{at},north,boiler,Value 2,{NUMBER},Zephyrine Q,\"{remark}\",gold,yes,{reopened}"
            ));
        }
    }
    rows
}

struct Desk {
    server: Server,
    dir: TempDir,
}

fn desk() -> Desk {
    let dir = tempfile::tempdir().unwrap();
    Desk { server: Server::start(&dir.path().join("data")), dir }
}

impl Desk {
    fn file(&self, rows: &[String]) -> PathBuf {
        let path = self.dir.path().join("desk.csv");
        fs::write(&path, format!("{HEADER}\n{}\n", rows.join("\n"))).unwrap();
        path
    }

    fn import_by(&self, map: &str, rows: &[String], more: &[&str]) -> Output {
        let file = self.file(rows).display().to_string();
        let words = ["import", "tickets", &file, "--site", "main", "--map", map, "--format", "json"];
        let words = words.iter().chain(more).map(|word| (*word).to_owned());
        run(words.chain(self.server.target()))
    }

    fn import(&self, rows: &[String]) -> Value {
        serde_json::from_str(&self.import_by(MAP, rows, &[]).success()).unwrap()
    }

    fn ticket(&self, words: &[&str]) -> String {
        let words = ["ticket"].iter().chain(words).chain(&["--site", "main"]).map(|word| (*word).to_owned());
        run(words.chain(self.server.target())).success()
    }
}

fn shuffled(mut rows: Vec<String>) -> Vec<String> {
    let seed: u64 = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_121_009);
    println!("SEED={seed}");
    let mut state = seed;
    for last in (1..rows.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        rows.swap(last, usize::try_from(state >> 33).unwrap() % (last + 1));
    }
    rows
}

#[test]
fn a_log_goes_in_once_and_grows_by_what_it_has_more() {
    let desk = desk();
    let first = desk.import(&rows(40, 3));
    assert_eq!((&first["read"], &first["added"], &first["broken"]), (&120.into(), &40.into(), &0.into()));
    let shown: Value = serde_json::from_str(&desk.ticket(&["show", "T-7", "--json"])).unwrap();
    assert_eq!((shown["owner"].as_str(), shown["kind"].as_str()), (Some("bob"), Some("inquiry")), "{shown}");

    let again = desk.import(&shuffled(rows(40, 3)));
    assert_eq!((&again["present"], &again["events"], &again["sealed"]), (&40.into(), &0.into(), &0.into()));

    let grown = desk.import(&shuffled(rows(50, 4)));
    assert_eq!((&grown["added"], &grown["grown"], &grown["refused"]), (&10.into(), &40.into(), &0.into()));
    assert!(desk.ticket(&["list", "--open"]).lines().all(|line| !line.contains("T-7")), "it is closed");
    let whole = desk.import(&rows(50, 4));
    assert_eq!((&whole["present"], &whole["events"]), (&50.into(), &0.into()));
    // After a restart it is the same.
    let data = desk.dir.path().join("data");
    desk.server.kill();
    let desk = Desk { server: Server::start(&data), dir: desk.dir };
    let whole = desk.import(&rows(50, 4));
    assert_eq!((&whole["present"], &whole["events"]), (&50.into(), &0.into()));
    // What the table of transitions does not allow happened all the same.
    let odd = desk.import(&rows(50, 5));
    assert_eq!((&odd["grown"], &odd["refused"]), (&50.into(), &0.into()));
    assert!(desk.ticket(&["history", "T-7"]).contains("held"));
}

#[test]
fn broken_rows_are_listed_by_line_and_the_rest_goes_in() {
    let desk = desk();
    let mut log = rows(3, 2);
    log[1] = "T-1,Explode,anna,2012/10/09 08:01:00,north,boiler,Value 2,,,,gold,yes,no".to_owned();
    log.push("T-9,Closed,bob,yesterday,,,,,,,,,".to_owned());
    let told = desk.import(&log);
    assert_eq!((&told["broken"], &told["broken_lines"]), (&2.into(), &serde_json::json!([3, 8])), "{told}");
    assert_eq!(told["broken_reasons"][0]["column"], "Activity");
    assert_eq!((&told["added"], &told["opening_added"]), (&3.into(), &1.into()));
}

#[test]
fn a_dry_run_stores_nothing_and_a_wrong_map_says_which_key() {
    let desk = desk();
    let dry = desk.import_by(MAP, &rows(3, 2), &["--dry-run"]).success();
    let dry: Value = serde_json::from_str(&dry).unwrap();
    assert_eq!((&dry["tickets"], dry.get("added")), (&3.into(), None), "{dry}");
    let real = desk.import(&rows(3, 2));
    assert_eq!(real["added"], 3);
    let map = desk.dir.path().join("map.toml");
    let text = fs::read_to_string(MAP).unwrap().replace("event = \"held\"", "event = \"waits\"");
    fs::write(&map, text).unwrap();
    let refused = desk.import_by(&map.display().to_string(), &rows(1, 1), &[]).failure();
    assert!(
        refused.contains("activity \"Wait\": event is \"waits\"; give one of opened, accepted"),
        "{refused}"
    );
}

#[test]
fn what_is_personal_is_in_no_byte_of_the_folder() {
    let desk = desk();
    let told = desk.import(&rows(5, 3));
    assert_eq!(told["sealed"], 5);
    let data = desk.dir.path().join("data");
    assert_eq!(desk.server.terminate(), Some(0));
    let mut folders = vec![data];
    let mut searched = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            searched += bytes.len();
            for mark in ["Zephyrine", "hums at night", "5550917"] {
                let found = bytes.windows(mark.len()).any(|window| window == mark.as_bytes());
                assert!(!found, "{mark} in {}", path.display());
            }
        }
    }
    assert!(searched > 1_000, "{searched} bytes");
}
