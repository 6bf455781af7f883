//! Dropping that is cut short at every moment, that fails at every moment, and that stands still: the log opens with all
//! that was not dropped, with an archive that it goes on from, and with every head and mark.

use std::{
    fs, io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::StreamExt;
use parking_lot::Mutex;
use pegcount_domain::envelope::Position;

use super::{
    SledLog,
    manifest::Manifest,
    seal::{Moment, Probe},
    sealing_tests::{copy, fill, holds, options, parts, standing_still_at},
};
use crate::{
    api::{EventLog, LogError},
    retention::Archive,
};

const MOMENTS: [Moment; 6] = [
    Moment::FeatureSet,
    Moment::Archived,
    Moment::StubWritten,
    Moment::StubRenamed,
    Moment::StubNamed,
    Moment::Dropped,
];

fn archive(position: u64) -> Archive {
    Archive { position: Position(position), bytes: position.to_le_bytes().repeat(100) }
}

fn format_of(dir: &Path) -> String {
    fs::read_to_string(dir.join("FORMAT")).unwrap()
}

/// Whether the manifest names the stub once this moment has been reached.
fn is_done(moment: Moment) -> bool {
    matches!(moment, Moment::StubNamed | Moment::Dropped)
}

/// What there should be in a log's folder: what its manifest names, and nothing else.
fn has_only_what_is_named(dir: &Path) {
    let manifest = Manifest::required(dir).unwrap();
    let history = manifest.history;
    let named = history.archives.len() + usize::from(history.stub.is_some()) + history.segments.len() + 1;
    assert_eq!(parts(dir).len(), named, "{:?}", parts(dir));
}

/// Three segments, and some events in none.
async fn three_segments(dir: &Path, probe: Option<Probe>) -> SledLog {
    let log = SledLog::open_with(options(dir), probe).unwrap();
    for (from, to) in [(1, 20), (21, 45), (46, 60)] {
        fill(&log, from, to).await;
        log.seal().await.unwrap().unwrap();
    }
    fill(&log, 61, 70).await;
    log
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_moment_of_a_drop_is_mended_on_opening() {
    let (dir, images) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let image = |moment: Moment, round: usize| images.path().join(format!("{moment:?} {round}"));
    let round = Arc::new(Mutex::new(0));
    // The folder as a killed process would leave it at each moment.
    let probe: Probe = {
        let (from, to, round) = (dir.path().to_owned(), images.path().to_owned(), Arc::clone(&round));
        Arc::new(move |moment| {
            if MOMENTS.contains(&moment) {
                copy(&from, &to.join(format!("{moment:?} {}", round.lock())));
            }
            Ok(())
        })
    };
    let log = three_segments(dir.path(), Some(probe)).await;
    assert!(format_of(dir.path()).contains("features: 0"), "programs that know of no stub may read it");
    let firsts = [1, 21, 46];
    for (number, first) in firsts.iter().enumerate().skip(1) {
        *round.lock() = number;
        let dropped =
            log.drop_history(Position(first - 1), archive(60 + 5 * u64::try_from(number).unwrap())).await;
        assert_eq!(dropped.unwrap().first, Position(*first));
    }
    holds(&log, 70).await;
    drop(log);
    for (moment, round) in MOMENTS.iter().flat_map(|moment| [(*moment, 1), (*moment, 2)]) {
        let image = image(moment, round);
        println!("{moment:?} {round}: {:?}", parts(&image));
        assert!(format_of(&image).contains("features: 1"));
        let log = SledLog::open(options(&image)).unwrap();
        let dropped = if is_done(moment) { round } else { round - 1 };
        assert_eq!(log.first(), Position(firsts[dropped]));
        let archives: &[u64] = [&[][..], &[65], &[65, 70]][dropped];
        assert_eq!(log.status().archives, archives.iter().map(|at| Position(*at)).collect::<Vec<_>>());
        for at in archives {
            assert_eq!(log.archive(Some(Position(*at))).await.unwrap(), Some(archive(*at)));
        }
        holds(&log, 70).await;
        has_only_what_is_named(&image);
        // It can be done again, or gone on with.
        log.seal().await.unwrap();
        let all = log.drop_history(Position(71), archive(71)).await.unwrap();
        assert_eq!((all.first, all.events), (Position(72), 72 - firsts[dropped]));
        holds(&log, 71).await;
        drop(log);
        has_only_what_is_named(&image);
        holds(&SledLog::open(options(&image)).unwrap(), 72).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_at_any_moment_leaves_the_log_going_and_can_be_made_good() {
    for moment in MOMENTS {
        let dir = tempfile::tempdir().unwrap();
        let fails = Arc::new(AtomicBool::new(true));
        let probe: Probe = {
            let fails = Arc::clone(&fails);
            Arc::new(move |at| {
                let failed = at == moment && fails.load(Ordering::SeqCst);
                if failed { Err(io::Error::other("the disk is full")) } else { Ok(()) }
            })
        };
        let log = three_segments(dir.path(), Some(probe)).await;
        let error = log.drop_history(Position(45), archive(60)).await.unwrap_err();
        assert!(error.to_string().contains("the disk is full"), "{error}");
        assert_eq!(log.first(), Position(if is_done(moment) { 46 } else { 1 }), "{moment:?}");
        assert!(log.status().poisoned.is_none() && log.status().sealing_failure.is_none());
        fill(&log, 71, 80).await;
        log.seal().await.unwrap();
        fails.store(false, Ordering::SeqCst);
        let dropped = log.drop_history(Position(60), archive(70)).await.unwrap();
        assert_eq!((dropped.first, log.first()), (Position(61), Position(61)));
        assert_eq!(log.archive(None).await.unwrap(), Some(archive(70)));
        holds(&log, 80).await;
        drop(log);
        let log = SledLog::open(options(dir.path())).unwrap();
        has_only_what_is_named(dir.path());
        holds(&log, 81).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_drop_stands_still_at_any_moment_reads_and_appends_go_on() {
    for moment in MOMENTS {
        let dir = tempfile::tempdir().unwrap();
        let (probe, stands, go_on) = standing_still_at(moment);
        let log = Arc::new(three_segments(dir.path(), Some(probe)).await);
        let mut early = log.subscribe(Position(46));
        let dropping = tokio::spawn({
            let log = Arc::clone(&log);
            async move { log.drop_history(Position(45), archive(70)).await }
        });
        tokio::task::spawn_blocking(move || stands.recv().map(|()| stands)).await.unwrap().unwrap();
        fill(&log, 71, 75).await;
        holds(&log, 75).await;
        let mut next = 46;
        while next <= 76 {
            let frame = early.next().await.unwrap().unwrap();
            assert_eq!(frame.first(), Position(next));
            next = frame.last().0 + 1;
        }
        drop(go_on);
        dropping.await.unwrap().unwrap();
        assert_eq!(log.first(), Position(46));
        holds(&log, 76).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_closes_gives_up_a_drop_and_keeps_everything() {
    let dir = tempfile::tempdir().unwrap();
    let (reached, stands) = std::sync::mpsc::channel();
    let (go_on, gate) = std::sync::mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let probe: Probe = Arc::new(move |at| {
        if at == Moment::StubWritten {
            reached.send(()).map_err(io::Error::other)?;
            let _ = gate.lock().recv();
        }
        Ok(())
    });
    let log = Arc::new(three_segments(dir.path(), Some(probe)).await);
    let dropping = tokio::spawn({
        let log = Arc::clone(&log);
        async move { log.drop_history(Position(45), archive(70)).await }
    });
    tokio::task::spawn_blocking(move || stands.recv().map(|()| stands)).await.unwrap().unwrap();
    log.bell.close();
    drop(go_on);
    let error = dropping.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("the log is being closed"), "{error}");
    log.close().await.unwrap();
    assert!(log.drop_history(Position(45), archive(70)).await.is_err());
    drop(log);
    let log = SledLog::open(options(dir.path())).unwrap();
    assert_eq!(log.first(), Position(1));
    has_only_what_is_named(dir.path());
    holds(&log, 70).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_beside_a_segment_goes_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let log = three_segments(dir.path(), None).await;
    let pages = |number: u64| dir.path().join(format!("pages-{number:06}"));
    (1..=3).for_each(|number| fs::write(pages(number), b"pages").unwrap());
    log.drop_history(Position(20), archive(70)).await.unwrap();
    assert_eq!([1, 2, 3].map(|number| pages(number).exists()), [false, true, true]);
    drop(log);
    // Cut short just before.
    fs::write(pages(1), b"pages").unwrap();
    let log = SledLog::open(options(dir.path())).unwrap();
    assert_eq!([1, 2, 3].map(|number| pages(number).exists()), [false, true, true]);
    holds(&log, 70).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_that_is_being_read_goes_with_its_last_reader() {
    let dir = tempfile::tempdir().unwrap();
    let log = three_segments(dir.path(), None).await;
    let reader = log.shared.durable.shelf.all();
    log.drop_history(Position(45), archive(70)).await.unwrap();
    assert!(dir.path().join("segment-000001").exists());
    drop(reader);
    assert!(!dir.path().join("segment-000001").exists() && !dir.path().join("segment-000002").exists());
    holds(&log, 70).await;
}

#[tokio::test]
async fn a_manifest_without_its_stub_or_its_archive_is_refused() {
    for lost in ["stub-000002", "archive-000001", "archive-000002"] {
        let dir = tempfile::tempdir().unwrap();
        let log = three_segments(dir.path(), None).await;
        log.drop_history(Position(20), archive(65)).await.unwrap();
        log.drop_history(Position(45), archive(70)).await.unwrap();
        drop(log);
        let path = dir.path().join(lost);
        fs::remove_file(&path).unwrap();
        let error = SledLog::open(options(dir.path())).err().unwrap();
        assert!(matches!(&error, LogError::Damaged { path: named, .. } if *named == path), "{error}");
    }
}
