//! What a fold gives: contributions, summed up by the row of cells that they go to.
//!
//! A fold of one call says some fifty amounts, but they go to a dozen rows; so each row is found once. Only while a figure is
//! being explained are they kept one by one. Invariant: the sums are those of the contributions pushed since [`clear`].
//!
//! [`clear`]: Contributions::clear

use pegcount_domain::time::{Interval, Micros, Span};

use super::{
    Attribution, Contribution, Dims,
    places::{WIDTH_MAX, columns, place_of},
};
use crate::{
    fact::{Mark, Slot},
    measure::Measure,
};

/// How many rows back a further amount of the same row is looked for; what is further back is summed by the cells.
const LOOK_BACK: usize = 4;

/// What of a unit a contribution comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    /// What the facts at its two ends say.
    #[default]
    Between,
    /// One leg.
    Leg(Mark),
    /// One queue visit, with the leg that answered it.
    Visit(Mark),
    /// A contact as a whole.
    Contact(Slot),
    /// A ticket as a whole, with its contact.
    Ticket(Slot),
    /// A local day or month as a whole.
    Day,
}

/// Where a contribution comes from, for explaining it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Source {
    pub(crate) from: Micros,
    /// The same instant for a count.
    pub(crate) to: Micros,
    pub(crate) part: Part,
}

/// The sum of contributions to one row of cells.
#[derive(Clone, Debug)]
pub(crate) struct RowSum {
    dims: Dims,
    interval: Interval,
    table: u8,
    amounts: [i64; WIDTH_MAX],
}

impl RowSum {
    pub(super) fn table(&self) -> u8 {
        self.table
    }

    pub(super) fn dims(&self) -> &Dims {
        &self.dims
    }

    pub(super) fn amounts(&self) -> &[i64] {
        &self.amounts
    }

    pub(crate) fn interval(&self) -> Interval {
        self.interval
    }

    /// The amounts that are not 0.
    pub(crate) fn contributions(&self) -> impl Iterator<Item = Contribution> {
        let (interval, dims) = (self.interval, self.dims);
        let amounts = columns(self.table).zip(&self.amounts).filter(|(_, amount)| **amount != 0);
        amounts.map(move |((measure, attribution), amount)| Contribution {
            measure,
            attribution,
            interval,
            dims,
            amount: *amount,
        })
    }
}

/// Contributions one by one with their sources, in their order.
#[derive(Debug, Default)]
struct Trace {
    now: Source,
    list: Vec<(Contribution, Source)>,
    maturing: Vec<Source>,
}

/// Contributions of one fold of one unit, with what else the fold found.
#[derive(Debug, Default)]
pub(crate) struct Contributions {
    sums: Vec<RowSum>,
    /// Rows before this place are of other folds, which may be kept while this one is taken back.
    begin: usize,
    /// Contributions that take effect only at an instant, even with no event then.
    pub(crate) maturing: Vec<(Micros, Contribution)>,
    /// Only what counts in here is kept; none: all.
    window: Option<Span>,
    /// Only while a figure is being explained.
    trace: Option<Box<Trace>>,
}

impl Contributions {
    /// Keeps only what counts in `window`, and remembers where each one comes from.
    pub(crate) fn traced(window: Span) -> Self {
        Self { trace: Some(Box::default()), window: Some(window), ..Self::default() }
    }

    /// Keeps only what counts before an instant.
    pub(crate) fn before(instant: Micros) -> Self {
        Self { window: Some(Span::new(Micros(i64::MIN), instant)), ..Self::default() }
    }

    /// Whether what counts at an instant is kept.
    #[inline]
    pub(crate) fn keeps(&self, at: Micros) -> bool {
        self.window.is_none_or(|window| window.start <= at && at < window.end)
    }

    /// Forgets everything, keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.truncate(0);
        self.maturing.clear();
        if let Some(trace) = &mut self.trace {
            **trace = Trace::default();
        }
    }

    /// What comes next is of another fold.
    pub(crate) fn begin(&mut self) {
        self.begin = self.sums.len();
    }

    /// How many rows there are, to go back to.
    pub(crate) fn len(&self) -> usize {
        self.sums.len()
    }

    /// Forgets the rows after the first `length`, all of which are of other folds; keeps the memory.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.sums.truncate(length);
        self.begin();
    }

    /// The sums, row by row; several may be of the same row.
    pub(crate) fn sums(&self) -> &[RowSum] {
        &self.sums
    }

    /// The sums, amount by amount.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Contribution> {
        self.sums.iter().flat_map(RowSum::contributions)
    }

    /// Says where the next ones come from.
    #[inline]
    pub(crate) fn source(&mut self, part: Part, from: Micros, to: Micros) {
        if let Some(trace) = &mut self.trace {
            trace.now = Source { from, to, part };
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, contribution: Contribution) {
        if let Some(trace) = &mut self.trace {
            trace.list.push((contribution, trace.now));
        }
        let Contribution { measure, attribution, interval, dims, amount } = contribution;
        let (table, slot) = place_of(measure, attribution);
        let own = self.sums.get_mut(self.begin..).unwrap_or_default();
        let is_it = |sum: &&mut RowSum| sum.interval == interval && sum.table == table && sum.dims == dims;
        if let Some(known) = own.iter_mut().rev().take(LOOK_BACK).find(is_it) {
            if let Some(sum) = known.amounts.get_mut(usize::from(slot)) {
                *sum += amount;
            }
            return;
        }
        let mut sum = RowSum { dims, interval, table, amounts: [0; WIDTH_MAX] };
        if let Some(first) = sum.amounts.get_mut(usize::from(slot)) {
            *first = amount;
        }
        self.sums.push(sum);
    }

    /// One thing that is so only from `due` on.
    pub(crate) fn push_maturing(&mut self, due: Micros, contribution: Contribution) {
        if let Some(trace) = &mut self.trace {
            trace.maturing.push(trace.now);
        }
        self.maturing.push((due, contribution));
    }

    /// All that are so at `as_of`, each with its source, if they were traced.
    pub(crate) fn explained(&self, as_of: Micros) -> impl Iterator<Item = (&Contribution, Source)> {
        let trace = self.trace.as_deref().into_iter();
        trace.flat_map(move |trace| {
            let maturing =
                self.maturing.iter().zip(&trace.maturing).filter(move |((due, _), _)| *due <= as_of);
            let matured = maturing.map(|((_, contribution), source)| (contribution, *source));
            trace.list.iter().map(|(contribution, source)| (contribution, *source)).chain(matured)
        })
    }

    /// One thing at `at`, under an attribution.
    #[inline]
    pub(crate) fn at(
        &mut self,
        at: Micros,
        attribution: Attribution,
        dims: Dims,
        measure: Measure,
        amount: i64,
    ) {
        if amount != 0 && self.keeps(at) {
            let interval = Interval::containing(at);
            self.push(Contribution { measure, attribution, interval, dims, amount });
        }
    }
}
