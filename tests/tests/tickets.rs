//! Tickets as those who work on them meet them: the real server, the command line.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use pegcount_tests::{Csv, Output, Server, run};
use serde_json::Value;

fn ticket(server: &Server, words: &[&str]) -> Output {
    let words = ["ticket"].iter().chain(words).map(|word| (*word).to_owned());
    let site = ["--site".to_owned(), "main".to_owned()];
    run(words.chain(site).chain(server.target()))
}

fn done(server: &Server, words: &[&str]) -> String {
    ticket(server, words).success()
}

fn json(server: &Server, words: &[&str]) -> Value {
    let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
    let text = done(server, &words);
    serde_json::from_str(text.lines().next().unwrap()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_ticket_goes_from_its_opening_to_its_end_and_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data);
    done(&server, &["open", "T-17", "--kind", "repair", "--urgency", "urgent", "--caller", "+49 30 1"]);
    assert!(ticket(&server, &["open", "T-17", "--kind", "repair"]).failure().contains("exists already"));
    done(&server, &["accept", "T-17", "--owner", "anna"]);
    done(&server, &["classify", "T-17", "--category", "pipes"]);
    let seen = json(&server, &["show", "T-17"]);
    let version = seen["version"].as_u64().unwrap().to_string();
    done(&server, &["note", "T-17", "--text", "s_reference"]);
    let stale = ticket(&server, &["resolve", "T-17", "--way", "alone", "--expected", &version]).failure();
    assert!(stale.contains("note") && stale.contains(&version), "{stale}");
    server.kill();
    let server = Server::start(&data);
    done(&server, &["resolve", "T-17", "--way", "alone"]);
    done(&server, &["close", "T-17"]);
    let history = done(&server, &["history", "T-17"]);
    for word in ["opened", "accepted", "classified", "noted", "resolved", "closed"] {
        assert!(history.contains(word), "{word}: {history}");
    }
    done(&server, &["open", "T-18", "--kind", "complaint"]);
    let open = done(&server, &["list", "--open"]);
    assert!(open.contains("T-18") && !open.contains("T-17"), "{open}");
    assert!(ticket(&server, &["show", "T-99"]).failure().contains("there is no ticket T-99"));
}

#[test]
fn two_tickets_become_one_or_stay_two() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"));
    for id in ["T-1", "T-2", "T-3"] {
        done(&server, &["open", id, "--kind", "fault"]);
    }
    done(&server, &["merge", "T-2", "--into", "T-1"]);
    let gone = ticket(&server, &["accept", "T-2", "--owner", "anna"]).failure();
    assert!(gone.contains("merged"), "{gone}");
    let refused = ticket(&server, &["merge", "T-3", "--into", "T-2"]).failure();
    assert!(refused.contains("merged"), "{refused}");
    assert_eq!(json(&server, &["show", "T-3"])["version"], 1, "neither of the two has changed");
    done(&server, &["link", "T-3", "--to", "T-1", "--how", "parent"]);
    let circle = ticket(&server, &["link", "T-1", "--to", "T-3", "--how", "parent"]).failure();
    assert!(circle.contains("T-3") && circle.contains("T-1"), "{circle}");
}

/// From when on, and to when: whatever the day is.
const RANGE: [&str; 4] = ["--from", "2026-01-01", "--to", "2035-12-31"];

fn figures(server: &Server, more: &[&str]) -> Csv {
    let words = ["kpi", "--site", "main", "--format", "csv"].iter().chain(&RANGE).chain(more);
    Csv::read(&run(words.map(|word| (*word).to_owned()).chain(server.target())).success())
}

#[test]
fn figures_of_tickets_are_cut_by_what_they_are_about_and_survive_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data);
    for (id, category) in [("T-1", "pipes"), ("T-2", "pipes"), ("T-3", "roof")] {
        done(&server, &["open", id, "--kind", "repair", "--region", "harbour"]);
        done(&server, &["accept", id, "--owner", "anna"]);
        done(&server, &["classify", id, "--category", category]);
    }
    for id in ["T-1", "T-3"] {
        done(&server, &["resolve", id, "--way", "alone", "--agent", "anna"]);
    }
    done(&server, &["reopen", "T-3", "--reason", "leaks", "--rework"]);
    let check = |server: &Server| {
        let by_category = figures(server, &["--by", "category"]);
        let of = |category, column| by_category.of("category", category, column).to_owned();
        let counts = ["opened", "resolved", "reworked", "backlog", "opened_valid", "opened_valid_resolved"];
        assert_eq!(counts.map(|column| of("pipes", column)), ["2", "1", "0", "1", "2", "1"]);
        assert_eq!(counts.map(|column| of("roof", column)), ["1", "1", "1", "1", "1", "0"]);
        let by_region = figures(server, &["--by", "region"]);
        assert_eq!(by_region.of("region", "harbour", "opened"), "3");
        by_category
    };
    let before = check(&server);
    server.kill();
    let server = Server::start(&data);
    let after = check(&server);
    assert_eq!(before.column("target_met_accept"), after.column("target_met_accept"));
    let words = ["explain", "--site", "main", "--column", "rework_rate"].iter().chain(&RANGE);
    let explained = run(words.map(|word| (*word).to_owned()).chain(server.target())).success();
    assert!(explained.contains("reworked") && explained.contains("resolved"), "{explained}");
}
