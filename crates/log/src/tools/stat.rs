//! What is in a log, at a glance: from what its segments say of themselves, and from the hot end's frames.
//!
//! Not for soundness. Invariant: what is counted is counted exactly, or absent.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use pegcount_domain::{
    envelope::{Position, StreamKind, StreamName},
    ids::Incarnation,
    time::Micros,
};

use super::{
    Progress, ToolError,
    merge::{Merge, Spans},
    place::{self, Kind, Place},
    read,
};
use crate::{
    api::LogError,
    frame::{Frame, widen},
    hot::door::{self, NamedArchive},
    keys::{Key, Names},
    segment::{BlockCache, Entries, Kind as SegmentKind, Section, Segment, StreamRun},
};

/// How many of the largest streams are named.
const LARGEST_STREAMS: usize = 10;

/// A segment as it describes itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentStat {
    /// Its number.
    pub number: u64,
    /// The position of its first event.
    pub first: Position,
    /// The position of its last event.
    pub last: Position,
    /// Its length, bytes.
    pub bytes: u64,
    /// Its frames.
    pub frames: u64,
    /// Bytes of its frames alone; the others are indexes.
    pub frame_bytes: u64,
    /// Its streams.
    pub streams: u64,
    /// When its last event was written.
    pub last_recorded_at: Micros,
}

/// What is left of segments that were dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StubStat {
    /// Its number.
    pub number: u64,
    /// The last position that was dropped.
    pub last: Position,
    /// Its length, bytes.
    pub bytes: u64,
    /// The streams whose heads it holds.
    pub streams: u64,
    /// The counters of sources whose marks it holds.
    pub counters: u64,
    /// When the last event that was dropped was written.
    pub last_recorded_at: Micros,
}

/// An archive of what folds made of history that was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveStat {
    /// Its number.
    pub number: u64,
    /// It stands for everything up to here.
    pub position: Position,
    /// Its length, bytes.
    pub bytes: u64,
}

/// What is not in a segment yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HotStat {
    /// Databases: one, or two while one is being sealed.
    pub databases: u64,
    /// Frames.
    pub frames: u64,
    /// Events.
    pub events: u64,
    /// Bytes of the frames.
    pub frame_bytes: u64,
    /// Bytes on disk, which sled shares out as it likes.
    pub disk_bytes: u64,
}

/// A stream and how many events it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamStat {
    /// `site/kind/id`; its fingerprint if all of it has been dropped.
    pub name: String,
    /// Its last version: how many events it has, or had.
    pub events: u64,
}

/// What is in a log.
#[derive(Clone, Debug)]
pub struct Stat {
    /// The folder.
    pub dir: PathBuf,
    /// Whether it is a backup.
    pub is_backup: bool,
    /// The folder's format.
    pub format: u32,
    /// The incarnation.
    pub incarnation: Incarnation,
    /// What is left of segments that were dropped, if some were.
    pub stub: Option<StubStat>,
    /// What folds made of those, the oldest first.
    pub archives: Vec<ArchiveStat>,
    /// The segments in order.
    pub segments: Vec<SegmentStat>,
    /// The hot end; none if a server uses the folder, and only the segments could be looked at.
    pub hot: Option<HotStat>,
    /// The first position that can be read.
    pub first: Position,
    /// The position of the last event that was looked at.
    pub end: Position,
    /// When the first event that can be read was written; none if there is none.
    pub first_recorded_at: Option<Micros>,
    /// When the last event was written.
    pub last_recorded_at: Option<Micros>,
    /// How many streams there are, those that were dropped included.
    pub streams: u64,
    /// The largest of them, the largest first.
    pub largest: Vec<StreamStat>,
    /// Events by kind of stream; none if that was not asked for.
    pub kinds: Option<Vec<(StreamKind, u64)>>,
}

impl Stat {
    /// How many events can be read.
    pub fn events(&self) -> u64 {
        self.end.next().0.saturating_sub(self.first.0)
    }

    /// Bytes of frames and indexes for each event; none without events.
    pub fn bytes_per_event(&self) -> Option<f64> {
        let sealed: u64 = self.segments.iter().map(|segment| segment.bytes).sum();
        let bytes = sealed + self.hot.map_or(0, |hot| hot.frame_bytes);
        ratio(bytes, self.events())
    }
}

