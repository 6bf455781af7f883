//! Finds one stream's events: in pages where there are some, else in frames: those of segments by their indexes, those of
//! databases by the streams of their groups.
//!
//! Blocking. Invariant: the groups are looked at before the segments, so that what is being sealed is seen in at least one
//! place; what is seen in both counts once, because versions are dense. What pages say is believed as far as it fits
//! together; if it does not, everything is read from frames.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use pegcount_domain::envelope::Position;

use super::{
    durable::Durable,
    groups::{Snapshot, Span},
    open::damaged,
    store::Store,
};
use crate::{
    api::LogError,
    frame::Frame,
    keys::Key,
    limits::READ_AHEAD_FRAMES,
    pages::{Draft, Drafts, Leaves},
    segment::{Shelved, with_frames},
    stream::{Collector, Direction},
};

/// Among so few places the first that is wanted is not searched for.
const SEARCHED_PLACES_MIN: usize = 8;
/// Where no page limits what frames are read for.
const ANY_VERSION: Gap = (0, u64::MAX);

/// Versions that no page holds: those between the two.
type Gap = (u64, u64);

pub(super) struct StreamReader<'a> {
    pub(super) durable: &'a Durable,
    pub(super) drafts: &'a Drafts,
    pub(super) store: &'a dyn Store,
    pub(super) dir: &'a Path,
}

/// Where some of a stream's events are.
enum Place {
    Sealed(Shelved, u32),
    Group(Span),
}

/// What the databases have of a stream.
struct Hot {
    groups: [Snapshot; 2],
    leaves: Option<Leaves>,
    /// Every event of the stream up to here is among the leaves' versions, or in a segment, or of a version that is not
    /// paged; none if that is not so.
    known_to: Option<Position>,
    /// Whether what is not among the leaves' versions lies after `known_to`, newer or older.
    whole: bool,
}

