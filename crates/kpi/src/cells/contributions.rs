//! What a fold gives: contributions, summed up by the row of cells that they go to.
//!
//! A fold of one call says some fifty amounts, but they go to a dozen rows; so each row is found once. Only while a figure is
//! being explained are they kept one by one. Invariant: the sums are those of the contributions given since [`clear`].
//!
//! [`clear`]: Contributions::clear

use pegcount_domain::time::{Interval, Micros, Span};

use super::{
    Attribution, Contribution, Dims,
    places::{BACKLOG_TABLE, WIDTH_MAX, column, place_of},
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
    /// A bit for each amount that counts; the others are left over from other rows.
    said: u32,
    amounts: [i64; WIDTH_MAX],
}

const _: () = assert!(WIDTH_MAX <= 32, "every amount of a row has a bit");

impl RowSum {
    const NOTHING: Self =
        Self { dims: Dims::NONE, interval: Interval(0), table: 0, said: 0, amounts: [0; WIDTH_MAX] };

    #[inline]
    fn add(&mut self, slot: u8, amount: i64) {
        let Some(sum) = self.amounts.get_mut(usize::from(slot)) else { return };
        let bit = 1 << slot;
        *sum = if self.said & bit == 0 { amount } else { *sum + amount };
        self.said |= bit;
    }

    pub(super) fn table(&self) -> u8 {
        self.table
    }

    pub(crate) fn dims(&self) -> &Dims {
        &self.dims
    }

    /// Whether it says what comes into the backlog and leaves it.
    pub(crate) fn is_of_backlog(&self) -> bool {
        self.table == BACKLOG_TABLE
    }

    /// The amounts that count, with their places in the row.
    #[inline]
    pub(super) fn amounts(&self) -> impl Iterator<Item = (usize, i64)> {
        let mut left = self.said;
        std::iter::from_fn(move || {
            let slot = usize::try_from(left.trailing_zeros()).ok()?;
            // None when no bit is left: no row is so wide.
            let amount = *self.amounts.get(slot)?;
            left &= left - 1;
            Some((slot, amount))
        })
    }

    pub(crate) fn interval(&self) -> Interval {
        self.interval
    }

    /// The amounts that are not 0.
    pub(crate) fn contributions(&self) -> impl Iterator<Item = Contribution> {
        let (interval, dims) = (self.interval, self.dims);
        self.amounts().filter(|(_, amount)| *amount != 0).filter_map(move |(slot, amount)| {
            let (measure, attribution) = column(self.table, slot)?;
            Some(Contribution { measure, attribution, interval, dims, amount })
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
    /// The first `rows` count; the others are memory for further ones.
    sums: Vec<RowSum>,
    rows: usize,
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
        self.begin = self.rows;
    }

    /// How many rows there are, to go back to.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Forgets the rows after the first `length`, all of which are of other folds; keeps the memory.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.rows = self.rows.min(length);
        self.begin();
    }

    /// The sums, row by row; several may be of the same row.
    pub(crate) fn sums(&self) -> &[RowSum] {
        self.sums.get(..self.rows).unwrap_or_default()
    }

    /// The sums, amount by amount.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Contribution> {
        self.sums().iter().flat_map(RowSum::contributions)
    }

    /// Says where the next ones come from.
    #[inline]
    pub(crate) fn source(&mut self, part: Part, from: Micros, to: Micros) {
        if let Some(trace) = &mut self.trace {
            trace.now = Source { from, to, part };
        }
    }

    /// Amounts of one row; those that are 0 add nothing.
    #[inline]
    pub(crate) fn all_in(
        &mut self,
        interval: Interval,
        attribution: Attribution,
        dims: &Dims,
        amounts: impl IntoIterator<Item = (Measure, i64)>,
    ) {
        let mut row: Option<(u8, usize)> = None;
        for (measure, amount) in amounts.into_iter().filter(|(_, amount)| *amount != 0) {
            if let Some(trace) = &mut self.trace {
                let contribution = Contribution { measure, attribution, interval, dims: *dims, amount };
                trace.list.push((contribution, trace.now));
            }
            let (table, slot) = place_of(measure, attribution);
            let place = match row {
                Some((known, place)) if known == table => place,
                _ => self.row(table, interval, dims),
            };
            row = Some((table, place));
            if let Some(sum) = self.sums.get_mut(place) {
                sum.add(slot, amount);
            }
        }
    }

    /// The place of a row's sum, which may be new.
    fn row(&mut self, table: u8, interval: Interval, dims: &Dims) -> usize {
        let first = self.begin.max(self.rows.saturating_sub(LOOK_BACK));
        let near = self.sums.get(first..self.rows).unwrap_or_default();
        let is_it = |sum: &RowSum| sum.table == table && sum.interval == interval && sum.dims == *dims;
        if let Some(place) = near.iter().rposition(is_it) {
            return first + place;
        }
        let place = self.rows;
        if self.sums.len() == place {
            self.sums.push(RowSum::NOTHING);
        }
        if let Some(sum) = self.sums.get_mut(place) {
            (sum.dims, sum.interval, sum.table, sum.said) = (*dims, interval, table, 0);
        }
        self.rows += 1;
        place
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
        self.all_at(at, attribution, &dims, [(measure, amount)]);
    }

    /// Several things at `at`, under an attribution.
    #[inline]
    pub(crate) fn all_at(
        &mut self,
        at: Micros,
        attribution: Attribution,
        dims: &Dims,
        amounts: impl IntoIterator<Item = (Measure, i64)>,
    ) {
        if self.keeps(at) {
            self.all_in(Interval::containing(at), attribution, dims, amounts);
        }
    }
}
