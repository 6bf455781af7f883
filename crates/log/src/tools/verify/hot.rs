//! The databases: every frame, and that together with the segments they reach the high-water mark.

use std::collections::VecDeque;

use pegcount_domain::envelope::Position;

use super::{Check, chain::Chained, frames::Walk};
use crate::{
    api::LogError,
    hot::door::{self, HotFrames},
    segment::FrameAt,
    tools::{
        ToolError,
        place::{Kind, Place},
    },
};

impl Check<'_> {
    /// Checks the databases, which a backup has none of; gives what each of them says.
    pub(super) fn databases(&mut self, place: &Place) -> Result<Vec<Chained>, ToolError> {
        if place.kind == Kind::Backup {
            return Ok(Vec::new());
        }
        let marked = self.report.note(door::marked(&place.dir))?;
        let mut chained = Vec::new();
        for number in &place.databases {
            self.report.verified.databases += 1;
            let on_disk = door::database_bytes(&place.dir, *number);
            let before = self.report.verified.bytes;
            chained.push(self.database(place, *number, marked.unwrap_or_default())?);
            // sled takes more than the frames have.
            let frames = self.report.verified.bytes - before;
            self.looked_at(on_disk.saturating_sub(frames));
        }
        let end = self.report.verified.end;
        if let Some(marked) = marked.filter(|marked| *marked > end) {
            let what = format!("positions up to {marked} were acknowledged, but the log ends at {end}");
            self.report.damage(&door::mark_file(&place.dir), end.next(), what);
        }
        Ok(chained)
    }

    fn database(&mut self, place: &Place, number: u64, marked: Position) -> Result<Chained, ToolError> {
        let opened = HotFrames::open(&place.dir, number, marked);
        let Some(database) = self.report.note(opened)? else { return Ok(Chained::Unknown) };
        let mut walk = self.walk(database.path());
        let begins = self.next;
        let found = self.report.verified.damages_count;
        // Frames of a group count once its last one is there.
        let mut group = VecDeque::new();
        let walked = database.each(|(first, bytes)| {
            let ends = !door::more_follows(&bytes);
            group.push_back((first, bytes));
            if ends {
                for (first, bytes) in group.drain(..) {
                    self.database_frame(first, &bytes, &mut walk);
                }
            }
            Ok::<_, LogError>(true)
        });
        self.report.note(walked)?;
        if let Some((first, _)) = group.front() {
            let (first, frames) = (first.0, group.len());
            let remark = format!(
                "a group of {frames} frames from position {first} on was cut short: it was never acknowledged, and the next start removes it"
            );
            self.report.verified.remarks.push(remark);
        }
        self.walked(&walk);
        let good = found == self.report.verified.damages_count;
        Ok(if good { Chained::of(walk.contents, database.path(), begins) } else { Chained::Unknown })
    }

    fn database_frame(&mut self, first: Position, bytes: &[u8], walk: &mut Walk) {
        self.looked_at_frame(bytes);
        let bytes_count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let before = walk.contents.frames.last();
        // A frame in a database has no place of its own; where it would lie in a segment tells it as well.
        let offset = before.map_or(0, |before| before.offset + u64::from(before.bytes));
        let at = FrameAt { first, offset, bytes: bytes_count };
        walk.take(at, bytes, &self.names, &mut self.said, &mut self.report);
    }
}
