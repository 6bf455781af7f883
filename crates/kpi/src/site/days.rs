//! Agent-days and agent-months in and out of the books, and as they are at an instant.
//!
//! A day is judged when it has ended: at the next event, or when somebody reads. Invariant: books plus what is read here hold
//! each day with signed-in time that has ended by the instant, once, as its facts up to the instant and the reference data
//! judge it.

use pegcount_domain::time::{Interval, Micros, Span};
use smallvec::SmallVec;

use crate::{
    agent::{emit::Output, unit::AgentUnit},
    cells::{Attribution, Contribution, Contributions, Dims},
    day::{
        Piece,
        judge::{DayVerdict, Judge, MonthVerdict},
        ledger::{Day, Ledger},
    },
    fact::Slot,
    measure::Measure,
    names::Id,
    reference::{EfficiencyTarget, Reference},
    site::Site,
};

/// The day or month of one agent as it is at an instant.
#[derive(Clone, Debug)]
pub(crate) struct Judged<V> {
    pub(crate) span: Span,
    pub(crate) days: Vec<Day>,
    pub(crate) verdict: V,
}

type Amounts = SmallVec<[(Measure, i64); 4]>;

/// A day's amounts, without those that are 0.
pub(crate) fn day_amounts(verdict: DayVerdict) -> Amounts {
    let all = [
        (Measure::AgentDays, true),
        (Measure::AgentDaysCompliant, verdict.compliant),
        (Measure::AgentDaysMeasured, verdict.measured),
        (Measure::AgentDaysOverTarget, verdict.over_target),
    ];
    all.into_iter().filter(|(_, counts)| *counts).map(|(measure, _)| (measure, 1)).collect()
}

/// A month's amounts, without those that are 0.
pub(crate) fn month_amounts(verdict: MonthVerdict) -> Amounts {
    let all = [
        (Measure::AgentMonthsMeasured, verdict.measured),
        (Measure::AgentMonthsOverTarget, verdict.over_target),
    ];
    all.into_iter().filter(|(_, counts)| *counts).map(|(measure, _)| (measure, 1)).collect()
}

/// Where a day or month that ends at `end` is counted: in its last base interval, so that it lies in its own day.
pub(crate) fn counted_in(end: Micros) -> Interval {
    Interval::containing(end.minus(Micros(1)))
}

pub(crate) fn contributions(
    agent: Id,
    team: Id,
    end: Micros,
    amounts: &Amounts,
    sign: i64,
) -> Vec<Contribution> {
    let dims = Dims { agent, team, ..Dims::default() };
    let (attribution, interval) = (Attribution::Event, counted_in(end));
    let one = |(measure, amount): &(Measure, i64)| Contribution {
        measure: *measure,
        attribution,
        interval,
        dims,
        amount: amount * sign,
    };
    amounts.iter().map(one).collect()
}

fn of_day(agent: Id, end: Micros, verdict: Option<DayVerdict>, sign: i64) -> Vec<Contribution> {
    verdict
        .map_or_else(Vec::new, |verdict| contributions(agent, verdict.team, end, &day_amounts(verdict), sign))
}

fn of_month(agent: Id, end: Micros, verdict: Option<MonthVerdict>, sign: i64) -> Vec<Contribution> {
    verdict.map_or_else(Vec::new, |verdict| {
        contributions(agent, verdict.team, end, &month_amounts(verdict), sign)
    })
}

impl Site {
    /// Puts the pieces of an agent's fold into its days, or takes them out.
    pub(super) fn enter_pieces(&mut self, agent: Slot, pieces: &[Piece], sign: i64) {
        let Some(unit) = self.agents.list.get_mut(agent.index()) else { return };
        let (calendar, teams) = (self.reference.calendar(), self.reference.teams(unit.id));
        let due = &mut self.days_due;
        unit.ledger.add(pieces, sign, calendar, teams, |end| {
            due.insert(end, agent);
        });
    }

    /// Puts days and months into the books that have ended by `to` and are not there as they are.
    pub(super) fn settle_days(&mut self, to: Micros) {
        while let Some((end, agent)) = self.days_due.take_by(to) {
            self.settle_day(agent, end);
            self.settle_month(agent, end);
        }
    }

    fn settle_day(&mut self, agent: Slot, end: Micros) {
        self.agents.touch(agent);
        let Some(unit) = self.agents.list.get_mut(agent.index()) else { return };
        let judge = Judge { reference: &self.reference, agent: unit.id, target: None };
        let place = unit.ledger.days.partition_point(|day| day.span.end < end);
        let Some(day) = unit.ledger.days.get_mut(place).filter(|day| day.span.end == end && day.stale) else {
            return;
        };
        let (old, new) = (day.entered, judge.day(day));
        (day.entered, day.stale) = (new, false);
        if new.is_none() && day.is_nothing() {
            unit.ledger.days.remove(place);
        }
        let id = unit.id;
        if old != new {
            self.enter_due(end, of_day(id, end, old, 1), -1);
            self.enter_due(end, of_day(id, end, new, 1), 1);
        }
    }

