//! Whether a log holds what was acknowledged: all of it, once, in order, whole, and nothing that was never meant.
//!
//! Invariant: an append that was not acknowledged may be missing, but only from the end of its task's, and never in part.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, mpsc::channel},
    thread,
    time::Duration,
};

use futures_util::StreamExt;
use pegcount_domain::envelope::Position;
use pegcount_log::{Archive, EventLog, FrameEvent, LogError, SledLog};

use crate::load::{Meant, Progress, Shape, labelled, meant, next_append};

/// A check that takes longer hangs.
const CHECK_MAX: Duration = Duration::from_mins(2);

/// What had been acknowledged when the power went.
#[derive(Clone, Debug, Default)]
pub struct Acknowledged {
    /// Everything up to here.
    pub end: u64,
    /// Appends by task and number, with the position of their last event.
    pub appends: Vec<(u32, u32, u64)>,
    /// Everything before this had been dropped.
    pub first: u64,
}

/// How a log fell short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It does not open.
    Refused(String),
    /// It opens, but reading it fails.
    Unread(String),
    /// Opening or reading panicked through to the caller.
    Panicked(String),
    /// Nothing came of it within [`CHECK_MAX`].
    Hangs,
    /// Something acknowledged is not there.
    Lost(String),
    /// There is something that is not as it was meant.
    Wrong(String),
    /// It takes no more appends, or loses them.
    Stuck(String),
}

/// What is in a log.
#[derive(Clone, Debug)]
pub struct Content {
    shape: Shape,
    seed: u64,
    /// Where each task stands.
    pub tasks: Vec<Progress>,
    /// By task, the position of each append's last event.
    lasts: Vec<Vec<u64>>,
    /// The last position.
    pub end: u64,
    shared_version: u64,
    /// What must come of an append that has begun.
    awaited: Option<(Arc<[Meant]>, usize)>,
}

impl Content {
    /// Of an empty log.
    pub fn new(shape: Shape, seed: u64) -> Self {
        let tasks = usize::try_from(shape.tasks()).expect("small");
        Self {
            shape,
            seed,
            tasks: vec![Progress::default(); tasks],
            lasts: vec![Vec::new(); tasks],
            end: 0,
            shared_version: 0,
            awaited: None,
        }
    }

    /// All of a log.
    pub async fn read(log: &SledLog, shape: Shape, seed: u64) -> Result<Self, Failure> {
        Self::read_to(log, shape, seed, log.end()).await
    }

    /// A log up to `end`, where a group ends: what is archived of it, and then its events.
    pub async fn read_to(log: &SledLog, shape: Shape, seed: u64, end: Position) -> Result<Self, Failure> {
        let unread = |error: LogError| Failure::Unread(error.to_string());
        let mut content = Self::new(shape, seed);
        if let Some(archive) = log.archive(Some(end)).await.map_err(unread)? {
            content.restore(&archive).ok_or(Failure::Wrong("the archive does not make sense".to_owned()))?;
        }
        let archived = content.end;
        // What is archived and still there must be readable, too.
        let mut frames = log.subscribe(log.first());
        let mut reached = log.first().0 - 1;
        while reached < end.0 {
            let frame = frames.next().await.ok_or(Failure::Unread("the subscription ends".to_owned()))?;
            let frame = frame.map_err(unread)?;
            reached = frame.last().0;
            let mut events = frame.events().filter(|event| event.envelope.position.0 > archived);
            events.try_for_each(|event| content.take(&event)).map_err(Failure::Wrong)?;
        }
        if content.end != end.0 {
            return Err(Failure::Wrong(format!("the archive is at {}, the log ends at {end}", content.end)));
        }
        if content.awaited.is_none() {
            Ok(content)
        } else {
            Err(Failure::Wrong("an append is there in part".to_owned()))
        }
    }

    /// As what a drop leaves behind.
    pub fn archive(&self) -> Archive {
        let mut numbers = vec![self.shared_version];
        for (progress, lasts) in self.tasks.iter().zip(&self.lasts) {
            numbers.extend([u64::from(progress.appends), progress.events, progress.version]);
            numbers.extend(lasts);
        }
        let bytes = numbers.into_iter().flat_map(u64::to_le_bytes).collect();
        Archive { position: Position(self.end), bytes }
    }

    /// Takes over what an archive says; none if it is not one that [`Self::archive`] made.
    fn restore(&mut self, archive: &Archive) -> Option<()> {
        let (numbers, []) = archive.bytes.as_chunks() else { return None };
        let mut numbers = numbers.iter().map(|number| u64::from_le_bytes(*number));
        self.end = archive.position.0;
        self.shared_version = numbers.next()?;
        for (progress, lasts) in self.tasks.iter_mut().zip(&mut self.lasts) {
            progress.appends = numbers.next()?.try_into().ok()?;
            progress.events = numbers.next()?;
            progress.version = numbers.next()?;
            for _ in 0..progress.appends {
                lasts.push(numbers.next()?);
            }
        }
        numbers.next().is_none().then_some(())
    }

