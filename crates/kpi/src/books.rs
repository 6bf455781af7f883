//! Everything of one site that is closed: cells, visits across interval ends, what matures, marks.
//!
//! Invariant: the books are the sum of what settled units have put there; taking out what a unit put in leaves no
//! trace.

use std::collections::BTreeMap;

use pegcount_domain::{
    envelope::Position,
    time::{Interval, Micros},
};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::{
    agent::standing::Standing,
    anomaly::{Anomaly, Marks},
    cells::{Attribution, Cells, Contribution, Contributions, Dims, RowSum},
    contact::fold::Crossing,
    maturing::Maturing,
    measure::Sheet,
    site::changes::Feed,
    weight::{Weight, table, tree},
};

/// A change of fewer intervals is noted interval by interval.
const SPAN_INTERVALS_MIN: i32 = 8;

/// Intervals that one event changed.
#[derive(Debug)]
struct ChangedSpan {
    from: i32,
    to: i32,
    cause: Position,
}

/// The books of one site.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Books {
    #[serde(skip)]
    pub(crate) cells: Cells,
    crossings: BTreeMap<i32, Vec<Crossing>>,
    standings: BTreeMap<i32, Vec<Standing>>,
    /// By the instant at which each becomes so; the cells hold those up to `matured_to`, the last instant known of.
    maturing: Maturing,
    pub(crate) matured_to: Micros,
    /// No later than the next of them.
    next_due: Micros,
    /// The last instant at which a settled contact or a ticket changes a figure.
    pub(crate) last_effect: Micros,
    /// Tickets that are open in the end: what the cells of the backlog come to.
    pub(crate) backlog: FxHashMap<Dims, i64>,
    marks: Marks,
    /// The last position that changed anything in an interval, of the two that changed last not up to date: nearly every
    /// event changes one of these.
    #[serde(skip)]
    changed: FxHashMap<i32, Position>,
    #[serde(skip)]
    changed_last: [(i32, Position); 2],
    /// Each begins and ends after the one before it, and has a later cause.
    #[serde(skip)]
    changed_spans: Vec<ChangedSpan>,
    /// While a late fact is taken in: all changes of cells.
    #[serde(skip)]
    pub(crate) journal: Option<Vec<Contribution>>,
    /// While somebody keeps figures up to date: all changes.
    #[serde(skip)]
    pub(crate) feed: Option<Box<Feed>>,
}

impl Default for Books {
    fn default() -> Self {
        Self {
            cells: Cells::default(),
            crossings: BTreeMap::new(),
            standings: BTreeMap::new(),
            maturing: Maturing::default(),
            matured_to: Micros(i64::MIN),
            next_due: Micros::MAX,
            last_effect: Micros(i64::MIN),
            backlog: FxHashMap::default(),
            marks: Marks::default(),
            changed: FxHashMap::default(),
            changed_last: [(i32::MIN, Position::START); 2],
            changed_spans: Vec::new(),
            journal: None,
            feed: None,
        }
    }
}

impl Books {
    /// What they take of memory.
    pub(crate) fn weights(&self) -> Vec<Weight> {
        let one = |what, count, bytes| Weight { what, count, bytes };
        let crossings: usize = self.crossings.values().map(Vec::capacity).sum();
        let standings: usize = self.standings.values().map(Vec::capacity).sum();
        let (due, maturing) = self.maturing.counts();
        let marks = self.marks.counted().count();
        let mut all = self.cells.weights().to_vec();
        all.extend([
            one("visits across interval ends", crossings, crossings * size_of::<Crossing>()),
            one("agents at interval ends", standings, standings * size_of::<Standing>()),
            one("what matures", maturing, due * Maturing::bytes_of_one() * 4 / 3),
            one("open tickets", self.backlog.len(), table::<(Dims, i64)>(self.backlog.capacity())),
            one("marks", marks, tree::<(Anomaly, i64)>(marks)),
            one("changed intervals", self.changed.len(), table::<(i32, Position)>(self.changed.capacity())),
        ]);
        all
    }

