//! Lines of a file with their numbers, whatever their ends and their bytes.
//!
//! Invariant: no line takes more than [`LINE_BYTES_MAX`] bytes of memory.

use std::io::{BufRead, Read, Result};

/// The longest line that is read; no format has longer ones.
pub(crate) const LINE_BYTES_MAX: usize = 64 * 1024;

/// One line that is not blank.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    /// Its number; 1 is the first of the file.
    pub(crate) number: u64,
    /// Its bytes, without its end.
    pub(crate) bytes: &'a [u8],
    /// It was over the limit: the rest of it is left out.
    pub(crate) cut: bool,
}

/// Lines of `source`, blank ones left out but counted.
pub(crate) struct Lines<R> {
    source: R,
    buffer: Vec<u8>,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, buffer: Vec::new(), number: 0 }
    }

    /// The number of the line read last; 0 before the first.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The next line that is not blank; none at the end.
    pub(crate) fn next_line(&mut self) -> Result<Option<Line<'_>>> {
        let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
        loop {
            self.buffer.clear();
            if self.source.by_ref().take(limit).read_until(b'\n', &mut self.buffer)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            let cut = self.buffer.len() == LINE_BYTES_MAX && !self.buffer.ends_with(b"\n");
            if cut {
                skip_line(&mut self.source)?;
            }
            while matches!(self.buffer.last(), Some(b'\n' | b'\r')) {
                self.buffer.pop();
            }
            if !self.buffer.is_empty() {
                return Ok(Some(Line { number: self.number, bytes: &self.buffer, cut }));
            }
        }
    }
}

/// Reads on to the end of the line and keeps nothing of it.
fn skip_line(source: &mut impl BufRead) -> Result<()> {
    loop {
        let read = source.fill_buf()?;
        if read.is_empty() {
            return Ok(());
        }
        let end = read.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(read.len(), |end| end + 1);
        source.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_numbers_whatever_their_ends() {
        let long = "x".repeat(LINE_BYTES_MAX + 10);
        let text = format!("a\r\n\n\nb\n{long}\nc");
        // A small buffer, so that the long line is skipped piece by piece.
        let mut lines = Lines::new(std::io::BufReader::with_capacity(7, text.as_bytes()));
        let mut told = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            told.push((line.number, line.bytes.len(), line.cut));
        }
        assert_eq!(told, [(1, 1, false), (4, 1, false), (5, LINE_BYTES_MAX, true), (6, 1, false)]);
    }
}
