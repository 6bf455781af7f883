//! What a reader read, kept, left out and found odd.
//!
//! Invariant: `read = kept + phantom + repeated + broken`, and `kept = answered + abandoned`.

use std::collections::{BTreeMap, BTreeSet};

use pegcount_domain::ids::AgentId;

/// Something odd about a row that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Oddity {
    /// HANG with service time: no leg is made.
    HangWithService,
    /// `vru_time` is negative.
    NegativeMenuTime,
    /// AGENT with service from 0:00:00 to 0:00:00: a leg of length 0 at the queue's exit.
    AnsweredWithoutService,
    /// A duration that is not the difference of its two times; `q_time` is believed for the wait, the two times for the
    /// leg.
    DurationDiffers,
    /// A local time that exists twice, or not at all, because clocks were changed; the earlier one, or the one as far
    /// after the change, is taken.
    AmbiguousTime,
}

impl Oddity {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::HangWithService,
        Self::NegativeMenuTime,
        Self::AnsweredWithoutService,
        Self::DurationDiffers,
        Self::AmbiguousTime,
    ];

    /// Its name in a report.
    pub const fn word(self) -> &'static str {
        match self {
            Self::HangWithService => "HANG with service time",
            Self::NegativeMenuTime => "negative vru_time",
            Self::AnsweredWithoutService => "AGENT with service 0:00:00-0:00:00",
            Self::DurationDiffers => "duration differs from its times",
            Self::AmbiguousTime => "local time twice or never there",
        }
    }
}

/// A row that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenLine {
    /// Its line; 1 is the first.
    pub line: u64,
    /// Its column; none: the row as a whole.
    pub column: Option<&'static str>,
    /// What is wrong with it, and what it should be.
    pub reason: String,
}

/// A row that says again what an earlier one said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepeatedLine {
    /// Its line; 1 is the first.
    pub line: u64,
    /// The line that it repeats.
    pub first: u64,
}

/// What a reader read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BankReport {
    /// Rows read, the header left out.
    pub read: u64,
    /// Rows that became records.
    pub kept: u64,
    /// Rows left out as PHANTOM.
    pub phantom: u64,
    /// Of the kept: answered.
    pub answered: u64,
    /// Of the kept: abandoned.
    pub abandoned: u64,
    /// Of the answered: by `NO_SERVER`, that is by nobody known.
    pub agent_unknown: u64,
    /// Of the kept: no customer identified.
    pub caller_unknown: u64,
    /// The agents named by answered rows.
    pub agents: BTreeSet<AgentId>,
    /// Odd rows that were kept: their lines by kind, in order.
    pub odd: BTreeMap<Oddity, Vec<u64>>,
    /// Rows that repeat an earlier one word for word.
    pub repeated: Vec<RepeatedLine>,
    /// Rows that could not be read.
    pub broken: Vec<BrokenLine>,
}

impl BankReport {
    /// How many kept rows have this oddity.
    pub fn odd_count(&self, oddity: Oddity) -> usize {
        self.odd.get(&oddity).map_or(0, Vec::len)
    }
}
