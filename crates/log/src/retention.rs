//! What history leaves behind when it is dropped, and how long that stays.
//!
//! Not for dropping: that is each log's. Invariant: whatever the log still holds from its first position on, there is an
//! archive that it goes on from.

use pegcount_domain::envelope::Position;

use crate::{api::LogError, limits::ARCHIVES_MAX};

/// What rebuilding starts from once the first segments are gone: opaque to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// It stands for everything up to here; folds go on after it.
    pub position: Position,
    /// What folds made of that.
    pub bytes: Vec<u8>,
}

/// What was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The first position that can be read now.
    pub first: Position,
    /// How many events went.
    pub events: u64,
    /// The length of the segments that went, bytes.
    pub bytes: u64,
    /// How many segments went; of a log in memory, frames.
    pub segments: usize,
}

impl Dropped {
    /// Nothing: the log still begins at `first`.
    pub(crate) fn nothing(first: Position) -> Self {
        Self { first, events: 0, bytes: 0, segments: 0 }
    }
}

/// Whether an archive at `position` can stand for everything up to `last` in a log that ends at `end`.
pub(crate) fn check_place(position: Position, last: Position, end: Position) -> Result<(), LogError> {
    if position < last || position > end {
        return Err(LogError::ArchiveMisplaced { position, least: last, end });
    }
    Ok(())
}

/// Leaves those of `archives`, the oldest of which comes first, that serve a log that begins at `first`: what follows on
/// them is still there, no newer one has their position, and they are among the newest.
pub(crate) fn keep_useful<T>(archives: &mut Vec<T>, first: Position, position: impl Fn(&T) -> Position) {
    archives.sort_by_key(|archive| position(archive));
    archives.retain(|archive| position(archive).next() >= first);
    // Of one position the last, which is the one that came last.
    archives.reverse();
    archives.dedup_by_key(|archive| position(archive));
    archives.truncate(ARCHIVES_MAX);
    archives.reverse();
}

/// The newest of `archives`, the oldest of which comes first, that stands at `at_most` or before.
pub(crate) fn newest<T>(
    archives: &[T],
    at_most: Option<Position>,
    position: impl Fn(&T) -> Position,
) -> Option<&T> {
    archives.iter().rev().find(|archive| at_most.is_none_or(|at_most| position(archive) <= at_most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(positions: &[u64], first: u64) -> Vec<(Position, usize)> {
        let mut archives: Vec<_> =
            positions.iter().zip(0..).map(|(position, number)| (Position(*position), number)).collect();
        keep_useful(&mut archives, Position(first), |(position, _)| *position);
        archives
    }

    #[test]
    fn archives_stay_while_what_follows_on_them_is_there() {
        assert_eq!(kept(&[4, 9, 12], 10), [(Position(9), 1), (Position(12), 2)]);
        assert_eq!(kept(&[12, 9], 10), [(Position(9), 1), (Position(12), 0)]);
    }

    #[test]
    fn of_one_position_the_last_one_stays() {
        assert_eq!(kept(&[9, 12, 9], 10), [(Position(9), 2), (Position(12), 1)]);
    }

    #[test]
    fn of_too_many_the_newest_stay() {
        let many: Vec<u64> = (10..=40).collect();
        let kept = kept(&many, 1);
        assert_eq!((kept.len(), kept[0].0, kept[15].0), (ARCHIVES_MAX, Position(25), Position(40)));
        let at = |at_most| newest(&kept, at_most, |(position, _)| *position).map(|(position, _)| position.0);
        assert_eq!((at(None), at(Some(Position(31))), at(Some(Position(24)))), (Some(40), Some(31), None));
    }

    #[test]
    fn an_archive_stands_between_what_goes_and_the_end() {
        let placed = |position| check_place(Position(position), Position(5), Position(9)).is_ok();
        assert_eq!([4, 5, 9, 10].map(placed), [false, true, true, false]);
    }
}
