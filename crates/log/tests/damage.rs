#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

//! Folders that are not as they were left: each is named precisely, none is opened as if nothing had happened.

mod suite;

use std::{
    fs,
    path::{Path, PathBuf},
};

use futures_util::StreamExt;
use pegcount_domain::envelope::Position;
use pegcount_log::{AppendError, Archive, EventLog, LogError, SledLog, SledOptions, blobs_empty};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use suite::{Seen, all, append, counted, event, events, plain};

fn open(dir: &Path) -> Result<SledLog, LogError> {
    SledLog::open(SledOptions::new(dir))
}

fn refused(dir: &Path) -> LogError {
    open(dir).err().expect("opening is refused")
}

fn db(dir: &Path) -> PathBuf {
    dir.join("hot-000001").join("db")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A closed log with some events.
async fn a_log(dir: &Path) -> Vec<Seen> {
    let log = open(dir).unwrap();
    for content in 0..60 {
        let events = vec![event("a", content), event(&format!("s{content}"), content)];
        append(&log, counted("phone", 1, 1 + 2 * u64::from(content), events)).await;
    }
    let all = all(&log).await;
    log.close().await.unwrap();
    all
}

#[tokio::test]
async fn a_folder_in_use_is_locked() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path()).unwrap();
    assert!(matches!(refused(dir.path()), LogError::Locked { path } if path == dir.path()));
    drop(log);
    open(dir.path()).unwrap();
}

#[tokio::test]
async fn a_folder_of_a_newer_program_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    a_log(dir.path()).await;
    let format = dir.path().join("FORMAT");
    let newer = fs::read_to_string(&format).unwrap().replace("format: 4", "format: 5");
    fs::write(&format, newer).unwrap();
    let error = refused(dir.path());
    assert!(matches!(error, LogError::NewerFormat { found: 5, supported: 4, features: 0, .. }), "{error}");
    let told = "has log format 5, and this program reads up to format 4: use a newer program";
    assert!(error.to_string().contains(told), "{error}");
}

#[tokio::test]
async fn a_lost_or_changed_format_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    a_log(dir.path()).await;
    let format = dir.path().join("FORMAT");
    let text = fs::read_to_string(&format).unwrap();
    fs::write(&format, text.replace("incarnation: ", "incarnation: 0")).unwrap();
    assert!(matches!(refused(dir.path()), LogError::Damaged { path, .. } if path == format));
    fs::remove_file(&format).unwrap();
    assert!(matches!(refused(dir.path()), LogError::Damaged { path, .. } if path == format));
}

#[tokio::test]
async fn a_refusal_for_a_lost_format_file_leaves_the_mark_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let whole = a_log(dir.path()).await;
    let (format, mark) = (dir.path().join("FORMAT"), dir.path().join("MARK"));
    let before = (fs::read(&format).unwrap(), fs::read(&mark).unwrap());
    fs::remove_file(&format).unwrap();
    refused(dir.path());
    assert_eq!(fs::read(&mark).unwrap(), before.1);
    fs::write(&format, before.0).unwrap();
    assert_eq!(all(&open(dir.path()).unwrap()).await, whole);
}

#[tokio::test]
async fn a_lost_acknowledged_tail_is_named_with_its_first_position() {
    let (dir, old) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    a_log(dir.path()).await;
    copy(&dir.path().join("hot-000001"), &old.path().join("hot-000001"));
    let log = open(dir.path()).unwrap();
    append(&log, plain(events("a", 0..5))).await;
    log.close().await.unwrap();
    drop(log);
    fs::remove_dir_all(dir.path().join("hot-000001")).unwrap();
    copy(&old.path().join("hot-000001"), &dir.path().join("hot-000001"));
    let error = refused(dir.path());
    assert!(matches!(error, LogError::Damaged { position: Position(121), .. }), "{error}");
    assert!(error.to_string().contains("up to 125 were acknowledged, but the log ends at 120"), "{error}");
}

#[tokio::test]
async fn a_lost_database_is_named() {
    let dir = tempfile::tempdir().unwrap();
    a_log(dir.path()).await;
    fs::remove_dir_all(dir.path().join("hot-000001")).unwrap();
    let error = refused(dir.path());
    assert!(matches!(error, LogError::Damaged { position: Position(1), .. }), "{error}");
}