    fn take(&mut self, event: &FrameEvent<'_>) -> Result<(), String> {
        let envelope = &event.envelope;
        let at = envelope.position.0;
        let (task, number, _) = labelled(envelope.payload).ok_or(format!("{at} holds no label"))?;
        let index = usize::try_from(task).expect("small");
        let progress = self.tasks.get_mut(index).ok_or(format!("{at} is of no task"))?;
        let (all, at_event) = match self.awaited.take() {
            Some(awaited) => awaited,
            None if number == progress.appends => {
                progress.appends += 1;
                (meant(self.shape, self.seed, task, number), 0)
            }
            None => {
                return Err(format!("{at} is append {number} of task {task}, expected {}", progress.appends));
            }
        };
        let meant = &all[at_event];
        progress.events += 1;
        let version = if meant.shared { &mut self.shared_version } else { &mut progress.version };
        *version += 1;
        let stream = if meant.shared { "shared".to_owned() } else { format!("task-{task}") };
        let is = (at, envelope.stream.id, envelope.version.0, envelope.source_seq.map_or(0, |seq| seq.seq));
        let should = (self.end + 1, stream.as_str(), *version, progress.events);
        if is != should {
            return Err(format!("position, stream, version and seq are {is:?}, should be {should:?}"));
        }
        if envelope.payload != meant.payload {
            return Err(format!("the payload at {at} is not what was appended"));
        }
        self.end = at;
        if at_event + 1 < all.len() {
            self.awaited = Some((all, at_event + 1));
        } else {
            self.lasts[index].push(at);
        }
        Ok(())
    }

    /// Whether all of it is there.
    pub fn holds(&self, acknowledged: &Acknowledged) -> Result<(), String> {
        if self.end < acknowledged.end {
            return Err(format!("the log ends at {}, {} was acknowledged", self.end, acknowledged.end));
        }
        for (task, number, last) in &acknowledged.appends {
            let lasts = &self.lasts[usize::try_from(*task).expect("small")];
            let found = lasts.get(usize::try_from(*number).expect("small"));
            if found != Some(last) {
                return Err(format!("append {number} of task {task} ended at {last}, now at {found:?}"));
            }
        }
        Ok(())
    }
}

/// Opens the log in `dir` and checks it; then appends to it, opens it once more and checks that too.
pub fn check(dir: &Path, shape: Shape, seed: u64, acknowledged: Acknowledged) -> Result<Content, Failure> {
    let dir = dir.to_owned();
    contained(async move {
        let (log, content) = open(&dir, shape, seed, &acknowledged).await?;
        let mut after = acknowledged;
        for (task, mut progress) in (0..).zip(content.tasks.clone()) {
            let number = progress.appends;
            let append = next_append(shape, seed, task, &mut progress);
            let appended = log.append(append).await.map_err(|error| Failure::Stuck(error.to_string()))?;
            after.appends.push((task, number, appended.last.0));
        }
        log.close().await.map_err(|error| Failure::Stuck(error.to_string()))?;
        drop(log);
        let stuck = |failure| Failure::Stuck(format!("opened again: {failure:?}"));
        open(&dir, shape, seed, &after).await.map_err(stuck)?;
        Ok(content)
    })
}

/// Opens the log in `dir` and checks it, no more.
pub fn look(dir: &Path, shape: Shape, seed: u64, acknowledged: Acknowledged) -> Result<Content, Failure> {
    let dir = dir.to_owned();
    contained(async move { open(&dir, shape, seed, &acknowledged).await.map(|(_, content)| content) })
}

async fn open(
    dir: &Path,
    shape: Shape,
    seed: u64,
    acknowledged: &Acknowledged,
) -> Result<(SledLog, Content), Failure> {
    let log = SledLog::open(shape.options(dir)).map_err(|error| Failure::Refused(error.to_string()))?;
    if log.first().0 < acknowledged.first {
        let (first, dropped) = (log.first(), acknowledged.first);
        return Err(Failure::Wrong(format!(
            "the log begins at {first}, though all before {dropped} had gone"
        )));
    }
    let content = Content::read(&log, shape, seed).await?;
    content.holds(acknowledged).map_err(Failure::Lost)?;
    Ok((log, content))
}

/// Runs on a thread of its own, which may panic or hang.
fn contained(
    checking: impl Future<Output = Result<Content, Failure>> + Send + 'static,
) -> Result<Content, Failure> {
    let (done, result) = channel();
    let thread = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let checked = catch_unwind(AssertUnwindSafe(|| runtime.block_on(checking)));
        // Nobody listens any more if it took too long.
        let _ = done.send(checked.unwrap_or_else(|panic| Err(Failure::Panicked(panic_text(&*panic)))));
    });
    let Ok(checked) = result.recv_timeout(CHECK_MAX) else { return Err(Failure::Hangs) };
    thread.join().expect("its panics are caught");
    checked
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}
