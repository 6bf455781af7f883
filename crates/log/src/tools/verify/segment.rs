//! One segment: its parts' checksums, its frames where its table says, its directory's numbers.

use pegcount_domain::{envelope::Position, ids::Incarnation};

use super::{Check, chain::Chained, frames::Walk};
use crate::{
    frame::widen,
    segment::{Ahead, FrameAt, HEADER_BYTES, Section, Segment},
    tools::{ToolError, place::Part},
};

impl Check<'_> {
    /// Checks a segment; gives what the parts after it go on from.
    pub(super) fn segment(&mut self, part: &Part, incarnation: Incarnation) -> Result<Chained, ToolError> {
        let named = part.named;
        self.report.verified.segments += 1;
        let opened = Segment::open_at(part.path.clone(), named, incarnation);
        let Some(segment) = self.report.note(opened)? else {
            self.next = named.last.next();
            self.report.verified.end = named.last;
            return Ok(Chained::Unknown);
        };
        let mut walk = self.walk(&part.path);
        let found = self.report.verified.damages_count;
        let mut ahead = Ahead::new(&segment)?;
        for index in 0..segment.directory().blocks(Section::Frames).len() {
            self.block(&segment, index, &mut ahead, &mut walk)?;
        }
        if walk.whole && walk.next != named.last.next() {
            let what =
                format!("its frames end before position {}, the manifest says {}", walk.next, named.last);
            self.report.damage(&part.path, walk.next, what);
        }
        walk.next = named.last.next();
        self.walked(&walk);
        let frames_are_good = found == self.report.verified.damages_count;
        let indexes_are_good = self.indexes(&segment, walk, frames_are_good)?;
        let frames_end = segment.directory().frames_end();
        self.looked_at(named.bytes.saturating_sub(frames_end));
        Ok(if frames_are_good && indexes_are_good { Chained::Segment(segment) } else { Chained::Unknown })
    }

    /// The frames of one block of the frame table.
    fn block(
        &mut self,
        segment: &Segment,
        index: usize,
        ahead: &mut Ahead<'_>,
        walk: &mut Walk,
    ) -> Result<(), ToolError> {
        let blocks = segment.directory().blocks(Section::Frames);
        let Some(lines) = self.report.note(segment.lines(index))? else {
            let next = blocks.get(index + 1).and_then(|block| u64::try_from(block.first).ok());
            walk.lost(next.map_or(segment.last().next(), Position));
            return Ok(());
        };
        let begins = lines.first().map(|line| u128::from(line.first.0));
        if begins != blocks.get(index).map(|block| block.first) {
            let what = format!(
                "{} {index} begins at another position than the directory says",
                Section::Frames.word()
            );
            self.report.damage(segment.path(), walk.next, what);
        }
        self.frames(segment, &lines, ahead, walk)
    }

    fn frames(
        &mut self,
        segment: &Segment,
        lines: &[FrameAt],
        ahead: &mut Ahead<'_>,
        walk: &mut Walk,
    ) -> Result<(), ToolError> {
        for line in lines {
            let before = walk.contents.frames.last();
            let offset = before.map_or(widen(HEADER_BYTES), |before| before.offset + u64::from(before.bytes));
            let end = line.offset.saturating_add(line.bytes.into());
            if line.offset != offset || end > segment.directory().frames_end() {
                let what = format!(
                    "the frame table has a frame at bytes {} to {end}, where {offset} is next",
                    line.offset
                );
                self.report.damage(segment.path(), line.first, what);
                walk.contents.frames.push(*line);
                walk.lost(line.first);
                continue;
            }
            let length = usize::try_from(line.bytes).unwrap_or(usize::MAX);
            let Some(bytes) = self.report.note(ahead.bytes(line.offset, length))? else {
                walk.lost(line.first);
                continue;
            };
            self.looked_at_frame(bytes);
            walk.take(*line, bytes, &self.names, &mut self.said, &mut self.report);
        }
        Ok(())
    }
}
