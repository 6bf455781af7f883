//! Appends to the real log from several tasks, and notes every acknowledgement beside the log's folder.
//!
//! `power-load ROOT SEED SHAPE`: the log lies in ROOT/log; ROOT/notes gets one line for each acknowledgement, each by one
//! write, so that it has its place in the shim's record. Ends with 0 also if the log was poisoned, with 3 if it did not
//! open: then the notes say why. Invariant: a note is written after the acknowledgement that it is about.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "part of a test")]

use std::{
    collections::VecDeque,
    fs::File,
    io::Write,
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, Mutex},
};

use futures_util::StreamExt;
use pegcount_log::{AppendError, EventLog, PendingAppend, Sealed, SledLog};
use pegcount_power_tests::{
    check::Content,
    load::{Progress, Shape, next_append},
};

/// How many appends every other task has under way.
const UNDER_WAY_MAX: usize = 3;
/// With so many segments some are dropped.
const SEGMENTS_MAX: usize = 4;
const NOT_OPENED: u8 = 3;

/// Appends that are not answered yet, by their numbers.
type UnderWay = VecDeque<(u32, PendingAppend)>;

struct Load {
    log: SledLog,
    notes: Mutex<File>,
    shape: Shape,
    seed: u64,
}

impl Load {
    fn note(&self, line: &str) {
        self.notes.lock().unwrap().write_all(format!("{line}\n").as_bytes()).expect("notes can be written");
    }

    async fn run(&self, task: u32, mut progress: Progress) -> Result<(), AppendError> {
        let mut under_way = VecDeque::new();
        let mut ended = self.append(task, &mut progress, &mut under_way).await;
        // What was acknowledged before a refusal is noted all the same.
        while !under_way.is_empty() {
            ended = ended.and(self.finish(task, &mut under_way).await);
        }
        ended
    }

    async fn append(
        &self,
        task: u32,
        progress: &mut Progress,
        under_way: &mut UnderWay,
    ) -> Result<(), AppendError> {
        let under_way_max = if task.is_multiple_of(2) { 1 } else { UNDER_WAY_MAX };
        for _ in 0..self.shape.appends() {
            if under_way.len() == under_way_max {
                self.finish(task, under_way).await?;
            }
            let number = progress.appends;
            let append = next_append(self.shape, self.seed, task, progress);
            under_way.push_back((number, self.log.submit(append).await?));
        }
        Ok(())
    }

    /// Drops the older half of the segments each time that there are some. A frame that comes is the moment to look.
    async fn drop_history(&self) {
        let mut frames = self.log.subscribe(self.log.end().next());
        while frames.next().await.is_some_and(|frame| frame.is_ok()) {
            let sealed = self.log.sealed();
            let half = sealed.get(sealed.len() / 2).filter(|_| sealed.len() >= SEGMENTS_MAX);
            let Some(Sealed { last, .. }) = half.copied() else { continue };
            let content = Content::read_to(&self.log, self.shape, self.seed, last).await;
            let archive = content.unwrap_or_else(|wrong| panic!("{wrong:?}")).archive();
            match self.log.drop_history(last, archive).await {
                Ok(dropped) => self.note(&format!("dropped {}", dropped.first)),
                Err(error) => return self.note(&format!("not dropped: {error}")),
            }
        }
    }

    async fn finish(&self, task: u32, under_way: &mut UnderWay) -> Result<(), AppendError> {
        let (number, pending) = under_way.pop_front().expect("one is under way");
        let appended = pending.await?;
        self.note(&format!("ack {task} {number} {}", appended.last));
        Ok(())
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [root, seed, shape] = arguments.as_slice() else { panic!("power-load ROOT SEED SHAPE") };
    let (root, seed) = (PathBuf::from(root), seed.parse().expect("SEED is a number"));
    let shape = Shape::named(shape).expect("SHAPE is one of Shape's");
    let notes = Mutex::new(File::create(root.join("notes")).expect("ROOT can be written"));
    let log = match SledLog::open(shape.options(&root.join("log"))) {
        Ok(log) => log,
        Err(error) => {
            notes
                .lock()
                .unwrap()
                .write_all(format!("not opened: {error}\n").as_bytes())
                .expect("notes can be written");
            return ExitCode::from(NOT_OPENED);
        }
    };
    let load = Arc::new(Load { log, notes, shape, seed });
    load.note(&format!("open {}", load.log.end()));
    let content = Content::read(&load.log, shape, seed).await.unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let mut tasks = Vec::new();
    for (task, progress) in (0..).zip(content.tasks) {
        let load = Arc::clone(&load);
        tasks.push(tokio::spawn(async move { load.run(task, progress).await }));
    }
    let dropper = (shape == Shape::Dropped).then(|| {
        let load = Arc::clone(&load);
        tokio::spawn(async move { load.drop_history().await })
    });
    for task in tasks {
        if let Err(error) = task.await.expect("a task of the load") {
            load.note(&format!("refused {error}"));
        }
    }
    if let Some(dropper) = dropper {
        // A drop that is under way is finished before the log closes.
        dropper.abort();
        match dropper.await {
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            _ => {}
        }
    }
    if load.log.status().poisoned.is_some() {
        let read = Content::read(&load.log, shape, seed).await;
        load.note(&format!("read {:?}", read.map(|content| content.end)));
    }
    match load.log.close().await {
        Ok(()) => load.note("closed"),
        Err(error) => load.note(&format!("not closed: {error}")),
    }
    ExitCode::SUCCESS
}
