//! Rows in, records out.
//!
//! Invariant: every row read is counted exactly once: kept, PHANTOM, repeated or broken.

use std::{
    collections::hash_map::Entry,
    hash::{DefaultHasher, Hasher},
    io::BufRead,
};

use jiff::tz::TimeZone;
use pegcount_domain::ids::ContactId;
use rustc_hash::FxHashMap;

use super::{
    COLUMNS,
    facts::{Told, facts},
    report::{BankReport, BrokenLine, RepeatedLine},
    row::{Fields, Outcome},
};
use crate::{
    ContactRecord,
    lines::{Line, Lines},
};

/// Why a file could not be read at all, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum BankError {
    /// The first line names other columns.
    #[error("the first line is {found:?}; it must name the 17 columns of a bank file: {}", COLUMNS.join(" "))]
    Header {
        /// The first line, its fields with spaces between; at most 200 characters.
        found: String,
    },
    /// The operating system's word.
    #[error("reading after line {line}: {source}")]
    Read {
        /// The last line that was read.
        line: u64,
        /// What came of it.
        source: std::io::Error,
    },
}

/// Reads a bank file row by row: an iterator of the kept rows' records. Broken rows are in the report, not in the
/// iterator; an error ends it.
pub struct BankReader<R> {
    lines: Lines<R>,
    zone: TimeZone,
    seen: FxHashMap<ContactId, Seen>,
    report: BankReport,
    failed: bool,
}

#[derive(Clone, Copy)]
struct Seen {
    line: u64,
    content: u64,
}

impl<R: BufRead> BankReader<R> {
    /// Begins to read `source`, whose times are local times of `zone`. The first line must name the columns.
    pub fn new(source: R, zone: TimeZone) -> Result<Self, BankError> {
        let mut lines = Lines::new(source);
        let header = lines.next_line().map_err(|source| BankError::Read { line: 0, source })?;
        let text = String::from_utf8_lossy(header.map_or(&b""[..], |header| header.bytes));
        // Some spreadsheets put a byte order mark before everything.
        let text = text.trim_start_matches('\u{feff}');
        if !text.split('\t').eq(COLUMNS) {
            return Err(BankError::Header { found: text.replace('\t', " ").chars().take(200).collect() });
        }
        let (seen, report) = (FxHashMap::default(), BankReport::default());
        Ok(Self { lines, zone, seen, report, failed: false })
    }

    /// What has been read so far; complete once the iterator has ended.
    pub fn report(&self) -> &BankReport {
        &self.report
    }

    /// The report alone.
    pub fn into_report(self) -> BankReport {
        self.report
    }
}

/// What rows are turned into records with.
struct Desk<'a> {
    zone: &'a TimeZone,
    seen: &'a mut FxHashMap<ContactId, Seen>,
    report: &'a mut BankReport,
}

impl Desk<'_> {
    /// The row's record, if it has one.
    fn take(&mut self, row: &Line<'_>) -> Result<Option<ContactRecord>, BrokenLine> {
        let line = row.number;
        let content = digest(row.bytes);
        let fields = Fields::new(row)?;
        let outcome = fields.outcome()?;
        if outcome == Outcome::Phantom {
            self.report.phantom += 1;
            return Ok(None);
        }
        let row = fields.row(outcome)?;
        let broken = |column, reason| BrokenLine { line, column: Some(column), reason };
        let Told { facts, odd } =
            facts(&row, self.zone).map_err(|_| broken("date", "lies beyond all calendars".to_owned()))?;
        match self.seen.entry(row.contact.clone()) {
            Entry::Occupied(seen) if seen.get().content == content => {
                self.report.repeated.push(RepeatedLine { line, first: seen.get().line });
                return Ok(None);
            }
            Entry::Occupied(seen) => {
                let first = seen.get().line;
                let reason =
                    format!("with this date and vru+line was on line {first} already, with other content");
                return Err(broken("call_id", reason));
            }
            Entry::Vacant(free) => free.insert(Seen { line, content }),
        };
        let report = &mut *self.report;
        report.kept += 1;
        report.caller_unknown += u64::from(row.caller.is_none());
        match outcome {
            Outcome::Agent => {
                report.answered += 1;
                report.agent_unknown += u64::from(row.server.is_none());
                report.agents.extend(row.server.clone());
            }
            Outcome::Hang | Outcome::Phantom => report.abandoned += 1,
        }
        for oddity in odd {
            report.odd.entry(oddity).or_default().push(line);
        }
        Ok(Some(ContactRecord { contact: row.contact, line, caller: row.caller, facts }))
    }
}

impl<R: BufRead> Iterator for BankReader<R> {
    type Item = Result<ContactRecord, BankError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.failed {
            let last = self.lines.number();
            let row = match self.lines.next_line() {
                Ok(row) => row?,
                Err(source) => {
                    self.failed = true;
                    return Some(Err(BankError::Read { line: last, source }));
                }
            };
            self.report.read += 1;
            let mut desk = Desk { zone: &self.zone, seen: &mut self.seen, report: &mut self.report };
            match desk.take(&row) {
                Ok(Some(record)) => return Some(Ok(record)),
                Ok(None) => {}
                Err(broken) => self.report.broken.push(broken),
            }
        }
        None
    }
}

fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}