    fn settle_month(&mut self, agent: Slot, end: Micros) {
        let Some(unit) = self.agents.list.get_mut(agent.index()) else { return };
        let judge = Judge { reference: &self.reference, agent: unit.id, target: None };
        let Ledger { days, months } = &mut unit.ledger;
        let Some(month) = months.iter_mut().find(|month| month.span.end == end && month.stale) else {
            return;
        };
        let own: Vec<&Day> = days.iter().filter(|day| is_in(day.span, month.span)).collect();
        let (old, new) = (month.entered, judge.month(&own));
        (month.entered, month.stale) = (new, false);
        let id = unit.id;
        if old != new {
            self.enter_due(end, of_month(id, end, old, 1), -1);
            self.enter_due(end, of_month(id, end, new, 1), 1);
        }
    }

    /// Adds to the books or takes away what counts from an instant on.
    fn enter_due(&mut self, due: Micros, list: Vec<Contribution>, sign: i64) {
        if list.is_empty() {
            return;
        }
        let mut out = Contributions::default();
        for contribution in list {
            out.push_maturing(due, contribution);
        }
        self.books.enter(&out, sign, self.position);
    }

    /// Takes up days as they were archived; an older archive has none, and they are made of what is known of agents.
    pub(crate) fn take_up_days(&mut self, are_known: bool) {
        if !are_known {
            for slot in (0u32..).map(Slot).take(self.agents.list.len()) {
                let Some(unit) = self.agents.get(slot).filter(|unit| unit.has_clock) else { continue };
                let mut out = Output::default();
                unit.withdraw(&self.reference, Micros(i64::MIN), &mut out);
                self.enter_pieces(slot, &out.pieces.list, 1);
            }
        }
        self.expire_days(Micros(i64::MIN), None);
        self.expire_open_months();
    }

    /// Months that history has not closed are to be judged, even if it has closed all of their days.
    fn expire_open_months(&mut self) {
        let (closed, due) = (self.closed_before, &mut self.days_due);
        for (slot, unit) in (0u32..).map(Slot).zip(&mut self.agents.list) {
            for month in unit.ledger.months.iter_mut().filter(|month| month.span.end > closed) {
                month.stale = true;
                due.insert(month.span.end, slot);
            }
        }
    }

    /// Whether any agent has days that end after an instant.
    pub(super) fn has_days_after(&self, at: Micros) -> bool {
        let open = |unit: &AgentUnit| unit.has_clock && unit.running_since().is_some();
        let ends_later = |unit: &AgentUnit| unit.ledger.days.last().is_some_and(|day| day.span.end > at);
        self.agents.list.iter().any(|unit| open(unit) || ends_later(unit))
    }

    /// Whether any agent has days or months that end after an instant.
    pub(super) fn has_months_after(&self, at: Micros) -> bool {
        let ends_later =
            |unit: &AgentUnit| unit.ledger.months.last().is_some_and(|month| month.span.end > at);
        self.has_days_after(at) || self.agents.list.iter().any(ends_later)
    }

    /// How many days of agents end after an instant.
    pub(super) fn days_after(&self, at: Micros) -> usize {
        let later = |unit: &AgentUnit| unit.ledger.between(at, Micros::MAX).len();
        self.agents.list.iter().map(later).sum()
    }

    /// Days that end after an instant are to be judged again, of one agent or of all, but for those whose history is closed.
    pub(super) fn expire_days(&mut self, from: Micros, only: Option<Id>) {
        let (closed, due) = (self.closed_before, &mut self.days_due);
        let agents = (0u32..).map(Slot).zip(&mut self.agents.list);
        for (slot, unit) in agents.filter(|(_, unit)| only.is_none_or(|only| only == unit.id)) {
            for place in 0..unit.ledger.days.len() {
                let span = unit.ledger.days.get(place).map(|day| day.span);
                if span.is_some_and(|span| span.end > from && span.end > closed) {
                    unit.ledger.expire(place, self.reference.calendar(), &mut |end| {
                        due.insert(end, slot);
                    });
                }
            }
        }
    }

