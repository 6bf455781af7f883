//! A customer's story over calls and tickets: the real server, the command line, a restart, sealed history.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::{fs, path::PathBuf};

use pegcount_proto::v1::{self, contact_fact::Action};
use pegcount_tests::{Output, Server, run, run_with};
use serde_json::Value;
use tempfile::TempDir;

const NUMBER: &str = "+49 30 5550917";
/// 2026-03-01 09:00 UTC.
const MORNING_US: i64 = 1_772_355_600_000_000;
const MINUTE_US: i64 = 60_000_000;

struct Desk {
    server: Server,
    data: PathBuf,
    dir: TempDir,
}

fn desk() -> Desk {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    Desk { server: Server::start(&data), data, dir }
}

impl Desk {
    fn words(&self, (name, role): (&str, &str), words: &[&str]) -> Vec<String> {
        let data = self.data.display().to_string();
        let file = self.dir.path().join(format!("{name}.token"));
        let token = ["token", "--data-dir", &data, "--subject", name, "--role", role, "--site", "main"];
        fs::write(&file, run(token).success()).unwrap();
        let more = ["--site", "main", "--server", self.server.url(), "--token-file"];
        let mut all: Vec<String> = words.iter().chain(&more).map(|word| (*word).to_owned()).collect();
        all.push(file.display().to_string());
        all
    }

    fn ask(&self, who: (&str, &str), words: &[&str]) -> Output {
        run(self.words(who, words))
    }

