//! What to tell of a board: its numbers, and the rows from one to another.
//!
//! Invariant: rows told since a number, laid over the table of that number, are the table.

use std::collections::BTreeSet;

use pegcount_domain::{
    envelope::Position,
    ids::Name,
    time::{Interval, Micros, Span},
};
use rustc_hash::FxHashMap;

use super::{
    Board, Place, REMEMBERED_MIN,
    sums::{Shown, Since, Sums},
};
use crate::{
    agent::standing::STATES,
    cells::Attribution,
    kpi::Kpi,
    live::{
        change::{Change, LiveRow, RowId},
        follower::Follower,
    },
    measure::Sheet,
    query::{Row, Table, plan::RowSums, table::all_versions, versions::row_versions},
};

impl Board {
    /// Gives what has changed a new number; false if nothing has. The first time it always gets one.
    pub fn number(&mut self) -> bool {
        let changed = std::mem::take(&mut self.changed);
        let mut told = Vec::new();
        for place in changed {
            let stays = self.query.by.is_empty() || self.holds(&place);
            let Some(sums) = self.rows.get_mut(&place) else { continue };
            if stays || sums.is_told {
                sums.is_told = stays;
                told.push(place.clone());
            }
            if !stays {
                self.rows.remove(&place);
            }
        }
        if told.is_empty() && self.first != 0 {
            return false;
        }
        self.version += 1;
        if self.first == 0 {
            self.first = self.version;
        }
        self.told_places += told.len();
        self.told.push_back((self.version, told));
        while self.told_places > REMEMBERED_MIN.max(2 * self.rows.len())
            && let Some((_, oldest)) = self.told.pop_front()
        {
            self.told_places -= oldest.len();
        }
        true
    }

    /// Whether anything is or grows in a row.
    fn holds(&self, place: &Place) -> bool {
        let grows = |sums: &Sums| !sums.rates.is_empty();
        self.stands(place) || self.rows.get(place).is_some_and(grows)
    }

    /// Whether anything is in a row, so that the query's answer has it.
    fn stands(&self, place: &Place) -> bool {
        let Some(sums) = self.rows.get(place) else { return false };
        let passed = self.as_of.minus(self.base).0;
        let grown = |(slot, rate): &(u8, i64)| (usize::from(*slot), rate * passed);
        let has = |sums: &Sums| {
            let mut amounts = (0..).zip(sums.amounts.iter());
            amounts.any(|(slot, amount)| {
                let more = sums.rates.iter().map(grown).find(|(other, _)| *other == slot);
                amount + more.map_or(0, |(_, more)| more) != 0
            })
        };
        let is_behind = self.plan.backlog_makes_rows() && self.backlog_of(place) != 0;
        is_behind || has(sums) || self.gauge(place, sums).0 != 0 || self.agents(place, sums) != [0; STATES]
    }

    /// Agents by state in a row.
    fn agents(&self, place: &Place, sums: &Sums) -> [i64; STATES] {
        if !self.plan.needs_states {
            return [0; STATES];
        }
        if self.current == Some(place.0) {
            return self.signed_in.get(&place.1).copied().unwrap_or_default();
        }
        sums.agents
    }

    /// How many wait in a row, since when the longest, and whether they still do.
    fn gauge(&self, place: &Place, sums: &Sums) -> (i64, Micros, bool) {
        if !self.plan.needs_gauges {
            return (0, Micros::ZERO, false);
        }
        let of = |since: &Since| {
            let first = since.keys().next().copied().unwrap_or_default();
            (since.values().sum::<i64>(), first)
        };
        if self.current == Some(place.0) {
            let (count, first) = self.waiting.get(&place.1).map(of).unwrap_or_default();
            return (count, first, true);
        }
        let (count, first) = of(&sums.crossings);
        (count, first, false)
    }

    /// All of it.
    pub fn snapshot(&self) -> Change {
        self.change(true, self.rows.keys().collect())
    }

    /// All of it as [`Kpi::query`](crate::Kpi::query) answers as of the last step's instant.
    pub fn table(&self) -> Table {
        let asks_for_one = self.query.by.is_empty();
        let stand = self.rows.iter().filter(|(place, _)| asks_for_one || self.stands(place));
        let row = |(place, sums): (&Place, &Sums)| Some(self.live_row(self.id(place)?, place, sums).row);
        let mut rows: Vec<Row> = stand.filter_map(row).collect();
        rows.sort_unstable_by(|a, b| (a.from, &a.keys).cmp(&(b.from, &b.keys)));
        Table {
            formula_versions: all_versions(&rows, self.formula_version),
            columns: self.plan.columns.clone(),
            rows,
            position: self.position,
            as_of: self.as_of,
            formula_version: self.formula_version,
            older_definitions: self.older_definitions,
        }
    }