#[tokio::test]
async fn a_lost_mark_is_named() {
    let dir = tempfile::tempdir().unwrap();
    a_log(dir.path()).await;
    fs::remove_file(dir.path().join("MARK")).unwrap();
    assert!(matches!(refused(dir.path()), LogError::Damaged { .. }));
}

#[tokio::test]
async fn a_page_beside_the_database_is_named() {
    let dir = tempfile::tempdir().unwrap();
    a_log(dir.path()).await;
    assert!(blobs_empty(dir.path()).unwrap());
    let blob = dir.path().join("hot-000001").join("blobs").join("7");
    fs::write(&blob, b"x").unwrap();
    assert!(!blobs_empty(dir.path()).unwrap());
    assert!(matches!(refused(dir.path()), LogError::Damaged { .. }));
}

/// A closed log of two segments and a database with some events.
async fn a_sealed_log(dir: &Path) -> Vec<Seen> {
    let log = open(dir).unwrap();
    for content in 0..60 {
        let events = vec![event("a", content), event(&format!("s{content}"), content)];
        append(&log, counted("phone", 1, 1 + 2 * u64::from(content), events)).await;
        if content == 20 || content == 40 {
            log.seal().await.unwrap();
        }
    }
    let all = all(&log).await;
    log.close().await.unwrap();
    all
}

fn read_only(dir: &Path) -> Result<SledLog, LogError> {
    SledLog::open(SledOptions { read_only: true, ..SledOptions::new(dir) })
}

#[tokio::test]
async fn a_folder_of_format_1_is_carried_over() {
    let dir = tempfile::tempdir().unwrap();
    let whole = a_log(dir.path()).await;
    // As format 1 left it: one database, no manifest, no key.
    fs::remove_file(dir.path().join("MANIFEST")).unwrap();
    let format = dir.path().join("FORMAT");
    let text = fs::read_to_string(&format).unwrap();
    let incarnation = text.lines().find(|line| line.starts_with("incarnation: ")).unwrap();
    let head = format!("pegcount log\nformat: 1\nfeatures: 0\n{incarnation}\n");
    fs::write(&format, format!("{head}crc32c: {:08x}\n", crc32c::crc32c(head.as_bytes()))).unwrap();
    assert_eq!(all(&read_only(dir.path()).unwrap()).await, whole);
    assert!(!dir.path().join("MANIFEST").exists(), "reading alone carries nothing over");

    let log = open(dir.path()).unwrap();
    assert_eq!(all(&log).await, whole);
    assert!(incarnation.ends_with(&format!("{:032x}", log.incarnation().0)));
    log.seal().await.unwrap().unwrap();
    append(&log, plain(events("a", 0..5))).await;
    drop(log);
    let text = fs::read_to_string(&format).unwrap();
    assert!(text.contains("format: 4") && text.contains(incarnation), "{text}");
    assert_eq!(all(&open(dir.path()).unwrap()).await[..120], whole);
}

#[tokio::test]
async fn a_folder_of_an_older_format_gets_the_new_number_before_anything_is_added() {
    let dir = tempfile::tempdir().unwrap();
    let whole = a_sealed_log(dir.path()).await;
    let format = dir.path().join("FORMAT");
    let text = fs::read_to_string(&format).unwrap();
    for number in ["format: 2", "format: 3"] {
        let older = text.replace("format: 4", number);
        let (head, _) = older.split_once("crc32c").unwrap();
        fs::write(&format, format!("{head}crc32c: {:08x}\n", crc32c::crc32c(head.as_bytes()))).unwrap();
        assert_eq!(all(&read_only(dir.path()).unwrap()).await, whole);
        assert!(fs::read_to_string(&format).unwrap().contains(number), "reading alone changes nothing");
        assert_eq!(all(&open(dir.path()).unwrap()).await, whole);
        assert_eq!(fs::read_to_string(&format).unwrap(), text);
    }
}

