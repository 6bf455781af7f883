//! What is appended: every byte follows from the seed, so that what is found can be compared with what was meant.
//!
//! Each task has a stream, a source with a counter, and appends one after the other; one stream is shared by all. Not for the
//! order among tasks, which is left to chance. Invariant: an append is known by its task and its number.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use pegcount_domain::{
    envelope::{StreamKind, StreamName, Version},
    event::EventType,
    ids::{Epoch, Name},
    time::Micros,
};
use pegcount_log::{Append, Expected, NewEvent, SledOptions, SourceBatch, limits::SEGMENT_BYTES};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use smallvec::SmallVec;

/// sled's segment size, bytes, where nothing is said.
const SLED_DEFAULT_SEGMENT_BYTES: usize = 512 * 1024;
/// When a log that [is sealed](Shape::is_sealed) is, bytes of frames.
const SEAL_BYTES: u64 = 30_000;
/// Task, number and index, which every payload begins with.
const LABEL_BYTES: usize = 12;

/// How much is appended, and to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Small frames in small segments: many reuses in little volume.
    Small,
    /// The same, sealed again and again.
    Sealed,
    /// Sealed again and again, but with sled's segments as a server has them: what tools can read.
    Served,
    /// Sealed again and again, and the older half of the segments dropped each time that there are some.
    Dropped,
    /// The log as it is, with groups of several of the longest frames.
    Full,
    /// The same frames in segments of sled's own default size, which they outgrow.
    Outgrown,
}

impl Shape {
    /// By the name that it prints as.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Small, Self::Sealed, Self::Served, Self::Dropped, Self::Full, Self::Outgrown]
            .into_iter()
            .find(|shape| format!("{shape:?}") == name)
    }

    /// sled's segments, bytes.
    pub fn segment_bytes(self) -> usize {
        match self {
            Self::Small | Self::Sealed | Self::Dropped => 128 * 1024,
            Self::Served | Self::Full => SEGMENT_BYTES,
            Self::Outgrown => SLED_DEFAULT_SEGMENT_BYTES,
        }
    }

    /// Whether history is sealed while it grows.
    pub const fn is_sealed(self) -> bool {
        matches!(self, Self::Sealed | Self::Served | Self::Dropped)
    }

    /// The log's options in `dir`.
    pub fn options(self, dir: &std::path::Path) -> SledOptions {
        // A small cache, so that sled reads back from its file while it runs.
        let options = SledOptions::with_segments(dir, self.segment_bytes());
        let seal_bytes = if self.is_sealed() { SEAL_BYTES } else { options.seal_bytes };
        SledOptions { cache_bytes: 16 * 1024 * 1024, seal_bytes, ..options }
    }

    /// How many tasks append at once.
    pub const fn tasks(self) -> u32 {
        match self {
            Self::Small | Self::Sealed | Self::Served | Self::Dropped => 4,
            Self::Full | Self::Outgrown => 6,
        }
    }

    /// How many appends each task makes in a round.
    pub const fn appends(self) -> u32 {
        match self {
            Self::Small | Self::Sealed | Self::Served | Self::Dropped => 400,
            Self::Full => 40,
            Self::Outgrown => 12,
        }
    }

    const fn events_max(self) -> usize {
        match self {
            Self::Small | Self::Sealed | Self::Served | Self::Dropped => 3,
            Self::Full | Self::Outgrown => 24,
        }
    }

    const fn payload_bytes_max(self) -> usize {
        match self {
            Self::Small | Self::Sealed | Self::Served | Self::Dropped => 150,
            Self::Full | Self::Outgrown => 20_000,
        }
    }
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many appends it has made: the number of the next.
    pub appends: u32,
    /// How many events of it are in the log: the last seq of its source.
    pub events: u64,
    /// The last version of its stream.
    pub version: u64,
}

type Kept = HashMap<(Shape, u64, u32, u32), Arc<[Meant]>>;

/// An event as it was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meant {
    /// To the shared stream, not to the task's own.
    pub shared: bool,
    /// The payload.
    pub payload: Vec<u8>,
}

/// The events of an append. Kept, since they are compared after every cut.
pub fn meant(shape: Shape, seed: u64, task: u32, number: u32) -> Arc<[Meant]> {
    static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);
    let mut kept = KEPT.lock().expect("nobody panics with it");
    Arc::clone(
        kept.entry((shape, seed, task, number)).or_insert_with(|| make(shape, seed, task, number).into()),
    )
}

fn make(shape: Shape, seed: u64, task: u32, number: u32) -> Vec<Meant> {
    let key = seed ^ (u64::from(task) << 32 | u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut random = StdRng::seed_from_u64(key);
    let count = random.random_range(1..=shape.events_max());
    let event = |index| {
        let mut payload = label(task, number, index);
        payload.resize(random.random_range(LABEL_BYTES..=shape.payload_bytes_max()), 0);
        random.fill(&mut payload[LABEL_BYTES..]);
        Meant { shared: index > 0 && random.random_ratio(1, 3), payload }
    };
    (0..u32::try_from(count).expect("small")).map(event).collect()
}

fn label(task: u32, number: u32, index: u32) -> Vec<u8> {
    [task, number, index].iter().flat_map(|part| part.to_le_bytes()).collect()
}

/// The task, the number of its append and the event's index that a payload begins with.
pub fn labelled(payload: &[u8]) -> Option<(u32, u32, u32)> {
    let mut parts =
        payload.get(..LABEL_BYTES)?.chunks_exact(4).map(|part| part.try_into().map(u32::from_le_bytes));
    Some((parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?))
}

/// The next append of a task that stands at `progress`; moves it on.
pub fn next_append(shape: Shape, seed: u64, task: u32, progress: &mut Progress) -> Append {
    let events = meant(shape, seed, task, progress.appends);
    let own = stream(&format!("task-{task}"));
    let first_seq = progress.events + 1;
    let expected = (own.clone(), expected(progress.version));
    progress.appends += 1;
    progress.events += u64::try_from(events.len()).expect("small");
    progress.version += u64::try_from(events.iter().filter(|event| !event.shared).count()).expect("small");
    let event = |meant: &Meant| NewEvent {
        stream: if meant.shared { stream("shared") } else { own.clone() },
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
        payload: SmallVec::from_slice(&meant.payload),
    };
    Append {
        source: name(&format!("source-{task}")),
        batch: Some(SourceBatch { epoch: Epoch(1), first_seq }),
        skip_to: None,
        expected: SmallVec::from_iter([expected]),
        events: events.iter().map(event).collect(),
    }
}

fn expected(version: u64) -> Expected {
    if version == 0 { Expected::NoStream } else { Expected::Version(Version(version)) }
}

fn stream(id: &str) -> StreamName {
    StreamName { site: name("site"), kind: StreamKind::Agent, id: name(id) }
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}