impl StreamReader<'_> {
    /// Collects a page.
    pub(super) fn read(&self, collector: &mut Collector<'_>) -> Result<(), LogError> {
        // Whatever is wrong with what pages led to: the frames decide.
        if self.walk(collector, true).is_err() || collector.wanted().is_some() {
            self.walk(collector, false)?;
        }
        match collector.wanted() {
            Some(version) => {
                let what = format!("version {version} of stream {} is missing", collector.stream());
                Err(damaged(self.dir, Position(1), what))
            }
            None => Ok(()),
        }
    }

    fn walk(&self, collector: &mut Collector<'_>, paged: bool) -> Result<(), LogError> {
        let key = self.durable.names.stream(collector.stream());
        let groups = self.durable.groups_now();
        let shelved = self.durable.shelf.all();
        // Where the segments end, dropped ones included; a stub has nothing of a stream to give.
        let sealed_end = shelved.last().map_or(Position::START, |segment| segment.named().last);
        let segments = with_frames(&shelved);
        let drafts = if paged { self.drafts.all() } else { Arc::default() };
        let sealed = segments.last().map_or(0, |segment| segment.named().number);
        let split = drafts.partition_point(|draft| draft.number() <= sealed);
        let (of_segments, of_hot) = drafts.split_at_checked(split).unwrap_or_default();
        let hot = self.hot_now(groups, of_hot, sealed_end, key, collector);
        let sealed = |segment: &Shelved, collector: &mut Collector<'_>| {
            let leaves = if paged { self.leaves(segment, of_segments, key) } else { None };
            self.sealed(segment, key, leaves, collector)
        };
        match collector.direction() {
            Direction::Forward => {
                segments.iter().try_for_each(|segment| sealed(segment, collector))?;
                self.hot(hot, key, collector)
            }
            Direction::Backward => {
                self.hot(hot, key, collector)?;
                segments.iter().rev().try_for_each(|segment| sealed(segment, collector))
            }
        }
    }

    /// The pages of a segment: those beside it, or the draft that will come to lie there.
    fn leaves(&self, segment: &Shelved, drafts: &[Arc<Draft>], key: Key) -> Option<Leaves> {
        let number = segment.named().number;
        match drafts.iter().position(|draft| draft.number() == number) {
            Some(index) => Leaves::of_drafts(drafts.get(index..=index)?, key).0,
            None => self.durable.shelf.leaves(segment, key),
        }
    }

    fn sealed(
        &self,
        segment: &Shelved,
        key: Key,
        leaves: Option<Leaves>,
        collector: &mut Collector<'_>,
    ) -> Result<(), LogError> {
        if collector.wanted().is_none() {
            return Ok(());
        }
        let forward = collector.direction() == Direction::Forward;
        let mut runs = None;
        self.part(leaves, collector, |collector, gap, known| {
            let Some(wanted) = collector.wanted() else { return Ok(()) };
            if known.is_some_and(|(_, last)| wanted > last) {
                return Ok(());
            }
            if runs.is_none() {
                let mut found = self.durable.shelf.stream_runs(segment, key)?;
                if !forward {
                    found.reverse();
                }
                runs = Some(found);
            }
            for run in runs.iter().flatten() {
                let Some(wanted) = collector.wanted().filter(|wanted| within(*wanted, gap)) else { break };
                if forward && run.last < wanted || !forward && run.first > wanted {
                    continue;
                }
                let frames = run.frames.iter();
                let places: Vec<_> = frames.map(|number| Place::Sealed(segment.clone(), *number)).collect();
                self.places(&places, collector, gap)?;
            }
            Ok(())
        })
    }

    fn hot_now(
        &self,
        groups: [Snapshot; 2],
        drafts: &[Arc<Draft>],
        sealed_end: Position,
        key: Key,
        collector: &Collector<'_>,
    ) -> Hot {
        let (leaves, span) = Leaves::of_drafts(drafts, key);
        // A stream whose events are paged from the first on has none that the drafts have not seen.
        let from_first_on = self.drafts.rule().takes(collector.stream().kind, 1);
        let whole = from_first_on && span.is_some_and(|(first, _)| first <= sealed_end.next());
        Hot { groups, leaves, known_to: span.map(|(_, last)| last), whole }
    }

    fn hot(&self, hot: Hot, key: Key, collector: &mut Collector<'_>) -> Result<(), LogError> {
        let Hot { groups, leaves, known_to, whole } = hot;
        let places = |after: Position| -> Vec<Place> {
            groups.iter().flat_map(|groups| groups.holding(key, after)).map(Place::Group).collect()
        };
        self.part(leaves, collector, |collector, gap, known| {
            let Some(wanted) = collector.wanted() else { return Ok(()) };
            let is_newer = known.is_some_and(|(_, last)| wanted > last);
            let is_other = known.is_none_or(|(first, last)| wanted < first || wanted > last);
            let after = known_to.filter(|_| is_newer || whole && is_other).unwrap_or(Position::START);
            self.places(&places(after), collector, gap)
        })
    }

    /// Collects from a part of the log: from its pages, and from `frames` what lies between them. That is told which
    /// versions, and which ones the pages know of.
    fn part(
        &self,
        leaves: Option<Leaves>,
        collector: &mut Collector<'_>,
        mut frames: impl FnMut(&mut Collector<'_>, Gap, Option<(u64, u64)>) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let Some(mut leaves) = leaves else { return frames(collector, ANY_VERSION, None) };
        while let Some(wanted) = collector.wanted() {
            if let Some(page) = leaves.page(collector.stream(), wanted) {
                collector.take(&page).map_err(|position| Self::broken(self.dir, position, collector))?;
                continue;
            }
            let gap = leaves.gap(wanted);
            frames(collector, gap, Some(leaves.versions()))?;
            if collector.wanted().is_some_and(|wanted| within(wanted, gap)) {
                // Neither pages nor frames have it here.
                break;
            }
        }
        Ok(())
    }

    /// Collects from places that lie in the order of the log, until a page has what is wanted.
    fn places(&self, places: &[Place], collector: &mut Collector<'_>, gap: Gap) -> Result<(), LogError> {
        let Some(wanted) = collector.wanted() else { return Ok(()) };
        match collector.direction() {
            Direction::Forward => {
                let (begin, _) = self.partition(places, collector, |_, last| last < wanted)?;
                for place in places.get(begin..).unwrap_or_default() {
                    for frame in self.frames(place, collector, gap)? {
                        self.take(place, &frame, collector)?;
                    }
                }
            }
            Direction::Backward => {
                let (_, end) = self.partition(places, collector, |first, _| first <= wanted)?;
                for place in places.get(..end).unwrap_or_default().iter().rev() {
                    for frame in self.frames(place, collector, gap)?.iter().rev() {
                        self.take(place, frame, collector)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn take(&self, place: &Place, frame: &Arc<Frame>, collector: &mut Collector<'_>) -> Result<(), LogError> {
        collector.take(frame).map_err(|position| {
            let path = match place {
                Place::Sealed(segment, _) => segment.path(),
                Place::Group(_) => PathBuf::from(self.dir),
            };
            Self::broken(&path, position, collector)
        })
    }

    fn broken(path: &Path, position: Position, collector: &Collector<'_>) -> LogError {
        let what = format!("a version of stream {} is missing before the next", collector.stream());
        damaged(path, position, what)
    }

    /// The frames of a place; none once nothing more is wanted of frames.
    fn frames(
        &self,
        place: &Place,
        collector: &Collector<'_>,
        gap: Gap,
    ) -> Result<Vec<Arc<Frame>>, LogError> {
        if collector.wanted().is_none_or(|wanted| !within(wanted, gap)) {
            return Ok(Vec::new());
        }
        self.all_frames(place)
    }

    fn all_frames(&self, place: &Place) -> Result<Vec<Arc<Frame>>, LogError> {
        let (first, last) = match place {
            Place::Sealed(segment, number) => {
                return Ok(vec![Arc::new(self.durable.shelf.frame(segment, *number)?)]);
            }
            Place::Group(span) => *span,
        };
        let mut frames: Vec<Arc<Frame>> = Vec::new();
        let mut next = first;
        while next <= last {
            if let Some(frame) = self.durable.recent(next) {
                frames.push(frame);
            } else {
                let read = self.store.load(next, READ_AHEAD_FRAMES)?;
                frames.extend(read.into_iter().take_while(|frame| frame.first() <= last).map(Arc::new));
            }
            next = frames.last().map_or(last, |frame| frame.last()).next();
        }
        Ok(frames)
    }

    /// How many places at the front hold versions that `before` is true of: at least and at most so many. That is known
    /// exactly but for places too few to be searched, and where a place holds none after all.
    fn partition(
        &self,
        places: &[Place],
        collector: &Collector<'_>,
        before: impl Fn(u64, u64) -> bool,
    ) -> Result<(usize, usize), LogError> {
        let (mut low, mut high) = (0, places.len());
        if high < SEARCHED_PLACES_MIN {
            return Ok((low, high));
        }
        while low < high {
            let middle = low.midpoint(high);
            let Some(place) = places.get(middle) else { break };
            let frames = self.all_frames(place)?;
            let mut held = frames.iter().filter_map(|frame| frame.versions_of(collector.stream()));
            let Some((first, last)) = held.next() else { break };
            let last = held.next_back().map_or(last, |(_, last)| last);
            if before(first, last) { low = middle + 1 } else { high = middle }
        }
        Ok((low, high))
    }
}

fn within(version: u64, (before, after): Gap) -> bool {
    before < version && version < after
}