    /// Adds or takes away what a fold gave.
    pub(crate) fn enter(&mut self, contributions: &Contributions, sign: i64, cause: Position) {
        let signed = |c: Contribution| Contribution { amount: c.amount * sign, ..c };
        for sum in contributions.sums() {
            self.touch(sum.interval(), cause);
            self.cells.add_sum(sum, sign);
            if sum.is_of_backlog() {
                self.add_to_backlog(sum, sign);
            }
        }
        if let Some(feed) = &mut self.feed {
            feed.cells.extend(contributions.iter().map(signed));
        }
        if let Some(journal) = &mut self.journal {
            let matured = contributions.maturing.iter().filter(|(due, _)| *due <= self.matured_to);
            let all = contributions.iter().chain(matured.map(|(_, contribution)| *contribution));
            journal.extend(all.map(signed));
        }
        for (due, contribution) in &contributions.maturing {
            self.touch(contribution.interval, cause);
            if *due <= self.matured_to {
                self.add(&signed(*contribution));
            }
            self.next_due = self.next_due.min(if *due > self.matured_to { *due } else { Micros::MAX });
            if sign > 0 {
                self.maturing.put(*due, contribution);
            } else {
                self.maturing.take(*due, contribution);
            }
        }
    }

    #[cold]
    fn add_to_backlog(&mut self, sum: &RowSum, sign: i64) {
        let amount: i64 = sum.contributions().map(|contribution| contribution.amount * sign).sum();
        let known = self.backlog.entry(*sum.dims()).or_default();
        *known += amount;
        if *known == 0 {
            self.backlog.remove(sum.dims());
        }
    }

    /// Sums up the backlog from the cells.
    pub(crate) fn sum_up_backlog(&mut self) {
        let (mut sums, ever) = (FxHashMap::default(), (Interval(i32::MIN), Interval(i32::MAX)));
        self.cells.rows(Sheet::Backlog, Attribution::Event, ever, |_, dims, amounts| {
            *sums.entry(*dims).or_default() += amounts.iter().sum::<i64>();
        });
        sums.retain(|_, amount| *amount != 0);
        self.backlog = sums;
    }

    #[inline]
    fn add(&mut self, contribution: &Contribution) {
        self.cells.add(contribution);
        if let Some(feed) = &mut self.feed {
            feed.cells.push(*contribution);
        }
    }

    /// Notes that something in `interval` changed.
    #[inline]
    pub(crate) fn touch(&mut self, interval: Interval, cause: Position) {
        let [last, before] = &mut self.changed_last;
        if last.0 != interval.0 {
            std::mem::swap(last, before);
            if last.0 != interval.0 {
                self.changed.insert(last.0, last.1);
                last.0 = interval.0;
            }
        }
        last.1 = cause;
    }

    /// Notes that everything between the instants changed: open work reaches far.
    pub(crate) fn touch_span(&mut self, from: Micros, to: Micros, cause: Position) {
        let last = Interval(self.changed_last[0].0);
        if last.start() <= from && to < last.end() && from <= to {
            return self.touch(last, cause);
        }
        let (from, to) = (Interval::containing(from), Interval::containing(to));
        if to.0.saturating_sub(from.0) < SPAN_INTERVALS_MIN {
            (from.0..=to.0).for_each(|interval| self.touch(Interval(interval), cause));
            return;
        }
        let to = self.changed_spans.last().map_or(to.0, |last| last.to.max(to.0));
        while self.changed_spans.last().is_some_and(|last| last.from >= from.0) {
            self.changed_spans.pop();
        }
        self.changed_spans.push(ChangedSpan { from: from.0, to, cause });
    }

    /// The last position that changed anything in an interval.
    pub(crate) fn changed_at(&self, interval: Interval) -> Position {
        let after = self.changed_spans.partition_point(|span| span.from <= interval.0);
        let span = after.checked_sub(1).and_then(|index| self.changed_spans.get(index));
        let span = span.filter(|span| interval.0 <= span.to).map(|span| span.cause);
        let last = self.changed_last.iter().find(|(changed, _)| *changed == interval.0);
        let own = last.map(|(_, cause)| *cause).or_else(|| self.changed.get(&interval.0).copied());
        own.into_iter().chain(span).max().unwrap_or(Position::START)
    }

