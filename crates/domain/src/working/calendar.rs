//! The calendar, and the questions that it answers.
//!
//! It is worked out some 400 days at a time, when first asked about them, and kept; so an answer is a few binary searches, and
//! what it holds is bounded by what its definition says of the years 1970 to 2200. That is memory only: every answer is a
//! function of the definition and the question.

use std::sync::OnceLock;

use crate::{
    time::{Micros, Span},
    working::{
        chunk::{self, Chunk},
        error::WorkingError,
        plan::Plans,
        rules::WorkingHistory,
        zone::Day,
    },
};

/// How many chunks a calendar covers, from 1970 on: until 2200.
const COVERED: u16 = 211;
const CHUNKS: usize = COVERED as usize;
/// After how many chunks without any working time the calendar never works: 10 years.
const IDLE_CHUNKS_MAX: usize = 10;

/// A working calendar. Cheap to ask, not to make: keep it as long as its definition.
#[derive(Clone, Debug)]
pub struct WorkingCalendar {
    plans: Plans,
    chunks: Box<[OnceLock<Chunk>]>,
}

impl WorkingCalendar {
    /// What every calendar covers; [`WorkingError::OutOfRange`] beyond.
    pub const COVERS: Span = Span { start: Micros::ZERO, end: Micros(COVERED as i64 * chunk::LENGTH.0) };

    /// The calendar of what was defined.
    pub fn new(history: &WorkingHistory) -> Result<Self, WorkingError> {
        let chunks = (0..CHUNKS).map(|_| OnceLock::new()).collect();
        Ok(Self { plans: Plans::new(history)?, chunks })
    }

    /// Whether `at` is working time.
    pub fn works_at(&self, at: Micros) -> Result<bool, WorkingError> {
        Ok(self.containing(at)?.1.works(at))
    }

    /// Working time from `from` to `to` (duration), less than 0 if `to` comes first: `between(a, b) = -between(b, a)`.
    pub fn between(&self, from: Micros, to: Micros) -> Result<Micros, WorkingError> {
        if to < from {
            return self.between(to, from).map(|worked| Micros::ZERO.minus(worked));
        }
        let ((first, begin), (last, end)) = (self.containing(from)?, self.containing(to)?);
        let mut worked = end.until(to).minus(begin.until(from));
        for number in first..last {
            worked = worked.plus(self.chunk(number).map_or(Micros::ZERO, |chunk| chunk.total));
        }
        Ok(worked)
    }

    /// `from` and `amount` of working time: if it is more than 0, the first instant until which so much was worked (the end of
    /// a window rather than the begin of the next), if less, the last instant since which it was (the begin of a window), and
    /// `from` itself if it is 0. `between(from, after(from, amount)) = amount`.
    pub fn after(&self, from: Micros, amount: Micros) -> Result<Micros, WorkingError> {
        if amount < Micros::ZERO { self.backwards(from, amount) } else { self.forwards(from, amount) }
    }

    /// The first working instant at or after `at`.
    pub fn opens(&self, at: Micros) -> Result<Micros, WorkingError> {
        let (first, _) = self.containing(at)?;
        let mut idle = 0;
        for number in first..CHUNKS {
            let chunk = self.chunk(number);
            if let Some(opens) = chunk.and_then(|chunk| chunk.opens(at)) {
                return Ok(opens);
            }
            idle += 1;
            if idle > IDLE_CHUNKS_MAX {
                return Err(WorkingError::NeverWorks { from: at, backwards: false, missing: Micros(1) });
            }
        }
        Err(out_of_range(Self::COVERS.end))
    }

    /// The end of the `days`-th working day after the one that `at` belongs to; of that day itself if `days` is 0 and some of
    /// it is still to come, else of the next.
    ///
    /// A working day is a date on which work begins; a night's work belongs to the date on which it began. An instant outside
    /// working hours belongs to the date that the wall clock shows.
    pub fn day_end(&self, at: Micros, days: u32) -> Result<Micros, WorkingError> {
        let (_, chunk) = self.containing(at)?;
        let Some(today) = self.day_of(at, chunk.works(at)) else {
            return Err(WorkingError::NeverWorks { from: at, backwards: false, missing: Micros(1) });
        };
        let mut left = days.max(1);
        let begin = if days == 0 { today } else { today.plus(1) };
        let mut idle = 0;
        for number in self.place(chunk::number_of(begin)).unwrap_or(0)..CHUNKS {
            idle += 1;
            let found = self.chunk(number).into_iter().flat_map(|chunk| chunk.days_from(begin));
            for (_, work) in found.filter(|(_, work)| work.end > at) {
                idle = 0;
                left -= 1;
                if left == 0 {
                    return Ok(work.end);
                }
            }
            if idle > IDLE_CHUNKS_MAX {
                return Err(WorkingError::NeverWorks { from: at, backwards: false, missing: Micros(1) });
            }
        }
        Err(out_of_range(Self::COVERS.end))
    }

