//! Sealing that is cut short at every moment, under load, and with damaged leftovers: the log opens with all that was
//! acknowledged, and goes on.

use std::{
    fs, io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
};

use futures_util::StreamExt;
use parking_lot::Mutex;
use pegcount_domain::{
    envelope::{Position, Version},
    ids::Epoch,
};
use smallvec::SmallVec;

use super::{
    SledLog, SledOptions,
    manifest::Manifest,
    seal::{Moment, Probe},
    tests::{event, name, one, stream},
};
use crate::{
    api::{Append, Durability, EventLog, LogError, SourceBatch},
    frame::Frame,
};

const MOMENTS: [Moment; 8] = [
    Moment::DatabaseMade,
    Moment::TwoNamed,
    Moment::Switched,
    Moment::PartlyWritten,
    Moment::Written,
    Moment::Renamed,
    Moment::SegmentNamed,
    Moment::Done,
];

pub(super) fn options(dir: &Path) -> SledOptions {
    SledOptions { seal_bytes: u64::MAX, ..SledOptions::new(dir) }
}

pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            let copied = fs::copy(entry.path(), &target);
            // Pages are made beside whatever is being looked at: a draft may have got its name meanwhile.
            let is_draft = entry.file_name().to_string_lossy().starts_with("pages-");
            assert!(copied.is_ok() || is_draft, "{}: {copied:?}", entry.path().display());
        }
    }
}

/// An append of a source with a counter, one event for each seq, each to the stream that is named for it.
fn counted(seqs: std::ops::RangeInclusive<u64>) -> Append {
    let events = seqs.clone().map(|seq| event(&format!("s{}", seq % 7), 3)).collect();
    let batch = Some(SourceBatch { epoch: Epoch(1), first_seq: *seqs.start() });
    Append { source: name("phone"), batch, skip_to: None, expected: SmallVec::new(), events }
}

pub(super) async fn fill(log: &SledLog, from: u64, to: u64) {
    for seq in from..=to {
        log.append(counted(seq..=seq)).await.unwrap();
    }
}

/// Everything that was not dropped is there, once; whatever was is still counted; and the log goes on.
pub(super) async fn holds(log: &SledLog, end: u64) {
    assert_eq!(log.end(), Position(end));
    let mut next = log.first().0;
    let mut frames = log.subscribe(log.first());
    while next <= end {
        let frame = frames.next().await.unwrap().unwrap();
        assert_eq!(frame.first().0, next);
        next = frame.last().0 + 1;
    }
    for number in 0..7 {
        let version = (1..=end).filter(|seq| seq % 7 == number).count() as u64;
        assert_eq!(log.version(&stream(&format!("s{number}"))).unwrap(), Version(version));
    }
    let mark = log.source_mark(&name("site"), &name("phone"), Epoch(1)).unwrap();
    assert_eq!(mark.unwrap().last_seq, end);
    let again = log.append(counted(1..=end + 1)).await.unwrap();
    assert_eq!((again.repeats as u64, again.written, again.last), (end, 1, Position(end + 1)));
}

