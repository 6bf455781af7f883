//! The committer against a store that records its calls, waits at a gate and fails where it is told to.

use std::{
    io,
    path::Path,
    sync::{Arc, Weak},
};

use futures_util::{FutureExt, StreamExt};
use parking_lot::{Condvar, Mutex};
use pegcount_domain::{
    envelope::{Position, StreamKind, StreamName, Version},
    event::EventType,
    ids::{Incarnation, Name},
    time::Micros,
};
use smallvec::SmallVec;

use super::{
    Archives, Parts, SledLog, SledOptions,
    database::{Database, follow_on},
    durable::Durable,
    folder::Folder,
    open::{Found, removal_order},
    store::{Committed, Gate, Store},
};
use crate::{
    api::{Append, AppendError, Durability, EventLog, Expected, LogError, NewEvent, PendingAppend},
    content::Fingerprints,
    frame::{Frame, FrameBuilder, Stamp},
    keys::LogKey,
    segment::{Memory, Shelf},
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Failure {
    Error,
    Panic,
}

#[derive(Default)]
struct State {
    calls: Vec<String>,
    fails_at: Option<(&'static str, Failure)>,
    /// Calls of this name wait.
    shut: Option<&'static str>,
    frames: Vec<(Position, Vec<u8>)>,
}

/// A store in memory.
#[derive(Default)]
struct Recorder {
    state: Mutex<State>,
    changed: Condvar,
}

impl Recorder {
    fn call(&self, name: &'static str, detail: &str) -> io::Result<()> {
        let mut state = self.state.lock();
        state.calls.push(format!("{name}{detail}"));
        self.changed.notify_all();
        while state.shut == Some(name) {
            self.changed.wait(&mut state);
        }
        match state.fails_at {
            Some((at, Failure::Error)) if at == name => Err(io::Error::other("the disk is gone")),
            Some((at, Failure::Panic)) if at == name => {
                drop(state);
                panic!("the store is out of order")
            }
            _ => Ok(()),
        }
    }

    fn shut(&self, name: &'static str) {
        self.state.lock().shut = Some(name);
    }

    fn open(&self) {
        self.state.lock().shut = None;
        self.changed.notify_all();
    }

    fn fail(&self, name: &'static str, failure: Failure) {
        self.state.lock().fails_at = Some((name, failure));
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().calls)
    }

    fn wait_for(&self, name: &str) {
        let mut state = self.state.lock();
        while !state.calls.iter().any(|call| call.starts_with(name)) {
            self.changed.wait(&mut state);
        }
    }
}

impl Store for Recorder {
    fn apply(&self, frames: Vec<(Position, Vec<u8>)>) -> io::Result<()> {
        self.call("apply", "")?;
        self.state.lock().frames.extend(frames);
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        self.call("flush", "")
    }

    fn sync_data(&self) -> io::Result<()> {
        self.call("sync_data", "")
    }

    fn write_mark(&self, end: Position) -> io::Result<()> {
        self.call("write_mark", &format!(" {end}"))
    }

    fn sync_mark(&self) -> io::Result<()> {
        self.call("sync_mark", "")
    }

    fn load(&self, at: Position, count: usize) -> Result<Vec<Frame>, LogError> {
        let state = self.state.lock();
        let first = state.frames.partition_point(|(first, _)| *first <= at).saturating_sub(1);
        let stored: Vec<_> = state.frames.iter().skip(first).take(count).map(|(_, bytes)| bytes).collect();
        follow_on(&stored, at, Path::new("recorder"))
    }

    fn disk_bytes(&self) -> u64 {
        0
    }
}

struct Bench {
    log: SledLog,
    store: Arc<Recorder>,
    _dir: tempfile::TempDir,
}

fn bench(durability: Durability) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Recorder::default());
    let options = SledOptions { durability, ..SledOptions::new(dir.path()) };
    let folder = Folder::open(dir.path()).unwrap();
    let key = LogKey::random().unwrap();
    let shelf = Arc::new(Shelf::new(Memory { filters: 0, blocks: 0 }));
    let log = SledLog::start(Parts {
        options,
        folder,
        incarnation: Incarnation(1),
        store: Arc::clone(&store) as Arc<dyn Store>,
        durable: Arc::new(Durable::new(key.names(), shelf)),
        said: Fingerprints::new(&key),
        found: Found::after(Position::START, Micros(0)),
        gate: Arc::new(Gate::new(Committed { end: Position::START, failed: false })),
        bell: Arc::default(),
        archives: Arc::new(Archives::new(dir.path(), Vec::new())),
    });
    Bench { log: log.unwrap(), store, _dir: dir }
}

