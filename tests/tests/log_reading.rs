//! The log read backward and by type, and named consumers, as an operator meets them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::path::Path;

use pegcount_client::{Token, connect};
use pegcount_proto::v1::{
    ConsumeRequest, ConsumerConfirm, ConsumerHello, consume_request::Message,
    consume_response::Message as Answer,
};
use pegcount_tests::{Server, run, workspace};
use serde_json::Value;
use tokio::sync::mpsc;

fn folder(dir: &Path) -> Vec<String> {
    vec!["--data-dir".into(), dir.display().to_string()]
}

fn import(target: &[String]) {
    let file = workspace().join("crates/import/tests/fixtures/bank-small.tsv").display().to_string();
    let arguments = ["import", "bank", &file, "--site", "bank", "--time-zone", "Asia/Jerusalem"];
    run(arguments.map(str::to_owned).iter().chain(target)).success();
}

/// Events that `log tail` prints, as JSON.
fn tail(more: &[&str], target: &[String]) -> Vec<Value> {
    let arguments =
        ["log", "tail", "--format", "json"].into_iter().chain(more.iter().copied()).map(str::to_owned);
    let text = run(arguments.chain(target.iter().cloned())).success();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn consumers(more: &[&str], target: &[String]) -> Value {
    let arguments = ["log", "consumers", "--format", "json"].into_iter().chain(more.iter().copied());
    let text = run(arguments.map(str::to_owned).chain(target.iter().cloned())).success();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_newest_events_of_a_type_come_first_and_a_folder_says_what_a_server_says() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data);
    let target = server.target().to_vec();
    import(&target);
    let all = tail(&["--from", "1"], &target);
    let ended: Vec<_> = all.iter().filter(|event| event["type"] == "contact.ended").cloned().collect();
    assert!(ended.len() > 5);
    let newest = ["--backward", "--type", "contact.ended", "--last", "5"];
    let expected: Vec<_> = ended.iter().rev().take(5).cloned().collect();
    assert_eq!(tail(&newest, &target), expected);
    let from = ended[3]["position"].to_string();
    let before = ["--backward", "--from", &from, "--type", "contact.ended", "--last", "100"];
    let expected: Vec<_> = ended.iter().take(4).rev().cloned().collect();
    assert_eq!(tail(&before, &target), expected);
    assert_eq!(server.terminate(), Some(0));

    let folder = folder(&data);
    assert_eq!(tail(&before, &folder), expected);
    assert_eq!(tail(&["--from", "1", "--type", "contact.ended"], &folder), ended);
    let said =
        run(["log", "tail", "--type", "contact.flew"].map(str::to_owned).iter().chain(&folder)).failure();
    assert!(
        said.contains("there is no type of event `contact.flew`; the types are agent.signed_in"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_is_listed_with_its_lag_survives_a_kill_and_is_forgotten_when_told() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data);
    let target = server.target().to_vec();
    import(&target);
    let nobody = run(["log", "consumers"].map(str::to_owned).iter().chain(&target)).success();
    assert_eq!(nobody.trim(), "nobody follows this log under a name");

    // A consumer confirms its first batch.
    let api = connect(server.url(), &Token::new(server.token()), None).await.unwrap();
    let (say, said) = mpsc::channel(4);
    let hello = ConsumerHello { name: "warehouse".into(), from_position: 1, ..Default::default() };
    let message = |message| ConsumeRequest { message: Some(message) };
    say.send(message(Message::Hello(hello))).await.unwrap();
    let mut answers =
        api.log().consume(tokio_stream::wrappers::ReceiverStream::new(said)).await.unwrap().into_inner();
    let first = loop {
        if let Some(Answer::Batch(batch)) = answers.message().await.unwrap().unwrap().message {
            break batch;
        }
    };
    say.send(message(Message::Confirm(ConsumerConfirm { position: first.last_position }))).await.unwrap();
    let (end, last) = (first.end_position, first.last_position);
    let kept = || std::fs::read_to_string(data.join("log/CONSUMERS")).unwrap_or_default();
    while !kept().contains(&format!("consumer: {last} ")) {
        tokio::task::yield_now().await;
    }
    let listed = consumers(&[], &target);
    assert_eq!(listed[0]["consumer"], "warehouse");
    assert_eq!(listed[0]["confirmed_position"], last);
    assert_eq!(listed[0]["events_behind"], end - last);
    assert_eq!(listed[0]["connected"], true);

    server.kill();
    let folder = folder(&data);
    let after = consumers(&[], &folder);
    assert_eq!((&after[0]["confirmed_position"], &after[0]["connected"]), (&last.into(), &false.into()));
    let table = run(["log", "consumers"].map(str::to_owned).iter().chain(&folder)).success();
    assert!(table.lines().last().unwrap().contains("warehouse"), "{table}");
    assert_eq!(consumers(&["--delete", "warehouse"], &folder), serde_json::json!([]));
    let unknown = ["log", "consumers", "--delete", "warehouse"].map(str::to_owned);
    let said = run(unknown.iter().chain(&folder)).failure();
    assert!(said.contains("there is no consumer */warehouse"), "{said}");
}
