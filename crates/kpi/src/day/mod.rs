//! Agent-days and agent-months (KPIS.md §3): what a local day of an agent came to, and how it is judged.
//!
//! - [`calendar`]: local days and months by the site's zone; [`ledger`]: sums and absences of one agent, day by day
//! - [`judge`]: a day against the allowances and the efficiency target; [`words`]: that, for people
//!
//! A fold of an agent tells its signed-in time in pieces ([`Piece`]); they go into the ledger as they go into the cells, and
//! leave it as they leave those. A day stands in the books once it has ended. Invariant: a ledger is the sum of the pieces put
//! in less those taken out, so a day's judgement is a function of the facts and the reference data alone.

pub(crate) mod calendar;
pub(crate) mod judge;
pub(crate) mod ledger;
pub(crate) mod words;

use pegcount_domain::time::{Micros, Span};

use crate::cells::Detail;

/// What a piece of an agent's history is, as far as days are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A span of the agent clock that counts as available: occupied, ringing, dialing or ready.
    Available,
    /// A span with the connection lost.
    Lost,
    /// A span away.
    Away(Detail),
    /// Signed in.
    SignIn,
    /// Went away.
    WentAway(Detail),
    /// A handle of a contact that came in was complete.
    Inbound,
}

/// A span of the clock, or an instant (`from` and `to` are equal).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) from: Micros,
    pub(crate) to: Micros,
    pub(crate) what: What,
}

impl Piece {
    /// One thing at an instant.
    pub(crate) fn at(at: Micros, what: What) -> Self {
        Self { from: at, to: at, what }
    }

    /// Whether any of it lies in a span.
    pub(crate) fn touches(&self, span: Span) -> bool {
        self.from < span.end && (span.start < self.to || self.from == self.to && span.start == self.from)
    }
}

/// The pieces of folds, in the order of their emission.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    pub(crate) list: Vec<Piece>,
    /// Pieces before this place are of other folds.
    begin: usize,
}

impl Pieces {
    /// What comes next is of another fold.
    pub(crate) fn begin(&mut self) {
        self.begin = self.list.len();
    }

    /// Forgets everything after the first `length`; keeps the memory.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.list.truncate(length);
        self.begin();
    }

    /// Adds a span; what goes on in the same way lengthens the last one.
    #[inline]
    pub(crate) fn span(&mut self, from: Micros, to: Micros, what: What) {
        if self.list.len() > self.begin
            && let Some(last) = self.list.last_mut()
            && last.what == What::Available
            && what == What::Available
            && last.to == from
        {
            last.to = to;
        } else if from < to {
            self.list.push(Piece { from, to, what });
        }
    }

    /// Adds an instant.
    #[inline]
    pub(crate) fn at(&mut self, at: Micros, what: What) {
        self.list.push(Piece::at(at, what));
    }
}
