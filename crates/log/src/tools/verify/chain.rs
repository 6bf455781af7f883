//! From part to part of a log: every stream's versions and every counter's seqs begin at 1 and go on without a hole.
//!
//! A merge over the sorted indexes, so that one block of each lies in memory and not the names of the whole log.
//! Invariant: beyond a part that is damaged nothing is asked for but that numbers go forward.

use std::path::{Path, PathBuf};

use pegcount_domain::envelope::Position;

use super::{Report, frames::follows};
use crate::{
    keys::Key,
    segment::{Contents, CounterRun, Entries, Section, Segment, StreamRun},
    tools::{
        ToolError,
        merge::{Merge, Span, Spans},
    },
};

type Sorted = Vec<(Key, Span)>;

/// What the parts after it go on from.
pub(super) enum Chained {
    /// A good segment: its indexes.
    Segment(Segment),
    /// A good database: what its frames say, sorted.
    Database { streams: Sorted, counters: Sorted, path: PathBuf, first: Position },
    /// Damaged: nobody knows what it holds.
    Unknown,
}

/// One of the two things that go on.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    section: Section,
    thing: &'static str,
    number: &'static str,
}

pub(super) const STREAMS: Kind = Kind { section: Section::Streams, thing: "stream", number: "version" };
pub(super) const COUNTERS: Kind = Kind { section: Section::Counters, thing: "counter", number: "seq" };

impl Chained {
    pub(super) fn of(mut contents: Contents, path: &Path, first: Position) -> Self {
        let (streams, counters) = contents.sorted();
        Self::Database {
            streams: streams.into_iter().map(|(key, run)| (key, (run.first, run.last))).collect(),
            counters: counters.into_iter().map(|(key, run)| (key, (run.first, run.last))).collect(),
            path: path.to_owned(),
            first,
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        !matches!(self, Self::Unknown)
    }

    fn spans(&self, section: Section) -> Spans<'_> {
        match (self, section) {
            (Self::Segment(segment), Section::Counters) => {
                Box::new(Entries::new(segment, section, CounterRun::seqs))
            }
            (Self::Segment(segment), _) => Box::new(Entries::new(segment, section, StreamRun::versions)),
            (Self::Database { counters, .. }, Section::Counters) => {
                Box::new(counters.iter().copied().map(Ok))
            }
            (Self::Database { streams, .. }, _) => Box::new(streams.iter().copied().map(Ok)),
            (Self::Unknown, _) => Box::new(std::iter::empty()),
        }
    }

    fn place(&self) -> Option<(&Path, Position)> {
        match self {
            Self::Segment(segment) => Some((segment.path(), segment.first())),
            Self::Database { path, first, .. } => Some((path, *first)),
            Self::Unknown => None,
        }
    }
}

/// Follows every stream (or counter) through all parts; gives how many there are.
pub(super) fn follow(parts: &[Chained], kind: Kind, report: &mut Report) -> Result<u64, ToolError> {
    let mut merge = Merge::new(parts.iter().map(|part| part.spans(kind.section)).collect())?;
    let mut count = 0;
    let mut before: Option<(Key, usize, u64)> = None;
    while let Some((key, index, (first, last))) = merge.next()? {
        let last_part = before.filter(|(other, ..)| *other == key).map(|(_, part, last)| (part, last));
        count += u64::from(last_part.is_none());
        let from = last_part.map_or(0, |(part, _)| part);
        let whole = parts.get(from..index).unwrap_or_default().iter().all(Chained::is_whole);
        let end = last_part.map_or(0, |(_, last)| last);
        if !follows(whole, end, first)
            && let Some((path, position)) = parts.get(index).and_then(Chained::place)
        {
            let Kind { thing, number, .. } = kind;
            let what = format!("{thing} {key:032x} goes on with {number} {first} after {end}");
            report.damage(path, position, what);
        }
        before = Some((key, index, last));
    }
    Ok(count)
}
