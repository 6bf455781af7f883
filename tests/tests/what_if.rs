//! Deadline policies tried on the past by the command line, over a real server: every number worked out by hand.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::{fs, path::PathBuf};

use pegcount_tests::{Csv, Output, Server, run};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What each word of the file means.
const MAP: &str = r#"
[columns]
ticket = "Ticket"
kind = "Kind"
activity = "Activity"
time = "Time"

[time]
format = "%Y-%m-%d %H:%M"
zone = "Asia/Shanghai"

[defaults]
kind = "inquiry"
reason = "imported"
agent = "anna"
"#;
const ACTIVITIES: [&str; 7] = ["opened", "informed", "held", "resumed", "resolved", "reopened", "cancelled"];

/// October 8 2012 is a Monday. The office works Monday to Friday, 9 to 17 in Shanghai: 8 h a day.
const ROWS: &str = "\
Ticket,Kind,Activity,Time
F,inquiry,opened,2012-10-01 09:00
F,inquiry,resolved,2012-10-01 10:00
A,complaint,opened,2012-10-08 09:00
A,complaint,resolved,2012-10-08 15:00
B,inquiry,opened,2012-10-08 10:00
B,inquiry,informed,2012-10-08 11:00
B,inquiry,resolved,2012-10-10 12:00
C,inquiry,opened,2012-10-12 16:00
C,inquiry,informed,2012-10-12 17:00
C,inquiry,held,2012-10-15 09:00
C,inquiry,resumed,2012-10-16 09:00
C,inquiry,resolved,2012-10-17 12:00
D,inquiry,opened,2012-10-08 12:00
E,complaint,opened,2012-10-10 09:00
E,complaint,resolved,2012-10-10 10:30
E,complaint,reopened,2012-10-11 09:00
E,complaint,resolved,2012-10-12 10:00
H,inquiry,opened,2012-10-16 10:00
H,inquiry,cancelled,2012-10-16 11:00
I,inquiry,opened,2012-10-17 09:00
I,inquiry,resolved,2012-10-19 10:00
G,inquiry,opened,2012-10-22 00:00
G,inquiry,resolved,2012-10-22 01:00
";

const SITE: &str = r#"
[site]
name = "main"
time_zone = "Asia/Shanghai"

[[calendar]]
calendar = "office"
time_zone = "Asia/Shanghai"
windows = [{ days = ["monday", "tuesday", "wednesday", "thursday", "friday"], from = "09:00", to = "17:00" }]
"#;

const IN_FORCE: &str = r#"
[[ticket_policies]]
[[ticket_policies.policy]]
name = "any"
[[ticket_policies.policy.target]]
target = "first response"
within = "4h"
[[ticket_policies.policy.target]]
target = "resolve"
within = "16h"
calendar = "office"
"#;

/// Complaints are settled faster, all else may take longer, and what waits does not count.
const TRIED: &str = r#"
[site]
name = "main"
time_zone = "Asia/Shanghai"

[[ticket_policies]]
[[ticket_policies.policy]]
name = "complaints"
kinds = ["complaint"]
[[ticket_policies.policy.target]]
target = "resolve"
within = "4h"
calendar = "office"
[[ticket_policies.policy]]
name = "any"
[[ticket_policies.policy.target]]
target = "first response"
within = "4h"
[[ticket_policies.policy.target]]
target = "resolve"
within = "24h"
calendar = "office"
pauses = ["on hold"]
"#;

struct Desk {
    server: Server,
    dir: TempDir,
}

fn desk() -> Desk {
    let dir = tempfile::tempdir().unwrap();
    let desk = Desk { server: Server::start(&dir.path().join("data")), dir };
    let activities = ACTIVITIES.map(|word| format!("[[activity]]\nvalue = \"{word}\"\nevent = \"{word}\"\n"));
    let map = desk.file("map.toml", &[MAP, &activities.concat()]);
    let rows = desk.file("desk.csv", &[ROWS]);
    let site = desk.file("site.toml", &[SITE, IN_FORCE]);
    desk.run(&["apply", &site, "--yes"]).success();
    let told = desk.run(&["import", "tickets", &rows, "--site", "main", "--map", &map, "--format", "json"]);
    let told: Value = serde_json::from_str(&told.success()).unwrap();
    assert_eq!((&told["added"], &told["broken"]), (&json!(9), &json!(0)), "{told}");
    desk
}

impl Desk {
    fn file(&self, name: &str, parts: &[&str]) -> String {
        let path: PathBuf = self.dir.path().join(name);
        fs::write(&path, parts.concat()).unwrap();
        path.display().to_string()
    }

