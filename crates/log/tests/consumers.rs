//! What lies on disk of named consumers: restored logs, damaged files, crashes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod suite;

use std::{fs, path::Path};

use pegcount_domain::envelope::Position;
use pegcount_log::{
    ConsumerError, ConsumerHello, ConsumerName, EventLog, Filter, Found, SledLog, SledOptions,
};
use suite::{append, events, in_time, name, plain};

fn open(dir: &Path) -> SledLog {
    SledLog::open(SledOptions::new(dir)).unwrap()
}

fn hello() -> ConsumerHello {
    let named = ConsumerName { site: None, name: name("warehouse") };
    ConsumerHello { name: named, owner: name("etl"), start: Some(Position(1)), filter: Filter::default() }
}

/// A log of so many events, all of them confirmed.
async fn confirmed(dir: &Path, count: u8) {
    let log = open(dir);
    append(&log, plain(events("a", 0..count))).await;
    let mut consumer = log.consume(hello()).await.unwrap();
    let reached = consumer.next().await.unwrap().unwrap().reached;
    consumer.confirm(reached).unwrap();
    log.close().await.unwrap();
}

#[tokio::test]
async fn after_a_restore_a_consumer_begins_after_the_restored_end_and_is_told_until_it_confirms() {
    in_time(async {
        let (old, restored) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        confirmed(old.path(), 9).await;
        // The restored log ends earlier, and is another incarnation.
        let log = open(restored.path());
        append(&log, plain(events("a", 0..4))).await;
        log.close().await.unwrap();
        drop(log);
        fs::copy(old.path().join("CONSUMERS"), restored.path().join("CONSUMERS")).unwrap();

        let log = open(restored.path());
        append(&log, plain(events("b", 0..8))).await;
        let consumer = log.consume(hello()).await.unwrap();
        assert_eq!((consumer.found(), consumer.begun_after()), (Found::Restored, Position(4)));
        drop((consumer, log));
        // Nothing was confirmed: it is told again, and the end of now is not the end that was restored.
        let log = open(restored.path());
        let mut consumer = log.consume(hello()).await.unwrap();
        assert_eq!((consumer.found(), consumer.begun_after()), (Found::Restored, Position(4)));
        let reached = consumer.next().await.unwrap().unwrap().reached;
        consumer.confirm(reached).unwrap();
        assert_eq!(log.consume(hello()).await.unwrap().found(), Found::Kept);
    })
    .await;
}

#[tokio::test]
async fn a_damaged_file_is_named_and_left_alone_and_the_log_goes_on() {
    in_time(async {
        let dir = tempfile::tempdir().unwrap();
        confirmed(dir.path(), 3).await;
        let path = dir.path().join("CONSUMERS");
        let mut bytes = fs::read(&path).unwrap();
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let log = open(dir.path());
        append(&log, plain(events("b", 0..1))).await;
        let error = log.consume(hello()).await.err().unwrap();
        assert!(matches!(error, ConsumerError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("CONSUMERS is damaged (its checksum does not match)"), "{error}");
        assert!(log.consumers().list().is_err());
        log.close().await.unwrap();
        drop(log);
        assert_eq!(fs::read(&path).unwrap(), bytes);
        // Once it is gone, the names begin anew.
        fs::remove_file(&path).unwrap();
        assert_eq!(open(dir.path()).consume(hello()).await.unwrap().found(), Found::New);
    })
    .await;
}

#[tokio::test]
async fn a_new_name_is_on_disk_before_it_is_given_anything() {
    in_time(async {
        let (dir, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let log = open(dir.path());
        append(&log, plain(events("a", 0..3))).await;
        let _consumer = log.consume(ConsumerHello { start: None, ..hello() }).await.unwrap();
        // What a crash at this moment would leave.
        let kept = fs::read(dir.path().join("CONSUMERS")).unwrap();
        fs::write(crashed.path().join("CONSUMERS"), kept).unwrap();
        let after = open(crashed.path());
        assert_eq!(after.consumers().list().unwrap()[0].name, hello().name);
    })
    .await;
}

#[tokio::test]
async fn confirms_are_written_together_and_without_closing() {
    in_time(async {
        let dir = tempfile::tempdir().unwrap();
        let log = open(dir.path());
        let mut consumer = log.consume(hello()).await.unwrap();
        let path = dir.path().join("CONSUMERS");
        let mut texts = std::collections::HashSet::new();
        let mut seen = || {
            let text = fs::read_to_string(&path).unwrap();
            texts.insert(text.clone());
            (text, texts.len())
        };
        for content in 0..200 {
            append(&log, plain(events("a", [content]))).await;
            let reached = consumer.next().await.unwrap().unwrap().reached;
            consumer.confirm(reached).unwrap();
            seen();
        }
        let (mut text, mut writes) = seen();
        while !text.contains("consumer: 200 ") {
            tokio::task::yield_now().await;
            (text, writes) = seen();
        }
        assert!(writes < 50, "200 confirms were written {writes} times");
    })
    .await;
}

#[tokio::test]
async fn a_read_only_log_lists_its_consumers_and_takes_none() {
    in_time(async {
        let dir = tempfile::tempdir().unwrap();
        confirmed(dir.path(), 3).await;
        let before = fs::read(dir.path().join("CONSUMERS")).unwrap();
        let log = SledLog::open(SledOptions { read_only: true, ..SledOptions::new(dir.path()) }).unwrap();
        assert_eq!(log.consumers().list().unwrap()[0].confirmed, Position(3));
        assert!(matches!(log.consume(hello()).await.err().unwrap(), ConsumerError::ReadOnly));
        drop(log);
        assert_eq!(fs::read(dir.path().join("CONSUMERS")).unwrap(), before);
    })
    .await;
}