/// The names in a log's folder that belong to history.
pub(super) fn parts(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let is_part = |name: &String| name.contains('-') || name.contains(".new");
    let mut parts: Vec<_> = names.filter(|name| is_part(name) && !name.starts_with("pages-")).collect();
    parts.sort();
    parts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_moment_of_a_sealing_is_mended_on_opening() {
    let (dir, images) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let image = |moment: Moment, round: u32| images.path().join(format!("{moment:?} {round}"));
    let round = Arc::new(Mutex::new(0));
    // The folder as a killed process would leave it at each moment.
    let probe: Probe = {
        let (from, to, round) = (dir.path().to_owned(), images.path().to_owned(), Arc::clone(&round));
        Arc::new(move |moment| {
            copy(&from, &to.join(format!("{moment:?} {}", round.lock())));
            Ok(())
        })
    };
    let log = SledLog::open_with(options(dir.path()), Some(probe)).unwrap();
    fill(&log, 1, 20).await;
    log.seal().await.unwrap().unwrap();
    *round.lock() = 1;
    fill(&log, 21, 45).await;
    let sealed = log.seal().await.unwrap().unwrap();
    assert_eq!((sealed.first, sealed.last), (Position(21), Position(45)));
    assert!(log.seal().await.unwrap().is_none(), "there is nothing left to seal");
    holds(&log, 45).await;
    drop(log);
    for (moment, (round, end)) in MOMENTS.iter().flat_map(|moment| [(*moment, (0, 20)), (*moment, (1, 45))]) {
        let image = image(moment, round);
        println!("{moment:?} {round}: {:?}", parts(&image));
        let log = SledLog::open(options(&image)).unwrap();
        holds(&log, end).await;
        log.seal().await.unwrap();
        assert!(log.status().sealed_end >= Position(end));
        drop(log);
        // Everything is sealed now: nothing is left but segments and an empty database.
        let segments = Manifest::required(&image).unwrap().history.segments.len();
        let parts = parts(&image);
        assert_eq!(parts.len(), segments + 1, "{moment:?} {round}: {parts:?}");
        let log = SledLog::open(options(&image)).unwrap();
        holds(&log, end + 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_at_any_moment_leaves_the_log_going_and_is_made_good() {
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
        let log = SledLog::open_with(options(dir.path()), Some(probe)).unwrap();
        fill(&log, 1, 10).await;
        let error = log.seal().await.unwrap_err();
        assert!(error.to_string().contains("the disk is full"), "{error}");
        if moment != Moment::Done {
            assert!(log.status().sealing_failure.is_some());
        }
        fill(&log, 11, 20).await;
        assert!(log.status().poisoned.is_none());
        // In the last two everything has been done but to say so; only the next start looks at what they left.
        if moment != Moment::SegmentNamed && moment != Moment::Done {
            fails.store(false, Ordering::SeqCst);
            log.seal().await.unwrap();
            assert!(log.status().sealing_failure.is_none());
        }
        holds(&log, 20).await;
        drop(log);
        let log = SledLog::open(options(dir.path())).unwrap();
        holds(&log, 21).await;
    }
}

/// A probe that stands still at `moment`: tells when it has come there, and goes on once it is let go.
pub(super) fn standing_still_at(moment: Moment) -> (Probe, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (reached, stands) = mpsc::channel();
    let (go_on, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let probe: Probe = Arc::new(move |at| {
        if at == moment {
            reached.send(()).map_err(io::Error::other)?;
            // Ends when the test lets go.
            let _ = gate.lock().recv();
        }
        Ok(())
    });
    (probe, stands, go_on)
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_sealing_stands_still_at_any_moment_reads_and_appends_go_on() {
    for moment in MOMENTS {
        let dir = tempfile::tempdir().unwrap();
        let (probe, stands, go_on) = standing_still_at(moment);
        let log = Arc::new(SledLog::open_with(options(dir.path()), Some(probe)).unwrap());
        fill(&log, 1, 10).await;
        let mut early = log.subscribe(Position(5));
        let sealing = tokio::spawn({
            let log = Arc::clone(&log);
            async move { log.seal().await }
        });
        tokio::task::spawn_blocking(move || stands.recv().map(|()| stands)).await.unwrap().unwrap();
        fill(&log, 11, 20).await;
        holds(&log, 20).await;
        let mut next = 5;
        while next <= 21 {
            let frame = early.next().await.unwrap().unwrap();
            assert_eq!(frame.first(), Position(next));
            next = frame.last().0 + 1;
        }
        drop(go_on);
        sealing.await.unwrap().unwrap();
        holds(&log, 21).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sealing_while_many_write_loses_and_repeats_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let options = SledOptions {
        seal_bytes: 20_000,
        durability: Durability::ProcessCrash,
        filter_bytes: 2_000,
        ..SledOptions::new(dir.path())
    };
    let log = Arc::new(SledLog::open(options.clone()).unwrap());
    // Each writes until there have been some sealings, and says how many events it wrote.
    let writers = (0..4_u64).map(|writer| {
        let log = Arc::clone(&log);
        tokio::spawn(async move {
            let mut written = 0;
            while written < 1_000 || log.status().segments < 4 {
                let events = (written..written + 20).map(|n| event(&format!("w{writer} {}", n % 311), 9));
                let batch = Some(SourceBatch { epoch: Epoch(u128::from(writer)), first_seq: written + 1 });
                log.append(Append { batch, events: events.collect(), ..one("x") }).await.unwrap();
                written += 20;
            }
            written
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut live = log.subscribe(Position::START);
    let reader = tokio::spawn(async move {
        let mut next = 1;
        loop {
            let frame: Arc<Frame> = live.next().await.unwrap().unwrap();
            assert_eq!(frame.first().0, next);
            next = frame.last().0 + 1;
            if frame.events().any(|event| event.envelope.stream.id == "end") {
                return next;
            }
        }
    });
    let mut written = Vec::new();
    for writer in writers {
        written.push(writer.await.unwrap());
    }
    log.append(one("end")).await.unwrap();
    let end = written.iter().sum::<u64>() + 1;
    assert_eq!((reader.await.unwrap(), log.end()), (end + 1, Position(end)));
    let check = |log: &SledLog| {
        for (writer, written) in (0_u64..).zip(&written) {
            for id in 0..311_u64 {
                let expected = (0..*written).filter(|n| n % 311 == id).count() as u64;
                let version = log.version(&stream(&format!("w{writer} {id}"))).unwrap();
                assert_eq!(version, Version(expected), "w{writer} {id}");
            }
            let mark = log.source_mark(&name("site"), &name("test"), Epoch(u128::from(writer)));
            assert_eq!(mark.unwrap().unwrap().last_seq, *written);
        }
    };
    check(&log);
    drop(log);
    check(&SledLog::open(options).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_closes_does_not_wait_for_a_sealing() {
    let dir = tempfile::tempdir().unwrap();
    let (reached, stands) = mpsc::channel();
    let log_closes = Arc::new(AtomicBool::new(false));
    let probe: Probe = {
        let closes = Arc::clone(&log_closes);
        Arc::new(move |at| {
            if at == Moment::PartlyWritten && !closes.swap(true, Ordering::SeqCst) {
                reached.send(()).map_err(io::Error::other)?;
            }
            Ok(())
        })
    };
    let log = SledLog::open_with(SledOptions { seal_bytes: 1, ..options(dir.path()) }, Some(probe)).unwrap();
    fill(&log, 1, 50).await;
    tokio::task::spawn_blocking(move || stands.recv()).await.unwrap().unwrap();
    log.close().await.unwrap();
    assert!(log.seal().await.is_err());
    drop(log);
    holds(&SledLog::open(options(dir.path())).unwrap(), 50).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_failed_is_not_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let log = SledLog::open(options(dir.path())).unwrap();
    fill(&log, 1, 5).await;
    assert!(matches!(log.seal().await, Ok(Some(sealed)) if sealed.last == Position(5)));
    fill(&log, 6, 9).await;
    drop(log);
    // Half of a group at the end of the database.
    let torn = super::tests::stored_frame(10, true);
    let database = super::database::Database::open(&options(dir.path()), 2, Position(9)).unwrap();
    database.apply(vec![torn]).unwrap();
    database.flush().unwrap();
    drop(database);
    let log = SledLog::open(options(dir.path())).unwrap();
    assert!(matches!(log.seal().await, Ok(Some(sealed)) if sealed.last == Position(9)));
    holds(&log, 9).await;
}

#[tokio::test]
async fn a_manifest_without_its_parts_is_refused() {
    for lost in ["hot-000002", "segment-000001", "MANIFEST"] {
        let dir = tempfile::tempdir().unwrap();
        let log = SledLog::open(options(dir.path())).unwrap();
        fill(&log, 1, 5).await;
        log.seal().await.unwrap();
        fill(&log, 6, 9).await;
        drop(log);
        let path = dir.path().join(lost);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.unwrap();
        let error = SledLog::open(options(dir.path())).err().unwrap();
        assert!(matches!(&error, LogError::Damaged { path: named, .. } if *named == path), "{error}");
        assert!(!path.exists(), "nothing is made in its place");
    }
}
