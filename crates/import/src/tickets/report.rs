//! What a reader of tickets read, kept, left out and found odd.
//!
//! Invariant: once all is read, `read = kept + repeated + left_out + broken`.

/// A row that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenRow {
    /// The line on which it begins; 1 is the first.
    pub line: u64,
    /// Its column; none: the row as a whole.
    pub column: Option<String>,
    /// What is wrong with it, and what it should be.
    pub reason: String,
}

/// So many broken rows are told of; more are only counted.
pub const BROKEN_TOLD_MAX: usize = 10_000;

/// What a reader read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketsReport {
    /// Rows read, the header left out.
    pub read: u64,
    /// Rows that are in a record.
    pub kept: u64,
    /// Rows that say again, in every column that counts, what another one says.
    pub repeated: u64,
    /// Rows that the map leaves out.
    pub left_out: u64,
    /// Rows that could not be read.
    pub broken: u64,
    /// The first [`BROKEN_TOLD_MAX`] of them.
    pub broken_rows: Vec<BrokenRow>,
    /// Tickets.
    pub tickets: u64,
    /// What happened to them, in events.
    pub events: u64,
    /// Tickets whose first row is no opening: one was put before it.
    pub opening_added: u64,
    /// Rows that open a ticket anew, which happens once; of them only what their columns say is kept.
    pub opened_again: u64,
    /// Rows were put aside in a temporary file, because memory was not to hold them all.
    pub put_aside: bool,
}

impl TicketsReport {
    pub(super) fn broken(&mut self, row: BrokenRow) {
        self.broken += 1;
        if self.broken_rows.len() < BROKEN_TOLD_MAX {
            self.broken_rows.push(row);
        }
    }
}
