//! The log in memory: the reference that other implementations are compared with, and a log for tests.
//!
//! Not durable, not fast, keeps everything until it is dropped, frame by frame: it decides at once, under one lock, by
//! comparing contents themselves.
//!
//! Invariant: `frames` are dense; the end that readers see is that of the last frame, dropped or not.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use parking_lot::Mutex;
use pegcount_domain::{
    envelope::{Position, StreamName, Version},
    event::EventType,
    ids::{Epoch, Incarnation, Name},
    time::Micros,
};
use smallvec::SmallVec;
use tokio::sync::{oneshot, watch};

use crate::{
    api::{
        Append, AppendError, Appended, EventLog, Expected, LogError, LogStatus, NewEvent, PendingAppend,
        Sealed, SourceMark, Subscription,
    },
    check,
    clock::{Clock, system_clock},
    consumers::Consumers,
    frame::{Frame, FrameBuilder, Stamp, widen},
    limits::SOURCE_WINDOW_SEQS,
    retention::{Archive, Dropped, check_place, keep_useful, newest},
    stream::{Collector, Direction, StreamPage},
    subscribe::{Frames, subscription},
};

/// What a client says of an event, with the last seq that the event uses up: what a repeat must not change.
type Content = (EventType, Micros, StreamName, SmallVec<[Name; 6]>, SmallVec<[u8; 32]>, u64);

/// Site, source and epoch.
type Counter = (Name, Name, Epoch);

#[derive(Default)]
struct Source {
    last_seq: u64,
    contents: VecDeque<(u64, Content)>,
}

impl Source {
    fn keep(&mut self, first: u64, to: u64, content: Content) {
        self.last_seq = to;
        self.contents.push_back((first, content));
        let begin = to.saturating_sub(widen(SOURCE_WINDOW_SEQS));
        while self.contents.front().is_some_and(|(_, content)| content.5 <= begin) {
            self.contents.pop_front();
        }
    }

    /// Whether `seq`, which is used up, said something else; too old ones are not compared.
    fn differs(&self, seq: u64, content: &Content) -> bool {
        if seq + widen(SOURCE_WINDOW_SEQS) <= self.last_seq {
            return false;
        }
        let kept = self.contents.iter().find(|(first, kept)| *first <= seq && seq <= kept.5);
        kept.is_some_and(|(first, kept)| *first != seq || kept != content)
    }
}

#[derive(Default)]
struct State {
    frames: Vec<Arc<Frame>>,
    /// The last position that was dropped.
    gone: Position,
    /// Of each stream the last version that was dropped.
    gone_versions: HashMap<StreamName, u64>,
    /// The oldest first.
    archives: Vec<Archive>,
    versions: HashMap<StreamName, u64>,
    sources: HashMap<Counter, Source>,
    recorded_at: Option<Micros>,
    closed: bool,
}

struct Shared {
    state: Mutex<State>,
    end: watch::Sender<Position>,
}

/// A log in memory.
pub struct MemoryLog {
    shared: Arc<Shared>,
    frames: Arc<dyn Frames>,
    consumers: Arc<Consumers>,
    incarnation: Incarnation,
    clock: Clock,
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryLog {
    /// An empty log by the system's clock.
    pub fn new() -> Self {
        Self::with_clock(system_clock())
    }

    /// An empty log by another clock.
    pub fn with_clock(clock: Clock) -> Self {
        let end = watch::Sender::new(Position::START);
        let shared = Arc::new(Shared { state: Mutex::default(), end });
        let frames: Arc<dyn Frames> = shared.clone();
        let incarnation = Incarnation(uuid::Uuid::new_v4().as_u128());
        let consumers = Consumers::in_memory(incarnation, frames.end(), Arc::clone(&clock));
        Self { shared, frames, consumers: Arc::new(consumers), incarnation, clock }
    }

    fn decide(&self, append: &Append) -> Result<Appended, AppendError> {
        check::bytes_of(append)?;
        let state = &mut *self.shared.state.lock();
        if state.closed {
            return Err(AppendError::Closed);
        }
        let repeats = state.repeats(append)?;
        if repeats < append.events.len() {
            state.expect(append)?;
            let now = (self.clock)().max(state.recorded_at.unwrap_or(Micros(i64::MIN)));
            state.recorded_at = Some(now);
            state.write(append, repeats, now)?;
        }
        let last = state.end();
        let last_seq = append.batch.map(|batch| {
            state.sources.get(&counter(append, batch.epoch)).map_or(0, |source| source.last_seq)
        });
        self.shared.end.send_replace(last);
        Ok(Appended { last, written: append.events.len() - repeats, repeats, last_seq })
    }
}

impl State {
    fn end(&self) -> Position {
        self.frames.last().map_or(self.gone, |frame| frame.last())
    }