/// A quotient of counts; none if there is nothing to divide by.
fn ratio(whole: u64, parts: u64) -> Option<f64> {
    const MICRO: u128 = 1_000_000;
    let micros = u128::from(whole).checked_mul(MICRO)?.checked_div(parts.into())?;
    let (units, rest) = (u32::try_from(micros / MICRO).ok()?, u32::try_from(micros % MICRO).ok()?);
    Some(f64::from(units) + f64::from(rest) / 1e6)
}

/// Looks at the log, or the backup, in `dir`. With `kinds`, reads every frame to count events by kind of stream.
///
/// Errors: no log, of a newer program, damaged where it looks, an error of the disk. While a server uses the folder, only
/// segments are looked at.
pub fn stat(dir: &Path, kinds: bool, progress: &dyn Progress) -> Result<Stat, ToolError> {
    let dir = place::find(dir)?;
    let lock = match door::lock(&dir) {
        Ok(lock) => Some(lock),
        Err(LogError::Locked { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let mut place = Place::read(dir)?;
    let mut gathered = Look {
        names: place.key.names(),
        hot: HotStat::default(),
        streams: BTreeMap::new(),
        end: place.sealed_end(),
        last: None,
    };
    // The stub first: it has indexes as they have.
    let mut segments = Vec::new();
    for part in place.stub.iter().chain(&place.segments) {
        segments.push(Segment::open_at(part.path.clone(), part.named, place.incarnation)?);
    }
    gathered.last = segments.last().map(Segment::last_recorded_at);
    let databases = std::mem::take(&mut place.databases);
    if lock.is_some() {
        place.databases = databases;
        gathered.hot(&place)?;
    }
    let first = first_frame(&place)?;
    let (streams, largest) = gathered.largest(&segments)?;
    let mut named = Vec::with_capacity(largest.len());
    for large in largest {
        named.push(gathered.named(&segments, large)?);
    }
    let kinds = kinds.then(|| by_kind(&place, progress)).transpose()?;
    Ok(Stat {
        is_backup: place.kind == Kind::Backup,
        format: door::FORMAT,
        incarnation: place.incarnation,
        stub: segments.iter().find(|segment| is_stub(segment)).map(told_of_stub),
        archives: place.archives.iter().map(told_of_archive).collect(),
        segments: segments.iter().filter(|segment| !is_stub(segment)).map(told).collect(),
        first: place.first(),
        hot: lock.is_some().then_some(gathered.hot),
        end: gathered.end,
        first_recorded_at: first,
        last_recorded_at: gathered.last,
        streams,
        largest: named,
        kinds,
        dir: place.dir,
    })
}

fn is_stub(segment: &Segment) -> bool {
    segment.named().kind == SegmentKind::Stub
}

fn told_of_stub(stub: &Segment) -> StubStat {
    let (named, directory) = (stub.named(), stub.directory());
    StubStat {
        number: named.number,
        last: named.last,
        bytes: named.bytes,
        streams: directory.streams,
        counters: directory.counters,
        last_recorded_at: directory.last_recorded_at,
    }
}

fn told_of_archive(archive: &NamedArchive) -> ArchiveStat {
    ArchiveStat { number: archive.number, position: archive.position, bytes: archive.bytes }
}

fn told(segment: &Segment) -> SegmentStat {
    let (named, directory) = (segment.named(), segment.directory());
    SegmentStat {
        number: named.number,
        first: named.first,
        last: named.last,
        bytes: named.bytes,
        frames: directory.frames.into(),
        frame_bytes: directory.frames_end(),
        streams: directory.streams,
        last_recorded_at: directory.last_recorded_at,
    }
}

fn first_frame(place: &Place) -> Result<Option<Micros>, ToolError> {
    let mut first = None;
    read::each_frame(place, Position(1), &(), &mut |frame, _| {
        first = frame.events().next().map(|event| event.envelope.recorded_at);
        Ok(false)
    })?;
    Ok(first)
}

fn by_kind(place: &Place, progress: &dyn Progress) -> Result<Vec<(StreamKind, u64)>, ToolError> {
    progress.total(place.bytes());
    let mut counts = BTreeMap::new();
    read::each_frame(place, Position(1), progress, &mut |frame, _| {
        for entry in frame.streams() {
            *counts.entry(entry.kind).or_default() += entry.last + 1 - entry.first;
        }
        Ok(true)
    })?;
    Ok(counts.into_iter().collect())
}

/// A stream's last version, its fingerprint, and the last part that has it.
type Large = (u64, Key, usize);

/// What is gathered while looking.
struct Look {
    names: Names,
    hot: HotStat,
    /// Of the hot end: versions and names.
    streams: BTreeMap<Key, ((u64, u64), String)>,
    end: Position,
    last: Option<Micros>,
}

impl Look {
    fn hot(&mut self, place: &Place) -> Result<(), ToolError> {
        self.hot.databases = widen(place.databases.len());
        for number in &place.databases {
            self.hot.disk_bytes += door::database_bytes(&place.dir, *number);
        }
        let first = self.end.next();
        read::of_databases(&place.dir, &place.databases, first, &(), &mut |frame, bytes| {
            self.hot.frames += 1;
            self.hot.events += widen(frame.len());
            self.hot.frame_bytes += widen(bytes.len());
            self.end = frame.last();
            self.last = Some(frame.last_recorded_at());
            for (name, (first, last)) in streams_of(frame) {
                let known = self.streams.entry(self.names.stream(&name));
                known.or_insert_with(|| ((first, last), name.to_string())).0.1 = last;
            }
            Ok(true)
        })
    }

    /// How many streams there are, and the largest of them.
    fn largest(&self, segments: &[Segment]) -> Result<(u64, Vec<Large>), ToolError> {
        let mut parts: Vec<Spans<'_>> = Vec::new();
        for segment in segments {
            parts.push(Box::new(Entries::new(segment, Section::Streams, StreamRun::versions)));
        }
        parts.push(Box::new(self.streams.iter().map(|(key, (span, _))| Ok((*key, *span)))));
        let mut merge = Merge::new(parts)?;
        let (mut count, mut largest) = (0, Vec::with_capacity(2 * LARGEST_STREAMS));
        let mut before: Option<Large> = None;
        while let Some((key, part, (_, last))) = merge.next()? {
            if before.is_none_or(|(_, other, _)| other != key) {
                count += 1;
                largest.extend(before);
                if largest.len() == 2 * LARGEST_STREAMS {
                    keep_largest(&mut largest);
                }
            }
            before = Some((last, key, part));
        }
        largest.extend(before);
        keep_largest(&mut largest);
        Ok((count, largest))
    }

    /// Finds a stream's name: in the hot end, or in a frame that holds one of its events.
    fn named(&self, segments: &[Segment], (events, key, part): Large) -> Result<StreamStat, ToolError> {
        let cache = BlockCache::new(0);
        let name = match (self.streams.get(&key), segments.get(part)) {
            (Some((_, name)), _) => Some(name.clone()),
            // A stub knows no names.
            (None, Some(segment)) if is_stub(segment) => None,
            (None, Some(segment)) => {
                let runs = segment.stream_runs(key, &cache)?;
                let number = runs.last().and_then(|run| run.frames.last()).copied().unwrap_or_default();
                let frame = segment.frame(number, &cache)?;
                let mut all = streams_of(&frame);
                all.find(|(name, _)| self.names.stream(name) == key).map(|(name, _)| name.to_string())
            }
            (None, None) => None,
        };
        Ok(StreamStat { name: name.unwrap_or_else(|| format!("{key:032x}")), events })
    }
}

fn keep_largest(largest: &mut Vec<Large>) {
    largest.sort_unstable_by(|a, b| b.cmp(a));
    largest.truncate(LARGEST_STREAMS);
}

/// The streams of a frame, with first and last version.
fn streams_of(frame: &Frame) -> impl Iterator<Item = (StreamName<&str>, (u64, u64))> {
    frame.streams().iter().map(|entry| {
        let name = StreamName { site: frame.text(entry.site), kind: entry.kind, id: frame.text(entry.id) };
        (name, (entry.first, entry.last))
    })
}
