//! Frames of a place in the order of the log, from segments and databases alike.
//!
//! Invariant: they follow on each other without a hole; the first damage ends the reading.

use std::{collections::VecDeque, path::Path};

use pegcount_domain::envelope::Position;

use super::{
    Progress, ToolError,
    place::{Part, Place},
};
use crate::{
    api::LogError,
    frame::{Frame, widen},
    hot::door::{self, HotFrames},
    segment::{Ahead, FrameAt, Section, Segment},
};

/// Takes a frame and its bytes; says whether it wants the next one.
pub(super) type Take<'a> = dyn FnMut(&Frame, &[u8]) -> Result<bool, ToolError> + 'a;

/// Gives every frame of `place` from the one that holds `from` on to `take`, until that has had enough.
pub(super) fn each_frame(
    place: &Place,
    from: Position,
    progress: &dyn Progress,
    take: &mut Take<'_>,
) -> Result<(), ToolError> {
    for part in place.segments.iter().filter(|part| part.named.last >= from) {
        if !of_segment(place, part, from, progress, take)? {
            return Ok(());
        }
    }
    let first = place.sealed_end().next();
    of_databases(&place.dir, &place.databases, first, progress, &mut |frame, bytes| {
        if frame.last() >= from { take(frame, bytes) } else { Ok(true) }
    })
}

/// The frames of one segment; false once `take` has had enough.
pub(super) fn of_segment(
    place: &Place,
    part: &Part,
    from: Position,
    progress: &dyn Progress,
    take: &mut Take<'_>,
) -> Result<bool, ToolError> {
    let segment = Segment::open_at(part.path.clone(), part.named, place.incarnation)?;
    let mut ahead = Ahead::new(&segment)?;
    let mut next = part.named.first;
    for index in 0..segment.directory().blocks(Section::Frames).len() {
        for line in segment.lines(index)? {
            let length = usize::try_from(line.bytes).unwrap_or(usize::MAX);
            let bytes = ahead.bytes(line.offset, length)?;
            progress.more(widen(bytes.len()));
            let frame = decoded(&segment, &line, bytes, next)?;
            next = frame.last().next();
            if frame.last() >= from && !take(&frame, bytes)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn decoded(segment: &Segment, line: &FrameAt, bytes: &[u8], next: Position) -> Result<Frame, LogError> {
    let damaged = |what: String| LogError::Damaged {
        path: segment.path().to_owned(),
        position: next,
        what: format!("the frame at byte {}: {what}", line.offset),
    };
    let frame = Frame::decode(bytes).map_err(|error| damaged(error.to_string()))?;
    if frame.first() == next {
        Ok(frame)
    } else {
        Err(damaged(format!("it begins at position {}", frame.first())))
    }
}

/// The frames of databases that are in complete groups; the first of them begins at `first`.
pub(super) fn of_databases(
    dir: &Path,
    databases: &[u64],
    first: Position,
    progress: &dyn Progress,
    take: &mut Take<'_>,
) -> Result<(), ToolError> {
    let mut next = first;
    for number in databases {
        let database = HotFrames::open(dir, *number, next)?;
        let mut group = VecDeque::new();
        database.each(|(_, bytes)| {
            let damaged =
                |what: String| LogError::Damaged { path: database.path().to_owned(), position: next, what };
            progress.more(widen(bytes.len()));
            let frame = Frame::decode(&bytes).map_err(|error| damaged(error.to_string()))?;
            if frame.first() != next {
                return Err(damaged(format!("a frame begins at position {}", frame.first())).into());
            }
            next = frame.last().next();
            let ends = !door::more_follows(&bytes);
            group.push_back((frame, bytes));
            if ends {
                for (frame, bytes) in group.drain(..) {
                    if !take(&frame, &bytes)? {
                        return Ok(false);
                    }
                }
            }
            Ok::<_, ToolError>(true)
        })?;
    }
    Ok(())
}
