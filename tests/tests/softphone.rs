//! A softphone with a token of its own, and those who look on while it works: watch, log, agents.
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
    path::Path,
    process::{Child, Stdio},
};

use pegcount_client::{Softphone, SourceConfig, Token};
use pegcount_domain::{
    event::{Channel, Direction, LegRef, Party},
    ids::{AgentId, ContactId, LegId, QueueId, ReasonCode, SiteId},
};
use pegcount_tests::{Server, pegcount, run};
use serde_json::Value;

/// A command that goes on until it is dropped, and its lines.
struct Follower {
    child: Child,
    lines: Box<dyn Iterator<Item = Value>>,
}

impl Follower {
    fn start(arguments: &[&str], server: &Server) -> Self {
        let mut command = pegcount();
        command.args(arguments).args(server.target()).args(["--format", "json"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        Self { child, lines: Box::new(lines.map(|line| serde_json::from_str(&line).unwrap())) }
    }

    fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut seen = Vec::new();
        for line in self.lines.by_ref() {
            seen.push(line);
            if seen.last().is_some_and(&wanted) {
                return seen;
            }
        }
        panic!("it ended first: {seen:#?}");
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn anna() -> AgentId {
    AgentId::new("anna").unwrap()
}

fn token(data: &Path) -> Token {
    let data = data.display().to_string();
    let asked =
        ["token", "--data-dir", &data, "--role", "agent", "--site", "main", "--subject", "anna's phone"];
    Token::new(run(asked.into_iter().chain(["--agent", "anna"])).success())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_agent_does_shows_in_the_log_the_watch_and_the_list_of_agents() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data);
    let today = jiff::Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC).date();
    let (from, to) =
        (today.yesterday().unwrap().to_string(), today.tomorrow().unwrap().tomorrow().unwrap().to_string());
    let watch =
        ["watch", "--site", "main", "--by", "agent", "--columns", "handled", "--from", &from, "--to", &to];
    let mut watch = Follower::start(&watch, &server);
    let mut log = Follower::start(&["log", "tail", "--follow", "--from", "1", "--site", "main"], &server);

    // When: anna's softphone, with a token that is good for anna only, takes a call and goes for a meal.
    let config =
        SourceConfig::new(server.url(), token(&data), SiteId::new("main").unwrap(), "phone", dir.path());
    let phone = Softphone::open(config.unwrap(), anna()).unwrap();
    phone.sign_in().unwrap();
    phone.ready().unwrap();
    let call = phone.leg(LegRef {
        contact: ContactId::new("call-1").unwrap(),
        leg: LegId::new("1").unwrap(),
        agent: Some(anna()),
        visit: None,
        queue: Some(QueueId::new("support").unwrap()),
        channel: Some(Channel::Voice),
        direction: Some(Direction::Inbound),
    });
    call.ringing().unwrap();
    call.answered().unwrap();
    call.ended(Party::Customer).unwrap();
    phone.not_ready(&ReasonCode::new("meal").unwrap()).unwrap();
    phone.source().flush().await.unwrap();

    // Then: whoever follows the log sees it all, in order, with who said it.
    let seen = log.until(|event| event["type"] == "agent.not_ready");
    let types: Vec<_> = seen.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let expected =
        ["agent.signed_in", "agent.ready", "leg.ringing", "leg.answered", "leg.ended", "agent.not_ready"];
    assert_eq!(types, expected);
    assert!(seen.iter().all(|event| event["actor"] == "anna's phone"), "{seen:#?}");

    // And: the watch comes to one call handled by anna.
    watch.until(|row| row["agent"] == "anna" && row["handled"] == 1);

    // And: a server that comes again has them go on where they were.
    let port = server.address().rsplit(':').next().unwrap().parse().unwrap();
    assert_eq!(server.terminate(), Some(0));
    let server = Server::start_on(&data, port);
    phone.ready().unwrap();
    phone.source().flush().await.unwrap();
    let seen = log.until(|event| event["type"] == "agent.ready");
    assert_eq!(seen.len(), 1, "{seen:#?}");
    phone.not_ready(&ReasonCode::new("meal").unwrap()).unwrap();
    phone.source().flush().await.unwrap();

    // And: the list says where she is.
    let list = ["agent", "list", "--site", "main", "--present", "--format", "json"].map(str::to_owned);
    let list = run(list.into_iter().chain(server.target())).success();
    let line: Value = serde_json::from_str(list.trim()).unwrap();
    assert_eq!(
        (&line["agent"], &line["session"], &line["clock"]),
        (&Value::from("anna"), &Value::from("signed in"), &Value::from("away (meal)"))
    );
    phone.close().await;
    assert_eq!(server.terminate(), Some(0));
}
