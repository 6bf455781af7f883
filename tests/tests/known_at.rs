//! What was known then, through a real server process: a late fact and an amendment change today's figure, not the one
//! known before them; and each change is listed with its cause.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use pegcount_client::{Api, Token, connect};
use pegcount_domain::time::{Interval, Micros};
use pegcount_proto::v1::{self, contact_fact::Action, fact};
use pegcount_tests::{Csv, Output, Server, run};
use serde_json::Value;

/// Who tells the server of calls.
struct Exchange {
    api: Api,
    seq: u64,
}

impl Exchange {
    async fn of(server: &Server) -> Self {
        let token = std::fs::read_to_string(server.token_file()).unwrap();
        Self { api: connect(server.url(), &Token::new(token), None).await.unwrap(), seq: 1 }
    }

    /// A call that enters `sales` at `at` and gives up a minute later; returns the position of its giving up.
    async fn abandoned(&mut self, contact: &str, at: Micros) -> u64 {
        let later = at.plus(Micros::MINUTE);
        let started = v1::ContactStarted { channel: 1, direction: 1, ..Default::default() };
        let entered = v1::QueueEntered { visit: "1".into(), queue: "sales".into(), priority: 0 };
        let left = v1::QueueLeft { visit: "1".into(), exit: v1::QueueExit::Abandoned.into(), ringing: false };
        let actions = [
            (at, Action::Started(started)),
            (at, Action::QueueEntered(entered)),
            (later, Action::QueueLeft(left)),
            (later, Action::Ended(v1::ContactEnded::default())),
        ];
        let facts = actions.into_iter().zip(self.seq..).map(|((at, action), seq)| {
            let fact = v1::ContactFact { contact: contact.into(), action: Some(action) };
            v1::Fact { seq, source_time_us: at.0, fact: Some(fact::Fact::Contact(fact)) }
        });
        let request = v1::SubmitFactsRequest {
            source: Some(v1::Source { site: "main".into(), source: "pbx".into(), epoch: vec![7; 16].into() }),
            batch: Some(v1::FactBatch { facts: facts.collect(), clock_offset_us: None }),
            ..Default::default()
        };
        self.seq += 4;
        self.api.ingest().submit_facts(request).await.unwrap().into_inner().ack.unwrap().position - 1
    }

    /// Says that the fact at `position` happened at another time.
    async fn amend(&self, position: u64, occurred_at: Micros) -> u64 {
        let request = v1::AmendFactRequest {
            site: "main".into(),
            position,
            occurred_at_us: Some(occurred_at.0),
            reason: "slow clock".into(),
            command_id: vec![9; 16].into(),
            fact: None,
        };
        self.api.ingest().amend_fact(request).await.unwrap().into_inner().position
    }
}

fn ask(command: &str, more: &[&str], target: &[String]) -> Output {
    let words = [command, "--site", "main"].into_iter().chain(more.iter().copied()).map(str::to_owned);
    run(words.chain(target.iter().cloned()))
}