pub(super) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(super) fn stream(id: &str) -> StreamName {
    StreamName { site: name("site"), kind: StreamKind::Agent, id: name(id) }
}

pub(super) fn event(id: &str, payload_bytes: usize) -> NewEvent {
    NewEvent {
        stream: stream(id),
        event_type: EventType::READY,
        schema_version: 1,
        occurred_at: Micros(1),
        source_time: Micros(1),
        actor: name("actor"),
        on_behalf_of: None,
        command_id: None,
        correlation: None,
        causation: None,
        names: SmallVec::new(),
        payload: SmallVec::from_vec(vec![7; payload_bytes]),
    }
}

pub(super) fn one(id: &str) -> Append {
    let events = vec![event(id, 3)];
    Append { source: name("test"), batch: None, skip_to: None, expected: SmallVec::new(), events }
}

fn expecting(id: &str, expected: Expected) -> Append {
    Append { expected: SmallVec::from_iter([(stream(id), expected)]), ..one(id) }
}

fn still_waits(pending: &mut PendingAppend) -> bool {
    pending.now_or_never().is_none()
}

#[tokio::test]
async fn an_append_is_answered_only_after_its_data_and_the_mark_before_are_synced() {
    let bench = bench(Durability::PowerLoss);
    bench.store.shut("sync_mark");
    bench.log.append(one("a")).await.unwrap();
    bench.store.wait_for("sync_mark");
    assert_eq!(bench.store.calls(), ["apply", "flush", "sync_data", "write_mark 1", "sync_mark"]);
    let mut second = bench.log.submit(one("a")).await.unwrap();
    bench.store.wait_for("sync_data");
    assert!(still_waits(&mut second), "the mark is not synced");
    bench.store.open();
    second.await.unwrap();
    bench.log.close().await.unwrap();
    assert_eq!(bench.store.calls(), ["apply", "flush", "sync_data", "write_mark 2", "sync_mark"]);
}

#[tokio::test]
async fn nothing_is_synced_for_process_crash_alone() {
    let bench = bench(Durability::ProcessCrash);
    bench.log.append(one("a")).await.unwrap();
    bench.log.append(one("a")).await.unwrap();
    bench.log.close().await.unwrap();
    assert_eq!(bench.store.calls(), ["apply", "flush", "apply", "flush"]);
}

#[tokio::test]
async fn before_the_sync_nobody_sees_anything() {
    for gate in ["apply", "flush", "sync_data", "write_mark"] {
        let bench = bench(Durability::PowerLoss);
        let mut subscription = bench.log.subscribe(Position::START);
        bench.store.shut(gate);
        let mut written = bench.log.submit(expecting("a", Expected::NoStream)).await.unwrap();
        bench.store.wait_for(gate);
        // Decided against what is under way, but a refusal speaks of it too, so it must wait as well.
        let mut refused = bench.log.submit(expecting("a", Expected::NoStream)).await.unwrap();
        let mut follows = bench.log.submit(expecting("a", Expected::Version(Version(1)))).await.unwrap();
        assert!(still_waits(&mut written) && still_waits(&mut refused) && still_waits(&mut follows));
        assert_eq!(
            (bench.log.end(), bench.log.version(&stream("a")).unwrap()),
            (Position::START, Version(0))
        );
        assert!(bench.log.read(Position(1)).await.unwrap().is_none());
        assert!(subscription.next().now_or_never().is_none());
        bench.store.open();
        assert_eq!(written.await.unwrap().last, Position(1));
        assert!(matches!(refused.await, Err(AppendError::WrongVersion { actual: Version(1), .. })));
        assert_eq!(follows.await.unwrap().last, Position(2));
        assert_eq!(subscription.next().await.unwrap().unwrap().first(), Position(1));
    }
}

