//! Reading the log page by page: all of it, a kind, a site, some types; forward and backward.
//!
//! Works over [`EventLog::read`] alone, so every implementation answers alike. Not for one stream's events, which are
//! found without looking at others (`stream`), and not for what comes later (`deliver`).
//!
//! Invariant: every event between a page's `from` and its `next` was looked at, and is in the page if it passes.

use pegcount_domain::envelope::Position;

use crate::{
    api::{EventLog, LogError},
    filter::Filter,
    frame::{Frame, FrameEvent},
    limits::READ_PAGE_FRAMES,
    stream::{Direction, StreamPart},
};

/// Which events of the log, and in which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadQuery {
    /// The first position that is looked at.
    pub from: Position,
    /// From there on, or from there back.
    pub direction: Direction,
    /// What is wanted.
    pub filter: Filter,
    /// The most events in the page; 0 counts as 1.
    pub limit: usize,
}

impl ReadQuery {
    /// At most `limit` events from `from` on, positions ascending.
    pub fn forward(from: Position, limit: usize) -> Self {
        Self { from, direction: Direction::Forward, filter: Filter::default(), limit }
    }

    /// At most `limit` events from `from` back, positions descending.
    pub fn backward(from: Position, limit: usize) -> Self {
        Self { direction: Direction::Backward, ..Self::forward(from, limit) }
    }

    /// The same, of what passes `filter`.
    pub fn of(self, filter: Filter) -> Self {
        Self { filter, ..self }
    }
}

/// Some events of the log, in the order asked for.
#[derive(Clone, Debug, Default)]
pub struct ReadPage {
    /// The events, by the frames that hold them.
    pub parts: Vec<StreamPart>,
    /// Where to go on. Forward: the end plus one when there is no more yet. Backward: [`Position::START`] after the
    /// first event that is left.
    pub next: Position,
}

impl ReadPage {
    /// The events in order, each with its frame, which holds its texts.
    pub fn events(&self) -> impl Iterator<Item = (&Frame, FrameEvent<'_>)> {
        self.parts.iter().flat_map(|part| part.events().map(|event| (part.frame(), event)))
    }
}

/// Reads a page, frame by frame.
pub(crate) async fn read_page<L: EventLog + ?Sized>(
    log: &L,
    query: &ReadQuery,
) -> Result<ReadPage, LogError> {
    let next = match query.direction {
        Direction::Forward => query.from.max(Position(1)),
        Direction::Backward => query.from.min(log.end()),
    };
    let mut page = ReadPage { parts: Vec::new(), next };
    let mut left = query.limit.max(1);
    for _ in 0..READ_PAGE_FRAMES {
        if left == 0 || page.next == Position::START {
            break;
        }
        let frame = match log.read(page.next).await {
            Ok(Some(frame)) => frame,
            // Backward, what has been dropped is what lies before the first event.
            Err(LogError::Dropped { .. }) if query.direction == Direction::Backward => {
                page.next = Position::START;
                break;
            }
            Ok(None) => break,
            Err(error) => return Err(error),
        };
        let wanted = query.direction.cut(&frame, page.next);
        let mut records = frame.records_passing(&query.filter);
        records.retain(|record| wanted.contains(&frame.position_of_record(*record)));
        if query.direction == Direction::Backward {
            records.reverse();
        }
        let last = records.get(left.saturating_sub(1)).map(|record| frame.position_of_record(*record));
        records.truncate(left);
        left -= records.len();
        let (beginning, end) = wanted.into_inner();
        page.next = match query.direction {
            Direction::Forward => last.unwrap_or(end).next(),
            Direction::Backward => Position(last.unwrap_or(beginning).0.saturating_sub(1)),
        };
        if !records.is_empty() {
            page.parts.push(StreamPart::new(frame, records));
        }
    }
    Ok(page)
}

impl Direction {
    /// The positions of a frame that lie before a reader who stands at `next`.
    fn cut(self, frame: &Frame, next: Position) -> std::ops::RangeInclusive<Position> {
        match self {
            Self::Forward => next..=frame.last(),
            Self::Backward => frame.first()..=next,
        }
    }
}