    fn run(&self, words: &[&str]) -> Output {
        run(words.iter().map(|word| (*word).to_owned()).chain(self.server.target()))
    }

    /// On what was opened in the two weeks from Monday the 8th on.
    fn what_if(&self, words: &[&str]) -> Output {
        let range = ["--site", "main", "--from", "2012-10-08", "--to", "2012-10-22"];
        let zone = ["--time-zone", "Asia/Shanghai"];
        self.run(&[&["ticket", "what-if"], words, &range, &zone].concat())
    }

    /// The tickets that differ, and the summary.
    fn told(&self, words: &[&str]) -> (Vec<Value>, Value) {
        let text = self.what_if(&[words, &["--json"]].concat()).success();
        let mut lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let last = lines.pop().expect("a summary");
        (lines, last["summary"].clone())
    }
}

/// Met, breached, withdrawn; nothing runs, and all can be reckoned.
fn fates([met, breached, withdrawn]: [u64; 3]) -> Value {
    json!({ "met": met, "breached": breached, "running": 0, "withdrawn": withdrawn, "unreckonable": 0 })
}

fn target(target: &str, was: [u64; 3], would: [u64; 3], [spared, struck]: [u64; 2]) -> Value {
    json!({ "target": target, "was": fates(was), "would": fates(would), "spared": spared, "struck": struck })
}

fn ids(tickets: &[Value]) -> Vec<&str> {
    tickets.iter().map(|ticket| ticket["ticket"].as_str().unwrap()).collect()
}

#[test]
fn other_policies_are_tried_on_the_past_and_change_nothing() {
    let desk = desk();
    let file = desk.file("tried.toml", &[TRIED]);
    let (tickets, summary) = desk.told(&[&file]);
    // First responses: A is answered when it is settled, 6 h after its opening, I two days after, D never.
    // Resolve, really: 16 h of work from Monday 10:00 are over on Wednesday at 10:00 (B), from Friday 16:00 on Tuesday at 16:00 (C),
    // from Wednesday 9:00 on Thursday at 17:00 (I). Tried: A's 4 h end on Monday at 13:00, E's second ones on Thursday at 13:00; B's
    // 24 h on Thursday at 10:00; C's begin on Friday at 16:00, stand all Monday, and end on Thursday at 16:00; I's on Friday at 17:00.
    assert_eq!(
        summary["targets"],
        json!([
            target("first response", [4, 3, 0], [4, 3, 0], [0, 0]),
            target("resolve", [3, 4, 1], [4, 3, 1], [3, 2]),
        ]),
        "{summary}"
    );
    assert_eq!((&summary["tickets"], &summary["differing"]), (&json!(7), &json!(5)));
    let mut differ = ids(&tickets);
    differ.sort_unstable();
    assert_eq!(differ, ["A", "B", "C", "E", "I"]);
    let of = |id: &str| tickets.iter().find(|ticket| ticket["ticket"] == id).unwrap()["activations"].clone();
    assert_eq!(
        of("C"),
        json!([{
            "target": "resolve",
            "activated": "2012-10-12T16:00:00+08:00",
            "was": { "fate": "breached", "due": "2012-10-16T16:00:00+08:00", "ended": "2012-10-17T12:00:00+08:00" },
            "would": { "fate": "met", "due": "2012-10-18T16:00:00+08:00", "ended": "2012-10-17T12:00:00+08:00" },
        }])
    );
    // Of E the first time is as it was, and the second one is not.
    assert_eq!(of("E").as_array().unwrap().len(), 1);
    assert_eq!(of("E")[0]["activated"], "2012-10-11T09:00:00+08:00");
    assert_eq!(of("E")[0]["would"]["due"], "2012-10-11T13:00:00+08:00");

    // What really was is what the figures say, with the two that were opened before and after: their four targets were met.
    let words = ["kpi", "--site", "main", "--from", "2012-10-01", "--to", "2013-01-01", "--format", "csv"];
    let kpis = Csv::read(&desk.run(&words).success());
    let of = |column: &str| kpis.column(column)[0].to_owned();
    assert_eq!([of("target_met_resolve"), of("target_breached_resolve")], ["5", "4"]);
    assert_eq!([of("target_met_first_response"), of("target_breached_first_response")], ["6", "3"]);

    // Nothing was written, and after a kill it is the same.
    let data = desk.dir.path().join("data");
    desk.server.kill();
    let desk = Desk { server: Server::start(&data), dir: desk.dir };
    let (again, after) = desk.told(&[&file]);
    assert_eq!(again, tickets);
    assert_eq!((&after["targets"], &after["position"]), (&summary["targets"], &summary["position"]));

    let table = desk.what_if(&[&file, "--limit", "2"]).success();
    assert!(table.contains("5 would have ended otherwise, 3 of them not shown"), "{table}");
    assert!(table.contains("spared") && table.contains("struck"), "{table}");
}