#[tokio::test]
async fn a_crash_while_a_folder_is_carried_over_leaves_it_to_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let whole = a_log(dir.path()).await;
    // The manifest is there, FORMAT is still the old one.
    let format = dir.path().join("FORMAT");
    let head = "pegcount log\nformat: 1\nfeatures: 0\nincarnation: 00000000000000000000000000000007\n";
    fs::write(&format, format!("{head}crc32c: {:08x}\n", crc32c::crc32c(head.as_bytes()))).unwrap();
    assert_eq!(all(&open(dir.path()).unwrap()).await, whole);
    assert!(fs::read_to_string(&format).unwrap().contains("format: 4"));
}

#[tokio::test]
async fn a_damaged_segment_is_refused_and_read_around_when_opened_read_only() {
    let dir = tempfile::tempdir().unwrap();
    let whole = a_sealed_log(dir.path()).await;
    let second = dir.path().join("segment-000002");
    let mut bytes = fs::read(&second).unwrap();
    let last = bytes.len() - 40;
    bytes[last] ^= 1;
    fs::write(&second, &bytes).unwrap();
    let error = refused(dir.path());
    assert!(
        matches!(&error, LogError::Damaged { path, position: Position(43), .. } if *path == second),
        "{error}"
    );

    let log = read_only(dir.path()).unwrap();
    assert_eq!(log.end(), Position(120));
    assert_eq!(suite::take(&mut log.subscribe(Position::START), 42).await, whole[..42]);
    assert_eq!(suite::take(&mut log.subscribe(Position(83)), 38).await, whole[82..]);
    let error = log.read(Position(50)).await.unwrap_err();
    assert!(
        matches!(&error, LogError::Damaged { path, position: Position(43), .. } if *path == second),
        "{error}"
    );
    assert!(log.version(&suite::stream("s1")).is_err(), "nobody knows what the segment says of it");
    assert_eq!(log.version(&suite::stream("s50")).unwrap().0, 1);
    let refusal = suite::refused(&log, plain(events("a", 0..1))).await;
    assert!(matches!(refusal, AppendError::ReadOnly), "{refusal}");
    let refusal = log.seal().await.unwrap_err().to_string();
    assert!(refusal.contains("the log is read-only"), "{refusal}");
    assert_eq!(fs::read(&second).unwrap(), bytes, "it is left as it is");
}

#[tokio::test]
async fn a_damaged_frame_of_a_segment_is_named_when_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let whole = a_sealed_log(dir.path()).await;
    let first = dir.path().join("segment-000001");
    let mut bytes = fs::read(&first).unwrap();
    bytes[100] ^= 1;
    fs::write(&first, &bytes).unwrap();
    // Opening reads directories only.
    let log = open(dir.path()).unwrap();
    let error = log.read(Position(1)).await.unwrap_err();
    assert!(
        matches!(&error, LogError::Damaged { path, position: Position(1), .. } if *path == first),
        "{error}"
    );
    assert!(error.to_string().contains("the frame at byte 64"), "{error}");
    assert_eq!(suite::take(&mut log.subscribe(Position(3)), 118).await, whole[2..]);
    assert!(matches!(log.subscribe(Position(1)).next().await, Some(Err(LogError::Damaged { .. }))));
}

#[tokio::test]
async fn what_an_append_needs_and_cannot_read_poisons_the_log() {
    let dir = tempfile::tempdir().unwrap();
    a_sealed_log(dir.path()).await;
    let log = open(dir.path()).unwrap();
    fs::remove_file(dir.path().join("segment-000001")).unwrap();
    append(&log, plain(events("s50", 0..1))).await;
    let error = suite::refused(&log, plain(events("s1", 0..1))).await;
    assert!(matches!(&error, AppendError::Poisoned { .. }), "{error}");
    assert_eq!(log.end(), Position(121));
}

#[tokio::test]
async fn a_damaged_database_still_gives_what_is_sealed_when_opened_read_only() {
    let dir = tempfile::tempdir().unwrap();
    let whole = a_sealed_log(dir.path()).await;
    fs::remove_dir_all(dir.path().join("hot-000003")).unwrap();
    assert!(matches!(refused(dir.path()), LogError::Damaged { position: Position(83), .. }));
    let log = read_only(dir.path()).unwrap();
    assert_eq!(all(&log).await, whole[..82]);
    assert!(!dir.path().join("hot-000003").exists());
}

