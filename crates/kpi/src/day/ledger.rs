//! One agent's days: sums, absences, and what of each stands in the books.
//!
//! A day is known by its first instant. Invariant: a day's sums are those of its pieces, cut at the day's ends and, for the
//! team, where the membership changes; taking a piece out again leaves no trace.

use pegcount_domain::time::{Micros, Span};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{
    cells::Detail,
    day::{
        Piece, What,
        calendar::Calendar,
        judge::{DayVerdict, MonthVerdict},
    },
    names::Id,
    reference::team_at,
};

/// A time away, or the part of it that lies in the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Absence {
    pub(crate) from: Micros,
    pub(crate) to: Micros,
    pub(crate) reason: Detail,
}

/// One local day.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Day {
    pub(crate) span: Span,
    /// Signed-in time by team (durations).
    #[serde(with = "pegcount_domain::small")]
    pub(crate) teams: SmallVec<[(Id, i64); 1]>,
    /// Occupied, ringing, dialing or ready (duration).
    pub(crate) available: i64,
    /// Completed handles of contacts that came in.
    pub(crate) inbound: i64,
    pub(crate) sign_ins: i64,
    /// How often the agent went away, by reason.
    #[serde(with = "pegcount_domain::small")]
    pub(crate) went: SmallVec<[(Detail, i64); 1]>,
    /// In no order.
    pub(crate) absences: Vec<Absence>,
    /// What stands in the books.
    pub(crate) entered: Option<DayVerdict>,
    /// Whether that may be something else than the sums give.
    pub(crate) stale: bool,
}

impl Day {
    pub(crate) fn new(span: Span) -> Self {
        Self {
            span,
            teams: SmallVec::new(),
            available: 0,
            inbound: 0,
            sign_ins: 0,
            went: SmallVec::new(),
            absences: Vec::new(),
            entered: None,
            stale: false,
        }
    }

    /// Signed-in time (duration).
    pub(crate) fn signed_in(&self) -> i64 {
        self.teams.iter().map(|(_, time)| time).sum()
    }

    /// Whether nothing of it is left.
    pub(crate) fn is_nothing(&self) -> bool {
        let counts = [self.available, self.inbound, self.sign_ins];
        counts.iter().all(|count| *count == 0)
            && self.teams.is_empty()
            && self.went.is_empty()
            && self.absences.is_empty()
    }

    /// Puts a piece in, or takes it out (`sign` is 1 or -1): the part of it that lies in the day, if any does.
    pub(crate) fn add(&mut self, piece: &Piece, sign: i64, teams: &[(Micros, Id)]) {
        if !piece.touches(self.span) {
            return;
        }
        let (from, to) = (piece.from.max(self.span.start), piece.to.min(self.span.end));
        match piece.what {
            What::SignIn => return self.sign_ins += sign,
            What::Inbound => return self.inbound += sign,
            What::WentAway(reason) => return change(&mut self.went, reason, sign),
            What::Available => self.available += to.minus(from).0 * sign,
            What::Lost => {}
            What::Away(reason) => {
                let absence = Absence { from, to, reason };
                if sign > 0 {
                    self.absences.push(absence);
                } else if let Some(place) = self.absences.iter().rposition(|known| *known == absence) {
                    self.absences.swap_remove(place);
                }
            }
        }
        self.signed_in_in_teams(from, to, sign, teams);
    }

    fn signed_in_in_teams(&mut self, from: Micros, to: Micros, sign: i64, teams: &[(Micros, Id)]) {
        let mut start = from;
        let mut team = team_at(teams, from);
        let after = teams.partition_point(|(since, _)| *since <= from);
        for (since, next) in teams.iter().skip(after).take_while(|(since, _)| *since < to) {
            change(&mut self.teams, team, since.minus(start).0 * sign);
            (start, team) = (*since, *next);
        }
        change(&mut self.teams, team, to.minus(start).0 * sign);
    }
}

/// Of all agents most have few days, so room is made for few at once.
fn make_room<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact(1 + list.len() / 4);
    }
}

fn change<K: PartialEq + Copy>(list: &mut SmallVec<[(K, i64); 1]>, key: K, by: i64) {
    if let Some(place) = list.iter().position(|(known, _)| *known == key) {
        if let Some((_, amount)) = list.get_mut(place) {
            *amount += by;
            if *amount == 0 {
                list.swap_remove(place);
            }
        }
    } else if by != 0 {
        list.push((key, by));
    }
}

