//! Rows brought together by ticket, however many there are and in whatever order they come.
//!
//! Rows lie in one piece of memory until it is full; then they are sorted and put aside in a temporary file without a name, and at the end
//! the files are merged. Invariant: no more than the given bytes lie in memory, but for one row of each file.

use std::{
    cmp::Ordering,
    collections::BinaryHeap,
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, Write},
};

/// Bytes that a row takes beside its text.
const ROW_BYTES: usize = size_of::<Head>();

/// Where a row lies, and by what it is sorted.
#[derive(Clone, Copy, Debug)]
struct Head {
    /// How the ticket's id begins: of most rows all that has to be looked at.
    begins: u128,
    start: usize,
    ticket_end: usize,
    end: usize,
    at: i64,
    rank: u32,
    line: u64,
}

/// A row on its way through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SortRow {
    pub(super) ticket: Vec<u8>,
    /// Microseconds UTC.
    pub(super) at: i64,
    /// Its place among those of one instant.
    pub(super) rank: u32,
    /// What else it says.
    pub(super) rest: Vec<u8>,
    /// The line that it begins on; of rows that say the same any.
    pub(super) line: u64,
}

impl SortRow {
    fn key(&self) -> (&[u8], i64, u32, &[u8]) {
        (&self.ticket, self.at, self.rank, &self.rest)
    }