#[tokio::test]
async fn a_lost_format_file_of_a_sealed_log_is_named() {
    let dir = tempfile::tempdir().unwrap();
    a_sealed_log(dir.path()).await;
    let format = dir.path().join("FORMAT");
    fs::remove_file(&format).unwrap();
    assert!(matches!(refused(dir.path()), LogError::Damaged { path, .. } if path == format));
    assert!(dir.path().join("segment-000001").exists());
}

/// A closed log of which the first of two segments, positions 1 to 42, has been dropped.
async fn a_dropped_log(dir: &Path) -> Vec<Seen> {
    let mut whole = a_sealed_log(dir).await;
    let log = open(dir).unwrap();
    let archive = Archive { position: Position(100), bytes: vec![7; 5_000] };
    assert_eq!(log.drop_history(Position(42), archive).await.unwrap().first, Position(43));
    log.close().await.unwrap();
    whole.split_off(42)
}

#[tokio::test]
async fn a_folder_whose_history_was_dropped_is_left_alone_by_programs_that_do_not_know_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let features = || {
        let text = fs::read_to_string(dir.path().join("FORMAT")).unwrap();
        text.lines().find_map(|line| line.strip_prefix("features: ").map(str::to_owned)).unwrap()
    };
    a_sealed_log(dir.path()).await;
    assert_eq!(features(), "0");
    let log = open(dir.path()).unwrap();
    let archive = Archive { position: Position(120), bytes: Vec::new() };
    let incarnation = log.incarnation();
    log.drop_history(Position(42), archive).await.unwrap();
    drop(log);
    assert_eq!(features(), "1");
    assert_eq!(open(dir.path()).unwrap().incarnation(), incarnation);
}

#[tokio::test]
async fn a_cut_or_lost_archive_is_refused_and_a_changed_one_named_when_it_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let kept = a_dropped_log(dir.path()).await;
    let path = dir.path().join("archive-000001");
    let whole = fs::read(&path).unwrap();
    let is_named = |error: LogError| {
        let named =
            matches!(&error, LogError::Damaged { path: at, position: Position(100), .. } if *at == path);
        assert!(named, "{error}");
    };
    for length in [0, 31, 32, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        is_named(refused(dir.path()));
    }
    for index in [0, 10, 15, 20, 30] {
        let mut bytes = whole.clone();
        bytes[index] ^= 8;
        fs::write(&path, bytes).unwrap();
        assert!(matches!(refused(dir.path()), LogError::Damaged { .. } | LogError::NewerFormat { .. }));
    }
    let mut bytes = whole.clone();
    bytes[4_000] ^= 8;
    fs::write(&path, &bytes).unwrap();
    // Opening does not read all of it.
    let log = open(dir.path()).unwrap();
    is_named(log.archive(None).await.unwrap_err());
    assert_eq!(suite::kept(&log).await, kept);
    drop(log);
    fs::remove_file(&path).unwrap();
    is_named(refused(dir.path()));
    let log = read_only(dir.path()).unwrap();
    is_named(log.archive(None).await.unwrap_err());
    assert_eq!(suite::kept(&log).await, kept);
    fs::write(&path, whole).unwrap();
    assert_eq!(log.archive(None).await.unwrap().unwrap().bytes, [7; 5_000]);
}

#[tokio::test]
async fn a_damaged_stub_is_refused_and_read_around_when_opened_read_only() {
    let dir = tempfile::tempdir().unwrap();
    let kept = a_dropped_log(dir.path()).await;
    let path = dir.path().join("stub-000001");
    let whole = fs::read(&path).unwrap();
    // Header, directory, tail; cut; lost.
    let mut spoiled: Vec<Vec<u8>> = Vec::new();
    for index in [9, whole.len() - 40, whole.len() - 3] {
        let mut bytes = whole.clone();
        bytes[index] ^= 1;
        spoiled.push(bytes);
    }
    spoiled.push(whole[..whole.len() - 1].to_vec());
    for bytes in spoiled {
        fs::write(&path, bytes).unwrap();
        let error = refused(dir.path());
        assert!(matches!(&error, LogError::Damaged { path: at, .. } if *at == path), "{error}");
        let log = read_only(dir.path()).unwrap();
        assert_eq!((log.first(), log.end()), (Position(43), Position(120)));
        assert_eq!(suite::kept(&log).await, kept);
        assert!(log.version(&suite::stream("s1")).is_err(), "nobody knows what the stub says of it");
        assert_eq!(log.version(&suite::stream("s50")).unwrap().0, 1);
        assert!(matches!(log.read(Position(42)).await, Err(LogError::Dropped { .. })));
    }
}