    /// Days have another zone: `change` puts it into force.
    pub(super) fn change_days(&mut self, change: impl FnOnce(&mut Self)) {
        let agents = (0u32..).map(Slot).take(self.agents.list.len());
        let mut pieces: Vec<(Slot, Vec<Piece>)> = Vec::new();
        for slot in agents {
            let Some(unit) = self.agents.get(slot).filter(|unit| unit.has_clock) else { continue };
            let mut out = Output::default();
            unit.withdraw(&self.reference, Micros(i64::MIN), &mut out);
            self.enter_pieces(slot, &out.pieces.list, -1);
            self.clear_days(slot);
            pieces.push((slot, out.pieces.list));
        }
        change(self);
        let due = &mut self.days_due;
        for (slot, unit) in (0u32..).map(Slot).zip(&mut self.agents.list) {
            for place in 0..unit.ledger.days.len() {
                unit.ledger.expire_month(place, self.reference.calendar(), &mut |end| {
                    due.insert(end, slot);
                });
            }
        }
        for (slot, own) in pieces {
            self.enter_pieces(slot, &own, 1);
        }
    }

    /// Takes days of which nothing is left out of the books, and the months of all.
    fn clear_days(&mut self, agent: Slot) {
        let Some(unit) = self.agents.list.get_mut(agent.index()) else { return };
        let id = unit.id;
        let all = std::mem::take(&mut unit.ledger.days);
        let (nothing, rest): (Vec<Day>, Vec<Day>) = all.into_iter().partition(Day::is_nothing);
        unit.ledger.days = rest;
        let months = std::mem::take(&mut unit.ledger.months);
        for day in nothing {
            self.enter_due(day.span.end, of_day(id, day.span.end, day.entered, 1), -1);
        }
        for month in months {
            self.enter_due(month.span.end, of_month(id, month.span.end, month.entered, 1), -1);
        }
    }

    /// The days and months of an agent that are counted in a range, as they are at an instant.
    pub(crate) fn days_of(
        &self,
        unit: &AgentUnit,
        as_of: Micros,
        range: Span,
        target: Option<EfficiencyTarget>,
    ) -> (Vec<Judged<DayVerdict>>, Vec<Judged<MonthVerdict>>) {
        let nowhere = Span::new(Micros::ZERO, Micros::ZERO);
        let (mut minus, mut plus) = (Output::within(nowhere), Output::within(nowhere));
        unit.read(&self.reference, (as_of, as_of), &mut minus, &mut plus);
        let reader = Reader {
            reference: &self.reference,
            unit,
            minus: &minus.pieces.list,
            plus: &plus.pieces.list,
            judge: Judge { reference: &self.reference, agent: unit.id, target },
        };
        let is_counted = |span: &Span| span.end <= as_of && range.start < span.end && span.end <= range.end;
        let first = self.reference.calendar().month(range.start).start;
        let days = reader.days_between(first, range.end.min(as_of));
        let mut months: Vec<Span> =
            days.iter().map(|day| self.reference.calendar().month(day.span.start)).collect();
        months.dedup();
        let of_days = days.iter().filter(|day| is_counted(&day.span)).filter_map(|day| {
            let verdict = reader.judge.day(day)?;
            Some(Judged { span: day.span, days: vec![day.clone()], verdict })
        });
        let of_days = of_days.collect();
        let of_months = months.into_iter().filter(is_counted).filter_map(|span| {
            let own: Vec<&Day> = days.iter().filter(|day| is_in(day.span, span)).collect();
            let verdict = reader.judge.month(&own)?;
            Some(Judged { span, days: own.into_iter().cloned().collect(), verdict })
        });
        (of_days, of_months.collect())
    }
}

fn is_in(day: Span, month: Span) -> bool {
    month.start <= day.start && day.end <= month.end
}

/// What the books lack at an instant of the days of the agents that are read, or have too much.
pub(crate) struct DaysRead<'a> {
    site: &'a Site,
    as_of: Micros,
    range: Span,
    /// The local day of the instant.
    today: Span,
    /// Whether any day that has ended is not in the books as it is.
    any_due: bool,
    pub(crate) contributions: Vec<Contribution>,
    /// When the next day ends that the books do not know of.
    pub(crate) next_change: Option<Micros>,
}

impl<'a> DaysRead<'a> {
    pub(crate) fn of(site: &'a Site, as_of: Micros, range: Span) -> Self {
        let today = site.reference.calendar().day(as_of);
        let any_due = site.days_due.any_by(as_of);
        Self { site, as_of, range, today, any_due, contributions: Vec::new(), next_change: None }
    }