    /// The date that `at` belongs to: the one whose work is going on, the later of two; else the wall clock's.
    fn day_of(&self, at: Micros, works: bool) -> Option<Day> {
        let today = self.plans.zone(at)?.day(at);
        if !works || self.has_begun(today, at) && self.holds(today, at) {
            return Some(today);
        }
        Some(today.plus(if self.holds(today.plus(-1), at) { -1 } else { 0 }))
    }

    /// Whether any work of `day` has begun by `at`.
    fn has_begun(&self, day: Day, at: Micros) -> bool {
        let chunk = self.place(chunk::number_of(day)).and_then(|number| self.chunk(number));
        let worked = chunk.and_then(|chunk| chunk.days_from(day).next());
        worked.is_some_and(|(date, work)| date == day && work.start <= at)
    }

    /// Whether `at` lies in work that began on `day`.
    fn holds(&self, day: Day, at: Micros) -> bool {
        self.plans.stretches(day).iter().any(|span| span.start <= at && at < span.end)
    }

    fn forwards(&self, from: Micros, amount: Micros) -> Result<Micros, WorkingError> {
        let (first, chunk) = self.containing(from)?;
        if amount == Micros::ZERO {
            return Ok(from);
        }
        let mut left = chunk.until(from).plus(amount);
        let mut idle = 0;
        let mut idle_since = from;
        for number in first..CHUNKS {
            let Some(chunk) = self.chunk(number) else { break };
            if let Some(at) = chunk.first_with(left) {
                return Ok(at);
            }
            left = left.minus(chunk.total);
            (idle, idle_since) = match chunk.total {
                Micros::ZERO => (idle + 1, idle_since),
                _ => (0, start_of(number + 1)),
            };
            if idle > IDLE_CHUNKS_MAX {
                return Err(WorkingError::NeverWorks { from: idle_since, backwards: false, missing: left });
            }
        }
        Err(out_of_range(Self::COVERS.end))
    }

    fn backwards(&self, from: Micros, amount: Micros) -> Result<Micros, WorkingError> {
        let (first, chunk) = self.containing(from)?;
        // What is to be left of a chunk, counted from its start; less than 0 while it is too short.
        let mut left = chunk.until(from).plus(amount);
        let mut idle = 0;
        let mut idle_since = from;
        for number in (0..=first).rev() {
            let Some(chunk) = self.chunk(number) else { break };
            if number < first {
                left = left.plus(chunk.total);
            }
            if left >= Micros::ZERO
                && let Some(at) = chunk.last_with(left)
            {
                return Ok(at);
            }
            (idle, idle_since) = match chunk.total {
                Micros::ZERO => (idle + 1, idle_since),
                _ => (0, start_of(number)),
            };
            if idle > IDLE_CHUNKS_MAX {
                let missing = Micros::ZERO.minus(left);
                return Err(WorkingError::NeverWorks { from: idle_since, backwards: true, missing });
            }
        }
        Err(out_of_range(Micros(-1)))
    }

    /// The chunk in which `at` lies, and its place; the end of what is covered lies in the last.
    fn containing(&self, at: Micros) -> Result<(usize, &Chunk), WorkingError> {
        let number =
            if at == Self::COVERS.end { CHUNKS.checked_sub(1) } else { self.place(chunk::number(at)) };
        let chunk = number.and_then(|number| Some((number, self.chunk(number)?)));
        chunk.ok_or_else(|| out_of_range(at))
    }

    fn place(&self, number: i64) -> Option<usize> {
        usize::try_from(number).ok().filter(|number| *number < self.chunks.len())
    }

    fn chunk(&self, number: usize) -> Option<&Chunk> {
        let chunk = self.chunks.get(number)?;
        Some(chunk.get_or_init(|| Chunk::new(&self.plans, i64::try_from(number).unwrap_or(0))))
    }
}

fn start_of(number: usize) -> Micros {
    chunk::start(i64::try_from(number).unwrap_or(0))
}

fn out_of_range(at: Micros) -> WorkingError {
    WorkingError::OutOfRange { at, covers: WorkingCalendar::COVERS }
}
