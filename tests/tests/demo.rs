//! The first thing that a stranger runs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
};

use pegcount_tests::{Csv, pegcount, run};

/// Ended when dropped.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The number after `name` on a line of figures (`handled 1,204 · …`).
fn figure(line: &str, name: &str) -> Option<u64> {
    let part = line.split('·').find_map(|part| part.trim().strip_prefix(name))?;
    part.trim().replace(',', "").parse().ok()
}

#[test]
fn the_demo_shows_calls_being_handled_then_ends_on_request_and_keeps_its_log() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("demo").display().to_string();
    let mut command = pegcount();
    command.args(["demo", "--speed", "600", "--agents", "12", "--seed", "7", "--data-dir", &data]);
    let mut demo = Demo(command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap());

    // When: it runs until somebody has handled calls.
    let mut lines = BufReader::new(demo.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut said = Vec::new();
    let handled = lines.by_ref().find_map(|line| {
        let handled = figure(&line, "handled").filter(|handled| *handled >= 20);
        said.push(line);
        handled
    });
    let handled = handled.unwrap_or_else(|| panic!("it ended first: {said:#?}"));
    assert!(
        said.iter().any(|line| line.contains("http://127.0.0.1:") && line.contains("/#token=")),
        "{said:#?}"
    );

    // When: Ctrl-C.
    let id = demo.0.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let rest: Vec<_> = lines.collect();
    assert_eq!(demo.0.wait().unwrap().code(), Some(0), "{rest:#?}");
    assert!(rest.iter().any(|line| line.contains(&data)), "says what was kept where: {rest:#?}");

    // Then: the log has it all.
    let (from, to) = ("2000-01-01", "2009-12-31");
    let empty = kpi(&data, from, to);
    assert_eq!(empty.only("handled"), "0", "nothing before its time");
    let today = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).date();
    let [from, to] =
        [today.yesterday(), today.checked_add(jiff::ToSpan::days(30))].map(|day| day.unwrap().to_string());
    let kept = kpi(&data, &from, &to);
    assert!(kept.only("handled").parse::<u64>().unwrap() >= handled);
    for column in ["aht_s", "abandon_rate", "service_level", "contacts_per_hour", "fcr_repeat_form"] {
        assert_ne!(kept.only(column), "", "{column} is absent");
    }
}

fn kpi(data: &str, from: &str, to: &str) -> Csv {
    let arguments = ["kpi", "--site", "demo", "--from", from, "--to", to, "--as-of", to, "--format", "csv"];
    Csv::read(&run(arguments.into_iter().chain(["--data-dir", data])).success())
}

#[test]
fn a_demo_with_a_length_ends_by_itself() {
    let said = run(["demo", "--speed", "60", "--agents", "5", "--for", "2s"]).success();
    assert!(said.contains("handled"), "{said}");
}