    fn timeline(&self, who: (&str, &str), customer: &str, more: &[&str]) -> Vec<Value> {
        let words = ["customer", "timeline", customer, "--purpose", "complaint", "--json"];
        let words: Vec<&str> = words.iter().chain(more).copied().collect();
        let text = self.ask(who, &words).success();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn customer(&self) -> String {
        let words = self.words(STEWARD, &["customer", "find", "-", "--json"]);
        let found: Value = serde_json::from_str(&run_with(words, NUMBER).success()).unwrap();
        found["customer"].as_str().unwrap().to_owned()
    }

    /// Calls of the customer: one that an agent answers, one that the customer gives up, one that goes on; an hour apart.
    async fn calls(&self) {
        let token = pegcount_client::Token::new(self.server.token());
        let api = pegcount_client::connect(self.server.url(), &token, None).await.unwrap();
        let mut facts = Vec::new();
        for (hour, call) in (0..).zip(["answered", "abandoned", "open"]) {
            let at = MORNING_US + hour * 60 * MINUTE_US;
            let started = v1::ContactStarted {
                channel: 1,
                direction: 1,
                caller: NUMBER.into(),
                entry: "hotline".into(),
                ..Default::default()
            };
            let entered =
                v1::QueueEntered { visit: "1".into(), queue: "support".into(), ..Default::default() };
            let left =
                |exit| Action::QueueLeft(v1::QueueLeft { visit: "1".into(), exit, ..Default::default() });
            let leg = |step| {
                Action::Leg(v1::Leg {
                    leg: "1".into(),
                    agent: "anna".into(),
                    visit: "1".into(),
                    queue: "support".into(),
                    step: Some(step),
                    ..Default::default()
                })
            };
            let ended = || Action::Ended(v1::ContactEnded { by: 2, ..Default::default() });
            let mut actions = vec![Action::Started(started), Action::QueueEntered(entered)];
            match call {
                "answered" => actions.extend([
                    left(1),
                    leg(v1::leg::Step::Answered(v1::Nothing {})),
                    leg(v1::leg::Step::Ended(v1::LegEnded { by: 2, ..Default::default() })),
                    ended(),
                ]),
                "abandoned" => actions.extend([left(2), ended()]),
                _ => {}
            }
            facts.extend((0..).zip(actions).map(|(minute, action)| {
                (at + minute * MINUTE_US, v1::ContactFact { contact: call.into(), action: Some(action) })
            }));
        }
        let facts = (1..).zip(facts).map(|(seq, (at, fact))| v1::Fact {
            seq,
            source_time_us: at,
            fact: Some(v1::fact::Fact::Contact(fact)),
        });
        let source = v1::Source { site: "main".into(), source: "pbx".into(), epoch: vec![7; 16].into() };
        let submit = v1::SubmitFactsRequest {
            source: Some(source),
            batch: Some(v1::FactBatch { facts: facts.collect(), ..Default::default() }),
            ..Default::default()
        };
        let answer = api.ingest().submit_facts(submit).await.unwrap().into_inner();
        assert_eq!(answer.ack.unwrap().refusals, []);
    }
}

const STEWARD: (&str, &str) = ("steward", "data_steward");
const BOB: (&str, &str) = ("bob", "ticket_owner");
const ROOT: (&str, &str) = ("root", "administrator");

fn told(entries: &[Value]) -> Vec<String> {
    let one = |entry: &Value| {
        let id = entry.get("contact").or(entry.get("ticket")).unwrap().as_str().unwrap();
        let stands = entry.get("outcome").or(entry.get("status")).unwrap().as_str().unwrap_or("-");
        format!("{id} {stands}")
    };
    entries.iter().map(one).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_and_tickets_are_one_story_that_survives_a_restart_and_sealing() {
    let desk = desk();
    desk.calls().await;
    for words in [
        &["ticket", "open", "T-1", "--kind", "complaint", "--caller", NUMBER][..],
        &["ticket", "accept", "T-1", "--owner", "bob"],
        &["ticket", "open", "T-2", "--kind", "repair", "--caller", "+49 30 1"],
    ] {
        desk.ask(ROOT, words).success();
    }
    let customer = desk.customer();
    let expected = ["answered answered", "abandoned abandoned", "open open", "T-1 accepted"];
    let story = desk.timeline(STEWARD, &customer, &[]);
    assert_eq!(told(&story), expected);
    assert_eq!(
        (&story[0]["agent"], &story[0]["queue"], &story[0]["channel"], &story[0]["entry"]),
        (&"anna".into(), &"support".into(), &"voice".into(), &"hotline".into()),
        "{}",
        story[0]
    );
    let newest = desk.timeline(STEWARD, &customer, &["--newest-first", "--limit", "2"]);
    assert_eq!(told(&newest), ["T-1 accepted", "open open"]);

    // From then on in a segment, and folded anew.
    let Desk { server, data, dir } = desk;
    assert_eq!(server.terminate(), Some(0));
    run(["log", "seal", "--data-dir", &data.display().to_string()]).success();
    let desk = Desk { server: Server::start(&data), data, dir };
    assert_eq!(told(&desk.timeline(STEWARD, &customer, &[])), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_is_told_to_those_who_may_and_each_look_is_on_record() {
    let desk = desk();
    desk.calls().await;
    let customer = desk.customer();
    let words = ["customer", "timeline", &customer, "--purpose", "complaint"];
    assert!(desk.ask(ROOT, &words).failure().contains("the role administrator"));
    let refused = desk.ask(BOB, &words).failure();
    assert!(refused.contains("bob has no access to this customer's file now"), "{refused}");
    // Who answers for an open ticket of the customer may, as long as it is open.
    for words in [
        &["ticket", "open", "T-1", "--kind", "complaint", "--caller", NUMBER][..],
        &["ticket", "accept", "T-1", "--owner", "bob"],
        &["ticket", "classify", "T-1", "--category", "pipes"],
    ] {
        desk.ask(ROOT, words).success();
    }
    assert!(desk.ask(BOB, &words).success().contains("ticket T-1"));
    desk.ask(ROOT, &["ticket", "resolve", "T-1", "--way", "alone"]).success();
    assert!(desk.ask(BOB, &words).failure().contains("no access"));
    let shown = desk.ask(STEWARD, &["customer", "show", &customer]).success();
    assert!(shown.contains("it was read once"), "{shown}");
    desk.ask(STEWARD, &["customer", "erase", &customer, "--reason", "asked_for", "--yes"]).success();
    assert!(desk.ask(STEWARD, &words).failure().contains("was erased"));
}
