//! A file in, records out, one ticket at a time.
//!
//! All rows are read and brought together first; a ticket is told whole, wherever its rows stand. Up to [`MEMORY_BYTES`] of rows lie in
//! memory, of more the rest in temporary files.
//!
//! Invariant: every row read is counted exactly once: kept, repeated, left out or broken.

use std::{
    cell::Cell,
    io::{self, Read},
    rc::Rc,
};

use csv::{ByteRecord, ReaderBuilder};
use pegcount_domain::ticketing::TicketRecord;

use super::{
    history,
    map::TicketMap,
    report::{BrokenRow, TicketsReport},
    row::Plan,
    sort::{SortRow, Sorted, Sorter},
};

/// Rows that lie in memory at once, bytes.
pub const MEMORY_BYTES: usize = 256 * 1024 * 1024;
/// The longest row, bytes: more is a quotation mark that nobody closed.
pub const ROW_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The most rows of one ticket.
pub const TICKET_ROWS_MAX: usize = 10_000;

/// Why a file could not be read at all, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum TicketsError {
    /// The map names a column that is not there, or is there twice.
    #[error("the first row {reason}")]
    Header {
        /// What is wrong.
        reason: String,
    },
    /// A row that does not end.
    #[error(
        "the row that begins on line {line} is longer than the limit of {ROW_BYTES_MAX} bytes: a quotation mark is not closed"
    )]
    Endless {
        /// Its line.
        line: u64,
    },
    /// The operating system's word, on the file or on a temporary one.
    #[error("reading after line {line}: {source}")]
    Read {
        /// The last line that was read.
        line: u64,
        /// What came of it.
        source: io::Error,
    },
}

/// Lets no row be longer than [`ROW_BYTES_MAX`].
struct Guard<R> {
    source: R,
    since: Rc<Cell<u64>>,
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since.get() > ROW_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let read = self.source.read(buffer)?;
        self.since.set(self.since.get() + u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

/// A file that was read: an iterator of its tickets' records, in the order of their ids. What is broken is in the report.
pub struct TicketReader<'a> {
    map: &'a TicketMap,
    plan: Plan<'a>,
    rows: Sorted,
    next: Option<SortRow>,
    report: TicketsReport,
}

impl<'a> TicketReader<'a> {
    /// Reads all of `source` by `map`.
    pub fn read(source: impl Read, map: &'a TicketMap) -> Result<Self, TicketsError> {
        Self::read_with(source, map, MEMORY_BYTES)
    }

    /// As [`TicketReader::read`], with room for so many bytes of rows.
    pub fn read_with(source: impl Read, map: &'a TicketMap, memory: usize) -> Result<Self, TicketsError> {
        let since = Rc::new(Cell::new(0));
        let guard = Guard { source, since: Rc::clone(&since) };
        let mut reader = ReaderBuilder::new()
            .delimiter(map.delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(guard);
        let (mut row, mut packed, mut report) = (ByteRecord::new(), Vec::new(), TicketsReport::default());
        let mut read = |row: &mut ByteRecord| {
            let line = reader.position().line();
            let more = reader.read_byte_record(row).map_err(|error| failed(error, line))?;
            since.set(0);
            Ok(more.then(|| row.position().map_or(line, csv::Position::line)))
        };
        let header = read(&mut row)?;
        let plan = Plan::new(map, &row).map_err(|reason| TicketsError::Header { reason })?;
        let mut sorter = Sorter::new(memory);
        let mut line = header.unwrap_or(0);
        while let Some(at) = read(&mut row)? {
            line = at;
            report.read += 1;
            match plan.check(&row, &mut packed) {
                Ok(Some(checked)) => sorter
                    .push((checked.ticket.as_bytes(), checked.at, checked.rank, &packed), line)
                    .map_err(|source| TicketsError::Read { line, source })?,
                Ok(None) => report.left_out += 1,
                Err((column, reason)) => report.broken(BrokenRow { line, column, reason }),
            }
        }
        let (mut rows, put_aside) = sorter.finish().map_err(|source| TicketsError::Read { line, source })?;
        report.put_aside = put_aside;
        let next = rows.next_row().map_err(|source| TicketsError::Read { line, source })?;
        Ok(Self { map, plan, rows, next, report })
    }

    /// What has been read so far; complete once the iterator has ended.
    pub fn report(&self) -> &TicketsReport {
        &self.report
    }

    /// The report alone.
    pub fn into_report(self) -> TicketsReport {
        self.report
    }

    /// The rows of the next ticket, each once.
    fn next_rows(&mut self) -> io::Result<Vec<SortRow>> {
        let mut rows: Vec<SortRow> = Vec::new();
        while let Some(row) = self.next.take() {
            if rows.first().is_some_and(|first| first.ticket != row.ticket) {
                self.next = Some(row);
                break;
            }
            self.next = self.rows.next_row()?;
            if rows.last().is_some_and(|last| last.says_as(&row)) {
                self.report.repeated += 1;
            } else if rows.len() >= TICKET_ROWS_MAX {
                let reason =
                    format!("is the ticket's {}th row; the limit is {TICKET_ROWS_MAX}", rows.len() + 1);
                self.report.broken(BrokenRow { line: row.line, column: None, reason });
            } else {
                self.report.kept += 1;
                rows.push(row);
            }
        }
        Ok(rows)
    }
}

impl Iterator for TicketReader<'_> {
    type Item = Result<TicketRecord, TicketsError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = match self.next_rows() {
            Ok(rows) => rows,
            Err(source) => return Some(Err(TicketsError::Read { line: 0, source })),
        };
        history::record(self.map, &self.plan, &rows, &mut self.report).map(Ok)
    }
}

fn failed(error: csv::Error, line: u64) -> TicketsError {
    match error.into_kind() {
        csv::ErrorKind::Io(source) if source.kind() == io::ErrorKind::FileTooLarge => {
            TicketsError::Endless { line }
        }
        csv::ErrorKind::Io(source) => TicketsError::Read { line, source },
        other => TicketsError::Read { line, source: io::Error::other(format!("{other:?}")) },
    }
}
