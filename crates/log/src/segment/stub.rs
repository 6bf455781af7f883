//! What is left of segments that are dropped: every stream's head, every counter's mark with what its newest seqs said.
//!
//! A merge over the sorted indexes of the stub before and of the segments that go, written as it comes: of each part one
//! block lies in memory, and of the whole the filter, 2 bytes for each name. Invariant: whatever was asked of the parts
//! about heads and marks, the stub answers the same; a part whose numbers do not go on is damage, and no stub is made.

use std::path::Path;

use pegcount_domain::ids::Incarnation;

use super::{
    Kind, Named,
    directory::Section,
    entry::{CounterRun, StreamRun},
    filter::FilterBuilder,
    merge::{Merge, Part},
    read::Segment,
    walk::Entries,
    write::{IndexWriter, Out},
};
use crate::{api::LogError, keys::Key};

/// So many entries are merged between two looks at whether to go on.
const ENTRIES_AT_ONCE: u64 = 4_096;

/// Writes a stub of `parts`, which follow on each other, to `path`, synced; none if `go_on` said no.
pub(crate) fn write_stub(
    path: &Path,
    number: u64,
    parts: &[&Segment],
    incarnation: Incarnation,
    go_on: &dyn Fn() -> bool,
) -> Result<Option<Named>, LogError> {
    let (Some(front), Some(back)) = (parts.first(), parts.last()) else { return Ok(None) };
    let out = Out::create(path, Kind::Stub, number, front.first(), incarnation).map_err(write(path))?;
    let names: u64 = parts.iter().map(|part| part.directory().streams + part.directory().counters).sum();
    let filter = FilterBuilder::new(usize::try_from(names).unwrap_or(usize::MAX));
    let mut stub = Stub { path, parts, out, filter, go_on };
    stub.out.directory.last = back.last();
    stub.out.directory.last_recorded_at =
        parts.iter().map(|part| part.last_recorded_at()).max().unwrap_or_default();
    stub.out.directory.events = parts.iter().map(|part| part.directory().events).sum();
    let Some(streams) = stub.streams()? else { return Ok(None) };
    let Some(counters) = stub.counters()? else { return Ok(None) };
    let Stub { mut out, filter, .. } = stub;
    (out.directory.streams, out.directory.counters) = (streams, counters);
    out.filter(filter.finish()).map_err(write(path))?;
    out.finish().map(Some).map_err(write(path))
}

fn write(path: &Path) -> impl FnOnce(std::io::Error) -> LogError {
    let path = path.to_owned();
    move |source| LogError::Io { action: "write", path, source }
}

/// A stub under way.
struct Stub<'a> {
    path: &'a Path,
    parts: &'a [&'a Segment],
    out: Out,
    filter: FilterBuilder,
    go_on: &'a dyn Fn() -> bool,
}

impl<'a> Stub<'a> {
    /// Every stream with its first version and its head, in one run of no frames.
    fn streams(&mut self) -> Result<Option<u64>, LogError> {
        self.index(
            Section::Streams,
            StreamRun::versions,
            |whole, (first, last)| {
                let goes_on = whole.1.checked_add(1) == Some(first);
                whole.1 = last;
                goes_on
            },
            |(first, last), data| StreamRun { first, last, frames: Vec::new() }.put(data),
        )
    }

    /// Every counter, with what its newest seqs said.
    fn counters(&mut self) -> Result<Option<u64>, LogError> {
        self.index(Section::Counters, CounterRun::read, CounterRun::extend, |run, data| run.put(data))
    }

    /// Merges one index; gives how many entries it has, none if there is no going on.
    fn index<T: 'a>(
        &mut self,
        section: Section,
        read: fn(&[u8]) -> Option<T>,
        extend: impl Fn(&mut T, T) -> bool,
        put: impl Fn(T, &mut Vec<u8>),
    ) -> Result<Option<u64>, LogError> {
        let parts = self.parts;
        let entries = parts.iter().map(|part| Box::new(Entries::new(part, section, read)) as Part<'_, T>);
        let mut merge = Merge::new(entries.collect())?;
        let mut index = IndexWriter::new(section);
        let (mut count, mut merged) = (0, 0_u64);
        let mut whole: Option<(Key, T)> = None;
        while let Some((key, part, entry)) = merge.next()? {
            merged += 1;
            if merged.is_multiple_of(ENTRIES_AT_ONCE) && !(self.go_on)() {
                return Ok(None);
            }
            whole = match whole {
                Some((same, mut before)) if same == key => {
                    if !extend(&mut before, entry) {
                        return Err(no_hole(parts, part, section, key));
                    }
                    Some((key, before))
                }
                ended => {
                    count += u64::from(ended.is_some());
                    self.put(&mut index, ended, &put)?;
                    Some((key, entry))
                }
            };
        }
        count += u64::from(whole.is_some());
        self.put(&mut index, whole, &put)?;
        index.finish(&mut self.out).map_err(write(self.path))?;
        Ok(Some(count))
    }

    fn put<T>(
        &mut self,
        index: &mut IndexWriter,
        entry: Option<(Key, T)>,
        put: impl Fn(T, &mut Vec<u8>),
    ) -> Result<(), LogError> {
        let Some((key, entry)) = entry else { return Ok(()) };
        self.filter.put(key);
        index.push(&mut self.out, key, |data| put(entry, data)).map_err(write(self.path))
    }
}

fn no_hole(parts: &[&Segment], part: usize, section: Section, key: Key) -> LogError {
    let what = format!(
        "the entry of {key:032x} in its {} index does not go on from those before",
        match section {
            Section::Counters => "counter",
            _ => "stream",
        }
    );
    let (path, position) =
        parts.get(part).map_or_else(Default::default, |part| (part.path().to_owned(), part.first()));
    LogError::Damaged { path, position, what }
}