#[tokio::test]
async fn the_next_group_forms_while_the_last_one_syncs() {
    let bench = bench(Durability::PowerLoss);
    bench.store.shut("sync_data");
    let first = bench.log.submit(one("a")).await.unwrap();
    bench.store.wait_for("sync_data");
    let mut pending = Vec::new();
    for _ in 0..50 {
        pending.push(bench.log.submit(one("a")).await.unwrap());
    }
    bench.store.open();
    first.await.unwrap();
    for (pending, position) in pending.into_iter().zip(2..) {
        assert_eq!(pending.await.unwrap().last, Position(position));
    }
    let applied = bench.store.calls().iter().filter(|call| *call == "apply").count();
    assert!(applied <= 3, "50 appends took {applied} groups");
}

#[tokio::test]
async fn a_full_queue_holds_submitters_back() {
    let bench = bench(Durability::PowerLoss);
    bench.store.shut("sync_data");
    let big = Append { events: vec![event("a", 30_000); 30], ..one("a") };
    let mut accepted = Vec::new();
    let held_back = loop {
        let mut submit = Box::pin(bench.log.submit(big.clone()));
        match (&mut submit).now_or_never() {
            Some(pending) => accepted.push(pending.unwrap()),
            None => break submit,
        }
        assert!(accepted.len() < 40, "the queue has no bound");
    };
    bench.store.open();
    let last = held_back.await.unwrap();
    for pending in accepted {
        pending.await.unwrap();
    }
    last.await.unwrap();
}

#[tokio::test]
async fn any_failure_poisons_the_log_and_reads_go_on() {
    let steps = ["apply", "flush", "sync_data", "write_mark", "sync_mark"];
    for (step, failure) in steps.into_iter().flat_map(|step| [(step, Failure::Error), (step, Failure::Panic)])
    {
        let bench = bench(Durability::PowerLoss);
        if step == "sync_mark" {
            // The first append's mark; nobody has waited for it yet.
            bench.store.fail(step, failure);
        }
        bench.log.append(one("a")).await.unwrap();
        bench.store.fail(step, failure);
        let failed = bench.log.append(one("a")).await.unwrap_err();
        assert!(matches!(&failed, AppendError::Poisoned { .. }), "{step}: {failed}");
        assert_eq!(bench.log.end(), Position(1), "what failed is not shown");
        assert_eq!(bench.log.version(&stream("a")).unwrap(), Version(1));
        // Even if the disk recovers: what a failed sync left behind is not known.
        bench.store.fail("nothing", failure);
        let refused = bench.log.append(one("a")).await.unwrap_err();
        assert!(matches!(&refused, AppendError::Poisoned { .. }), "{step}: {refused}");
        assert!(bench.log.status().poisoned.is_some());
        assert_eq!(bench.log.read(Position(1)).await.unwrap().unwrap().last(), Position(1));
        assert!(bench.log.close().await.is_err());
    }
}

#[tokio::test]
async fn appends_that_wait_when_the_log_is_poisoned_are_refused() {
    let bench = bench(Durability::PowerLoss);
    bench.store.shut("sync_data");
    bench.store.fail("sync_data", Failure::Error);
    let first = bench.log.submit(one("a")).await.unwrap();
    bench.store.wait_for("sync_data");
    let second = bench.log.submit(one("a")).await.unwrap();
    let repeat = bench.log.submit(one("b")).await.unwrap();
    bench.store.open();
    for pending in [first, second, repeat] {
        assert!(matches!(pending.await, Err(AppendError::Poisoned { .. })));
    }
    assert_eq!(bench.log.end(), Position::START);
}