    pub(crate) fn enter_crossings(&mut self, crossings: &[Crossing], sign: i64) {
        if let Some(feed) = &mut self.feed {
            feed.crossings.extend(crossings.iter().map(|crossing| (*crossing, sign)));
        }
        for crossing in crossings {
            let list = self.crossings.entry(crossing.interval.0).or_default();
            if sign > 0 {
                list.push(*crossing);
            } else if let Some(index) = list.iter().position(|known| known == crossing) {
                list.swap_remove(index);
            }
            if list.is_empty() {
                self.crossings.remove(&crossing.interval.0);
            }
        }
    }

    /// Adds or takes away the states of an agent when intervals ended.
    pub(crate) fn enter_standings(&mut self, standings: &[Standing], sign: i64) {
        if let Some(feed) = &mut self.feed {
            feed.standings.extend(standings.iter().map(|standing| (*standing, sign)));
        }
        for standing in standings {
            let list = self.standings.entry(standing.interval.0).or_default();
            if sign > 0 {
                list.push(*standing);
            } else if let Some(index) = list.iter().position(|known| known == standing) {
                list.swap_remove(index);
            }
            if list.is_empty() {
                self.standings.remove(&standing.interval.0);
            }
        }
    }

    /// The agents that were signed in when `interval` ended.
    pub(crate) fn standings(&self, interval: Interval) -> &[Standing] {
        self.standings.get(&interval.0).map_or(&[], Vec::as_slice)
    }

    /// All of them.
    pub(crate) fn all_standings(&self) -> impl Iterator<Item = &Standing> {
        self.standings.values().flatten()
    }

    /// The visits that waited when `interval` ended.
    pub(crate) fn crossings(&self, interval: Interval) -> &[Crossing] {
        self.crossings.get(&interval.0).map_or(&[], Vec::as_slice)
    }

    /// Time has come so far: what has matured goes into the cells.
    #[inline]
    pub(crate) fn mature(&mut self, to: Micros, cause: Position) {
        if to < self.next_due || to <= self.matured_to {
            return;
        }
        let range = self.matured_to.plus(Micros(1))..to.plus(Micros(1));
        let matured: Vec<Contribution> = self.maturing.within(range).collect();
        for contribution in &matured {
            self.add(contribution);
            self.touch(contribution.interval, cause);
        }
        self.matured_to = to;
        self.next_due = self.next_maturing(to).unwrap_or(Micros::MAX);
    }

    /// What the cells lack at `as_of`, and what they have too much.
    pub(crate) fn maturity(&self, as_of: Micros) -> impl Iterator<Item = Contribution> {
        let (from, to) = (self.matured_to.min(as_of), self.matured_to.max(as_of));
        let sign = if as_of < self.matured_to { -1 } else { 1 };
        let matures = self.maturing.within(from.plus(Micros(1))..to.plus(Micros(1)));
        matures.map(move |one| Contribution { amount: one.amount * sign, ..one })
    }

    /// What every settled visit has put there.
    pub(crate) fn all_crossings(&self) -> impl Iterator<Item = &Crossing> {
        self.crossings.values().flatten()
    }

    /// All that become so at an instant, in the order of time.
    pub(crate) fn all_maturing(&self) -> impl Iterator<Item = (Micros, Contribution)> {
        self.maturing.iter()
    }

    /// Takes back what the cells hold already, if it is due.
    pub(crate) fn put_back_maturing(&mut self, due: Micros, one: &Contribution) {
        self.maturing.put(due, one);
    }

    /// Goes on from where other books have come to.
    pub(crate) fn stand_at(&mut self, matured_to: Micros, last_effect: Micros) {
        (self.matured_to, self.last_effect) = (matured_to, last_effect);
        self.next_due = self.next_maturing(matured_to).unwrap_or(Micros::MAX);
    }

    /// Nobody asks any more for an instant before this one.
    pub(crate) fn forget_maturing(&mut self, before: Micros) {
        self.maturing.forget(before.min(self.matured_to));
    }

    /// When the next of them becomes so.
    pub(crate) fn next_maturing(&self, after: Micros) -> Option<Micros> {
        self.maturing.next(after)
    }

    pub(crate) fn mark(&mut self, marks: &[Anomaly], sign: i64) {
        self.marks.add(marks, sign);
    }

    /// Takes the marks of other books over: they say what happened, by whatever formula.
    pub(crate) fn keep_marks(&mut self, other: Self) {
        self.marks = other.marks;
    }

    pub(crate) fn marks(&self) -> &Marks {
        &self.marks
    }
}