    fn check_kept(&self, at: Position) -> Result<(), LogError> {
        let first = self.gone.next();
        if at < first { Err(LogError::Dropped { asked: at, first }) } else { Ok(()) }
    }

    fn drop_history(&mut self, up_to: Position, archive: Archive) -> Result<Dropped, LogError> {
        let count = self.frames.partition_point(|frame| frame.last() <= up_to);
        let Some(last) = count.checked_sub(1).and_then(|index| self.frames.get(index)) else {
            return Ok(Dropped::nothing(self.gone.next()));
        };
        let last = last.last();
        check_place(archive.position, last, self.end())?;
        let first = last.next();
        let mut dropped = Dropped { first, events: 0, bytes: 0, segments: count };
        for frame in self.frames.drain(..count) {
            dropped.events += widen(frame.len());
            dropped.bytes += widen(frame.memory_bytes());
            for stream in self.versions.keys() {
                if let Some((_, last)) = frame.versions_of(stream) {
                    self.gone_versions.insert(stream.clone(), last);
                }
            }
        }
        self.gone = last;
        self.archives.push(archive);
        keep_useful(&mut self.archives, first, |archive| archive.position);
        Ok(dropped)
    }

    /// How many leading events are repeats.
    fn repeats(&self, append: &Append) -> Result<usize, AppendError> {
        let Some(batch) = append.batch else { return Ok(0) };
        let origin = append.source.clone();
        let source = self.sources.get(&counter(append, batch.epoch));
        let next = source.map_or(0, |source| source.last_seq) + 1;
        if batch.first_seq > next {
            return Err(AppendError::Gap { origin, offered: batch.first_seq, next });
        }
        for (index, event) in append.events.iter().enumerate() {
            let (seq, to) = check::seqs(append, batch.first_seq, index);
            if seq >= next {
                return Ok(index);
            }
            let differs = source.is_some_and(|source| source.differs(seq, &content(event, to)));
            if seq == 0 || to >= next || differs {
                return Err(AppendError::ContentDiffers { origin, seq });
            }
        }
        Ok(append.events.len())
    }

    fn expect(&self, append: &Append) -> Result<(), AppendError> {
        for (stream, expected) in &append.expected {
            let actual = self.versions.get(stream).copied().unwrap_or(0);
            let holds = match expected {
                Expected::Any => true,
                Expected::NoStream => actual == 0,
                Expected::Version(version) => actual == version.0,
            };
            if !holds {
                let (stream, expected, actual) = (stream.clone(), *expected, Version(actual));
                return Err(AppendError::WrongVersion { stream, expected, actual });
            }
        }
        Ok(())
    }

    fn write(&mut self, append: &Append, repeats: usize, now: Micros) -> Result<(), AppendError> {
        let poisoned = |error: std::io::Error| AppendError::Poisoned { cause: error.to_string().into() };
        let mut builder = FrameBuilder::new(None).map_err(poisoned)?;
        let mut position = self.end();
        for (index, event) in append.events.iter().enumerate().skip(repeats) {
            if !builder.fits(event, &append.source) {
                self.frames.push(Arc::new(builder.finish(true).0));
            }
            position = position.next();
            let version = self.versions.entry(event.stream.clone()).or_default();
            *version += 1;
            let seqs = append.batch.map(|batch| {
                let (first, to) = check::seqs(append, batch.first_seq, index);
                (batch.epoch, first, to)
            });
            let version = Version(*version);
            builder.push(event, &Stamp { position, version, recorded_at: now, source: &append.source, seqs });
            if let Some((epoch, first, to)) = seqs {
                let source = self.sources.entry(counter(append, epoch)).or_default();
                source.keep(first, to, content(event, to));
            }
        }
        self.frames.push(Arc::new(builder.finish(false).0));
        Ok(())
    }

    fn index_of(&self, at: Position) -> usize {
        self.frames.partition_point(|frame| frame.last() < at)
    }
}

/// The append's counter; its events are all of one site, which is that of the first.
fn counter(append: &Append, epoch: Epoch) -> Counter {
    let site = append.events.first().map_or(&append.source, |event| &event.stream.site);
    (site.clone(), append.source.clone(), epoch)
}

fn content(event: &NewEvent, to: u64) -> Content {
    let (names, payload) = (event.names.clone(), event.payload.clone());
    // When a skip was heard of is the server's word, not the source's.
    let skipped = event.event_type == EventType::SKIPPED;
    let source_time = if skipped { Micros::ZERO } else { event.source_time };
    (event.event_type, source_time, event.stream.clone(), names, payload, to)
}

impl Frames for Shared {
    fn end(&self) -> watch::Receiver<Position> {
        self.end.subscribe()
    }