/// RFC 3339 in UTC.
fn text(at: Micros) -> String {
    jiff::Timestamp::from_microsecond(at.0).unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_fact_and_an_amendment_change_todays_figure_and_not_the_one_known_before_them() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let mut exchange = Exchange::of(&server).await;
    // Two hours ago: what comes now comes after its interval has closed.
    let now = Micros(jiff::Timestamp::now().as_microsecond());
    let begin = Interval::containing(now.minus(Micros(2 * Micros::HOUR.0))).start();
    let first = exchange.abandoned("c1", begin).await + 1;
    let left = exchange.abandoned("c2", begin).await;
    let late = left + 1;
    let amended = exchange.amend(left, begin.plus(Micros(5 * Micros::MINUTE.0))).await;
    assert_eq!(amended, late + 1);

    let (from, to) = (text(begin), text(begin.plus(Micros::HOUR)));
    let range = ["--from", &from, "--to", &to];
    let target = server.target();
    let known = |position: u64| {
        let position = position.to_string();
        let columns = ["--format", "csv", "--columns", "abandoned,wait_abandoned", "--known-at", &position];
        let table = Csv::read(&ask("kpi", &[&range[..], &columns].concat(), &target).success());
        [table.only("abandoned").to_owned(), table.only("wait_abandoned_s").to_owned()]
    };
    for (position, expected) in [
        (first, ["1", "60"]),
        (late, ["2", "120"]),
        (amended, ["2", "360"]),
        (first, ["1", "60"]),
        (0, ["0", "0"]),
    ] {
        assert_eq!(known(position), expected, "known at {position}");
    }

    let explain = |more: &[&str]| -> Value {
        let words = [&range[..], &["--column", "wait_abandoned", "--format", "json"], more].concat();
        serde_json::from_str(&ask("explain", &words, &target).success()).unwrap()
    };
    let then = explain(&["--known-at", &late.to_string()]);
    assert_eq!((then["value"].as_i64(), then["item_count"].as_u64()), (Some(120), Some(2)));
    assert_eq!(then["position"].as_u64(), Some(late));
    let before = &then["items"][0]["events"][0]["recorded_at"];
    let nothing = explain(&["--known-at", &text(begin), "--as-of", &to]);
    assert_eq!((nothing["value"].as_i64(), nothing["position"].as_u64()), (Some(0), Some(0)));
    let some = explain(&["--known-at", before.as_str().unwrap()]);
    assert!(
        some["position"].as_u64() >= Some(1),
        "an event is known at the instant of its recording: {some}"
    );
    let beyond = ask("kpi", &[&range[..], &["--known-at", "999"]].concat(), &target).failure();
    assert!(beyond.contains("position 999 lies beyond the next one"), "{beyond}");

    let corrections = |target: &[String]| ask("corrections", &["--format", "csv"], target).success();
    let listed = corrections(&target);
    let row = |position: u64, measure: &str| {
        let is_it =
            |line: &&str| line.starts_with(&format!("{position},")) && line.contains(&format!(",{measure},"));
        listed.lines().find(is_it).map(|line| line.rsplit(',').next().unwrap().to_owned())
    };
    assert_eq!(row(late - 1, "abandoned"), Some("1".to_owned()), "{listed}");
    assert_eq!(row(amended, "wait_abandoned_s"), Some("240".to_owned()), "{listed}");
    assert_eq!(row(amended, "abandoned"), None, "{listed}");
    let shown = ask("corrections", &["--from", &from, "--to", &to], &target).success();
    assert!(shown.contains("+4m00s") && shown.contains("corrections by "), "{shown}");
    let none = ask("corrections", &["--to", &from], &target).success();
    assert!(none.contains("0 corrections by 0 events"), "{none}");

    // The folder says the same once the server is gone.
    assert_eq!(server.terminate(), Some(0));
    let data = ["--data-dir".to_owned(), dir.path().display().to_string()];
    assert_eq!(corrections(&data), listed);
    let columns = ["--format", "csv", "--columns", "wait_abandoned", "--known-at", &late.to_string()];
    let table = Csv::read(&ask("kpi", &[&range[..], &columns].concat(), &data).success());
    assert_eq!(table.only("wait_abandoned_s"), "120");
}

#[test]
fn columns_help_lists_every_column_with_its_unit_and_meaning() {
    let listed = run(["kpi", "--columns", "help", "--format", "csv"]).success();
    let expected = [
        "column,unit,meaning\n",
        "\nabandoned,count,\"Ended by the customer's giving up, ringing included.\"\n",
        "\nwaiting,\"count, at an instant\",Visits that wait at the instant.\n",
        "\naht,duration,(handle_talk + handle_hold + handle_acw) / handled\n",
        "\ncontacts_per_hour,per hour,handled / hours(signed_in_clock - away_clock - lost_clock)\n",
    ];
    for part in expected {
        assert!(listed.contains(part), "without {part:?}:\n{listed}");
    }
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path());
    let words = ["kpi", "--columns", "help", "--format", "csv"].map(str::to_owned);
    assert_eq!(run(words.into_iter().chain(server.target())).success(), listed);
    let shown = run(["kpi", "--columns", "help"]).success();
    assert!(shown.contains("service_level") && shown.contains("columns; `docs/KPIS.md`"), "{shown}");
    let siteless = run(["kpi", "--columns", "aht"]).failure();
    assert!(siteless.contains("--site is missing"), "{siteless}");
}
