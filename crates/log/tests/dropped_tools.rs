#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

//! The tools on a log whose first segments have been dropped: what is left is checked, told, backed up and restored, and
//! what is gone is said to be gone.

mod suite;

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use pegcount_domain::{
    envelope::{Position, Version},
    time::Micros,
};
use pegcount_log::{
    Archive, EventLog, Expected, LogError, SledLog, SledOptions,
    tools::{self, Backup, Events, Load, ToolError, Until, Verified, restore},
};
use suite::{Seen, append, counted, event, events, expecting, kept, mark, plain, version};

fn archive(position: u64) -> Archive {
    Archive { position: Position(position), bytes: position.to_le_bytes().repeat(300) }
}

fn options(dir: &Path) -> SledOptions {
    // Position n is written at n seconds.
    let now = Arc::new(AtomicI64::new(0));
    let clock = Arc::new(move || Micros(now.fetch_add(1, Ordering::SeqCst) * 1_000_000));
    SledOptions { clock, ..SledOptions::new(dir.join("log")) }
}

fn open(dir: &Path) -> SledLog {
    SledLog::open(options(dir)).unwrap()
}

async fn fill(log: &SledLog, seqs: std::ops::RangeInclusive<u8>) {
    for seq in seqs {
        let both = vec![event("all", seq), event(&format!("s{seq}"), seq)];
        append(log, counted("phone", 1, 2 * u64::from(seq) - 1, both)).await;
    }
}

/// Segments of the positions 1 to 40, 41 to 80 and 81 to 120, and ten events in none.
async fn a_log(dir: &Path) -> SledLog {
    let log = open(dir);
    for seqs in [1..=20, 21..=40, 41..=60] {
        fill(&log, seqs).await;
        log.seal().await.unwrap();
    }
    fill(&log, 61..=65).await;
    log
}

/// The same, the first two segments dropped one after the other, with archives at 90 and 130.
async fn a_dropped_log(dir: &Path) -> Vec<Seen> {
    let log = a_log(dir).await;
    for (up_to, at) in [(40, 90), (80, 130)] {
        log.drop_history(Position(up_to), archive(at)).await.unwrap();
    }
    let kept = kept(&log).await;
    assert_eq!((kept.len(), log.status().archives.len()), (50, 2));
    log.close().await.unwrap();
    kept
}

fn verified(dir: &Path) -> Verified {
    tools::verify(dir, &()).unwrap()
}

fn sound(dir: &Path) -> Verified {
    let verified = verified(dir);
    assert_eq!(verified.damages, []);
    verified
}

fn backed_up(dir: &Path, to: &Path) -> tools::BackedUp {
    Backup::begin(dir, to).unwrap().finish(&()).unwrap()
}

fn names(dir: &Path) -> BTreeSet<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains('-')).collect()
}

#[tokio::test]
async fn a_sound_log_whose_history_was_dropped_is_called_sound_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    a_dropped_log(dir.path()).await;
    let verified = sound(dir.path());
    assert_eq!((verified.first, verified.end, verified.events), (Position(81), Position(130), 50));
    assert_eq!((verified.segments, verified.archives), (1, 2));
    assert_eq!((verified.streams, verified.counters), (Some(66), Some(1)), "those that are gone, too");
}

#[tokio::test]
async fn any_changed_byte_of_what_is_left_is_named() {
    let dir = tempfile::tempdir().unwrap();
    a_dropped_log(dir.path()).await;
    for name in ["stub-000002", "archive-000001", "archive-000002"] {
        let path = dir.path().join("log").join(name);
        let whole = fs::read(&path).unwrap();
        let told = |what: &str| match tools::verify(dir.path(), &()) {
            Ok(verified) => {
                assert!(verified.damages.iter().any(|damage| damage.path == path), "{name} {what}");
            }
            // A format that this program does not know.
            Err(ToolError::Log(LogError::NewerFormat { path: at, .. })) => assert_eq!(at, path),
            Err(error) => panic!("{name} {what}: {error}"),
        };
        for index in (0..whole.len()).step_by(41) {
            let mut bytes = whole.clone();
            bytes[index] ^= 0x40;
            fs::write(&path, bytes).unwrap();
            told(&format!("byte {index}"));
        }
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        told("cut");
        fs::remove_file(&path).unwrap();
        told("lost");
        fs::write(&path, whole).unwrap();
    }
    sound(dir.path());
}