    /// What has changed since it had a number; none if that is too long ago, or no number of it.
    pub fn since(&self, version: u64) -> Option<Change> {
        let oldest = self.told.front().map_or(self.version + 1, |(oldest, _)| *oldest);
        if version < self.first.max(1) || version > self.version || version + 1 < oldest {
            return None;
        }
        let later = self.told.iter().rev().take_while(|(told, _)| *told > version);
        Some(self.change(false, later.flat_map(|(_, places)| places).collect()))
    }

    /// What has changed since it was so at a position as of an instant, told by whole spans of rows; none if that is not
    /// known. The site has been stepped, and no earlier than this board.
    pub fn since_moment(
        &self,
        kpi: &Kpi,
        follower: &Follower,
        position: Position,
        as_of: Micros,
    ) -> Option<Change> {
        let site = kpi.site(&self.query.site)?;
        // Under `start` a timer that ends after-call work changes an interval long over, with no event.
        let is_known = self.query.attribution == Attribution::Event
            && position <= self.position
            && as_of <= self.as_of
            && site.rewritten_at() <= position;
        if !is_known || self.buckets.list.len() <= 1 {
            return None;
        }
        let open: BTreeSet<Interval> = follower.touched(site, as_of).collect();
        // A day that a late fact changes is known to have changed only once it stands in the books.
        let needs_days = self.plan.by_sheet.get(Sheet::Day as usize).is_some_and(|needed| !needed.is_empty());
        let ends_day =
            |interval: Interval| site.reference.calendar().day(interval.start()).end == interval.end();
        let is_changed = |interval: Interval| {
            interval.end() > as_of
                || (needs_days && ends_day(interval))
                || open.contains(&interval)
                || site.books.changed_at(interval) > position
        };
        let (from, to) = self.buckets.whole();
        let changed: BTreeSet<u32> = (from.0..to.0)
            .map(Interval)
            .filter(|interval| is_changed(*interval))
            .filter_map(|interval| self.buckets.place(interval))
            .collect();
        let places = self.rows.keys().filter(|(bucket, _)| changed.contains(bucket)).collect();
        let spans = changed.iter().filter_map(|at| self.buckets.list.get(usize::try_from(*at).ok()?));
        let replaced = spans.map(|bucket| Span::new(bucket.from, bucket.to)).collect();
        Some(Change { replaced, removed: Vec::new(), ..self.change(false, places) })
    }

    fn change(&self, snapshot: bool, places: BTreeSet<&Place>) -> Change {
        let (mut rows, mut removed) = (Vec::new(), Vec::new());
        for place in places {
            let Some(id) = self.id(place) else { continue };
            match self.rows.get(place).filter(|sums| sums.is_told) {
                Some(sums) => rows.push(self.live_row(id, place, sums)),
                None => removed.push(id),
            }
        }
        rows.sort_unstable_by(|a, b| (a.row.from, &a.row.keys).cmp(&(b.row.from, &b.row.keys)));
        if snapshot {
            removed.clear();
        }
        let columns = self.plan.columns.clone();
        Change {
            snapshot,
            columns,
            rows,
            removed,
            replaced: Vec::new(),
            as_of: self.as_of,
            position: self.position,
            formula_version: self.formula_version,
            older_definitions: self.older_definitions,
        }
    }

    fn id(&self, (bucket, keys): &Place) -> Option<RowId> {
        let bucket = self.buckets.list.get(usize::try_from(*bucket).ok()?)?;
        let word = |(key, texts): (&u32, &FxHashMap<u32, Option<Name>>)| texts.get(key).cloned().flatten();
        Some((bucket.from, bucket.to, keys.iter().zip(&self.texts).map(word).collect()))
    }

    fn live_row(&self, (from, to, keys): RowId, place: &Place, sums: &Sums) -> LiveRow {
        let (waiting, since, is_now) = self.gauge(place, sums);
        let until = if is_now { self.as_of } else { to };
        let longest = if waiting == 0 { 0 } else { until.minus(since).0 };
        let passed = self.as_of.minus(self.base).0;
        let rate = |slot: usize| {
            let own = sums.rates.iter().find(|(other, _)| usize::from(*other) == slot);
            own.map_or(0, |(_, rate)| *rate)
        };
        let shown = Shown {
            sums,
            passed,
            gauge: (waiting, longest),
            agents: self.agents(place, sums),
            backlog: self.backlog_of(place),
        };
        let bucket = usize::try_from(place.0).ok();
        let law = bucket.and_then(|at| self.laws.get(at)).copied().unwrap_or_default();
        let values = self.plan.values(&shown, law.number);
        let versions = row_versions(&self.query, sums.counted.versions(), &law);
        let grows = i64::from(is_now && waiting != 0 && self.plan.needs_gauges);
        let running = if sums.rates.is_empty() && grows == 0 {
            Vec::new()
        } else {
            self.plan.rates(rate, |slot| shown.amount(slot), grows, law.number)
        };
        LiveRow { row: Row { from, to, keys, values, versions }, running }
    }
}