/// What of a month stands in the books.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Month {
    pub(crate) span: Span,
    pub(crate) entered: Option<MonthVerdict>,
    /// Whether that may be something else than its days give.
    pub(crate) stale: bool,
}

/// All days of one agent, in order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ledger {
    pub(crate) days: Vec<Day>,
    /// Their months, in order.
    pub(crate) months: Vec<Month>,
}

impl Ledger {
    /// What it takes of memory, bytes.
    pub(crate) fn bytes(&self) -> usize {
        let absences: usize = self.days.iter().map(|day| day.absences.capacity()).sum();
        self.days.capacity() * size_of::<Day>()
            + self.months.capacity() * size_of::<Month>()
            + absences * size_of::<Absence>()
    }

    /// The days that end after `from` and begin before `to`.
    pub(crate) fn between(&self, from: Micros, to: Micros) -> &[Day] {
        let first = self.days.partition_point(|day| day.span.end <= from);
        let after = self.days.partition_point(|day| day.span.start < to);
        self.days.get(first..after.max(first)).unwrap_or_default()
    }

    /// The day of this span.
    pub(crate) fn day(&self, span: Span) -> Option<&Day> {
        self.between(span.start, span.end).first()
    }

    /// The day in which an instant lies, whose pieces stand in the cells.
    pub(crate) fn span_at(&self, at: Micros, calendar: &Calendar) -> Span {
        let known = self.between(at, at.plus(Micros(1))).first().map(|day| day.span);
        known.unwrap_or_else(|| calendar.day(at))
    }

    /// Puts pieces in or takes them out; `due` is told the end of each day and month that had not been stale.
    pub(crate) fn add(
        &mut self,
        pieces: &[Piece],
        sign: i64,
        calendar: &Calendar,
        teams: &[(Micros, Id)],
        mut due: impl FnMut(Micros),
    ) {
        for piece in pieces {
            let mut at = piece.from;
            loop {
                let last = self.days.last().filter(|day| day.span.start <= at && at < day.span.end);
                let place = match last {
                    Some(_) => self.days.len() - 1,
                    None => self.place(at, calendar),
                };
                let Some(day) = self.days.get_mut(place) else { break };
                day.add(piece, sign, teams);
                at = day.span.end;
                if !day.stale {
                    self.expire(place, calendar, &mut due);
                }
                if at >= piece.to {
                    break;
                }
            }
        }
    }

    /// The place of the day in which an instant lies; it is made if there is none.
    fn place(&mut self, at: Micros, calendar: &Calendar) -> usize {
        let place = self.days.partition_point(|day| day.span.end <= at);
        if self.days.get(place).is_none_or(|day| at < day.span.start) {
            make_room(&mut self.days);
            self.days.insert(place, Day::new(calendar.day(at)));
        }
        place
    }

    /// A day and its month are to be judged again.
    pub(crate) fn expire(&mut self, place: usize, calendar: &Calendar, due: &mut impl FnMut(Micros)) {
        let Some(day) = self.days.get_mut(place) else { return };
        if !std::mem::replace(&mut day.stale, true) {
            due(day.span.end);
        }
        self.expire_month(place, calendar, due);
    }

    /// The month of a day is to be judged again.
    pub(crate) fn expire_month(&mut self, place: usize, calendar: &Calendar, due: &mut impl FnMut(Micros)) {
        let Some(start) = self.days.get(place).map(|day| day.span.start) else { return };
        let place = self.months.partition_point(|month| month.span.end <= start);
        if self.months.get(place).is_none_or(|month| start < month.span.start) {
            make_room(&mut self.months);
            self.months.insert(place, Month { span: calendar.month(start), entered: None, stale: false });
        }
        if let Some(month) = self.months.get_mut(place).filter(|month| !month.stale) {
            month.stale = true;
            due(month.span.end);
        }
    }

    /// Nothing of it stands in the books any more, and none of it is to be judged.
    pub(crate) fn leave_books(&mut self) {
        for day in &mut self.days {
            (day.entered, day.stale) = (None, false);
        }
        for month in &mut self.months {
            (month.entered, month.stale) = (None, false);
        }
    }

    /// Forgets the days of months that have ended by an instant; what they came to stands in the books.
    pub(crate) fn forget(&mut self, before: Micros) {
        self.months.retain(|month| month.span.end > before);
        let first = self.months.first().map_or(before, |month| month.span.start.min(before));
        self.days.retain(|day| day.span.end > first);
    }
}
