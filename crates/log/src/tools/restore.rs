//! Makes a log of a backup: all of it, or what there was at a position or a time.
//!
//! Invariant: the new log has another incarnation, so that whoever remembers positions notices; it holds a prefix of the
//! backup, and nothing that came after.

use std::path::{Path, PathBuf};

use pegcount_domain::{envelope::Position, ids::Incarnation, time::Micros};

use super::{
    Progress, ToolError,
    maker::{Maker, Site},
    place::{self, Kind, Part, Place},
    read,
    record::StoredEvent,
};
use crate::{hot::door::NamedArchive, segment::Segment};

/// How much of a backup to restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// All of it.
    End,
    /// Events up to this position.
    Position(Position),
    /// Events that were written by then.
    Time(Micros),
}

/// What a restore came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The new log's folder.
    pub dir: PathBuf,
    /// Its incarnation.
    pub incarnation: Incarnation,
    /// That of the log that was backed up.
    pub incarnation_before: Incarnation,
    /// The position of its last event.
    pub end: Position,
    /// The position of the backup's last event.
    pub backup_end: Position,
}

/// Makes the backup in `backup` into the log of a server's folder `to`, which is new or empty.
///
/// Of a log whose first part was dropped, stub and archives come along, but for archives that know more than what is restored.
///
/// Errors: no backup; a folder that holds something; nothing in the backup by then, or nothing any more; damage; an error
/// of the disk.
pub fn restore(
    backup: &Path,
    to: &Path,
    until: Until,
    progress: &dyn Progress,
) -> Result<Restored, ToolError> {
    let place = Place::read(place::find(backup)?)?;
    if place.kind != Kind::Backup {
        return Err(ToolError::NoBackup { path: place.dir });
    }
    let backup_end = place.sealed_end();
    let end = match until {
        Until::End => backup_end,
        Until::Position(position) if position > backup_end => {
            return Err(ToolError::Beyond { path: place.dir, asked: position, end: backup_end });
        }
        Until::Position(position) if position < place.first() => {
            return Err(ToolError::Dropped { first: place.first(), path: place.dir });
        }
        Until::Position(position) => position,
        Until::Time(time) => end_at(&place, time)?,
    };
    if end == Position::START && backup_end > Position::START {
        return Err(ToolError::NothingByThen { path: place.dir });
    }
    let archives = archives(&place, end)?;
    progress.total(place.bytes());
    let site = Site::new(to)?;
    let mut maker = Maker::new(&site.aside(), place.key.clone())?;
    if let Some(stub) = &place.stub {
        maker.adopt(stub, progress)?;
    }
    for archive in archives {
        maker.adopt_archive(&place.dir, archive)?;
    }
    for part in place.segments.iter().filter(|part| part.named.first <= end) {
        if part.named.last <= end {
            maker.adopt(part, progress)?;
        } else {
            cut(&place, part, end, &mut maker, progress)?;
        }
    }
    let incarnation = maker.incarnation();
    maker.finish()?;
    let dir = site.finished()?;
    Ok(Restored { dir, incarnation, incarnation_before: place.incarnation, end, backup_end })
}

/// The archives that a log that ends at `end` may have.
fn archives(place: &Place, end: Position) -> Result<Vec<NamedArchive>, ToolError> {
    let of_then = |archive: &&NamedArchive| archive.position <= end;
    let archives: Vec<_> = place.archives.iter().filter(of_then).copied().collect();
    match place.archives.first() {
        Some(oldest) if archives.is_empty() => {
            Err(ToolError::NoArchive { path: place.dir.clone(), asked: end, oldest: oldest.position })
        }
        _ => Ok(archives),
    }
}

/// The last position that was written by `time`.
fn end_at(place: &Place, time: Micros) -> Result<Position, ToolError> {
    let mut end = Position::START;
    if let Some(stub) = &place.stub {
        let stub = Segment::open_at(stub.path.clone(), stub.named, place.incarnation)?;
        if stub.last_recorded_at() > time {
            return Err(ToolError::Dropped { path: place.dir.clone(), first: place.first() });
        }
        end = stub.last();
    }
    for part in &place.segments {
        let segment = Segment::open_at(part.path.clone(), part.named, place.incarnation)?;
        if segment.last_recorded_at() <= time {
            end = part.named.last;
            continue;
        }
        read::of_segment(place, part, part.named.first, &(), &mut |frame, _| {
            let by_then = frame.events().take_while(|event| event.envelope.recorded_at <= time);
            end = by_then.last().map_or(end, |event| event.envelope.position);
            Ok(end == frame.last())
        })?;
        break;
    }
    Ok(end)
}

/// The frames of `part` up to `end`; the one that it lies in is built anew with the events before.
fn cut(
    place: &Place,
    part: &Part,
    end: Position,
    maker: &mut Maker,
    progress: &dyn Progress,
) -> Result<(), ToolError> {
    read::of_segment(place, part, part.named.first, progress, &mut |frame, bytes| {
        if frame.last() <= end {
            maker.push_frame(frame, bytes)?;
        } else {
            for event in StoredEvent::all_of(frame)?.iter().filter(|event| event.position <= end) {
                maker.push_event(event)?;
            }
        }
        Ok(frame.last() < end)
    })
    .map(drop)
}
