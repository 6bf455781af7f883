//! What is left of segments that were dropped: the archives, to the last byte, and the stub against itself: every stream
//! and every counter from its beginning, as many events as there were, and a filter that passes them all.
//!
//! Not for what an archive holds. Invariant: that the parts after the stub go on from it is [`super::chain`]'s.

use super::{Check, chain::Chained};
use crate::{
    frame::widen,
    keys::Key,
    limits::SOURCE_WINDOW_SEQS,
    segment::{CounterRun, Entries, Section, Segment, Sought, StreamRun},
    tools::{ToolError, place::Place},
};

impl Check<'_> {
    /// Reads every archive.
    pub(super) fn archives(&mut self, place: &Place) -> Result<(), ToolError> {
        for archive in &place.archives {
            self.report.verified.archives += 1;
            self.report.note(archive.load(&place.dir))?;
            self.looked_at(archive.bytes);
        }
        Ok(())
    }

    /// Checks the stub, if there is one; gives what the parts after it go on from.
    pub(super) fn stub(&mut self, place: &Place) -> Result<Option<Chained>, ToolError> {
        let Some(part) = &place.stub else { return Ok(None) };
        self.next = part.named.last.next();
        self.report.verified.end = part.named.last;
        self.looked_at(part.named.bytes);
        let opened = Segment::open_at(part.path.clone(), part.named, place.incarnation);
        let Some(stub) = self.report.note(opened)? else { return Ok(Some(Chained::Unknown)) };
        self.last_recorded_at = stub.last_recorded_at().0;
        let found = self.report.verified.damages_count;
        if let Some(filter) = self.report.note(stub.filter())? {
            let mut passed = Passed { filter: &filter, blocks: stub.directory().filter_blocks, refused: 0 };
            self.stub_streams(&stub, &mut passed)?;
            self.stub_counters(&stub, &mut passed)?;
            if passed.refused > 0 {
                let what = format!("the filter says no to {} names that are there", passed.refused);
                self.report.damage(stub.path(), stub.first(), what);
            }
        }
        let good = found == self.report.verified.damages_count;
        Ok(Some(if good { Chained::Segment(stub) } else { Chained::Unknown }))
    }

    fn stub_streams(&mut self, stub: &Segment, passed: &mut Passed<'_>) -> Result<(), ToolError> {
        let (mut count, mut events, mut before) = (0_u64, 0_u64, None);
        for entry in Entries::new(stub, Section::Streams, StreamRun::read) {
            let Some((key, run)) = self.report.note(entry)? else { return Ok(()) };
            if run.first != 1 || run.last < run.first || !run.frames.is_empty() || before == Some(key) {
                let what = format!("stream {key:032x}: it does not go from its first version to its last");
                self.report.damage(stub.path(), stub.first(), what);
            }
            passed.look(key);
            (count, events, before) = (count + 1, events.saturating_add(run.last), Some(key));
        }
        self.equal(stub, "streams", stub.directory().streams, count);
        self.equal(stub, "events", stub.directory().events, events);
        Ok(())
    }

    fn stub_counters(&mut self, stub: &Segment, passed: &mut Passed<'_>) -> Result<(), ToolError> {
        let (mut count, mut before) = (0, None);
        for entry in Entries::new(stub, Section::Counters, CounterRun::read) {
            let Some((key, run)) = self.report.note(entry)? else { return Ok(()) };
            let ends = run.contents.last().is_some_and(|(seq, _)| *seq == run.last);
            let too_old = run.last.saturating_sub(widen(SOURCE_WINDOW_SEQS));
            let within = run.contents.first().is_some_and(|(seq, _)| *seq > too_old) && run.before <= too_old;
            let whole = run.before == 0 || within;
            if run.first != 1 || !ends || !whole || before == Some(key) {
                let what = format!("counter {key:032x}: it does not go from its first seq to its last");
                self.report.damage(stub.path(), stub.first(), what);
            }
            passed.look(key);
            (count, before) = (count + 1, Some(key));
        }
        self.equal(stub, "counters", stub.directory().counters, count);
        Ok(())
    }
}

/// Counts the names that are there and that the filter says no to.
struct Passed<'a> {
    filter: &'a [u8],
    blocks: u32,
    refused: u64,
}

impl Passed<'_> {
    fn look(&mut self, key: Key) {
        self.refused += u64::from(!Sought::of(key).may_be_in(self.blocks, self.filter, 0));
    }
}
