//! Differences of amounts between two instants, each kind of figure summed up.
//!
//! Invariant: what comes and goes again within one step leaves nothing.

use pegcount_domain::time::{Interval, Micros};
use rustc_hash::FxHashMap;

use crate::{
    agent::standing::{Standing, State},
    cells::{Attribution, Contribution, Dims},
    contact::fold::Crossing,
    measure::Measure,
};

/// Where an amount belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Cell {
    pub(crate) measure: Measure,
    pub(crate) attribution: Attribution,
    pub(crate) interval: Interval,
    pub(crate) dims: Dims,
}

/// An amount over time: `at_base` at the base instant, and `rate` more with each microsecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) at_base: i64,
    pub(crate) rate: i64,
}

/// What takes amounts in.
pub(crate) trait Sink {
    /// Adds a line to a cell.
    fn cell(&mut self, cell: Cell, line: Line);
    /// A visit waited across the end of an interval, or (-1) did not after all.
    fn crossing(&mut self, crossing: &Crossing, sign: i64);
    /// A visit waits, or (-1) does not any more.
    fn waiting(&mut self, dims: &Dims, entered: Micros, sign: i64);
    /// An agent was signed in at the end of an interval, or (-1) was not after all.
    fn standing(&mut self, standing: &Standing, sign: i64);
    /// An agent is signed in, or (-1) is not any more.
    fn signed_in(&mut self, dims: &Dims, state: State, sign: i64);
}

/// Adds a contribution.
pub(crate) fn put(sink: &mut impl Sink, contribution: &Contribution, sign: i64) {
    let Contribution { measure, attribution, interval, dims, amount } = *contribution;
    let line = Line { at_base: amount * sign, rate: 0 };
    sink.cell(Cell { measure, attribution, interval, dims }, line);
}

/// What has changed in one step.
#[derive(Debug, Default)]
pub struct Deltas {
    pub(crate) cells: FxHashMap<Cell, Line>,
    pub(crate) crossings: FxHashMap<(Interval, Dims, Micros), i64>,
    pub(crate) waiting: FxHashMap<(Dims, Micros), i64>,
    pub(crate) standings: FxHashMap<Standing, i64>,
    pub(crate) signed_in: FxHashMap<(Dims, State), i64>,
    /// The tables must be filled anew: differences are not known, and none is taken in.
    pub(crate) everything: bool,
}

impl Deltas {
    /// For a step whose differences nobody wants to know.
    pub(crate) fn unknown() -> Self {
        Self { everything: true, ..Self::default() }
    }

    /// What is left of it.
    pub(crate) fn settled(mut self) -> Self {
        self.cells.retain(|_, line| *line != Line::default());
        self.crossings.retain(|_, count| *count != 0);
        self.waiting.retain(|_, count| *count != 0);
        self.standings.retain(|_, count| *count != 0);
        self.signed_in.retain(|_, count| *count != 0);
        self
    }
}

impl Sink for Deltas {
    #[inline]
    fn cell(&mut self, cell: Cell, line: Line) {
        if self.everything {
            return;
        }
        let known = self.cells.entry(cell).or_default();
        known.at_base += line.at_base;
        known.rate += line.rate;
    }

    fn crossing(&mut self, crossing: &Crossing, sign: i64) {
        if self.everything {
            return;
        }
        *self.crossings.entry((crossing.interval, crossing.dims, crossing.entered)).or_default() += sign;
    }

    fn waiting(&mut self, dims: &Dims, entered: Micros, sign: i64) {
        if self.everything {
            return;
        }
        *self.waiting.entry((*dims, entered)).or_default() += sign;
    }

    fn standing(&mut self, standing: &Standing, sign: i64) {
        if self.everything {
            return;
        }
        *self.standings.entry(*standing).or_default() += sign;
    }

    fn signed_in(&mut self, dims: &Dims, state: State, sign: i64) {
        if self.everything {
            return;
        }
        *self.signed_in.entry((*dims, state)).or_default() += sign;
    }
}
