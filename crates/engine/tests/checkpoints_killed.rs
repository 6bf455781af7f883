//! Processes killed while they write checkpoints: the next start is good, whatever lies in the folder.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    clippy::unused_self,
    dead_code,
    reason = "tests"
)]

mod support;

use std::{
    env,
    ffi::OsString,
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use pegcount_clock::Clock;
use pegcount_domain::{envelope::Position, time::Micros};
use pegcount_engine::{Engine, EngineOptions};
use pegcount_kpi::{Dimension, Query, Row};
use pegcount_proto::v1::{self, contact_fact::Action};
use support::{MORNING, Place, batch, contact_fact, send, site, started};

/// Says to the child where it is to write, and from which call on.
const DIR: &str = "PEGCOUNT_TEST_KILLED_DIR";
const KILLS: u64 = 8;

fn minute(number: u64) -> Micros {
    MORNING.plus(Micros(i64::try_from(number).unwrap() * Micros::MINUTE.0))
}

async fn open(dir: &Path) -> Place {
    let clock = Clock::manual(MORNING);
    let options = EngineOptions { clock: clock.clone(), ..EngineOptions::folder(dir) };
    let engine = Engine::open(options).await.unwrap();
    // Its own folder goes with it; the log's stays.
    Place { engine, clock, dir: tempfile::tempdir().unwrap() }
}

/// Not a test of its own: what is killed. Call after call, and a checkpoint after each.
#[test]
fn the_process_that_is_killed() {
    let Ok(dir) = env::var(DIR) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let place = open(Path::new(&dir)).await;
        let (_, welcome) = place.engine.open_source(place.hello("pbx")).unwrap();
        let session = place.session("pbx");
        for number in welcome.last_committed_seq / 3.. {
            place.clock.set(minute(number));
            let id = format!("call {number}");
            let entered = v1::QueueEntered { visit: "1".into(), queue: "sales".into(), priority: 0 };
            let facts = vec![
                started(&id, &format!("+49 {}", number % 7)),
                contact_fact(&id, Action::QueueEntered(entered)),
                contact_fact(&id, Action::Ended(v1::ContactEnded::default())),
            ];
            send(&session, batch(number * 3 + 1, minute(number), facts)).await.unwrap();
            place.settled().await;
            place.engine.checkpoint().await.unwrap();
        }
    });
}

fn all(position: Position) -> Query {
    let by = vec![Dimension::Hour, Dimension::Queue];
    Query { by, ..Query::new(site(), MORNING, minute(7 * 24 * 60), minute(position.0)) }
}

async fn figures(dir: &Path) -> (Position, Position, Vec<Row>) {
    let place = open(dir).await;
    let end = place.engine.end();
    let rows = place.engine.query(&all(end)).unwrap().rows;
    let began_at = place.engine.began_at();
    place.engine.close().await.unwrap();
    (began_at, end, rows)
}

/// The name of the newest file among the checkpoints.
fn newest(dir: &Path) -> Option<OsString> {
    let entries = fs::read_dir(dir.join("checkpoints")).ok()?;
    entries.map(|entry| entry.unwrap().file_name()).max()
}

#[tokio::test]
async fn a_process_killed_at_any_moment_of_writing_leaves_a_folder_to_start_from() {
    let dir = tempfile::tempdir().unwrap();
    let mut began = 0;
    for kill in 0..KILLS {
        let before = newest(dir.path());
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "the_process_that_is_killed", "--nocapture"])
            .env(DIR, dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Once it writes, some time passes, as long as a few checkpoints take at most.
        let patience = Instant::now() + Duration::from_mins(1);
        while newest(dir.path()) == before {
            assert!(Instant::now() < patience && child.try_wait().unwrap().is_none(), "nothing was written");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(some_time(kill)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let (began_at, end, rows) = figures(dir.path()).await;
        assert!(began_at <= end);
        began = began.max(began_at.0);
        let saved = dir.path().join("saved");
        fs::rename(dir.path().join("checkpoints"), &saved).unwrap();
        let (from_start, same_end, whole) = figures(dir.path()).await;
        assert_eq!((from_start, same_end), (Position::START, end));
        assert_eq!(rows, whole, "kill {kill}, from the checkpoint at {began_at}");
        fs::rename(saved, dir.path().join("checkpoints")).unwrap();
    }
    assert!(began > 0, "no start went on from a checkpoint");
}

/// Another time for each kill, up to 40 ms.
fn some_time(kill: u64) -> Duration {
    Duration::from_micros(((kill + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20) % 40_000)
}