#[tokio::test]
async fn a_subscription_ends_when_the_log_is_dropped() {
    let Bench { log, store, _dir } = bench(Durability::PowerLoss);
    let mut subscription = log.subscribe(Position::START);
    log.append(one("a")).await.unwrap();
    assert!(subscription.next().await.unwrap().is_ok());
    let watched: Weak<Recorder> = Arc::downgrade(&store);
    drop((log, store));
    assert!(subscription.next().await.is_none());
    assert!(watched.upgrade().is_none(), "the store is closed although the subscription lives");
}

pub(super) fn stored_frame(first: u64, more: bool) -> (Position, Vec<u8>) {
    let mut builder = FrameBuilder::new(None).unwrap();
    let (position, version) = (Position(first), Version(first));
    let source = name("test");
    let stamp = Stamp { position, version, recorded_at: Micros(1), source: &source, seqs: None };
    builder.push(&event("a", 3), &stamp);
    (position, builder.finish(more).1)
}

#[tokio::test]
async fn a_group_that_was_cut_short_is_removed_on_opening() {
    let dir = tempfile::tempdir().unwrap();
    let options = SledOptions::new(dir.path());
    SledLog::open(options.clone()).unwrap().append(one("a")).await.unwrap();
    let store = Database::open(&options, 1, Position::START).unwrap();
    store.apply(vec![stored_frame(2, true), stored_frame(3, true)]).unwrap();
    store.flush().unwrap();
    drop(store);
    for last in [2, 3] {
        let log = SledLog::open(options.clone()).unwrap();
        assert_eq!(log.end(), Position(last - 1));
        assert_eq!(log.append(one("a")).await.unwrap().last, Position(last));
    }
}

#[tokio::test]
async fn a_removal_of_a_cut_group_may_be_cut_short_anywhere() {
    let torn = || (2..=4).map(|first| stored_frame(first, true));
    let group = torn().map(|(_, bytes)| Frame::decode(&bytes).unwrap()).collect();
    for removed in 0..=3 {
        let dir = tempfile::tempdir().unwrap();
        let options = SledOptions::new(dir.path());
        SledLog::open(options.clone()).unwrap().append(one("a")).await.unwrap();
        let store = Database::open(&options, 1, Position::START).unwrap();
        store.apply(torn().collect()).unwrap();
        removal_order(&group).take(removed).for_each(|first| store.remove(first).unwrap());
        store.flush().unwrap();
        drop(store);
        assert_eq!(SledLog::open(options).unwrap().end(), Position(1), "after {removed}");
    }
}

#[tokio::test]
async fn frames_that_do_not_follow_on_each_other_are_damage() {
    let wrong: [(&str, (Position, Vec<u8>)); 3] = [
        ("a hole", stored_frame(3, false)),
        ("a wrong key", (Position(2), stored_frame(3, false).1)),
        ("a wrong version", {
            let mut builder = FrameBuilder::new(None).unwrap();
            let source = name("test");
            let (position, version) = (Position(2), Version(9));
            let stamp = Stamp { position, version, recorded_at: Micros(1), source: &source, seqs: None };
            builder.push(&event("a", 3), &stamp);
            (position, builder.finish(false).1)
        }),
    ];
    for (what, frame) in wrong {
        let dir = tempfile::tempdir().unwrap();
        let options = SledOptions::new(dir.path());
        SledLog::open(options.clone()).unwrap().append(one("a")).await.unwrap();
        let store = Database::open(&options, 1, Position::START).unwrap();
        store.apply(vec![frame]).unwrap();
        store.flush().unwrap();
        drop(store);
        let error = SledLog::open(options).err().unwrap();
        assert!(matches!(error, LogError::Damaged { position: Position(2), .. }), "{what}: {error}");
    }
}
