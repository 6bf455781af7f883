//! A segment's indexes against its frames, in both directions: whatever the frames hold is found, and whatever is found is
//! in the frames.
//!
//! Invariant: what the frames say is computed anew here; nothing is believed because it has a good checksum.

use std::{cmp::Ordering, iter::Peekable, vec};

use super::{Check, frames::Walk};
use crate::{
    frame::widen,
    keys::Key,
    segment::{CounterRun, Entries, Section, Segment, Sought, StreamRun},
    tools::ToolError,
};

impl Check<'_> {
    /// Checks the indexes and the filter of a segment; against its frames if those are good. Says whether all is well.
    pub(super) fn indexes(
        &mut self,
        segment: &Segment,
        walk: Walk,
        frames_are_good: bool,
    ) -> Result<bool, ToolError> {
        let found = self.report.verified.damages_count;
        if frames_are_good {
            self.numbers(segment, &walk);
        }
        let mut contents = walk.contents;
        let (streams, counters) = contents.sorted();
        let mut keys: Vec<Key> = streams.iter().map(|(key, _)| *key).collect();
        keys.dedup();
        let stream_count = widen(keys.len());
        keys.extend(counters.iter().map(|(key, _)| *key));
        let counter_count = widen(counters.len());

        let expected = frames_are_good.then_some(streams);
        let entries = Entries::new(segment, Section::Streams, StreamRun::read);
        self.compare(segment, Section::Streams, entries, expected)?;
        let expected = frames_are_good.then_some(counters);
        let entries = Entries::new(segment, Section::Counters, CounterRun::read);
        self.compare(segment, Section::Counters, entries, expected)?;
        if let (Some(filter), true) = (self.report.note(segment.filter())?, frames_are_good) {
            self.filter(segment, &filter, &keys);
            let directory = segment.directory();
            self.equal(segment, "streams", directory.streams, stream_count);
            self.equal(segment, "counters", directory.counters, counter_count);
        }
        Ok(found == self.report.verified.damages_count)
    }

    /// The directory's numbers.
    fn numbers(&mut self, segment: &Segment, walk: &Walk) {
        let directory = segment.directory();
        self.equal(segment, "frames", directory.frames.into(), widen(walk.contents.frames.len()));
        self.equal(segment, "events", directory.events, walk.contents.events);
        let (said, is) = (directory.last_recorded_at.0, walk.contents.last_recorded_at.0);
        if said != is {
            let what =
                format!("the directory says that it was recorded until {said} µs; its frames, until {is}");
            self.report.damage(segment.path(), segment.first(), what);
        }
        let end = walk.contents.frames.last().map_or(0, |last| last.offset + u64::from(last.bytes));
        if end != directory.frames_end() {
            let what =
                format!("its frames end at byte {end}, their table begins at {}", directory.frames_end());
            self.report.damage(segment.path(), segment.last(), what);
        }
    }

    pub(super) fn equal(&mut self, segment: &Segment, what: &str, said: u64, is: u64) {
        if said != is {
            let what = format!("the directory counts {said} {what}; there are {is}");
            self.report.damage(segment.path(), segment.first(), what);
        }
    }

    /// Walks through an index and through what the frames say, side by side.
    fn compare<R: PartialEq + Describe>(
        &mut self,
        segment: &Segment,
        section: Section,
        entries: Entries<'_, R>,
        expected: Option<Vec<(Key, R)>>,
    ) -> Result<(), ToolError> {
        let mut expected = expected.map(|expected| expected.into_iter().peekable());
        for entry in entries {
            let Some((key, run)) = self.report.note(entry)? else { return Ok(()) };
            let Some(expected) = &mut expected else { continue };
            self.lacking(segment, section, key, expected);
            match expected.next_if(|(other, _)| *other == key) {
                Some((_, other)) if other == run => {}
                Some((_, other)) => {
                    let what = format!(
                        "{} {key:032x}: the index says {}, the frames {}",
                        section_word(section),
                        run.told(),
                        other.told()
                    );
                    self.report.damage(segment.path(), segment.first(), what);
                }
                None => {
                    let what = format!(
                        "{} {key:032x}: the index says {}, but no frame has it",
                        section_word(section),
                        run.told()
                    );
                    self.report.damage(segment.path(), segment.first(), what);
                }
            }
        }
        if let Some(mut expected) = expected {
            self.lacking(segment, section, Key::MAX, &mut expected);
        }
        Ok(())
    }

    /// What the frames have before `key` is not in the index.
    fn lacking<R: Describe>(
        &mut self,
        segment: &Segment,
        section: Section,
        key: Key,
        expected: &mut Peekable<vec::IntoIter<(Key, R)>>,
    ) {
        while let Some((other, run)) = expected.next_if(|(other, _)| other.cmp(&key) == Ordering::Less) {
            let what = format!(
                "{} {other:032x}: the frames have {}, but it is not in the index",
                section_word(section),
                run.told()
            );
            self.report.damage(segment.path(), segment.first(), what);
        }
    }

    /// A name that is there always passes.
    fn filter(&mut self, segment: &Segment, filter: &[u8], keys: &[Key]) {
        let blocks = segment.directory().filter_blocks;
        let refused = keys.iter().filter(|key| !Sought::of(**key).may_be_in(blocks, filter, 0)).count();
        if refused > 0 || widen(filter.len()) != segment.filter_bytes() {
            let what = format!("the filter says no to {refused} of {} names that are there", keys.len());
            self.report.damage(segment.path(), segment.first(), what);
        }
    }
}

fn section_word(section: Section) -> &'static str {
    if section == Section::Streams { "stream" } else { "counter" }
}

/// An entry in words.
pub(super) trait Describe {
    fn told(&self) -> String;
}

impl Describe for StreamRun {
    fn told(&self) -> String {
        let first = self.frames.first().copied().unwrap_or_default();
        format!("versions {} to {} in {} frames from {first} on", self.first, self.last, self.frames.len())
    }
}

impl Describe for CounterRun {
    fn told(&self) -> String {
        format!("seqs {} to {} with the contents of {}", self.first, self.last, self.contents.len())
    }
}
