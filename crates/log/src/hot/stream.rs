//! Finds the frames of one stream: in segments by their indexes, in databases by the streams of their groups.
//!
//! Blocking. Invariant: the groups are looked at before the segments, so that what is being sealed is seen in at least one
//! place; what is seen in both counts once, because versions are dense.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use pegcount_domain::envelope::Position;

use super::{durable::Durable, groups::Span, open::damaged, store::Store};
use crate::{
    api::LogError,
    frame::Frame,
    keys::Key,
    limits::READ_AHEAD_FRAMES,
    segment::Shelved,
    stream::{Collector, Direction},
};

/// Among so few places the first that is wanted is not searched for.
const SEARCHED_PLACES_MIN: usize = 8;

pub(super) struct StreamReader<'a> {
    pub(super) durable: &'a Durable,
    pub(super) store: &'a dyn Store,
    pub(super) dir: &'a Path,
}

/// Where some of a stream's events are.
enum Place {
    Sealed(Shelved, u32),
    Group(Span),
}

impl StreamReader<'_> {
    /// Collects a page.
    pub(super) fn read(&self, collector: &mut Collector<'_>) -> Result<(), LogError> {
        let key = self.durable.names.stream(collector.stream());
        let groups: Vec<_> = self.durable.groups_holding(key).into_iter().map(Place::Group).collect();
        let segments = self.durable.shelf.all();
        match collector.direction() {
            Direction::Forward => {
                segments.iter().try_for_each(|segment| self.sealed(segment, key, collector))?;
                self.places(&groups, collector)?;
            }
            Direction::Backward => {
                self.places(&groups, collector)?;
                segments.iter().rev().try_for_each(|segment| self.sealed(segment, key, collector))?;
            }
        }
        match collector.wanted() {
            Some(version) => {
                let what = format!("version {version} of stream {} is missing", collector.stream());
                Err(damaged(self.dir, Position(1), what))
            }
            None => Ok(()),
        }
    }

    fn sealed(&self, segment: &Shelved, key: Key, collector: &mut Collector<'_>) -> Result<(), LogError> {
        if collector.wanted().is_none() {
            return Ok(());
        }
        let mut runs = self.durable.shelf.stream_runs(segment, key)?;
        let forward = collector.direction() == Direction::Forward;
        if !forward {
            runs.reverse();
        }
        for run in runs {
            let Some(wanted) = collector.wanted() else { return Ok(()) };
            if forward && run.last < wanted || !forward && run.first > wanted {
                continue;
            }
            let frames = run.frames.into_iter();
            let places: Vec<_> = frames.map(|number| Place::Sealed(segment.clone(), number)).collect();
            self.places(&places, collector)?;
        }
        Ok(())
    }

    /// Collects from places that lie in the order of the log.
    fn places(&self, places: &[Place], collector: &mut Collector<'_>) -> Result<(), LogError> {
        let Some(wanted) = collector.wanted() else { return Ok(()) };
        match collector.direction() {
            Direction::Forward => {
                let (begin, _) = self.partition(places, collector, |_, last| last < wanted)?;
                for place in places.get(begin..).unwrap_or_default() {
                    for frame in self.frames(place, collector)? {
                        self.take(place, &frame, collector)?;
                    }
                }
            }
            Direction::Backward => {
                let (_, end) = self.partition(places, collector, |first, _| first <= wanted)?;
                for place in places.get(..end).unwrap_or_default().iter().rev() {
                    for frame in self.frames(place, collector)?.iter().rev() {
                        self.take(place, frame, collector)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn take(&self, place: &Place, frame: &Arc<Frame>, collector: &mut Collector<'_>) -> Result<(), LogError> {
        collector.take(frame).map_err(|position| {
            let what = format!("a version of stream {} is missing before the next", collector.stream());
            let path = match place {
                Place::Sealed(segment, _) => segment.path(),
                Place::Group(_) => PathBuf::from(self.dir),
            };
            damaged(&path, position, what)
        })
    }

    /// The frames of a place; none once nothing more is wanted.
    fn frames(&self, place: &Place, collector: &Collector<'_>) -> Result<Vec<Arc<Frame>>, LogError> {
        if collector.wanted().is_none() {
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