    /// One agent, with the pieces that the books have too much and those that they lack.
    pub(crate) fn take(&mut self, unit: &AgentUnit, minus: &[Piece], plus: &[Piece]) {
        if !unit.has_clock {
            return;
        }
        let reference = &self.site.reference;
        let judge = Judge { reference, agent: unit.id, target: None };
        let reader = Reader { reference, unit, minus, plus, judge };
        let hints = (self.today, self.any_due);
        reader.difference(self.as_of, self.range, hints, &mut self.contributions);
        let next = reader.next_end(self.as_of, self.today);
        self.next_change = [self.next_change, next].into_iter().flatten().min();
    }
}

/// One agent's days at an instant: those in the ledger, less and plus what the books do not show as it is.
struct Reader<'a> {
    reference: &'a Reference,
    unit: &'a AgentUnit,
    minus: &'a [Piece],
    plus: &'a [Piece],
    judge: Judge<'a>,
}

impl Reader<'_> {
    /// What the books lack, or have too much, of the days and months that have ended by `as_of`; those that are counted before
    /// `range` or after it are left out as far as that is easy.
    fn difference(
        &self,
        as_of: Micros,
        range: Span,
        (today, any_due): (Span, bool),
        out: &mut Vec<Contribution>,
    ) {
        let is_quiet = |pieces: &[Piece]| pieces.iter().all(|piece| today.start <= piece.from);
        if !any_due && is_quiet(self.minus) && is_quiet(self.plus) {
            return;
        }
        let ledger = &self.unit.ledger;
        let calendar = self.reference.calendar();
        let first = calendar.month(range.start).start;
        let mut days = self.changed(first, range.end.min(as_of));
        days.retain(|span| span.end <= as_of);
        let mut months: Vec<Span> = days.iter().map(|span| calendar.month(span.start)).collect();
        months.extend(ledger.months.iter().filter(|month| month.stale).map(|month| month.span));
        months.sort_unstable();
        months.dedup();
        let id = self.unit.id;
        for span in days {
            let old = ledger.day(span).and_then(|day| day.entered);
            let new = self.judge.day(&self.day(span));
            if old != new {
                out.extend(of_day(id, span.end, old, -1));
                out.extend(of_day(id, span.end, new, 1));
            }
        }
        for span in months.into_iter().filter(|span| span.end <= as_of && span.end > range.start) {
            let known = ledger.months.iter().find(|month| month.span == span);
            let days = self.days_between(span.start, span.end);
            let own: Vec<&Day> = days.iter().collect();
            let (old, new) = (known.and_then(|month| month.entered), self.judge.month(&own));
            if old != new {
                out.extend(of_month(id, span.end, old, -1));
                out.extend(of_month(id, span.end, new, 1));
            }
        }
    }

    /// The end of the first day or month after `as_of` that the books do not know of.
    fn next_end(&self, as_of: Micros, today: Span) -> Option<Micros> {
        let ledger = &self.unit.ledger;
        let days = ledger.days.iter().rev().take_while(|day| day.span.end > as_of);
        let days = days.filter(|day| day.stale).map(|day| day.span.end);
        let months = ledger.months.iter().rev().take_while(|month| month.span.end > as_of);
        let months = months.filter(|month| month.stale).map(|month| month.span.end);
        let open = (!self.plus.is_empty()).then_some(today.end);
        days.chain(months).chain(open).min()
    }

    /// The days that may not stand in the books as they are, in order, of those that end after `from` and begin before `to`.
    fn changed(&self, from: Micros, to: Micros) -> Vec<Span> {
        let calendar = self.reference.calendar();
        let stale = self.unit.ledger.between(from, to).iter().filter(|day| day.stale).map(|day| day.span);
        let mut days: Vec<Span> = stale.collect();
        for piece in self.minus.iter().chain(self.plus) {
            let mut at = piece.from.max(from);
            while at < to && (at < piece.to || at == piece.from) {
                let span = match days.last() {
                    Some(last) if last.start <= at && at < last.end => *last,
                    _ => self.unit.ledger.span_at(at, calendar),
                };
                days.push(span);
                at = span.end;
            }
        }
        days.sort_unstable();
        days.dedup();
        days
    }

    /// All days that end after `from` and begin before `to`, as they are at the instant.
    fn days_between(&self, from: Micros, to: Micros) -> Vec<Day> {
        let mut spans = self.changed(from, to);
        spans.extend(self.unit.ledger.between(from, to).iter().map(|day| day.span));
        spans.sort_unstable();
        spans.dedup();
        spans.into_iter().map(|span| self.day(span)).collect()
    }

    fn day(&self, span: Span) -> Day {
        let mut day = self.unit.ledger.day(span).cloned().unwrap_or_else(|| Day::new(span));
        let teams = self.reference.teams(self.unit.id);
        for (pieces, sign) in [(self.minus, -1), (self.plus, 1)] {
            for piece in pieces {
                day.add(piece, sign, teams);
            }
        }
        day
    }
}