#[test]
fn a_set_that_is_defined_already_the_standard_one_and_a_single_policy_can_be_tried() {
    let desk = desk();
    let (same, summary) = desk.told(&[]);
    assert_eq!((same.len(), &summary["differing"]), (0, &json!(0)), "the only set is the one in force");
    assert_eq!(desk.told(&["--set", "1970-01-01T00:00:00Z"]).1["targets"], summary["targets"]);

    // By the standard set complaints are answered within 3 working days, all else within 2, and looked into on the same day; nothing has
    // to be settled. A, E and H were looked into, or given up, on their first day.
    let (_, summary) = desk.told(&["--set", "standard"]);
    assert_eq!(
        summary["targets"],
        json!([
            target("first response", [4, 3, 0], [6, 1, 0], [2, 0]),
            target("investigate", [0, 0, 0], [2, 4, 1], [0, 4]),
            target("resolve", [3, 4, 1], [0, 0, 0], [4, 0]),
        ])
    );
    let file = desk.file("tried.toml", &[TRIED]);
    let (_, summary) = desk.told(&[&file, "--policy", "complaints"]);
    assert_eq!(summary["targets"][1], target("resolve", [3, 4, 1], [1, 2, 0], [4, 2]));
}

#[test]
fn a_calendar_of_the_file_counts_though_nobody_has_defined_it() {
    let desk = desk();
    let nights = "[[calendar]]\ncalendar = \"nights\"\ntime_zone = \"Asia/Shanghai\"\n\
                  windows = [{ days = [\"monday\"], from = \"22:00\", to = \"23:00\" }]\n\
                  [[ticket_policies]]\n[[ticket_policies.policy]]\nname = \"any\"\n\
                  [[ticket_policies.policy.target]]\ntarget = \"resolve\"\nwithin = \"1h\"\ncalendar = \"nights\"\n";
    let file = desk.file("nights.toml", &[nights]);
    let (_, summary) = desk.told(&[&file]);
    // All of it is due on the next Monday at 23:00; B, C and D were not settled by then.
    assert_eq!(summary["targets"][1], target("resolve", [3, 4, 1], [4, 3, 1], [1, 0]));
    let nowhere = desk.file("nowhere.toml", &[&nights[nights.find("[[ticket").unwrap()..]]);
    let refused = desk.what_if(&[&nowhere]).failure();
    let wanted = "line 7: policy any: resolve: calendar is `nights`, and no calendar of that name is defined";
    assert!(refused.contains(wanted), "the tried calendar was not kept: {refused}");
}

#[test]
fn what_cannot_be_tried_is_refused_with_what_would_do() {
    let desk = desk();
    let refused = |words: &[&str]| desk.what_if(words).failure();
    let file = desk.file("tried.toml", &[TRIED]);
    let unnamed = refused(&[&file, "--policy", "praise"]);
    assert!(unnamed.contains("--policy praise is not in the set; it has: complaints, any"), "{unnamed}");
    let empty = desk.file("empty.toml", &["[site]\nname = \"main\"\n"]);
    let empty = refused(&[&empty]);
    assert!(empty.contains("empty.toml holds no [[ticket_policies]]: there is nothing to try"), "{empty}");
    let elsewhere = refused(&["--set", "2012-01-01"]);
    assert!(
        elsewhere.contains("--set 2012-01-01 is no set of ticket policies; there are those"),
        "{elsewhere}"
    );
    let other = desk.file("other.toml", &[&TRIED.replace("\"main\"", "\"south\"")]);
    let other = refused(&[&other]);
    assert!(other.contains("--site is main, and") && other.contains("is for south"), "{other}");
    let missing = refused(&["no-such.toml"]);
    assert!(missing.contains("read no-such.toml"), "{missing}");
    let range = ["--site", "main", "--from", "2012-10-08", "--to", "2012-10-08"];
    let backwards = desk.run(&[&["ticket", "what-if", &file][..], &range].concat()).failure();
    assert!(backwards.contains("does not lie after --from"), "{backwards}");
    let range = ["--site", "south", "--from", "2012-10-08", "--to", "2012-10-22"];
    let none = desk.run(&[&["ticket", "what-if"][..], &range].concat()).failure();
    assert!(none.contains("south has no ticket policies of its own: name a site's file"), "{none}");
    let days = desk
        .file("days.toml", &[&TRIED.replace("within = \"24h\"\ncalendar = \"office\"", "working_days = 3")]);
    let days = refused(&[&days]);
    assert!(days.contains("counts working days by calendar time"), "{days}");
}
