//! Pages that are damaged, cut, of another segment or another log, or not there, change no answer and are made again;
//! drafts leave nothing behind; what is not worth a page has none.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use pegcount_domain::{
    envelope::{Position, Version},
    time::Micros,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{
    SledLog, SledOptions,
    tests::{event, one, stream},
};
use crate::{
    api::{Append, Durability, EventLog, NewEvent},
    clock::Clock,
    pages::{PageRule, pages_path},
    retention::Archive,
    stream::Direction,
};

const STREAMS: u64 = 5;
/// Each stream has one event in each frame.
const FRAMES: u64 = 120;

fn options(dir: &Path) -> SledOptions {
    SledOptions { seal_bytes: u64::MAX, durability: Durability::ProcessCrash, ..SledOptions::new(dir) }
}

/// Pages of some ten events.
fn short_pages() -> PageRule {
    PageRule { bytes_max: 3_000, ..PageRule::default() }
}

fn id(number: u64) -> String {
    format!("agent {number}")
}

/// One event of each stream.
fn round(number: u64) -> Append {
    let say = |stream: u64| NewEvent {
        payload: [number.to_le_bytes(), stream.to_le_bytes()].concat().into(),
        ..event(&id(stream), 3)
    };
    Append { events: (0..STREAMS).map(say).collect(), ..one("a") }
}

async fn fill(log: &SledLog, rounds: std::ops::Range<u64>) {
    for number in rounds {
        log.append(round(number)).await.unwrap();
    }
}

/// Every stream read forward and backward gives what went in and was not dropped. How many of the parts were pages.
async fn reads(log: &SledLog, rounds: u64) -> usize {
    let mut pages = 0;
    let gone = (log.first().0 - 1) / STREAMS;
    for stream_number in 0..STREAMS {
        for direction in [Direction::Forward, Direction::Backward] {
            let (mut next, mut got) =
                (Some(Version(if direction == Direction::Forward { gone + 1 } else { rounds })), Vec::new());
            while let Some(from) = next {
                let page = log.read_stream(&stream(&id(stream_number)), from, direction, 70).await.unwrap();
                got.extend(page.events().map(|(_, event)| {
                    (event.envelope.version.0, event.envelope.position.0, event.envelope.payload.to_vec())
                }));
                // A frame holds an event of every stream.
                pages += page.parts.iter().filter(|part| part.frame().streams().len() == 1).count();
                next = page.next;
            }
            if direction == Direction::Backward {
                got.reverse();
            }
            let expected = (gone..rounds).map(|number| {
                let payload = [number.to_le_bytes(), stream_number.to_le_bytes()].concat();
                (number + 1, number * STREAMS + stream_number + 1, payload)
            });
            assert!(got.into_iter().eq(expected), "stream {stream_number}, {direction:?}");
        }
    }
    pages
}

/// Files of pages in a folder, drafts included.
fn files(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<_> = names.filter(|name| name.starts_with("pages-")).collect();
    files.sort();
    files
}

