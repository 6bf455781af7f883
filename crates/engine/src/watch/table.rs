//! The table behind a group, however it is kept.
//!
//! Invariant: its numbers only ever go up, whatever it becomes.

use pegcount_kpi::live::{Board, Change};

use super::asked::Asked;

/// A table.
pub(super) enum Table {
    /// Nothing has been looked at yet; numbers go on after this one.
    Empty(u64),
    Board(Box<Board>),
    Asked(Box<Asked>),
}

impl Table {
    pub(super) fn version(&self) -> u64 {
        match self {
            Self::Empty(version) => *version,
            Self::Board(board) => board.version(),
            Self::Asked(asked) => asked.version(),
        }
    }

    /// Gives what has changed a number; false if nothing has.
    pub(super) fn number(&mut self) -> bool {
        match self {
            Self::Board(board) => board.number(),
            // One that is asked for gets it then.
            Self::Empty(_) | Self::Asked(_) => false,
        }
    }

    pub(super) fn snapshot(&self) -> Change {
        match self {
            Self::Empty(_) => Change::default(),
            Self::Board(board) => board.snapshot(),
            Self::Asked(asked) => asked.snapshot(),
        }
    }

    pub(super) fn since(&self, version: u64) -> Option<Change> {
        match self {
            Self::Empty(_) => None,
            Self::Board(board) => board.since(version),
            Self::Asked(asked) => asked.since(version),
        }
    }
}