#[tokio::test]
async fn a_changed_stub_poisons_the_log_when_an_append_needs_it_rather_than_give_a_wrong_version() {
    let dir = tempfile::tempdir().unwrap();
    a_dropped_log(dir.path()).await;
    let path = dir.path().join("stub-000001");
    let mut bytes = fs::read(&path).unwrap();
    // The first block of the stream index begins after the header.
    bytes[64 + 30] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let log = open(dir.path()).unwrap();
    let error = log.version(&suite::stream("s1")).unwrap_err();
    assert!(matches!(&error, LogError::Damaged { path: at, .. } if *at == path), "{error}");
    let error = suite::refused(&log, plain(events("s1", 0..1))).await;
    assert!(matches!(&error, AppendError::Poisoned { .. }), "{error}");
    assert_eq!(log.end(), Position(120));
}

#[tokio::test]
async fn damage_in_what_is_to_be_dropped_stops_the_drop() {
    let dir = tempfile::tempdir().unwrap();
    let whole = a_sealed_log(dir.path()).await;
    let path = dir.path().join("segment-000001");
    let mut bytes = fs::read(&path).unwrap();
    // Somewhere in the indexes.
    let place = bytes.len() - 900;
    bytes[place] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let log = open(dir.path()).unwrap();
    let archive = Archive { position: Position(120), bytes: Vec::new() };
    let error = log.drop_history(Position(42), archive).await.unwrap_err();
    assert!(matches!(&error, LogError::Damaged { path: at, .. } if *at == path), "{error}");
    assert_eq!((log.first(), all(&log).await), (Position(1), whole));
}

#[tokio::test]
async fn read_only_makes_no_log() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("none");
    assert!(matches!(read_only(&path), Err(LogError::Io { .. })));
    assert!(!path.exists());
}

/// Damages copies of a log's database and opens them: each must hold all that was acknowledged, or say that it
/// does not.
async fn each_damaged_copy_is_whole_or_refused(count: u32, damage: impl Fn(&mut Vec<u8>, &mut StdRng)) {
    let seed = getrandom::u64().unwrap();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let original = tempfile::tempdir().unwrap();
    let whole = a_log(original.path()).await;
    let mut refusals = 0;
    for _ in 0..count {
        let dir = tempfile::tempdir().unwrap();
        copy(original.path(), dir.path());
        let mut bytes = fs::read(db(dir.path())).unwrap();
        damage(&mut bytes, &mut random);
        fs::write(db(dir.path()), bytes).unwrap();
        match open(dir.path()) {
            Ok(log) => assert_eq!(all(&log).await, whole),
            Err(LogError::Damaged { .. }) => refusals += 1,
            Err(error) => panic!("{error}"),
        }
    }
    println!("{refusals} of {count} refused");
}

#[tokio::test]
async fn a_cut_database_is_whole_or_refused() {
    each_damaged_copy_is_whole_or_refused(20, |bytes, random| {
        // Events lie near the front; the rest of the first segment is not written yet.
        let length = random.random_range(0..bytes.len().min(60_000));
        bytes.truncate(length);
    })
    .await;
}

#[tokio::test]
async fn a_flipped_database_is_whole_or_refused() {
    each_damaged_copy_is_whole_or_refused(20, |bytes, random| {
        for _ in 0..random.random_range(1..4) {
            let at = random.random_range(0..bytes.len().min(60_000));
            bytes[at] ^= 1 << random.random_range(0..8);
        }
    })
    .await;
}
