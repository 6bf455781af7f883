#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

//! What the log on sled holds to at its limits.

mod suite;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use pegcount_domain::{envelope::Position, time::Micros};
use pegcount_log::{
    Durability, EventLog, SledLog, SledOptions, blobs_empty,
    limits::{APPEND_EVENTS_MAX, EVENT_BYTES_MAX},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use suite::{all, append, event, events, plain};

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_frames_stay_in_the_file_that_is_synced() {
    let dir = tempfile::tempdir().unwrap();
    let options = SledOptions { durability: Durability::ProcessCrash, ..SledOptions::new(dir.path()) };
    let log = Arc::new(SledLog::open(options.clone()).unwrap());
    let mut random = StdRng::seed_from_u64(7);
    let mut appends = Vec::new();
    // One event fills more than half a frame and cannot be compressed: every frame is as long as can be.
    for _ in 0..12 {
        let mut bulky = plain(vec![event("a", 1); 30]);
        for event in &mut bulky.events {
            event.payload = (0..EVENT_BYTES_MAX - 500).map(|_| random.random()).collect();
        }
        appends.push(bulky);
    }
    let mut pending = Vec::new();
    for bulky in appends {
        pending.push(log.submit(bulky).await.unwrap());
    }
    for pending in pending {
        pending.await.unwrap();
        assert!(blobs_empty(dir.path()).unwrap());
    }
    append(&*log, plain(vec![event("b", 1); APPEND_EVENTS_MAX])).await;
    let before = all(&*log).await;
    drop(log);
    let log = SledLog::open(options).unwrap();
    assert!(blobs_empty(dir.path()).unwrap());
    assert_eq!(all(&log).await, before);
}

#[tokio::test]
async fn recorded_at_never_goes_back_even_if_the_clock_does() {
    let dir = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicI64::new(1_000));
    let clock = {
        let now = Arc::clone(&now);
        Arc::new(move || Micros(now.load(Ordering::SeqCst)))
    };
    let options = SledOptions { clock, ..SledOptions::new(dir.path()) };
    for time in [1_000, 400, 2_000, 10] {
        now.store(time, Ordering::SeqCst);
        let log = SledLog::open(options.clone()).unwrap();
        append(&log, plain(events("a", 0..1))).await;
        now.fetch_sub(300, Ordering::SeqCst);
        append(&log, plain(events("a", 1..2))).await;
    }
    let log = SledLog::open(options).unwrap();
    let times: Vec<_> = all(&log).await.iter().map(|event| event.recorded_at.0).collect();
    assert_eq!(times, [1_000, 1_000, 1_000, 1_000, 2_000, 2_000, 2_000, 2_000]);
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_read_while_it_grows() {
    let dir = tempfile::tempdir().unwrap();
    let options = SledOptions { durability: Durability::ProcessCrash, ..SledOptions::new(dir.path()) };
    let log = SledLog::open(options.clone()).unwrap();
    for _ in 0..20 {
        append(&log, plain(vec![event("a", 1); 1_000])).await;
    }
    drop(log);
    // Opened again, so that nothing of it is in memory.
    let log = Arc::new(SledLog::open(options).unwrap());
    let writer = {
        let log = Arc::clone(&log);
        tokio::spawn(async move {
            for _ in 0..20 {
                append(&*log, plain(vec![event("b", 1); 1_000])).await;
            }
        })
    };
    let mut subscription = log.subscribe(Position(501));
    let got = suite::take(&mut subscription, 39_500).await;
    suite::assert_dense(&got, 501);
    writer.await.unwrap();
}