#[tokio::test]
async fn stat_says_what_is_gone_and_what_is_left_of_it() {
    let dir = tempfile::tempdir().unwrap();
    a_dropped_log(dir.path()).await;
    let stat = tools::stat(dir.path(), true, &()).unwrap();
    assert_eq!((stat.first, stat.end, stat.events()), (Position(81), Position(130), 50));
    assert_eq!((stat.streams, stat.segments.len()), (66, 1));
    let stub = stat.stub.unwrap();
    assert_eq!((stub.number, stub.last, stub.streams, stub.counters), (2, Position(80), 41, 1));
    let archives: Vec<_> = stat.archives.iter().map(|archive| (archive.position.0, archive.bytes)).collect();
    assert_eq!(archives, [(90, 2_432), (130, 2_432)]);
    assert_eq!((stat.largest[0].name.as_str(), stat.largest[0].events), ("site/agent/all", 65));
    assert_eq!(stat.kinds.unwrap().iter().map(|(_, count)| count).sum::<u64>(), 50);
    assert!(stub.last_recorded_at < stat.first_recorded_at.unwrap());
}

#[tokio::test]
async fn a_backup_carries_what_is_left_and_gives_up_what_was_dropped() {
    let (dir, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = a_log(dir.path()).await;
    log.close().await.unwrap();
    drop(log);
    let to = to.path().join("backup");
    assert_eq!((backed_up(dir.path(), &to).copied, names(&to).len()), (3, 4));
    let log = open(dir.path());
    log.drop_history(Position(40), archive(90)).await.unwrap();
    log.close().await.unwrap();
    drop(log);
    let done = backed_up(dir.path(), &to);
    assert_eq!((done.first, done.end, done.copied, done.kept), (Position(41), Position(130), 2, 2));
    let expected = ["archive-000001", "segment-000002", "segment-000003", "stub-000001", "tail-121-130"];
    assert_eq!(names(&to), expected.map(str::to_owned).into());
    sound(&to);
    let done = backed_up(dir.path(), &to);
    assert_eq!((done.copied, done.kept), (0, 4));
    assert_eq!(tools::stat(&to, false, &()).unwrap().first, Position(41));
    let log = open(dir.path());
    log.drop_history(Position(80), archive(130)).await.unwrap();
    drop(log);
    let done = backed_up(dir.path(), &to);
    assert_eq!((done.first, done.copied, done.kept), (Position(81), 2, 2));
    let expected = ["archive-000001", "archive-000002", "segment-000003", "stub-000002", "tail-121-130"];
    assert_eq!(names(&to), expected.map(str::to_owned).into());
    assert_eq!(sound(&to).archives, 2);
}

#[tokio::test]
async fn a_restored_log_goes_on_from_what_is_left() {
    let (dir, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let whole = a_dropped_log(dir.path()).await;
    let backup = to.path().join("backup");
    backed_up(dir.path(), &backup);
    let again = to.path().join("again");
    let done = restore(&backup, &again, Until::End, &()).unwrap();
    assert_eq!(done.end, Position(130));
    assert_eq!(sound(&again).first, Position(81));
    let log = SledLog::open(SledOptions::new(again.join("log"))).unwrap();
    assert_eq!((log.first(), kept(&log).await), (Position(81), whole));
    assert_ne!(log.incarnation(), done.incarnation_before);
    assert_eq!(log.archive(Some(Position(90))).await.unwrap(), Some(archive(90)));
    assert_eq!(log.archive(None).await.unwrap(), Some(archive(130)));
    assert_eq!((version(&log, "all"), version(&log, "s1"), mark(&log, "phone", 1)), (65, 1, Some(130)));
    assert_eq!(append(&log, counted("phone", 1, 1, vec![event("all", 1), event("s1", 1)])).await.repeats, 2);
    suite::refused(&log, expecting("s1", Expected::NoStream, events("s1", 0..1))).await;
    append(&log, expecting("s1", Expected::Version(Version(1)), events("s1", 0..1))).await;
    log.seal().await.unwrap();
    assert_eq!(log.drop_history(Position(131), archive(131)).await.unwrap().first, Position(132));
    drop(log);
    sound(&again);
}

#[tokio::test]
async fn a_restore_to_a_position_takes_only_archives_of_by_then() {
    let (dir, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let whole = a_dropped_log(dir.path()).await;
    let backup = to.path().join("backup");
    backed_up(dir.path(), &backup);
    let again = to.path().join("again");
    restore(&backup, &again, Until::Position(Position(100)), &()).unwrap();
    sound(&again);
    let log = SledLog::open(SledOptions::new(again.join("log"))).unwrap();
    assert_eq!((log.first(), log.status().archives), (Position(81), vec![Position(90)]));
    assert_eq!(kept(&log).await, whole[..20]);
    assert_eq!((version(&log, "all"), mark(&log, "phone", 1)), (50, Some(100)));
}

#[tokio::test]
async fn a_restore_to_what_is_gone_is_refused_and_says_from_where_on_it_can_be() {
    let (dir, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    a_dropped_log(dir.path()).await;
    let backup = to.path().join("backup");
    backed_up(dir.path(), &backup);
    let restored = |until| restore(&backup, &to.path().join("never"), until, &()).unwrap_err();
    for until in [Until::Position(Position(80)), Until::Position(Position(1)), Until::Time(Micros(-5))] {
        let error = restored(until);
        assert!(matches!(error, ToolError::Dropped { first: Position(81), .. }), "{until:?}: {error}");
        assert!(error.to_string().contains("begins at position 81"), "{error}");
    }
    let error = restored(Until::Position(Position(85)));
    assert!(
        matches!(error, ToolError::NoArchive { asked: Position(85), oldest: Position(90), .. }),
        "{error}"
    );
    assert!(!to.path().join("never").exists());
    // Some time at which the dropped ones, and those up to 84, had been written.
    let stub_until = tools::stat(&backup, false, &()).unwrap().stub.unwrap().last_recorded_at;
    assert!(matches!(restored(Until::Time(stub_until)), ToolError::NoArchive { asked: Position(80), .. }));
    let before = Micros(stub_until.0 - 1);
    assert!(matches!(restored(Until::Time(before)), ToolError::Dropped { .. }));
}

#[tokio::test]
async fn events_come_out_from_the_first_that_is_left_and_make_no_log_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    a_dropped_log(dir.path()).await;
    let events = Events::open(dir.path()).unwrap();
    assert_eq!(events.first(), Position(81));
    let mut out = Vec::new();
    events
        .each(Position(1), Position(u64::MAX), &(), |event| {
            out.push(event.clone());
            true
        })
        .unwrap();
    assert_eq!((out.len(), out[0].position), (50, Position(81)));
    let mut load = Load::begin(&dir.path().join("new")).unwrap();
    let error = load.push(&out[0]).unwrap_err();
    assert!(error.to_string().contains("it has position 81, but 1 is next"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drop_during_a_backup_is_told_and_the_next_backup_is_whole() {
    let (dir, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = a_log(dir.path()).await;
    let to = to.path().join("backup");
    let backup = Backup::begin(dir.path(), &to).unwrap();
    assert!(backup.is_running());
    log.drop_history(Position(40), archive(130)).await.unwrap();
    let error = backup.finish(&()).unwrap_err();
    assert!(matches!(error, ToolError::DroppedMeanwhile { first: Position(41), .. }), "{error}");
    append(&log, plain(events("a", 0..1))).await;
    drop(log);
    assert_eq!(backed_up(dir.path(), &to).first, Position(41));
    sound(&to);
}

#[tokio::test]
async fn everything_dropped_is_still_a_log_that_can_be_copied() {
    let (dir, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = a_log(dir.path()).await;
    log.seal().await.unwrap();
    log.drop_history(log.end(), archive(130)).await.unwrap();
    drop(log);
    let verified = sound(dir.path());
    assert_eq!((verified.first, verified.end, verified.events), (Position(131), Position(130), 0));
    let stat = tools::stat(dir.path(), true, &()).unwrap();
    assert_eq!((stat.events(), stat.bytes_per_event(), stat.first_recorded_at), (0, None, None));
    let backup = to.path().join("backup");
    backed_up(dir.path(), &backup);
    sound(&backup);
    let again = to.path().join("again");
    restore(&backup, &again, Until::End, &()).unwrap();
    sound(&again);
    let log = SledLog::open(SledOptions::new(again.join("log"))).unwrap();
    assert_eq!((log.first(), log.end(), version(&log, "all")), (Position(131), Position(130), 65));
    append(&log, plain(events("all", 0..1))).await;
    assert_eq!((kept(&log).await.len(), version(&log, "all")), (1, 66));
}