/// Two segments and something hot, all of it in pages.
async fn made(dir: &Path) -> SledOptions {
    let options = SledOptions { page_rule: short_pages(), ..options(dir) };
    let log = SledLog::open(options.clone()).unwrap();
    for sealed in 0..2 {
        fill(&log, sealed * FRAMES..(sealed + 1) * FRAMES).await;
        log.seal().await.unwrap().unwrap();
    }
    fill(&log, 2 * FRAMES..3 * FRAMES).await;
    log.paged().await;
    assert_eq!(files(dir), ["pages-000001", "pages-000002", "pages-000003.new"]);
    assert!(reads(&log, 3 * FRAMES).await > 100);
    log.close().await.unwrap();
    drop(log);
    assert_eq!(files(dir), ["pages-000001", "pages-000002"], "a draft goes with its log");
    options
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_that_cannot_be_used_change_no_answer_and_are_made_again() {
    let seed = getrandom::u64().unwrap();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let dir = tempfile::tempdir().unwrap();
    let options = made(dir.path()).await;
    let path = pages_path(dir.path(), 1);
    let whole = fs::read(&path).unwrap();
    let mut spoilt: Vec<(String, Option<Vec<u8>>)> = Vec::new();
    for _ in 0..25 {
        let (index, bit) = (random.random_range(0..whole.len()), random.random_range(0..8));
        let mut bytes = whole.clone();
        bytes[index] ^= 1 << bit;
        spoilt.push((format!("byte {index} of {}", whole.len()), Some(bytes)));
    }
    for length in [0, 1, 63, 64, whole.len() / 2, whole.len() - 1] {
        spoilt.push((format!("cut to {length}"), Some(whole[..length].to_vec())));
    }
    spoilt.push(("of the other segment".to_owned(), Some(fs::read(pages_path(dir.path(), 2)).unwrap())));
    let other = tempfile::tempdir().unwrap();
    made(other.path()).await;
    spoilt.push(("of another log".to_owned(), Some(fs::read(pages_path(other.path(), 1)).unwrap())));
    spoilt.push(("zeros".to_owned(), Some(vec![0; whole.len()])));
    spoilt.push(("missing".to_owned(), None));
    for (what, bytes) in spoilt {
        match bytes {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let log = SledLog::open(options.clone()).unwrap();
        reads(&log, 3 * FRAMES).await;
        log.paged().await;
        // What is wrong with a page shows when it is read, and not before.
        assert!(reads(&log, 3 * FRAMES).await > 100, "{what}");
        log.paged().await;
        drop(log);
        assert_eq!(fs::read(&path).unwrap(), whole, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_is_damaged_changes_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    let options = SledOptions { page_rule: short_pages(), ..options(dir.path()) };
    let log = SledLog::open(options.clone()).unwrap();
    fill(&log, 0..FRAMES).await;
    log.paged().await;
    assert!(reads(&log, FRAMES).await > 20);
    let path: PathBuf = dir.path().join("pages-000001.new");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, vec![7; bytes.len()]).unwrap();
    reads(&log, FRAMES).await;
    fill(&log, FRAMES..2 * FRAMES).await;
    log.paged().await;
    assert_eq!(reads(&log, 2 * FRAMES).await, 0, "it says nothing any more");
    log.seal().await.unwrap().unwrap();
    log.paged().await;
    assert!(reads(&log, 2 * FRAMES).await > 50, "the segment has its pages all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_process_leaves_of_drafts_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let options = made(dir.path()).await;
    fs::write(dir.path().join("pages-000003.new"), b"half a page").unwrap();
    fs::write(dir.path().join("pages-000009"), b"of no segment").unwrap();
    let log = SledLog::open(options).unwrap();
    log.paged().await;
    assert_eq!(files(dir.path()), ["pages-000001", "pages-000002", "pages-000003.new"]);
    assert!(reads(&log, 3 * FRAMES).await > 100);
    drop(log);
    assert_eq!(files(dir.path()), ["pages-000001", "pages-000002"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_without_pages_makes_none_and_reads_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let options = made(dir.path()).await;
    let log = SledLog::open(SledOptions { page_memory_bytes: 0, ..options.clone() }).unwrap();
    log.paged().await;
    assert_eq!(reads(&log, 3 * FRAMES).await, 0);
    assert_eq!(files(dir.path()), ["pages-000001", "pages-000002"]);
    drop(log);
    let log = SledLog::open(SledOptions { read_only: true, ..options }).unwrap();
    assert!(reads(&log, 3 * FRAMES).await > 50, "one that is opened read-only reads those that are there");
    drop(log);
    assert_eq!(files(dir.path()), ["pages-000001", "pages-000002"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_few_frames_or_fills_them_has_no_pages() {
    let dir = tempfile::tempdir().unwrap();
    let log = SledLog::open(options(dir.path())).unwrap();
    // One agent fills 20 frames; five others say a little.
    for _ in 0..20 {
        log.append(Append { events: vec![event("busy", 3); 200], ..one("a") }).await.unwrap();
    }
    fill(&log, 0..4).await;
    log.seal().await.unwrap().unwrap();
    log.paged().await;
    assert_eq!(files(dir.path()), ["pages-000001"]);
    assert!(fs::metadata(pages_path(dir.path(), 1)).unwrap().len() < 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_ends_with_its_day() {
    const DAY_US: i64 = 24 * 3_600 * 1_000_000;
    let dir = tempfile::tempdir().unwrap();
    let now = Arc::new(AtomicI64::new(DAY_US - 1));
    let clock: Clock = {
        let now = Arc::clone(&now);
        Arc::new(move || Micros(now.load(Ordering::SeqCst)))
    };
    let log = SledLog::open(SledOptions { clock, ..options(dir.path()) }).unwrap();
    fill(&log, 0..30).await;
    now.store(DAY_US, Ordering::SeqCst);
    fill(&log, 30..60).await;
    for sealed in [false, true] {
        if sealed {
            log.seal().await.unwrap().unwrap();
        }
        log.paged().await;
        let page = log.read_stream(&stream(&id(0)), Version(1), Direction::Forward, 100).await.unwrap();
        let days = page.parts.iter().map(|part| {
            let mut days: Vec<_> =
                part.events().map(|event| event.envelope.recorded_at.0.div_euclid(DAY_US)).collect();
            let count = days.len();
            days.dedup();
            (days, count)
        });
        assert!(days.eq([(vec![0], 30), (vec![1], 30)]), "sealed: {sealed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_take_less_disk_than_what_they_copy() {
    let dir = tempfile::tempdir().unwrap();
    let options = options(dir.path());
    let log = SledLog::open(options.clone()).unwrap();
    let before = log.status().disk_bytes;
    fill(&log, 0..4 * FRAMES).await;
    let sealed = log.seal().await.unwrap().unwrap();
    log.paged().await;
    let pages = fs::metadata(pages_path(dir.path(), 1)).unwrap().len();
    assert!(pages < sealed.bytes, "{pages} bytes of pages beside {}", sealed.bytes);
    assert!(log.status().disk_bytes >= before.min(sealed.bytes) + pages, "they count as the log's");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_dropped_history_has_no_pages_and_takes_none_of_a_segment() {
    let dir = tempfile::tempdir().unwrap();
    let options = made(dir.path()).await;
    let log = SledLog::open(options.clone()).unwrap();
    let drop_rounds = async |log: &SledLog, rounds: u64| {
        let archive = Archive { position: log.end(), bytes: vec![1] };
        log.drop_history(Position(rounds * STREAMS), archive).await
    };
    // The first attempt fails, so that the stub comes to have the number of a segment that stays.
    fs::create_dir(dir.path().join("archive-000001.new")).unwrap();
    drop_rounds(&log, FRAMES).await.unwrap_err();
    drop_rounds(&log, FRAMES).await.unwrap();
    assert!(dir.path().join("stub-000002").exists() && dir.path().join("segment-000002").exists());
    log.paged().await;
    assert_eq!(files(dir.path()), ["pages-000002", "pages-000003.new"]);
    assert!(reads(&log, 3 * FRAMES).await > 50);
    drop(log);
    let log = SledLog::open(options.clone()).unwrap();
    log.paged().await;
    assert_eq!(files(dir.path()), ["pages-000002", "pages-000003.new"]);
    assert!(reads(&log, 3 * FRAMES).await > 50);
    log.seal().await.unwrap().unwrap();
    drop_rounds(&log, 3 * FRAMES).await.unwrap();
    log.paged().await;
    fill(&log, 3 * FRAMES..4 * FRAMES).await;
    log.paged().await;
    assert!(reads(&log, 4 * FRAMES).await > 20, "what comes after it is paged as before");
    assert_eq!(files(dir.path()), ["pages-000004.new"]);
    drop(log);
    let log = SledLog::open(options).unwrap();
    log.paged().await;
    assert!(reads(&log, 4 * FRAMES).await > 20);
}