    fn first(&self) -> Position {
        self.state.lock().gone.next()
    }

    fn recent(&self, at: Position) -> Option<Arc<Frame>> {
        let state = self.state.lock();
        state.frames.get(state.index_of(at)).filter(|frame| frame.first() <= at).cloned()
    }

    fn load(&self, at: Position, count: usize) -> Result<Vec<Arc<Frame>>, LogError> {
        let state = self.state.lock();
        state.check_kept(at)?;
        Ok(state.frames.iter().skip(state.index_of(at)).take(count).cloned().collect())
    }
}

#[async_trait]
impl EventLog for MemoryLog {
    fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    fn end(&self) -> Position {
        *self.shared.end.borrow()
    }

    fn first(&self) -> Position {
        self.shared.first()
    }

    async fn submit(&self, append: Append) -> Result<PendingAppend, AppendError> {
        let (sender, receiver) = oneshot::channel();
        // The receiver is still here, so this cannot fail.
        let _ = sender.send(self.decide(&append));
        Ok(PendingAppend::new(receiver))
    }

    fn version(&self, stream: &StreamName) -> Result<Version, LogError> {
        Ok(Version(self.shared.state.lock().versions.get(stream).copied().unwrap_or(0)))
    }

    fn source_mark(&self, site: &Name, source: &Name, epoch: Epoch) -> Result<Option<SourceMark>, LogError> {
        let state = self.shared.state.lock();
        let source = state.sources.get(&(site.clone(), source.clone(), epoch));
        Ok(source.map(|source| SourceMark { last_seq: source.last_seq }))
    }

    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Version,
        direction: Direction,
        limit: usize,
    ) -> Result<StreamPage, LogError> {
        let state = self.shared.state.lock();
        let head = Version(state.versions.get(stream).copied().unwrap_or(0));
        let gone = Version(state.gone_versions.get(stream).copied().unwrap_or(0));
        let mut collector = Collector::new(stream, head, from, direction, limit).after(gone)?;
        let mut frames = state.frames.iter();
        let next = || if direction == Direction::Forward { frames.next() } else { frames.next_back() };
        for frame in std::iter::from_fn(next) {
            if collector.wanted().is_none() {
                break;
            }
            let what = || format!("a version of stream {stream} is missing");
            collector.take(frame).map_err(|position| LogError::Damaged {
                path: "memory".into(),
                position,
                what: what(),
            })?;
        }
        Ok(collector.page())
    }

    async fn read(&self, from: Position) -> Result<Option<Arc<Frame>>, LogError> {
        let end = self.end();
        if from > end.next() {
            return Err(LogError::OutOfRange { asked: from, next: end.next() });
        }
        let from = from.max(Position(1));
        if from <= end {
            self.shared.state.lock().check_kept(from)?;
        }
        Ok(self.shared.recent(from))
    }

    fn subscribe(&self, from: Position) -> Subscription {
        subscription(&self.frames, from)
    }

    fn consumers(&self) -> &Arc<Consumers> {
        &self.consumers
    }

    /// In memory every frame is a segment.
    fn sealed(&self) -> Vec<Sealed> {
        let state = self.shared.state.lock();
        let of = |frame: &Arc<Frame>| Sealed {
            first: frame.first(),
            last: frame.last(),
            bytes: widen(frame.memory_bytes()),
        };
        state.frames.iter().map(of).collect()
    }

    async fn drop_history(&self, up_to: Position, archive: Archive) -> Result<Dropped, LogError> {
        self.shared.state.lock().drop_history(up_to, archive)
    }

    async fn archive(&self, at_most: Option<Position>) -> Result<Option<Archive>, LogError> {
        let state = self.shared.state.lock();
        Ok(newest(&state.archives, at_most, |archive| archive.position).cloned())
    }

    fn status(&self) -> LogStatus {
        LogStatus {
            first: self.first(),
            end: self.end(),
            archives: self.shared.state.lock().archives.iter().map(|archive| archive.position).collect(),
            incarnation: self.incarnation,
            disk_bytes: 0,
            segments: 0,
            sealed_end: Position::START,
            sealing_failure: None,
            poisoned: None,
            opened_in: Duration::ZERO,
        }
    }

    async fn close(&self) -> Result<(), LogError> {
        self.shared.state.lock().closed = true;
        self.consumers.close();
        Ok(())
    }
}