    /// Whether it says the same.
    pub(super) fn says_as(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

/// Takes rows in.
pub(super) struct Sorter {
    bytes_max: usize,
    bytes: Vec<u8>,
    heads: Vec<Head>,
    runs: Vec<File>,
}

impl Sorter {
    /// One that holds at most so many bytes in memory.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, bytes: Vec::new(), heads: Vec::new(), runs: Vec::new() }
    }

    pub(super) fn push(&mut self, row: (&[u8], i64, u32, &[u8]), line: u64) -> io::Result<()> {
        let (ticket, at, rank, rest) = row;
        let used = self.bytes.len() + self.heads.len() * ROW_BYTES;
        if used + ticket.len() + rest.len() + ROW_BYTES > self.bytes_max && !self.heads.is_empty() {
            self.put_aside()?;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(ticket);
        let ticket_end = self.bytes.len();
        self.bytes.extend_from_slice(rest);
        self.heads.push(Head {
            begins: begins(ticket),
            start,
            ticket_end,
            end: self.bytes.len(),
            at,
            rank,
            line,
        });
        Ok(())
    }

    fn sort(&mut self) {
        let bytes = &self.bytes;
        let text = |from: usize, to: usize| bytes.get(from..to).unwrap_or_default();
        self.heads.sort_unstable_by(|a, b| {
            let ticket = |head: &Head| text(head.start, head.ticket_end);
            let rest = |head: &Head| text(head.ticket_end, head.end);
            (a.begins.cmp(&b.begins))
                .then_with(|| ticket(a).cmp(ticket(b)))
                .then_with(|| (a.at, a.rank).cmp(&(b.at, b.rank)))
                .then_with(|| rest(a).cmp(rest(b)))
                .then_with(|| a.line.cmp(&b.line))
        });
    }

    fn row(&self, head: Head) -> SortRow {
        let text = |from: usize, to: usize| self.bytes.get(from..to).unwrap_or_default().to_vec();
        let (ticket, rest) = (text(head.start, head.ticket_end), text(head.ticket_end, head.end));
        SortRow { ticket, at: head.at, rank: head.rank, rest, line: head.line }
    }

    /// Writes what lies in memory, sorted, to a file that goes with the program.
    fn put_aside(&mut self) -> io::Result<()> {
        self.sort();
        let mut to = BufWriter::with_capacity(1 << 20, tempfile::tempfile()?);
        for head in std::mem::take(&mut self.heads) {
            write_row(&mut to, &self.row(head))?;
        }
        self.bytes.clear();
        let mut file = to.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.runs.push(file);
        Ok(())
    }

    /// All rows, sorted, and whether some had been put aside.
    pub(super) fn finish(mut self) -> io::Result<(Sorted, bool)> {
        if self.runs.is_empty() {
            self.sort();
            return Ok((Sorted::Memory { sorter: self, next: 0 }, false));
        }
        if !self.heads.is_empty() {
            self.put_aside()?;
        }
        let mut heap = BinaryHeap::new();
        for file in self.runs {
            let mut file = BufReader::with_capacity(1 << 18, file);
            if let Some(row) = read_row(&mut file)? {
                heap.push(Run { row, file });
            }
        }
        Ok((Sorted::Runs(heap), true))
    }
}

/// The first 16 bytes as one number, so that ids are in the order of these, as far as they differ there.
fn begins(ticket: &[u8]) -> u128 {
    let mut first = [0; 16];
    for (place, byte) in first.iter_mut().zip(ticket) {
        *place = *byte;
    }
    u128::from_be_bytes(first)
}

/// Gives rows out, in order.
pub(super) enum Sorted {
    Memory { sorter: Sorter, next: usize },
    Runs(BinaryHeap<Run>),
}

/// A file of sorted rows, with the one that comes next.
pub(super) struct Run {
    row: SortRow,
    file: BufReader<File>,
}

impl PartialEq for Run {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Run {}

impl PartialOrd for Run {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Run {
    /// The heap gives its greatest: the one whose row comes first.
    fn cmp(&self, other: &Self) -> Ordering {
        other.row.key().cmp(&self.row.key()).then_with(|| other.row.line.cmp(&self.row.line))
    }
}

impl Sorted {
    pub(super) fn next_row(&mut self) -> io::Result<Option<SortRow>> {
        match self {
            Self::Memory { sorter, next } => {
                let row = sorter.heads.get(*next).map(|head| sorter.row(*head));
                *next += 1;
                Ok(row)
            }
            Self::Runs(heap) => {
                let Some(Run { row, mut file }) = heap.pop() else { return Ok(None) };
                if let Some(next) = read_row(&mut file)? {
                    heap.push(Run { row: next, file });
                }
                Ok(Some(row))
            }
        }
    }
}

fn write_row(to: &mut impl Write, row: &SortRow) -> io::Result<()> {
    to.write_all(&row.at.to_le_bytes())?;
    to.write_all(&row.line.to_le_bytes())?;
    to.write_all(&row.rank.to_le_bytes())?;
    for text in [&row.ticket, &row.rest] {
        let length = u32::try_from(text.len()).map_err(io::Error::other)?;
        to.write_all(&length.to_le_bytes())?;
        to.write_all(text)?;
    }
    Ok(())
}

fn read_row(from: &mut impl Read) -> io::Result<Option<SortRow>> {
    let mut at = [0; 8];
    match from.read_exact(&mut at) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let (mut line, mut rank) = ([0; 8], [0; 4]);
    from.read_exact(&mut line)?;
    from.read_exact(&mut rank)?;
    let mut text = || {
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        let mut text = vec![0; usize::try_from(u32::from_le_bytes(length)).map_err(io::Error::other)?];
        from.read_exact(&mut text)?;
        io::Result::Ok(text)
    };
    let (ticket, rest) = (text()?, text()?);
    let (at, line, rank) = (i64::from_le_bytes(at), u64::from_le_bytes(line), u32::from_le_bytes(rank));
    Ok(Some(SortRow { ticket, at, rank, rest, line }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Given = (String, i64, u32, String);

    fn sorted(rows: &[Given], bytes_max: usize) -> (Vec<Given>, bool) {
        let mut sorter = Sorter::new(bytes_max);
        for (line, (ticket, at, rank, rest)) in (2..).zip(rows) {
            sorter.push((ticket.as_bytes(), *at, *rank, rest.as_bytes()), line).unwrap();
        }
        let (mut all, put_aside) = sorter.finish().unwrap();
        let mut found = Vec::new();
        while let Some(row) = all.next_row().unwrap() {
            let text = |bytes| String::from_utf8(bytes).unwrap();
            found.push((text(row.ticket), row.at, row.rank, text(row.rest)));
        }
        (found, put_aside)
    }

    proptest! {
        #[test]
        fn rows_come_out_in_order_and_all_of_them_however_little_memory_there_is(
            mut rows in prop::collection::vec(("[a-c]{1,2}", 0..4_i64, 0..3_u32, "[x-z]{0,3}"), 0..60),
            bytes_max in 1..400_usize,
        ) {
            let (found, put_aside) = sorted(&rows, bytes_max);
            rows.sort();
            prop_assert_eq!(&found, &rows);
            let bytes: usize = rows.iter().map(|row| row.0.len() + row.3.len() + ROW_BYTES).sum();
            prop_assert_eq!(put_aside, bytes > bytes_max && rows.len() > 1);
        }
    }
}
